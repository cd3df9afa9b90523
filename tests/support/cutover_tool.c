// SPDX-License-Identifier: PostgreSQL
/* What a cutover is made of (src/cutover), one step a call.
 *
 *   cutover_tool SERVER fence plan|close|lift|read MIRROR [ROLE...]  ROLE: is let in
 *   cutover_tool SERVER sessions [ROLE...]
 *   cutover_tool SERVER end MS [ROLE...]
 *   cutover_tool SERVER peek SLOT PUBLICATION LSN
 *   cutover_tool CONSOLE pgbouncer check|pause|resume|reload|paused DATABASE [MS]
 *   cutover_tool SERVER hook freeze|unfreeze|open MS COMMAND
 *
 * SERVER is a libpq string, CONSOLE that of PgBouncer's. SIGTERM raises the stop. Exit code 2 with the error on
 * stderr. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cutover/fence.h"
#include "cutover/hook.h"
#include "cutover/pgbouncer.h"
#include "cutover/sessions.h"
#include "store/store.h"

static struct stop *stop;

static void on_signal(int number)
{
	(void)number;
	stop_raise(stop);
}

struct tool {
	struct peer_config peer;
	struct pg *server;
	int argc; /* of the command's own words */
	char **argv;
};

static struct strings words_from(const struct tool *t, int first)
{
	struct strings words = { .count = 0 };
	for (int i = first; i < t->argc; i++)
		strings_add(&words, t->argv[i]);
	return words;
}

static void print_lines(const char *head, const struct strings *l)
{
	for (size_t i = 0; i < l->count; i++)
		printf("%s %s\n", head, l->items[i]);
}

static bool connect_server(struct tool *t, struct error *e)
{
	t->server = pg_connect(&t->peer, "tool", "check", stop, e);
	return t->server != NULL;
}

/* ---- fence ---- */

static bool fence_show(struct tool *t, const struct fence_settings *s, struct error *e)
{
	struct fence_plan plan;
	if (!fence_plan(t->server, s, &plan, e))
		return false;
	print_lines("close", &plan.close);
	print_lines("undo", &plan.undo);
	print_lines("note", &plan.notes);
	print_lines("remark", &plan.remarks);
	printf("roles %zu\n", plan.roles);
	fence_plan_free(&plan);
	return true;
}

static bool fence_of(struct tool *t, const struct fence_settings *s, const char *what, struct error *e)
{
	struct strings undo;
	bool stands;
	if (strcmp(what, "plan") == 0)
		return fence_show(t, s, e);
	if (strcmp(what, "close") == 0)
		return store_prepare(t->server, e) && fence_close(t->server, s, e);
	if (strcmp(what, "lift") == 0) {
		bool ok = fence_lift(t->server, s->mirror, &stands, e);
		printf("stood %d\n", ok && stands);
		return ok;
	}
	if (!fence_read(t->server, s->mirror, &stands, &undo, e))
		return false;
	printf("stands %d\n", stands);
	print_lines("undo", &undo);
	strings_free(&undo);
	return true;
}

static bool fence(struct tool *t, struct error *e)
{
	struct strings allow = words_from(t, 2);
	struct fence_settings s = { .mirror = t->argv[1], .allow = &allow };
	bool ok = connect_server(t, e) && fence_of(t, &s, t->argv[0], e);
	strings_free(&allow);
	return ok;
}

/* ---- sessions ---- */

static bool sessions(struct tool *t, struct error *e)
{
	struct strings allow = words_from(t, 0);
	struct session *list = NULL;
	size_t n = 0;
	char text[512];
	bool ok = connect_server(t, e) && sessions_read(t->server, &allow, &list, &n, e);
	for (size_t i = 0; i < n; i++) {
		session_text(&list[i], text, sizeof(text));
		printf("%s %d %s\n", list[i].writes ? "writes" : "reads", list[i].pid, text);
	}
	free(list);
	strings_free(&allow);
	return ok;
}

