// SPDX-License-Identifier: PostgreSQL
#include "facts.h"

#include <stdlib.h>

#include "../../pg/known_roles.h"
#include "../../pg/provider.h"

static bool read_names(struct pg *c, const char *sql, struct strings *out, struct error *e)
{
	struct rows *r = PG_ROWS(c, e, sql);
	for (int i = 0; r && i < rows_count(r); i++)
		strings_add(out, rows_text(r, i, 0));
	strings_sort(out);
	rows_free(r);
	return r != NULL;
}

static bool read_roles(struct pg *target, struct choose_facts *out, struct error *e)
{
	struct known_roles roles;
	if (!known_roles_read(target, &roles, e))
		return false;
	strings_copy(&out->roles, &roles.all);
	strings_copy(&out->roles_held, &roles.held);
	out->superuser = roles.superuser;
	known_roles_free(&roles);
	return true;
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
	strings_sort(&out->tables);
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
