// SPDX-License-Identifier: PostgreSQL
/* Prints the man page when pgpier is built: the prose of pgpier.1.in, and in place of its @VERBS@,
 * @OPTIONS@ and @KEYS@ what the program's own tables say, so that the page can't tell something
 * else. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../keys.h"
#include "verbs.h"

static void put_text(const char *text)
{
	if (*text == '.' || *text == '\'')
		fputs("\\&", stdout);
	for (; *text != '\0'; text++) {
		if (*text == '-')
			fputs("\\-", stdout);
		else if (*text == '\\')
			fputs("\\e", stdout);
		else
			putchar(*text);
	}
	putchar('\n');
}

static void put_entry(const char *term, const char *text)
{
	fputs(".TP\n.B ", stdout);
	put_text(term);
	put_text(text);
}

static void put_verbs(void)
{
	for (size_t i = 0; i < verb_count; i++) {
		struct strbuf usage = STRBUF_INIT;
		verb_usage(&verbs[i], &usage);
		put_entry(usage.text, verbs[i].help);
		strbuf_free(&usage);
	}
}

static void put_options(void)
{
	for (enum option o = 0; o < OPTION_COUNT; o++) {
		const struct option_spec *spec = &option_specs[o];
		struct strbuf term = STRBUF_INIT;
		if (spec->letter)
			strbuf_addf(&term, "-%c, ", spec->letter);
		strbuf_addf(&term, "--%s", spec->name);
		if (spec->argument)
			strbuf_addf(&term, " %s", spec->argument);
		put_entry(term.text, spec->help);
		strbuf_free(&term);
	}
}

/* An action is listed once, under the first place where it applies. */
static void put_keys(void)
{
	static const struct {
		enum context context;
		const char *title;
	} places[] = {
		{ IN_ANY, "Everywhere" },
		{ IN_LIST, "In lists" },
		{ IN_PEERS, "Peers" },
		{ IN_PEER, "A peer" },
		{ IN_MIRRORS, "Mirrors" },
		{ IN_MIRROR, "A mirror" },
		{ IN_LOAD, "Initial load" },
		{ IN_SCHEMA, "Schema" },
		{ IN_ROLES, "Roles of a mirror" },
		{ IN_SIDES, "The difference of both sides" },
		{ IN_REPLICATION, "Replication" },
		{ IN_VERIFY, "Verify" },
		{ IN_CUTOVER, "Cutover" },
		{ IN_COMPARE, "Settings of a peer" },
		{ IN_EVENTS, "Events" },
		{ IN_FORM, "Forms" },
		{ IN_PICKER, "Table picker" },
		{ IN_STEP, "The pages of a new mirror" },
		{ IN_TEXT, "Texts" },
		{ IN_TABS, "Tabs" },
		{ IN_COLUMNS, "Columns of a table" },
		{ IN_WIDE, "Wide terminals" },
	};
	unsigned listed = 0;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		bool titled = false;
		for (enum action a = ACTION_NONE + 1; a < ACTION_COUNT; a++) {
			unsigned contexts = action_contexts(a);
			if (!(contexts & places[i].context) || (contexts & listed))
				continue;
			if (!titled)
				printf(".SS %s\n", places[i].title);
			titled = true;
			put_entry(action_keys(a), action_help(a));
		}
		listed |= places[i].context;
	}
}

static void put_line(const char *line)
{
	if (strcmp(line, "@VERBS@\n") == 0)
		put_verbs();
	else if (strcmp(line, "@OPTIONS@\n") == 0)
		put_options();
	else if (strcmp(line, "@KEYS@\n") == 0)
		put_keys();
	else
		fputs(line, stdout);
}

int main(int argc, char **argv)
{
	char line[512];
	FILE *template = argc == 2 ? fopen(argv[1], "r") : NULL;
	if (!template) {
		fprintf(stderr, "manual: %s: %s\n", argc == 2 ? argv[1] : "usage: manual TEMPLATE",
			strerror(argc == 2 ? errno : EINVAL));
		return 1;
	}
	puts(".TH PGPIER 1 \"\" \"pgpier " PGPIER_VERSION "\"");
	while (fgets(line, sizeof(line), template))
		put_line(line);
	fclose(template);
	return 0;
}
