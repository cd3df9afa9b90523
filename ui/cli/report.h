// SPDX-License-Identifier: PostgreSQL
/* What the verbs print: one line an error on stderr, one JSON object on stdout. Text from servers
 * is sanitised here. */
#ifndef REPORT_H
#define REPORT_H

#include <pgpier/error.h>
#include <pgpier/json.h>

#include "verbs.h"

/* "pgpier: what failed; what to do next" on stderr; with json also {"errors": [...]} on stdout. */
void report_error(const struct error *e, bool json);
/* Prints the document and frees it. */
void report_json(struct json *j);
enum exit_code report_class_exit(enum error_class class);

#endif
