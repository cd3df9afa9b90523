// SPDX-License-Identifier: PostgreSQL
/* After a crash, a reboot or a stop: whether the mirrors that ran then go on. */
#include "ui.h"

#include <stdio.h>

static void ask(struct ui *u, const struct strings *names)
{
	struct strbuf text = STRBUF_INIT;
	for (size_t i = 0; i < names->count; i++)
		strbuf_addf(&text, "%s%s", i > 0 ? ", " : "", names->items[i]);
	strbuf_addf(&text,
		" %s running when pgpier ended. What was done is kept. Go on from there?\n\nresume = \"auto\" in pgpier.conf goes"
		" on without asking.",
		names->count == 1 ? "was" : "were");
	ui_ask(u, &(struct question){ .kind = ASK_YES_NO, .action = ACTION_PAUSE, .title = "Go on?", .text = text.text });
	u->asker = NULL;
	strbuf_free(&text);
}

void resume_sync(struct ui *u)
{
	struct strings names;
	if (u->resume_asked || u->dialog.open || u->readonly)
		return;
	u->resume_asked = true;
	engine_left(u->engine, &names);
	if (names.count > 0)
		ask(u, &names);
	strings_free(&names);
}

void resume_answered(struct ui *u, bool yes)
{
	struct command c = { .kind = yes ? COMMAND_LEFT_RESUME : COMMAND_LEFT_FORGET };
	ui_submit(u, &c, yes ? "goes on" : "");
}
