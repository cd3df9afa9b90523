// SPDX-License-Identifier: PostgreSQL
/* status: where mirrors stand, read from their targets, so that it is the truth whoever runs them.
 */
#include <stdlib.h>

#include <pgpier/format.h>

#include "../listing.h"
#include "../text.h"
#include "ask.h"
#include "cli_engine.h"
#include "cutover_report.h"
#include "report.h"
#include "session.h"
#include "tables.h"

#define OVERVIEW "NAME SOURCE TARGET STATE PROGRESS> TABLES> ROWS> BYTES> STARTED"

static void list_mirror(struct listing *l, const struct mirror_view *m)
{
	char text[FORMAT_SIZE];
	listing_add(l, m->name);
	listing_add(l, m->source);
	listing_add(l, m->target);
	listing_add(l, mirror_state_name(m->state));
	snprintf(text, sizeof(text), "%d %%", (int)(m->load.fraction * 100));
	listing_add(l, m->load.tables > 0 ? text : "");
	snprintf(text, sizeof(text), "%zu/%zu", m->load.tables_done, m->load.tables);
	listing_add(l, m->load.tables > 0 ? text : "");
	listing_add(l, format_count(m->load.rows, text));
	listing_add(l, format_bytes(m->load.bytes, text));
	listing_add(l, m->started_at > 0 ? format_time(m->started_at, text) : "");
}

static void list_table(struct listing *l, const struct table_view *t)
{
	char text[FORMAT_SIZE];
	listing_add(l, t->source);
	listing_add(l, t->target);
	listing_add(l, table_state_name(t->state));
	snprintf(text, sizeof(text), "%zu/%zu", t->chunks_done, t->chunks);
	listing_add(l, text);
	listing_add(l, format_count(t->rows, text));
	listing_add(l, format_bytes(t->bytes, text));
	listing_add(l, t->elapsed_s > 0 ? format_duration(t->elapsed_s, text) : "");
}

static void print_line(const char *label, const char *text)
{
	if (text[0] == '\0')
		return;
	printf("%s", label);
	text_print(stdout, text);
	fputc('\n', stdout);
}

/* What is known from outside of the process that replicates: the target's position and the slot. */
static void print_stream(struct session *s, const struct mirror_view *m)
{
	struct replication_view r;
	char lag[FORMAT_SIZE], bytes[FORMAT_SIZE], text[256];
	if (!model_replication(s->model, m->name, &r))
		return;
	if (r.lag_bytes >= 0) {
		snprintf(text, sizeof(text), "%s%s%s", r.lag_s >= 0 ? format_lag(r.lag_s, lag) : "",
			r.lag_s >= 0 ? ", " : "", format_bytes(r.lag_bytes, bytes));
		print_line("lag:   ", text);
	}
	snprintf(text, sizeof(text), "%s keeps %s of WAL%s%s", r.slot,
		r.retained_bytes < 0 ? "an unknown amount" : format_bytes(r.retained_bytes, bytes),
		r.wal_status[0] ? ", " : "", r.wal_status);
	print_line("slot:  ", r.slot[0] != '\0' ? text : "");
}

/* One line for each object that failed, or is blocked by one that did. */
static void print_objects(struct session *s, const char *mirror)
{
	struct object_view v;
	size_t *indexes, n = model_objects(s->model, mirror, 1u << OBJECT_FAILED | 1u << OBJECT_BLOCKED, &indexes);
	if (n > 0)
		fputc('\n', stdout);
	for (size_t i = 0; i < n; i++) {
		if (model_object_rows(s->model, mirror, &indexes[i], 1, &v) != 1)
			continue;
		printf("%s %s ", object_state_name(v.state), v.kind);
		text_print(stdout, v.name);
		print_line(": ", v.why);
	}
	free(indexes);
}

static void print_schema(struct session *s, const char *mirror)
{
	size_t counts[OBJECT_STATE_COUNT];
	struct strbuf text = STRBUF_INIT;
	if (model_object_counts(s->model, mirror, counts) == 0)
		return;
	for (int state = 0; state < OBJECT_STATE_COUNT; state++)
		if (counts[state] > 0)
			strbuf_addf(&text, "%s%zu %s", text.len ? ", " : "", counts[state], object_state_name((enum object_state)state));
	print_line("schema: ", text.text);
	strbuf_free(&text);
}

