// SPDX-License-Identifier: PostgreSQL
/* Are both sides equal, now that nobody writes to either?
 *
 * A large database can't be read again while everybody waits. When all of it was proven equal at a position not long
 * ago, beside replication, then what was not changed behind that position needs no proof of its values: its rows are
 * counted. The stream has told of every change since, and the apply side has marked the tables
 * (store_table.changed_at); what it does not tell of, a table that was rewritten or made anew, is known by its files
 * (verify_table.files).
 *
 * The mirror that leads back begins with what this has proven, yet does not build on it: nobody kept writers from
 * its source, this one's target, in the moment between. It has to be verified itself, or all of it is read. */
#include <pgpier/format.h>
#include <stdio.h>

#include "../store/verifications.h"
#include "../verify/verify.h"
#include "inside.h"

static bool read_base(struct cutover *c, struct store_base *base, struct error *e)
{
	*base = (struct store_base){ .lsn = 0 };
	return c->set.config->cutover_verify == FINAL_VERIFY_ALL || store_base_read(c->target, c->store.id, base, e);
}

static struct verify_settings settings_of(const struct cutover *c, const struct store_base *base)
{
	return (struct verify_settings){
		.config = c->set.config,
		.source = c->set.source,
		.target = c->set.target,
		.level = VERIFY_CHECKSUM,
		.base = base,
		.model = c->set.model,
		.stop = c->stop,
	};
}

/* ---- in words ---- */

#define WORDS_SIZE 160

/* "since 0/1A2B3C (12 min ago)" */
static const char *since_text(const struct store_base *base, char buf[WORDS_SIZE])
{
	char lsn[FORMAT_SIZE], age[FORMAT_SIZE];
	snprintf(buf, WORDS_SIZE, "since %s (%s ago)", format_lsn(base->lsn, lsn), format_duration((double)base->age_s, age));
	return buf;
}

static void say_begun(struct cutover *c, const struct store_base *base)
{
	char since[WORDS_SIZE];
	if (base->lsn)
		view_what(c, "compares what changed %s by checksum, and counts the rest", since_text(base, since));
	else
		view_what(c, "compares all rows");
}

/* "checksum of 3 changed tables, counts of 47 since 0/1A2B3C (12 min ago)" */
static const char *how_text(const struct verification *v, const struct store_base *base, char buf[2 * WORDS_SIZE])
{
	char since[WORDS_SIZE];
	size_t summed = v->table_count - v->counted;
	if (v->counted == 0)
		snprintf(buf, 2 * WORDS_SIZE, "checksum of all %zu table%s", summed, summed == 1 ? "" : "s");
	else
		snprintf(buf, 2 * WORDS_SIZE, "checksum of %zu changed table%s, counts of %zu %s", summed, summed == 1 ? "" : "s",
			v->counted, since_text(base, since));
	return buf;
}

/* What was not looked at stays to be known: somebody may have written to the target past the mirror. */
static void say_counted(struct cutover *c, const struct verification *v, const struct store_base *base)
{
	char since[WORDS_SIZE];
	if (v->counted > 0)
		view_remains(c, "%zu table%s only counted: proven equal before, and no change came for %s %s", v->counted,
			v->counted == 1 ? " was" : "s were", v->counted == 1 ? "it" : "them", since_text(base, since));
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
		return error_next(e, "verify shows the rows; copy the table anew, or mend them, and verify again");
	}
	error_set(e, ERROR_CONFLICT, "could not verify all of it: %s", reason);
	return error_next(e, "pgpier verify says more; nothing is opened that was not proven");
}

static bool compare(struct cutover *c, const struct store_base *base, struct error *e)
{
	struct verify_settings s = settings_of(c, base);
	struct verify_short found;
	char how[2 * WORDS_SIZE];
	say_begun(c, base);
	if (!verify_at_rest(&s, c->marker, &found, e))
		return false;
	bool ok = found.verdict == VERIFY_EQUAL ||
			  (found.verdict == VERIFY_UNSURE && only_columns_are_unsure(c, found.whole));
	if (ok) {
		view_what(c, "%zu equal: %s", found.equal, how_text(found.whole, base, how));
		say_counted(c, found.whole, base);
	} else {
		say(found.verdict, found.reason, e);
	}
	verification_release(found.whole);
	return ok;
}

bool verify_equal(struct cutover *c, struct error *e)
{
	struct store_base base;
	bool ok = read_base(c, &base, e) && compare(c, &base, e);
	store_base_free(&base);
	return ok;
}

/* At moments of now, which differ while somebody writes: only the time counts. */
bool verify_rehearse(struct cutover *c, struct error *e)
{
	struct store_base base;
	char how[2 * WORDS_SIZE];
	bool ok = read_base(c, &base, e);
	struct verify_settings s = settings_of(c, &base);
	struct verification *v = ok ? verify(&s, NULL, e) : NULL;
	if (v)
		view_what(c, "%s, for the time it takes", how_text(v, &base, how));
	verification_release(v);
	store_base_free(&base);
	return v != NULL;
}
