// SPDX-License-Identifier: PostgreSQL
#include "label.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CAPITALS "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* Of a comment, a grant, a security label: the words before the name, which is quoted where it has capitals. */
static size_t words_before_name(const char *kind, const char *name)
{
	static const char *const named_by_words[] = { "ACL", "COMMENT", "SECURITY LABEL" };
	size_t n = 0;
	bool by_words = false;
	for (size_t i = 0; i < ARRAY_SIZE(named_by_words); i++)
		by_words = by_words || strcasecmp(kind, named_by_words[i]) == 0;
	for (size_t word; by_words && (word = strspn(name + n, CAPITALS)) > 0 && name[n + word] == ' ';)
		n += word + 1;
	return n;
}

char *label_name(const char *kind, const char *schema, const char *name)
{
	if (strcasecmp(kind, "DEFAULT ACL") == 0 && schema[0])
		return xasprintf("%s IN SCHEMA %s", name, schema);
	size_t words = words_before_name(kind, name);
	return xasprintf("%.*s%s%s%s", (int)words, name, schema, schema[0] ? "." : "", name + words);
}

char *label(const char *kind, const char *schema, const char *name)
{
	char *called = label_name(kind, schema, name), *both = xasprintf("%s %s", kind, called);
	free(called);
	return both;
}
