// SPDX-License-Identifier: PostgreSQL
/* The steps of a cutover, in their order. */
#include "inside.h"

const struct step cutover_steps[CUTOVER_STEP_COUNT] = {
	[CUTOVER_GATES] = { .undo_text = "" },
	[CUTOVER_PREPARE] = { back_prepare, back_undo, NULL, "what was made for the way back is dropped" },
	[CUTOVER_FREEZE] = { freeze_writers, freeze_undo, freeze_rehearse, "writers are let in again, as they were before" },
	[CUTOVER_SILENCE] = { silence_prove, NULL, NULL, "" },
	[CUTOVER_DRAIN] = { drain_run, drain_undo, drain_rehearse, "the stream goes on" },
	[CUTOVER_SEQUENCES] = { sequences_set, NULL, sequences_rehearse, "" },
	[CUTOVER_VERIFY] = { verify_equal, NULL, verify_rehearse, "" },
	[CUTOVER_WAY_BACK] = { back_begin, back_undo, back_rehearse, "slot and publication on the target are dropped" },
	[CUTOVER_COMMIT] = { .run = commit_run, .undo_text = "" },
	[CUTOVER_OPEN] = { .run = open_target, .undo_text = "none: a rollback leads back" },
	[CUTOVER_FOLLOW] = { .run = follow_back, .undo_text = "none: a rollback leads back" },
};
