// SPDX-License-Identifier: PostgreSQL
#include "table_filter.h"

#include "text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum subject { ABOUT_BOTH, ABOUT_SCHEMA, ABOUT_NAME, ABOUT_SIZE, ABOUT_ROWS, ABOUT_KEY, ABOUT_NOTE };

struct condition {
	enum subject about;
	bool inverted;
	char op[3]; /* of numbers */
	double number;
	enum table_key key;
	char *text;
};

static const struct {
	const char *word;
	enum subject about;
} subjects[] = {
	{ "schema:", ABOUT_SCHEMA },
	{ "name:", ABOUT_NAME },
	{ "key:", ABOUT_KEY },
	{ "note:", ABOUT_NOTE },
	{ "size", ABOUT_SIZE },
	{ "rows", ABOUT_ROWS },
};

static bool parse_number(struct condition *c, const char *text)
{
	static const char units[] = "kmgt";
	size_t n = strspn(text, "<>=");
	if (n == 0 || n > 2)
		return false;
	memcpy(c->op, text, n);
	char *end;
	c->number = strtod(text + n, &end);
	if (end == text + n)
		return false;
	const char *unit = *end != '\0' ? strchr(units, *end | 0x20) : NULL;
	if (unit) {
		c->number *= pow(1000, (double)(unit - units + 1));
		end++;
	}
	if (*end == 'B' || *end == 'b')
		end++;
	return *end == '\0';
}

static bool parse_key(struct condition *c, const char *text)
{
	static const struct {
		const char *word;
		enum table_key key;
	} keys[] = { { "none", KEY_NONE }, { "pk", KEY_PRIMARY }, { "primary", KEY_PRIMARY },
		{ "unique", KEY_UNIQUE }, { "full", KEY_FULL }, { "no", KEY_NONE } };
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (strcasecmp(keys[i].word, text) == 0) {
			c->key = keys[i].key;
			return true;
		}
	}
	return false;
}

static bool parse_value(struct condition *c, const char *value)
{
	if (c->about == ABOUT_SIZE || c->about == ABOUT_ROWS)
		return parse_number(c, value);
	if (c->about == ABOUT_KEY)
		return parse_key(c, value);
	return *value != '\0';
}

static struct condition parse_word(const char *word)
{
	struct condition c = { .inverted = word[0] == '!' };
	word += c.inverted;
	const char *value = word;
	for (size_t i = 0; i < ARRAY_SIZE(subjects); i++) {
		size_t n = strlen(subjects[i].word);
		if (strncasecmp(word, subjects[i].word, n) != 0)
			continue;
		c.about = subjects[i].about;
		if (parse_value(&c, word + n))
			value = word + n;
		else
			c.about = ABOUT_BOTH;
		break;
	}
	c.text = xstrdup(value);
	return c;
}

struct table_filter table_filter_parse(const char *text)
{
	struct table_filter f = { 0 };
	char *copy = xstrdup(text), *rest = NULL;
	for (char *word = strtok_r(copy, " \t", &rest); word; word = strtok_r(NULL, " \t", &rest)) {
		GROW(f.conditions, f.count);
		f.conditions[f.count++] = parse_word(word);
	}
	free(copy);
	return f;
}

void table_filter_free(struct table_filter *f)
{
	for (size_t i = 0; i < f->count; i++)
		free(f->conditions[i].text);
	free(f->conditions);
	*f = (struct table_filter){ 0 };
}

static bool number_holds(const struct condition *c, int64_t n)
{
	double value = (double)n;
	if (n < 0)
		return false; /* unknown */
	bool equal = value == c->number && strchr(c->op, '=') != NULL;
	return equal || (c->op[0] == '>' && value > c->number) ||
		   (c->op[0] == '<' && value < c->number);
}

static bool note_holds(const char *text, unsigned notes)
{
	for (unsigned i = 0; i < NOTE_COUNT; i++)
		if ((notes & 1u << i) &&
			strncasecmp(table_note_name((enum table_note)(1u << i)), text, strlen(text)) == 0)
			return true;
	return false;
}

/* A leading '!' is already in `inverted`; text_matches() must not see another meaning in the text. */
static bool contains(const char *text, const char *what)
{
	return what[0] != '!' && text_matches(text, what);
}

static bool in_full_name(const struct catalog_table *t, const char *what)
{
	if (!strchr(what, '.'))
		return contains(t->schema, what) || contains(t->name, what);
	char full[2 * NAME_SIZE + 2];
	copy_text(full, NAME_SIZE, t->schema);
	size_t n = strlen(full);
	full[n] = '.';
	copy_text(full + n + 1, NAME_SIZE, t->name);
	return contains(full, what);
}

static bool holds(const struct condition *c, const struct catalog_table *t)
{
	switch (c->about) {
	case ABOUT_SCHEMA:
		return contains(t->schema, c->text);
	case ABOUT_NAME:
		return contains(t->name, c->text);
	case ABOUT_SIZE:
		return number_holds(c, t->bytes);
	case ABOUT_ROWS:
		return number_holds(c, t->rows);
	case ABOUT_KEY:
		return t->key == c->key;
	case ABOUT_NOTE:
		return note_holds(c->text, t->notes);
	default:
		return in_full_name(t, c->text);
	}
}

bool table_filter_takes(const struct table_filter *f, const struct catalog_table *t)
{
	for (size_t i = 0; i < f->count; i++)
		if (holds(&f->conditions[i], t) == f->conditions[i].inverted)
			return false;
	return true;
}
