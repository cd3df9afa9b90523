// SPDX-License-Identifier: PostgreSQL
#include "compare.h"

#include <string.h>

#include "../text.h"
#include "report.h"
#include "shape.h"

/* Longer definitions are in the JSON; the statement shows them as well. */
#define SHORT_TEXT 60
#define LINE_SIZE 4096

static bool is_short(const char *text)
{
	return strlen(text) <= SHORT_TEXT && !strchr(text, '\n');
}

static void print_sides(const struct difference *d)
{
	if (!d->target) {
		fputs(": missing on the target", stdout);
	} else if (!d->source) {
		fputs(": on the target only", stdout);
	} else if (is_short(d->source) && is_short(d->target)) {
		fputs(": ", stdout);
		text_print(stdout, d->source);
		fputs(" on the source, ", stdout);
		text_print(stdout, d->target);
		fputs(" on the target", stdout);
	} else {
		fputs(": not the same", stdout);
	}
}

/* Each line sanitised by itself, so that a statement keeps its lines. */
static void print_indented(const char *text)
{
	char line[LINE_SIZE];
	while (*text != '\0') {
		size_t length = strcspn(text, "\n");
		copy_text(line, MIN(sizeof(line), length + 1), text);
		fputs("    ", stdout);
		text_print(stdout, line);
		fputc('\n', stdout);
		text += length + (text[length] == '\n');
	}
}

static void print_difference(const struct difference *d)
{
	printf("%-8s ", severity_name(d->severity));
	text_print(stdout, d->kind);
	fputc(' ', stdout);
	text_print(stdout, d->name);
	print_sides(d);
	if (d->meaning) {
		fputs("; ", stdout);
		text_print(stdout, d->meaning);
	}
	fputc('\n', stdout);
	if (d->statement)
		print_indented(d->statement);
}

static void print(const struct comparison *c)
{
	for (size_t i = 0; i < c->count; i++)
		print_difference(&c->items[i]);
	for (size_t i = 0; i < c->notes.count; i++) {
		fputs("note     ", stdout);
		text_print(stdout, c->notes.items[i]);
		fputc('\n', stdout);
	}
	if (c->applied > 0)
		printf("%zu statement%s run on %s\n", c->applied, c->applied == 1 ? "" : "s", c->target);
	printf("%s of %s and %s: %zu compared, %zu differ%s\n", c->what, c->source, c->target, c->compared, c->count,
		c->complete ? "" : "; not everything could be compared");
}

static enum exit_code meaning(const struct comparison *c)
{
	for (size_t i = 0; i < c->count; i++)
		if (c->items[i].severity > SEVERITY_NOTE)
			return EXIT_DIFFERENT;
	return c->complete ? EXIT_DONE : EXIT_INCOMPLETE;
}

enum exit_code compare_command(struct session *s, struct command *take)
{
	struct outcome o = { 0 };
	enum exit_code code = session_command(s, take, &o);
	if (code != EXIT_DONE)
		return code;
	if (s->json) {
		struct json j = JSON_INIT;
		shape_comparison(&j, o.comparison);
		report_json(&j);
	} else {
		print(o.comparison);
	}
	code = meaning(o.comparison);
	comparison_release(o.comparison);
	return code;
}
