// SPDX-License-Identifier: PostgreSQL
/* Telling threads to stop whatever they wait for: a flag and an eventfd that stays readable once raised,
 * so that any number of polls can have it beside their socket. May be raised from any thread, also from a
 * signal handler. A stop may have a parent, whose raising counts as its own (engine > mirror > worker). */
#ifndef STOP_H
#define STOP_H

#include <pgpier/base.h>

struct stop;

struct stop *stop_new(const struct stop *parent); /* parent may be NULL and must outlive it */
void stop_free(struct stop *s);
void stop_raise(struct stop *s);
void stop_reset(struct stop *s); /* of this one, not of its parent; only while nobody waits on it */
bool stop_raised(const struct stop *s);

/* Waits until fd (-1: none) has one of `events` (POLLIN, POLLOUT), the stop is raised, or timeout_ms
 * (negative: for ever) is over. Returns the events of fd, 0 for time or stop. */
short stop_poll(const struct stop *s, int fd, short events, int timeout_ms);
/* The same for two sockets; revents are written to out[0] and out[1]. A negative fd is left out. */
void stop_poll2(const struct stop *s, const int fd[2], const short events[2], short out[2], int timeout_ms);
/* stop_poll for so short a while that milliseconds are too coarse. */
short stop_doze(const struct stop *s, int fd, short events, int us);
bool stop_sleep(const struct stop *s, int ms); /* false when raised */

#endif
