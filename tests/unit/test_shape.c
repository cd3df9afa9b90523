// SPDX-License-Identifier: PostgreSQL
/* The JSON and the progress lines that scripts and people read: fields by name, in one piece. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/cutover_report.h"
#include "listing.h"
#include "cli/progress.h"
#include "cli/shape.h"

static void is_text(struct json *j, const char *expected)
{
	assert_string_equal(j->out.text, expected);
	json_free(j);
}

static void test_a_table(void **state)
{
	(void)state;
	struct json j = JSON_INIT;
	struct table_view t = {
		.source = "public.items",
		.target = "app.items",
		.state = TABLE_FAILED,
		.rows = 12,
		.rows_total = -1,
		.bytes = 3400,
		.bytes_total = 5000,
		.chunks = 4,
		.chunks_done = 1,
		.elapsed_s = 1.5,
		.attempts = 2,
		.how = "ntile",
	};
	error_set(&t.error, ERROR_PERMISSION, "permission denied for table items");
	shape_table(&j, &t, NULL);
	is_text(&j, "{\"source\":\"public.items\",\"target\":\"app.items\",\"state\":\"failed\","
				"\"rows\":12,\"rows_total\":null,\"bytes\":3400,\"bytes_total\":5000,"
				"\"chunks\":4,\"chunks_done\":1,\"elapsed_s\":1.500,\"attempts\":2,"
				"\"how\":\"ntile\",\"stall\":null,\"changes\":null,"
				"\"error\":\"permission denied for table items\","
				"\"error_class\":\"permission\"}");
}

static void test_a_mirror_that_never_ran(void **state)
{
	(void)state;
	struct json j = JSON_INIT;
	struct mirror_view m = { .name = "shop", .source = "ec2", .target = "rds17" };
	m.load.rows_total = m.load.bytes_total = -1;
	m.load.eta_s = -1;
	json_object(&j, NULL);
	shape_mirror(&j, &m);
	json_end_object(&j);
	is_text(&j, "{\"mirror\":\"shop\",\"source\":\"ec2\",\"target\":\"rds17\",\"state\":\"new\","
				"\"started\":null,\"ended\":null,\"elapsed_s\":0.000,\"rows\":0,"
				"\"rows_total\":null,\"bytes\":0,\"bytes_total\":null,\"exact\":false,"
				"\"fraction\":0.000,\"rate\":0.000,\"eta_s\":null,\"tables_done\":0,"
				"\"tables_failed\":0,\"snapshots\":0,\"moments\":null,\"next\":null,"
				"\"continuous\":false,\"reverse_of\":null}");
}

static void test_an_error_has_its_class(void **state)
{
	(void)state;
	struct json j = JSON_INIT;
	struct error e = { .sqlstate = "42501" };
	error_set(&e, ERROR_PERMISSION, "permission denied");
	error_next(&e, "grant SELECT");
	shape_error(&j, "public.\"a\nb\"", &e);
	is_text(&j, "{\"subject\":\"public.\\\"a\\nb\\\"\",\"class\":\"permission\","
				"\"text\":\"permission denied\",\"next\":\"grant SELECT\",\"sqlstate\":null,"
				"\"detail\":null,\"statement\":null}");
}

static void test_a_preflight(void **state)
{
	(void)state;
	struct json j = JSON_INIT;
	char mirror[] = "shop", subject[] = "public.items", text[] = "has rows", line[] = "create";
	char *lines[] = { line };
	struct finding f = { SEVERITY_BLOCKER, subject, text, NULL };
	struct preflight p = { mirror, &f, 1, 1, 0, { lines, 1 }, 3, 70, -1 };
	shape_preflight(&j, &p);
	is_text(&j, "{\"mirror\":\"shop\",\"ok\":false,\"blockers\":1,\"warnings\":0,\"tables\":3,"
				"\"rows\":70,\"bytes\":null,\"findings\":[{\"severity\":\"blocker\","
				"\"subject\":\"public.items\",\"text\":\"has rows\",\"next\":null}],"
				"\"plan\":[\"create\"]}");
}

static void test_a_script(void **state)
{
	(void)state;
	struct json j = JSON_INIT;
	char mirror[] = "shop", subject[] = "map", text[] = "renamed later", file[] = "README.md";
	char *files[] = { file };
	struct finding f = { SEVERITY_NOTE, subject, text, NULL };
	struct preflight p = { mirror, &f, 1, 0, 0, { files, 1 }, 0, -1, -1 };
	shape_script(&j, &p, "/tmp/a\nb");
	is_text(&j, "{\"mirror\":\"shop\",\"folder\":\"/tmp/a\\nb\",\"tables\":0,\"rows\":null,\"bytes\":null,"
				"\"findings\":[{\"severity\":\"note\",\"subject\":\"map\",\"text\":\"renamed later\","
				"\"next\":null}],\"files\":[\"README.md\"]}");
}

static void test_a_peer_that_failed_has_no_probe(void **state)
{
	(void)state;
	struct json j = JSON_INIT;
	struct peer_view p = { .name = "ec2", .address = "mover@h:5432/shop", .status = PEER_FAILED };
	error_set(&p.error, ERROR_CONNECTION, "no route to host");
	shape_peer(&j, &p);
	is_text(&j, "{\"name\":\"ec2\",\"address\":\"mover@h:5432/shop\",\"mirrors\":0,"
				"\"status\":\"failed\",\"error\":\"no route to host\","
				"\"error_class\":\"connection\"}");
}

static void test_progress_lines(void **state)
{
	(void)state;
	char line[PROGRESS_SIZE];
	struct mirror_view m = { .state = MIRROR_LOADING };
	m.load = (struct load_totals){
		.tables = 418,
		.tables_done = 312,
		.rows = 812400000,
		.rows_total = 1204000000,
		.bytes = 1420000000000,
		.bytes_total = 2100000000000,
		.fraction = 0.6789,
		.rate = 184e6,
		.eta_s = -1,
	};
	assert_string_equal(progress_line(&m, NULL, 0, line),
		"67 %  1.42/~2.10 TB  812.4 M rows  184 MB/s  312/418 tables");
	m.load.exact = true;
	m.load.tables_failed = 1;
	m.load.bytes = 900000000000;
	m.load.eta_s = 3900;
	progress_line(&m, NULL, 0, line);
	assert_non_null(strstr(line, "900 GB/2.10 TB"));
	assert_non_null(strstr(line, "~1h 05m ("));
	assert_non_null(strstr(line, "312/418 tables, 1 failed"));
	m.state = MIRROR_PAUSING;
	assert_memory_equal(progress_line(&m, NULL, 0, line), "pausing  67 %", 12);
}

static void test_a_stream(void **state)
{
	(void)state;
	struct json j = JSON_INIT;
	struct replication_view r = { .running = true, .lag_s = 0.25, .lag_bytes = 4096, .lag_slope = -12.5,
		.caught_up_in_s = -1, .written = 0x16B3748, .sent = 0x16B3748, .received = 0x16B3700,
		.applied = UINT64_C(0x2500000A10), .changes_per_s = 1234.5, .transactions_per_s = 10, .changes = 99,
		.transactions = 7, .slow_batches = 1, .slow_why = "unique", .slot = "pgpier_shop",
		.publication = "pgpier_shop", .retained_bytes = 5, .safe_bytes = -1, .spill_bytes = -1,
		.tables_paused = 2 };
	json_object(&j, NULL);
	shape_replication(&j, &r);
	shape_replication(&j, NULL);
	json_end_object(&j);
	is_text(&j, "{\"replication\":{\"running\":true,\"lag_s\":0.250,\"lag_bytes\":4096,"
				"\"lag_slope\":-12.500,\"caught_up_in_s\":null,\"written\":\"0/16B3748\","
				"\"sent\":\"0/16B3748\",\"received\":\"0/16B3700\",\"applied\":\"25/A10\","
				"\"confirmed\":null,\"changes_per_s\":1234.500,\"transactions_per_s\":10.000,"
				"\"changes\":99,\"transactions\":7,\"slow_batches\":1,\"slow_why\":\"unique\","
				"\"missing\":0,\"missing_last\":null,\"slot\":\"pgpier_shop\","
				"\"publication\":\"pgpier_shop\",\"wal_status\":null,\"retained_bytes\":5,"
				"\"safe_bytes\":null,\"retained_slope\":0.000,\"spill_bytes\":null,"
				"\"transaction_bytes\":0,\"stall\":null,\"tables_paused\":2},\"replication\":null}");
}

static void test_a_table_that_changed(void **state)
{
	(void)state;
	struct json j = JSON_INIT;
	struct table_view t = { .source = "a.b", .target = "a.b", .state = TABLE_PAUSED };
	struct changes_view c = { .inserts = 1, .updates = 2, .deletes = 3, .truncates = 4, .missing = 5 };
	shape_table(&j, &t, &c);
	assert_non_null(strstr(j.out.text, "\"state\":\"paused\""));
	assert_non_null(strstr(j.out.text, "\"changes\":{\"inserts\":1,\"updates\":2,\"deletes\":3,"
									   "\"truncates\":4,\"missing\":5},\"error\""));
	json_free(&j);
}

static void test_stream_lines(void **state)
{
	(void)state;
	char line[PROGRESS_SIZE];
	struct mirror_view m = { .state = MIRROR_REPLICATING };
	struct replication_view r = { .running = true, .lag_s = 0.012, .lag_bytes = 4096, .changes_per_s = 1234,
		.transactions_per_s = 12, .caught_up_in_s = -1, .lag_slope = 5000 };
	assert_string_equal(progress_line(&m, &r, 0, line),
		"replicating  lag 12 ms, 4.10 kB  1.2 k changes/s  12 transactions/s");
	m.state = MIRROR_CATCHING_UP;
	r.tables_paused = 1;
	assert_string_equal(progress_line(&m, &r, 0, line),
		"catching up  lag 12 ms, 4.10 kB  1.2 k changes/s  12 transactions/s  falling behind 5.00 kB/s"
		"  1 paused");
	r.lag_slope = -5000;
	r.caught_up_in_s = 250;
	assert_non_null(strstr(progress_line(&m, &r, 0, line), "transactions/s  ~4m ("));
	m.state = MIRROR_LOADING; /* what the stream gathers meanwhile is not what a person waits for */
	assert_null(strstr(progress_line(&m, &r, 0, line), "lag"));
}

