// SPDX-License-Identifier: PostgreSQL
/* Statements that wait for their time, among the mirror's steps. */
#include <stdio.h>

#include "store.h"

void store_sql_later(struct strbuf *sql, int64_t id, const char *statement)
{
	strbuf_addf(sql, "INSERT INTO pgpier.steps (mirror_id, kind, name) VALUES (%lld, 'later', ", (long long)id);
	quote_literal(sql, statement);
	strbuf_add(sql, ") ON CONFLICT DO NOTHING;");
}

bool store_later_read(struct pg *target, int64_t id, struct strings *statements, struct error *e)
{
	char number[24];
	snprintf(number, sizeof(number), "%lld", (long long)id);
	struct rows *r = PG_ROWS(target, e,
		"SELECT name FROM pgpier.steps WHERE mirror_id = $1 AND kind = 'later' ORDER BY done_at, name", number);
	for (int i = 0; r && i < rows_count(r); i++)
		strings_add(statements, rows_text(r, i, 0));
	rows_free(r);
	return r != NULL;
}

bool store_later_run(struct pg *target, int64_t id, const char *statement, struct error *e)
{
	struct strbuf sql = STRBUF_INIT;
	strbuf_addf(&sql, "BEGIN; %s; DELETE FROM pgpier.steps WHERE mirror_id = %lld AND kind = 'later' AND name = ",
		statement, (long long)id);
	quote_literal(&sql, statement);
	strbuf_add(&sql, "; COMMIT");
	bool ok = pg_run(target, e, sql.text);
	strbuf_free(&sql);
	if (!ok)
		pg_rollback(target);
	return ok;
}
