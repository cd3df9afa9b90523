// SPDX-License-Identifier: PostgreSQL
/* Where apply stands for a snapshot of the source: what it may still take, and which snapshots have no place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <endian.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "replicate/halt.h"

#define PATIENCE_US 50000
#define BEGIN_SIZE (1 + 8 + 8 + 4)

struct bench {
	struct queue *queue;
	struct inbox *inbox;
	struct halt *halt;
	struct stop *stop;
};

static int open_bench(void **state)
{
	struct bench *b = xcalloc(1, sizeof(*b));
	b->queue = queue_new(1 << 20);
	b->inbox = inbox_new(b->queue);
	b->halt = halt_new(PATIENCE_US);
	b->stop = stop_new(NULL);
	*state = b;
	return 0;
}

static int close_bench(void **state)
{
	struct bench *b = *state;
	inbox_free(b->inbox);
	queue_free(b->queue);
	halt_free(b->halt);
	stop_free(b->stop);
	free(b);
	return 0;
}

/* ---- the stream: each record in a parcel of its own, so that looking ahead takes several ---- */

static void put(struct bench *b, lsn_t lsn, const char *bytes, size_t size)
{
	struct parcel *p = parcel_new(size);
	parcel_add(p, lsn, bytes, size);
	queue_put(b->queue, p);
}

static void put_transaction(struct bench *b, lsn_t final, uint32_t xid)
{
	char begin[BEGIN_SIZE] = "B";
	memcpy(begin + 1, &(uint64_t){ htobe64(final) }, 8);
	memcpy(begin + 17, &(uint32_t){ htobe32(xid) }, 4);
	put(b, final - 5, begin, sizeof(begin));
	put(b, final - 4, "I", 1);
	put(b, final, "C", 1);
}

static void put_keepalive(struct bench *b, lsn_t lsn)
{
	put(b, lsn, NULL, 0);
}

/* ---- what apply does ---- */

/* Takes what it may, to where it has to stand or there is nothing more; gives the last transaction's number. */
static uint32_t go(struct bench *b, lsn_t began, enum halt_word *word)
{
	struct record r;
	uint32_t last = 0;
	bool open = false;
	for (;;) {
		*word = open || halt_is_over(b->halt) ? HALT_GO : halt_ask_way(b->halt, b->inbox, began);
		if (*word != HALT_GO || !inbox_next(b->inbox, &r))
			return last;
		if (r.size > 0 && r.bytes[0] == 'B') {
			memcpy(&last, r.bytes + 17, 4);
			last = be32toh(last);
			halt_passed(b->halt, last);
		}
		open = r.size > 0 && r.bytes[0] != 'C';
	}
}

static void expect_go(struct bench *b, uint32_t last, enum halt_word word)
{
	enum halt_word got;
	assert_int_equal(go(b, 0, &got), last);
	assert_int_equal(got, word);
}

static struct halt_view look(struct bench *b)
{
	struct halt_view v;
	halt_look(b->halt, &v);
	return v;
}

static void stand(struct bench *b)
{
	halt_ask(b->halt);
	expect_go(b, 0, HALT_STAND);
	assert_int_equal(look(b).state, HALT_STANDS);
}

static void place(struct bench *b, const char *snapshot, lsn_t upto)
{
	halt_place(b->halt, visible_new(snapshot), upto);
	assert_int_equal(look(b).state, HALT_PLACED);
}

static void expect_here(struct bench *b, uint32_t last, lsn_t position)
{
	expect_go(b, last, HALT_HERE);
	halt_arrive(b->halt);
	struct halt_view v = look(b);
	assert_int_equal(v.state, HALT_THERE);
	assert_int_equal(v.position, position);
	expect_go(b, 0, HALT_STAND);
}

static void expect_refused(struct bench *b, uint32_t last, int times)
{
	expect_go(b, last, HALT_STAND);
	struct halt_view v = look(b);
	assert_int_equal(v.state, HALT_STANDS);
	assert_int_equal(v.refused, times);
	assert_true(v.why[0]);
}

/* ---- the tests ---- */

static void passes_when_nobody_asks(void **state)
{
	struct bench *b = *state;
	put_transaction(b, 100, 7);
	put_transaction(b, 200, 8);
	expect_go(b, 8, HALT_GO);
}

static void stands_before_the_first_that_is_not_seen(void **state)
{
	struct bench *b = *state;
	stand(b);
	put_transaction(b, 100, 7);
	put_transaction(b, 200, 8);
	put_transaction(b, 300, 10);
	put_transaction(b, 400, 11);
	put_transaction(b, 500, 12);
	place(b, "9:11:", 350);
	expect_here(b, 10, 350);
	halt_end(b->halt);
	expect_go(b, 12, HALT_GO);
}

