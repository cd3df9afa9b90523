// SPDX-License-Identifier: PostgreSQL
#include "verified.h"

#include <string.h>

#include <pgpier/format.h>

#include "listing.h"
#include "text.h"

/* ---- text: rows ---- */

void verified_value(struct strbuf *b, const struct verify_value *v)
{
	char clean[4 * VERIFY_SHOWN_BYTES];
	if (!v->text) {
		strbuf_add(b, "NULL");
		return;
	}
	strbuf_addf(b, "\"%s\"", format_sanitized(v->text, clean, sizeof(clean)));
	if (v->bytes > (int64_t)strlen(v->text))
		strbuf_addf(b, "... (%lld bytes)", (long long)v->bytes);
}

static void print_value(const struct verify_value *v, FILE *out)
{
	struct strbuf b = STRBUF_INIT;
	verified_value(&b, v);
	fputs(b.text, out);
	strbuf_free(&b);
}

const char *verified_kind(const struct verify_row *r)
{
	return r->source && r->target ? "changed" : r->source ? "missing on the target" : "only on the target";
}

static void print_name(const char *name, int width, bool marked, FILE *out)
{
	char padded[TEXT_SIZE];
	text_pad(padded, sizeof(padded), name, width, ALIGN_LEFT, "");
	fprintf(out, "    %c %s  ", marked ? '*' : ' ', padded);
}

/* Equal values once, others below each other. */
static void print_column(const struct verify_table *t, const struct verify_row *r, size_t c, int width, FILE *out)
{
	bool both = r->source && r->target && r->differs[c];
	print_name(t->columns.items[c], width, both, out);
	if (both)
		fputs("source ", out);
	print_value(r->source ? &r->source[c] : &r->target[c], out);
	fputc('\n', out);
	if (!both)
		return;
	print_name("", width, false, out);
	fputs("target ", out);
	print_value(&r->target[c], out);
	fputc('\n', out);
}

static void print_row(const struct verify_table *t, const struct verify_row *r, int width, FILE *out)
{
	fprintf(out, "  %s", verified_kind(r));
	if (r->times > 1)
		fprintf(out, ", %lld times", (long long)r->times);
	if (r->source_place)
		fprintf(out, ", source %s", r->source_place);
	if (r->target_place)
		fprintf(out, ", target %s", r->target_place);
	fputc('\n', out);
	for (size_t c = 0; c < t->columns.count; c++)
		print_column(t, r, c, width, out);
}

static int widest_column(const struct verify_table *t)
{
	int width = 0;
	for (size_t c = 0; c < t->columns.count; c++)
		width = MAX(width, text_width(t->columns.items[c]));
	return width;
}

void verified_print_row(const struct verify_table *t, const struct verify_row *r, FILE *out)
{
	print_row(t, r, widest_column(t), out);
}

/* ---- text: tables ---- */

static bool is_dull(const struct verify_table *t)
{
	return t->verdict == VERIFY_EQUAL && !t->why && t->unverified.count == 0;
}

static void print_table(const struct verify_table *t, size_t most, FILE *out)
{
	int width = widest_column(t);
	if (is_dull(t))
		return;
	fputc('\n', out);
	text_print(out, t->source);
	fprintf(out, ": %s", verify_verdict_name(t->verdict));
	if (t->changed + t->missing + t->extra > 0)
		fprintf(out, "; %s%lld rows changed, %lld missing on the target, %lld only there", t->more ? "at least " : "",
			(long long)t->changed, (long long)t->missing, (long long)t->extra);
	if (t->why) {
		fputs("; ", out);
		text_print(out, t->why);
	}
	fputc('\n', out);
	for (size_t i = 0; i < t->unverified.count; i++) {
		fputs("  not compared: ", out);
		text_print(out, t->unverified.items[i]);
		fputc('\n', out);
	}
	for (size_t i = 0; i < MIN(t->row_count, most); i++)
		print_row(t, &t->rows[i], width, out);
	if (t->row_count > most)
		fprintf(out, "  and %zu rows more: --json or --report has them\n", t->row_count - most);
	if (t->deleted + t->inserted > 0)
		fprintf(out, "  repaired: %lld rows deleted, %lld inserted\n", (long long)t->deleted, (long long)t->inserted);
	if (t->repair_error) {
		fputs("  not repaired: ", out);
		text_print(out, t->repair_error);
		fputc('\n', out);
	}
}

