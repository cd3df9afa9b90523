# SPDX-License-Identifier: PostgreSQL
"""The writer of src/replicate alone: what a slot has, applied to a target, which must then be equal.

Each text given to `do` is one transaction of the source."""
import os
import random
import signal
import subprocess
import time

import psycopg2
import pytest

from support import pgpier

TOOL = os.path.join(pgpier.BUILD, "tests", "support", "writer_tool")
POSITION = """CREATE SCHEMA pgpier;
	CREATE TABLE pgpier.replication (mirror_id bigint PRIMARY KEY, slot text, publication text,
		consistent pg_lsn, applied pg_lsn, applied_at timestamptz);
	CREATE TABLE pgpier.tables (mirror_id bigint, table_no int, paused bool, held_at pg_lsn, fetched_at pg_lsn,
		changed_lsn pg_lsn);
	INSERT INTO pgpier.replication VALUES (1); INSERT INTO pgpier.tables VALUES (1, 1, false)"""
ALL_TABLES = """SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
	WHERE relkind = 'r' AND nspname !~ '^(pg_|information_schema|pgpier)' ORDER BY 1"""
# A value that is stored out of line and does not compress.
BIG = "(SELECT string_agg(md5(%s || i::text), '') FROM generate_series(1, 200) i)"


def address(server, dbname, user="postgres"):
	return " ".join("%s='%s'" % (k, str(v).replace("\\", "\\\\").replace("'", "\\'"))
		for k, v in server.address(dbname, user).items())


class Outcome:
	def __init__(self, text):
		self.text = text
		self.tables, self.slow, self.why, self.missing, self.culprit = {}, 0, "", "", ""
		for line in text.splitlines():
			word, _, rest = line.partition(" ")
			if word == "table":
				name, *counts = rest.rsplit(" ", 5)
				self.tables[name] = tuple(map(int, counts))
			elif word == "slow":
				self.slow, self.why = int(rest.split(" ")[0]), rest.partition(" ")[2]
			elif word in ("missing", "culprit"):
				setattr(self, word, rest)


