# SPDX-License-Identifier: PostgreSQL
"""kill -9 of pgpier at random moments of a load of 20 tables; the next run completes it, exactly.

PGPIER_KILLS is the number of runs, PGPIER_SEED repeats one. Half of them have a source that stands still,
half have writers on it: then each table is compared with the source as of the moment its rows are from.
"""
import os
import random
import signal
import subprocess
import threading
import time

import psycopg2
import pytest

from support.load import tables_sql, wait_until
from support.moments import Moments
from support.pgpier import DONE, PATIENCE

KILLS = int(os.environ.get("PGPIER_KILLS", "6"))
SEED = int(os.environ.get("PGPIER_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 30)

TABLES = tables_sql(20, 4000, 200).replace("ANALYZE", "") + """;
ALTER TABLE t19 DROP CONSTRAINT t19_pkey;
CREATE TABLE parts (id int PRIMARY KEY, n int DEFAULT 0, v text) PARTITION BY RANGE (id);
CREATE TABLE parts_low PARTITION OF parts FOR VALUES FROM (MINVALUE) TO (2000);
CREATE TABLE parts_high PARTITION OF parts DEFAULT;
INSERT INTO parts SELECT i, i, 'p' || i FROM generate_series(1, 4000) AS i;
ANALYZE"""

# Moves rows to other blocks and other keys, where a chunk of another snapshot would miss or double them.
CHANGES = (
	"UPDATE t%(table)02d SET n = n + 1, v = v || 'u' WHERE id %% 50 = %(chance)d",
	"UPDATE t%(table)02d SET id = -id WHERE id = %(chance)d * 7 AND NOT EXISTS"
		" (SELECT 1 FROM t%(table)02d AS o WHERE o.id = -%(chance)d * 7)",
	"INSERT INTO t%(table)02d SELECT max(id) + 1, 0, 'new' FROM t%(table)02d",
	"DELETE FROM t%(table)02d WHERE id = %(chance)d * 3",
	"UPDATE parts SET n = n + 1, id = id WHERE id %% 50 = %(chance)d",
)


class Writers:
	"""Two sessions that change all tables until they are closed."""

	def __init__(self, server, dbname, seed):
		self.stop = threading.Event()
		self.failures = []
		self.count = 0
		self.threads = [threading.Thread(target=self.work, args=(server.connect(dbname), seed + n)) for n in (0, 1)]
		for thread in self.threads:
			thread.start()

	def work(self, connection, seed):
		chance = random.Random(seed)
		with connection.cursor() as cursor:
			while not self.stop.wait(0.002):
				try:
					cursor.execute(chance.choice(CHANGES) % {"table": chance.randint(1, 20),
						"chance": chance.randint(1, 49)})
					self.count += 1
				except (psycopg2.errors.UniqueViolation, psycopg2.errors.DeadlockDetected):
					continue
				except psycopg2.Error as e:
					self.failures.append(e)
					break
		connection.close()

	def __enter__(self):
		return self

	def __exit__(self, *_):
		self.stop.set()
		for thread in self.threads:
			thread.join()
		assert not self.failures, self.failures


def kill_at(p, seconds):
	"""One run, killed after so many seconds. False when it was faster."""
	process = p.start("run", "m", "--json")
	try:
		process.wait(seconds)
	except subprocess.TimeoutExpired:
		process.send_signal(signal.SIGKILL)
	process.communicate()
	return process.returncode == -signal.SIGKILL


@pytest.fixture(scope="module")
def whole_run():
	"""Seconds of an undisturbed run, measured once: kills fall between its start and its end."""
	return {}


def measure(pair, whole_run, **settings):
	if "seconds" not in whole_run:
		p = pair.pgpier(**settings)
		started = time.monotonic()
		p.run().expect(DONE)
		whole_run["seconds"] = time.monotonic() - started
		p("drop", "m", "--yes").expect(DONE)
		pair.target.drop_db(pair.name)
		pair.target.create_db(pair.name)
	return whole_run["seconds"]


def no_orphans(pair):
	"""Sessions of the killed one end by themselves or are ended by the next."""
	query = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'pgpier/%'"
	for server in (pair.source, pair.target):
		wait_until(lambda s=server: s.sql(query) == [(0,)], "the end of all of pgpier's sessions")


@pytest.mark.parametrize("run", range((KILLS + 1) // 2))
def test_kill_with_a_source_that_stands_still(pair, whole_run, run):
	chance = random.Random(SEED + run)
	pair.fill(TABLES)
	settings = {"rows_per_chunk": 1000, "workers": 3, "transfer": chance.choice(["copy", "fetch"]),
		"chunking": chance.choice(["auto", "ntile", "ctid"])}
	seconds = measure(pair, whole_run, rows_per_chunk=1000, workers=3)
	p = pair.pgpier(**settings)
	moments = []
	while chance.random() < 0.6 or not moments:
		moments.append(chance.uniform(0, seconds))
		kill_at(p, moments[-1])
	outcome = p.run()
	outcome.expect(DONE)
	found = pair.differences()
	assert not found, "seed %d, killed at %s of %.2f s, %s\n%s\n%s" % (SEED + run, moments, seconds, settings,
		"\n".join(found), outcome)
	no_orphans(pair)


@pytest.mark.parametrize("run", range(KILLS // 2))
def test_kill_while_writers_write(pair, whole_run, run):
	"""No row lost or doubled against the source as of the moments that pgpier wrote down."""
	chance = random.Random(SEED + 1000000 + run)
	pair.fill(TABLES)
	settings = {"rows_per_chunk": 1000, "workers": 3, "chunking": chance.choice(["auto", "ntile", "ctid"])}
	seconds = measure(pair, whole_run, rows_per_chunk=1000, workers=3)
	p = pair.pgpier(**settings)
	moments = []
	with Moments(pair.source, pair.name) as held, Writers(pair.source, pair.name, SEED + run) as writers:
		while chance.random() < 0.6 or not moments:
			moments.append(chance.uniform(0, seconds))
			kill_at(p, moments[-1])
		outcome = p.run()
		assert writers.count > 10 / PATIENCE, "nothing was written"
		outcome.expect(DONE)
		connection = pair.target.connect(pair.name)
		try:
			found = held.differences(connection, values=False)
		finally:
			connection.close()
	assert not found, "seed %d, killed at %s of %.2f s, %s\n%s\n%s" % (SEED + 1000000 + run, moments, seconds,
		settings, "\n".join(found), outcome)
