# SPDX-License-Identifier: PostgreSQL
"""What is replicated: a million changes in small transactions, of three kinds. markers ends each backlog."""
import os
import subprocess
import time

from bench import data

# Four rows arrive and one is counted up in each transaction.
INSERT = """
CREATE TABLE heads (id int PRIMARY KEY, lines bigint NOT NULL, filler char(60));
INSERT INTO heads SELECT i, 0, '' FROM generate_series(1, 100000) AS i;
CREATE TABLE lines (id bigint PRIMARY KEY, head int, at timestamptz, amount int, note text)""", """
DO $$
BEGIN
	FOR i IN 1 .. %(transactions)d LOOP
		INSERT INTO lines SELECT i * 4::bigint + n, i, clock_timestamp(), n, md5(i::text) FROM generate_series(0, 3) AS n;
		UPDATE heads SET lines = lines + 4 WHERE id = 1 + i %% 100000;
		COMMIT;
	END LOOP;
END $$"""

# Five rows anywhere, each with 2,100 bytes stored apart that nobody touches.
UPDATE = """
CREATE TABLE docs (id int PRIMARY KEY, n int NOT NULL, filler char(60), body text NOT NULL);
ALTER TABLE docs ALTER body SET STORAGE EXTERNAL;
INSERT INTO docs SELECT i, 0, '', repeat(md5(i::text), 66) FROM generate_series(1, %(docs)d) AS i""", """
DO $$
DECLARE
	chosen int;
BEGIN
	FOR i IN 1 .. %(transactions)d LOOP
		FOR k IN 1 .. 5 LOOP
			chosen := 1 + random() * (%(docs)d - 1);
			UPDATE docs SET n = n + 1 WHERE id = chosen;
		END LOOP;
		COMMIT;
	END LOOP;
END $$"""

# SQL for the first rows, SQL for the backlog; None is pgbench.
SETS = {"insert": INSERT, "update": UPDATE, "tpcb": None}


def pgbench(source, name, *words):
	"""Starts it: on a source whose commits do not wait, because the backlog is not what is measured."""
	env = dict(os.environ, LC_ALL="C", PGOPTIONS="-c synchronous_commit=off")
	return subprocess.Popen([source.program("pgbench"), "-n", "-M", "prepared", *words, "-h", source.folder, "-p",
		str(source.port), "-U", "postgres", name], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env)


def fill(source, name, kind, options):
	"""The tables as they are before the backlog. pgbench's history has no key: its rows are known whole."""
	source.create_db(name)
	source.sql("CREATE TABLE markers (id int PRIMARY KEY)", name)
	if SETS[kind]:
		source.sql(SETS[kind][0] % vars(options), name)
	else:
		data.make_pgbench(source, name, options)
		source.sql("ALTER TABLE pgbench_history REPLICA IDENTITY FULL", name)
	source.sql("VACUUM ANALYZE", name)


def produce(source, name, kind, options):
	started = time.monotonic()
	begin, = source.sql("SELECT pg_current_wal_lsn()")[0]
	if SETS[kind]:
		connection = source.connect(name, options="-c synchronous_commit=off")
		with connection.cursor() as cursor:
			cursor.execute("SELECT setseed(0.5)")
			cursor.execute(SETS[kind][1] % vars(options))
		connection.close()
	else:
		clients = 4
		each = options.transactions * 5 // 4 // clients
		if pgbench(source, name, "-c", str(clients), "-j", "2", "-t", str(each)).wait() != 0:
			raise RuntimeError("pgbench failed")
	source.sql("INSERT INTO markers VALUES (1)", name)
	size, = source.sql("SELECT pg_size_pretty(pg_current_wal_lsn() - %s::pg_lsn)", parameters=(begin,))[0]
	print("%s: a backlog of %d changes, %s of WAL, made in %.0f s" % (kind, options.transactions * 5, size,
		time.monotonic() - started), flush=True)
