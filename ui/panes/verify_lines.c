// SPDX-License-Identifier: PostgreSQL
#include "panes/verify.h"

#include <stdlib.h>
#include <string.h>

/* What a repair has left is what counts. */
static const struct verification *last_of(const struct verification *v)
{
	return v->after ? v->after : v;
}

/* ---- one table ---- */

static const struct verify_table *table_of(const struct verification *v, const char *name)
{
	for (size_t i = 0; v && i < v->table_count; i++)
		if (strcmp(v->tables[i].source, name) == 0)
			return &v->tables[i];
	return NULL;
}

static const struct verification *later_of(
	const struct verification *const *later, size_t n, const char *table)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(later[i]->only, table) == 0)
			return later[i];
	return NULL;
}

static const struct verify_table *repaired_of(const struct verification *v, const char *table)
{
	const struct verify_table *t = table_of(v, table);
	return t && (t->deleted + t->inserted > 0 || t->repair_error) ? t : NULL;
}

static void releases(const struct verification **take, size_t n)
{
	for (size_t i = 0; i < n; i++)
		verification_release(take[i]);
	free(take);
}

bool verify_find(struct model *m, const char *mirror, const char *table, struct verify_found *out)
{
	const struct verification **later;
	size_t n = model_verifications_later(m, mirror, &later);
	const struct verification *of = later_of(later, n, table);
	*out = (struct verify_found){ .run = of ? verification_hold(of) : model_verification(m, mirror) };
	releases(later, n);
	out->table = out->run ? table_of(last_of(out->run), table) : NULL;
	out->repaired = out->run ? repaired_of(out->run, table) : NULL;
	if (!out->table)
		verify_found_free(out);
	return out->table != NULL;
}

void verify_found_free(struct verify_found *f)
{
	verification_release(f->run);
	*f = (struct verify_found){ 0 };
}

/* ---- lines ---- */

enum verify_look verify_look_of(enum verify_verdict v)
{
	return v == VERIFY_EQUAL ? LOOK_EQUAL : v == VERIFY_DIFFERS ? LOOK_DIFFERS : LOOK_UNSURE;
}

static enum verify_look look_of_progress(const struct verify_progress *p)
{
	switch (p->state) {
	case VERIFY_WAITING:
		return LOOK_WAITING;
	case VERIFY_COMPARING:
		return LOOK_COMPARING;
	case VERIFY_LOCATING:
		return LOOK_LOCATING;
	default:
		return verify_look_of(p->verdict);
	}
}

static void take_rows(struct verify_line *line, int64_t source, int64_t target)
{
	line->source = source;
	line->target = target;
	line->known[0] = source >= 0;
	line->known[1] = target >= 0;
}

static void take_progress(struct verify_line *line, const struct verify_progress *p)
{
	line->look = look_of_progress(p);
	take_rows(line, p->source_rows, p->target_rows);
	line->bytes = p->bytes_total;
	line->differing = p->differing;
	line->more = false;
	line->took_s = p->took_s;
	line->table = line->repaired = NULL;
}

static struct verify_line table_line(const struct verification *v, const struct verify_table *t,
	const struct verify_table *repaired)
{
	struct verify_line line = { .kind = LINE_TABLE,
		.look = verify_look_of(t->verdict),
		.name = t->source,
		.bytes = MAX(t->source_bytes, 0) + MAX(t->target_bytes, 0),
		.differing = t->changed + t->missing + t->extra,
		.more = t->more,
		.took_s = t->took_s,
		.table = t,
		.repaired = repaired,
		.run = v };
	if (v->level == VERIFY_SAMPLE)
		take_rows(&line, t->looked_at, t->looked_at);
	else
		take_rows(&line, t->source_rows, t->target_rows);
	return line;
}

