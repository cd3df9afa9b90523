// SPDX-License-Identifier: PostgreSQL
/* How far each table is, for whoever looks on. */
#include <stdlib.h>

#include "inside.h"

void progress_begin(struct verify_run *r)
{
	const char **names = xcalloc(r->table_count, sizeof(*names));
	for (size_t i = 0; i < r->table_count; i++)
		names[i] = r->tables[i].result->source;
	model_verify_tables(r->set->model, r->set->config->name, names, r->table_count);
	free(names);
}

void progress_read(struct verify_run *r, struct compared *t, int side, int64_t rows, int64_t bytes)
{
	pthread_mutex_lock(&r->lock);
	t->rows_read[side] += rows;
	t->bytes_read += bytes;
	pthread_mutex_unlock(&r->lock);
}

void progress_again(struct verify_run *r, struct compared *t)
{
	pthread_mutex_lock(&r->lock);
	t->rows_read[SOURCE] = t->rows_read[TARGET] = 0;
	r->view.bytes -= t->bytes_read;
	t->bytes_read = 0;
	pthread_mutex_unlock(&r->lock);
}

static enum verify_state state_of(const struct compared *t)
{
	if (t->phase == PHASE_OVER || (t->failed && !t->began_us))
		return VERIFY_OVER;
	if (!t->began_us)
		return VERIFY_WAITING;
	return t->phase == PHASE_LOCATE || t->phase == PHASE_FETCH || t->phase == PHASE_LOOKUP ? VERIFY_LOCATING
																						  : VERIFY_COMPARING;
}

/* The result is the workers' until the table is over. */
static void describe(const struct compared *t, struct verify_progress *p)
{
	const struct verify_table *out = t->result;
	*p = (struct verify_progress){ .state = state_of(t), .source_rows = -1, .target_rows = -1, .bytes = t->bytes_read,
		.bytes_total = MAX(out->source_bytes, 0) + MAX(out->target_bytes, 0) };
	if (p->state == VERIFY_OVER) {
		p->verdict = out->verdict;
		p->source_rows = out->source_rows;
		p->target_rows = out->target_rows;
		p->differing = out->changed + out->missing + out->extra;
		p->took_s = out->took_s;
	} else if (p->state != VERIFY_WAITING) {
		p->source_rows = t->rows_read[SOURCE];
		p->target_rows = t->rows_read[TARGET];
		p->took_s = (double)(clock_us() - t->began_us) / 1e6;
	}
}

void progress_tell(struct verify_run *r)
{
	struct verify_progress *p = xcalloc(r->table_count, sizeof(*p));
	pthread_mutex_lock(&r->lock);
	for (size_t i = 0; i < r->table_count; i++)
		describe(&r->tables[i], &p[i]);
	pthread_mutex_unlock(&r->lock);
	model_verify_progress_set(r->set->model, r->set->config->name, p, r->table_count);
	free(p);
}
