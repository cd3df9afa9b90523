// SPDX-License-Identifier: PostgreSQL
/* The filter of a schema's objects: words, all of which must hold.
 *
 *   orders           kind or name contains it (case counts once a letter is upper)
 *   kind:index       the kind contains it
 *   name:sales.      the name contains it
 *   state:failed     the state begins with it
 *   !word            any of these, turned round */
#ifndef PGPIER_UI_OBJECT_FILTER_H
#define PGPIER_UI_OBJECT_FILTER_H

#include <pgpier/model.h>

struct object_filter {
	struct object_word *words;
	size_t count;
};

struct object_filter object_filter_parse(const char *text);
void object_filter_free(struct object_filter *f);
bool object_filter_takes(
	const struct object_filter *f, const char *kind, const char *name, enum object_state state);

#endif
