// SPDX-License-Identifier: PostgreSQL
/* Answers are read whenever the socket has some while we are sending: a server that can't get rid of its
 * answers stops reading, and both sides would wait for ever. */
#include "pipeline.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

/* So much is sent before we look whether the socket takes it: libpq's buffer stays small. */
#define FLOW_BYTES (64 * 1024)

/* How long a server has to answer a cancel request before the connection is given up. */
#define CANCEL_GRACE_MS 1000
#define CANCEL_POLL_MS 50

enum item_kind { ITEM_PREPARE, ITEM_EXECUTE, ITEM_SYNC };

/* Something sent whose answer is to come. */
struct item {
	/* How long a server has to answer a cancel request before the connection is given up. */
#define CANCEL_GRACE_MS 1000
#define CANCEL_POLL_MS 50

enum item_kind kind;
	bool answered; /* only the end of its answer is missing */
	bool *ready;
	uint64_t tag;
};

struct pipeline {
	struct pg *pg;
	PGconn *conn;
	pipeline_answer *answer;
	void *arg;
	struct item *ring; /* size is a power of two */
	size_t first, count, size;
	size_t sent_bytes; /* since we last looked */
	bool open;
	int64_t cancelled_until; /* 0: it is not cancelled */
	struct error error;
	struct pipeline_failure failure;
};

struct pipeline *pipeline_new(struct pg *c, pipeline_answer *answer, void *arg)
{
	struct pipeline *p = xcalloc(1, sizeof(*p));
	p->pg = c;
	p->conn = pg_conn_borrow(c);
	p->answer = answer;
	p->arg = arg;
	p->size = 64;
	p->ring = xcalloc(p->size, sizeof(*p->ring));
	return p;
}

void pipeline_free(struct pipeline *p)
{
	if (!p)
		return;
	free(p->ring);
	free(p);
}

bool pipeline_failing(const struct pipeline *p)
{
	return p->error.class != ERROR_NONE;
}

const struct pipeline_failure *pipeline_failure(const struct pipeline *p)
{
	return &p->failure;
}

static struct item *head(struct pipeline *p)
{
	return &p->ring[p->first & (p->size - 1)];
}

static void push(struct pipeline *p, struct item item)
{
	if (p->count == p->size) {
		struct item *larger = xcalloc(2 * p->size, sizeof(*larger));
		for (size_t i = 0; i < p->count; i++)
			larger[i] = p->ring[(p->first + i) & (p->size - 1)];
		free(p->ring);
		p->ring = larger;
		p->first = 0;
		p->size *= 2;
	}
	p->ring[(p->first + p->count++) & (p->size - 1)] = item;
}

static void pop(struct pipeline *p)
{
	p->first++;
	p->count--;
}

/* The connection can't be used any more; what is still to be answered never will be. */
static void lose(struct pipeline *p)
{
	pg_abandon(p->pg);
	p->count = 0;
}

static void lost(struct pipeline *p)
{
	if (!pipeline_failing(p))
		pg_error(p->pg, &p->error, NULL, NULL);
	lose(p);
}

/* ---- reading ---- */

static void failed(struct pipeline *p, const PGresult *r)
{
	const char *schema = PQresultErrorField(r, PG_DIAG_SCHEMA_NAME);
	const char *table = PQresultErrorField(r, PG_DIAG_TABLE_NAME);
	pg_error(p->pg, &p->error, r, NULL);
	p->failure.tag = head(p)->tag;
	copy_text(p->failure.schema, sizeof(p->failure.schema), schema);
	copy_text(p->failure.table, sizeof(p->failure.table), table);
}

static void answered(struct pipeline *p, const PGresult *r)
{
	struct item *item = head(p);
	ExecStatusType status = PQresultStatus(r);
	item->answered = true;
	if (status == PGRES_PIPELINE_ABORTED || pipeline_failing(p))
		return;
	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
		failed(p, r);
	else if (item->kind == ITEM_PREPARE)
		*item->ready = true;
	else
		p->answer(p->arg, item->tag, r);
}

/* What has come so far. */
static void take(struct pipeline *p)
{
	while (p->count > 0 && !PQisBusy(p->conn)) {
		PGresult *r = PQgetResult(p->conn);
		bool whole = head(p)->answered;
		if (r && PQresultStatus(r) == PGRES_PIPELINE_SYNC)
			pop(p);
		else if (r)
			answered(p, r);
		else if (whole)
			pop(p);
		else
			lost(p);
		PQclear(r);
	}
}

