// SPDX-License-Identifier: PostgreSQL
/* A load from the run's snapshot: the crew at work, and what follows when its tables are in. */
#include "run.h"

/* How often the snapshot's and the lock's connections are looked at. */
#define KEEP_EVERY_MS 3000

static void watch(struct run *r, struct pg *control)
{
	struct error e = { 0 };
	struct crew *crew = crew_new(r);
	int64_t looked = clock_us();
	bool loading = false;
	do {
		crew_fill(crew);
		if (!loading && schedule_all_created(r)) {
			loading = true;
			run_enter(r, MIRROR_LOADING);
		}
		if (clock_us() - looked < KEEP_EVERY_MS * 1000)
			continue;
		looked = clock_us();
		if (!snapshot_keep(r->snapshot, &e) || !control_is_alive(r, control, &e))
			schedule_break(r, &e);
	} while (!stop_raised(r->stop) && !schedule_wait(r, 200));
	schedule_close(r);
	crew_free(crew);
}

static size_t count_failed(const struct run *r)
{
	size_t n = 0;
	for (size_t i = 0; i < r->table_count; i++)
		n += r->tables[i].state == TABLE_FAILED;
	return n;
}

static bool tables_failed(const struct run *r, size_t failed, struct error *e)
{
	for (size_t i = 0; i < r->table_count; i++)
		if (r->tables[i].error) {
			*e = *r->tables[i].error;
			break;
		}
	error_set(e, e->class ? e->class : ERROR_DATA, "%zu of %zu tables failed", failed, r->table_count);
	return error_next(e, "see the tables' errors, mend them, then run it again");
}

bool load_rows(struct run *r, struct pg *control, struct error *e)
{
	r->control_pid = pg_pid(control);
	schedule_open(r);
	watch(r, control);
	if (r->broken.class) {
		*e = r->broken;
		return false;
	}
	if (stop_raised(r->stop))
		return error_set(e, ERROR_CANCELLED, "paused");
	finish_moments(r);
	return control_is_alive(r, control, e);
}

/* Large objects come before the event triggers that the source has. When they can't be copied, the rest is made all
 * the same, and the mirror fails at the end: they are rows. */
bool load_finish(struct run *r, struct pg *control, struct error *e)
{
	struct pg *source = snapshot_connection(r->snapshot);
	struct error why = { 0 };
	run_enter(r, MIRROR_FINISHING);
	if (!finish_trees(r, control, e) || !finish_sequences(r, source, control, e))
		return false;
	bool large = finish_large_objects(r, source, control, &why);
	if (!large && (stop_raised(r->stop) || pg_lost(control) || pg_lost(source))) {
		*e = why;
		return false;
	}
	if (!objects_finish(r, e))
		return false;
	if (!large)
		*e = why;
	return large;
}

bool load(struct run *r, struct pg *control, struct error *e)
{
	if (!load_rows(r, control, e))
		return false;
	size_t failed = count_failed(r);
	return failed > 0 ? tables_failed(r, failed, e) : load_finish(r, control, e);
}
