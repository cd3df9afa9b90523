// SPDX-License-Identifier: PostgreSQL
/* The result: made once, then shared by any number of holders. */
#include <stdlib.h>

#include "../shared.h"
#include "verification.h"

const char *const verify_level_names[] = { "counts", "checksum", "sample", "full", NULL };

const char *verify_verdict_name(enum verify_verdict v)
{
	static const char *const names[] = { "equal", "differs", "not verified" };
	return names[v];
}

struct verification *verification_new(void)
{
	return shared_new(sizeof(struct verification));
}

struct verification *verification_hold(const struct verification *v)
{
	return shared_hold(v);
}

static void values_free(struct verify_value *values, size_t n)
{
	for (size_t i = 0; values && i < n; i++)
		free(values[i].text);
	free(values);
}

static void row_free(struct verify_row *r, size_t columns)
{
	values_free(r->source, columns);
	values_free(r->target, columns);
	free(r->differs);
	free(r->source_place);
	free(r->target_place);
}

static void table_free(struct verify_table *t)
{
	for (size_t i = 0; i < t->row_count; i++)
		row_free(&t->rows[i], t->columns.count);
	free(t->rows);
	free(t->source);
	free(t->target);
	free(t->why);
	free(t->files);
	free(t->key);
	free(t->repair_error);
	strings_free(&t->columns);
	strings_free(&t->unverified);
}

static void sequence_free(struct verify_sequence *s)
{
	free(s->source);
	free(s->target);
	free(s->note);
}

static void moment_free(struct verify_moment *m)
{
	free(m->peer);
	free(m->version);
	free(m->lsn);
}

void verification_release(const struct verification *shared)
{
	struct verification *v = shared_drop(shared);
	if (!v)
		return;
	for (size_t i = 0; i < v->table_count; i++)
		table_free(&v->tables[i]);
	for (size_t i = 0; i < v->sequence_count; i++)
		sequence_free(&v->sequences[i]);
	moment_free(&v->source);
	moment_free(&v->target);
	free(v->tables);
	free(v->sequences);
	verification_release(v->after);
	free(v->mirror);
	free(v->only);
	free(v->how);
	strings_free(&v->notes);
	shared_free(v);
}
