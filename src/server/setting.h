// SPDX-License-Identifier: PostgreSQL
/* One line of pg_settings, and how two of them compare: servers of different versions count the
 * same thing in different units, and write the same list with other spaces. Pure, but for
 * settings_read(). */
#ifndef SERVER_SETTING_H
#define SERVER_SETTING_H

#include "../pg/conn.h"

struct setting {
	char *name;
	char *value;    /* what a new session of our role gets, in `unit` */
	char *unit;     /* "8kB", "ms"; empty: none */
	char *vartype;  /* bool integer real string enum */
	char *context;  /* internal postmaster sighup ... user */
	char *origin;   /* pg_settings.source: "default", "configuration file", "database" ... */
	char *boot;     /* the default that is built in */
	char *describe; /* the server's own sentence */
	bool pending;   /* the file says otherwise since the last start */
};

/* All that our role may see, by name in byte order. */
struct settings {
	struct setting *items;
	size_t count;
	bool whole; /* our role sees those that are kept from others, too */
};
bool settings_read(struct pg *c, struct settings *out, struct error *e) MUST_CHECK;
void settings_free(struct settings *s);

/* Built in, or worked out by the server when it starts; nobody has set it. */
bool setting_is_default(const struct setting *s);
bool setting_same(const struct setting *a, const struct setting *b);
/* Below 0 when a is less than b in a common unit, above when it is more; 0 when they are no such
 * numbers. */
int setting_order(const struct setting *a, const struct setting *b);
/* "128MB", "5min", "on": as a person writes it. The caller frees. */
char *setting_text(const struct setting *s);
/* What stands behind SET name =, quoted; a list item by item. */
void setting_quote(struct strbuf *out, const struct setting *s);

#endif
