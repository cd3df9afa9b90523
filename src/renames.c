// SPDX-License-Identifier: PostgreSQL
#include "renames.h"

#include <stdlib.h>
#include <string.h>

static const struct column_map *find(const struct renames *r, const char *source)
{
	for (size_t i = 0; r && i < r->count; i++)
		if (strcmp(r->items[i].source, source) == 0)
			return &r->items[i];
	return NULL;
}

void renames_add(struct renames *r, const char *source, const char *target)
{
	if (strcmp(source, target) == 0 || find(r, source))
		return;
	GROW(r->items, r->count);
	r->items[r->count++] = (struct column_map){ xstrdup(source), xstrdup(target) };
}

void renames_merge(struct renames *r, const struct renames *more)
{
	for (size_t i = 0; more && i < more->count; i++)
		renames_add(r, more->items[i].source, more->items[i].target);
}

bool renames_equal(const struct renames *a, const struct renames *b)
{
	bool equal = a->count == b->count;
	for (size_t i = 0; equal && i < a->count; i++)
		equal = strcmp(renames_target(b, a->items[i].source), a->items[i].target) == 0;
	return equal;
}

void renames_free(struct renames *r)
{
	for (size_t i = 0; i < r->count; i++) {
		free(r->items[i].source);
		free(r->items[i].target);
	}
	free(r->items);
	*r = (struct renames){ 0 };
}

const char *renames_target(const struct renames *r, const char *source)
{
	const struct column_map *found = find(r, source);
	return found ? found->target : source;
}

const char *renames_source(const struct renames *r, const char *target)
{
	for (size_t i = 0; r && i < r->count; i++)
		if (strcmp(r->items[i].target, target) == 0)
			return r->items[i].source;
	return find(r, target) ? NULL : target;
}
