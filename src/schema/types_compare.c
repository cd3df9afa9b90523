// SPDX-License-Identifier: PostgreSQL
/* The types that both servers have must be the same where rows or definitions depend on it: every
 * label and attribute of the source, the same base type, the same checks. The first difference of a
 * type is reported with the statement that mends it. */
#include <stdlib.h>
#include <string.h>

#include "types.h"
#include "text.h"

#define MAJOR(version) ((version) / 10000)

struct comparison {
	const struct def_type *source, *target;
	struct schema_findings *findings;
	bool same_major; /* else expressions may be printed differently, so that text proves nothing */
};

static struct schema_finding *differs(const struct comparison *c, const char *what)
{
	return schema_findings_add(c->findings, c->source->table, SEVERITY_BLOCKER,
		"type %s.%s is another one on the target: %s", c->source->schema, c->source->name, what);
}

static void report_take(const struct comparison *c, char *what, char *next)
{
	differs(c, what)->next = next;
	free(what);
}

/* ALTER TYPE "s"."t" + the rest. */
static struct strbuf alter(const struct comparison *c)
{
	struct strbuf b = STRBUF_INIT;
	strbuf_add(&b, c->source->kind == TYPE_DOMAIN ? "ALTER DOMAIN " : "ALTER TYPE ");
	quote_qualified(&b, c->source->schema, c->source->name);
	return b;
}

static size_t member_place(const struct def_type *t, const char *name)
{
	size_t i = 0;
	while (i < t->member_count && strcmp(t->members[i].name, name) != 0)
		i++;
	return i;
}

static void missing_label(const struct comparison *c, size_t i)
{
	struct strbuf b = alter(c);
	strbuf_add(&b, " ADD VALUE ");
	quote_literal(&b, c->source->members[i].name);
	if (i > 0) {
		strbuf_add(&b, " AFTER ");
		quote_literal(&b, c->source->members[i - 1].name);
	} else if (c->target->member_count > 0) {
		strbuf_add(&b, " BEFORE ");
		quote_literal(&b, c->target->members[0].name);
	}
	report_take(
		c, xasprintf("it lacks the label '%s'", c->source->members[i].name), strbuf_take(&b));
}

/* Further labels on the target do no harm; another order would sort and range rows differently. */
static void compare_enum(const struct comparison *c)
{
	size_t last = 0;
	for (size_t i = 0; i < c->source->member_count; i++) {
		size_t place = member_place(c->target, c->source->members[i].name);
		if (place == c->target->member_count) {
			missing_label(c, i);
			return;
		}
		if (i > 0 && place < last) {
			report_take(c, xstrdup("its labels have another order"),
				xstrdup("rename or drop the type on the target"));
			return;
		}
		last = place;
	}
}

static void wrong_attribute(const struct comparison *c, const struct def_member *m, bool missing)
{
	struct strbuf b = alter(c);
	strbuf_add(&b, missing ? " ADD ATTRIBUTE " : " ALTER ATTRIBUTE ");
	quote_name(&b, m->name);
	strbuf_addf(&b, " %s%s", missing ? "" : "TYPE ", m->text);
	report_take(c,
		missing ? xasprintf("it lacks the attribute %s", m->name)
				: xasprintf("attribute %s is %s on the source", m->name, m->text),
		strbuf_take(&b));
}

static void compare_composite(const struct comparison *c)
{
	for (size_t i = 0; i < c->source->member_count; i++) {
		const struct def_member *m = &c->source->members[i];
		size_t place = member_place(c->target, m->name);
		bool missing = place == c->target->member_count;
		if (missing || strcmp(c->target->members[place].text, m->text) != 0) {
			wrong_attribute(c, m, missing);
			return;
		}
		if (place != i) {
			report_take(c, xstrdup("its attributes have another order"),
				xstrdup("rename or drop the type on the target"));
			return;
		}
	}
	if (c->target->member_count > c->source->member_count) {
		struct strbuf b = alter(c);
		strbuf_add(&b, " DROP ATTRIBUTE ");
		quote_name(&b, c->target->members[c->source->member_count].name);
		report_take(c, xstrdup("it has further attributes"), strbuf_take(&b));
	}
}

