// SPDX-License-Identifier: PostgreSQL
/* The files of a runbook before they are filled in: templates/, which the build turns into this
 * array. */
#ifndef SCRIPT_TEMPLATES_H
#define SCRIPT_TEMPLATES_H

#include <stddef.h>

/* The path is the one in the runbook, but for ".copy." and ".follow.": of initial copies and of
 * continuous mirrors alone. */
struct template
{
	const char *path;
	const char *text;
};
extern const struct template templates[];
extern const size_t template_count;

#endif
