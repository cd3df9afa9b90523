// SPDX-License-Identifier: PostgreSQL
#include "visible.h"

#include <ctype.h>
#include <stdlib.h>

struct visible {
	uint64_t xmin, xmax;
	uint64_t *running; /* in rising order, as the server prints them */
	size_t count;
};

static bool take_number(const char **at, char separator, uint64_t *out)
{
	char *end;
	if (!isdigit((unsigned char)**at))
		return false;
	*out = strtoull(*at, &end, 10);
	if (separator && *end != separator)
		return false;
	*at = separator ? end + 1 : end;
	return true;
}

struct visible *visible_new(const char *snapshot)
{
	struct visible *v = xcalloc(1, sizeof(*v));
	uint64_t xid;
	bool ok = take_number(&snapshot, ':', &v->xmin) && take_number(&snapshot, ':', &v->xmax);
	while (ok && *snapshot) {
		ok = take_number(&snapshot, '\0', &xid) && (*snapshot == '\0' || *snapshot == ',');
		if (!ok)
			break;
		snapshot += *snapshot == ',';
		GROW(v->running, v->count);
		v->running[v->count++] = xid;
	}
	if (ok)
		return v;
	visible_free(v);
	return NULL;
}

void visible_free(struct visible *v)
{
	if (!v)
		return;
	free(v->running);
	free(v);
}

/* The 64-bit number that is nearest to the snapshot's. */
static uint64_t widen(const struct visible *v, uint32_t xid)
{
	int32_t distance = (int32_t)(xid - (uint32_t)v->xmax);
	return v->xmax + (uint64_t)(int64_t)distance;
}

bool visible_sees(const struct visible *v, uint32_t xid)
{
	uint64_t x = widen(v, xid);
	if (x < v->xmin || x >= v->xmax)
		return x < v->xmin;
	for (size_t low = 0, high = v->count; low < high;) {
		size_t middle = (low + high) / 2;
		if (v->running[middle] == x)
			return false;
		if (v->running[middle] < x)
			low = middle + 1;
		else
			high = middle;
	}
	return true;
}
