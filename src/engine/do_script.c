// SPDX-License-Identifier: PostgreSQL
/* A mirror as a folder of scripts. */
#include "../script/script.h"
#include "inside.h"

void do_script(struct engine *g, struct command *c, const struct stop *stop, struct outcome *out)
{
	struct mirror_config m;
	struct peer_config source, target;
	if (!engine_mirror(g, c->name, &m, &source, &target, &out->error))
		return;
	out->preflight = script_write(&m, &source, &target, c->path, stop, &out->error);
	mirror_config_free(&m);
	peer_config_free(&source);
	peer_config_free(&target);
}
