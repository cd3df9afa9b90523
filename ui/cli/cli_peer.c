// SPDX-License-Identifier: PostgreSQL
/* peer list and peer test. A test of all peers asks them all at once, so that one that does not
 * answer holds up nobody. */
#include <stdlib.h>
#include <string.h>

#include <pgpier/format.h>

#include "../listing.h"
#include "ask.h"
#include "report.h"
#include "session.h"
#include "shape.h"
#include "suggest.h"

static void print_json(const struct peer_view *peers, size_t count)
{
	struct json j = JSON_INIT;
	json_object(&j, NULL);
	json_array(&j, "peers");
	for (size_t i = 0; i < count; i++)
		shape_peer(&j, &peers[i]);
	json_end_array(&j);
	json_end_object(&j);
	report_json(&j);
}

enum exit_code verb_peer_list(struct session *s, const struct args *a)
{
	(void)a;
	struct peer_view *peers = NULL;
	size_t count = model_peers(s->model, &peers);
	if (s->json) {
		print_json(peers, count);
	} else {
		struct listing l = { .titles = "NAME ADDRESS MIRRORS>" };
		for (size_t i = 0; i < count; i++) {
			char mirrors[FORMAT_SIZE];
			listing_add(&l, peers[i].name);
			listing_add(&l, peers[i].address);
			listing_add(&l, format_count((int64_t)peers[i].mirrors, mirrors));
		}
		listing_print(&l, stdout);
	}
	free(peers);
	return EXIT_DONE;
}

static struct pending submit(struct session *s, const char *name)
{
	struct command c = { .kind = COMMAND_PEER_TEST, .peer = xcalloc(1, sizeof(*c.peer)) };
	copy_text(c.name, sizeof(c.name), name);
	model_peer_config(s->model, name, c.peer);
	return session_submit(s, &c);
}

/* False when a signal ended it; else every peer says how it went. */
static bool test_all(struct session *s, struct peer_view *peers, size_t count)
{
	struct pending *tests = xcalloc(count, sizeof(*tests));
	for (size_t i = 0; i < count; i++)
		tests[i] = submit(s, peers[i].name);
	bool finished = session_finish(s, tests, count);
	for (size_t i = 0; finished && i < count; i++) {
		const struct outcome *o = &tests[i].outcome;
		peers[i].status = o->state == OUTCOME_DONE ? PEER_OK : PEER_FAILED;
		peers[i].probe = o->probe;
		peers[i].error = o->error;
	}
	free(tests);
	return finished;
}

static void list_result(struct listing *l, const struct peer_view *p)
{
	char text[FORMAT_SIZE];
	bool ok = p->status == PEER_OK;
	listing_add(l, p->name);
	listing_add(l, p->address);
	listing_add(l, ok ? p->probe.version : "");
	listing_add(l, ok ? p->probe.wal_level : "");
	listing_add(l, ok ? format_bytes(p->probe.database_bytes, text) : "");
	if (ok) {
		char status[NAME_SIZE * 2];
		snprintf(status, sizeof(status), "ok, %.1f ms%s%s%s", p->probe.latency_ms,
			p->probe.encrypted ? ", encrypted" : "", p->probe.pooler ? ", behind a pooler" : "",
			p->probe.standby ? ", standby" : "");
		listing_add(l, status);
	} else {
		listing_add(l, "failed");
	}
}

static enum exit_code print_results(
	struct session *s, const struct peer_view *peers, size_t count, bool single)
{
	enum exit_code code = EXIT_DONE;
	struct listing l = { .titles = "NAME ADDRESS VERSION WAL SIZE> STATUS" };
	for (size_t i = 0; i < count; i++) {
		list_result(&l, &peers[i]);
		if (peers[i].status != PEER_OK)
			code = EXIT_FAILED;
	}
	if (!s->json) {
		listing_print(&l, stdout);
		fflush(stdout);
	} else if (single) {
		struct json j = JSON_INIT;
		shape_peer(&j, &peers[0]);
		report_json(&j);
	} else {
		print_json(peers, count);
	}
	strings_free(&l.cells);
	for (size_t i = 0; i < count; i++)
		if (peers[i].status == PEER_FAILED)
			report_error(&peers[i].error, false);
	return code;
}

static enum exit_code test(struct session *s, struct peer_view *peers, size_t count, bool single)
{
	enum exit_code code = EXIT_DONE;
	for (size_t i = 0; i < count && code == EXIT_DONE; i++)
		code = ask_passwords(s, (const char *[]){ peers[i].name }, 1);
	if (code != EXIT_DONE)
		return code;
	if (!test_all(s, peers, count))
		return EXIT_INTERRUPTED;
	return print_results(s, peers, count, single);
}

static enum exit_code no_such_peer(
	struct session *s, const char *name, const struct peer_view *peers, size_t count)
{
	struct error e = { 0 };
	struct suggestion near = { .word = name };
	for (size_t i = 0; i < count; i++)
		suggest_try(&near, peers[i].name);
	error_set(&e, ERROR_USAGE, "there is no peer \"%s\"", name);
	suggest_next(&near, &e);
	error_next(&e, "pgpier peer list shows those there are");
	report_error(&e, s->json);
	return EXIT_USAGE;
}

enum exit_code verb_peer_test(struct session *s, const struct args *a)
{
	struct peer_view *peers = NULL;
	size_t count = model_peers(s->model, &peers);
	size_t at = 0;
	enum exit_code code;
	while (a->name && at < count && strcmp(peers[at].name, a->name) != 0)
		at++;
	if (!a->name)
		code = test(s, peers, count, false);
	else if (at == count)
		code = no_such_peer(s, a->name, peers, count);
	else
		code = test(s, &peers[at], 1, true);
	free(peers);
	return code;
}
