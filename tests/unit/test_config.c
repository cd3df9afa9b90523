// SPDX-License-Identifier: PostgreSQL
/* Files as people write them: what is read, and every problem with its line. */
#include "config_files.h"

/* All problems, one a line, without the folder's name. */
static char *problems_of(const char *folder)
{
	struct config_problems problems = { 0 };
	struct strbuf b = STRBUF_INIT;
	struct config *c = load(folder, &problems);
	assert_true((c == NULL) == (problems.lines.count > 0));
	for (size_t i = 0; i < problems.lines.count; i++) {
		const char *line = problems.lines.items[i];
		if (strncmp(line, folder, strlen(folder)) == 0)
			line += strlen(folder) + 1;
		strbuf_addf(&b, "%s\n", line);
	}
	config_free(c);
	config_problems_free(&problems);
	return strbuf_take(&b);
}

static void expect_problems(const char *folder, const char *text, const char *expected)
{
	write_file(folder, "pgpier.conf", text);
	char *found = problems_of(folder);
	assert_string_equal(found, expected);
	free(found);
}

static void every_key_is_read(void **state)
{
	write_file(*state, "pgpier.conf",
		"peers = ( { name = \"ec2-prod\"; host = \"10.1.1.5\"; port = 5433; dbname = \"shop\";\n"
		"  user = \"mover\"; password_command = \"pass show shop\"; passfile = \"/p\";\n"
		"  sslmode = \"verify-full\"; sslrootcert = \"/r\"; sslcert = \"/c\"; sslkey = \"/k\";\n"
		"  options = \"-c x=1\"; connect_timeout = 7; service = \"s\"; },\n"
		"  { name = \"rds17\"; conninfo = \"postgresql://u@h:1/d%20b?sslmode=require\"; password = "
		"\"ask\"; } );\n"
		"mirrors = ( { name = \"shop\"; source = \"ec2-prod\"; target = \"rds17\";\n"
		"  tables = [ \"public.*\", \"sales.orders\" ]; exclude = ( \"*.tmp_*\" );\n"
		"  columns_exclude = [ \"public.users.photo\" ];\n"
		"  map = ( { source = \"public.users\"; target = \"app.users\"; },\n"
		"    { source = \"public.t\"; columns = ( { source = \"mail\"; target = \"e-mail\"; } ); } );\n"
		"  continuous = true; schema = \"database\"; on_existing_rows = \"append\"; rows_per_chunk "
		"= 1000000000000;\n"
		"  workers = 64; tables_in_parallel = 1L; chunking = \"ctid\"; transfer = \"fetch\"; "
		"rate_limit_mb = 100000;\n"
		"  soft_delete = true; sync_columns = true; synced_at_column = \"at\"; "
		"is_deleted_column = \"gone\";\n"
		"  publication = \"Pub 1\"; slot = \"slot_1\"; batch_size = 1; sync_interval_ms = 250; "
		"caught_up_s = 0.25;\n"
		"  alert_command = \"cat\"; alert_lag_s = 5; alert_retained_mb = 1000000000000;\n"
		"  freeze = \"wait\"; freeze_command = \"f\"; unfreeze_command = \"u\"; open_command = \"o\";\n"
		"  allow = [ \"one\", \"the other\" ]; cutover_verify = \"all\"; cutover_limit_s = 86400; reverse_of = \"other\"; } );\n");
	struct config *c = load_good(*state);
	const struct peer_config *p = config_find_peer(c, "ec2-prod");
	const struct mirror_config *m = config_find_mirror(c, "shop");
	assert_int_equal(c->peer_count, 2);
	assert_string_equal(p->host, "10.1.1.5");
	assert_int_equal(p->port, 5433);
	assert_string_equal(p->dbname, "shop");
	assert_string_equal(p->user, "mover");
	assert_string_equal(p->password_command, "pass show shop");
	assert_string_equal(p->passfile, "/p");
	assert_string_equal(p->sslmode, "verify-full");
	assert_string_equal(p->sslrootcert, "/r");
	assert_string_equal(p->sslcert, "/c");
	assert_string_equal(p->sslkey, "/k");
	assert_string_equal(p->options, "-c x=1");
	assert_string_equal(p->service, "s");
	assert_int_equal(p->connect_timeout, 7);
	assert_null(p->password);
	assert_false(p->ask_password || p->editable);
	p = config_find_peer(c, "rds17");
	assert_true(p->ask_password);
	assert_null(p->password);
	assert_string_equal(m->tables.items[1], "sales.orders");
	assert_string_equal(m->exclude.items[0], "*.tmp_*");
	assert_string_equal(m->columns_exclude.items[0], "public.users.photo");
	assert_int_equal(m->map_count, 2);
	assert_null(m->map[1].target);
	assert_int_equal(m->map[1].column_count, 1);
	assert_string_equal(m->map[1].columns[0].source, "mail");
	assert_string_equal(m->map[1].columns[0].target, "e-mail");
	assert_string_equal(m->map[0].target, "app.users");
	assert_true(m->continuous);
	assert_int_equal(m->schema, SCHEMA_DATABASE);
	assert_int_equal(m->on_existing_rows, EXISTING_APPEND);
	assert_true(m->rows_per_chunk == INT64_C(1000000000000));
	assert_int_equal(m->workers, 64);
	assert_int_equal(m->tables_in_parallel, 1);
	assert_int_equal(m->chunking, CHUNKING_CTID);
	assert_int_equal(m->transfer, TRANSFER_FETCH);
	assert_int_equal(m->rate_limit_mb, 100000);
	assert_true(m->soft_delete && m->sync_columns);
	assert_string_equal(m->synced_at_column, "at");
	assert_string_equal(m->is_deleted_column, "gone");
	assert_string_equal(m->publication, "Pub 1");
	assert_string_equal(m->slot, "slot_1");
	assert_int_equal(m->batch_size, 1);
	assert_int_equal(m->sync_interval_ms, 250);
	assert_true(m->caught_up_s == 0.25 && m->alert_lag_s == 5);
	assert_string_equal(m->alert_command, "cat");
	assert_true(m->freeze == FREEZE_WAIT && m->cutover_limit_s == 86400 && m->allow.count == 2);
	assert_string_equal(m->allow.items[1], "the other");
	assert_true(m->cutover_verify == FINAL_VERIFY_ALL);
	assert_string_equal(m->freeze_command, "f");
	assert_string_equal(m->unfreeze_command, "u");
	assert_string_equal(m->open_command, "o");
	assert_string_equal(m->reverse_of, "other");
	assert_true(m->alert_retained_mb == INT64_C(1000000000000));
	assert_false(m->editable);
	config_free(c);
}

