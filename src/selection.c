// SPDX-License-Identifier: PostgreSQL
/* The patterns are matched here and not by fnmatch(), whose idea of a character and of a range follows the
 * locale: the console and a script without one would then choose different tables. A pattern is UTF-8 and
 * ranges go by code point. */
#include <pgpier/selection.h>

#include <stdio.h>
#include <string.h>

#include <pgpier/utf8.h>

#define BROKEN_BYTE 0x110000 /* bytes that are no UTF-8 stand above all characters */

static uint32_t next_code(const char **s)
{
	uint32_t code = 0;
	size_t length = utf8_decode(*s, &code);
	if (length == 0)
		code = BROKEN_BYTE + (unsigned char)**s;
	*s += MAX(length, 1);
	return code;
}

/* One member of [..]: a character, which a backslash makes literal. */
static uint32_t set_member(const char **p)
{
	if (**p == '\\' && (*p)[1] != '\0')
		(*p)++;
	return next_code(p);
}

/* p stands behind '['. Moves it behind ']' and says whether code is in the set; without a ']' there is no
 * set, p stays and the '[' is a literal one. */
static bool set_holds(const char **p, uint32_t code, bool *is_set)
{
	const char *s = *p;
	bool negated = *s == '!' || *s == '^';
	bool held = false;
	s += negated;
	const char *first = s;
	while (*s != '\0' && (*s != ']' || s == first)) {
		uint32_t low = set_member(&s);
		uint32_t high = low;
		if (s[0] == '-' && s[1] != ']' && s[1] != '\0') {
			s++;
			high = set_member(&s);
		}
		held = held || (code >= low && code <= high);
	}
	*is_set = *s == ']';
	if (*is_set)
		*p = s + 1;
	return held != negated;
}

/* Does the one element of the pattern at *p (not a '*') match the character at *t? Moves both behind. */
static bool match_one(const char **p, const char **t)
{
	bool is_set = false;
	uint32_t code = next_code(t);
	const char *element = (*p)++;
	if (*element == '?')
		return true;
	if (*element == '[') {
		bool held = set_holds(p, code, &is_set);
		return is_set ? held : code == '[';
	}
	*p = element + (element[0] == '\\' && element[1] != '\0');
	return code == next_code(p);
}

/* Only the last '*' is ever gone back to, so the time is at most pattern times text. */
static bool match(const char *p, const char *t)
{
	const char *star = NULL, *star_text = NULL;
	uint32_t skipped;
	while (*t != '\0') {
		if (*p == '*') {
			star = ++p;
			star_text = t;
		} else if (*p == '\0' || !match_one(&p, &t)) {
			if (!star)
				return false;
			star_text += MAX(utf8_decode(star_text, &skipped), 1);
			t = star_text;
			p = star;
		}
	}
	while (*p == '*')
		p++;
	return *p == '\0';
}

static bool any_matches(const struct strings *patterns, const char *text)
{
	for (size_t i = 0; i < patterns->count; i++)
		if (match(patterns->items[i], text))
			return true;
	return false;
}

static void join(char buf[QUALIFIED_SIZE], const char *schema, const char *name)
{
	snprintf(buf, QUALIFIED_SIZE, "%s.%s", schema, name);
}

bool selection_takes(const struct mirror_config *m, const char *schema, const char *name)
{
	char text[QUALIFIED_SIZE];
	join(text, schema, name);
	return any_matches(&m->tables, text) && !any_matches(&m->exclude, text);
}

/* Compared as it is, not as a pattern: a column whose name holds a '*' must not take others with it. */
bool selection_leaves_out(
	const struct mirror_config *m, const char *schema, const char *name, const char *column)
{
	char table[QUALIFIED_SIZE];
	join(table, schema, name);
	size_t length = strlen(table);
	for (size_t i = 0; i < m->columns_exclude.count; i++) {
		const char *item = m->columns_exclude.items[i];
		if (strncmp(item, table, length) == 0 && item[length] == '.' &&
			strcmp(item + length + 1, column) == 0)
			return true;
	}
	return false;
}

bool selection_split(const char *text, char schema[NAME_SIZE], char name[NAME_SIZE])
{
	const char *dot = strchr(text, '.');
	size_t left = dot ? (size_t)(dot - text) : 0;
	if (left == 0 || left >= NAME_SIZE || dot[1] == '\0' || strlen(dot + 1) >= NAME_SIZE)
		return false;
	memcpy(schema, text, left);
	schema[left] = '\0';
	copy_text(name, NAME_SIZE, dot + 1);
	return true;
}

void selection_target(const struct mirror_config *m, const char *schema, const char *name,
	char *target_schema, char *target_name)
{
	char source[QUALIFIED_SIZE];
	join(source, schema, name);
	for (size_t i = 0; i < m->map_count; i++)
		if (strcmp(m->map[i].source, source) == 0 &&
			selection_split(m->map[i].target, target_schema, target_name))
			return;
	copy_text(target_schema, NAME_SIZE, schema);
	copy_text(target_name, NAME_SIZE, name);
}

static void add_escaped(struct strbuf *b, const char *text)
{
	for (const char *s = text; *s != '\0'; s++) {
		if (strchr("*?[\\", *s))
			strbuf_add(b, "\\");
		strbuf_addn(b, s, 1);
	}
}

char *selection_pattern(const char *schema, const char *name)
{
	struct strbuf b = STRBUF_INIT;
	add_escaped(&b, schema);
	strbuf_add(&b, ".");
	add_escaped(&b, name);
	return strbuf_take(&b);
}
