// SPDX-License-Identifier: PostgreSQL
/* How a verification reads: the lines above the list, and one of its lines in full. */
#include "panes/verify.h"

#include "widgets/bars.h"

#include <pgpier/format.h>

#include <stdio.h>
#include <string.h>

/* ---- how it reads ---- */

static const struct {
	enum glyph glyph;
	enum role role;
	const char *name;
} looks[LOOK_COUNT] = {
	[LOOK_DIFFERS] = { GLYPH_TROUBLE, ROLE_ERROR, "differs" },
	[LOOK_UNSURE] = { GLYPH_TROUBLE, ROLE_WARN, "not verified" },
	[LOOK_LOCATING] = { GLYPH_ACTIVE, ROLE_WARN, "locating" },
	[LOOK_COMPARING] = { GLYPH_ACTIVE, ROLE_PROGRESS, "comparing" },
	[LOOK_WAITING] = { GLYPH_IDLE, ROLE_DIM, "waiting" },
	[LOOK_EQUAL] = { GLYPH_DONE, ROLE_OK, "equal" },
};

enum role verify_look_role(enum verify_look look)
{
	return looks[look].role;
}

const char *verify_look_text(const struct ui *u, enum verify_look look, char *buf, size_t size)
{
	snprintf(buf, size, "%s %s", theme_glyph(u->theme, looks[look].glyph), looks[look].name);
	return buf;
}

const char *verify_rows_text(const struct verify_table *t, char *buf, size_t size)
{
	const struct {
		int64_t n;
		const char *what;
	} parts[] = { { t->changed, "changed" }, { t->missing, "missing on the target" }, { t->extra, "only there" } };
	size_t used = 0;
	buf[0] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		if (parts[i].n == 0)
			continue;
		int n = snprintf(buf + used, size - used, "%s%lld%s %s", used ? ", " : t->more ? "at least " : "",
			(long long)parts[i].n, used ? "" : parts[i].n == 1 ? " row" : " rows", parts[i].what);
		used = MIN(used + (size_t)n, size - 1);
	}
	return buf;
}

static void add_rows(struct facts *f, const struct verify_table *t, const struct verification *run)
{
	char bytes[2][FORMAT_SIZE];
	if (run->level == VERIFY_SAMPLE)
		facts_add(f, "looked up", ROLE_TEXT, "%lld rows", (long long)t->looked_at);
	if (t->source_rows >= 0 && t->target_rows >= 0)
		facts_add(f, "rows", t->source_rows == t->target_rows ? ROLE_TEXT : ROLE_ERROR, "%lld and %lld",
			(long long)t->source_rows, (long long)t->target_rows);
	if (t->source_bytes >= 0 && t->target_bytes >= 0)
		facts_add(f, "size", ROLE_TEXT, "%s and %s", format_bytes(t->source_bytes, bytes[0]),
			format_bytes(t->target_bytes, bytes[1]));
}

static void table_facts_of(struct facts *f, const struct verify_table *t, const struct verify_table *repaired,
	const struct verification *run)
{
	char text[160], took[FORMAT_SIZE];
	enum verify_look look = verify_look_of(t->verdict);
	facts_add(f, "verdict", looks[look].role, "%s", looks[look].name);
	if (t->why)
		facts_add(f, "why", looks[look].role, "%s", t->why);
	if (verify_rows_text(t, text, sizeof(text))[0] != '\0')
		facts_add(f, "differing", ROLE_ERROR, "%s", text);
	for (size_t i = 0; i < MIN(t->unverified.count, 8); i++)
		facts_add(f, "not compared", ROLE_WARN, "%s", t->unverified.items[i]);
	add_rows(f, t, run);
	facts_add(f, "took", ROLE_TEXT, "%s", format_duration(t->took_s, took));
	if (repaired && repaired->repair_error)
		facts_add(f, "not repaired", ROLE_ERROR, "%s", repaired->repair_error);
	else if (repaired)
		facts_add(f, "repaired", ROLE_OK, "%lld rows deleted, %lld copied anew", (long long)repaired->deleted,
			(long long)repaired->inserted);
}

