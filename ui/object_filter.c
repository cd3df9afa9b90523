// SPDX-License-Identifier: PostgreSQL
#include "object_filter.h"

#include "text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum subject { ABOUT_BOTH, ABOUT_KIND, ABOUT_NAME, ABOUT_STATE };

struct object_word {
	enum subject about;
	bool inverted;
	char *text;
};

static const char *const prefixes[] = {
	[ABOUT_BOTH] = "",
	[ABOUT_KIND] = "kind:",
	[ABOUT_NAME] = "name:",
	[ABOUT_STATE] = "state:",
};

/* A prefix with nothing after it is on its way to be typed: it is looked for as it is. */
static struct object_word parse_word(const char *word)
{
	struct object_word w = { .inverted = word[0] == '!' };
	word += w.inverted;
	for (enum subject about = ABOUT_KIND; about <= ABOUT_STATE; about++) {
		size_t n = strlen(prefixes[about]);
		if (strncasecmp(word, prefixes[about], n) == 0 && word[n] != '\0')
			w.about = about;
	}
	w.text = xstrdup(word + strlen(prefixes[w.about]));
	return w;
}

struct object_filter object_filter_parse(const char *text)
{
	struct object_filter f = { 0 };
	char *copy = xstrdup(text), *rest = NULL;
	for (char *word = strtok_r(copy, " \t", &rest); word; word = strtok_r(NULL, " \t", &rest)) {
		GROW(f.words, f.count);
		f.words[f.count++] = parse_word(word);
	}
	free(copy);
	return f;
}

void object_filter_free(struct object_filter *f)
{
	for (size_t i = 0; i < f->count; i++)
		free(f->words[i].text);
	free(f->words);
	*f = (struct object_filter){ 0 };
}

/* A leading '!' is already in `inverted`; text_matches() must not see another meaning in the text.
 */
static bool contains(const char *text, const char *what)
{
	return what[0] != '!' && text_matches(text, what);
}

static bool holds(
	const struct object_word *w, const char *kind, const char *name, enum object_state state)
{
	switch (w->about) {
	case ABOUT_KIND:
		return contains(kind, w->text);
	case ABOUT_NAME:
		return contains(name, w->text);
	case ABOUT_STATE:
		return strncasecmp(object_state_name(state), w->text, strlen(w->text)) == 0;
	default:
		return contains(kind, w->text) || contains(name, w->text);
	}
}

bool object_filter_takes(
	const struct object_filter *f, const char *kind, const char *name, enum object_state state)
{
	for (size_t i = 0; i < f->count; i++)
		if (holds(&f->words[i], kind, name, state) == f->words[i].inverted)
			return false;
	return true;
}
