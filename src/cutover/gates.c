// SPDX-License-Identifier: PostgreSQL
/* The checklist: what has to be so before writers are kept out, each with what was measured. A closed gate is what
 * would lose something, or could not be undone, or would only be found out while nobody can write. */
#include <pgpier/format.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../server/server.h"
#include "../store/verifications.h"
#include "fence.h"
#include "inside.h"
#include "pgbouncer.h"
#include "sessions.h"

#define LONG_TRANSACTION_S 30
#define OLD_VERIFY_S 86400
#define LOOK_EVERY_MS 50
#define OBJECTS_PATIENCE_US 15000000

struct list {
	struct cutover_gate *items;
	size_t count;
};

static struct cutover_gate *add(struct list *l, const char *name, enum gate_state state, const char *fmt, ...)
	PG_PRINTF(4, 5);
static struct cutover_gate *add(struct list *l, const char *name, enum gate_state state, const char *fmt, ...)
{
	GROW(l->items, l->count);
	struct cutover_gate *g = &l->items[l->count++];
	*g = (struct cutover_gate){ .state = state };
	copy_text(g->name, sizeof(g->name), name);
	va_list args;
	va_start(args, fmt);
	vsnprintf(g->value, sizeof(g->value), fmt, args);
	va_end(args);
	return g;
}

static void next(struct cutover_gate *g, const char *fmt, ...) PG_PRINTF(2, 3);
static void next(struct cutover_gate *g, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	if (g->state != GATE_OPEN)
		vsnprintf(g->next, sizeof(g->next), fmt, args);
	va_end(args);
}

static void unknown(struct list *l, const char *name, const struct error *e)
{
	struct cutover_gate *g = add(l, name, GATE_UNKNOWN, "%.190s", e->text);
	next(g, "%s", e->next);
}

/* ---- the mirror ---- */

/* Tables that have rows of their own. */
static size_t count_leaves(const struct cutover *c)
{
	size_t n = 0;
	for (size_t i = 0; i < c->store.table_count; i++)
		n += !c->store.tables[i].parent;
	return n;
}

static void look_at_load(struct cutover *c, struct list *l)
{
	size_t left = 0, held = 0;
	for (size_t i = 0; i < c->store.table_count; i++) {
		const struct store_table *t = &c->store.tables[i];
		left += !t->parent && !(t->loaded && t->done);
		held += t->paused || t->held_at;
	}
	bool fine = left + held == 0;
	struct cutover_gate *g = add(l, "initial load", fine ? GATE_OPEN : GATE_CLOSED,
		fine ? "%zu tables with their keys and indexes" : "of %zu tables %zu are not loaded, %zu wait behind the stream",
		c->store.table_count, left, held);
	next(g, held ? "the Replication tab says why: mend it, then retry" : "wait, or see Initial load for errors");
}

/* kept: of the open ones, those that the cutover makes. */
struct objects {
	size_t all, made, open, bad, kept;
};

static bool count_objects(struct cutover *c, struct objects *o, struct error *e)
{
	size_t counts[OBJECT_STATE_COUNT];
	*o = (struct objects){ .all = model_object_counts(c->set.model, c->mirror, counts) };
	o->made = counts[OBJECT_DONE] + counts[OBJECT_EXISTS];
	o->open = counts[OBJECT_WAITING] + counts[OBJECT_MAKING];
	o->bad = counts[OBJECT_FAILED] + counts[OBJECT_BLOCKED];
	return o->open == 0 || kept_back_count(c, &o->kept, e);
}

static void look_at_objects(struct cutover *c, struct list *l)
{
	static const char name[] = "constraints and other objects";
	struct objects o;
	struct error e;
	if (!count_objects(c, &o, &e)) {
		unknown(l, name, &e);
		return;
	}
	if (o.all == 0) /* they are not pgpier's */
		return;
	bool waits = o.open > o.kept;
	struct cutover_gate *g = add(l, name, waits ? GATE_CLOSED : o.bad ? GATE_WARNING : GATE_OPEN,
		"%zu made, %zu to be made, %zu by the cutover, %zu failed or blocked", o.made, o.open - MIN(o.open, o.kept), o.kept,
		o.bad);
	next(g, waits ? "wait until they are made" : "the Schema tab says why; the application may need them");
}

static void look_at_lag(struct cutover *c, struct list *l)
{
	struct replication_view v;
	char lag[FORMAT_SIZE], bytes[FORMAT_SIZE];
	if (!model_replication(c->set.model, c->mirror, &v) || !v.running || v.lag_s < 0) {
		next(add(l, "lag", GATE_UNKNOWN, "the stream is not open"), "run the mirror, and wait until it has caught up");
		return;
	}
	bool fine = v.lag_s <= c->set.config->caught_up_s;
	struct cutover_gate *g = add(l, "lag", fine ? GATE_OPEN : GATE_CLOSED, "%s, %s, %s", format_lag(v.lag_s, lag),
		v.lag_bytes < 0 ? "?" : format_bytes(v.lag_bytes, bytes), v.lag_slope > 0 && !fine ? "rising" : "not rising");
	next(g, "wait until it is below %s (caught_up_s)", format_duration(c->set.config->caught_up_s, lag));
}

