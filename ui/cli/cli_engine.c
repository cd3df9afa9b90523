// SPDX-License-Identifier: PostgreSQL
/* start, attach, detach and stop; pause and status where an engine runs in the background. */
#include "cli_engine.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <pgpier/format.h>

#include "../attach/client.h"
#include "../text.h"
#include "background.h"
#include "report.h"
#include "session.h"

static enum exit_code say_bye(const struct wire_bye *bye)
{
	FILE *out = bye->code == 0 ? stdout : stderr;
	if (bye->code != 0)
		fputs("pgpier: ", out);
	text_print(out, bye->text);
	fputc('\n', out);
	return (enum exit_code)bye->code;
}

enum exit_code verb_attach(struct session *s, const struct args *a)
{
	(void)s;
	if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
		return background_attach(a, false);
	struct error e = { 0 };
	error_set(&e, ERROR_USAGE, "the console needs a terminal");
	report_error(&e, false);
	return EXIT_USAGE;
}

/* One question to the engine that runs. EXIT_DONE: the answer is in *status or *bye. */
static enum exit_code ask(const struct args *a, struct wire_hello *h, bool start, struct place *p,
	struct wire_status *status, struct wire_bye *bye)
{
	struct error e = { 0 };
	enum exit_code code = EXIT_USAGE;
	int socket = background_place(a, p, &e) ? background_reach(a, p, start, &code, &e) : -1;
	if (socket >= 0 && client_ask(socket, h, status, bye, &e))
		return EXIT_DONE;
	if (e.class != ERROR_NONE)
		report_error(&e, a->given[OPTION_JSON] != NULL);
	return code;
}

enum exit_code verb_start(struct session *s, const struct args *a)
{
	struct place p;
	struct wire_hello h;
	struct wire_status status = { 0 };
	struct wire_bye bye = { 0 };
	(void)s;
	client_hello(&h, WIRE_TO_ASK);
	enum exit_code code = ask(a, &h, true, &p, &status, &bye);
	place_close(&p);
	if (code != EXIT_DONE)
		return code;
	if (status.pid == 0)
		return say_bye(&bye);
	printf("the engine runs (pid %ld): ", (long)status.pid);
	text_print(stdout, status.sentence);
	putchar('\n');
	return EXIT_DONE;
}

enum exit_code verb_detach(struct session *s, const struct args *a)
{
	struct place p;
	struct wire_hello h;
	struct wire_bye bye = { 0 };
	(void)s;
	client_hello(&h, WIRE_TO_DETACH);
	enum exit_code code = ask(a, &h, false, &p, NULL, &bye);
	place_close(&p);
	return code == EXIT_DONE ? say_bye(&bye) : code;
}

/* Nothing to stop is as good as stopped: a service manager asks twice. */
enum exit_code verb_stop(struct session *s, const struct args *a)
{
	struct place p;
	struct holder who;
	struct error e = { 0 };
	struct wire_hello h;
	struct wire_bye bye = { 0 };
	(void)s;
	if (background_place(a, &p, &e) && !place_held(&p, &who)) {
		puts("no engine runs");
		place_close(&p);
		return EXIT_DONE;
	}
	place_close(&p);
	client_hello(&h, WIRE_TO_STOP);
	h.force = a->given[OPTION_YES] != NULL;
	enum exit_code code = ask(a, &h, false, &p, NULL, &bye);
	if (code == EXIT_DONE && bye.code == 0 && !background_gone(&p)) {
		error_set(&e, ERROR_CONFLICT, "the engine was told to end, and has not within half a minute");
		report_error(&e, false);
		code = EXIT_FAILED;
	}
	place_close(&p);
	return code == EXIT_DONE ? say_bye(&bye) : code;
}

bool engine_pauses(const struct args *a, struct wire_bye *bye)
{
	struct place p;
	struct wire_hello h;
	struct error e = { 0 };
	client_hello(&h, WIRE_TO_PAUSE);
	copy_text(h.mirror, sizeof(h.mirror), a->name);
	int socket = background_place(a, &p, &e) ? place_connect(&p) : -1;
	place_close(&p);
	return socket >= 0 && client_ask(socket, &h, NULL, bye, &e);
}

bool engine_status(const struct args *a, struct wire_status *status)
{
	struct place p;
	struct wire_hello h;
	struct wire_bye bye;
	struct error e = { 0 };
	*status = (struct wire_status){ 0 };
	client_hello(&h, WIRE_TO_ASK);
	int socket = background_place(a, &p, &e) ? place_connect(&p) : -1;
	place_close(&p);
	return socket >= 0 && client_ask(socket, &h, status, &bye, &e) && status->pid != 0;
}

void engine_print_status(const struct wire_status *s)
{
	char since[FORMAT_SIZE], attached[FORMAT_SIZE];
	if (s->pid == 0)
		return;
	printf("engine: pid %ld since %s, ", (long)s->pid, format_time(s->since_us, since));
	if (s->attached_us != 0) {
		fputs("attached on ", stdout);
		text_print(stdout, s->from);
		printf(" since %s", format_clock(s->attached_us, attached));
	} else {
		fputs("detached", stdout);
	}
	putchar('\n');
}

void shape_engine(struct json *j, const struct wire_status *s)
{
	if (s->pid == 0) {
		json_null(j, "engine");
		return;
	}
	json_object(j, "engine");
	json_int(j, "pid", s->pid);
	json_text(j, "version", s->release);
	json_time(j, "since", s->since_us);
	json_text(j, "attached", s->attached_us != 0 ? s->from : NULL);
	json_time(j, "attached_since", s->attached_us);
	json_text(j, "work", s->sentence);
	json_end_object(j);
}
