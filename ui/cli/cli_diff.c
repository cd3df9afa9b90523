// SPDX-License-Identifier: PostgreSQL
/* diff: what the definitions of both databases have that is not the same. */
#include "ask.h"
#include "compare.h"

enum exit_code verb_diff(struct session *s, const struct args *a)
{
	struct mirror_view m;
	struct command c = { .kind = COMMAND_COMPARE_SCHEMA };
	if (!session_mirror(s, a->name, &m))
		return EXIT_USAGE;
	copy_text(c.name, sizeof(c.name), m.name);
	enum exit_code code = ask_passwords(s, (const char *[]){ m.source, m.target }, 2);
	return code == EXIT_DONE ? compare_command(s, &c) : code;
}
