// SPDX-License-Identifier: PostgreSQL
/* Any bytes as a stream of pgoutput messages: no read outside of a message, nothing that is decoded
 * points outside of it, and a message cut by a byte is none. Input: the version, then each message
 * behind its length in two bytes; what is left is tried as a position. */
#include <pgpier/format.h>

#include <stdlib.h>
#include <string.h>

#include "../unit/pgoutput_walk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Of exactly this size, so that the sanitizer sees the first byte too many. */
static char *copy(const void *bytes, size_t size)
{
	char *mine = xmalloc(size);
	return memcpy(mine, bytes, size);
}

static void cut_is_refused(struct pgoutput_context c, const char *bytes, size_t size)
{
	struct pgoutput_message m;
	struct error e;
	char *shorter = copy(bytes, size - 1);
	if (pgoutput_decode(&c, shorter, size - 1, &m, &e))
		abort();
	free(shorter);
}

static void one_message(struct pgoutput_context *c, const uint8_t *data, size_t size)
{
	struct pgoutput_context before = *c;
	struct pgoutput_message m;
	struct error e = { 0 };
	char *bytes = copy(data, size);
	struct walk w = { .from = bytes, .to = bytes + size };
	if (pgoutput_decode(c, bytes, size, &m, &e)) {
		if (!walk_message(&w, &m))
			abort();
		cut_is_refused(before, bytes, size);
	} else if (e.class != ERROR_BUG || c->in_stream != before.in_stream) {
		abort();
	}
	free(bytes);
}

static void one_position(const uint8_t *data, size_t size)
{
	char buf[FORMAT_SIZE];
	lsn_t lsn, again;
	char *text = xmalloc(size + 1);
	memcpy(text, data, size);
	text[size] = '\0';
	if (lsn_parse(text, &lsn) && (!lsn_parse(format_lsn(lsn, buf), &again) || again != lsn))
		abort();
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	struct pgoutput_context c = { .version = 1 + (data[0] + 3) % 4 };
	size_t at = 1;
	while (size - at >= 2) {
		size_t length = (size_t)data[at] << 8 | data[at + 1];
		if (length > size - at - 2)
			break;
		one_message(&c, data + at + 2, length);
		at += 2 + length;
	}
	one_position(data + at, size - at);
	return 0;
}
