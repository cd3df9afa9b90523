// SPDX-License-Identifier: PostgreSQL
/* What a mirror tells a person beyond its screen. */
#include "run.h"

void run_enter(const struct run *r, enum mirror_state state)
{
	if (!r->beside_stream && model_mirror_state_get(r->model, r->mirror) != state)
		model_mirror_state(r->model, r->mirror, state, NULL);
}

void run_alert(struct run *r, const struct error *why)
{
	struct replication_view v = { .lag_s = -1, .lag_bytes = -1, .retained_bytes = -1 };
	if (!r->config.alert_command)
		return;
	if (!r->alerts)
		r->alerts = alerts_new(r->model, &r->config, r->loaded_before);
	if (r->config.continuous)
		model_replication(r->model, r->mirror, &v);
	const struct alert_facts facts = {
		.state = model_mirror_state_get(r->model, r->mirror),
		.error = why,
		.lag_s = v.lag_s,
		.lag_bytes = v.lag_bytes,
		.retained_bytes = v.retained_bytes,
		.slot_lost = r->slot_lost,
		.load_done = r->load_done,
		.caught_up = model_mirror_state_get(r->model, r->mirror) == MIRROR_REPLICATING,
	};
	alerts_look(r->alerts, &facts);
}
