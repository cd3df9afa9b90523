# SPDX-License-Identifier: PostgreSQL
"""Cutover and rollback behind a PgBouncer: the application has one address all the time, and sees a pause and never
an error."""
import pytest

from support import app
from support.cutover import Tool
from support.live import slots
from support.moving import SHOP, MovingPooled, is_closed, told
from support.pgpier import DONE


@pytest.fixture
def moving(pair):
	app.make_role(pair.source, pair.target)
	pair.fill(app.SCHEMA + app.GRANTS)
	return MovingPooled(pair)


def written(server, dbname):
	return server.sql("SELECT count(*) FROM app_writes", dbname)[0][0]


def assert_open_at(moving, server):
	assert moving.serves() == server.port
	console = Tool(server, moving.pair.name)
	console.conninfo = moving.bouncer.console()
	assert console.ok("pgbouncer", "paused", SHOP) == "paused 0\n"


def test_there_and_back_without_an_error(moving):
	pair = moving.pair
	moving.load()
	with moving.application() as application:
		application.wait_for(50)
		there = moving.cutover().expect(DONE)
		application.wait_for(50)
		assert_open_at(moving, pair.target)
		on_target = written(pair.target, pair.name)
		application.wait_for(50)
		assert written(pair.target, pair.name) > on_target
		assert is_closed(pair.source, pair.name)
		left_behind = written(pair.source, pair.name)
		moving.p.run("m-back", "--until", "caught-up").expect(DONE)
		back = moving.rollback().expect(DONE)
		application.wait_for(50)
		assert_open_at(moving, pair.source)
		assert is_closed(pair.target, pair.name)
	print("paused for at most %.2f s, said to be %.2f s and %.2f s" % (application.longest_pause(),
		told(there)["closed_s"], told(back)["closed_s"]))
	assert application.errors == []
	application.assert_kept(pair.source, pair.name)
	assert written(pair.source, pair.name) > left_behind
	assert slots(pair.target, pair.name) == []


def test_undone_without_an_error(moving):
	"""The target differs: what was paused goes on where it was, and the address has not changed."""
	pair = moving.pair
	moving.load()
	pair.target.sql("INSERT INTO app_totals VALUES (500, 7)", pair.name)
	with moving.application() as application:
		application.wait_for(20)
		outcome = moving.cutover()
		application.wait_for(20)
		assert_open_at(moving, pair.source)
	assert outcome.code in (1, 3) and told(outcome)["phase"] == "undone", outcome
	assert application.errors == []
	application.assert_kept(pair.source, pair.name)
	assert not is_closed(pair.source, pair.name)


def test_the_rehearsal_pauses_nothing(moving):
	moving.load()
	with moving.application() as application:
		application.wait_for(20)
		outcome = moving.p("cutover", "m", "--dry-run", "--json").expect(DONE)
		application.wait_for(20)
	assert application.errors == [] and told(outcome)["phase"] == "rehearsed"
	assert {g["gate"]: g["state"] for g in outcome.json["gates"]}["PgBouncer"] == "ok"
