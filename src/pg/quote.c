// SPDX-License-Identifier: PostgreSQL
/* Names and literals inside SQL text. Names are always quoted: no list of keywords can be complete for
 * servers that are not written yet. */
#include <string.h>

#include "conn.h"

static void add_doubled(struct strbuf *b, const char *text, char quote, bool double_backslash)
{
	for (const char *p = text; *p; p++) {
		if (*p == quote || (double_backslash && *p == '\\'))
			strbuf_addn(b, p, 1);
		strbuf_addn(b, p, 1);
	}
}

void quote_name(struct strbuf *b, const char *name)
{
	strbuf_add(b, "\"");
	add_doubled(b, name, '"', false);
	strbuf_add(b, "\"");
}

void quote_qualified(struct strbuf *b, const char *schema, const char *name)
{
	quote_name(b, schema);
	strbuf_add(b, ".");
	quote_name(b, name);
}

void quote_literal(struct strbuf *b, const char *text)
{
	bool backslash = strchr(text, '\\') != NULL;
	strbuf_add(b, backslash ? " E'" : "'");
	add_doubled(b, text, '\'', backslash);
	strbuf_add(b, "'");
}

void quote_array(struct strbuf *b, size_t n, const char *const *items)
{
	strbuf_add(b, "{");
	for (size_t i = 0; i < n; i++) {
		strbuf_add(b, i ? "," : "");
		if (!items[i]) {
			strbuf_add(b, "NULL");
			continue;
		}
		strbuf_add(b, "\"");
		for (const char *p = items[i]; *p; p++) {
			if (*p == '"' || *p == '\\')
				strbuf_add(b, "\\");
			strbuf_addn(b, p, 1);
		}
		strbuf_add(b, "\"");
	}
	strbuf_add(b, "}");
}
