// SPDX-License-Identifier: PostgreSQL
/* The command line as words: a verb, the name it works on, and options in any order. Parsing is
 * pure; the tables of verbs and options also make the usage, the help and the man page. */
#ifndef ARGS_H
#define ARGS_H

#include <pgpier/base.h>
#include <pgpier/error.h>

enum option {
	OPTION_CONFIG,
	OPTION_STATE,
	OPTION_JSON,
	OPTION_UNTIL,
	OPTION_LEVEL,
	OPTION_SAMPLE,
	OPTION_REPAIR,
	OPTION_REPORT,
	OPTION_SCRIPT,
	OPTION_YES,
	OPTION_OUT,
	OPTION_DRY_RUN,
	OPTION_UNDO,
	OPTION_WRITERS_STOPPED,
	OPTION_YES_I_MEAN,
	OPTION_STEAL,
	OPTION_FOREGROUND,
	OPTION_ASCII,
	OPTION_COLOR,
	OPTION_NO_MOUSE,
	OPTION_READONLY,
	OPTION_HELP,
	OPTION_VERSION,
	OPTION_COUNT,
};
#define OPTION_BIT(option) (1u << (option))

struct option_spec {
	const char *name;       /* without the dashes */
	char letter;            /* -h; 0 none */
	bool of_verbs;          /* only with the verbs that list it; others are accepted anywhere */
	const char *argument;   /* "FILE"; NULL for a flag */
	const char *choices[5]; /* the values it takes; none: any */
	const char *help;
};
extern const struct option_spec option_specs[OPTION_COUNT];

struct verb;

/* Everything is borrowed from argv. */
struct args {
	const struct verb *verb;         /* NULL: the console */
	const char *name;                /* of the peer or mirror; NULL when left out */
	const char *other;               /* of a second one, of verbs whose operand is two words */
	const char *given[OPTION_COUNT]; /* NULL: not given; a flag's value is "" */
};

/* What could be read before an error stays in *out, so that --json holds for the error as well. */
bool args_parse(struct args *out, int argc, char *const *argv, struct error *e) MUST_CHECK;

#endif
