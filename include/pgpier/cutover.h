// SPDX-License-Identifier: PostgreSQL
/* A mirror's cutover: the application leaves the source for the target, with a way back. Plain values as a screen
 * shows them. The machine behind it is src/cutover/machine.h, which has the rules. */
#ifndef PGPIER_CUTOVER_H
#define PGPIER_CUTOVER_H

#include <pgpier/base.h>
#include <pgpier/error.h>

/* ---- the checklist ---- */

enum gate_state {
	GATE_OPEN,
	GATE_WARNING, /* a person should know; it does not stop a cutover */
	GATE_CLOSED,  /* no cutover begins */
	GATE_UNKNOWN, /* could not be measured: as a closed one */
};
const char *gate_state_name(enum gate_state s); /* "ok", "warning", "closed", "unknown" */

struct cutover_gate {
	enum gate_state state;
	char name[48];   /* "initial load", "lag", "sessions on the source" */
	char value[200]; /* what was measured: "0.2 s, 14 kB, falling" */
	char next[256];  /* what to do; empty nothing */
};

/* ---- the machine ---- */

enum cutover_step {
	CUTOVER_GATES,     /* the checklist, once more */
	CUTOVER_PREPARE,   /* what the way back needs and can be made before anything stops */
	CUTOVER_FREEZE,    /* writers are kept out of the source */
	CUTOVER_SILENCE,   /* nobody writes there any more */
	CUTOVER_DRAIN,     /* everything before a marker is on the target, and the stream has ended */
	CUTOVER_SEQUENCES, /* their values are the source's */
	CUTOVER_VERIFY,    /* both sides are equal */
	CUTOVER_WAY_BACK,  /* a slot on the target, before anybody writes there */
	CUTOVER_COMMIT,    /* silence is proven once more; behind this there is no undo but the way back */
	CUTOVER_OPEN,      /* the application goes to the target */
	CUTOVER_FOLLOW,    /* the source follows the target */
	CUTOVER_STEP_COUNT,
};
const char *cutover_step_name(enum cutover_step s); /* "checklist", "freeze", ... */

enum step_state { STEP_WAITING, STEP_RUNNING, STEP_DONE, STEP_FAILED, STEP_UNDOING, STEP_UNDONE };
const char *step_state_name(enum step_state s);

struct cutover_step_view {
	enum step_state state;
	double took_s;     /* so far, or in all */
	double forecast_s; /* by the last rehearsal; negative unknown */
	char what[256];    /* "ended 12 sessions, 3 roles are kept out"; with STEP_RUNNING what it waits for */
	char undo[160];    /* what undoing it does; empty: there is nothing to undo */
};

enum cutover_phase {
	CUTOVER_NEVER,
	CUTOVER_REHEARSING,
	CUTOVER_REHEARSED, /* nothing was changed */
	CUTOVER_RUNNING,
	CUTOVER_UNDOING,
	CUTOVER_UNDONE,    /* the source is open as it was before */
	CUTOVER_COMMITTED, /* there is no undo any more; what is left to be done can be repeated */
	CUTOVER_DONE,
	CUTOVER_STUCK, /* neither done nor undone, and nobody is at it: go on, or undo */
	CUTOVER_PHASE_COUNT,
};
const char *cutover_phase_name(enum cutover_phase p);

struct cutover_view {
	enum cutover_phase phase;
	bool here;         /* in this process; else as the target tells */
	bool asks;         /* it waits for somebody's word that the writers are stopped */
	int64_t began_at;  /* wall us; 0 never */
	double elapsed_s;  /* of began_at, so far or in all */
	double limit_s;    /* then it undoes itself */
	double closed_s;   /* how long nobody could write: so far, or in all; negative: writers were not kept out */
	double forecast_s; /* how long nobody will be able to, by the last rehearsal; negative unknown */
	struct cutover_step_view steps[CUTOVER_STEP_COUNT];
	char connection[512];  /* where the application goes, without a password; empty before */
	char back[NAME_SIZE];  /* the mirror that leads back; empty: none was made */
	struct strings remains; /* what is left for a person to do or to know, a line each; owned */
	struct error error;    /* why it was undone, or is stuck */
};
void cutover_view_copy(struct cutover_view *dst, const struct cutover_view *src);
void cutover_view_free(struct cutover_view *v); /* what it owns */

#endif
