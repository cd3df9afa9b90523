// SPDX-License-Identifier: PostgreSQL
#include "client.h"

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "../signals.h"
#include "../text.h"

#define MOST_UNSENT 65536
#define LAST_WORDS_MS 500 /* a terminal that does not take them by then is not waited for */
#define ANSWER_US 10000000
#define PAUSE_US 120000000 /* a mirror or the engine may take its time to end what it is at */
#define EXIT_INTERRUPTED 130

struct client {
	int socket;
	int terminal; /* an opening of our own: the flags of stdin and stdout are the shell's as well */
	bool attached;
	bool interrupted; /* by a signal, or the terminal is gone */
	struct termios before;
	struct wire_buffer in, out;
	struct wire_buffer shown; /* on its way to the terminal */
	bool drew;
	char restore[256];
	bool over; /* bye is valid */
	struct wire_bye bye;
};

/* ---- who we are ---- */

static void describe_from(char *buf, size_t size)
{
	const char *name = ttyname(STDIN_FILENO), *ssh = getenv("SSH_CONNECTION");
	if (name && strncmp(name, "/dev/", 5) == 0)
		name += 5;
	if (name && ssh && *ssh)
		snprintf(buf, size, "%s from %.*s", name, (int)strcspn(ssh, " "), ssh);
	else if (name)
		copy_text(buf, size, name);
	else
		snprintf(buf, size, "pid %ld", (long)getpid());
}

static struct wire_size terminal_size(void)
{
	struct winsize w = { 0 };
	ioctl(STDOUT_FILENO, TIOCGWINSZ, &w);
	return (struct wire_size){ w.ws_row > 0 ? w.ws_row : 24, w.ws_col > 0 ? w.ws_col : 80 };
}

void client_hello(struct wire_hello *h, enum wire_purpose purpose)
{
	const char *term = getenv("TERM");
	*h = (struct wire_hello){
		.version = WIRE_VERSION,
		.purpose = purpose,
		.utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
		.tmux = getenv("TMUX") != NULL,
		.size = terminal_size(),
	};
	copy_text(h->release, sizeof(h->release), PGPIER_VERSION);
	copy_text(h->term, sizeof(h->term), term ? term : "");
	describe_from(h->from, sizeof(h->from));
}

/* ---- the terminal ---- */

/* By its name; where that is another user's, as after su, by being the one that controls us. */
static int open_terminal(void)
{
	const int flags = O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	const char *name = ttyname(STDOUT_FILENO);
	int fd = name ? open(name, flags) : -1;
	return fd >= 0 ? fd : open("/dev/tty", flags);
}

static void make_raw(struct client *c)
{
	struct termios raw = c->before;
	cfmakeraw(&raw);
	tcsetattr(c->terminal, TCSANOW, &raw);
}

static void show(struct client *c)
{
	while (wire_pending(&c->shown) > 0) {
		ssize_t n = write(c->terminal, c->shown.bytes.text + c->shown.done, wire_pending(&c->shown));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			c->interrupted = c->interrupted || errno != EAGAIN;
			return;
		}
		c->shown.done += (size_t)n;
	}
	wire_compact(&c->shown);
}

static void show_last(struct client *c, const char *text)
{
	struct pollfd p = { .fd = c->terminal, .events = POLLOUT };
	strbuf_add(&c->shown.bytes, text);
	do
		show(c);
	while (wire_pending(&c->shown) > 0 && poll(&p, 1, LAST_WORDS_MS) > 0 && !(p.revents & (POLLHUP | POLLERR)));
}

static void give_back(struct client *c)
{
	if (c->drew && !(c->over && c->bye.restored)) {
		wire_free(&c->shown); /* it would be drawn over what is restored */
		show_last(c, c->restore);
	} else {
		show_last(c, "");
	}
	tcsetattr(c->terminal, TCSANOW, &c->before);
	signals_uninstall();
}

/* ---- frames ---- */

static void say_size(struct client *c)
{
	wire_put_size(&c->out, terminal_size());
}

static bool wants_it(const char *who)
{
	char answer[16];
	fputs("pgpier is in use on ", stdout);
	text_print(stdout, who);
	fputs(". Take it over? y/N ", stdout);
	fflush(stdout);
	return fgets(answer, sizeof(answer), stdin) && (answer[0] == 'y' || answer[0] == 'Y');
}

static void ask_to_take(struct client *c, const struct wire_frame *f)
{
	char who[128];
	copy_text(who, MIN(sizeof(who), f->size + 1), (const char *)f->payload);
	if (wants_it(who)) {
		say_size(c);
		wire_put(&c->out, WIRE_TAKE, NULL, 0);
		return;
	}
	c->over = true;
	copy_text(c->bye.text, sizeof(c->bye.text), "pgpier: left as it is");
	c->bye.code = 1;
}

static void take_over(struct client *c)
{
	c->attached = true;
	signals_install(STDOUT_FILENO);
	make_raw(c);
}

static void obey(struct client *c, const struct wire_frame *f)
{
	switch (f->kind) {
	case WIRE_BUSY:
		ask_to_take(c, f);
		break;
	case WIRE_WELCOME:
		take_over(c);
		break;
	case WIRE_OUTPUT:
		c->drew = true;
		strbuf_addn(&c->shown.bytes, f->payload, f->size);
		break;
	case WIRE_RESTORE:
		copy_text(c->restore, MIN(sizeof(c->restore), f->size + 1), (const char *)f->payload);
		signals_set_restore(c->restore);
		break;
	case WIRE_BYE:
		c->over = wire_bye(f, &c->bye);
		break;
	default:
		break;
	}
}

