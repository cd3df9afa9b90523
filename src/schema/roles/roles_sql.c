// SPDX-License-Identifier: PostgreSQL
/* Statements about roles. Pure. */
#include <stdlib.h>
#include <string.h>

#include "roles_inside.h"

static const struct {
	unsigned attribute;
	const char *has, *lacks;
} words[] = {
	{ ROLE_LOGIN, "LOGIN", "NOLOGIN" },
	{ ROLE_INHERIT, "INHERIT", "NOINHERIT" },
	{ ROLE_SUPERUSER, "SUPERUSER", "NOSUPERUSER" },
	{ ROLE_CREATEDB, "CREATEDB", "NOCREATEDB" },
	{ ROLE_CREATEROLE, "CREATEROLE", "NOCREATEROLE" },
	{ ROLE_REPLICATION, "REPLICATION", "NOREPLICATION" },
	{ ROLE_BYPASSRLS, "BYPASSRLS", "NOBYPASSRLS" },
};

void role_add_words(struct strbuf *b, unsigned attributes, unsigned which)
{
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (which & words[i].attribute)
			strbuf_addf(b, " %s", attributes & words[i].attribute ? words[i].has : words[i].lacks);
}

static void add_limits(struct strbuf *b, const struct role *r)
{
	if (r->limit >= 0)
		strbuf_addf(b, " CONNECTION LIMIT %d", r->limit);
	if (r->valid_until) {
		strbuf_add(b, " VALID UNTIL ");
		quote_literal(b, r->valid_until);
	}
}

/* What CREATE ROLE gives when it is not told. */
static unsigned unusual(unsigned attributes)
{
	return attributes ^ ROLE_INHERIT;
}

char *role_attributes(const struct role *r)
{
	struct strbuf b = STRBUF_INIT;
	role_add_words(&b, r->attributes, ROLE_LOGIN | unusual(r->attributes));
	add_limits(&b, r);
	char *text = xstrdup(b.text + 1);
	strbuf_free(&b);
	return text;
}

char *role_sql_create(const struct role *r, unsigned give)
{
	struct strbuf b = STRBUF_INIT, with = STRBUF_INIT;
	unsigned attributes = r->attributes & give;
	role_add_words(&with, attributes, unusual(attributes));
	add_limits(&with, r);
	strbuf_add(&b, "CREATE ROLE ");
	quote_name(&b, r->there);
	if (with.len > 0)
		strbuf_addf(&b, " WITH%s", with.text);
	strbuf_free(&with);
	return strbuf_take(&b);
}

char *role_sql_alter(const struct role *want, const struct role *have)
{
	struct strbuf b = STRBUF_INIT;
	strbuf_add(&b, "ALTER ROLE ");
	quote_name(&b, want->there);
	strbuf_add(&b, " WITH");
	role_add_words(&b, want->attributes, want->attributes ^ have->attributes);
	if (want->limit != have->limit)
		strbuf_addf(&b, " CONNECTION LIMIT %d", want->limit);
	if (strcmp(want->valid_until ? want->valid_until : "",
			have->valid_until ? have->valid_until : "") != 0) {
		strbuf_add(&b, " VALID UNTIL ");
		quote_literal(&b, want->valid_until ? want->valid_until : "infinity");
	}
	return strbuf_take(&b);
}

static char *member_sql(
	const char *verb, const struct role_membership *m, const char *to, const char *options)
{
	struct strbuf b = STRBUF_INIT;
	strbuf_add(&b, verb);
	quote_name(&b, m->group->there);
	strbuf_add(&b, to);
	quote_name(&b, m->member->there);
	strbuf_add(&b, options);
	return strbuf_take(&b);
}

static const char *truth(bool yes)
{
	return yes ? "TRUE" : "FALSE";
}

char *role_member_options(const struct role_membership *m)
{
	return xasprintf(
		"ADMIN %s, INHERIT %s, SET %s", truth(m->admin), truth(m->inherit), truth(m->set));
}

/* From 16 on with the options that are not what a plain GRANT gives to that member. */
char *role_sql_member(const struct role_membership *m, int version)
{
	if (version < SINCE_MEMBERSHIP_OPTIONS)
		return member_sql("GRANT ", m, " TO ", m->admin ? " WITH ADMIN OPTION" : "");
	struct strbuf with = STRBUF_INIT;
	if (m->admin)
		strbuf_add(&with, ", ADMIN TRUE");
	if (m->inherit != ((m->member->attributes & ROLE_INHERIT) != 0))
		strbuf_addf(&with, ", INHERIT %s", truth(m->inherit));
	if (!m->set)
		strbuf_add(&with, ", SET FALSE");
	char *options = with.len > 0 ? xasprintf(" WITH%s", with.text + 1) : xstrdup("");
	char *sql = member_sql("GRANT ", m, " TO ", options);
	free(options);
	strbuf_free(&with);
	return sql;
}

