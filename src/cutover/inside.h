// SPDX-License-Identifier: PostgreSQL
/* A cutover under way, shared by the files of its steps. */
#ifndef CUTOVER_INSIDE_H
#define CUTOVER_INSIDE_H

#include <pthread.h>

#include "../mirror/survey.h"
#include "../pg/conn.h"
#include "../store/cutover.h"
#include "machine.h"
#include "way_back.h"

struct cutover {
	struct cutover_settings set;
	const char *mirror;
	struct mirror_config back; /* of the mirror that leads the other way */
	struct stop *stop;         /* of the steps at hand; an undo gets a fresh one */
	struct pg *source, *target; /* NULL: not connected now */
	struct store_mirror store;
	struct survey survey;      /* made in time, for the sequences */
	bool surveyed;
	int64_t id;                /* in the store; 0 not begun */
	bool commit_tried;         /* only the target knows how that ended */
	bool takes_over;           /* from a process that is over its limit, because somebody says so */
	int target_pid;            /* of the last session there; 0 none yet */
	enum cutover_step last;    /* that began, here or before: those behind it need no undo */
	bool ended_stream;         /* it does not run because we ended it */
	lsn_t marker;

	pthread_mutex_t lock;
	/* the following are protected by lock */
	struct cutover_view view;
	/* of clock_us(); 0 not yet */
	int64_t began_us;  /* for a person */
	int64_t timed_us;  /* the limit counts from here: not while the mirror catches up */
	int64_t closed_us; /* nobody can write since then */
	int64_t step_us;   /* when the step at hand began */
	bool go, undo;   /* what somebody said */
	bool over_limit;
};

/* ---- the steps: each may be repeated, and undone whether or not it was done ---- */

typedef bool step_function(struct cutover *c, struct error *e);
struct step {
	step_function *run;
	step_function *undo;     /* NULL: nothing to undo */
	step_function *rehearse; /* NULL: takes no time worth a forecast */
	const char *undo_text;   /* what a person reads of it */
};
extern const struct step cutover_steps[CUTOVER_STEP_COUNT]; /* steps.c */

/* freeze.c */
step_function freeze_writers, freeze_undo, freeze_rehearse, silence_prove;
/* drain.c */
step_function drain_run, drain_undo, drain_rehearse;
step_function sequences_set, sequences_rehearse;
/* prove.c */
step_function verify_equal, verify_rehearse;
/* passage.c */
step_function back_prepare, back_begin, back_undo, back_rehearse;
step_function commit_run, open_target, follow_back;

/* kept_back.c: what waits for the cutover; what of it is quick, before the application comes; the rest, and the rows */
bool kept_back_count(struct cutover *c, size_t *n, struct error *e) MUST_CHECK;
step_function kept_back_make, kept_back_finish;

/* The mirror's tables on both servers, looked at before anything stops: for the sequences. */
bool survey_once(struct cutover *c, struct error *e) MUST_CHECK;

/* gates.c: measures, tells the model; *closed: how many let nothing through, and *first is why. */
bool gates_measure(struct cutover *c, size_t *closed, struct error *first, struct error *e) MUST_CHECK;
/* The mirror runs here and is where its source is, or was a moment ago. */
bool gates_catch_up(struct cutover *c, struct error *e) MUST_CHECK;

/* ---- view.c: what a person sees of it ---- */
void view_begin(struct cutover *c, enum cutover_phase phase);
void view_phase(struct cutover *c, enum cutover_phase phase);
void view_step(struct cutover *c, enum cutover_step step, enum step_state state);
/* From now on nobody can write; and somebody can. */
void view_closed(struct cutover *c, bool closed);
void view_what(struct cutover *c, const char *fmt, ...) PG_PRINTF(2, 3); /* of the step at hand */
void view_remains(struct cutover *c, const char *fmt, ...) PG_PRINTF(2, 3);
void view_tell(struct cutover *c); /* the model hears of it, with the clocks as they are now */
void view_say(struct cutover *c, enum event_level level, const struct error *e, const char *fmt, ...)
	PG_PRINTF(4, 5);

/* ---- connections.c ---- */
/* Both are there, and the mirror's place is read; what was lost is made anew. */
bool connect_both(struct cutover *c, struct error *e) MUST_CHECK;
bool connect_source(struct cutover *c, struct error *e) MUST_CHECK;
bool connect_target(struct cutover *c, struct error *e) MUST_CHECK;
void disconnect(struct cutover *c);
/* From now on that stop counts, which was not raised. */
void connections_obey(struct cutover *c, const struct stop *stop);
struct way_back way_back_of(struct cutover *c);

#endif
