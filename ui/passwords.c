// SPDX-License-Identifier: PostgreSQL
/* Peers whose password is asked for and kept in memory only: a new process has forgotten it. They are asked
 * about one after the other when the console opens, and again when one is needed. */
#include "ui.h"

#include <stdio.h>
#include <stdlib.h>

static bool lacks_password(struct ui *u, const char *peer)
{
	struct peer_config c;
	if (!model_peer_config(u->model, peer, &c))
		return false;
	bool lacks = c.ask_password && !c.password;
	peer_config_free(&c);
	return lacks;
}

static void ask(struct ui *u, const char *peer)
{
	struct peer_view v;
	char title[128], text[640];
	if (!model_peer(u->model, peer, &v))
		return;
	snprintf(title, sizeof(title), "Password of %s", peer);
	snprintf(text, sizeof(text),
		"%s\n\nIt is kept in memory until pgpier ends, and written nowhere. Esc goes on without: the peer can't be "
		"reached then.",
		v.address);
	ui_ask(u, &(struct question){
				  .kind = ASK_SECRET, .action = ACTION_TEST, .title = title, .text = text, .subject = peer });
	u->asker = NULL;
}

void passwords_init(struct ui *u)
{
	struct peer_view *peers;
	size_t n = model_peers(u->model, &peers);
	for (size_t i = 0; i < n; i++)
		if (lacks_password(u, peers[i].name))
			strings_add(&u->to_ask, peers[i].name);
	free(peers);
}

void passwords_sync(struct ui *u)
{
	while (!u->dialog.open && u->asked < u->to_ask.count) {
		const char *peer = u->to_ask.items[u->asked++];
		if (lacks_password(u, peer))
			ask(u, peer);
	}
}

bool password_needed(struct ui *u, const char *peer)
{
	if (!lacks_password(u, peer))
		return false;
	ask(u, peer);
	return true;
}

void password_answered(struct ui *u, const char *peer, const char *password)
{
	struct command c = { .kind = COMMAND_PEER_PASSWORD };
	char done[128];
	copy_text(c.name, sizeof(c.name), peer);
	c.peer = xcalloc(1, sizeof(*c.peer));
	c.peer->name = xstrdup(peer);
	c.peer->password = xstrdup(password);
	snprintf(done, sizeof(done), "password of %s is kept in memory", peer);
	ui_submit(u, &c, done);
}
