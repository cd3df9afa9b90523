// SPDX-License-Identifier: PostgreSQL
/* A few threads for the engine's short tasks: probes, lists, checks. First in, first out. Any thread. */
#ifndef POOL_H
#define POOL_H

#include <pgpier/base.h>

struct pool;

struct pool *pool_new(int threads);
/* Waits for the tasks that run, and for those that wait: raise their stop first. */
void pool_free(struct pool *p);
void pool_submit(struct pool *p, void (*run)(void *arg), void *arg);

#endif
