// SPDX-License-Identifier: PostgreSQL
/* One side, ready to be compared: what of it counts, under which key, with which text. Both sides go through the
 * choice (choose.h), so that neither what the mirror leaves out nor what a provider or an extension brought
 * counts, and the source's statements have the target's names and roles. */
#include <stdlib.h>

#include <pgpier/selection.h>

#include "diff_inside.h"

/* ---- what is looked at ---- */

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Facts under which nothing is lacking: what is not there is to be found, not excused. */
static void fill_facts(struct side *s, const char *profile, const struct strings *roles)
{
	struct selection *chosen = selection_new(&s->config);
	s->facts = (struct choose_facts){ .superuser = true, .profile = profile };
	strings_copy(&s->facts.roles, roles);
	strings_copy(&s->facts.roles_held, roles);
	for (size_t i = 0; i < s->dump->count; i++) {
		const struct dump_entry *e = &s->dump->entries[i];
		char *name = xasprintf("%s.%s", e->schema, e->name);
		if (is_kind(e, "EXTENSION"))
			strings_add(&s->facts.extensions, e->name);
		else if (is_kind(e, "TABLE") && selection_has(chosen, e->schema, e->name))
			strings_add(&s->facts.tables, name);
		free(name);
	}
	if (s->facts.tables.count > 1)
		qsort(s->facts.tables.items, s->facts.tables.count, sizeof(char *), compare_texts);
	selection_free(chosen);
}

/* Whoever is named in grants, as owner or by the map. */
static void collect_roles(const struct dump *d, struct strings *roles)
{
	for (size_t i = 0; i < d->count; i++) {
		const struct dump_entry *e = &d->entries[i];
		const char *at = e->sql, *end = at + strlen(at);
		char name[NAME_SIZE];
		strings_add(roles, e->owner);
		if (!KIND_OF(e, "ACL", "DEFAULT ACL", "POLICY", "USER MAPPING", "SCHEMA"))
			continue;
		for (struct token t; (t = lexer_code(&at, end)).kind != TOKEN_END;)
			if (token_name(&t, name))
				strings_add(roles, name);
	}
}

static void unique(struct strings *l)
{
	size_t n = 0;
	if (l->count > 1)
		qsort(l->items, l->count, sizeof(char *), compare_texts);
	for (size_t i = 0; i < l->count; i++) {
		if (n > 0 && strcmp(l->items[n - 1], l->items[i]) == 0)
			free(l->items[i]);
		else
			l->items[n++] = l->items[i];
	}
	l->count = n;
}

/* The mirror as the target sees it: its tables have their new names, nothing is mapped any more. */
static void target_config(struct mirror_config *t, const struct mirror_config *m, const struct dump *source)
{
	struct selection *chosen = selection_new(m);
	struct mirror_config unmapped = *m;
	unmapped.map = NULL;
	unmapped.map_count = 0;
	mirror_config_copy(t, &unmapped);
	char schema[NAME_SIZE], name[NAME_SIZE];
	for (size_t i = 0; m->map_count > 0 && i < source->count; i++) {
		const struct dump_entry *e = &source->entries[i];
		if (!is_kind(e, "TABLE") || !selection_has(chosen, e->schema, e->name))
			continue;
		selection_has_target(chosen, e->schema, e->name, schema, name);
		char *pattern = selection_pattern(schema, name);
		strings_add(&t->tables, pattern);
		free(pattern);
	}
	t->owners = m->owners == OWNERS_NONE ? OWNERS_NONE : OWNERS_KEEP;
	selection_free(chosen);
}

/* With schema = "none" a person made the tables; they are compared as if pgpier had. The mode decides what is
 * compared; the statements are there in the other mode for all of it. */
static void choose_side(struct side *s)
{
	enum schema_mode mode = s->config.schema;
	s->config.schema = mode == SCHEMA_DATABASE ? SCHEMA_DATABASE : SCHEMA_TABLES;
	s->scope = choose(s->dump, &s->config, &s->facts);
	s->config.schema = SCHEMA_DATABASE;
	s->texts = mode == SCHEMA_DATABASE ? s->scope : choose(s->dump, &s->config, &s->facts);
	s->config.schema = mode;
}

/* ---- items ---- */

static char *text_of(const struct dump_entry *e, const char *sql)
{
	return KIND_OF(e, "ACL", "DEFAULT ACL") ? canon_sorted(sql) : canon(sql);
}

void columns_left_out(const struct diffing *d, const char *schema, const char *table, struct strings *out)
{
	for (size_t i = 0; i < d->mirror->columns_exclude.count; i++) {
		const char *text = d->mirror->columns_exclude.items[i], *dot = strrchr(text, '.');
		if (dot && selection_leaves_out(d->mirror, schema, table, dot + 1))
			strings_add(out, dot + 1);
	}
}

