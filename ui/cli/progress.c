// SPDX-License-Identifier: PostgreSQL
#include "progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <pgpier/format.h>

#include "../text.h"
#include "report.h"

#define LINE_EVERY_US 5000000
#define REDRAW_EVERY_US 500000
#define EVENTS_AT_ONCE 16
#define FALLS_BEHIND 1000.0 /* bytes a second; less is noise */

/* "1.42/2.10 TB": the unit once when both have the same. */
static void add_bytes(struct strbuf *b, const struct load_totals *l)
{
	char done[FORMAT_SIZE], total[FORMAT_SIZE];
	format_bytes(l->bytes, done);
	if (l->bytes_total <= 0) {
		strbuf_add(b, done);
		return;
	}
	format_bytes(l->bytes_total, total);
	char *unit = strchr(done, ' '), *unit_of_total = strchr(total, ' ');
	if (unit && unit_of_total && strcmp(unit, unit_of_total) == 0)
		*unit = '\0';
	strbuf_addf(b, "%s/%s%s", done, l->exact ? "" : "~", total);
}

/* "  ~1h 05m (15:07)" */
static void add_eta(struct strbuf *b, double eta_s, int64_t now_us)
{
	char text[FORMAT_SIZE];
	if (eta_s < 0)
		return;
	strbuf_addf(b, "  %s", format_eta(eta_s, text));
	strbuf_addf(b, " (%s)", format_clock(now_us + (int64_t)(eta_s * 1e6), text));
}

static void add_stream(struct strbuf *b, const struct mirror_view *m, const struct replication_view *r,
	int64_t now_us)
{
	char text[FORMAT_SIZE];
	strbuf_addf(b, "%s  lag %s", mirror_state_name(m->state), format_lag(r->lag_s, text));
	if (r->lag_bytes >= 0)
		strbuf_addf(b, ", %s", format_bytes(r->lag_bytes, text));
	strbuf_addf(b, "  %s changes/s", format_per_second(r->changes_per_s, text));
	strbuf_addf(b, "  %s transactions/s", format_per_second(r->transactions_per_s, text));
	add_eta(b, r->caught_up_in_s, now_us);
	if (m->state == MIRROR_CATCHING_UP && r->lag_slope >= FALLS_BEHIND)
		strbuf_addf(b, "  falling behind %s", format_rate(r->lag_slope, text));
	if (r->tables_paused > 0)
		strbuf_addf(b, "  %zu paused", r->tables_paused);
}

static void add_load(struct strbuf *b, const struct mirror_view *m, int64_t now_us)
{
	const struct load_totals *l = &m->load;
	char text[FORMAT_SIZE];
	if (m->state != MIRROR_LOADING)
		strbuf_addf(b, "%s  ", mirror_state_name(m->state));
	strbuf_addf(b, "%d %%  ", (int)(l->fraction * 100));
	add_bytes(b, l);
	strbuf_addf(b, "  %s rows", format_count(l->rows, text));
	strbuf_addf(b, "  %s", format_rate(l->rate, text));
	add_eta(b, l->eta_s, now_us);
	strbuf_addf(b, "  %zu/%zu tables", l->tables_done, l->tables);
	if (l->tables_failed > 0)
		strbuf_addf(b, ", %zu failed", l->tables_failed);
}

const char *progress_line(const struct mirror_view *m, const struct replication_view *r, int64_t now_us,
	char buf[PROGRESS_SIZE])
{
	struct strbuf b = STRBUF_INIT;
	if (r && (m->state == MIRROR_CATCHING_UP || m->state == MIRROR_REPLICATING))
		add_stream(&b, m, r, now_us);
	else
		add_load(&b, m, now_us);
	copy_text(buf, PROGRESS_SIZE, b.text);
	strbuf_free(&b);
	return buf;
}

void progress_init(struct progress *p, struct model *m)
{
	const char *term = getenv("TERM");
	bool dumb = !term || term[0] == '\0' || strcmp(term, "dumb") == 0;
	*p = (struct progress){
		.terminal = isatty(STDERR_FILENO) && !dumb,
		.event = model_events_end(m),
	};
	p->due_us = clock_us() + (p->terminal ? 0 : LINE_EVERY_US);
}

int progress_wait_ms(const struct progress *p)
{
	int64_t left = p->due_us - clock_us();
	return left > 0 ? (int)(left / 1000) + 1 : 0;
}

static void wipe(struct progress *p)
{
	if (p->drawn)
		fputs("\r\033[K", stderr);
	p->drawn = false;
}

static void print_event(const struct event *ev)
{
	static const char *const levels[] = { "", "", "warning: ", "error: " };
	char at[FORMAT_SIZE];
	fprintf(stderr, "%s ", format_time(ev->at, at));
	text_print(stderr, ev->object);
	fprintf(stderr, ": %s", levels[ev->level]);
	text_print(stderr, ev->text);
	fputc('\n', stderr);
}

void progress_events(struct progress *p, struct model *m)
{
	struct event *events = xcalloc(EVENTS_AT_ONCE, sizeof(*events));
	uint64_t kept;
	size_t count;
	while ((count = model_events(m, p->event, EVENTS_AT_ONCE, events, &kept)) > 0) {
		for (size_t i = 0; i < count; i++) {
			if (events[i].level == EVENT_DEBUG)
				continue;
			wipe(p);
			print_event(&events[i]);
		}
		p->event = events[count - 1].seq + 1;
	}
	free(events);
}

/* A line that wraps could not be drawn over. All of it is ASCII, so bytes are cells. */
static void cut_to_terminal(char *line)
{
	struct winsize size = { 0 };
	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 &&
		strlen(line) >= size.ws_col)
		line[size.ws_col - 1] = '\0';
}

void progress_draw(struct progress *p, char *line)
{
	if (clock_us() < p->due_us)
		return;
	if (p->terminal) {
		cut_to_terminal(line);
		fprintf(stderr, "\r%s\033[K", line);
		p->drawn = true;
	} else {
		fprintf(stderr, "%s\n", line);
	}
	p->due_us = clock_us() + (p->terminal ? REDRAW_EVERY_US : LINE_EVERY_US);
}

void progress_update(struct progress *p, struct model *m, const struct mirror_view *v)
{
	char line[PROGRESS_SIZE];
	struct replication_view stream;
	progress_events(p, m);
	if (clock_us() < p->due_us)
		return;
	progress_line(v, model_replication(m, v->name, &stream) ? &stream : NULL, wall_us(), line);
	progress_draw(p, line);
}

void progress_end(struct progress *p)
{
	wipe(p);
}
