# SPDX-License-Identifier: PostgreSQL
"""Ways to compare two databases that are equal: what each asks of the servers, and how long it takes."""
import json
import queue
import select
import threading
import time

import psycopg2
import psycopg2.extensions

from bench import usage
from support import pgpier

TABLES = """
SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = 'r' AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'pgpier')
 ORDER BY c.relpages DESC"""

# What `pgcopydb compare data` sends for each table since 0.13; Debian 12 has 0.10, which knows no compare.
CHECKSUM = "SELECT count(1), md5(format('%%s-%%s', sum(hashtext(_cols_::text)::bigint), count(1)))::uuid FROM ONLY %s AS _cols_"
COUNT = "SELECT count(*) FROM ONLY %s"


class Sample:
	def __init__(self, wall, client, memory, servers):
		self.wall, self.client, self.memory, self.servers = wall, client, memory, servers
		self.bytes = 0


class Pair:
	"""Database `name` on both servers, equal, and a mirror that made it so."""

	def __init__(self, source, target, name, options):
		self.source, self.target, self.name, self.options = source, target, name, options
		peers = [{"name": "source", **source.address(name, tcp=True)}, {"name": "target", **target.address(name, tcp=True)}]
		target.create_db(name)
		self.home = pgpier.Pgpier(peers, [pgpier.mirror(workers=options.workers)])
		self.home.run(timeout=3600).expect(pgpier.DONE)
		target.sql("VACUUM ANALYZE", name)
		self.tables = [t for (t,) in source.sql(TABLES, name)]

	def pgpier(self, level):
		done = usage.Command(self.home.command("verify", "m", "--json", "--level", level), env=self.home.env)
		found = json.loads(done.out)
		if found["verdict"] != "equal":
			raise RuntimeError("pgpier: %s" % found["verdict"])
		sample = Sample(done.wall, done.cpu, done.memory, 0)
		sample.bytes = found["bytes"]
		return sample

	def statement(self, sql):
		"""Each of as many threads as pgpier has workers sends the statement to both servers and waits for both."""
		waiting, failed = queue.Queue(), []
		for table in self.tables:
			waiting.put(table)

		def worker():
			try:
				pair = [psycopg2.connect(**s.address(self.name, tcp=True), async_=1) for s in (self.source, self.target)]
				for connection in pair:
					wait(connection)
				while True:
					table = waiting.get_nowait()
					cursors = [c.cursor() for c in pair]
					for cursor in cursors:
						cursor.execute(sql % table)
					answers = []
					for connection, cursor in zip(pair, cursors):
						wait(connection)
						answers.append(cursor.fetchall())
					if answers[0] != answers[1]:
						failed.append("%s: %s" % (table, answers))
			except queue.Empty:
				for connection in pair:
					connection.close()
			except Exception as e:
				failed.append(str(e))
		started = time.monotonic()
		threads = [threading.Thread(target=worker) for _ in range(self.options.workers)]
		for thread in threads:
			thread.start()
		for thread in threads:
			thread.join()
		if failed:
			raise RuntimeError(failed[0])
		return Sample(time.monotonic() - started, 0, 0, 0)

	def measure(self, contender):
		servers = (self.source, self.target)
		before = [usage.server_seconds(s) for s in servers]
		sample = CONTENDERS[contender](self)
		for server in servers:
			while server.sql("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'")[0][0] > 1:
				time.sleep(0.02)
		sample.servers = sum(usage.server_seconds(s) - b for s, b in zip(servers, before))
		return sample


def wait(connection):
	while True:
		state = connection.poll()
		if state == psycopg2.extensions.POLL_OK:
			return
		fds = ([connection], []) if state == psycopg2.extensions.POLL_READ else ([], [connection])
		select.select(*fds, [])


CONTENDERS = {
	"pgpier": lambda p: p.pgpier("checksum"),
	"full": lambda p: p.pgpier("full"),
	"compare": lambda p: p.statement(CHECKSUM),
	"count": lambda p: p.statement(COUNT),
}
