# SPDX-License-Identifier: PostgreSQL
"""No way of cutting a table into chunks loses or doubles a row, whatever its keys and pages look like."""
import os

import pytest

from support.pgpier import DONE

THOUSANDS = int(os.environ.get("PGPIER_THOUSANDS", "2"))  # of tables

TABLES = """
CREATE TABLE by_int (id int PRIMARY KEY, v text);
INSERT INTO by_int SELECT i * 3, repeat('x', i % 90) FROM generate_series(-3000, 3000) AS i;
CREATE TABLE by_uuid (id uuid PRIMARY KEY, v int);
INSERT INTO by_uuid SELECT md5(i::text)::uuid, i FROM generate_series(1, 3000) AS i;
CREATE TABLE by_text (id text PRIMARY KEY, v int);
INSERT INTO by_text SELECT chr(39 + i % 80) || E'\\\\' || chr(200 + i % 70) || '"' || i, i FROM generate_series(1, 3000) AS i;
CREATE TABLE by_two (a smallint, b timestamptz, v int, PRIMARY KEY (a, b));
INSERT INTO by_two SELECT i % 3, '2024-01-01'::timestamptz + i * interval '1 s', i FROM generate_series(1, 3000) AS i;
CREATE TABLE by_float (id float8 PRIMARY KEY);
INSERT INTO by_float SELECT i / 7.0 FROM generate_series(-1500, 1500) AS i;
INSERT INTO by_float VALUES ('NaN'), ('Infinity'), ('-Infinity');
CREATE TABLE by_timestamp (id timestamp PRIMARY KEY);
INSERT INTO by_timestamp SELECT '2024-01-01'::timestamp + i * interval '1 day' FROM generate_series(1, 2000) AS i;
INSERT INTO by_timestamp VALUES ('infinity'), ('-infinity'), ('4713-01-01 BC');
CREATE TABLE unique_with_nulls (id int UNIQUE, v int);
INSERT INTO unique_with_nulls SELECT CASE WHEN i % 4 > 0 THEN i END, i FROM generate_series(1, 4000) AS i;
CREATE TABLE few_values (id numeric, v int, PRIMARY KEY (id, v));
INSERT INTO few_values SELECT i % 2, i FROM generate_series(1, 3000) AS i;
CREATE TABLE no_key AS SELECT i % 100 AS same, i FROM generate_series(1, 3000) AS i;
CREATE TABLE all_equal AS SELECT 7 AS i FROM generate_series(1, 3000);
CREATE TABLE bloated (id int PRIMARY KEY, v text);
INSERT INTO bloated SELECT i, repeat('y', 500) FROM generate_series(1, 6000) AS i;
DELETE FROM bloated WHERE id BETWEEN 100 AND 5600;
UPDATE bloated SET v = 'moved' WHERE id > 5900;
CREATE TABLE emptied (id int PRIMARY KEY);
INSERT INTO emptied SELECT generate_series(1, 3000);
DELETE FROM emptied;
CREATE TABLE one_row (id int PRIMARY KEY);
INSERT INTO one_row VALUES (1);
CREATE TABLE no_rows (id int PRIMARY KEY);
CREATE TABLE no_columns ();
INSERT INTO no_columns SELECT FROM generate_series(1, 700);
CREATE TABLE inherited (id int PRIMARY KEY, v text);
CREATE TABLE heir (w int, PRIMARY KEY (id)) INHERITS (inherited);
INSERT INTO inherited SELECT i, 'parent' FROM generate_series(1, 1000) AS i;
INSERT INTO heir SELECT i, 'child', i FROM generate_series(1, 1500) AS i;
CREATE TABLE parts (id int, v text, PRIMARY KEY (id)) PARTITION BY HASH (id);
CREATE TABLE parts_0 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 1) PARTITION BY RANGE (id);
CREATE TABLE parts_1_low PARTITION OF parts_1 FOR VALUES FROM (MINVALUE) TO (1000);
CREATE TABLE parts_1_high PARTITION OF parts_1 DEFAULT;
INSERT INTO parts SELECT i, 'p' FROM generate_series(1, 3000) AS i;
CREATE TABLE sampled (id bigint PRIMARY KEY, v text);
INSERT INTO sampled SELECT i * 17, repeat(md5(i::text), 20) FROM generate_series(1, 30000) AS i;
DELETE FROM sampled WHERE id % 1000 < 200;
CREATE UNLOGGED TABLE unlogged AS SELECT generate_series(1, 1000) AS i;
"""

