// SPDX-License-Identifier: PostgreSQL
/* pgterm ROWS COLS COMMAND...: a terminal without a screen, for tests.
 *
 * Runs COMMAND on a pseudo-terminal that libvterm reads, takes one command a line on stdin and answers
 * each with one JSON object on stdout. Waiting is polling the terminal until a deadline, never sleeping.
 * TERM and the locale come from the environment; PGTERM_LATIN=1 reads bytes instead of UTF-8.
 *
 *   key NAME           Enter Esc Tab BackTab Up ... F1..F20 Space; C-x and M-x for control and alt
 *   text TEXT          typed; \n \t \e \\ and \xHH are escapes, as in every TEXT
 *   paste TEXT         in brackets when the program asked for that
 *   click ROW COL, wheel ROW COL up|down
 *   wait MS TEXT, gone MS TEXT, match MS REGEX (extended, whole screen, ^ and $ at lines)
 *   still MS QUIET     until nothing was written or typed for QUIET ms
 *   screen, cells, stty, osc
 *   resize ROWS COLS, signal NUMBER, exit MS
 * The end of stdin kills the command. */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <poll.h>
#include <pty.h>
#include <regex.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include <utmp.h>

#include "pgterm_screen.h"

struct terminal {
	VTerm *vt;
	VTermScreen *screen;
	int rows, cols;
	int fd;  /* the pty's master; -1 once the other side is closed for good */
	int own; /* the other side, kept open so that its modes can be asked after the command ended */
	pid_t pid;
	int status; /* of waitpid; valid when ended */
	bool ended;
	uint64_t bytes; /* that the command has written */
	int64_t last_traffic_ms; /* either way: what was just typed is yet to be answered */
	bool alternate, cursor_visible;
	int mouse;
	char osc[4096]; /* the last operating system command that libvterm does not know: 52 for the clipboard */
};

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void die(const char *what)
{
	fprintf(stderr, "pgterm: %s: %s\n", what, strerror(errno));
	exit(125);
}

/* ---- the terminal ---- */

static void write_all(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, bytes, len);

		if (n < 0 && errno == EAGAIN) {
			struct pollfd p = { fd, POLLOUT, 0 };

			if (poll(&p, 1, 1000) <= 0)
				return; /* a command that reads nothing: its loss */
			continue;
		}
		if (n < 0)
			return;
		bytes += n;
		len -= (size_t)n;
	}
}

static void on_output(const char *bytes, size_t len, void *user)
{
	struct terminal *t = user;

	write_all(t->fd, bytes, len);
	t->last_traffic_ms = now_ms();
}

static int on_prop(VTermProp prop, VTermValue *value, void *user)
{
	struct terminal *t = user;

	if (prop == VTERM_PROP_ALTSCREEN)
		t->alternate = value->boolean;
	else if (prop == VTERM_PROP_CURSORVISIBLE)
		t->cursor_visible = value->boolean;
	else if (prop == VTERM_PROP_MOUSE)
		t->mouse = value->number;
	return 1;
}

static int on_osc(const char *command, size_t len, void *user)
{
	struct terminal *t = user;

	snprintf(t->osc, sizeof(t->osc), "%.*s", (int)len, command);
	return 1;
}

static const VTermScreenCallbacks screen_callbacks = { .settermprop = on_prop };
static const VTermParserCallbacks fallbacks = { .osc = on_osc };

static void open_terminal(struct terminal *t)
{
	struct winsize size = { .ws_row = (unsigned short)t->rows, .ws_col = (unsigned short)t->cols };

	if (openpty(&t->fd, &t->own, NULL, NULL, &size) < 0)
		die("openpty");
	fcntl(t->fd, F_SETFL, O_NONBLOCK);
	fcntl(t->fd, F_SETFD, FD_CLOEXEC);
	fcntl(t->own, F_SETFD, FD_CLOEXEC);
	t->vt = vterm_new(t->rows, t->cols);
	vterm_set_utf8(t->vt, !getenv("PGTERM_LATIN"));
	vterm_output_set_callback(t->vt, on_output, t);
	t->screen = vterm_obtain_screen(t->vt);
	vterm_screen_enable_altscreen(t->screen, 1);
	vterm_screen_set_callbacks(t->screen, &screen_callbacks, t);
	vterm_screen_set_unrecognised_fallbacks(t->screen, &fallbacks, t);
	t->cursor_visible = true;
	vterm_screen_reset(t->screen, 1);
}

static void spawn(struct terminal *t, char **command)
{
	t->pid = fork();
	if (t->pid < 0)
		die("fork");
	if (t->pid > 0)
		return;
	if (login_tty(t->own) < 0)
		die("login_tty");
	signal(SIGPIPE, SIG_DFL);
	execvp(command[0], command);
	die(command[0]);
}

