// SPDX-License-Identifier: PostgreSQL
/* The target keeps a plan for each prepared statement, so only the latest few hundred stay. A statement is
 * known by its relation, kind and the columns that it is about. */
#include "statements.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "statement_text.h"

#define MOST_PREPARED 500

struct statements {
	int server_version;
	struct statement **items; /* of all relations */
	size_t count;
	uint64_t clock, names;
};

struct statements *statements_new(int server_version)
{
	struct statements *l = xcalloc(1, sizeof(*l));
	l->server_version = server_version;
	return l;
}

static void free_statement(struct statement *s)
{
	free(s->params);
	free(s);
}

void statements_free(struct statements *l)
{
	if (!l)
		return;
	for (size_t i = 0; i < l->count; i++)
		free_statement(l->items[i]);
	free(l->items);
	free(l);
}

static bool is(const struct statement *s, enum statement_kind kind, bool guarded, uint32_t mask, uint32_t nulls)
{
	return s->kind == kind && s->guarded == guarded && s->mask == mask && s->nulls == nulls;
}

struct statement *statements_get(struct statements *l, struct relation *r, enum statement_kind kind,
	bool guarded, uint32_t mask, uint32_t nulls)
{
	struct statement *s = r->statements;
	while (s && !is(s, kind, guarded, mask, nulls))
		s = s->next;
	if (!s) {
		s = xcalloc(1, sizeof(*s));
		*s = (struct statement){ .kind = kind, .guarded = guarded, .mask = mask, .nulls = nulls,
			.relation = r, .next = r->statements };
		r->statements = s;
		snprintf(s->name, sizeof(s->name), "pgpier_%llu", (unsigned long long)++l->names);
		GROW(l->items, l->count);
		l->items[l->count++] = s;
		struct strbuf text = STRBUF_INIT;
		statement_text(&text, s, l->server_version);
		strbuf_free(&text);
	}
	s->used = ++l->clock;
	return s;
}

void statements_execute(struct statements *l, struct pipeline *p, struct statement *s,
	const char *const *values, uint64_t tag)
{
	if (!s->ready && !s->sent) {
		struct strbuf text = STRBUF_INIT;
		statement_text(&text, s, l->server_version);
		pipeline_prepare(p, s->name, text.text, &s->ready, tag);
		strbuf_free(&text);
		s->sent = true;
	}
	pipeline_execute(p, s->name, (int)s->param_count + s->guarded, values, tag);
}

void statements_settle(struct statements *l)
{
	for (size_t i = 0; i < l->count; i++)
		l->items[i]->sent = false;
}

/* A name is never used twice, so it does no harm when this never gets there. */
static void deallocate(struct pipeline *p, const struct statement *s, uint64_t tag)
{
	char sql[64];
	snprintf(sql, sizeof(sql), "DEALLOCATE %s", s->name);
	if (s->ready)
		pipeline_run(p, sql, tag);
}

static void unlink_statement(struct statement *s)
{
	struct statement **at = &s->relation->statements;
	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
}

static void drop(struct statements *l, size_t i)
{
	unlink_statement(l->items[i]);
	free_statement(l->items[i]);
	l->items[i] = l->items[--l->count];
}

void statements_forget(struct statements *l, struct pipeline *p, struct relation *r, uint64_t tag)
{
	for (size_t i = l->count; i-- > 0;) {
		if (l->items[i]->relation != r)
			continue;
		deallocate(p, l->items[i], tag);
		drop(l, i);
	}
}

static int by_use(const void *a, const void *b)
{
	uint64_t x = (*(struct statement *const *)a)->used, y = (*(struct statement *const *)b)->used;
	return x < y ? 1 : x > y ? -1 : 0;
}

void statements_trim(struct statements *l, struct pipeline *p, uint64_t tag)
{
	if (l->count <= MOST_PREPARED)
		return;
	qsort(l->items, l->count, sizeof(struct statement *), by_use);
	while (l->count > MOST_PREPARED * 3 / 4) {
		deallocate(p, l->items[l->count - 1], tag);
		drop(l, l->count - 1);
	}
}
