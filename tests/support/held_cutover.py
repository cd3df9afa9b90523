# SPDX-License-Identifier: PostgreSQL
"""A cutover that is held at a step by what holds real ones: hooks that take long, locks, transactions that stay
open; and what must be true when it is over, however it got there."""
import os
import signal
import threading
import time

import psycopg2

from . import app
from .live import publications, slots
from .load import wait_until
from .moving import is_closed
from .pgpier import DONE, mirror

STEPS = ["prepare", "freeze", "silence", "drain", "sequences", "verify", "way back", "commit", "answer", "open", "follow"]
# Of a rollback the roles of the two servers are turned round; everything else is the same.
ANSWER = "answer"  # the commit is on the target's disk, and its answer is not on its way
COMMITTED = ("open", "follow")
KEEPER = "keeper"  # a role that the fence lets in
SEQUENCE = "app_totals_numbered_seq"
PROBE_KEYS = 10 ** 12


class Fixed:
	"""An address that nobody rewrites: of a writer who never hears of the cutover."""

	def __init__(self, server, dbname):
		self.place = {"host": server.folder, "port": server.port, "dbname": dbname}

	def read(self):
		return dict(self.place)


class Held(threading.Thread):
	"""A session that waits for a lock in a thread of its own, and then has it until release()."""

	def __init__(self, server, dbname, statement, user="postgres"):
		super().__init__(daemon=True)
		# The goal of a rollback is fenced: whoever holds something there has to say that it writes.
		self.connection = server.connect(dbname, user=user, autocommit=False, options="-c default_transaction_read_only=off")
		self.pid, self.statement, self.has = self.connection.info.backend_pid, statement, threading.Event()
		self.start()

	def run(self):
		try:
			with self.connection.cursor() as cursor:
				cursor.execute(self.statement)
			self.has.set()
		except psycopg2.Error:
			pass  # its server was restarted

	def release(self):
		try:
			self.connection.cancel()
			self.join(10)
			self.connection.rollback()
		except psycopg2.Error:
			pass
		self.connection.close()


