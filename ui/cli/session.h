// SPDX-License-Identifier: PostgreSQL
/* What a verb works with: a running engine, and signals that arrive as something to poll, so that
 * no verb sleeps and none is interrupted halfway. One thread uses it. */
#ifndef SESSION_H
#define SESSION_H

#include <pgpier/engine.h>

#include "args.h"
#include "verbs.h"

struct session {
	struct engine *engine;
	struct model *model; /* the engine's */
	int signals;         /* readable when SIGINT, SIGTERM or SIGHUP came */
	int input;           /* a terminal that an answer is awaited from; -1 none */
	int64_t woken_us;    /* when the model last did */
	bool json;
};

/* Starts the engine for a verb, or prints what is wrong with the configuration. */
enum exit_code session_open(struct session *s, const struct args *a) MUST_CHECK;
void session_close(struct session *s);

/* The engine alone, its threads deaf to signals; of a console, it looks after peers and resumes. NULL when the configuration is wrong: printed. */
struct engine *session_engine_new(const struct args *a, bool console) MUST_CHECK;

enum wake { WAKE_TIME, WAKE_MODEL, WAKE_SIGNAL, WAKE_INPUT };

/* Sleeps until the model moved, a signal or an input came, or the time is over (negative: no limit). Look at
 * the model before the first wait: what happened earlier may not wake again. A model that moves all
 * the time wakes fifty times a second. */
enum wake session_wait(struct session *s, int timeout_ms);
/* Lets changes gather before the next look, for a reader to whom each look has its price. */
enum wake session_rest(struct session *s, int ms);

/* A command on its way. */
struct pending {
	uint64_t ticket;
	struct outcome outcome; /* the caller releases what it holds */
};
struct pending session_submit(struct session *s, struct command *take);
/* Waits until all are done or failed; a signal cancels those that are not, is reported, and is
 * false. */
bool session_finish(struct session *s, struct pending *all, size_t count);
/* Those that are not over; reports it. */
void session_cancel(struct session *s, struct pending *all, size_t count);
bool session_over(struct session *s, struct pending *p); /* looks, never waits */
/* One command that is waited for. Anything but EXIT_DONE was reported. */
enum exit_code session_command(struct session *s, struct command *take, struct outcome *out);

/* The mirror's view, or an error that suggests a name, reported. */
bool session_mirror(struct session *s, const char *name, struct mirror_view *out);

#endif
