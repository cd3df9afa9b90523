// SPDX-License-Identifier: PostgreSQL
#include "relay.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "place.h"

#define MOST_GUESTS 16
#define MOST_TYPED 65536   /* bytes that the console has not read yet; more stays in the guest's socket */
#define MOST_BEHIND 262144 /* bytes that the guest has not read yet; more is not kept */
#define GREETING_US 10000000
#define ASKED_US 600000000
#define LEAVING_US 5000000
#define STALLED_US 30000000
#define ENDING_US 1000000
#define PAUSE_LOOKS_US 50000

/* A guest that comes again after it was behind may have seen half of an escape sequence: this ends it. */
#define CANCEL "\x18"

enum guest_state {
	GUEST_NONE, /* a free place */
	GUEST_GREETING,
	GUEST_ASKED, /* somebody is attached: does it take over? */
	GUEST_ATTACHED,
	GUEST_PAUSING,      /* waits for a mirror to stand */
	GUEST_LEAVING,      /* has been told bye */
	GUEST_AWAITING_END, /* of the engine */
};

struct guest {
	enum guest_state state;
	int fd;
	struct wire_hello hello;
	struct wire_buffer in, out;
	int64_t since; /* clock_us() of its state */
	int64_t moved; /* when some of `out` was last taken, or began to wait */
	uint64_t ticket;
};

struct relay {
	/* set once */
	pthread_t thread;
	int wake; /* eventfd: to the thread */
	int news; /* eventfd: to the console */
	int64_t since_us;
	struct relay_host host;

	/* the thread's own */
	int listener;
	struct guest guests[MOST_GUESTS];
	struct guest *attached; /* of them; NULL nobody */
	int64_t attached_us;
	int master;                /* of the attached one's pseudo-terminal; -1 none */
	struct wire_buffer typed; /* on its way into master */
	bool behind;               /* what is drawn is dropped */

	pthread_mutex_t lock;
	/* protected by lock */
	struct terminal offer; /* fd -1: none, or taken */
	unsigned number;       /* of the newest pseudo-terminal */
	bool stop_wanted, ending, left;
	char sentence[512]; /* of leaving, or of the end */
	char restore[256];  /* not sent yet; empty: none */
};

static void poke(int event)
{
	uint64_t one = 1;
	if (write(event, &one, sizeof(one)) < 0) {
		/* full: then it is readable already */
	}
}

static void drain(int event)
{
	uint64_t n;
	while (read(event, &n, sizeof(n)) > 0)
		;
}

static void set_state(struct guest *g, enum guest_state state)
{
	g->state = state;
	g->since = clock_us();
}

/* ---- the pseudo-terminal ---- */

static void apply_size(int fd, struct wire_size size)
{
	struct winsize w = { .ws_row = size.rows, .ws_col = size.cols };
	ioctl(fd, TIOCSWINSZ, &w);
}

/* Raw from the start: nothing that is typed early is echoed. */
static bool open_pair(int *master, int *slave, struct wire_size size)
{
	char name[64];
	struct termios modes;
	*slave = -1;
	*master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (*master >= 0 && grantpt(*master) == 0 && unlockpt(*master) == 0 &&
		ptsname_r(*master, name, sizeof(name)) == 0)
		*slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (*slave >= 0 && tcgetattr(*slave, &modes) == 0) {
		cfmakeraw(&modes);
		tcsetattr(*slave, TCSANOW, &modes);
		apply_size(*slave, size);
		return true;
	}
	if (*slave >= 0)
		close(*slave);
	if (*master >= 0)
		close(*master);
	*master = *slave = -1;
	return false;
}

/* To the console a hangup, unless it has not looked at the offer yet. */
static void close_terminal(struct relay *r)
{
	if (r->master >= 0)
		close(r->master);
	r->master = -1;
	wire_free(&r->typed);
	r->behind = false;
	pthread_mutex_lock(&r->lock);
	if (r->offer.fd >= 0)
		close(r->offer.fd);
	r->offer.fd = -1;
	r->left = false;
	r->restore[0] = '\0';
	pthread_mutex_unlock(&r->lock);
}

static bool offer_terminal(struct relay *r, const struct wire_hello *guest)
{
	int slave;
	close_terminal(r);
	if (!open_pair(&r->master, &slave, guest->size))
		return false;
	pthread_mutex_lock(&r->lock);
	r->offer = (struct terminal){ slave, ++r->number, *guest };
	pthread_mutex_unlock(&r->lock);
	poke(r->news);
	return true;
}