/* The last verification, whoever did it: what it found, how well it looked, and what has come since. */
struct last_verify {
	enum verify_verdict verdict;
	char what[160]; /* "equal by checksum" */
	double age_s;
	size_t changed; /* tables since then; SIZE_MAX unknown */
	bool shallow;   /* the final verify has to look at more than it did */
};

static bool is_deep(enum verify_level level)
{
	return level == VERIFY_CHECKSUM || level == VERIFY_FULL;
}

/* One that looked less closely counts when it found something: it is not the earlier one. */
static bool read_stored(struct cutover *c, struct store_verification *v, bool *found, struct error *e)
{
	struct store_verification any;
	bool any_found;
	if (!store_verification_last(c->target, c->store.id, VERIFY_CHECKSUM, v, found, e) ||
		!store_verification_last(c->target, c->store.id, VERIFY_COUNTS, &any, &any_found, e))
		return false;
	if (any_found && (!*found || any.verdict != VERIFY_EQUAL))
		*v = any;
	*found = any_found;
	return true;
}

static bool look_in_store(struct cutover *c, struct last_verify *out, bool *found, struct error *e)
{
	struct store_verification v;
	if (!read_stored(c, &v, found, e) || !*found)
		return !*found && e->class == ERROR_NONE;
	*out = (struct last_verify){ .verdict = v.verdict, .age_s = (double)v.age_s, .shallow = !is_deep(v.level) };
	snprintf(out->what, sizeof(out->what), "%s by %s", verify_verdict_name(v.verdict), verify_level_names[v.level]);
	return store_changed_since(c->target, c->store.id, v.lsn, &out->changed, e);
}

/* This process knows more than the store: what was not exact, and what was of one table. */
static void look_here(struct cutover *c, struct last_verify *out, bool *found)
{
	const struct verification *v = model_verification(c->set.model, c->mirror);
	double age_s = v ? (double)(wall_us() - v->ended_at) / 1e6 : 0;
	if (v && (!*found || age_s + 1 < out->age_s)) {
		*out = (struct last_verify){ .verdict = v->verdict, .age_s = age_s, .changed = SIZE_MAX,
			.shallow = !is_deep(v->level) || !v->exact || v->only };
		snprintf(out->what, sizeof(out->what), "%s by %s%s%s", verify_verdict_name(v->verdict),
			verify_level_names[v->level], v->only ? ", of table " : "", v->only ? v->only : "");
		*found = true;
	}
	verification_release(v);
}

static void look_at_verify(struct cutover *c, struct list *l)
{
	struct last_verify v = { .changed = SIZE_MAX };
	struct error e = { 0 };
	bool found = false;
	char age[FORMAT_SIZE], changed[64] = "";
	if (!look_in_store(c, &v, &found, &e)) {
		unknown(l, "last verify", &e);
		return;
	}
	look_here(c, &v, &found);
	if (!found) {
		next(add(l, "last verify", GATE_WARNING, "none"),
			"verify now: a difference that is found in the freeze costs an undo");
		return;
	}
	if (v.changed != SIZE_MAX)
		snprintf(changed, sizeof(changed), ", %zu of %zu tables changed since", v.changed, count_leaves(c));
	bool fine = v.verdict == VERIFY_EQUAL && v.age_s <= OLD_VERIFY_S && !v.shallow;
	enum gate_state state = v.verdict == VERIFY_DIFFERS ? GATE_CLOSED : fine ? GATE_OPEN : GATE_WARNING;
	struct cutover_gate *g = add(l, "last verify", state, "%s, %s ago%s", v.what, format_duration(v.age_s, age), changed);
	if (state == GATE_CLOSED)
		next(g, "mend what differs, then verify again");
	else
		next(g, v.shallow ? "verify by checksum beside replication: the freeze has less to compare then" : "verify again");
}

/* ---- the source ---- */

static void look_at_transactions(struct list *l, const struct session *s, size_t n)
{
	size_t prepared = 0, old = 0;
	char who[512] = "none";
	for (size_t i = n; i-- > 0;) {
		bool is_prepared = s[i].pid == 0;
		prepared += is_prepared;
		old += !is_prepared && s[i].age_s > LONG_TRANSACTION_S;
		if (is_prepared || s[i].age_s > LONG_TRANSACTION_S)
			session_text(&s[i], who, sizeof(who));
	}
	struct cutover_gate *g = add(l, "long and prepared transactions",
		prepared ? GATE_CLOSED : old ? GATE_WARNING : GATE_OPEN, "%.190s", who);
	next(g, prepared ? "COMMIT PREPARED or ROLLBACK PREPARED it: no session holds it, so none can be ended"
					 : "its work is lost when the fence ends it: let it end first");
}

