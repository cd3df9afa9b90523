// SPDX-License-Identifier: PostgreSQL
#include "verbs.h"

#include <string.h>

#include "suggest.h"

#define JSON OPTION_BIT(OPTION_JSON)
#define SCRIPT OPTION_BIT(OPTION_SCRIPT)
#define UNTIL OPTION_BIT(OPTION_UNTIL)
#define YES OPTION_BIT(OPTION_YES)
#define VERIFY (OPTION_BIT(OPTION_LEVEL) | OPTION_BIT(OPTION_SAMPLE) | REPAIR)
#define REPAIR (OPTION_BIT(OPTION_REPAIR) | OPTION_BIT(OPTION_REPORT))
#define OUT OPTION_BIT(OPTION_OUT)
#define MEAN OPTION_BIT(OPTION_YES_I_MEAN)
#define CUTOVER (OPTION_BIT(OPTION_DRY_RUN) | OPTION_BIT(OPTION_UNDO) | OPTION_BIT(OPTION_WRITERS_STOPPED) | MEAN)

#define STEAL OPTION_BIT(OPTION_STEAL)

const struct verb verbs[] = {
	{ "start", NULL, 0, "the engine alone, in the background", verb_start, 0, SPEAKS },
	{ "attach", NULL, STEAL, "the console of the engine that runs", verb_attach, 0, SPEAKS },
	{ "detach", NULL, 0, "whoever is attached; work goes on", verb_detach, 0, SPEAKS },
	{ "stop", NULL, YES, "end the engine; what is done is kept", verb_stop, 0, SPEAKS },
	{ "peer list", NULL, JSON, "the peers that are configured", verb_peer_list },
	{ "peer test", "[NAME]", JSON, "connect to one peer, or to all", verb_peer_test },
	{ "mirror list", NULL, JSON, "the mirrors that are configured", verb_mirror_list },
	{ "check", "MIRROR", JSON, "what stands in its way", verb_check },
	{ "run", "MIRROR", UNTIL | JSON, "start it, or go on where it stood", verb_run },
	{ "resume", "MIRROR", UNTIL | JSON, "the same as run", verb_run },
	{ "status", "[MIRROR]", JSON, "where it stands, read from the target", verb_status },
	{ "pause", "MIRROR", JSON, "stop it; what is done is kept", verb_pause },
	{ "roles", "MIRROR", YES | JSON, "roles the target lacks; --yes: make", verb_roles },
	{ "verify", "MIRROR", VERIFY | YES | JSON, "are both sides equal? if not, where?", verb_verify },
	{ "cutover", "MIRROR", CUTOVER | JSON, "move the application to its target", verb_cutover, 0, REWRITES },
	{ "rollback", "MIRROR", CUTOVER | JSON, "and back, when it was cut over", verb_rollback, 0, REWRITES },
	{ "finish", "MIRROR", MEAN | JSON, "end it: nobody wants to go back", verb_finish, 0, REWRITES },
	{ "diff", "MIRROR", JSON, "objects that differ; how to mend them", verb_diff },
	{ "settings", "SOURCE TARGET", JSON | SCRIPT, "how two peers' servers differ", verb_settings },
	{ "drop", "MIRROR", YES | JSON, "undo it, but for the copied tables", verb_drop, 0, REWRITES },
	{ "script", "MIRROR", OUT | JSON, "write it as shell and SQL", verb_script, OUT },
};
const size_t verb_count = ARRAY_SIZE(verbs);

static size_t words_of(const char *name)
{
	return strchr(name, ' ') ? 2 : 1;
}

static bool begins_with(const struct verb *v, const char *word)
{
	size_t length = strcspn(v->name, " ");
	return strlen(word) == length && strncmp(v->name, word, length) == 0;
}

static const struct verb *unknown_verb(const char *const *words, struct error *e)
{
	bool half = false;
	char both[2 * NAME_SIZE];
	for (size_t i = 0; i < verb_count; i++)
		half |= begins_with(&verbs[i], words[0]);
	snprintf(both, sizeof(both), "%s %s", words[0], words[1] ? words[1] : "");
	struct suggestion near = { .word = words[0] };
	struct suggestion near_both = { .word = both };
	for (size_t i = 0; i < verb_count; i++)
		suggest_try(words_of(verbs[i].name) == 2 ? &near_both : &near, verbs[i].name);
	if (half && !words[1])
		error_set(e, ERROR_USAGE, "%s needs a second word", words[0]);
	else
		error_set(e, ERROR_USAGE, "there is no verb \"%s\"", half ? both : words[0]);
	suggest_next(half || !near.best ? &near_both : &near, e);
	return NULL;
}

