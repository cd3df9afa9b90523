// SPDX-License-Identifier: PostgreSQL
/* The patterns are matched here and not by fnmatch(), whose idea of a character and of a range
 * follows the locale: the console and a script without one would then choose different tables. A
 * pattern is UTF-8 and ranges go by code point. */
#include <pgpier/selection.h>

#include <stdio.h>
#include <stdlib.h>
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

/* p stands behind '['. Moves it behind ']' and says whether code is in the set; without a ']' there
 * is no set, p stays and the '[' is a literal one. */
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

/* Does the one element of the pattern at *p (not a '*') match the character at *t? Moves both
 * behind. */
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

/* Compared as it is, not as a pattern: a column whose name holds a '*' must not take others with
 * it. */
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

/* The target text may be NULL: there is no map for the table, or none that can be used. */
static void put_target(const char *target, const char *schema, const char *name,
	char *target_schema, char *target_name)
{
	if (target && selection_split(target, target_schema, target_name))
		return;
	copy_text(target_schema, NAME_SIZE, schema);
	copy_text(target_name, NAME_SIZE, name);
}

const struct table_map *selection_map(
	const struct mirror_config *m, const char *schema, const char *name)
{
	char source[QUALIFIED_SIZE];
	join(source, schema, name);
	for (size_t i = 0; i < m->map_count; i++)
		if (strcmp(m->map[i].source, source) == 0)
			return &m->map[i];
	return NULL;
}

void selection_target(const struct mirror_config *m, const char *schema, const char *name,
	char *target_schema, char *target_name)
{
	const struct table_map *map = selection_map(m, schema, name);
	put_target(map ? map->target : NULL, schema, name, target_schema, target_name);
}

const char *selection_role(const struct mirror_config *m, const char *role)
{
	for (size_t i = 0; m->owners != OWNERS_KEEP && i < m->role_map_count; i++)
		if (strcmp(m->roles_map[i].source, role) == 0)
			return m->roles_map[i].target;
	return role;
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

struct pattern_set {
	struct strings plain; /* sorted, without their escapes */
	struct strings wild;
};

struct selection {
	struct pattern_set tables, exclude;
	struct table_map *map; /* sorted by source */
	size_t map_count;
};

/* What the pattern matches when it has no wildcard; NULL when it has one. */
static char *plain_text(const char *pattern)
{
	struct strbuf b = STRBUF_INIT;
	for (const char *p = pattern; *p != '\0'; p++) {
		if (strchr("*?[", *p)) {
			strbuf_free(&b);
			return NULL;
		}
		p += p[0] == '\\' && p[1] != '\0';
		strbuf_addn(&b, p, 1);
	}
	return strbuf_take(&b);
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void sort_patterns(struct pattern_set *set, const struct strings *patterns)
{
	for (size_t i = 0; i < patterns->count; i++) {
		char *text = plain_text(patterns->items[i]);
		strings_add(text ? &set->plain : &set->wild, text ? text : patterns->items[i]);
		free(text);
	}
	if (set->plain.count > 0)
		qsort(set->plain.items, set->plain.count, sizeof(char *), compare_texts);
}

static bool set_matches(const struct pattern_set *set, const char *text)
{
	bool plain = set->plain.count > 0 &&
				 bsearch(&text, set->plain.items, set->plain.count, sizeof(char *), compare_texts);
	return plain || any_matches(&set->wild, text);
}

static int compare_maps(const void *a, const void *b)
{
	return strcmp(((const struct table_map *)a)->source, ((const struct table_map *)b)->source);
}

struct selection *selection_new(const struct mirror_config *m)
{
	struct selection *s = xcalloc(1, sizeof(*s));
	sort_patterns(&s->tables, &m->tables);
	sort_patterns(&s->exclude, &m->exclude);
	s->map = xcalloc(m->map_count, sizeof(*s->map));
	s->map_count = m->map_count;
	for (size_t i = 0; i < m->map_count; i++)
		s->map[i] = (struct table_map){
			.source = xstrdup(m->map[i].source), .target = xstrdup(m->map[i].target)
		};
	qsort(s->map, s->map_count, sizeof(*s->map), compare_maps);
	return s;
}

static void set_free(struct pattern_set *set)
{
	strings_free(&set->plain);
	strings_free(&set->wild);
}

void selection_free(struct selection *s)
{
	if (!s)
		return;
	set_free(&s->tables);
	set_free(&s->exclude);
	for (size_t i = 0; i < s->map_count; i++) {
		free(s->map[i].source);
		free(s->map[i].target);
	}
	free(s->map);
	free(s);
}

bool selection_has(const struct selection *s, const char *schema, const char *name)
{
	char text[QUALIFIED_SIZE];
	join(text, schema, name);
	return set_matches(&s->tables, text) && !set_matches(&s->exclude, text);
}

void selection_has_target(const struct selection *s, const char *schema, const char *name,
	char *target_schema, char *target_name)
{
	char text[QUALIFIED_SIZE];
	join(text, schema, name);
	struct table_map key = { .source = text };
	const struct table_map *found =
		bsearch(&key, s->map, s->map_count, sizeof(*s->map), compare_maps);
	put_target(found ? found->target : NULL, schema, name, target_schema, target_name);
}
