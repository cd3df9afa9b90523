// SPDX-License-Identifier: PostgreSQL
/* "did you mean ...": the nearest of some candidates to a mistyped word, when one is near enough.
 */
#ifndef SUGGEST_H
#define SUGGEST_H

#include <pgpier/base.h>
#include <pgpier/error.h>

struct suggestion {
	const char *word;
	const char *best; /* borrowed from suggest_try; NULL: none is near enough */
	size_t distance;
};

void suggest_try(struct suggestion *s, const char *candidate);
/* Ends an error with "did you mean ...?" if there is something to mean. Always returns false. */
bool suggest_next(const struct suggestion *s, struct error *e);

#endif