static void defaults(void **state)
{
	struct mirror_config d;
	write_file(*state, "pgpier.conf",
		"peers = ( { name = \"a\"; host = \"\"; }, { name = \"b\"; } );\n"
		"mirrors = ( { name = \"m\"; source = \"a\"; target = \"b\"; } );\n");
	struct config *c = load_good(*state);
	const struct mirror_config *m = &c->mirrors[0];
	assert_null(c->peers[0].host);
	assert_int_equal(c->peers[0].port, 0);
	assert_int_equal(m->tables.count, 0);
	assert_int_equal(m->schema, SCHEMA_TABLES);
	assert_int_equal(m->on_existing_rows, EXISTING_REFUSE);
	assert_true(m->rows_per_chunk == 250000);
	assert_int_equal(m->workers, 4);
	assert_int_equal(m->tables_in_parallel, 4);
	assert_int_equal(m->chunking, CHUNKING_AUTO);
	assert_int_equal(m->transfer, TRANSFER_AUTO);
	assert_int_equal(m->rate_limit_mb, 0);
	assert_false(m->continuous);
	assert_false(m->soft_delete || m->sync_columns);
	assert_string_equal(m->synced_at_column, "_pgpier_synced_at");
	assert_string_equal(m->is_deleted_column, "_pgpier_is_deleted");
	assert_null(m->publication);
	assert_null(m->slot);
	assert_int_equal(m->batch_size, 50000);
	assert_int_equal(m->sync_interval_ms, 0);
	assert_true(m->caught_up_s == 1 && m->alert_lag_s == 60 && m->alert_retained_mb == 10000);
	assert_null(m->alert_command);
	mirror_config_defaults(&d);
	assert_true(d.rows_per_chunk == 250000 && d.workers == 4 && d.tables_in_parallel == 4);
	mirror_config_free(&d);
	config_free(c);
}

