// SPDX-License-Identifier: PostgreSQL
/* The mutex, the version, the events and the outcomes. */
#include "inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../log.h"

struct model *model_new(void)
{
	struct model *m = xcalloc(1, sizeof(*m));
	pthread_mutex_init(&m->lock, NULL);
	m->eventfd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	m->events = xcalloc(EVENT_KEEP, sizeof(*m->events));
	return m;
}

void model_free(struct model *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->peer_count; i++)
		peer_entry_free(m->peers[i]);
	for (size_t i = 0; i < m->mirror_count; i++)
		mirror_entry_free(m->mirrors[i]);
	for (size_t i = 0; i < OUTCOME_KEEP; i++) {
		catalog_release(m->outcomes[i].outcome.catalog);
		preflight_release(m->outcomes[i].outcome.preflight);
		comparison_release(m->outcomes[i].outcome.comparison);
		verification_release(m->outcomes[i].outcome.verification);
	}
	free(m->peers);
	free(m->mirrors);
	free(m->events);
	close(m->eventfd);
	pthread_mutex_destroy(&m->lock);
	free(m);
}

void model_lock(struct model *m)
{
	pthread_mutex_lock(&m->lock);
}

void model_unlock(struct model *m)
{
	pthread_mutex_unlock(&m->lock);
}

void model_unlock_changed(struct model *m)
{
	atomic_fetch_add(&m->version, 1);
	pthread_mutex_unlock(&m->lock);
	if (atomic_exchange(&m->told, true))
		return;
	ssize_t n = write(m->eventfd, &(uint64_t){ 1 }, sizeof(uint64_t));
	(void)n; /* a full counter is readable already */
}

uint64_t model_version(struct model *m)
{
	return atomic_load(&m->version);
}

int model_eventfd_borrow(struct model *m)
{
	return m->eventfd;
}

void model_eventfd_drain(struct model *m)
{
	uint64_t count;
	ssize_t n = read(m->eventfd, &count, sizeof(count));
	(void)n;
	/* In this order: a change in between is not told, but is seen by the look that follows. */
	atomic_store(&m->told, false);
}

/* ---- events ---- */

void model_event(struct model *m, enum event_level level, const char *object, const struct error *e,
	const char *fmt, ...)
{
	char text[1024];
	va_list args;
	va_start(args, fmt);
	int n = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (e && n >= 0 && (size_t)n < sizeof(text)) {
		char line[1024];
		snprintf(text + n, sizeof(text) - (size_t)n, "%s%s", n > 0 ? ": " : "",
			error_line(e, line, sizeof(line)));
	}
	model_lock(m);
	struct event *event = &m->events[m->events_end % EVENT_KEEP];
	*event = (struct event){ .seq = m->events_end++, .at = wall_us(), .level = level };
	copy_text(event->object, sizeof(event->object), object);
	copy_text(event->text, sizeof(event->text), text);
	if (e) {
		copy_text(event->sqlstate, sizeof(event->sqlstate), e->sqlstate);
		copy_text(event->detail, sizeof(event->detail), e->detail);
		copy_text(event->statement, sizeof(event->statement), e->statement);
	}
	log_event(event);
	model_unlock_changed(m);
}

size_t model_events(struct model *m, uint64_t from, size_t n, struct event *out, uint64_t *first_kept)
{
	size_t copied = 0;
	model_lock(m);
	uint64_t first = m->events_end > EVENT_KEEP ? m->events_end - EVENT_KEEP : 0;
	for (uint64_t seq = MAX(from, first); seq < m->events_end && copied < n; seq++)
		out[copied++] = m->events[seq % EVENT_KEEP];
	if (first_kept)
		*first_kept = first;
	model_unlock(m);
	return copied;
}

uint64_t model_events_end(struct model *m)
{
	model_lock(m);
	uint64_t end = m->events_end;
	model_unlock(m);
	return end;
}

/* ---- outcomes ---- */

static struct outcome_entry *outcome_find(struct model *m, uint64_t ticket)
{
	for (size_t i = 0; i < OUTCOME_KEEP; i++)
		if (m->outcomes[i].ticket == ticket)
			return &m->outcomes[i];
	return NULL;
}

void model_outcome_begin(struct model *m, uint64_t ticket)
{
	model_lock(m);
	struct outcome_entry *o = &m->outcomes[m->outcome_next++ % OUTCOME_KEEP];
	catalog_release(o->outcome.catalog);
	preflight_release(o->outcome.preflight);
	comparison_release(o->outcome.comparison);
	verification_release(o->outcome.verification);
	*o = (struct outcome_entry){ .ticket = ticket, .outcome.state = OUTCOME_RUNNING };
	model_unlock_changed(m);
}

void model_outcome_end(struct model *m, uint64_t ticket, const struct outcome *take)
{
	model_lock(m);
	struct outcome_entry *o = outcome_find(m, ticket);
	if (o) {
		o->outcome = *take;
		o->outcome.state = take->error.class != ERROR_NONE ? OUTCOME_FAILED : OUTCOME_DONE;
	} else {
		catalog_release(take->catalog);
		preflight_release(take->preflight);
		comparison_release(take->comparison);
		verification_release(take->verification);
	}
	model_unlock_changed(m);
}

bool model_outcome(struct model *m, uint64_t ticket, struct outcome *out)
{
	model_lock(m);
	const struct outcome_entry *o = ticket ? outcome_find(m, ticket) : NULL;
	*out = o ? o->outcome : (struct outcome){ 0 };
	if (out->catalog)
		catalog_hold(out->catalog);
	if (out->preflight)
		preflight_hold(out->preflight);
	if (out->comparison)
		comparison_hold(out->comparison);
	if (out->verification)
		verification_hold(out->verification);
	model_unlock(m);
	return out->state != OUTCOME_UNKNOWN;
}