char *role_sql_member_change(const struct role_membership *m, int version)
{
	if (version < SINCE_MEMBERSHIP_OPTIONS)
		return m->admin ? role_sql_member(m, version)
						: member_sql("REVOKE ADMIN OPTION FOR ", m, " FROM ", "");
	char *options = role_member_options(m), *with = xasprintf(" WITH %s", options);
	char *sql = member_sql("GRANT ", m, " TO ", with);
	free(options);
	free(with);
	return sql;
}

char *role_sql_member_revoke(const struct role_membership *m)
{
	return member_sql("REVOKE ", m, " FROM ", "");
}

/* The server keeps the items of a list as quoted identifiers and takes them as literals. */
static bool is_list(const char *name)
{
	static const char *const lists[] = { "local_preload_libraries", "search_path",
		"session_preload_libraries", "shared_preload_libraries", "temp_tablespaces",
		"unix_socket_directories" };
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		if (strcasecmp(lists[i], name) == 0)
			return true;
	return false;
}

/* One item of a list, unquoted into *item; where the next begins, or NULL after the last. */
static const char *take_item(const char *list, struct strbuf *item)
{
	bool quoted = false;
	list += strspn(list, " ");
	for (; *list && (quoted || *list != ','); list++) {
		if (*list == '"' && quoted && list[1] == '"')
			strbuf_addn(item, list++, 1);
		else if (*list == '"')
			quoted = !quoted;
		else
			strbuf_addn(item, list, 1);
	}
	return *list == ',' ? list + 1 : NULL;
}

static void add_list(struct strbuf *b, const char *value)
{
	for (const char *next = value; next;) {
		struct strbuf item = STRBUF_INIT;
		strbuf_add(b, next == value ? "" : ", ");
		next = take_item(next, &item);
		quote_literal(b, item.text ? item.text : "");
		strbuf_free(&item);
	}
}

char *role_sql_set(const struct role_setting *s, const char *database, bool reset)
{
	struct strbuf b = STRBUF_INIT;
	if (s->role || !s->in_database) {
		strbuf_add(&b, "ALTER ROLE ");
		if (s->role)
			quote_name(&b, s->role->there);
		else
			strbuf_add(&b, "ALL");
		strbuf_add(&b, s->in_database ? " IN DATABASE " : "");
	} else {
		strbuf_add(&b, "ALTER DATABASE ");
	}
	if (s->in_database)
		quote_name(&b, database);
	strbuf_add(&b, reset ? " RESET " : " SET ");
	quote_name(&b, s->name);
	strbuf_add(&b, reset ? "" : " TO ");
	if (!reset && is_list(s->name))
		add_list(&b, s->value);
	else if (!reset)
		quote_literal(&b, s->value);
	return strbuf_take(&b);
}

char *role_sql_comment(const char *kind, const char *name, const char *comment)
{
	struct strbuf b = STRBUF_INIT;
	strbuf_addf(&b, "COMMENT ON %s ", kind);
	quote_name(&b, name);
	strbuf_add(&b, " IS ");
	if (comment)
		quote_literal(&b, comment);
	else
		strbuf_add(&b, "NULL");
	return strbuf_take(&b);
}

static char *grant_or_revoke(
	const struct role_grant *g, const char *database, const char *verb, const char *to)
{
	struct strbuf b = STRBUF_INIT;
	strbuf_addf(&b, "%s %s ON DATABASE ", verb, g->privilege);
	quote_name(&b, database);
	strbuf_addf(&b, " %s ", to);
	if (g->role)
		quote_name(&b, g->role->there);
	else
		strbuf_add(&b, "PUBLIC");
	return strbuf_take(&b);
}

char *role_sql_grant(const struct role_grant *g, const char *database)
{
	char *plain = grant_or_revoke(g, database, "GRANT", "TO");
	char *sql = xasprintf("%s%s", plain, g->grantable ? " WITH GRANT OPTION" : "");
	free(plain);
	return sql;
}

char *role_sql_revoke(const struct role_grant *g, const char *database)
{
	return grant_or_revoke(g, database, "REVOKE", "FROM");
}
