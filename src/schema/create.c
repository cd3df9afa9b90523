// SPDX-License-Identifier: PostgreSQL
/* CREATE TABLE. A partition is made as a table of its own and attached, so that its columns keep
 * their order; an inheritance child is made with INHERITS, so that inherited columns stay
 * inherited, unless that would change the order of its columns. */
#include "create.h"

#include <string.h>

#include "rename.h"
#include "sequences.h"

/* ---- trees ---- */

bool table_has_made_parent(const struct defs *d, const struct def_table *t)
{
	for (size_t i = 0; i < t->parent_count; i++)
		if (d->tables[t->parents[i]].made)
			return true;
	return false;
}

bool table_in_tree(const struct defs *d, const struct def_table *t)
{
	return t->has_children || table_has_made_parent(d, t);
}

static const struct def_column *column_named(const struct def_table *t, const char *name)
{
	for (size_t i = 0; i < t->column_count; i++)
		if (!t->columns[i].excluded && strcmp(t->columns[i].name, name) == 0)
			return &t->columns[i];
	return NULL;
}

/* The column that a child's column of this name is inherited from: the first made parent's. */
static const struct def_column *supplied(
	const struct defs *d, const struct def_table *t, const char *name, size_t parents)
{
	for (size_t i = 0; i < parents; i++) {
		const struct def_table *parent = &d->tables[t->parents[i]];
		const struct def_column *c = parent->made ? column_named(parent, name) : NULL;
		if (c)
			return c;
	}
	return NULL;
}

static bool same_default(const struct def_column *a, const struct def_column *b)
{
	if (!a->default_text || !b->default_text)
		return a->default_text == b->default_text;
	return strcmp(a->default_text, b->default_text) == 0;
}

static const struct def_column *next_column(const struct def_table *t, size_t *at)
{
	while (*at < t->column_count && t->columns[*at].excluded)
		(*at)++;
	return *at < t->column_count ? &t->columns[(*at)++] : NULL;
}

/* INHERITS puts the parents' columns first, each where its first parent has it, and refuses two
 * parents' different defaults. Would that give the columns their order? */
static bool inherits_in_order(const struct defs *d, const struct def_table *t)
{
	size_t at = 0;
	for (size_t p = 0; p < t->parent_count; p++) {
		const struct def_table *parent = &d->tables[t->parents[p]];
		for (size_t i = 0; parent->made && i < parent->column_count; i++) {
			const struct def_column *c = &parent->columns[i];
			const struct def_column *before = supplied(d, t, c->name, p);
			if (c->excluded || (before && same_default(before, c)))
				continue;
			const struct def_column *mine = before ? NULL : next_column(t, &at);
			if (!mine || strcmp(mine->name, c->name) != 0)
				return false;
		}
	}
	return true;
}

/* Columns that get other names are those of the source until the table is whole: no parent has them then. */
static bool uses_inherits(const struct defs *d, const struct def_table *t)
{
	return !t->partition && !table_is_renamed(t) && table_has_made_parent(d, t) && inherits_in_order(d, t);
}

/* Comes by INHERITS alone and is not written down. */
static bool comes_from_parent(
	const struct defs *d, const struct def_table *t, const struct def_column *c, bool inherits)
{
	return inherits && !c->local && supplied(d, t, c->name, t->parent_count);
}

/* ---- columns ---- */

static void add_identity(struct strbuf *b, const struct def_column *c)
{
	strbuf_addf(b, " GENERATED %s AS IDENTITY", c->identity == 'a' ? "ALWAYS" : "BY DEFAULT");
	if (!c->sequence)
		return;
	strbuf_add(b, " (");
	if (!c->sequence->borrowed && !c->sequence->exists) {
		strbuf_add(b, "SEQUENCE NAME ");
		def_sequence_target(b, c->sequence);
	}
	sequence_options(b, c->sequence);
	strbuf_add(b, ")");
}

static void add_not_null(struct strbuf *b, const struct defs *d, const struct def_column *c)
{
	bool named = c->not_null_name[0] != '\0' && defs_target_has(d, SINCE_NOT_NULL_NAMES);
	if (named) {
		strbuf_add(b, " CONSTRAINT ");
		quote_name(b, c->not_null_name);
	}
	strbuf_add(b, " NOT NULL");
	strbuf_add(b, named && c->not_null_local_only ? " NO INHERIT" : "");
}

