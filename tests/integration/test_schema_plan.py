# SPDX-License-Identifier: PostgreSQL
"""The definitions of chosen tables,
	made by src/schema alone: the catalogs of both sides must tell the same."""
import os
import re
import subprocess

import pytest

from support import pgpier

TOOL = os.path.join(pgpier.BUILD, "tests", "support", "schema_tool")
SOURCE_SQL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "schema_source.sql")

USER = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
TABLE = "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"

# One row a fact. What an older server lacks reads as NULL through to_jsonb.
FACTS = {
	"table": f"""
		SELECT n.nspname, c.relname, c.relkind, c.relpersistence, c.reloptions, tc.reloptions,
		c.relreplident,
			pg_get_partkeydef(c.oid), pg_get_expr(c.relpartbound, c.oid),
			(SELECT string_agg(inhparent::regclass::text, ', ' ORDER BY inhseqno) FROM pg_inherits
			WHERE inhrelid = c.oid)
		{TABLE} LEFT JOIN pg_class tc ON tc.oid = c.reltoastrelid
		WHERE {USER} AND c.relkind IN ('r', 'p')""",
	"column": f"""
		SELECT n.nspname, c.relname, rank() OVER (PARTITION BY c.oid ORDER BY attnum), attname,
			format_type(atttypid, atttypmod), attnotnull, pg_get_expr(d.adbin, d.adrelid),
			attstorage,
			to_jsonb(a)->>'attidentity', coalesce(to_jsonb(a)->>'attgenerated', ''),
			coalesce(to_jsonb(a)->>'attcompression', ''),
			nullif(attstattarget, -1), (SELECT string_agg(o, ',') FROM unnest(attoptions) o
			WHERE o ~ '^n_distinct'),
			(SELECT collname FROM pg_collation WHERE oid = attcollation), attinhcount
		{TABLE} JOIN pg_attribute a ON a.attrelid = c.oid AND attnum > 0 AND NOT attisdropped
		LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = attnum
		WHERE {USER} AND c.relkind IN ('r', 'p')""",
	# The child whose columns would not keep their order with INHERITS is joined afterwards.
	"local column": f"""
		SELECT n.nspname, c.relname, attname, attislocal
		{TABLE} JOIN pg_attribute a ON a.attrelid = c.oid AND attnum > 0 AND NOT attisdropped
		WHERE {USER} AND c.relkind IN ('r', 'p') AND c.relname <> 'two_parents'""",
	"constraint": f"""
		SELECT n.nspname, c.relname, conname, pg_get_constraintdef(k.oid), convalidated,
		coninhcount,
			conislocal OR c.relname = 'two_parents', connoinherit AND contype = 'c',
			conindid::regclass::text,
			coalesce(to_jsonb(k)->>'conparentid', '0') <> '0'
		{TABLE} JOIN pg_constraint k ON k.conrelid = c.oid WHERE {USER} AND contype IN ('p', 'u',
		'x', 'c')""",
	"not null": f"""
		SELECT n.nspname, c.relname, conname, pg_get_constraintdef(k.oid), convalidated
		{TABLE} JOIN pg_constraint k ON k.conrelid = c.oid WHERE {USER} AND contype = 'n'""",
	"index": f"""
		SELECT n.nspname, c.relname, i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid),
		indisvalid, indisready,
			indisreplident, indisclustered, indimmediate, ic.reloptions,
			(SELECT inhparent::regclass::text FROM pg_inherits WHERE inhrelid = i.indexrelid),
			(SELECT string_agg(attnum || ':' || attstattarget, ' ' ORDER BY attnum)
			FROM pg_attribute
			  WHERE attrelid = i.indexrelid AND attstattarget >= 0)
		{TABLE} JOIN pg_index i ON i.indrelid = c.oid JOIN pg_class ic ON ic.oid = i.indexrelid
		WHERE {USER} AND c.relkind IN ('r', 'p')""",
	"enum": f"""
		SELECT n.nspname, typname, array_agg(enumlabel::text ORDER BY enumsortorder) FROM pg_enum e
		JOIN pg_type t ON t.oid = enumtypid JOIN pg_namespace n ON n.oid = typnamespace
		GROUP BY 1, 2""",
	"domain": f"""
		SELECT n.nspname, typname, format_type(typbasetype, typtypmod), typnotnull, typdefault,
			(SELECT collname FROM pg_collation WHERE oid = typcollation),
			(SELECT array_agg(conname || ' ' || pg_get_constraintdef(oid) ORDER BY conname)
			   FROM pg_constraint WHERE contypid = t.oid AND contype = 'c')
		FROM pg_type t JOIN pg_namespace n ON n.oid = typnamespace WHERE {USER}
		AND typtype = 'd'""",
	"composite": f"""
		SELECT n.nspname, c.relname, attnum, attname, format_type(atttypid, atttypmod),
			(SELECT collname FROM pg_collation WHERE oid = attcollation)
		{TABLE} JOIN pg_attribute a ON a.attrelid = c.oid AND attnum > 0 WHERE {USER}
		AND c.relkind = 'c'""",
	"range": f"""
		SELECT rngtypid::regtype::text, rngsubtype::regtype::text, rngsubdiff, rngcanonical,
			(SELECT collname FROM pg_collation WHERE oid = rngcollation)
		FROM pg_range JOIN pg_type t ON t.oid = rngtypid
		JOIN pg_namespace n ON n.oid = typnamespace WHERE {USER}""",
	"multirange": f"""
		SELECT rngtypid::regtype::text, (to_jsonb(r)->>'rngmultitypid')::oid::regtype::text
		FROM pg_range r JOIN pg_type t ON t.oid = rngtypid
		JOIN pg_namespace n ON n.oid = typnamespace WHERE {USER}""",
	"sequence": f"""
		SELECT n.nspname, c.relname, seqtypid::regtype::text, seqstart, seqincrement, seqmin,
		seqmax, seqcache, seqcycle,
			(SELECT string_agg(refobjid::regclass || '.' || refobjsubid || ' ' || deptype::text,
			',') FROM pg_depend
			  WHERE classid = 'pg_class'::regclass AND objid = c.oid AND refobjsubid > 0
			AND deptype IN ('a', 'i'))
		{TABLE} JOIN pg_sequence s ON s.seqrelid = c.oid WHERE {USER}""",
}


