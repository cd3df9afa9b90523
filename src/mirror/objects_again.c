// SPDX-License-Identifier: PostgreSQL
/* What the choice has kept back is chosen again when somebody tries again: the roles, rights and extensions that were
 * missing may be there by now. A new dump is laid beside the stored objects, by kind and name:
 *
 *     not made, and can be by now        waits, with the new dump's statements
 *     made, but not all of its grants    waits: to grant twice changes nothing
 *     made, but not its owner's          is given to its owner
 *     all others                         as they are: what the source got since is a matter of `pgpier diff` */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../schema/choose/facts.h"
#include "../schema/objects.h"
#include "run.h"

struct again {
	struct run *run;
	struct pg *target;
	struct store_object *fresh; /* of the new dump, by id */
	size_t fresh_count;
	struct store_object **named; /* the same by kind and name */
	int last_entry;              /* fresh ids above it are of no entry, but made of one: a refresh, a check */
	int *stored;                 /* by fresh id: the stored one of the same name; 0 none */
	bool *taken;                 /* by fresh id: the stored one took its statements */
	const struct store_object **changed;
	size_t changed_count;
};

/* ---- is there anything? ---- */

static bool is_grant(const struct store_object *o)
{
	return restore_is_kind(o, "ACL") || restore_is_kind(o, "DEFAULT ACL");
}

/* A publication waits for a setting of the mirror; nothing else that is left out does. */
static bool is_kept_back(const struct run *r, const struct store_object *o)
{
	if (!o->wanted)
		return o->state == OBJECT_BLOCKED || (r->config.publications && strncmp(o->kind, "PUBLICATION", 11) == 0);
	return o->note && (is_grant(o) || !o->give_sql) && o->state != OBJECT_EXISTS;
}

static bool any_kept_back(const struct run *r)
{
	for (size_t i = 0; i < r->objects.count; i++)
		if (is_kept_back(r, &r->objects.objects[i]))
			return true;
	return false;
}

/* ---- which is which ---- */

/* Default privileges are called alike for all roles. */
static int compare_called(const void *a, const void *b)
{
	const struct store_object *x = *(struct store_object *const *)a, *y = *(struct store_object *const *)b;
	int c = strcmp(x->kind, y->kind);
	c = c ? c : strcmp(x->schema, y->schema);
	c = c ? c : strcmp(x->name, y->name);
	return c || !restore_is_kind(x, "DEFAULT ACL") ? c : strcmp(x->owner, y->owner);
}

static struct store_object *find_fresh(const struct again *a, const struct store_object *o)
{
	struct store_object **found = bsearch(&o, a->named, a->fresh_count, sizeof(*a->named), compare_called);
	return found ? *found : NULL;
}

static void name_all(struct again *a)
{
	int last = 0;
	a->named = xmalloc((a->fresh_count + 1) * sizeof(struct store_object *));
	for (size_t i = 0; i < a->fresh_count; i++) {
		a->named[i] = &a->fresh[i];
		last = MAX(last, a->fresh[i].id);
	}
	qsort(a->named, a->fresh_count, sizeof(*a->named), compare_called);
	a->stored = xcalloc((size_t)last + 1, sizeof(*a->stored));
	a->taken = xcalloc((size_t)last + 1, sizeof(*a->taken));
}

/* ---- one object ---- */

static void swap_text(char **a, char **b)
{
	char *kept = *a;
	*a = *b;
	*b = kept;
}

static void take(struct again *a, struct store_object *o, struct store_object *f)
{
	swap_text(&o->sql, &f->sql);
	swap_text(&o->give_sql, &f->give_sql);
	swap_text(&o->note, &f->note);
	swap_text(&o->text, &f->text);
	swap_text(&o->next, &f->next);
	o->wanted = f->wanted;
	o->state = f->state;
	o->sqlstate[0] = '\0';
	a->taken[f->id] = f->wanted;
	a->changed[a->changed_count++] = o;
}

/* What is there goes to the role that it belongs to. A role that may not give it away leaves it as it was. */
static bool give(struct again *a, struct store_object *o, struct store_object *f, struct error *e)
{
	struct run *r = a->run;
	struct error why;
	const struct store_object *given = o;
	if (!pg_run(a->target, e, "BEGIN"))
		return false;
	if (!pg_run(a->target, &why, f->give_sql)) {
		pg_rollback(a->target);
		*e = why;
		return !pg_lost(a->target) && !stop_raised(r->stop);
	}
	swap_text(&o->give_sql, &f->give_sql);
	swap_text(&o->note, &f->note);
	return store_objects_chosen(a->target, r->id, &given, 1, e) && pg_run(a->target, e, "COMMIT");
}

