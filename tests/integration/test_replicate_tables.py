# SPDX-License-Identifier: PostgreSQL
"""Tables that come, go, change their definition or are taken again, while the others replicate."""
import psycopg2
import pytest

from support.live import MARKERS, Live
from support.load import wait_until
from support.pgpier import DONE, mirror

TABLES = MARKERS + "".join("""
CREATE TABLE %s (id int PRIMARY KEY, v text); INSERT INTO %s SELECT i, 'v' || i FROM generate_series(1, 500) AS i;"""
	% (name, name) for name in ("t", "u"))


def peers(pair):
	return [{"name": "source", **pair.source.address(pair.name)}, {"name": "target", **pair.target.address(pair.name)}]


def rewrite(live, **settings):
	"""Another configuration, as a person's editor leaves it."""
	live.p.write(peers(live.pair), [mirror(continuous=True, slot=live.slot_of(live.pair), **settings)])


@pytest.fixture
def live(pair):
	pair.fill(TABLES)
	with Live(pair) as running:
		running.sync()
		yield running


def only(live, *names):
	live.equal(only=["public." + n for n in names])


def test_add_column(live):
	live.change("ALTER TABLE t ADD a int; INSERT INTO t VALUES (1001, 'x', 5)", "UPDATE t SET a = 7 WHERE id < 10")
	live.sync().equal()
	live.change("ALTER TABLE t ADD b text DEFAULT 'it''s', ADD c numeric(10,2) NOT NULL DEFAULT 1.5",
		"INSERT INTO t (id) VALUES (1002)", "UPDATE t SET b = NULL, c = 2 WHERE id = 3").sync().equal()
	live.change("CREATE TYPE mood AS ENUM ('ok', 'sad'); ALTER TABLE t ADD m mood[] DEFAULT '{ok}'",
		"UPDATE t SET v = 'y' WHERE id = 9")
	live.sync().equal()


def test_add_column_with_a_volatile_default(live):
	"""Its old values are in no stream: the column is filled again, or the table named until it is."""
	live.change("ALTER TABLE t ADD r uuid DEFAULT gen_random_uuid(), ADD at timestamptz DEFAULT clock_timestamp()",
		"UPDATE t SET v = 'touched' WHERE id < 10").sync()
	live.wait(lambda: not live.pair.differences(only=["public.t"], structure=False), "the column's old values", 30)
	live.sync().equal()


def test_add_column_while_stopped(live):
	live.change("UPDATE t SET v = 'before' WHERE id = 1").stop()
	live.change("UPDATE t SET v = 'kept' WHERE id = 2",
		"ALTER TABLE t ADD a int NOT NULL DEFAULT 3; ALTER TABLE u ADD b int",
		"INSERT INTO t VALUES (1001, 'x', 1)", "ALTER TABLE t ADD c text", "INSERT INTO t VALUES (1002, 'x', 1, 'c')",
		"INSERT INTO u VALUES (1003, 'u', 1)")
	live.start().sync().equal()


def test_new_enum_label(pair):
	pair.fill(MARKERS + "CREATE TYPE mood AS ENUM ('sad', 'happy'); CREATE TABLE t (id int PRIMARY KEY, m mood);"
		"INSERT INTO t VALUES (1, 'sad')")
	with Live(pair) as live:
		live.sync()
		live.change("ALTER TYPE mood ADD VALUE 'it''s ok' BEFORE 'happy'", "INSERT INTO t VALUES (2, 'it''s ok')")
		live.sync().equal()
		assert pair.target.sql("SELECT 'happy'::mood > 'it''s ok'::mood", pair.name) == [(True,)]


def test_new_partition(pair):
	pair.fill(MARKERS + "CREATE TABLE t (id int, r int, v text, PRIMARY KEY (id, r)) PARTITION BY LIST (r);"
		"CREATE TABLE t_1 PARTITION OF t FOR VALUES IN (1);"
		"INSERT INTO t SELECT i, 1, 'x' FROM generate_series(1, 100) AS i")
	with Live(pair) as live:
		live.sync()
		live.change("CREATE TABLE t_2 PARTITION OF t FOR VALUES IN (2, 3)",
			"INSERT INTO t SELECT i, 2, 'y' FROM generate_series(1, 50) AS i",
			"UPDATE t SET r = 3 WHERE id < 20 AND r = 1").sync()
		live.wait(lambda: not live.pair.differences(values=False), "the new partition's rows", 30)
		live.change("CREATE TABLE t_4 (v text, r int NOT NULL, id int NOT NULL, PRIMARY KEY (id, r));"
			" INSERT INTO t_4 VALUES ('old', 4, 1);"
			" ALTER TABLE t ATTACH PARTITION t_4 FOR VALUES IN (4)", "INSERT INTO t VALUES (2, 4, 'new')").sync()
		live.wait(lambda: not live.pair.differences(values=False), "the attached partition's rows", 30)


def test_killed_before_a_new_partition_is_attached(pair):
	"""It is loaded and has its keys, but the process died before it became a partition: the next one makes it one."""
	pair.fill(MARKERS + "CREATE TABLE t (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);"
		"CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (100); INSERT INTO t VALUES (1, 'x')")
	with Live(pair) as live:
		live.sync().change("CREATE TABLE t_2 PARTITION OF t FOR VALUES FROM (100) TO (200)",
			"INSERT INTO t VALUES (101, 'y')").sync().equal()
		live.stop()
		pair.target.sql("ALTER TABLE t DETACH PARTITION t_2;"
			" DELETE FROM pgpier.steps WHERE kind = 'attach' AND name = 'public.t_2'", pair.name)
		live.start().sync().equal()


