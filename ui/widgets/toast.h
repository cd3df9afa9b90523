// SPDX-License-Identifier: PostgreSQL
/* Short messages that take the place of the hint line: 4 s, an error until a key is pressed. */
#ifndef PGPIER_WIDGETS_TOAST_H
#define PGPIER_WIDGETS_TOAST_H

#include "canvas.h"

struct toast {
	char text[512];
	bool error;
	int64_t until; /* clock_us(); 0 = none */
	int more;      /* errors that this one hides */
};

void toast_show(struct toast *t, int64_t now_us, bool error, const char *text);
bool toast_shown(const struct toast *t, int64_t now_us);
bool toast_key(struct toast *t); /* a key was pressed; true: it took an error away */
void toast_render(const struct toast *t, const struct canvas *line);

#endif
