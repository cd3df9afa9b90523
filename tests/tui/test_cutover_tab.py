# SPDX-License-Identifier: PostgreSQL
"""The Cutover tab on real servers: the gates, a rehearsal, the cutover by the mirror's typed name, and the way back
from the same place."""
import pytest

from support import app
from support.live import Live


@pytest.fixture
def shop(pair, opened):
	"""A console on a mirror that replicates an application's tables, on its Cutover tab."""
	app.make_role(pair.source, pair.target)
	pair.fill(app.SCHEMA + app.GRANTS)
	address = app.Address(app.temporary_folder("pgpier-app-"), pair.source, pair.name)
	live = Live(pair, schema="database", open_command=address.hook())
	t = opened(live.p, rows=24, cols=80)
	t.open_load("m")
	t.key("p").match("replicating", seconds=30)
	while "checklist" not in t.shown():
		t.key("Tab").still()
	return pair, live, t


def press(t, key):
	"""What begins waits until the gates are measured: pressed again until it does not say so."""
	t.key(key).still()
	while "it is being measured" in t.shown():
		t.key("Esc").still()
		t.key(key).still()


def type_name(t, key, title):
	press(t, key)
	t.wait(title)
	t.text("m").key("Enter").gone(title)


def test_there_and_back(shop):
	pair, live, t = shop
	t.match("it can begin", seconds=20)
	t.wait("initial load")
	t.wait("sequences")
	press(t, "t")
	t.match("nobody can write for about", seconds=20)
	pair.source.sql("INSERT INTO app_totals VALUES (77, 1)", pair.name)  # nobody was kept out
	press(t, "R")
	type_name(t, "c", "Cut over m?")
	t.match("nobody could write for", seconds=20)
	t.wait("b rolls back")
	t.wait("connect to")
	assert pair.target.sql("SELECT writes FROM app_totals WHERE writer = 77", pair.name) == [(1,)]
	pair.target.sql("INSERT INTO app_totals VALUES (78, 2)", pair.name)
	type_name(t, "b", "Roll back to source?")
	t.key("Esc").match("m-back .*cut over", seconds=20)
	assert pair.source.sql("SELECT writes FROM app_totals WHERE writer = 78", pair.name) == [(2,)]


def test_undo_while_it_waits_for_the_writers(pair, opened):
	"""freeze = wait: it stands until somebody says that the writers are stopped, or undoes it."""
	pair.fill("CREATE TABLE a AS SELECT 1 AS i; ALTER TABLE a ADD PRIMARY KEY (i)")
	live = Live(pair, schema="database", freeze="wait")
	t = opened(live.p, rows=24, cols=80)
	t.open_load("m")
	t.key("p").match("replicating", seconds=30)
	while "checklist" not in t.shown():
		t.key("Tab").still()
	t.match("it can begin", seconds=20)
	type_name(t, "c", "Cut over m?")
	t.match("stop all who write to source, then press w", seconds=30)
	t.key("q").wait("undoes it")
	t.key("n").gone("Leave pgpier")
	t.key("u").wait("Undo the cutover?")
	t.key("y").match("source is open as it was before", seconds=30)
	type_name(t, "c", "Cut over m?")
	t.match("then press w", seconds=30)
	t.key("w").match("nobody could write for|way back", seconds=20)
