// SPDX-License-Identifier: PostgreSQL
/* The loop: waits for the terminal, a signal or the model, and draws when there is something new. Keys are
 * answered at once; a model that moves a thousand times a second is drawn 4 times a second, and not at all when
 * nobody is attached. What was on the screen is kept from one terminal to the next. */
#include "console.h"

#include "attach/relay.h"
#include "signals.h"
#include "ui.h"
#include "work.h"

#include <locale.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FRAME_US 10000   /* between frames that keys cause */
#define TICK_US 250000   /* between frames that the model causes */
#define IDLE_US 15000000 /* the clock in the title */

#define EXIT_LEFT 0
#define EXIT_NO_TERMINAL 2
#define EXIT_INTERRUPTED 130

struct loop {
	struct ui ui;
	struct screen *screen;
	struct relay *relay; /* NULL in the foreground */
	uint64_t version;    /* of the model that was drawn */
	int64_t drawn_at;    /* last frame */
	bool dirty;          /* a key or a signal came since */
	bool model_moved;
	bool gone; /* the terminal is */
	bool told; /* to end, by a signal or through the relay */
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

static void read_signals(struct loop *l)
{
	l->told = signals_drain() || l->told;
	if (signals_continued() && l->screen)
		screen_repaint(l->screen);
	l->dirty = true;
}

/* News of another terminal ends this one, which is a hangup by then; all else is its size. */
static void read_news(struct loop *l)
{
	l->told = relay_news(l->relay).stop || l->told;
	l->dirty = true;
}

static void wait_and_read(struct loop *l)
{
	/* A model that is known to have moved isn't asked again before it is drawn: it would wake us for
	 * each of its changes. */
	int model = l->model_moved ? -1 : model_eventfd_borrow(l->ui.model);
	struct pollfd fds[] = {
		{ .fd = screen_fd(l->screen), .events = POLLIN },
		{ .fd = signals_fd(), .events = POLLIN },
		{ .fd = model, .events = POLLIN },
		{ .fd = l->relay ? relay_fd(l->relay) : -1, .events = POLLIN },
	};
	int timeout = (int)((next_frame(l) + 999) / 1000);
	if (poll(fds, ARRAY_SIZE(fds), timeout) <= 0)
		return;
	if (fds[1].revents)
		read_signals(l);
	if (fds[2].revents) {
		model_eventfd_drain(l->ui.model);
		l->model_moved = model_version(l->ui.model) != l->version;
	}
	if (fds[3].revents)
		read_news(l);
	if (fds[0].revents)
		read_keys(l);
}

/* Until the person leaves, the terminal is gone, or we are told to end. */
static void run(struct loop *l)
{
	l->ui.screen = l->screen;
	l->ui.theme = screen_theme_borrow(l->screen);
	l->ui.quit = l->gone = false;
	draw(l);
	while (!l->ui.quit && !l->gone && !l->told) {
		wait_and_read(l);
		if (!l->ui.quit && !l->gone && !l->told && next_frame(l) == 0)
			draw(l);
	}
}

static void close_screen(struct loop *l)
{
	screen_close(l->screen);
	l->screen = l->ui.screen = NULL;
}

void console_locale(void)
{
	const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };
	bool given = false;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *value = getenv(names[i]);
		given = given || (value && *value);
	}
	if (!setlocale(LC_CTYPE, given ? "" : "C.UTF-8"))
		setlocale(LC_CTYPE, "C.UTF-8");
}

/* ---- in the foreground ---- */

int console_run(struct engine *g, const struct console_options *o)
{
	char problem[160];
	struct screen_options so = {
		.in = STDIN_FILENO,
		.out = STDOUT_FILENO,
		.term = getenv("TERM"),
		.color = o->color,
		.ascii = o->ascii,
		.mouse = o->mouse,
		.tmux = getenv("TMUX") != NULL,
	};
	struct loop l = { 0 };
	signals_install(STDOUT_FILENO);
	l.screen = screen_open(&so, problem, sizeof(problem));
	if (!l.screen) {
		signals_uninstall();
		fprintf(stderr, "pgpier: %s\n", problem);
		return EXIT_NO_TERMINAL;
	}
	signals_set_restore(screen_restore_borrow(l.screen));
	ui_init(&l.ui, g, screen_theme_borrow(l.screen));
	l.ui.mouse = o->mouse;
	l.ui.readonly = o->readonly;
	run(&l);
	ui_finish(&l.ui);
	close_screen(&l);
	signals_uninstall();
	return l.gone || l.told ? EXIT_INTERRUPTED : EXIT_LEFT;
}

/* ---- in the background ---- */

static void say_left(const struct loop *l, char *buf, size_t size)
{
	char what[256];
	work_describe(l->ui.model, what, sizeof(what));
	if (l->told || l->ui.end)
		snprintf(buf, size, "[stopped: %s; what is done is kept, and pgpier goes on from there]", what);
	else
		snprintf(buf, size, "[detached: %s; pgpier attaches again]", what);
}

static void open_terminal(struct loop *l, const struct terminal *t)
{
	char problem[160];
	const struct wire_hello *h = &t->guest;
	struct screen_options so = {
		.in = t->fd,
		.out = t->fd,
		.term = h->term,
		.color = h->color <= COLOR_NEVER ? (enum color_mode)h->color : COLOR_AUTO,
		.ascii = h->ascii,
		.latin = !h->utf8,
		.mouse = h->mouse,
		.tmux = h->tmux,
	};
	l->screen = screen_open(&so, problem, sizeof(problem));
	if (!l->screen) {
		relay_leave(l->relay, t, problem);
		return;
	}
	relay_restore(l->relay, t, screen_restore_borrow(l->screen));
	l->ui.mouse = h->mouse;
	l->ui.readonly = h->readonly;
}

static void serve(struct loop *l, struct terminal *t)
{
	char sentence[512];
	open_terminal(l, t);
	if (l->screen) {
		run(l);
		say_left(l, sentence, sizeof(sentence));
		close_screen(l);
		if (!l->gone)
			relay_leave(l->relay, t, sentence);
	}
	close(t->fd);
}

static void wait_for_news(struct loop *l)
{
	struct pollfd fds[] = {
		{ .fd = signals_fd(), .events = POLLIN },
		{ .fd = relay_fd(l->relay), .events = POLLIN },
	};
	if (poll(fds, ARRAY_SIZE(fds), -1) <= 0)
		return;
	if (fds[0].revents)
		read_signals(l);
	if (fds[1].revents)
		read_news(l);
}

int console_serve(struct engine *g, struct relay *r, char *sentence, size_t size)
{
	struct loop l = { .relay = r };
	struct terminal t;
	signals_install(-1);
	ui_init(&l.ui, g, NULL);
	l.ui.background = true;
	while (!l.told && !l.ui.end) {
		if (relay_take(r, &t))
			serve(&l, &t);
		else
			wait_for_news(&l);
	}
	say_left(&l, sentence, size);
	ui_finish(&l.ui);
	return EXIT_LEFT;
}
