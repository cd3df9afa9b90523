// SPDX-License-Identifier: PostgreSQL
#include "ddl.h"

#include <pgpier/format.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void ddl_free(struct ddl_relation *r)
{
	for (size_t i = 0; i < r->count; i++)
		free(r->columns[i].name);
	free(r->columns);
	free(r->schema);
	free(r->name);
	*r = (struct ddl_relation){ 0 };
}

void ddl_add(struct ddl_relation *r, const char *name, uint32_t type, int32_t typmod, bool key, lsn_t since)
{
	GROW(r->columns, r->count);
	r->columns[r->count++] = (struct ddl_column){ xstrdup(name), type, typmod, key, since };
}

void ddl_copy(struct ddl_relation *dst, const struct ddl_relation *src)
{
	*dst = (struct ddl_relation){ .id = src->id, .schema = xstrdup(src->schema), .name = xstrdup(src->name),
		.identity = src->identity };
	for (size_t i = 0; i < src->count; i++) {
		const struct ddl_column *c = &src->columns[i];
		ddl_add(dst, c->name, c->type, c->typmod, c->key, c->since);
	}
}

void ddl_take(struct ddl_relation *out, const struct pgoutput_message *m)
{
	struct pgoutput_column c;
	const char *at = m->relation.at;
	*out = (struct ddl_relation){ .id = m->relation.id, .schema = xstrdup(m->relation.schema),
		.name = xstrdup(m->relation.name), .identity = m->relation.identity };
	while (pgoutput_next_column(&at, m->relation.end, &c))
		ddl_add(out, c.name, c.type, c.typmod, c.key, 0);
}

const struct ddl_column *ddl_column(const struct ddl_relation *r, const char *name)
{
	for (size_t i = 0; i < r->count; i++)
		if (strcmp(r->columns[i].name, name) == 0)
			return &r->columns[i];
	return NULL;
}

bool ddl_has_key(const struct ddl_relation *r)
{
	for (size_t i = 0; i < r->count; i++)
		if (r->columns[i].key)
			return true;
	return false;
}

/* ---- as text: a line for the table and one a column, fields between tabs ---- */

static void put_name(struct strbuf *b, const char *name)
{
	for (; *name; name++) {
		if (*name == '\t' || *name == '\n' || *name == '\\')
			strbuf_add(b, *name == '\t' ? "\\t" : *name == '\n' ? "\\n" : "\\\\");
		else
			strbuf_addn(b, name, 1);
	}
}

/* Takes back what put_name() did, in place. */
static void unescape(char *text)
{
	char *to = text;
	for (const char *from = text; *from; from++) {
		if (*from != '\\' || !from[1])
			*to++ = *from;
		else
			*to++ = *++from == 't' ? '\t' : *from == 'n' ? '\n' : *from;
	}
	*to = '\0';
}

char *ddl_describe(const struct ddl_relation *r)
{
	struct strbuf b = STRBUF_INIT;
	char lsn[FORMAT_SIZE];
	strbuf_addf(&b, "%" PRIu32 "\t%c\t", r->id, r->identity ? r->identity : 'd');
	put_name(&b, r->schema);
	strbuf_add(&b, "\t");
	put_name(&b, r->name);
	for (size_t i = 0; i < r->count; i++) {
		const struct ddl_column *c = &r->columns[i];
		strbuf_addf(&b, "\n%" PRIu32 "\t%" PRId32 "\t%s\t%s\t", c->type, c->typmod, c->key ? "key" : "",
			c->since ? format_lsn(c->since, lsn) : "");
		put_name(&b, c->name);
	}
	return strbuf_take(&b);
}

#define MOST_FIELDS 5

/* The fields of a line, in place; false unless there are n. */
static bool split(char *line, char *fields[MOST_FIELDS], int n)
{
	for (int i = 0; i < n; i++) {
		fields[i] = line;
		line = strchr(line, '\t');
		if (line)
			*line++ = '\0';
		if (!line != (i == n - 1))
			return false;
	}
	return true;
}

static bool number(const char *text, int64_t least, int64_t most, int64_t *out)
{
	char *end;
	*out = strtoll(text, &end, 10);
	return end > text && *end == '\0' && *out >= least && *out <= most;
}

static bool parse_table(struct ddl_relation *out, char *line)
{
	char *f[MOST_FIELDS];
	int64_t id;
	if (!split(line, f, 4) || !number(f[0], 0, UINT32_MAX, &id) || strlen(f[1]) != 1)
		return false;
	unescape(f[2]);
	unescape(f[3]);
	*out = (struct ddl_relation){ .id = (uint32_t)id, .schema = xstrdup(f[2]), .name = xstrdup(f[3]),
		.identity = f[1][0] };
	return true;
}

