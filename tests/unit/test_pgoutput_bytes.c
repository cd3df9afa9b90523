// SPDX-License-Identifier: PostgreSQL
/* The decoder on bytes that are wrong: cut off, changed, too long, or in a place where they may not
 * be. All bytes lie before a page that can't be read, so that reading too far is seen without a
 * sanitizer. */
#include "pgoutput_captures.h"
#include "pgoutput_walk.h"

#include <sys/mman.h>
#include <unistd.h>

#define ROOM 4096

/* Where the readable room ends. */
static char *edge_new(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *room =
		mmap(NULL, ROOM + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(room != MAP_FAILED);
	assert_int_equal(mprotect(room + ROOM, page, PROT_NONE), 0);
	return room + ROOM;
}

static void edge_free(char *edge)
{
	munmap(edge - ROOM, ROOM + (size_t)sysconf(_SC_PAGESIZE));
}

static char *put_before(char *edge, const char *bytes, size_t size)
{
	assert_true(size <= ROOM);
	return memcpy(edge - size, bytes, size);
}

/* Decodes, and looks at all there is when that succeeds. */
static bool decodes(struct pgoutput_context *c, const char *bytes, size_t size)
{
	struct pgoutput_context before = *c;
	struct pgoutput_message m;
	struct error e = { 0 };
	if (pgoutput_decode(c, bytes, size, &m, &e)) {
		struct walk w = { .from = bytes, .to = bytes + size };
		if (!walk_message(&w, &m))
			fail_msg("%s points outside of its bytes", pgoutput_kind_name(m.kind));
		return true;
	}
	assert_int_equal(e.class, ERROR_BUG);
	assert_true(e.text[0] != '\0');
	assert_int_equal(c->in_stream, before.in_stream);
	return false;
}

static void in_all_captures(
	void (*check)(struct pgoutput_context c, const struct captured *m, char *edge))
{
	char *edge = edge_new();
	for (size_t i = 0; i < ARRAY_SIZE(capture_names); i++) {
		struct capture *capture = capture_load(capture_names[i]);
		struct pgoutput_context c = { .version = capture->version };
		for (size_t j = 0; j < capture->count; j++) {
			const struct captured *m = &capture->messages[j];
			check(c, m, edge);
			assert_true(decodes(&c, put_before(edge, m->bytes, m->size), m->size));
		}
		capture_free(capture);
	}
	edge_free(edge);
}

/* A stream abort of streaming = parallel begins with a whole one of streaming = on. */
static bool is_whole(const char *bytes, size_t size)
{
	return size == 9 && bytes[0] == 'A';
}

static void check_cut(struct pgoutput_context c, const struct captured *m, char *edge)
{
	for (size_t size = 0; size < m->size; size++)
		if (decodes(&c, put_before(edge, m->bytes, size), size) != is_whole(m->bytes, size))
			fail_msg("%zu of %zu bytes of '%c' are taken", size, m->size, m->bytes[0]);
}

static void every_cut_is_refused(void **state)
{
	(void)state;
	in_all_captures(check_cut);
}

static void check_longer(struct pgoutput_context c, const struct captured *m, char *edge)
{
	for (size_t more = 1; more <= 20; more++) {
		char *bytes = memset(edge - m->size - more, 0, m->size + more);
		memcpy(bytes, m->bytes, m->size);
		/* See is_whole(). */
		if (is_whole(m->bytes, m->size) && more == 16 && c.version == 4)
			continue;
		if (decodes(&c, bytes, m->size + more))
			fail_msg("%zu bytes more than '%c' are taken", more, m->bytes[0]);
	}
}

static void bytes_left_over_are_refused(void **state)
{
	(void)state;
	in_all_captures(check_longer);
}

static void check_changed(struct pgoutput_context c, const struct captured *m, char *edge)
{
	char *bytes = put_before(edge, m->bytes, m->size);
	for (size_t i = 0; i < m->size; i++) {
		for (int flip = 1; flip < 256; flip++) {
			struct pgoutput_context mine = c;
			bytes[i] = (char)(m->bytes[i] ^ flip);
			(void)decodes(&mine, bytes, m->size);
		}
		bytes[i] = m->bytes[i];
	}
}

static void no_changed_byte_leads_outside(void **state)
{
	(void)state;
	in_all_captures(check_changed);
}

/* ---- by hand ---- */

static void assert_refused(
	struct pgoutput_context c, const char *bytes, size_t size, const char *text)
{
	struct pgoutput_message m;
	struct error e = { 0 };
	bool in_stream = c.in_stream;
	assert_false(pgoutput_decode(&c, bytes, size, &m, &e));
	assert_int_equal(e.class, ERROR_BUG);
	assert_string_equal(e.text, text);
	assert_int_equal(c.in_stream, in_stream);
}
#define REFUSED(version, in_stream, bytes, text)                                                   \
	assert_refused((struct pgoutput_context){ version, in_stream }, bytes, sizeof(bytes) - 1, text)

static void errors_name_message_and_place(void **state)
{
	(void)state;
	REFUSED(1, false, "", "the source sent an empty pgoutput message");
	REFUSED(4, false, "x", "the source sent an unknown pgoutput message 0x78");
	REFUSED(4, false, "\xFF", "the source sent an unknown pgoutput message 0xFF");
	REFUSED(4, false, "\0", "the source sent an unknown pgoutput message 0x00");
	REFUSED(1, false, "B1234",
		"the source sent a broken pgoutput begin: it ends too early at byte 1 of 5");
	REFUSED(1, false, "I\0\0\0\1K\0\0",
		"the source sent a broken pgoutput insert: no new row at byte 5 of 8");
	REFUSED(1, false, "D\0\0\0\1N\0\0",
		"the source sent a broken pgoutput delete: no old row at byte 5 of 8");
	REFUSED(1, false, "U\0\0\0\1K\0\0K\0\0",
		"the source sent a broken pgoutput update: no new row at byte 8 of 11");
	REFUSED(1, false, "I\0\0\0\1N\0\1x",
		"the source sent a broken pgoutput insert: a value is of an unknown kind at byte 8 of 9");
	REFUSED(1, false, "I\0\0\0\1N\0\1t\xFF\xFF\xFF\xFFy",
		"the source sent a broken pgoutput insert: it ends too early at byte 13 of 14");
	REFUSED(1, false, "T\xFF\xFF\xFF\xFF\0\0\0\0\1",
		"the source sent a broken pgoutput truncate: it ends too early at byte 6 of 10");
	REFUSED(1, false, "Y\0\0\0\1s\0name",
		"the source sent a broken pgoutput type: a text has no end at byte 7 of 11");
	REFUSED(1, false, "R\0\0\0\1s\0t\0x\0\0",
		"the source sent a broken pgoutput relation: a replica identity is of an unknown kind at "
		"byte 9 of 12");
	REFUSED(2, true, "E.",
		"the source sent a broken pgoutput stream stop: bytes are left over at byte 1 of 2");
}

static void versions_and_streams_are_kept(void **state)
{
	(void)state;
	REFUSED(1, false, "S\0\0\0\1\1",
		"the source sent pgoutput's stream start, which version 1 does not have");
	REFUSED(
		2, false, "K", "the source sent pgoutput's commit prepared, which version 2 does not have");
	REFUSED(2, true, "S\0\0\0\1\1", "the source sent pgoutput's stream start inside of a stream");
	REFUSED(2, true, "B", "the source sent pgoutput's begin inside of a stream");
	REFUSED(4, false, "E", "the source sent pgoutput's stream stop outside of a stream");
	REFUSED(3, false, "A\0\0\0\1\0\0\0\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
		"the source sent a broken pgoutput stream abort: bytes are left over at byte 9 of 25");
}

static void kinds_have_names(void **state)
{
	(void)state;
	for (enum pgoutput_kind a = 0; a < PGOUTPUT_KIND_COUNT; a++) {
		assert_string_not_equal(pgoutput_kind_name(a), "unknown");
		for (enum pgoutput_kind b = 0; b < a; b++)
			assert_string_not_equal(pgoutput_kind_name(a), pgoutput_kind_name(b));
	}
	assert_string_equal(pgoutput_kind_name(PGOUTPUT_COMMIT), "commit");
	assert_string_equal(pgoutput_kind_name(PGOUTPUT_STREAM_PREPARE), "stream prepare");
	assert_string_equal(pgoutput_kind_name(PGOUTPUT_KIND_COUNT), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_cut_is_refused),
		cmocka_unit_test(bytes_left_over_are_refused),
		cmocka_unit_test(no_changed_byte_leads_outside),
		cmocka_unit_test(errors_name_message_and_place),
		cmocka_unit_test(versions_and_streams_are_kept),
		cmocka_unit_test(kinds_have_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
