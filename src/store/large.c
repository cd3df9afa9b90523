// SPDX-License-Identifier: PostgreSQL
#include "large.h"

#include <stdlib.h>

#include "inside.h"

#define KIND "large objects"

bool store_large_objects_read(struct pg *target, int64_t id, int64_t *last, bool *done, struct error *e)
{
	char *mirror = number(id);
	struct rows *r = PG_ROWS(target, e,
		"SELECT split_part(name, ' ', 1)::int8, split_part(name, ' ', 2) = 'all' FROM pgpier.steps"
		" WHERE mirror_id = $1 AND kind = '" KIND "'", mirror);
	bool any = r && rows_count(r) > 0;
	*last = any ? rows_int(r, 0, 0) : 0;
	*done = any && rows_bool(r, 0, 1);
	rows_free(r);
	free(mirror);
	return r != NULL;
}

void store_sql_large_objects(struct strbuf *sql, int64_t id, int64_t last, bool done)
{
	strbuf_addf(sql, "DELETE FROM pgpier.steps WHERE mirror_id = %lld AND kind = '" KIND "';"
		"INSERT INTO pgpier.steps (mirror_id, kind, name) VALUES (%lld, '" KIND "', '%lld%s');",
		(long long)id, (long long)id, (long long)last, done ? " all" : "");
}