static void reap(struct terminal *t)
{
	if (!t->ended && waitpid(t->pid, &t->status, WNOHANG) == t->pid)
		t->ended = true;
}

/* Reads what the command has written, waiting at most ms for it. False when nothing came. */
static bool pump(struct terminal *t, int ms)
{
	struct pollfd p = { t->fd, POLLIN, 0 };
	char bytes[65536];
	ssize_t n;

	if (poll(&p, 1, ms) <= 0)
		return false;
	n = read(t->fd, bytes, sizeof(bytes));
	if (n <= 0)
		return false;
	vterm_input_write(t->vt, bytes, (size_t)n);
	vterm_screen_flush_damage(t->screen);
	t->bytes += (uint64_t)n;
	t->last_traffic_ms = now_ms();
	return true;
}

/* ---- answers ---- */

static void answer_head(bool ok)
{
	printf("{\"ok\":%s", ok ? "true" : "false");
}

static void answer_end(void)
{
	fputs("}\n", stdout);
	fflush(stdout);
}

static void answer(bool ok)
{
	answer_head(ok);
	answer_end();
}

static void answer_error(const char *text)
{
	answer_head(false);
	fputs(",\"error\":", stdout);
	print_json_text(stdout, text);
	answer_end();
}

static void print_screen(struct terminal *t)
{
	VTermPos cursor;

	vterm_state_get_cursorpos(vterm_obtain_state(t->vt), &cursor);
	fputc(',', stdout);
	screen_print_lines(stdout, t->screen, t->rows, t->cols);
	printf(",\"row\":%d,\"col\":%d,\"rows\":%d,\"cols\":%d", cursor.row, cursor.col, t->rows, t->cols);
	printf(",\"alternate\":%s,\"cursor\":%s,\"mouse\":%d,\"bytes\":%llu", t->alternate ? "true" : "false",
		t->cursor_visible ? "true" : "false", t->mouse, (unsigned long long)t->bytes);
	printf(",\"ended\":%s", t->ended ? "true" : "false");
}

/* ---- waiting ---- */

struct wish {
	const char *text; /* NULL: regex */
	regex_t regex;
	bool gone;
};

static bool fulfilled(struct terminal *t, const struct wish *w)
{
	char *text = screen_text(t->screen, t->rows, t->cols);
	bool found = w->text ? strstr(text, w->text) != NULL : regexec(&w->regex, text, 0, NULL, 0) == 0;

	free(text);
	return found != w->gone;
}

/* Once the command has ended and its last words are read, nothing more can come. */
static void wait_for(struct terminal *t, int64_t ms, const struct wish *w)
{
	int64_t started = now_ms();
	int64_t left = ms;
	bool ok = fulfilled(t, w);

	while (!ok && (left = started + ms - now_ms()) > 0) {
		bool ended = t->ended;

		if (pump(t, left < 100 ? (int)left : 100))
			ok = fulfilled(t, w);
		else if (ended)
			break;
		reap(t);
	}
	answer_head(ok);
	printf(",\"ms\":%lld", (long long)(now_ms() - started));
	if (!ok)
		print_screen(t);
	answer_end();
}

static void wait_regex(struct terminal *t, int64_t ms, const char *pattern)
{
	struct wish w = { 0 };
	int failed = regcomp(&w.regex, pattern, REG_EXTENDED | REG_NEWLINE | REG_NOSUB);
	char text[256];

	if (failed) {
		regerror(failed, &w.regex, text, sizeof(text));
		answer_error(text);
		return;
	}
	wait_for(t, ms, &w);
	regfree(&w.regex);
}

static void wait_still(struct terminal *t, int64_t ms, int64_t quiet)
{
	int64_t deadline = now_ms() + ms;
	bool ok = false;

	while (!ok && now_ms() < deadline) {
		int64_t since = now_ms() - t->last_traffic_ms;

		if (since >= quiet)
			ok = true;
		else
			pump(t, (int)(quiet - since));
	}
	answer(ok);
}

static void wait_exit(struct terminal *t, int64_t ms)
{
	int64_t deadline = now_ms() + ms;

	reap(t);
	while (!t->ended && now_ms() < deadline) {
		pump(t, 10);
		reap(t);
	}
	while (pump(t, 0))
		continue;
	answer_head(t->ended);
	if (!t->ended)
		print_screen(t);
	else if (WIFSIGNALED(t->status))
		printf(",\"signal\":%d", WTERMSIG(t->status));
	else
		printf(",\"code\":%d", WEXITSTATUS(t->status));
	answer_end();
}

