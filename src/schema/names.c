// SPDX-License-Identifier: PostgreSQL
#include "names.h"

#include <stdlib.h>
#include <string.h>

/* A relation that will be made: one of table, sequence, index is set. */
struct planned {
	const char *schema, *name;
	size_t table;
	const char *words;
	struct def_sequence *sequence;
	struct def_index *index;
};

struct planned_list {
	struct planned *items;
	size_t count;
};

static void plan_name(struct planned_list *l, struct planned p)
{
	GROW(l->items, l->count);
	l->items[l->count++] = p;
}

static struct planned_list planned_names(const struct defs *d)
{
	struct planned_list l = { 0 };
	for (size_t i = 0; i < d->table_count; i++) {
		const struct def_table *t = &d->tables[i];
		if (!t->made)
			continue;
		plan_name(&l, (struct planned){ t->wanted->target_schema, t->wanted->target_name, i,
						  "table", NULL, NULL });
		for (size_t k = 0; k < t->index_count; k++)
			plan_name(&l, (struct planned){ t->wanted->target_schema, t->indexes[k].name, i,
							  "index", NULL, &t->indexes[k] });
	}
	for (size_t i = 0; i < d->sequence_count; i++) {
		struct def_sequence *s = &d->sequences[i];
		if (!s->borrowed)
			plan_name(
				&l, (struct planned){ s->target_schema, s->name, s->user, "sequence", s, NULL });
	}
	return l;
}

static int compare_names(const void *a, const void *b)
{
	const struct planned *x = a, *y = b;
	int order = strcmp(x->schema, y->schema);
	return order ? order : strcmp(x->name, y->name);
}

static void report_twice(const struct planned_list *l, struct schema_findings *f)
{
	for (size_t i = 1; i < l->count; i++) {
		const struct planned *a = &l->items[i - 1], *b = &l->items[i];
		if (compare_names(a, b) == 0)
			schema_findings_add(f, b->table, SEVERITY_BLOCKER,
				"two objects would be called %s.%s on the target: %s and %s", b->schema, b->name,
				a->words, b->words)
				->next = xstrdup("map one of the tables to another schema");
	}
}

enum taken_field { TAKEN_PLACE, TAKEN_RELKIND, TAKEN_SCHEMA, TAKEN_TABLE, TAKEN_CONSTRAINT };

static struct rows *taken_names(const struct planned_list *l, struct pg *target, struct error *e)
{
	const char **schemas = xcalloc(l->count, sizeof(*schemas));
	const char **names = xcalloc(l->count, sizeof(*names));
	for (size_t i = 0; i < l->count; i++) {
		schemas[i] = l->items[i].schema;
		names[i] = l->items[i].name;
	}
	struct strbuf s = STRBUF_INIT, n = STRBUF_INIT;
	quote_array(&s, l->count, schemas);
	quote_array(&n, l->count, names);
	struct rows *r = PG_ROWS(target, e,
		"select u.i - 1, c.relkind, tn.nspname, t.relname, con.oid is not null"
		" from unnest($1::text[], $2::text[]) with ordinality u (s, n, i)"
		" join pg_namespace ns on ns.nspname = u.s"
		" join pg_class c on c.relnamespace = ns.oid and c.relname = u.n"
		" left join pg_index x on x.indexrelid = c.oid left join pg_class t on t.oid = x.indrelid"
		" left join pg_namespace tn on tn.oid = t.relnamespace"
		" left join pg_constraint con on con.conrelid = x.indrelid and con.conindid = c.oid"
		" and con.contype in ('p', 'u', 'x')",
		s.text, n.text);
	free(schemas);
	free(names);
	strbuf_free(&s);
	strbuf_free(&n);
	return r;
}

/* An index of that name upon the very table: made by an earlier run. */
static bool is_our_index(
	const struct defs *d, const struct planned *p, const struct rows *taken, int row)
{
	const struct schema_table *t = d->tables[p->table].wanted;
	return p->index && strcmp(rows_text(taken, row, TAKEN_SCHEMA), t->target_schema) == 0 &&
		   strcmp(rows_text(taken, row, TAKEN_TABLE), t->target_name) == 0;
}

static void mark_taken(struct defs *d, const struct planned *p, const struct rows *taken, int row,
	struct schema_findings *f)
{
	if (p->sequence && rows_text(taken, row, TAKEN_RELKIND)[0] == 'S') {
		p->sequence->exists = true;
		if (!p->sequence->identity)
			schema_findings_add(f, p->table, SEVERITY_NOTE,
				"sequence %s.%s exists on the target and is used as it is", p->schema, p->name);
	} else if (is_our_index(d, p, taken, row)) {
		bool complete = !p->index->constraint || rows_bool(taken, row, TAKEN_CONSTRAINT);
		p->index->exists = complete;
		p->index->built = !complete;
	} else if (p->sequence || p->index) {
		schema_findings_add(f, p->table, SEVERITY_BLOCKER,
			"%s %s.%s can't be made: the name is taken on the target", p->words, p->schema, p->name)
			->next = xstrdup("rename or drop what has it there");
	}
}

bool names_check(struct defs *d, struct pg *target, struct schema_findings *f, struct error *e)
{
	struct planned_list l = planned_names(d);
	if (l.count > 0)
		qsort(l.items, l.count, sizeof(*l.items), compare_names);
	report_twice(&l, f);
	struct rows *taken = target ? taken_names(&l, target, e) : NULL;
	for (int row = 0; taken && row < rows_count(taken); row++)
		mark_taken(d, &l.items[rows_int(taken, row, TAKEN_PLACE)], taken, row, f);
	bool ok = taken || !target;
	rows_free(taken);
	free(l.items);
	return ok;
}
