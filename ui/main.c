// SPDX-License-Identifier: PostgreSQL
/* One program, two faces: without a verb the console, with one the command line. */
#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <pgpier/engine.h>

#include "cli/report.h"
#include "cli/session.h"
#include "cli/verbs.h"
#include "console.h"

static enum color_mode color_of(const struct args *a)
{
	const char *when = a->given[OPTION_COLOR];
	if (!when || strcmp(when, "auto") == 0)
		return COLOR_AUTO;
	return strcmp(when, "always") == 0 ? COLOR_ALWAYS : COLOR_NEVER;
}

static int run_console(const struct args *a)
{
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
		struct error e = { 0 };
		error_set(&e, ERROR_USAGE, "the console needs a terminal");
		error_next(&e, "without one give a verb, see pgpier --help");
		report_error(&e, false);
		return EXIT_USAGE;
	}
	struct console_options options = {
		.ascii = a->given[OPTION_ASCII] != NULL,
		.color = color_of(a),
		.mouse = a->given[OPTION_NO_MOUSE] == NULL,
		.readonly = a->given[OPTION_READONLY] != NULL,
	};
	struct engine *g = session_engine_new(a, true);
	if (!g)
		return EXIT_USAGE;
	int code = console_run(g, &options);
	engine_free(g);
	return code;
}

static int run_verb(const struct args *a)
{
	struct session s;
	int code = session_open(&s, a);
	if (code == EXIT_DONE)
		code = a->verb->run(&s, a);
	session_close(&s);
	return code;
}

static int run(const struct args *a)
{
	if (a->given[OPTION_VERSION]) {
		puts("pgpier " PGPIER_VERSION);
		return EXIT_DONE;
	}
	if (a->given[OPTION_HELP]) {
		if (a->verb)
			help_print_verb(a->verb, stdout);
		else
			help_print(stdout);
		return EXIT_DONE;
	}
	return a->verb ? run_verb(a) : run_console(a);
}

int main(int argc, char **argv)
{
	struct args a;
	struct error e = { 0 };
	setlocale(LC_CTYPE, "");  /* not LC_NUMERIC: numbers are for scripts as well */
	signal(SIGPIPE, SIG_IGN); /* a reader that leaves is an error of fflush, not an end */
	if (!args_parse(&a, argc, argv, &e)) {
		report_error(&e, a.given[OPTION_JSON] != NULL);
		return EXIT_USAGE;
	}
	int code = run(&a);
	if (fflush(stdout) != 0 && code == EXIT_DONE) {
		error_set(&e, ERROR_DATA, "could not write to standard output: %s", strerror(errno));
		report_error(&e, false);
		code = EXIT_FAILED;
	}
	return code;
}
