// SPDX-License-Identifier: PostgreSQL
/* Every message is read by one small function through a cursor that cannot leave the bytes. A
 * cursor that met something wrong stays failed and gives zeroes from then on, so that only
 * pgoutput_decode() has to ask, once a message. What each message byte means, since which version
 * and where, is the table `formats`.
 *
 * We are stricter than PostgreSQL's own reader where the rest of a message would otherwise be
 * guessed: bytes left over, kinds of a version that was not asked for and a stream inside of a
 * stream are errors. */
#include "pgoutput.h"

#include <endian.h>
#include <string.h>

/* PostgreSQL counts from 2000-01-01. */
#define EPOCH_US UINT64_C(946684800000000)

/* ---- reading ---- */

struct cursor {
	const char *at, *end;
	const char *why;   /* what is wrong; NULL as long as nothing is */
	const char *where; /* it is wrong */
	int version;
};

/* The first failure is the one that is told. */
static void refuse(struct cursor *c, const char *why)
{
	if (!c->why) {
		c->why = why;
		c->where = c->at;
	}
	c->at = c->end;
}

/* The byte just read is the wrong one. */
static void refuse_byte(struct cursor *c, const char *why)
{
	if (!c->why)
		c->at--;
	refuse(c, why);
}

/* The next size bytes; NULL when there are fewer. */
static const char *get_bytes(struct cursor *c, size_t size)
{
	const char *bytes = c->at;
	if (size > (size_t)(c->end - bytes)) {
		refuse(c, "it ends too early");
		return NULL;
	}
	c->at += size;
	return bytes;
}

static uint32_t load32(const char *bytes)
{
	uint32_t v;
	memcpy(&v, bytes, sizeof(v));
	return be32toh(v);
}

static uint8_t get8(struct cursor *c)
{
	const char *bytes = get_bytes(c, 1);
	return bytes ? (uint8_t)*bytes : 0;
}

static uint16_t get16(struct cursor *c)
{
	uint16_t v = 0;
	const char *bytes = get_bytes(c, sizeof(v));
	if (bytes)
		memcpy(&v, bytes, sizeof(v));
	return be16toh(v);
}

static uint32_t get32(struct cursor *c)
{
	const char *bytes = get_bytes(c, 4);
	return bytes ? load32(bytes) : 0;
}

static uint64_t get64(struct cursor *c)
{
	uint64_t v = 0;
	const char *bytes = get_bytes(c, sizeof(v));
	if (bytes)
		memcpy(&v, bytes, sizeof(v));
	return be64toh(v);
}

/* Unsigned, so that a nonsensical time is nonsense and not an overflow. */
static int64_t get_time(struct cursor *c)
{
	return (int64_t)(get64(c) + EPOCH_US);
}

static const char *get_text(struct cursor *c)
{
	const char *text = c->at;
	const char *zero = memchr(text, '\0', (size_t)(c->end - text));
	if (!zero) {
		refuse(c, "a text has no end");
		return "";
	}
	c->at = zero + 1;
	return text;
}

static const char *get_schema(struct cursor *c)
{
	const char *schema = get_text(c);
	return schema[0] != '\0' ? schema : "pg_catalog";
}

/* ---- rows ---- */

static void skip_value(struct cursor *c)
{
	switch (get8(c)) {
	case VALUE_NULL:
	case VALUE_UNCHANGED:
		return;
	case VALUE_TEXT:
	case VALUE_BINARY:
		get_bytes(c, get32(c));
		return;
	default:
		refuse_byte(c, "a value is of an unknown kind");
	}
}

static struct pgoutput_tuple get_tuple(struct cursor *c)
{
	struct pgoutput_tuple t = { .columns = get16(c), .at = c->at };
	for (uint16_t i = 0; i < t.columns && !c->why; i++)
		skip_value(c);
	t.end = c->at;
	return t;
}

bool pgoutput_next(struct pgoutput_tuple *t, struct pgoutput_value *out)
{
	if (t->at == t->end)
		return false;
	out->kind = *t->at++;
	out->size = 0;
	if (out->kind == VALUE_TEXT || out->kind == VALUE_BINARY) {
		out->size = load32(t->at);
		t->at += sizeof(out->size);
	}
	out->bytes = t->at;
	t->at += out->size;
	return true;
}

static void get_column(struct cursor *c, struct pgoutput_column *out)
{
	out->key = get8(c) & 1;
	out->name = get_text(c);
	out->type = get32(c);
	out->typmod = (int32_t)get32(c);
}

bool pgoutput_next_column(const char **at, const char *end, struct pgoutput_column *out)
{
	struct cursor c = { .at = *at, .end = end };
	if (c.at == end)
		return false;
	get_column(&c, out);
	*at = c.at;
	return !c.why;
}

/* ---- one function a message, or a few alike ---- */