/* ---- keys ---- */

static const struct {
	const char *name;
	VTermKey key;
	VTermModifier with;
} keys[] = {
	{ "Enter", VTERM_KEY_ENTER, VTERM_MOD_NONE },
	{ "Esc", VTERM_KEY_ESCAPE, VTERM_MOD_NONE },
	{ "Tab", VTERM_KEY_TAB, VTERM_MOD_NONE },
	{ "BackTab", VTERM_KEY_TAB, VTERM_MOD_SHIFT },
	{ "Backspace", VTERM_KEY_BACKSPACE, VTERM_MOD_NONE },
	{ "Up", VTERM_KEY_UP, VTERM_MOD_NONE },
	{ "Down", VTERM_KEY_DOWN, VTERM_MOD_NONE },
	{ "Left", VTERM_KEY_LEFT, VTERM_MOD_NONE },
	{ "Right", VTERM_KEY_RIGHT, VTERM_MOD_NONE },
	{ "Insert", VTERM_KEY_INS, VTERM_MOD_NONE },
	{ "Delete", VTERM_KEY_DEL, VTERM_MOD_NONE },
	{ "Home", VTERM_KEY_HOME, VTERM_MOD_NONE },
	{ "End", VTERM_KEY_END, VTERM_MOD_NONE },
	{ "PageUp", VTERM_KEY_PAGEUP, VTERM_MOD_NONE },
	{ "PageDown", VTERM_KEY_PAGEDOWN, VTERM_MOD_NONE },
};

static bool press(struct terminal *t, const char *name)
{
	VTermModifier with = VTERM_MOD_NONE;
	int number;

	for (; strlen(name) > 2 && name[1] == '-'; name += 2) {
		if (name[0] != 'C' && name[0] != 'M')
			return false;
		with |= name[0] == 'C' ? VTERM_MOD_CTRL : VTERM_MOD_ALT;
	}
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (strcmp(keys[i].name, name) == 0) {
			vterm_keyboard_key(t->vt, keys[i].key, keys[i].with | with);
			return true;
		}
	if (name[0] == 'F' && sscanf(name + 1, "%d", &number) == 1 && number >= 1 && number <= 20) {
		vterm_keyboard_key(t->vt, VTERM_KEY_FUNCTION(number), with);
		return true;
	}
	if (strcmp(name, "Space") == 0 || strlen(name) == 1) {
		vterm_keyboard_unichar(t->vt, strlen(name) == 1 ? (unsigned char)name[0] : ' ', with);
		return true;
	}
	return false;
}

/* Undoes \n \t \e \\ \xHH in place. */
static void unescape(char *text)
{
	char *out = text;

	for (const char *p = text; *p; p++) {
		unsigned byte;

		if (*p != '\\' || !p[1]) {
			*out++ = *p;
			continue;
		}
		p++;
		if (*p == 'x' && sscanf(p + 1, "%2x", &byte) == 1) {
			*out++ = (char)byte;
			p += 2;
		} else {
			*out++ = *p == 'n' ? '\n' : *p == 't' ? '\t' : *p == 'e' ? '\033' : *p;
		}
	}
	*out = '\0';
}

static void paste(struct terminal *t, const char *text)
{
	vterm_keyboard_start_paste(t->vt);
	write_all(t->fd, text, strlen(text));
	vterm_keyboard_end_paste(t->vt);
}

static bool click(struct terminal *t, int row, int col, int button)
{
	vterm_mouse_move(t->vt, row, col, VTERM_MOD_NONE);
	vterm_mouse_button(t->vt, button, true, VTERM_MOD_NONE);
	vterm_mouse_button(t->vt, button, false, VTERM_MOD_NONE);
	return t->mouse != VTERM_PROP_MOUSE_NONE;
}

/* ---- commands ---- */

static void resize(struct terminal *t, int rows, int cols)
{
	struct winsize size = { .ws_row = (unsigned short)rows, .ws_col = (unsigned short)cols };

	t->rows = rows;
	t->cols = cols;
	vterm_set_size(t->vt, rows, cols);
	ioctl(t->fd, TIOCSWINSZ, &size);
	answer(true);
}

static void print_stty(struct terminal *t)
{
	struct termios modes;

	if (tcgetattr(t->own, &modes) < 0) {
		answer_error(strerror(errno));
		return;
	}
	answer_head(true);
	printf(",\"icanon\":%s,\"echo\":%s,\"isig\":%s,\"icrnl\":%s,\"opost\":%s",
		modes.c_lflag & ICANON ? "true" : "false", modes.c_lflag & ECHO ? "true" : "false",
		modes.c_lflag & ISIG ? "true" : "false", modes.c_iflag & ICRNL ? "true" : "false",
		modes.c_oflag & OPOST ? "true" : "false");
	answer_end();
}

