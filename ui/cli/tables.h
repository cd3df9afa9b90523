// SPDX-License-Identifier: PostgreSQL
/* Walks the tables of a mirror in a few copies at a time: a mirror may have 50,000 of them. */
#ifndef TABLES_H
#define TABLES_H

#include <pgpier/json.h>
#include <pgpier/model.h>

#define TABLES_WINDOW 16

struct tables {
	struct model *model;
	const char *mirror;
	size_t first;     /* index of window[0] */
	size_t count, at; /* filled, and the next to give */
	struct table_view window[TABLES_WINDOW];
};

/* Borrowed until the next call; NULL after the last. Start from { .model = m, .mirror = name }. */
const struct table_view *tables_next(struct tables *t);

/* The object of `run` and `status MIRROR`: the mirror, its tables and all errors. */
void tables_shape(struct json *j, struct model *model, const struct mirror_view *m);

#endif
