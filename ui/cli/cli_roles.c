// SPDX-License-Identifier: PostgreSQL
/* roles: what the target's server lacks of the source's roles, and with --yes making it. */
#include "ask.h"
#include "compare.h"

enum exit_code verb_roles(struct session *s, const struct args *a)
{
	struct mirror_view m;
	struct command c = { .kind =
							 a->given[OPTION_YES] ? COMMAND_APPLY_ROLES : COMMAND_COMPARE_ROLES };
	if (!session_mirror(s, a->name, &m))
		return EXIT_USAGE;
	copy_text(c.name, sizeof(c.name), m.name);
	enum exit_code code = ask_passwords(s, (const char *[]){ m.source, m.target }, 2);
	return code == EXIT_DONE ? compare_command(s, &c) : code;
}
