// SPDX-License-Identifier: PostgreSQL
/* Rows are copied once, as the bytes they had on the wire, into blocks that never move; their columns point
 * there. The net effect of a table comes from one walk over its changes with a hash of keys. Keys are equal
 * when their texts are: equal values with different texts (1.0 and 1.00) meet as a deleted and an inserted
 * row, and deletes go first. */
#include "batch.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES ((size_t)256 * 1024)
/* Blocks kept for the next batch. */
#define KEPT_BYTES ((size_t)8 * 1024 * 1024)

struct block {
	struct block *next;
	size_t size, used;
	char bytes[];
};

struct batch {
	struct block *blocks; /* the one in use is the first */
	struct block *spare;
	size_t arena_bytes; /* of all blocks in use */
	struct change *changes;
	size_t count, change_size;
	struct batch_table *tables, **last_table;
	struct net *nets;
	size_t net_count, net_size;
	uint32_t *slots; /* of nets, by hash of their key; slot_mask + 1 of them */
	size_t slot_size, slot_mask;
	struct pgoutput_value *scratch; /* an old row on its way */
	size_t scratch_size;
};

/* ---- memory ---- */

struct batch *batch_new(void)
{
	struct batch *b = xcalloc(1, sizeof(*b));
	b->last_table = &b->tables;
	return b;
}

static void free_blocks(struct block *block)
{
	while (block) {
		struct block *next = block->next;
		free(block);
		block = next;
	}
}

void batch_free(struct batch *b)
{
	if (!b)
		return;
	free_blocks(b->blocks);
	free_blocks(b->spare);
	free(b->changes);
	free(b->nets);
	free(b->slots);
	free(b->scratch);
	free(b);
}

static void keep_blocks(struct batch *b)
{
	size_t kept = 0;
	for (struct block *s = b->spare; s; s = s->next)
		kept += s->size;
	while (b->blocks) {
		struct block *block = b->blocks;
		b->blocks = block->next;
		if (block->size != BLOCK_BYTES || kept + block->size > KEPT_BYTES) {
			free(block);
			continue;
		}
		kept += block->size;
		block->next = b->spare;
		b->spare = block;
	}
	b->arena_bytes = 0;
}

static void new_block(struct batch *b, size_t size)
{
	struct block *block = b->spare;
	if (block && size <= block->size) {
		b->spare = block->next;
	} else {
		size_t whole = MAX(size, BLOCK_BYTES);
		block = xmalloc(sizeof(*block) + whole);
		block->size = whole;
	}
	block->used = 0;
	block->next = b->blocks;
	b->blocks = block;
	b->arena_bytes += block->size;
}

/* Aligned for any of our structs. */
static void *take_bytes(struct batch *b, size_t size)
{
	size = (size + 7) & ~(size_t)7;
	if (!b->blocks || b->blocks->size - b->blocks->used < size)
		new_block(b, size);
	void *bytes = b->blocks->bytes + b->blocks->used;
	b->blocks->used += size;
	return bytes;
}

void batch_clear(struct batch *b)
{
	for (struct batch_table *t = b->tables; t; t = t->next) {
		t->touched = false;
		t->inserts = t->updates = t->deletes = t->truncates = 0;
	}
	b->tables = NULL;
	b->last_table = &b->tables;
	b->count = b->net_count = 0;
	keep_blocks(b);
}

size_t batch_count(const struct batch *b)
{
	return b->count;
}

size_t batch_bytes(const struct batch *b)
{
	return b->arena_bytes + b->count * (sizeof(struct change) + sizeof(struct net) + 2 * sizeof(uint32_t));
}

const struct change *batch_change(const struct batch *b, uint32_t i)
{
	return &b->changes[i];
}

struct batch_table *batch_tables(const struct batch *b)
{
	return b->tables;
}

struct net *batch_nets(const struct batch *b)
{
	return b->nets;
}

/* ---- adding ---- */

static void touch(struct batch *b, struct batch_table *t)
{
	if (t->touched)
		return;
	t->touched = true;
	t->first = t->last = BATCH_NONE;
	t->next = NULL;
	*b->last_table = t;
	b->last_table = &t->next;
}

static struct change *append(struct batch *b)
{
	if (b->count == b->change_size) {
		b->change_size = MAX(2 * b->change_size, (size_t)256);
		b->changes = xrealloc(b->changes, b->change_size * sizeof(*b->changes));
	}
	struct change *c = &b->changes[b->count++];
	*c = (struct change){ .next = BATCH_NONE };
	return c;
}

