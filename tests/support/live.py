# SPDX-License-Identifier: PostgreSQL
"""A mirror that replicates while a test goes on: started, watched, brought level, stopped."""
import signal
import time

from . import torture
from .load import SESSIONS, wait_until
from .pgpier import INTERRUPTED, PATIENCE

MARKERS = "CREATE TABLE IF NOT EXISTS markers (id int PRIMARY KEY);"


class Live:
	"""Mirror m of a pair, running in its own process. The source has a table markers."""

	def __init__(self, pair, **settings):
		self.pair = pair
		own = {"continuous": True, "workers": 2, "slot": self.slot_of(pair)}
		self.p = pair.pgpier(**{**own, **settings})
		self.process = None
		self.streams = False  # the first marker may have come with the load, a second one has not

	@staticmethod
	def slot_of(pair):
		"""Slots belong to the whole server, which other mirrors named m replicate from."""
		return "pgpier_" + pair.name

	def __enter__(self):
		return self.start()

	def __exit__(self, *_):
		"""A test that failed leaves its pgpier running: it ends with the test."""
		if self.process:
			self.process.kill()
			self.process.communicate()

	def start(self):
		self.process, self.streams = self.p.start("run", "m", "--json"), False
		return self

	def alive(self):
		assert self.process.poll() is None, "the mirror ended: %s" % self.p.finish(self.process)

	def sync(self, seconds=30):
		"""What the source has committed by now is on the target when this returns, and the stream is open."""
		self.drain(seconds)
		if not self.streams:
			self.drain(seconds)
			self.streams = True
		return self

	def drain(self, seconds):
		source, target, name = self.pair.source, self.pair.target, self.pair.name
		number = source.sql("SELECT coalesce(max(id), 0) + 1 FROM markers", name)[0][0]
		try:
			torture.drain(source, target, name, number, self.alive, seconds)
		except AssertionError as e:
			raise AssertionError("%s\n%s\n%s" % (e, self.p.said()[-3000:], self.p.log()[-6000:])) from e

	def change(self, *statements):
		"""Each in a transaction of its own."""
		for statement in statements:
			self.pair.source.sql(statement, self.pair.name)
		return self

	def stop(self, number=signal.SIGTERM):
		"""In good order, and soon."""
		self.alive()
		began = time.monotonic()
		self.process.send_signal(number)
		outcome = self.p.finish(self.process, timeout=20).expect(INTERRUPTED)
		self.process = None
		took = time.monotonic() - began
		assert took < 2.5 * PATIENCE, "took %.1f s to stop\n%s" % (took, outcome)
		return outcome

	def kill(self):
		self.process.send_signal(signal.SIGKILL)
		self.process.communicate()
		self.process = None

	def caught_up(self, timeout=60):
		"""Another run, to the end of the backlog."""
		return self.p.run("m", "--until", "caught-up", timeout=timeout)

	def status(self):
		return self.p("status", "m", "--json")

	def replication(self):
		"""What status --json tells of the stream."""
		outcome = self.status()
		assert outcome.json and outcome.json.get("replication"), "no word of replication\n%s" % outcome
		return outcome.json["replication"]

	def wait(self, true, what, seconds=20):
		"""Until true() is, as long as the mirror lives; shows what pgpier said otherwise."""
		def both():
			self.alive()
			return true()
		try:
			return wait_until(both, what, seconds)
		except AssertionError as e:
			raise AssertionError("%s\n%s\n%s" % (e, self.p.said()[-3000:], self.p.log()[-6000:])) from e

	def wait_said(self, word, seconds=20):
		self.wait(lambda: word in self.p.said() + self.p.log(), "word of %r" % word, seconds)

	def log_here(self):
		"""What has been written by now: a mark for what is said later."""
		return len(self.p.log())

	def equal(self, seconds=30, **options):
		"""When nobody writes any more. A table that is copied anew comes after the marker of sync()."""
		deadline = time.monotonic() + seconds
		options = {"values": False, **options}
		while self.pair.differences(**options) and time.monotonic() < deadline:
			self.alive()
			time.sleep(0.5)
		self.pair.assert_equal(self.p.log()[-5000:], **options)
		return self


def slots(server, dbname):
	return [n for (n,) in server.sql("SELECT slot_name FROM pg_replication_slots WHERE database = %s ORDER BY 1",
		parameters=(dbname,))]


def publications(server, dbname):
	return [n for (n,) in server.sql("SELECT pubname FROM pg_publication ORDER BY 1", dbname)]


def sessions_of(server, role):
	"""Process ids of a mirror's sessions by their role's first letters; the walsender has a role as well."""
	return [(pid, query) for pid, query in server.sql("SELECT pid, query FROM pg_stat_activity"
		" WHERE application_name LIKE %s", parameters=("pgpier/%/" + role + "%",))]


def all_sessions(server):
	return server.sql(SESSIONS.replace("pid, state", "pid, application_name"))
