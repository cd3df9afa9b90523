// SPDX-License-Identifier: PostgreSQL
#include "restore.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../label.h"
#include "dump/lexer.h"

#define BATCH 40
#define PG_PARTITIONED_KEYS_NOT_VALID 180000

/* ---- objects ---- */

static int compare_id(const void *a, const void *b)
{
	return *(const int *)a - ((const struct store_object *)b)->id;
}

struct store_object *restore_find(const struct restore *r, int id)
{
	return r->count ? bsearch(&id, r->objects, r->count, sizeof(*r->objects), compare_id) : NULL;
}

bool restore_is_open(const struct store_object *o)
{
	return o->wanted && (o->state == OBJECT_WAITING || o->state == OBJECT_FAILED || o->state == OBJECT_BLOCKED);
}

bool restore_is_slow(const struct store_object *o, int target_version)
{
	if (!restore_is_kind(o, "FK CONSTRAINT") || !o->sql || strstr(o->sql, "NOT VALID"))
		return false;
	char *not_valid = restore_not_valid(o->kind, o->sql, target_version);
	free(not_valid);
	return !not_valid;
}

bool restore_is_kind(const struct store_object *o, const char *kind)
{
	return strcmp(o->kind, kind) == 0;
}

static bool skip_words(const char **at, const char *end, const char *const *words)
{
	for (; *words; words++) {
		struct token t = lexer_code(at, end);
		if (!token_is(&t, *words))
			return false;
	}
	return true;
}

bool restore_constraint(const char *sql, struct restore_constraint *out)
{
	const char *at = sql, *end = sql + strlen(sql), *only;
	if (!skip_words(&at, end, (const char *const[]){ "ALTER", "TABLE", NULL }))
		return false;
	only = at;
	if (skip_words(&only, end, (const char *const[]){ "ONLY", NULL }))
		at = only;
	if (!lexer_qualified(&at, end, out->schema, out->table) ||
		!skip_words(&at, end, (const char *const[]){ "ADD", "CONSTRAINT", NULL }))
		return false;
	struct token name = lexer_code(&at, end);
	return token_name(&name, out->name);
}

static bool is_constraint(const char *kind)
{
	return strcmp(kind, "FK CONSTRAINT") == 0 || strcmp(kind, "CHECK CONSTRAINT") == 0;
}

char *restore_not_valid(const char *kind, const char *sql, int target_version)
{
	static const char words[] = "NOT VALID";
	size_t n = strlen(sql);
	struct restore_constraint names; /* that of a domain is none of ours */
	if (!is_constraint(kind) || !restore_constraint(sql, &names) ||
		(strcmp(kind, "FK CONSTRAINT") == 0 && !strstr(sql, "ALTER TABLE ONLY ") &&
			target_version < PG_PARTITIONED_KEYS_NOT_VALID))
		return NULL;
	while (n > 0 && strchr("; \n", sql[n - 1]))
		n--;
	if (n > strlen(words) && strncmp(sql + n - strlen(words), words, strlen(words)) == 0)
		return NULL;
	return xasprintf("%.*s %s", (int)n, sql, words);
}

/* ---- telling ---- */

static void tell(const struct restore *r, const size_t *indexes, size_t n)
{
	if (r->told && n > 0)
		r->told(r->arg, indexes, n);
}

/* Not the object's fault: nothing more can be done here now. */
static bool is_fatal(const struct pg *target, const struct error *e)
{
	return pg_lost(target) || e->class == ERROR_CONNECTION || stop_raised(pg_stop_borrow(target));
}

static bool write_states(const struct restore *r, struct pg *target, const size_t *list, size_t n, struct error *e)
{
	const struct store_object **o = xmalloc((n + 1) * sizeof(*o));
	for (size_t i = 0; i < n; i++)
		o[i] = &r->objects[list[i]];
	bool ok = store_objects_states(target, r->mirror, o, n, e);
	free(o);
	if (!ok)
		return false;
	tell(r, list, n);
	e->class = ERROR_NONE; /* what is wrong with an object is told by the object */
	return true;
}

bool restore_set(struct restore *r, struct pg *target, const size_t *list, size_t n, enum object_state state,
	const struct error *why, struct error *e)
{
	for (size_t i = 0; i < n; i++)
		store_object_set(&r->objects[list[i]], state, why);
	return write_states(r, target, list, n, e);
}

