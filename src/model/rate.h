// SPDX-License-Identifier: PostgreSQL
/* How fast a counter rises, over the last half minute, and when it will reach its end. Pure: the caller
 * brings the clock. */
#ifndef MODEL_RATE_H
#define MODEL_RATE_H

#include <pgpier/base.h>

#define RATE_SAMPLES 31

struct rate {
	int64_t at_us[RATE_SAMPLES]; /* a ring, one sample a second */
	int64_t value[RATE_SAMPLES];
	unsigned first, count;
	double eta_s; /* smoothed; negative unknown */
};

void rate_reset(struct rate *r);
void rate_add(struct rate *r, int64_t now_us, int64_t value);
double rate_per_s(const struct rate *r); /* 0 until two samples are a second apart, or nothing moved */
/* Call once a sample. Half of the new estimate and half of the old one less the time that passed, so that it
 * does not jump; at least 1 while something remains. */
double rate_eta(struct rate *r, int64_t remaining);

#endif
