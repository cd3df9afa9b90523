// SPDX-License-Identifier: PostgreSQL
#include "relay_inside.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "place.h"

#define GREETING_US 10000000
#define ASKED_US 600000000
#define LEAVING_US 5000000
#define STALLED_US 30000000

void guest_set_state(struct guest *g, enum guest_state state)
{
	g->state = state;
	g->since = clock_us();
}

int64_t guest_deadline(const struct guest *g)
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

void guest_forget(struct relay *r, struct guest *g)
{
	if (r->attached == g) {
		r->attached = NULL;
		relay_close_terminal(r);
	}
	close(g->fd);
	wire_free(&g->in);
	wire_free(&g->out);
	*g = (struct guest){ .fd = -1 };
}

/* Sends what can be; a guest that is gone is forgotten. */
void guest_flush(struct relay *r, struct guest *g)
{
	size_t before = wire_pending(&g->out);
	if (!wire_send(g->fd, &g->out))
		guest_forget(r, g);
	else if (wire_pending(&g->out) < before)
		g->moved = clock_us();
}

void guest_begin_to_wait(struct guest *g)
{
	if (wire_pending(&g->out) == 0)
		g->moved = clock_us();
}

void guest_say_bye(struct relay *r, struct guest *g, int code, bool restored, const char *text)
{
	struct wire_bye bye = { .code = (uint8_t)code, .restored = restored };
	copy_text(bye.text, sizeof(bye.text), text);
	if (r->attached == g) {
		r->attached = NULL;
		relay_close_terminal(r);
	}
	guest_begin_to_wait(g);
	wire_put_bye(&g->out, &bye);
	guest_set_state(g, GUEST_LEAVING);
}

static void say_detached(struct relay *r, struct guest *g, const char *why)
{
	char text[512], what[256];
	r->host.describe(r->host.data, what, sizeof(what));
	snprintf(text, sizeof(text), "[detached%s%s: %s; pgpier attaches again]", why[0] ? " by " : "", why, what);
	guest_say_bye(r, g, 0, false, text);
}

static void attach(struct relay *r, struct guest *g)
{
	if (r->attached)
		say_detached(r, r->attached, g->hello.from);
	guest_begin_to_wait(g);
	if (!relay_offer(r, &g->hello)) {
		guest_say_bye(r, g, 1, false, "could not open a pseudo-terminal");
		return;
	}
	wire_put(&g->out, WIRE_WELCOME, NULL, 0);
	guest_set_state(g, GUEST_ATTACHED);
	r->attached = g;
	r->attached_us = wall_us();
}

/* Who names another configuration would be shown the wrong peers. */
static bool is_elsewhere(struct relay *r, struct guest *g)
{
	char text[512];
	if (strcmp(g->hello.config, r->config) == 0)
		return false;
	snprintf(text, sizeof(text), "pgpier: the engine that runs reads %s%s; say so as well, or name a state directory of its own",
		r->config[0] ? "--config " : "the default configuration", r->config);
	guest_say_bye(r, g, 1, false, text);
	return true;
}

static void knock(struct relay *r, struct guest *g)
{
	if (is_elsewhere(r, g))
		return;
	if (!r->attached || g->hello.force) {
		attach(r, g);
		return;
	}
	guest_begin_to_wait(g);
	wire_put(&g->out, WIRE_BUSY, r->attached->hello.from, strlen(r->attached->hello.from));
	guest_set_state(g, GUEST_ASKED);
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
	guest_begin_to_wait(g);
	wire_put_status(&g->out, &s);
	guest_set_state(g, GUEST_LEAVING);
}

static void detach_other(struct relay *r, struct guest *g)
{
	char text[256];
	if (!r->attached) {
		guest_say_bye(r, g, 0, false, "nobody is attached");
		return;
	}
	snprintf(text, sizeof(text), "detached %s", r->attached->hello.from);
	say_detached(r, r->attached, g->hello.from);
	guest_say_bye(r, g, 0, false, text);
}

static void want_stop(struct relay *r, struct guest *g)
{
	char why[384];
	if (!g->hello.force && r->host.keeps(r->host.data, why, sizeof(why))) {
		guest_say_bye(r, g, 1, false, why);
		return;
	}
	guest_set_state(g, GUEST_AWAITING_END);
	pthread_mutex_lock(&r->lock);
	r->stop_wanted = true;
	pthread_mutex_unlock(&r->lock);
	relay_poke(r->news);
}

void guest_look_at_pause(struct relay *r, struct guest *g)
{
	struct error e = { 0 };
	char line[1200];
	if (!r->host.paused(r->host.data, g->ticket, &e))
		return;
	if (e.class == ERROR_NONE)
		snprintf(line, sizeof(line), "mirror %s is paused", g->hello.mirror);
	else
		error_line(&e, line, sizeof(line));
	guest_say_bye(r, g, e.class == ERROR_NONE ? 0 : 1, false, line);
}

static void greet(struct relay *r, struct guest *g)
{
	char text[256];
	if (g->hello.version != WIRE_VERSION) {
		snprintf(text, sizeof(text),
			"the engine that runs is pgpier " PGPIER_VERSION ", which speaks version %d of the protocol, and this pgpier"
			" version %d; the verbs with --json work with both", WIRE_VERSION, g->hello.version);
		guest_say_bye(r, g, 1, false, text);
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
		guest_set_state(g, GUEST_PAUSING);
		return;
	case WIRE_PURPOSES:
		break;
	}
	guest_forget(r, g);
}

static void seat(struct relay *r, int take_fd)
{
	for (size_t i = 0; i < MOST_GUESTS; i++) {
		struct guest *g = &r->guests[i];
		if (g->state != GUEST_NONE)
			continue;
		g->fd = take_fd;
		guest_set_state(g, GUEST_GREETING);
		return;
	}
	close(take_fd);
}

void guest_let_in(struct relay *r)
{
	int fd;
	while ((fd = accept4(r->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		if (place_is_ours(fd))
			seat(r, fd);
		else
			close(fd);
	}
}

/* ---- frames ---- */

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
		if (f->kind == WIRE_SIZE)
			return wire_size(f, &g->hello.size);
		if (f->kind == WIRE_TAKE)
			attach(r, g);
		return f->kind == WIRE_TAKE;
	case GUEST_ATTACHED:
		if (f->kind == WIRE_INPUT)
			strbuf_addn(&r->typed.bytes, f->payload, f->size);
		else if (f->kind == WIRE_REDRAW)
			return relay_offer(r, &g->hello);
		else if (f->kind == WIRE_SIZE && wire_size(f, &size))
			relay_resize(r, size);
		else
			return false;
		return true;
	default:
		return true; /* late words of one that leaves */
	}
}

void guest_hear(struct relay *r, struct guest *g)
{
	struct wire_frame f;
	enum wire_result result = WIRE_MORE;
	bool ok = wire_receive(g->fd, &g->in);
	while (ok && g->state != GUEST_NONE && (result = wire_next(&g->in, &f)) == WIRE_FRAME)
		ok = obey(r, g, &f);
	if (g->state != GUEST_NONE && (!ok || result == WIRE_BROKEN))
		guest_forget(r, g);
}