static void read_begin(struct cursor *c, struct pgoutput_message *m)
{
	m->begin.final = get64(c);
	m->begin.at_us = get_time(c);
	m->xid = get32(c);
}

static void read_commit(struct cursor *c, struct pgoutput_message *m)
{
	m->commit.flags = get8(c);
	m->commit.commit = get64(c);
	m->commit.end = get64(c);
	m->commit.at_us = get_time(c);
}

static void read_origin(struct cursor *c, struct pgoutput_message *m)
{
	m->origin.commit = get64(c);
	m->origin.name = get_text(c);
}

static void read_relation(struct cursor *c, struct pgoutput_message *m)
{
	struct pgoutput_column column;
	m->relation.id = get32(c);
	m->relation.schema = get_schema(c);
	m->relation.name = get_text(c);
	m->relation.identity = (char)get8(c);
	if (!memchr("dnfi", m->relation.identity, 4))
		refuse_byte(c, "a replica identity is of an unknown kind");
	m->relation.columns = get16(c);
	m->relation.at = c->at;
	for (uint16_t i = 0; i < m->relation.columns && !c->why; i++)
		get_column(c, &column);
	m->relation.end = c->at;
}

static void read_type(struct cursor *c, struct pgoutput_message *m)
{
	m->type.id = get32(c);
	m->type.schema = get_schema(c);
	m->type.name = get_text(c);
}

static void read_insert(struct cursor *c, struct pgoutput_message *m)
{
	m->change.relation = get32(c);
	if (get8(c) != 'N')
		refuse_byte(c, "no new row");
	m->change.new_row = get_tuple(c);
}

/* The old row behind its letter, if that is one's. Gives whether it was. */
static bool read_old(struct cursor *c, uint8_t letter, struct pgoutput_message *m)
{
	if (letter != 'K' && letter != 'O')
		return false;
	m->change.old_kind = (char)letter;
	m->change.old_row = get_tuple(c);
	return true;
}

static void read_update(struct cursor *c, struct pgoutput_message *m)
{
	m->change.relation = get32(c);
	uint8_t letter = get8(c);
	if (read_old(c, letter, m))
		letter = get8(c);
	if (letter != 'N')
		refuse_byte(c, "no new row");
	m->change.new_row = get_tuple(c);
}

static void read_delete(struct cursor *c, struct pgoutput_message *m)
{
	m->change.relation = get32(c);
	if (!read_old(c, get8(c), m))
		refuse_byte(c, "no old row");
}

static void read_truncate(struct cursor *c, struct pgoutput_message *m)
{
	m->truncate.count = get32(c);
	m->truncate.options = get8(c);
	m->truncate.at = get_bytes(c, (size_t)m->truncate.count * sizeof(uint32_t));
}

uint32_t pgoutput_truncated(const struct pgoutput_message *m, uint32_t i)
{
	return load32(m->truncate.at + (size_t)i * sizeof(uint32_t));
}

static void read_message(struct cursor *c, struct pgoutput_message *m)
{
	m->message.flags = get8(c);
	m->message.lsn = get64(c);
	m->message.prefix = get_text(c);
	m->message.size = get32(c);
	m->message.content = get_bytes(c, m->message.size);
}

static void read_stream_start(struct cursor *c, struct pgoutput_message *m)
{
	m->xid = get32(c);
	m->stream_start.first = get8(c) == 1;
}

static void read_nothing(struct cursor *c, struct pgoutput_message *m)
{
	(void)c;
	(void)m;
}

static void read_stream_commit(struct cursor *c, struct pgoutput_message *m)
{
	m->xid = get32(c);
	read_commit(c, m);
}

/* Only streaming = parallel adds where and when: streaming = on has neither, in version 4 too. */
static void read_stream_abort(struct cursor *c, struct pgoutput_message *m)
{
	m->xid = get32(c);
	m->stream_abort.subxid = get32(c);
	if (c->version < 4 || c->at == c->end)
		return;
	m->stream_abort.lsn = get64(c);
	m->stream_abort.at_us = get_time(c);
}

static void read_begin_prepare(struct cursor *c, struct pgoutput_message *m)
{
	m->prepared.lsn = get64(c);
	m->prepared.end = get64(c);
	m->prepared.at_us = get_time(c);
	m->xid = get32(c);
	m->prepared.gid = get_text(c);
}

/* Prepare, commit prepared and stream prepare: what begin prepare has, behind flags. */
static void read_prepared(struct cursor *c, struct pgoutput_message *m)
{
	m->prepared.flags = get8(c);
	read_begin_prepare(c, m);
}

static void read_rollback_prepared(struct cursor *c, struct pgoutput_message *m)
{
	m->prepared.flags = get8(c);
	m->prepared.lsn = get64(c);
	m->prepared.end = get64(c);
	m->prepared.prepared_us = get_time(c);
	m->prepared.at_us = get_time(c);
	m->xid = get32(c);
	m->prepared.gid = get_text(c);
}