static void print_cutover(struct session *s, const struct mirror_view *m)
{
	struct cutover_view v;
	model_cutover(s->model, m->name, &v);
	cutover_print_status(m, &v, stdout);
	cutover_view_free(&v);
}

static void print_mirror(struct session *s, const struct mirror_view *m)
{
	const struct table_view *t;
	struct tables all = { .model = s->model, .mirror = m->name };
	struct listing head = { .titles = OVERVIEW };
	struct listing l = { .titles = "TABLE TARGET STATE CHUNKS> ROWS> BYTES> TOOK>" };
	list_mirror(&head, m);
	listing_print(&head, stdout);
	print_line("rows:  ", m->moments);
	print_stream(s, m);
	print_schema(s, m->name);
	print_cutover(s, m);
	print_line("error: ", m->error.class != ERROR_NONE ? m->error.text : "");
	print_line("next:  ", m->next);
	if (m->load.tables == 0)
		return;
	fputc('\n', stdout);
	while ((t = tables_next(&all)))
		list_table(&l, t);
	listing_print(&l, stdout);
	all = (struct tables){ .model = s->model, .mirror = m->name };
	while ((t = tables_next(&all))) {
		if (t->error.class == ERROR_NONE)
			continue;
		text_print(stdout, t->source);
		print_line(": ", t->error.text);
	}
	print_objects(s, m->name);
}

static enum exit_code ask_targets(
	struct session *s, const struct mirror_view *mirrors, size_t count)
{
	enum exit_code code = EXIT_DONE;
	for (size_t i = 0; i < count && code == EXIT_DONE; i++)
		code = ask_passwords(s, (const char *[]){ mirrors[i].target }, 1);
	return code;
}

/* Asks every target at once; one that does not answer leaves its mirror with that error. */
static enum exit_code refresh(struct session *s, struct mirror_view *mirrors, size_t count)
{
	struct pending *all = xcalloc(count, sizeof(*all));
	enum exit_code code = EXIT_DONE;
	for (size_t i = 0; i < count; i++) {
		struct command c = { .kind = COMMAND_MIRROR_REFRESH };
		copy_text(c.name, sizeof(c.name), mirrors[i].name);
		all[i] = session_submit(s, &c);
	}
	if (!session_finish(s, all, count))
		code = EXIT_INTERRUPTED;
	for (size_t i = 0; i < count && code != EXIT_INTERRUPTED; i++) {
		model_mirror(s->model, mirrors[i].name, &mirrors[i]);
		if (all[i].outcome.state != OUTCOME_FAILED)
			continue;
		mirrors[i].error = all[i].outcome.error;
		report_error(&mirrors[i].error, false);
		code = EXIT_FAILED;
	}
	free(all);
	return code;
}

static void print_json(struct session *s, const struct mirror_view *mirrors, size_t count, bool single,
	const struct wire_status *engine)
{
	struct json j = JSON_INIT;
	if (!single) {
		json_object(&j, NULL);
		shape_engine(&j, engine);
		json_array(&j, "mirrors");
	}
	for (size_t i = 0; i < count; i++)
		tables_shape(&j, s->model, &mirrors[i]);
	if (!single) {
		json_end_array(&j);
		json_end_object(&j);
	}
	report_json(&j);
}

static enum exit_code show(struct session *s, struct mirror_view *mirrors, size_t count, bool single,
	const struct wire_status *engine)
{
	struct listing l = { .titles = OVERVIEW };
	enum exit_code code = ask_targets(s, mirrors, count);
	if (code != EXIT_DONE)
		return code;
	code = refresh(s, mirrors, count);
	if (code == EXIT_INTERRUPTED)
		return code;
	if (s->json) {
		print_json(s, mirrors, count, single, engine);
		return code;
	}
	engine_print_status(engine);
	if (single) {
		print_mirror(s, &mirrors[0]);
		return code;
	}
	for (size_t i = 0; i < count; i++)
		list_mirror(&l, &mirrors[i]);
	listing_print(&l, stdout);
	return code;
}

enum exit_code verb_status(struct session *s, const struct args *a)
{
	struct wire_status engine;
	engine_status(a, &engine);
	if (a->name) {
		struct mirror_view one;
		return session_mirror(s, a->name, &one) ? show(s, &one, 1, true, &engine) : EXIT_USAGE;
	}
	struct mirror_view *mirrors = NULL;
	size_t count = model_mirrors(s->model, &mirrors);
	enum exit_code code = show(s, mirrors, count, false, &engine);
	free(mirrors);
	return code;
}
