// SPDX-License-Identifier: PostgreSQL
#include "trend.h"

#define SHORTEST_SPAN_S 3.0
#define LONGEST_FORECAST_S (31 * 86400.0)

void trend_reset(struct trend *t)
{
	t->first = t->count = 0;
}

const struct trend_sample *trend_at(const struct trend *t, size_t i)
{
	return &t->sample[(t->first + i) % TREND_SAMPLES];
}

void trend_add(struct trend *t, const struct trend_sample *s)
{
	t->sample[(t->first + t->count) % TREND_SAMPLES] = *s;
	if (t->count < TREND_SAMPLES)
		t->count++;
	else
		t->first = (t->first + 1) % TREND_SAMPLES;
}

/* The oldest sample that is at most this old; half a second of grace for a clock that ticks unevenly. */
static size_t since(const struct trend *t, int seconds)
{
	int64_t from = trend_at(t, t->count - 1)->at_us - (int64_t)seconds * 1000000 - 500000;
	size_t i = t->count - 1;
	while (i > 0 && trend_at(t, i - 1)->at_us >= from)
		i--;
	return i;
}

double trend_rate(const struct trend *t, enum trend_value which, int seconds)
{
	if (t->count < 2)
		return 0;
	const struct trend_sample *from = trend_at(t, since(t, seconds)), *to = trend_at(t, t->count - 1);
	int64_t us = to->at_us - from->at_us, moved = to->value[which] - from->value[which];
	return us > 0 && moved > 0 ? (double)moved * 1e6 / (double)us : 0;
}

double trend_slope(const struct trend *t, enum trend_value which, int seconds)
{
	double n = 0, sum_x = 0, sum_y = 0, sum_xx = 0, sum_xy = 0, first_x = 0, x = 0;
	if (t->count < 2)
		return 0;
	size_t begin = since(t, seconds);
	const struct trend_sample *origin = trend_at(t, begin); /* small numbers keep their digits */
	for (size_t i = begin; i < t->count; i++) {
		const struct trend_sample *s = trend_at(t, i);
		if (s->value[which] < 0)
			continue;
		x = (double)(s->at_us - origin->at_us) / 1e6;
		double y = (double)(s->value[which] - origin->value[which]);
		first_x = n > 0 ? first_x : x;
		n++;
		sum_x += x;
		sum_y += y;
		sum_xx += x * x;
		sum_xy += x * y;
	}
	if (n < 2 || x - first_x < SHORTEST_SPAN_S)
		return 0;
	return (n * sum_xy - sum_x * sum_y) / (n * sum_xx - sum_x * sum_x);
}

double trend_ends_in(int64_t amount, double slope)
{
	if (amount <= 0 || slope >= 0)
		return -1;
	double seconds = (double)amount / -slope;
	return seconds <= LONGEST_FORECAST_S ? seconds : -1;
}
