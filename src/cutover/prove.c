// SPDX-License-Identifier: PostgreSQL
/* Are both sides equal, now that nobody writes to either? */
#include "../verify/verify.h"
#include "inside.h"

static struct verification *compare(struct cutover *c, struct error *e)
{
	struct verify_settings s = {
		.config = c->set.config,
		.source = c->set.source,
		.target = c->set.target,
		.level = VERIFY_CHECKSUM,
		.model = c->set.model,
		.stop = c->stop,
	};
	return verify(&s, NULL, e);
}

/* Columns that nothing can compare are no difference, and no proof: they are named, once the rest is proven. */
static bool only_columns_are_unsure(struct cutover *c, const struct verification *v)
{
	for (size_t i = 0; i < v->table_count; i++) {
		const struct verify_table *t = &v->tables[i];
		if (t->verdict != VERIFY_UNSURE)
			continue;
		if (t->unverified.count == 0)
			return false;
		view_remains(c, "table %s: not verified: %s", t->source, t->unverified.items[0]);
	}
	for (size_t i = 0; i < v->sequence_count; i++)
		if (v->sequences[i].verdict == VERIFY_UNSURE)
			return false;
	return true;
}

static bool say_difference(const struct verification *v, struct error *e)
{
	const char *which = "";
	for (size_t i = 0; i < v->table_count && !which[0]; i++)
		if (v->tables[i].verdict == VERIFY_DIFFERS)
			which = v->tables[i].source;
	for (size_t i = 0; i < v->sequence_count && !which[0]; i++)
		if (v->sequences[i].verdict == VERIFY_DIFFERS)
			which = v->sequences[i].source;
	error_set(e, ERROR_DATA, "the target differs from the source: %s%s", which,
		v->differing > 1 ? ", and others" : "");
	return error_next(e, "the Verify tab shows the rows; copy the table anew, or repair them");
}

static bool say_unsure(const struct verification *v, struct error *e)
{
	const char *which = "", *why = "";
	for (size_t i = 0; i < v->table_count && !why[0]; i++)
		if (v->tables[i].verdict == VERIFY_UNSURE && v->tables[i].why) {
			which = v->tables[i].source;
			why = v->tables[i].why;
		}
	error_set(e, ERROR_CONFLICT, "could not verify %s: %s", which[0] ? which : "all of it", why[0] ? why : "see Verify");
	return error_next(e, "pgpier verify says more; nothing is opened that was not proven");
}

bool verify_equal(struct cutover *c, struct error *e)
{
	view_what(c, "compares all rows");
	struct verification *v = compare(c, e);
	if (!v)
		return false;
	model_verified(c->set.model, c->mirror, v);
	bool ok = v->verdict == VERIFY_EQUAL || (v->verdict == VERIFY_UNSURE && only_columns_are_unsure(c, v));
	if (ok)
		view_what(c, "%zu equal, %lld rows of both sides", v->equal, (long long)v->rows);
	else if (v->verdict == VERIFY_DIFFERS)
		say_difference(v, e);
	else
		say_unsure(v, e);
	verification_release(v);
	return ok;
}

/* At moments of now, which differ while somebody writes: only the time counts. */
bool verify_rehearse(struct cutover *c, struct error *e)
{
	struct verification *v = compare(c, e);
	if (!v)
		return false;
	view_what(c, "read %lld rows of both sides, for the time it takes", (long long)v->rows);
	verification_release(v);
	return true;
}
