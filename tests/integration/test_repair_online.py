# SPDX-License-Identifier: PostgreSQL
"""Rows are repaired beside replication: what it brings meanwhile is never undone, and who repairs without a hold
changes nothing."""
import threading

import psycopg2
import pytest

from support import writing
from support.app import SCHEMA, Address, Application, GRANTS, make_role, temporary_folder
from support.live import Live, MARKERS
from support.load import wait_until
from support.pgpier import DONE, INTERRUPTED
from support.verifying import DIFFERENT, REPAIR, Repairing, beside, verify



@pytest.fixture
def live(pair):
	pair.fill(writing.SQL + ";" + SCHEMA + MARKERS)
	with Live(pair) as running:
		yield running.sync()


def repaired(outcome, *figures):
	"""(table, deleted, inserted) of those that something was done to; exact, with the time that it took."""
	v = outcome.json
	assert v["exact"] and v["after"]["exact"] and v["stopped_s"] > 0, outcome
	assert [t["verdict"] for t in v["after"]["tables"]] == ["equal"] * len(v["tables"]), outcome
	assert [(t["source"], t["deleted"], t["inserted"]) for t in v["tables"] if t["deleted"] or t["inserted"]] == [
		("public." + table, deleted, inserted) for table, deleted, inserted in figures], outcome
	return v


def spoil(live):
	"""Other values, a row too few, one too many; a row of a table without a key that is there twice, one not at all."""
	live.pair.target.sql("UPDATE items SET v = 'spoilt' WHERE id <= 3; DELETE FROM stored WHERE id = 7;"
		"INSERT INTO debit VALUES (-1, 5); INSERT INTO bags SELECT * FROM bags WHERE a = 3 LIMIT 1;"
		"DELETE FROM bags WHERE ctid IN (SELECT ctid FROM bags WHERE a = 4 LIMIT 2)", live.pair.name)


SPOILT = (("bags", 1, 2), ("debit", 1, 0), ("items", 3, 3), ("stored", 0, 1))


def no_holds(live):
	live.wait(lambda: live.pair.target.sql("SELECT 1 FROM pgpier.holds", live.pair.name) == [], "the end of the hold")


# ---- beside those who write ----

def test_several_tables(live):
	spoil(live)
	v = repaired(verify(beside(live), *REPAIR).expect(DONE), *SPOILT)
	assert v["tries"] >= 2, v
	no_holds(live)
	live.change("UPDATE items SET n = n + 1 WHERE id < 9", "DELETE FROM bags WHERE a = 4").sync().equal()


def test_nothing_differs(live):
	outcome = verify(beside(live), *REPAIR).expect(DONE)
	assert outcome.json["exact"] and outcome.json.get("after") is None, outcome


@pytest.mark.sanitized
def test_beside_writers(live):
	"""Who change the very rows that differ, all the time: a value that is kept apart does not come with each change."""
	pair = live.pair
	hot = "UPDATE stored SET n = n + 1 WHERE id BETWEEN 9000 AND 9009"
	live.change("INSERT INTO stored SELECT i, 0, repeat(md5(i::text), 100) FROM generate_series(9000, 9009) i").sync()
	with writing.Writing(pair.source, pair.name, rate=100), Repeated(pair.source, pair.name, hot) as writer:
		for turn in range(3):
			pair.target.sql("UPDATE stored SET a = 'spoilt' WHERE id BETWEEN 9000 AND 9004;"
				"INSERT INTO items VALUES (%d, 0, 'extra'); INSERT INTO bags VALUES (99, 'extra')" % (-turn), pair.name)
			writer.wait_for(5)
			v = verify(beside(live), *REPAIR).expect(DONE).json
			done = {t["source"]: (t["deleted"], t["inserted"]) for t in v["tables"] if t["deleted"] + t["inserted"]}
			assert done == {"public.stored": (5, 5), "public.items": (1, 0), "public.bags": (1, 0)}, done
		writer.wait_for(5)
	live.sync().equal()
	assert writer.count == pair.target.sql("SELECT n FROM stored WHERE id = 9003", pair.name)[0][0]


class Repeated:
	"""One client's statement, over and over; count: so often it was acknowledged. A context."""

	def __init__(self, server, dbname, statement):
		self.server, self.dbname, self.statement, self.count = server, dbname, statement, 0

	def __enter__(self):
		self.ended = threading.Event()
		self.thread = threading.Thread(target=self.work, daemon=True)
		self.thread.start()
		return self

	def work(self):
		connection = self.server.connect(self.dbname)
		while not self.ended.wait(0.005):
			connection.cursor().execute(self.statement)
			self.count += 1
		connection.close()

	def wait_for(self, more):
		least = self.count + more
		wait_until(lambda: self.count >= least, "writes", 20)

	def __exit__(self, *_):
		self.ended.set()
		self.thread.join(30)