/* Into the table's chain. */
static struct change *append_to(struct batch *b, struct batch_table *t, enum change_kind kind)
{
	uint32_t i = (uint32_t)b->count;
	struct change *c = append(b);
	touch(b, t);
	if (t->last == BATCH_NONE)
		t->first = i;
	else
		b->changes[t->last].next = i;
	t->last = i;
	c->kind = kind;
	c->table = t;
	return c;
}

static bool check_row(const struct batch_table *t, const struct pgoutput_tuple *row, struct error *e)
{
	if (row->columns == t->sent)
		return true;
	return error_set(e, ERROR_BUG, "a row has %u columns, its table %u", row->columns, t->sent);
}

static bool read_row(const struct batch_table *t, struct pgoutput_tuple row, struct pgoutput_value *out,
	struct error *e)
{
	struct pgoutput_value v;
	for (size_t i = 0; pgoutput_next(&row, &v); i++) {
		if (v.kind == VALUE_BINARY)
			return error_set(e, ERROR_BUG, "a value came in binary form, which was not asked for");
		if (t->place[i] >= 0)
			out[t->place[i]] = v;
	}
	return true;
}

/* Once all values are read, the byte behind each one is nobody's: it ends the text. */
static void end_values(struct pgoutput_value *row, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (row[i].kind == VALUE_TEXT)
			((char *)(uintptr_t)row[i].bytes)[row[i].size] = '\0';
}

static struct pgoutput_value *keep_row(struct batch *b, const struct batch_table *t, struct pgoutput_tuple row,
	struct error *e)
{
	size_t size = (size_t)(row.end - row.at);
	struct pgoutput_value *values = take_bytes(b, t->columns * sizeof(*values));
	char *bytes = take_bytes(b, size + 1);
	memcpy(bytes, row.at, size);
	row.at = bytes;
	row.end = bytes + size;
	if (!read_row(t, row, values, e))
		return NULL;
	end_values(values, t->columns);
	return values;
}

/* The first n columns of a row that lies elsewhere. */
static struct pgoutput_value *keep_columns(struct batch *b, const struct pgoutput_value *row, size_t n)
{
	struct pgoutput_value *values = take_bytes(b, n * sizeof(*values));
	for (size_t i = 0; i < n; i++) {
		values[i] = row[i];
		if (row[i].kind != VALUE_TEXT)
			continue;
		char *bytes = take_bytes(b, row[i].size + (size_t)1);
		memcpy(bytes, row[i].bytes, row[i].size);
		bytes[row[i].size] = '\0';
		values[i].bytes = bytes;
	}
	return values;
}

bool batch_key_equal(const struct pgoutput_value *a, const struct pgoutput_value *b, size_t columns)
{
	for (size_t i = 0; i < columns; i++)
		if (a[i].kind != b[i].kind || a[i].size != b[i].size ||
			(a[i].size > 0 && memcmp(a[i].bytes, b[i].bytes, a[i].size) != 0))
			return false;
	return true;
}

static bool has_unchanged(const struct batch_table *t, const struct pgoutput_value *row)
{
	for (size_t i = 0; i < t->columns; i++)
		if (row[i].kind == VALUE_UNCHANGED)
			return true;
	return false;
}

/* What the row did not bring is taken from an earlier state of it. */
static void fill_unchanged(const struct batch_table *t, struct pgoutput_value *row,
	const struct pgoutput_value *earlier)
{
	for (size_t i = 0; i < t->columns; i++)
		if (row[i].kind == VALUE_UNCHANGED)
			row[i] = earlier[i];
}

/* An unchanged column of the old row as a text of the arena, for a new row that lacks it. */
static void fill_from_old(struct batch *b, const struct batch_table *t, struct pgoutput_value *row,
	const struct pgoutput_value *old)
{
	for (size_t i = 0; i < t->columns; i++)
		if (row[i].kind == VALUE_UNCHANGED && old[i].kind != VALUE_UNCHANGED)
			row[i] = *keep_columns(b, &old[i], 1);
}

static struct pgoutput_value *scratch_row(struct batch *b, const struct batch_table *t)
{
	if (b->scratch_size < t->columns) {
		b->scratch_size = t->columns;
		b->scratch = xrealloc(b->scratch, b->scratch_size * sizeof(*b->scratch));
	}
	return b->scratch;
}

static const char *const unidentified = "its replica identity does not name the row";

