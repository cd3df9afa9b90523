// SPDX-License-Identifier: PostgreSQL
/* A cutover as it goes on, for who started it on a command line: each step as a line with the time it came at,
 * the question whether the writers are stopped, and signals: the first one undoes, the second leaves at once. */
#ifndef CUTOVER_FOLLOW_H
#define CUTOVER_FOLLOW_H

#include "progress.h"
#include "session.h"

struct cutover_follow {
	struct session *session;
	struct mirror_view mirror;
	struct cutover_view view; /* as last seen; owned */
	struct pending work;      /* the command that is followed */
	struct progress progress;
	enum step_state told[CUTOVER_STEP_COUNT];
	FILE *out;
	bool rehearsal;
	bool stopped;     /* the writers are, as was said beforehand */
	bool asked;       /* whether they are; on the terminal */
	bool interrupted; /* a signal came */
};

void follow_init(struct cutover_follow *f, struct session *s, const struct mirror_view *m);
void follow_free(struct cutover_follow *f);
/* Until the command is over; its outcome is in work.outcome, where it stands then in view. */
void follow_run(struct cutover_follow *f, struct command *take);

#endif
