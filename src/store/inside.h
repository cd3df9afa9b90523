// SPDX-License-Identifier: PostgreSQL
/* How the store's own files run a statement. */
#ifndef STORE_INSIDE_H
#define STORE_INSIDE_H

#include <stdlib.h>

#include "../lsn.h"
#include "store.h"

/* The caller of RUN_FREEING owns nothing of what it passes. */
char *number(int64_t n);
/* Runs a statement whose parameters are all made by the caller; frees them. */
bool run_freeing(struct pg *target, struct error *e, int n, char **words);
#define RUN_FREEING(target, e, ...) \
	run_freeing((target), (e), (int)(sizeof((char *[]){ __VA_ARGS__ }) / sizeof(char *)), \
		(char *[]){ __VA_ARGS__ })
/* A statement is a string constant, but the list's items are freed by position, so none is harmed. */
#define SQL(text) ((char *)(uintptr_t)(text))

#endif
