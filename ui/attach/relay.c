// SPDX-License-Identifier: PostgreSQL
#include "relay_inside.h"

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
#include <termios.h>
#include <unistd.h>

#define MOST_TYPED 65536   /* bytes that the console has not read yet; more stays in the guest's socket */
#define MOST_BEHIND 262144 /* bytes that the guest has not read yet; more is not kept */
#define MOST_CELLS 1000    /* a way, of a screen */
#define ENDING_US 1000000
#define PAUSE_LOOKS_US 50000

/* A guest that comes again after it was behind may have seen half of an escape sequence: this ends it. */
#define CANCEL "\x18"

void relay_poke(int event)
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

/* ---- the pseudo-terminal ---- */

static void apply_size(int fd, struct wire_size size)
{
	struct winsize w = {
		.ws_row = (unsigned short)MIN(MAX(size.rows, 1), MOST_CELLS),
		.ws_col = (unsigned short)MIN(MAX(size.cols, 1), MOST_CELLS),
	};
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
void relay_close_terminal(struct relay *r)
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

bool relay_offer(struct relay *r, const struct wire_hello *guest)
{
	int slave;
	relay_close_terminal(r);
	if (!open_pair(&r->master, &slave, guest->size))
		return false;
	pthread_mutex_lock(&r->lock);
	r->offer = (struct terminal){ slave, ++r->number, *guest };
	pthread_mutex_unlock(&r->lock);
	relay_poke(r->news);
	return true;
}

void relay_resize(struct relay *r, struct wire_size size)
{
	r->attached->hello.size = size;
	apply_size(r->master, size);
	pthread_mutex_lock(&r->lock);
	r->offer.guest.size = size;
	pthread_mutex_unlock(&r->lock);
	relay_poke(r->news);
}

/* ---- what is typed and drawn ---- */

static void type(struct relay *r)
{
	size_t left = wire_pending(&r->typed);
	ssize_t n = write(r->master, r->typed.bytes.text + r->typed.done, left);
	if (n > 0)
		r->typed.done += (size_t)n;
	wire_compact(&r->typed);
}


static void console_left(struct relay *r)
{
	char text[512];
	pthread_mutex_lock(&r->lock);
	bool left = r->left;
	copy_text(text, sizeof(text), left ? r->sentence : "[the console has closed; pgpier opens it again]");
	pthread_mutex_unlock(&r->lock);
	guest_say_bye(r, r->attached, left ? 0 : 1, left, text);
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
	guest_begin_to_wait(g);
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
	if (!relay_offer(r, &g->hello))
		guest_forget(r, g);
}

static void send_restore(struct relay *r)
{
	char text[sizeof(r->restore)];
	pthread_mutex_lock(&r->lock);
	copy_text(text, sizeof(text), r->restore);
	r->restore[0] = '\0';
	pthread_mutex_unlock(&r->lock);
	if (r->attached && text[0] != '\0') {
		guest_begin_to_wait(r->attached);
		wire_put(&r->attached->out, WIRE_RESTORE, text, strlen(text));
	}
}

/* ---- the thread ---- */

static int wait_ms(const struct relay *r)
{
	int64_t now = clock_us(), at = INT64_MAX;
	for (size_t i = 0; i < MOST_GUESTS; i++) {
		at = MIN(at, guest_deadline(&r->guests[i]));
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
			guest_hear(r, g);
		if (g->state == GUEST_PAUSING)
			guest_look_at_pause(r, g);
		if (g->state != GUEST_NONE && guest_deadline(g) <= now)
			guest_forget(r, g);
	}
	for (size_t i = 0; i < MOST_GUESTS; i++) {
		struct guest *g = &r->guests[i];
		if (g->state != GUEST_NONE && wire_pending(&g->out) > 0)
			guest_flush(r, g);
		if (g->state == GUEST_LEAVING && wire_pending(&g->out) == 0)
			guest_forget(r, g);
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
		guest_let_in(r);
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
		guest_say_bye(r, g, waits ? 0 : 1, false, r->sentence);
		if (waits)
			guest_set_state(g, GUEST_AWAITING_END);
	}
	for (size_t i = 0; i < MOST_GUESTS; i++) {
		struct guest *g = &r->guests[i];
		struct pollfd p = { .fd = g->fd, .events = POLLOUT };
		while (g->state != GUEST_NONE && wire_pending(&g->out) > 0 && clock_us() < until &&
			   poll(&p, 1, (int)(ENDING_US / 1000)) > 0)
			guest_flush(r, g);
		if (g->state != GUEST_NONE && g->state != GUEST_AWAITING_END)
			guest_forget(r, g);
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
	copy_text(r->config, sizeof(r->config), host->config ? host->config : "");
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
	relay_poke(r->wake);
	pthread_join(r->thread, NULL);
	close(r->listener);
}

void relay_free(struct relay *r)
{
	for (size_t i = 0; i < MOST_GUESTS; i++)
		if (r->guests[i].state != GUEST_NONE)
			guest_forget(r, &r->guests[i]);
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
	relay_poke(r->wake);
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
