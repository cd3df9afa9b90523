// SPDX-License-Identifier: PostgreSQL
/* What is said of a setting that differs, and the statement that carries it over. Pure; callers
 * free. */
#ifndef SERVER_SETTINGS_WORDS_H
#define SERVER_SETTINGS_WORDS_H

#include "known.h"
#include "server.h"

/* What it means, and where both values come from. known may be NULL. */
char *settings_meaning(const struct setting *on_source, const struct setting *on_target,
	const struct setting_known *known, const struct server_side *source,
	const struct server_side *target);
/* Of one that `without` has not. */
char *settings_meaning_missing(
	const struct setting *s, const struct setting_known *known, const struct server_side *without);

/* Makes the target's value like the source's; NULL: nothing we could say does. */
char *settings_statement(const struct setting *on_source, const struct setting *on_target,
	const struct server_side *target);
/* Of one that the target does not know: only a custom one can be given to it. */
char *settings_statement_custom(const struct setting *s, const struct server_side *target);

/* Notes about one side: what waits for a restart, what is set for our role or connection alone. */
void settings_tell(const struct server_side *side, struct comparison *out);

#endif
