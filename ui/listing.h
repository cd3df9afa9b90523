// SPDX-License-Identifier: PostgreSQL
/* A table for people on stdout: columns as wide as their widest cell, sanitised. */
#ifndef LISTING_H
#define LISTING_H

#include <pgpier/base.h>

#include <stdio.h>

struct listing {
	const char *titles; /* "NAME SIZE> STATUS": > marks numbers, which stand at the right */
	struct strings cells;
};

void listing_add(struct listing *l, const char *cell); /* row by row; NULL and "" print a dash */
void listing_print(struct listing *l, FILE *out);      /* frees the cells */

#endif
