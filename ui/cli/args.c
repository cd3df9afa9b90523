// SPDX-License-Identifier: PostgreSQL
#include "args.h"

#include <string.h>

#include "suggest.h"
#include "verbs.h"

#define MOST_WORDS 3 /* "peer test NAME", "settings SOURCE TARGET" */
#define SEE_HELP "see pgpier --help"

const struct option_spec option_specs[OPTION_COUNT] = {
	[OPTION_CONFIG] = { "config", 0, false, "FILE", { NULL },
		"read FILE instead of ~/.config/pgpier/pgpier.conf" },
	[OPTION_STATE] = { "state", 0, false, "DIR", { NULL },
		"keep the log in DIR instead of ~/.local/state/pgpier" },
	[OPTION_JSON] = { "json", 0, true, NULL, { NULL }, "print one JSON object on stdout" },
	[OPTION_UNTIL] = { "until", 0, true, "WHEN", { "loaded", "caught-up" },
		"end when it is loaded, or caught-up: its lag stays low" },
	[OPTION_LEVEL] = { "level", 0, true, "LEVEL", { "counts", "checksum", "sample", "full" },
		"how closely: counts, checksum (default), sample, full" },
	[OPTION_SAMPLE] = { "sample", 0, true, "N", { NULL }, "rows of a table for level sample, 1000 without" },
	[OPTION_REPAIR] = { "repair", 0, true, NULL, { NULL }, "copy the rows that differ anew, and only those" },
	[OPTION_REPORT] = { "report", 0, true, "FILE", { NULL },
		"write the report to FILE as well; as JSON when it ends in .json" },
	[OPTION_SCRIPT] = { "script", 0, true, NULL, { NULL },
		"print SQL for the target instead: what is worth carrying over" },
	[OPTION_YES] = { "yes", 'y', true, NULL, { NULL }, "do it, and do not ask" },
	[OPTION_OUT] = { "out", 0, true, "DIR", { NULL }, "the folder to write; it must be new or empty" },
	[OPTION_DRY_RUN] = { "dry-run", 0, true, NULL, { NULL }, "rehearse it: measure everything, change nothing" },
	[OPTION_UNDO] = { "undo", 0, true, NULL, { NULL }, "undo one that was interrupted" },
	[OPTION_WRITERS_STOPPED] = { "writers-stopped", 0, true, NULL, { NULL },
		"say beforehand that nobody writes to the source (freeze = wait)" },
	[OPTION_YES_I_MEAN] = { "yes-i-mean", 0, true, "MIRROR", { NULL },
		"do it, and do not ask; takes the mirror's name once more" },
	[OPTION_STEAL] = { "steal", 0, true, NULL, { NULL }, "take the console from where it is attached" },
	[OPTION_FOREGROUND] = { "foreground", 'f', false, NULL, { NULL },
		"or -f: console and work in this process, which ends with it" },
	[OPTION_ASCII] = { "ascii", 0, false, NULL, { NULL }, "draw the console in plain ASCII" },
	[OPTION_COLOR] = { "color", 0, false, "WHEN", { "auto", "always", "never" },
		"colours of the console: auto, always or never" },
	[OPTION_NO_MOUSE] = { "no-mouse", 0, false, NULL, { NULL }, "leave the mouse to the terminal" },
	[OPTION_READONLY] = { "readonly", 0, false, NULL, { NULL }, "look only; change nothing" },
	[OPTION_HELP] = { "help", 'h', false, NULL, { NULL }, "this help; of one verb after it" },
	[OPTION_VERSION] = { "version", 'V', false, NULL, { NULL }, "the version" },
};

static bool unknown_option(const char *given, size_t length, struct error *e)
{
	char word[NAME_SIZE];
	copy_text(word, MIN(sizeof(word), length + 1), given);
	struct suggestion near = { .word = word };
	for (enum option o = 0; o < OPTION_COUNT; o++)
		suggest_try(&near, option_specs[o].name);
	error_set(e, ERROR_USAGE, "there is no option --%s", word);
	return near.best ? error_next(e, "did you mean --%s?", near.best) : false;
}

static bool is_choice(const struct option_spec *spec, const char *value)
{
	if (!spec->choices[0])
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(spec->choices) && spec->choices[i]; i++)
		if (strcmp(spec->choices[i], value) == 0)
			return true;
	return false;
}

static bool check_value(const struct option_spec *spec, const char *value, struct error *e)
{
	if (!value || value[0] == '\0')
		return error_set(
			e, ERROR_USAGE, "--%s needs a value: --%s %s", spec->name, spec->name, spec->argument);
	if (is_choice(spec, value))
		return true;
	error_set(e, ERROR_USAGE, "--%s does not take \"%s\"", spec->name, value);
	struct strbuf list = STRBUF_INIT;
	for (size_t i = 0; i < ARRAY_SIZE(spec->choices) && spec->choices[i]; i++)
		strbuf_addf(&list, "%s%s", i > 0 ? ", " : "", spec->choices[i]);
	error_next(e, "it takes %s", list.text);
	strbuf_free(&list);
	return false;
}