const struct verb *verb_find(const char *const *words, size_t *used, struct error *e)
{
	for (size_t i = 0; i < verb_count; i++) {
		const struct verb *v = &verbs[i];
		const char *space = strchr(v->name, ' ');
		if (!begins_with(v, words[0]))
			continue;
		if (space && (!words[1] || strcmp(space + 1, words[1]) != 0))
			continue;
		*used = words_of(v->name);
		return v;
	}
	return unknown_verb(words, e);
}

static void add_option(struct strbuf *out, const struct option_spec *spec)
{
	strbuf_addf(out, "--%s", spec->name);
	if (spec->argument)
		strbuf_addf(
			out, " %s", spec->choices[0] && !spec->choices[1] ? spec->choices[0] : spec->argument);
}

void verb_usage(const struct verb *v, struct strbuf *out)
{
	strbuf_add(out, v->name);
	if (v->operand)
		strbuf_addf(out, " %s", v->operand);
	for (enum option o = 0; o < OPTION_COUNT; o++) {
		if (!(v->options & OPTION_BIT(o)))
			continue;
		bool needed = v->needed & OPTION_BIT(o);
		strbuf_add(out, needed ? " " : " [");
		add_option(out, &option_specs[o]);
		strbuf_add(out, needed ? "" : "]");
	}
}

#define NAME_CELLS 25
#define LINE_CELLS 79

/* One line; a verb that does what the one before does stands beside that. */
static void print_verb(size_t i, FILE *out)
{
	const struct verb *v = &verbs[i];
	bool two = i + 1 < verb_count && verbs[i + 1].run == v->run;
	char text[NAME_SIZE];
	if (i > 0 && verbs[i - 1].run == v->run)
		return;
	snprintf(text, sizeof(text), "%s%s%s %s", v->name, two ? ", " : "", two ? verbs[i + 1].name : "",
		v->operand ? v->operand : "");
	fprintf(out, "  %-*s %s\n", NAME_CELLS, text, v->help);
}

/* Those of the console and of all verbs, wrapped. */
static void print_options(FILE *out)
{
	int used = fprintf(out, "options:");
	for (enum option o = 0; o < OPTION_COUNT; o++) {
		const struct option_spec *spec = &option_specs[o];
		char text[NAME_SIZE];
		if (spec->of_verbs)
			continue;
		int length = snprintf(text, sizeof(text), " --%s%s%s", spec->name, spec->argument ? " " : "",
			spec->argument ? spec->argument : "");
		if (used + length > LINE_CELLS)
			used = fprintf(out, "\n        ") - 1;
		used += fprintf(out, "%s", text);
	}
	fputc('\n', out);
}

static void print_option(const struct option_spec *spec, FILE *out)
{
	char text[NAME_SIZE];
	snprintf(text, sizeof(text), "--%s%s%s", spec->name, spec->argument ? " " : "",
		spec->argument ? spec->argument : "");
	fprintf(out, "  %-19s %s\n", text, spec->help);
}

/* Fits the smallest terminal of 80 columns. */
void help_print(FILE *out)
{
	fputs("usage: pgpier [OPTION...] [VERB ...]   the console, or without it:\n", out);
	for (size_t i = 0; i < verb_count; i++)
		print_verb(i, out);
	print_options(out);
	fputs("VERB --help: its options. man pgpier: everything, exit statuses as well.\n", out);
}

/* Goes on in the next line from an option on. */
static void print_wrapped(const char *text, int used, FILE *out)
{
	while (strlen(text) + (size_t)used > LINE_CELLS) {
		size_t cut = (size_t)(LINE_CELLS - used);
		while (cut > 0 && strncmp(text + cut, " [", 2) != 0)
			cut--;
		if (cut == 0)
			break;
		fprintf(out, "%.*s\n      ", (int)cut, text);
		text += cut;
		used = 6;
	}
	fprintf(out, "%s\n", text);
}

void help_print_verb(const struct verb *v, FILE *out)
{
	struct strbuf usage = STRBUF_INIT;
	verb_usage(v, &usage);
	print_wrapped(usage.text, fprintf(out, "usage: pgpier [OPTION...] "), out);
	fprintf(out, "%s\n", v->help);
	strbuf_free(&usage);
	for (enum option o = 0; o < OPTION_COUNT; o++)
		if (v->options & OPTION_BIT(o))
			print_option(&option_specs[o], out);
}
