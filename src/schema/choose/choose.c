// SPDX-License-Identifier: PostgreSQL
/* The choice, in four steps: what a rule says of an entry by itself, what the mirror's tables can't be
 * without, what is blocked by that, and then the statements of what is left. */
#include "choose.h"

#include <stdlib.h>

#include <pgpier/selection.h>

#include "../../pg/conn.h"
#include "choose_inside.h"
#include "../dump/lexer.h"

/* ---- why not ---- */

static char *reason(const struct choosing *c, size_t i)
{
	const struct verdict *v = &c->verdicts[i], *root = &c->verdicts[v->root];
	if (v->root == i)
		return xstrdup(v->says ? v->says : v->is);
	char *what = entry_label(&c->dump->entries[v->root]);
	char *through = entry_label(&c->dump->entries[v->via]);
	char *text;
	if (v->choice == CHOICE_LEFT_OUT)
		text = xasprintf("belongs to %s, which %s", what, root->is);
	else if (v->via == v->root)
		text = xasprintf("needs %s, which %s", what, root->is);
	else
		text = xasprintf("needs %s, and that %s, which %s", through, what, root->is);
	free(what);
	free(through);
	return text;
}

/* ---- what is made ---- */

static void drop(struct chosen *out, char *take_text)
{
	char *both = out->dropped ? xasprintf("%s; %s", out->dropped, take_text) : NULL;
	if (both) {
		free(out->dropped);
		free(take_text);
	}
	out->dropped = both ? both : take_text;
}

/* A sequence that a column owns goes where its table goes, and refuses to go alone. */
static bool goes_with_table(const struct choosing *c, size_t i)
{
	const struct verdict *v = &c->verdicts[i];
	return v->choice == CHOICE_MIRROR && is_kind(&c->dump->entries[i], "SEQUENCE") && v->host != NO_ENTRY;
}

static void give(const struct choosing *c, size_t i, struct chosen *out)
{
	const struct dump_entry *e = &c->dump->entries[i];
	const struct choose_facts *f = c->facts;
	char role[NAME_SIZE];
	if (!e->give_sql || c->mirror->owners == OWNERS_NONE || goes_with_table(c, i))
		return;
	char *sql = roles_owner(e->give_sql, c->mirror, role);
	if (!strings_sorted_have(&f->roles, role))
		drop(out, xasprintf("owner %s, a role that the target lacks", role));
	else if (!f->superuser && !strings_sorted_have(&f->roles_held, role))
		drop(out, xasprintf("owner %s, to whom only a member of that role can give it", role));
	else
		out->give_sql = xstrdup(sql);
	free(sql);
}

static void block(struct chosen *out, char *take_why)
{
	out->choice = CHOICE_BLOCKED;
	out->why = take_why;
}

/* Statements that name a role which is not there are left out; when all are, it is blocked. */
static void fill_roles(const struct choosing *c, const struct dump_entry *e, struct chosen *out)
{
	struct strings lacking = { 0 };
	char *sql = roles_rewrite(e, out->sql, c->mirror, c->facts, &lacking);
	if (lacking.count > 0) {
		char *roles = roles_listed(&lacking);
		if (sql[0] == '\0')
			block(out, xasprintf("names %s, which the target lacks or we can't act as", roles));
		else
			drop(out, xasprintf("grants of %s, which the target lacks or we can't act as", roles));
		free(roles);
	}
	if (out->choice != CHOICE_BLOCKED) {
		free(out->sql);
		out->sql = sql;
		sql = NULL;
	}
	free(sql);
	strings_free(&lacking);
}

static void fill_renamed(const struct table_renames *r, const struct dump_entry *e, struct chosen *out)
{
	char *why;
	char *sql = table_renames_apply(r, e, out->sql, &why);
	if (sql) {
		free(out->sql);
		out->sql = sql;
	} else if (out->choice == CHOICE_MAKE) {
		block(out, why);
	} else {
		free(why);
	}
	sql = out->give_sql ? table_renames_apply(r, e, out->give_sql, &why) : NULL;
	if (sql) {
		free(out->give_sql);
		out->give_sql = sql;
	}
}

