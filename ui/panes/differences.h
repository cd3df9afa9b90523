// SPDX-License-Identifier: PostgreSQL
/* The differences of two sides as a list, what was noted beside them as its last rows, and the
 * selected one in full below. A pane that shows a comparison embeds this first, and says where the
 * comparison comes from. */
#ifndef PGPIER_PANES_DIFFERENCES_H
#define PGPIER_PANES_DIFFERENCES_H

#include "panes/list.h"

struct differences {
	struct list list;
	const struct comparison *comparison; /* held; NULL: none yet */
};

/* ops as of list_init(): those that are left out are the list's. */
void differences_init(
	struct differences *s, struct ui *u, const struct pane_ops *ops, unsigned contexts);
void differences_take(struct differences *s, const struct comparison *take);
void differences_finish(struct differences *s); /* all but what list_free() does */

/* Open and copy, beside the list's own. */
bool differences_act(struct pane *p, enum action a);
/* "! 3 blockers, 5 warnings, 12 others", or that there is none, into one line. */
void differences_render_verdict(const struct differences *s, const struct canvas *c, int row);
void differences_render(struct pane *p, const struct canvas *c);

#endif
