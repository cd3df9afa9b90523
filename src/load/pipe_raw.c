// SPDX-License-Identifier: PostgreSQL
/* The pipe on plain connections: our own COPY frames on libpq's idle socket.
 *
 * libpq has done the login and is idle; it never sees what passes here, and finds the connection idle again
 * afterwards (or in a transaction, which pg_note_status tells it). Only PQsocket() is used of it. Valid
 * only without TLS and GSS. Half the client's CPU of the libpq path: no copy, no malloc, no wake-up a row.
 *
 * Both queries are sent, then data flows: the source's CopyData frames are taken apart and their bytes put
 * together again into frames of PIPE_PIECE. A frame's borders mean nothing to COPY FROM, so a row may span
 * many of ours: memory does not depend on it. (Message formats: PostgreSQL documentation 55.7.) */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "pipe.h"

#define IN_SIZE (128 * 1024)
#define FRAME_HEADER 5
/* Messages other than CopyData are small; a server that sends a larger one is broken or hostile. */
#define LONGEST_MESSAGE (1024 * 1024)
/* A server sends 8 kB at a time, and to wake up for each costs more than to move it: while data flows we doze
 * before we look again, and take what has gathered at once. The sockets hold far more than comes meanwhile, so
 * neither server waits for us; the first bytes of a table, which may be small, are not delayed. */
#define DOZE_US 200
#define DOZE_FROM_BYTES (256 * 1024)
/* How long a failed COPY has to end before its connection is given up. */
#define END_MS 1000

/* One connection, spoken to by hand. */
struct end {
	struct pg *pg;
	const char *sql;
	int fd;
	char *in; /* IN_SIZE */
	size_t from, to;
	bool copying; /* its COPY was started */
	bool ready;   /* ReadyForQuery was read */
	bool failed;
	struct error error; /* when failed */
	int64_t rows;       /* of the COPY's command tag; -1 none */
	char answer[32];    /* of a SELECT behind the COPY */
};

struct raw {
	const struct pipe *pipe;
	struct end source, target;
	char out[FRAME_HEADER + PIPE_PIECE];
	size_t out_len;     /* payload bytes in out */
	uint32_t frame_left; /* of the CopyData frame that is being taken apart */
	bool dozed; /* and found nothing yet */
	struct pipe_result *result;
};

static uint32_t get32(const char *p)
{
	const unsigned char *u = (const unsigned char *)p;
	return (uint32_t)u[0] << 24 | (uint32_t)u[1] << 16 | (uint32_t)u[2] << 8 | u[3];
}

static void put32(char *p, uint32_t v)
{
	p[0] = (char)(v >> 24);
	p[1] = (char)(v >> 16);
	p[2] = (char)(v >> 8);
	p[3] = (char)v;
}

static bool lost(struct end *x, const char *why)
{
	pg_abandon(x->pg);
	x->failed = true;
	return error_set(&x->error, ERROR_CONNECTION, "peer %s: %s", pg_peer_name(x->pg), why);
}

static const struct stop *stop_of(const struct end *x)
{
	return pg_stop_borrow(x->pg);
}

static bool stopped(struct end *x)
{
	if (!stop_raised(stop_of(x)))
		return false;
	x->failed = true;
	error_set(&x->error, ERROR_CANCELLED, "stopped");
	return true;
}

/* ---- reading ---- */

/* One recv; 1 got something, 0 nothing there yet, -1 failed. */
static int receive(struct end *x)
{
	memmove(x->in, x->in + x->from, x->to - x->from); /* a message's beginning at most */
	x->to -= x->from;
	x->from = 0;
	ssize_t n = recv(x->fd, x->in + x->to, IN_SIZE - x->to, 0);
	if (n > 0) {
		x->to += (size_t)n;
		return 1;
	}
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		return 0;
	lost(x, n == 0 ? "the server closed the connection" : strerror(errno));
	return -1;
}

/* A whole message at x->from? Not for CopyData, whose payload is taken as it comes. */
static bool have_message(struct end *x, uint32_t *len)
{
	if (x->to - x->from < FRAME_HEADER)
		return false;
	*len = get32(x->in + x->from + 1);
	if (*len < 4 || *len > LONGEST_MESSAGE)
		return lost(x, "the server sent a message of an impossible size");
	if (x->to - x->from >= 1 + (size_t)*len)
		return true;
	if (1 + (size_t)*len > IN_SIZE)
		return lost(x, "the server sent a message that is too long");
	return false;
}

/* A DataRow of one column: the number of columns, the length, the bytes. */
static void take_answer(struct end *x, const char *body, uint32_t size)
{
	if (size < 6)
		return;
	uint32_t len = get32(body + 2);
	if (len > size - 6 || len >= sizeof(x->answer))
		return;
	memcpy(x->answer, body + 6, len);
	x->answer[len] = '\0';
}

