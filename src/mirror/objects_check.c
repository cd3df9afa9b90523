// SPDX-License-Identifier: PostgreSQL
/* What a dump of the source comes to on the target, before anything is made: one finding for each cause, however
 * many objects it is about. */
#include "objects_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../label.h"
#include "../schema/choose/choose.h"
#include "../schema/choose/facts.h"

#define NAMED 4        /* objects of a cause that are named */
#define MOST_CAUSES 60 /* findings that somebody would read */

struct cause {
	const char *text; /* borrowed from the choice */
	enum severity severity;
	size_t count;
	struct strbuf names;
};

struct causes {
	struct cause *items;
	size_t count;
};

/* ---- gathering ---- */

/* "needs function f, which is blocked": what matters is the end of it. */
static const char *root_of(const char *why)
{
	static const char which[] = ", which ";
	const char *root = why;
	for (const char *p = strstr(why, which); p; p = strstr(p + 1, which))
		root = p + strlen(which);
	return root;
}

static void add_name(struct cause *c, const struct dump_entry *e)
{
	if (++c->count > NAMED)
		return;
	if (c->count > 1)
		strbuf_add(&c->names, ", ");
	char *what = label(e->kind, e->schema, e->name);
	strbuf_add(&c->names, what);
	free(what);
}

static void add_cause(struct causes *l, enum severity severity, const char *text, const struct dump_entry *e)
{
	for (size_t i = 0; i < l->count; i++)
		if (l->items[i].severity == severity && strcmp(l->items[i].text, text) == 0) {
			add_name(&l->items[i], e);
			return;
		}
	GROW(l->items, l->count);
	struct cause *c = &l->items[l->count++];
	*c = (struct cause){ .text = text, .severity = severity };
	add_name(c, e);
}

static void gather(struct causes *l, const struct dump *d, const struct chosen *chosen)
{
	for (size_t i = 0; i < d->count; i++) {
		const struct chosen *c = &chosen[i];
		if (c->choice == CHOICE_LEFT_OUT && c->why)
			add_cause(l, SEVERITY_NOTE, root_of(c->why), &d->entries[i]);
		else if (c->choice == CHOICE_BLOCKED && c->why)
			add_cause(l, SEVERITY_WARNING, root_of(c->why), &d->entries[i]);
		else if (c->dropped)
			add_cause(l, SEVERITY_WARNING, c->dropped, &d->entries[i]);
	}
}

/* ---- telling ---- */

static void find(struct objects_findings *f, enum severity severity, char *take_text, const char *next)
{
	GROW(f->items, f->count);
	f->items[f->count++] = (struct finding){ severity, xstrdup("schema"), take_text, xstrdup(next) };
}

static void tell_cause(struct objects_findings *f, const struct cause *c)
{
	bool kept = c->severity == SEVERITY_WARNING;
	char more[40] = "";
	if (c->count > NAMED)
		snprintf(more, sizeof(more), " and %zu more", c->count - NAMED);
	find(f, c->severity, xasprintf("%s: %s%s", c->text, c->names.text, more),
		kept ? "make on the target what they need, or map it (roles_map); what can be made is made all the same" : NULL);
}

static void tell_causes(struct objects_findings *f, const struct causes *l)
{
	for (int severity = SEVERITY_WARNING; severity >= SEVERITY_NOTE; severity--)
		for (size_t i = 0; i < l->count && f->count < MOST_CAUSES; i++)
			if (l->items[i].severity == (enum severity)severity)
				tell_cause(f, &l->items[i]);
	if (l->count > MOST_CAUSES)
		find(f, SEVERITY_NOTE, xasprintf("and %zu causes more: the mirror's Schema tab has all objects", l->count - MOST_CAUSES),
			NULL);
}

static void count_made(struct objects_findings *f, const struct dump *d, const struct chosen *chosen)
{
	for (size_t i = 0; i < d->count; i++) {
		f->before += chosen[i].choice == CHOICE_MAKE && !d->entries[i].post;
		f->after += chosen[i].choice == CHOICE_MAKE && d->entries[i].post;
	}
}

static void look_into(struct objects_findings *f, const struct dump *d, const struct mirror_config *m,
	const struct choose_facts *facts)
{
	struct causes causes = { 0 };
	struct chosen *chosen = choose(d, m, facts);
	gather(&causes, d, chosen);
	tell_causes(f, &causes);
	count_made(f, d, chosen);
	for (size_t i = 0; i < causes.count; i++)
		strbuf_free(&causes.items[i].names);
	free(causes.items);
	chosen_free(chosen, d->count);
}

/* An extension's own tables come with it; the rows that a person put there do not (pg_dump takes them in a dump with
 * data only). */
static bool find_kept_rows(struct objects_findings *f, struct pg *source, struct error *e)
{
	struct rows *r = PG_ROWS(source, e, "SELECT x.extname, n.nspname || '.' || c.relname FROM pg_catalog.pg_extension x"
		" CROSS JOIN LATERAL unnest(x.extconfig) WITH ORDINALITY k (oid, no) JOIN pg_catalog.pg_class c ON c.oid = k.oid"
		" JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r' AND c.relpages > 0 ORDER BY 1, 2");
	for (int i = 0; r && i < rows_count(r); i++)
		find(f, SEVERITY_WARNING, xasprintf("extension %s keeps rows of its users in %s, which are not copied",
			rows_text(r, i, 0), rows_text(r, i, 1)), "copy the rows that are yours by hand, when the extension is there");
	rows_free(r);
	return r != NULL;
}

/* A mirror of chosen tables can do without a dump; that of a database can't. */
static bool no_dump(struct objects_findings *f, const struct mirror_config *m, const struct error *e)
{
	if (e->class == ERROR_CANCELLED || e->class == ERROR_CONNECTION)
		return false;
	bool needed = m->schema == SCHEMA_DATABASE;
	find(f, needed ? SEVERITY_BLOCKER : SEVERITY_WARNING,
		xasprintf("%s%s", e->text, needed ? "" : ": foreign keys, triggers, comments, grants and owners will not be made"),
		e->next[0] ? e->next : NULL);
	return true;
}

bool objects_check(struct pg *source, struct pg *target, const struct peer_config *peer, const struct mirror_config *m,
	const struct schema_table *tables, size_t n, const struct stop *stop, struct objects_findings *out, struct error *e)
{
	struct error why;
	struct choose_facts facts;
	*out = (struct objects_findings){ 0 };
	if (m->schema == SCHEMA_NONE)
		return true;
	struct dump *d = dump_new(peer, m->name, m->pg_bindir, pg_version(source), NULL, stop, &why);
	if (!d && no_dump(out, m, &why))
		return true;
	if (!d) {
		*e = why;
		return false;
	}
	bool ok = choose_facts_read(source, target, tables, n, &facts, e);
	if (ok) {
		look_into(out, d, m, &facts);
		choose_facts_free(&facts);
	}
	ok = ok && (m->schema != SCHEMA_DATABASE || find_kept_rows(out, source, e));
	dump_free(d);
	return ok;
}

void objects_findings_free(struct objects_findings *f)
{
	for (size_t i = 0; i < f->count; i++) {
		free(f->items[i].subject);
		free(f->items[i].text);
		free(f->items[i].next);
	}
	free(f->items);
	*f = (struct objects_findings){ 0 };
}