/* argv[*at] starts with "--". A value stands behind "=" or is the next word. */
static bool parse_long(struct args *out, char *const *argv, int *at, struct error *e)
{
	const char *given = argv[*at] + 2;
	size_t length = strcspn(given, "=");
	for (enum option o = 0; o < OPTION_COUNT; o++) {
		const struct option_spec *spec = &option_specs[o];
		if (strlen(spec->name) != length || strncmp(spec->name, given, length) != 0)
			continue;
		const char *value = given[length] == '=' ? given + length + 1 : NULL;
		if (!spec->argument && value)
			return error_set(e, ERROR_USAGE, "--%s takes no value", spec->name);
		if (spec->argument && !value && argv[*at + 1])
			value = argv[++*at];
		if (spec->argument && !check_value(spec, value, e))
			return false;
		out->given[o] = spec->argument ? value : "";
		return true;
	}
	return unknown_option(given, length, e);
}

/* argv's word is "-" and letters, none of which takes a value. */
static bool parse_letters(struct args *out, const char *letters, struct error *e)
{
	for (; *letters != '\0'; letters++) {
		enum option o = 0;
		while (o < OPTION_COUNT && option_specs[o].letter != *letters)
			o++;
		if (o == OPTION_COUNT)
			return error_set(e, ERROR_USAGE, "there is no option -%c", *letters);
		out->given[o] = "";
	}
	return true;
}

static bool parse_words(
	struct args *out, char *const *argv, const char *words[MOST_WORDS], struct error *e)
{
	size_t count = 0;
	bool options = true;
	for (int i = 1; argv[i]; i++) {
		const char *word = argv[i];
		if (options && strcmp(word, "--") == 0) {
			options = false;
		} else if (options && strncmp(word, "--", 2) == 0) {
			if (!parse_long(out, argv, &i, e))
				return false;
		} else if (options && word[0] == '-' && word[1] != '\0') {
			if (!parse_letters(out, word + 1, e))
				return false;
		} else if (count == MOST_WORDS) {
			return error_set(e, ERROR_USAGE, "one argument too many: \"%s\"", word);
		} else {
			words[count++] = word;
		}
	}
	return true;
}

static bool takes_two(const struct verb *v)
{
	return v->operand && strchr(v->operand, ' ');
}

static bool check_verb(const struct args *a, const char *extra, struct error *e)
{
	const struct verb *v = a->verb;
	if (a->given[OPTION_HELP])
		return true;
	if (extra || (a->name && !v->operand)) {
		error_set(
			e, ERROR_USAGE, "%s: one argument too many: \"%s\"", v->name, extra ? extra : a->name);
		return error_next(e, "usage: pgpier %s%s%s", v->name, v->operand ? " " : "",
			v->operand ? v->operand : "");
	}
	bool lacks = !a->name && v->operand && v->operand[0] != '[';
	if (lacks || (!a->other && takes_two(v))) {
		error_set(e, ERROR_USAGE, "%s needs %s", v->name, takes_two(v) ? "two names" : "a name");
		return error_next(e, "usage: pgpier %s %s", v->name, v->operand);
	}
	for (enum option o = 0; o < OPTION_COUNT; o++) {
		const struct option_spec *spec = &option_specs[o];
		if (a->given[o] && spec->of_verbs && !(v->options & OPTION_BIT(o)))
			return error_set(e, ERROR_USAGE, "%s takes no --%s", v->name, spec->name);
		if (!a->given[o] && (v->needed & OPTION_BIT(o)))
			return error_set(e, ERROR_USAGE, "%s needs --%s %s", v->name, spec->name, spec->argument);
	}
	return true;
}

/* The console takes no option of a verb: --json without one is a slip, not a wish. */
static bool check_console(const struct args *a, struct error *e)
{
	for (enum option o = 0; o < OPTION_COUNT; o++)
		if (a->given[o] && option_specs[o].of_verbs && !a->given[OPTION_HELP])
			return error_set(e, ERROR_USAGE, "--%s needs a verb", option_specs[o].name);
	return true;
}

static bool understand(struct args *out, const char *words[MOST_WORDS], struct error *e)
{
	size_t used = 0;
	if (!words[0])
		return check_console(out, e);
	out->verb = verb_find(words, &used, e);
	if (!out->verb)
		return false;
	out->name = words[used++];
	if (out->name && takes_two(out->verb))
		out->other = words[used++];
	return check_verb(out, used < MOST_WORDS ? words[used] : NULL, e);
}

bool args_parse(struct args *out, int argc, char *const *argv, struct error *e)
{
	const char *words[MOST_WORDS] = { NULL };
	*out = (struct args){ 0 };
	if (argc < 1 || (parse_words(out, argv, words, e) && understand(out, words, e)))
		return true;
	return error_next(e, SEE_HELP);
}
