// SPDX-License-Identifier: PostgreSQL
/* settings: how two peers' servers differ, or a script for the target of what is worth carrying
 * over. What depends on the machine or on the version is in it as a comment, for a person to
 * decide. */
#include <stdlib.h>
#include <string.h>

#include <pgpier/format.h>

#include "ask.h"
#include "compare.h"
#include "report.h"

/* Text of a server, harmless in a terminal and on one line of SQL. The caller frees. */
static char *harmless(const char *text)
{
	size_t size = 8 * strlen(text) + 1; /* the longest escape of one byte, and some */
	char *out = xmalloc(size);
	format_sanitized(text, out, size);
	return out;
}

static void print_comment(const struct difference *d)
{
	char *name = harmless(d->name), *source = harmless(d->source ? d->source : "none");
	char *target = harmless(d->target ? d->target : "none"),
		 *meaning = harmless(d->meaning ? d->meaning : "");
	printf("\n-- %s: %s on the source, %s on the target%s%s\n", name, source, target,
		meaning[0] ? "; " : "", meaning);
	free(name);
	free(source);
	free(target);
	free(meaning);
}

/* What a person has to decide is a comment, and so is what would send control characters to a
 * terminal. */
static void print_statement(const struct difference *d)
{
	char *shown = harmless(d->statement);
	printf("%s%s;\n", d->applies && strcmp(shown, d->statement) == 0 ? "" : "-- ", shown);
	free(shown);
}

static bool is_setting(const struct difference *d)
{
	const char *last = strrchr(d->kind, ' ');
	return last && strcmp(last, " setting") == 0;
}

static void print_script(const struct comparison *c)
{
	char *source = harmless(c->source), *target = harmless(c->target);
	printf(
		"-- Settings of %s that %s does not have. Read it, then run it on %s by psql -X -f FILE.\n"
		"-- A statement that is a comment depends on the machine or the version: decide for each.\n",
		source, target, target);
	for (size_t i = 0; i < c->count; i++) {
		const struct difference *d = &c->items[i];
		if (!is_setting(d) || !d->statement || d->severity == SEVERITY_OK)
			continue;
		print_comment(d);
		print_statement(d);
	}
	printf("\nSELECT pg_reload_conf();\n");
	free(source);
	free(target);
}

static enum exit_code script(struct session *s, struct command *take)
{
	struct outcome o = { 0 };
	enum exit_code code = session_command(s, take, &o);
	if (code != EXIT_DONE)
		return code;
	print_script(o.comparison);
	comparison_release(o.comparison);
	return EXIT_DONE;
}

enum exit_code verb_settings(struct session *s, const struct args *a)
{
	struct command c = { .kind = COMMAND_COMPARE_SETTINGS };
	copy_text(c.name, sizeof(c.name), a->name);
	copy_text(c.other, sizeof(c.other), a->other);
	if (s->json && a->given[OPTION_SCRIPT]) {
		struct error e = { 0 };
		error_set(&e, ERROR_USAGE, "settings prints JSON or a script, not both");
		report_error(&e, true);
		return EXIT_USAGE;
	}
	enum exit_code code = ask_passwords(s, (const char *[]){ a->name, a->other }, 2);
	if (code != EXIT_DONE)
		return code;
	return a->given[OPTION_SCRIPT] ? script(s, &c) : compare_command(s, &c);
}
