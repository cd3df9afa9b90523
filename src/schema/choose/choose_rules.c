// SPDX-License-Identifier: PostgreSQL
/* What is decided about an entry by looking at it alone. */
#include <stdio.h>
#include <stdlib.h>

#include <pgpier/selection.h>

#include "../../label.h"
#include "choose_inside.h"
#include "../dump/lexer.h"

char *entry_label(const struct dump_entry *e)
{
	return label(e->kind, e->schema, e->name);
}

static bool is_mirrored(const struct choosing *c, const struct dump_entry *e)
{
	char text[QUALIFIED_SIZE];
	snprintf(text, sizeof(text), "%s.%s", e->schema, e->name);
	return is_kind(e, "TABLE") && strings_sorted_have(&c->facts->tables, text);
}

static void leave_out(struct verdict *v, bool settled, char *is, char *says)
{
	v->choice = CHOICE_LEFT_OUT;
	v->settled = settled;
	v->is = is;
	v->says = says;
}

static void block(struct verdict *v, char *is, char *says)
{
	leave_out(v, true, is, says);
	v->choice = CHOICE_BLOCKED;
}

/* ---- publications, subscriptions ---- */

static bool has_words(const char *sql, const char *const *words, size_t n)
{
	const char *at = sql, *end = sql + strlen(sql);
	size_t seen = 0;
	for (struct token t; seen < n && (t = lexer_code(&at, end)).kind != TOKEN_END;)
		seen = token_is(&t, words[seen]) ? seen + 1 : token_is(&t, words[0]) ? 1 : 0;
	return seen == n;
}

bool is_for_all_tables(const struct dump_entry *e)
{
	return is_kind(e, "PUBLICATION") && has_words(e->sql, (const char *const[]){ "FOR", "ALL", "TABLES" }, 3);
}

static bool is_our_publication(const struct choosing *c, const struct dump_entry *e)
{
	char ours[NAME_SIZE];
	mirror_publication_name(c->mirror, ours);
	size_t n = strlen(ours);
	bool named = strncmp(e->name, ours, n) == 0 && (e->name[n] == '\0' || e->name[n] == ' ');
	return named || strncmp(e->name, "pgpier_", 7) == 0;
}

static void rule_subscription(struct verdict *v, const struct dump_entry *e)
{
	bool any;
	char *sql = without_secrets(e, &any);
	leave_out(v, true, xstrdup("is never made on the target by pgpier"),
		xasprintf("subscriptions are never made on the target by pgpier; statement: %s", sql));
	free(sql);
}

static void rule_publication(const struct choosing *c, struct verdict *v, const struct dump_entry *e)
{
	if (is_our_publication(c, e))
		leave_out(v, true, xstrdup("is pgpier's own"), NULL);
	else if (!c->mirror->publications)
		leave_out(v, true, xstrdup("is not made without publications = true"),
			xstrdup("publications are made on the target only with publications = true"));
	else if (!c->facts->superuser && (is_for_all_tables(e) || is_kind(e, "PUBLICATION TABLES IN SCHEMA")))
		block(v, xasprintf("needs a superuser on the target, because it is for all tables%s",
				is_kind(e, "PUBLICATION") ? "" : " of a schema"), NULL);
}

/* ---- extensions ---- */

static void rule_extension(const struct choosing *c, struct verdict *v, const struct dump_entry *e)
{
	const char *profile = c->facts->profile;
	if (strings_sorted_have(&c->facts->extensions, e->name))
		return;
	if (profile_has_extension(profile, e->name)) {
		leave_out(v, true, xasprintf("is %s's own", profile_title(profile)), NULL);
		return;
	}
	char *package = extension_package(e->name);
	char *is = xasprintf("is not available on the target; %s", package);
	block(v, is, xasprintf("extension %s %s", e->name, is));
	free(package);
}

/* ---- everything ---- */

static bool rule_role(struct verdict *v, const struct choosing *c, const struct dump_entry *e)
{
	const char *profile = c->facts->profile;
	if (!KIND_OF(e, "EVENT TRIGGER", "DEFAULT ACL", "PUBLICATION") || !profile_has_role(profile, e->owner))
		return false;
	leave_out(v, true, xasprintf("is of %s's role %s", profile_title(profile), e->owner), NULL);
	return true;
}

