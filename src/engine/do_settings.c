// SPDX-License-Identifier: PostgreSQL
/* The comparison of two peers' servers. */
#include <string.h>

#include "../server/server.h"
#include "inside.h"

void do_compare_settings(
	struct engine *g, struct command *c, const struct stop *stop, struct outcome *out)
{
	struct peer_config source, target;
	if (strcmp(c->name, c->other) == 0) {
		error_set(&out->error, ERROR_USAGE, "%s is compared with itself", c->name);
		error_next(&out->error, "name two peers: the source, then the target");
		return;
	}
	if (!engine_peer(g, c->name, &source, &out->error))
		return;
	if (engine_peer(g, c->other, &target, &out->error)) {
		struct pg *s = pg_connect(&source, NULL, "settings", stop, &out->error);
		struct pg *t = s ? pg_connect(&target, NULL, "settings", stop, &out->error) : NULL;
		if (t)
			out->comparison = server_compare(s, t, &out->error);
		pg_free(s);
		pg_free(t);
		peer_config_free(&target);
	}
	peer_config_free(&source);
}
