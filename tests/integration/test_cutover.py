# SPDX-License-Identifier: PostgreSQL
"""Cutover and rollback with an application that writes all the time: every write that a server has acknowledged is
where the application went, exactly once, and never are both sides open."""
import pytest

from support import app
from support.live import slots
from support.moving import Moving, is_closed, told
from support.pgpier import DONE


@pytest.fixture
def moving(pair):
	"""A pair with the application's tables, its role on both servers, and the file that tells it where to go."""
	app.make_role(pair.source, pair.target)
	pair.fill(app.SCHEMA + app.GRANTS)
	return Moving(pair)


def rights(server, dbname):
	"""Who may connect, default rights written out."""
	return server.sql("SELECT coalesce(datacl, acldefault('d', datdba))::text, (SELECT array_agg(setconfig::text)"
		" FROM pg_db_role_setting s WHERE s.setdatabase = d.oid) FROM pg_database d WHERE datname = %s",
		parameters=(dbname,))


def test_there_and_back(moving):
	pair = moving.pair
	moving.load()
	with moving.application() as application:
		application.wait_for(50)
		there = moving.cutover().expect(DONE)
		application.wait_for(50, pair.target.port)
	assert is_closed(pair.source, pair.name) and not is_closed(pair.target, pair.name)
	application.assert_kept(pair.target, pair.name)
	assert told(there)["phase"] == "done" and told(there)["back"] == "m-back"
	print("nobody could write for %.2f s, said to be %.2f s" % (
		application.pause_between(pair.source.port, pair.target.port), told(there)["closed_s"]))
	assert slots(pair.source, pair.name) == []

	moving.p.run("m-back", "--until", "caught-up").expect(DONE)
	pair.assert_equal(structure=False)
	second = moving.application(first_key=10 ** 9)
	with second:
		second.wait_for(50, pair.target.port)
		moving.rollback().expect(DONE)
		second.wait_for(50, pair.source.port)
	second.acknowledged.update(application.acknowledged)
	second.unsure |= application.unsure
	second.assert_kept(pair.source, pair.name)
	assert not is_closed(pair.source, pair.name) and is_closed(pair.target, pair.name)


def test_undone_when_the_target_differs(moving):
	pair = moving.pair
	moving.load()
	pair.target.sql("INSERT INTO app_totals VALUES (500, 7)", pair.name)
	before = rights(pair.source, pair.name)
	with moving.application() as application:
		application.wait_for(20)
		outcome = moving.cutover()
		application.wait_for(20, pair.source.port)
	assert outcome.code in (1, 3), outcome
	assert told(outcome)["phase"] == "undone" and "app_totals" in outcome
	assert rights(pair.source, pair.name) == before
	application.assert_kept(pair.source, pair.name)
	assert slots(pair.target, pair.name) == []
	assert pair.target.sql("SELECT pubname FROM pg_publication", pair.name) == []
	assert pair.source.sql("SELECT 1 FROM pg_namespace WHERE nspname = 'pgpier'", pair.name) == []


def test_rehearsal_changes_nothing(moving):
	pair = moving.pair
	moving.load()
	with moving.application() as application:
		application.wait_for(20)
		outcome = moving.p("cutover", "m", "--dry-run", "--json").expect(DONE)
		application.wait_for(20, pair.source.port)
	assert application.errors == []
	assert told(outcome)["phase"] == "rehearsed" and 0 < told(outcome)["forecast_s"] < 60
	gates = {g["gate"]: g["state"] for g in outcome.json["gates"]}
	assert gates["lag"] == "ok" and gates["initial load"] == "ok"
	assert pair.source.sql("SELECT 1 FROM pg_namespace WHERE nspname = 'pgpier'", pair.name) == []
	assert slots(pair.target, pair.name) == []