static void add_count(struct listing *l, int64_t n)
{
	char text[FORMAT_SIZE] = "";
	if (n >= 0)
		snprintf(text, sizeof(text), "%lld", (long long)n);
	listing_add(l, text);
}

static void add_bytes(struct listing *l, int64_t n)
{
	char text[FORMAT_SIZE] = "";
	listing_add(l, n >= 0 ? format_bytes(n, text) : text);
}

static void list_tables(const struct verification *v, FILE *out)
{
	bool sample = v->level == VERIFY_SAMPLE;
	struct listing l = { .titles = sample ? "TABLE LOOKED-UP> TIME> VERDICT"
										 : "TABLE SOURCE-ROWS> TARGET-ROWS> SOURCE-SIZE> TARGET-SIZE> TIME> VERDICT" };
	char took[FORMAT_SIZE];
	for (size_t i = 0; i < v->table_count; i++) {
		const struct verify_table *t = &v->tables[i];
		listing_add(&l, t->source);
		if (sample) {
			add_count(&l, t->looked_at);
		} else {
			add_count(&l, t->source_rows);
			add_count(&l, t->target_rows);
			add_bytes(&l, t->source_bytes);
			add_bytes(&l, t->target_bytes);
		}
		listing_add(&l, format_duration(t->took_s, took));
		listing_add(&l, verify_verdict_name(t->verdict));
	}
	listing_print(&l, out);
}

/* ---- text: the rest ---- */

static void print_sequence(const struct verify_sequence *s, FILE *out)
{
	if (s->verdict == VERIFY_EQUAL && !s->note)
		return;
	fputs("sequence ", out);
	text_print(out, s->source);
	fprintf(out, ": %s; source %lld%s", verify_verdict_name(s->verdict), (long long)s->source_value,
		s->source_called ? "" : " (not given yet)");
	if (s->target)
		fprintf(out, ", target %lld%s", (long long)s->target_value, s->target_called ? "" : " (not given yet)");
	fprintf(out, "; %s\n", s->note);
}

static void print_moment(const char *side, const struct verify_moment *m, FILE *out)
{
	char at[FORMAT_SIZE];
	fprintf(out, "%s ", side);
	text_print(out, m->peer);
	fprintf(out, ", PostgreSQL %s, as of %s, WAL %s\n", m->version, format_time(m->taken_at, at),
		m->lsn[0] ? m->lsn : "-");
}

static void print_summary(const struct verification *v, FILE *out)
{
	char rows[FORMAT_SIZE], bytes[FORMAT_SIZE], took[FORMAT_SIZE], rate[FORMAT_SIZE];
	double seconds = (double)(v->ended_at - v->started_at) / 1e6;
	fprintf(out, "\n%s: %zu equal, %zu differ, %zu not verified; %s rows, %s in %s (%s)\n",
		verify_verdict_name(v->verdict), v->equal, v->differing, v->unsure, format_count(v->rows, rows),
		format_bytes(v->bytes, bytes), format_duration(seconds, took),
		format_rate(seconds > 0 ? (double)v->bytes / seconds : 0, rate));
}

