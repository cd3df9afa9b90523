// SPDX-License-Identifier: PostgreSQL
/* One line of text that a person edits. Moves and deletes by steps (a character with its marks). */
#ifndef PGPIER_WIDGETS_EDIT_H
#define PGPIER_WIDGETS_EDIT_H

#include "canvas.h"
#include "screen.h"

#define EDIT_MAX 65536 /* bytes; what is pasted beyond is dropped */

struct edit {
	struct strbuf text;
	size_t cursor; /* byte */
	bool secret;   /* drawn as dots and wiped when freed */
	bool revealed;
};

const char *edit_text(const struct edit *e); /* never NULL */
void edit_set(struct edit *e, const char *text);
void edit_free(struct edit *e);
/* Takes characters, pastes, and the keys that edit; false when the input is for someone else. */
bool edit_input(struct edit *e, const struct input *in);
/* Draws it scrolled so that the cursor is seen; dim `fallback` while it is empty. */
void edit_render(const struct edit *e, const struct canvas *c, int y, int x, int cells, bool focused,
	const char *fallback);

#endif