static void test_listing_aligns_and_sanitises(void **state)
{
	(void)state;
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	struct listing l = { .titles = "NAME ROWS> STATE" };
	listing_add(&l, "a\033[2Jb");
	listing_add(&l, "7");
	listing_add(&l, "");
	listing_add(&l, "x");
	listing_add(&l, "1234567");
	listing_add(&l, "done");
	listing_print(&l, out);
	fclose(out);
	assert_string_equal(text, "NAME          ROWS  STATE\n"
							  "a\\x1b[2Jb        7  -\n"
							  "x          1234567  done\n");
	free(text);
}

/* One in the middle: what ended, what runs, what waits. */
static struct cutover_view a_cutover(enum cutover_phase phase)
{
	struct cutover_view v = { .phase = phase, .began_at = 1763733600000000, .elapsed_s = 2.134, .limit_s = 300,
		.closed_s = 1.2, .forecast_s = -1 };
	for (int i = 0; i < CUTOVER_STEP_COUNT; i++)
		v.steps[i] = (struct cutover_step_view){ .forecast_s = -1 };
	for (int i = 0; i < CUTOVER_SILENCE; i++)
		v.steps[i].state = STEP_DONE;
	v.steps[CUTOVER_FREEZE] = (struct cutover_step_view){ .state = STEP_DONE, .took_s = 0.25, .forecast_s = 0.3,
		.what = "ended 12 sessions", .undo = "lets the roles connect again" };
	v.steps[CUTOVER_SILENCE] = (struct cutover_step_view){ .state = STEP_RUNNING, .took_s = 0.1, .forecast_s = -1 };
	return v;
}

