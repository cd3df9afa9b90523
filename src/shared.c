// SPDX-License-Identifier: PostgreSQL
/* Catalogs, preflights and comparisons: made once, then shared by any number of holders. The count stands in front of
 * the object, so that the contract shows plain structs. */
#include "shared.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct shared {
	atomic_int holders;
	max_align_t object[];
};

static struct shared *shared_of(const void *object)
{
	return (struct shared *)((uintptr_t)object - offsetof(struct shared, object));
}

void *shared_new(size_t size)
{
	struct shared *s = xcalloc(1, sizeof(*s) + size);
	atomic_init(&s->holders, 1);
	return s->object;
}

static bool last_holder(const void *object)
{
	return atomic_fetch_sub(&shared_of(object)->holders, 1) == 1;
}

void *shared_hold(const void *object)
{
	struct shared *s = shared_of(object);
	atomic_fetch_add(&s->holders, 1);
	return s->object;
}

void *shared_drop(const void *object)
{
	return object && last_holder(object) ? shared_of(object)->object : NULL;
}

void shared_free(void *object)
{
	free(shared_of(object));
}

struct catalog *catalog_new(void)
{
	return shared_new(sizeof(struct catalog));
}

struct catalog *catalog_hold(const struct catalog *c)
{
	struct shared *s = shared_of(c);
	atomic_fetch_add(&s->holders, 1);
	return (struct catalog *)s->object;
}

static void catalog_table_free(struct catalog_table *t)
{
	for (size_t i = 0; i < t->column_count; i++) {
		free(t->columns[i].name);
		free(t->columns[i].type);
	}
	free(t->columns);
	free(t->schema);
	free(t->name);
	free(t->refusal);
}

void catalog_release(const struct catalog *c)
{
	if (!c || !last_holder(c))
		return;
	for (size_t i = 0; i < c->table_count; i++)
		catalog_table_free(&c->tables[i]);
	free(c->tables);
	free(c->peer);
	free(shared_of(c));
}

const char *table_note_name(enum table_note note)
{
	switch (note) {
	case NOTE_GENERATED:
		return "generated";
	case NOTE_PARTITIONED:
		return "partitioned";
	case NOTE_PARTITION:
		return "partition";
	case NOTE_UNLOGGED:
		return "unlogged";
	case NOTE_ROW_SECURITY:
		return "row security";
	case NOTE_TRIGGERS:
		return "triggers";
	case NOTE_INHERITS:
		return "inherits";
	case NOTE_NO_SELECT:
		return "no SELECT";
	case NOTE_NO_STATISTICS:
		return "no statistics";
	case NOTE_NO_COLUMNS:
		return "no columns";
	case NOTE_IDENTITY:
		return "identity";
	case NOTE_COUNT:
		break;
	}
	return "";
}

const char *table_key_name(enum table_key key)
{
	static const char *const names[] = { "none!", "PK", "unique", "full" };
	return names[key];
}

struct preflight *preflight_new(void)
{
	return shared_new(sizeof(struct preflight));
}

struct preflight *preflight_hold(const struct preflight *p)
{
	struct shared *s = shared_of(p);
	atomic_fetch_add(&s->holders, 1);
	return (struct preflight *)s->object;
}

void preflight_release(const struct preflight *p)
{
	if (!p || !last_holder(p))
		return;
	for (size_t i = 0; i < p->finding_count; i++) {
		free(p->findings[i].subject);
		free(p->findings[i].text);
		free(p->findings[i].next);
	}
	free(p->findings);
	free(p->mirror);
	strings_free(&(struct strings){ p->plan.items, p->plan.count });
	free(shared_of(p));
}

struct comparison *comparison_new(const char *what, const char *source, const char *target)
{
	struct comparison *c = shared_new(sizeof(*c));
	c->what = xstrdup(what);
	c->source = xstrdup(source);
	c->target = xstrdup(target);
	c->complete = true;
	return c;
}

struct comparison *comparison_hold(const struct comparison *c)
{
	struct shared *s = shared_of(c);
	atomic_fetch_add(&s->holders, 1);
	return (struct comparison *)s->object;
}

static void difference_free(struct difference *d)
{
	free(d->kind);
	free(d->name);
	free(d->source);
	free(d->target);
	free(d->meaning);
	free(d->statement);
}

void comparison_release(const struct comparison *c)
{
	if (!c || !last_holder(c))
		return;
	for (size_t i = 0; i < c->count; i++)
		difference_free(&c->items[i]);
	free(c->items);
	free(c->what);
	free(c->source);
	free(c->target);
	strings_free(&(struct strings){ c->notes.items, c->notes.count });
	free(shared_of(c));
}

struct difference *comparison_add(
	struct comparison *c, enum severity severity, const char *kind, const char *name)
{
	GROW(c->items, c->count);
	c->items[c->count] = (struct difference){ .severity = severity, .kind = xstrdup(kind), .name = xstrdup(name) };
	return &c->items[c->count++];
}

void comparison_note(struct comparison *c, const char *fmt, ...)
{
	va_list args;
	char *text = NULL;
	va_start(args, fmt);
	int n = vasprintf(&text, fmt, args);
	va_end(args);
	strings_add(&c->notes, n < 0 ? fmt : text);
	free(n < 0 ? NULL : text);
}

static int worst_first(const void *a, const void *b)
{
	const struct difference *x = a, *y = b;
	if (x->severity != y->severity)
		return x->severity < y->severity ? 1 : -1;
	int kinds = strcmp(x->kind, y->kind);
	return kinds != 0 ? kinds : strcmp(x->name, y->name);
}

void comparison_sort(struct comparison *c)
{
	if (c->count > 1)
		qsort(c->items, c->count, sizeof(*c->items), worst_first);
}

void comparison_sort_worst(struct comparison *c)
{
	struct difference *sorted = xcalloc(c->count, sizeof(*sorted));
	size_t n = 0;
	for (int s = SEVERITY_BLOCKER; s >= SEVERITY_OK; s--)
		for (size_t i = 0; i < c->count; i++)
			if (c->items[i].severity == (enum severity)s)
				sorted[n++] = c->items[i];
	free(c->items);
	c->items = sorted;
}

const char *severity_name(enum severity s)
{
	static const char *const names[] = { "ok", "note", "warning", "blocker" };
	return names[s];
}
