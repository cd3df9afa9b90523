// SPDX-License-Identifier: PostgreSQL
/* The objects of a mirror's schema, in pgpier.objects on the target: what there is to make, what was made,
 * what failed and why. An object and its mark are made in one transaction. */
#ifndef STORE_OBJECTS_H
#define STORE_OBJECTS_H

#include "store.h"

struct store_object {
	int id;             /* of the dump: needs name it */
	bool post;
	char *kind, *schema, *name, *owner;
	char *table;        /* schema.table of the source it belongs to; NULL none */
	char *sql;          /* with its settings in front; NULL: nothing to run (left out) */
	char *give_sql;     /* NULL none */
	int *needs;
	size_t need_count;
	enum object_state state; /* include/pgpier/model.h */
	char *text;         /* why it failed, was left out, or what of it was */
	char *next;         /* what to do; NULL */
	char sqlstate[6];
	int64_t took_us;
};
void store_object_free(struct store_object *o); /* what it owns */

/* All of a mirror's at once, inside the caller's transaction. */
bool store_objects_write(struct pg *target, int64_t id, const struct store_object *o, size_t n, struct error *e)
	MUST_CHECK;
/* In order of section and id. n = 0: none were written yet. */
bool store_objects_read(struct pg *target, int64_t id, struct store_object **out, size_t *n, struct error *e)
	MUST_CHECK;
/* To append to the transaction that made it; ends with ';'. */
void store_sql_object_done(struct strbuf *sql, int64_t id, int object, int64_t took_us);
bool store_object_state(struct pg *target, int64_t id, int object, enum object_state state, const struct error *why,
	struct error *e) MUST_CHECK;

#endif
