// SPDX-License-Identifier: PostgreSQL
/* Verification where whoever asks has stopped the source himself; and the record of all of them. */
#include <pgpier/format.h>
#include <stdio.h>
#include <string.h>

#include "../store/verifications.h"
#include "inside.h"

bool verify_record(const struct verify_settings *s, const struct verification *v, struct error *e)
{
	char label[VERIFY_LABEL_SIZE];
	verify_label(s->config->name, label);
	struct pg *target = pg_connect(s->target, label, "record", s->stop, e);
	bool ok = target && store_verification_add(target, v, s->only == NULL, e);
	pg_free(target);
	return ok;
}

/* ---- the reason, in one line ---- */

static bool tell_table(const struct verification *v, enum verify_verdict verdict, char *buf, size_t size)
{
	for (size_t i = 0; i < v->table_count; i++) {
		const struct verify_table *t = &v->tables[i];
		int64_t rows = t->changed + t->missing + t->extra;
		if (t->verdict != verdict)
			continue;
		if (t->why)
			snprintf(buf, size, "table %s: %s", t->source, t->why);
		else if (rows == 0)
			snprintf(buf, size, "table %s: %lld rows on the source, %lld on the target", t->source,
				(long long)t->source_rows, (long long)t->target_rows);
		else
			snprintf(buf, size, "table %s: %s%lld row%s", t->source, t->more ? "more than " : "", (long long)rows,
				rows == 1 ? " differs" : "s differ");
		return true;
	}
	return false;
}

static bool tell_sequence(const struct verification *v, enum verify_verdict verdict, char *buf, size_t size)
{
	for (size_t i = 0; i < v->sequence_count; i++) {
		const struct verify_sequence *s = &v->sequences[i];
		if (s->verdict == verdict)
			snprintf(buf, size, "sequence %s: %s", s->source, s->note ? s->note : "it has other values");
		if (s->verdict == verdict)
			return true;
	}
	return false;
}

static void tell_reason(const struct verification *v, char *buf, size_t size)
{
	char first[200];
	size_t others = v->verdict == VERIFY_DIFFERS ? v->differing : v->unsure;
	if (v->verdict == VERIFY_EQUAL)
		snprintf(buf, size, "equal: %zu table%s, %zu sequence%s", v->table_count, v->table_count == 1 ? "" : "s",
			v->sequence_count, v->sequence_count == 1 ? "" : "s");
	else if (!tell_table(v, v->verdict, first, sizeof(first)) && !tell_sequence(v, v->verdict, first, sizeof(first)))
		snprintf(buf, size, "%s", v->notes.count ? v->notes.items[0] : "nothing was compared");
	else if (others > 1)
		snprintf(buf, size, "%s, and %zu more", first, others - 1);
	else
		snprintf(buf, size, "%s", first);
}

/* ---- at rest ---- */

bool verify_at_rest(const struct verify_settings *s, lsn_t position, struct verify_short *out, struct error *e)
{
	struct verify_settings set = *s;
	struct verify_moments moments = { .exact = true };
	char lsn[FORMAT_SIZE];
	set.at_rest = true;
	copy_text(moments.lsn, sizeof(moments.lsn), format_lsn(position, lsn));
	*out = (struct verify_short){ .whole = verify(&set, &moments, e) };
	struct verification *v = out->whole;
	if (!v)
		return false;
	out->verdict = v->verdict;
	out->equal = v->equal;
	out->differing = v->differing;
	out->unsure = v->unsure;
	out->rows = v->rows;
	out->bytes = v->bytes;
	out->took_s = (double)(v->ended_at - v->started_at) / 1e6;
	tell_reason(v, out->reason, sizeof(out->reason));
	if (verify_record(&set, v, e))
		return true;
	verification_release(v);
	out->whole = NULL;
	return false;
}