def address(server, dbname):
	return " ".join("%s='%s'" % (k, str(v).replace("\\", "\\\\").replace("'", "\\'"))
		for k, v in server.address(dbname).items())


def tool(pair, *arguments, patterns=("*",), expect=0):
	return run_tool(*arguments, address(pair.source, pair.name), address(pair.target, pair.name),
		*patterns, expect=expect)


def run_tool(*arguments, expect=0):
	done = subprocess.run([TOOL, *arguments], capture_output=True, text=True, check=False,
		timeout=120 * pgpier.PATIENCE)
	assert done.returncode == expect, "%s\n%s" % (done.stdout, done.stderr)
	return done.stdout


def facts(server, dbname, without=()):
	found = set()
	for kind, sql in FACTS.items():
		if kind not in without:
			rows = server.sql("SET search_path = pg_catalog;" + sql, dbname)
			found.update("%s: %s" % (kind, row) for row in rows)
	return found


def assert_same(pair, without=(), only=None):
	ours, theirs = (facts(s, pair.name, without) for s in (pair.source, pair.target))
	if only:
		ours, theirs = ({f for f in side if only(f)} for side in (ours, theirs))
	assert ours, "no facts to compare"
	differences = sorted(["- " + f for f in ours - theirs] + ["+ " + f for f in theirs - ours])
	assert not differences, "\n".join(differences)


def on_target(pair, sql):
	return pair.target.sql(sql, pair.name)


def major(server):
	return int(server.sql("SHOW server_version_num")[0][0]) // 10000


def fill_everything(pair, version):
	with open(SOURCE_SQL) as f:
		blocks = re.split(r"^(?=-- since )", f.read(), flags=re.M)
	for block in blocks:
		since = re.match(r"-- since (\d+)", block)
		if not since or int(since[1]) <= version:
			pair.fill(block)


