// SPDX-License-Identifier: PostgreSQL
/* Where the engine of a state directory is found: its folder run/, which is its owner's alone, with a lock and a
 * socket. The lock says who has the directory, and goes with its process, however that ends; so what is left of
 * one that was killed is known by not being locked. It lies with the state and not in $XDG_RUNTIME_DIR, which
 * goes with the last login. */
#ifndef ATTACH_PLACE_H
#define ATTACH_PLACE_H

#include <pgpier/error.h>
#include <sys/types.h>

struct place {
	char path[4096]; /* of run/ */
	int folder, lock;
};

/* Who has the state directory. */
struct holder {
	pid_t pid;
	bool background; /* else in the foreground: nobody can attach */
	char host[64];
};

/* Makes run/ in the state directory, if it is not there. A folder that others can enter is refused. */
bool place_open(struct place *p, const char *state_dir, struct error *e) MUST_CHECK;
void place_close(struct place *p); /* gives up the lock as well */

/* False when somebody else has it: then *who is known as far as it could be read, and *e says it. */
bool place_lock(struct place *p, bool background, struct holder *who, struct error *e) MUST_CHECK;
/* Does anybody else have it? Asks without taking. */
bool place_held(const struct place *p, struct holder *who);

/* "pgpier's engine (pid 4711) has /home/...; what to do". Returns false. */
bool place_say_held(const struct place *p, const struct holder *who, struct error *e);

/* By who has the lock: what an earlier one left is replaced. A descriptor, or -1. */
int place_listen(const struct place *p, struct error *e) MUST_CHECK;
/* A descriptor, or -1 when nobody listens. */
int place_connect(const struct place *p);
/* Is the process at the other end of a socket of the same user? */
bool place_is_ours(int socket);

#endif