/* It has to do with a column that is left out, or with one of the mirror's own. */
static bool is_of_column(const struct diffing *d, const struct side *s, const struct item *i)
{
	struct strings names = { 0 };
	char schema[NAME_SIZE], table[NAME_SIZE];
	bool found = false, any = s == &d->source ? d->mirror->columns_exclude.count > 0 : d->added.count > 0;
	if (!any || is_kind(i->entry, "TABLE") || !table_of(s->dump, i->entry, schema, table))
		return false;
	if (s == &d->source)
		columns_left_out(d, schema, table, &names);
	else
		strings_copy(&names, &d->added);
	for (size_t k = 0; !found && k < names.count; k++)
		found = names_word(i->text, names.items[k]);
	strings_free(&names);
	return found;
}

/* A schema that only the map leads to. */
static bool is_schema_of_map(const struct diffing *d, const struct dump_entry *e)
{
	char schema[NAME_SIZE], name[NAME_SIZE];
	bool found = false;
	for (size_t i = 0; !found && is_kind(e, "SCHEMA") && i < d->mirror->map_count; i++) {
		const char *target = d->mirror->map[i].target;
		found = target && selection_split(target, schema, name) && strcmp(schema, e->name) == 0;
	}
	return found;
}

static int compare_items(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	int keys = strcmp(x->key, y->key);
	return keys ? keys : strcmp(x->text, y->text);
}

static void make_items(const struct diffing *d, struct side *s)
{
	bool renamed = s == &d->source; /* the choice writes the target's names and roles */
	s->items = xcalloc(s->dump->count + 1, sizeof(*s->items));
	for (size_t i = 0; i < s->dump->count; i++) {
		const struct dump_entry *e = &s->dump->entries[i];
		struct item *item = &s->items[i];
		item->entry = e;
		item->sql = renamed && s->texts[i].sql ? s->texts[i].sql : e->sql;
		item->give = renamed || d->mirror->owners == OWNERS_NONE ? s->texts[i].give_sql : e->give_sql;
		struct naming naming;
		bool other = renamed && naming_of(d, e, &naming);
		if (other && naming.map->column_count > 0)
			item->sql = item->own = columns_renamed(e, item->sql, &naming);
		if (renamed && d->renamed.count > 0 && is_kind(e, "FK CONSTRAINT")) {
			char *own = item->own;
			item->sql = item->own = references_renamed(d, item->sql);
			free(own);
		}
		item->key = key_of(e, other ? &naming : NULL);
		item->text = text_of(e, item->sql);
		item->why = s->scope[i].choice == CHOICE_BLOCKED ? s->scope[i].why : NULL;
		item->counts = (s->scope[i].choice == CHOICE_MAKE || s->scope[i].choice == CHOICE_MIRROR) &&
			!is_of_column(d, s, item) && (renamed || !is_schema_of_map(d, e));
	}
	qsort(s->items, s->dump->count, sizeof(*s->items), compare_items);
}

static void side_free(struct side *s)
{
	for (size_t i = 0; s->items && i < s->dump->count; i++) {
		free(s->items[i].key);
		free(s->items[i].text);
		free(s->items[i].own);
	}
	free(s->items);
	if (s->texts != s->scope)
		chosen_free(s->texts, s->dump->count);
	chosen_free(s->scope, s->dump->count);
	mirror_config_free(&s->config);
	strings_free(&s->facts.roles);
	strings_free(&s->facts.roles_held);
	strings_free(&s->facts.extensions);
	strings_free(&s->facts.tables);
}

/* ---- both ---- */

void sides_read(struct diffing *d, const struct diff_side *source, const struct diff_side *target)
{
	const struct mirror_config *m = d->mirror;
	struct strings roles = { 0 };
	d->source.dump = source->dump;
	d->target.dump = target->dump;
	collect_roles(source->dump, &roles);
	collect_roles(target->dump, &roles);
	for (size_t i = 0; i < m->role_map_count; i++)
		strings_add(&roles, m->roles_map[i].target);
	unique(&roles);
	d->selection = selection_new(m);
	renamed_read(d);
	if (m->sync_columns || m->soft_delete) {
		strings_add(&d->added, m->synced_at_column);
		strings_add(&d->added, m->is_deleted_column);
	}
	mirror_config_copy(&d->source.config, m);
	target_config(&d->target.config, m, source->dump);
	fill_facts(&d->source, source->profile, &roles);
	fill_facts(&d->target, target->profile, &roles);
	choose_side(&d->source);
	choose_side(&d->target);
	make_items(d, &d->source);
	make_items(d, &d->target);
	strings_free(&roles);
}

void sides_free(struct diffing *d)
{
	side_free(&d->source);
	side_free(&d->target);
	selection_free(d->selection);
	strings_free(&d->added);
	renamed_free(d);
}