static bool compare_checks(const struct comparison *c)
{
	for (size_t i = 0; i < c->source->member_count; i++) {
		const struct def_member *m = &c->source->members[i];
		size_t place = member_place(c->target, m->name);
		bool missing = place == c->target->member_count;
		if (!missing && (!c->same_major || strcmp(c->target->members[place].text, m->text) == 0))
			continue;
		struct strbuf b = alter(c);
		if (!missing) {
			strbuf_add(&b, " DROP CONSTRAINT ");
			quote_name(&b, m->name);
		} else {
			strbuf_add(&b, " ADD CONSTRAINT ");
			quote_name(&b, m->name);
			strbuf_addf(&b, " %s", m->text);
		}
		report_take(c,
			xasprintf("%s the constraint %s %s", missing ? "it lacks" : "on the source it has",
				m->name, m->text),
			strbuf_take(&b));
		return false;
	}
	for (size_t i = 0; i < c->target->member_count; i++) {
		const char *name = c->target->members[i].name;
		if (member_place(c->source, name) < c->source->member_count)
			continue;
		struct strbuf b = alter(c);
		strbuf_add(&b, " DROP CONSTRAINT ");
		quote_name(&b, name);
		report_take(c, xasprintf("it has a further constraint, %s", name), strbuf_take(&b));
		return false;
	}
	return true;
}

static void compare_domain(const struct comparison *c)
{
	const struct def_type *s = c->source, *t = c->target;
	if (strcmp(s->base, t->base) != 0) {
		report_take(c, xasprintf("it is a domain of %s, not of %s", t->base, s->base),
			xstrdup("rename or drop the domain on the target"));
		return;
	}
	struct strbuf b = alter(c);
	if (s->not_null != t->not_null) {
		strbuf_addf(&b, " %s NOT NULL", s->not_null ? "SET" : "DROP");
		report_take(c, xasprintf("it is%s NOT NULL", t->not_null ? "" : " not"), strbuf_take(&b));
		return;
	}
	if (!compare_checks(c)) {
		strbuf_free(&b);
		return;
	}
	if (c->same_major && strcmp(s->default_text, t->default_text) != 0) {
		bool none = s->default_text[0] == '\0';
		strbuf_addf(&b, none ? " DROP DEFAULT%s" : " SET DEFAULT %s", s->default_text);
		report_take(c, xstrdup("it has another default"), strbuf_take(&b));
		return;
	}
	strbuf_free(&b);
}

static void compare(const struct comparison *c)
{
	const struct def_type *s = c->source, *t = c->target;
	if (s->kind != t->kind) {
		report_take(
			c, xstrdup("it is of another kind"), xstrdup("rename or drop the type on the target"));
	} else if (s->extension[0] != '\0') {
		return; /* its extension answers for it */
	} else if (s->kind == TYPE_ENUM) {
		compare_enum(c);
	} else if (s->kind == TYPE_COMPOSITE) {
		compare_composite(c);
	} else if (s->kind == TYPE_DOMAIN) {
		compare_domain(c);
	} else if (s->kind == TYPE_RANGE && strcmp(s->base, t->base) != 0) {
		report_take(c, xasprintf("it is a range of %s, not of %s", t->base, s->base),
			xstrdup("rename or drop the type on the target"));
	}
}

/* ---- what the target lacks ---- */

#define EXTENSIONS_SQL                                                                             \
	"select x.extname, n.nspname from pg_extension x"                                              \
	" join pg_namespace n on n.oid = x.extnamespace"

static const char *installed_in(const struct rows *extensions, const char *name)
{
	for (int row = 0; row < rows_count(extensions); row++)
		if (strcmp(rows_text(extensions, row, 0), name) == 0)
			return rows_text(extensions, row, 1);
	return NULL;
}