static bool add_insert(struct batch *b, struct batch_table *t, const struct pgoutput_message *m,
	struct error *e)
{
	if (!check_row(t, &m->change.new_row, e))
		return false;
	struct pgoutput_value *row = keep_row(b, t, m->change.new_row, e);
	if (!row)
		return false;
	append_to(b, t, CHANGE_INSERT)->row = row;
	t->inserts++;
	return true;
}

static bool add_update(struct batch *b, struct batch_table *t, const struct pgoutput_message *m,
	struct error *e)
{
	const struct pgoutput_value *key = NULL;
	if (!check_row(t, &m->change.new_row, e))
		return false;
	struct pgoutput_value *row = keep_row(b, t, m->change.new_row, e);
	if (!row)
		return false;
	if (m->change.old_kind) {
		struct pgoutput_value *old = scratch_row(b, t);
		if (!check_row(t, &m->change.old_row, e) || !read_row(t, m->change.old_row, old, e))
			return false;
		if (t->key == 0) {
			key = keep_columns(b, old, t->columns);
		} else {
			/* A key that is stored out of line and did not change comes as such in the new row. */
			for (size_t i = 0; i < t->key; i++)
				if (row[i].kind == VALUE_UNCHANGED)
					row[i] = *keep_columns(b, &old[i], 1);
			if (!batch_key_equal(old, row, t->key)) {
				key = keep_columns(b, old, t->key);
				if (m->change.old_kind == 'O')
					fill_from_old(b, t, row, old);
			}
		}
	} else if (t->key == 0) {
		return error_set(e, ERROR_DATA, "an update can't be applied: %s", unidentified);
	}
	struct change *c = append_to(b, t, CHANGE_UPDATE);
	c->old = key;
	c->row = row;
	t->updates++;
	return true;
}

static bool add_delete(struct batch *b, struct batch_table *t, const struct pgoutput_message *m,
	struct error *e)
{
	struct pgoutput_value *old = scratch_row(b, t);
	if (t->key == 0 && m->change.old_kind != 'O')
		return error_set(e, ERROR_DATA, "a delete can't be applied: %s", unidentified);
	if (!check_row(t, &m->change.old_row, e) || !read_row(t, m->change.old_row, old, e))
		return false;
	append_to(b, t, CHANGE_DELETE)->old = keep_columns(b, old, t->key > 0 ? t->key : t->columns);
	t->deletes++;
	return true;
}

bool batch_add(struct batch *b, struct batch_table *t, const struct pgoutput_message *m, struct error *e)
{
	switch (m->kind) {
	case PGOUTPUT_INSERT:
		return add_insert(b, t, m, e);
	case PGOUTPUT_UPDATE:
		return add_update(b, t, m, e);
	case PGOUTPUT_DELETE:
		return add_delete(b, t, m, e);
	default:
		return error_set(e, ERROR_BUG, "%s is no change of a row", pgoutput_kind_name(m->kind));
	}
}

void batch_truncate(struct batch *b, struct batch_table *const *tables, size_t count, uint8_t options)
{
	if (count == 0)
		return;
	struct batch_table **kept = take_bytes(b, (count + 1) * sizeof(struct batch_table *));
	for (size_t i = 0; i < count; i++) {
		kept[i] = tables[i];
		touch(b, tables[i]);
		tables[i]->first = tables[i]->last = BATCH_NONE;
		tables[i]->truncates++;
	}
	kept[count] = NULL;
	struct change *c = append(b);
	c->kind = CHANGE_TRUNCATE;
	c->truncated = kept;
	c->options = options;
}

/* ---- net effect ---- */

static uint64_t hash_key(const struct pgoutput_value *key, size_t n)
{
	const uint64_t factor = UINT64_C(0x9E3779B97F4A7C15);
	uint64_t h = factor;
	for (size_t i = 0; i < n; i++) {
		const char *p = key[i].bytes;
		size_t left = key[i].size;
		h = (h ^ left ^ (uint64_t)(unsigned char)key[i].kind << 32) * factor;
		for (uint64_t word; left > 0; p += 8) {
			size_t piece = MIN(left, sizeof(word));
			word = 0;
			memcpy(&word, p, piece);
			h = (h ^ word) * factor;
			h ^= h >> 29;
			left -= piece;
		}
	}
	return h ^ h >> 32;
}

