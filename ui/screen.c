// SPDX-License-Identifier: PostgreSQL
#include "screen.h"

#include <curses.h>
#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <term.h>
#include <unistd.h>

#define PASTE_ON "\033[?2004h"
#define PASTE_OFF "\033[?2004l"
#define PASTE_END "\033[201~"
#define PASTE_MAX (1 << 20)
#define CODE_PASTE (KEY_MAX + 1)
/* The longest text k9s and others found terminals to take, before base64. */
#define CLIPBOARD_MAX 74994
#define DOUBLE_CLICK_US 400000

struct screen {
	SCREEN *curses;
	FILE *in, *out;
	WINDOW *keys; /* a pad: reading from a window would refresh it */
	struct theme theme;
	bool mouse;
	bool tmux;
	struct strbuf restore; /* escape sequences */
	locale_t locale;       /* of the thread, while it draws on a terminal without UTF-8; 0: the process's */
	struct strbuf paste;
	int64_t clicked_at;
	int clicked_y, clicked_x;
	int stderr_was, stderr_now; /* the person's, and where it goes meanwhile */
};

/* A terminal that is not UTF-8, of a process that is, gets plain ASCII: curses asks the thread's locale what it
 * may send. */
static bool open_locale(struct screen *s, bool latin)
{
	if (latin) {
		s->locale = newlocale(LC_CTYPE_MASK, "C", (locale_t)0);
		uselocale(s->locale);
	}
	return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

/* A description without cursor addressing draws nothing readable: as good as none. */
static SCREEN *open_curses(const char *term, FILE *out, FILE *in)
{
	SCREEN *s = newterm(term, out, in);
	if (!s)
		return NULL;
	const char *cup = tigetstr("cup");
	if (cup && cup != (char *)-1)
		return s;
	endwin();
	delscreen(s);
	return NULL;
}

static SCREEN *open_any(const char *term, FILE *out, FILE *in)
{
	static const char *const others[] = { "xterm-256color", "xterm", "vt100", "linux", "ansi" };
	SCREEN *s = term && *term && strcmp(term, "dumb") != 0 ? open_curses(term, out, in) : NULL;
	bool dumb = term && strcmp(term, "dumb") == 0;
	for (size_t i = dumb ? 2 : 0; !s && i < ARRAY_SIZE(others); i++)
		s = open_curses(others[i], out, in);
	return s;
}

/* What a library prints meanwhile would tear the screen; it is shown when we have left. */
static void divert_stderr(struct screen *s)
{
	if (!isatty(STDERR_FILENO))
		return;
	fflush(stderr);
	s->stderr_was = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
	s->stderr_now = memfd_create("stderr", MFD_CLOEXEC);
	if (s->stderr_now >= 0)
		dup2(s->stderr_now, STDERR_FILENO);
}

static void return_stderr(struct screen *s)
{
	char text[65536];
	fflush(stderr);
	if (s->stderr_was < 0)
		return;
	dup2(s->stderr_was, STDERR_FILENO);
	close(s->stderr_was);
	if (s->stderr_now < 0)
		return;
	ssize_t n = pread(s->stderr_now, text, sizeof(text), 0);
	close(s->stderr_now);
	if (n > 0)
		fwrite(text, 1, (size_t)n, stderr);
}

/* Without the pauses that old terminals wanted: "$<50>". */
static bool add_capability(struct strbuf *b, const char *name)
{
	const char *text = tigetstr(name);
	if (!text || text == (char *)-1)
		return false;
	while (*text != '\0') {
		size_t n = strcspn(text, "$");
		strbuf_addn(b, text, n);
		text += n;
		const char *end = strncmp(text, "$<", 2) == 0 ? strchr(text, '>') : NULL;
		if (!end && *text == '$')
			strbuf_addn(b, text++, 1);
		else if (end)
			text = end + 1;
	}
	return true;
}

/* Where there is no other screen to go back to, this one is left empty. */
static void find_restore(struct strbuf *b)
{
	static const char *const names[] = { "sgr0", "cnorm", "rmkx" };
	strbuf_add(b, "\033[?1000l\033[?1006l" PASTE_OFF);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		add_capability(b, names[i]);
	if (!add_capability(b, "rmcup"))
		add_capability(b, "clear");
}

static void set_modes(struct screen *s)
{
	raw();
	noecho();
	nonl();
	curs_set(0);
	if (!getenv("ESCDELAY"))
		set_escdelay(25);
	s->keys = newpad(1, 1);
	keypad(s->keys, TRUE);
	nodelay(s->keys, TRUE);
	define_key("\033[200~", CODE_PASTE);
	mouseinterval(0);
	fputs(PASTE_ON, s->out);
	fflush(s->out);
	find_restore(&s->restore);
}

struct screen *screen_open(const struct screen_options *o, char *problem, size_t size)
{
	if (!isatty(o->in) || !isatty(o->out)) {
		copy_text(problem, size, "the console needs a terminal on standard input and output");
		return NULL;
	}
	const char *term = o->term;
	struct screen *s = xcalloc(1, sizeof(*s));
	bool utf8 = open_locale(s, o->latin);
	/* No child of ours keeps the terminal open. */
	s->in = fdopen(fcntl(o->in, F_DUPFD_CLOEXEC, 0), "r");
	s->out = fdopen(fcntl(o->out, F_DUPFD_CLOEXEC, 0), "w");
	s->tmux = o->tmux;
	s->stderr_was = s->stderr_now = -1;
	/* A shell that exports LINES and COLUMNS knows the size it had once. */
	use_env(FALSE);
	use_tioctl(TRUE);
	s->curses = open_any(term, s->out, s->in);
	if (!s->curses) {
		snprintf(problem, size, "no description of a terminal is installed (TERM is \"%s\")",
			term ? term : "");
		screen_close(s);
		return NULL;
	}
	divert_stderr(s);
	set_modes(s);
	bool console = term && strcmp(term, "linux") == 0; /* its font lacks the glyphs */
	theme_init(&s->theme, o->color, term && strcmp(term, "dumb") == 0, o->ascii || !utf8 || console);
	screen_set_mouse(s, o->mouse);
	return s;
}

void screen_close(struct screen *s)
{
	if (!s)
		return;
	if (s->curses) {
		screen_set_mouse(s, false);
		fputs(PASTE_OFF, s->out);
		endwin();
		delwin(s->keys);
		delscreen(s->curses);
	}
	return_stderr(s);
	if (s->locale) {
		uselocale(LC_GLOBAL_LOCALE);
		freelocale(s->locale);
	}
	if (s->in)
		fclose(s->in);
	if (s->out)
		fclose(s->out);
	strbuf_free(&s->restore);
	strbuf_free(&s->paste);
	free(s);
}

const struct theme *screen_theme_borrow(const struct screen *s)
{
	return &s->theme;
}

int screen_fd(const struct screen *s)
{
	return fileno(s->in);
}

const char *screen_restore_borrow(const struct screen *s)
{
	return s->restore.text;
}

void screen_size(struct screen *s, int *rows, int *cols)
{
	struct winsize w;
	if (ioctl(fileno(s->out), TIOCGWINSZ, &w) == 0 && w.ws_row > 0 && w.ws_col > 0 &&
		(w.ws_row != LINES || w.ws_col != COLS)) {
		resizeterm(w.ws_row, w.ws_col);
		clearok(curscr, TRUE);
	}
	*rows = LINES;
	*cols = COLS;
}

void screen_begin(struct screen *s)
{
	(void)s;
	werase(stdscr);
	curs_set(0);
	wmove(stdscr, 0, 0);
}

void screen_end(struct screen *s)
{
	(void)s;
	wnoutrefresh(stdscr);
	doupdate();
}

void screen_repaint(struct screen *s)
{
	(void)s;
	clearok(curscr, TRUE);
}

void screen_set_mouse(struct screen *s, bool on)
{
	if (on == s->mouse)
		return;
	s->mouse = on;
	mousemask(on ? BUTTON1_PRESSED | BUTTON4_PRESSED | BUTTON5_PRESSED : 0, NULL);
}

/* ---- reading ---- */

static const struct {
	int code, key;
} named_keys[] = {
	{ KEY_UP, KEY_ARROW_UP },
	{ KEY_DOWN, KEY_ARROW_DOWN },
	{ KEY_LEFT, KEY_ARROW_LEFT },
	{ KEY_RIGHT, KEY_ARROW_RIGHT },
	{ KEY_PPAGE, KEY_PAGE_UP },
	{ KEY_NPAGE, KEY_PAGE_DOWN },
	{ KEY_HOME, KEY_TO_HOME },
	{ KEY_END, KEY_TO_END },
	{ KEY_FIND, KEY_TO_HOME },
	{ KEY_SELECT, KEY_TO_END },
	{ KEY_BTAB, KEY_BACK_TAB },
	{ KEY_BACKSPACE, KEY_RUBOUT },
	{ KEY_DC, KEY_DELETE },
	{ KEY_ENTER, KEY_RETURN },
	{ KEY_F(1), KEY_FUNCTION_1 },
};

static struct input key_input(int key)
{
	return (struct input){ .kind = INPUT_KEY, .key = key };
}

static int poll_terminal(struct screen *s, int timeout_ms)
{
	struct pollfd p = { .fd = screen_fd(s), .events = POLLIN };
	int n = poll(&p, 1, timeout_ms);
	return n > 0 ? p.revents : 0;
}

/* The pasted bytes are read past curses, which would take a megabyte key by key. A paste without its end
 * counts as ended when the terminal is silent. */
static struct input read_paste(struct screen *s)
{
	char part[8192];
	const char *end = NULL;
	strbuf_clear(&s->paste);
	while (!end && (poll_terminal(s, 250) & POLLIN)) {
		ssize_t n = read(screen_fd(s), part, sizeof(part));
		if (n <= 0)
			break;
		if (s->paste.len > PASTE_MAX) /* too long: keep looking for the end only */
			s->paste.len -= MIN(s->paste.len, (size_t)n);
		strbuf_addn(&s->paste, part, (size_t)n);
		size_t seen = MIN(s->paste.len, (size_t)n + sizeof(PASTE_END));
		char *tail = s->paste.text + s->paste.len - seen;
		end = memmem(tail, seen, PASTE_END, strlen(PASTE_END));
	}
	if (end) {
		size_t at = (size_t)(end - s->paste.text), rest = at + strlen(PASTE_END);
		for (size_t i = s->paste.len; i > rest; i--)
			ungetch((unsigned char)s->paste.text[i - 1]);
		s->paste.len = at;
		s->paste.text[at] = '\0';
	}
	for (size_t i = 0; i < s->paste.len; i++)
		if (s->paste.text[i] == '\r' || s->paste.text[i] == '\0')
			s->paste.text[i] = '\n';
	return (struct input){ .kind = INPUT_PASTE, .text = s->paste.text ? s->paste.text : "" };
}

static struct input read_mouse(struct screen *s)
{
	MEVENT e;
	struct input in = { .kind = INPUT_KEY, .key = KEY_NUL };
	if (getmouse(&e) == ERR)
		return in;
	in.y = e.y;
	in.x = e.x;
	if (e.bstate & BUTTON4_PRESSED) {
		in.kind = INPUT_WHEEL_UP;
	} else if (e.bstate & BUTTON5_PRESSED) {
		in.kind = INPUT_WHEEL_DOWN;
	} else if (e.bstate & BUTTON1_PRESSED) {
		int64_t now = clock_us();
		bool again = now - s->clicked_at < DOUBLE_CLICK_US && e.y == s->clicked_y &&
					 e.x == s->clicked_x;
		in.kind = again ? INPUT_DOUBLE_CLICK : INPUT_CLICK;
		s->clicked_at = again ? 0 : now;
		s->clicked_y = e.y;
		s->clicked_x = e.x;
	}
	return in;
}

/* An escape sequence that the description doesn't know must not act as the letters it is made of. */
static bool skip_sequence(struct screen *s)
{
	wint_t c;
	if (wget_wch(s->keys, &c) == ERR)
		return false;
	if (c != '[' && c != 'O') {
		unget_wch((wchar_t)c);
		return false;
	}
	while (wget_wch(s->keys, &c) == OK && (c < 0x40 || c > 0x7E))
		;
	return true;
}

static struct input translate(struct screen *s, wint_t code)
{
	if (code == CODE_PASTE)
		return read_paste(s);
	if (code == KEY_MOUSE)
		return read_mouse(s);
	for (size_t i = 0; i < ARRAY_SIZE(named_keys); i++)
		if (named_keys[i].code == (int)code)
			return key_input(named_keys[i].key);
	return key_input(KEY_NUL);
}

struct input screen_read(struct screen *s)
{
	wint_t c;
	int kind = wget_wch(s->keys, &c);
	if (kind == KEY_CODE_YES)
		return translate(s, c);
	if (kind == OK) {
		if (c == KEY_ESCAPE && skip_sequence(s))
			return key_input(KEY_NUL);
		if (c == '\n')
			return key_input(KEY_RETURN);
		if (c == 0x7F || c == KEY_CTRL('h'))
			return key_input(KEY_RUBOUT);
		return key_input((int)c);
	}
	/* Nothing decoded: readable all the same means end of file, and polling on would spin. */
	int events = poll_terminal(s, 0), waiting = 0;
	bool end = (events & POLLIN) && ioctl(screen_fd(s), FIONREAD, &waiting) == 0 && waiting == 0;
	if (end || (events & (POLLHUP | POLLERR | POLLNVAL)))
		return (struct input){ .kind = INPUT_HANGUP };
	return (struct input){ .kind = INPUT_NONE };
}

/* ---- clipboard ---- */

static char *base64(const char *text, size_t n)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char *out = xmalloc((n + 2) / 3 * 4 + 1), *p = out;
	for (size_t i = 0; i < n; i += 3) {
		unsigned v = (unsigned)(unsigned char)text[i] << 16;
		v |= i + 1 < n ? (unsigned)(unsigned char)text[i + 1] << 8 : 0;
		v |= i + 2 < n ? (unsigned char)text[i + 2] : 0;
		*p++ = digits[v >> 18];
		*p++ = digits[v >> 12 & 63];
		*p++ = i + 1 < n ? digits[v >> 6 & 63] : '=';
		*p++ = i + 2 < n ? digits[v & 63] : '=';
	}
	*p = '\0';
	return out;
}

bool screen_copy(struct screen *s, const char *text)
{
	size_t n = strlen(text);
	if (n > CLIPBOARD_MAX / 4 * 3)
		return false;
	char *encoded = base64(text, n);
	/* tmux hands on what is wrapped, or, when it may set the clipboard, takes the plain one. */
	if (s->tmux)
		fprintf(s->out, "\033Ptmux;\033\033]52;c;%s\a\033\\", encoded);
	fprintf(s->out, "\033]52;c;%s\a", encoded);
	fflush(s->out);
	free(encoded);
	return true;
}