static void print_osc(struct terminal *t)
{
	answer_head(true);
	fputs(",\"osc\":", stdout);
	print_json_text(stdout, t->osc);
	answer_end();
}

static void show(struct terminal *t, bool cells)
{
	answer_head(true);
	print_screen(t);
	if (cells) {
		fputc(',', stdout);
		screen_print_cells(stdout, t->screen, t->rows, t->cols);
	}
	answer_end();
}

static void type(struct terminal *t, const char *command, char *text)
{
	unescape(text);
	if (strcmp(command, "paste") == 0)
		paste(t, text);
	else
		write_all(t->fd, text, strlen(text));
	answer(true);
}

static void obey_wait(struct terminal *t, const char *command, char *rest)
{
	int64_t ms = strtoll(rest, &rest, 10);
	struct wish w = { .text = rest, .gone = command[0] == 'g' };

	if (*rest == ' ')
		w.text = ++rest;
	unescape(rest);
	if (strcmp(command, "match") == 0)
		wait_regex(t, ms, rest);
	else
		wait_for(t, ms, &w);
}

static void obey(struct terminal *t, char *line)
{
	char *rest = line;
	const char *command = strsep(&rest, " ");
	int a, b;

	if (!rest)
		rest = line + strlen(line);
	if (strcmp(command, "wait") == 0 || strcmp(command, "gone") == 0 || strcmp(command, "match") == 0)
		obey_wait(t, command, rest);
	else if (strcmp(command, "text") == 0 || strcmp(command, "paste") == 0)
		type(t, command, rest);
	else if (strcmp(command, "key") == 0)
		answer(press(t, rest));
	else if (strcmp(command, "screen") == 0 || strcmp(command, "cells") == 0)
		show(t, command[0] == 'c');
	else if (strcmp(command, "still") == 0 && sscanf(rest, "%d %d", &a, &b) == 2)
		wait_still(t, a, b);
	else if (strcmp(command, "exit") == 0 && sscanf(rest, "%d", &a) == 1)
		wait_exit(t, a);
	else if (strcmp(command, "resize") == 0 && sscanf(rest, "%d %d", &a, &b) == 2)
		resize(t, a, b);
	else if (strcmp(command, "signal") == 0 && sscanf(rest, "%d", &a) == 1)
		answer(!t->ended && kill(t->pid, a) == 0);
	else if (strcmp(command, "stty") == 0)
		print_stty(t);
	else if (strcmp(command, "click") == 0 && sscanf(rest, "%d %d", &a, &b) == 2)
		answer(click(t, a, b, 1));
	else if (strcmp(command, "wheel") == 0 && sscanf(rest, "%d %d", &a, &b) == 2)
		answer(click(t, a, b, strstr(rest, "up") ? 4 : 5));
	else if (strcmp(command, "osc") == 0)
		print_osc(t);
	else
		answer_error("unknown command");
}

/* Waits for a line on stdin while the terminal goes on. False at its end. */
static bool next_line(struct terminal *t, struct pollfd *p)
{
	for (;;) {
		p[1].fd = t->fd;
		if (poll(p, 2, 1000) < 0 && errno != EINTR)
			return false;
		if (p[1].revents & POLLIN)
			pump(t, 0);
		reap(t);
		if (p[0].revents)
			return true;
	}
}

int main(int argc, char **argv)
{
	struct terminal t = { .rows = argc > 3 ? atoi(argv[1]) : 0, .cols = argc > 3 ? atoi(argv[2]) : 0 };
	struct pollfd p[2] = { { STDIN_FILENO, POLLIN, 0 }, { -1, POLLIN, 0 } };
	char *line = NULL;
	size_t size = 0;
	ssize_t len;

	if (t.rows < 1 || t.cols < 1) {
		fputs("usage: pgterm ROWS COLS COMMAND...\n", stderr);
		return 2;
	}
	setlocale(LC_CTYPE, ""); /* a dot of a regex is a character */
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdin, NULL, _IONBF, 0); /* so that poll sees what getline has not taken */
	open_terminal(&t);
	spawn(&t, argv + 3);
	while (next_line(&t, p) && (len = getline(&line, &size, stdin)) > 0) {
		if (line[len - 1] == '\n')
			line[len - 1] = '\0';
		obey(&t, line);
	}
	if (!t.ended)
		kill(t.pid, SIGKILL);
	free(line);
	vterm_free(t.vt);
	return 0;
}