static void is_kept_for_as_long_as_it_takes(void **state)
{
	struct bench *b = *state;
	stand(b);
	assert_false(halt_keep(b->halt));
	place(b, "9:9:", 350);
	put_keepalive(b, 400);
	expect_here(b, 0, 350);
	assert_true(halt_keep(b->halt));
	while (look(b).stopped_us < PATIENCE_US) {
		halt_place(b->halt, NULL, 0); /* ignored, but it wakes */
		halt_stand(b->halt, b->stop, -1);
	}
	assert_int_equal(look(b).state, HALT_THERE);
	halt_end(b->halt);
	assert_false(halt_keep(b->halt));
}

static void looks_at_all_up_to_the_end(void **state)
{
	struct bench *b = *state;
	stand(b);
	put_transaction(b, 100, 7);
	put_transaction(b, 200, 8); /* written, not visible */
	place(b, "8:9:8", 350);
	expect_go(b, 7, HALT_STAND);
	assert_int_equal(look(b).state, HALT_PLACED);
	put_transaction(b, 300, 9); /* nor is this one */
	expect_go(b, 0, HALT_STAND);
	put_keepalive(b, 400);
	expect_here(b, 0, 200);
	halt_end(b->halt);
	expect_go(b, 9, HALT_GO);
}

static void overtaken_commits_have_no_place(void **state)
{
	struct bench *b = *state;
	stand(b);
	put_transaction(b, 100, 7);
	put_transaction(b, 200, 8); /* waits for its disk */
	put_transaction(b, 300, 9); /* is visible before it */
	place(b, "8:10:8", 350);
	expect_refused(b, 7, 1);
	place(b, "10:10:", 350);
	put_keepalive(b, 360);
	expect_here(b, 9, 350);
}

static void what_is_applied_must_be_seen(void **state)
{
	struct bench *b = *state;
	put_transaction(b, 100, 7);
	expect_go(b, 7, HALT_GO);
	stand(b);
	place(b, "7:9:7,8", 350); /* 7 waits for a standby */
	expect_refused(b, 0, 1);
	place(b, "6:7:6", 350); /* so do all from 7 on */
	expect_refused(b, 0, 2);
	place(b, "8:9:8", 350);
	put_keepalive(b, 400);
	expect_here(b, 0, 350);
}

static void what_an_earlier_stream_applied_must_be_seen(void **state)
{
	struct bench *b = *state;
	enum halt_word word;
	stand(b);
	put_transaction(b, 100, 7);
	place(b, "7:9:7", 350);
	assert_int_equal(go(b, 150, &word), 0);
	assert_int_equal(word, HALT_STAND);
	assert_int_equal(look(b).refused, 1);
}

static void a_transaction_is_never_cut(void **state)
{
	struct bench *b = *state;
	struct record r;
	put_transaction(b, 100, 7);
	assert_true(inbox_next(b->inbox, &r));
	halt_ask(b->halt);
	assert_true(inbox_next(b->inbox, &r)); /* the apply thread does not ask inside of one */
	assert_true(inbox_next(b->inbox, &r));
	expect_go(b, 0, HALT_STAND);
}

static void numbers_wrap_around(void **state)
{
	struct bench *b = *state;
	stand(b);
	put_transaction(b, 100, UINT32_MAX - 1);
	put_transaction(b, 200, 5);
	put_transaction(b, 300, 6);
	place(b, "4294967301:4294967302:", 250);
	expect_here(b, 5, 250);
}

static void nobody_holds_for_ever(void **state)
{
	struct bench *b = *state;
	stand(b);
	int64_t began = clock_us();
	while (!halt_is_over(b->halt) && clock_us() - began < 100 * PATIENCE_US)
		halt_stand(b->halt, b->stop, -1);
	struct halt_view v = look(b);
	assert_int_equal(v.state, HALT_NONE);
	assert_true(v.expired);
	assert_true(v.stopped_us >= PATIENCE_US);
}

int main(void)
{
#define IN_BENCH(test) cmocka_unit_test_setup_teardown(test, open_bench, close_bench)
	const struct CMUnitTest tests[] = {
		IN_BENCH(passes_when_nobody_asks),
		IN_BENCH(stands_before_the_first_that_is_not_seen),
		IN_BENCH(is_kept_for_as_long_as_it_takes),
		IN_BENCH(looks_at_all_up_to_the_end),
		IN_BENCH(overtaken_commits_have_no_place),
		IN_BENCH(what_is_applied_must_be_seen),
		IN_BENCH(what_an_earlier_stream_applied_must_be_seen),
		IN_BENCH(a_transaction_is_never_cut),
		IN_BENCH(numbers_wrap_around),
		IN_BENCH(nobody_holds_for_ever),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
