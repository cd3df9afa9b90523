// SPDX-License-Identifier: PostgreSQL
/* Between the files of the Cutover tab: what it knows, and what it shows of that. */
#ifndef PGPIER_PANES_CUTOVER_H
#define PGPIER_PANES_CUTOVER_H

#include "panes/panes.h"

struct cutover_pane {
	struct pane pane; /* first */
	char mirror[NAME_SIZE];
	struct mirror_view view;
	struct mirror_config config;
	struct cutover_view now;    /* owned */
	struct cutover_gate *gates; /* owned */
	size_t gate_count;
	int64_t measured_at; /* wall us; 0 never */
	uint64_t measuring;  /* ticket */
	int64_t news;        /* that was measured for, which nobody has to ask for: wall us of a verification */
	struct table gate_table, step_table;
	bool on_steps;           /* they have the keys, and the screen where it is too small for both */
	enum cutover_phase seen; /* a new one brings its list in front */
	enum cutover_step at;    /* a new one is selected */
	bool both;               /* the last frame had room for both */
};

/* cutover_lists.c */
void cutover_lists_init(struct cutover_pane *s);
const struct cutover_gate *cutover_gate_selected(const struct cutover_pane *s);
enum cutover_step cutover_step_selected(const struct cutover_pane *s); /* CUTOVER_STEP_COUNT: none */
void cutover_select_trouble(struct cutover_pane *s); /* the first gate that is not open */

/* cutover_draw.c */
void cutover_render(struct pane *p, const struct canvas *c);
bool cutover_at_rest(const struct cutover_pane *s); /* nobody is at it, and it can begin */

/* cutover_ask.c */
void cutover_ask(struct pane *p, enum action a);
void cutover_answered(struct pane *p, enum action a);
void cutover_send(struct cutover_pane *s, enum command_kind kind, const char *name, bool dry_run, const char *done);

#endif
