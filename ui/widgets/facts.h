// SPDX-License-Identifier: PostgreSQL
/* Labelled facts about one object: a narrow column of labels, values wrapped beside it. */
#ifndef PGPIER_WIDGETS_FACTS_H
#define PGPIER_WIDGETS_FACTS_H

#include "canvas.h"

#define FACTS_MAX 40

struct facts {
	struct {
		const char *label; /* borrowed; NULL: a heading or a line of its own, "" an empty line */
		enum role role;
		char *text; /* owned */
	} items[FACTS_MAX];
	int count;
	int top; /* first line drawn */
};

void facts_clear(struct facts *f);
void facts_add(struct facts *f, const char *label, enum role role, const char *fmt, ...)
	PG_PRINTF(4, 5);
void facts_gap(struct facts *f);
/* Draws from f->top on; returns how many lines there are in all. */
int facts_render(const struct facts *f, const struct canvas *c);

#endif
