// SPDX-License-Identifier: PostgreSQL
#include "tables.h"

#include <ctype.h>
#include <pgpier/selection.h>
#include <pgpier/utf8.h>
#include <stdlib.h>
#include <string.h>

/* ---- texts in SQL ---- */

/* A literal that no terminal obeys: control characters are written as escapes, whoever reads the
 * file. */
static void add_text(struct strbuf *b, const char *text)
{
	uint32_t code;
	struct strbuf escaped = STRBUF_INIT;
	bool controls = false;
	for (const char *p = text; *p;) {
		size_t length = MAX(utf8_decode(p, &code), 1);
		bool control = utf8_decode(p, &code) == 0 || utf8_is_control(code);
		for (size_t i = 0; i < length; i++) {
			if (control)
				strbuf_addf(&escaped, "\\x%02x", (unsigned char)p[i]);
			else if (p[i] == '\'' || p[i] == '\\')
				strbuf_addf(&escaped, "%c%c", p[i], p[i]);
			else
				strbuf_addn(&escaped, p + i, 1);
		}
		controls = controls || control;
		p += length;
	}
	bool escapes = controls || strchr(text, '\\');
	strbuf_addf(b, "%s'%s'", escapes ? "E" : "", escaped.text ? escaped.text : "");
	strbuf_free(&escaped);
}

static void add_texts(struct strbuf *b, char *const *items, size_t count)
{
	strbuf_add(b, "ARRAY[");
	for (size_t i = 0; i < count; i++) {
		strbuf_add(b, i > 0 ? ", " : "");
		add_text(b, items[i]);
	}
	strbuf_add(b, "]::text[]");
}

/* ---- by name ---- */

/* The columns that the mirror leaves out of one table. */
static void add_left_out(
	struct strbuf *b, const struct mirror_config *m, const struct script_table *t)
{
	struct strings columns = { 0 };
	char *prefix = xasprintf("%s.%s.", t->schema, t->name);
	size_t length = strlen(prefix);
	for (size_t i = 0; i < m->columns_exclude.count; i++)
		if (strncmp(m->columns_exclude.items[i], prefix, length) == 0)
			strings_add(&columns, m->columns_exclude.items[i] + length);
	add_texts(b, columns.items, columns.count);
	strings_free(&columns);
	free(prefix);
}

/* The names of renamed columns, on the source or on the target. */
static void add_renamed(struct strbuf *b, const struct renames *r, bool target)
{
	struct strings names = { 0 };
	for (size_t i = 0; i < r->count; i++)
		strings_add(&names, target ? r->items[i].target : r->items[i].source);
	add_texts(b, names.items, names.count);
	strings_free(&names);
}

#define CHOSEN                                                                                     \
	"chosen (schema, name, target_schema, target_name, left_out,\n\told_columns, new_columns)"

char *tables_by_name(const struct mirror_config *m, const struct script_table *tables, size_t count)
{
	struct strbuf b = STRBUF_INIT;
	strbuf_add(&b, "WITH RECURSIVE " CHOSEN " AS (\n\tVALUES\n");
	for (size_t i = 0; i < count; i++) {
		const struct script_table *t = &tables[i];
		const char *names[] = { t->schema, t->name, t->target_schema, t->target_name };
		strbuf_add(&b, "\t(");
		for (size_t k = 0; k < ARRAY_SIZE(names); k++) {
			add_text(&b, names[k]);
			strbuf_add(&b, i == 0 ? "::text, " : ", ");
		}
		add_left_out(&b, m, t);
		strbuf_add(&b, ", ");
		add_renamed(&b, t->renamed, false);
		strbuf_add(&b, ", ");
		add_renamed(&b, t->renamed, true);
		strbuf_add(&b, i + 1 < count ? "),\n" : ")\n");
	}
	if (count == 0)
		strbuf_add(&b,
			"\tSELECT ''::text, ''::text, ''::text, ''::text, '{}'::text[], '{}'::text[],"
			"\n\t\t'{}'::text[] WHERE false\n");
	strbuf_add(&b, ")");
	return strbuf_take(&b);
}

