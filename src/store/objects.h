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
	bool wanted;        /* it is made, unless something comes in between; else left out or blocked by choice */
	char *sql;          /* with its settings in front; NULL: nothing to run, the mirror makes it by itself */
	char *give_sql;     /* NULL none */
	int *needs;
	size_t need_count;
	int64_t bytes;      /* of an index on the source, for the order of builds; 0 unknown */
	/* A foreign key or a check that is made NOT VALID and waits for its validation is MAKING. */
	enum object_state state; /* include/pgpier/model.h */
	char *note;         /* what of it was left out on purpose; NULL nothing */
	char *text;         /* why it failed, is blocked or was left out; NULL */
	char *next;         /* what to do; NULL */
	char sqlstate[6];
	int64_t took_us;
	bool kept;          /* it is to be given to its owner, but could not yet; in memory only */
};
void store_object_free(struct store_object *o); /* what it owns */
void store_objects_free(struct store_object *o, size_t n);
/* Its state, and why (NULL: nothing is wrong with it); in memory only. */
void store_object_set(struct store_object *o, enum object_state state, const struct error *why);

/* All of a mirror's at once, inside the caller's transaction. settings: what a session that makes them sets
 * first. */
bool store_objects_write(struct pg *target, int64_t id, const char *settings, const struct store_object *o, size_t n,
	struct error *e) MUST_CHECK;
/* In order of section and id. n = 0: none were written yet. */
bool store_objects_read(struct pg *target, int64_t id, char **settings, struct store_object **out, size_t *n,
	struct error *e) MUST_CHECK;
/* What became of some of them: state, text, next and took_us as they are in memory. */
bool store_objects_states(struct pg *target, int64_t id, const struct store_object *const *o, size_t n,
	struct error *e) MUST_CHECK;
/* What was chosen anew of some of them: statements, state and notes as they are in memory; and more of them. */
bool store_objects_chosen(struct pg *target, int64_t id, const struct store_object *const *o, size_t n,
	struct error *e) MUST_CHECK;
bool store_objects_add(struct pg *target, int64_t id, const struct store_object *const *o, size_t n,
	struct error *e) MUST_CHECK;
/* To append to the transaction that made them; ends with ';'. */
void store_sql_objects_state(struct strbuf *sql, int64_t id, size_t n, const int *objects, enum object_state state,
	int64_t took_us);

#endif
