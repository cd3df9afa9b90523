// SPDX-License-Identifier: PostgreSQL
#include "alert.h"

#include <fcntl.h>
#include <pgpier/format.h>
#include <pgpier/json.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "pool.h"

#define COMMAND_TIMEOUT_US 30000000
#define LEAVING_TIMEOUT_US 2000000
#define LOOK_MS 50

static const char *const names[ALERT_COUNT] = { "failed", "lag", "retained", "slot_lost", "load_done",
	"caught_up" };

const char *alert_name(enum alert_kind kind)
{
	return names[kind];
}

/* ---- what is to be told ---- */

#define BIT(kind) (1U << (kind))

/* Unknown values change nothing. */
static bool is_over(double value, double limit, bool was)
{
	if (limit <= 0)
		return false;
	return value < 0 ? was : value > (was ? 0.8 * limit : limit);
}

static bool has_failed(const struct alert_facts *f)
{
	return f->error && f->error->class != ERROR_NONE;
}

static unsigned conditions(const struct mirror_config *m, const struct alert_facts *f, unsigned before)
{
	unsigned now = 0;
	now |= has_failed(f) ? BIT(ALERT_FAILED) : 0;
	now |= is_over(f->lag_s, m->alert_lag_s, before & BIT(ALERT_LAG)) ? BIT(ALERT_LAG) : 0;
	now |= is_over((double)f->retained_bytes, (double)m->alert_retained_mb * 1e6, before & BIT(ALERT_RETAINED))
			   ? BIT(ALERT_RETAINED) : 0;
	now |= f->slot_lost ? BIT(ALERT_SLOT_LOST) : 0;
	now |= f->load_done ? BIT(ALERT_LOAD_DONE) : 0;
	bool trouble = now & (BIT(ALERT_FAILED) | BIT(ALERT_LAG) | BIT(ALERT_SLOT_LOST));
	bool caught_up = f->caught_up || (before & BIT(ALERT_CAUGHT_UP));
	return now | (caught_up && !trouble ? BIT(ALERT_CAUGHT_UP) : 0);
}

unsigned alert_changes(const struct mirror_config *limits, const struct alert_facts *facts,
	struct alert_memory *memory)
{
	unsigned now = conditions(limits, facts, memory->holding);
	unsigned news = now & ~memory->holding;
	char error[sizeof(memory->error)] = "";
	if (has_failed(facts))
		copy_text(error, sizeof(error), facts->error->text);
	if (now & BIT(ALERT_FAILED) && strcmp(error, memory->error) != 0)
		news |= BIT(ALERT_FAILED);
	memory->holding = now;
	copy_text(memory->error, sizeof(memory->error), error);
	return news;
}

/* ---- telling it ---- */

struct alerts {
	struct model *model;
	struct mirror_config config;
	char object[NAME_SIZE + 16];
	struct pool *pool;
	struct alert_memory memory;
	_Atomic int64_t leave_at; /* clock_us() */
};

struct telling {
	struct alerts *alerts;
	enum alert_kind kind;
	char *json;
};

static void say(const struct alerts *a, enum alert_kind kind, const struct alert_facts *f, char *text,
	size_t size)
{
	char number[FORMAT_SIZE];
	switch (kind) {
	case ALERT_FAILED:
		copy_text(text, size, f->error->text);
		return;
	case ALERT_LAG:
		snprintf(text, size, "lag is %.0f s, over alert_lag_s = %g", f->lag_s, a->config.alert_lag_s);
		return;
	case ALERT_RETAINED:
		snprintf(text, size, "the slot keeps %s of WAL on the source, over alert_retained_mb = %lld",
			format_bytes(f->retained_bytes, number), (long long)a->config.alert_retained_mb);
		return;
	case ALERT_SLOT_LOST:
		copy_text(text, size, "the slot is lost: changes that it kept are gone, the mirror must begin anew");
		return;
	case ALERT_LOAD_DONE:
		copy_text(text, size, "the initial load is done");
		return;
	default:
		copy_text(text, size, "caught up");
	}
}

static void put_known(struct json *j, const char *key, int64_t value)
{
	if (value < 0)
		json_null(j, key);
	else
		json_int(j, key, value);
}

static char *document(const struct alerts *a, enum alert_kind kind, const struct alert_facts *f)
{
	struct json j = JSON_INIT;
	char text[800];
	say(a, kind, f, text, sizeof(text));
	json_object(&j, NULL);
	json_text(&j, "alert", alert_name(kind));
	json_text(&j, "mirror", a->config.name);
	json_text(&j, "text", text);
	json_text(&j, "next", has_failed(f) && f->error->next[0] ? f->error->next : NULL);
	json_time(&j, "at", wall_us());
	json_text(&j, "source", a->config.source);
	json_text(&j, "target", a->config.target);
	json_text(&j, "state", mirror_state_name(f->state));
	if (f->lag_s < 0)
		json_null(&j, "lag_s");
	else
		json_number(&j, "lag_s", f->lag_s);
	put_known(&j, "lag_bytes", f->lag_bytes);
	put_known(&j, "retained_bytes", f->retained_bytes);
	json_text(&j, "error_class", has_failed(f) ? error_class_name(f->error->class) : NULL);
	json_text(&j, "sqlstate", has_failed(f) && f->error->sqlstate[0] ? f->error->sqlstate : NULL);
	json_end_object(&j);
	strbuf_add(&j.out, "\n");
	return strbuf_take(&j.out);
}

