// SPDX-License-Identifier: PostgreSQL
/* Other tables for a mirror that replicates: no preflight and no new start, but a question that says which
 * tables come and which go. */
#include "panes/panes.h"

#include "draft.h"

#include <stdlib.h>

#define NAMED 8 /* tables; the rest is counted */

static void add_names(struct strbuf *b, const struct strings *tables)
{
	for (size_t i = 0; i < MIN(tables->count, (size_t)NAMED); i++)
		strbuf_addf(b, "%s%s", i > 0 ? ", " : "", tables->items[i]);
	if (tables->count > NAMED)
		strbuf_addf(b, " and %zu more", tables->count - NAMED);
	strbuf_add(b, ".\n");
}

void tables_ask_change(struct pane *p, const struct draft *d)
{
	struct strings come = { 0 }, go = { 0 };
	struct strbuf b = STRBUF_INIT;
	const struct mirror_config *m = &d->config;
	draft_changes(d, &come, &go);
	if (come.count > 0) {
		strbuf_addf(&b, "%zu table%s will be copied to %s from a snapshot of %s, while the others go on: ",
			come.count, come.count == 1 ? "" : "s", m->target, come.count == 1 ? "its own" : "their own");
		add_names(&b, &come);
	}
	if (go.count > 0) {
		strbuf_addf(&b, "%zu table%s no longer followed; %s rows stay on %s: ", go.count,
			go.count == 1 ? " is" : "s are", go.count == 1 ? "its" : "their", m->target);
		add_names(&b, &go);
	}
	if (come.count + go.count > 0)
		ui_ask(p->ui, &(struct question){ .kind = ASK_YES_NO,
						  .action = ACTION_CONTINUE,
						  .title = "Change the tables of a running mirror?",
						  .text = b.text,
						  .subject = m->name });
	else
		ui_toast(p->ui, false, "the tables are what they were");
	strbuf_free(&b);
	strings_free(&come);
	strings_free(&go);
}

void tables_change(struct pane *p, struct draft *d)
{
	struct ui *u = p->ui;
	struct command c = { .kind = COMMAND_MIRROR_TABLES };
	draft_store(d);
	copy_text(c.name, sizeof(c.name), d->config.name);
	c.mirror = xcalloc(1, sizeof(*c.mirror));
	mirror_config_copy(c.mirror, &d->config);
	ui_submit(u, &c, "the tables will be changed");
	char name[NAME_SIZE];
	copy_text(name, sizeof(name), d->config.name);
	ui_pop_to(u, u->stacks[u->root][0]);
	ui_push(u, mirror_detail_new(u, name));
}
