# SPDX-License-Identifier: PostgreSQL
"""Rounds in which pgpier and PostgreSQL's own subscription drain one backlog, each into a copy of one database.

pgpier loads the target once and stops. Its slot is copied before the backlog is made, and that copy is copied
again for each drain: so every contender gets the same WAL, from the same position, into the same rows.
"""
import os
import signal
import time

from bench import backlog, usage
from bench.contest import value
from support import compare, pgpier

SLOT, KEPT = "bench", "bench_kept"


class Sample:
	"""Seconds of one drain. wall: from its start; drain: from the moment its walsender is at work."""

	def __init__(self, wall, drain, walsender, target, client, memory):
		self.wall, self.drain, self.walsender = wall, drain, walsender
		self.target, self.client, self.memory = target, client, memory

	@property
	def apply(self):
		return self.target + self.client


def process_seconds(pid):
	return sum(int(n) for n in usage.stat(pid)[11:13]) / usage.TICK


class Pgpier:
	"""Mirror m, replicating into one database."""
	name = "pgpier"

	def __init__(self, course, dbname, slot=SLOT):
		settings = {key: value(text) for key, text in (pair.split("=", 1) for pair in course.options.set)}
		self.home = pgpier.between(course.source, course.source_db, course.target, dbname, continuous=True,
			slot=slot, publication=SLOT, **settings)
		self.process = None

	def start(self):
		self.process = self.home.start("run", "m", "--json")

	def used(self):
		"""Processor seconds, peak bytes of memory."""
		return process_seconds(self.process.pid), usage.peak_memory(self.process.pid)

	def check(self):
		if self.process.poll() is not None:
			raise RuntimeError("pgpier ended: %s" % self.home.finish(self.process))

	def stop(self):
		self.process.send_signal(signal.SIGTERM)
		self.home.finish(self.process)

	def remove(self):
		if self.process and self.process.poll() is None:
			self.stop()
		self.home.remove()


class Subscription:
	"""PostgreSQL's own: a worker of the target's, at its default settings."""
	name = "subscription"

	def __init__(self, course, dbname, slot=SLOT):
		self.target, self.dbname = course.target, dbname
		source = "host=%s port=%d user=postgres dbname=%s" % (course.source.folder, course.source.port, course.source_db)
		self.target.sql("DROP SCHEMA pgpier CASCADE", dbname)
		self.target.sql("CREATE SUBSCRIPTION bench CONNECTION '%s' PUBLICATION %s WITH (create_slot = false,"
			" slot_name = '%s', copy_data = false, enabled = false)" % (source, SLOT, slot), dbname)

	def start(self):
		self.target.sql("ALTER SUBSCRIPTION bench ENABLE", self.dbname)

	def used(self):
		return 0, 0

	def check(self):
		pass

	def stop(self):
		self.target.sql("ALTER SUBSCRIPTION bench DISABLE", self.dbname)

	def remove(self):
		for change in "DISABLE", "SET (slot_name = NONE)":
			self.target.sql("ALTER SUBSCRIPTION bench " + change, self.dbname)
		self.target.sql("DROP SUBSCRIPTION bench", self.dbname)


CONTENDERS = {c.name: c for c in (Pgpier, Subscription)}


