// SPDX-License-Identifier: PostgreSQL
/* What is known of a mirror's cutover, and the words for it. */
#include "inside.h"

#include <stdlib.h>
#include <string.h>

/* ---- words ---- */

const char *gate_state_name(enum gate_state s)
{
	static const char *const names[] = {
		[GATE_OPEN] = "ok",
		[GATE_WARNING] = "warning",
		[GATE_CLOSED] = "closed",
		[GATE_UNKNOWN] = "unknown",
	};
	return names[s];
}

const char *cutover_step_name(enum cutover_step s)
{
	static const char *const names[] = {
		[CUTOVER_GATES] = "checklist",
		[CUTOVER_PREPARE] = "prepare",
		[CUTOVER_FREEZE] = "freeze",
		[CUTOVER_SILENCE] = "silence",
		[CUTOVER_DRAIN] = "drain",
		[CUTOVER_SEQUENCES] = "sequences",
		[CUTOVER_VERIFY] = "verify",
		[CUTOVER_WAY_BACK] = "way back",
		[CUTOVER_COMMIT] = "commit",
		[CUTOVER_OPEN] = "open",
		[CUTOVER_FOLLOW] = "follow",
	};
	return names[s];
}

const char *step_state_name(enum step_state s)
{
	static const char *const names[] = {
		[STEP_WAITING] = "waiting",
		[STEP_RUNNING] = "running",
		[STEP_DONE] = "done",
		[STEP_FAILED] = "failed",
		[STEP_UNDOING] = "undoing",
		[STEP_UNDONE] = "undone",
	};
	return names[s];
}

const char *cutover_phase_name(enum cutover_phase p)
{
	static const char *const names[] = {
		[CUTOVER_NEVER] = "none",
		[CUTOVER_REHEARSING] = "rehearsing",
		[CUTOVER_REHEARSED] = "rehearsed",
		[CUTOVER_RUNNING] = "running",
		[CUTOVER_UNDOING] = "undoing",
		[CUTOVER_UNDONE] = "undone",
		[CUTOVER_COMMITTED] = "committed",
		[CUTOVER_DONE] = "done",
		[CUTOVER_STUCK] = "interrupted",
	};
	return names[p];
}

/* ---- values ---- */

void cutover_view_copy(struct cutover_view *dst, const struct cutover_view *src)
{
	*dst = *src;
	dst->remains = (struct strings){ 0 };
	strings_copy(&dst->remains, &src->remains);
}

void cutover_view_free(struct cutover_view *v)
{
	strings_free(&v->remains);
}

void cutover_clear(struct mirror_entry *r)
{
	cutover_view_free(&r->cutover);
	free(r->gates);
	r->gates = NULL;
	r->gate_count = 0;
}

/* ---- reading and writing ---- */

void model_cutover_set(struct model *m, const char *mirror, const struct cutover_view *v)
{
	model_lock(m);
	struct mirror_entry *r = mirror_find(m, mirror);
	if (r) {
		cutover_view_free(&r->cutover);
		cutover_view_copy(&r->cutover, v);
	}
	model_unlock_changed(m);
}

bool model_cutover(struct model *m, const char *mirror, struct cutover_view *out)
{
	*out = (struct cutover_view){ 0 };
	model_lock(m);
	const struct mirror_entry *r = mirror_find(m, mirror);
	if (r)
		cutover_view_copy(out, &r->cutover);
	model_unlock(m);
	return r && out->phase != CUTOVER_NEVER;
}

void model_gates_set(struct model *m, const char *mirror, const struct cutover_gate *gates, size_t n)
{
	struct cutover_gate *copy = xcalloc(n + 1, sizeof(*copy));
	if (n > 0)
		memcpy(copy, gates, n * sizeof(*copy));
	model_lock(m);
	struct mirror_entry *r = mirror_find(m, mirror);
	if (r) {
		free(r->gates);
		r->gates = copy;
		r->gate_count = n;
		r->gates_at = wall_us();
	} else {
		free(copy);
	}
	model_unlock_changed(m);
}

size_t model_gates(struct model *m, const char *mirror, struct cutover_gate **out, int64_t *at)
{
	model_lock(m);
	const struct mirror_entry *r = mirror_find(m, mirror);
	size_t n = r ? r->gate_count : 0;
	*out = xcalloc(n + 1, sizeof(**out));
	*at = r ? r->gates_at : 0;
	if (n > 0)
		memcpy(*out, r->gates, n * sizeof(**out));
	model_unlock(m);
	return n;
}
