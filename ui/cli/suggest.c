// SPDX-License-Identifier: PostgreSQL
#include "suggest.h"

#include <string.h>

#define LONGEST 64

/* Edits between two words, where two neighbouring letters swapped count as one: the usual slip of a
 * hand. */
static size_t edit_distance(const char *a, const char *b)
{
	size_t rows[3][LONGEST + 1];
	size_t *before = rows[0], *last = rows[1], *now = rows[2];
	size_t length = strlen(b);
	for (size_t j = 0; j <= length; j++)
		last[j] = j;
	for (size_t i = 1; a[i - 1] != '\0'; i++) {
		now[0] = i;
		for (size_t j = 1; j <= length; j++) {
			size_t changed = last[j - 1] + (a[i - 1] != b[j - 1]);
			now[j] = MIN(changed, MIN(last[j], now[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				now[j] = MIN(now[j], before[j - 2] + 1);
		}
		size_t *recycled = before;
		before = last;
		last = now;
		now = recycled;
	}
	return last[length];
}

void suggest_try(struct suggestion *s, const char *candidate)
{
	size_t length = strlen(s->word);
	if (length > LONGEST || strlen(candidate) > LONGEST)
		return;
	size_t distance = edit_distance(s->word, candidate);
	if (length >= 2 && strncmp(s->word, candidate, length) == 0)
		distance = 1; /* the beginning of a word means that word */
	if (distance <= MAX(1, length / 3) && (!s->best || distance < s->distance)) {
		s->best = candidate;
		s->distance = distance;
	}
}

bool suggest_next(const struct suggestion *s, struct error *e)
{
	return s->best ? error_next(e, "did you mean %s?", s->best) : false;
}
