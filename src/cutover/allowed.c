// SPDX-License-Identifier: PostgreSQL
#include "allowed.h"

struct rows *query_allowed(struct pg *c, const struct strings *allow, const char *sql, struct error *e)
{
	struct strbuf names = STRBUF_INIT;
	quote_array(&names, allow ? allow->count : 0, allow ? (const char *const *)allow->items : NULL);
	struct rows *r = PG_ROWS(c, e, sql, names.text);
	strbuf_free(&names);
	return r;
}