void verified_print(const struct verification *v, size_t most_rows, FILE *out)
{
	char at[FORMAT_SIZE];
	fprintf(out, "mirror %s, verified %s by %s: %s\n", v->mirror, format_time(v->started_at, at),
		verify_level_names[v->level], v->how);
	print_moment("source", &v->source, out);
	print_moment("target", &v->target, out);
	if (v->exact)
		fprintf(out, "both at the same commit, %s", v->source.lsn);
	if (v->exact && v->tries > 0)
		fprintf(out, "; replication was held for %.0f ms, %d tr%s", v->stopped_s * 1e3, v->tries,
			v->tries == 1 ? "y" : "ies");
	if (v->exact)
		fputc('\n', out);
	fputc('\n', out);
	list_tables(v, out);
	for (size_t i = 0; i < v->table_count; i++)
		print_table(&v->tables[i], most_rows, out);
	for (size_t i = 0; i < v->sequence_count; i++)
		print_sequence(&v->sequences[i], out);
	for (size_t i = 0; i < v->notes.count; i++) {
		fputs("note: ", out);
		text_print(out, v->notes.items[i]);
		fputc('\n', out);
	}
	print_summary(v, out);
	if (v->after) {
		fputs("\nonce more, after the repair:\n", out);
		verified_print(v->after, most_rows, out);
	}
}

/* ---- JSON ---- */

static void known_int(struct json *j, const char *key, int64_t n)
{
	if (n < 0)
		json_null(j, key);
	else
		json_int(j, key, n);
}

static void strings(struct json *j, const char *key, const struct strings *l)
{
	json_array(j, key);
	for (size_t i = 0; i < l->count; i++)
		json_text(j, NULL, l->items[i]);
	json_end_array(j);
}

/* Absent for a side that has no such row, null for SQL's NULL. */
static void shape_value(struct json *j, const char *side, const char *bytes, const struct verify_value *row, size_t c)
{
	if (!row)
		return;
	json_text(j, side, row[c].text);
	if (row[c].text)
		json_int(j, bytes, row[c].bytes);
	else
		json_null(j, bytes);
}

static void shape_row(struct json *j, const struct verify_table *t, const struct verify_row *r)
{
	json_object(j, NULL);
	json_text(j, "kind", r->source && r->target ? "changed" : r->source ? "missing" : "extra");
	json_int(j, "times", r->times);
	json_text(j, "source_place", r->source_place);
	json_text(j, "target_place", r->target_place);
	json_array(j, "columns");
	for (size_t c = 0; c < t->columns.count; c++) {
		json_object(j, NULL);
		json_text(j, "name", t->columns.items[c]);
		json_bool(j, "key", t->key[c]);
		json_bool(j, "differs", r->differs && r->differs[c]);
		shape_value(j, "source", "source_bytes", r->source, c);
		shape_value(j, "target", "target_bytes", r->target, c);
		json_end_object(j);
	}
	json_end_array(j);
	json_end_object(j);
}

static void shape_repair(struct json *j, const struct verify_table *t)
{
	json_int(j, "deleted", t->deleted);
	json_int(j, "inserted", t->inserted);
	json_text(j, "repair_error", t->repair_error);
}

static void shape_table(struct json *j, const struct verify_table *t, bool sample)
{
	json_object(j, NULL);
	json_text(j, "source", t->source);
	json_text(j, "target", t->target);
	json_text(j, "level", verify_level_names[t->level]);
	json_text(j, "verdict", verify_verdict_name(t->verdict));
	json_text(j, "why", t->why);
	known_int(j, "source_rows", t->source_rows);
	known_int(j, "target_rows", t->target_rows);
	known_int(j, "source_bytes", t->source_bytes);
	known_int(j, "target_bytes", t->target_bytes);
	known_int(j, "looked_up", sample ? t->looked_at : -1);
	json_number(j, "elapsed_s", t->took_s);
	strings(j, "not_compared", &t->unverified);
	json_int(j, "changed", t->changed);
	json_int(j, "missing", t->missing);
	json_int(j, "extra", t->extra);
	json_bool(j, "more", t->more);
	json_array(j, "rows");
	for (size_t i = 0; i < t->row_count; i++)
		shape_row(j, t, &t->rows[i]);
	json_end_array(j);
	shape_repair(j, t);
	json_end_object(j);
}

