// SPDX-License-Identifier: PostgreSQL
#include "wire.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define HEADER 4 /* kind, 0, length in two bytes, high one first */

static const char magic[4] = { 'p', 'g', 'p', 'r' };

/* ---- frames ---- */

void wire_free(struct wire_buffer *b)
{
	strbuf_free(&b->bytes);
	b->done = 0;
}

size_t wire_pending(const struct wire_buffer *b)
{
	return b->bytes.len - b->done;
}

/* Not byte by byte. */
void wire_compact(struct wire_buffer *b)
{
	size_t left = wire_pending(b);
	if (b->done == 0 || (left > 0 && b->done < WIRE_PAYLOAD_MAX))
		return;
	memmove(b->bytes.text, b->bytes.text + b->done, left + 1);
	b->bytes.len = left;
	b->done = 0;
}

static void put_frame(struct wire_buffer *out, enum wire_kind kind, const void *payload, size_t size)
{
	uint8_t header[HEADER] = { (uint8_t)kind, 0, (uint8_t)(size >> 8), (uint8_t)size };
	wire_compact(out);
	strbuf_addn(&out->bytes, header, sizeof(header));
	if (size > 0)
		strbuf_addn(&out->bytes, payload, size);
}

void wire_put(struct wire_buffer *out, enum wire_kind kind, const void *payload, size_t size)
{
	const char *at = payload;
	do {
		size_t part = MIN(size, (size_t)WIRE_PAYLOAD_MAX);
		put_frame(out, kind, at, part);
		at += part;
		size -= part;
	} while (size > 0);
}

static bool is_kind(uint8_t kind)
{
	return (kind >= WIRE_HELLO && kind <= WIRE_REDRAW) || (kind >= WIRE_WELCOME && kind <= WIRE_BYE);
}

enum wire_result wire_next(struct wire_buffer *in, struct wire_frame *out)
{
	size_t left = wire_pending(in);
	if (left < HEADER)
		return WIRE_MORE;
	const uint8_t *at = (const uint8_t *)in->bytes.text + in->done;
	size_t size = (size_t)at[2] << 8 | at[3];
	if (!is_kind(at[0]) || at[1] != 0 || size > WIRE_PAYLOAD_MAX)
		return WIRE_BROKEN;
	if (left - HEADER < size)
		return WIRE_MORE;
	*out = (struct wire_frame){ at[0], at + HEADER, size };
	in->done += HEADER + size;
	return WIRE_FRAME;
}

/* ---- fields ---- */

static void put_number(struct strbuf *b, uint64_t value, size_t bytes)
{
	for (size_t i = bytes; i-- > 0;) {
		uint8_t byte = (uint8_t)(value >> (8 * i));
		strbuf_addn(b, &byte, 1);
	}
}

static void put_text(struct strbuf *b, const char *text)
{
	size_t n = strlen(text);
	put_number(b, n, 2);
	strbuf_addn(b, text, n);
}

/* Each take_ leaves `bad` behind when there is too little, and then nothing more is read. */
struct reader {
	const uint8_t *at, *end;
	bool bad;
};

static struct reader reader_of(const struct wire_frame *f)
{
	return (struct reader){ f->payload, f->payload + f->size, false };
}

static bool has(struct reader *r, size_t n)
{
	if ((size_t)(r->end - r->at) < n)
		r->bad = true;
	return !r->bad;
}

static uint64_t take_number(struct reader *r, size_t bytes)
{
	uint64_t value = 0;
	if (!has(r, bytes))
		return 0;
	for (size_t i = 0; i < bytes; i++)
		value = value << 8 | *r->at++;
	return value;
}

static bool take_bool(struct reader *r)
{
	uint64_t value = take_number(r, 1);
	r->bad = r->bad || value > 1;
	return value == 1;
}

static void take_text(struct reader *r, char *out, size_t size)
{
	size_t n = (size_t)take_number(r, 2);
	out[0] = '\0';
	if (!has(r, n))
		return;
	if (n >= size || memchr(r->at, '\0', n)) {
		r->bad = true;
		return;
	}
	memcpy(out, r->at, n);
	out[n] = '\0';
	r->at += n;
}

static bool taken(const struct reader *r)
{
	return !r->bad && r->at == r->end;
}

static void put_fields(struct wire_buffer *out, enum wire_kind kind, struct strbuf *take)
{
	put_frame(out, kind, take->text, take->len);
	strbuf_free(take);
}

/* ---- payloads ---- */

