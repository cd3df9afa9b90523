// SPDX-License-Identifier: PostgreSQL
/* Decimals are made from integers, because printf's %f follows the locale and these texts are the
 * same in a log, in a script and on every screen. */
#include <pgpier/format.h>

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <pgpier/utf8.h>

#define LONGEST_SECONDS (1e6 * 86400) /* beyond it a duration says nothing to anyone */

/* v >= 0 with 0 to 2 decimals. */
static void put_decimal(char *buf, size_t size, double v, int decimals)
{
	static const int64_t powers[] = { 1, 10, 100 };
	int64_t power = powers[decimals];
	int64_t scaled = llround(v * (double)power);
	if (decimals == 0)
		snprintf(buf, size, "%" PRId64, scaled);
	else
		snprintf(buf, size, "%" PRId64 ".%0*" PRId64, scaled / power, decimals, scaled % power);
}

/* Divides by 1000 until v is below carry, the least value that would be printed as 1000. */
static size_t scale(double *v, double carry, size_t last_unit)
{
	size_t unit = 0;
	while (*v >= carry && unit < last_unit) {
		*v /= 1000;
		unit++;
	}
	return unit;
}

static int significant_decimals(double v)
{
	return v < 9.995 ? 2 : v < 99.95 ? 1 : 0;
}

static const char *put_bytes(double bytes, const char *suffix, char buf[FORMAT_SIZE])
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB", "EB" };
	double v = fabs(bytes);
	char number[24];
	size_t unit = scale(&v, 999.5, ARRAY_SIZE(units) - 1);
	put_decimal(number, sizeof(number), v, unit == 0 ? 0 : significant_decimals(v));
	snprintf(buf, FORMAT_SIZE, "%s%s %s%s", bytes < 0 ? "-" : "", number, units[unit], suffix);
	return buf;
}

const char *format_bytes(int64_t bytes, char buf[FORMAT_SIZE])
{
	return put_bytes((double)bytes, "", buf);
}

const char *format_rate(double bytes_per_s, char buf[FORMAT_SIZE])
{
	if (!(bytes_per_s >= 0.5) || isinf(bytes_per_s)) { /* also NaN */
		copy_text(buf, FORMAT_SIZE, "-");
		return buf;
	}
	return put_bytes(MIN(bytes_per_s, 9e18), "/s", buf);
}

const char *format_count(int64_t n, char buf[FORMAT_SIZE])
{
	static const char *const units[] = { "", " k", " M", " G", " T", " P", " E" };
	double v = fabs((double)n);
	char number[24];
	size_t unit = v < 1000 ? 0 : scale(&v, 999.95, ARRAY_SIZE(units) - 1);
	put_decimal(number, sizeof(number), v, unit == 0 ? 0 : 1);
	snprintf(buf, FORMAT_SIZE, "%s%s%s", n < 0 ? "-" : "", number, units[unit]);
	return buf;
}

/* From one minute up in durations, from one hour up in estimates: the two largest units. */
static void put_long(char *buf, size_t size, double seconds)
{
	int64_t s = llround(seconds);
	int64_t minutes = llround(seconds / 60);
	int64_t hours = llround(seconds / 3600);
	if (s < 3600)
		snprintf(buf, size, "%" PRId64 "m %02" PRId64 "s", s / 60, s % 60);
	else if (minutes < 24 * 60)
		snprintf(buf, size, "%" PRId64 "h %02" PRId64 "m", minutes / 60, minutes % 60);
	else
		snprintf(buf, size, "%" PRId64 "d %02" PRId64 "h", hours / 24, hours % 24);
}

const char *format_duration(double seconds, char buf[FORMAT_SIZE])
{
	char number[24];
	if (!(seconds >= 0) || seconds > LONGEST_SECONDS) {
		copy_text(buf, FORMAT_SIZE, "-");
	} else if (seconds < 59.5) {
		put_decimal(number, sizeof(number), seconds, seconds < 9.95 ? 1 : 0);
		snprintf(buf, FORMAT_SIZE, "%s s", number);
	} else {
		put_long(buf, FORMAT_SIZE, seconds);
	}
	return buf;
}