/* ---- by pattern ---- */

static void add_character(struct strbuf *b, const char *p, size_t length)
{
	if (length == 1 && ispunct((unsigned char)*p))
		strbuf_add(b, "\\");
	strbuf_addn(b, p, length);
}

static size_t character(const char *p)
{
	uint32_t code;
	return MAX(utf8_decode(p, &code), 1);
}

/* One member of a set, which a backslash makes literal; *code is what it is. Gives what follows it. */
static const char *member(const char *p, struct strbuf *out, uint32_t *code)
{
	p += *p == '\\' && p[1] != '\0';
	size_t length = character(p);
	utf8_decode(p, code);
	add_character(out, p, length);
	return p + length;
}

/* A range that ends before it begins holds nothing, which PostgreSQL takes for an error. */
static const char *add_member(const char *p, struct strbuf *set)
{
	struct strbuf b = STRBUF_INIT;
	uint32_t low = 0, high = 0;
	p = member(p, &b, &low);
	high = low;
	if (p[0] == '-' && p[1] != ']' && p[1] != '\0') {
		strbuf_add(&b, "-");
		p = member(p + 1, &b, &high);
	}
	if (low <= high)
		strbuf_add(set, b.text);
	strbuf_free(&b);
	return p;
}

/* p stands behind '['. Adds the set and gives what follows it; without a ']' there is no set. */
static const char *add_set(struct strbuf *b, const char *p)
{
	struct strbuf set = STRBUF_INIT;
	bool negated = *p == '!' || *p == '^';
	p += negated;
	const char *first = p;
	while (*p && (*p != ']' || p == first))
		p = add_member(p, &set);
	bool ends = *p == ']';
	if (ends && set.len == 0)
		strbuf_add(b, negated ? "." : "(?!.)."); /* any character, and none */
	else if (ends)
		strbuf_addf(b, "[%s%s]", negated ? "^" : "", set.text);
	strbuf_free(&set);
	return ends ? p + 1 : NULL;
}

char *tables_regex(const char *pattern)
{
	struct strbuf b = STRBUF_INIT;
	strbuf_add(&b, "^");
	for (const char *p = pattern; *p;) {
		const char *after = *p == '[' ? add_set(&b, p + 1) : NULL;
		if (after) {
			p = after;
			continue;
		}
		if (*p == '*' || *p == '?') {
			strbuf_add(&b, *p++ == '*' ? ".*" : ".");
			continue;
		}
		p += *p == '\\' && p[1] != '\0';
		size_t length = character(p);
		add_character(&b, p, length);
		p += length;
	}
	strbuf_add(&b, "$");
	return strbuf_take(&b);
}

static void add_regexes(struct strbuf *b, const struct strings *patterns)
{
	struct strings regexes = { 0 };
	for (size_t i = 0; i < patterns->count; i++) {
		char *regex = tables_regex(patterns->items[i]);
		strings_add(&regexes, regex);
		free(regex);
	}
	add_texts(b, regexes.items, regexes.count);
	strings_free(&regexes);
}

static void add_row(struct strbuf *b, size_t count, const char *const *texts)
{
	strbuf_add(b, ",\n\t(");
	for (size_t i = 0; i < count; i++) {
		strbuf_add(b, i > 0 ? ", " : "");
		add_text(b, texts[i]);
	}
	strbuf_add(b, ")");
}

static void add_map(struct strbuf *b, const struct mirror_config *m)
{
	char schema[NAME_SIZE], name[NAME_SIZE];
	strbuf_add(b, "map (source, target_schema, target_name) AS (\n\tVALUES (NULL::text, "
				  "NULL::text, NULL::text)");
	for (size_t i = 0; i < m->map_count; i++)
		if (m->map[i].target && selection_split(m->map[i].target, schema, name))
			add_row(b, 3, (const char *[]){ m->map[i].source, schema, name });
	strbuf_add(b,
		"\n), column_map (source, old, new) AS (\n\tVALUES (NULL::text, NULL::text, NULL::text)");
	for (size_t i = 0; i < m->map_count; i++)
		for (size_t k = 0; k < m->map[i].column_count; k++)
			add_row(b, 3,
				(const char *[]){
					m->map[i].source, m->map[i].columns[k].source, m->map[i].columns[k].target });
	strbuf_add(b, "\n)");
}

