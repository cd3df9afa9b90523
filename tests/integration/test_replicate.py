# SPDX-License-Identifier: PostgreSQL
"""Every kind of change, replicated twice: each transaction as it comes, and all of them as one backlog."""
import threading
import time

import pytest

from support import compare, torture
from support.live import MARKERS, Live
from support.pgpier import DONE, PATIENCE

BIG = "repeat(md5((%s)::text), 120)"  # 3840 bytes that are stored apart

# name: (tables and first rows, transactions). Each runs in a schema of its own.
SCENARIOS = {
	"insert_update_delete": ("""
		CREATE TABLE t (id int PRIMARY KEY, n int, v text);
		INSERT INTO t SELECT i, i, 'v' FROM generate_series(1, 50) AS i""", [
		"INSERT INTO t VALUES (100, 1, 'a'), (101, NULL, NULL), (102, 0, '')",
		"UPDATE t SET n = n + 1 WHERE id < 10", "UPDATE t SET v = NULL WHERE id = 5",
		"DELETE FROM t WHERE id IN (7, 100)",
		"INSERT INTO t VALUES (7, 7, 'back')", "UPDATE t SET n = 1; UPDATE t SET n = 2",
		"INSERT INTO t VALUES (200, 1, 'x'); UPDATE t SET v = 'y' WHERE id = 200; DELETE FROM t WHERE id = 200",
		"DELETE FROM t WHERE id = 9; INSERT INTO t VALUES (9, 99, 'same key')"]),
	"key_changes": ("""
		CREATE TABLE t (a int, b text, n int, PRIMARY KEY (a, b));
		INSERT INTO t SELECT i, 'b' || i, i FROM generate_series(1, 50) AS i""", [
		"UPDATE t SET a = -a WHERE a < 10", "UPDATE t SET b = b || 'x', n = NULL WHERE a = 20",
		"UPDATE t SET a = 1000 WHERE a = 30", "UPDATE t SET a = 30 WHERE a = 1000", "DELETE FROM t WHERE a = 30",
		"UPDATE t SET a = 500 WHERE a = 40; UPDATE t SET a = 40, b = 'b40' WHERE a = 41;"
		" UPDATE t SET a = 41 WHERE a = 500",
		"UPDATE t SET a = 42 + 100 WHERE a = 42; INSERT INTO t VALUES (42, 'b42', 0);"
		" DELETE FROM t WHERE a = 142"]),
	"chain_of_keys": ("""
		CREATE TABLE t (id int PRIMARY KEY, v text);
		INSERT INTO t SELECT i, i FROM generate_series(1, 30) AS i""", [
		"UPDATE t SET id = id - 1", "UPDATE t SET id = id + 1000 WHERE id < 20",
		"UPDATE t SET id = id - 1000 WHERE id > 1000",
		"UPDATE t SET id = -id; UPDATE t SET id = -id + 1", "UPDATE t SET id = -id", "UPDATE t SET id = 1 - id"]),
	"toast": ("""
		CREATE TABLE t (id int PRIMARY KEY, n int, a text, b text);
		ALTER TABLE t ALTER a SET STORAGE EXTERNAL, ALTER b SET STORAGE EXTERNAL;
		INSERT INTO t SELECT i, i, """ + BIG % "i" + ", " + BIG % "i + 1" + " FROM generate_series(1, 40) AS i", [
		"UPDATE t SET n = n + 1", "UPDATE t SET a = " + BIG % "n" + " WHERE id < 10",
		"UPDATE t SET a = NULL WHERE id = 11",
		"UPDATE t SET b = 'short' WHERE id = 12", "UPDATE t SET id = id + 100 WHERE id < 5",
		"UPDATE t SET n = 0 WHERE id > 100",
		"INSERT INTO t VALUES (200, 1, " + BIG % "200" + ", NULL); UPDATE t SET n = 2 WHERE id = 200;"
		" UPDATE t SET id = 201 WHERE id = 200",
		"DELETE FROM t WHERE id = 20; INSERT INTO t VALUES (20, 1, " + BIG % "1" + ", " + BIG % "2" + ");"
		" UPDATE t SET n = 5 WHERE id = 20",
		"UPDATE t SET a = " + BIG % "3" + " WHERE id = 21; UPDATE t SET b = " + BIG % "4" + " WHERE id = 21",
		"UPDATE t SET id = 300 WHERE id = 22; UPDATE t SET a = 'x' WHERE id = 300;"
		" UPDATE t SET id = 22 WHERE id = 300",
		"UPDATE t SET n = -1 WHERE id = 23; DELETE FROM t WHERE id = 23"]),
	"no_key": ("""
		CREATE TABLE t (a int, b text, c numeric); ALTER TABLE t REPLICA IDENTITY FULL;
		INSERT INTO t SELECT nullif(i % 5, 3), nullif('b' || i % 4, 'b1'), i % 3
		  FROM generate_series(1, 60) AS i""", [
		"DELETE FROM t WHERE ctid = (SELECT ctid FROM t WHERE a IS NULL LIMIT 1)",
		"DELETE FROM t WHERE ctid IN (SELECT ctid FROM t WHERE b IS NULL LIMIT 2)",
		"UPDATE t SET c = NULL WHERE ctid = (SELECT ctid FROM t WHERE a = 2 LIMIT 1)",
		"UPDATE t SET a = NULL WHERE b = 'b2'",
		"INSERT INTO t VALUES (NULL, NULL, NULL), (NULL, NULL, NULL), (NULL, NULL, NULL)",
		"DELETE FROM t WHERE ctid = (SELECT ctid FROM t WHERE a IS NULL AND b IS NULL AND c IS NULL LIMIT 1)",
		"INSERT INTO t VALUES (1, 'n', 1); UPDATE t SET c = 2 WHERE b = 'n'; UPDATE t SET c = 1 WHERE b = 'n'",
		"UPDATE t SET c = c + 1"]),
	# Equal to the server's =, not the same: only the one that the source deleted may go.
	"lookalikes": ("""
		CREATE TABLE t (c numeric, f float8); ALTER TABLE t REPLICA IDENTITY FULL;
		INSERT INTO t VALUES (1.0, 0), (1.00, 0), (1.000, 0), (2, '-0'), (2, '0'), (3, 'NaN'), (NULL, 'NaN')""", [
		"DELETE FROM t WHERE c::text = '1.00'", "UPDATE t SET c = 5 WHERE f::text = '-0'",
		"DELETE FROM t WHERE c IS NULL",
		"UPDATE t SET c = 7.10 WHERE c = 3"]),
	"bag_of_json": ("""
		CREATE TABLE t (doc json, p point, x xml); ALTER TABLE t REPLICA IDENTITY FULL;
		INSERT INTO t SELECT '{"a": 1}', '(1,2)', '<a/>' FROM generate_series(1, 5);
		INSERT INTO t SELECT '{"a":1}', NULL, NULL FROM generate_series(1, 5)""", [
		"DELETE FROM t WHERE ctid = (SELECT ctid FROM t WHERE p IS NULL LIMIT 1)",
		"UPDATE t SET p = '(3,4)' WHERE ctid IN (SELECT ctid FROM t WHERE p IS NOT NULL LIMIT 2)",
		"INSERT INTO t SELECT * FROM t",
		"DELETE FROM t WHERE ctid IN (SELECT ctid FROM t ORDER BY ctid LIMIT 7)"]),
	"full_with_a_key": ("""
		CREATE TABLE t (id int PRIMARY KEY, v text, big text);
		ALTER TABLE t REPLICA IDENTITY FULL, ALTER big SET STORAGE EXTERNAL;
		INSERT INTO t SELECT i, NULL, """ + BIG % "i" + " FROM generate_series(1, 20) AS i", [
		"UPDATE t SET v = 'x' WHERE id < 5", "UPDATE t SET id = id + 100 WHERE id > 15",
		"DELETE FROM t WHERE id = 1",
		"UPDATE t SET v = 'y', id = -id WHERE id = 2"]),
	"identity_by_index": ("""
		CREATE TABLE t (n int, code text NOT NULL, id int NOT NULL); CREATE UNIQUE INDEX t_code ON t (code);
		ALTER TABLE t REPLICA IDENTITY USING INDEX t_code;
		INSERT INTO t SELECT i, 'c' || i, i FROM generate_series(1, 20) AS i""", [
		"UPDATE t SET n = 0 WHERE id < 5", "UPDATE t SET code = upper(code) WHERE id > 15",
		"DELETE FROM t WHERE id = 10",
		"INSERT INTO t VALUES (1, 'new', 1)"]),
	"generated_and_identity": ("""
		CREATE TABLE t (a int, twice int GENERATED ALWAYS AS (a * 2) STORED,
			id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
			other int GENERATED BY DEFAULT AS IDENTITY, serial_no serial);
		INSERT INTO t (a) SELECT i FROM generate_series(1, 20) AS i""", [
		"INSERT INTO t (a) VALUES (1), (NULL)",
		"INSERT INTO t (a, id, other) OVERRIDING SYSTEM VALUE VALUES (5, -5, 500)",
		"UPDATE t SET a = a + 1, other = -other", "UPDATE t SET id = DEFAULT WHERE id = 3",
		"DELETE FROM t WHERE a > 15"]),
	"swapped_unique_values": ("""
		CREATE TABLE t (id int PRIMARY KEY, place int UNIQUE DEFERRABLE INITIALLY DEFERRED, code text UNIQUE);
		INSERT INTO t SELECT i, i, 'c' || i FROM generate_series(1, 20) AS i""", [
		"UPDATE t SET place = 21 - place",
		"UPDATE t SET place = CASE place WHEN 1 THEN 2 ELSE 1 END WHERE place IN (1, 2)",
		"UPDATE t SET code = 'x' WHERE id = 1; UPDATE t SET code = 'c1' WHERE id = 2;"
		" UPDATE t SET code = 'c2' WHERE id = 1",
		"UPDATE t SET code = NULL WHERE id = 3", "UPDATE t SET code = 'c3' WHERE id = 4",
		"UPDATE t SET code = 'c4' WHERE id = 3",
		"DELETE FROM t WHERE id = 5; INSERT INTO t VALUES (105, 5 + 100, 'c5')", "DELETE FROM t WHERE id = 105",
		"INSERT INTO t VALUES (205, 6 + 100, 'c5')"]),
	"excluded_ranges": ("""
		CREATE TABLE t (id int PRIMARY KEY, r int4range, EXCLUDE USING gist (r WITH &&));
		INSERT INTO t SELECT i, int4range(i * 10, i * 10 + 5) FROM generate_series(1, 10) AS i""", [
		"UPDATE t SET r = NULL WHERE id = 1; UPDATE t SET r = int4range(10, 12) WHERE id = 2;"
		" UPDATE t SET r = int4range(20, 25) WHERE id = 1",
		"DELETE FROM t WHERE id = 3", "INSERT INTO t VALUES (33, int4range(30, 35))"]),
	"truncate": ("""
		CREATE TABLE t (id int PRIMARY KEY, v text); CREATE TABLE u (id serial PRIMARY KEY, t int REFERENCES t);
		CREATE TABLE w (id int PRIMARY KEY); INSERT INTO t SELECT i, 'x' FROM generate_series(1, 20) AS i;
		INSERT INTO u (t) SELECT i FROM generate_series(1, 20) AS i; INSERT INTO w SELECT id FROM t""", [
		"INSERT INTO t VALUES (100, 'y'); TRUNCATE t CASCADE; INSERT INTO t VALUES (1, 'z')",
		"INSERT INTO u (t) VALUES (1)",
		"UPDATE w SET id = id + 100; TRUNCATE w; INSERT INTO w VALUES (1); TRUNCATE w;"
		" INSERT INTO w VALUES (2), (3)",
		"DELETE FROM w WHERE id = 2", "TRUNCATE u, t RESTART IDENTITY",
		"INSERT INTO t VALUES (5, NULL); INSERT INTO u (t) VALUES (5)"]),
	"partitions": ("""
		CREATE TABLE t (id int, region text, v text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
		CREATE TABLE t_a PARTITION OF t FOR VALUES IN ('a');
		CREATE TABLE t_b (v text, gone int, region text NOT NULL, id int NOT NULL, PRIMARY KEY (id, region));
		ALTER TABLE t_b DROP COLUMN gone; ALTER TABLE t ATTACH PARTITION t_b FOR VALUES IN ('b');
		CREATE TABLE t_c PARTITION OF t FOR VALUES IN ('c', 'd') PARTITION BY HASH (id);
		CREATE TABLE t_c0 PARTITION OF t_c FOR VALUES WITH (MODULUS 2, REMAINDER 0);
		CREATE TABLE t_c1 PARTITION OF t_c FOR VALUES WITH (MODULUS 2, REMAINDER 1);
		INSERT INTO t SELECT i, chr(97 + i % 4), 'v' || i FROM generate_series(1, 40) AS i""", [
		"UPDATE t SET v = 'u' WHERE id < 20", "UPDATE t SET region = 'b' WHERE region = 'a' AND id < 20",
		"UPDATE t SET region = 'c', id = id + 1000 WHERE region = 'b' AND id > 30",
		"DELETE FROM t WHERE region = 'd'",
		"INSERT INTO t SELECT i, 'd', NULL FROM generate_series(100, 120) AS i", "TRUNCATE t_b",
		"INSERT INTO t VALUES (1, 'b', 'one')",
		"TRUNCATE t_c; INSERT INTO t VALUES (2, 'c', 'two')"]),
	"types": ("""
		CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TYPE spot AS (x int, name text);
		CREATE DOMAIN small AS int CHECK (VALUE < 100);
		CREATE TYPE span AS RANGE (subtype = float8);
		CREATE TABLE t (id small PRIMARY KEY, m mood, ms mood[], s spot, ss spot[], r span, j jsonb, js json,
			n numeric[], i interval,
			b bit varying(9), raw bytea, f real, at timestamptz, d date, mac macaddr, txt tsvector, g small[],
				who regclass, c "char", big money);
		INSERT INTO t (id, m) SELECT i, 'ok' FROM generate_series(1, 10) AS i""", [
		"""INSERT INTO t VALUES (20, 'sad', '{ok,NULL,sad}', '(1,"a,""b")', ARRAY['(1,)'::spot, NULL],
				'[1.5,)', '{"a": [1, null]}',
			'{"a" : 1,"a":2}', '{NaN,1.10,NULL}', '-1 mon 2 days', B'0101', '\\x00ff', 'Infinity',
				'2024-02-29 12:00:00.123456+02',
			'infinity', '08:00:2b:01:02:03', 'a:1 b:2', '{1,2}', 'pg_class', 'x', '12.34')""",
		"UPDATE t SET ms = ARRAY['sad']::mood[], s = '(,)', ss = '{}', n = '{{1,2},{3,4}}' WHERE id < 5",
		"UPDATE t SET at = '-infinity', d = '4713-01-01 BC', i = '1 us', f = 'NaN', raw = '' WHERE id = 6",
		"UPDATE t SET id = 99, j = 'null', js = 'null' WHERE id = 7"]),
	"odd_names": ("""
		CREATE TABLE "T ""a.b" ("select" int PRIMARY KEY, "Größe %s $1" text, "'" int);
		INSERT INTO "T ""a.b" VALUES (1, 'x', 1);
		CREATE TABLE "%1$s" ("a\\b" int PRIMARY KEY); INSERT INTO "%1$s" VALUES (1)""", [
		"""INSERT INTO "T ""a.b" VALUES (2, '日本語 \\ '' "', NULL);
			UPDATE "T ""a.b" SET "'" = 7, "select" = 3 WHERE "select" = 1""",
		"""UPDATE "%1$s" SET "a\\b" = 5; INSERT INTO "%1$s" VALUES (6)""",
		"""DELETE FROM "T ""a.b" WHERE "select" = 2"""]),
	"savepoints": ("CREATE TABLE t (id int PRIMARY KEY, v text)", [
		"BEGIN; INSERT INTO t VALUES (1, 'a'); SAVEPOINT s; INSERT INTO t VALUES (2, 'no'); ROLLBACK TO s;"
		" INSERT INTO t VALUES (2, 'yes'); SAVEPOINT u; UPDATE t SET v = 'b'; RELEASE u; COMMIT",
		"BEGIN; UPDATE t SET v = 'gone'; ROLLBACK",
		"BEGIN; SAVEPOINT a; SAVEPOINT b; DELETE FROM t WHERE id = 1; ROLLBACK TO a; COMMIT"]),
	"two_thousand_rows": ("CREATE TABLE t (id int PRIMARY KEY, n int, v text); CREATE INDEX ON t (n)", [
		"INSERT INTO t SELECT i, i, md5(i::text) FROM generate_series(1, 2000) AS i", "UPDATE t SET n = -n",
		"UPDATE t SET id = id + 5000 WHERE id > 1000; DELETE FROM t WHERE id < 500",
		"INSERT INTO t SELECT i, i, 'again' FROM generate_series(1, 499) AS i; UPDATE t SET v = v || 'x'"]),
	"large_values": ("CREATE TABLE t (id int PRIMARY KEY, v text, raw bytea)", [
		"INSERT INTO t VALUES (1, repeat('größe', 1000000), NULL)",
		"INSERT INTO t VALUES (2, '', decode(repeat('00ff', 3000000), 'hex'))",
		"UPDATE t SET raw = 'x' WHERE id = 1", "UPDATE t SET v = repeat(v, 2) WHERE id = 1"]),
	"many_columns": ("CREATE TABLE t (id int PRIMARY KEY, %s)" % ", ".join("c%d int" % i for i in range(900)), [
		"INSERT INTO t (id, c1, c899) VALUES (1, 1, 1), (2, NULL, 2)", "UPDATE t SET c500 = 5",
		"DELETE FROM t WHERE id = 2"]),
	"only_the_key": ("""
		CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE u (a int, b int, PRIMARY KEY (a, b))""", [
		"INSERT INTO t SELECT generate_series(1, 10); INSERT INTO u SELECT i, i FROM generate_series(1, 5) AS i",
		"UPDATE t SET id = id + 10 WHERE id > 5", "UPDATE u SET b = 9 WHERE a = 1",
		"DELETE FROM u WHERE a = 2; DELETE FROM t WHERE id = 1"]),
	"many_tables": ("".join("CREATE TABLE t%d (id int PRIMARY KEY, v int);" % i for i in range(40)), [
		"".join("INSERT INTO t%d SELECT i, i FROM generate_series(1, 5) AS i;" % i for i in range(40)),
		"".join("UPDATE t%d SET v = v + 1; DELETE FROM t%d WHERE id = 2;" % (i, 39 - i) for i in range(40))]),
}
MODES = ("one_by_one", "backlog")