class HeldCutover:
	"""Mirror m of a pair, its application, and a second one that goes on trying the source. back: it is the
	rollback that is watched; `left` is the server that the application leaves, `goal` the one it goes to."""

	def __init__(self, pair, back=False, **settings):
		self.pair, self.back = pair, back
		self.left, self.goal = (pair.target, pair.source) if back else (pair.source, pair.target)
		self.verb, self.other = ("rollback", "m") if back else ("cutover", "m-back")
		self.folder = app.temporary_folder("pgpier-app-")
		self.address = app.Address(self.folder, pair.source, pair.name)
		self.held, self.process, self.pgpiers = [], None, []
		app.make_role(pair.source, pair.target)
		for server in (pair.source, pair.target):
			if not server.sql("SELECT 1 FROM pg_roles WHERE rolname = %s", parameters=(KEEPER,)):
				server.sql("CREATE ROLE %s LOGIN SUPERUSER" % KEEPER)
		pair.fill(app.SCHEMA + app.GRANTS)
		self.may("freeze", "unfreeze", "open")
		self.settings = {"continuous": True, "workers": 2, "slot": "pgpier_" + pair.name, "schema": "database",
			"allow": [KEEPER], "freeze_command": self.waits("freeze"),
			"unfreeze_command": self.waits("unfreeze"), "open_command": self.waits("open") + "; " + self.address.hook()}
		self.p = pair.pgpier(**{**self.settings, **settings})
		self.application = app.Application(self.address, writers=2, pause_s=0.02, retry_s=0.1)
		self.probes = []

	# ---- hooks that wait for a word ----

	def word(self, hook):
		return os.path.join(self.folder, hook)

	def waits(self, hook):
		return "while [ ! -e %s ]; do sleep 0.02; done" % self.word(hook)

	def may(self, *hooks):
		for hook in hooks:
			open(self.word(hook), "w").close()

	def may_not(self, hook):
		os.unlink(self.word(hook))

	# ---- from the outside ----

	def begin(self):
		"""Loaded, and the application writes; of a rollback the cutover has been."""
		self.p.run("m", "--until", "caught-up").expect(DONE)
		self.rights = rights(self.pair.source, self.pair.name), rights(self.pair.target, self.pair.name)
		self.application.__enter__()
		if self.back:
			self.p("cutover", "m", "--yes-i-mean", "m", "--json").expect(DONE)
			self.application.wait_for(5, self.left.port)
		self.rights_left = rights(self.left, self.pair.name)
		self.slots_goal = slots(self.goal, self.pair.name)
		# Before a cutover the target is no place that anybody keeps the application out of.
		for n, server in enumerate([self.left] + ([self.goal] if self.back else [])):
			self.probes.append(app.Application(Fixed(server, self.pair.name), writers=1, pause_s=0.02, retry_s=0.1,
				first_key=PROBE_KEYS * (n + 1)))
			self.probes[-1].__enter__()
		self.application.wait_for(5, self.left.port)
		return self

	def end(self):
		for one in [self.application, *self.probes]:
			one.ended.set()
		self.goal_waits_for_nobody()
		for held in self.held:
			held.release()
		for one in [self.application, *self.probes]:
			one.stop()
		if self.process and self.process.poll() is None:
			self.process.send_signal(signal.SIGCONT)
			self.process.kill()
			self.process.communicate()

	def mend(self):
		"""The configuration without what a test has put into it."""
		peers = [{"name": n, **s.address(self.pair.name)} for n, s in
			(("source", self.pair.source), ("target", self.pair.target))]
		self.p.write(peers, [mirror(**self.settings)])

	def words(self, *more):
		return (self.verb, "m", *(more or ("--yes-i-mean", "m")), "--json")

	def start(self):
		self.process = self.p.start(*self.words())
		return self

	def kill(self):
		self.process.kill()
		self.process.communicate()
		self.process = None

	def finish(self, timeout=120):
		outcome = self.p.finish(self.process, timeout)
		self.process = None
		return outcome

	def state(self):
		"""(step, phase) as the goal keeps them; None before the first, or while it does not answer."""
		try:
			rows = self.goal.sql("SELECT step, phase FROM pgpier.cutovers c JOIN pgpier.mirrors m USING (mirror_id)"
				" WHERE m.name = %s ORDER BY cutover_id DESC LIMIT 1", self.pair.name,
				("m-back" if self.back else "m",))
		except psycopg2.Error:
			return None
		return rows[0] if rows else None

	def said(self):
		return "%s\n%s\n%s" % (self.state(), self.p.said()[-3000:], self.p.log()[-5000:])

	def wait(self, true, what, seconds=60):
		def both():
			value = true()
			assert value or self.process is None or self.process.poll() is None or true(), "pgpier ended\n" + self.said()
			return value or true()
		try:
			return wait_until(both, what, seconds)
		except AssertionError as e:
			raise AssertionError("%s\n%s" % (e, self.said())) from e

	def wait_step(self, step):
		self.wait(lambda: (self.state() or ("",))[0] == step, "step " + step)

	# ---- holding it ----

	def hold(self, server, statement, **options):
		held = Held(server, self.pair.name, statement, **options)
		self.held.append(held)
		return held

	def lock(self, server, statement):
		held = self.hold(server, statement)
		self.wait(held.has.is_set, "the lock of: " + statement)
		return held

	def release(self):
		"""Whatever holds it, and will hold the next attempt."""
		self.goal_waits_for_nobody()
		while self.held:
			self.held.pop().release()
		self.may("freeze", "unfreeze", "open")

	def goal_waits_for_nobody(self):
		"""A goal that was down reads the change when it comes back."""
		if self.goal.process is None:
			self.goal.start()
		if self.goal.sql("SHOW synchronous_standby_names")[0][0]:
			self.goal.sql("ALTER SYSTEM RESET synchronous_standby_names")
			self.goal.sql("SELECT pg_reload_conf()")

	def is_blocked_by(self, held):
		try:
			server = self.left if held.connection.info.port == self.left.port else self.goal
			return bool(server.sql("SELECT 1 FROM pg_stat_activity WHERE %s = ANY (pg_blocking_pids(pid))"
				" AND application_name LIKE 'pgpier/%%'", parameters=(held.pid,)))
		except psycopg2.Error:
			return False

	def wait_blocked(self, held):
		self.wait(lambda: self.is_blocked_by(held), "somebody who waits for: " + held.statement)

	def stop_at(self, step):
		"""Starts, and returns when it is inside of that step and can't leave it."""
		getattr(self, "at_" + step.replace(" ", "_"))()
		return self

	def at_prepare(self):
		"""Making a publication waits for a lock that changes of rows do not mind."""
		held = self.lock(self.goal, "LOCK TABLE app_totals IN SHARE UPDATE EXCLUSIVE MODE")
		self.start().wait_blocked(held)

	def at_freeze(self):
		self.may_not("freeze")
		self.start().wait_step("freeze")

	def writer(self):
		return self.lock_as_keeper("BEGIN READ WRITE; UPDATE app_totals SET writes = writes WHERE writer = 60")

	def lock_as_keeper(self, statement):
		held = self.hold(self.left, statement, user=KEEPER)
		self.wait(held.has.is_set, "the keeper's: " + statement)
		return held

	def at_silence(self):
		self.at_freeze()
		self.writer()
		self.may("freeze")
		self.wait_step("silence")

	def at_drain(self):
		"""The apply waits for a table that the application has written to since."""
		self.at_freeze()
		held = self.lock(self.goal, "LOCK TABLE app_log IN EXCLUSIVE MODE")
		self.wait_blocked(held)
		self.may("freeze")
		self.wait_step("drain")

	def at_sequences(self):
		self.at_freeze()
		held = self.lock(self.goal, "ALTER SEQUENCE %s CACHE 1" % SEQUENCE)
		self.may("freeze")
		self.wait_step("sequences")
		self.wait_blocked(held)

	def at_verify(self):
		self.at_sequences()
		sequence = self.held.pop()
		held = self.lock(self.goal, "LOCK TABLE app_totals IN ACCESS EXCLUSIVE MODE")
		sequence.release()
		self.wait_step("verify")
		self.wait_blocked(held)

	def at_way_back(self):
		"""A slot waits for transactions that are under way."""
		self.at_freeze()
		held = self.lock(self.goal, "SELECT txid_current()")
		self.may("freeze")
		self.wait_step("way back")
		self.wait_blocked(held)

	def at_commit(self):
		"""Inside of the statement that decides; the lock has no xid, or a slot would wait for it."""
		self.at_way_back()
		transaction = self.held.pop()
		held = self.lock(self.goal, "LOCK TABLE pgpier.mirrors IN SHARE MODE")
		transaction.release()
		self.wait_step("commit")
		self.wait_blocked(held)

	def at_answer(self):
		self.at_commit()
		self.goal.sql("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
		self.goal.sql("SELECT pg_reload_conf()")
		self.wait(lambda: self.goal.sql("SHOW synchronous_standby_names") == [("nobody",)], "the setting")
		self.held.pop().release()
		self.wait(lambda: self.goal.sql("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
			" AND application_name LIKE 'pgpier/%/cutover'"), "a commit that waits")

	def at_open(self):
		self.may_not("open")
		self.start().wait_step("open")

	def at_follow(self):
		self.at_open()
		held = self.lock(self.left, "LOCK TABLE pgpier.mirrors IN SHARE MODE")
		self.may("open")
		self.wait_step("follow")
		self.wait_blocked(held)

	# ---- disturbing it ----

	def interrupt(self):
		"""The operator's ctrl-C; what it leads to begins before anything lets go."""
		before = self.state()
		self.process.send_signal(signal.SIGINT)
		if before and before[1] == "running" and before[0] not in COMMITTED:
			wait_until(lambda: self.process.poll() is not None or self.state() != before, "its undo\n", 20)
		self.release()
		self.finish()

	def is_over(self):
		state = self.state()
		return state is None or state[1] in ("done", "undone")

	def is_overdue(self):
		return self.goal.sql("SELECT clock_timestamp() > began_at + make_interval(secs => limit_s) FROM pgpier.cutovers"
			" ORDER BY cutover_id DESC LIMIT 1", self.pair.name) == [(True,)]

	def end_sessions(self, process):
		"""As an administrator does for a process that hangs: so that another one can have the mirror."""
		for server in (self.left, self.goal):
			server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'pgpier/%'")

	def until_over(self, *words):
		"""As a person would: again, until it is said to be over."""
		for _ in range(3):
			if self.is_over():
				break
			self.outcome = self.p(*self.words(), *words)
		assert self.is_over(), "neither cut over nor undone\n" + self.said()

	# ---- what must be true then ----

	def assert_over(self, phase=None, look_back=False):
		"""One of the two ends, and all of it."""
		now = (self.state() or ("", "undone"))[1]
		assert phase in (None, now), "expected %s\n%s" % (phase, self.said())
		end, name = self.goal if now == "done" else self.left, self.pair.name
		self.application.wait_for(10, end.port)
		for probe in self.probes:
			probe.stop()
		self.application.stop()
		self.assert_never_both()
		self.assert_kept(end)
		if now == "done":
			assert is_closed(self.left, name), "the server that was left is open\n" + self.said()
			assert slots(self.left, name) == [], slots(self.left, name)
		else:
			self.assert_undone()
		if look_back or now == "undone":
			self.assert_follows(now)
		return now

	def assert_undone(self):
		name = self.pair.name
		assert rights(self.left, name) == self.rights_left, self.said()
		assert slots(self.goal, name) == self.slots_goal == [], slots(self.goal, name)
		assert publications(self.goal, name) == []
		assert not self.written(self.goal), "the goal was written to"
		if self.back:
			assert is_closed(self.goal, name)
		else:
			assert not self.left.sql("SELECT 1 FROM pg_namespace WHERE nspname = 'pgpier'", name)
		fences = self.left.sql("SELECT to_regclass('pgpier.fences') IS NOT NULL", name)[0][0]
		assert not fences or self.left.sql("SELECT * FROM pgpier.fences", name) == []

	def assert_follows(self, now):
		"""The mirror that goes on brings everything to the other side."""
		mirror, other = {"done": (self.other, self.left), "undone": ("m-back" if self.back else "m", self.goal)}[now]
		self.p.run(mirror, "--until", "caught-up").expect(DONE)
		self.assert_kept(other)

	def written(self, server):
		"""Of the application since the cutover that is watched began; on that server."""
		return [k for one in [self.application, *self.probes] for k, (at, port) in one.acknowledged.items()
			if port == server.port and at > self.since]

	@property
	def since(self):
		"""Of a rollback the application was on its goal before: until the cutover that went before it."""
		if not self.back:
			return 0
		return min(at for at, port in self.application.acknowledged.values() if port == self.left.port)

	def assert_kept(self, server):
		for probe in self.probes:
			self.application.acknowledged.update(probe.acknowledged)
			self.application.unsure |= probe.unsure
		self.application.assert_kept(server, self.pair.name)

	def assert_never_both(self):
		"""Behind the first write that the goal has taken, none that the other took was sent."""
		ends = [at for one in [self.application, *self.probes] for at, port in one.acknowledged.values()
			if port == self.goal.port and at > self.since]
		if not ends:
			return
		opened = min(ends)
		late = [k for one in [self.application, *self.probes] for k, began in one.sent.items()
			if began > opened and k in one.acknowledged and one.acknowledged[k][1] == self.left.port]
		assert not late, "both sides were open: %d writes on the server that was left\n%s" % (len(late), self.said())


def rights(server, dbname):
	"""Who may connect, default rights written out, and the settings of the database and of roles in it."""
	return server.sql("SELECT (SELECT array_agg(x::text ORDER BY x::text) FROM"
		" unnest(coalesce(datacl, acldefault('d', datdba))) x), (SELECT array_agg(setrole || setconfig::text ORDER BY 1)"
		" FROM pg_db_role_setting s WHERE s.setdatabase = d.oid) FROM pg_database d WHERE datname = %s",
		parameters=(dbname,))
