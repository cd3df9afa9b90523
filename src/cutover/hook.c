// SPDX-License-Identifier: PostgreSQL
#include "hook.h"

#include <stdlib.h>

#include "../child.h"
#include "../conninfo.h"

static const char *const steps[] = { [HOOK_FREEZE] = "freeze", [HOOK_UNFREEZE] = "unfreeze", [HOOK_OPEN] = "open" };

static void put(struct strings *env, const char *side, const char *part, const char *value)
{
	char *line = xasprintf("PGPIER_%s%s=%s", side, part, value);
	strings_add(env, line);
	free(line);
}

static bool put_peer(struct strings *env, const char *side, const struct peer_config *peer, struct pg *c,
	struct error *e)
{
	struct place at;
	char *conninfo = conninfo_public(peer, c, REACH_HERE, e);
	if (!conninfo)
		return false;
	put(env, side, "_CONNINFO", conninfo);
	free(conninfo);
	if (!conninfo_place(peer, c, &at, e))
		return false;
	put(env, side, "", peer->name);
	put(env, side, "_HOST", at.host);
	put(env, side, "_PORT", at.port);
	put(env, side, "_DBNAME", at.dbname);
	put(env, side, "_USER", at.user);
	place_free(&at);
	return true;
}

static bool run(const char *command, const struct strings *env, int patience_ms, const struct stop *stop,
	struct error *e)
{
	const char *argv[] = { "/bin/sh", "-c", command, NULL };
	const char **own = xcalloc(env->count + 1, sizeof(*own));
	for (size_t i = 0; i < env->count; i++)
		own[i] = env->items[i];
	bool ok = child_run(argv, own, -1, -1, stop, patience_ms, e);
	free(own);
	return ok;
}

bool hook_run(enum hook hook, const char *command, const char *mirror, const struct hook_peers *p, int patience_ms,
	const struct stop *stop, struct error *e)
{
	struct strings env = { .count = 0 };
	if (!command || command[0] == '\0')
		return true;
	put(&env, "MIRROR", "", mirror);
	put(&env, "STEP", "", steps[hook]);
	bool ok = put_peer(&env, "FROM", p->from, p->from_connection, e) &&
			  put_peer(&env, "TO", p->to, p->to_connection, e) &&
			  run(command, &env, patience_ms, stop, e);
	strings_free(&env);
	return ok || error_prefix(e, "%s_command", steps[hook]);
}