/* ---- guests ---- */

static void forget(struct relay *r, struct guest *g)
{
	if (r->attached == g) {
		r->attached = NULL;
		close_terminal(r);
	}
	close(g->fd);
	wire_free(&g->in);
	wire_free(&g->out);
	*g = (struct guest){ .fd = -1 };
}

/* Sends what can be; a guest that is gone is forgotten. */
static void flush(struct relay *r, struct guest *g)
{
	size_t before = wire_pending(&g->out);
	if (!wire_send(g->fd, &g->out))
		forget(r, g);
	else if (wire_pending(&g->out) < before)
		g->moved = clock_us();
}

static void begin_to_wait(struct guest *g)
{
	if (wire_pending(&g->out) == 0)
		g->moved = clock_us();
}

static void say_bye(struct relay *r, struct guest *g, int code, bool restored, const char *text)
{
	struct wire_bye bye = { .code = (uint8_t)code, .restored = restored };
	copy_text(bye.text, sizeof(bye.text), text);
	if (r->attached == g) {
		r->attached = NULL;
		close_terminal(r);
	}
	begin_to_wait(g);
	wire_put_bye(&g->out, &bye);
	set_state(g, GUEST_LEAVING);
}

static void say_detached(struct relay *r, struct guest *g, const char *why)
{
	char text[512], what[256];
	r->host.describe(r->host.data, what, sizeof(what));
	snprintf(text, sizeof(text), "[detached%s%s: %s; pgpier attaches again]", why[0] ? " by " : "", why, what);
	say_bye(r, g, 0, false, text);
}

static void attach(struct relay *r, struct guest *g)
{
	if (r->attached)
		say_detached(r, r->attached, g->hello.from);
	begin_to_wait(g);
	if (!offer_terminal(r, &g->hello)) {
		say_bye(r, g, 1, false, "could not open a pseudo-terminal");
		return;
	}
	wire_put(&g->out, WIRE_WELCOME, NULL, 0);
	set_state(g, GUEST_ATTACHED);
	r->attached = g;
	r->attached_us = wall_us();
}

static void knock(struct relay *r, struct guest *g)
{
	if (!r->attached || g->hello.force) {
		attach(r, g);
		return;
	}
	begin_to_wait(g);
	wire_put(&g->out, WIRE_BUSY, r->attached->hello.from, strlen(r->attached->hello.from));
	set_state(g, GUEST_ASKED);
}

static void tell_status(struct relay *r, struct guest *g)
{
	struct wire_status s = { .pid = getpid(), .since_us = r->since_us };
	copy_text(s.release, sizeof(s.release), PGPIER_VERSION);
	if (r->attached) {
		s.attached_us = r->attached_us;
		copy_text(s.from, sizeof(s.from), r->attached->hello.from);
	}
	r->host.describe(r->host.data, s.sentence, sizeof(s.sentence));
	begin_to_wait(g);
	wire_put_status(&g->out, &s);
	set_state(g, GUEST_LEAVING);
}

static void detach_other(struct relay *r, struct guest *g)
{
	char text[256];
	if (!r->attached) {
		say_bye(r, g, 0, false, "nobody is attached");
		return;
	}
	snprintf(text, sizeof(text), "detached %s", r->attached->hello.from);
	say_detached(r, r->attached, g->hello.from);
	say_bye(r, g, 0, false, text);
}

static void want_stop(struct relay *r, struct guest *g)
{
	char why[384];
	if (!g->hello.force && r->host.keeps(r->host.data, why, sizeof(why))) {
		say_bye(r, g, 1, false, why);
		return;
	}
	set_state(g, GUEST_AWAITING_END);
	pthread_mutex_lock(&r->lock);
	r->stop_wanted = true;
	pthread_mutex_unlock(&r->lock);
	poke(r->news);
}

static void look_at_pause(struct relay *r, struct guest *g)
{
	struct error e = { 0 };
	char line[1200];
	if (!r->host.paused(r->host.data, g->ticket, &e))
		return;
	if (e.class == ERROR_NONE)
		snprintf(line, sizeof(line), "mirror %s is paused", g->hello.mirror);
	else
		error_line(&e, line, sizeof(line));
	say_bye(r, g, e.class == ERROR_NONE ? 0 : 1, false, line);
}

