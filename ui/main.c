// SPDX-License-Identifier: PostgreSQL
/* One program, two faces: without a verb the console, with one the command line. */
#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <pgpier/engine.h>

#include "cli/background.h"
#include "cli/report.h"
#include "cli/session.h"
#include "cli/verbs.h"
#include "console.h"

/* All in this process, which has the state directory to itself. */
static int run_foreground(const struct args *a)
{
	struct place p;
	struct holder who;
	struct error e = { 0 };
	struct console_options options = background_look(a);
	if (!background_place(a, &p, &e) || !place_lock(&p, false, &who, &e)) {
		report_error(&e, false);
		place_close(&p);
		return report_class_exit(e.class);
	}
	struct engine *g = session_engine_new(a, true);
	int code = g ? console_run(g, &options) : EXIT_USAGE;
	engine_free(g);
	place_close(&p);
	return code;
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
	return a->given[OPTION_FOREGROUND] ? run_foreground(a) : (int)background_attach(a, true);
}

static int run_verb(const struct args *a)
{
	struct session s = { 0 };
	if (a->verb->traits & SPEAKS)
		return a->verb->run(&s, a);
	if ((a->verb->traits & REWRITES) && !background_lets(a))
		return EXIT_FAILED;
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
	if (a->verb && a->verb->run != verb_attach)
		return run_verb(a);
	console_locale();
	return a->verb ? run_verb(a) : run_console(a);
}

/* Passwords are in it: no core file, and no debugger of another process of ours. */
static void keep_memory_private(void)
{
	struct rlimit none = { 0, 0 };
	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0);
}

int main(int argc, char **argv)
{
	struct args a;
	struct error e = { 0 };
	setlocale(LC_CTYPE, "");  /* not LC_NUMERIC: numbers are for scripts as well */
	keep_memory_private();
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
