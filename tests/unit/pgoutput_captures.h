// SPDX-License-Identifier: PostgreSQL
/* What real servers sent, as tests/support/capture_pgoutput.py wrote it, with what they said beside
 * it. */
#ifndef PGOUTPUT_CAPTURES_H
#define PGOUTPUT_CAPTURES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "replicate/pgoutput.h"

struct captured {
	lsn_t lsn; /* as the server gives them beside the bytes */
	uint32_t xid;
	size_t size;
	char *bytes; /* exactly size of them, so that a sanitizer sees the first byte too many */
};

struct capture {
	int major, version;
	bool binary, streaming, parallel, two_phase;
	int64_t since, until; /* of the source's clock */
	struct captured *messages;
	size_t count;
};

static const char *const capture_names[] = { "10", "11", "12", "13", "14", "14-stream",
	"15-two-phase", "16-stream", "16-parallel", "17", "18", "18-parallel" };

static inline void capture_field(struct capture *c, const char *name, const char *value)
{
	if (strcmp(name, "major") == 0)
		c->major = atoi(value);
	else if (strcmp(name, "version") == 0)
		c->version = atoi(value);
	else if (strcmp(name, "binary") == 0)
		c->binary = atoi(value);
	else if (strcmp(name, "two_phase") == 0)
		c->two_phase = atoi(value);
	else if (strcmp(name, "since") == 0)
		c->since = atoll(value);
	else if (strcmp(name, "until") == 0)
		c->until = atoll(value);
	else if (strcmp(name, "streaming") == 0) {
		c->parallel = strcmp(value, "parallel") == 0;
		c->streaming = strcmp(value, "off") != 0;
	} else {
		fail_msg("a capture has a field \"%s\"", name);
	}
}

static inline void capture_message(
	struct capture *c, const char *lsn, uint32_t xid, const char *hex)
{
	GROW(c->messages, c->count);
	struct captured *m = &c->messages[c->count++];
	assert_true(lsn_parse(lsn, &m->lsn));
	m->xid = xid;
	m->size = strlen(hex) / 2;
	m->bytes = xmalloc(m->size);
	for (size_t i = 0; i < m->size; i++)
		assert_int_equal(sscanf(hex + 2 * i, "%2hhx", (unsigned char *)&m->bytes[i]), 1);
}

static inline struct capture *capture_load(const char *name)
{
	struct capture *c = xcalloc(1, sizeof(*c));
	char *path = xasprintf("%s/tests/unit/pgoutput/%s.txt", getenv("PGPIER_SOURCE"), name);
	char line[4096], first[64], second[64], hex[4096];
	FILE *f = fopen(path, "r");
	if (!f)
		fail_msg("%s can't be read", path);
	while (fgets(line, sizeof(line), f)) {
		int words = sscanf(line, "%63s %63s %4095s", first, second, hex);
		if (words == 3)
			capture_message(c, first, (uint32_t)strtoul(second, NULL, 10), hex);
		else
			capture_field(c, first, second);
	}
	fclose(f);
	free(path);
	assert_true(c->count > 0);
	return c;
}

static inline void capture_free(struct capture *c)
{
	for (size_t i = 0; i < c->count; i++)
		free(c->messages[i].bytes);
	free(c->messages);
	free(c);
}

#endif