/* The server is asked to give up, and has a moment to say that it did: a statement that is left alone might
 * still commit when whatever it waits for is over. */
static void cancel(struct pipeline *p)
{
	if (p->cancelled_until == 0) {
		p->cancelled_until = clock_us() + CANCEL_GRACE_MS * 1000;
		pg_cancel(p->pg);
		error_set(&p->error, ERROR_CANCELLED, "peer %s: stopped while waiting for the server",
			pg_peer_name(p->pg));
	} else if (clock_us() >= p->cancelled_until) {
		lose(p);
	}
}

/* Until the socket has one of events; takes what came. */
static void wait_for(struct pipeline *p, short events)
{
	const struct stop *stop = pg_stop_borrow(p->pg);
	struct pollfd poller = { .fd = PQsocket(p->conn), .events = events };
	if (!stop_raised(stop))
		poller.revents = stop_poll(stop, poller.fd, events, -1);
	if (stop_raised(stop)) {
		cancel(p);
		if (pg_lost(p->pg) || poll(&poller, 1, CANCEL_POLL_MS) < 0)
			return;
	}
	bool read = !(poller.revents & ~POLLOUT) || PQconsumeInput(p->conn);
	take(p);
	if (!read && p->count > 0)
		lost(p);
}

/* ---- sending ---- */

static void flow(struct pipeline *p)
{
	int left = 0;
	p->sent_bytes = 0;
	while (!pg_lost(p->pg) && (left = PQflush(p->conn)) > 0)
		wait_for(p, POLLIN | POLLOUT);
	if (left < 0)
		lost(p);
}

static bool ready_to_send(struct pipeline *p)
{
	if (!p->open) {
		p->error.class = ERROR_NONE;
		p->cancelled_until = 0;
		p->failure = (struct pipeline_failure){ .tag = UINT64_MAX };
		pg_note_status(p->pg, 0);
		p->open = true;
		if (!PQenterPipelineMode(p->conn))
			lost(p);
	}
	return !pipeline_failing(p);
}

static void sent(struct pipeline *p, int ok, struct item item, size_t bytes)
{
	if (!ok) {
		lost(p);
		return;
	}
	push(p, item);
	p->sent_bytes += bytes;
	if (p->sent_bytes >= FLOW_BYTES)
		flow(p);
}

void pipeline_prepare(struct pipeline *p, const char *name, const char *sql, bool *ready, uint64_t tag)
{
	if (ready_to_send(p))
		sent(p, PQsendPrepare(p->conn, name, sql, 0, NULL),
			(struct item){ .kind = ITEM_PREPARE, .ready = ready, .tag = tag }, strlen(sql));
}

void pipeline_execute(struct pipeline *p, const char *name, int n, const char *const *values, uint64_t tag)
{
	size_t bytes = 64;
	if (!ready_to_send(p))
		return;
	for (int i = 0; i < n; i++)
		bytes += values[i] ? strlen(values[i]) : 0;
	sent(p, PQsendQueryPrepared(p->conn, name, n, values, NULL, NULL, 0),
		(struct item){ .kind = ITEM_EXECUTE, .tag = tag }, bytes);
}

void pipeline_run(struct pipeline *p, const char *sql, uint64_t tag)
{
	if (ready_to_send(p))
		sent(p, PQsendQueryParams(p->conn, sql, 0, NULL, NULL, NULL, NULL, 0),
			(struct item){ .kind = ITEM_EXECUTE, .tag = tag }, strlen(sql));
}

bool pipeline_end(struct pipeline *p, struct error *e)
{
	if (!p->open)
		return true;
	p->open = false;
	if (!pg_lost(p->pg))
		sent(p, PQpipelineSync(p->conn), (struct item){ .kind = ITEM_SYNC }, 0);
	flow(p);
	take(p);
	while (p->count > 0)
		wait_for(p, POLLIN);
	if (!pg_lost(p->pg) && !PQexitPipelineMode(p->conn))
		lost(p);
	if (!pipeline_failing(p))
		return true;
	*e = p->error;
	return false;
}