const char *format_eta(double seconds, char buf[FORMAT_SIZE])
{
	int64_t minutes, whole;
	if (!(seconds >= 0) || seconds > LONGEST_SECONDS) {
		copy_text(buf, FORMAT_SIZE, "-");
	} else if (seconds < 59.5) { /* never 0: what is not done yet takes time */
		whole = llround(seconds);
		snprintf(buf, FORMAT_SIZE, "~%" PRId64 " s", MAX(whole, 1));
	} else if ((minutes = llround(seconds / 60)) < 60) {
		snprintf(buf, FORMAT_SIZE, "~%" PRId64 "m", minutes);
	} else {
		buf[0] = '~';
		put_long(buf + 1, FORMAT_SIZE - 1, MAX(seconds, 3600));
	}
	return buf;
}

/* False, and "-" in buf, for a moment that has not come yet. */
static bool local_time(int64_t us, struct tm *tm, char buf[FORMAT_SIZE])
{
	time_t seconds = (time_t)(us / 1000000);
	copy_text(buf, FORMAT_SIZE, "-");
	return us > 0 && localtime_r(&seconds, tm);
}

const char *format_clock(int64_t us, char buf[FORMAT_SIZE])
{
	struct tm tm;
	if (local_time(us, &tm, buf))
		strftime(buf, FORMAT_SIZE, "%H:%M", &tm);
	return buf;
}

const char *format_time(int64_t us, char buf[FORMAT_SIZE])
{
	struct tm tm;
	if (local_time(us, &tm, buf))
		strftime(buf, FORMAT_SIZE, "%Y-%m-%d %H:%M:%S", &tm);
	return buf;
}

const char *format_lag(double seconds, char buf[FORMAT_SIZE])
{
	if (!(seconds >= 0))
		copy_text(buf, FORMAT_SIZE, "-");
	else if (seconds < 0.001)
		copy_text(buf, FORMAT_SIZE, "<1 ms"); /* never 0: a row can't be there before it was sent */
	else if (seconds < 0.0995)
		snprintf(buf, FORMAT_SIZE, "%lld ms", llround(seconds * 1000));
	else
		format_duration(seconds, buf);
	return buf;
}

const char *format_per_second(double n, char buf[FORMAT_SIZE])
{
	if (n > 0 && n < 9.95)
		put_decimal(buf, FORMAT_SIZE, n, 1);
	else
		format_count(llround(n), buf);
	return buf;
}

const char *format_lsn(uint64_t lsn, char buf[FORMAT_SIZE])
{
	snprintf(buf, FORMAT_SIZE, "%" PRIX32 "/%" PRIX32, (uint32_t)(lsn >> 32), (uint32_t)lsn);
	return buf;
}

/* One character, or one broken byte, at text, as it may be shown. Returns how many bytes it was. */
static size_t sanitize_one(const char *text, char out[16])
{
	static const char letters[] = { ['\t'] = 't', ['\n'] = 'n', ['\r'] = 'r' };
	uint32_t code;
	size_t length = utf8_decode(text, &code);
	if (length == 0)
		snprintf(out, 16, "\\x%02x", (unsigned char)text[0]);
	else if (!utf8_is_control(code))
		snprintf(out, 16, "%.*s", (int)length, text);
	else if (code < sizeof(letters) && letters[code])
		snprintf(out, 16, "\\%c", letters[code]);
	else
		snprintf(out, 16, code < 0x80 ? "\\x%02" PRIx32 : "\\u%04" PRIx32, code);
	return length == 0 ? 1 : length;
}

const char *format_sanitized(const char *text, char *buf, size_t size)
{
	char one[16];
	size_t used = 0;
	for (const char *s = text ? text : ""; *s != '\0';) {
		s += sanitize_one(s, one);
		size_t length = strlen(one);
		if (used + length >= size)
			break;
		memcpy(buf + used, one, length);
		used += length;
	}
	if (size > 0)
		buf[used] = '\0';
	return buf;
}
