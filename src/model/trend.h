// SPDX-License-Identifier: PostgreSQL
/* Five minutes of a stream, one sample a second, and what they say: rates, slopes, when a lag ends. Pure:
 * the caller brings the clock. */
#ifndef MODEL_TREND_H
#define MODEL_TREND_H

#include <pgpier/base.h>

#define TREND_SAMPLES 300

enum trend_value { TREND_CHANGES, TREND_TRANSACTIONS, TREND_LAG, TREND_RETAINED, TREND_VALUES };

struct trend_sample {
	int64_t at_us;
	int64_t value[TREND_VALUES]; /* counters, and bytes that are negative when unknown */
	float lag_s;                 /* negative unknown */
	float changes_per_s;
};

struct trend {
	struct trend_sample sample[TREND_SAMPLES]; /* a ring */
	size_t first, count;
};

void trend_reset(struct trend *t);
void trend_add(struct trend *t, const struct trend_sample *s);
/* The i-th of those that are held, oldest first. */
const struct trend_sample *trend_at(const struct trend *t, size_t i);
/* How fast a counter rose over the last seconds; 0 until there are two samples, or it began anew. */
double trend_rate(const struct trend *t, enum trend_value which, int seconds);
/* The line through the samples of the last seconds, so that the teeth of a lag that falls with every commit
 * do not count; 0 while they span less than three seconds. Unknown values are left out. */
double trend_slope(const struct trend *t, enum trend_value which, int seconds);
/* When an amount that changes by slope a second is gone; negative: never, or not within a month. */
double trend_ends_in(int64_t amount, double slope);

#endif
