// SPDX-License-Identifier: PostgreSQL
#include "rate.h"

void rate_reset(struct rate *r)
{
	*r = (struct rate){ .eta_s = -1 };
}

static unsigned slot(const struct rate *r, unsigned i)
{
	return (r->first + i) % RATE_SAMPLES;
}

void rate_add(struct rate *r, int64_t now_us, int64_t value)
{
	if (r->count == RATE_SAMPLES) {
		r->first = slot(r, 1);
		r->count--;
	}
	unsigned last = slot(r, r->count++);
	r->at_us[last] = now_us;
	r->value[last] = value;
}

double rate_per_s(const struct rate *r)
{
	if (r->count < 2)
		return 0;
	unsigned last = slot(r, r->count - 1);
	int64_t us = r->at_us[last] - r->at_us[r->first];
	int64_t moved = r->value[last] - r->value[r->first];
	if (us < 500000 || moved <= 0)
		return 0;
	return (double)moved * 1e6 / (double)us;
}

double rate_eta(struct rate *r, int64_t remaining)
{
	double speed = rate_per_s(r);
	if (speed <= 0)
		return r->eta_s = -1;
	double fresh = (double)MAX(remaining, 0) / speed;
	if (r->eta_s >= 0 && r->count >= 2) {
		unsigned last = slot(r, r->count - 1), before = slot(r, r->count - 2);
		double passed = (double)(r->at_us[last] - r->at_us[before]) / 1e6;
		fresh = (fresh + MAX(r->eta_s - passed, 0)) / 2;
	}
	return r->eta_s = remaining > 0 ? MAX(fresh, 1) : 0;
}