static void shape_sequence(struct json *j, const struct verify_sequence *s)
{
	json_object(j, NULL);
	json_text(j, "source", s->source);
	json_text(j, "target", s->target);
	json_text(j, "verdict", verify_verdict_name(s->verdict));
	json_int(j, "source_value", s->source_value);
	json_bool(j, "source_called", s->source_called);
	if (s->target) {
		json_int(j, "target_value", s->target_value);
		json_bool(j, "target_called", s->target_called);
	}
	json_text(j, "note", s->note);
	json_end_object(j);
}

static void shape_moment(struct json *j, const char *key, const struct verify_moment *m)
{
	json_object(j, key);
	json_text(j, "peer", m->peer);
	json_text(j, "version", m->version);
	json_text(j, "lsn", m->lsn[0] ? m->lsn : NULL);
	json_time(j, "as_of", m->taken_at);
	json_end_object(j);
}

static void shape_members(struct json *j, const struct verification *v)
{
	json_text(j, "mirror", v->mirror);
	if (v->only)
		json_text(j, "only", v->only);
	json_text(j, "level", verify_level_names[v->level]);
	json_text(j, "verdict", verify_verdict_name(v->verdict));
	json_text(j, "how", v->how);
	json_time(j, "started", v->started_at);
	json_time(j, "ended", v->ended_at);
	json_number(j, "elapsed_s", (double)(v->ended_at - v->started_at) / 1e6);
	shape_moment(j, "source", &v->source);
	shape_moment(j, "target", &v->target);
	json_bool(j, "exact", v->exact);
	json_text(j, "position", v->exact ? v->source.lsn : NULL);
	json_number(j, "stopped_s", v->stopped_s);
	json_int(j, "tries", v->tries);
	json_int(j, "equal", (int64_t)v->equal);
	json_int(j, "differing", (int64_t)v->differing);
	json_int(j, "not_verified", (int64_t)v->unsure);
	json_int(j, "rows", v->rows);
	json_int(j, "bytes", v->bytes);
	strings(j, "notes", &v->notes);
	json_array(j, "tables");
	for (size_t i = 0; i < v->table_count; i++)
		shape_table(j, &v->tables[i], v->level == VERIFY_SAMPLE);
	json_end_array(j);
	json_array(j, "sequences");
	for (size_t i = 0; i < v->sequence_count; i++)
		shape_sequence(j, &v->sequences[i]);
	json_end_array(j);
	if (v->after)
		verified_shape(j, "after", v->after);
}

void verified_shape(struct json *j, const char *key, const struct verification *v)
{
	json_object(j, key);
	shape_members(j, v);
	json_end_object(j);
}

/* ---- to a file ---- */

static void report_json(const struct verification *v, const struct verification *const *later, size_t later_count,
	FILE *out)
{
	struct json j = JSON_INIT;
	json_object(&j, NULL);
	shape_members(&j, v);
	if (later_count > 0) {
		json_array(&j, "later");
		for (size_t i = 0; i < later_count; i++)
			verified_shape(&j, NULL, later[i]);
		json_end_array(&j);
	}
	json_end_object(&j);
	fprintf(out, "%s\n", j.out.text);
	json_free(&j);
}

void verified_report(const struct verification *v, const struct verification *const *later, size_t later_count,
	const char *path, FILE *out)
{
	size_t length = strlen(path);
	if (length > 5 && strcmp(path + length - 5, ".json") == 0) {
		report_json(v, later, later_count, out);
		return;
	}
	verified_print(v, VERIFY_SHOWN_ROWS, out);
	for (size_t i = 0; i < later_count; i++) {
		fprintf(out, "\nlater, of one table: ");
		text_print(out, later[i]->only);
		fputs("\n\n", out);
		verified_print(later[i], VERIFY_SHOWN_ROWS, out);
	}
}
