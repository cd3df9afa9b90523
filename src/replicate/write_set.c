// SPDX-License-Identifier: PostgreSQL
/* The fast path of larger batches. Each table's net effect goes as a few statements of thousands of rows each: deletes, updates
 * by the columns that they set, inserts; many inserts by COPY. Between tables the order does not matter:
 * the session does not check foreign keys. Where that was not allowed and they object, as with any other
 * conflict, the batch is replayed in source order.
 *
 * A batch that is not large is one round trip with its COMMIT, so its statements check themselves how many rows
 * they found; else the counts are looked at before the COMMIT is sent. */
#include <stdio.h>
#include <stdlib.h>

#include "../load/pipe.h"
#include "encode.h"
#include "statement_text.h"
#include "write.h"

/* Larger sets are slower, because their arrays leave the cache. */
#define SET_ROWS 5000
#define SET_BYTES ((size_t)1024 * 1024)
/* From so many rows on a COPY is worth its own round trip. */
#define COPY_ROWS 500
/* At most so many changes are worth being guarded. */
#define GUARDED_CHANGES 200

static struct relation *relation_of(struct batch_table *t)
{
	return (struct relation *)t;
}

/* ---- sets ---- */

/* Rows gathered for one statement. */
struct set {
	struct writer *w;
	struct statement *s;
	int64_t rows;
	bool counted;
};

/* A huge value's room is not kept. */
static void empty(struct strbuf *b)
{
	if (b->size > 4 * SET_BYTES)
		strbuf_free(b);
	else
		strbuf_clear(b);
}

static void set_send(struct set *set)
{
	struct writer *w = set->w;
	struct statement *s = set->s;
	char guard[24];
	if (set->rows == 0)
		return;
	write_reserve(w, s->param_count + 1);
	for (size_t i = 0; i < s->param_count; i++) {
		strbuf_add(&w->arrays[i], "}");
		w->values[i] = w->arrays[i].text;
	}
	snprintf(guard, sizeof(guard), "%lld", (long long)set->rows);
	w->values[s->param_count] = guard;
	GROW(w->sets, w->set_count);
	w->sets[w->set_count] = (struct sent_set){ s->relation, set->counted && !s->guarded ? set->rows : -1 };
	statements_execute(w->statements, w->pipeline, s, w->values, TAG_SET + w->set_count++);
	for (size_t i = 0; i < s->param_count; i++)
		empty(&w->arrays[i]);
	set->rows = 0;
}

static void set_add(struct set *set, const struct pgoutput_value *row)
{
	const struct statement *s = set->s;
	size_t bytes = 0;
	for (size_t i = 0; i < s->param_count; i++) {
		encode_item(&set->w->arrays[i], &row[s->params[i].column]);
		bytes += set->w->arrays[i].len;
	}
	if (++set->rows == SET_ROWS || bytes >= SET_BYTES)
		set_send(set);
}

/* counted: each row must be found. */
static struct set set_begin(struct writer *w, struct relation *r, enum statement_kind kind, bool guarded,
	uint32_t mask, bool counted)
{
	struct statement *s = statements_get(w->statements, r, kind, guarded && counted, mask, 0);
	write_reserve(w, s->param_count + 1);
	return (struct set){ .w = w, .s = s, .counted = counted };
}

/* ---- a table's parts ---- */

/* The rows that were deleted, or those that got another key: only a table with soft delete tells them apart. */
static void send_erased(struct writer *w, struct relation *r, const struct net *n, const struct net *end,
	enum statement_kind kind, bool guarded)
{
	bool soft = r->table->deleted_column != NULL;
	struct set set = set_begin(w, r, kind, guarded, 0, true);
	for (; n < end; n++)
		if (n->erase && (soft && !n->moved) == (kind == SET_MARK))
			set_add(&set, n->key);
	set_send(&set);
}

static void send_updates(struct writer *w, struct relation *r, struct net *first, const struct net *end,
	bool guarded)
{
	uint32_t most = 0, least = UINT32_MAX;
	for (struct net *n = first; n < end; n++) {
		if (n->kind != NET_UPDATE)
			continue;
		n->mask = relation_sent_mask(r, n->row);
		most = MAX(most, n->mask);
		least = MIN(least, n->mask);
	}
	for (uint32_t mask = least; mask <= most; mask++) {
		struct set set = { 0 };
		for (const struct net *n = first; n < end; n++) {
			if (n->kind != NET_UPDATE || n->mask != mask)
				continue;
			if (!set.s)
				set = set_begin(w, r, SET_UPDATE, guarded, mask, true);
			if (set.s->empty)
				break;
			set_add(&set, n->row);
		}
		if (set.s)
			set_send(&set);
	}
}

/* Keys that were soft deleted and come anew. */
static void send_clears(struct writer *w, struct relation *r, const struct net *n, const struct net *end)
{
	struct set set = set_begin(w, r, SET_CLEAR, false, 0, false);
	for (; n < end; n++)
		if (n->kind == NET_INSERT)
			set_add(&set, n->row);
	set_send(&set);
}

static void send_inserts(struct writer *w, struct relation *r, const struct net *n, const struct net *end)
{
	struct set set = set_begin(w, r, SET_INSERT, false, 0, false);
	for (; n < end; n++)
		if (n->kind == NET_INSERT)
			set_add(&set, n->row);
	set_send(&set);
}