/* A pipe holds 64 KB: the whole document is in it before anybody reads, so writing can neither block nor meet a
 * reader that has gone. */
static int filled_pipe(const char *json)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) != 0)
		return -1;
	size_t size = strlen(json);
	if (write(ends[1], json, size) != (ssize_t)size) {
		close(ends[0]);
		ends[0] = -1;
	}
	close(ends[1]);
	return ends[0];
}

/* Keeps the beginning of what it prints and reads the rest away. False at the end of the output. */
static bool read_output(int fd, char *text, size_t size)
{
	char rest[512];
	size_t len = strlen(text);
	bool room = len < size - 1;
	ssize_t n = read(fd, room ? text + len : rest, room ? size - 1 - len : sizeof(rest));
	if (n > 0 && room)
		text[len + (size_t)n] = '\0';
	return n > 0;
}

/* Its output may stay open after it has ended, in the hands of what it started: its end is what counts. */
static bool wait_for(struct alerts *a, pid_t pid, int fd, char *text, size_t size, int *status)
{
	int64_t until = clock_us() + COMMAND_TIMEOUT_US;
	bool open = true;
	for (;;) {
		struct pollfd p = { .fd = open ? fd : -1, .events = POLLIN };
		bool ended = waitpid(pid, status, WNOHANG) == pid;
		if (open && poll(&p, 1, ended ? 0 : LOOK_MS) > 0)
			open = read_output(fd, text, size);
		if (ended)
			return true;
		if (clock_us() > MIN(until, atomic_load(&a->leave_at))) {
			child_kill(pid);
			return false;
		}
		if (!open)
			poll(NULL, 0, LOOK_MS);
	}
}

/* What it prints may hold anything: log and screen sanitise it. */
static void report(const struct telling *t, bool ended, int status, const char *output)
{
	struct alerts *a = t->alerts;
	const char *name = alert_name(t->kind), *colon = output[0] ? ": " : "";
	if (!ended)
		model_event(a->model, EVENT_WARNING, a->object, NULL, "alert_command (%s) did not end and was killed%s%s",
			name, colon, output);
	else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		model_event(a->model, EVENT_WARNING, a->object, NULL, "alert_command (%s) failed, %s %d%s%s", name,
			WIFEXITED(status) ? "exit code" : "signal",
			WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status), colon, output);
	else
		model_event(a->model, EVENT_INFO, a->object, NULL, "alert_command (%s) was run%s%s", name, colon, output);
}

static void tell(void *arg)
{
	struct telling *t = arg;
	char output[600] = "";
	int ends[2] = { -1, -1 }, status = 0, in = filled_pipe(t->json);
	pid_t pid;
	if (in >= 0 && pipe2(ends, O_CLOEXEC) == 0 && child_start_shell(t->alerts->config.alert_command,
			(struct child_io){ .in = in, .out = ends[1], .err = ends[1] }, &pid)) {
		close(ends[1]);
		ends[1] = -1;
		bool ended = wait_for(t->alerts, pid, ends[0], output, sizeof(output), &status);
		output[strcspn(output, "\n")] = '\0'; /* one line is enough for a log */
		report(t, ended, status, output);
	} else {
		model_event(t->alerts->model, EVENT_WARNING, t->alerts->object, NULL, "could not run alert_command");
	}
	const int fds[] = { in, ends[0], ends[1] };
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	free(t->json);
	free(t);
}

struct alerts *alerts_new(struct model *model, const struct mirror_config *config, bool load_done)
{
	if (!config->alert_command || config->alert_command[0] == '\0')
		return NULL;
	struct alerts *a = xcalloc(1, sizeof(*a));
	a->model = model;
	mirror_config_copy(&a->config, config);
	snprintf(a->object, sizeof(a->object), "mirror %s", config->name);
	a->memory.holding = load_done ? BIT(ALERT_LOAD_DONE) : 0;
	atomic_init(&a->leave_at, INT64_MAX);
	a->pool = pool_new(1);
	return a;
}

void alerts_look(struct alerts *a, const struct alert_facts *facts)
{
	if (!a)
		return;
	unsigned news = alert_changes(&a->config, facts, &a->memory);
	for (int kind = 0; kind < ALERT_COUNT; kind++) {
		if (!(news & BIT(kind)))
			continue;
		struct telling *t = xmalloc(sizeof(*t));
		*t = (struct telling){ a, (enum alert_kind)kind, document(a, (enum alert_kind)kind, facts) };
		pool_submit(a->pool, tell, t);
	}
}

void alerts_free(struct alerts *a)
{
	if (!a)
		return;
	atomic_store(&a->leave_at, clock_us() + LEAVING_TIMEOUT_US);
	pool_free(a->pool);
	mirror_config_free(&a->config);
	free(a);
}
