// SPDX-License-Identifier: PostgreSQL
/* The relay's insides: relay.c has the thread, the pseudo-terminals and the console's side, guests.c who comes to the
 * door and what they may ask. */
#ifndef ATTACH_INSIDE_H
#define ATTACH_INSIDE_H

#include <pthread.h>

#include "relay.h"

#define MOST_GUESTS 16

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
	char config[1024]; /* full path; empty: the default one */

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

/* ---- relay.c ---- */
void relay_poke(int event);
void relay_resize(struct relay *r, struct wire_size size);
/* A new pseudo-terminal for the one that is attached; the console sees a hangup of what it drew on. */
bool relay_offer(struct relay *r, const struct wire_hello *guest) MUST_CHECK;
void relay_close_terminal(struct relay *r);

/* ---- guests.c ---- */
void guest_let_in(struct relay *r);
void guest_forget(struct relay *r, struct guest *g);
void guest_hear(struct relay *r, struct guest *g);
void guest_look_at_pause(struct relay *r, struct guest *g);
void guest_flush(struct relay *r, struct guest *g); /* sends what can be; one that is gone is forgotten */
void guest_begin_to_wait(struct guest *g);          /* before something is put into `out` */
void guest_say_bye(struct relay *r, struct guest *g, int code, bool restored, const char *text);
void guest_set_state(struct guest *g, enum guest_state state);
/* When its patience, or ours with it, is over; INT64_MAX never. */
int64_t guest_deadline(const struct guest *g);

#endif