/* ---- which is which ---- */

enum place {
	OUTSIDE, /* never between stream start and stream stop */
	INSIDE,  /* only there */
	EITHER,
	CHANGE, /* either, and inside the xid comes before all else */
};

struct format {
	enum pgoutput_kind kind;
	const char *name;
	int version; /* the first that has it */
	enum place place;
	void (*read)(struct cursor *c, struct pgoutput_message *m);
};

/* By the byte that every message begins with. */
static const struct format formats[] = {
	['B'] = { PGOUTPUT_BEGIN, "begin", 1, OUTSIDE, read_begin },
	['C'] = { PGOUTPUT_COMMIT, "commit", 1, OUTSIDE, read_commit },
	['O'] = { PGOUTPUT_ORIGIN, "origin", 1, EITHER, read_origin },
	['R'] = { PGOUTPUT_RELATION, "relation", 1, CHANGE, read_relation },
	['Y'] = { PGOUTPUT_TYPE, "type", 1, CHANGE, read_type },
	['I'] = { PGOUTPUT_INSERT, "insert", 1, CHANGE, read_insert },
	['U'] = { PGOUTPUT_UPDATE, "update", 1, CHANGE, read_update },
	['D'] = { PGOUTPUT_DELETE, "delete", 1, CHANGE, read_delete },
	['T'] = { PGOUTPUT_TRUNCATE, "truncate", 1, CHANGE, read_truncate },
	['M'] = { PGOUTPUT_MESSAGE, "message", 1, CHANGE, read_message },
	['S'] = { PGOUTPUT_STREAM_START, "stream start", 2, OUTSIDE, read_stream_start },
	['E'] = { PGOUTPUT_STREAM_STOP, "stream stop", 2, INSIDE, read_nothing },
	['c'] = { PGOUTPUT_STREAM_COMMIT, "stream commit", 2, OUTSIDE, read_stream_commit },
	['A'] = { PGOUTPUT_STREAM_ABORT, "stream abort", 2, OUTSIDE, read_stream_abort },
	['b'] = { PGOUTPUT_BEGIN_PREPARE, "begin prepare", 3, OUTSIDE, read_begin_prepare },
	['P'] = { PGOUTPUT_PREPARE, "prepare", 3, OUTSIDE, read_prepared },
	['K'] = { PGOUTPUT_COMMIT_PREPARED, "commit prepared", 3, OUTSIDE, read_prepared },
	['r'] = { PGOUTPUT_ROLLBACK_PREPARED, "rollback prepared", 3, OUTSIDE, read_rollback_prepared },
	['p'] = { PGOUTPUT_STREAM_PREPARE, "stream prepare", 3, OUTSIDE, read_prepared },
};

const char *pgoutput_kind_name(enum pgoutput_kind kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		if (formats[i].name && formats[i].kind == kind)
			return formats[i].name;
	return "unknown";
}

/* The format of a message by its first byte, if it may come now. */
static const struct format *find_format(
	const struct pgoutput_context *context, uint8_t letter, struct error *e)
{
	const struct format *f = letter < ARRAY_SIZE(formats) ? &formats[letter] : NULL;
	if (!f || !f->name) {
		error_set(e, ERROR_BUG, "the source sent an unknown pgoutput message 0x%02X", letter);
		return NULL;
	}
	if (f->version > context->version) {
		error_set(e, ERROR_BUG, "the source sent pgoutput's %s, which version %d does not have",
			f->name, context->version);
		return NULL;
	}
	if (f->place == (context->in_stream ? OUTSIDE : INSIDE)) {
		error_set(e, ERROR_BUG, "the source sent pgoutput's %s %s a stream", f->name,
			context->in_stream ? "inside of" : "outside of");
		return NULL;
	}
	return f;
}

bool pgoutput_decode(struct pgoutput_context *c, const char *bytes, size_t size,
	struct pgoutput_message *out, struct error *e)
{
	if (size == 0)
		return error_set(e, ERROR_BUG, "the source sent an empty pgoutput message");
	const struct format *f = find_format(c, (uint8_t)bytes[0], e);
	if (!f)
		return false;
	struct cursor in = { .at = bytes + 1, .end = bytes + size, .version = c->version };
	*out = (struct pgoutput_message){ .kind = f->kind };
	if (f->place == CHANGE && c->in_stream)
		out->xid = get32(&in);
	f->read(&in, out);
	if (in.at != in.end)
		refuse(&in, "bytes are left over");
	if (in.why)
		return error_set(e, ERROR_BUG,
			"the source sent a broken pgoutput %s: %s at byte %zu of %zu", f->name, in.why,
			(size_t)(in.where - bytes), size);
	if (f->kind == PGOUTPUT_STREAM_START || f->kind == PGOUTPUT_STREAM_STOP)
		c->in_stream = f->kind == PGOUTPUT_STREAM_START;
	return true;
}
