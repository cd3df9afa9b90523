// SPDX-License-Identifier: PostgreSQL
#include "roles.h"

#include <stdlib.h>
#include <string.h>

#include "../../shared.h"
#include "roles_inside.h"

enum severity role_weight(const struct role *r, enum severity full)
{
	return !r || r->reach == REACH_HERE ? full : SEVERITY_NOTE;
}

bool role_applies(const struct role *r)
{
	return !r || r->left_out || r->reach == REACH_HERE ||
		   (r->reach == REACH_NOWHERE && !r->bootstrap);
}

bool role_is_compared(const struct role *want, const struct role *have)
{
	if (want->left_out || (have && have->left_out))
		return false;
	return have || !want->bootstrap || want->reach == REACH_HERE;
}

char *role_title(const struct role *r)
{
	if (!r)
		return xstrdup("ALL");
	bool mapped = strcmp(r->name, r->there) != 0;
	return mapped ? xasprintf("%s (%s on the target)", r->name, r->there) : xstrdup(r->name);
}

void role_work_add(struct role_work *w, const struct role_finding *take)
{
	struct difference *d = comparison_add(w->c, take->severity, take->kind, take->name);
	d->source = take->source;
	d->target = take->target;
	d->meaning = take->meaning;
	d->statement = take->statement;
	d->applies = take->applies;
	if (take->applies) {
		GROW(w->steps, w->step_count);
		w->steps[w->step_count++] = (struct role_step){ .kind = xstrdup(take->kind),
			.name = xstrdup(take->name),
			.sql = xstrdup(take->statement) };
	}
	free(take->name);
}

void role_work_free(struct role_work *w)
{
	for (size_t i = 0; i < w->step_count; i++) {
		free(w->steps[i].kind);
		free(w->steps[i].name);
		free(w->steps[i].sql);
		free(w->steps[i].role);
		free(w->steps[i].todo);
	}
	free(w->steps);
	role_side_free(&w->source);
	role_side_free(&w->target);
	strings_free(&w->settings_known);
	comparison_release(w->c);
}

/* Some settings are hidden from whoever may not read them all; then nothing is known. pg_settings
 * never has those two, which are set all the same. */
static bool read_known(struct pg *target, struct strings *out, struct error *e)
{
	struct rows *r = PG_ROWS(target, e,
		"select name collate \"C\" from (select name from pg_settings union all"
		" values ('role'), ('session_authorization')) s"
		" where pg_has_role('pg_read_all_settings', 'usage') order by 1");
	for (int row = 0; r && row < rows_count(r); row++)
		strings_add(out, rows_text(r, row, 0));
	rows_free(r);
	return r != NULL;
}

static bool work_read(struct role_work *w, struct pg *source, struct pg *target, struct error *e)
{
	return role_side_read(source, w->mirror, &w->source, e) &&
		   role_side_read(target, NULL, &w->target, e) && read_known(target, &w->settings_known, e);
}

bool role_work_compare(struct role_work *w, struct pg *source, struct pg *target, struct error *e)
{
	w->c = comparison_new("roles", w->mirror->source, w->mirror->target);
	if (!work_read(w, source, target, e))
		return false;
	roles_compare_roles(w); /* in this order they can be run */
	roles_compare_memberships(w);
	roles_compare_settings(w);
	roles_compare_database(w);
	comparison_sort(w->c);
	return true;
}

struct comparison *role_work_take(struct role_work *w)
{
	struct comparison *c = w->c;
	w->c = NULL;
	return c;
}

struct comparison *roles_compare(
	struct pg *source, struct pg *target, const struct mirror_config *m, struct error *e)
{
	struct role_work w = { .mirror = m };
	struct comparison *c = NULL;
	if (role_work_compare(&w, source, target, e)) {
		for (size_t i = 0; i < w.step_count; i++)
			if (w.steps[i].todo)
				comparison_note(w.c, "%s", w.steps[i].todo);
		c = role_work_take(&w);
	}
	role_work_free(&w);
	return c;
}

bool roles_missing(struct pg *source, struct pg *target, const struct mirror_config *m,
	struct strings *out, struct error *e)
{
	struct role_work w = { .mirror = m };
	*out = (struct strings){ 0 };
	bool ok = work_read(&w, source, target, e);
	for (size_t i = 0; ok && i < w.source.role_count; i++) {
		const struct role *r = w.source.by_there[i];
		if (r->direct && !r->left_out && !role_find(&w.target, r->there) &&
			(out->count == 0 || strcmp(out->items[out->count - 1], r->there) != 0))
			strings_add(out, r->there);
	}
	role_work_free(&w);
	return ok;
}