def schema(mode, name):
	return "%s_%s" % (mode, name)


def inside(mode, name, sql):
	return "SET search_path = %s; %s" % (schema(mode, name), sql)


@pytest.fixture(scope="module")
def scenarios(source, target, request):
	"""All scenarios in one mirror: it stops while the backlog's transactions are made, then runs on."""
	from conftest import Pair
	pair = Pair(source, target, "scenarios")
	request.addfinalizer(pair.remove)
	pair.fill(MARKERS)
	for mode in MODES:
		for name, (setup, _changes) in SCENARIOS.items():
			pair.fill("CREATE SCHEMA %s; %s" % (schema(mode, name), inside(mode, name, setup)))
	with Live(pair) as live:
		live.sync(60)
		live.stop()
		live.change(*(inside("backlog", name, sql)
			for name, (_setup, changes) in SCENARIOS.items() for sql in changes))
		live.start().sync(60)
		yield live


def same(live, mode, name):
	with live.pair.source.connect(live.pair.name) as connection:
		tables = ["%s.%s" % (s, t) for _oid, s, t in compare.rows(connection, compare.TABLES)
			if s == schema(mode, name)]
	connection.close()
	live.equal(only=tables)


@pytest.mark.parametrize("name", SCENARIOS)
def test_one_by_one(scenarios, name):
	scenarios.alive()
	for sql in SCENARIOS[name][1]:
		scenarios.change(inside("one_by_one", name, sql)).sync()
		same(scenarios, "one_by_one", name)


