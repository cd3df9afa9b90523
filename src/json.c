// SPDX-License-Identifier: PostgreSQL
/* The document is one line, plain ASCII in its controls: what a terminal would obey is escaped as
 * well, so that a hostile table name in `status --json` harms no one. Numbers never follow the
 * locale. */
#include <pgpier/json.h>

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <time.h>

#include <pgpier/utf8.h>

/* The letter behind the backslash of a short escape; 0 when there is none. */
static char short_escape(uint32_t code)
{
	static const char letters[] = { ['"'] = '"',
		['\\'] = '\\',
		['\b'] = 'b',
		['\f'] = 'f',
		['\n'] = 'n',
		['\r'] = 'r',
		['\t'] = 't' };
	return code < sizeof(letters) ? letters[code] : '\0';
}

static void put_string(struct strbuf *b, const char *s)
{
	strbuf_add(b, "\"");
	while (*s != '\0') {
		uint32_t code;
		size_t length = utf8_decode(s, &code);
		if (length == 0)
			strbuf_add(b, "\xEF\xBF\xBD");
		else if (short_escape(code))
			strbuf_addf(b, "\\%c", short_escape(code));
		else if (utf8_is_control(code))
			strbuf_addf(b, "\\u%04" PRIx32, code);
		else
			strbuf_addn(b, s, length);
		s += MAX(length, 1);
	}
	strbuf_add(b, "\"");
}

/* What stands in front of every value. */
static void begin(struct json *j, const char *key)
{
	if (j->comma)
		strbuf_add(&j->out, ",");
	if (key) {
		put_string(&j->out, key);
		strbuf_add(&j->out, ":");
	}
	j->comma = true;
}

static void open_with(struct json *j, const char *key, const char *bracket)
{
	begin(j, key);
	strbuf_add(&j->out, bracket);
	j->comma = false;
}

static void close_with(struct json *j, const char *bracket)
{
	strbuf_add(&j->out, bracket);
	j->comma = true;
}

void json_object(struct json *j, const char *key)
{
	open_with(j, key, "{");
}

void json_end_object(struct json *j)
{
	close_with(j, "}");
}

void json_array(struct json *j, const char *key)
{
	open_with(j, key, "[");
}

void json_end_array(struct json *j)
{
	close_with(j, "]");
}

void json_text(struct json *j, const char *key, const char *value)
{
	if (!value) {
		json_null(j, key);
		return;
	}
	begin(j, key);
	put_string(&j->out, value);
}

void json_int(struct json *j, const char *key, int64_t value)
{
	begin(j, key);
	strbuf_addf(&j->out, "%" PRId64, value);
}

void json_number(struct json *j, const char *key, double value)
{
	if (!isfinite(value)) {
		json_null(j, key);
		return;
	}
	begin(j, key);
	if (fabs(value) >= 1e15) { /* has no decimals worth the name; %.0f prints no point */
		strbuf_addf(&j->out, "%.0f", value);
		return;
	}
	int64_t thousandths = llround(fabs(value) * 1000);
	strbuf_addf(&j->out, "%s%" PRId64 ".%03" PRId64, value < 0 && thousandths > 0 ? "-" : "",
		thousandths / 1000, thousandths % 1000);
}

void json_bool(struct json *j, const char *key, bool value)
{
	begin(j, key);
	strbuf_add(&j->out, value ? "true" : "false");
}

void json_null(struct json *j, const char *key)
{
	begin(j, key);
	strbuf_add(&j->out, "null");
}

void json_time(struct json *j, const char *key, int64_t us)
{
	time_t seconds = (time_t)(us / 1000000);
	struct tm tm;
	char text[32];
	if (us <= 0 || !gmtime_r(&seconds, &tm) ||
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm) == 0) {
		json_null(j, key);
		return;
	}
	begin(j, key);
	strbuf_addf(&j->out, "\"%s.%03" PRId64 "Z\"", text, us / 1000 % 1000);
}

void json_free(struct json *j)
{
	strbuf_free(&j->out);
	j->comma = false;
}
