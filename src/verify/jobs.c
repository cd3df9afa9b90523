// SPDX-License-Identifier: PostgreSQL
/* The jobs of a verification: a queue a side, large tables first. What a table needs next goes to the front, so
 * that tables are finished and their memory let go before others begin. */
#include <stdlib.h>
#include <time.h>

#include "inside.h"

static int largest_first(const void *a, const void *b)
{
	const struct compared *x = *(struct compared *const *)a, *y = *(struct compared *const *)b;
	return (x->weight < y->weight) - (x->weight > y->weight);
}

void jobs_open(struct verify_run *r)
{
	struct compared **order = xcalloc(r->table_count, sizeof(*order));
	size_t n = 0;
	pthread_mutex_lock(&r->lock);
	for (int side = 0; side < SIDES; side++)
		r->last[side] = &r->first[side];
	for (size_t i = 0; i < r->table_count; i++)
		if (!r->tables[i].failed)
			order[n++] = &r->tables[i];
	if (n > 1)
		qsort(order, n, sizeof(*order), largest_first);
	r->open = n;
	for (size_t i = 0; i < n; i++)
		phase_first(r, order[i]);
	pthread_mutex_unlock(&r->lock);
	free(order);
}

void jobs_push(struct verify_run *r, const struct job *job, bool urgent)
{
	struct job *j = xmalloc(sizeof(*j));
	*j = *job;
	j->next = urgent ? r->first[j->side] : NULL;
	if (urgent)
		r->first[j->side] = j;
	else
		*r->last[j->side] = j;
	if (!j->next)
		r->last[j->side] = &j->next;
	pthread_cond_broadcast(&r->moved);
}

struct job *jobs_next(struct verify_run *r, int side)
{
	pthread_mutex_lock(&r->lock);
	while (!r->first[side] && r->open > 0 && !r->closed)
		pthread_cond_wait(&r->moved, &r->lock);
	struct job *j = r->closed ? NULL : r->first[side];
	if (j && !(r->first[side] = j->next))
		r->last[side] = &r->first[side];
	pthread_mutex_unlock(&r->lock);
	return j;
}

bool jobs_ended(struct verify_run *r, struct compared *t)
{
	pthread_mutex_lock(&r->lock);
	bool last = --t->pending == 0;
	pthread_mutex_unlock(&r->lock);
	return last;
}

void jobs_begin_phase(struct verify_run *r, struct compared *t, enum phase phase, int jobs)
{
	pthread_mutex_lock(&r->lock);
	t->phase = phase;
	t->pending = jobs;
	pthread_mutex_unlock(&r->lock);
}

void jobs_table_over(struct verify_run *r, struct compared *t)
{
	struct verify_table *out = t->result;
	out->took_s = t->began_us ? (double)(clock_us() - t->began_us) / 1e6 : 0;
	pthread_mutex_lock(&r->lock);
	t->phase = PHASE_OVER;
	r->open--;
	r->view.tables_done++;
	r->view.differing += out->verdict == VERIFY_DIFFERS;
	r->view.unsure += out->verdict == VERIFY_UNSURE;
	pthread_cond_broadcast(&r->moved);
	pthread_mutex_unlock(&r->lock);
}

bool jobs_wait(struct verify_run *r, int ms)
{
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += (int64_t)ms % 1000 * 1000000;
	until.tv_sec += ms / 1000 + until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_mutex_lock(&r->lock);
	if (r->open > 0)
		pthread_cond_timedwait(&r->moved, &r->lock, &until);
	bool over = r->open == 0;
	pthread_mutex_unlock(&r->lock);
	return over;
}

void jobs_shut(struct verify_run *r)
{
	pthread_mutex_lock(&r->lock);
	r->closed = true;
	pthread_cond_broadcast(&r->moved);
	pthread_mutex_unlock(&r->lock);
}

void jobs_free(struct verify_run *r)
{
	for (int side = 0; side < SIDES; side++)
		for (struct job *j = r->first[side], *next; j; j = next) {
			next = j->next;
			free(j);
		}
}

void jobs_break(struct verify_run *r, const struct error *why)
{
	pthread_mutex_lock(&r->lock);
	r->broken = *why;
	pthread_mutex_unlock(&r->lock);
}

void jobs_fail(struct verify_run *r, struct compared *t, const char *why)
{
	pthread_mutex_lock(&r->lock);
	if (!t->failed) {
		t->result->why = xstrdup(r->broken.class ? r->broken.text : why);
		t->result->verdict = VERIFY_UNSURE;
	}
	t->failed = true;
	pthread_mutex_unlock(&r->lock);
}