static void add_column(
	struct strbuf *b, const struct defs *d, const struct def_table *t, const struct def_column *c)
{
	quote_name(b, c->name);
	strbuf_addf(b, " %s", c->type);
	if (c->compression[0] != '\0' && defs_target_has(d, SINCE_COMPRESSION))
		strbuf_addf(b, " COMPRESSION %s", c->compression);
	if (c->collation[0] != '\0')
		strbuf_addf(b, " COLLATE %s", c->collation);
	if (c->generated != '\0')
		strbuf_addf(b, " GENERATED ALWAYS AS (%s) %s", c->default_text,
			c->generated == 'v' ? "VIRTUAL" : "STORED");
	else if (c->default_text)
		strbuf_addf(b, " DEFAULT %s", c->default_text);
	/* A partition's identity is its parent's: it may not bring one, and inherits it from 17 on. */
	if (c->identity != '\0' && !(t->partition && t->parent_count > 0))
		add_identity(b, c);
	if (c->not_null)
		add_not_null(b, d, c);
}

static void add_checks(struct strbuf *b, const struct def_table *t, bool inherits, bool comma)
{
	for (size_t i = 0; i < t->check_count; i++) {
		const struct def_check *k = &t->checks[i];
		if (!k->validated || k->excluded || (inherits && !k->local))
			continue;
		strbuf_add(b, comma ? ", CONSTRAINT " : "CONSTRAINT ");
		quote_name(b, k->name);
		strbuf_addf(b, " %s", k->definition);
		comma = true;
	}
}

static void add_body(
	struct strbuf *b, const struct defs *d, const struct def_table *t, bool inherits)
{
	bool comma = false;
	strbuf_add(b, " (");
	for (size_t i = 0; i < t->column_count; i++) {
		const struct def_column *c = &t->columns[i];
		if (c->excluded || comes_from_parent(d, t, c, inherits))
			continue;
		strbuf_add(b, comma ? ", " : "");
		add_column(b, d, t, c);
		comma = true;
	}
	if (table_in_tree(d, t))
		add_checks(b, t, inherits, comma);
	strbuf_add(b, ")");
}

static void add_inherits(struct strbuf *b, const struct defs *d, const struct def_table *t)
{
	bool first = true;
	for (size_t i = 0; i < t->parent_count; i++) {
		if (!d->tables[t->parents[i]].made)
			continue;
		strbuf_add(b, first ? " INHERITS (" : ", ");
		def_target(b, &d->tables[t->parents[i]]);
		first = false;
	}
	strbuf_add(b, ")");
}

/* ---- what CREATE TABLE has no place for ---- */

/* Starts an ALTER TABLE ONLY or goes on with it. */
static void alter_column(struct strbuf *b, const struct def_table *t, const struct def_column *c)
{
	if (b->len == 0) {
		strbuf_add(b, "; ALTER TABLE ONLY ");
		def_target(b, t);
	} else {
		strbuf_add(b, ",");
	}
	strbuf_add(b, " ALTER COLUMN ");
	quote_name(b, c->name);
}

static void alter_inherited(
	struct strbuf *b, const struct defs *d, const struct def_table *t, const struct def_column *c)
{
	const struct def_column *from = supplied(d, t, c->name, t->parent_count);
	if (c->generated == '\0' && !same_default(from, c)) {
		alter_column(b, t, c);
		strbuf_addf(b, c->default_text ? " SET DEFAULT %s" : " DROP DEFAULT%s",
			c->default_text ? c->default_text : "");
	}
	if (c->not_null && !from->not_null) {
		alter_column(b, t, c);
		strbuf_add(b, " SET NOT NULL");
	}
}

static void add_alters(
	struct strbuf *out, const struct defs *d, const struct def_table *t, bool inherits)
{
	struct strbuf b = STRBUF_INIT;
	for (size_t i = 0; i < t->column_count; i++) {
		const struct def_column *c = &t->columns[i];
		if (c->excluded)
			continue;
		if (comes_from_parent(d, t, c, inherits))
			alter_inherited(&b, d, t, c);
		if (c->storage[0] != '\0') {
			alter_column(&b, t, c);
			strbuf_addf(&b, " SET STORAGE %s", c->storage);
		}
		if (c->statistics[0] != '\0') {
			alter_column(&b, t, c);
			strbuf_addf(&b, " SET STATISTICS %s", c->statistics);
		}
		if (c->options[0] != '\0') {
			alter_column(&b, t, c);
			strbuf_addf(&b, " SET (%s)", c->options);
		}
	}
	if (b.len > 0)
		strbuf_addn(out, b.text, b.len);
	strbuf_free(&b);
}