# ---- everything, and every major ----

ROWS = r"""
INSERT INTO sales.everything (feeling, later, floats, always, by_default) OVERRIDING SYSTEM VALUE
VALUES ('happy', 'bad', '[1,2]', 1, 1), ('meh', 'ok', '[3,4]', 2, 2);
INSERT INTO public.base VALUES (1000000, 'too large for a check that is not valid');
INSERT INTO public.events_2024 (happened, kind) VALUES ('2024-05-05', 'a');
INSERT INTO public.events_later_a (happened, kind) VALUES ('2026-05-05', 'a');
"""


def test_everything(pair, source):
	fill_everything(pair, major(source))
	tool(pair, "-s", ROWS)
	assert_same(pair)


def test_nothing_left_to_make(pair):
	"""A second run finds tables, types and sequences and uses them as they are."""
	fill_everything(pair, 15)
	tool(pair)
	out = tool(pair, "-p")
	assert not re.search(r"\b(CREATE|ALTER)\b", out), out


@pytest.mark.parametrize("version", [10, 11, 12, 13, 14, 16, 17, 18])
def test_from_major(make_pair, other_major, target, version):
	pair = make_pair(other_major(version), target)
	fill_everything(pair, min(version, 17))
	tool(pair)
	without = {"not null", "multirange"} if version < 14 else {"not null"}
	# 17's partitions have their parent's identity; before, they had none.
	assert_same(pair, without, only=lambda f: version < 17 or "counted_1" not in f)


@pytest.mark.parametrize("version", [10, 11, 13, 16, 17, 18])
def test_to_major(make_pair, source, other_major, version):
	"""What the target's major has as well arrives the same."""
	pair = make_pair(source, other_major(version))
	fill_everything(pair, min(version, 15))
	tool(pair)
	without = {"not null", "multirange"} if version < 14 else {"not null"}
	# Statistics of an index's columns came with 11.
	assert_same(pair, without, only=lambda f: version >= 11 or "odd index" not in f)


def test_18_to_18(make_pair, other_major):
	"""Named NOT NULL constraints keep their names; virtual columns, temporal keys."""
	pair = make_pair(other_major(18), other_major(18))
	other = pair.source.create_db(pair.name + "t")
	try:
		fill_everything(pair, 18)
		run_tool(address(pair.source, pair.name), address(pair.source, other), "*")
		assert sorted(facts(pair.source, pair.name) ^ facts(pair.source, other)) == []
	finally:
		pair.source.drop_db(other)


def test_virtual_column_needs_18(make_pair, other_major, target):
	pair = make_pair(other_major(18), target)
	pair.fill("CREATE TABLE t (a int, b int GENERATED ALWAYS AS (a + 1) VIRTUAL)")
	out = tool(pair, expect=1)
	assert "blocker: public.t.b is a virtual generated column, which needs PostgreSQL 18" in out
	tool(pair, "-x", "public.t.b")


# ---- parts of trees, other names, excluded columns ----

def test_leaf_alone_becomes_plain_table(pair):
	fill_everything(pair, 15)
	tool(pair, patterns=["public.events_2024", "public.child"])
	assert on_target(pair, """SELECT relname, relkind, relispartition FROM pg_class
		WHERE relname IN ('events_2024', 'child') ORDER BY 1""") == \
		[("child", "r", False), ("events_2024", "r", False)]
	assert on_target(pair, """SELECT count(*) FROM pg_index
		WHERE indrelid = 'events_2024'::regclass AND indisvalid""") == [(4,)]
	assert on_target(pair, """SELECT array_agg(conname ORDER BY conname) FROM pg_constraint
		WHERE conislocal AND connamespace = 'public'::regnamespace""") == \
		[(["events_2024_pkey", "kinds", "named", "not_valid", "own"],)]
	assert on_target(pair, """INSERT INTO events_2024 (happened, kind) VALUES ('2024-02-02', 'x')
		RETURNING id""") == [(1,)]


