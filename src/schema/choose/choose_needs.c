// SPDX-License-Identifier: PostgreSQL
/* What follows from what is decided: the mirror's tables pull in what they can't be without, what is left out
 * takes with it what belongs to it, and blocks what needs it. */
#include <stdlib.h>

#include "choose_inside.h"

#define NOT_NEEDED "is not needed by the mirror's tables"

typedef void visit_need(struct choosing *c, size_t from, size_t need);

/* Those that its statements name. */
static void each_need(struct choosing *c, size_t i, visit_need *visit)
{
	const struct dump_entry *e = &c->dump->entries[i];
	for (size_t k = 0; k < e->need_count; k++) {
		size_t n = links_place(c, e->needs[k]);
		if (n != NO_ENTRY && n != i && !is_soft(c, i, n))
			visit(c, i, n);
	}
}

/* ---- the mirror's tables and what they can't be without ---- */

static void pull(struct choosing *c, size_t from, size_t i)
{
	struct verdict *v = &c->verdicts[i];
	const struct dump_entry *e = &c->dump->entries[i];
	bool narrow = c->mirror->schema == SCHEMA_TABLES;
	if (v->core || v->settled || (narrow && is_relation(e) && !v->mine))
		return;
	v->core = true;
	if (v->choice == CHOICE_LEFT_OUT && is_kind(e, "TABLE")) {
		v->mine = v->pulled = true;
		v->via = from;
	}
	v->choice = narrow ? CHOICE_MIRROR : CHOICE_MAKE;
	each_need(c, i, pull);
}

static bool is_hosted_core(const struct choosing *c, size_t i)
{
	const struct verdict *v = &c->verdicts[i];
	if (v->host == NO_ENTRY || !is_core_kind(&c->dump->entries[i]))
		return false;
	return c->verdicts[v->host].mine && !c->verdicts[v->host].pulled;
}

static void pull_schema(struct choosing *c, size_t from, size_t i)
{
	if (is_kind(&c->dump->entries[i], "SCHEMA"))
		pull(c, from, i);
}

/* Attaching needs both ends to be the mirror's. */
static bool has_both_ends(const struct choosing *c, const struct dump_entry *e)
{
	for (size_t k = 0; k < e->need_count; k++) {
		size_t n = links_place(c, e->needs[k]);
		if (n != NO_ENTRY && is_relation(&c->dump->entries[n]) && !c->verdicts[n].mine)
			return false;
	}
	return true;
}

void needs_pull(struct choosing *c)
{
	for (size_t i = 0; i < c->dump->count; i++)
		if (c->verdicts[i].mine && !c->verdicts[i].pulled)
			pull(c, i, i);
	for (size_t i = 0; i < c->dump->count; i++) {
		const struct dump_entry *e = &c->dump->entries[i];
		bool attach = KIND_OF(e, "TABLE ATTACH", "INDEX ATTACH");
		if (is_hosted_core(c, i) && (!attach || has_both_ends(c, e)))
			pull(c, i, i);
	}
	/* Providers like to put everybody's extensions into a schema of theirs. */
	for (size_t i = 0; c->mirror->schema == SCHEMA_DATABASE && i < c->dump->count; i++)
		if (is_kind(&c->dump->entries[i], "EXTENSION") && c->verdicts[i].choice == CHOICE_MAKE)
			each_need(c, i, pull_schema);
}

/* ---- schema = "tables" ---- */

/* Undecided ones begin as left out; this takes one back, with all it needs. */
static void take(struct choosing *c, size_t from, size_t i)
{
	(void)from;
	struct verdict *v = &c->verdicts[i];
	if (v->choice != CHOICE_LEFT_OUT || v->settled || is_kind(&c->dump->entries[i], "TABLE") ||
		profile_has_schema(c->facts->profile, c->dump->entries[i].schema))
		return;
	v->choice = CHOICE_MAKE;
	free(v->is);
	v->is = NULL;
	each_need(c, i, take);
}

enum reach { REACH_UNKNOWN, REACH_ASKED, REACH_NONE, REACH_MINE };

static bool reaches_mine(const struct choosing *c, enum reach *reach, size_t i);

static bool any_need_reaches(const struct choosing *c, enum reach *reach, size_t i)
{
	const struct dump_entry *e = &c->dump->entries[i];
	for (size_t k = 0; k < e->need_count; k++) {
		size_t n = links_place(c, e->needs[k]);
		if (n != NO_ENTRY && n != i && reaches_mine(c, reach, n))
			return true;
	}
	return false;
}

static bool reaches_mine(const struct choosing *c, enum reach *reach, size_t i)
{
	const struct dump_entry *e = &c->dump->entries[i];
	if (is_kind(e, "TABLE"))
		return c->verdicts[i].mine;
	if (reach[i] == REACH_UNKNOWN && KIND_OF(e, "VIEW", "MATERIALIZED VIEW", "RULE", "FUNCTION")) {
		reach[i] = REACH_ASKED;
		reach[i] = any_need_reaches(c, reach, i) ? REACH_MINE : REACH_NONE;
	}
	return reach[i] == REACH_MINE;
}

