# SPDX-License-Identifier: PostgreSQL
"""Who is connected, who writes, and who wrote although nobody should have."""
import os
import subprocess
import threading

import psycopg2
import pytest

from support import cluster
from support.cutover import Tool
from support.load import wait_until

MAJORS = [10, 12, 14, 16, 18]


@pytest.fixture(scope="module")
def server():
	with cluster.Cluster("sessions", settings={"max_prepared_transactions": "5"}) as c:
		c.sql("CREATE ROLE app LOGIN; CREATE ROLE monitor LOGIN; CREATE ROLE mover LOGIN; CREATE ROLE boss SUPERUSER LOGIN;"
			"CREATE ROLE signaller LOGIN IN ROLE pg_signal_backend")
		yield c


@pytest.fixture
def make_db(server, other_major):
	made = []

	def make(major=15):
		on = server if major == 15 else other_major(major)
		tool = Tool(on, "s%d_%d" % (os.getpid(), len(made)))
		on.create_db(tool.dbname)
		made.append(tool)
		tool.sql("CREATE TABLE t (id int PRIMARY KEY, v text); GRANT ALL ON t TO PUBLIC; CREATE TABLE aside (id int)")
		return tool
	yield make
	for tool in made:
		if tool.server.process:
			tool.sql("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots"
				" WHERE database = current_database()")
			tool.server.drop_db(tool.dbname)


@pytest.fixture
def db(make_db):
	return make_db()


def session(db, user, statement=None, **options):
	connection = db.server.connect(db.dbname, user, autocommit=False, **options)
	if statement:
		connection.cursor().execute(statement)
	return connection


def gone(connection):
	try:
		connection.cursor().execute("SELECT 1")
		return False
	except psycopg2.OperationalError:
		return True
	finally:
		connection.close()


# ---- who is there ----

def test_writers_first_then_the_oldest(db):
	idle = session(db, "app", application_name="idle one")
	reader = session(db, "app", "SELECT 1 AS reading")
	writer = session(db, "app", "INSERT INTO t VALUES (1, 'x') /* it\nwrites */", application_name="rails")
	ours = session(db, "postgres", "SELECT 1", application_name="pgpier/other/copy-1")
	allowed = session(db, "monitor", "INSERT INTO t VALUES (2)")
	said = db.ok("sessions", "monitor").splitlines()
	pids = [line.split()[1] for line in said]
	assert pids == [str(c.get_backend_pid()) for c in (writer, reader, idle)], said
	assert said[0].startswith("writes") and all(line.startswith("reads") for line in said[1:])
	assert "(app@local rails, idle in transaction for" in said[0] and "it\\nwrites" in said[0], said
	for c in (idle, reader, writer, ours, allowed):
		c.close()


def test_prepared_transactions_are_writers(db):
	c = session(db, "app", "INSERT INTO t VALUES (1, 'x')")
	c.cursor().execute("PREPARE TRANSACTION 'it''s left'")
	c.close()
	said = db.ok("sessions", "app")
	assert said.startswith("writes 0 prepared transaction 'it's left' of app") and "ROLLBACK PREPARED 'it''s left'" in said
	assert db.lines("left", "end", 2000) == [said.split(" ", 2)[2].strip()] or "it's left" in db.ok("end", 2000)
	db.sql("ROLLBACK PREPARED 'it''s left'")
	assert db.ok("sessions") == ""


def test_a_role_that_is_not_told_much(db):
	"""Without pg_read_all_stats the server hides what others do, but not that they are there and write."""
	writer = session(db, "app", "INSERT INTO t VALUES (1, 'x')")
	mover = Tool(db.server, db.dbname, "mover")
	said = mover.ok("sessions")
	assert said.startswith("writes %d pid" % writer.get_backend_pid()) and "app@" in said
	left = mover.lines("left", "end", 5000)
	assert len(left) == 1 and str(writer.get_backend_pid()) in left[0], "it may end nobody else's, and does not wait"
	assert not gone(writer)


@pytest.mark.parametrize("major", MAJORS)
def test_they_are_ended(make_db, major):
	db = make_db(major)
	others = [session(db, "postgres", "SELECT pg_sleep(0)") for _ in range(3)]
	ours = session(db, "postgres", application_name="pgpier/other/copy-1")
	assert db.ok("end", 20000) == "ended 3\n"
	assert all(gone(c) for c in others) and not gone(ours)
	assert db.ok("end", 20000) == "ended 0\n"


def test_signaller_ends_all_but_superusers(db):
	app, boss, monitor = (session(db, u, "SELECT 1") for u in ("app", "boss", "monitor"))
	said = Tool(db.server, db.dbname, "signaller").ok("end", 20000, "monitor").splitlines()
	assert said[0] == "ended 1" and len(said) == 2 and str(boss.get_backend_pid()) in said[1]
	assert gone(app) and not gone(boss) and not gone(monitor)


