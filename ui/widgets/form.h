// SPDX-License-Identifier: PostgreSQL
/* A page of labelled fields. Never traps a person in a wrong field: what is wrong is said under it when it
 * is left, and again when the form is accepted. Scrolls when it is taller than its window. */
#ifndef PGPIER_WIDGETS_FORM_H
#define PGPIER_WIDGETS_FORM_H

#include "widgets/edit.h"

enum field_kind {
	FIELD_TEXT,
	FIELD_SECRET,
	FIELD_NUMBER,
	FIELD_CHOICE,
	FIELD_TOGGLE,
	FIELD_FOLD,   /* a heading that opens and closes the fields after it, up to the next fold or button */
	FIELD_BUTTON, /* buttons that follow each other share a line */
};

struct field {
	enum field_kind kind;
	const char *label;
	const char *help;     /* shown while the field has the focus */
	const char *fallback; /* dim, in place of an empty value: what holds then */
	int64_t least, most;  /* of a number */
	const char *const *choices; /* borrowed */
	int choice_count;
	/* state */
	struct edit edit;
	int choice;
	bool on; /* of a toggle; of a fold: it is open */
	bool hidden;
	bool locked; /* shown, can't be changed */
	char error[200];
};

struct form {
	struct field *fields; /* owned */
	int count;
	int focus;
	int top;      /* first line that is drawn */
	int pressed;  /* a button that was pressed and not yet taken; -1 */
	bool changed; /* since it was filled */
	bool accepting; /* form_valid() asks: what is missing is wrong now, not when it is passed by */
	void *data;
	/* Called for each field that is left, and by form_valid() for all: sets field->error, may change others. */
	void (*check)(void *data, struct form *f, int field);
	struct canvas drawn;
	int lines[64]; /* line of each field in the last frame */
	int columns[64];
};

/* Copies the template of the fields; texts in them stay borrowed. */
void form_init(struct form *f, const struct field *fields, int count, void *data,
	void (*check)(void *data, struct form *f, int field));
void form_free(struct form *f);

const char *form_text(const struct form *f, int field); /* "" when empty */
int64_t form_number(const struct form *f, int field, int64_t empty);
void form_set_text(struct form *f, int field, const char *text);
void form_set_number(struct form *f, int field, int64_t n);
void form_focus(struct form *f, int field);
/* Checks every visible field; the focus goes to the first that is wrong. */
bool form_valid(struct form *f);
int form_take_pressed(struct form *f);

bool form_act(struct form *f, enum action a);
bool form_takes_text(const struct form *f);
bool form_input(struct form *f, const struct input *in); /* text and the mouse */
void form_render(struct form *f, const struct canvas *c);

#endif
