// SPDX-License-Identifier: PostgreSQL
/* Text longer than its window: wrapped to the width, scrolled by the same keys as lists. */
#ifndef PGPIER_WIDGETS_TEXTVIEW_H
#define PGPIER_WIDGETS_TEXTVIEW_H

#include "canvas.h"
#include "keys.h"
#include "screen.h"

struct textview {
	char *text; /* raw; owned */
	struct strings lines;
	int wrapped_at; /* width that lines were made for */
	size_t top, page;
};

void textview_take(struct textview *v, char *text);
bool textview_act(struct textview *v, enum action a);
bool textview_mouse(struct textview *v, const struct input *in);
void textview_render(struct textview *v, const struct canvas *c);
void textview_free(struct textview *v);

#endif
