// SPDX-License-Identifier: PostgreSQL
/* What is known of each mirror as a whole. */
#include "inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct mirror_entry *mirror_find(struct model *m, const char *name)
{
	for (size_t i = 0; i < m->mirror_count; i++)
		if (strcmp(m->mirrors[i]->view.name, name) == 0)
			return m->mirrors[i];
	return NULL;
}

void mirror_entry_free(struct mirror_entry *r)
{
	load_clear(r);
	objects_clear(r);
	cutover_clear(r);
	mirror_config_free(&r->config);
	free(r->workers);
	free(r->replication);
	verify_clear(r);
	free(r);
}

const char *mirror_state_name(enum mirror_state s)
{
	static const char *const names[] = {
		[MIRROR_NEW] = "new",
		[MIRROR_CHECKING] = "checking",
		[MIRROR_SNAPSHOT] = "snapshot",
		[MIRROR_SCHEMA] = "schema",
		[MIRROR_LOADING] = "initial load",
		[MIRROR_FINISHING] = "finishing",
		[MIRROR_CATCHING_UP] = "catching up",
		[MIRROR_REPLICATING] = "replicating",
		[MIRROR_DONE] = "done",
		[MIRROR_PAUSING] = "pausing",
		[MIRROR_PAUSED] = "paused",
		[MIRROR_RETRYING] = "retrying",
		[MIRROR_FAILED] = "failed",
		[MIRROR_INTERRUPTED] = "interrupted",
		[MIRROR_DROPPING] = "dropping",
		[MIRROR_CUT_OVER] = "cut over",
	};
	return names[s];
}

static size_t count_failed(const struct mirror_entry *r)
{
	size_t n = 0;
	for (size_t i = 0; i < r->object_count; i++)
		n += r->objects[i].state == OBJECT_FAILED;
	return n;
}

/* Rows come first: what of the schema failed is told when they are there. */
static void next_of_rows(const struct mirror_entry *r, enum mirror_state s, char *out, size_t size)
{
	size_t failed = count_failed(r);
	if (failed > 0)
		snprintf(out, size, "%zu object%s of the schema failed: mend the cause, then press r or run it again", failed,
			failed == 1 ? "" : "s");
	else
		copy_text(out, size,
			s == MIRROR_DONE ? "the target has everything; drop the mirror to remove pgpier's own schema there" : "");
}

/* The next step a person could take, where the engine knows no better one. */
static void next_step(const struct mirror_entry *r, enum mirror_state s, char *out, size_t size)
{
	const struct mirror_config *c = &r->config;
	switch (s) {
	case MIRROR_NEW:
		snprintf(out, size, "run it: p in the console, or pgpier run %s", c->name);
		break;
	case MIRROR_PAUSED:
	case MIRROR_INTERRUPTED:
		snprintf(out, size, "go on: p in the console, or pgpier run %s%s", c->name,
			c->continuous ? "; meanwhile its slot keeps WAL on the source" : "");
		break;
	case MIRROR_FAILED:
		copy_text(out, size, "mend the cause, then press r or run it again: what is done stays done");
		break;
	case MIRROR_DONE:
	case MIRROR_CATCHING_UP:
	case MIRROR_REPLICATING:
		next_of_rows(r, s, out, size);
		break;
	default:
		out[0] = '\0';
	}
}

void model_mirror_state(struct model *m, const char *mirror, enum mirror_state state, const char *next)
{
	model_lock(m);
	struct mirror_entry *r = mirror_find(m, mirror);
	if (r) {
		r->view.state = state;
		if (next)
			copy_text(r->view.next, sizeof(r->view.next), next);
		else
			next_step(r, state, r->view.next, sizeof(r->view.next));
	}
	model_unlock_changed(m);
}

enum mirror_state model_mirror_state_get(struct model *m, const char *mirror)
{
	model_lock(m);
	const struct mirror_entry *r = mirror_find(m, mirror);
	enum mirror_state s = r ? r->view.state : MIRROR_NEW;
	model_unlock(m);
	return s;
}

void model_mirror_error(struct model *m, const char *mirror, const struct error *e)
{
	model_lock(m);
	struct mirror_entry *r = mirror_find(m, mirror);
	if (r)
		r->view.error = e ? *e : (struct error){ 0 };
	model_unlock_changed(m);
}

void model_mirror_times(struct model *m, const char *mirror, int64_t started_at, int64_t ended_at)
{
	model_lock(m);
	struct mirror_entry *r = mirror_find(m, mirror);
	if (r) {
		r->view.started_at = started_at;
		r->view.ended_at = ended_at;
	}
	model_unlock_changed(m);
}

void model_mirror_moments(struct model *m, const char *mirror, int snapshots, const char *text)
{
	model_lock(m);
	struct mirror_entry *r = mirror_find(m, mirror);
	if (r) {
		r->view.snapshots = snapshots;
		copy_text(r->view.moments, sizeof(r->view.moments), text);
	}
	model_unlock_changed(m);
}

void model_mirror_tuning(struct model *m, const char *mirror, int workers, int tables_in_parallel,
	int rate_limit_mb)
{
	model_lock(m);
	struct mirror_entry *r = mirror_find(m, mirror);
	if (r) {
		r->view.workers = workers;
		r->view.tables_in_parallel = tables_in_parallel;
		r->view.rate_limit_mb = rate_limit_mb;
	}
	model_unlock_changed(m);
}

/* Folds in what is always moving. */
static struct mirror_view view_of(const struct mirror_entry *r)
{
	struct mirror_view v = r->view;
	load_sum(r, &v.load);
	v.workers_busy = 0;
	for (int i = 0; i < MOST_WORKERS; i++)
		v.workers_busy += r->workers[i].doing[0] != '\0';
	v.objects_failed = objects_failed(r);
	v.objects_kept_back = objects_kept_back(r);
	if (v.state == MIRROR_DONE && v.objects_failed > 0)
		copy_text(v.next, sizeof(v.next), "mend what objects of the schema failed for, then press r or run it again");
	v.continuous = r->config.continuous;
	copy_text(v.reverse_of, sizeof(v.reverse_of), r->config.reverse_of ? r->config.reverse_of : "");
	v.lag_s = r->replication && r->replication->view.running ? r->replication->view.lag_s : -1;
	v.changes_per_s = r->replication ? r->replication->view.changes_per_s : 0;
	if (r->running)
		v.elapsed_s = (double)(clock_us() - r->run_started_us) / 1e6;
	return v;
}

size_t model_mirrors(struct model *m, struct mirror_view **out)
{
	model_lock(m);
	size_t n = m->mirror_count;
	*out = xmalloc(n * sizeof(**out));
	for (size_t i = 0; i < n; i++)
		(*out)[i] = view_of(m->mirrors[i]);
	model_unlock(m);
	return n;
}

bool model_mirror(struct model *m, const char *name, struct mirror_view *out)
{
	model_lock(m);
	const struct mirror_entry *r = mirror_find(m, name);
	if (r)
		*out = view_of(r);
	model_unlock(m);
	return r != NULL;
}

bool model_mirror_config(struct model *m, const char *name, struct mirror_config *out)
{
	model_lock(m);
	const struct mirror_entry *r = mirror_find(m, name);
	if (r)
		mirror_config_copy(out, &r->config);
	model_unlock(m);
	return r != NULL;
}