static void take_views(struct choosing *c)
{
	enum reach *reach = xcalloc(c->dump->count, sizeof(*reach));
	for (size_t i = 0; i < c->dump->count; i++) {
		const struct dump_entry *e = &c->dump->entries[i];
		size_t view = c->verdicts[i].view;
		if (view != NO_ENTRY && reaches_mine(c, reach, i))
			take(c, view, view);
		else if (KIND_OF(e, "VIEW", "MATERIALIZED VIEW") && reaches_mine(c, reach, i))
			take(c, i, i);
	}
	free(reach);
}

/* Publications that have one of the mirror's tables. */
static void take_publications(struct choosing *c)
{
	for (size_t i = 0; i < c->dump->count; i++) {
		const struct dump_entry *e = &c->dump->entries[i];
		size_t host = c->verdicts[i].host;
		if (is_for_all_tables(e) || (is_kind(e, "PUBLICATION TABLE") && host != NO_ENTRY && c->verdicts[host].mine))
			take(c, i, i);
	}
}

static bool take_guests(struct choosing *c)
{
	bool any = false;
	for (size_t i = 0; i < c->dump->count; i++) {
		struct verdict *v = &c->verdicts[i];
		if (v->choice != CHOICE_LEFT_OUT || v->settled || v->host == NO_ENTRY)
			continue;
		enum choice host = c->verdicts[v->host].choice;
		if (host != CHOICE_MAKE && host != CHOICE_MIRROR)
			continue;
		take(c, i, i);
		any = any || v->choice == CHOICE_MAKE;
	}
	return any;
}

void needs_narrow(struct choosing *c)
{
	for (size_t i = 0; i < c->dump->count; i++) {
		struct verdict *v = &c->verdicts[i];
		if (v->choice != CHOICE_MAKE)
			continue;
		v->choice = CHOICE_LEFT_OUT;
		v->is = xstrdup(NOT_NEEDED);
	}
	take_views(c);
	if (c->mirror->publications)
		take_publications(c);
	while (take_guests(c))
		;
}

/* ---- what is not made, and what needs that ---- */

static void follow(struct choosing *c, size_t i, size_t of, enum choice choice)
{
	struct verdict *v = &c->verdicts[i], *o = &c->verdicts[of];
	free(v->is);
	v->is = NULL;
	v->choice = choice;
	v->root = o->root;
	v->via = of;
}

static bool is_missing(const struct verdict *v)
{
	return v->choice == CHOICE_LEFT_OUT || v->choice == CHOICE_BLOCKED;
}

/* One end being left out leaves nothing to do; it is nothing that anybody misses. */
static bool only_links(const struct dump_entry *e)
{
	return KIND_OF(e, "TABLE ATTACH", "INDEX ATTACH", "PUBLICATION TABLE", "PUBLICATION TABLES IN SCHEMA");
}

static void propagate_need(struct choosing *c, size_t i, size_t n)
{
	const struct verdict *v = &c->verdicts[i], *needed = &c->verdicts[n];
	if (is_missing(v) || !is_missing(needed))
		return;
	bool leave = needed->choice == CHOICE_LEFT_OUT && (v->host == n || only_links(&c->dump->entries[i]));
	follow(c, i, n, leave ? CHOICE_LEFT_OUT : CHOICE_BLOCKED);
}

static bool propagate_one(struct choosing *c, size_t i)
{
	struct verdict *v = &c->verdicts[i];
	if (is_missing(v) || v->choice == CHOICE_MIRROR)
		return false;
	if (v->host != NO_ENTRY && !(v->core && is_kind(&c->dump->entries[i], "SEQUENCE")))
		propagate_need(c, i, v->host);
	each_need(c, i, propagate_need);
	/* A view's own rule has the query of a view that was made with an empty one to break a circle. */
	if (is_missing(v) && v->view != NO_ENTRY && !is_missing(&c->verdicts[v->view]))
		follow(c, v->view, v->via, CHOICE_BLOCKED);
	return is_missing(v);
}

/* An extension that the target lacks matters only to those who need it. */
static void forget_unneeded(struct choosing *c)
{
	bool *needed = xcalloc(c->dump->count + 1, sizeof(*needed));
	for (size_t i = 0; i < c->dump->count; i++)
		if (c->verdicts[i].choice == CHOICE_BLOCKED && c->verdicts[i].root != i)
			needed[c->verdicts[i].root] = true;
	for (size_t i = 0; i < c->dump->count; i++) {
		struct verdict *v = &c->verdicts[i];
		if (needed[i] || v->choice != CHOICE_BLOCKED || !is_kind(&c->dump->entries[i], "EXTENSION"))
			continue;
		v->choice = CHOICE_LEFT_OUT;
		free(v->says);
		v->says = xstrdup(NOT_NEEDED);
	}
	free(needed);
}

void needs_propagate(struct choosing *c)
{
	for (bool more = true; more;) {
		more = false;
		for (size_t i = 0; i < c->dump->count; i++)
			more = propagate_one(c, i) || more;
	}
	if (c->mirror->schema == SCHEMA_TABLES)
		forget_unneeded(c);
}