class Course:
	"""One kind of backlog between two servers."""

	def __init__(self, source, target, kind, options):
		self.source, self.target, self.kind, self.options = source, target, kind, options
		self.source_db, self.base = kind, kind + "_base"
		self.runs = 0

	def prepare(self):
		"""Rows on both sides, and a slot that keeps all that comes."""
		backlog.fill(self.source, self.source_db, self.kind, self.options)
		self.target.create_db(self.base)
		loader = Pgpier(self, self.base)
		try:
			loader.home.run("m", "--until", "caught-up", timeout=600).expect(pgpier.DONE)
		finally:
			loader.remove()
		self.target.sql("VACUUM ANALYZE", self.base)
		self.copy_slot(SLOT, KEPT)
		self.drop_slot(SLOT)

	def copy_slot(self, origin, copy):
		self.source.sql("SELECT pg_copy_logical_replication_slot(%s, %s)", self.source_db, (origin, copy))

	def drop_slot(self, name):
		self.until(lambda: self.slot(name)[0] is None, "the end of the slot's use")
		self.source.sql("SELECT pg_drop_replication_slot(%s)", parameters=(name,))

	def slot(self, name):
		"""(process that sends its changes or None, confirmed position)"""
		return self.source.sql("SELECT active_pid, confirmed_flush_lsn FROM pg_replication_slots WHERE slot_name = %s",
			parameters=(name,))[0]

	@staticmethod
	def until(true, what, pause=0.005, seconds=600):
		deadline = time.monotonic() + seconds
		while True:
			found = true()
			if found:
				return found
			if time.monotonic() > deadline:
				raise RuntimeError("waited %d s for %s" % (seconds, what))
			time.sleep(pause)

	def database(self):
		"""A copy of the base, ready to be drained into."""
		self.runs += 1
		name = "%s_%d" % (self.kind, self.runs)
		strategy = " STRATEGY file_copy" if "/15/" in self.target.bindir else ""
		self.target.sql("CREATE DATABASE %s TEMPLATE %s%s" % (name, self.base, strategy))
		for server in (self.source, self.target):
			server.sql("CHECKPOINT")
		return name

	def drain(self, contender):
		dbname = self.database()
		self.copy_slot(KEPT, SLOT)
		mine = CONTENDERS[contender](self, dbname)
		watcher = self.target.connect(dbname)
		sender = self.source.connect(self.source_db)
		try:
			sample = self.measure(mine, watcher, sender)
			mine.stop()
			watcher.close()
			if self.runs <= len(self.options.contenders) and not self.options.no_compare:
				self.compare(contender, dbname)
		finally:
			watcher.close()
			sender.close()
			mine.remove()
			self.drop_slot(SLOT)
			self.target.drop_db(dbname)
		return sample

	def measure(self, mine, watcher, sender):
		"""Until the last row of the backlog can be read on the target. The source is asked until its walsender is
		known, the target every few milliseconds: in turns of a statement, so no snapshot stays."""
		def one(connection, sql):
			with connection.cursor() as cursor:
				cursor.execute(sql)
				row = cursor.fetchone()
				return row and row[0]
		target = usage.server_seconds(self.target)
		started = time.monotonic()
		mine.start()
		pid = self.until(lambda: mine.check() or one(sender, "SELECT active_pid FROM pg_replication_slots"
			" WHERE slot_name = '%s'" % SLOT), "a walsender", 0.002)
		sending = time.monotonic()
		before = process_seconds(pid)
		self.until(lambda: mine.check() or one(watcher, "SELECT 1 FROM markers WHERE id = 1"), "the backlog's end")
		ended = time.monotonic()
		client, memory = mine.used()
		return Sample(ended - started, ended - sending, process_seconds(pid) - before,
			usage.server_seconds(self.target) - target, client, memory)

	def compare(self, contender, dbname):
		"""Every row; what pgpier wrote down about itself is left out."""
		with self.source.connect(self.source_db) as source, self.target.connect(dbname) as target:
			found = compare.differences(source, target, values=False)
		source.close()
		target.close()
		if found:
			raise RuntimeError("%s: %s was not replicated right:\n%s" % (contender, self.kind, "\n".join(found[:40])))

	def run(self):
		"""{contender: [a Sample a round]}"""
		self.prepare()
		backlog.produce(self.source, self.source_db, self.kind, self.options)
		samples = {contender: [] for contender in self.options.contenders}
		for number in range(self.options.rounds):
			for contender in samples:
				sample = self.drain(contender)
				samples[contender].append(sample)
				print("  round %d %-12s %7.2f s" % (number + 1, contender, sample.drain), flush=True)
		self.remove()
		return samples

	def remove(self):
		self.drop_slot(KEPT)
		self.target.drop_db(self.base)
		self.source.drop_db(self.source_db)