/* Anything but CopyData. False when the conversation can't go on. */
static bool handle(struct end *x, char type, const char *body, uint32_t size)
{
	switch (type) {
	case 'E':
		if (!x->failed)
			pg_error_fields(&x->error, body, size, x->sql);
		x->failed = true;
		return true;
	case 'C':
		if (pipe_tag_rows(body) >= 0)
			x->rows = pipe_tag_rows(body);
		return true;
	case 'D':
		take_answer(x, body, size);
		return true;
	case 'G':
	case 'H':
		x->copying = true;
		return true;
	case 'Z':
		x->ready = true;
		pg_note_status(x->pg, body[0]);
		return true;
	case 'c': /* CopyDone */
	case 'N': /* notice */
	case 'S': /* parameter status */
	case 'A': /* notification */
	case 'T': /* the columns of a row that follows */
	case 'I':
		return true;
	default:
		return lost(x, "the server broke the protocol");
	}
}

/* Handles one complete message that is not CopyData; false when there is none, or it broke. */
static bool take_message(struct end *x)
{
	uint32_t len;
	if (x->ready || !have_message(x, &len))
		return false;
	const char *p = x->in + x->from;
	x->from += 1 + (size_t)len;
	return handle(x, p[0], p + FRAME_HEADER, len - 4);
}

/* ---- sending ---- */