static void add_moments(struct facts *f, const struct verification *v)
{
	const struct verify_moment *moments[] = { &v->source, &v->target };
	char at[FORMAT_SIZE];
	for (int side = 0; side < 2; side++)
		facts_add(f, side ? "target as of" : "source as of", ROLE_DIM, "%s, WAL %s",
			format_time(moments[side]->taken_at, at), moments[side]->lsn[0] ? moments[side]->lsn : "-");
	if (v->exact)
		facts_add(f, NULL, ROLE_DIM, "Both are the same commit; replication was held for %.2f s.", v->stopped_s);
	facts_add(f, "how", ROLE_DIM, "%s", v->how);
}

static void sequence_facts(struct facts *f, const struct verify_sequence *s)
{
	const int64_t values[] = { s->source_value, s->target_value };
	const bool called[] = { s->source_called, s->target_called };
	for (int side = 0; side < (s->target ? 2 : 1); side++)
		facts_add(f, side ? "target" : "source", ROLE_TEXT, "%lld%s", (long long)values[side],
			called[side] ? "" : ", not given yet");
	if (s->note)
		facts_add(f, "note", s->verdict == VERIFY_EQUAL ? ROLE_TEXT : ROLE_ERROR, "%s", s->note);
}

void verify_line_facts(struct facts *f, const struct ui *u, const struct verify_line *l)
{
	char state[32];
	facts_add(f, l->kind == LINE_TABLE ? "table" : l->kind == LINE_SEQUENCE ? "sequence" : "note", ROLE_TITLE, "%s",
		l->name);
	if (l->kind == LINE_NOTE)
		return;
	if (l->table && strcmp(l->table->source, l->table->target) != 0)
		facts_add(f, "target", ROLE_TEXT, "%s", l->table->target);
	if (l->table)
		table_facts_of(f, l->table, l->repaired, l->run);
	else
		facts_add(f, "state", verify_look_role(l->look), "%s", verify_look_text(u, l->look, state, sizeof(state)));
	if (l->sequence)
		sequence_facts(f, l->sequence);
	if (l->run) {
		facts_gap(f);
		add_moments(f, l->run);
	}
}

void verify_line_brief(struct facts *f, const struct verify_line *l)
{
	char text[160];
	const struct verify_table *t = l->table;
	if (l->kind == LINE_NOTE)
		facts_add(f, NULL, ROLE_TEXT, "%s", l->name);
	if (l->sequence && l->sequence->note)
		facts_add(f, NULL, verify_look_role(l->look), "%s", l->sequence->note);
	if (!t)
		return;
	if (verify_rows_text(t, text, sizeof(text))[0] != '\0')
		facts_add(f, NULL, ROLE_ERROR, "%s%s", text, t->row_count > 0 ? "; enter shows them, r repairs" : "");
	if (t->why)
		facts_add(f, NULL, ROLE_WARN, "%s", t->why);
	for (size_t i = 0; i < MIN(t->unverified.count, 3); i++)
		facts_add(f, NULL, ROLE_WARN, "%s", t->unverified.items[i]);
	if (l->repaired && l->repaired->repair_error)
		facts_add(f, NULL, ROLE_ERROR, "not repaired: %s", l->repaired->repair_error);
	else if (l->repaired)
		facts_add(f, NULL, ROLE_OK, "repaired: %lld rows deleted, %lld copied anew", (long long)l->repaired->deleted,
			(long long)l->repaired->inserted);
}

/* ---- the two lines above ---- */

static double elapsed_s(const struct verify_view *v)
{
	return (double)(wall_us() - v->started_at) / 1e6;
}

static void render_running(const struct verify_view *v, const struct ui *u, const struct canvas *c)
{
	char percent[16], text[64], took[FORMAT_SIZE], rate[FORMAT_SIZE], eta[FORMAT_SIZE];
	int cells = MIN(MAX(c->cols * 2 / 5, 16), 80);
	progress_render(c, 0, 1, cells, v->fraction);
	int x = canvas_addf(c, 0, cells + 2, ROLE_TITLE, "%s", percent_text(v->fraction, percent, sizeof(percent)));
	done_of_total_bytes(v->bytes, v->bytes_total, false, text, sizeof(text));
	x = canvas_addf(c, 0, x + 2, ROLE_TEXT, "%s  %s", text, format_rate(v->rate, rate));
	if (v->rate > 0 && v->bytes_total > v->bytes)
		canvas_addf(c, 0, x + 2, ROLE_TEXT, "%s", format_eta((double)(v->bytes_total - v->bytes) / v->rate, eta));
	x = canvas_addf(c, 1, 1, ROLE_PROGRESS, "%s %s %s, %s", theme_spinner(u->theme, u->now),
		v->repair ? "repairing" : "verifying", v->table[0] ? v->table : verify_level_names[v->level],
		format_duration(elapsed_s(v), took));
	x = canvas_addf(c, 1, x + 2, ROLE_TEXT, "%zu/%zu tables", v->tables_done, v->tables);
	if (v->differing > 0)
		x = canvas_addf(c, 1, x + 2, ROLE_ERROR, "%zu differ%s", v->differing, v->differing == 1 ? "s" : "");
	if (v->unsure > 0)
		x = canvas_addf(c, 1, x + 2, ROLE_WARN, "%zu not verified", v->unsure);
	canvas_add(c, 1, x + 2, ROLE_DIM, v->doing);
}