void table_attach(struct strbuf *b, const struct defs *d, const struct def_table *t, size_t parent)
{
	strbuf_add(b, "ALTER TABLE ONLY ");
	def_target(b, t->partition ? &d->tables[parent] : t);
	strbuf_add(b, t->partition ? " ATTACH PARTITION " : " INHERIT ");
	def_target(b, t->partition ? t : &d->tables[parent]);
	if (t->partition)
		strbuf_addf(b, " %s", t->bound);
}

/* It may have been made as one already, by an earlier run whose parent was not whole yet. */
void table_attach_once(struct strbuf *b, const struct defs *d, const struct def_table *t, size_t parent)
{
	struct strbuf body = STRBUF_INIT, name = STRBUF_INIT;
	def_target(&name, t);
	strbuf_add(&body, "BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_inherits WHERE inhrelid = ");
	quote_literal(&body, name.text);
	strbuf_add(&body, "::pg_catalog.regclass) THEN ");
	table_attach(&body, d, t, parent);
	strbuf_add(&body, "; END IF; END");
	strbuf_add(b, "DO ");
	quote_literal(b, body.text);
	strbuf_free(&body);
	strbuf_free(&name);
}

/* ---- the table's own sequences ---- */

bool sequence_is_needed(const struct defs *d, const struct def_sequence *s)
{
	if (s->owner == SCHEMA_NO_TABLE || s->shared)
		return true;
	const struct def_column *c = def_column(&d->tables[s->owner], s->owner_column);
	return c && !c->excluded;
}

bool sequence_comes_with_table(const struct defs *d, const struct def_sequence *s)
{
	return s->owner != SCHEMA_NO_TABLE && d->tables[s->owner].made && !s->shared && !s->exists &&
		   !s->identity && sequence_is_needed(d, s);
}

static bool owner_is_kept(const struct def_table *t, const struct def_sequence *s)
{
	const struct def_column *c = def_column(t, s->owner_column);
	return c && !c->excluded && !s->identity && !s->exists;
}

void table_create(struct strbuf *b, const struct defs *d, const struct def_table *t)
{
	bool inherits = uses_inherits(d, t);
	for (size_t i = 0; i < t->sequence_count; i++) {
		if (!sequence_comes_with_table(d, t->sequences[i]))
			continue;
		sequence_create(b, t->sequences[i], d);
		strbuf_add(b, "; ");
	}
	/* From 18 on a partitioned table can't be unlogged; before, the word meant nothing. */
	strbuf_addf(b, "CREATE %sTABLE ", t->unlogged && !t->partitioned ? "UNLOGGED " : "");
	def_target(b, t);
	add_body(b, d, t, inherits);
	if (inherits)
		add_inherits(b, d, t);
	if (t->partitioned)
		strbuf_addf(b, " PARTITION BY %s", t->partition_key);
	if (t->method[0] != '\0')
		strbuf_addf(b, " USING %s", t->method);
	if (t->options[0] != '\0')
		strbuf_addf(b, " WITH (%s)", t->options);
	add_alters(b, d, t, inherits);
	rename_after_create(b, t);
	for (size_t i = 0; !inherits && i < t->parent_count; i++) {
		if (!d->tables[t->parents[i]].made)
			continue;
		strbuf_add(b, "; ");
		table_attach(b, d, t, t->parents[i]);
	}
	if (t->replica_identity == 'f' || t->replica_identity == 'n') {
		strbuf_add(b, "; ALTER TABLE ONLY ");
		def_target(b, t);
		strbuf_addf(b, " REPLICA IDENTITY %s", t->replica_identity == 'f' ? "FULL" : "NOTHING");
	}
	for (size_t i = 0; i < t->sequence_count; i++) {
		if (!owner_is_kept(t, t->sequences[i]))
			continue;
		strbuf_add(b, "; ");
		sequence_owned(b, t->sequences[i], d);
	}
}