def test_a_dropped_column_pauses_its_table_alone(live):
	"""The difference and the statement that mends it are said; mended, the table goes on where it stood."""
	live.change("ALTER TABLE t DROP v; ALTER TABLE t ADD w int", "INSERT INTO t VALUES (1001, 5)",
		"UPDATE u SET v = 'on' WHERE id < 10").sync()
	only(live, "u")
	live.wait(lambda: live.replication()["tables_paused"] == 1, "word of the paused table")
	outcome = live.status()
	error = outcome.table("public.t")["error"]
	assert error and "v" in error and "DROP COLUMN" in outcome.out, outcome
	live.change("DELETE FROM t WHERE id = 4").stop()
	live.pair.target.sql("ALTER TABLE t DROP v", live.pair.name)
	live.start().sync()
	live.wait(lambda: not live.pair.differences(values=False), "the table's changes", 30)
	assert live.replication()["tables_paused"] == 0


def test_a_changed_type_pauses_its_table_alone(live):
	live.change("ALTER TABLE t ALTER v TYPE int USING id", "UPDATE t SET v = 7 WHERE id = 7",
		"DELETE FROM u WHERE id < 10").sync()
	only(live, "u")
	live.wait(lambda: live.replication()["tables_paused"] == 1, "word of the paused table")
	assert "integer" in live.status().out, live.status()


def test_a_dropped_table_stops_nobody(live):
	live.change("DROP TABLE t", "UPDATE u SET v = 'on' WHERE id < 10").sync()
	only(live, "u")
	live.stop()
	live.change("DELETE FROM u WHERE id = 3").start().sync()
	only(live, "u")


def test_add_and_remove_tables(pair):
	"""A new table has a snapshot of its own; one that left keeps its rows on the target."""
	pair.fill(TABLES + "CREATE TABLE w (id int PRIMARY KEY, v text);"
		"INSERT INTO w SELECT i, 'w' FROM generate_series(1, 500) AS i")
	with Live(pair, tables=["public.markers", "public.t"]) as live:
		live.sync().stop()
		live.change("UPDATE w SET v = 'before' WHERE id < 50", "UPDATE t SET v = 'before' WHERE id < 50")
		rewrite(live, tables=["public.markers", "public.t", "public.w"])
		live.change("UPDATE w SET v = 'while' WHERE id = 100")
		live.start().sync()
		live.change("UPDATE w SET v = 'after' WHERE id > 400", "DELETE FROM w WHERE id = 100").sync()
		both = {"only": ["public.t", "public.w"], "structure": False}
		live.wait(lambda: not pair.differences(**both), "the added table's rows", 30)
		only(live, "t", "w", "markers")
		live.stop()
		rewrite(live, tables=["public.markers", "public.w"])
		live.start().sync()
		live.change("DELETE FROM t WHERE id < 100", "DELETE FROM w WHERE id < 100").sync()
		only(live, "w", "markers")
		assert pair.target.sql("SELECT count(*) FROM t", pair.name) == [(500,)]
		live.stop()
		pair.source.sql("UPDATE t SET v = 'not ours'", pair.name)
		live.caught_up().expect(DONE)


def test_a_new_table_is_named(live):
	"""Made after the mirror: it is left alone until a person chooses the tables anew."""
	live.change("CREATE TABLE late (id int PRIMARY KEY); INSERT INTO late SELECT generate_series(1, 100)").sync().stop()
	live.start().sync()
	live.wait_said("public.late")
	assert live.pair.target.sql("SELECT 1 FROM pg_class WHERE relname = 'late'", live.pair.name) == []


def test_a_key_that_another_row_took_meanwhile(pair):
	"""The load is resumed at a later snapshot; a value that an UPDATE leaves out is asked for at the source, where
	another row has the key by now: neither row keeps the other's value."""
	pair.fill(MARKERS + "CREATE TABLE t (id int PRIMARY KEY, n int, a text); ALTER TABLE t ALTER a SET STORAGE EXTERNAL;"
		"INSERT INTO t SELECT i, 0, repeat(i::text, 3000) FROM generate_series(1, 2000) AS i")
	with Live(pair, rows_per_chunk=100, workers=1, rate_limit_mb=4) as live:
		wait_until(lambda: chunks_done(pair) > 1, "the first chunks", 20)
		live.kill()
		last = pair.source.sql("SELECT max(id) FROM t", pair.name)[0][0]
		for key in range(last - 20, last + 1):
			live.change("UPDATE t SET n = 1 WHERE id = %d" % key, "UPDATE t SET id = id + 5000 WHERE id = %d" % key,
				"INSERT INTO t VALUES (%d, 2, repeat('x', 5000))" % key)
		assert chunks_done(pair) < 20, "the load was over before it was killed"
		live.start().sync().equal()


def chunks_done(pair):
	try:
		return pair.target.sql("SELECT count(*) FROM pgpier.chunks WHERE done", pair.name)[0][0]
	except psycopg2.Error:
		return 0