static void render_verdict(const struct verify_lines *l, const struct verification *v, const struct canvas *c)
{
	const struct theme *t = c->theme;
	char age[FORMAT_SIZE];
	size_t all = l->tables + l->sequences;
	int x;
	if (l->counts[LOOK_DIFFERS] > 0)
		x = canvas_addf(c, 0, 1, ROLE_ERROR, "%s %zu of %zu differ%s", theme_glyph(t, GLYPH_TROUBLE),
			l->counts[LOOK_DIFFERS], all, l->counts[LOOK_DIFFERS] == 1 ? "s" : "");
	else if (l->counts[LOOK_UNSURE] > 0 || l->tables == 0 || v->verdict == VERIFY_UNSURE)
		x = canvas_addf(c, 0, 1, ROLE_WARN, "%s nothing is known to differ, and not all is verified",
			theme_glyph(t, GLYPH_TROUBLE));
	else
		x = canvas_addf(c, 0, 1, ROLE_OK, "%s all of %zu table%s%s equal", theme_glyph(t, GLYPH_DONE), l->tables,
			l->tables == 1 ? "" : "s", l->sequences > 0 ? " and their sequences are" : l->tables == 1 ? " is" : " are");
	if (l->counts[LOOK_UNSURE] > 0)
		x = canvas_addf(c, 0, x + 2, ROLE_WARN, "%zu not verified", l->counts[LOOK_UNSURE]);
	canvas_addf(c, 0, x + 2, ROLE_DIM, "by %s, %s ago%s", verify_level_names[v->level],
		format_duration((double)(wall_us() - v->ended_at) / 1e6, age),
		l->later_count > 0 ? "; later again in parts" : "");
}

static void render_figures(const struct verification *v, const struct canvas *c)
{
	char rows[FORMAT_SIZE], bytes[FORMAT_SIZE], took[FORMAT_SIZE], rate[FORMAT_SIZE], at[FORMAT_SIZE];
	double seconds = (double)(v->ended_at - v->started_at) / 1e6;
	int x = canvas_addf(c, 1, 1, ROLE_TEXT, "%s rows, %s in %s, %s", format_count(v->rows, rows),
		format_bytes(v->bytes, bytes), format_duration(seconds, took),
		format_rate(seconds > 0 ? (double)v->bytes / seconds : 0, rate));
	x = canvas_addf(c, 1, x + 2, ROLE_DIM, "at %s, WAL %s %s %s", format_time(v->source.taken_at, at) + 11,
		v->source.lsn[0] ? v->source.lsn : "-", theme_glyph(c->theme, GLYPH_ARROW),
		v->target.lsn[0] ? v->target.lsn : "-");
	if (v->exact)
		canvas_addf(c, 1, x + 2, ROLE_DIM, "one commit, held %.2f s", v->stopped_s);
}

void verify_head_render(const struct verify_lines *l, const struct ui *u, const struct canvas *c)
{
	const struct verification *v = l->whole && l->whole->after ? l->whole->after : l->whole;
	bool failed = l->begun && l->view.error.class != ERROR_NONE;
	char line[1200];
	if (l->view.running) {
		render_running(&l->view, u, c);
		return;
	}
	if (v)
		render_verdict(l, v, c);
	if (failed && l->view.error.class == ERROR_CANCELLED)
		canvas_addf(c, 1, 1, ROLE_WARN, "the last one was stopped before its end");
	else if (failed)
		canvas_addf(c, 1, 1, ROLE_ERROR, "%s the last one failed: %s", theme_glyph(c->theme, GLYPH_TROUBLE),
			error_line(&l->view.error, line, sizeof(line)));
	else if (v)
		render_figures(v, c);
}