static void begin_slots(struct batch *b, size_t keys)
{
	size_t size = 16;
	while (size < 2 * keys)
		size *= 2;
	if (b->slot_size < size) {
		b->slot_size = size;
		b->slots = xrealloc(b->slots, size * sizeof(*b->slots));
	}
	b->slot_mask = size - 1;
	memset(b->slots, 0xFF, size * sizeof(*b->slots));
}

static struct net *append_net(struct batch *b, const struct pgoutput_value *key)
{
	if (b->net_count == b->net_size) {
		b->net_size = MAX(2 * b->net_size, (size_t)256);
		b->nets = xrealloc(b->nets, b->net_size * sizeof(*b->nets));
	}
	struct net *n = &b->nets[b->net_count++];
	*n = (struct net){ .key = key };
	return n;
}

/* The effect on a key, made when it has none yet. Good until the next call. */
static struct net *net_of(struct batch *b, const struct batch_table *t, const struct pgoutput_value *key)
{
	uint64_t hash = hash_key(key, t->key);
	size_t slot = (size_t)hash & b->slot_mask;
	for (; b->slots[slot] != BATCH_NONE; slot = (slot + 1) & b->slot_mask) {
		struct net *n = &b->nets[b->slots[slot]];
		if (n->hash == hash && batch_key_equal(n->key, key, t->key))
			return n;
	}
	b->slots[slot] = (uint32_t)b->net_count;
	struct net *n = append_net(b, key);
	n->hash = hash;
	return n;
}

static bool alive(const struct net *n)
{
	return n->kind == NET_INSERT || n->kind == NET_UPDATE;
}

static bool net_insert(struct net *n, struct pgoutput_value *row)
{
	if (alive(n))
		return false;
	n->kind = NET_INSERT;
	n->row = row;
	return true;
}

static bool net_delete(struct net *n, bool moved)
{
	if (n->kind == NET_NOTHING)
		return false;
	if (n->kind != NET_INSERT) {
		n->erase = true;
		n->moved = moved;
	}
	n->kind = NET_NOTHING;
	return true;
}

static bool net_update(const struct batch_table *t, struct net *n, struct pgoutput_value *row)
{
	if (n->kind == NET_NOTHING)
		return false;
	if (n->kind == NET_NEW)
		n->kind = NET_UPDATE;
	else
		fill_unchanged(t, row, n->row);
	n->row = row;
	return true;
}

static bool net_move(struct batch *b, const struct batch_table *t, const struct change *c)
{
	struct net *from = net_of(b, t, c->old);
	if (alive(from))
		fill_unchanged(t, c->row, from->row);
	return !has_unchanged(t, c->row) && net_delete(from, true) && net_insert(net_of(b, t, c->row), c->row);
}

/* False: the change does not follow from those before. */
static bool net_change(struct batch *b, const struct batch_table *t, const struct change *c)
{
	switch (c->kind) {
	case CHANGE_INSERT:
		return net_insert(net_of(b, t, c->row), c->row) && !has_unchanged(t, c->row);
	case CHANGE_UPDATE:
		return c->old ? net_move(b, t, c) : net_update(t, net_of(b, t, c->row), c->row);
	case CHANGE_DELETE:
		return net_delete(net_of(b, t, c->old), false);
	case CHANGE_TRUNCATE:
		break;
	}
	return false;
}

/* Without a key only inserts have a net effect: themselves. */
static bool net_of_keyless(struct batch *b, const struct batch_table *t)
{
	for (uint32_t i = t->first; i != BATCH_NONE; i = b->changes[i].next) {
		if (b->changes[i].kind != CHANGE_INSERT)
			return false;
		struct net *n = append_net(b, NULL);
		n->kind = NET_INSERT;
		n->row = b->changes[i].row;
	}
	return true;
}

static bool net_of_table(struct batch *b, const struct batch_table *t)
{
	if (t->never_net)
		return false;
	if (t->key == 0)
		return net_of_keyless(b, t);
	/* A change of a key touches two. */
	begin_slots(b, (size_t)(t->inserts + 2 * t->updates + t->deletes));
	for (uint32_t i = t->first; i != BATCH_NONE; i = b->changes[i].next)
		if (!net_change(b, t, &b->changes[i]))
			return false;
	return true;
}

void batch_net(struct batch *b)
{
	b->net_count = 0;
	for (struct batch_table *t = b->tables; t; t = t->next) {
		t->net_begin = b->net_count;
		t->one_by_one = !net_of_table(b, t);
		if (t->one_by_one)
			b->net_count = t->net_begin;
		t->net_end = b->net_count;
	}
}
