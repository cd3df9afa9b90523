// SPDX-License-Identifier: PostgreSQL
/* What a mirror tells a person beyond its screen. */
#include <stdio.h>

#include "run.h"

void run_enter(const struct run *r, enum mirror_state state)
{
	if (!r->beside_stream && model_mirror_state_get(r->model, r->mirror) != state)
		model_mirror_state(r->model, r->mirror, state, NULL);
}

void run_say(const struct run *r, enum event_level level, const struct error *e, const char *fmt, ...)
{
	char object[NAME_SIZE + 16], text[512];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	snprintf(object, sizeof(object), "mirror %s", r->mirror);
	model_event(r->model, level, object, e, "%s", text);
}

bool run_read_store(struct run *r, struct pg *control, struct error *e)
{
	bool found;
	store_mirror_free(&r->store);
	if (!store_read(control, r->mirror, &r->store, &found, e))
		return false;
	return found || error_set(e, ERROR_LOST, "the target knows nothing of mirror %s any more", r->mirror);
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
