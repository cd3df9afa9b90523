// SPDX-License-Identifier: PostgreSQL
/* A question before something happens, in the grades of the console: y/N (default No), the typed name,
 * one value, and a value that nobody shall see. The text names the object and what will happen to it. */
#ifndef PGPIER_WIDGETS_DIALOG_H
#define PGPIER_WIDGETS_DIALOG_H

#include "widgets/edit.h"

enum question_kind { ASK_YES_NO, ASK_NAME, ASK_VALUE, ASK_SECRET };

struct question {
	enum question_kind kind;
	enum action action;     /* what the answer is about */
	const char *title;
	const char *text;       /* may have newlines */
	const char *subject;    /* the object; what has to be typed for ASK_NAME */
	const char *value;      /* ASK_VALUE: what stands there first */
};

enum answer { ANSWER_NONE, ANSWER_NO, ANSWER_YES };

struct dialog {
	bool open;
	enum question_kind kind;
	enum action action;
	char title[128];
	char *text;
	char subject[128];
	struct edit edit;
};

void dialog_open(struct dialog *d, const struct question *q);
void dialog_close(struct dialog *d);
enum answer dialog_input(struct dialog *d, const struct input *in);
void dialog_render(const struct dialog *d, const struct canvas *screen);

#endif