static void look_at_sessions(struct list *l, const struct session *s, size_t n)
{
	char text[200] = "none";
	size_t used = 0, same;
	for (size_t i = 0; i < n; i++) { /* by user, application and address, the first few of them */
		bool told = false;
		same = 0;
		for (size_t k = 0; k < n; k++)
			if (strcmp(s[k].user, s[i].user) == 0 && strcmp(s[k].application, s[i].application) == 0 &&
				strcmp(s[k].address, s[i].address) == 0) {
				told = told || k < i;
				same++;
			}
		if (told || s[i].pid == 0 || used + 40 > sizeof(text))
			continue;
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%zu of %.40s@%.30s %.40s", used ? ", " : "", same,
			s[i].user, s[i].address[0] ? s[i].address : "local", s[i].application);
		used = MIN(used, sizeof(text) - 1);
	}
	add(l, "sessions on the source", GATE_OPEN, "%s", text);
}

static void look_at_source(struct cutover *c, struct list *l)
{
	struct session *s;
	size_t n;
	struct error e;
	if (!sessions_read(c->source, &c->set.config->allow, &s, &n, &e)) {
		unknown(l, "sessions on the source", &e);
		return;
	}
	look_at_transactions(l, s, n);
	look_at_sessions(l, s, n);
	free(s);
}

static void look_at_sequences(struct cutover *c, struct list *l)
{
	struct schema_steps values = { 0 };
	struct error e;
	struct schema_table *names = NULL;
	bool ok = survey_once(c, &e);
	if (ok) {
		names = survey_names(&c->survey);
		ok = schema_values(c->source, c->target, c->set.config, names, c->survey.table_count, &values, &e);
	}
	if (!ok) {
		unknown(l, "sequences", &e);
	} else if (values.unread.count == 0) {
		add(l, "sequences", GATE_OPEN, "%zu value%s can be set", values.count, values.count == 1 ? "" : "s");
	} else {
		next(add(l, "sequences", GATE_CLOSED, "%.150s can't be read", values.unread.items[0]),
			"grant SELECT on it to the source peer's role");
	}
	schema_steps_free(&values);
	free(names);
}

/* ---- how writers are kept out, and let in ---- */

static void look_at_fence(struct cutover *c, struct list *l)
{
	struct fence_settings s = { .mirror = c->mirror, .allow = &c->set.config->allow };
	struct fence_plan plan;
	struct error e;
	if (c->set.config->freeze == FREEZE_WAIT) {
		next(add(l, "freeze", GATE_WARNING, "a person stops the writers and says so"),
			"whoever writes on is found out, and the cutover undone");
		return;
	}
	if (!fence_plan(c->source, &s, &plan, &e)) {
		unknown(l, "freeze", &e);
		return;
	}
	bool fine = plan.notes.count == 0;
	struct cutover_gate *g = add(l, "freeze", fine ? GATE_OPEN : GATE_WARNING, "%.190s",
		fine ? "a fence keeps everybody but us out" : plan.notes.items[0]);
	next(g, "whoever writes all the same is found out, and the cutover undone");
	fence_plan_free(&plan);
}

static void look_at_application(struct cutover *c, struct list *l)
{
	struct error e;
	bool bouncer = c->set.source->pgbouncer != NULL;
	if (bouncer) {
		if (pgbouncer_check(c->set.source, c->stop, &e))
			add(l, "PgBouncer", GATE_OPEN, "answers, and can be paused");
		else
			next(add(l, "PgBouncer", GATE_CLOSED, "%.190s", e.text), "%s", e.next);
	}
	bool moved = c->set.config->open_command != NULL;
	next(add(l, "application", moved ? GATE_OPEN : GATE_WARNING, moved ? "open_command moves it" : "nothing moves it"),
		bouncer ? "set open_command: PgBouncer has to be told the new address before it goes on"
				: "set open_command, or tell it the new address when the target is open");
}

/* ---- the target ---- */

static void look_at_analyze(struct cutover *c, struct list *l)
{
	struct error e;
	/* reltuples is -1 before the first ANALYZE (14 and later; 0 before) */
	struct rows *r = PG_ROWS(c->target, &e,
		"SELECT count(*), min(n.nspname || '.' || c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
		" JOIN pgpier.tables t ON t.target_schema = n.nspname AND t.target_name = c.relname AND NOT t.parent"
		" JOIN pgpier.mirrors m USING (mirror_id) WHERE m.name = $1 AND c.reltuples <= 0 AND c.relpages > 0"
		" AND t.rows > 0", c->mirror);
	if (!r) {
		unknown(l, "statistics", &e);
		return;
	}
	int64_t n = rows_int(r, 0, 0);
	if (n == 0)
		add(l, "statistics", GATE_OPEN, "all tables are analyzed");
	else
		next(add(l, "statistics", GATE_WARNING, "%lld tables have none: %.120s ...", (long long)n, rows_text(r, 0, 1)),
			"ANALYZE on the target, or its first plans will be bad");
	rows_free(r);
}

