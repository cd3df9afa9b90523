// SPDX-License-Identifier: PostgreSQL
#include "work.h"

#include "cutover_text.h"
#include "panes/panes.h"

#include <pgpier/format.h>

#include <stdio.h>
#include <stdlib.h>

static void describe_one(const struct mirror_view *v, char *buf, size_t size)
{
	char text[FORMAT_SIZE];
	bool streams = v->state == MIRROR_REPLICATING || v->state == MIRROR_CATCHING_UP;
	if (streams && v->lag_s >= 0)
		snprintf(buf, size, "%s %s, lag %s", v->name, mirror_state_name(v->state), format_lag(v->lag_s, text));
	else if (streams || v->load.bytes_total <= 0)
		snprintf(buf, size, "%s %s", v->name, mirror_state_name(v->state));
	else if (v->load.eta_s >= 0)
		snprintf(buf, size, "%s %d%%, %s left", v->name, (int)(v->load.fraction * 100), format_eta(v->load.eta_s, text));
	else
		snprintf(buf, size, "%s %d%%", v->name, (int)(v->load.fraction * 100));
}

static void describe_many(const struct mirror_view *all, size_t n, size_t running, char *buf, size_t size)
{
	char text[FORMAT_SIZE];
	double eta_s = -1;
	for (size_t i = 0; i < n; i++)
		if (mirror_runs(all[i].state))
			eta_s = MAX(eta_s, all[i].load.eta_s);
	if (eta_s >= 0)
		snprintf(buf, size, "%zu mirrors run, the last one's load has %s left", running, format_eta(eta_s, text));
	else
		snprintf(buf, size, "%zu mirrors run", running);
}

void work_describe(struct model *m, char *buf, size_t size)
{
	struct mirror_view *all;
	size_t n = model_mirrors(m, &all), running = 0, last = 0;
	for (size_t i = 0; i < n; i++) {
		if (!mirror_runs(all[i].state))
			continue;
		running++;
		last = i;
	}
	if (running == 0)
		copy_text(buf, size, "nothing runs");
	else if (running == 1)
		describe_one(&all[last], buf, size);
	else
		describe_many(all, n, running, buf, size);
	free(all);
}

bool work_cuts_over(struct model *m, char name[NAME_SIZE], bool *decided)
{
	struct mirror_view *mirrors;
	size_t n = model_mirrors(m, &mirrors);
	bool found = false;
	for (size_t i = 0; i < n && !found; i++) {
		struct cutover_view c;
		model_cutover(m, mirrors[i].name, &c);
		found = cutover_needs_us(&c);
		*decided = cutover_is_over(&c);
		copy_text(name, NAME_SIZE, mirrors[i].name);
		cutover_view_free(&c);
	}
	free(mirrors);
	return found;
}
