// SPDX-License-Identifier: PostgreSQL
/* The statements that write to a table: their texts, and which of them the target has prepared. */
#ifndef REPLICATE_STATEMENTS_H
#define REPLICATE_STATEMENTS_H

#include "../pg/pipeline.h"
#include "relations.h"

enum statement_kind {
	/* Of many rows: each parameter is an array with a column of all of them. */
	SET_DELETE,
	SET_MARK,  /* soft delete */
	SET_CLEAR, /* rows marked as deleted whose keys come anew */
	SET_UPDATE,
	SET_INSERT,
	/* Of one row. */
	ROW_DELETE,
	ROW_MARK,
	ROW_CLEAR,
	ROW_UPDATE,
	ROW_REKEY, /* an update that sets the key, too */
	ROW_MOVE,  /* delete and insert: for columns that no UPDATE may set */
	ROW_INSERT,
};

/* A parameter is a column of the new row or of what identifies the old one. */
struct statement_param {
	uint16_t column;
	bool old;
};

struct statement {
	enum statement_kind kind;
	bool guarded; /* fails by itself (division by zero) unless it finds as many rows as its last parameter */
	uint32_t mask, nulls;
	struct statement_param *params; /* without the guard */
	size_t param_count;
	bool empty; /* nothing to set: not to be sent */

	char name[24];
	bool ready, sent; /* the target has it; its PREPARE is on the way */
	uint64_t used;
	struct relation *relation;
	struct statement *next; /* of the same relation */
};

struct statements;

struct statements *statements_new(int server_version);
void statements_free(struct statements *l);

/* The statement, made when there is none yet; mask and nulls are of the relation's masks, for the kinds that
 * depend on them (else 0). */
struct statement *statements_get(struct statements *l, struct relation *r, enum statement_kind kind,
	bool guarded, uint32_t mask, uint32_t nulls);
/* Executes it, after preparing it if need be. */
void statements_execute(struct statements *l, struct pipeline *p, struct statement *s,
	const char *const *values, uint64_t tag);
/* Behind each pipeline_end(). */
void statements_settle(struct statements *l);
/* Of a relation that goes; and of those long unused: sends DEALLOCATE. While nothing is on the way. */
void statements_forget(struct statements *l, struct pipeline *p, struct relation *r, uint64_t tag);
void statements_trim(struct statements *l, struct pipeline *p, uint64_t tag);

#endif
