// SPDX-License-Identifier: PostgreSQL
#include "background.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../attach/client.h"
#include "../attach/daemon.h"
#include "../attach/relay.h"
#include "../work.h"
#include "report.h"
#include "session.h"

#define PATIENCE_US 30000000 /* with an engine that begins or ends */
#define BETWEEN_LOOKS_MS 20

/* What the libraries say there, and a last word of ours. */
#define SAID_FILE "stderr"

/* ---- the process ---- */

struct start {
	struct args args;
	char state[4096], config[4096]; /* full paths: the process has another folder */
};

static void describe(void *engine, char *buf, size_t size)
{
	work_describe(engine_model_borrow(engine), buf, size);
}

static bool keeps(void *engine, char *why, size_t size)
{
	char mirror[NAME_SIZE];
	bool decided = false;
	if (!work_cuts_over(engine_model_borrow(engine), mirror, &decided))
		return false;
	snprintf(why, size, "the cutover of %s is under way, and would be %s; pgpier stop --yes stops all the same", mirror,
		decided ? "left behind its point of no return" : "undone");
	return true;
}

static uint64_t pause_mirror(void *engine, const char *mirror)
{
	struct command c = { .kind = COMMAND_MIRROR_PAUSE };
	copy_text(c.name, sizeof(c.name), mirror);
	return engine_submit(engine, &c);
}

static bool paused(void *engine, uint64_t ticket, struct error *e)
{
	struct outcome o = { 0 };
	if (model_outcome(engine_model_borrow(engine), ticket, &o) && o.state == OUTCOME_RUNNING)
		return false;
	*e = o.error;
	return true;
}

