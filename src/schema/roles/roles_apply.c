// SPDX-License-Identifier: PostgreSQL
/* Making what the target lacks. A verifier goes from server to server as a parameter: the statement
 * that is sent has no word of it, so neither have the target's pg_stat_activity, our events, nor an
 * error's statement. */
#include <stdlib.h>
#include <string.h>

#include "../../pg/password.h"
#include "../../shared.h"
#include "roles_inside.h"

struct run {
	struct pg *source, *target;
	roles_told *told;
	void *context;
	size_t applied;
	const struct role_step **failed;
	struct strings why; /* beside failed */
	size_t failed_count;
	struct strings notes;
};

static char *read_verifier(struct pg *source, int64_t oid, struct error *e)
{
	char number[24];
	snprintf(number, sizeof(number), "%lld", (long long)oid);
	struct rows *r =
		PG_ROWS(source, e, "select rolpassword from pg_authid where oid = $1::oid", number);
	if (!r)
		return NULL;
	char *verifier = rows_count(r) == 1 && !rows_null(r, 0, 0) ? xstrdup(rows_text(r, 0, 0)) : NULL;
	rows_free(r);
	if (!verifier)
		error_set(e, ERROR_CONFLICT, "it has no password on the source any more");
	return verifier;
}

/* DO 'BEGIN EXECUTE ''CREATE ROLE ... PASSWORD '' || quote_literal(...); END' */
static char *with_verifier(const char *sql)
{
	struct strbuf body = STRBUF_INIT, out = STRBUF_INIT;
	char *start = xasprintf("%s PASSWORD ", sql);
	strbuf_add(&body, "BEGIN EXECUTE ");
	quote_literal(&body, start);
	strbuf_add(&body, " || quote_literal(current_setting('pgpier.verifier')); END");
	strbuf_add(&out, "DO ");
	quote_literal(&out, body.text);
	strbuf_free(&body);
	free(start);
	return strbuf_take(&out);
}

static bool set_verifier(struct pg *target, const char *verifier, struct error *e)
{
	struct rows *r =
		PG_ROWS(target, e, "select set_config('pgpier.verifier', $1, false) is null", verifier);
	rows_free(r);
	return r != NULL;
}

static bool run_secret(struct run *u, const struct role_step *step, struct error *e)
{
	struct error ignored;
	char *verifier = read_verifier(u->source, step->verifier_of, e);
	if (!verifier)
		return false;
	char *sql = with_verifier(step->sql);
	bool ok = set_verifier(u->target, verifier, e) && pg_run(u->target, e, sql);
	if (!ok) {
		e->detail[0] = '\0'; /* its context quotes what was executed */
		copy_text(e->statement, sizeof(e->statement), step->sql);
		if (strstr(e->text, verifier)) /* a hook of the server's may say anything */
			error_set(e, ERROR_DATA, "the server refuses it");
	}
	if (!pg_lost(u->target) && !set_verifier(u->target, "", &ignored) && ok)
		ok = error_set(e, ignored.class, "%s", ignored.text);
	free(sql);
	password_wipe(verifier);
	return ok;
}

static bool is_over(const struct run *u, const struct error *e)
{
	return e->class == ERROR_CANCELLED || pg_lost(u->target) || pg_lost(u->source);
}

static void add_note(struct run *u, const char *fmt, ...) PG_PRINTF(2, 3);
static void add_note(struct run *u, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	char *text = xvasprintf(fmt, args);
	va_end(args);
	strings_add(&u->notes, text);
	free(text);
}

/* secret: with the password that goes with it. */
static bool run_one(struct run *u, const struct role_step *step, bool secret, struct error *e)
{
	char *shown = xasprintf("%s%s", step->sql, secret ? VERIFIER_SHOWN : "");
	bool ok = secret ? run_secret(u, step, e) : pg_run(u->target, e, step->sql);
	u->told(u->context, shown, ok ? NULL : e);
	free(shown);
	return ok;
}

/* A role without its password is better than none: some providers take no verifiers. */
static bool run_step(struct run *u, const struct role_step *step, struct error *e)
{
	char line[1100];
	if (step->verifier_of == 0)
		return run_one(u, step, false, e);
	if (run_one(u, step, true, e))
		return true;
	struct error first = *e;
	if (is_over(u, e) || !run_one(u, step, false, e))
		return false;
	add_note(u, "the password of %s could not be carried over (%s): set it: \\password %s",
		step->role, error_line(&first, line, sizeof(line)), step->role);
	return true;
}

static bool take_step(struct run *u, const struct role_step *step, struct error *e)
{
	char line[1100];
	if (run_step(u, step, e)) {
		u->applied++;
		if (step->todo)
			add_note(u, "%s", step->todo);
		return true;
	}
	if (is_over(u, e))
		return false;
	u->failed[u->failed_count++] = step;
	strings_add(&u->why, error_line(e, line, sizeof(line)));
	return true;
}

static bool take_steps(struct run *u, const struct role_work *w, struct error *e)
{
	u->failed = xcalloc(w->step_count + 1, sizeof(*u->failed));
	for (size_t i = 0; i < w->step_count; i++)
		if (!take_step(u, &w->steps[i], e))
			return error_prefix(e, "%s %s", w->steps[i].kind, w->steps[i].name);
	return true;
}

static struct difference *find_difference(struct comparison *c, const struct role_step *step)
{
	for (size_t i = 0; i < c->count; i++)
		if (strcmp(c->items[i].kind, step->kind) == 0 && strcmp(c->items[i].name, step->name) == 0)
			return &c->items[i];
	return NULL;
}

static void tell_failures(const struct run *u, struct comparison *c)
{
	for (size_t i = 0; i < u->failed_count; i++) {
		struct difference *d = find_difference(c, u->failed[i]);
		comparison_note(
			c, "could not make %s %s: %s", u->failed[i]->kind, u->failed[i]->name, u->why.items[i]);
		if (!d)
			continue;
		char *meaning = xasprintf("could not be made: %s%s%s", u->why.items[i],
			d->meaning ? "; " : "", d->meaning ? d->meaning : "");
		free(d->meaning);
		d->meaning = meaning;
	}
}

static void run_free(struct run *u)
{
	free(u->failed);
	strings_free(&u->why);
	strings_free(&u->notes);
}

struct comparison *roles_apply(struct pg *source, struct pg *target, const struct mirror_config *m,
	roles_told *told, void *context, struct error *e)
{
	struct role_work before = { .mirror = m }, after = { .mirror = m };
	struct run u = { .source = source, .target = target, .told = told, .context = context };
	struct comparison *c = NULL;
	if (role_work_compare(&before, source, target, e) && take_steps(&u, &before, e)) {
		*e = (struct error){ 0 }; /* of steps that failed: told */
		if (role_work_compare(&after, source, target, e)) {
			c = role_work_take(&after);
			c->applied = u.applied;
			for (size_t i = 0; i < u.notes.count; i++)
				comparison_note(c, "%s", u.notes.items[i]);
			tell_failures(&u, c);
		}
	}
	run_free(&u);
	role_work_free(&before);
	role_work_free(&after);
	return c;
}
