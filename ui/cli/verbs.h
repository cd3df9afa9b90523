// SPDX-License-Identifier: PostgreSQL
/* The verbs of the command line in one table, from which usage, help, suggestions and the man page
 * come. */
#ifndef VERBS_H
#define VERBS_H

#include <stdio.h>

#include "args.h"

/* What scripts see. */
enum exit_code {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_DIFFERENT = 3,  /* both sides were compared */
	EXIT_INCOMPLETE = 4, /* not everything could be; what could is equal */
	EXIT_INTERRUPTED = 130,
};

struct session;

enum trait {
	SPEAKS = 1 << 0,   /* with the background engine; there is none in this process */
	REWRITES = 1 << 1, /* mirrors.conf, which a console has in memory */
};

struct verb {
	const char *name;    /* one or two words */
	const char *operand; /* "MIRROR", "SOURCE TARGET"; in brackets when it may be left out; NULL none */
	unsigned options;    /* OPTION_BIT of those it takes */
	const char *help;
	enum exit_code (*run)(struct session *s, const struct args *a);
	unsigned needed; /* of the options: those that it can't do without */
	unsigned traits; /* of enum trait */
};
extern const struct verb verbs[];
extern const size_t verb_count;

/* The verb that words begin with, and how many of them it used. words ends with NULL. */
const struct verb *verb_find(const char *const *words, size_t *used, struct error *e);
/* "run MIRROR [--until loaded] [--json]" */
void verb_usage(const struct verb *v, struct strbuf *out);

void help_print(FILE *out);
void help_print_verb(const struct verb *v, FILE *out);

enum exit_code verb_start(struct session *s, const struct args *a);
enum exit_code verb_attach(struct session *s, const struct args *a);
enum exit_code verb_detach(struct session *s, const struct args *a);
enum exit_code verb_stop(struct session *s, const struct args *a);
enum exit_code verb_peer_list(struct session *s, const struct args *a);
enum exit_code verb_peer_test(struct session *s, const struct args *a);
enum exit_code verb_mirror_list(struct session *s, const struct args *a);
enum exit_code verb_run(struct session *s, const struct args *a);
enum exit_code verb_status(struct session *s, const struct args *a);
enum exit_code verb_check(struct session *s, const struct args *a);
enum exit_code verb_pause(struct session *s, const struct args *a);
enum exit_code verb_diff(struct session *s, const struct args *a);
enum exit_code verb_settings(struct session *s, const struct args *a);
enum exit_code verb_drop(struct session *s, const struct args *a);
enum exit_code verb_roles(struct session *s, const struct args *a);
enum exit_code verb_verify(struct session *s, const struct args *a);
enum exit_code verb_cutover(struct session *s, const struct args *a);
enum exit_code verb_rollback(struct session *s, const struct args *a);
enum exit_code verb_finish(struct session *s, const struct args *a);
enum exit_code verb_script(struct session *s, const struct args *a);

#endif
