// SPDX-License-Identifier: PostgreSQL
#include "report.h"

#include "../text.h"
#include "shape.h"

void report_error(const struct error *e, bool json)
{
	char line[sizeof(e->text) + sizeof(e->next) + 2];
	fputs("pgpier: ", stderr);
	text_print(stderr, error_line(e, line, sizeof(line)));
	fputc('\n', stderr);
	if (!json)
		return;
	struct json j = JSON_INIT;
	json_object(&j, NULL);
	json_array(&j, "errors");
	shape_error(&j, NULL, e);
	json_end_array(&j);
	json_end_object(&j);
	report_json(&j);
}

void report_json(struct json *j)
{
	puts(j->out.text ? j->out.text : "{}");
	json_free(j);
}

enum exit_code report_class_exit(enum error_class class)
{
	switch (class) {
	case ERROR_NONE:
		return EXIT_DONE;
	case ERROR_USAGE:
	case ERROR_CONFIG:
		return EXIT_USAGE;
	case ERROR_CANCELLED:
		return EXIT_INTERRUPTED;
	default:
		return EXIT_FAILED;
	}
}