static bool rule_kind(struct verdict *v, const struct choosing *c, const struct dump_entry *e)
{
	const struct choose_facts *f = c->facts;
	if (KIND_OF(e, "SUBSCRIPTION", "SUBSCRIPTION TABLE"))
		rule_subscription(v, e);
	else if (strncmp(e->kind, "PUBLICATION", 11) == 0)
		rule_publication(c, v, e);
	else if (KIND_OF(e, "DATABASE", "DATABASE PROPERTIES", "ENCODING", "STDSTRINGS", "SEARCHPATH"))
		leave_out(v, true, xstrdup("is of the database itself, which pgpier does not make"), NULL);
	else if (is_kind(e, "EVENT TRIGGER") && !f->superuser)
		leave_out(v, true, xstrdup("needs a superuser on the target"),
			xasprintf("event triggers need a superuser on the target; statement: %s", e->sql));
	else if (is_kind(e, "COMMENT") && strncmp(e->name, "EXTENSION ", 10) == 0 && !f->superuser)
		leave_out(v, true, xstrdup("needs the extension's owner; an extension brings its own comment"), NULL);
	else if (c->mirror->owners == OWNERS_NONE && KIND_OF(e, "ACL", "DEFAULT ACL"))
		leave_out(v, true, xstrdup("is not made with owners = none"),
			xstrdup("grants are made on the target only with owners = keep or map"));
	else if (is_kind(e, "EXTENSION"))
		rule_extension(c, v, e);
	return v->settled;
}

/* A grant or a policy on something that the dump has not: an extension's or the server's own. */
static bool is_on_a_stranger(const struct verdict *v, const struct dump_entry *e)
{
	return v->host == NO_ENTRY && KIND_OF(e, "ACL", "SECURITY LABEL", "POLICY");
}

static bool is_of_member(const struct choosing *c, const struct dump_entry *e)
{
	const char *space = strchr(e->name, ' '), *name = space ? space + 1 : e->name;
	char *text = xasprintf("%s.%.*s", e->schema, (int)strcspn(name, "("), name);
	bool found = strings_sorted_have(&c->facts->extension_members, text);
	free(text);
	return found;
}

static bool rule_provider(struct verdict *v, const struct choosing *c, const struct dump_entry *e)
{
	const char *profile = c->facts->profile, *schema = is_kind(e, "SCHEMA") ? e->name : e->schema;
	if (!profile || (v->host != NO_ENTRY && is_mirrored(c, &c->dump->entries[v->host])))
		return false;
	if (profile_has_schema(profile, schema)) {
		leave_out(v, false, is_kind(e, "SCHEMA") ? xasprintf("is %s's own", profile_title(profile))
			: xasprintf("is in schema %s, which is %s's own", schema, profile_title(profile)), NULL);
		return true;
	}
	if (!is_on_a_stranger(v, e))
		return false;
	leave_out(v, true, xstrdup("is on an object that an extension or the server brought"), NULL);
	return true;
}

/* A comment or a grant on a column that the table does not get: "COLUMN t.c", each name quoted if need be. */
static bool is_of_left_out_column(const struct choosing *c, const struct verdict *v, const struct dump_entry *e)
{
	char table[NAME_SIZE], column[NAME_SIZE];
	const char *at = e->name, *end = e->name + strlen(e->name);
	struct token t = lexer_code(&at, end);
	return c->mirror->schema == SCHEMA_TABLES && v->host != NO_ENTRY &&
		   KIND_OF(e, "COMMENT", "ACL", "SECURITY LABEL") && token_is(&t, "COLUMN") && lexer_qualified(&at, end, table, column) &&
		   selection_leaves_out(c->mirror, e->schema, c->dump->entries[v->host].name, column);
}

static void rule_of(const struct choosing *c, struct verdict *v, const struct dump_entry *e)
{
	v->mine = is_mirrored(c, e);
	if (c->mirror->schema == SCHEMA_NONE)
		leave_out(v, true, xstrdup("is not made with schema = none"), NULL);
	else if (strcmp(is_kind(e, "SCHEMA") ? e->name : e->schema, "pgpier") == 0)
		leave_out(v, true, xstrdup("is pgpier's own"), NULL);
	else if (is_of_left_out_column(c, v, e))
		leave_out(v, true, xstrdup("is of a column that the mirror leaves out"), NULL);
	else if (rule_role(v, c, e) || rule_kind(v, c, e) || v->mine || rule_provider(v, c, e))
		return;
	else if (is_kind(e, "TABLE"))
		leave_out(v, false, xstrdup("is none of the mirror's tables"), NULL);
	else if (is_on_a_stranger(v, e) && is_of_member(c, e) && !c->facts->superuser)
		leave_out(v, true, xstrdup("is on an object of an extension, which another role may own"), NULL);
}

void rules_apply(struct choosing *c)
{
	for (size_t i = 0; i < c->dump->count; i++)
		rule_of(c, &c->verdicts[i], &c->dump->entries[i]);
}
