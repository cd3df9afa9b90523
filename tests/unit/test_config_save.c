// SPDX-License-Identifier: PostgreSQL
/* Peers and mirrors as the console handles them: what is saved comes back equal, a save that fails
 * leaves the old file, and values are copied, replaced and checked. */
#include "config_files.h"

#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>

static const char hostile[] =
	"q\"uote \\ back\\n \n\t\r\x1b[31m\x01\x7f \xff\xc3\xa9 東京 # // /* @include \"x\" ;}";

static void fill(struct config *c)
{
	struct peer_config p = { .name = xstrdup("a"),
		.host = xstrdup(hostile),
		.port = 65535,
		.dbname = xstrdup(hostile),
		.password = xstrdup(hostile),
		.editable = true };
	struct peer_config b = { .name = xstrdup("b"),
		.ask_password = true,
		.password = xstrdup("in memory only"),
		.editable = true };
	struct mirror_config m;
	config_put_peer(c, &p);
	config_put_peer(c, &b);
	assert_null(p.name);
	mirror_config_defaults(&m);
	m.name = xstrdup("m");
	m.source = xstrdup("a");
	m.target = xstrdup("b");
	strings_add(&m.tables, "public.\n@include \"x\"");
	for (int i = 0; i < 20; i++)
		strings_add(&m.tables, "x.\"\\");
	strings_add(&m.exclude, "*.tmp");
	m.map = xcalloc(2, sizeof(*m.map));
	m.map[0] = (struct table_map){ .source = xstrdup("a.\"b\\"), .target = xstrdup("c.\x1b") };
	m.map[1] = (struct table_map){ .source = xstrdup("a.c"), .columns = xcalloc(2, sizeof(struct column_map)),
		.column_count = 2 };
	m.map[1].columns[0] = (struct column_map){ xstrdup("mail"), xstrdup("q\"\\\n\x1b 東 # //") };
	m.map[1].columns[1] = (struct column_map){ xstrdup("a\"b"), xstrdup("c") };
	m.map_count = 2;
	m.rows_per_chunk = INT64_C(1000000000000);
	m.continuous = true;
	m.chunking = CHUNKING_NTILE;
	m.slot = xstrdup("slot_1");
	m.caught_up_s = 0.125;
	m.alert_lag_s = 31536000;
	m.alert_command = xstrdup(hostile);
	m.editable = true;
	config_put_mirror(c, &m);
}

static struct config *config_in(const char *folder)
{
	struct config *c = xcalloc(1, sizeof(*c));
	c->directory = xstrdup(folder);
	return c;
}

