// SPDX-License-Identifier: PostgreSQL
#include "lag.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

/* Ten minutes of notes, one a second; of a longer lag the first note stays. */
#define NOTES 600

struct lag {
	_Atomic lsn_t next;   /* the first note that has not passed; 0 none */
	_Atomic lsn_t passed; /* a position may be passed before it is noted */
	pthread_mutex_t lock;
	/* the following are protected by lock */
	struct note {
		lsn_t lsn;
		int64_t asked_us;
	} notes[NOTES];
	size_t first, count; /* a ring */
	double last_s;       /* of the note that passed last; negative none did */
};

struct lag *lag_new(void)
{
	struct lag *l = xcalloc(1, sizeof(*l));
	pthread_mutex_init(&l->lock, NULL);
	l->last_s = -1;
	return l;
}

void lag_free(struct lag *l)
{
	if (!l)
		return;
	pthread_mutex_destroy(&l->lock);
	free(l);
}

static void settle(struct lag *l, lsn_t lsn)
{
	int64_t now = clock_us();
	pthread_mutex_lock(&l->lock);
	while (l->count > 0 && l->notes[l->first].lsn <= lsn) {
		l->last_s = (double)(now - l->notes[l->first].asked_us) / 1e6;
		l->first = (l->first + 1) % NOTES;
		l->count--;
	}
	atomic_store(&l->next, l->count > 0 ? l->notes[l->first].lsn : 0);
	pthread_mutex_unlock(&l->lock);
}

void lag_note(struct lag *l, lsn_t lsn, int64_t asked_us)
{
	pthread_mutex_lock(&l->lock);
	if (l->count < NOTES)
		l->notes[(l->first + l->count++) % NOTES] = (struct note){ lsn, asked_us };
	else /* the latest ones give way: the oldest is what the lag is measured by */
		l->notes[(l->first + l->count - 1) % NOTES] = (struct note){ lsn, asked_us };
	if (l->count == 1)
		atomic_store(&l->next, lsn);
	pthread_mutex_unlock(&l->lock);
	if (atomic_load(&l->passed) >= lsn)
		settle(l, atomic_load(&l->passed));
}

void lag_passed(struct lag *l, lsn_t lsn)
{
	atomic_store(&l->passed, lsn); /* before next is read: one of the two sees the other */
	lsn_t next = atomic_load(&l->next);
	if (next != 0 && lsn >= next)
		settle(l, lsn);
}

double lag_seconds(struct lag *l)
{
	pthread_mutex_lock(&l->lock);
	double waiting = l->count > 0 ? (double)(clock_us() - l->notes[l->first].asked_us) / 1e6 : 0;
	double lag = l->last_s < 0 && l->count == 0 ? -1 : MAX(waiting, l->last_s);
	pthread_mutex_unlock(&l->lock);
	return lag;
}