def test_one_that_was_let_in_and_is_not_seen_yet(db):
	"""Between the check of its right and its first sign in pg_stat_activity, which the server can be asked to prolong."""
	came = []
	newcomer = threading.Thread(target=lambda: came.append(session(db, "app", options="-c post_auth_delay=3")))
	newcomer.start()
	db.sql("SELECT 1")
	wait_until(lambda: db.sql("SELECT 1 FROM pg_locks WHERE classid = 'pg_database'::regclass AND pid <> pg_backend_pid()"
		" AND mode = 'RowExclusiveLock' AND objid = (SELECT oid FROM pg_database WHERE datname = current_database())"),
		"the newcomer")
	db.ok("fence", "close", "shop")
	assert db.ok("sessions") == "", "nobody sees it"
	assert db.ok("end", 30000) == "ended 1\n"
	newcomer.join()
	assert gone(came[0])
	db.ok("fence", "lift", "shop")


# ---- silence ----

def slot(db):
	db.sql("CREATE PUBLICATION pub FOR TABLE t")
	db.sql("SELECT pg_create_logical_replication_slot('s', 'pgoutput')")
	return now(db)


def now(db):
	return db.sql("SELECT pg_current_wal_insert_lsn()")[0][0]


def changed(db, since):
	kept, what = db.ok("peek", "s", "pub", since).split("\n")[:2]
	assert kept == ("kept 0" if what else "kept 1")
	return what


@pytest.mark.parametrize("major", MAJORS)
def test_every_change_is_found(make_db, major):
	db = make_db(major)
	since = slot(db)
	db.sql("INSERT INTO aside VALUES (1); CREATE TABLE later (id int); CREATE TEMP TABLE short AS SELECT 1")
	assert changed(db, since) == "", "only published tables count"
	db.sql("INSERT INTO t VALUES (1, repeat('x', 100000))")
	assert changed(db, since).startswith("INSERT into public.t by transaction")
	assert changed(db, since), "nothing was consumed"
	since = now(db)
	assert changed(db, since) == ""
	statements = {"UPDATE of": "UPDATE t SET v = 'y'", "DELETE from": "DELETE FROM t"}
	if major >= 11:
		statements["TRUNCATE of"] = "TRUNCATE t"
	for verb, statement in statements.items():
		since = now(db)
		db.sql(statement)
		assert changed(db, since).startswith(verb + " public.t by transaction"), verb


def test_who_ignores_a_fence_is_found(db):
	since = slot(db)
	db.ok("fence", "close", "shop")
	assert changed(db, since) == "", "the fence itself is no change"
	rogue = db.server.connect(db.dbname, "boss")
	rogue.cursor().execute("SET default_transaction_read_only = off")
	rogue.cursor().execute("INSERT INTO t VALUES (7, 'past the fence')")
	assert "INSERT into public.t" in changed(db, since)
	rogue.close()
	db.ok("fence", "lift", "shop")


def test_what_the_server_did_not_wait_to_flush():
	"""A commit without flush is in the log, but decoding ends where that is flushed."""
	slow = {"wal_writer_delay": "10s", "wal_writer_flush_after": "1GB", "fsync": "on"}
	with cluster.Cluster("lazy", settings=slow) as lazy:
		db = Tool(lazy, "postgres")
		db.sql("CREATE TABLE t (id int PRIMARY KEY)")
		since = slot(db)
		db.sql("SET synchronous_commit = off; INSERT INTO t VALUES (1)")
		assert "INSERT into public.t" in changed(db, since)


def test_one_that_began_before_and_commits_behind(db):
	since = slot(db)
	writer = session(db, "app", "INSERT INTO t VALUES (1, 'x')")
	since = now(db)
	assert changed(db, since) == ""
	writer.commit()
	assert "INSERT into public.t" in changed(db, since)
	writer.close()


def test_many_unread_changes(db):
	since = slot(db)
	db.sql("INSERT INTO t SELECT i, 'x' FROM generate_series(1, 3000) i")
	behind = now(db)
	for i in range(5):
		db.sql("INSERT INTO aside VALUES (%d)" % i)
	assert changed(db, since) and changed(db, behind) == ""
	db.sql('CREATE TABLE "odd ""one" (id int); ALTER PUBLICATION pub ADD TABLE "odd ""one"')
	db.sql('INSERT INTO "odd ""one" VALUES (1)')
	assert changed(db, behind).startswith('INSERT into public."odd ""one"')


def test_a_slot_that_is_still_read(db):
	"""Waits a while for its reader to leave."""
	since = slot(db)
	reader = subprocess.Popen([db.server.program("pg_recvlogical"), "-d", db.conninfo, "--slot=s", "--start", "-f", "-",
		"-o", "proto_version=1", "-o", "publication_names=pub"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
	try:
		wait_until(lambda: db.sql("SELECT active FROM pg_replication_slots WHERE slot_name = 's'") == [(True,)], "reader")
		busy = db("peek", "s", "pub", since)
		assert busy.returncode == 2 and "slot s" in busy.stderr and "active" in busy.stderr
		peek = db.start("peek", "s", "pub", since)
		wait_until(lambda: db.sql("SELECT 1 FROM pg_stat_activity WHERE application_name = 'pgpier/tool/check'"), "peek")
	finally:
		reader.kill()
		reader.wait()
	assert peek.communicate(timeout=30)[0].startswith("kept 1")


def test_a_slot_that_is_not_there(db):
	missing = db("peek", "nothing", "pub", "0/0")
	assert missing.returncode == 2 and "nothing" in missing.stderr
