// SPDX-License-Identifier: PostgreSQL
/* Roles in statements as pg_dump prints them. A role stands behind TO and FROM of grants and policies, behind
 * FOR ROLE, AUTHORIZATION, GRANTED BY, MAPPING FOR and OWNER TO; all of those words are reserved where they
 * could be mistaken for a name, and a type's or a column's stand in parentheses. */
#include <stdlib.h>

#include <pgpier/selection.h>

#include "../../pg/conn.h"
#include "choose_inside.h"
#include "../dump/lexer.h"

static bool has(const struct strings *l, const char *text)
{
	for (size_t i = 0; i < l->count; i++)
		if (strcmp(l->items[i], text) == 0)
			return true;
	return false;
}

static bool is_nobody(const struct token *t)
{
	static const char *const words[] = { "PUBLIC", "CURRENT_USER", "CURRENT_ROLE", "SESSION_USER", "DEFAULT", "NONE",
		"GROUP" };
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (token_is(t, words[i]))
			return true;
	return false;
}

/* ---- where roles stand ---- */

enum expect { EXPECT_NOTHING, EXPECT_ROLE, EXPECT_COMMA };

struct walk {
	const char *at, *end;
	struct token last;
	int depth;
	enum expect expect;
};

static bool opens_roles(const struct token *last, const struct token *t)
{
	if (token_is(t, "ROLE") || token_is(t, "USER"))
		return token_is(last, "FOR");
	if (token_is(t, "FOR"))
		return token_is(last, "MAPPING");
	if (token_is(t, "BY"))
		return token_is(last, "GRANTED");
	return token_is(t, "TO") || token_is(t, "FROM") || token_is(t, "AUTHORIZATION");
}

static bool is_identifier(const struct token *t)
{
	return t->kind == TOKEN_WORD || t->kind == TOKEN_NAME;
}

/* The next token; *role: it is the name of one. */
static struct token next(struct walk *w, bool *role)
{
	struct token t = lexer_code(&w->at, w->end);
	*role = false;
	w->depth += token_is_char(&t, '(') ? 1 : token_is_char(&t, ')') ? -1 : 0;
	if (w->depth > 0) {
		w->expect = EXPECT_NOTHING;
	} else if (w->expect == EXPECT_ROLE && is_identifier(&t)) {
		*role = !is_nobody(&t);
		w->expect = token_is(&t, "GROUP") ? EXPECT_ROLE : EXPECT_COMMA;
	} else {
		bool more = w->expect == EXPECT_COMMA && token_is_char(&t, ',');
		w->expect = more || opens_roles(&w->last, &t) ? EXPECT_ROLE : EXPECT_NOTHING;
	}
	w->last = t;
	return t;
}

/* ---- one statement ---- */

struct rewrite {
	const struct mirror_config *mirror;
	const struct choose_facts *facts;
	struct strings *lacking;
	bool skipping; /* until the end of a session authorization that can't be had */
	bool as_role;  /* SET ROLE took the place of one */
};

static bool begins_with(const char *sql, const char *end, const char *a, const char *b)
{
	struct token t = lexer_code(&sql, end);
	struct token u = lexer_code(&sql, end);
	struct token v = lexer_code(&sql, end);
	return token_is(&t, a) && token_is(&u, b) && token_is(&v, "AUTHORIZATION");
}

/* Is the statement's role one that exists? What it becomes is added to b. */
static bool put_role(struct rewrite *r, struct strbuf *b, const struct token *t)
{
	char name[NAME_SIZE];
	if (!token_name(t, name))
		return false;
	const char *role = selection_role(r->mirror, name);
	if (strcmp(role, name) == 0)
		strbuf_addn(b, t->start, t->len);
	else
		quote_name(b, role);
	if (strings_sorted_have(&r->facts->roles, role))
		return true;
	if (!has(r->lacking, role))
		strings_add(r->lacking, role);
	return false;
}

/* A superuser may be anybody, others what they are members of. */
static bool can_act_as(struct rewrite *r, const struct token *t)
{
	char name[NAME_SIZE];
	if (!token_name(t, name))
		return false;
	const char *role = selection_role(r->mirror, name);
	if (r->facts->superuser || strings_sorted_have(&r->facts->roles_held, role))
		return true;
	if (!has(r->lacking, role))
		strings_add(r->lacking, role);
	return false;
}

