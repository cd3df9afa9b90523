// SPDX-License-Identifier: PostgreSQL
/* What the parts of the choice share. */
#ifndef SCHEMA_CHOOSE_INSIDE_H
#define SCHEMA_CHOOSE_INSIDE_H

#include <string.h>

#include "choose.h"
#include "profile.h"

#define NO_ENTRY ((size_t)-1)

/* What is thought of one entry so far. */
struct verdict {
	enum choice choice;
	size_t host; /* what it belongs to: its table, or what it comments and grants; NO_ENTRY none */
	size_t view; /* of a view's own rule; NO_ENTRY */
	size_t root; /* the entry for whose sake it is not made; itself when it is the reason */
	size_t via;  /* the one between; root when there is none */
	char *is;    /* of a root: what is the matter with it, to follow its name: "is none of the mirror's tables" */
	char *says;  /* of a root: the same as a sentence of its own; NULL: `is` will do */
	bool settled;  /* by a rule that nothing overrules */
	bool mine;     /* a table of the mirror's, or one that such a table can't be without */
	bool pulled;   /* the latter */
	bool core;     /* a mirror's table, or something that it can't be without */
	bool attached; /* a partition that is made by itself and attached */
};

struct choosing {
	const struct dump *dump;
	const struct mirror_config *mirror;
	const struct choose_facts *facts;
	struct verdict *verdicts; /* by place in dump->entries */
	size_t *by_id;            /* place + 1 of an id; 0 none */
	int last_id;
};

static inline bool is_kind(const struct dump_entry *e, const char *kind)
{
	return strcmp(e->kind, kind) == 0;
}

bool is_one_of(const char *text, const char *const *list, size_t n);
#define KIND_OF(e, ...) \
	is_one_of((e)->kind, (const char *const[]){ __VA_ARGS__ }, \
		sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))

/* ---- choose_links.c: what belongs to what ---- */

void links_find(struct choosing *c);
void links_free(struct choosing *c);
size_t links_place(const struct choosing *c, int id); /* NO_ENTRY: not in the dump */
bool is_relation(const struct dump_entry *e);
/* A table's keys, indexes, defaults, sequences: what makes it the table it is. */
bool is_core_kind(const struct dump_entry *e);
/* pg_dump's order has e behind n, but e's statements do not name it. */
bool is_soft(const struct choosing *c, size_t e, size_t n);

/* ---- choose_rules.c: what an entry is by itself ---- */

/* Sets choice, is, says of those that a rule is about; the others are CHOICE_MAKE. */
void rules_apply(struct choosing *c);
/* "TABLE app.t", "FUNCTION app.f(integer)" */
char *entry_label(const struct dump_entry *e);
bool is_for_all_tables(const struct dump_entry *e); /* a publication */

/* ---- choose_secrets.c ---- */

/* Its statement without a password: definitions are copied and shown, secrets are neither. */
char *without_secrets(const struct dump_entry *e, bool *any);

/* ---- choose_needs.c: what follows from that ---- */

void needs_pull(struct choosing *c);      /* what the mirror's tables can't be without */
void needs_narrow(struct choosing *c);    /* schema = "tables": all but what belongs to them */
void needs_propagate(struct choosing *c); /* what is left out takes with it what needs it */

/* ---- choose_roles.c ---- */

/* sql with roles by roles_map, without statements that name one the target lacks (or that needs to act as one
 * we can't be); those roles are added. */
char *roles_rewrite(const struct dump_entry *e, const char *sql, const struct mirror_config *m,
	const struct choose_facts *f, struct strings *lacking);
/* "role a", "roles a, b" */
char *roles_listed(const struct strings *roles);
/* give_sql with the role by roles_map, which is given as well; "" when there is none. */
char *roles_owner(const char *give_sql, const struct mirror_config *m, char role[NAME_SIZE]);

/* ---- choose_rename.c: tables that have another name on the target ---- */

struct table_renames;
struct table_renames *table_renames_new(const struct choosing *c); /* NULL: there are none */
void table_renames_free(struct table_renames *r);
/* sql with the target's names; NULL, and *why, when that can't be done safely. */
char *table_renames_apply(const struct table_renames *r, const struct dump_entry *e, const char *sql, char **why);

#endif