/* What a person could do about it. */
static const char *next_of(const struct error *why)
{
	static const struct {
		const char *sqlstate, *next;
	} known[] = {
		{ "42501", "let a role that may make it, then retry; or give the target peer's role that right" },
		{ "0A000", "the target can't have it: make what stands in for it by hand" },
		{ "58P01", "install the extension's package on the target's server, then retry" },
		{ "42704", "make what is missing on the target (pgpier roles makes roles), then retry" },
		{ "53", "give the target's server room, then retry" },
		{ "55P03", "end the session that holds it on the target, then retry" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (strncmp(why->sqlstate, known[i].sqlstate, strlen(known[i].sqlstate)) == 0)
			return known[i].next;
	return "mend the cause on the target, then retry";
}

static void set_failed(struct store_object *o, const struct error *e)
{
	struct error why = *e;
	size_t n = strcspn(e->detail, "\n");
	if (n > 0)
		error_set(&why, e->class, "%s (%.*s)", e->text, (int)n, e->detail);
	copy_text(why.sqlstate, sizeof(why.sqlstate), e->sqlstate);
	why.next[0] = '\0';
	error_next(&why, "%s", next_of(e));
	store_object_set(o, OBJECT_FAILED, &why);
}

/* ---- one object ---- */

/* Which of the relations that share one space of names it makes; NULL: another kind of object. */
static const char *relation_kinds(const struct store_object *o)
{
	static const struct {
		const char *kind, *relkinds;
	} known[] = {
		{ "TABLE", "rp" }, { "VIEW", "v" }, { "MATERIALIZED VIEW", "m" }, { "SEQUENCE", "S" }, { "FOREIGN TABLE", "f" },
		{ "INDEX", "iI" }, { "CONSTRAINT", "iI" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (restore_is_kind(o, known[i].kind))
			return known[i].relkinds;
	return NULL;
}

static bool is_relation(struct pg *target, const struct store_object *o, const char *relkinds)
{
	struct restore_constraint names;
	struct error ignored;
	bool constraint = o->sql && restore_constraint(o->sql, &names);
	struct rows *r = PG_ROWS(target, &ignored, "SELECT c.relkind FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n"
		" ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2", o->schema, constraint ? names.name : o->name);
	bool same = r && rows_count(r) == 1 && strchr(relkinds, rows_text(r, 0, 0)[0]);
	rows_free(r);
	return same;
}

bool restore_exists(struct pg *target, const struct store_object *o, const struct error *e)
{
	static const char *const duplicates[] = { "42710", "42P06", "42723", "42701" };
	const char *relkinds = relation_kinds(o);
	bool constraint = restore_is_kind(o, "CONSTRAINT");
	if (strcmp(e->sqlstate, "42P07") == 0)
		return relkinds && is_relation(target, o, relkinds);
	/* A second primary key has no error code of its own. */
	if (strcmp(e->sqlstate, "42P16") == 0)
		return constraint && o->sql && strstr(o->sql, " PRIMARY KEY ");
	for (size_t i = 0; i < ARRAY_SIZE(duplicates); i++)
		if (strcmp(e->sqlstate, duplicates[i]) == 0)
			return !relkinds || constraint; /* it is a type that has a relation's name */
	return false;
}

/* MAKING when rows are to be looked at later. */
static enum object_state add_statement(const struct restore *r, struct strbuf *sql, const struct store_object *o,
	int version)
{
	if (!o->sql)
		return OBJECT_DONE;
	char *not_valid = restore_not_valid(o->kind, o->sql, version);
	renamed_tables_around(sql, &r->renamed, not_valid ? not_valid : o->sql);
	enum object_state after = not_valid ? OBJECT_MAKING : OBJECT_DONE;
	free(not_valid);
	return after;
}

static void note(struct store_object *o, const char *text)
{
	char *both = o->note ? xasprintf("%s; %s", o->note, text) : xstrdup(text);
	free(o->note);
	o->note = both;
}

/* Inside the transaction that made it. */
static bool give(struct store_object *o, struct pg *target, struct error *e)
{
	struct error why;
	if (!o->give_sql)
		return true;
	if (!pg_run(target, e, "SAVEPOINT give"))
		return false;
	if (pg_run(target, &why, o->give_sql))
		return true;
	*e = why;
	if (is_fatal(target, &why) || !pg_run(target, e, "ROLLBACK TO give"))
		return false;
	o->kept = true; /* the grants that it takes may come later */
	return true;
}

/* When the grants are made. */
static bool give_again(struct restore *r, struct pg *target, size_t index, struct error *e)
{
	struct store_object *o = &r->objects[index];
	struct error why;
	o->kept = false;
	if (pg_run(target, &why, o->give_sql))
		return true;
	pg_rollback(target);
	*e = why;
	if (is_fatal(target, &why))
		return false;
	char *text = xasprintf("it stays with whoever made it, not with %s: %s", o->owner, why.text);
	note(o, text);
	free(text);
	return write_states(r, target, &index, 1, e);
}

static bool try_alone(struct restore *r, struct pg *target, struct store_object *o, struct error *e)
{
	struct strbuf sql = STRBUF_INIT;
	int64_t began = clock_us();
	strbuf_add(&sql, "BEGIN;");
	enum object_state after = add_statement(r, &sql, o, pg_version(target));
	bool ok = pg_run(target, e, sql.text) && give(o, target, e);
	int64_t took = clock_us() - began;
	strbuf_free(&sql);
	if (ok) {
		store_object_set(o, after, NULL);
		o->took_us = took;
		const struct store_object *made = o;
		ok = store_objects_states(target, r->mirror, &made, 1, e) && pg_run(target, e, "COMMIT");
	}
	if (!ok)
		pg_rollback(target);
	return ok;
}

bool restore_alone(struct restore *r, struct pg *target, size_t index, struct error *e)
{
	struct store_object *o = &r->objects[index];
	bool ok = try_alone(r, target, o, e);
	if (!ok && is_fatal(target, e)) {
		store_object_set(o, OBJECT_WAITING, NULL);
		return false;
	}
	if (ok) {
		tell(r, &index, 1);
		return true;
	}
	if (restore_exists(target, o, e))
		store_object_set(o, OBJECT_EXISTS, NULL);
	else
		set_failed(o, e);
	return write_states(r, target, &index, 1, e);
}

static void add_alter(struct strbuf *sql, const struct store_object *o)
{
	struct restore_constraint names;
	if (!o->sql || !restore_constraint(o->sql, &names))
		return;
	strbuf_add(sql, "ALTER TABLE ");
	quote_qualified(sql, names.schema, names.table);
	strbuf_add(sql, " VALIDATE CONSTRAINT ");
	quote_name(sql, names.name);
}

bool restore_validate(struct restore *r, struct pg *target, size_t index, struct error *e)
{
	struct store_object *o = &r->objects[index];
	struct strbuf sql = STRBUF_INIT;
	int64_t began = clock_us();
	strbuf_add(&sql, "BEGIN;");
	add_alter(&sql, o);
	strbuf_add(&sql, ";");
	store_sql_objects_state(&sql, r->mirror, 1, &o->id, OBJECT_DONE, clock_us() - began + o->took_us);
	strbuf_add(&sql, "COMMIT");
	bool ok = pg_run(target, e, sql.text);
	strbuf_free(&sql);
	if (!ok) {
		pg_rollback(target);
		if (is_fatal(target, e))
			return false;
		set_failed(o, e);
		return write_states(r, target, &index, 1, e);
	}
	store_object_set(o, OBJECT_DONE, NULL);
	o->took_us += clock_us() - began;
	tell(r, &index, 1);
	return true;
}

/* ---- many ---- */

static const struct store_object *need_in(const struct restore *r, const struct store_object *o, unsigned states)
{
	for (size_t i = 0; i < o->need_count; i++) {
		const struct store_object *need = restore_find(r, o->needs[i]);
		if (need && need != o && (states & 1u << need->state))
			return need;
	}
	return NULL;
}

/* The first of the list from *next on that nothing holds up; false at its end. */
static bool next_open(const struct restore *r, const size_t *list, size_t n, size_t *next, size_t *index)
{
	while (*next < n) {
		*index = list[(*next)++];
		const struct store_object *o = &r->objects[*index];
		if (o->state == OBJECT_WAITING && o->wanted && !need_in(r, o, 1u << OBJECT_FAILED))
			return true;
	}
	return false;
}

static bool run_batch(struct restore *r, struct pg *target, const size_t *batch, size_t n, struct error *e)
{
	struct strbuf sql = STRBUF_INIT;
	int done[BATCH], making[BATCH];
	size_t done_count = 0, making_count = 0;
	int64_t began = clock_us();
	strbuf_add(&sql, "BEGIN;");
	for (size_t i = 0; i < n; i++) {
		const struct store_object *o = &r->objects[batch[i]];
		if (add_statement(r, &sql, o, pg_version(target)) == OBJECT_DONE)
			done[done_count++] = o->id;
		else
			making[making_count++] = o->id;
		if (o->give_sql)
			strbuf_addf(&sql, "%s\n;", o->give_sql);
	}
	store_sql_objects_state(&sql, r->mirror, done_count, done, OBJECT_DONE, 0);
	store_sql_objects_state(&sql, r->mirror, making_count, making, OBJECT_MAKING, 0);
	strbuf_add(&sql, "COMMIT");
	bool ok = pg_run(target, e, sql.text);
	strbuf_free(&sql);
	if (!ok) {
		pg_rollback(target);
		return false;
	}
	for (size_t i = 0; i < done_count; i++)
		store_object_set(restore_find(r, done[i]), OBJECT_DONE, NULL);
	for (size_t i = 0; i < making_count; i++)
		store_object_set(restore_find(r, making[i]), OBJECT_MAKING, NULL);
	for (size_t i = 0; i < n; i++)
		r->objects[batch[i]].took_us = (clock_us() - began) / (int64_t)n;
	tell(r, batch, n);
	return true;
}

/* Fails only for what is nobody's fault. */
static bool make_batch(struct restore *r, struct pg *target, const size_t *batch, size_t n, struct error *e)
{
	if (n > 1 && run_batch(r, target, batch, n, e))
		return true;
	if (n > 1 && is_fatal(target, e))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!need_in(r, &r->objects[batch[i]], 1u << OBJECT_FAILED) && !restore_alone(r, target, batch[i], e))
			return false;
	return true;
}

static bool first_round(struct restore *r, struct pg *target, const size_t *list, size_t n, struct error *e)
{
	size_t batch[BATCH], count = 0, index;
	for (size_t next = 0; next_open(r, list, n, &next, &index);) {
		batch[count++] = index;
		if (count < BATCH)
			continue;
		if (!make_batch(r, target, batch, count, e))
			return false;
		count = 0;
	}
	return count == 0 || make_batch(r, target, batch, count, e);
}

/* Those that failed, and those that they held up. */
static bool next_round(struct restore *r, struct pg *target, const size_t *list, size_t n, size_t *made,
	struct error *e)
{
	*made = 0;
	for (size_t i = 0; i < n; i++) {
		struct store_object *o = &r->objects[list[i]];
		if (!o->wanted || (o->state != OBJECT_FAILED && o->state != OBJECT_WAITING) ||
			need_in(r, o, 1u << OBJECT_FAILED))
			continue;
		if (!restore_alone(r, target, list[i], e))
			return false;
		*made += o->state != OBJECT_FAILED;
	}
	return true;
}

static void set_blocked(struct store_object *o, const struct store_object *need)
{
	struct error why;
	char *what = label(need->kind, need->schema, need->name);
	error_set(&why, ERROR_CONFLICT, "needs %s, which %s", what,
		need->state == OBJECT_LEFT_OUT ? "is left out" : need->state == OBJECT_BLOCKED ? "is blocked" : "failed");
	why.sqlstate[0] = why.next[0] = '\0';
	store_object_set(o, OBJECT_BLOCKED, &why);
	free(what);
}

/* Of those that are left: who failed, and who merely waits for one that did. */
static bool settle(struct restore *r, struct pg *target, const size_t *list, size_t n, struct error *e)
{
	size_t *changed = xmalloc((n + 1) * sizeof(*changed)), count = 0;
	for (size_t i = 0; i < n; i++) {
		struct store_object *o = &r->objects[list[i]];
		if (!o->wanted || (o->state != OBJECT_FAILED && o->state != OBJECT_WAITING))
			continue;
		const struct store_object *need =
			need_in(r, o, 1u << OBJECT_FAILED | 1u << OBJECT_BLOCKED | 1u << OBJECT_LEFT_OUT);
		if (need)
			set_blocked(o, need);
		changed[count++] = list[i];
	}
	bool ok = write_states(r, target, changed, count, e);
	free(changed);
	return ok;
}

/* What an earlier attempt left. A constraint that its rows refused is there, and is to be validated. */
static void reopen(struct restore *r, int version, const size_t *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct store_object *o = &r->objects[list[i]];
		if (!restore_is_open(o) || o->state == OBJECT_WAITING)
			continue;
		bool refused = strncmp(o->sqlstate, "23", 2) == 0;
		char *not_valid = refused && o->sql ? restore_not_valid(o->kind, o->sql, version) : NULL;
		store_object_set(o, not_valid ? OBJECT_MAKING : OBJECT_WAITING, NULL);
		free(not_valid);
	}
}

bool restore_make(struct restore *r, struct pg *target, const size_t *list, size_t n, struct error *e)
{
	reopen(r, pg_version(target), list, n);
	bool ok = first_round(r, target, list, n, e);
	for (size_t made = 1; ok && made > 0;)
		ok = next_round(r, target, list, n, &made, e);
	for (size_t i = 0; ok && i < n; i++)
		if (r->objects[list[i]].kept)
			ok = give_again(r, target, list[i], e);
	ok = ok && settle(r, target, list, n, e);
	return ok;
}

/* ---- sessions ---- */

void restore_free(struct restore *r)
{
	store_objects_free(r->objects, r->count);
	free(r->settings);
	r->objects = NULL;
	r->settings = NULL;
	r->count = 0;
}

/* Lines that an older or a lesser server does not know change nothing. The encoding is ours. */
bool restore_session(const struct restore *r, struct pg *target, struct error *e)
{
	char *copy = xstrdup(r->settings ? r->settings : ""), *rest = copy, *line;
	bool ok = true;
	while (ok && (line = strsep(&rest, "\n")))
		if (line[0] && !strstr(line, "client_encoding") && !pg_run(target, e, line))
			ok = !is_fatal(target, e);
	free(copy);
	return ok && pg_run(target, e, "SET synchronous_commit = off");
}
