// SPDX-License-Identifier: PostgreSQL
#include "known_roles.h"

#define SINCE_SET_OPTION 160000 /* a member may be one who can't SET ROLE */

bool known_roles_read(struct pg *c, struct known_roles *out, struct error *e)
{
	*out = (struct known_roles){ 0 };
	struct rows *r = PG_ROWS(c, e,
		"SELECT rolname, pg_catalog.pg_has_role(oid, $1), rolsuper AND rolname = current_user FROM pg_catalog.pg_roles",
		pg_version(c) >= SINCE_SET_OPTION ? "SET" : "MEMBER");
	for (int i = 0; r && i < rows_count(r); i++) {
		strings_add(&out->all, rows_text(r, i, 0));
		if (rows_bool(r, i, 1))
			strings_add(&out->held, rows_text(r, i, 0));
		out->superuser = out->superuser || rows_bool(r, i, 2);
	}
	strings_sort(&out->all);
	strings_sort(&out->held);
	rows_free(r);
	return r != NULL;
}

void known_roles_free(struct known_roles *r)
{
	strings_free(&r->all);
	strings_free(&r->held);
	*r = (struct known_roles){ 0 };
}
