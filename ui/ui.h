// SPDX-License-Identifier: PostgreSQL
/* The console's state, and what a pane is.
 *
 * A pane shows one thing. It copies from the model what it needs in sync(), draws only that in render(), and asks
 * the engine by commands; it never waits. Three roots (peers, mirrors, events) each have a stack of panes,
 * so that jumping to another root loses nothing. All of this belongs to the UI thread. */
#ifndef PGPIER_UI_UI_H
#define PGPIER_UI_UI_H

#include <pgpier/engine.h>

#include "canvas.h"
#include "keys.h"
#include "screen.h"
#include "widgets/dialog.h"
#include "widgets/toast.h"

struct ui;
struct pane;

struct pane_ops {
	const enum action *hints; /* most useful first; ends with ACTION_NONE */
	void (*title)(const struct pane *p, char *buf, size_t size);
	void (*render)(struct pane *p, const struct canvas *c);
	void (*free)(struct pane *p);
	/* The rest may be NULL. */
	const enum action *(*hints_now)(const struct pane *p); /* in place of hints */
	void (*sync)(struct pane *p);
	bool (*act)(struct pane *p, enum action a); /* false: not for this pane */
	/* Why the action can't be done now; NULL when it can. */
	const char *(*refuse)(const struct pane *p, enum action a);
	const char *(*label)(const struct pane *p, enum action a); /* NULL: the table's */
	bool (*takes_text)(const struct pane *p); /* then characters are typed, not obeyed */
	bool (*input)(struct pane *p, const struct input *in); /* text while it takes it, and the mouse */
	/* The question that ui_ask() put was answered with yes. */
	void (*answered)(struct pane *p, enum action a, const char *subject, const char *value);
	bool (*busy)(const struct pane *p); /* something turns: draw 4 times a second */
};

struct pane {
	const struct pane_ops *ops;
	struct ui *ui;
	unsigned contexts; /* of enum context; may change with its tabs */
};

enum root { ROOT_PEERS, ROOT_MIRRORS, ROOT_EVENTS, ROOT_COUNT };
#define STACK_DEPTH 8

/* A command whose outcome nobody but the person waits for. */
struct watch {
	uint64_t ticket;
	char done[160]; /* said when it is done; may be empty */
};

struct ui {
	struct engine *engine;
	struct model *model;
	struct screen *screen; /* NULL in tests */
	const struct theme *theme;
	bool readonly, mouse, zoomed;
	bool background; /* the engine goes on without us */

	struct pane *stacks[ROOT_COUNT][STACK_DEPTH];
	int depth[ROOT_COUNT];
	enum root root;
	struct pane *overlay;            /* help or palette, over all */
	struct pane *dead[STACK_DEPTH * 2]; /* closed while one of their functions may still run */
	int dead_count;

	char chosen[ROOT_COUNT][NAME_SIZE]; /* what a list shall select as soon as it has it */
	struct strings to_ask; /* peers without a password in memory, as of the console's start */
	size_t asked;          /* of them */
	bool resume_asked;     /* whether those that ran before go on */
	struct dialog dialog;
	struct pane *asker; /* of the dialog; NULL: the console itself */
	struct toast toast;
	struct watch *watches;
	size_t watch_count;

	/* What the title line says. */
	size_t running;
	double rate;
	bool streaming; /* one of those that run is continuous */

	/* Where the hints were drawn, for the mouse. */
	struct {
		int x, cells;
		enum action action;
	} hints[16];
	int hint_count, hint_row;

	int64_t now; /* clock_us() of this frame */
	bool quit; /* leave the terminal */
	bool end;  /* and end the engine */
};

void ui_init(struct ui *u, struct engine *engine, const struct theme *theme);
void ui_finish(struct ui *u);

struct pane *ui_top(const struct ui *u); /* the pane that is seen */
void ui_push(struct ui *u, struct pane *take);
void ui_pop(struct ui *u); /* the pane that is seen closes; a root stays */
void ui_pop_to(struct ui *u, const struct pane *p); /* closes all above p */
void ui_go(struct ui *u, enum root root);
/* The root's list selects the object of that name when it next sees it: it has just been made. */
void ui_choose(struct ui *u, enum root root, const char *name);
void ui_set_overlay(struct ui *u, struct pane *take); /* NULL closes it */

/* Sends the command. With a text to say when it is done (or ""), its failure becomes a toast; with NULL the
 * caller looks after the outcome. */
uint64_t ui_submit(struct ui *u, struct command *take, const char *done);
/* What came of a ticket that the caller waits for: true once, when it is over; then *ticket is 0, and what the
 * outcome holds is the caller's to release. */
bool ui_outcome(struct ui *u, uint64_t *ticket, struct outcome *o);
void ui_cancel(struct ui *u, uint64_t *ticket); /* does nothing for 0 */
void ui_toast(struct ui *u, bool error, const char *fmt, ...) PG_PRINTF(3, 4);
void ui_toast_error(struct ui *u, const struct error *e);
/* Opens a question; the top pane's answered() gets a yes. */
void ui_ask(struct ui *u, const struct question *q);
/* The same for ACTION_SAVE: where to? Offers a new file of this moment at home, pgpier-WHAT-... */
void ui_ask_file(struct ui *u, const char *what, const char *title, const char *text);
void ui_copy(struct ui *u, const char *text);

void ui_sync(struct ui *u);
void ui_input(struct ui *u, const struct input *in);
void ui_act(struct ui *u, enum action a);
/* Why not; NULL when the action can be done now. */
const char *ui_refusal(const struct ui *u, const struct pane *p, enum action a);
/* Whether frames are needed though no key came and the model stands still. */
bool ui_busy(const struct ui *u);

/* passwords.c: those that a person has to type. */
void passwords_init(struct ui *u);
void passwords_sync(struct ui *u); /* asks for the next one */
/* Asks for the peer's, if it is asked for and not known; true when it did: what needs it has to wait. */
bool password_needed(struct ui *u, const char *peer);
void password_answered(struct ui *u, const char *peer, const char *password);

/* resume.c: what ran when the process before ended. */
void resume_sync(struct ui *u); /* asks, once */
void resume_answered(struct ui *u, bool yes);

/* frame.c: draws everything onto the screen. */
void frame_render(struct ui *u, const struct canvas *screen);
bool frame_too_small(const struct canvas *screen);

#endif
