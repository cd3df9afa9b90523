// SPDX-License-Identifier: PostgreSQL
/* Which object of one side is which of the other, and what then is not the same. */
#include "diff.h"

#include <ctype.h>
#include <stdlib.h>

#include <pgpier/selection.h>

#include "../../label.h"
#include "diff_inside.h"

#define MOST_NAMED 20 /* notes of one kind */

/* ---- differences ---- */

/* Without it, or with another one, the application still runs. */
static bool is_minor(const struct dump_entry *e)
{
	return KIND_OF(e, "COMMENT", "STATISTICS", "SECURITY LABEL", "DEFAULT ACL", "INDEX ATTACH", "EVENT TRIGGER",
			   "ACCESS METHOD", "PUBLICATION", "PUBLICATION TABLE", "PUBLICATION TABLES IN SCHEMA") ||
		   (is_kind(e, "INDEX") && strncmp(e->sql, "CREATE UNIQUE", 13) != 0);
}

static struct difference *add(struct diffing *d, const struct item *i, enum severity severity)
{
	const char *schema = strchr(i->key, '\1') + 1, *tag = strchr(schema, '\1') + 1;
	char *of = xasprintf("%.*s", (int)(tag - 1 - schema), schema), *name = label_name(i->entry->kind, of, tag);
	char *kind = xstrdup(i->entry->kind);
	for (char *p = kind; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	struct difference *out = comparison_add(d->out, severity, kind, name);
	free(kind);
	free(of);
	free(name);
	return out;
}

/* It reads a table whose columns have other names on the target, where the server has put them into its text. */
static bool reads_renamed(const struct diffing *d, const struct item *s)
{
	return KIND_OF(s->entry, "VIEW", "MATERIALIZED VIEW", "FUNCTION", "PROCEDURE") && renamed_tables_in(&d->renamed, s->sql);
}

static char *statement_around(const struct diffing *d, const char *sql)
{
	struct strbuf b = STRBUF_INIT;
	renamed_tables_around(&b, &d->renamed, sql);
	return strbuf_take(&b);
}

/* Of an older server's public schema: since 15 it is its database owner's, and closed to others. */
static bool is_old_public(const struct diffing *d, const struct dump_entry *e)
{
	bool old = d->source.dump->server_version < 150000 && d->target.dump->server_version >= 150000;
	return old && ((is_kind(e, "SCHEMA") && strcmp(e->name, "public") == 0) ||
					  (is_kind(e, "ACL") && strcmp(e->name, "SCHEMA public") == 0));
}

static void missing(struct diffing *d, const struct item *s)
{
	if (s->sql[0] == '\0' && !s->give)
		return;
	if (is_old_public(d, s->entry)) {
		d->public_schema++;
		return;
	}
	struct difference *x = add(d, s, is_minor(s->entry) ? SEVERITY_WARNING : SEVERITY_BLOCKER);
	x->source = xstrdup(s->sql[0] ? s->sql : s->give);
	char *sql = reads_renamed(d, s) ? statement_around(d, s->sql) : xstrdup(s->sql);
	x->statement = xasprintf("%s%s%s", sql, s->give && s->sql[0] ? "\n" : "", s->give ? s->give : "");
	x->applies = true;
	free(sql);
}

static void surplus(struct diffing *d, const struct item *t)
{
	if (is_old_public(d, t->entry))
		return;
	struct difference *x = add(d, t, SEVERITY_WARNING);
	x->target = xstrdup(t->sql[0] ? t->sql : t->give ? t->give : t->entry->kind);
	x->statement = mend_drop(t->entry, t->sql);
}

/* Servers on both sides of a change of words. */
static bool is_loosely_same(const struct diffing *d, const struct item *s, const struct item *t)
{
	int a = d->source.dump->server_version / 10000, b = d->target.dump->server_version / 10000;
	bool queries = (a < 16) != (b < 16) && KIND_OF(s->entry, "VIEW", "MATERIALIZED VIEW", "RULE", "POLICY", "FUNCTION",
		"PROCEDURE");
	bool ranges = (a < 14) != (b < 14) && is_kind(s->entry, "TYPE");
	if (!queries && !ranges)
		return false;
	char *x = canon_loose(s->sql), *y = canon_loose(t->sql);
	bool same = strcmp(x, y) == 0;
	free(x);
	free(y);
	return same;
}

/* false: these are no tables that can be taken apart. */
static bool differs_in_columns(struct diffing *d, const struct item *s, const struct item *t)
{
	struct strings left_out = { 0 };
	struct table_diff table;
	if (!is_kind(s->entry, "TABLE"))
		return false;
	columns_left_out(d, s->entry->schema, s->entry->name, &left_out);
	bool ok = table_compare(s->sql, t->sql, &left_out, &d->added, &table);
	strings_free(&left_out);
	if (!ok || !table.meaning)
		return ok;
	struct difference *x = add(d, s, SEVERITY_BLOCKER);
	x->source = xstrdup(s->sql);
	x->target = xstrdup(t->sql);
	x->meaning = table.meaning;
	x->statement = table.statement;
	x->applies = table.statement && !table.drops;
	return true;
}

static void compare_texts_of(struct diffing *d, const struct item *s, const struct item *t)
{
	bool drops;
	if (strcmp(s->text, t->text) == 0 || differs_in_columns(d, s, t))
		return;
	if (reads_renamed(d, s)) {
		d->columns++;
		return;
	}
	if (is_loosely_same(d, s, t)) {
		d->loose++;
		return;
	}
	struct difference *x = add(d, s, is_minor(s->entry) ? SEVERITY_WARNING : SEVERITY_BLOCKER);
	x->source = xstrdup(s->sql);
	x->target = xstrdup(t->sql);
	x->statement = mend_replace(t->entry, s->sql, t->sql, &drops);
	x->applies = x->statement && !drops;
}

static void compare_owners(struct diffing *d, const struct item *s, const struct item *t)
{
	char owner[NAME_SIZE], other[NAME_SIZE];
	if (!s->give || !t->give)
		return;
	free(roles_owner(s->give, &d->target.config, owner));
	free(roles_owner(t->give, &d->target.config, other));
	if (strcmp(owner, other) == 0)
		return;
	char *what = entry_label(t->entry);
	struct difference *x = comparison_add(d->out, SEVERITY_WARNING, "owner", what);
	x->source = xstrdup(owner);
	x->target = xstrdup(other);
	x->statement = xstrdup(s->give);
	x->applies = true;
	free(what);
}

static void compare_pair(struct diffing *d, struct item *s, struct item *t)
{
	s->paired = t->paired = true;
	if (!s->counts)
		return;
	compare_texts_of(d, s, t);
	compare_owners(d, s, t);
	if (s->entry->settings[0] && t->entry->settings[0]) {
		size_t n = strcspn(s->entry->settings, "\n"), m = strcspn(t->entry->settings, "\n");
		d->elsewhere += n != m || strncmp(s->entry->settings, t->entry->settings, n) != 0;
	}
}

/* Default privileges of several roles have one tag: those with the same text are pairs first, the others by
 * order. */
static void compare_group(struct diffing *d, struct item *s, size_t n, struct item *t, size_t m)
{
	for (size_t i = 0, k = 0; i < n && k < m;) {
		int order = strcmp(s[i].text, t[k].text);
		if (order == 0)
			compare_pair(d, &s[i], &t[k]);
		i += order <= 0;
		k += order >= 0;
	}
	for (size_t i = 0, k = 0; i < n; i++) {
		while (k < m && t[k].paired)
			k++;
		if (!s[i].paired && k < m)
			compare_pair(d, &s[i], &t[k]);
	}
	for (size_t i = 0; i < n; i++)
		if (s[i].counts && !s[i].paired)
			missing(d, &s[i]);
	for (size_t i = 0; i < m; i++)
		if (t[i].counts && !t[i].paired)
			surplus(d, &t[i]);
}

static size_t group_of(const struct item *items, size_t from, size_t count)
{
	size_t n = 0;
	while (from + n < count && strcmp(items[from].key, items[from + n].key) == 0)
		n++;
	return n;
}

static void compare_all(struct diffing *d)
{
	struct item *s = d->source.items, *t = d->target.items;
	size_t s_count = d->source.dump->count, t_count = d->target.dump->count;
	for (size_t i = 0, k = 0; i < s_count || k < t_count;) {
		int order = i == s_count ? 1 : k == t_count ? -1 : strcmp(s[i].key, t[k].key);
		size_t n = order <= 0 ? group_of(s, i, s_count) : 0, m = order >= 0 ? group_of(t, k, t_count) : 0;
		compare_group(d, s + i, n, t + k, m);
		for (size_t x = 0; x < n; x++)
			d->out->compared += s[i + x].counts;
		for (size_t x = 0; x < m; x++)
			d->out->compared += t[k + x].counts && !t[k + x].paired;
		i += n;
		k += m;
	}
}

/* ---- notes ---- */

static void note_blocked(struct diffing *d)
{
	size_t n = 0;
	for (size_t i = 0; i < d->source.dump->count; i++) {
		const struct item *item = &d->source.items[i];
		if (!item->why || item->paired || ++n > MOST_NAMED)
			continue;
		char *what = entry_label(item->entry);
		comparison_note(d->out, "%s can't be on the target: %s", what, item->why);
		free(what);
	}
	if (n > MOST_NAMED)
		comparison_note(d->out, "%zu more can't be on the target", n - MOST_NAMED);
}

static void note_all(struct diffing *d)
{
	note_blocked(d);
	if (d->mirror->owners == OWNERS_NONE)
		comparison_note(d->out, "owners and grants are not compared: owners = \"none\"");
	if (d->elsewhere)
		comparison_note(d->out, "%zu tables and indexes are in another tablespace, which no statement notices",
			d->elsewhere);
	if (d->loose)
		comparison_note(d->out, "%zu definitions are the same, but the servers' versions print them differently",
			d->loose);
	if (d->columns)
		comparison_note(d->out, "%zu views and functions read columns that have other names on the target: their texts are"
			" not compared", d->columns);
	if (d->public_schema)
		comparison_note(d->out, "schema public has the owner and the grants that PostgreSQL 15 and later give it");
}

void diff_objects(const struct diff_side *source, const struct diff_side *target, const struct mirror_config *m,
	struct comparison *out)
{
	struct diffing d = { .mirror = m, .out = out };
	sides_read(&d, source, target);
	compare_all(&d);
	note_all(&d);
	comparison_sort(out);
	sides_free(&d);
}
