// SPDX-License-Identifier: PostgreSQL
#include "setting.h"

#include <stdlib.h>
#include <string.h>

#define PG_HAS_PENDING_RESTART 90500
#define PG_HAS_READ_ALL_SETTINGS 100000

enum { NAME, VALUE, UNIT, VARTYPE, CONTEXT, ORIGIN, BOOT, DESCRIBE, RESET, PENDING };

/* Without operators and functions: search_path is the role's own while this runs. */
#define SETTINGS_SQL                                                                               \
	"SELECT name, setting, unit, vartype, context, source, boot_val, short_desc, reset_val, %s"    \
	" FROM pg_catalog.pg_settings ORDER BY name COLLATE pg_catalog.\"C\""

static struct setting read_setting(const struct rows *r, int row)
{
	/* That is ours in every session, so that we can read the rest. */
	bool ours = strcmp(rows_text(r, row, NAME), "client_encoding") == 0;
	return (struct setting){
		.name = xstrdup(rows_text(r, row, NAME)),
		.value = xstrdup(rows_text(r, row, ours ? RESET : VALUE)),
		.unit = xstrdup(rows_text(r, row, UNIT)),
		.vartype = xstrdup(rows_text(r, row, VARTYPE)),
		.context = xstrdup(rows_text(r, row, CONTEXT)),
		.origin = xstrdup(ours ? "default" : rows_text(r, row, ORIGIN)),
		.boot = xstrdup(rows_text(r, row, BOOT)),
		.describe = xstrdup(rows_text(r, row, DESCRIBE)),
		.pending = rows_bool(r, row, PENDING),
	};
}

static bool ask(struct pg *c, struct settings *out, struct error *e)
{
	char *sql = xasprintf(
		SETTINGS_SQL, pg_version(c) >= PG_HAS_PENDING_RESTART ? "pending_restart" : "false");
	struct rows *r = PG_ROWS(c, e, sql);
	free(sql);
	if (!r)
		return false;
	out->count = (size_t)rows_count(r);
	out->items = xcalloc(out->count, sizeof(*out->items));
	for (int i = 0; i < rows_count(r); i++)
		out->items[i] = read_setting(r, i);
	rows_free(r);
	return true;
}

static bool ask_privilege(struct pg *c, bool *whole, struct error *e)
{
	struct rows *r = PG_ROWS(c, e,
		pg_version(c) >= PG_HAS_READ_ALL_SETTINGS
			? "SELECT rolsuper OR pg_catalog.pg_has_role(oid, 'pg_read_all_settings', 'usage')"
			  " FROM pg_catalog.pg_roles WHERE rolname = current_user"
			: "SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user");
	if (r)
		*whole = rows_count(r) == 1 && rows_bool(r, 0, 0);
	rows_free(r);
	return r != NULL;
}

/* Our sessions have settings of their own: they are put back for the look, and return with the
 * rollback. */
bool settings_read(struct pg *c, struct settings *out, struct error *e)
{
	*out = (struct settings){ 0 };
	bool ok = ask_privilege(c, &out->whole, e) &&
			  pg_run(c, e, "BEGIN; RESET ALL; SET LOCAL client_encoding = 'UTF8'") &&
			  ask(c, out, e);
	pg_rollback(c);
	if (!ok)
		settings_free(out);
	return ok;
}

void settings_free(struct settings *s)
{
	for (size_t i = 0; i < s->count; i++) {
		struct setting *t = &s->items[i];
		char *const owned[] = { t->name, t->value, t->unit, t->vartype, t->context, t->origin,
			t->boot, t->describe };
		for (size_t k = 0; k < ARRAY_SIZE(owned); k++)
			free(owned[k]);
	}
	free(s->items);
	*s = (struct settings){ 0 };
}