void wire_put_hello(struct wire_buffer *out, const struct wire_hello *h)
{
	struct strbuf b = STRBUF_INIT;
	const bool flags[] = { h->force, h->readonly, h->ascii, h->utf8, h->mouse, h->tmux };
	strbuf_addn(&b, magic, sizeof(magic));
	put_number(&b, h->version, 2);
	put_number(&b, h->purpose, 1);
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		put_number(&b, flags[i], 1);
	put_number(&b, h->color, 1);
	put_number(&b, h->size.rows, 2);
	put_number(&b, h->size.cols, 2);
	put_text(&b, h->release);
	put_text(&b, h->term);
	put_text(&b, h->from);
	put_text(&b, h->mirror);
	put_text(&b, h->config);
	put_fields(out, WIRE_HELLO, &b);
}

bool wire_hello(const struct wire_frame *f, struct wire_hello *out)
{
	struct reader r = reader_of(f);
	*out = (struct wire_hello){ 0 };
	bool *const flags[] = { &out->force, &out->readonly, &out->ascii, &out->utf8, &out->mouse, &out->tmux };
	if (f->kind != WIRE_HELLO || !has(&r, sizeof(magic)) || memcmp(r.at, magic, sizeof(magic)) != 0)
		return false;
	r.at += sizeof(magic);
	out->version = (uint16_t)take_number(&r, 2);
	if (r.bad || out->version != WIRE_VERSION)
		return !r.bad;
	uint64_t purpose = take_number(&r, 1);
	r.bad = r.bad || purpose >= WIRE_PURPOSES;
	out->purpose = (enum wire_purpose)purpose;
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		*flags[i] = take_bool(&r);
	out->color = (uint8_t)take_number(&r, 1);
	out->size.rows = (uint16_t)take_number(&r, 2);
	out->size.cols = (uint16_t)take_number(&r, 2);
	take_text(&r, out->release, sizeof(out->release));
	take_text(&r, out->term, sizeof(out->term));
	take_text(&r, out->from, sizeof(out->from));
	take_text(&r, out->mirror, sizeof(out->mirror));
	take_text(&r, out->config, sizeof(out->config));
	return taken(&r);
}

void wire_put_size(struct wire_buffer *out, struct wire_size size)
{
	struct strbuf b = STRBUF_INIT;
	put_number(&b, size.rows, 2);
	put_number(&b, size.cols, 2);
	put_fields(out, WIRE_SIZE, &b);
}

bool wire_size(const struct wire_frame *f, struct wire_size *out)
{
	struct reader r = reader_of(f);
	out->rows = (uint16_t)take_number(&r, 2);
	out->cols = (uint16_t)take_number(&r, 2);
	return f->kind == WIRE_SIZE && taken(&r);
}

void wire_put_status(struct wire_buffer *out, const struct wire_status *s)
{
	struct strbuf b = STRBUF_INIT;
	put_number(&b, (uint64_t)s->pid, 8);
	put_number(&b, (uint64_t)s->since_us, 8);
	put_number(&b, (uint64_t)s->attached_us, 8);
	put_text(&b, s->release);
	put_text(&b, s->from);
	put_text(&b, s->sentence);
	put_fields(out, WIRE_STATUS, &b);
}

bool wire_status(const struct wire_frame *f, struct wire_status *out)
{
	struct reader r = reader_of(f);
	out->pid = (int64_t)take_number(&r, 8);
	out->since_us = (int64_t)take_number(&r, 8);
	out->attached_us = (int64_t)take_number(&r, 8);
	take_text(&r, out->release, sizeof(out->release));
	take_text(&r, out->from, sizeof(out->from));
	take_text(&r, out->sentence, sizeof(out->sentence));
	return f->kind == WIRE_STATUS && taken(&r);
}

void wire_put_bye(struct wire_buffer *out, const struct wire_bye *bye)
{
	struct strbuf b = STRBUF_INIT;
	put_number(&b, bye->code, 1);
	put_number(&b, bye->restored, 1);
	put_text(&b, bye->text);
	put_fields(out, WIRE_BYE, &b);
}

bool wire_bye(const struct wire_frame *f, struct wire_bye *out)
{
	struct reader r = reader_of(f);
	out->code = (uint8_t)take_number(&r, 1);
	out->restored = take_bool(&r);
	take_text(&r, out->text, sizeof(out->text));
	return f->kind == WIRE_BYE && taken(&r);
}

/* ---- sockets ---- */

bool wire_send(int socket, struct wire_buffer *out)
{
	while (wire_pending(out) > 0) {
		ssize_t n = send(socket, out->bytes.text + out->done, wire_pending(out), MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN || errno == EWOULDBLOCK;
		out->done += (size_t)n;
	}
	wire_compact(out);
	return true;
}

bool wire_receive(int socket, struct wire_buffer *in)
{
	char part[8192];
	wire_compact(in);
	ssize_t n = recv(socket, part, sizeof(part), MSG_DONTWAIT);
	if (n > 0)
		strbuf_addn(&in->bytes, part, (size_t)n);
	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR));
}
