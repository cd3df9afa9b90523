// SPDX-License-Identifier: PostgreSQL
#include "session.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "report.h"
#include "shape.h"
#include "suggest.h"

#define WAKE_EVERY_US 20000

static sigset_t ending_signals(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	return set;
}

static void report_problems(const struct config_problems *p, bool json)
{
	struct json j = JSON_INIT;
	json_object(&j, NULL);
	json_array(&j, "errors");
	for (size_t i = 0; i < p->lines.count; i++) {
		struct error e = { 0 };
		error_set(&e, ERROR_CONFIG, "%s", p->lines.items[i]);
		report_error(&e, false);
		shape_error(&j, NULL, &e);
	}
	json_end_array(&j);
	json_end_object(&j);
	if (json)
		report_json(&j);
	else
		json_free(&j);
}

struct engine *session_engine_new(const struct args *a, bool console)
{
	struct engine_options options = {
		.config_path = a->given[OPTION_CONFIG],
		.state_dir = a->given[OPTION_STATE],
		.resumes = console && !(a->given[OPTION_READONLY] && a->given[OPTION_FOREGROUND]),
		.probe_peers = console,
	};
	struct config_problems problems = { 0 };
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before); /* the engine's threads inherit it */
	struct engine *g = engine_new(&options, &problems);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!g)
		report_problems(&problems, a->given[OPTION_JSON] != NULL);
	config_problems_free(&problems);
	return g;
}

enum exit_code session_open(struct session *s, const struct args *a)
{
	sigset_t set = ending_signals();
	*s = (struct session){ .signals = -1, .input = -1, .json = a->given[OPTION_JSON] != NULL };
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	s->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	s->engine = session_engine_new(a, false);
	if (!s->engine)
		return EXIT_USAGE;
	s->model = engine_model_borrow(s->engine);
	return EXIT_DONE;
}

void session_close(struct session *s)
{
	engine_free(s->engine);
	if (s->signals >= 0)
		close(s->signals);
}

static bool signal_came(struct session *s)
{
	struct signalfd_siginfo info;
	return read(s->signals, &info, sizeof(info)) == (ssize_t)sizeof(info);
}

enum wake session_wait(struct session *s, int timeout_ms)
{
	struct pollfd fds[] = {
		{ .fd = s->signals, .events = POLLIN },
		{ .fd = model_eventfd_borrow(s->model), .events = POLLIN },
		{ .fd = s->input, .events = POLLIN },
	};
	/* A load of small tables moves the model thousands of times a second, and to look at it costs. */
	int64_t rest_us = s->woken_us + WAKE_EVERY_US - clock_us();
	if (rest_us > 0 && poll(fds, 1, (int)(rest_us / 1000)) > 0 && signal_came(s))
		return WAKE_SIGNAL;
	if (poll(fds, ARRAY_SIZE(fds), timeout_ms) <= 0)
		return WAKE_TIME;
	if (fds[0].revents && signal_came(s))
		return WAKE_SIGNAL;
	if (fds[2].revents)
		return WAKE_INPUT;
	model_eventfd_drain(s->model);
	s->woken_us = clock_us();
	return WAKE_MODEL;
}

enum wake session_rest(struct session *s, int ms)
{
	struct pollfd fd = { .fd = s->signals, .events = POLLIN };
	return poll(&fd, 1, ms) > 0 && signal_came(s) ? WAKE_SIGNAL : WAKE_TIME;
}

struct pending session_submit(struct session *s, struct command *take)
{
	return (struct pending){ .ticket = engine_submit(s->engine, take) };
}

bool session_over(struct session *s, struct pending *p)
{
	enum outcome_state *state = &p->outcome.state;
	if (*state != OUTCOME_DONE && *state != OUTCOME_FAILED)
		model_outcome(s->model, p->ticket, &p->outcome);
	return *state == OUTCOME_DONE || *state == OUTCOME_FAILED;
}

void session_cancel(struct session *s, struct pending *all, size_t count)
{
	struct error e = { 0 };
	for (size_t i = 0; i < count; i++)
		if (!session_over(s, &all[i]))
			engine_submit(
				s->engine, &(struct command){ .kind = COMMAND_CANCEL, .ticket = all[i].ticket });
	error_set(&e, ERROR_CANCELLED, "interrupted");
	report_error(&e, s->json);
}

bool session_finish(struct session *s, struct pending *all, size_t count)
{
	for (;;) {
		size_t over = 0;
		for (size_t i = 0; i < count; i++)
			over += session_over(s, &all[i]);
		if (over == count)
			return true;
		if (session_wait(s, -1) == WAKE_SIGNAL) {
			session_cancel(s, all, count);
			return false;
		}
	}
}

enum exit_code session_command(struct session *s, struct command *take, struct outcome *out)
{
	struct pending p = session_submit(s, take);
	if (!session_finish(s, &p, 1))
		return EXIT_INTERRUPTED;
	*out = p.outcome;
	if (out->state == OUTCOME_DONE)
		return EXIT_DONE;
	report_error(&out->error, s->json);
	return report_class_exit(out->error.class);
}

bool session_mirror(struct session *s, const char *name, struct mirror_view *out)
{
	if (model_mirror(s->model, name, out))
		return true;
	struct error e = { 0 };
	struct mirror_view *all = NULL;
	size_t count = model_mirrors(s->model, &all);
	struct suggestion near = { .word = name };
	for (size_t i = 0; i < count; i++)
		suggest_try(&near, all[i].name);
	error_set(&e, ERROR_USAGE, "there is no mirror \"%s\"", name);
	suggest_next(&near, &e);
	error_next(&e, "pgpier mirror list shows those there are");
	report_error(&e, s->json);
	free(all);
	return false;
}