static void what_replication_needs(void **state)
{
	expect_problems(*state,
		"peers = ( { name = \"a\"; }, { name = \"b\"; } );\n"
		"mirrors = ( { name = \"m\"; source = \"a\"; target = \"b\";\n"
		" soft_delete = true;\n slot = \"Shop-1\";\n caught_up_s = 0.0;\n alert_lag_s = \"1\";\n"
		" batch_size = 0;\n synced_at_column = \"_pgpier_is_deleted\";\n"
		" publication = \"0123456789012345678901234567890123456789012345678901234567890123\"; } );\n",
		"pgpier.conf:6: mirror \"m\": alert_lag_s must be a number\n"
		"pgpier.conf:7: mirror \"m\": batch_size must be 1 to 10000000, not 0\n"
		"pgpier.conf:3: mirror \"m\": soft_delete needs continuous = true: the initial load alone sees "
		"no row deleted\n"
		"pgpier.conf:9: mirror \"m\": publication must be at most 63 bytes, not "
		"\"0123456789012345678901234567890123456789012345678901234567890123\"\n"
		"pgpier.conf:4: mirror \"m\": slot must be 1 to 63 lower-case letters, digits and _, not "
		"\"Shop-1\"\n"
		"pgpier.conf:2: mirror \"m\": is_deleted_column and synced_at_column are the same, "
		"\"_pgpier_is_deleted\"\n"
		"pgpier.conf:5: mirror \"m\": caught_up_s must be at least 0.001\n");
}

static void all_problems_are_reported(void **state)
{
	expect_problems(*state,
		"colour = \"red\";\n"
		"peers = (\n"
		"  { name = \"a\"; prot = 1; },\n"
		"  { name = \"b\"; port = 70000; host = 5;\n"
		"    sslmode = \"verify\"; connect_timeout = 1.5;\n"
		"    dbname = true; },\n"
		"  { host = \"x\"; },\n"
		"  { name = \"-c\"; port = 0; },\n"
		"  \"d\" );\n"
		"mirrors = ( { name = \"m\"; source = \"a\"; target = \"a\"; workers = \"4\";\n"
		"  tables = \"public.*\"; exclude = [ \"tmp\", \"\" ]; continuous = 1;\n"
		"  rows_per_chunk = 0;\n"
		"  chunking = \"blocks\";\n"
		"  map = ( { source = \"users\"; tarjet = \"x\"; },\n"
		"    { source = \"public.u\"; target = \"u\"; } );\n"
		"  columns_exclude = [ \"a.b\" ]; } );\n",
		"pgpier.conf:1: unknown key \"colour\"\n"
		"pgpier.conf:3: peer \"a\": unknown key \"prot\"; did you mean \"port\"?\n"
		"pgpier.conf:4: peer \"b\": port must be 1 to 65535, not 70000\n"
		"pgpier.conf:4: peer \"b\": host must be a text in double quotes\n"
		"pgpier.conf:5: peer \"b\": connect_timeout must be a whole number\n"
		"pgpier.conf:6: peer \"b\": dbname must be a text in double quotes\n"
		"pgpier.conf:5: peer \"b\": sslmode must be disable, allow, prefer, require, verify-ca or "
		"verify-full, not \"verify\"\n"
		"pgpier.conf:7: peer 3: name is missing\n"
		"pgpier.conf:8: peer \"-c\": port must be 1 to 65535, not 0\n"
		"pgpier.conf:8: peer \"-c\": name must be 1 to 63 letters, digits, _ - or . and begin with "
		"none of "
		"- ., not \"-c\"\n"
		"pgpier.conf:9: peers: element 5 must be a group, { ... }\n"
		"pgpier.conf:10: mirror \"m\": workers must be a whole number\n"
		"pgpier.conf:11: mirror \"m\": tables must be an array of texts, [ \"...\", \"...\" ]\n"
		"pgpier.conf:11: mirror \"m\": continuous must be true or false\n"
		"pgpier.conf:12: mirror \"m\": rows_per_chunk must be 1 to 1000000000000, not 0\n"
		"pgpier.conf:13: mirror \"m\": chunking must be auto, ntile or ctid, not \"blocks\"\n"
		"pgpier.conf:14: map 1: unknown key \"tarjet\"; did you mean \"target\"?\n"
		"pgpier.conf:14: map 1: source must be schema.table, not \"users\"\n"
		"pgpier.conf:14: map 1: target is missing, and there are no columns to rename\n"
		"pgpier.conf:15: map 2: target must be schema.table, each of 1 to 63 bytes, not \"u\"\n"
		"pgpier.conf:11: mirror \"m\": exclude has an empty text\n"
		"pgpier.conf:10: mirror \"m\": target and source are the same peer, \"a\"\n"
		"pgpier.conf:11: mirror \"m\": exclude: \"tmp\" can match no table; write schema.table\n"
		"pgpier.conf:16: mirror \"m\": columns_exclude: \"a.b\" names no column; write "
		"schema.table.column\n");
}

