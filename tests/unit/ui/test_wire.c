// SPDX-License-Identifier: PostgreSQL
/* Frames between a terminal and the engine: what is sent is what is read, in whatever pieces it comes, and nothing
 * that is not a frame is taken for one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "attach/wire.h"

static const struct wire_hello hello = {
	.version = WIRE_VERSION,
	.purpose = WIRE_TO_ATTACH,
	.force = true,
	.utf8 = true,
	.mouse = true,
	.color = 2,
	.size = { 24, 300 },
	.release = "0.1.0",
	.term = "xterm-256color",
	.from = "pts/3 from 10.0.0.7",
};

static void read_frame(struct wire_buffer *b, struct wire_frame *f, enum wire_kind kind)
{
	assert_int_equal(wire_next(b, f), WIRE_FRAME);
	assert_int_equal(f->kind, kind);
}

static void test_each_payload_comes_back(void **state)
{
	(void)state;
	struct wire_buffer b = { 0 };
	struct wire_frame f;
	struct wire_hello h;
	struct wire_size size;
	struct wire_status s, status = { 4711, 1234567890123456, 0, "0.1.0", "", "shop 64%, ~1h 05m left" };
	struct wire_bye y, bye = { 3, true, "[detached: nothing runs]" };
	wire_put_hello(&b, &hello);
	wire_put_size(&b, (struct wire_size){ 60, 200 });
	wire_put_status(&b, &status);
	wire_put_bye(&b, &bye);
	read_frame(&b, &f, WIRE_HELLO);
	assert_true(wire_hello(&f, &h));
	assert_int_equal(h.version, WIRE_VERSION);
	assert_true(h.force && h.utf8 && h.mouse && !h.readonly && !h.ascii && !h.tmux);
	assert_int_equal(h.color, 2);
	assert_int_equal(h.size.cols, 300);
	assert_string_equal(h.term, hello.term);
	assert_string_equal(h.from, hello.from);
	read_frame(&b, &f, WIRE_SIZE);
	assert_true(wire_size(&f, &size));
	assert_int_equal(size.rows, 60);
	assert_int_equal(size.cols, 200);
	read_frame(&b, &f, WIRE_STATUS);
	assert_true(wire_status(&f, &s));
	assert_int_equal(s.pid, 4711);
	assert_true(s.since_us == status.since_us);
	assert_string_equal(s.sentence, status.sentence);
	read_frame(&b, &f, WIRE_BYE);
	assert_true(wire_bye(&f, &y));
	assert_true(y.restored);
	assert_int_equal(y.code, 3);
	assert_string_equal(y.text, bye.text);
	assert_int_equal(wire_next(&b, &f), WIRE_MORE);
	wire_free(&b);
}

static void test_a_frame_in_pieces(void **state)
{
	(void)state;
	struct wire_buffer whole = { 0 }, b = { 0 };
	struct wire_frame f;
	struct wire_hello h;
	wire_put_hello(&whole, &hello);
	for (size_t i = 0; i < whole.bytes.len; i++) {
		assert_int_equal(wire_next(&b, &f), WIRE_MORE);
		strbuf_addn(&b.bytes, whole.bytes.text + i, 1);
	}
	read_frame(&b, &f, WIRE_HELLO);
	assert_true(wire_hello(&f, &h));
	wire_free(&whole);
	wire_free(&b);
}

static void test_long_payloads_are_split(void **state)
{
	(void)state;
	struct wire_buffer b = { 0 };
	struct wire_frame f;
	char text[2 * WIRE_PAYLOAD_MAX + 5];
	size_t got = 0;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)(i * 7);
	wire_put(&b, WIRE_INPUT, text, sizeof(text));
	while (wire_next(&b, &f) == WIRE_FRAME) {
		assert_memory_equal(f.payload, text + got, f.size);
		got += f.size;
	}
	assert_int_equal(got, sizeof(text));
	assert_int_equal(wire_pending(&b), 0);
	wire_free(&b);
}

static void refused(const void *bytes, size_t size)
{
	struct wire_buffer b = { 0 };
	struct wire_frame f;
	strbuf_addn(&b.bytes, bytes, size);
	assert_int_equal(wire_next(&b, &f), WIRE_BROKEN);
	wire_free(&b);
}

static void test_what_is_no_frame(void **state)
{
	(void)state;
	refused("\x00\x00\x00\x00", 4);     /* no kind */
	refused("\x20\x00\x00\x00", 4);     /* between the kinds */
	refused("\x03\x01\x00\x00", 4);     /* a flag that does not exist */
	refused("\x03\x00\x40\x01", 4);     /* a byte too long */
	refused("GET / HTTP/1.1\r\n", 16);
}

/* Each shorter payload, and one with a byte more, is refused. */
static void test_what_is_no_hello(void **state)
{
	(void)state;
	struct wire_buffer b = { 0 };
	struct wire_frame f, cut;
	struct wire_hello h;
	wire_put_hello(&b, &hello);
	read_frame(&b, &f, WIRE_HELLO);
	for (size_t n = 0; n < f.size; n++) {
		cut = (struct wire_frame){ WIRE_HELLO, f.payload, n };
		assert_false(wire_hello(&cut, &h));
	}
	strbuf_addn(&b.bytes, "x", 1);
	cut = (struct wire_frame){ WIRE_HELLO, (const uint8_t *)b.bytes.text + 4, f.size + 1 };
	assert_false(wire_hello(&cut, &h));
	b.bytes.text[4] = 'q';
	cut.size--;
	assert_false(wire_hello(&cut, &h));
	wire_free(&b);
}

/* Of another version nothing but that is understood, so that it can be said. */
static void test_another_version(void **state)
{
	(void)state;
	struct wire_buffer b = { 0 };
	struct wire_frame f = { WIRE_HELLO, (const uint8_t *)"pgpr\x00\x63 whatever it has to say", 30 };
	struct wire_hello h;
	assert_true(wire_hello(&f, &h));
	assert_int_equal(h.version, 99);
	assert_string_equal(h.term, "");
	wire_free(&b);
}

static void test_through_a_socket(void **state)
{
	(void)state;
	int ends[2];
	struct wire_buffer out = { 0 }, in = { 0 };
	struct wire_frame f;
	char text[1000];
	size_t got = 0, sent = 0;
	memset(text, 'x', sizeof(text));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	while (sent < 3000000 || got < sent) {
		if (sent < 3000000) {
			wire_put(&out, WIRE_OUTPUT, text, sizeof(text));
			sent += sizeof(text);
		}
		assert_true(wire_send(ends[0], &out));
		if (wire_pending(&out) == 0 && sent < 3000000 && sent % 5000 != 0)
			continue;
		assert_true(wire_receive(ends[1], &in));
		while (wire_next(&in, &f) == WIRE_FRAME)
			got += f.size;
	}
	assert_int_equal(got, sent);
	assert_true(in.bytes.size < 200000); /* what was read does not stay */
	close(ends[0]);
	assert_false(wire_receive(ends[1], &in));
	close(ends[1]);
	wire_free(&out);
	wire_free(&in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_payload_comes_back),
		cmocka_unit_test(test_a_frame_in_pieces),
		cmocka_unit_test(test_long_payloads_are_split),
		cmocka_unit_test(test_what_is_no_frame),
		cmocka_unit_test(test_what_is_no_hello),
		cmocka_unit_test(test_another_version),
		cmocka_unit_test(test_through_a_socket),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