#define CANDIDATES                                                                                 \
	"candidate AS (\n\tSELECT c.oid, c.relkind, n.nspname::text AS schema, c.relname::text AS "    \
	"name,\n"                                                                                      \
	"\t\tn.nspname || '.' || c.relname AS whole\n"                                                 \
	"\t  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace\n"                          \
	"\t WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'\n"                               \
	"\t   AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast', 'pgpier')\n"       \
	"\t   AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass\n"      \
	"\t\tAND d.objid = c.oid AND d.deptype = 'e')\n)"

/* From the tables that are taken down to their partitions, and from all tables up to those that
 * they inherit their columns from. */
#define TREES                                                                                      \
	"tree AS (\n\tSELECT oid, relkind FROM wanted WHERE taken AND NOT excluded\n"                  \
	"\tUNION\n\tSELECT c.oid, c.relkind FROM tree t\n"                                             \
	"\t  JOIN pg_inherits i ON i.inhparent = t.oid AND t.relkind = 'p'\n"                          \
	"\t  JOIN pg_class c ON c.oid = i.inhrelid\n"                                                  \
	"), above AS (\n\tSELECT oid, oid AS ancestor, 0 AS distance FROM wanted\n"                    \
	"\tUNION\n\tSELECT a.oid, i.inhparent, a.distance + 1 FROM above a\n"                          \
	"\t  JOIN pg_inherits i ON i.inhrelid = a.ancestor\n"                                          \
	"), renamed AS (\n\tSELECT a.oid, array_agg(m.old ORDER BY a.distance, m.old) AS "             \
	"old_columns,\n"                                                                               \
	"\t\tarray_agg(m.new ORDER BY a.distance, m.old) AS new_columns\n"                             \
	"\t  FROM above a JOIN wanted w ON w.oid = a.ancestor JOIN column_map m ON m.source = "        \
	"w.whole\n"                                                                                    \
	"\t WHERE m.old <> m.new GROUP BY a.oid\n)"

/* The same choice as the mirror's own: partitions come with a parent that is chosen, and a tree of
 * tables has one set of names of columns. */
char *tables_by_pattern(const struct mirror_config *m)
{
	struct strbuf b = STRBUF_INIT;
	strbuf_add(&b, "WITH RECURSIVE " CANDIDATES ", wanted AS (\n\tSELECT *,\n\t\twhole ~ ANY (");
	add_regexes(&b, &m->tables);
	strbuf_add(&b, ") AS taken,\n\t\twhole ~ ANY (");
	add_regexes(&b, &m->exclude);
	strbuf_add(&b, ") AS excluded\n\t  FROM candidate\n), ");
	add_map(&b, m);
	strbuf_add(&b, ", " TREES ", " CHOSEN
				   " AS (\n\tSELECT w.schema, w.name, coalesce(map.target_schema, w.schema),\n"
				   "\t\tcoalesce(map.target_name, w.name),\n"
				   "\t\tARRAY(SELECT substr(x, length(w.whole) + 2) FROM unnest(");
	add_texts(&b, m->columns_exclude.items, m->columns_exclude.count);
	strbuf_add(&b, ") AS x\n\t\t WHERE left(x, length(w.whole) + 1) = w.whole || '.'),\n"
				   "\t\tcoalesce(r.old_columns, '{}'), coalesce(r.new_columns, '{}')\n"
				   "\t  FROM wanted w LEFT JOIN map ON map.source = w.whole LEFT JOIN renamed r ON "
				   "r.oid = w.oid\n"
				   "\t WHERE NOT w.excluded AND w.oid IN (SELECT oid FROM tree)\n)");
	return strbuf_take(&b);
}