static void greet(struct relay *r, struct guest *g)
{
	char text[256];
	if (g->hello.version != WIRE_VERSION) {
		snprintf(text, sizeof(text),
			"the engine that runs is pgpier " PGPIER_VERSION ", which speaks version %d of the protocol, and this pgpier"
			" version %d; the verbs with --json work with both", WIRE_VERSION, g->hello.version);
		say_bye(r, g, 1, false, text);
		return;
	}
	switch (g->hello.purpose) {
	case WIRE_TO_ATTACH:
		knock(r, g);
		return;
	case WIRE_TO_ASK:
		tell_status(r, g);
		return;
	case WIRE_TO_DETACH:
		detach_other(r, g);
		return;
	case WIRE_TO_STOP:
		want_stop(r, g);
		return;
	case WIRE_TO_PAUSE:
		g->ticket = r->host.pause(r->host.data, g->hello.mirror);
		set_state(g, GUEST_PAUSING);
		return;
	case WIRE_PURPOSES:
		break;
	}
	forget(r, g);
}

static void let_in(struct relay *r)
{
	int fd = accept4(r->listener, NULL, NULL, SOCK_CLOEXEC);
	struct guest *g = NULL;
	for (size_t i = 0; i < MOST_GUESTS && !g; i++)
		if (r->guests[i].state == GUEST_NONE)
			g = &r->guests[i];
	if (fd < 0)
		return;
	if (!g || !place_is_ours(fd)) {
		close(fd);
		return;
	}
	g->fd = fd;
	set_state(g, GUEST_GREETING);
}

/* ---- frames ---- */

static void resize(struct relay *r, struct guest *g, struct wire_size size)
{
	g->hello.size = size;
	apply_size(r->master, size);
	pthread_mutex_lock(&r->lock);
	r->offer.guest.size = size;
	pthread_mutex_unlock(&r->lock);
	poke(r->news);
}

/* False: not a frame that a guest in its state may send. */
static bool obey(struct relay *r, struct guest *g, const struct wire_frame *f)
{
	struct wire_size size;
	switch (g->state) {
	case GUEST_GREETING:
		if (!wire_hello(f, &g->hello))
			return false;
		greet(r, g);
		return true;
	case GUEST_ASKED:
		if (f->kind == WIRE_TAKE)
			attach(r, g);
		return f->kind == WIRE_TAKE || f->kind == WIRE_SIZE;
	case GUEST_ATTACHED:
		if (f->kind == WIRE_INPUT)
			strbuf_addn(&r->typed.bytes, f->payload, f->size);
		else if (f->kind == WIRE_REDRAW)
			return offer_terminal(r, &g->hello);
		else if (f->kind == WIRE_SIZE && wire_size(f, &size))
			resize(r, g, size);
		else
			return false;
		return true;
	default:
		return true; /* late words of one that leaves */
	}
}

static void hear(struct relay *r, struct guest *g)
{
	struct wire_frame f;
	enum wire_result result = WIRE_MORE;
	bool ok = wire_receive(g->fd, &g->in);
	while (ok && g->state != GUEST_NONE && (result = wire_next(&g->in, &f)) == WIRE_FRAME)
		ok = obey(r, g, &f);
	if (g->state != GUEST_NONE && (!ok || result == WIRE_BROKEN))
		forget(r, g);
}

static void type(struct relay *r)
{
	size_t left = wire_pending(&r->typed);
	ssize_t n = write(r->master, r->typed.bytes.text + r->typed.done, left);
	if (n > 0)
		r->typed.done += (size_t)n;
	wire_compact(&r->typed);
}

/* ---- what is drawn ---- */

static void console_left(struct relay *r)
{
	char text[512];
	pthread_mutex_lock(&r->lock);
	bool left = r->left;
	copy_text(text, sizeof(text), left ? r->sentence : "[the console has closed; pgpier opens it again]");
	pthread_mutex_unlock(&r->lock);
	say_bye(r, r->attached, left ? 0 : 1, left, text);
}

/* False when there is nothing more for now. */
static bool read_drawn(struct relay *r)
{
	char part[WIRE_PAYLOAD_MAX];
	struct guest *g = r->attached;
	ssize_t n = read(r->master, part, sizeof(part));
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) { /* EIO: nobody has the other side open */
		console_left(r);
		return false;
	}
	if (r->behind)
		return true;
	begin_to_wait(g);
	wire_put(&g->out, WIRE_OUTPUT, part, (size_t)n);
	r->behind = wire_pending(&g->out) > MOST_BEHIND;
	return true;
}