/* False: the other side is gone. */
static bool hear(struct client *c)
{
	struct wire_frame f;
	enum wire_result result = WIRE_MORE;
	bool there = wire_receive(c->socket, &c->in);
	while (!c->over && (result = wire_next(&c->in, &f)) == WIRE_FRAME)
		obey(c, &f);
	return there && result != WIRE_BROKEN;
}

static void hear_terminal(struct client *c)
{
	char part[4096];
	ssize_t n = read(c->terminal, part, sizeof(part));
	if (n > 0)
		wire_put(&c->out, WIRE_INPUT, part, (size_t)n);
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		c->interrupted = true;
}

static void hear_signal(struct client *c)
{
	c->interrupted = signals_drain() || c->interrupted;
	if (signals_continued()) {
		make_raw(c);
		wire_put(&c->out, WIRE_REDRAW, NULL, 0);
	}
	say_size(c);
}

/* ---- attaching ---- */

/* Until it is attached, is told why not, or gets no answer. */
static void greet(struct client *c, const struct wire_hello *h)
{
	struct pollfd p = { .fd = c->socket, .events = POLLIN };
	bool there = true;
	wire_put_hello(&c->out, h);
	while (there && !c->attached && !c->over)
		there = wire_send(c->socket, &c->out) && poll(&p, 1, ANSWER_US / 1000) > 0 && hear(c);
}

/* What is drawn is not read on until the terminal has taken what it was given. */
static bool turn(struct client *c)
{
	bool showing = wire_pending(&c->shown) > 0, unsent = wire_pending(&c->out) > 0;
	bool full = wire_pending(&c->out) > MOST_UNSENT;
	struct pollfd fds[] = {
		{ .fd = c->socket, .events = (short)((showing ? 0 : POLLIN) | (unsent ? POLLOUT : 0)) },
		{ .fd = c->terminal, .events = (short)((full ? 0 : POLLIN) | (showing ? POLLOUT : 0)) },
		{ .fd = signals_fd(), .events = POLLIN },
	};
	if (poll(fds, ARRAY_SIZE(fds), -1) < 0)
		return errno == EINTR;
	if (fds[2].revents)
		hear_signal(c);
	if (fds[1].revents & POLLIN)
		hear_terminal(c);
	else if (fds[1].revents & (POLLHUP | POLLERR | POLLNVAL))
		c->interrupted = true;
	bool there = !showing && (fds[0].revents & (POLLIN | POLLHUP | POLLERR)) ? hear(c) : true;
	show(c);
	/* One that is gone may have left a last word. */
	return there && (wire_send(c->socket, &c->out) || (fds[0].revents & POLLIN) || showing);
}

static void follow(struct client *c)
{
	bool there = true;
	while (there && !c->over && !c->interrupted)
		there = turn(c);
}

static int say_how_it_ended(struct client *c)
{
	if (c->interrupted)
		return EXIT_INTERRUPTED;
	if (!c->over) {
		c->bye.code = 1;
		copy_text(c->bye.text, sizeof(c->bye.text), c->attached
			? "[lost: the engine has ended, or gave us up; what is done is kept, and pgpier goes on from there]"
			: "pgpier: the engine gives no answer");
	}
	text_print(stdout, c->bye.text);
	putchar('\n');
	return c->bye.code;
}

int client_attach(int take_socket, const struct wire_hello *h)
{
	struct client c = { .socket = take_socket, .restore = "\033[m\033[?1000l\033[?1006l\033[?2004l\033[?25h" };
	int code = 1;
	c.terminal = open_terminal();
	if (c.terminal < 0 || tcgetattr(c.terminal, &c.before) != 0) {
		fprintf(stderr, "pgpier: could not open the terminal: %s\n", strerror(errno));
	} else {
		greet(&c, h);
		if (c.attached) {
			follow(&c);
			give_back(&c);
		}
		code = say_how_it_ended(&c);
	}
	close(c.socket);
	if (c.terminal >= 0)
		close(c.terminal);
	wire_free(&c.in);
	wire_free(&c.out);
	wire_free(&c.shown);
	return code;
}

/* ---- asking ---- */

bool client_ask(int take_socket, const struct wire_hello *h, struct wire_status *status, struct wire_bye *bye,
	struct error *e)
{
	struct wire_buffer in = { 0 }, out = { 0 };
	struct pollfd p = { .fd = take_socket, .events = POLLIN };
	struct wire_frame f = { 0 };
	int64_t until = clock_us() + (h->purpose == WIRE_TO_ASK ? ANSWER_US : PAUSE_US);
	bool told = false;
	wire_put_hello(&out, h);
	bool there = wire_send(take_socket, &out);
	while (there) {
		int left_ms = (int)(MAX(until - clock_us(), 0) / 1000);
		there = (poll(&p, 1, left_ms) > 0 || (errno == EINTR && left_ms > 0)) && wire_receive(take_socket, &in);
		while (wire_next(&in, &f) == WIRE_FRAME)
			told = (f.kind == WIRE_STATUS && status ? wire_status(&f, status) : wire_bye(&f, bye)) || told;
	}
	close(take_socket);
	wire_free(&in);
	wire_free(&out);
	return told || error_set(e, ERROR_CONFLICT, "the engine gives no answer");
}
