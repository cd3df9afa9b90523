// SPDX-License-Identifier: PostgreSQL
/* May the finished chunks of a table be kept under a new snapshot?
 *
 * S1 is the snapshot at which chunks were copied, S2 the one of this run. Between the two, an UPDATE moves a
 * row to another ctid or another range of the key, and remaining ranges taken blindly at S2 would lose or
 * double it. The chunks are kept only when the table's content is proven the same at S1 and S2:
 *
 *  1. The table's file is the same. Else TRUNCATE, VACUUM FULL, CLUSTER or a rewrite has moved rows.
 *  2. No row version that S2 sees was made by a transaction that S1 did not see. So nothing was inserted or
 *     updated since: what S2 sees in any range is a part of what S1 saw there.
 *  3. Each finished chunk's range holds at S2 as many rows as were copied from it. A part that has the size
 *     of the whole is the whole: nothing was deleted there either.
 *
 * Rows deleted in ranges that were not copied yet are simply not there at S2: the table then is as of S2, and
 * its finished chunks are too, being equal at both.
 *
 * A mirror that replicates need not prove anything, when its table has a key: the chunks that are left are
 * copied at S2 with the row versions that S1 did not see left out. What remains is what S1 saw and nobody touched
 * since, in the very range where S1 saw it (its ctid and its key are those of that version), so no row comes
 * twice and none that was touched comes at all. Those are in the stream, which begins at S1: an INSERT after S1
 * was copied by nobody; an UPDATE finds the row where a finished chunk brought it, and else puts the new row
 * there; a DELETE removes it if it is there. Up to S2 rows may thus be there or not (writer.h, reconcile). An UPDATE
 * of a missing row that carries an unchanged TOAST value asks the source for that value by key; should it be a
 * later one already, or the row be gone or have another key, then a later change in the stream says so, which
 * comes before the place where the source's log was when it was asked: up to there rows may be there or not, too.
 * Should another row have the key by then, the value is that row's; the one that had it before leaves the key in a
 * change before that place, and if it is an UPDATE of the key, asks anew by its next one.
 * After S2 all rows that S2 saw are there: what S1 saw and nobody touched until S2 by the chunks, everything else
 * by the stream. What is on the target when the load ends is a part of what S1 saw, so unique indexes can be built
 * on it.
 * A rewritten file moves rows to other ctids: such a table is copied again, as is one without a key, each at its
 * own snapshot, whose transactions its stream leaves out.
 *
 * xmin is shown raw even when the row is frozen (since 9.4), so 2 holds for old rows as well. A 32-bit xmin
 * becomes the 64-bit one that is not in S2's future; an ancient one that happens to look new makes us copy
 * the table again, never the other way round: what S1 did not see is younger than 2^31 transactions. */
#include <stdlib.h>
#include <string.h>

#include "run.h"

/* next: the next transaction's number under the later snapshot; xmin is of one before it. */
char *resume_unseen(const char *earlier, const char *now)
{
	const char *colon = strchr(now, ':');
	unsigned long long next = colon ? strtoull(colon + 1, NULL, 10) : 0, epoch = next >> 32 << 32;
	return xasprintf("(xmin::text::int8 >= 3 AND NOT txid_visible_in_snapshot(greatest(3, CASE"
					 " WHEN xmin::text::int8 + %llu < %llu THEN xmin::text::int8 + %llu"
					 " ELSE xmin::text::int8 + %llu - 4294967296 END), '%s'))",
		epoch, next, epoch, epoch, earlier);
}

const char *resume_visible(const struct run *r, int number)
{
	for (size_t i = 0; i < r->store.snapshot_count; i++)
		if (r->store.snapshots[i].number == number)
			return r->store.snapshots[i].visible;
	return NULL;
}

static bool ask(struct pg *source, const char *sql, int64_t *count, bool *yes, struct error *e)
{
	struct rows *r = PG_ROWS(source, e, sql);
	if (!r)
		return false;
	if (count)
		*count = rows_int(r, 0, 0);
	if (yes)
		*yes = rows_bool(r, 0, 0);
	rows_free(r);
	return true;
}

static bool same_counts(struct pg *source, const struct run_table *t, const char *name, bool *same,
	struct error *e)
{
	*same = true;
	for (size_t i = 0; i < t->kept_count && *same; i++) {
		int64_t count;
		const struct store_chunk *c = &t->kept[i];
		if (!c->done)
			continue;
		char *sql = xasprintf("SELECT count(*) FROM ONLY %s%s%s", name, c->condition[0] ? " WHERE " : "",
			c->condition);
		bool ok = ask(source, sql, &count, NULL, e);
		free(sql);
		if (!ok)
			return false;
		*same = count == c->rows;
	}
	return true;
}

bool resume_is_proven(struct pg *source, const struct run *r, const struct run_table *t, bool *proven,
	struct error *e)
{
	const char *visible = resume_visible(r, t->kept_snapshot);
	bool new_rows = true, same = false;
	*proven = false;
	if (!visible || t->kept_filenode != t->info.filenode)
		return true;
	struct strbuf name = STRBUF_INIT;
	quote_qualified(&name, t->names.source_schema, t->names.source_name);
	char *unseen = resume_unseen(visible, snapshot_visible(r->snapshot));
	char *sql = xasprintf("SELECT EXISTS (SELECT 1 FROM ONLY %s WHERE %s)", name.text, unseen);
	bool ok = ask(source, sql, NULL, &new_rows, e) &&
			  (new_rows || same_counts(source, t, name.text, &same, e));
	*proven = ok && !new_rows && same;
	free(sql);
	free(unseen);
	strbuf_free(&name);
	return ok;
}

bool resume_by_stream(const struct run *r, const struct run_table *t)
{
	return r->config.continuous && t->has_key && t->kept_filenode == t->info.filenode &&
		   resume_visible(r, t->kept_snapshot);
}