/* Everything that can be known without the source. */
static void wrong_renames(void **state)
{
	expect_problems(*state,
		"peers = ( { name = \"a\"; }, { name = \"b\"; } );\n"
		"mirrors = ( { name = \"m\"; source = \"a\"; target = \"b\"; sync_columns = true;\n"
		"  columns_exclude = [ \"p.t.out\" ];\n"
		"  map = ( { source = \"p.t\";\n"
		"      columns = ( { source = \"a\"; target = \"x\"; }, { source = \"b\"; target = \"x\"; },\n"
		"        { source = \"a\"; target = \"y\"; },\n"
		"        { source = \"out\"; target = \"in\"; } ); },\n"
		"    { source = \"p.u\"; columns = ( { source = \"c\"; target = \"d\"; },\n"
		"      { source = \"d\"; target = \"e\"; }, { source = \"f\"; target = \"_pgpier_synced_at\"; } ); },\n"
		"    { source = \"p.v\"; columns = ( { source = \"c\"; tarjet = \"d\"; },\n"
		"      { source = \"d\";\n"
		"        target = \"0123456789012345678901234567890123456789012345678901234567890123\"; } ); },\n"
		"    { source = \"p.w\"; columns = [ \"c\" ]; target = \"p.w2\"; },\n"
		"    { source = \"p.x\"; columns = ( ); } ); } );\n",
		"pgpier.conf:5: map 1: columns has the source \"a\" twice\n"
		"pgpier.conf:5: map 1: columns has the target \"x\" twice\n"
		"pgpier.conf:8: map 2: columns gives \"c\" the name of \"d\", which gets another name itself\n"
		"pgpier.conf:10: column 1: unknown key \"tarjet\"; did you mean \"target\"?\n"
		"pgpier.conf:10: column 1: target is missing\n"
		"pgpier.conf:12: column 2: target must be at most 63 bytes, not "
		"\"0123456789012345678901234567890123456789012345678901234567890123\"\n"
		"pgpier.conf:13: map 4: columns must be a list of groups, ( { ... }, { ... } )\n"
		"pgpier.conf:14: map 5: target is missing, and there are no columns to rename\n"
		"pgpier.conf:4: mirror \"m\": map renames \"p.t.out\", which columns_exclude leaves out\n"
		"pgpier.conf:4: mirror \"m\": map renames \"p.u.f\" to \"_pgpier_synced_at\", the name of "
		"synced_at_column\n");
}

