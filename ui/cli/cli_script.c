// SPDX-License-Identifier: PostgreSQL
/* script: a mirror as a folder of shell scripts and SQL. */
#include <stdio.h>
#include <unistd.h>

#include "../text.h"
#include "ask.h"
#include "report.h"
#include "session.h"
#include "shape.h"

static void print_written(const struct preflight *p, const char *folder)
{
	for (size_t i = 0; i < p->finding_count; i++) {
		const struct finding *f = &p->findings[i];
		fprintf(stderr, "%-8s ", severity_name(f->severity));
		text_print(stderr, f->subject);
		fputs(": ", stderr);
		text_print(stderr, f->text);
		if (f->next) {
			fputs("; ", stderr);
			text_print(stderr, f->next);
		}
		fputc('\n', stderr);
	}
	printf("%zu files in ", p->plan.count);
	text_print(stdout, folder);
	puts("; README.md tells their order");
}

/* Without a terminal there is nobody to ask for a password; what it would have told is then left
 * open. */
enum exit_code verb_script(struct session *s, const struct args *a)
{
	struct mirror_view m;
	struct outcome o = { 0 };
	struct command c = { .kind = COMMAND_SCRIPT };
	if (!session_mirror(s, a->name, &m))
		return EXIT_USAGE;
	copy_text(c.name, sizeof(c.name), m.name);
	enum exit_code code = EXIT_DONE;
	if (isatty(STDIN_FILENO))
		code = ask_passwords(s, (const char *[]){ m.source, m.target }, 2);
	if (code != EXIT_DONE)
		return code;
	c.path = xstrdup(a->given[OPTION_OUT]);
	code = session_command(s, &c, &o);
	if (code != EXIT_DONE)
		return code;
	if (s->json) {
		struct json j = JSON_INIT;
		shape_script(&j, o.preflight, a->given[OPTION_OUT]);
		report_json(&j);
	} else {
		print_written(o.preflight, a->given[OPTION_OUT]);
	}
	preflight_release(o.preflight);
	return EXIT_DONE;
}
