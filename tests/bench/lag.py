# SPDX-License-Identifier: PostgreSQL
"""Commit to visible of a probe row, for pgpier and the subscription beside each other; and what idling costs.

A function on the target looks for the row again and again and says when it saw it; both servers read the same
clock. The probes of the two take turns, while both replicate the same load.
"""
import random
import time

from bench import backlog, drain, usage

SEEN = """
CREATE FUNCTION seen(probe int) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
	deadline timestamptz := clock_timestamp() + interval '10 s';
BEGIN
	WHILE clock_timestamp() < deadline LOOP
		PERFORM 1 FROM markers WHERE id = probe;
		IF FOUND THEN
			RETURN extract(epoch FROM clock_timestamp());
		END IF;
	END LOOP;
	RAISE 'probe % did not arrive', probe;
END $$"""
SLOTS = {"pgpier": drain.SLOT, "subscription": "bench_subscription"}


def part(values, share):
	return sorted(values)[min(len(values) - 1, int(len(values) * share))]


class Beside:
	"""Both contenders replicate one source database, each into a database of its own."""

	def __init__(self, source, target, options):
		self.source, self.target, self.options = source, target, options
		self.course = drain.Course(source, target, "tpcb", options)
		self.running, self.watchers = {}, {}
		self.probes = 0

	def start(self):
		self.course.prepare()
		for name in self.options.contenders:
			dbname = self.course.database()
			self.course.copy_slot(drain.KEPT, SLOTS[name])
			contender = drain.CONTENDERS[name](self.course, dbname, SLOTS[name])
			self.target.sql(SEEN, dbname)
			contender.start()
			self.running[name], self.watchers[name] = contender, self.target.connect(dbname)
		self.course.drop_slot(drain.KEPT)
		connection = self.source.connect(self.course.source_db)
		for name in self.running:
			self.probe(connection, name)
		connection.close()

	def probe(self, connection, name):
		"""Seconds from the commit's answer to the row's being seen."""
		self.probes += 1
		self.running[name].check()
		with connection.cursor() as cursor, self.watchers[name].cursor() as watcher:
			cursor.execute("INSERT INTO markers VALUES (%s)", (self.probes,))
			committed = time.time()
			watcher.execute("SELECT seen(%s)", (self.probes,))
			return watcher.fetchone()[0] - committed

	def lag(self):
		"""{contender: seconds of each probe}"""
		chance = random.Random(1)
		samples = {name: [] for name in self.running}
		load = backlog.pgbench(self.source, self.course.source_db, "-c", "4", "-R", str(self.options.tps), "-T",
			str(self.options.seconds))
		connection = self.source.connect(self.course.source_db)
		time.sleep(1)
		while load.poll() is None:
			for name in samples:
				samples[name].append(self.probe(connection, name))
				time.sleep(chance.uniform(0.005, 0.03))
		connection.close()
		return samples

	def idle(self):
		"""Parts of a core that pgpier, the source and the target use, and whether the slot's position moved."""
		self.end("subscription")
		mirror = self.running["pgpier"]
		time.sleep(3)
		self.source.sql("CREATE TABLE elsewhere AS SELECT generate_series(1, 10000)")
		written, = self.source.sql("SELECT pg_current_wal_lsn()")[0]
		began, before = time.monotonic(), self.used(mirror)
		time.sleep(self.options.idle_seconds)
		seconds = time.monotonic() - began
		parts = [(b - a) / seconds for a, b in zip(before, self.used(mirror))]
		mirror.check()
		moved, = self.source.sql("SELECT confirmed_flush_lsn >= %s FROM pg_replication_slots WHERE slot_name = %s",
			parameters=(written, SLOTS["pgpier"]))[0]
		return parts, moved

	def used(self, mirror):
		return [mirror.used()[0], usage.server_seconds(self.source), usage.server_seconds(self.target)]

	def end(self, name):
		if name in self.running:
			self.watchers.pop(name).close()
			self.running.pop(name).remove()
			self.course.drop_slot(SLOTS[name])

	def remove(self):
		for name in list(self.running):
			self.end(name)
