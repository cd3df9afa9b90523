// SPDX-License-Identifier: PostgreSQL
/* A row of tabs, one of them in front. */
#ifndef PGPIER_WIDGETS_TABS_H
#define PGPIER_WIDGETS_TABS_H

#include "canvas.h"
#include "keys.h"
#include "screen.h"

struct tabs {
	const char *const *names;
	int count;
	int shown;
	struct canvas drawn; /* where it was drawn last, for the mouse */
};

bool tabs_act(struct tabs *t, enum action a); /* true when the action moved to another tab */
bool tabs_mouse(struct tabs *t, const struct input *in);
void tabs_render(struct tabs *t, const struct canvas *c); /* on its first row */

#endif