/* Only a superuser may take on another's session; a member may take on the role. */
static void put_authorization(struct rewrite *r, struct strbuf *out, const char *sql, const char *end)
{
	struct walk w = { .at = sql, .end = end };
	struct strbuf name = STRBUF_INIT;
	bool role;
	r->skipping = r->as_role = false;
	for (struct token t; (t = next(&w, &role)).kind != TOKEN_END;)
		r->skipping = r->skipping || (role && !(put_role(r, &name, &t) && can_act_as(r, &t)));
	r->as_role = !r->facts->superuser;
	if (!r->skipping)
		strbuf_addf(out, r->as_role ? "SET ROLE %s;\n" : "SET SESSION AUTHORIZATION %s;\n", name.text);
	strbuf_free(&name);
}

/* The statement with its ';', unless a role of it is lacking. */
static void put_statement(struct rewrite *r, struct strbuf *out, const char *sql, const char *end)
{
	if (begins_with(sql, end, "SET", "SESSION")) {
		put_authorization(r, out, sql, end);
		return;
	}
	if (begins_with(sql, end, "RESET", "SESSION")) {
		if (!r->skipping)
			strbuf_add(out, r->as_role ? "RESET ROLE;\n" : "RESET SESSION AUTHORIZATION;\n");
		r->skipping = r->as_role = false;
		return;
	}
	struct walk w = { .at = sql, .end = end };
	struct strbuf b = STRBUF_INIT;
	struct token last = { 0 };
	const char *copied = sql;
	bool role, all = !r->skipping;
	for (struct token t; (t = next(&w, &role)).kind != TOKEN_END; last = t) {
		if (!role)
			continue;
		strbuf_addn(&b, copied, (size_t)(t.start - copied));
		all = put_role(r, &b, &t) && (!token_is(&last, "ROLE") || can_act_as(r, &t)) && all;
		copied = t.start + t.len;
	}
	strbuf_addn(&b, copied, (size_t)(end - copied));
	if (all)
		strbuf_addf(out, "%s\n", b.text);
	strbuf_free(&b);
}

static bool names_roles(const struct dump_entry *e)
{
	return KIND_OF(e, "ACL", "DEFAULT ACL", "POLICY", "USER MAPPING", "SCHEMA");
}

char *roles_rewrite(const struct dump_entry *e, const char *sql, const struct mirror_config *m,
	const struct choose_facts *f, struct strings *lacking)
{
	struct rewrite r = { .mirror = m, .facts = f, .lacking = lacking };
	struct strbuf out = STRBUF_INIT;
	const char *at = sql, *end = sql + strlen(sql), *start = sql;
	if (!names_roles(e))
		return xstrdup(sql);
	for (struct token t; (t = lexer_code(&at, end)).kind != TOKEN_END;) {
		if (start == NULL)
			start = t.start;
		if (!token_is_char(&t, ';'))
			continue;
		put_statement(&r, &out, start, at);
		start = NULL;
	}
	if (out.len > 0 && out.text[out.len - 1] == '\n')
		out.text[--out.len] = '\0';
	return strbuf_take(&out);
}

char *roles_listed(const struct strings *roles)
{
	struct strbuf b = STRBUF_INIT;
	strbuf_add(&b, roles->count == 1 ? "role " : "roles ");
	for (size_t i = 0; i < roles->count; i++)
		strbuf_addf(&b, "%s%s", i > 0 ? ", " : "", roles->items[i]);
	return strbuf_take(&b);
}

char *roles_owner(const char *give_sql, const struct mirror_config *m, char role[NAME_SIZE])
{
	struct walk w = { .at = give_sql, .end = give_sql + strlen(give_sql) };
	struct strbuf b = STRBUF_INIT;
	const char *copied = give_sql;
	bool is_role;
	role[0] = '\0';
	for (struct token t; (t = next(&w, &is_role)).kind != TOKEN_END;) {
		char name[NAME_SIZE];
		if (!is_role || !token_name(&t, name))
			continue;
		copy_text(role, NAME_SIZE, selection_role(m, name));
		strbuf_addn(&b, copied, (size_t)(t.start - copied));
		quote_name(&b, role);
		copied = t.start + t.len;
	}
	strbuf_add(&b, copied);
	return strbuf_take(&b);
}

char *choose_roles(const struct dump_entry *e, const struct mirror_config *m, const struct choose_facts *f,
	char **dropped)
{
	struct strings lacking = { 0 };
	char *sql = roles_rewrite(e, e->sql, m, f, &lacking);
	*dropped = NULL;
	if (lacking.count > 0) {
		char *roles = roles_listed(&lacking);
		*dropped = xasprintf("%s %s, which the target lacks", is_kind(e, "ACL") ? "grants of" : "what names", roles);
		free(roles);
	}
	strings_free(&lacking);
	return sql;
}
