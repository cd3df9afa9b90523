// SPDX-License-Identifier: PostgreSQL
/* Which objects of a dump are made on the target, and why the others are not. Pure: facts in, choice out. */
#ifndef SCHEMA_CHOOSE_H
#define SCHEMA_CHOOSE_H

#include "../dump/dump.h"

enum choice {
	CHOICE_MAKE,
	CHOICE_MIRROR,  /* the mirror makes it itself: in schema = "tables", tables and what schema_plan has */
	CHOICE_LEFT_OUT, /* on purpose: a table that is not chosen, a provider's schema, a publication ... */
	CHOICE_BLOCKED,  /* it needs something that is left out or that the target can't have */
};

struct chosen {
	enum choice choice;
	char *why;      /* of LEFT_OUT and BLOCKED, in words */
	/* Of MAKE: statements after roles_map, without those for roles that the target lacks; "" when there are
	 * none but give_sql (schema public). Of BLOCKED and LEFT_OUT: what it would be, for people. Never with a
	 * password. */
	char *sql;
	char *give_sql; /* also of MIRROR; NULL: it stays whoever's runs this */
	char *dropped;  /* what of it was left out ("grants to role x, which the target lacks"); NULL nothing */
};

/* What the target has and the role may. The lists are sorted. */
struct choose_facts {
	struct strings roles;      /* that exist there */
	struct strings roles_held; /* that what we make can be given to */
	struct strings extensions; /* available or installed */
	struct strings tables;     /* schema.table of the mirror's, as on the source */
	struct strings extension_members; /* schema.name of what an extension brought on the source: a dump
	                                   * names those of which somebody changed the grants */
	bool superuser;
	const char *profile; /* of the source's provider: "rds", "supabase" ...; NULL self-hosted */
};

/* One for each entry of the dump. In schema = "database" everything is made but tables that are not the
 * mirror's with what belongs to them; in "tables" what belongs to the mirror's tables (owners, grants,
 * comments, foreign keys between them, triggers with their functions, rules, policies, statistics), views of
 * nothing but them, and what those need. In "none" nothing. */
struct chosen *choose(const struct dump *d, const struct mirror_config *m, const struct choose_facts *f) MUST_CHECK;
void chosen_free(struct chosen *c, size_t count);

/* Roles in statements by roles_map (quoted identifiers, PUBLIC and CURRENT_USER are left alone); statements
 * that name a role of which exists() is false are dropped into *dropped. */
char *choose_roles(const struct dump_entry *e, const struct mirror_config *m, const struct choose_facts *f,
	char **dropped) MUST_CHECK;

#endif
