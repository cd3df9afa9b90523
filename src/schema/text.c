// SPDX-License-Identifier: PostgreSQL
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *text_retarget(const char *text, const char *prefix, const char *replacement)
{
	size_t n = strlen(prefix);
	if (strncmp(text, prefix, n) != 0)
		return NULL;
	return xasprintf("%s%s", replacement, text + n);
}

char *text_replace(const char *text, const char *from, const char *to)
{
	struct strbuf b = STRBUF_INIT;
	size_t n = strlen(from);
	const char *hit;
	while (n > 0 && (hit = strstr(text, from)) != NULL) {
		strbuf_addn(&b, text, (size_t)(hit - text));
		strbuf_add(&b, to);
		text = hit + n;
	}
	strbuf_add(&b, text);
	return strbuf_take(&b);
}

const char *text_deferrable(bool deferrable, bool deferred)
{
	if (!deferrable)
		return "";
	return deferred ? " DEFERRABLE INITIALLY DEFERRED" : " DEFERRABLE";
}

char *text_with_options(const char *definition, const char *options, bool deferrable, bool deferred)
{
	const char *tail = text_deferrable(deferrable, deferred);
	size_t length = strlen(definition), tail_length = strlen(tail);
	if (length < tail_length || strcmp(definition + length - tail_length, tail) != 0)
		return NULL;
	if (options[0] == '\0')
		return xstrdup(definition);
	return xasprintf("%.*s WITH (%s)%s", (int)(length - tail_length), definition, options, tail);
}

/* ---- types ---- */

/* varchar(10), numeric(8,2) and so on, taken apart; the modifiers are -1 when absent. */
struct type_name {
	char base[128];
	int first, second;
};

static struct type_name take_apart(const char *text)
{
	struct type_name t = { .first = -1, .second = -1 };
	const char *open = strchr(text, '(');
	const char *close = open ? strchr(open, ')') : NULL;
	if (!close || sscanf(open, "(%d,%d)", &t.first, &t.second) < 1) {
		copy_text(t.base, sizeof(t.base), text);
		return t;
	}
	snprintf(t.base, sizeof(t.base), "%.*s%s", (int)(open - text), text, close + 1);
	return t;
}

/* Each type's values are also values of every later one of its family. */
static const char *const families[][6] = {
	{ "smallint", "integer", "bigint", "numeric" },
	{ "real", "double precision" },
	{ "json", "jsonb" },
	{ "date", "timestamp without time zone" },
	{ "inet", "text" },
	{ "cidr", "inet", "text" },
	{ "character", "character varying", "text" },
	{ "uuid", "text" },
	{ "xml", "text" },
	{ "name", "text" },
};

static bool widens(const char *source, const char *target)
{
	for (size_t f = 0; f < ARRAY_SIZE(families); f++) {
		size_t from = ARRAY_SIZE(families[f]), to = 0;
		for (size_t i = 0; i < ARRAY_SIZE(families[f]) && families[f][i]; i++) {
			from = strcmp(families[f][i], source) == 0 ? i : from;
			to = strcmp(families[f][i], target) == 0 ? i : to;
		}
		if (from < to)
			return true;
	}
	return false;
}

static bool modifier_fits(const struct type_name *s, const struct type_name *t)
{
	if (t->first < 0)
		return true;
	if (s->first < 0)
		return false;
	if (strcmp(t->base, "numeric") == 0) {
		int s_scale = MAX(s->second, 0), t_scale = MAX(t->second, 0);
		return t_scale >= s_scale && t->first - t_scale >= s->first - s_scale;
	}
	return t->first >= s->first;
}

enum type_fit text_type_fit(const char *source, const char *target)
{
	if (strcmp(source, target) == 0)
		return TYPE_SAME;
	struct type_name s = take_apart(source), t = take_apart(target);
	bool same = strcmp(s.base, t.base) == 0;
	if (!same && !widens(s.base, t.base))
		return TYPE_DIFFERS;
	return modifier_fits(&s, &t) ? TYPE_FITS : TYPE_MAY_FIT;
}

/* ---- lists of numbers ---- */

bool text_has_number(const char *numbers, int n)
{
	for (const char *p = numbers; *p != '\0';) {
		char *end;
		if (strtol(p, &end, 10) == n)
			return true;
		if (end == p)
			return false;
		p = end;
	}
	return false;
}

void text_oids_add(struct strbuf *b, int64_t oid)
{
	strbuf_addf(b, "%s%lld", b->len == 0 ? "{" : ",", (long long)oid);
}

void text_oids_end(struct strbuf *b)
{
	strbuf_add(b, b->len == 0 ? "{}" : "}");
}