static void what_is_saved_comes_back(void **state)
{
	struct error e;
	char *directory = path_in(*state, "made/for/it");
	struct config *c = config_in(directory);
	struct stat st;
	fill(c);
	assert_true(config_save_peers(c, &e));
	assert_true(config_save_mirrors(c, &e));
	config_free(c);
	write_file(directory, "pgpier.conf", "");
	c = load_good(directory);
	assert_int_equal(c->peer_count, 2);
	assert_string_equal(c->peers[0].host, hostile);
	assert_string_equal(c->peers[0].dbname, hostile);
	assert_string_equal(c->peers[0].password, hostile);
	assert_int_equal(c->peers[0].port, 65535);
	assert_true(c->peers[0].editable);
	assert_true(c->peers[1].ask_password);
	assert_null(c->peers[1].password);
	const struct mirror_config *m = config_find_mirror(c, "m");
	assert_int_equal(m->tables.count, 21);
	assert_string_equal(m->tables.items[0], "public.\n@include \"x\"");
	assert_string_equal(m->tables.items[20], "x.\"\\");
	assert_string_equal(m->map[0].source, "a.\"b\\");
	assert_string_equal(m->map[0].target, "c.\x1b");
	assert_int_equal(m->map[0].column_count, 0);
	assert_null(m->map[1].target);
	assert_int_equal(m->map[1].column_count, 2);
	assert_string_equal(m->map[1].columns[0].target, "q\"\\\n\x1b 東 # //");
	assert_string_equal(m->map[1].columns[1].source, "a\"b");
	assert_true(m->rows_per_chunk == INT64_C(1000000000000));
	assert_true(m->continuous && m->editable);
	assert_int_equal(m->chunking, CHUNKING_NTILE);
	assert_string_equal(m->slot, "slot_1");
	assert_null(m->publication);
	assert_string_equal(m->synced_at_column, "_pgpier_synced_at");
	assert_true(m->caught_up_s == 0.125 && m->alert_lag_s == 31536000);
	assert_string_equal(m->alert_command, hostile);
	config_free(c);
	assert_int_equal(stat(directory, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	free(directory);
}

/* Every byte but NUL, at every place in a text. */
static void every_byte_comes_back(void **state)
{
	struct error e;
	char all[256];
	for (int i = 1; i < 256; i++)
		all[i - 1] = (char)i;
	all[255] = '\0';
	for (size_t start = 0; start < 255; start += 15) {
		struct config *c = config_in(*state);
		struct peer_config p = {
			.name = xstrdup("a"), .options = xstrdup(all + start), .editable = true
		};
		config_put_peer(c, &p);
		assert_true(config_save_peers(c, &e));
		config_free(c);
		write_file(*state, "pgpier.conf", "");
		c = load_good(*state);
		assert_string_equal(c->peers[0].options, all + start);
		config_free(c);
	}
}

static void only_editable_ones_are_saved(void **state)
{
	struct error e;
	struct stat st;
	write_file(*state, "pgpier.conf", "peers = ( { name = \"hand\"; password = \"ask\"; } );");
	struct config *c = load_good(*state);
	struct peer_config p = { .name = xstrdup("console"), .editable = true };
	config_put_peer(c, &p);
	umask(0);
	assert_true(config_save_peers(c, &e));
	umask(022);
	config_free(c);
	char *path = path_in(*state, "peers.conf");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	c = load_good(*state); /* would complain of "hand" twice */
	assert_int_equal(c->peer_count, 2);
	assert_false(c->peers[0].editable);
	assert_true(c->peers[1].editable);
	config_remove_peer(c, "console");
	assert_true(config_save_peers(c, &e)); /* an empty list */
	config_free(c);
	c = load_good(*state);
	assert_int_equal(c->peer_count, 1);
	config_free(c);
	free(path);
}

static size_t files_in(const char *folder)
{
	size_t n = 0;
	DIR *d = opendir(folder);
	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n - 2;
}

/* A folder in the file's place makes the last step, the rename, fail; also for root. */
static void a_failed_save_leaves_what_was(void **state)
{
	struct error e;
	struct config *c = config_in(*state);
	fill(c);
	assert_true(config_save_peers(c, &e));
	char *path = path_in(*state, "peers.conf"), *aside = path_in(*state, "aside");
	assert_int_equal(rename(path, aside), 0);
	mkdir(path, 0700);
	assert_false(config_save_peers(c, &e));
	assert_int_equal(e.class, ERROR_CONFIG);
	assert_non_null(strstr(e.text, "peers.conf: Is a directory"));
	assert_int_equal(files_in(*state), 2); /* no temporary file is left */
	rmdir(path);
	assert_int_equal(rename(aside, path), 0);
	free(c->directory);
	c->directory = xasprintf("%s/peers.conf/x", (char *)*state); /* below a file: no folder */
	assert_false(config_save_mirrors(c, &e));
	assert_non_null(strstr(e.text, "can't make the folder"));
	config_free(c);
	free(path);
	free(aside);
	write_file(*state, "pgpier.conf", "");
	c = load_good(*state);
	assert_int_equal(c->peer_count, 2);
	config_free(c);
}

/* A limit on file sizes stands for the disk that is full in the middle of a write. */
static void a_save_cut_short_leaves_the_old_file(void **state)
{
	struct error e;
	struct config *c = config_in(*state);
	struct rlimit old, small;
	fill(c);
	assert_true(config_save_peers(c, &e));
	struct peer_config p = { .name = xstrdup("more"), .host = xcalloc(20000, 1), .editable = true };
	memset(p.host, 'x', 19999);
	config_put_peer(c, &p);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	small = (struct rlimit){ 10000, old.rlim_max };
	setrlimit(RLIMIT_FSIZE, &small);
	bool ok = config_save_peers(c, &e);
	setrlimit(RLIMIT_FSIZE, &old);
	assert_false(ok);
	assert_non_null(strstr(e.text, "File too large"));
	assert_int_equal(files_in(*state), 1);
	config_free(c);
	write_file(*state, "pgpier.conf", "");
	c = load_good(*state);
	assert_int_equal(c->peer_count, 2);
	config_free(c);
}

/* ---- values ---- */

static void putting_and_removing(void **state)
{
	struct config *c = config_in("/");
	(void)state;
	for (int i = 0; i < 40; i++) {
		struct peer_config p = { .name = xasprintf("p%d", i), .port = i };
		config_put_peer(c, &p);
	}
	struct peer_config again = { .name = xstrdup("p7"), .host = xstrdup("new") };
	config_put_peer(c, &again);
	assert_int_equal(c->peer_count, 40);
	assert_string_equal(c->peers[7].host, "new");
	for (int i = 0; i < 39; i++) {
		char *name = xasprintf("p%d", i);
		config_remove_peer(c, name);
		assert_null(config_find_peer(c, name));
		free(name);
	}
	config_remove_peer(c, "none");
	assert_int_equal(c->peer_count, 1);
	assert_string_equal(c->peers[0].name, "p39");
	assert_null(config_find_peer(c, NULL));
	config_free(c);
}

static void copies_share_nothing(void **state)
{
	struct config *c = config_in("/");
	struct mirror_config m;
	struct peer_config p;
	(void)state;
	fill(c);
	mirror_config_copy(&m, &c->mirrors[0]);
	peer_config_copy(&p, &c->peers[0]);
	config_free(c); /* a shared pointer would now be used after it was freed */
	assert_string_equal(m.tables.items[20], "x.\"\\");
	assert_string_equal(m.map[0].target, "c.\x1b");
	assert_int_equal(m.chunking, CHUNKING_NTILE);
	assert_true(m.editable);
	assert_string_equal(p.password, hostile);
	mirror_config_free(&m);
	assert_null(m.name);
	peer_config_free(&p);
	assert_null(p.password);
	peer_config_free(NULL);
}

static void names(void **state)
{
	char longest[NAME_SIZE + 1];
	(void)state;
	memset(longest, 'x', NAME_SIZE);
	longest[NAME_SIZE] = '\0';
	assert_false(config_name_ok(longest));
	assert_true(config_name_ok(longest + 1));
	assert_true(config_name_ok("shop-2026_a.B"));
	assert_true(config_name_ok("_x"));
	static const char *const bad[] = { "", "-x", ".x", "a b", "a/b", "é", "a\n" };
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(config_name_ok(bad[i]));
	assert_false(config_name_ok(NULL));
}

static void names_on_the_source(void **state)
{
	char out[NAME_SIZE], name[] = "Shop-2026.a_B", slot[] = "mine", publication[] = "My Pub",
		 longest[] = "abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghij123";
	struct mirror_config m = { .name = name };
	(void)state;
	mirror_slot_name(&m, out);
	assert_string_equal(out, "pgpier_shop_2026_a_b");
	mirror_publication_name(&m, out);
	assert_string_equal(out, "pgpier_shop_2026_a_b");
	m.name = longest;
	mirror_slot_name(&m, out);
	assert_string_equal(out, "pgpier_abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdef");
	m.slot = slot;
	m.publication = publication;
	mirror_slot_name(&m, out);
	assert_string_equal(out, "mine");
	mirror_publication_name(&m, out);
	assert_string_equal(out, "My Pub");
}

static void expect_error(bool ok, const struct error *e, const char *text)
{
	assert_false(ok);
	assert_int_equal(e->class, ERROR_CONFIG);
	if (strncmp(e->text, text, strlen(text)) != 0)
		fail_msg("%s, not %s", e->text, text);
}

static void a_form_is_told_the_first_problem(void **state)
{
	char a[] = "a", b[] = "b", word[] = "ask", bad[] = "a b", uri[] = "postgresql://h/d",
		 pattern[] = "orders";
	struct error e;
	struct peer_config p = { .name = a };
	struct mirror_config m;
	(void)state;
	assert_true(peer_config_check(&p, &e));
	expect_error(peer_config_check(&(struct peer_config){ .name = bad }, &e), &e, "name must be");
	expect_error(peer_config_check(&(struct peer_config){ .port = 1 }, &e), &e, "name is missing");
	expect_error(
		peer_config_check(&(struct peer_config){ .name = a, .port = -1 }, &e), &e, "port must be");
	expect_error(peer_config_check(&(struct peer_config){ .name = a, .password = word }, &e), &e,
		"password can't be the word \"ask\"");
	p = (struct peer_config){ .name = a, .conninfo = uri, .ask_password = true, .password = b };
	assert_true(peer_config_check(&p, &e));
	mirror_config_defaults(&m);
	m.name = m.source = a;
	expect_error(mirror_config_check(&m, &e), &e, "target is missing");
	m.target = b;
	assert_true(mirror_config_check(&m, &e));
	m.workers = 0;
	expect_error(mirror_config_check(&m, &e), &e, "workers must be 1 to 64, not 0");
	m.workers = 4;
	m.tables = (struct strings){ (char *[]){ pattern }, 1 };
	expect_error(mirror_config_check(&m, &e), &e, "tables: \"orders\" can match no table");
	m.tables.count = 0;
	m.map = (struct table_map[]){ { .source = (char[]){ "a.b" }, .target = (char[]){ "c" } } };
	m.map_count = 1;
	expect_error(mirror_config_check(&m, &e), &e, "map: target must be schema.table");
	m.map = (struct table_map[]){ { .source = (char[]){ "a.b" }, .target = (char[]){ "c.d" } },
		{ .source = (char[]){ "a.c" }, .target = (char[]){ "c.d" } } };
	m.map_count = 2;
	expect_error(mirror_config_check(&m, &e), &e, "map has the target \"c.d\" twice");
	m.map_count = 0;
	m.caught_up_s = -1;
	expect_error(mirror_config_check(&m, &e), &e, "caught_up_s must be 0 to 86400");
	m = (struct mirror_config){ .synced_at_column = m.synced_at_column,
		.is_deleted_column = m.is_deleted_column };
	mirror_config_free(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(what_is_saved_comes_back),
		IN_FOLDER(every_byte_comes_back),
		IN_FOLDER(only_editable_ones_are_saved),
		IN_FOLDER(a_failed_save_leaves_what_was),
		IN_FOLDER(a_save_cut_short_leaves_the_old_file),
		cmocka_unit_test(putting_and_removing),
		cmocka_unit_test(copies_share_nothing),
		cmocka_unit_test(names),
		cmocka_unit_test(names_on_the_source),
		cmocka_unit_test(a_form_is_told_the_first_problem),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
