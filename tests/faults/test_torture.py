# SPDX-License-Identifier: PostgreSQL
"""Eight clients write to thirteen shapes of tables while pgpier and both servers are struck; then all is equal.

PGPIER_TORTURE is the number of rounds (3), PGPIER_SEED repeats one, PGPIER_TORTURE_S the seconds of strikes of
each round (8), PGPIER_TORTURE_HUGE the rows of the one large transaction of each round (20000; the first of a
long run takes 2,000,000).
"""
import os
import random
import signal
import threading
import time

import psycopg2
import pytest

from support import cluster, torture
from support.live import Live
from support.pgpier import FAILED, INTERRUPTED

ROUNDS = int(os.environ.get("PGPIER_TORTURE", "3"))
SEED = int(os.environ.get("PGPIER_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 30)
SECONDS = float(os.environ.get("PGPIER_TORTURE_S", "8"))
HUGE = int(os.environ.get("PGPIER_TORTURE_HUGE", "20000"))

SESSIONS = """
SELECT pid, application_name FROM pg_stat_activity
 WHERE application_name LIKE 'pgpier/m/%' AND application_name !~ 'status$' ORDER BY 2, 1"""


@pytest.fixture(scope="module")
def breakable():
	"""Two servers whose commits survive a crash."""
	safe = {"synchronous_commit": "on", "max_connections": "60"}
	with cluster.Cluster("torture-a", settings=safe) as a, cluster.Cluster("torture-b", settings=safe) as b:
		yield a, b


class Round:
	"""One mirror, its clients, and the strikes, all from one seed."""

	def __init__(self, pair, seed):
		self.pair, self.seed = pair, seed
		self.chance = random.Random(seed)
		self.settings = {"rows_per_chunk": self.chance.choice([400, 1500, 100000]),
			"rate_limit_mb": self.chance.choice([0, 1, 4]), "workers": self.chance.choice([1, 3]),
			"chunking": self.chance.choice(["auto", "ntile", "ctid"]), "batch_size": self.chance.choice([10, 1000, 5000])}
		self.live = Live(pair, **self.settings)
		self.history = []
		self.began = time.monotonic()
		self.region = 3

	def __str__(self):
		return "PGPIER_SEED=%d, %s\n%s" % (self.seed, self.settings, "\n".join(self.history))

	def note(self, text, *values):
		self.history.append("%6.2f s: " % (time.monotonic() - self.began) + text % values)

	def killed(self):
		self.note("kill -9")
		self.live.kill()
		time.sleep(self.chance.choice((0, 0.3)))
		self.live.start()

	def stopped(self):
		time.sleep(0.3)  # a process that has just been born dies of it
		self.goes_on()
		self.note("SIGTERM")
		self.live.process.send_signal(signal.SIGTERM)
		outcome = self.live.p.finish(self.live.process, timeout=20)
		if not self.never_began(outcome):
			outcome.expect(INTERRUPTED)
		self.live.start()

	def session_killed(self):
		"""Any of ours, on either server: supervisor, copy, snapshot, receive, apply, monitor."""
		server = self.chance.choice((self.pair.source, self.pair.target))
		found = server.sql(SESSIONS)
		if found:
			pid, name = self.chance.choice(found)
			self.note("terminate %s on the %s", name, server.name)
			server.sql("SELECT pg_terminate_backend(%s)", parameters=(pid,))

	def restarted(self):
		server = self.chance.choice((self.pair.source, self.pair.target))
		how = self.chance.choice((signal.SIGINT, signal.SIGQUIT))
		self.note("restart the %s with %s", server.name, how.name)
		server.restart(how)

	def partition(self):
		self.region += 1
		self.note("partition %d", self.region)
		try:
			torture.later_partition(self.pair.source, self.pair.name, self.region)
		except psycopg2.Error as e:
			self.note("no partition: %s", e)

	STRIKES = ((4, killed), (1, stopped), (7, session_killed), (3, restarted), (1, partition))

	def strike(self):
		weights = [weight for weight, _strike in self.STRIKES]
		self.chance.choices([strike for _weight, strike in self.STRIKES], weights)[0](self)

	def huge(self, rows):
		"""Beside everything else; a restart may undo it."""
		try:
			torture.huge(self.pair.source, self.pair.name, rows)
			self.note("a transaction of %d rows", rows)
		except psycopg2.Error as e:
			self.note("no transaction of %d rows: %s", rows, e)

	@staticmethod
	def never_began(outcome):
		"""A strike at the first steps: who can't begin says why, and ends."""
		classes = {e["class"] for e in outcome.json["errors"]} if outcome.json else set()
		return outcome.code == FAILED and classes == {"connection"} and outcome.json["elapsed_s"] < 2

	def goes_on(self):
		"""A mirror outlives all this, but for its first steps."""
		process = self.live.process
		if process.poll() is None:
			return
		outcome = self.live.p.finish(process)
		assert self.never_began(outcome), outcome
		self.note("started again: %s", outcome.errors())
		self.live.start()

	def play(self, rows):
		torture.fill(self.pair.source, self.pair.name)
		with torture.Torture(self.pair.source, self.pair.name, self.seed) as clients, self.live as live:
			large = threading.Timer(self.chance.uniform(0, SECONDS), self.huge, (rows,))
			large.start()
			while time.monotonic() < self.began + SECONDS:
				time.sleep(self.chance.choice((0.05, 0.4, 1.5)) * self.chance.random())
				self.goes_on()
				self.strike()
			large.join()
			clients.close()
			self.note("%s", clients)
			self.goes_on()
			live.sync(seconds=60 + rows / 5000)
			self.note("level")
			live.equal()
			with self.pair.target.connect(self.pair.name) as connection:
				assert torture.total(connection) == torture.TOTAL
			live.stop()


@pytest.mark.slow
@pytest.mark.parametrize("number", range(ROUNDS))
def test_torture(make_pair, breakable, number):
	pair = make_pair(*breakable)
	game = Round(pair, SEED + number)
	try:
		game.play(2000000 if ROUNDS >= 10 and number == 0 else HUGE)
	except AssertionError as e:
		raise AssertionError("%s\n%s" % (game, e)) from e