static void test_a_cutover(void **state)
{
	(void)state;
	struct json j = JSON_INIT;
	struct cutover_view v = a_cutover(CUTOVER_RUNNING);
	json_object(&j, NULL);
	shape_cutover(&j, &v);
	json_end_object(&j);
	assert_non_null(strstr(j.out.text, "{\"cutover\":{\"phase\":\"running\",\"step\":\"silence\",\"here\":false,"
									   "\"asks\":false,\"began\":\"2025-11-21T14:00:00.000Z\",\"elapsed_s\":2.134,"
									   "\"limit_s\":300.000,\"closed_s\":1.200,\"forecast_s\":null,"));
	assert_non_null(strstr(j.out.text, "{\"step\":\"freeze\",\"state\":\"done\",\"took_s\":0.250,\"forecast_s\":0.300,"
									   "\"what\":\"ended 12 sessions\",\"undo\":\"lets the roles connect again\"}"));
	json_free(&j);
	j = (struct json)JSON_INIT;
	json_object(&j, NULL);
	v = (struct cutover_view){ 0 };
	shape_cutover(&j, &v);
	json_end_object(&j);
	is_text(&j, "{\"cutover\":null}");
}

/* What the printer wrote; the caller frees. */
static char *status_of(const struct cutover_view *v, const char *reverse_of)
{
	struct mirror_view m = { .name = "shop", .source = "ec2", .target = "rds17" };
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	copy_text(m.reverse_of, sizeof(m.reverse_of), reverse_of);
	cutover_print_status(&m, v, out);
	fclose(out);
	return text;
}