static void numbers_are_not_cut_to_32_bits(void **state)
{
	expect_problems(*state,
		"peers = ( { name = \"a\"; port = 4294972728; } );\n", /* 5432 in its lower 32 bits */
		"pgpier.conf:1: peer \"a\": port must be 1 to 65535, not 4294972728\n");
	expect_problems(*state, "peers = ( { name = \"a\"; port = 0x100001538; } );\n",
		"pgpier.conf:1: peer \"a\": port must be 1 to 65535, not 4294972728\n");
	expect_problems(*state, "\npeers = ( { port = 99999999999999999999; } );\n",
		"pgpier.conf:2: a number is too large\n");
	expect_problems(
		*state, "peers = ( { name = \"a\"; port = 0x1538; connect_timeout = +9; } );\n", "");
}

static void conninfo_stands_alone(void **state)
{
	expect_problems(*state,
		"peers = ( { name = \"a\";\n conninfo = \"host=x\";\n host = \"y\";\n port = 1;\n password "
		"= \"z\";\n"
		" password_command = \"p\";\n connect_timeout = 3; } );\n",
		"pgpier.conf:3: peer \"a\": host can't be given beside conninfo; put it into that string\n"
		"pgpier.conf:4: peer \"a\": port can't be given beside conninfo; put it into that string\n"
		"pgpier.conf:5: peer \"a\": password can't be given beside conninfo; put it into that "
		"string\n"
		"pgpier.conf:7: peer \"a\": connect_timeout can't be given beside conninfo; put it into "
		"that string\n"
		"pgpier.conf:5: peer \"a\": password can't be given beside password_command\n");
	expect_problems(*state, "peers = ( { name = \"a\"; conninfo = \"password=very secret\"; } );\n",
		"pgpier.conf:1: peer \"a\": conninfo is no connection string or URI that libpq "
		"understands; psql "
		"with the same text says where it stops\n");
	expect_problems(*state,
		"peers = ( { name = \"a\"; conninfo = \"service=x\"; password_command = \"p\"; "
		"connect_timeout = 0; } );\n",
		"");
}

static void keys_of_a_cutover(void **state)
{
	expect_problems(*state,
		"peers = ( { name = \"a\"; conninfo = \"host=x\"; pgbouncer = \"host=p port=6432\"; pgbouncer_database = \"x\"; },\n"
		" { name = \"b\"; pgbouncer = \"very secret\"; } );\n"
		"mirrors = ( { name = \"m\"; source = \"a\"; target = \"b\"; freeze = \"pause\"; cutover_limit_s = 4;\n"
		" reverse_of = \"m\"; } );\n",
		"pgpier.conf:2: peer \"b\": pgbouncer is no connection string or URI that libpq understands; it is that of "
		"the admin console: \"host=... port=6432 user=...\"\n"
		"pgpier.conf:3: mirror \"m\": freeze must be fence or wait, not \"pause\"\n"
		"pgpier.conf:3: mirror \"m\": cutover_limit_s must be 5 to 86400, not 4\n"
		"pgpier.conf:4: mirror \"m\": reverse_of names the mirror itself, \"m\"\n");
	write_mode(*state, "pgpier.conf", "peers = ( { name = \"a\"; pgbouncer = \"host=h password=x\"; } );\n", 0640);
	char *found = problems_of(*state);
	assert_non_null(strstr(found, "pgbouncer holds a password, but mode 0640 lets others read the file"));
	free(found);
}

static void names_are_unique_and_exist(void **state)
{
	write_file(
		*state, "peers.conf", "peers = (\n { name = \"a\"; },\n { name = \"c\"; port = 0; } );\n");
	write_file(*state, "mirrors.conf",
		"mirrors = ( { name = \"m\"; source = \"a\"; target = \"b\"; },\n"
		" { name = \"n\"; source = \"x\";\n target = \"c\"; } );\n");
	char *expected =
		xasprintf("peers.conf:3: peer \"c\": port must be 1 to 65535, not 0\n"
				  "pgpier.conf:3: peer \"b\": the name is taken already at %s/pgpier.conf:2\n"
				  "peers.conf:2: peer \"a\": the name is taken already at %s/pgpier.conf:1\n"
				  "mirrors.conf:1: mirror \"m\": the name is taken already at %s/pgpier.conf:4\n"
				  "mirrors.conf:2: mirror \"n\": source: there is no peer \"x\"\n",
			(char *)*state, (char *)*state, (char *)*state);
	expect_problems(*state,
		"peers = ( { name = \"a\"; },\n { name = \"b\"; },\n { name = \"b\"; } );\n"
		"mirrors = ( { name = \"m\"; source = \"b\"; target = \"a\"; } );\n",
		expected);
	free(expected);
}

