// SPDX-License-Identifier: PostgreSQL
/* Making the objects of a dump on the target, one behind the other on one connection.
 *
 * They come in the dump's order, some forty to a transaction and round trip, each with its mark in the store.
 * When one of a transaction fails, each of it is made alone. Those that failed are tried again after the others,
 * until a round makes nothing more: a definition may need what no catalog knows of. Then each has failed with the
 * server's words, or is blocked by one that has; nothing else is held up.
 *
 * Foreign keys, and checks that come after the rows, are made NOT VALID: restore_validate() looks at the rows, when
 * and beside what its caller wants. */
#ifndef SCHEMA_RESTORE_H
#define SCHEMA_RESTORE_H

#include "../pg/conn.h"
#include "../store/objects.h"
#include "columns.h"

/* Belongs to one thread, but for restore_validate() and restore_alone(), which may run on several objects at once. */
struct restore {
	int64_t mirror;               /* in the store */
	char *settings;               /* what a session sets first, a statement a line */
	struct store_object *objects; /* by id, which is their order */
	size_t count;
	struct renamed_tables renamed; /* whoever set it frees it */
	/* The states of these have changed; called by whoever changed them. */
	void (*told)(void *arg, const size_t *indexes, size_t n);
	void *arg;
};

void restore_free(struct restore *r); /* what it owns; then it is empty */
/* Of a session that makes objects: the dump's settings, as far as the target knows them. */
bool restore_session(const struct restore *r, struct pg *target, struct error *e) MUST_CHECK;
/* Makes those of the list, rising indexes, that are not made yet. What the server refuses is a state of its object;
 * false only when nothing more can be done now: the connection was lost, somebody stops. */
bool restore_make(struct restore *r, struct pg *target, const size_t *list, size_t n, struct error *e) MUST_CHECK;
/* One that needs nothing of what others make at the same time. */
bool restore_alone(struct restore *r, struct pg *target, size_t index, struct error *e) MUST_CHECK;
/* A MAKING constraint's rows are looked at: then it is DONE, or FAILED and stays NOT VALID. */
bool restore_validate(struct restore *r, struct pg *target, size_t index, struct error *e) MUST_CHECK;
/* Those of the list have failed, or can't be made yet, for a reason that somebody else found. */
bool restore_set(struct restore *r, struct pg *target, const size_t *list, size_t n, enum object_state state,
	const struct error *why, struct error *e) MUST_CHECK;

/* Did it fail because the target has such an object, which stays as it is? */
bool restore_exists(struct pg *target, const struct store_object *o, const struct error *e);
struct store_object *restore_find(const struct restore *r, int id); /* NULL: there is none */
/* Is there something to run that was not run yet? */
bool restore_is_open(const struct store_object *o);
bool restore_is_kind(const struct store_object *o, const char *kind);
/* What a statement that adds a constraint names, on the target. Pure. */
struct restore_constraint {
	char schema[NAME_SIZE], table[NAME_SIZE], name[NAME_SIZE];
};
bool restore_constraint(const char *sql, struct restore_constraint *out);
/* The statement that makes a constraint NOT VALID; NULL when it is that already, or can't be: foreign keys of
 * partitioned tables are checked as they are made before 18. Pure; the caller frees. */
char *restore_not_valid(const char *kind, const char *sql, int target_version);
/* A foreign key that is checked against all rows as it is made. Pure. */
bool restore_is_slow(const struct store_object *o, int target_version);

#endif