static bool end(struct tool *t, struct error *e)
{
	struct strings allow = words_from(t, 1), left = { .count = 0 };
	size_t ended = 0;
	bool ok = connect_server(t, e) && sessions_end(t->server, &allow, atoi(t->argv[0]), &ended, &left, e);
	printf("ended %zu\n", ended);
	print_lines("left", &left);
	strings_free(&left);
	strings_free(&allow);
	return ok;
}

static bool peek(struct tool *t, struct error *e)
{
	char what[256];
	bool kept;
	if (!connect_server(t, e) || !silence_was_kept(t->server, t->argv[0], t->argv[1], t->argv[2], &kept, what, e))
		return false;
	printf("kept %d\n%s\n", kept, what);
	return true;
}

/* ---- PgBouncer and commands ---- */

static bool pgbouncer(struct tool *t, struct error *e)
{
	const char *what = t->argv[0];
	bool paused;
	t->peer.pgbouncer = t->peer.conninfo;
	t->peer.conninfo = NULL;
	t->peer.pgbouncer_database = xstrdup(t->argv[1]);
	if (strcmp(what, "check") == 0)
		return pgbouncer_check(&t->peer, stop, e);
	if (strcmp(what, "pause") == 0)
		return pgbouncer_pause(&t->peer, t->argc > 2 ? atoi(t->argv[2]) : 10000, stop, e);
	if (strcmp(what, "resume") == 0)
		return pgbouncer_resume(&t->peer, stop, e);
	if (strcmp(what, "reload") == 0)
		return pgbouncer_reload(&t->peer, stop, e);
	bool ok = pgbouncer_is_paused(&t->peer, &paused, stop, e);
	printf("paused %d\n", ok && paused);
	return ok;
}

static bool hook(struct tool *t, struct error *e)
{
	enum hook which = strcmp(t->argv[0], "freeze") == 0 ? HOOK_FREEZE
					  : strcmp(t->argv[0], "open") == 0 ? HOOK_OPEN
														: HOOK_UNFREEZE;
	struct peer_config to = { .name = xstrdup("target"), .host = xstrdup("far.example"), .port = 6000,
		.dbname = xstrdup("it's"), .user = xstrdup("app"), .password = xstrdup("very secret") };
	struct hook_peers peers = { .from = &t->peer, .to = &to };
	bool ok = connect_server(t, e);
	peers.from_connection = t->server;
	ok = ok && hook_run(which, t->argc > 2 ? t->argv[2] : NULL, "shop", &peers, atoi(t->argv[1]), stop, e);
	peer_config_free(&to);
	return ok;
}

static const struct {
	const char *name;
	int words; /* at least */
	bool (*run)(struct tool *t, struct error *e);
} commands[] = {
	{ "fence", 2, fence }, { "sessions", 0, sessions }, { "end", 1, end }, { "peek", 3, peek },
	{ "pgbouncer", 2, pgbouncer }, { "hook", 2, hook },
};

static bool run(struct tool *t, const char *name, struct error *e)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (strcmp(commands[i].name, name) == 0 && t->argc >= commands[i].words)
			return commands[i].run(t, e);
	return error_set(e, ERROR_USAGE, "no command %s of %d words", name, t->argc);
}

int main(int argc, char **argv)
{
	struct error e = { 0 };
	char line[1200];
	if (argc < 3)
		return 2;
	stop = stop_new(NULL);
	signal(SIGTERM, on_signal);
	struct tool t = { .peer = { .name = xstrdup("source"), .conninfo = xstrdup(argv[1]) }, .argc = argc - 3,
		.argv = argv + 3 };
	bool ok = run(&t, argv[2], &e);
	if (!ok)
		fprintf(stderr, "%s: %s\n", error_class_name(e.class), error_line(&e, line, sizeof(line)));
	pg_free(t.server);
	stop_free(stop);
	peer_config_free(&t.peer);
	return ok ? 0 : 2;
}
