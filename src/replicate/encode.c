// SPDX-License-Identifier: PostgreSQL
/* Most values need no escape: one pass tells, by a table of bytes, and then they are copied whole. */
#include "encode.h"

#include <string.h>
#include <strings.h>

enum {
	QUOTED = 1,  /* in an array only between quotes */
	ESCAPED = 2, /* and there behind a backslash */
	LINE = 4,    /* in a line of COPY behind a backslash */
};

static const unsigned char traits[256] = {
	['{'] = QUOTED, ['}'] = QUOTED, [','] = QUOTED, [' '] = QUOTED, ['\v'] = QUOTED, ['\f'] = QUOTED,
	['"'] = QUOTED | ESCAPED, ['\\'] = QUOTED | ESCAPED | LINE,
	['\t'] = QUOTED | LINE, ['\n'] = QUOTED | LINE, ['\r'] = QUOTED | LINE,
};

static unsigned char traits_of(const struct pgoutput_value *v)
{
	unsigned char all = 0;
	for (uint32_t i = 0; i < v->size; i++)
		all |= traits[(unsigned char)v->bytes[i]];
	return all;
}

/* Room for n more bytes, which the caller writes behind text[len]. */
static char *room(struct strbuf *b, size_t n)
{
	if (b->len + n + 1 > b->size) {
		b->size = MAX(2 * b->size, b->len + n + 1024);
		b->text = xrealloc(b->text, b->size);
	}
	return b->text + b->len;
}

static void close_text(struct strbuf *b, const char *end)
{
	b->len = (size_t)(end - b->text);
	b->text[b->len] = '\0';
}

static char *put(char *to, const char *bytes, size_t n)
{
	memcpy(to, bytes, n);
	return to + n;
}

void encode_item(struct strbuf *array, const struct pgoutput_value *v)
{
	char *to = room(array, 2 * (size_t)v->size + 8);
	*to++ = array->len == 0 ? '{' : ',';
	if (v->kind != VALUE_TEXT) {
		close_text(array, put(to, "NULL", 4));
		return;
	}
	unsigned char all = traits_of(v);
	bool null_word = v->size == 4 && strncasecmp(v->bytes, "null", 4) == 0;
	if (v->size > 0 && !(all & QUOTED) && !null_word) {
		close_text(array, put(to, v->bytes, v->size));
		return;
	}
	*to++ = '"';
	if (!(all & ESCAPED))
		to = put(to, v->bytes, v->size);
	for (uint32_t i = 0; i < v->size && (all & ESCAPED); i++) {
		if (traits[(unsigned char)v->bytes[i]] & ESCAPED)
			*to++ = '\\';
		*to++ = v->bytes[i];
	}
	*to++ = '"';
	close_text(array, to);
}

void encode_field(struct strbuf *line, const struct pgoutput_value *v)
{
	char *to = room(line, 2 * (size_t)v->size + 2);
	if (v->kind != VALUE_TEXT) {
		close_text(line, put(to, "\\N", 2));
		return;
	}
	if (!(traits_of(v) & LINE)) {
		close_text(line, put(to, v->bytes, v->size));
		return;
	}
	for (uint32_t i = 0; i < v->size; i++) {
		char c = v->bytes[i];
		if (traits[(unsigned char)c] & LINE) {
			*to++ = '\\';
			c = (char)(c == '\n' ? 'n' : c == '\r' ? 'r' : c == '\t' ? 't' : c);
		}
		*to++ = c;
	}
	close_text(line, to);
}