def test_partition_of_parent_that_exists(pair):
	"""It is attached when it is built; the parent's indexes take its equal ones."""
	pair.fill("""CREATE TABLE p (a int PRIMARY KEY, b int CHECK (b > 0)) PARTITION BY RANGE (a);
		CREATE INDEX p_b ON p (b); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (9)""")
	on_target(pair, """CREATE TABLE p (a int PRIMARY KEY, b int CHECK (b > 0))
		PARTITION BY RANGE (a);
		CREATE INDEX p_b ON p (b)""")
	tool(pair)
	assert_same(pair)


def test_leaf_that_exists_without_its_parent(pair):
	pair.fill("""CREATE TABLE p (a int) PARTITION BY LIST (a);
		CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1)""")
	on_target(pair, "CREATE TABLE p1 (a int)")
	out = tool(pair, expect=1)
	assert "blocker: public.p1 exists on the target, but not its parent public.p" in out


def test_mapped_table_takes_its_objects_along(pair):
	pair.fill("""CREATE TABLE users (id serial PRIMARY KEY, n int GENERATED ALWAYS AS IDENTITY,
			"o'dd" int DEFAULT nextval('users_id_seq') + 1);
		CREATE INDEX users_n ON users (n); SELECT setval('users_id_seq', 41);
		SELECT setval('users_n_seq', 7, false)""")
	tool(pair, "-m", "public.users=app.\"us.ers")
	assert on_target(pair, """SELECT relname FROM pg_class
		WHERE relnamespace = 'app'::regnamespace ORDER BY relname::text COLLATE "C\" """) == \
		[(name,) for name in ('"us.ers', "users_id_seq", "users_n", "users_n_seq", "users_pkey")]
	assert on_target(pair, 'INSERT INTO app."""us.ers" DEFAULT VALUES RETURNING *') == [(42, 7, 44)]
	assert on_target(pair, """SELECT count(*) FROM pg_class
		WHERE relnamespace = 'public'::regnamespace""") == [(0,)]


def test_excluded_column_and_what_uses_it(pair):
	pair.fill("""CREATE TABLE t (id int PRIMARY KEY, photo bytea, s serial, b int,
		CHECK (photo <> ''), CHECK (b > 0));
		CREATE INDEX t_photo ON t (length(photo)); CREATE INDEX t_where ON t (id)
		WHERE photo IS NULL;
		CREATE INDEX t_b ON t (b)""")
	out = tool(pair, "-x", "public.t.photo", "-x", "public.t.s")
	for word in ("index public.t_photo", "index public.t_where", "check t_photo_check"):
		assert "warning: %s" % word in out and "excluded column" in out, out
	assert_same(pair, only=lambda f: "t_b" in f or "t_pkey" in f)
	assert on_target(pair, """SELECT attname FROM pg_attribute
		WHERE attrelid = 't'::regclass AND attnum > 0 ORDER BY attnum""") == [("id",), ("b",)]
	assert on_target(pair, "SELECT count(*) FROM pg_class WHERE relkind = 'S'") == [(0,)]


def test_invalid_index_is_left_out(pair):
	pair.fill("CREATE TABLE t (a int); CREATE INDEX good ON t (a); CREATE INDEX bad ON t (a)")
	pair.fill("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'bad'::regclass")
	assert "note: index public.bad is not made: it is not valid on the source" in tool(pair)
	assert on_target(pair, """SELECT indexrelid::regclass::text FROM pg_index
		WHERE indrelid = 't'::regclass""") == [("good",)]


# ---- columns that the target calls otherwise ----

# Every column of every table but those that children have from their parents.
COLUMNS = """SELECT n.nspname, c.relname, attname FROM pg_class c
	JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute ON attrelid = c.oid AND attnum > 0
	WHERE NOT attisdropped AND attinhcount = 0 AND relkind IN ('r', 'p') AND """ + USER
