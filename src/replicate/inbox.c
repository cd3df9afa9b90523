// SPDX-License-Identifier: PostgreSQL
#include "inbox.h"

#include <stdlib.h>

struct inbox {
	struct queue *queue;
	struct parcel *first, **last; /* the one at hand, and those that were looked into */
	size_t at;                    /* in the first */
	struct parcel *peeked;        /* NULL: nothing was taken yet */
	size_t peeked_at;
	size_t kept;
};

struct inbox *inbox_new(struct queue *queue)
{
	struct inbox *i = xcalloc(1, sizeof(*i));
	i->queue = queue;
	i->last = &i->first;
	return i;
}

static void drop_first(struct inbox *i)
{
	struct parcel *gone = i->first;
	i->kept -= gone->size;
	i->first = gone->next;
	if (!i->first)
		i->last = &i->first;
	i->at = 0;
	free(gone);
}

void inbox_free(struct inbox *i)
{
	if (!i)
		return;
	while (i->first)
		drop_first(i);
	free(i);
}

static bool take_parcel(struct inbox *i)
{
	struct parcel *p = queue_take(i->queue);
	if (!p)
		return false;
	p->next = NULL;
	*i->last = p;
	i->last = &p->next;
	i->kept += p->size;
	return true;
}

bool inbox_next(struct inbox *i, struct record *out)
{
	for (;;) {
		if (i->first && parcel_next(i->first, &i->at, out))
			return true;
		if (i->first)
			drop_first(i);
		else if (!take_parcel(i))
			return false;
	}
}

void inbox_rewind(struct inbox *i)
{
	i->peeked = i->first;
	i->peeked_at = i->at;
}

bool inbox_peek(struct inbox *i, struct record *out)
{
	for (;;) {
		if (i->peeked && parcel_next(i->peeked, &i->peeked_at, out))
			return true;
		if ((!i->peeked || !i->peeked->next) && !take_parcel(i))
			return false;
		i->peeked = i->peeked ? i->peeked->next : i->first;
		i->peeked_at = 0;
	}
}

size_t inbox_kept(const struct inbox *i)
{
	return i->kept;
}