static void written_files_hold_their_own_list(void **state)
{
	write_file(*state, "peers.conf", "mirrors = ( );\npeers = ( );\n");
	expect_problems(*state, "", "peers.conf:1: mirrors belong into mirrors.conf or pgpier.conf\n");
}

static void syntax_errors_have_their_line(void **state)
{
	static const struct {
		const char *text, *problem;
	} cases[] = {
		{ "peers = (\n { name = ; } );\n", "pgpier.conf:2: syntax error\n" },
		{ "peers = ( );\npeers = ( );\n", "pgpier.conf:2: duplicate setting name\n" },
		{ "peers = ( { name = \"a; } );\n\n", "pgpier.conf:1: a text has no closing quote\n" },
		{ "\n/* peers = (\n", "pgpier.conf:2: a comment has no end\n" },
		{ "/* \" */ # \"\n// \" /*\nx", "pgpier.conf:3: syntax error\n" },
		{ "\xEF\xBB\xBFpeers = ( );\r\nmirrors = ( );\r\n", "" },
		{ "peers = ( { name = \"a\x1b[31m\"; } );",
			"pgpier.conf:1: peer \"a\\x1b[31m\": name must be 1 to 63 letters, digits, _ - or . "
			"and begin "
			"with none of - ., not \"a\\x1b[31m\"\n" },
		{ "", "" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		expect_problems(*state, cases[i].text, cases[i].problem);
}

static void one_broken_file_makes_no_others(void **state)
{
	write_file(*state, "peers.conf", "peers = ( { name = \"a\" }\n");
	expect_problems(*state,
		"mirrors = ( { name = \"m\"; source = \"a\"; target = \"b\"; workers = 65; } );",
		"pgpier.conf:1: mirror \"m\": workers must be 1 to 64, not 65\n"
		"peers.conf:2: syntax error\n");
}

static void includes_are_relative_to_their_file(void **state)
{
	char *sub = path_in(*state, "sub");
	mkdir(sub, 0700);
	write_file(sub, "outer.conf",
		"peers = (\n  @include \"inner.conf\"\n, { name = \"z\"; port = 0; } );\n");
	write_file(sub, "inner.conf", "{ name = \"a\"; host = 1; }\n\n");
	expect_problems(*state, "# @include \"none\"\n@include \"sub/outer.conf\"  # here\nx = 1;\n",
		"sub/inner.conf:1: peer \"a\": host must be a text in double quotes\n"
		"sub/outer.conf:3: peer \"z\": port must be 1 to 65535, not 0\n"
		"pgpier.conf:3: unknown key \"x\"\n");
	char *absolute = xasprintf("@include \"%s/inner2.conf\"", sub);
	write_file(sub, "inner2.conf", "peers = ( { name = \"b\"; } );");
	write_file(*state, "pgpier.conf", absolute);
	struct config *c = load_good(*state);
	assert_non_null(config_find_peer(c, "b"));
	config_free(c);
	free(absolute);
	free(sub);
}

static void bad_includes(void **state)
{
	char *folder =
		xasprintf("pgpier.conf:1: can't include %s/sub: it is no regular file\n", (char *)*state);
	char *absent = xasprintf(
		"pgpier.conf:2: can't include %s/none: No such file or directory\n", (char *)*state);
	char *sub = path_in(*state, "sub");
	mkdir(sub, 0700);
	expect_problems(*state, "@include \"sub\"\n", folder);
	expect_problems(*state, "\n\t@include  \"none\"\n", absent);
	expect_problems(*state, "@include \"pgpier.conf\"\n@include \"pgpier.conf\"\n",
		"pgpier.conf:1: includes are nested too deep; does a file include itself?\n");
	expect_problems(*state, "@include \"x\n\"\n",
		"pgpier.conf:1: the name of the file to include does not end\n");
	free(sub);
	free(absent);
	free(folder);
}

static void files_that_can_not_be_read(void **state)
{
	char *main_path = path_in(*state, "pgpier.conf");
	char *found = problems_of(*state);
	assert_string_equal(found, "pgpier.conf: no such file\n");
	free(found);
	mkdir(main_path, 0700);
	found = problems_of(*state);
	assert_string_equal(found, "pgpier.conf: can't be read: Is a directory\n");
	free(found);
	rmdir(main_path);
	FILE *f = fopen(main_path, "w");
	fwrite("a = \0;", 6, 1, f);
	fclose(f);
	found = problems_of(*state);
	assert_string_equal(
		found, "pgpier.conf: can't be read: it holds a NUL byte, so it is no text\n");
	free(found);
	free(main_path);
}

static void others_must_not_read_passwords(void **state)
{
	const char *folder = *state;
	char *expected =
		xasprintf("pgpier.conf:1: peer \"a\": password holds a password, but mode 0640 lets others "
				  "read the file; "
				  "run chmod 600 %s/pgpier.conf\n"
				  "pgpier.conf:2: peer \"b\": conninfo holds a password, but mode 0640 lets others "
				  "read the file; "
				  "run chmod 600 %s/pgpier.conf\n"
				  "peers.conf: mode 0604 lets others read it; run chmod 600 %s/peers.conf\n"
				  "mirrors.conf: mode 0620 lets others read it; run chmod 600 %s/mirrors.conf\n",
			folder, folder, folder, folder);
	static const char text[] =
		"peers = ( { name = \"a\"; password = \"x\"; },\n"
		"{ name = \"b\"; conninfo = \"postgresql://u:pw@h/d\"; },\n"
		"{ name = \"c\"; password = \"ask\"; }, { name = \"d\"; conninfo = \"host=h\"; } );\n";
	write_mode(folder, "pgpier.conf", text, 0640);
	write_mode(folder, "peers.conf", "peers = ( );", 0604);
	write_mode(folder, "mirrors.conf", "mirrors = ( );", 0620);
	char *found = problems_of(folder);
	assert_string_equal(found, expected);
	free(found);
	free(expected);
	write_mode(folder, "pgpier.conf", text, 0600);
	write_mode(folder, "peers.conf", "peers = ( );", 0400);
	write_mode(folder, "mirrors.conf", "mirrors = ( );", 0600);
	config_free(load_good(folder));
}

static void the_default_place(void **state)
{
	struct config_problems problems = { 0 };
	char *expected = xasprintf("%s/pgpier", (char *)*state);
	setenv("XDG_CONFIG_HOME", *state, 1);
	struct config *c = config_load(NULL, &problems);
	assert_non_null(c);
	assert_string_equal(c->directory, expected);
	assert_int_equal(c->peer_count, 0);
	config_free(c);
	free(expected);
	setenv("XDG_CONFIG_HOME", "relative", 1); /* to be ignored */
	setenv("HOME", *state, 1);
	expected = xasprintf("%s/.config/pgpier", (char *)*state);
	c = config_load(NULL, &problems);
	assert_non_null(c);
	assert_string_equal(c->directory, expected);
	config_free(c);
	free(expected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(every_key_is_read),
		IN_FOLDER(defaults),
		IN_FOLDER(what_replication_needs),
		IN_FOLDER(all_problems_are_reported),
		IN_FOLDER(wrong_renames),
		IN_FOLDER(numbers_are_not_cut_to_32_bits),
		IN_FOLDER(conninfo_stands_alone),
		IN_FOLDER(keys_of_a_cutover),
		IN_FOLDER(names_are_unique_and_exist),
		IN_FOLDER(written_files_hold_their_own_list),
		IN_FOLDER(syntax_errors_have_their_line),
		IN_FOLDER(one_broken_file_makes_no_others),
		IN_FOLDER(includes_are_relative_to_their_file),
		IN_FOLDER(bad_includes),
		IN_FOLDER(files_that_can_not_be_read),
		IN_FOLDER(others_must_not_read_passwords),
		IN_FOLDER(the_default_place),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
