// SPDX-License-Identifier: PostgreSQL
/* The roles of one server, as far as one of its databases is concerned, and what is found when two
 * of them are compared. "There" is on the target: the names that the source's roles have there, by
 * roles_map. */
#ifndef SCHEMA_ROLES_INSIDE_H
#define SCHEMA_ROLES_INSIDE_H

#include "../../pg/provider.h"
#include "roles.h"

#define SINCE_BYPASSRLS 90500
/* Memberships have options of their own, and roles give only what they have. */
#define SINCE_MEMBERSHIP_OPTIONS 160000

enum role_attribute {
	ROLE_SUPERUSER = 1 << 0,
	ROLE_CREATEDB = 1 << 1,
	ROLE_CREATEROLE = 1 << 2,
	ROLE_INHERIT = 1 << 3,
	ROLE_LOGIN = 1 << 4,
	ROLE_REPLICATION = 1 << 5,
	ROLE_BYPASSRLS = 1 << 6,
};

enum role_reach {
	REACH_NOWHERE,   /* it owns nothing and is granted nothing */
	REACH_ELSEWHERE, /* in other databases of its server only */
	REACH_HERE,      /* in the database: it matters */
};

/* The verifier itself is read only when the role is made. */
enum role_password {
	PASSWORD_UNREADABLE,
	PASSWORD_NONE,
	PASSWORD_SCRAM,
	PASSWORD_MD5,
	PASSWORD_PLAIN,
};

struct role {
	int64_t oid;
	char *name; /* on its own server */
	char *there;
	bool left_out;                 /* predefined or the provider's */
	bool bootstrap;                /* the superuser of initdb */
	bool direct, direct_elsewhere; /* it owns or is granted something itself */
	enum role_reach reach;
	unsigned attributes;
	int limit;         /* of connections; negative none */
	char *valid_until; /* NULL: for ever */
	char *comment;     /* NULL: none */
	enum role_password password;
};

struct role_membership {
	const struct role *group, *member;
	bool admin, inherit, set;
};

struct role_setting {
	const struct role *role; /* NULL: everybody */
	bool in_database;        /* in this database alone */
	char *name, *value;
};

struct role_grant {          /* on the database */
	const struct role *role; /* NULL: PUBLIC */
	char *privilege;
	bool grantable;
};

struct role_side {
	int version;
	enum provider provider;
	struct role *roles; /* by oid */
	size_t role_count;
	const struct role **by_there;
	const struct role *self; /* who is connected */
	/* These are sorted by what is there. */
	struct role_membership *memberships;
	size_t membership_count;
	struct role_setting *settings;
	size_t setting_count;
	struct role_grant *grants; /* but those of the database's owner */
	size_t grant_count;
	char *database, *database_comment;
	int database_limit;
	const struct role *owner;
};

/* map: NULL for the target, whose roles are there already. */
bool role_side_read(struct pg *c, const struct mirror_config *map, struct role_side *out,
	struct error *e) MUST_CHECK;
void role_side_free(struct role_side *s);
/* After reading: who is left out, who matters, the order. */
void role_side_sort(struct role_side *s);
/* Does it belong to PostgreSQL or the provider? Pure. */
bool role_is_kept(enum provider provider, const char *name);

/* What is the same there; NULL none. */
const struct role *role_find(const struct role_side *s, const char *there);
const struct role_membership *role_membership_find(
	const struct role_side *s, const struct role_membership *like);
const struct role_setting *role_setting_find(
	const struct role_side *s, const struct role_setting *like);
const struct role_grant *role_grant_find(const struct role_side *s, const struct role_grant *like);

/* ---- statements; the caller frees ---- */

#define VERIFIER_SHOWN " PASSWORD '<verifier of the source>'"
/* " LOGIN NOSUPERUSER": what `attributes` say of `which`. */
void role_add_words(struct strbuf *b, unsigned attributes, unsigned which);
char *role_attributes(const struct role *r); /* "LOGIN CREATEDB CONNECTION LIMIT 5" */
/* Without a password, but one can be appended. */
char *role_sql_create(const struct role *r, unsigned give);
char *role_sql_alter(const struct role *want, const struct role *have);
/* "ADMIN FALSE, INHERIT TRUE, SET TRUE" */
char *role_member_options(const struct role_membership *m);
char *role_sql_member(const struct role_membership *m, int version);
char *role_sql_member_change(const struct role_membership *m, int version);
char *role_sql_member_revoke(const struct role_membership *m);
char *role_sql_set(const struct role_setting *s, const char *database, bool reset);
/* kind: "ROLE", "DATABASE" */
char *role_sql_comment(const char *kind, const char *name, const char *comment);
char *role_sql_grant(const struct role_grant *g, const char *database);
char *role_sql_revoke(const struct role_grant *g, const char *database);

/* ---- comparing ---- */

/* What roles_apply() runs, in this order. */
struct role_step {
	char *kind, *name;   /* of the difference that it mends */
	char *sql;           /* without a password */
	int64_t verifier_of; /* the source's role whose verifier is appended; 0 none */
	char *role;          /* there, that it makes; NULL none */
	char *todo;          /* what remains for a person when it has run; NULL nothing */
};

struct role_work {
	const struct mirror_config *mirror;
	struct role_side source, target;
	struct strings settings_known; /* by the target, sorted; none: it does not tell */
	struct comparison *c;
	struct role_step *steps;
	size_t step_count;
};

/* A difference to add; takes the texts. */
struct role_finding {
	enum severity severity;
	const char *kind;
	char *name, *source, *target, *meaning, *statement;
	bool applies;
};
void role_work_add(struct role_work *w, const struct role_finding *take);

/* Of a work that has its mirror and nothing else. */
bool role_work_compare(
	struct role_work *w, struct pg *source, struct pg *target, struct error *e) MUST_CHECK;
struct comparison *role_work_take(struct role_work *w); /* the caller's from now on */
void role_work_free(struct role_work *w);               /* what it holds */

void roles_compare_roles(struct role_work *w);
void roles_compare_memberships(struct role_work *w);
void roles_compare_settings(struct role_work *w);
void roles_compare_database(struct role_work *w);

/* How much a difference of the role weighs: `full` only if it matters. NULL: everybody. */
enum severity role_weight(const struct role *r, enum severity full);
/* May pgpier make it? Not roles of other databases, and not the first superuser for nothing. */
bool role_applies(const struct role *r);
/* Not those that are left out here or there (have: NULL when the target lacks it), and not a first
 * superuser that nobody misses. */
bool role_is_compared(const struct role *want, const struct role *have);
char *role_title(const struct role *r); /* "app", or "app (app2 on the target)"; "ALL" for NULL */

#endif
