// SPDX-License-Identifier: PostgreSQL
/* How replication reads on a screen: lag, slope and forecast in words, what its slot keeps. */
#include "panes/panes.h"

#include <pgpier/format.h>

#include <stdio.h>
#include <string.h>

#define NOTEWORTHY_SLOPE 1000.0 /* bytes a second; less is noise */
#define SAY_CLOCK_UNTIL (12 * 3600.0)

/* "at 14:05", or, when the day would be in doubt, "in 3d 04h". */
static void when_text(double seconds, int64_t now, char *buf, size_t size)
{
	char text[FORMAT_SIZE];
	if (seconds < SAY_CLOCK_UNTIL)
		snprintf(buf, size, "at %s", format_clock(now + (int64_t)(seconds * 1e6), text));
	else
		snprintf(buf, size, "in %s", format_duration(seconds, text));
}

enum role forecast_text(const struct replication_view *r, enum mirror_state state, int64_t now, char *buf,
	size_t size)
{
	char when[48], rate[FORMAT_SIZE];
	buf[0] = '\0';
	if (!r->running || r->lag_s < 0)
		return ROLE_DIM;
	if (r->caught_up_in_s >= 0) {
		when_text(r->caught_up_in_s, now, when, sizeof(when));
		snprintf(buf, size, "reaches 0 %s", when);
		return ROLE_TEXT;
	}
	if (state == MIRROR_REPLICATING) {
		copy_text(buf, size, "caught up");
		return ROLE_OK;
	}
	if (r->lag_slope < NOTEWORTHY_SLOPE)
		return ROLE_DIM;
	snprintf(buf, size, "falling behind %s", format_rate(r->lag_slope, rate));
	return ROLE_WARN;
}

/* Of pg_replication_slots: reserved is as it should be. */
enum role wal_status_role(const char *status)
{
	if (strcmp(status, "lost") == 0 || strcmp(status, "unreserved") == 0)
		return ROLE_ERROR;
	return strcmp(status, "extended") == 0 ? ROLE_WARN : ROLE_TEXT;
}

enum role slot_text(const struct replication_view *r, int64_t now, char *buf, size_t size)
{
	char bytes[FORMAT_SIZE], rate[FORMAT_SIZE], when[48];
	struct strbuf b = STRBUF_INIT;
	bool lost = strcmp(r->wal_status, "lost") == 0;
	bool ends = !lost && r->safe_bytes >= 0;
	bool grows = r->retained_slope >= NOTEWORTHY_SLOPE;
	if (r->wal_status[0] != '\0')
		strbuf_addf(&b, "%s  ", r->wal_status);
	strbuf_addf(&b, "keeps %s", r->retained_bytes < 0 ? "?" : format_bytes(r->retained_bytes, bytes));
	if (grows)
		strbuf_addf(&b, ", +%s", format_rate(r->retained_slope, rate));
	if (ends && grows) {
		when_text((double)r->safe_bytes / r->retained_slope, now, when, sizeof(when));
		strbuf_addf(&b, ", lost %s", when);
	} else if (ends) {
		strbuf_addf(&b, ", lost after %s more", format_bytes(r->safe_bytes, bytes));
	}
	copy_text(buf, size, b.text);
	strbuf_free(&b);
	enum role role = wal_status_role(r->wal_status);
	bool soon = ends && grows && (double)r->safe_bytes / r->retained_slope < SAY_CLOCK_UNTIL;
	return role == ROLE_TEXT && soon ? ROLE_WARN : role;
}

const char *position_text(lsn_t at, char buf[FORMAT_SIZE])
{
	format_lsn(at, buf);
	if (at == 0)
		copy_text(buf, FORMAT_SIZE, "-");
	return buf;
}

void stream_text(const struct mirror_view *v, char *buf, size_t size)
{
	char rate[FORMAT_SIZE];
	snprintf(buf, size, "%s ch/s", format_per_second(v->changes_per_s, rate));
}

static void rates_fact(struct facts *f, const struct replication_view *r)
{
	char a[FORMAT_SIZE], b[FORMAT_SIZE];
	facts_add(f, "changes", ROLE_TEXT, "%s/s in %s transactions/s", format_per_second(r->changes_per_s, a),
		format_per_second(r->transactions_per_s, b));
	facts_add(f, "", ROLE_TEXT, "%s in %s transactions", format_count(r->changes, a),
		format_count(r->transactions, b));
}

static void trouble_facts(struct facts *f, const struct replication_view *r)
{
	if (r->missing > 0)
		facts_add(f, "missing rows", ROLE_WARN, "%lld, last: %s", (long long)r->missing, r->missing_last);
	if (r->slow_batches > 0)
		facts_add(f, "slow batches", ROLE_TEXT, "%lld, last: %s", (long long)r->slow_batches, r->slow_why);
	if (r->stall[0] != '\0')
		facts_add(f, "waits", ROLE_WARN, "%s", r->stall);
}

void stream_facts(struct facts *f, const struct replication_view *r, enum mirror_state state)
{
	char text[256], bytes[FORMAT_SIZE], lag[FORMAT_SIZE];
	if (r->running && r->lag_s >= 0) {
		enum role role = forecast_text(r, state, wall_us(), text, sizeof(text));
		facts_add(f, "lag", role == ROLE_DIM ? ROLE_TEXT : role, "%s, %s%s%s", format_lag(r->lag_s, lag),
			format_bytes(MAX(r->lag_bytes, 0), bytes), text[0] != '\0' ? ": " : "", text);
	}
	rates_fact(f, r);
	if (r->slot[0] != '\0') {
		enum role role = slot_text(r, wall_us(), text, sizeof(text));
		facts_add(f, "slot", role, "%s  %s", r->slot, text);
	}
	trouble_facts(f, r);
}