static struct verify_line sequence_line(const struct verification *v, const struct verify_sequence *s)
{
	return (struct verify_line){ .kind = LINE_SEQUENCE,
		.look = verify_look_of(s->verdict),
		.name = s->source,
		.known = { true, s->target != NULL },
		.source = s->source_value,
		.target = s->target_value,
		.run = v,
		.sequence = s };
}

/* Of each table what was found last. */
static size_t add_results(struct verify_lines *l, struct verify_line *lines)
{
	const struct verification *v = last_of(l->whole);
	size_t n = 0;
	for (size_t i = 0; i < v->table_count; i++) {
		const char *name = v->tables[i].source;
		const struct verification *later = later_of(l->later, l->later_count, name);
		const struct verify_table *t = later ? table_of(last_of(later), name) : NULL;
		lines[n++] = t ? table_line(last_of(later), t, repaired_of(later, name))
					   : table_line(v, &v->tables[i], NULL);
	}
	for (size_t i = 0; i < v->sequence_count; i++)
		lines[n++] = sequence_line(v, &v->sequences[i]);
	for (size_t i = 0; i < v->notes.count; i++)
		lines[n++] = (struct verify_line){ .kind = LINE_NOTE, .look = LOOK_EQUAL, .name = v->notes.items[i], .run = v };
	return n;
}

/* One table alone is under way: the others stand as they were found. */
static void mark_one(struct verify_lines *l, struct verify_line *lines, size_t n, const struct verify_progress *p,
	size_t count)
{
	struct verify_progress waits = { .state = VERIFY_WAITING, .source_rows = -1, .target_rows = -1 };
	for (size_t i = 0; i < n; i++)
		if (lines[i].kind == LINE_TABLE && strcmp(lines[i].name, l->view.table) == 0)
			take_progress(&lines[i], count == 1 && l->names.count == 1 &&
										 strcmp(l->names.items[0], l->view.table) == 0 ? p : &waits);
}

static void ask(struct verify_lines *l, struct model *m, const char *mirror)
{
	verification_release(l->whole);
	releases(l->later, l->later_count);
	l->begun = model_verify(m, mirror, &l->view);
	l->whole = model_verification(m, mirror);
	l->later_count = model_verifications_later(m, mirror, &l->later);
	if (l->run == l->view.run)
		return;
	strings_free(&l->names);
	model_verify_names(m, mirror, &l->names);
	l->run = l->view.run;
}

static void count_lines(struct verify_lines *l, const struct verify_line *lines, size_t n)
{
	memset(l->counts, 0, sizeof(l->counts));
	l->tables = l->sequences = 0;
	for (size_t i = 0; i < n; i++) {
		if (lines[i].kind == LINE_NOTE)
			continue;
		l->counts[lines[i].look]++;
		l->tables += lines[i].kind == LINE_TABLE;
		l->sequences += lines[i].kind == LINE_SEQUENCE;
	}
}

struct verify_line *verify_lines_fetch(struct verify_lines *l, struct model *m, const char *mirror, size_t *n)
{
	struct verify_progress *p;
	ask(l, m, mirror);
	size_t moving = MIN(model_verify_progress(m, mirror, &p), l->names.count);
	const struct verification *v = l->whole ? last_of(l->whole) : NULL;
	size_t most = v ? v->table_count + v->sequence_count + v->notes.count : 0;
	struct verify_line *lines = xcalloc(MAX(most, moving) + 1, sizeof(*lines));
	*n = 0;
	if (l->view.running && l->view.table[0] == '\0') {
		for (; *n < moving; ++*n) {
			lines[*n] = (struct verify_line){ .kind = LINE_TABLE, .name = l->names.items[*n] };
			take_progress(&lines[*n], &p[*n]);
		}
	} else if (v) {
		*n = add_results(l, lines);
		if (l->view.running)
			mark_one(l, lines, *n, p, moving);
	}
	free(p);
	count_lines(l, lines, *n);
	return lines;
}

void verify_lines_free(struct verify_lines *l)
{
	verification_release(l->whole);
	releases(l->later, l->later_count);
	strings_free(&l->names);
}