RENAMED_ROWS = r"""
INSERT INTO sales.everything (to_feeling, to_later, to_floats, to_always, to_by_default)
OVERRIDING SYSTEM VALUE VALUES ('happy', 'bad', '[1,2]', 1, 1), ('meh', 'ok', '[3,4]', 2, 2);
INSERT INTO public.base VALUES (1000000, 'too large for a check that is not valid');
INSERT INTO public.events_2024 (to_happened, to_kind) VALUES ('2024-05-05', 'a');
"""


def rename_all(pair):
	"""The tool's options, for what ALTER TABLE would do to every column of the source."""
	names = pair.source.sql(COLUMNS, pair.name)
	options = []
	for schema, table, column in names:
		options += ["-r", "%s.%s|%s=to_%s" % (schema, table, column, column)]
		if table == "side": # a child follows its first parent by itself
			options += ["-r", "%s.two_parents|%s=to_%s" % (schema, column, column)]
	return names, options


def rename_source(pair, names):
	quote = '"{}"'.format
	for schema, table, column in names:
		parts = [quote(n.replace('"', '""')) for n in (schema, table, column, "to_" + column)]
		pair.fill("ALTER TABLE {}.{} RENAME COLUMN {} TO {}".format(*parts))


def but_for_children(fact):
	"""Children whose columns are renamed are joined after they were made: what they have is local as well."""
	return not re.match(r"(local column|constraint): .*'(child|both_ways|two_parents|grandchild)'", fact)


def test_every_column_renamed(pair, source):
	"""As if PostgreSQL had renamed them on the source: defaults, checks, expressions, keys, sequences, trees."""
	fill_everything(pair, major(source))
	names, options = rename_all(pair)
	tool(pair, *options, "-s", RENAMED_ROWS)
	rename_source(pair, names)
	assert_same(pair, only=but_for_children)


@pytest.mark.parametrize("version", [10, 13, 18])
def test_every_column_renamed_on_major(make_pair, other_major, version):
	server = other_major(version)
	pair = make_pair(server, server)
	other = server.create_db(pair.name + "t")
	try:
		fill_everything(pair, version)
		names, options = rename_all(pair)
		run_tool(*options, address(server, pair.name), address(server, other), "*")
		rename_source(pair, names)
		assert sorted(filter(but_for_children, facts(server, pair.name) ^ facts(server, other))) == []
	finally:
		server.drop_db(other)


def test_renamed_column_that_looks_like_other_words(pair):
	"""A column may be called like a function, a type or a storage parameter."""
	pair.fill("""CREATE TABLE t (lower text, text int, zone timestamptz, fillfactor int PRIMARY KEY, "a""b" int,
			CHECK (lower(lower) <> lower), CHECK ((zone AT TIME ZONE 'utc') > 'epoch'::timestamp));
		CREATE INDEX a ON t (lower(lower), text) WHERE text::text <> 'text';
		CREATE INDEX b ON t (lower text_pattern_ops DESC, "a""b") INCLUDE (text) WITH (fillfactor = 50);
		CREATE UNIQUE INDEX c ON t ((zone AT TIME ZONE 'utc')) NULLS NOT DISTINCT;
		ALTER TABLE t ADD CONSTRAINT x EXCLUDE USING btree (text WITH =, (text + fillfactor) WITH =)""")
	names, options = rename_all(pair)
	tool(pair, *options)
	rename_source(pair, names)
	assert_same(pair)


def test_name_of_an_excluded_column(pair):
	pair.fill("CREATE TABLE t (id serial PRIMARY KEY, mail text, e_mail text CHECK (e_mail <> ''))")
	tool(pair, "-x", "public.t.mail", "-r", "public.t|e_mail=mail")
	pair.fill("ALTER TABLE t DROP mail; ALTER TABLE t RENAME e_mail TO mail")
	assert_same(pair)


