// SPDX-License-Identifier: PostgreSQL
/* How far a mirror's large objects are copied, as one of its steps. */
#ifndef STORE_LARGE_H
#define STORE_LARGE_H

#include "store.h"

/* All up to *last are on the target (0: none are); *done: all there are. */
bool store_large_objects_read(struct pg *target, int64_t id, int64_t *last, bool *done, struct error *e) MUST_CHECK;
/* To append to the transaction that made them; ends with ';'. */
void store_sql_large_objects(struct strbuf *sql, int64_t id, int64_t last, bool done);

#endif