static size_t count_inserts(const struct batch *b, const struct batch_table *t)
{
	size_t inserts = 0;
	for (size_t i = t->net_begin; i < t->net_end; i++)
		inserts += batch_nets(b)[i].kind == NET_INSERT;
	return inserts;
}

static void send_table(struct writer *w, struct relation *r, bool guarded)
{
	struct net *first = batch_nets(w->batch) + r->batch.net_begin;
	const struct net *end = batch_nets(w->batch) + r->batch.net_end;
	size_t inserts = count_inserts(w->batch, &r->batch);
	send_erased(w, r, first, end, SET_DELETE, guarded);
	if (r->table->deleted_column)
		send_erased(w, r, first, end, SET_MARK, guarded);
	send_updates(w, r, first, end, guarded);
	if (inserts > 0 && r->table->deleted_column && r->batch.key > 0)
		send_clears(w, r, first, end);
	if (inserts > 0 && inserts < COPY_ROWS)
		send_inserts(w, r, first, end);
}

/* ---- COPY ---- */

/* What the mirror itself writes behind a row's columns; 'now' is read as the transaction's time. */
static void end_line(struct strbuf *line, const struct apply_table *t, bool first)
{
	if (t->deleted_column) {
		strbuf_add(line, first ? "f" : "\tf");
		first = false;
	}
	if (t->synced_column)
		strbuf_add(line, first ? "now" : "\tnow");
	strbuf_addn(line, "\n", 1);
}

static void add_line(struct strbuf *line, const struct relation *r, const struct pgoutput_value *row)
{
	bool first = true;
	for (size_t i = 0; i < r->batch.columns; i++) {
		if (!statement_inserts(r, i))
			continue;
		if (!first)
			strbuf_addn(line, "\t", 1);
		encode_field(line, &row[i]);
		first = false;
	}
	end_line(line, r->table, first);
}

static bool copy_rows(struct writer *w, const struct relation *r, struct error *e)
{
	const struct net *n = batch_nets(w->batch) + r->batch.net_begin;
	const struct net *end = batch_nets(w->batch) + r->batch.net_end;
	for (; n < end; n++) {
		if (n->kind != NET_INSERT)
			continue;
		add_line(&w->copy, r, n->row);
		if (w->copy.len < PIPE_PIECE)
			continue;
		if (!pipe_target_put(w->target, w->copy.text, w->copy.len, e))
			return false;
		strbuf_clear(&w->copy);
	}
	return w->copy.len == 0 || pipe_target_put(w->target, w->copy.text, w->copy.len, e);
}

static bool copy_table(struct writer *w, const struct relation *r, struct error *e)
{
	struct strbuf sql = STRBUF_INIT;
	int64_t taken;
	statement_copy_text(&sql, r);
	bool ok = pipe_target_begin(w->target, sql.text, e) && copy_rows(w, r, e);
	strbuf_free(&sql);
	empty(&w->copy);
	ok = ok && pipe_target_end(w->target, NULL, &taken, e);
	if (!ok) {
		w->culprit = r->table;
		/* In the middle of a COPY: going back would wait for its end. */
		if (e->class == ERROR_CANCELLED) {
			pg_cancel(w->target);
			pg_abandon(w->target);
		}
	}
	return ok;
}

/* ---- all of it ---- */

static void send_truncates(struct writer *w)
{
	for (uint32_t i = 0; i < batch_count(w->batch); i++) {
		const struct change *c = batch_change(w->batch, i);
		struct strbuf sql = STRBUF_INIT;
		if (c->kind != CHANGE_TRUNCATE)
			continue;
		statement_truncate_text(&sql, c->truncated, c->options);
		if (sql.len > 0)
			pipeline_run(w->pipeline, sql.text, TAG_SILENT);
		for (struct batch_table **t = c->truncated; *t; t++) {
			if (!relation_of(*t)->table->deleted_column)
				continue;
			strbuf_clear(&sql);
			statement_empty_text(&sql, relation_of(*t));
			pipeline_run(w->pipeline, sql.text, TAG_SILENT);
		}
		strbuf_free(&sql);
	}
}

static bool has_truncates(const struct batch *b)
{
	for (const struct batch_table *t = batch_tables(b); t; t = t->next)
		if (t->truncates > 0)
			return true;
	return false;
}

static bool is_copied(const struct batch *b, const struct batch_table *t)
{
	return count_inserts(b, t) >= COPY_ROWS;
}

bool write_set(struct writer *w, const struct write_end *end, struct error *e)
{
	batch_net(w->batch);
	/* So few changes are never copied. */
	bool guarded = end->commit && batch_count(w->batch) <= GUARDED_CHANGES;
	write_begin(w, end);
	if (has_truncates(w->batch))
		send_truncates(w);
	for (struct batch_table *t = batch_tables(w->batch); t; t = t->next)
		if (!t->one_by_one)
			send_table(w, relation_of(t), guarded);
		else if (!write_table_rows(w, relation_of(t), e))
			return false;
	if (guarded) {
		write_finish(w, end);
		return write_wait(w, e);
	}
	if (!write_wait(w, e))
		return false;
	for (struct batch_table *t = batch_tables(w->batch); t; t = t->next)
		if (is_copied(w->batch, t) && !copy_table(w, relation_of(t), e))
			return false;
	write_finish(w, end);
	return write_wait(w, e);
}