def test_partition_that_joins_renamed_parent(pair):
	pair.fill("""CREATE TABLE p (a int PRIMARY KEY, b int CHECK (b > 0)) PARTITION BY RANGE (a);
		CREATE INDEX p_b ON p ((b + 1)); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (9)""")
	on_target(pair, """CREATE TABLE p (id int PRIMARY KEY, b int CONSTRAINT p_b_check CHECK (b > 0))
		PARTITION BY RANGE (id); ALTER TABLE p RENAME b TO n; CREATE INDEX p_b ON p ((n + 1))""")
	tool(pair, "-r", "public.p|a=id", "-r", "public.p|b=n")
	pair.fill("ALTER TABLE p RENAME a TO id; ALTER TABLE p RENAME b TO n")
	assert_same(pair)


def test_names_in_parts_of_a_tree(pair):
	pair.fill("""CREATE TABLE p (a int, b int) PARTITION BY LIST (a);
		CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1)""")
	out = tool(pair, "-r", "public.p1|b=n", expect=1)
	assert "blocker: column b would be n on the target in public.p1, but b in its parent public.p" in out


def test_check_knows_the_other_names(pair):
	pair.fill("CREATE TABLE t (id int, mail text NOT NULL, n int)")
	on_target(pair, "CREATE TABLE t (id int, email varchar(5), mail text NOT NULL)")
	out = tool(pair, "-c", "-r", "public.t|mail=email", "-r", "public.t|n=number", expect=1)
	assert "blocker: public.t on the target: column email is character varying(5), but text" in out, out
	assert "blocker: public.t on the target: column number (integer) is missing" in out, out
	assert "column mail is NOT NULL without a default, and the source sends no values for it" in out, out


# ---- what the target lacks, or has otherwise ----

def blocked(pair, here, there, *words, arguments=()):
	pair.fill(here)
	if there:
		on_target(pair, there)
	out = tool(pair, *arguments, expect=1)
	for word in words:
		assert word in out, out
	return out


@pytest.mark.parametrize("here,there,words", [
	("CREATE EXTENSION hstore; CREATE TABLE t (h hstore[])",
		"",
		["the target lacks its extension hstore", 'CREATE EXTENSION "hstore" SCHEMA "public"']),
	("CREATE EXTENSION hstore; CREATE TABLE t (h hstore)",
		"CREATE SCHEMA x; CREATE EXTENSION hstore SCHEMA x",
		["extension hstore is in schema x on the target",
			'ALTER EXTENSION "hstore" SET SCHEMA "public"']),
	("CREATE EXTENSION pg_trgm; CREATE TABLE t (a text); "
			"CREATE INDEX i ON t USING gin (a gin_trgm_ops)",
		"",
		["index public.i needs operator class public.gin_trgm_ops USING gin of extension "
			"pg_trgm"]),
	("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'select 1'; "
			"CREATE TABLE t (a int DEFAULT f())",
		"",
		["default of public.t.a needs function public.f()", "create that function"]),
	("CREATE FUNCTION f(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'select $1'; "
			"CREATE DOMAIN d AS int CHECK (f(VALUE) > 0); CREATE TABLE t (a d)",
		"",
		["type public.d needs function public.f(integer)"]),
	('CREATE COLLATION "my ""own" (locale = \'C\'); '
			'CREATE TABLE t (a text COLLATE "my ""own")',
		"",
		['table public.t needs collation public."my ""own"']),
	("CREATE TYPE m AS ENUM ('a', 'b', 'c'); CREATE TABLE t (a m)",
		"CREATE TYPE m AS ENUM ('a', 'c')",
		["type public.m is another one on the target: it lacks the label 'b'",
			'ALTER TYPE "public"."m" ADD VALUE \'b\' AFTER \'a\'']),
	("CREATE TYPE m AS ENUM ('a', 'b'); CREATE TABLE t (a m)",
		"CREATE TYPE m AS ENUM ('b', 'a')",
		["another order"]),
	("CREATE TYPE c AS (a int, b text); CREATE TABLE t (a c)",
		"CREATE TYPE c AS (a int)",
		['ALTER TYPE "public"."c" ADD ATTRIBUTE "b" text']),
	("CREATE DOMAIN d AS int CHECK (VALUE > 1); CREATE TABLE t (a d[])",
		"CREATE DOMAIN d AS int CHECK (VALUE > 2)",
		['ALTER DOMAIN "public"."d" DROP CONSTRAINT "d_check"']),
	("CREATE DOMAIN d AS int; CREATE TABLE t (a d)",
		"CREATE TYPE d AS ENUM ()",
		["it is of another kind"]),
	("CREATE TYPE r AS RANGE (subtype = int); CREATE TABLE t (a r)",
		"CREATE TYPE r AS RANGE (subtype = text)",
		["it is a range of text, not of integer"]),
	("CREATE TABLE other (a int); CREATE TABLE t (a other)", "", ["the row type of a table"]),
	("CREATE TABLE t (a int PRIMARY KEY)",
		"CREATE VIEW t_pkey AS SELECT 1",
		["index public.t_pkey can't be made: the name is taken on the target"]),
])
def test_blocker(pair, here, there, words):
	blocked(pair, here, there, *words)


