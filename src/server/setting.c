// SPDX-License-Identifier: PostgreSQL
#include "setting.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Units of one kind, largest first, each in the smallest. Terabytes are not for every version. */
struct unit {
	const char *name;
	double size;
};
static const struct unit bytes[] = {
	{ "GB", 1073741824 },
	{ "MB", 1048576 },
	{ "kB", 1024 },
	{ "B", 1 },
	{ NULL, 0 },
};
static const struct unit microseconds[] = {
	{ "d", 86400e6 },
	{ "h", 3600e6 },
	{ "min", 60e6 },
	{ "s", 1e6 },
	{ "ms", 1e3 },
	{ "us", 1 },
	{ NULL, 0 },
};

/* Their items are quoted one by one: the server keeps the quotes. */
static const char *const quoted_lists[] = {
	"local_preload_libraries",
	"search_path",
	"session_preload_libraries",
	"shared_preload_libraries",
	"temp_tablespaces",
};
/* Of those lists the ones that hold SQL names, which fold to lower case. */
static const char *const name_lists[] = { "search_path", "temp_tablespaces" };

static bool is_in(const char *const *names, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static bool is_list(const struct setting *s)
{
	return is_in(quoted_lists, ARRAY_SIZE(quoted_lists), s->name);
}

static bool is_number(const struct setting *s)
{
	return strcmp(s->vartype, "integer") == 0 || strcmp(s->vartype, "real") == 0;
}

static const struct unit *find_unit(const struct unit *kind, const char *name)
{
	for (; kind->name; kind++)
		if (strcmp(kind->name, name) == 0)
			return kind;
	return NULL;
}

/* A number in the smallest unit of its kind, which is NULL for a bare number: also for one below 0,
 * which stands for something else ("off", "as the other setting says") and has no size. */
static double measure(const struct setting *s, const struct unit **kind)
{
	char *end;
	double number = strtod(s->value, NULL), factor = strtod(s->unit, &end);
	*kind = NULL;
	if (number < 0 || s->unit[0] == '\0')
		return number;
	const struct unit *u = find_unit(*kind = bytes, end);
	if (!u)
		u = find_unit(*kind = microseconds, end);
	if (!u)
		*kind = NULL;
	return u ? number * u->size * (end == s->unit ? 1 : factor) : number;
}

/* What a configuration file says like the default, as that of a new cluster does, is one. What
 * can't be set at all was chosen when the cluster, or the server itself, was made. */
bool setting_is_default(const struct setting *s)
{
	if (strcmp(s->context, "internal") == 0)
		return false;
	return strcmp(s->value, s->boot) == 0 || strcmp(s->origin, "default") == 0 ||
		   strcmp(s->origin, "override") == 0 || strcmp(s->origin, "environment variable") == 0;
}

/* ---- lists ---- */

/* The next item of a list, without its quotes; *at moves behind it. False at the end. */
static bool next_item(const char **at, bool fold, struct strbuf *item)
{
	const char *p = *at;
	strbuf_clear(item);
	while (isspace((unsigned char)*p) || *p == ',')
		p++;
	if (*p == '\0')
		return false;
	bool quoted = false;
	for (; *p != '\0' && (quoted || *p != ','); p++) {
		char c = fold && !quoted ? (char)tolower((unsigned char)*p) : *p;
		if (*p == '"' && p[1] == '"' && quoted)
			p++;
		else if (*p == '"') {
			quoted = !quoted;
			continue;
		}
		strbuf_addn(item, &c, 1);
	}
	while (item->len > 0 && p > *at && p[-1] != '"' &&
		   isspace((unsigned char)item->text[item->len - 1]))
		item->text[--item->len] = '\0';
	*at = p;
	return true;
}

static struct strings list_of(const struct setting *s)
{
	struct strings l = { 0 };
	struct strbuf item = STRBUF_INIT;
	const char *at = s->value;
	while (next_item(&at, is_in(name_lists, ARRAY_SIZE(name_lists), s->name), &item))
		strings_add(&l, item.text ? item.text : "");
	strbuf_free(&item);
	return l;
}

static bool same_lists(const struct setting *a, const struct setting *b)
{
	struct strings x = list_of(a), y = list_of(b);
	bool same = x.count == y.count;
	for (size_t i = 0; same && i < x.count; i++)
		same = strcmp(x.items[i], y.items[i]) == 0;
	strings_free(&x);
	strings_free(&y);
	return same;
}

/* ---- comparing ---- */

/* A value as newer servers call it; they take the old word as well, or not at all. */
static const char *word_of(const struct setting *s)
{
	static const struct {
		const char *name, *old, *now;
	} words[] = {
		{ "wal_level", "archive", "replica" },
		{ "wal_level", "hot_standby", "replica" },
		{ "password_encryption", "on", "md5" },
		{ "log_connections", "off", "" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(s->name, words[i].name) == 0 && strcmp(s->value, words[i].old) == 0)
			return words[i].now;
	return s->value;
}

/* Each level holds what those before it hold. */
static int wal_level_of(const struct setting *s)
{
	static const char *const levels[] = { "minimal", "replica", "logical" };
	int level = 0;
	while (level < (int)ARRAY_SIZE(levels) && strcmp(levels[level], word_of(s)) != 0)
		level++;
	return level;
}

int setting_order(const struct setting *a, const struct setting *b)
{
	const struct unit *of_a, *of_b;
	if (strcmp(a->name, "wal_level") == 0)
		return wal_level_of(a) - wal_level_of(b);
	if (!is_number(a) || !is_number(b))
		return 0;
	double x = measure(a, &of_a), y = measure(b, &of_b);
	return x < y ? -1 : x > y;
}

bool setting_same(const struct setting *a, const struct setting *b)
{
	if (is_number(a) && is_number(b))
		return setting_order(a, b) == 0;
	return is_list(a) ? same_lists(a, b) : strcmp(word_of(a), word_of(b)) == 0;
}

/* A size in the largest unit that it is a whole number of; what is none, as it stands. */
static char *text_of(const struct setting *s, const char *word)
{
	const struct unit *kind = NULL;
	double n = is_number(s) ? measure(s, &kind) : 0;
	if (!kind || n == 0)
		return xstrdup(word);
	while (kind[1].name && fmod(n, kind->size) != 0)
		kind++;
	return xasprintf("%.15g%s", n / kind->size, kind->name);
}

char *setting_text(const struct setting *s)
{
	return text_of(s, s->value[0] == '\0' ? "(empty)" : s->value);
}

void setting_quote(struct strbuf *out, const struct setting *s)
{
	if (!is_list(s)) {
		char *text = text_of(s, word_of(s));
		quote_literal(out, text);
		free(text);
		return;
	}
	struct strings items = list_of(s);
	for (size_t i = 0; i < items.count; i++) {
		strbuf_add(out, i > 0 ? ", " : "");
		quote_literal(out, items.items[i]);
	}
	if (items.count == 0)
		strbuf_add(out, "''");
	strings_free(&items);
}
