// SPDX-License-Identifier: PostgreSQL
/* Are both sides equal, now that nobody writes to either? */
#include "../verify/verify.h"
#include "inside.h"

static struct verify_settings settings_of(const struct cutover *c)
{
	return (struct verify_settings){
		.config = c->set.config,
		.source = c->set.source,
		.target = c->set.target,
		.level = VERIFY_CHECKSUM,
		.model = c->set.model,
		.stop = c->stop,
	};
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

static bool say(enum verify_verdict verdict, const char *reason, struct error *e)
{
	if (verdict == VERIFY_DIFFERS) {
		error_set(e, ERROR_DATA, "the target differs from the source: %s", reason);
		return error_next(e, "the Verify tab shows the rows; copy the table anew, or repair them");
	}
	error_set(e, ERROR_CONFLICT, "could not verify all of it: %s", reason);
	return error_next(e, "pgpier verify says more; nothing is opened that was not proven");
}

bool verify_equal(struct cutover *c, struct error *e)
{
	struct verify_settings s = settings_of(c);
	struct verify_short found;
	view_what(c, "compares all rows");
	if (!verify_at_rest(&s, c->marker, &found, e))
		return false;
	bool ok = found.verdict == VERIFY_EQUAL ||
			  (found.verdict == VERIFY_UNSURE && only_columns_are_unsure(c, found.whole));
	if (ok)
		view_what(c, "%zu equal, %lld rows of both sides", found.equal, (long long)found.rows);
	else
		say(found.verdict, found.reason, e);
	verification_release(found.whole);
	return ok;
}

/* At moments of now, which differ while somebody writes: only the time counts. */
bool verify_rehearse(struct cutover *c, struct error *e)
{
	struct verify_settings s = settings_of(c);
	struct verification *v = verify(&s, NULL, e);
	if (!v)
		return false;
	view_what(c, "read %lld rows of both sides, for the time it takes", (long long)v->rows);
	verification_release(v);
	return true;
}