ANALYZED = {"statistics": "ANALYZE", "no statistics": "SELECT 1"}


@pytest.mark.parametrize("statistics", ANALYZED)
@pytest.mark.parametrize("transfer", ["copy", "fetch"])
@pytest.mark.parametrize("chunking", ["auto", "ntile", "ctid"])
def test_many_small_chunks(pair, chunking, transfer, statistics):
	pair.fill(TABLES).fill(ANALYZED[statistics])
	outcome = pair.mirrored(chunking=chunking, transfer=transfer, rows_per_chunk=1000, workers=3)
	assert outcome.json["rows"] == sum(t["rows"] for t in outcome.json["tables"]), outcome
	chunks = pair.target.sql("SELECT count(*) FROM pgpier.chunks", pair.name)[0][0]
	assert chunks > (60 if statistics == "statistics" else 20), "%d chunks: little was cut\n%s" % (chunks, outcome)


@pytest.mark.sanitized
def test_the_json_object(pair):
	"""The fields that scripts depend on."""
	pair.fill("CREATE TABLE t AS SELECT generate_series(1, 1234) AS i; CREATE TABLE u (i int)")
	run = pair.pgpier().run().expect(DONE).json
	assert run["mirror"] == "m" and run["state"] == "done" and run["errors"] == []
	assert run["rows"] == 1234 and run["bytes"] > 0 and run["elapsed_s"] >= 0 and run["started"]
	rows = {t["source"]: (t["target"], t["rows"], t["state"], t["error"]) for t in run["tables"]}
	assert rows == {"public.t": ("public.t", 1234, "done", None), "public.u": ("public.u", 0, "done", None)}


def test_rate_limit_is_kept(pair):
	pair.fill("CREATE TABLE t AS SELECT repeat('x', 1000) AS v FROM generate_series(1, 4000)")
	outcome = pair.mirrored(rate_limit_mb=1)
	assert outcome.json["elapsed_s"] > 2, outcome


def test_no_table_matches(pair):
	pair.pgpier(tables=["nothing.*"]).run().expect(1)


def test_an_empty_database(pair):
	"""All tables of nothing is nothing to do; it is said, not silently called success or a crash."""
	outcome = pair.pgpier().run()
	assert outcome.code in (0, 1) and "no table" in (outcome.out + outcome.err), outcome


def all_ids(server, name):
	"""The sum of all tables' ids, a thousand tables a statement: each holds a lock until its end."""
	connection, total = server.connect(name), 0
	with connection.cursor() as cursor:
		for first in range(0, THOUSANDS * 1000, 1000):
			cursor.execute(" UNION ALL ".join("SELECT id FROM t%d" % i for i in range(first, first + 1000)))
			total += sum(i for (i,) in cursor.fetchall())
	connection.close()
	return total


@pytest.mark.slow
def test_thousands_of_tables(pair):
	connection = pair.source.connect(pair.name)
	with connection.cursor() as cursor:
		for first in range(0, THOUSANDS * 1000, 1000):
			cursor.execute("""DO $$ BEGIN FOR i IN %d..%d LOOP
				EXECUTE format('CREATE TABLE t%%s (id int PRIMARY KEY)', i);
				EXECUTE format('INSERT INTO t%%s VALUES (%%s)', i, i); END LOOP; END $$""" % (first, first + 999))
	connection.close()
	outcome = pair.pgpier().run(timeout=300).expect(DONE)
	assert len(outcome.json["tables"]) == THOUSANDS * 1000 and outcome.json["rows"] == THOUSANDS * 1000
	assert all_ids(pair.target, pair.name) == all_ids(pair.source, pair.name) == sum(range(THOUSANDS * 1000))
