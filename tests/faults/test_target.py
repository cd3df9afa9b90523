# SPDX-License-Identifier: PostgreSQL
"""Targets and sources that refuse. What a look at the catalogs finds is refused before anything is changed;
what only the rows show makes one table fail with the server's words, and the others arrive."""
import pytest

from support.load import tables_sql
from support.pgpier import DONE, FAILED, Pgpier, mirror

TEN = tables_sql(10, 200)


def expect_one_failure(pair, outcome, table, *words):
	"""Nine of ten are done and equal; the tenth says why it is not."""
	outcome.expect(FAILED, *words)
	states = {t["source"]: t["state"] for t in outcome.json["tables"]}
	assert states.pop(table) == "failed", outcome
	assert set(states.values()) == {"done"}, outcome
	for word in words:
		assert word in outcome.errors(), outcome
	pair.assert_equal(outcome, only=list(states))


def expect_refusal(pair, p, table, *words):
	"""Nothing was made on the target; without the table in question the mirror goes through."""
	made = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
	before = pair.target.sql(made, pair.name)
	outcome = p.run().expect(FAILED, table, *words)
	assert pair.target.sql(made, pair.name) == before, outcome
	without = pair.pgpier(exclude=[table])
	outcome = without.run().expect(DONE)
	pair.assert_equal(outcome, only=[t["source"] for t in outcome.json["tables"]])
	assert len(outcome.json["tables"]) == 9, outcome


def mover(pair, server):
	"""A role that may log in and nothing else yet; dropped with the cluster's other things."""
	server.sql("""DO $$ BEGIN CREATE ROLE mover LOGIN; EXCEPTION WHEN duplicate_object THEN END $$;
		GRANT USAGE ON SCHEMA public TO mover""", pair.name)
	return server.address(pair.name, user="mover")


def run_as(pair, source=None, target=None, **settings):
	peers = [{"name": "source", **(source or pair.source.address(pair.name))},
		{"name": "target", **(target or pair.target.address(pair.name))}]
	p = Pgpier(peers, [mirror(**settings)])
	pair.opened.append(p)
	return p


def test_no_privilege_on_one_of_ten(pair):
	pair.fill(TEN)
	source = mover(pair, pair.source)
	pair.source.sql("GRANT SELECT ON ALL TABLES IN SCHEMA public TO mover;"
		" GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO mover; REVOKE SELECT ON t07 FROM mover", pair.name)
	p = run_as(pair, source=source)
	expect_one_failure(pair, p.run(), "public.t07", "permission denied")
	pair.source.sql("GRANT SELECT ON t07 TO mover", pair.name)
	p.run().expect(DONE)
	pair.assert_equal()


def test_no_privilege_to_create_on_the_target(pair):
	pair.fill("CREATE TABLE t AS SELECT 1 AS i")
	run_as(pair, target=mover(pair, pair.target)).run().expect(FAILED, "permission denied")


def test_no_privilege_to_insert_into_one_of_ten(pair):
	pair.fill(TEN)
	pair.target.sql("CREATE TABLE t03 (id int PRIMARY KEY, n int DEFAULT 0, v text)", pair.name)
	target = mover(pair, pair.target)
	pair.target.sql('GRANT CREATE ON DATABASE "%s" TO mover; GRANT CREATE ON SCHEMA public TO mover' % pair.name,
		pair.name)
	expect_one_failure(pair, run_as(pair, target=target).run(), "public.t03", "permission denied")


def test_row_security_hides_nothing_in_silence(pair):
	"""A role that policies bind must not make a copy that looks complete."""
	pair.fill("CREATE TABLE t AS SELECT generate_series(1, 100) AS i; ALTER TABLE t ENABLE ROW LEVEL SECURITY;"
		" CREATE POLICY half ON t USING (i <= 50)")
	source = mover(pair, pair.source)
	pair.source.sql("GRANT SELECT ON t TO mover", pair.name)
	run_as(pair, source=source).run().expect(FAILED, "row")


