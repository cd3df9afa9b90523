// SPDX-License-Identifier: PostgreSQL
#include "pool.h"

#include <pthread.h>
#include <stdlib.h>

struct task {
	void (*run)(void *arg);
	void *arg;
	struct task *next;
};

struct pool {
	pthread_mutex_t lock;
	pthread_cond_t moved;
	/* the following are protected by lock */
	struct task *first, **last;
	bool ending;
	/* immutable */
	int threads;
	pthread_t thread[];
};

static struct task *take(struct pool *p)
{
	pthread_mutex_lock(&p->lock);
	while (!p->first && !p->ending)
		pthread_cond_wait(&p->moved, &p->lock);
	struct task *t = p->first;
	if (t && !(p->first = t->next))
		p->last = &p->first;
	pthread_mutex_unlock(&p->lock);
	return t;
}

static void *pool_main(void *arg)
{
	struct task *t;
	while ((t = take(arg))) {
		t->run(t->arg);
		free(t);
	}
	return NULL;
}

struct pool *pool_new(int threads)
{
	struct pool *p = xcalloc(1, sizeof(*p) + (size_t)threads * sizeof(pthread_t));
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->moved, NULL);
	p->last = &p->first;
	while (p->threads < threads && pthread_create(&p->thread[p->threads], NULL, pool_main, p) == 0)
		p->threads++;
	if (p->threads == 0)
		abort();
	return p;
}

void pool_free(struct pool *p)
{
	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	p->ending = true;
	pthread_cond_broadcast(&p->moved);
	pthread_mutex_unlock(&p->lock);
	for (int i = 0; i < p->threads; i++)
		pthread_join(p->thread[i], NULL);
	pthread_mutex_destroy(&p->lock);
	pthread_cond_destroy(&p->moved);
	free(p);
}

void pool_submit(struct pool *p, void (*run)(void *arg), void *arg)
{
	struct task *t = xmalloc(sizeof(*t));
	*t = (struct task){ run, arg, NULL };
	pthread_mutex_lock(&p->lock);
	*p->last = t;
	p->last = &t->next;
	pthread_cond_signal(&p->moved);
	pthread_mutex_unlock(&p->lock);
}
