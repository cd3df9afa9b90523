// SPDX-License-Identifier: PostgreSQL
/* The loop: waits for the terminal, a signal or the model, and draws when there is something new. Keys are
 * answered at once; a model that moves a thousand times a second is drawn 4 times a second. */
#include "console.h"

#include "ui.h"

#include <poll.h>
#include <stdio.h>

#define FRAME_US 10000   /* between frames that keys cause */
#define TICK_US 250000   /* between frames that the model causes */
#define IDLE_US 15000000 /* the clock in the title */

#define EXIT_LEFT 0
#define EXIT_NO_TERMINAL 2
#define EXIT_INTERRUPTED 130

struct loop {
	struct ui ui;
	struct screen *screen;
	uint64_t version;   /* of the model that was drawn */
	int64_t drawn_at;   /* last frame */
	bool dirty;         /* a key or a signal came since */
	bool model_moved;
	bool gone;          /* the terminal, or we are told to end */
};

static void draw(struct loop *l)
{
	struct canvas all = { .theme = l->ui.theme };
	l->ui.now = clock_us();
	l->version = model_version(l->ui.model);
	ui_sync(&l->ui);
	screen_size(l->screen, &all.rows, &all.cols);
	screen_begin(l->screen);
	frame_render(&l->ui, &all);
	screen_end(l->screen);
	l->drawn_at = clock_us();
	l->dirty = l->model_moved = false;
}

/* Below the least size nothing can be seen, so nothing but leaving may act. */
static void take_input(struct loop *l, const struct input *in)
{
	struct canvas all = { .theme = l->ui.theme };
	screen_size(l->screen, &all.rows, &all.cols);
	if (!frame_too_small(&all))
		ui_input(&l->ui, in);
	else if (in->kind == INPUT_KEY && (in->key == 'q' || in->key == KEY_CTRL('c')))
		l->ui.quit = true;
}

static void read_keys(struct loop *l)
{
	for (;;) {
		struct input in = screen_read(l->screen);
		if (in.kind == INPUT_NONE || l->ui.quit)
			return;
		if (in.kind == INPUT_HANGUP) {
			l->gone = true;
			return;
		}
		l->ui.now = clock_us();
		take_input(l, &in);
		l->dirty = true;
	}
}

/* When the next frame is due, in microseconds from now. */
static int64_t next_frame(const struct loop *l)
{
	int64_t wait = IDLE_US;
	if (l->model_moved || ui_busy(&l->ui))
		wait = TICK_US;
	if (l->dirty)
		wait = FRAME_US;
	return MAX(l->drawn_at + wait - clock_us(), 0);
}

static void wait_and_read(struct loop *l)
{
	/* A model that is known to have moved isn't asked again before it is drawn: it would wake us for
	 * each of its changes. */
	int model = l->model_moved ? -1 : model_eventfd_borrow(l->ui.model);
	struct pollfd fds[] = {
		{ .fd = screen_fd(l->screen), .events = POLLIN },
		{ .fd = screen_signal_fd(l->screen), .events = POLLIN },
		{ .fd = model, .events = POLLIN },
	};
	int timeout = (int)((next_frame(l) + 999) / 1000);
	if (poll(fds, ARRAY_SIZE(fds), timeout) <= 0)
		return;
	if (fds[1].revents) {
		l->gone = screen_signals(l->screen) || l->gone;
		l->dirty = true;
	}
	if (fds[2].revents) {
		model_eventfd_drain(l->ui.model);
		l->model_moved = model_version(l->ui.model) != l->version;
	}
	if (fds[0].revents)
		read_keys(l);
}

static int run(struct loop *l)
{
	draw(l);
	while (!l->ui.quit && !l->gone) {
		wait_and_read(l);
		if (!l->ui.quit && !l->gone && next_frame(l) == 0)
			draw(l);
	}
	return l->gone ? EXIT_INTERRUPTED : EXIT_LEFT;
}

int console_run(struct engine *g, const struct console_options *o)
{
	char problem[160];
	struct screen_options so = { .color = o->color, .ascii = o->ascii, .mouse = o->mouse };
	struct loop l = { .screen = screen_open(&so, problem, sizeof(problem)) };
	if (!l.screen) {
		fprintf(stderr, "pgpier: %s\n", problem);
		return EXIT_NO_TERMINAL;
	}
	ui_init(&l.ui, g, screen_theme_borrow(l.screen));
	l.ui.screen = l.screen;
	l.ui.mouse = o->mouse;
	l.ui.readonly = o->readonly;
	int status = run(&l);
	ui_finish(&l.ui);
	screen_close(l.screen);
	return status;
}
