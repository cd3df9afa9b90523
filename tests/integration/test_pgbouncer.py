# SPDX-License-Identifier: PostgreSQL
"""A real PgBouncer, paused and resumed: its clients see a delay, and never an error."""
import socket
import threading
import time

import pytest

from support.bouncer import Bouncer
from support.cutover import Tool
from support.load import wait_until


class Clients:
	"""Short transactions through a PgBouncer, one after the other, until the end."""

	def __init__(self, bouncer):
		self.bouncer, self.done, self.failed, self.stopped = bouncer, 0, [], False
		self.thread = threading.Thread(target=self.run)

	def run(self):
		try:
			c = self.bouncer.connect()
			with c.cursor() as cursor:
				while not self.stopped:
					cursor.execute("INSERT INTO t DEFAULT VALUES")
					self.done += 1
					time.sleep(0.002)
			c.close()
		except Exception as e:  # the test tells it
			self.failed.append(e)

	def __enter__(self):
		self.thread.start()
		return self

	def __exit__(self, *_):
		self.stopped = True
		self.thread.join(60)

	def go_on(self):
		before = self.done
		wait_until(lambda: self.failed or self.done > before + 2, "work of the clients")
		assert not self.failed, self.failed


@pytest.fixture
def pooled(make_pair, source, target):
	"""The source's database behind a PgBouncer, by another name; and the tool for it."""
	pair = make_pair(source, target)
	pair.fill("CREATE TABLE t (id serial PRIMARY KEY)")
	with Bouncer(source, pair.name, name="shop") as bouncer:
		yield bouncer
		for server in (source, target):
			server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", parameters=(pair.name,))


class Console(Tool):
	def __init__(self, bouncer, user="boss", database="shop"):
		self.conninfo, self.database = bouncer.console(user), database

	def command(self, *words):
		return super().command("pgbouncer", words[0], self.database, *words[1:])

	def paused(self):
		return self.ok("paused") == "paused 1\n"


def test_pause_and_resume(pooled):
	console = Console(pooled)
	console.ok("check")
	with Clients(pooled) as clients:
		clients.go_on()
		console.ok("pause")
		assert console.paused()
		assert pooled.server.sql("SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND application_name = ''"
			" AND pid <> pg_backend_pid() AND state LIKE 'idle in%%'", parameters=(pooled.dbname,)) == [(0,)]
		done = clients.done
		console.ok("pause")
		console.ok("check")
		assert clients.done == done, "nothing goes through"
		console.ok("resume")
		clients.go_on()
		console.ok("resume")
		assert not console.paused()
		clients.go_on()
	rows = pooled.server.sql("SELECT count(*) FROM t", pooled.dbname)[0][0]
	assert rows == clients.done


def held(bouncer):
	"""A transaction that stays open, and the pause that it makes wait."""
	c = bouncer.connect()
	c.autocommit = False
	c.cursor().execute("INSERT INTO t DEFAULT VALUES")
	return c


def test_a_transaction_outlasts_the_patience(pooled):
	console, holder = Console(pooled), held(pooled)
	with Clients(pooled) as clients:
		clients.go_on()
		late = console("pause", 700)
		assert late.returncode == 2 and "could not be paused within 0.7 s: 1 clients hold a connection in a" in late.stderr
		assert not console.paused()
		clients.go_on()
	holder.commit()
	holder.close()


def test_session_pooling_is_named(make_pair, source, target):
	pair = make_pair(source, target)
	pair.fill("CREATE TABLE t (id serial PRIMARY KEY)")
	with Bouncer(source, pair.name, "session", "shop") as bouncer:
		console, idle = Console(bouncer), bouncer.connect()
		idle.cursor().execute("SELECT 1")
		late = console("pause", 500)
		assert late.returncode == 2 and "pool_mode = session" in late.stderr, late.stderr
		assert not console.paused()
		idle.cursor().execute("SELECT 1")
		idle.close()
		console.ok("pause")
		console.ok("resume")


def test_stop_ends_a_pause_at_once(pooled):
	console, holder = Console(pooled), held(pooled)
	with Clients(pooled) as clients:
		clients.go_on()
		tool = console.start("pause", 60000)
		wait_until(console.paused, "the pause that waits")
		began = time.monotonic()
		tool.terminate()
		said = tool.communicate(timeout=30)[1]
		assert tool.returncode == 2 and "stopped" in said and time.monotonic() - began < 5
		assert not console.paused()
		clients.go_on()
	holder.commit()
	holder.close()


def test_killed_in_a_pause(pooled):
	"""Whoever comes next resumes."""
	console, holder = Console(pooled), held(pooled)
	tool = console.start("pause", 60000)
	wait_until(console.paused, "the pause that waits")
	tool.kill()
	tool.communicate()
	holder.commit()
	holder.close()
	assert console.paused()
	with Clients(pooled) as clients:
		console.ok("resume")
		clients.go_on()


def test_who_is_no_administrator(pooled):
	watcher = Console(pooled, "watcher")
	for verb in ("check", "pause", "reload"):
		denied = watcher(verb)
		assert denied.returncode == 2 and denied.stderr.startswith("permission"), denied.stderr
		assert "put user watcher into PgBouncer's admin_users" in denied.stderr
	assert not watcher.paused()
	stranger = Console(pooled, "app")("check")
	assert stranger.returncode == 2 and "admin_users" in stranger.stderr


def test_another_name(pooled):
	wrong = Console(pooled, database=pooled.dbname)
	for verb in ("check", "pause", "resume", "paused"):
		refused = wrong(verb)
		assert refused.returncode == 2 and "has no database %s, but: shop" % pooled.dbname in refused.stderr


def test_reload_moves_the_clients(pooled, target):
	"""Paused, pointed to another server, reloaded, resumed: the same connection goes on there."""
	console = Console(pooled)
	target.sql("CREATE TABLE t (id serial PRIMARY KEY)", pooled.dbname)
	with Clients(pooled) as clients:
		clients.go_on()
		console.ok("pause")
		here = clients.done
		pooled.write(target, pooled.dbname)
		console.ok("reload")
		console.ok("resume")
		clients.go_on()
	assert pooled.server.sql("SELECT count(*) FROM t", pooled.dbname) == [(here,)]
	assert target.sql("SELECT count(*) FROM t", pooled.dbname) == [(clients.done - here,)]


def test_nobody_there(pooled):
	pooled.remove()
	gone = Console(pooled)("check")
	assert gone.returncode == 2 and gone.stderr.startswith("connection") and "check pgbouncer of peer" in gone.stderr


def test_one_that_does_not_answer():
	"""Accepts, and says nothing: the stop ends it."""
	with socket.socket() as s:
		s.bind(("127.0.0.1", 0))
		s.listen()
		silent = type("Silent", (), {"console": lambda self, user: "host=127.0.0.1 port=%d user=boss sslmode=disable"
			% s.getsockname()[1]})()
		tool = Console(silent).start("resume")
		s.accept()
		began = time.monotonic()
		tool.terminate()
		assert "stopped" in tool.communicate(timeout=30)[1] and time.monotonic() - began < 5