static void catch_up(struct relay *r)
{
	struct guest *g = r->attached;
	if (!g || !r->behind || wire_pending(&g->out) > 0)
		return;
	wire_put(&g->out, WIRE_OUTPUT, CANCEL, 1);
	if (!offer_terminal(r, &g->hello))
		forget(r, g);
}

static void send_restore(struct relay *r)
{
	char text[sizeof(r->restore)];
	pthread_mutex_lock(&r->lock);
	copy_text(text, sizeof(text), r->restore);
	r->restore[0] = '\0';
	pthread_mutex_unlock(&r->lock);
	if (r->attached && text[0] != '\0') {
		begin_to_wait(r->attached);
		wire_put(&r->attached->out, WIRE_RESTORE, text, strlen(text));
	}
}

/* ---- the thread ---- */

/* When a guest's patience, or ours with it, is over; INT64_MAX never. */
static int64_t deadline(const struct guest *g)
{
	static const int64_t limits[] = {
		[GUEST_GREETING] = GREETING_US,
		[GUEST_ASKED] = ASKED_US,
		[GUEST_LEAVING] = LEAVING_US,
		[GUEST_AWAITING_END] = 0,
	};
	int64_t at = INT64_MAX;
	if (g->state == GUEST_NONE)
		return at;
	if (g->state < ARRAY_SIZE(limits) && limits[g->state] > 0)
		at = g->since + limits[g->state];
	if (wire_pending(&g->out) > 0)
		at = MIN(at, g->moved + STALLED_US);
	return at;
}

static int wait_ms(const struct relay *r)
{
	int64_t now = clock_us(), at = INT64_MAX;
	for (size_t i = 0; i < MOST_GUESTS; i++) {
		at = MIN(at, deadline(&r->guests[i]));
		if (r->guests[i].state == GUEST_PAUSING)
			at = MIN(at, now + PAUSE_LOOKS_US);
	}
	return at == INT64_MAX ? -1 : (int)(MAX(at - now, 0) / 1000 + 1);
}

static short events_of(const struct relay *r, const struct guest *g)
{
	short events = 0;
	if (r->attached != g || wire_pending(&r->typed) < MOST_TYPED)
		events |= POLLIN;
	if (wire_pending(&g->out) > 0)
		events |= POLLOUT;
	return events;
}

static void serve_guests(struct relay *r, const struct pollfd *fds)
{
	int64_t now = clock_us();
	for (size_t i = 0; i < MOST_GUESTS; i++) {
		struct guest *g = &r->guests[i];
		if (g->state == GUEST_NONE || g->fd != fds[i].fd)
			continue;
		if (fds[i].revents & (POLLIN | POLLHUP | POLLERR))
			hear(r, g);
		if (g->state == GUEST_PAUSING)
			look_at_pause(r, g);
		if (g->state != GUEST_NONE && deadline(g) <= now)
			forget(r, g);
	}
	for (size_t i = 0; i < MOST_GUESTS; i++) {
		struct guest *g = &r->guests[i];
		if (g->state != GUEST_NONE && wire_pending(&g->out) > 0)
			flush(r, g);
		if (g->state == GUEST_LEAVING && wire_pending(&g->out) == 0)
			forget(r, g);
	}
}

static void turn(struct relay *r)
{
	struct pollfd fds[3 + MOST_GUESTS] = {
		{ .fd = r->wake, .events = POLLIN },
		{ .fd = r->listener, .events = POLLIN },
		{ .fd = r->master, .events = (short)(POLLIN | (wire_pending(&r->typed) > 0 ? POLLOUT : 0)) },
	};
	for (size_t i = 0; i < MOST_GUESTS; i++) {
		struct guest *g = &r->guests[i];
		fds[3 + i] = (struct pollfd){ .fd = g->state == GUEST_NONE ? -1 : g->fd, .events = events_of(r, g) };
	}
	if (poll(fds, ARRAY_SIZE(fds), wait_ms(r)) < 0)
		return;
	if (fds[0].revents) {
		drain(r->wake);
		send_restore(r);
	}
	if (fds[2].revents & POLLOUT)
		type(r);
	if (fds[2].revents & (POLLIN | POLLHUP))
		read_drawn(r);
	serve_guests(r, fds + 3);
	catch_up(r);
	if (fds[1].revents)
		let_in(r);
}