static int serve(struct engine *g, const char *config, struct place *p, int *ready)
{
	struct relay_host host = { g, config, describe, keeps, pause_mirror, paused };
	struct error e = { 0 };
	char sentence[512];
	int listener = place_listen(p, &e);
	struct relay *r = listener >= 0 ? relay_new(listener, &host, &e) : NULL;
	int said = openat(p->folder, SAID_FILE, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
	if (!r || said < 0) {
		if (r)
			error_set(&e, ERROR_CONFIG, "could not open %s/" SAID_FILE ": %s", p->path, strerror(errno));
		report_error(&e, false);
		return EXIT_FAILED;
	}
	daemon_ready(ready, said);
	close(said);
	int code = console_serve(g, r, sentence, sizeof(sentence));
	relay_end(r, sentence);
	engine_free(g);
	relay_free(r);
	return code;
}

static int process(void *data, int *ready)
{
	struct start *s = data;
	struct place p;
	struct holder who;
	struct error e = { 0 };
	if (!place_open(&p, s->state, &e)) {
		report_error(&e, false);
		return EXIT_USAGE;
	}
	if (!place_lock(&p, true, &who, &e)) {
		if (e.class == ERROR_CONFLICT)
			return EXIT_DONE; /* somebody was quicker: that one is as good */
		report_error(&e, false);
		return EXIT_FAILED;
	}
	struct engine *g = session_engine_new(&s->args, true);
	/* The place is left open: the lock goes with the process, and not before. */
	return g ? serve(g, s->args.given[OPTION_CONFIG], &p, ready) : EXIT_USAGE;
}

static bool full_path(const char *given, char *buf, size_t size)
{
	char here[4096] = "";
	if (given[0] != '/' && !getcwd(here, sizeof(here)))
		return false;
	return snprintf(buf, size, "%s%s%s", here, here[0] ? "/" : "", given) < (int)size;
}

static enum exit_code start_process(const struct args *a, struct error *e)
{
	struct start s = { .args = *a };
	if (!engine_state_dir(a->given[OPTION_STATE], s.state, sizeof(s.state), e))
		return EXIT_USAGE;
	s.args.given[OPTION_STATE] = s.state;
	const char *config = a->given[OPTION_CONFIG];
	if (config && full_path(config, s.config, sizeof(s.config)))
		s.args.given[OPTION_CONFIG] = s.config;
	return (enum exit_code)daemon_start(process, &s);
}

/* ---- reaching it ---- */

bool background_place(const struct args *a, struct place *p, struct error *e)
{
	char state[4096];
	*p = (struct place){ .folder = -1, .lock = -1 };
	return engine_state_dir(a->given[OPTION_STATE], state, sizeof(state), e) && place_open(p, state, e);
}

static bool none_runs(const struct place *p, struct error *e)
{
	error_set(e, ERROR_CONFLICT, "no engine runs for %.*s", (int)(strlen(p->path) - strlen("/run")), p->path);
	return error_next(e, "pgpier starts one");
}

int background_reach(const struct args *a, struct place *p, bool start, enum exit_code *code, struct error *e)
{
	int64_t until = clock_us() + PATIENCE_US;
	struct holder who;
	*code = EXIT_FAILED;
	for (;;) {
		int fd = place_connect(p);
		if (fd >= 0)
			return fd;
		bool held = place_held(p, &who);
		if (held && (!who.background || clock_us() > until)) {
			place_say_held(p, &who, e);
			return -1;
		}
		if (!held && (!start || clock_us() > until)) {
			none_runs(p, e);
			return -1;
		}
		if (!held && (*code = start_process(a, e)) != EXIT_DONE)
			return -1;
		*code = EXIT_FAILED;
		poll(NULL, 0, held ? BETWEEN_LOOKS_MS : 0); /* it begins, or ends */
	}
}

bool background_gone(const struct place *p)
{
	int64_t until = clock_us() + PATIENCE_US;
	struct holder who;
	while (place_held(p, &who)) {
		if (clock_us() > until)
			return false;
		poll(NULL, 0, BETWEEN_LOOKS_MS);
	}
	return true;
}

/* ---- attaching ---- */

struct console_options background_look(const struct args *a)
{
	const char *when = a->given[OPTION_COLOR], *no_color = getenv("NO_COLOR");
	struct console_options o = {
		.ascii = a->given[OPTION_ASCII] != NULL,
		.color = no_color && *no_color ? COLOR_NEVER : COLOR_AUTO,
		.mouse = a->given[OPTION_NO_MOUSE] == NULL,
		.readonly = a->given[OPTION_READONLY] != NULL,
	};
	if (when && strcmp(when, "auto") != 0)
		o.color = strcmp(when, "always") == 0 ? COLOR_ALWAYS : COLOR_NEVER;
	return o;
}

enum exit_code background_attach(const struct args *a, bool start)
{
	struct place p;
	struct error e = { 0 };
	enum exit_code code = EXIT_USAGE;
	struct console_options look = background_look(a);
	int socket = background_place(a, &p, &e) ? background_reach(a, &p, start, &code, &e) : -1;
	place_close(&p);
	if (socket < 0) {
		if (e.class != ERROR_NONE)
			report_error(&e, false);
		return code;
	}
	struct wire_hello h;
	client_hello(&h, WIRE_TO_ATTACH);
	h.force = a->given[OPTION_STEAL] != NULL;
	h.ascii = look.ascii;
	h.color = (uint8_t)look.color;
	h.mouse = look.mouse;
	h.readonly = look.readonly;
	if (a->given[OPTION_CONFIG] && !full_path(a->given[OPTION_CONFIG], h.config, sizeof(h.config)))
		h.config[0] = '\0';
	return (enum exit_code)client_attach(socket, &h);
}

/* ---- beside the other verbs ---- */

bool background_lets(const struct args *a)
{
	struct place p;
	struct holder who;
	struct error e = { 0 };
	bool open = background_place(a, &p, &e);
	bool held = open && !a->given[OPTION_DRY_RUN] && place_held(&p, &who);
	if (held) {
		place_say_held(&p, &who, &e);
		error_prefix(&e, "%s rewrites what a console has open", a->verb->name);
	}
	place_close(&p);
	if (e.class != ERROR_NONE)
		report_error(&e, a->given[OPTION_JSON] != NULL);
	return open && !held;
}