static bool parse_column(struct ddl_relation *out, char *line)
{
	char *f[MOST_FIELDS];
	int64_t type, typmod;
	lsn_t since = 0;
	if (!split(line, f, 5) || !number(f[0], 0, UINT32_MAX, &type) ||
		!number(f[1], INT32_MIN, INT32_MAX, &typmod) || (f[3][0] && !lsn_parse(f[3], &since)))
		return false;
	unescape(f[4]);
	ddl_add(out, f[4], (uint32_t)type, (int32_t)typmod, f[2][0] != '\0', since);
	return true;
}

bool ddl_parse(struct ddl_relation *out, const char *text)
{
	char *copy = xstrdup(text), *rest = copy;
	*out = (struct ddl_relation){ 0 };
	bool ok = parse_table(out, strsep(&rest, "\n"));
	while (ok && rest)
		ok = parse_column(out, strsep(&rest, "\n"));
	free(copy);
	if (!ok)
		ddl_free(out);
	return ok;
}

/* ---- what changed ---- */

struct changes {
	struct ddl_change *items;
	size_t count;
};

static void note(struct changes *l, enum ddl_kind kind, const struct ddl_column *before,
	const struct ddl_column *now)
{
	GROW(l->items, l->count);
	l->items[l->count++] = (struct ddl_change){ kind, before, now };
}

static bool same_type(const struct ddl_column *a, const struct ddl_column *b)
{
	return a->type == b->type && a->typmod == b->typmod;
}

/* A message of an earlier place of the log lacks what came later. */
static bool is_missed(const struct ddl_column *before, const struct ddl_relation *now, lsn_t final)
{
	return final > before->since && !ddl_column(now, before->name);
}

/* PostgreSQL adds columns at the end: in the middle a new name of the same type is an old column's. */
static const struct ddl_column *renamed_to(const struct ddl_relation *before, size_t i,
	const struct ddl_relation *now)
{
	if (before->count != now->count)
		return NULL;
	const struct ddl_column *c = &now->columns[i];
	return same_type(c, &before->columns[i]) && !ddl_column(before, c->name) ? c : NULL;
}

static bool is_renamed(const struct ddl_relation *before, const struct ddl_relation *now, size_t i, lsn_t final)
{
	return i < before->count && is_missed(&before->columns[i], now, final) &&
		   renamed_to(before, i, now) == &now->columns[i];
}

static void compare_columns(struct changes *l, const struct ddl_relation *before,
	const struct ddl_relation *now, lsn_t final)
{
	for (size_t i = 0; i < before->count; i++) {
		const struct ddl_column *was = &before->columns[i], *is = ddl_column(now, was->name);
		if (is && !same_type(was, is))
			note(l, DDL_RETYPED, was, is);
		else if (is_missed(was, now, final) && (is = renamed_to(before, i, now)))
			note(l, DDL_COLUMN_RENAMED, was, is);
		else if (is_missed(was, now, final))
			note(l, DDL_DROPPED, was, NULL);
	}
	for (size_t i = 0; i < now->count; i++)
		if (!ddl_column(before, now->columns[i].name) && !is_renamed(before, now, i, final))
			note(l, DDL_ADDED, NULL, &now->columns[i]);
}

size_t ddl_changes(const struct ddl_relation *before, const struct ddl_relation *now, lsn_t final,
	struct ddl_change **out)
{
	struct changes l = { 0 };
	bool renamed = strcmp(before->schema, now->schema) != 0 || strcmp(before->name, now->name) != 0;
	if (renamed)
		note(&l, DDL_RENAMED, NULL, NULL);
	else if (before->id && now->id && before->id != now->id)
		note(&l, DDL_REPLACED, NULL, NULL);
	if (now->identity == 'n' || (ddl_has_key(before) && !ddl_has_key(now)))
		note(&l, DDL_NO_IDENTITY, NULL, NULL);
	compare_columns(&l, before, now, final);
	*out = l.items;
	return l.count;
}

void ddl_merge(struct ddl_relation *out, const struct ddl_relation *before, const struct ddl_relation *now,
	lsn_t final)
{
	*out = (struct ddl_relation){ .id = now->id, .schema = xstrdup(now->schema), .name = xstrdup(now->name),
		.identity = now->identity };
	for (size_t i = 0; i < now->count; i++) {
		const struct ddl_column *c = &now->columns[i], *was = ddl_column(before, c->name);
		ddl_add(out, c->name, c->type, c->typmod, c->key, was ? was->since : final);
	}
	for (size_t i = 0; i < before->count; i++) {
		const struct ddl_column *c = &before->columns[i];
		if (!ddl_column(now, c->name) && c->since >= final)
			ddl_add(out, c->name, c->type, c->typmod, c->key, c->since);
	}
}