@pytest.mark.sanitized
def test_target_table_with_rows(pair):
	pair.fill(TEN)
	pair.target.sql("CREATE TABLE t02 (id int PRIMARY KEY, n int DEFAULT 0, v text); INSERT INTO t02 VALUES (-1)",
		pair.name)
	expect_refusal(pair, pair.pgpier(), "public.t02", "rows")
	assert pair.target.sql("SELECT id FROM t02", pair.name) == [(-1,)]


def test_target_table_with_rows_truncated_on_demand(pair):
	pair.fill("CREATE TABLE t AS SELECT generate_series(1, 100) AS i")
	pair.target.sql("CREATE TABLE t (i int); INSERT INTO t VALUES (-1)", pair.name)
	pair.mirrored(on_existing_rows="truncate")


def test_target_table_with_rows_appended_to_on_demand(pair):
	pair.fill("CREATE TABLE t AS SELECT generate_series(1, 100) AS i")
	pair.target.sql("CREATE TABLE t (i int); INSERT INTO t VALUES (-1)", pair.name)
	pair.pgpier(on_existing_rows="append").run().expect(DONE)
	assert pair.target.sql("SELECT count(*), sum(i) FROM t", pair.name) == [(101, 5049)]


def test_target_table_with_other_columns(pair):
	pair.fill(TEN)
	pair.target.sql("CREATE TABLE t05 (id int PRIMARY KEY, other text)", pair.name)
	expect_refusal(pair, pair.pgpier(), "public.t05", "column")


def test_target_column_of_another_type(pair):
	pair.fill(TEN)
	pair.target.sql("CREATE TABLE t05 (id bigint PRIMARY KEY, n text, v text)", pair.name)
	expect_refusal(pair, pair.pgpier(), "public.t05", "column n is text")


def test_type_missing_on_the_target(pair):
	pair.fill("CREATE EXTENSION hstore;" + TEN + "; ALTER TABLE t09 ADD h hstore")
	expect_refusal(pair, pair.pgpier(), "public.t09", "hstore", "CREATE EXTENSION")


def test_row_that_the_target_rejects(pair):
	"""The error names the table and what the server said of the row; mended, the rerun completes it."""
	pair.fill(TEN + "; UPDATE t04 SET n = -5 WHERE id = 77")
	pair.target.sql("CREATE TABLE t04 (id int PRIMARY KEY, n int DEFAULT 0 CONSTRAINT not_negative CHECK (n >= 0),"
		" v text)", pair.name)
	p = pair.pgpier()
	expect_one_failure(pair, p.run(), "public.t04", "not_negative")
	pair.target.sql("ALTER TABLE t04 DROP CONSTRAINT not_negative; CREATE INDEX ON t04 (n)", pair.name)
	p.run().expect(DONE)
	pair.assert_equal()


def test_bytes_that_the_target_encoding_lacks(pair):
	"""A LATIN1 target can't hold an elephant; the row is named, nothing is replaced by a question mark."""
	pair.fill("CREATE TABLE t AS SELECT '🐘'::text AS v")
	pair.target.drop_db(pair.name)
	pair.target.sql('CREATE DATABASE "%s" TEMPLATE template0 ENCODING LATIN1' % pair.name)
	pair.pgpier().run().expect(FAILED, "LATIN1")


def test_a_schema_pgpier_that_is_not_ours(pair):
	pair.fill("CREATE TABLE t AS SELECT 1 AS i")
	pair.target.sql("CREATE SCHEMA pgpier; CREATE TABLE pgpier.mine (i int)", pair.name)
	pair.pgpier().run().expect(FAILED, "schema pgpier")
	assert pair.target.sql("SELECT count(*) FROM pgpier.mine", pair.name) == [(0,)]


def test_check_changes_nothing(pair):
	pair.fill(TEN)
	pair.target.sql("CREATE TABLE t02 (id int); INSERT INTO t02 VALUES (1)", pair.name)
	outcome = pair.pgpier()("check", "m", "--json")
	assert outcome.code == FAILED and "t02" in outcome.out, outcome
	found = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace >= 16384 OR relname = 't02'"
	assert pair.target.sql(found, pair.name) == [("t02",)]