static void test_where_a_cutover_stands(void **state)
{
	(void)state;
	struct cutover_view v = a_cutover(CUTOVER_STUCK);
	char *text = status_of(&v, "");
	assert_string_equal(text, "cutover: interrupted at silence\n"
							  "go on:   pgpier cutover shop\n"
							  "undo:    pgpier cutover shop --undo\n");
	free(text);
	text = status_of(&v, "old");
	assert_non_null(strstr(text, "way back of: old\n"));
	assert_non_null(strstr(text, "undo:    pgpier rollback old --undo\n"));
	free(text);
	v = a_cutover(CUTOVER_DONE);
	copy_text(v.back, sizeof(v.back), "shop-back");
	copy_text(v.connection, sizeof(v.connection), "host=db dbname=shop");
	text = status_of(&v, "");
	assert_non_null(strstr(text, "; nobody could write for 1.2 s; way back shop-back\nconnect: host=db dbname=shop\n"));
	assert_null(strstr(text, "undo"));
	free(text);
}

static void test_a_step_and_the_checklist(void **state)
{
	(void)state;
	struct cutover_view v = a_cutover(CUTOVER_RUNNING);
	struct cutover_gate gates[] = {
		{ GATE_OPEN, "initial load", "418 tables", "" },
		{ GATE_CLOSED, "lag", "42 s, 1.4 GB", "wait until it has caught up" },
	};
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	step_print(CUTOVER_FREEZE, &v.steps[CUTOVER_FREEZE], 2.134, out);
	v.steps[CUTOVER_FREEZE].state = STEP_UNDONE;
	step_print(CUTOVER_FREEZE, &v.steps[CUTOVER_FREEZE], 12.5, out);
	gates_print(gates, ARRAY_SIZE(gates), out);
	fclose(out);
	assert_string_equal(text, "   2.134 s  freeze: ended 12 sessions\n"
							  "  12.500 s  freeze undone: lets the roles connect again\n"
							  "GATE          STATE   MEASURED\n"
							  "initial load  ok      418 tables\n"
							  "lag           closed  42 s, 1.4 GB\n"
							  "1 closed, 1 ok\n"
							  "what to do:\n"
							  "  lag: wait until it has caught up\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_table),
		cmocka_unit_test(test_a_mirror_that_never_ran),
		cmocka_unit_test(test_an_error_has_its_class),
		cmocka_unit_test(test_a_preflight),
		cmocka_unit_test(test_a_script),
		cmocka_unit_test(test_a_peer_that_failed_has_no_probe),
		cmocka_unit_test(test_progress_lines),
		cmocka_unit_test(test_a_stream),
		cmocka_unit_test(test_a_table_that_changed),
		cmocka_unit_test(test_stream_lines),
		cmocka_unit_test(test_a_cutover),
		cmocka_unit_test(test_where_a_cutover_stands),
		cmocka_unit_test(test_a_step_and_the_checklist),
		cmocka_unit_test(test_listing_aligns_and_sanitises),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
