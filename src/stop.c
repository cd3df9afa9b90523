// SPDX-License-Identifier: PostgreSQL
#include "stop.h"

#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

struct stop {
	const struct stop *parent;
	atomic_bool raised;
	int fd;
};

#define MOST_ANCESTORS 6

struct stop *stop_new(const struct stop *parent)
{
	struct stop *s = xcalloc(1, sizeof(*s));
	s->parent = parent;
	s->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return s;
}

void stop_free(struct stop *s)
{
	if (!s)
		return;
	if (s->fd >= 0)
		close(s->fd);
	free(s);
}

void stop_raise(struct stop *s)
{
	atomic_store(&s->raised, true);
	ssize_t n = write(s->fd, &(uint64_t){ 1 }, sizeof(uint64_t));
	(void)n; /* only a full counter can refuse, and then it is readable already */
}

void stop_reset(struct stop *s)
{
	uint64_t count;
	ssize_t n = read(s->fd, &count, sizeof(count));
	(void)n;
	atomic_store(&s->raised, false);
}

bool stop_raised(const struct stop *s)
{
	for (; s; s = s->parent)
		if (atomic_load(&s->raised))
			return true;
	return false;
}

static void wait_for(const struct stop *s, const int fd[2], const short events[2], short out[2],
	const struct timespec *timeout)
{
	struct pollfd p[2 + MOST_ANCESTORS];
	nfds_t n = 2;
	for (int i = 0; i < 2; i++)
		p[i] = (struct pollfd){ .fd = fd[i], .events = events[i] };
	for (const struct stop *a = s; a && n < ARRAY_SIZE(p); a = a->parent)
		p[n++] = (struct pollfd){ .fd = a->fd, .events = POLLIN };
	out[0] = out[1] = 0;
	if (ppoll(p, n, timeout, NULL) > 0 && !stop_raised(s))
		for (int i = 0; i < 2; i++)
			out[i] = p[i].revents;
}

static struct timespec timespec_of(int64_t us)
{
	return (struct timespec){ .tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000 };
}

void stop_poll2(const struct stop *s, const int fd[2], const short events[2], short out[2], int timeout_ms)
{
	struct timespec timeout = timespec_of((int64_t)MAX(timeout_ms, 0) * 1000);
	wait_for(s, fd, events, out, timeout_ms < 0 ? NULL : &timeout);
}

short stop_poll(const struct stop *s, int fd, short events, int timeout_ms)
{
	short out[2];
	stop_poll2(s, (int[2]){ fd, -1 }, (short[2]){ events, 0 }, out, timeout_ms);
	return out[0];
}

short stop_doze(const struct stop *s, int fd, short events, int us)
{
	short out[2];
	struct timespec timeout = timespec_of(us);
	wait_for(s, (int[2]){ fd, -1 }, (short[2]){ events, 0 }, out, &timeout);
	return out[0];
}

bool stop_sleep(const struct stop *s, int ms)
{
	int64_t until = clock_us() + (int64_t)ms * 1000;
	int64_t left;
	while (!stop_raised(s) && (left = until - clock_us()) > 0)
		stop_poll(s, -1, 0, (int)(left / 1000) + 1);
	return !stop_raised(s);
}
