// SPDX-License-Identifier: PostgreSQL
#include "facts.h"

#include <stdlib.h>
#include <string.h>

#include "../pg/provider.h"

#define SINCE_SET_OPTION 160000 /* a member may be one who can't SET ROLE */

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* In strcmp's order, whatever the server's collation. */
static void sort(struct strings *l)
{
	if (l->count > 0)
		qsort(l->items, l->count, sizeof(char *), compare_texts);
}

static bool read_names(struct pg *c, const char *sql, struct strings *out, struct error *e)
{
	struct rows *r = PG_ROWS(c, e, sql);
	for (int i = 0; r && i < rows_count(r); i++)
		strings_add(out, rows_text(r, i, 0));
	sort(out);
	rows_free(r);
	return r != NULL;
}

static bool read_superuser(struct pg *target, bool *out, struct error *e)
{
	struct rows *r = PG_ROWS(target, e, "SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user");
	*out = r && rows_count(r) > 0 && rows_bool(r, 0, 0);
	rows_free(r);
	return r != NULL;
}

static bool read_roles(struct pg *target, struct choose_facts *out, struct error *e)
{
	const char *held = pg_version(target) >= SINCE_SET_OPTION
		? "SELECT rolname FROM pg_catalog.pg_roles WHERE pg_catalog.pg_has_role(oid, 'SET')"
		: "SELECT rolname FROM pg_catalog.pg_roles WHERE pg_catalog.pg_has_role(oid, 'MEMBER')";
	return read_superuser(target, &out->superuser, e) &&
		   read_names(target, "SELECT rolname FROM pg_catalog.pg_roles", &out->roles, e) &&
		   read_names(target, held, &out->roles_held, e);
}

static bool read_extensions(struct pg *target, struct choose_facts *out, struct error *e)
{
	return read_names(target,
		"SELECT name FROM pg_catalog.pg_available_extensions UNION SELECT extname FROM pg_catalog.pg_extension",
		&out->extensions, e);
}

/* Tables and functions: what grants are changed on. */
static bool read_members(struct pg *source, struct choose_facts *out, struct error *e)
{
	return read_names(source,
		"SELECT n.nspname || '.' || c.relname FROM pg_catalog.pg_depend d"
		" JOIN pg_catalog.pg_class c ON d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND c.oid = d.objid"
		" JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE d.deptype = 'e'"
		" UNION SELECT n.nspname || '.' || p.proname FROM pg_catalog.pg_depend d"
		" JOIN pg_catalog.pg_proc p ON d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND p.oid = d.objid"
		" JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace WHERE d.deptype = 'e'",
		&out->extension_members, e);
}

static bool read_profile(struct pg *source, struct choose_facts *out, struct error *e)
{
	enum provider p;
	if (!provider_read(source, &p, e))
		return false;
	out->profile = provider_profile(p);
	return true;
}

bool choose_facts_read(struct pg *source, struct pg *target, const struct schema_table *tables, size_t count,
	struct choose_facts *out, struct error *e)
{
	*out = (struct choose_facts){ 0 };
	for (size_t i = 0; i < count; i++) {
		char *name = xasprintf("%s.%s", tables[i].source_schema, tables[i].source_name);
		strings_add(&out->tables, name);
		free(name);
	}
	sort(&out->tables);
	bool ok = read_roles(target, out, e) && read_extensions(target, out, e) && read_members(source, out, e) &&
			  read_profile(source, out, e);
	if (!ok)
		choose_facts_free(out);
	return ok;
}

void choose_facts_free(struct choose_facts *f)
{
	strings_free(&f->roles);
	strings_free(&f->roles_held);
	strings_free(&f->extensions);
	strings_free(&f->tables);
	strings_free(&f->extension_members);
	*f = (struct choose_facts){ 0 };
}