static bool dump_has_schema(const struct dump *d, const char *name)
{
	bool found = strcmp(name, "public") == 0;
	for (size_t i = 0; !found && i < d->count; i++)
		found = is_kind(&d->entries[i], "SCHEMA") && strcmp(d->entries[i].name, name) == 0;
	return found;
}

/* A table may go to a schema that the source has not. It is its owner's, who must be able to use it: foreign keys
 * are checked with the owner's rights. */
static void add_new_schema(const struct choosing *c, size_t i, struct chosen *out)
{
	const struct dump_entry *e = &c->dump->entries[i];
	char schema[NAME_SIZE], name[NAME_SIZE];
	if (!is_kind(e, "TABLE") || out->choice != CHOICE_MAKE)
		return;
	selection_target(c->mirror, e->schema, e->name, schema, name);
	if (strcmp(schema, e->schema) == 0 || dump_has_schema(c->dump, schema))
		return;
	struct strbuf b = STRBUF_INIT;
	strbuf_add(&b, "CREATE SCHEMA IF NOT EXISTS ");
	quote_name(&b, schema);
	if (out->give_sql) {
		char owner[NAME_SIZE];
		free(roles_owner(e->give_sql, c->mirror, owner));
		strbuf_add(&b, " AUTHORIZATION ");
		quote_name(&b, owner);
	}
	strbuf_addf(&b, ";\n\n%s", out->sql);
	drop(out, xasprintf("grants on schema %s, which the source has not", schema));
	free(out->sql);
	out->sql = strbuf_take(&b);
}

static void fill(const struct choosing *c, const struct table_renames *r, size_t i, struct chosen *out)
{
	const struct dump_entry *e = &c->dump->entries[i];
	const struct verdict *v = &c->verdicts[i];
	bool secrets;
	out->choice = v->choice;
	if (out->choice == CHOICE_LEFT_OUT || out->choice == CHOICE_BLOCKED)
		out->why = reason(c, i);
	out->sql = without_secrets(e, &secrets);
	if (out->choice == CHOICE_LEFT_OUT)
		return;
	if (secrets)
		drop(out, xstrdup("its password"));
	if (v->pulled) {
		char *for_whom = entry_label(&c->dump->entries[v->via]);
		drop(out, xasprintf("its rows: it is none of the mirror's tables, but %s needs it", for_whom));
		free(for_whom);
	}
	give(c, i, out);
	if (out->choice == CHOICE_MAKE)
		fill_roles(c, e, out);
	if (r) {
		fill_renamed(r, e, out);
		add_new_schema(c, i, out);
	}
	if (out->choice == CHOICE_MIRROR) {
		free(out->sql);
		out->sql = NULL;
	}
}

struct chosen *choose(const struct dump *d, const struct mirror_config *m, const struct choose_facts *f)
{
	struct choosing c = { .dump = d, .mirror = m, .facts = f };
	struct chosen *out = xcalloc(d->count + 1, sizeof(*out));
	c.verdicts = xcalloc(d->count + 1, sizeof(*c.verdicts));
	links_find(&c);
	rules_apply(&c);
	needs_pull(&c);
	if (m->schema == SCHEMA_TABLES)
		needs_narrow(&c);
	needs_propagate(&c);
	struct table_renames *r = table_renames_new(&c);
	for (size_t i = 0; i < d->count; i++)
		fill(&c, r, i, &out[i]);
	table_renames_free(r);
	for (size_t i = 0; i < d->count; i++) {
		free(c.verdicts[i].is);
		free(c.verdicts[i].says);
	}
	free(c.verdicts);
	links_free(&c);
	return out;
}

void chosen_free(struct chosen *c, size_t count)
{
	for (size_t i = 0; c && i < count; i++) {
		free(c[i].why);
		free(c[i].sql);
		free(c[i].give_sql);
		free(c[i].dropped);
	}
	free(c);
}