static bool is_ending(struct relay *r)
{
	pthread_mutex_lock(&r->lock);
	bool ending = r->ending;
	pthread_mutex_unlock(&r->lock);
	return ending;
}

/* The console has closed its terminal by now. */
static void say_bye_to_all(struct relay *r)
{
	int64_t until = clock_us() + ENDING_US;
	while (r->attached && read_drawn(r))
		;
	for (size_t i = 0; i < MOST_GUESTS; i++) {
		struct guest *g = &r->guests[i];
		if (g->state == GUEST_NONE || g->state == GUEST_LEAVING)
			continue;
		bool waits = g->state == GUEST_AWAITING_END;
		say_bye(r, g, waits ? 0 : 1, false, r->sentence);
		if (waits)
			set_state(g, GUEST_AWAITING_END);
	}
	for (size_t i = 0; i < MOST_GUESTS; i++) {
		struct guest *g = &r->guests[i];
		struct pollfd p = { .fd = g->fd, .events = POLLOUT };
		while (g->state != GUEST_NONE && wire_pending(&g->out) > 0 && clock_us() < until &&
			   poll(&p, 1, (int)(ENDING_US / 1000)) > 0)
			flush(r, g);
		if (g->state != GUEST_NONE && g->state != GUEST_AWAITING_END)
			forget(r, g);
	}
}

static void *relay_main(void *arg)
{
	struct relay *r = arg;
	pthread_setname_np(pthread_self(), "relay");
	while (!is_ending(r))
		turn(r);
	say_bye_to_all(r);
	return NULL;
}

struct relay *relay_new(int take_listener, const struct relay_host *host, struct error *e)
{
	struct relay *r = xcalloc(1, sizeof(*r));
	sigset_t all, before;
	r->listener = take_listener;
	r->host = *host;
	r->master = r->offer.fd = -1;
	r->since_us = wall_us();
	r->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r->news = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	for (size_t i = 0; i < MOST_GUESTS; i++)
		r->guests[i].fd = -1;
	pthread_mutex_init(&r->lock, NULL);
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before); /* the thread inherits it */
	int failed = pthread_create(&r->thread, NULL, relay_main, r);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!failed)
		return r;
	error_set(e, ERROR_BUG, "could not start a thread: %s", strerror(failed));
	close(r->listener);
	relay_free(r);
	return NULL;
}

void relay_end(struct relay *r, const char *sentence)
{
	pthread_mutex_lock(&r->lock);
	r->ending = true;
	if (!r->left)
		copy_text(r->sentence, sizeof(r->sentence), sentence);
	pthread_mutex_unlock(&r->lock);
	poke(r->wake);
	pthread_join(r->thread, NULL);
	close(r->listener);
}

void relay_free(struct relay *r)
{
	for (size_t i = 0; i < MOST_GUESTS; i++)
		if (r->guests[i].state != GUEST_NONE)
			forget(r, &r->guests[i]);
	close(r->wake);
	close(r->news);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

/* ---- for the console's thread ---- */

int relay_fd(const struct relay *r)
{
	return r->news;
}

struct relay_news relay_news(struct relay *r)
{
	drain(r->news);
	pthread_mutex_lock(&r->lock);
	struct relay_news news = { .terminal = r->offer.fd >= 0, .stop = r->stop_wanted };
	pthread_mutex_unlock(&r->lock);
	return news;
}

bool relay_take(struct relay *r, struct terminal *out)
{
	pthread_mutex_lock(&r->lock);
	*out = r->offer;
	r->offer.fd = -1;
	pthread_mutex_unlock(&r->lock);
	return out->fd >= 0;
}

void relay_restore(struct relay *r, const struct terminal *t, const char *sequence)
{
	pthread_mutex_lock(&r->lock);
	if (t->number == r->number)
		copy_text(r->restore, sizeof(r->restore), sequence);
	pthread_mutex_unlock(&r->lock);
	poke(r->wake);
}

void relay_leave(struct relay *r, const struct terminal *t, const char *sentence)
{
	pthread_mutex_lock(&r->lock);
	if (t->number == r->number) {
		r->left = true;
		copy_text(r->sentence, sizeof(r->sentence), sentence);
	}
	pthread_mutex_unlock(&r->lock);
}
