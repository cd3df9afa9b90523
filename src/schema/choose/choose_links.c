// SPDX-License-Identifier: PostgreSQL
/* What belongs to what: a dump says only what is needed, and an index needs its table no more than a view
 * does. Kinds and tags tell the rest. */
#include <stdlib.h>

#include "choose_inside.h"

bool is_one_of(const char *text, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i], text) == 0)
			return true;
	return false;
}

bool is_relation(const struct dump_entry *e)
{
	return KIND_OF(e, "TABLE", "FOREIGN TABLE", "VIEW", "MATERIALIZED VIEW");
}

bool is_core_kind(const struct dump_entry *e)
{
	return KIND_OF(e, "DEFAULT", "CONSTRAINT", "CHECK CONSTRAINT", "INDEX", "SEQUENCE", "SEQUENCE OWNED BY",
		"TABLE ATTACH", "INDEX ATTACH");
}

size_t links_place(const struct choosing *c, int id)
{
	return id > 0 && id <= c->last_id && c->by_id[id] > 0 ? c->by_id[id] - 1 : NO_ENTRY;
}

static void number_ids(struct choosing *c)
{
	for (size_t i = 0; i < c->dump->count; i++)
		c->last_id = MAX(c->last_id, c->dump->entries[i].id);
	c->by_id = xcalloc((size_t)c->last_id + 1, sizeof(*c->by_id));
	for (size_t i = 0; i < c->dump->count; i++)
		c->by_id[c->dump->entries[i].id] = i + 1;
}

static bool tag_begins_with(const struct dump_entry *e, const char *name)
{
	size_t n = strlen(name);
	return strncmp(e->name, name, n) == 0 && (e->name[n] == ' ' || e->name[n] == '\0');
}

/* The relation among its needs: the one its tag begins with, else the first, of its own schema if there is
 * one. */
static size_t needed_relation(const struct choosing *c, const struct dump_entry *e)
{
	size_t found = NO_ENTRY;
	int best = 0;
	for (size_t i = 0; i < e->need_count; i++) {
		size_t place = links_place(c, e->needs[i]);
		const struct dump_entry *n = place == NO_ENTRY ? NULL : &c->dump->entries[place];
		if (!n || !is_relation(n))
			continue;
		bool near = strcmp(n->schema, e->schema) == 0;
		int fit = 1 + near + (near && tag_begins_with(e, n->name) ? (int)strlen(n->name) + 1 : 0);
		if (fit <= best)
			continue;
		best = fit;
		found = place;
	}
	return found;
}

static size_t first_need(const struct choosing *c, const struct dump_entry *e)
{
	for (size_t i = 0; i < e->need_count; i++) {
		size_t place = links_place(c, e->needs[i]);
		if (place != NO_ENTRY && !is_kind(&c->dump->entries[place], "ACL"))
			return place;
	}
	return NO_ENTRY;
}

static size_t host_of(const struct choosing *c, const struct dump_entry *e)
{
	if (KIND_OF(e, "COMMENT", "ACL", "SECURITY LABEL", "SEQUENCE OWNED BY"))
		return first_need(c, e);
	if (is_core_kind(e) || KIND_OF(e, "FK CONSTRAINT", "TRIGGER", "RULE", "POLICY", "ROW SECURITY", "STATISTICS",
							   "PUBLICATION TABLE"))
		return needed_relation(c, e);
	return NO_ENTRY;
}

void links_find(struct choosing *c)
{
	number_ids(c);
	for (size_t i = 0; i < c->dump->count; i++) {
		const struct dump_entry *e = &c->dump->entries[i];
		c->verdicts[i].host = host_of(c, e);
		c->verdicts[i].view = NO_ENTRY;
		c->verdicts[i].root = c->verdicts[i].via = i;
	}
	for (size_t i = 0; i < c->dump->count; i++) {
		const struct dump_entry *e = &c->dump->entries[i];
		struct verdict *v = &c->verdicts[i];
		if (v->host == NO_ENTRY)
			continue;
		const struct dump_entry *host = &c->dump->entries[v->host];
		if (is_kind(e, "SEQUENCE OWNED BY") && is_kind(host, "SEQUENCE"))
			v->host = c->verdicts[v->host].host;
		else if (is_kind(e, "TABLE ATTACH"))
			c->verdicts[v->host].attached = true;
		else if (is_kind(e, "RULE") && is_kind(host, "VIEW") && strstr(e->name, " _RETURN"))
			v->view = v->host;
	}
}

void links_free(struct choosing *c)
{
	free(c->by_id);
}

bool is_soft(const struct choosing *c, size_t e, size_t n)
{
	const struct dump_entry *a = &c->dump->entries[e], *b = &c->dump->entries[n];
	if (c->verdicts[e].attached && is_relation(b))
		return true;
	if (KIND_OF(a, "INDEX", "CONSTRAINT") && KIND_OF(b, "INDEX", "CONSTRAINT"))
		return true;
	if (is_kind(a, "SEQUENCE") && c->verdicts[e].host == n)
		return true;
	return is_kind(a, "ACL") && is_kind(b, "ACL");
}