def test_two_objects_of_one_name(pair):
	blocked(pair, """CREATE TABLE a (id int); CREATE INDEX i ON a (id); CREATE SCHEMA s;
		CREATE TABLE s.b (id int); CREATE INDEX i ON s.b (id)""", "",
		"two objects would be called public.i on the target", arguments=["-m", "s.b=public.b"])


@pytest.mark.parametrize("table,words", [
	("t (a int, b int GENERATED ALWAYS AS (a + 1) STORED)",
		"public.t.b is generated from the excluded column a"),
	("t (a int) PARTITION BY RANGE (a)", "public.t is partitioned by the excluded column a"),
])
def test_excluded_column_that_is_needed(pair, table, words):
	blocked(pair, "CREATE TABLE " + table, "", words, arguments=["-x", "public.t.a"])


def test_types_that_are_there_are_used(pair):
	types = """CREATE TYPE m AS ENUM ('a', 'b'); CREATE DOMAIN d AS m DEFAULT 'b';
		CREATE TYPE c AS (x d, y m[]);
		CREATE TYPE r AS RANGE (subtype = int)"""
	pair.fill(types + "; CREATE TABLE t (a c[], b r, e m)")
	on_target(pair, types + "; ALTER TYPE m ADD VALUE 'more' AFTER 'a'")
	tool(pair)
	assert_same(pair, only=lambda f: not f.startswith("enum"))


# ---- sequence values ----

def test_values(pair):
	"""Also of tables that exist;
		identities and serials whatever their sequences are called there."""
	pair.fill("""CREATE TABLE t (a serial, b int GENERATED ALWAYS AS IDENTITY,
		c int GENERATED BY DEFAULT AS IDENTITY
			(INCREMENT -1)); CREATE TABLE u (a serial);
		SELECT setval('t_a_seq', 1000), setval('t_b_seq', 5, false), setval('t_c_seq', -9),
		setval('u_a_seq', 3)""")
	on_target(pair, """CREATE TABLE t (a serial,
		b int GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME odd))""")
	tool(pair)
	values = "SELECT last_value, is_called FROM %s"
	assert [on_target(pair, values % s) for s in ("t_a_seq", "odd", "u_a_seq")] == \
		[[(1000, True)], [(5, False)], [(3, True)]]


def test_values_beside_rows_that_were_there(pair):
	tables = """CREATE TABLE t (a serial, b serial);
		SELECT setval('t_a_seq', %d), setval('t_b_seq', %d)"""
	pair.fill(tables % (10, 30))
	on_target(pair, tables % (20, 20))
	tool(pair, "-a")
	assert on_target(pair, """SELECT a.last_value, b.last_value
		FROM t_a_seq a, t_b_seq b""") == [(20, 30)]


def test_many_tables_with_sequences(pair):
	"""Batches: more sequences than one statement reads or sets."""
	pair.fill("""DO $$ BEGIN FOR i IN 1..1100 LOOP
		EXECUTE format('CREATE TABLE t%s (id serial PRIMARY KEY, v text CHECK (v <> ''''))', i);
		PERFORM setval(format('t%s_id_seq', i), i); END LOOP; END $$""")
	tool(pair)
	assert_same(pair)
	assert on_target(pair, """SELECT count(*) FROM pg_sequences
		WHERE sequencename = 't' || last_value || '_id_seq'""") == [(1100,)]


