// SPDX-License-Identifier: PostgreSQL
/* A superuser's dump has the passwords of user mappings and the connection strings of subscriptions. */
#include "choose_inside.h"
#include "../dump/lexer.h"

/* Is the string behind this word a secret, and what stands for it? */
static const char *instead(const struct dump_entry *e, const struct token *word)
{
	char name[NAME_SIZE];
	if (!token_name(word, name))
		return NULL;
	if (is_kind(e, "SUBSCRIPTION"))
		return strcmp(name, "CONNECTION") == 0 ? "'...'" : NULL;
	return strstr(name, "password") || strstr(name, "secret") ? "''" : NULL;
}

char *without_secrets(const struct dump_entry *e, bool *any)
{
	struct strbuf b = STRBUF_INIT;
	const char *at = e->sql, *end = e->sql + strlen(e->sql), *copied = e->sql, *put;
	struct token last = { 0 };
	*any = false;
	if (!KIND_OF(e, "SUBSCRIPTION", "USER MAPPING", "SERVER", "FOREIGN DATA WRAPPER"))
		return xstrdup(e->sql);
	for (struct token t; (t = lexer_code(&at, end)).kind != TOKEN_END; last = t) {
		if (t.kind != TOKEN_STRING || !(put = instead(e, &last)))
			continue;
		strbuf_addn(&b, copied, (size_t)(t.start - copied));
		strbuf_add(&b, put);
		copied = t.start + t.len;
		*any = true;
	}
	strbuf_add(&b, copied);
	return strbuf_take(&b);
}