static void look_at_room(struct cutover *c, struct list *l)
{
	struct error e;
	char source[FORMAT_SIZE], target[FORMAT_SIZE];
	struct rows *s = PG_ROWS(c->source, &e, "SELECT pg_database_size(current_database())");
	struct rows *t = s ? PG_ROWS(c->target, &e, "SELECT pg_database_size(current_database())") : NULL;
	if (t)
		add(l, "room", GATE_OPEN, "source %s, target %s; SQL can't tell what its disk has left",
			format_bytes(rows_int(s, 0, 0), source), format_bytes(rows_int(t, 0, 0), target));
	else
		unknown(l, "room", &e);
	rows_free(s);
	rows_free(t);
}

static void look_at_way_back(struct cutover *c, struct list *l)
{
	struct way_back w = way_back_of(c);
	struct strings blocking = { 0 }, notes = { 0 };
	struct error e;
	if (!way_back_check(&w, &blocking, &notes, &e)) {
		unknown(l, "way back", &e);
		return;
	}
	const struct strings *told = blocking.count ? &blocking : &notes;
	struct cutover_gate *g = add(l, "way back", blocking.count ? GATE_CLOSED : notes.count ? GATE_WARNING : GATE_OPEN,
		"%.190s", told->count ? told->items[0] : "mirror can be made");
	if (told->count > 1)
		next(g, "and %zu more of the kind", told->count - 1);
	strings_free(&blocking);
	strings_free(&notes);
}

/* ---- all of them ---- */

bool gates_measure(struct cutover *c, size_t *closed, struct error *first, struct error *e)
{
	struct list l = { 0 };
	if (!connect_both(c, e))
		return false;
	look_at_load(c, &l);
	look_at_objects(c, &l);
	look_at_lag(c, &l);
	look_at_verify(c, &l);
	look_at_sequences(c, &l);
	look_at_source(c, &l);
	look_at_fence(c, &l);
	look_at_application(c, &l);
	look_at_analyze(c, &l);
	look_at_room(c, &l);
	look_at_way_back(c, &l);
	model_gates_set(c->set.model, c->mirror, l.items, l.count);
	*closed = 0;
	size_t warnings = 0;
	for (size_t i = 0; i < l.count; i++) {
		warnings += l.items[i].state == GATE_WARNING;
		if ((l.items[i].state == GATE_CLOSED || l.items[i].state == GATE_UNKNOWN) && (*closed)++ == 0) {
			error_set(first, ERROR_CONFLICT, "%s: %s", l.items[i].name, l.items[i].value);
			if (l.items[i].next[0])
				error_next(first, "%s", l.items[i].next);
		}
	}
	view_what(c, "%zu gates: %zu closed, %zu warning%s", l.count, *closed, warnings, warnings == 1 ? "" : "s");
	free(l.items);
	return true;
}

static bool is_low(struct cutover *c)
{
	struct replication_view v;
	enum mirror_state state = model_mirror_state_get(c->set.model, c->mirror);
	return state == MIRROR_REPLICATING && model_replication(c->set.model, c->mirror, &v) && v.lag_s >= 0 &&
		   v.lag_s <= c->set.config->caught_up_s;
}

/* What waits for the stream is made as soon as it has caught up, which is now: that is no reason to refuse. What
 * takes long is: the checklist says so then. */
static bool makes_objects(struct cutover *c, int64_t *until)
{
	struct objects o;
	struct error ignored;
	if (*until == 0)
		*until = clock_us() + OBJECTS_PATIENCE_US;
	return (!connect_both(c, &ignored) || !count_objects(c, &o, &ignored) || o.open > o.kept) && clock_us() < *until;
}

bool gates_catch_up(struct cutover *c, struct error *e)
{
	const struct cutover_services *s = c->set.services;
	struct mirror_view m;
	int64_t until = 0;
	if (!s->run(s->arg, c->mirror, e))
		return false;
	view_what(c, "the mirror catches up");
	while (!is_low(c) || makes_objects(c, &until)) {
		if (model_mirror(c->set.model, c->mirror, &m) && m.state == MIRROR_FAILED) {
			*e = m.error;
			return false;
		}
		if (!stop_sleep(c->stop, LOOK_EVERY_MS))
			return error_set(e, ERROR_CANCELLED, "stopped");
	}
	/* what it has become meanwhile is what counts */
	disconnect(c);
	return true;
}