static void missing_extension(
	const struct def_type *t, const struct rows *extensions, struct schema_findings *f)
{
	const char *elsewhere = installed_in(extensions, t->extension);
	struct strbuf b = STRBUF_INIT;
	strbuf_addf(&b, "%s EXTENSION ", elsewhere ? "ALTER" : "CREATE");
	quote_name(&b, t->extension);
	strbuf_add(&b, elsewhere ? " SET SCHEMA " : " SCHEMA ");
	quote_name(&b, t->extension_schema);
	struct schema_finding *finding =
		elsewhere ? schema_findings_add(f, t->table, SEVERITY_BLOCKER,
						"type %s.%s: extension %s is in schema %s on the target", t->schema,
						t->name, t->extension, elsewhere)
				  : schema_findings_add(f, t->table, SEVERITY_BLOCKER,
						"type %s.%s: the target lacks its extension %s", t->schema, t->name,
						t->extension);
	finding->next = strbuf_take(&b);
}

static void missing(struct def_type *t, const struct rows *extensions, struct schema_findings *f)
{
	if (t->extension[0] != '\0') {
		missing_extension(t, extensions, f);
	} else if (type_can_be_made(t)) {
		t->made = true;
	} else {
		schema_findings_add(f, t->table, SEVERITY_BLOCKER, "the target lacks type %s.%s, %s",
			t->schema, t->name,
			t->kind == TYPE_ROW ? "the row type of a table" : "which is made of C functions")
			->next = xstrdup(t->kind == TYPE_ROW ? "create that table on the target first"
												 : "create it on the target");
	}
}

/* Oids of the same names on the target; 0 where there is none. */
static int64_t *same_names(const struct def_types *t, struct pg *target, struct error *e)
{
	const char **schemas = xcalloc(t->count, sizeof(*schemas));
	const char **names = xcalloc(t->count, sizeof(*names));
	for (size_t i = 0; i < t->count; i++) {
		schemas[i] = t->items[i].schema;
		names[i] = t->items[i].name;
	}
	struct strbuf s = STRBUF_INIT, n = STRBUF_INIT;
	quote_array(&s, t->count, schemas);
	quote_array(&n, t->count, names);
	struct rows *r = PG_ROWS(target, e,
		"select u.i - 1, t.oid from unnest($1::text[], $2::text[]) with ordinality u (s, n, i)"
		" join pg_namespace ns on ns.nspname = u.s"
		" join pg_type t on t.typnamespace = ns.oid and t.typname = u.n",
		s.text, n.text);
	int64_t *oids = r ? xcalloc(t->count, sizeof(*oids)) : NULL;
	for (int row = 0; r && row < rows_count(r); row++)
		oids[rows_int(r, row, 0)] = rows_int(r, row, 1);
	rows_free(r);
	free(schemas);
	free(names);
	strbuf_free(&s);
	strbuf_free(&n);
	return oids;
}

static bool load_target(
	struct def_types *theirs, const int64_t *oids, size_t count, struct pg *target, struct error *e)
{
	struct strbuf b = STRBUF_INIT;
	for (size_t i = 0; i < count; i++)
		if (oids[i] != 0)
			text_oids_add(&b, oids[i]);
	text_oids_end(&b);
	bool ok = types_load(theirs, target, b.text, e);
	strbuf_free(&b);
	return ok;
}

bool types_compare(struct def_types *t, struct pg *source, struct pg *target,
	struct schema_findings *f, struct error *e)
{
	if (!target)
		for (size_t i = 0; i < t->count; i++)
			t->items[i].made = t->items[i].extension[0] == '\0' && type_can_be_made(&t->items[i]);
	if (!target || t->count == 0)
		return true;
	struct def_types theirs = { 0 };
	int64_t *oids = same_names(t, target, e);
	struct rows *extensions = oids ? PG_ROWS(target, e, EXTENSIONS_SQL) : NULL;
	bool ok = extensions && load_target(&theirs, oids, t->count, target, e);
	for (size_t i = 0; ok && i < t->count; i++) {
		struct def_type *type = &t->items[i];
		const struct def_type *other = oids[i] == 0 ? NULL : types_find(&theirs, oids[i]);
		if (other)
			compare(&(struct comparison){
				type, other, f, MAJOR(pg_version(source)) == MAJOR(pg_version(target)) });
		else if (type->kind != TYPE_ARRAY && type->kind != TYPE_MULTIRANGE)
			missing(type, extensions, f);
	}
	rows_free(extensions);
	types_free(&theirs);
	free(oids);
	return ok;
}