def test_an_application(live):
	"""Every write that was acknowledged is there exactly once, though its table was repaired meanwhile."""
	pair = live.pair
	make_role(pair.source, pair.target)
	pair.source.sql(GRANTS, pair.name)
	address = Address(temporary_folder("pgpier-app-"), pair.source, pair.name)
	with Application(address, pause_s=0.02) as app:
		app.wait_for(20)
		for turn in range(2):
			pair.target.sql("INSERT INTO app_writes VALUES (%d, 0); INSERT INTO app_log VALUES (%d, 'nobody wrote it');"
				"UPDATE app_totals SET numbered = 0 WHERE writer = 60" % (-turn - 1, -turn - 1), pair.name)
			v = verify(beside(live), *REPAIR).expect(DONE).json
			done = {t["source"]: t["deleted"] for t in v["tables"] if t["deleted"]}
			assert done == {"public.app_writes": 1, "public.app_log": 1, "public.app_totals": 1}, done
			app.wait_for(20)
	live.sync().equal()
	app.assert_kept(pair.target, pair.name)


def test_called_otherwise(pair):
	"""Another schema, another name, another column."""
	pair.fill("CREATE TABLE users (id int PRIMARY KEY, mail text, n int);"
		"INSERT INTO users SELECT i, 'm' || i, 0 FROM generate_series(1, 100) i;" + MARKERS)
	with Live(pair, map=[{"source": "public.users", "target": "app.people",
			"columns": [{"source": "mail", "target": "email"}]}]) as live:
		live.sync()
		pair.target.sql("UPDATE app.people SET email = 'spoilt' WHERE id = 5; DELETE FROM app.people WHERE id = 6",
			pair.name)
		repaired(verify(live.p, *REPAIR).expect(DONE), ("users", 1, 2))
		live.change("UPDATE users SET mail = 'new' WHERE id IN (5, 6)").sync()
		assert pair.target.sql("SELECT DISTINCT email FROM app.people WHERE id IN (5, 6)", pair.name) == [("new",)]


def test_a_mirror_that_is_paused(live):
	"""It runs for the repair, and is paused again."""
	live.stop()
	spoil(live)
	live.change("DELETE FROM items WHERE id > 1990", "INSERT INTO bags VALUES (3, 'b')")
	repaired(verify(live.p, *REPAIR).expect(DONE), *SPOILT)
	assert live.status().json["state"] == "paused"
	live.start().sync().equal()


# ---- one that gets no further ----

def test_replication_stands_meanwhile(live):
	with Repairing(live) as waiting:
		live.change("INSERT INTO debit VALUES (-3, 7)", "UPDATE items SET n = -7 WHERE id = 5")
		assert waiting.value() == "spoilt"
		repaired(waiting.finish().expect(DONE), ("items", 1, 1))
	live.sync().equal()


def test_killed(live):
	"""The hold goes with whoever asked for it, and nothing is half done."""
	with Repairing(live) as waiting:
		waiting.process.kill()
		waiting.process.wait()
		waiting.let_go()
		no_holds(live)
		assert waiting.value() == "spoilt"
	live.change("INSERT INTO items VALUES (-1, 0, 'later')").sync()
	repaired(verify(beside(live), *REPAIR).expect(DONE), ("items", 1, 1))
	live.equal()


def test_stopped(live):
	with Repairing(live) as waiting:
		waiting.process.terminate()
		waiting.p.finish(waiting.process).expect(INTERRUPTED)
		no_holds(live)
		assert waiting.value() == "spoilt"
	live.change("UPDATE items SET v = 'newer' WHERE id = 5").sync().equal()


def test_the_hold_is_gone(live):
	with Repairing(live) as waiting:
		live.pair.target.sql("DELETE FROM pgpier.holds", live.pair.name)
		waiting.refused()
		assert waiting.value() == "spoilt"
	live.change("UPDATE items SET v = 'newer' WHERE id = 5").sync().equal()


def test_another_process_has_gone_on(live):
	"""What it brought stays."""
	with Repairing(live) as waiting:
		live.kill()
		live.change("UPDATE items SET v = 'newer' WHERE id = 5").start()
		live.wait(lambda: waiting.holds() == [("lost",)], "a new stream")
		waiting.let_go()
		live.sync()
		waiting.refused()
		assert waiting.value() == "newer"
	live.equal()


def test_something_was_applied(live):
	"""Whatever the hold's row says: nobody applies here but this test, in the mirror's own way."""
	with Repairing(live) as waiting:
		live.kill()
		cursor = waiting.gate.cursor()
		cursor.execute("UPDATE items SET n = -9 WHERE id = 6; UPDATE pgpier.replication SET applied ="
			" (SELECT position FROM pgpier.holds) + 1")
		waiting.gate.commit()
		waiting.refused()
		assert waiting.holds() == [] and waiting.value() == "spoilt"


@pytest.mark.parametrize("statement, why", [
	("CREATE TEMP TABLE kept AS SELECT * FROM items; TRUNCATE items; INSERT INTO items SELECT * FROM kept",
		"it was truncated or rewritten on the target"),
	("ALTER TABLE items ADD own int", "it was altered on the target")])
def test_another_table(live, statement, why):
	"""Copied anew, or altered, though as much was applied as before."""
	with Repairing(live) as waiting:
		live.kill()
		waiting.gate.cursor().execute(statement)
		waiting.gate.commit()
		outcome = waiting.finish().expect(DIFFERENT)
		assert why in outcome.table("public.items")["repair_error"], outcome
		assert waiting.value() == "spoilt"