@pytest.mark.parametrize("name", SCENARIOS)
def test_backlog(scenarios, name):
	same(scenarios, "backlog", name)


def test_nothing_was_missing(scenarios):
	"""After all of it: every update and delete found its row, and everything is equal."""
	scenarios.sync().equal()
	assert scenarios.replication()["missing"] == 0, scenarios.status()


def test_until_caught_up(pair):
	"""Load, replicate, end by itself with success; again is a matter of the backlog."""
	pair.fill(MARKERS + "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 1000)")
	live = Live(pair, caught_up_s=0.2)
	live.caught_up().expect(DONE)
	live.equal()
	live.change("DELETE FROM t WHERE id < 500", "INSERT INTO t SELECT generate_series(2000, 3000)")
	outcome = live.caught_up().expect(DONE)
	assert outcome.json["replication"]["lag_s"] < 1, outcome
	live.equal()


def test_until_loaded(pair):
	"""Ends with the load; the slot keeps what comes, and the next run has it."""
	pair.fill(MARKERS + "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 1000)")
	live = Live(pair)
	live.p.run("m", "--until", "loaded").expect(DONE)
	live.change("DELETE FROM t WHERE id < 500")
	live.caught_up().expect(DONE)
	live.equal()


def test_a_reader_never_sees_half_a_transaction(pair):
	"""The total of two tables, read on the target all the time while transfers are replicated."""
	torture.fill(pair.source, pair.name, rows=400)
	with Live(pair, batch_size=50) as live:
		live.sync()
		reader = Reader(pair)
		with torture.Torture(pair.source, pair.name, 1, clients=4) as clients:
			time.sleep(2)
			live.stop()
			time.sleep(0.5)
			live.start()
			live.wait(lambda: clients.commits() > 300 / PATIENCE, "some transactions")
		live.sync()
		reader.close()
		live.equal()
		live.stop()


class Reader:
	"""Reads the total on the target until it is closed, which tells whether it ever was another."""

	def __init__(self, pair):
		self.connection = pair.target.connect(pair.name)
		self.totals, self.count, self.failure = set(), 0, None
		self.end = threading.Event()
		self.thread = threading.Thread(target=self.work, daemon=True)
		self.thread.start()

	def work(self):
		try:
			while not self.end.wait(0.001):
				self.totals.add(torture.total(self.connection))
				self.count += 1
		except Exception as e:  # shown by close()
			self.failure = e

	def close(self):
		self.end.set()
		self.thread.join()
		self.connection.close()
		assert self.failure is None, self.failure
		assert self.count > 100 / PATIENCE and self.totals == {torture.TOTAL}, (self.count, self.totals)