# ---- a large table's key is built beside its indexes ----

def test_split_keys(pair):
	pair.fill("""CREATE TABLE t (id int NOT NULL, v int NOT NULL, x text,
		PRIMARY KEY (id) WITH (fillfactor = 70),
			UNIQUE (v, id) DEFERRABLE INITIALLY DEFERRED); CREATE INDEX t_v ON t (v)""")
	pair.source.sql("UPDATE pg_class SET relpages = 1000000 WHERE oid = 't'::regclass", pair.name)
	out = tool(pair, "-p")
	assert 'CREATE UNIQUE INDEX "t_pkey"' in out and 'PRIMARY KEY USING INDEX "t_pkey"' in out, out
	tool(pair)
	assert_same(pair)


# ---- columns of a table that exists ----

CHECKS = [
	("a int, b text",
		"a int",
		["blocker: public.t on the target: column b (text) is missing; "
			'ALTER TABLE "public"."t" ADD COLUMN "b" text']),
	("a int",
		"a text",
		["blocker",
			"column a is text, but integer on the source",
			'ALTER COLUMN "a" TYPE integer']),
	("a int, b varchar(5), c numeric(5,2)",
		"a bigint, b text, c numeric(6,2)",
		["note: ", "which fits"]),
	("a varchar(9)", "a varchar(5)", ["warning", "some values may not fit"]),
	("a int",
		"a int, b int NOT NULL",
		["blocker", "column b is NOT NULL without a default", 'ALTER COLUMN "b" DROP NOT NULL']),
	("a int", "a int, b int NOT NULL DEFAULT 3, c serial, d int GENERATED ALWAYS AS IDENTITY", []),
	("a int", "a int NOT NULL", ["warning", "may be null on the source"]),
	("a int, b int",
		"a int, b int GENERATED ALWAYS AS (a) STORED",
		["blocker", "column b is generated", "DROP EXPRESSION"]),
	("a int, b int GENERATED ALWAYS AS (a) STORED",
		"a int, b int",
		["warning", "column b is not generated"]),
	("a int",
		"a int PRIMARY KEY",
		["note: public.t on the target has 1 index already (1 unique)"]),
]


@pytest.mark.parametrize("here,there,words", CHECKS)
def test_column_check(pair, here, there, words):
	pair.fill("CREATE TABLE t (%s)" % here)
	on_target(pair, "CREATE TABLE t (%s)" % there)
	out = tool(pair, "-c", expect=1 if any("blocker" in w for w in words) else 0)
	assert not out or words, out
	for word in words:
		assert word in out, out


def test_check_of_rows_and_kinds(pair):
	pair.fill("""CREATE TABLE full_one (a int); CREATE TABLE empty_one (a int);
		CREATE TABLE a_view (a int);
		CREATE TABLE fires (a int); CREATE TABLE parent (a int);
		CREATE TABLE child () INHERITS (parent)""")
	on_target(pair, """CREATE TABLE full_one AS SELECT 1 AS a; CREATE TABLE empty_one (a int);
		CREATE VIEW a_view AS SELECT 1 AS a; CREATE TABLE fires (a int);
		CREATE TABLE parent (a int);
		CREATE TABLE child () INHERITS (parent); INSERT INTO child VALUES (1);
		CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'begin return new; end';
		CREATE TRIGGER t BEFORE INSERT ON fires FOR EACH ROW EXECUTE FUNCTION f()""")
	out = tool(pair, "-c", expect=1)
	assert re.findall(r"^rows: (.*)$", out, re.M) == ["public.child", "public.full_one"]
	assert "blocker: public.a_view on the target is no table" in out
	assert "warning: public.fires on the target has 1 trigger" in out


def test_excluded_columns_are_not_checked(pair):
	pair.fill("CREATE TABLE t (a int, photo bytea)")
	on_target(pair, "CREATE TABLE t (a int)")
	assert tool(pair, "-c", "-x", "public.t.photo") == ""
