# SPDX-License-Identifier: PostgreSQL
"""What is copied: many narrow rows, wide rows of mixed types, many small tables, all of it at once, and tables
without rows: their definitions."""
import os
import subprocess
import time

WIDE = """CREATE TABLE wide (id bigint PRIMARY KEY, token uuid NOT NULL, made_at timestamptz NOT NULL,
	price numeric(12,2), attributes jsonb, note text, tags int[], digest bytea)""", """
INSERT INTO wide SELECT i, md5(i::text)::uuid, '2020-01-01Z'::timestamptz + i * interval '7 seconds',
	(i %% 1000000) / 100.0, jsonb_build_object('id', i, 'kind', i %% 17, 'name', 'item ' || i),
	repeat(md5((i + 1)::text), 6), ARRAY[i %% 10, i %% 100, i %% 1000],
	decode(md5(i::text) || md5((i + 2)::text), 'hex')
  FROM generate_series(1, %(wide_rows)d) AS i"""

# 100 to 1000 rows each. It commits now and then: so many locks do not fit one transaction.
SMALL = "CREATE SCHEMA small", """
DO $$
DECLARE
	name text;
BEGIN
	FOR k IN 1 .. %(small_tables)d LOOP
		name := to_char(k, '"small.t"FM00000');
		EXECUTE format('CREATE TABLE %%s (id int PRIMARY KEY, made_at timestamptz, note text)', name);
		EXECUTE format('INSERT INTO %%s SELECT i, ''2024-01-01Z''::timestamptz + i * interval ''1 min'','
			' md5(i::text) FROM generate_series(1, $1) AS i', name) USING 100 + k * 37 %% 901;
		IF k %% 50 = 0 THEN
			COMMIT;
		END IF;
	END LOOP;
END $$"""

# No rows: 2,000 tables with 5,000 indexes, 500 foreign keys and as many triggers.
DEFINITIONS = """CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END'""", """
DO $$
DECLARE
	name text;
BEGIN
	FOR k IN 1 .. %(small_tables)d LOOP
		name := to_char(k, '"t"FM00000');
		EXECUTE format('CREATE TABLE %%s (id int PRIMARY KEY, parent int, made_at timestamptz, note text)', name);
		EXECUTE format('CREATE INDEX ON %%s (made_at)', name);
		IF k %% 2 = 0 THEN
			EXECUTE format('CREATE INDEX ON %%s (note)', name);
		END IF;
		IF k %% 4 = 0 THEN
			EXECUTE format('ALTER TABLE %%s ADD FOREIGN KEY (parent) REFERENCES %%s', name, to_char(k - 1, '"t"FM00000'));
			EXECUTE format('CREATE TRIGGER touch BEFORE UPDATE ON %%s FOR EACH ROW EXECUTE FUNCTION touch()', name);
		END IF;
		IF k %% 50 = 0 THEN
			COMMIT;
		END IF;
	END LOOP;
END $$"""


def make_pgbench(source, name, options):
	subprocess.run([source.program("pgbench"), "-i", "-q", "-I", "dtgp", "-s", str(options.scale),
		"-h", source.folder, "-p", str(source.port), "-U", "postgres", name],
		check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=dict(os.environ, LC_ALL="C"))


def make_wide(source, name, options):
	for statement in WIDE:
		source.sql(statement % vars(options), name)


def make_small(source, name, options):
	for statement in SMALL:
		source.sql(statement % vars(options), name)


def make_definitions(source, name, options):
	for statement in DEFINITIONS:
		source.sql(statement % vars(options), name)


def make_clone(source, name, options):
	for part in (make_pgbench, make_wide, make_small):
		part(source, name, options)


SETS = {"pgbench": make_pgbench, "wide": make_wide, "small": make_small, "clone": make_clone,
	"definitions": make_definitions}


def make(source, name, options):
	started = time.monotonic()
	source.create_db(name)
	SETS[name](source, name, options)
	source.sql("VACUUM ANALYZE", name)
	size = source.sql("SELECT pg_size_pretty(pg_database_size(%s))", parameters=(name,))[0][0]
	print("\n%s: %s, made in %.0f s" % (name, size, time.monotonic() - started), flush=True)
