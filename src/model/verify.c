// SPDX-License-Identifier: PostgreSQL
/* What is known of a mirror's verification: how far the one is that is under way, and what the last ones found. */
#include <stdlib.h>
#include <string.h>

#include "inside.h"

/* ---- the one under way ---- */

void model_verify_begin(struct model *m, const char *mirror, const struct verify_view *v)
{
	model_lock(m);
	struct mirror_entry *r = mirror_find(m, mirror);
	if (r) {
		uint64_t run = r->verify.run;
		r->verify = *v;
		r->verify.run = run;
		r->verify.running = true;
		r->verify.started_at = wall_us();
	}
	model_unlock_changed(m);
}

void model_verify_end(struct model *m, const char *mirror, const struct error *e)
{
	model_lock(m);
	struct mirror_entry *r = mirror_find(m, mirror);
	if (r) {
		r->verify.running = false;
		r->verify.error = *e;
	}
	model_unlock_changed(m);
}

void model_verify_set(struct model *m, const char *mirror, const struct verify_view *v)
{
	model_lock(m);
	struct mirror_entry *r = mirror_find(m, mirror);
	if (r) {
		struct verify_view begun = r->verify;
		r->verify = *v;
		r->verify.running = begun.running;
		r->verify.ticket = begun.ticket;
		copy_text(r->verify.table, sizeof(r->verify.table), begun.table);
		r->verify.repair = begun.repair;
		r->verify.error = begun.error;
		r->verify.run = begun.run;
		r->verify.started_at = begun.started_at;
	}
	model_unlock_changed(m);
}

bool model_verify(struct model *m, const char *mirror, struct verify_view *out)
{
	model_lock(m);
	const struct mirror_entry *r = mirror_find(m, mirror);
	*out = r ? r->verify : (struct verify_view){ 0 };
	model_unlock(m);
	return r && out->started_at != 0;
}

/* ---- its tables ---- */

static void progress_clear(struct mirror_entry *r)
{
	strings_free(&r->verify_names);
	r->verify_names = (struct strings){ 0 };
	free(r->verify_progress);
	r->verify_progress = NULL;
}

void model_verify_tables(struct model *m, const char *mirror, const char *const *names, size_t n)
{
	model_lock(m);
	struct mirror_entry *r = mirror_find(m, mirror);
	if (r) {
		progress_clear(r);
		for (size_t i = 0; i < n; i++)
			strings_add(&r->verify_names, names[i]);
		r->verify_progress = xcalloc(n, sizeof(*r->verify_progress));
		for (size_t i = 0; i < n; i++)
			r->verify_progress[i].source_rows = r->verify_progress[i].target_rows = -1;
		r->verify.run++;
	}
	model_unlock_changed(m);
}

void model_verify_progress_set(struct model *m, const char *mirror, const struct verify_progress *p, size_t n)
{
	model_lock(m);
	struct mirror_entry *r = mirror_find(m, mirror);
	if (r && n == r->verify_names.count && n > 0)
		memcpy(r->verify_progress, p, n * sizeof(*p));
	model_unlock_changed(m);
}

size_t model_verify_progress(struct model *m, const char *mirror, struct verify_progress **out)
{
	*out = NULL;
	model_lock(m);
	const struct mirror_entry *r = mirror_find(m, mirror);
	size_t n = r ? r->verify_names.count : 0;
	if (n > 0) {
		*out = xmalloc(n * sizeof(**out));
		memcpy(*out, r->verify_progress, n * sizeof(**out));
	}
	model_unlock(m);
	return n;
}

void model_verify_names(struct model *m, const char *mirror, struct strings *out)
{
	*out = (struct strings){ 0 };
	model_lock(m);
	const struct mirror_entry *r = mirror_find(m, mirror);
	if (r)
		strings_copy(out, &r->verify_names);
	model_unlock(m);
}

/* ---- results ---- */

static void later_clear(struct mirror_entry *r)
{
	for (size_t i = 0; i < r->later_count; i++)
		verification_release(r->later[i]);
	free(r->later);
	r->later = NULL;
	r->later_count = 0;
}

void verify_clear(struct mirror_entry *r)
{
	progress_clear(r);
	later_clear(r);
	verification_release(r->verification);
	r->verification = NULL;
}

/* Where the one of a single table goes: in place of that table's last one, else behind the others. */
static size_t later_place(struct mirror_entry *r, const char *table)
{
	for (size_t i = 0; i < r->later_count; i++) {
		if (strcmp(r->later[i]->only, table) == 0) {
			verification_release(r->later[i]);
			return i;
		}
	}
	GROW(r->later, r->later_count);
	return r->later_count++;
}

void model_verified(struct model *m, const char *mirror, const struct verification *v)
{
	model_lock(m);
	struct mirror_entry *r = mirror_find(m, mirror);
	if (r && v->only) {
		r->later[later_place(r, v->only)] = verification_hold(v);
	} else if (r) {
		later_clear(r);
		verification_release(r->verification);
		r->verification = verification_hold(v);
	}
	model_unlock_changed(m);
}

const struct verification *model_verification(struct model *m, const char *mirror)
{
	model_lock(m);
	const struct mirror_entry *r = mirror_find(m, mirror);
	const struct verification *v = r && r->verification ? verification_hold(r->verification) : NULL;
	model_unlock(m);
	return v;
}

size_t model_verifications_later(struct model *m, const char *mirror, const struct verification ***out)
{
	*out = NULL;
	model_lock(m);
	const struct mirror_entry *r = mirror_find(m, mirror);
	size_t n = r ? r->later_count : 0;
	if (n > 0)
		*out = xmalloc(n * sizeof(**out));
	for (size_t i = 0; i < n; i++)
		(*out)[i] = verification_hold(r->later[i]);
	model_unlock(m);
	return n;
}
