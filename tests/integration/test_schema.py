# SPDX-License-Identifier: PostgreSQL
"""Definitions arrive with the rows: tables of every kind, keys, indexes, checks, sequences; and what is kept."""
from support.pgpier import DONE, FAILED

KINDS = """
CREATE SCHEMA a; CREATE SCHEMA b;
CREATE TYPE a.mood AS ENUM ('sad', 'ok');
CREATE SEQUENCE a.shared START 100 INCREMENT 10 MAXVALUE 100000 CYCLE CACHE 5;
CREATE TABLE a.base (
	id int GENERATED ALWAYS AS IDENTITY (START 5 INCREMENT 5) PRIMARY KEY,
	small smallserial, n int DEFAULT nextval('a.shared'), code char(3) COLLATE "C", price numeric(8,3) DEFAULT 1.5,
	mood a.mood DEFAULT 'ok' NOT NULL, stamp timestamp(3) DEFAULT '2024-01-01', bits bit varying(7),
	twice int GENERATED ALWAYS AS (small * 2) STORED, big text, gap interval second(2),
	CONSTRAINT price_range CHECK (price >= 0 AND price < 1000) NO INHERIT,
	CONSTRAINT both_unique UNIQUE NULLS NOT DISTINCT (code, n) DEFERRABLE INITIALLY DEFERRED);
ALTER TABLE a.base ALTER big SET STORAGE EXTERNAL;
ALTER TABLE a.base DROP COLUMN stamp;
INSERT INTO a.base (code, big) SELECT lpad(i::text, 3, '0'), repeat('b', i) FROM generate_series(1, 900) AS i;
CREATE INDEX base_expression ON a.base ((price * 2), lower(big)) WHERE mood = 'ok';
CREATE INDEX base_hash ON a.base USING hash (code);
CREATE UNIQUE INDEX base_include ON a.base (id) INCLUDE (price) WITH (fillfactor = 70);
CREATE INDEX base_ops ON a.base (code bpchar_pattern_ops DESC NULLS LAST);
CREATE TABLE b.rooms (room int, during tsrange, EXCLUDE USING gist (during WITH &&) WHERE (room > 0));
INSERT INTO b.rooms SELECT i, tsrange(d, d + interval '1 d')
	FROM generate_series(1, 90) AS i, LATERAL (SELECT '2024-01-01'::timestamp + i * interval '1 d') AS x (d);
CREATE TABLE b.parent (id int PRIMARY KEY, v text, CHECK (id > 0));
CREATE TABLE b.child (w int, CHECK (w < 100)) INHERITS (b.parent);
INSERT INTO b.child SELECT i, 'v', i FROM generate_series(1, 50) AS i;
CREATE TABLE b.tree (id int, at date NOT NULL, v text DEFAULT 'd', PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE b.tree_2024 PARTITION OF b.tree (v DEFAULT 'own') FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')
	PARTITION BY LIST (id);
CREATE TABLE a.tree_2024_odd PARTITION OF b.tree_2024 FOR VALUES IN (1, 3, 5, 7, 9);
CREATE TABLE b.tree_2024_rest PARTITION OF b.tree_2024 DEFAULT;
CREATE TABLE b.tree_rest (v text DEFAULT 'd', at date NOT NULL, id int NOT NULL);
ALTER TABLE b.tree ATTACH PARTITION b.tree_rest DEFAULT;
CREATE INDEX tree_v ON b.tree (v);
CREATE INDEX only_here ON b.tree_rest (v, at);
INSERT INTO b.tree SELECT i % 10, '2024-06-01'::date + i FROM generate_series(1, 600) AS i;
SELECT setval('a.base_small_seq', 4000, false);
"""


def test_every_kind_of_table(pair):
	"""Foreign keys, triggers and views are a later issue's and are not among these."""
	pair.fill(KINDS)
	pair.mirrored(workers=3)


def test_sequences_go_on_where_the_source_stands(pair):
	pair.fill("CREATE TABLE t (id bigserial PRIMARY KEY, v int); INSERT INTO t (v) SELECT generate_series(1, 333)")
	pair.mirrored()
	pair.target.sql("INSERT INTO t (v) VALUES (0)", pair.name)
	assert pair.target.sql("SELECT max(id) FROM t", pair.name) == [(334,)]


def test_tables_that_exist_are_used_as_they_are(pair):
	"""An extra index and column order stay; the rows arrive by column name."""
	pair.fill("CREATE TABLE t (a int PRIMARY KEY, b text);"
		" INSERT INTO t SELECT i, 'b' || i FROM generate_series(1, 500) AS i")
	pair.target.sql("CREATE TABLE t (b text, a int PRIMARY KEY); CREATE INDEX mine ON t (b)", pair.name)
	outcome = pair.pgpier().run().expect(DONE)
	query = "SELECT count(*), sum(a), md5(string_agg(b, ',' ORDER BY a)) FROM t"
	assert pair.target.sql(query, pair.name) == pair.source.sql(query, pair.name), outcome
	assert pair.target.sql("SELECT to_regclass('mine') IS NOT NULL", pair.name) == [(True,)]


def test_schema_none_creates_nothing(pair):
	pair.fill("CREATE TABLE here AS SELECT 1 AS i; CREATE TABLE there AS SELECT 2 AS i")
	pair.target.sql("CREATE TABLE there (i int)", pair.name)
	pair.pgpier(schema="none").run().expect(FAILED, "public.here")
	assert pair.target.sql("SELECT to_regclass('here')", pair.name) == [(None,)]
	outcome = pair.pgpier(schema="none", exclude=["public.here"]).run().expect(DONE)
	pair.assert_equal(outcome, only=["public.there"])


def test_rerun_of_a_finished_mirror_changes_nothing(pair):
	pair.fill("CREATE TABLE t AS SELECT generate_series(1, 1000) AS i")
	p = pair.pgpier()
	p.run().expect(DONE)
	p.run().expect(DONE)
	pair.assert_equal()


def test_drop_removes_what_pgpier_made_and_keeps_the_tables(pair):
	pair.fill("CREATE TABLE t AS SELECT generate_series(1, 1000) AS i")
	p = pair.pgpier()
	p.run().expect(DONE)
	p("drop", "m", "--yes").expect(DONE)
	assert pair.target.sql("SELECT count(*) FROM pg_namespace WHERE nspname = 'pgpier'", pair.name) == [(0,)]
	pair.assert_equal()
