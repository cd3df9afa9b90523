// SPDX-License-Identifier: PostgreSQL
/* The background engine's door: a thread that lets guests in and copies bytes between the one that is attached and
 * a pseudo-terminal on which the console draws.
 *
 * Each attachment gets a pseudo-terminal of its own. So to the console a guest that comes is a terminal that is
 * offered, and one that leaves is a hangup; no byte of one can reach another; and because this thread always reads
 * what is drawn, sent on or not, the console never waits for a network. A guest that does not keep up is sent
 * nothing more until it has read what it has; then it gets a new pseudo-terminal, which is a full repaint. */
#ifndef ATTACH_RELAY_H
#define ATTACH_RELAY_H

#include <pgpier/error.h>

#include "wire.h"

/* A terminal to draw on: the slave's side, the console's to close. */
struct terminal {
	int fd;
	unsigned number;
	struct wire_hello guest;
};

/* What the thread asks of the engine. Called on the thread. */
struct relay_host {
	void *data;
	const char *config; /* full path of the configuration; NULL: the default one */
	/* "shop-2026 64%, ~1h 05m left" */
	void (*describe)(void *data, char *buf, size_t size);
	/* Why the engine had better not be stopped now; false: it may. */
	bool (*keeps)(void *data, char *why, size_t size);
	/* Begins to pause; the ticket is asked for with paused(). */
	uint64_t (*pause)(void *data, const char *mirror);
	bool (*paused)(void *data, uint64_t ticket, struct error *e);
};

struct relay;

/* Starts the thread; the listening socket is taken. NULL with an error when it can't. */
struct relay *relay_new(int take_listener, const struct relay_host *host, struct error *e) MUST_CHECK;
/* Every guest is told, and the thread ends; those that wait for the engine's end still wait. */
void relay_end(struct relay *r, const char *sentence);
void relay_free(struct relay *r); /* now they know */

/* ---- for the console's thread ---- */
int relay_fd(const struct relay *r); /* readable when there is news, or the terminal's size has changed */
struct relay_news {
	bool terminal; /* one is offered: relay_take() */
	bool stop;     /* somebody wants the engine to stop */
};
struct relay_news relay_news(struct relay *r);
bool relay_take(struct relay *r, struct terminal *out);
/* What gives the guest's terminal back, should we be killed. */
void relay_restore(struct relay *r, const struct terminal *t, const char *sequence);
/* The console leaves the terminal, which it has given back: the guest is told so when it is closed. */
void relay_leave(struct relay *r, const struct terminal *t, const char *sentence);

#endif