static bool choose_one(struct again *a, struct store_object *o, struct store_object *f, struct error *e)
{
	bool same_text = o->text && f->text && strcmp(o->text, f->text) == 0;
	if (!o->wanted) {
		if (f->wanted || !same_text)
			take(a, o, f);
		return true;
	}
	if (!f->wanted)
		return true;
	if (is_grant(o) ? o->sql && f->sql && strcmp(o->sql, f->sql) != 0 : restore_is_open(o) && f->give_sql)
		take(a, o, f);
	else if (f->give_sql)
		return give(a, o, f, e);
	return true;
}

/* ---- what is made of them ---- */

/* A check or a refresh of one that can be made now. */
static bool is_of_taken(const struct again *a, const struct store_object *f)
{
	for (size_t i = 0; i < f->need_count; i++)
		if (a->taken[f->needs[i]])
			return true;
	return false;
}

static void add_missing(struct again *a)
{
	struct restore *r = &a->run->objects;
	int last = 0;
	for (size_t i = 0; i < r->count; i++)
		last = MAX(last, r->objects[i].id);
	for (size_t i = 0; i < a->fresh_count; i++) {
		struct store_object *f = &a->fresh[i];
		if (f->id <= a->last_entry || a->stored[f->id] || !f->wanted || !is_of_taken(a, f))
			continue;
		for (size_t k = 0; k < f->need_count; k++)
			f->needs[k] = a->stored[f->needs[k]]; /* 0 is none's */
		a->stored[f->id] = ++last;
		a->taken[f->id] = true;
		f->id = last;
		a->changed[a->changed_count++] = f;
	}
}

/* Those that have changed, then those that are new. */
static bool write_all(struct again *a, size_t known, struct error *e)
{
	struct run *r = a->run;
	bool ok = pg_run(a->target, e, "BEGIN") && store_objects_chosen(a->target, r->id, a->changed, known, e) &&
			  store_objects_add(a->target, r->id, a->changed + known, a->changed_count - known, e) &&
			  pg_run(a->target, e, "COMMIT");
	if (!ok)
		pg_rollback(a->target);
	return ok;
}

static bool choose_all(struct again *a, struct error *e)
{
	struct restore *r = &a->run->objects;
	bool ok = true;
	name_all(a);
	a->changed = xmalloc((r->count + a->fresh_count + 1) * sizeof(struct store_object *));
	for (size_t i = 0; ok && i < r->count; i++) {
		struct store_object *o = &r->objects[i], *f = find_fresh(a, o);
		if (!f)
			continue;
		a->stored[f->id] = o->id;
		ok = !is_kept_back(a->run, o) || choose_one(a, o, f, e);
	}
	size_t known = a->changed_count;
	if (ok)
		add_missing(a);
	ok = ok && (a->changed_count == 0 || write_all(a, known, e));
	free(a->changed);
	free(a->named);
	free(a->stored);
	free(a->taken);
	return ok;
}

/* ---- from a new dump ---- */

static struct schema_table *stored_names(const struct store_mirror *s)
{
	struct schema_table *names = xcalloc(s->table_count + 1, sizeof(*names));
	for (size_t i = 0; i < s->table_count; i++) {
		copy_text(names[i].source_schema, NAME_SIZE, s->tables[i].source_schema);
		copy_text(names[i].source_name, NAME_SIZE, s->tables[i].source_name);
	}
	return names;
}

static bool choose_from(struct again *a, struct pg *source, const struct dump *d, struct error *e)
{
	struct choose_facts facts;
	struct run *r = a->run;
	struct schema_table *names = stored_names(&r->store);
	bool ok = choose_facts_read(source, a->target, names, r->store.table_count, &facts, e);
	if (ok) {
		struct chosen *chosen = choose(d, &r->config, &facts);
		a->last_entry = (int)d->count;
		ok = objects_new(source, d, chosen, &a->fresh, &a->fresh_count, e) && choose_all(a, e);
		chosen_free(chosen, d->count);
	}
	choose_facts_free(&facts);
	store_objects_free(a->fresh, a->fresh_count);
	free(names);
	return ok;
}

/* Without a dump they stay as they are. */
bool objects_choose_again(struct run *r, struct error *e)
{
	struct again a = { .run = r };
	if (!any_kept_back(r))
		return true;
	struct pg *source = pg_connect(&r->source, r->mirror, "schema", r->stop, e);
	a.target = source ? objects_connect(r, "schema", e) : NULL;
	struct dump *d = !a.target ? NULL :
		dump_new(&r->source, r->mirror, r->config.pg_bindir, pg_version(source), NULL, r->stop, e);
	bool ok = d && choose_from(&a, source, d, e);
	dump_free(d);
	pg_free(source);
	pg_free(a.target);
	if (ok || stop_raised(r->stop) || e->class == ERROR_CONNECTION)
		return ok;
	run_say(r, EVENT_WARNING, e, "what was kept back of the schema is not chosen again");
	e->class = ERROR_NONE;
	return true;
}
