// SPDX-License-Identifier: PostgreSQL
/* check: the preflight of a mirror by itself. A blocker is a failure, a warning is not. */
#include <pgpier/format.h>

#include "../text.h"
#include "ask.h"
#include "report.h"
#include "session.h"
#include "shape.h"

static void print_findings(const struct preflight *p)
{
	if (p->finding_count == 0)
		puts("nothing stands in its way");
	for (size_t i = 0; i < p->finding_count; i++) {
		const struct finding *f = &p->findings[i];
		printf("%-8s ", severity_name(f->severity));
		text_print(stdout, f->subject);
		fputs(": ", stdout);
		text_print(stdout, f->text);
		if (f->next) {
			fputs("; ", stdout);
			text_print(stdout, f->next);
		}
		fputc('\n', stdout);
	}
}

static void print_plan(const struct preflight *p)
{
	char rows[FORMAT_SIZE], bytes[FORMAT_SIZE];
	printf("\npgpier run %s would copy %zu tables, ~%s rows, ~%s:\n", p->mirror, p->tables,
		format_count(p->rows, rows), format_bytes(p->bytes, bytes));
	for (size_t i = 0; i < p->plan.count; i++) {
		fputs("  ", stdout);
		text_print(stdout, p->plan.items[i]);
		fputc('\n', stdout);
	}
}

enum exit_code verb_check(struct session *s, const struct args *a)
{
	struct mirror_view m;
	struct outcome o = { 0 };
	struct command c = { .kind = COMMAND_MIRROR_CHECK };
	if (!session_mirror(s, a->name, &m))
		return EXIT_USAGE;
	copy_text(c.name, sizeof(c.name), m.name);
	enum exit_code code = ask_passwords(s, (const char *[]){ m.source, m.target }, 2);
	if (code == EXIT_DONE)
		code = session_command(s, &c, &o);
	if (code != EXIT_DONE)
		return code;
	if (s->json) {
		struct json j = JSON_INIT;
		shape_preflight(&j, o.preflight);
		report_json(&j);
	} else {
		print_findings(o.preflight);
		print_plan(o.preflight);
	}
	code = o.preflight->blockers > 0 ? EXIT_FAILED : EXIT_DONE;
	preflight_release(o.preflight);
	return code;
}