/* Sends all, or fails; reads what the server says meanwhile, so that neither side waits for the other. */
static bool send_all(struct end *x, const char *bytes, size_t n)
{
	while (n > 0) {
		ssize_t sent = send(x->fd, bytes, n, MSG_NOSIGNAL);
		if (sent > 0) {
			bytes += sent;
			n -= (size_t)sent;
			continue;
		}
		if (sent < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
			return lost(x, strerror(errno));
		short got = stop_poll(stop_of(x), x->fd, POLLIN | POLLOUT, -1);
		if (stopped(x))
			return false;
		if (got & (POLLIN | POLLHUP | POLLERR)) {
			if (receive(x) < 0)
				return false;
			while (take_message(x))
				;
			if (x->failed) { /* in the middle of a frame, perhaps: nothing may follow it */
				pg_abandon(x->pg);
				return false;
			}
		}
	}
	return true;
}

static bool send_query(struct end *x)
{
	char header[FRAME_HEADER] = { 'Q' };
	size_t n = strlen(x->sql) + 1;
	put32(header + 1, (uint32_t)(n + 4));
	return send_all(x, header, sizeof(header)) && send_all(x, x->sql, n);
}

/* Reads messages until the condition holds or the end failed. */
static bool wait_until(struct end *x, const bool *condition)
{
	while (!*condition && !x->failed) {
		if (take_message(x))
			continue;
		if (x->failed)
			return false;
		if (receive(x) == 0) {
			stop_poll(stop_of(x), x->fd, POLLIN, -1);
			if (stopped(x))
				return false;
		}
	}
	return !x->failed;
}

/* ---- data ---- */

static bool flush(struct raw *r)
{
	if (r->out_len == 0)
		return true;
	throttle_take(r->pipe->throttle, (int64_t)r->out_len, stop_of(&r->target));
	r->out[0] = 'd';
	put32(r->out + 1, (uint32_t)(r->out_len + 4));
	size_t n = FRAME_HEADER + r->out_len;
	r->result->bytes += (int64_t)r->out_len;
	atomic_store(&r->pipe->progress->bytes, r->result->bytes);
	atomic_store(&r->pipe->progress->rows, r->result->rows);
	r->out_len = 0;
	return send_all(&r->target, r->out, n);
}

/* Moves payload bytes from the source's buffer into out, flushing as it fills. */
static bool move_payload(struct raw *r)
{
	struct end *s = &r->source;
	size_t n = MIN(MIN((size_t)r->frame_left, s->to - s->from), PIPE_PIECE - r->out_len);
	memcpy(r->out + FRAME_HEADER + r->out_len, s->in + s->from, n);
	s->from += n;
	r->out_len += n;
	r->frame_left -= (uint32_t)n;
	return r->out_len < PIPE_PIECE || flush(r);
}

/* Rows that are whole in the source's buffer and leave room in out, which most do; the others, and whatever is
 * odd, are left to the caller. */
static void move_rows(struct raw *r)
{
	struct end *s = &r->source;
	const char *in = s->in + s->from, *in_end = s->in + s->to;
	char *out = r->out + FRAME_HEADER + r->out_len, *out_end = r->out + sizeof(r->out);
	while (in_end - in > FRAME_HEADER && in[0] == 'd') {
		uint32_t n = get32(in + 1) - 4;
		if (n > in_end - in - FRAME_HEADER || n >= out_end - out)
			break;
		memcpy(out, in + FRAME_HEADER, n);
		in += FRAME_HEADER + n;
		out += n;
		r->result->rows++;
	}
	s->from = (size_t)(in - s->in);
	r->out_len = (size_t)(out - r->out) - FRAME_HEADER;
}

/* Takes apart all that is in the source's buffer. */
static bool consume_source(struct raw *r)
{
	struct end *s = &r->source;
	while (!s->ready && !s->failed) {
		if (r->frame_left == 0)
			move_rows(r);
		if (r->frame_left > 0) {
			if (s->from == s->to)
				return true;
			if (!move_payload(r))
				return false;
		} else if (s->to - s->from >= FRAME_HEADER && s->in[s->from] == 'd') {
			uint32_t len = get32(s->in + s->from + 1);
			if (len < 4)
				return lost(s, "the server sent a message of an impossible size");
			s->from += FRAME_HEADER;
			r->frame_left = len - 4;
			r->result->rows++;
		} else if (!take_message(s)) {
			return !s->failed;
		}
	}
	return !s->failed;
}

/* The source is slow just now. What was gathered can go meanwhile; the target may have an error to tell. */
static bool await_source(struct raw *r)
{
	short out[2];
	if (r->out_len >= PIPE_PIECE / 2 && !flush(r))
		return false;
	if (r->result->bytes >= DOZE_FROM_BYTES && !r->dozed) {
		r->dozed = true;
		out[1] = stop_doze(stop_of(&r->target), r->target.fd, POLLIN, DOZE_US);
	} else {
		stop_poll2(stop_of(&r->source), (int[2]){ r->source.fd, r->target.fd },
			(short[2]){ POLLIN, POLLIN }, out, -1);
	}
	return !stopped(&r->source) &&
		   (!out[1] || (receive(&r->target) >= 0 && !(take_message(&r->target) && r->target.failed)));
}

static bool stream(struct raw *r)
{
	for (;;) {
		if (!consume_source(r))
			return false;
		if (r->source.ready)
			return flush(r);
		bool filled = r->source.to == IN_SIZE; /* then there is more to be had */
		if (!filled && !await_source(r))
			return false;
		int got = receive(&r->source);
		if (got < 0)
			return false;
		if (got > 0)
			r->dozed = false;
	}
}

/* ---- the end of it ---- */

/* The source's rest is not wanted. A cancel may reach the server late, when it would hit whatever comes next
 * on the connection: so nothing does. */
static void give_up(struct end *x)
{
	pg_cancel(x->pg);
	pg_abandon(x->pg);
}

static void wait_ready(struct end *x)
{
	int64_t until = clock_us() + END_MS * 1000;
	while (!x->ready && !pg_lost(x->pg) && clock_us() < until) {
		if (take_message(x))
			continue;
		struct pollfd p = { .fd = x->fd, .events = POLLIN };
		if (poll(&p, 1, 100) < 0 || receive(x) < 0)
			break;
	}
	if (!x->ready)
		pg_abandon(x->pg);
}

/* A COPY that has begun on the target is failed with CopyFail; after an error of its own it is ready by itself;
 * one that stands before its COPY (waiting for a lock, say) is given up. */
static void abort_target(struct end *t)
{
	static const char text[] = "pgpier: the source failed";
	char message[FRAME_HEADER + sizeof(text)] = { 'f' };
	if (t->ready || pg_lost(t->pg))
		return;
	if (stop_raised(stop_of(t))) {
		give_up(t);
		return;
	}
	if (!t->failed) {
		put32(message + 1, 4 + sizeof(text));
		memcpy(message + FRAME_HEADER, text, sizeof(text));
		ssize_t sent = t->copying ? send(t->fd, message, sizeof(message), MSG_NOSIGNAL) : -1;
		if (sent != (ssize_t)sizeof(message)) {
			give_up(t);
			return;
		}
	}
	wait_ready(t);
}

static bool finish_target(struct raw *r)
{
	static const char done[FRAME_HEADER] = { 'c', 0, 0, 0, 4 };
	return send_all(&r->target, done, sizeof(done)) && wait_until(&r->target, &r->target.ready);
}

static bool run(struct raw *r)
{
	return send_query(&r->target) && send_query(&r->source) &&
		   wait_until(&r->target, &r->target.copying) && wait_until(&r->source, &r->source.copying) &&
		   stream(r) && finish_target(r);
}

static void end_init(struct end *x, struct pg *pg, const char *sql)
{
	*x = (struct end){ .pg = pg, .sql = sql, .fd = PQsocket(pg_conn_borrow(pg)), .rows = -1 };
	x->in = xmalloc(IN_SIZE);
}

bool pipe_copy_raw(const struct pipe *p, struct pipe_result *result, struct error *e)
{
	struct raw *r = xcalloc(1, sizeof(*r));
	r->pipe = p;
	r->result = result;
	*result = (struct pipe_result){ 0 };
	end_init(&r->source, p->source, p->source_sql);
	end_init(&r->target, p->target, p->target_sql);
	bool ok = run(r);
	if (ok) {
		result->rows = r->source.rows;
		copy_text(result->answer, sizeof(result->answer), r->source.answer);
		ok = pipe_check_rows(r->source.rows, r->target.rows, e);
	} else {
		result->source_failed = r->source.failed;
		*e = r->source.failed ? r->source.error : r->target.error;
		if (!r->source.ready && !pg_lost(r->source.pg))
			give_up(&r->source);
		abort_target(&r->target);
	}
	free(r->source.in);
	free(r->target.in);
	free(r);
	return ok;
}