class Stream:
	"""The tables of both databases, a publication and a slot."""

	def __init__(self, pair):
		self.pair = pair
		self.slot = "s_" + pair.name
		self.made = False

	def make(self, both, target=""):
		self.pair.source.sql(both, self.pair.name)
		self.pair.target.sql(both, self.pair.name)
		self.pair.target.sql(POSITION, self.pair.name)
		if target:
			self.pair.target.sql(target, self.pair.name)
		self.pair.source.sql("CREATE PUBLICATION p FOR ALL TABLES", self.pair.name)
		self.pair.source.sql("SELECT pg_create_logical_replication_slot('%s', 'pgoutput')" % self.slot,
			self.pair.name)
		self.made = True

	def remove(self):
		if self.made:
			self.pair.source.sql("SELECT pg_drop_replication_slot('%s')" % self.slot, self.pair.name)

	def do(self, *transactions):
		for sql in transactions:
			self.pair.source.sql("SET synchronous_commit = on; " + sql, self.pair.name)

	def on_target(self, sql):
		return self.pair.target.sql(sql, self.pair.name)

	def start(self, *options, tables=None, user="postgres"):
		if tables is None:
			tables = [name for (name,) in self.pair.source.sql(ALL_TABLES, self.pair.name)]
		return subprocess.Popen([TOOL, *options, address(self.pair.source, self.pair.name),
			address(self.pair.target, self.pair.name, user), self.slot, "p", *tables],
			stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

	def end(self, process, code=0):
		text, _ = process.communicate(timeout=300 * pgpier.PATIENCE)
		assert process.returncode == code, text
		return Outcome(text)

	def apply(self, *options, code=0, **how):
		return self.end(self.start(*options, **how), code)

	def equal(self, *options, **how):
		outcome = self.apply(*options)
		self.pair.assert_equal(outcome.text, values=False, **how)
		return outcome


@pytest.fixture
def stream(pair):
	s = Stream(pair)
	yield s
	s.remove()


# One source transaction a target transaction; all at once; flushes in the middle of transactions.
WAYS = (("-g", "1"), ("-g", "0"), ("-g", "2", "-f", "2"))


@pytest.fixture(params=WAYS, ids=" ".join)
def way(request):
	return request.param


PLAIN = "CREATE TABLE t (id int PRIMARY KEY, a int, b text)"


def test_the_first_change_is_noted(stream):
	"""And not the next one, as long as the writer lives."""
	stream.make(PLAIN)
	stream.do("INSERT INTO t VALUES (1)", "TRUNCATE t")
	(between,), = stream.pair.source.sql("SELECT pg_current_wal_insert_lsn()", stream.pair.name)
	stream.do("INSERT INTO t VALUES (2)")
	noted = "SELECT changed_lsn < '%s' FROM pgpier.tables" % between
	stream.equal("-g", "1")
	assert stream.on_target(noted) == [(True,)]
	stream.do("INSERT INTO t VALUES (3)")
	stream.equal("-g", "1")
	assert stream.on_target(noted) == [(False,)]


def test_insert_update_delete(stream, way):
	stream.make(PLAIN)
	stream.do("INSERT INTO t SELECT i, i, 'row ' || i FROM generate_series(1, 1200) i",
		"UPDATE t SET a = a + 1 WHERE id <= 700",
		"DELETE FROM t WHERE id % 3 = 0",
		"INSERT INTO t VALUES (3, NULL, NULL), (6, 0, ''), (9, -1, 'NULL'), (12, 1, E'a\\\\b\\tc\\n\\r\"{},')",
		"UPDATE t SET b = E'\\\\N' WHERE id = 1; UPDATE t SET b = 'null' WHERE id = 2",
		"DELETE FROM t WHERE id = 4; INSERT INTO t VALUES (4, 44, 'again'); UPDATE t SET a = 45 WHERE id = 4",
		"INSERT INTO t VALUES (5000, 1, 'short'); DELETE FROM t WHERE id = 5000")
	outcome = stream.equal(*way)
	assert outcome.slow == 0 and outcome.missing == ""
	assert outcome.tables["public.t"] == (1206, 703, 402, 0, 0)


def test_position(stream):
	stream.make(PLAIN)
	stream.do("INSERT INTO t VALUES (1, 1, 'x')")
	end = stream.pair.source.sql("SELECT pg_current_wal_lsn()", stream.pair.name)[0][0]
	stream.equal()
	stream.do("SELECT pg_current_wal_lsn()")
	(applied, at), = stream.on_target("SELECT applied <= '%s', applied_at IS NOT NULL FROM pgpier.replication" % end)
	assert applied and at


def test_position_lost(stream):
	stream.make(PLAIN)
	stream.do("INSERT INTO t VALUES (1, 1, 'x')")
	stream.on_target("DELETE FROM pgpier.replication")
	outcome = stream.apply(code=1)
	assert "does not know the mirror" in outcome.text and outcome.culprit == ""


def test_keys_change(stream, way):
	stream.make(PLAIN)
	stream.do("INSERT INTO t SELECT i, i, 'row ' || i FROM generate_series(1, 50) i",
		"UPDATE t SET id = id + 1000 WHERE id <= 10",
		"UPDATE t SET id = id - 1000, a = 0 WHERE id > 1000 AND id % 2 = 0",
		"UPDATE t SET id = 7000 WHERE id = 11; UPDATE t SET id = 11 WHERE id = 12; UPDATE t SET id = 12 WHERE id = 7000",
		"UPDATE t SET id = -id WHERE id = 20; DELETE FROM t WHERE id = -20; INSERT INTO t VALUES (20, 2, 'new')")
	stream.equal(*way)


def test_toast(stream, way):
	stream.make("CREATE TABLE t (id int PRIMARY KEY, n int, big text, big2 text); "
		"ALTER TABLE t ALTER big SET STORAGE EXTERNAL, ALTER big2 SET STORAGE EXTERNAL")
	big = BIG % "o.i::text"
	stream.do("INSERT INTO t SELECT o.i, 0, %s, %s || 'x' FROM generate_series(1, 20) o(i)" % (big, big),
		"UPDATE t SET n = n + 1",
		"UPDATE t SET big = 'small' WHERE id < 5; UPDATE t SET n = 7 WHERE id < 8",
		"UPDATE t SET big2 = big2 || 'y' WHERE id BETWEEN 4 AND 12; UPDATE t SET n = 8 WHERE id > 10",
		"INSERT INTO t SELECT 100, 0, %s, NULL; UPDATE t SET n = 5 WHERE id = 100" % BIG % "'a'",
		"UPDATE t SET id = id + 200 WHERE id BETWEEN 6 AND 9",
		"UPDATE t SET id = 300, n = 1 WHERE id = 100; UPDATE t SET n = 2 WHERE id = 300")
	stream.equal(*way)


def test_toast_is_not_written(stream):
	stream.make("CREATE TABLE t (id int PRIMARY KEY, n int, big text); ALTER TABLE t ALTER big SET STORAGE EXTERNAL")
	stream.do("INSERT INTO t SELECT 1, 0, " + BIG % "''")
	stream.equal()
	stream.on_target("UPDATE t SET big = 'other'")
	stream.do("UPDATE t SET n = 1", "UPDATE t SET n = 2, id = 5")
	stream.apply("-g", "1")
	assert stream.on_target("SELECT id, n, big FROM t") == [(5, 2, "other")]


def test_unique_values_swap(stream, way):
	stream.make("""CREATE TABLE t (id int PRIMARY KEY, u int UNIQUE, v text);
		CREATE TABLE other (id int PRIMARY KEY, v int)""")
	swap = "UPDATE t SET u = -1 WHERE id = 1; UPDATE t SET u = 10 WHERE id = 2; UPDATE t SET u = 20 WHERE id = 1"
	stream.do("INSERT INTO t VALUES (1, 10, 'a'), (2, 20, 'b'), (3, 30, 'c')", "INSERT INTO other VALUES (1, 1)",
		swap, "UPDATE other SET v = 2",
		"DELETE FROM t WHERE id = 3; INSERT INTO t VALUES (4, 30, 'd')",
		"UPDATE t SET u = 40 WHERE id = 4; INSERT INTO t VALUES (5, 30, 'e')",
		"INSERT INTO t SELECT i, i FROM generate_series(100, 120) i; " + "UPDATE t SET u = -1 WHERE id = 1; UPDATE t SET u = 20 WHERE id = 2; UPDATE t SET u = 10 WHERE id = 1")
	outcome = stream.equal(*way)
	if way == WAYS[0]:
		assert outcome.slow == 1 and "duplicate key" in outcome.why


def test_conflict_in_a_later_flush(stream):
	"""A transaction of several flushes, the third of which has to be replayed: the first two stay."""
	stream.make("CREATE TABLE t (id int PRIMARY KEY, u int UNIQUE)")
	stream.do("INSERT INTO t SELECT i, i FROM generate_series(1, 1000) i")
	stream.equal()
	stream.do("UPDATE t SET u = u + 5000 WHERE id <= 600;"
		"UPDATE t SET u = -1 WHERE id = 700; UPDATE t SET u = 700 WHERE id = 701; UPDATE t SET u = 701 WHERE id = 700;"
		"DELETE FROM t WHERE id > 900; INSERT INTO t SELECT i, i FROM generate_series(2000, 4000) i")
	outcome = stream.equal("-f", "300")
	assert outcome.slow == 1


def test_deferrable(stream, way):
	stream.make("""CREATE TABLE t (id int PRIMARY KEY, u int UNIQUE DEFERRABLE INITIALLY IMMEDIATE);
		CREATE TABLE k (id int UNIQUE DEFERRABLE INITIALLY DEFERRED, v int); ALTER TABLE k REPLICA IDENTITY FULL""")
	stream.do("INSERT INTO t SELECT i, i FROM generate_series(1, 100) i", "INSERT INTO k SELECT i, i FROM generate_series(1, 9) i",
		"UPDATE t SET u = 101 - u", "UPDATE k SET id = 10 - id", "UPDATE t SET u = u + 1; UPDATE k SET id = id + 1")
	assert stream.equal(*way).slow == 0


FULL = """CREATE TABLE t (a int, b text, j json, p point, f float8, x int[]);
	ALTER TABLE t REPLICA IDENTITY FULL; CREATE INDEX ON t (a); CREATE INDEX ON t (b, a)"""


def test_full_identity(stream, way):
	stream.make(FULL)
	stream.do("""INSERT INTO t VALUES (1, 'x', '{"a": 1}', '(1,2)', 'NaN', '{1,2}'), (1, 'x', '{"a": 1}', '(1,2)', 'NaN', '{1,2}'),
		(1, 'x', '{"a":1}', '(1,2)', '-0', NULL), (NULL, NULL, NULL, NULL, NULL, NULL), (NULL, NULL, NULL, NULL, NULL, NULL),
		(NULL, 'y', 'null', '(0,-0)', 0, '{{1,2},{3,NULL}}')""",
		"INSERT INTO t SELECT i % 5, i % 3, NULL, NULL, i, ARRAY[i] FROM generate_series(1, 100) i",
		"DELETE FROM t WHERE ctid = (SELECT min(ctid) FROM t WHERE a = 1 AND b = 'x')",
		"UPDATE t SET b = 'one' WHERE ctid = (SELECT min(ctid) FROM t WHERE a IS NULL AND b IS NULL)",
		"UPDATE t SET f = -f WHERE a = 3", "DELETE FROM t WHERE a = 4", "UPDATE t SET a = NULL WHERE a = 2 AND b = '1'",
		"INSERT INTO t VALUES (77, 'z'), (77, 'z'), (77, 'z'); DELETE FROM t WHERE ctid = (SELECT max(ctid) FROM t WHERE a = 77)")
	outcome = stream.equal(*way)
	assert outcome.slow == 0 and outcome.missing == ""


def test_full_identity_with_a_key(stream, way):
	stream.make("CREATE TABLE t (id int PRIMARY KEY, v text, big text); ALTER TABLE t REPLICA IDENTITY FULL;"
		"ALTER TABLE t ALTER big SET STORAGE EXTERNAL")
	stream.do("INSERT INTO t SELECT o.i, 'v', %s FROM generate_series(1, 30) o(i)" % BIG % "o.i::text",
		"UPDATE t SET v = 'w' WHERE id < 20", "UPDATE t SET id = id + 100 WHERE id > 25", "DELETE FROM t WHERE id % 4 = 0")
	# Other columns of the target's row do not matter.
	stream.apply(*way)
	assert stream.equal(*way).missing == ""


def test_toast_of_full_identity(stream, way):
	stream.make("CREATE TABLE t (a int, big text); ALTER TABLE t REPLICA IDENTITY FULL; ALTER TABLE t ALTER big SET STORAGE EXTERNAL")
	stream.do("INSERT INTO t SELECT o.i, %s FROM generate_series(1, 9) o(i)" % BIG % "o.i::text",
		"UPDATE t SET a = a + 1 WHERE a > 4", "DELETE FROM t WHERE a = 3")
	assert stream.equal(*way).missing == ""


def test_replica_identity_index(stream, way):
	stream.make("""CREATE TABLE t (id int PRIMARY KEY, a int NOT NULL, b text NOT NULL, v text); CREATE UNIQUE INDEX u ON t (b, a);
		ALTER TABLE t REPLICA IDENTITY USING INDEX u""")
	stream.do("INSERT INTO t SELECT i, i % 7, 'b' || i FROM generate_series(1, 40) i", "UPDATE t SET v = 'x' WHERE a = 3",
		"UPDATE t SET a = a + 10 WHERE id < 9", "UPDATE t SET id = id + 100 WHERE a = 4", "DELETE FROM t WHERE a = 5")
	assert stream.equal(*way).slow == 0


def test_identity_and_generated(stream, way):
	stream.make("""CREATE TABLE k (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v int, d int GENERATED ALWAYS AS (v * 2) STORED);
		CREATE TABLE o (id int PRIMARY KEY, n int GENERATED ALWAYS AS IDENTITY, v int);
		CREATE TABLE d (id int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, v int);
		CREATE TABLE f (n int GENERATED ALWAYS AS IDENTITY, v int); ALTER TABLE f REPLICA IDENTITY FULL""")
	stream.do("INSERT INTO k (v) SELECT i FROM generate_series(1, 30) i; INSERT INTO o (id, v) SELECT i, i FROM generate_series(1, 30) i",
		"INSERT INTO d (v) SELECT i FROM generate_series(1, 30) i; INSERT INTO f (v) SELECT i FROM generate_series(1, 30) i",
		"UPDATE k SET v = v + 1 WHERE id < 10; UPDATE o SET v = v + 1 WHERE id < 10; UPDATE d SET id = id + 100 WHERE id < 10",
		"UPDATE k SET id = DEFAULT WHERE id IN (1, 2); UPDATE o SET n = DEFAULT WHERE id = 3", "UPDATE f SET n = DEFAULT WHERE v = 4",
		"UPDATE f SET v = 0 WHERE v < 3; DELETE FROM o WHERE id > 25; DELETE FROM k WHERE id > 25; DELETE FROM f WHERE v > 25")
	assert stream.equal(*way).missing == ""


TYPES = """CREATE SCHEMA "odd ""s"; CREATE TYPE "odd ""s"."mood'x" AS ENUM ('so so', 'null', 'a,b', '"q"', E'b\\\\s');
	CREATE TYPE pair AS (a int, b text, c int[]); CREATE DOMAIN posint AS int CHECK (VALUE > 0);
	CREATE DOMAIN ints AS int[]; CREATE DOMAIN pd AS pair; CREATE TYPE fr AS RANGE (subtype = float8);
	CREATE TABLE "odd ""s"."T able'1" (k "odd ""s"."mood'x" PRIMARY KEY, "a ""q" pair, "B" posint, c ints, d pair[], e pd, f fr,
		g int[], h text[], i box, j box[], k1 bit(5), l bit varying, m "char", n name, o numeric(10,2), p varchar(4)[],
		q char(6), r timestamptz, s interval, t bytea, u jsonb, v xml, w inet, x tsvector, y uuid, z money, aa int4range[],
		ab boolean, ac date, ad oidvector, ae regclass, af "odd ""s"."mood'x"[], ag posint[], ah macaddr, ai path, aj json)"""


def test_types_and_names(stream, way):
	stream.make(TYPES)
	table = '"odd ""s"."T able\'1"'
	row = """('%s', ROW(1, 'x, "y" (z)\\ ', '{1,NULL}'), 5, '{{1,2},{3,4}}', ARRAY[ROW(1, NULL, NULL)::pair, NULL], ROW(NULL, '', '{}'),
		'[1.5,)', '{NULL,2}', ARRAY['', 'NULL', 'a"b', E'c\\\\d', 'e,f', '{}'], '(1,2),(3,4)', '{(1,2),(3,4);(0,0),(1,1)}', B'10110',
		B'1', 'x', 'n ame', 1.50, '{ab,NULL}', 'pad', '2024-02-29 12:00:00.123456+02', '1 year -2 days 00:00:01', '\\x00ff5c',
		'{"a": [1, "\\u00e9"]}', '<a>1</a>', '10.0.0.0/8', 'fat:1A cat', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 12.34,
		'{"[1,2)",empty}', true, '0044-03-15 BC', '1 2 3', 'pg_class', '{"so so","a,b"}', '{1,2}', '08:00:2b:01:02:03',
		'[(1,2),(3,4)]', E'{"a":\\n 1}')"""
	stream.do("INSERT INTO %s VALUES %s, %s" % (table, row % "so so", row % "null"),
		"INSERT INTO %s (k, h) VALUES ('a,b', '{}'), ('\"q\"', NULL), (E'b\\\\s', '{{a,b},{c,d}}')" % table,
		"UPDATE %s SET \"B\" = 7, c = '{}', g = NULL, d = NULL, i = '(0,0),(9,9)', k1 = B'00001', q = 'xy' WHERE k = 'so so'" % table,
		"UPDATE %s SET ag = '{5}', af = '{null}', o = 7, j = NULL WHERE k = 'null'" % table,
		"DELETE FROM %s WHERE k = 'a,b'" % table)
	assert stream.equal(*way).slow == 0
	# The same types by COPY, and by rows.
	stream.do("ALTER TABLE %s REPLICA IDENTITY FULL" % table, "UPDATE %s SET \"B\" = 8" % table)
	outcome = stream.apply(*way, "-K")
	assert outcome.missing == ""
	stream.pair.assert_equal(values=False, structure=False)


def test_types_by_copy(stream):
	stream.make("""CREATE TYPE pair AS (a int, b text); CREATE TABLE t (id int PRIMARY KEY, p pair, a text[], e text, x bytea, b bit(3))""")
	stream.do("""INSERT INTO t SELECT i, ROW(i, E'a\\\\b\\tc')::pair, ARRAY['x\\y', NULL, E'\\n'], E'\\\\.\\n\\r\\t\\b\\f\\v\\\\N', '\\x5c0a', (i % 8)::bit(3)
		FROM generate_series(1, 1500) i""")
	assert stream.equal().slow == 0


def test_extension_types(stream, way):
	stream.make("CREATE SCHEMA ext; CREATE EXTENSION citext SCHEMA ext; CREATE TABLE t (k ext.citext PRIMARY KEY, v ext.citext[])")
	stream.do("INSERT INTO t SELECT 'Key' || i, ARRAY['a']::ext.citext[] FROM generate_series(1, 20) i",
		"UPDATE t SET v = NULL WHERE k = 'Key3'", "UPDATE t SET k = 'KEY4' WHERE k = 'Key4'", "DELETE FROM t WHERE k = 'Key5'",
		"UPDATE t SET v = '{x}' WHERE k = 'key4'")
	outcome = stream.equal(*way)
	assert outcome.slow == 0
	assert stream.on_target("SELECT count(*) FROM t WHERE k::text = 'KEY4'") == [(1,)]


def test_truncate(stream, way):
	stream.make("""CREATE TABLE a (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v int);
		CREATE TABLE b (id int PRIMARY KEY, v int); CREATE TABLE c (v int); ALTER TABLE c REPLICA IDENTITY FULL""")
	fill = "INSERT INTO %s (v) SELECT i FROM generate_series(1, 20) i"
	stream.do(fill % "a", "INSERT INTO b SELECT i, i FROM generate_series(1, 20) i", fill % "c",
		"UPDATE a SET v = 0 WHERE id < 5; TRUNCATE a, c RESTART IDENTITY; INSERT INTO a (v) VALUES (1), (2)",
		"UPDATE b SET v = 1; TRUNCATE b", "INSERT INTO b VALUES (1, 1), (2, 2); UPDATE b SET v = 3 WHERE id = 1", fill % "c",
		"DELETE FROM c WHERE v > 10; TRUNCATE c CASCADE; INSERT INTO c VALUES (5)", "DELETE FROM b WHERE id = 2")
	outcome = stream.equal(*way)
	assert outcome.slow == 0
	assert [n[3] for n in outcome.tables.values()] == [1, 1, 2]


def test_truncate_refused(stream):
	"""A table of the target's own refers to a mirrored one."""
	stream.make(PLAIN, "CREATE TABLE own (id int REFERENCES t); ")
	stream.do("INSERT INTO t VALUES (1), (2)", "TRUNCATE t; INSERT INTO t VALUES (3)")
	stream.apply()
	assert stream.on_target("SELECT id FROM t") == [(3,)]
	stream.on_target("INSERT INTO own VALUES (3)")
	for rows, slow in ((1, 0), (100, 1)):
		stream.do("TRUNCATE t; INSERT INTO t SELECT generate_series(3, %d)" % (rows + 2))
		assert stream.apply().slow == slow
		assert stream.on_target("SELECT count(*) FROM t") == [(rows,)]


def test_partitions(stream, way):
	stream.make("""CREATE TABLE m (id int, v text, PRIMARY KEY (id)) PARTITION BY RANGE (id);
		CREATE TABLE m1 PARTITION OF m FOR VALUES FROM (0) TO (100);
		CREATE TABLE m2 (v text, x int, id int NOT NULL, PRIMARY KEY (id)); ALTER TABLE m2 DROP x;
		ALTER TABLE m ATTACH PARTITION m2 FOR VALUES FROM (100) TO (200)""")
	stream.do("INSERT INTO m SELECT i, 'v' FROM generate_series(1, 199) i", "UPDATE m SET id = id + 100 WHERE id < 50 AND id > 40 AND id + 100 > 500",
		"DELETE FROM m WHERE id BETWEEN 100 AND 150", "UPDATE m SET id = id + 100 WHERE id < 20", "UPDATE m SET v = 'w' WHERE id % 7 = 0")
	stream.equal(*way)


def test_partitioned_target(stream, way):
	"""A plain source table goes into a partitioned one."""
	stream.pair.source.sql("CREATE TABLE t (id int PRIMARY KEY, v text); CREATE TABLE f (id int, v text);"
		"ALTER TABLE f REPLICA IDENTITY FULL", stream.pair.name)
	for name, key in (("t", ", PRIMARY KEY (id)"), ("f", "")):
		stream.pair.target.sql("""CREATE TABLE %s (id int, v text%s) PARTITION BY HASH (id);
			CREATE TABLE %s0 PARTITION OF %s FOR VALUES WITH (MODULUS 2, REMAINDER 0);
			CREATE TABLE %s1 PARTITION OF %s FOR VALUES WITH (MODULUS 2, REMAINDER 1)""" % (name, key, name, name, name, name),
			stream.pair.name)
	stream.make("SELECT 1")
	for name in "tf":
		stream.do("INSERT INTO %s SELECT i, 'v' FROM generate_series(1, 600) i" % name, "UPDATE %s SET v = 'w' WHERE id %% 5 = 0" % name,
			"UPDATE %s SET id = id + 1000 WHERE id < 9" % name, "DELETE FROM %s WHERE id %% 7 = 0" % name)
	outcome = stream.apply(*way)
	assert outcome.missing == "" and outcome.slow == 0
	for name in "tf":
		sql = "SELECT count(*), sum(id), min(v), max(v), sum(length(v) * id) FROM %s" % name
		assert stream.on_target(sql) == stream.pair.source.sql(sql, stream.pair.name)


def test_renamed_and_excluded(stream, way):
	stream.pair.source.sql("CREATE TABLE t (secret text, id int PRIMARY KEY, v text)", stream.pair.name)
	stream.make("SELECT 1", "CREATE SCHEMA o; CREATE TABLE o.r (v text, id int PRIMARY KEY, own text DEFAULT 'own')")
	stream.do("INSERT INTO t SELECT 's', i, 'v' FROM generate_series(1, 20) i", "UPDATE t SET secret = 'x', v = 'w' WHERE id < 5",
		"UPDATE t SET id = id + 100 WHERE id > 15", "DELETE FROM t WHERE id = 1")
	stream.apply(*way, "-x", "secret", tables=["public.t=o.r"])
	rows = stream.pair.source.sql("SELECT id, v, 'own' FROM t ORDER BY 1", stream.pair.name)
	assert stream.on_target("SELECT id, v, own FROM o.r ORDER BY 1") == rows


SOFT = "ALTER TABLE t ADD gone boolean NOT NULL DEFAULT false, ADD synced timestamptz"


def test_soft_delete(stream, way):
	stream.make(PLAIN, SOFT)
	stream.do("INSERT INTO t SELECT i, i, 'v' FROM generate_series(1, 20) i")
	stream.apply(*way, "-s", "gone", "-y", "synced")
	stream.do("DELETE FROM t WHERE id <= 10", "INSERT INTO t VALUES (3, 33, 'again')", "UPDATE t SET id = 50 WHERE id = 11",
		"INSERT INTO t VALUES (50000, 1, 'x'); UPDATE t SET a = 5 WHERE id = 50000", "UPDATE t SET id = 4 WHERE id = 12")
	outcome = stream.apply(*way, "-s", "gone", "-y", "synced")
	assert outcome.missing == "" and outcome.slow == 0
	rows = stream.pair.source.sql("SELECT id, a, b FROM t ORDER BY 1", stream.pair.name)
	assert stream.on_target("SELECT id, a, b FROM t WHERE NOT gone ORDER BY 1") == rows
	assert stream.on_target("SELECT array_agg(id ORDER BY id) FROM t WHERE gone") == [([1, 2, 5, 6, 7, 8, 9, 10],)]
	assert stream.on_target("SELECT count(*) FROM t WHERE synced IS NULL") == [(0,)]
	stream.do("TRUNCATE t; INSERT INTO t VALUES (1, 2, 'z')")
	stream.apply(*way, "-s", "gone", "-y", "synced")
	assert stream.on_target("SELECT id, a, gone FROM t WHERE NOT gone") == [(1, 2, False)]


def test_soft_delete_by_copy_and_without_key(stream):
	stream.make("CREATE TABLE t (a int, b text); ALTER TABLE t REPLICA IDENTITY FULL", SOFT)
	stream.do("INSERT INTO t SELECT i % 300, 'v' FROM generate_series(1, 600) i", "DELETE FROM t WHERE ctid = '(0,5)'",
		"UPDATE t SET b = 'w' WHERE a = 5", "DELETE FROM t WHERE a = 7")
	outcome = stream.apply("-s", "gone", "-y", "synced")
	assert outcome.missing == ""
	rows = stream.pair.source.sql("SELECT a, b FROM t ORDER BY 1, 2", stream.pair.name)
	assert stream.on_target("SELECT a, b FROM t WHERE NOT gone ORDER BY 1, 2") == rows
	assert stream.on_target("SELECT count(*), count(synced) FROM t") == [(600, 600)]


def test_missing_rows(stream, way):
	stream.make(PLAIN)
	stream.do("INSERT INTO t SELECT i, i, 'v' FROM generate_series(1, 20) i")
	stream.equal()
	stream.on_target("DELETE FROM t WHERE id IN (3, 17)")
	stream.do("UPDATE t SET a = 0 WHERE id < 6", "UPDATE t SET b = 'x' WHERE id = 8", "DELETE FROM t WHERE id > 15")
	outcome = stream.apply(*way)
	assert outcome.missing == 'public.t (id) = (17)'
	assert outcome.tables["public.t"][4] == 2
	if "-f" not in way:
		assert outcome.slow >= 1 and "rows were found" in outcome.why
	stream.do("INSERT INTO t VALUES (17, 1, 'x')", "DELETE FROM t WHERE id = 3")
	stream.apply(*way)
	stream.pair.assert_equal(values=False)


def test_refused_row(stream):
	stream.make(PLAIN + "; CREATE TABLE fine (id int PRIMARY KEY)", "ALTER TABLE t ADD CHECK (a < 100)")
	stream.do("INSERT INTO t VALUES (1, 1, 'x'); INSERT INTO fine VALUES (1)")
	stream.apply()
	stream.do("INSERT INTO fine VALUES (2); INSERT INTO t VALUES (2, 100, 'y')")
	outcome = stream.apply(code=1)
	assert outcome.culprit == "public.t" and "violates check constraint" in outcome.text
	assert stream.on_target("SELECT count(*) FROM fine") == [(1,)]


def test_rows_in_the_way(stream):
	stream.make(PLAIN)
	stream.on_target("INSERT INTO t VALUES (700, 0, 'theirs')")
	stream.do("INSERT INTO t SELECT i, i, 'v' FROM generate_series(1, 1000) i")
	outcome = stream.apply(code=1)
	assert outcome.culprit == "public.t" and "duplicate key" in outcome.text and "(700)" in outcome.text


def test_column_that_is_not_there(stream):
	stream.make(PLAIN, "ALTER TABLE t DROP b")
	stream.do("INSERT INTO t VALUES (1, 1, 'x')")
	outcome = stream.apply(code=1)
	assert "column b is not on the target" in outcome.text and outcome.culprit == "public.t"


def test_columns_change_between(stream, way):
	"""The relation is described anew while its rows wait in the batch."""
	stream.make(PLAIN)
	stream.do("INSERT INTO t VALUES (1, 1, 'x'), (2, 2, 'y')", "UPDATE t SET a = 5 WHERE id = 1")
	stream.on_target("ALTER TABLE t ADD c int")
	stream.do("ALTER TABLE t ADD c int", "UPDATE t SET c = 1 WHERE id = 1", "INSERT INTO t VALUES (3, 3, 'z', 3)", "UPDATE t SET c = 9")
	stream.equal(*way)


def test_reconcile(stream, way):
	"""Rows may be there already, or not yet."""
	stream.make("CREATE TABLE t (id int PRIMARY KEY, a int, big text); ALTER TABLE t ALTER big SET STORAGE EXTERNAL")
	stream.do("INSERT INTO t SELECT o.i, 0, %s FROM generate_series(1, 20) o(i)" % BIG % "o.i::text")
	# None of the twenty is on the target, some later ones are.
	stream.pair.source.sql("SELECT count(*) FROM pg_logical_slot_get_binary_changes('%s', NULL, NULL, 'proto_version', '1',"
		" 'publication_names', 'p')" % stream.slot, stream.pair.name)
	stream.on_target("INSERT INTO t VALUES (30, 99, 'old'), (5, 98, 'old')")
	stream.do("INSERT INTO t VALUES (30, 1, 'x'), (31, 1, 'y')", "UPDATE t SET a = a + 1 WHERE id <= 10", "DELETE FROM t WHERE id IN (9, 10, 11)",
		"UPDATE t SET id = id + 100 WHERE id IN (1, 2, 5)", "UPDATE t SET a = 2, big = 'small' WHERE id = 12", "UPDATE t SET id = 130 WHERE id = 13")
	outcome = stream.apply(*way, "-r")
	assert outcome.missing == "" and outcome.slow == 0
	assert stream.on_target("SELECT fetched_at IS NOT NULL FROM pgpier.tables") == [(True,)]
	rows = stream.pair.source.sql("SELECT id, a, length(big) FROM t WHERE id <= 8 OR id IN (12, 30, 31) OR id > 100 ORDER BY 1", stream.pair.name)
	# Row 5 was there, but with a key that changes its value is the source's all the same.
	assert stream.on_target("SELECT id, a, length(big) FROM t ORDER BY 1") == rows


def test_triggers_do_not_fire(stream):
	stream.make(PLAIN, """CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
		CREATE TRIGGER no BEFORE INSERT OR UPDATE OR DELETE ON t FOR EACH ROW EXECUTE FUNCTION no()""")
	stream.do("INSERT INTO t VALUES (1, 1, 'x'), (2, 2, 'y')", "UPDATE t SET a = 3", "DELETE FROM t WHERE id = 1")
	stream.equal()


def test_foreign_keys_that_are_checked(stream, way):
	"""A role that may not switch them off: sets that come in the wrong order are replayed in the right one."""
	stream.make("""CREATE TABLE child (id int PRIMARY KEY, p int); CREATE TABLE parent (id int PRIMARY KEY);
		ALTER TABLE child ADD FOREIGN KEY (p) REFERENCES parent""")
	role = "r_" + stream.pair.name
	stream.on_target("""CREATE ROLE %s LOGIN; GRANT ALL ON SCHEMA pgpier TO %s; GRANT ALL ON ALL TABLES IN SCHEMA pgpier TO %s;
		ALTER TABLE parent OWNER TO %s; ALTER TABLE child OWNER TO %s""" % ((role,) * 5))
	many = "generate_series(%d, %d) i"
	stream.do("INSERT INTO parent SELECT i FROM " + many % (1, 20), "INSERT INTO child SELECT i, i FROM " + many % (1, 20),
		"DELETE FROM child; DELETE FROM parent WHERE id > 5; INSERT INTO parent SELECT i FROM " + many % (30, 60)
		+ "; INSERT INTO child SELECT i, i FROM " + many % (30, 60))
	stream.apply(*way, user=role)
	stream.pair.assert_equal(values=False)
	stream.on_target("DROP OWNED BY %s CASCADE; DROP ROLE %s" % (role, role))


def wait_until(condition):
	deadline = time.monotonic() + 30 * pgpier.PATIENCE
	while not condition():
		assert time.monotonic() < deadline
		time.sleep(0.02)


@pytest.mark.parametrize("rows", (1, 100))
def test_deadlock(stream, rows):
	"""Somebody else's locks in another order: the batch is tried again."""
	stream.make("CREATE TABLE a (id int PRIMARY KEY, v int); CREATE TABLE b (id int PRIMARY KEY, v int)")
	stream.do("INSERT INTO a SELECT generate_series(1, %d), 0; INSERT INTO b SELECT generate_series(1, %d), 0" % (rows, rows))
	stream.equal()
	other = stream.pair.target.connect(stream.pair.name, autocommit=False)
	blocked = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
	with other.cursor() as cursor:
		cursor.execute("SET deadlock_timeout = '1min'; UPDATE b SET v = v WHERE id = 1")
		stream.do("UPDATE a SET v = 1; UPDATE b SET v = 1")
		tool = stream.start()
		wait_until(lambda: stream.on_target(blocked) == [(1,)])
		cursor.execute("UPDATE a SET v = v WHERE id = 1")
		other.commit()
	assert stream.end(tool).slow == 0
	stream.pair.assert_equal(values=False)
	other.close()


@pytest.mark.parametrize("rows", (1, 100, 2000))
def test_ends_while_waiting(stream, rows):
	"""For a lock: when it is stopped, and when the server throws it out."""
	stream.make(PLAIN)
	other = stream.pair.target.connect(stream.pair.name, autocommit=False)
	blocked = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
	for first, how in ((1, "stop"), (10000, "terminate")):
		stream.do("INSERT INTO t SELECT generate_series(%d, %d)" % (first, first + rows - 1))
		with other.cursor() as cursor:
			cursor.execute("LOCK t IN SHARE MODE")
		tool = stream.start()
		wait_until(lambda: stream.on_target(blocked))
		began = time.monotonic()
		if how == "stop":
			tool.send_signal(signal.SIGTERM)
		else:
			stream.on_target("SELECT pg_terminate_backend(pid) FROM (%s) q" % blocked)
		outcome = stream.end(tool, code=1)
		assert time.monotonic() - began < 2 * pgpier.PATIENCE
		assert ("error cancelled" if how == "stop" else "error connection") in outcome.text, outcome.text
		assert outcome.culprit == ""
		other.rollback()
		wait_until(lambda: not stream.on_target("SELECT FROM pg_stat_activity WHERE application_name = 'pgpier/tool'"
			" AND datname = current_database()"))
		assert stream.on_target("SELECT count(*) FROM t") == [(0,)]
	other.close()


def test_wide_table(stream, way):
	columns = ["c%d" % i for i in range(300)]
	stream.make("CREATE TABLE t (id int PRIMARY KEY, %s)" % ", ".join(c + " int" for c in columns))
	stream.do("INSERT INTO t SELECT i, %s FROM generate_series(1, 50) i" % ", ".join("i + %d" % i for i in range(300)),
		"UPDATE t SET c299 = 0, c0 = NULL WHERE id < 9", "DELETE FROM t WHERE id = 5")
	assert stream.equal(*way).slow == 0


def test_no_columns(stream):
	stream.make("CREATE TABLE t (); ALTER TABLE t REPLICA IDENTITY FULL")
	stream.do("INSERT INTO t DEFAULT VALUES; INSERT INTO t DEFAULT VALUES", "DELETE FROM t WHERE ctid = '(0,1)'")
	stream.apply()
	assert stream.on_target("SELECT count(*) FROM t") == [(1,)]


def test_many_tables(stream):
	"""More statements than stay prepared."""
	stream.make("; ".join("CREATE TABLE t%d (id int PRIMARY KEY, v int)" % i for i in range(300)))
	for sql in ("INSERT INTO t%d VALUES (1, 1), (2, 2)", "UPDATE t%d SET v = v + 1", "DELETE FROM t%d WHERE id = 1",
		"UPDATE t%d SET v = v + 1"):
		stream.do(*(sql % i for i in range(300)))
	assert stream.equal("-g", "10").slow == 0


def test_large_transaction(stream):
	stream.make("CREATE TABLE t (id int PRIMARY KEY, v int, s text); CREATE TABLE u (id int PRIMARY KEY)")
	stream.do("""INSERT INTO t SELECT i, 0, md5(i::text) FROM generate_series(1, 60000) i; UPDATE t SET v = 1 WHERE id % 3 = 0;
		INSERT INTO u SELECT generate_series(1, 10000); DELETE FROM t WHERE id % 10 = 0; UPDATE t SET v = v + 1""")
	assert stream.equal("-f", "20000").slow == 0


SHAPES = """CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
	CREATE TABLE a (id int PRIMARY KEY, u int UNIQUE, n int, big text); ALTER TABLE a ALTER big SET STORAGE EXTERNAL;
	CREATE TABLE b (k text, i int, v mood[], PRIMARY KEY (k, i));
	CREATE TABLE c (x int, j json, big text); ALTER TABLE c REPLICA IDENTITY FULL; ALTER TABLE c ALTER big SET STORAGE EXTERNAL;
	CREATE TABLE d (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v numeric, w numeric GENERATED ALWAYS AS (v * 2) STORED);
	CREATE TABLE e (id int PRIMARY KEY, u int UNIQUE DEFERRABLE INITIALLY DEFERRED, n int GENERATED ALWAYS AS IDENTITY);
	CREATE TABLE p (id int, v int, PRIMARY KEY (id)) PARTITION BY LIST (id);
	CREATE TABLE p0 PARTITION OF p FOR VALUES IN (0, 1, 2, 3, 4, 5, 6, 7); CREATE TABLE p1 PARTITION OF p DEFAULT"""
# %(i)d and %(j)d are small numbers, %(m)d a span. Those that violate a constraint are rolled back to a savepoint.
RANDOM = (
	"INSERT INTO a SELECT i, i + %(j)d * 100, %(m)d, " + BIG % "i::text" + " FROM generate_series(%(i)d, %(i)d + %(m)d) i ON CONFLICT DO NOTHING",
	"UPDATE a SET n = n + 1 WHERE id BETWEEN %(i)d AND %(i)d + %(m)d", "UPDATE a SET big = 'short' WHERE id = %(j)d",
	"UPDATE a SET id = id + 50 WHERE id BETWEEN %(i)d AND %(i)d + %(m)d", "UPDATE a SET id = id - 50, n = 0 WHERE id > 60",
	"UPDATE a SET u = -u WHERE id = %(i)d; UPDATE a SET u = (SELECT -u FROM a WHERE id = %(i)d) WHERE id = %(j)d; "
	"UPDATE a SET u = 10000 + %(i)d * %(j)d WHERE id = %(i)d", "DELETE FROM a WHERE id %% 7 = %(j)d %% 7",
	"INSERT INTO b SELECT 'k' || %(j)d, i, ARRAY['ok', NULL]::mood[] FROM generate_series(%(i)d, %(i)d + %(m)d) i ON CONFLICT DO NOTHING",
	"UPDATE b SET v = v || '{happy}' WHERE i = %(i)d", "UPDATE b SET k = k || 'x' WHERE i BETWEEN %(i)d AND %(j)d", "DELETE FROM b WHERE i < %(m)d",
	"INSERT INTO c SELECT i %% 3, '{\"a\": 1}', NULLIF(%(j)d %% 2, 0) || " + BIG % "''" + " FROM generate_series(1, %(m)d) i",
	"UPDATE c SET x = x + 1 WHERE x %% 3 = %(j)d %% 3", "DELETE FROM c WHERE ctid IN (SELECT ctid FROM c LIMIT %(m)d)",
	"UPDATE c SET big = NULL WHERE ctid IN (SELECT ctid FROM c WHERE big IS NOT NULL LIMIT 2)",
	"INSERT INTO d (v) SELECT i FROM generate_series(1, %(m)d) i", "UPDATE d SET v = v + 1.50 WHERE id %% 5 = %(j)d %% 5",
	"UPDATE d SET id = DEFAULT WHERE id %% 11 = %(i)d", "DELETE FROM d WHERE id %% 13 = %(i)d",
	"INSERT INTO e (id, u) SELECT i, 1000 * %(j)d + i FROM generate_series(%(i)d, %(i)d + %(m)d) i WHERE NOT EXISTS (SELECT FROM e WHERE e.id = i)",
	"UPDATE e SET u = 2 * 100000 - u", "UPDATE e SET n = DEFAULT WHERE id = %(j)d", "DELETE FROM e WHERE id = %(i)d",
	"INSERT INTO p SELECT i, %(j)d FROM generate_series(%(i)d, %(i)d + %(m)d) i ON CONFLICT DO NOTHING", "UPDATE p SET id = 20 - id WHERE id IN (%(i)d, %(j)d)",
	"DELETE FROM p WHERE id = %(i)d", "TRUNCATE a, c", "TRUNCATE p", "TRUNCATE b RESTART IDENTITY",
)


@pytest.mark.parametrize("seed", range(4))
def test_random(stream, seed):
	"""Random transactions, applied in random groups and flushes."""
	stream.make(SHAPES)
	rng = random.Random(seed)
	connection = stream.pair.source.connect(stream.pair.name, autocommit=False)
	for _ in range(8):
		with connection.cursor() as cursor:
			for _ in range(rng.randint(5, 25)):
				cursor.execute("SET synchronous_commit = on")
				for _ in range(rng.choice((1, 2, 5, 30))):
					sql = rng.choice(RANDOM) % {"i": rng.randint(1, 20), "j": rng.randint(1, 20), "m": rng.choice((1, 3, 10, 40))}
					cursor.execute("SAVEPOINT s")
					try:
						cursor.execute(sql)
						if rng.random() < 0.1:
							cursor.execute("ROLLBACK TO s")
					except psycopg2.Error:
						cursor.execute("ROLLBACK TO s")
				try:
					connection.commit()
				except psycopg2.IntegrityError:  # a deferred constraint
					connection.rollback()
		outcome = stream.equal("-g", str(rng.choice((0, 1, 2, 10))), "-f", str(rng.choice((0, 1, 7, 100, 1000))))
		assert outcome.missing == ""
	connection.close()


@pytest.mark.parametrize("majors", ((10, 15), (15, 10), (18, 15), (15, 18), (15, 13)), ids="%d to %d".__mod__)
def test_other_majors(make_pair, source, target, other_major, majors):
	sides = [default if major == 15 else other_major(major) for default, major in zip((source, target), majors)]
	stream = Stream(make_pair(*sides))
	try:
		stream.make(PLAIN + ";" + FULL.replace(" t ", " f ")
			+ "; CREATE TABLE i (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v numeric, f float8, r real)")
		stream.do("INSERT INTO t SELECT i, i, 'row' FROM generate_series(1, 1000) i", "UPDATE t SET a = 0 WHERE id < 20",
			"UPDATE t SET id = -id WHERE id > 990", "DELETE FROM t WHERE id = 500", "UPDATE t SET a = 1 WHERE id = 1",
			"INSERT INTO f VALUES (1, 'x', '{\"a\": 1}', '(1,2)', 0.1, '{1}'), (NULL, NULL, 'null', NULL, 1e-300, NULL)",
			"UPDATE f SET b = 'y'; DELETE FROM f WHERE a = 1", "INSERT INTO i (v, f, r) SELECT i / 3.0, i / 3.0, i / 7.0 FROM generate_series(1, 30) i",
			"UPDATE i SET v = v / 7; UPDATE i SET id = DEFAULT WHERE id = 3")
		if majors[0] > 10:  # which does not send TRUNCATE
			stream.do("TRUNCATE f; INSERT INTO f (a) VALUES (5)")
		outcome = stream.equal(structure=False)
		assert outcome.slow == 0 and outcome.missing == ""
	finally:
		stream.remove()
