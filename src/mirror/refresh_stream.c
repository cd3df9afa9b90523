// SPDX-License-Identifier: PostgreSQL
/* The stream of a mirror that nobody runs here: how far the target is by its own word, and what the slot on the
 * source keeps meanwhile. */
#include "../lsn.h"
#include "../replicate/slot.h"
#include "run.h"

#define PATIENCE_S 3

static lsn_t end_of_log(struct pg *source)
{
	lsn_t end = 0;
	struct error ignored;
	struct rows *r = PG_ROWS(source, &ignored,
		"SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END");
	bool known = r && lsn_parse(rows_text(r, 0, 0), &end);
	rows_free(r);
	return known ? end : 0;
}

/* A source that does not answer leaves its part unknown. */
static void ask_source(struct replication_view *v, const struct peer_config *peer, const char *mirror,
	const struct stop *stop)
{
	struct error ignored;
	struct slot_status slot;
	struct peer_config quick;
	peer_config_copy(&quick, peer);
	quick.connect_timeout = PATIENCE_S;
	struct pg *source = pg_connect(&quick, mirror, "status", stop, &ignored);
	if (source && slot_status(source, v->slot, &slot, &ignored)) {
		copy_text(v->wal_status, sizeof(v->wal_status), slot.exists ? slot.wal_status : "gone");
		v->confirmed = slot.confirmed;
		v->retained_bytes = slot.retained_bytes;
		v->safe_bytes = slot.safe_bytes;
		v->spill_bytes = slot.spill_bytes;
		v->written = end_of_log(source);
		v->lag_bytes = v->written > v->applied ? (int64_t)(v->written - v->applied) : 0;
	}
	pg_free(source);
	peer_config_free(&quick);
}

void refresh_stream(const struct mirror_config *config, const struct peer_config *source,
	const struct store_mirror *s, const struct stop *stop, struct replication_view *out)
{
	*out = (struct replication_view){ .lag_s = -1, .lag_bytes = -1, .retained_bytes = -1, .safe_bytes = -1,
		.spill_bytes = -1, .applied = s->replication.applied };
	copy_text(out->slot, sizeof(out->slot), s->replication.slot);
	copy_text(out->publication, sizeof(out->publication), s->replication.publication);
	ask_source(out, source, config->name, stop);
}
