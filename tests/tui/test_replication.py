# SPDX-License-Identifier: PostgreSQL
"""A continuous mirror in the console: made, watched, paused and taken up again; a table that has to wait."""
import re

import pytest

from support.load import tables_sql, wait_until

ITEMS = tables_sql(3, 300)


def stream_of(t):
	"""Turns to the Replication tab; a quick mirror's page opens there."""
	t.match("replicating", seconds=30)
	while "changes/s" not in t.shown():
		t.key("Tab").still()
	return t


def replicating(pair, opened, **terminal):
	"""The Replication tab of a mirror that has caught up."""
	pair.fill(ITEMS)
	p = pair.pgpier(continuous=True)
	t = opened(p, **terminal)
	t.open_load("m")
	t.key("p")
	stream_of(t)
	t.match("lag <?[0-9]")
	return p, t


def same(pair, query):
	wait_until(lambda: pair.source.sql(query, pair.name) == pair.target.sql(query, pair.name), query)


def test_made_and_followed(pair, home, opened):
	"""From the form to a change that arrives, and to nothing left on the source."""
	pair.fill(ITEMS)
	t = opened(home, rows=30, cols=100)
	for name, server in (("old", pair.source), ("new", pair.target)):
		t.new_peer(name, uri="postgresql://postgres@127.0.0.1:%d/%s" % (server.port, pair.name)).save_peer(name)
	t.new_mirror("shop")
	t.key("Tab", "Tab", "Tab").text(" ").wait("Soft delete")
	t.picker("t01").key("a").review()
	t.match("publication pgpier_shop and slot pgpier_shop on old")
	t.create()
	stream_of(t)
	pair.source.sql("INSERT INTO t01 VALUES (1001, 7, 'new'); UPDATE t02 SET n = -1; DELETE FROM t03 WHERE id = 5",
		pair.name)
	t.match("t02 +- +300 +-")
	t.match("t01 +1 +- +-")
	t.match("t03 +- +- +1")
	same(pair, "SELECT count(*), sum(n) FROM t02")
	assert re.search(r"slot pgpier_shop +reserved +keeps", t.shown())
	pair.assert_equal()
	t.key("Esc").match("shop +old +new +. replicating")
	t.key("d").match("replication slot pgpier_shop and publication")
	t.key("y").wait("mirror dropped")
	assert pair.source.sql("SELECT slot_name FROM pg_replication_slots") == []
	assert pair.source.sql("SELECT pubname FROM pg_publication", pair.name) == []
	t.key("q")
	assert t.exit() == 0


@pytest.mark.sanitized
def test_pause_keeps_and_goes_on(pair, opened):
	_p, t = replicating(pair, opened)
	t.key("p").wait("its slot keeps WAL on the source")
	pair.source.sql("UPDATE t01 SET n = n + 1", pair.name)
	assert pair.source.sql("SELECT active FROM pg_replication_slots WHERE slot_name = 'pgpier_m'") == [(False,)]
	t.key("p").match("replicating")
	same(pair, "SELECT sum(n) FROM t01")
	t.match("t01 +- +300")
	t.key("q").wait("Leave pgpier?")
	t.key("y")
	assert t.exit() == 0


def test_a_console_that_opens_again_knows(pair, opened):
	p, t = replicating(pair, opened)
	t.key("q").key("y")
	assert t.exit() == 0
	t = opened(p)
	t.match("m +source +target +. (paused|interrupted)")
	assert p("status", "m", "--json").json["continuous"] is True


def test_a_table_that_waits(pair, opened):
	"""Others go on; the table says why, and goes on when it is mended."""
	_p, t = replicating(pair, opened)
	pair.target.sql("ALTER TABLE t01 RENAME COLUMN v TO w", pair.name)
	pair.source.sql("UPDATE t01 SET v = 'x' WHERE id = 1; UPDATE t02 SET v = 'y' WHERE id = 1", pair.name)
	t.match("t01 .*! paused")
	same(pair, "SELECT v FROM t02 WHERE id = 1")
	t.key("g", "Enter").match("public.t01: .*column v")
	t.key("Esc")
	pair.target.sql("ALTER TABLE t01 RENAME COLUMN w TO v", pair.name)
	t.key("r").gone("paused")
	same(pair, "SELECT v FROM t01 WHERE id = 1")
	pair.assert_equal()


def test_resync_empties_and_copies(pair, opened):
	_p, t = replicating(pair, opened)
	pair.source.sql("UPDATE t01 SET n = 5 WHERE id = 1", pair.name)
	t.match("t01 +- +1")
	pair.target.sql("DELETE FROM t01 WHERE id > 10", pair.name)
	t.key("R").wait("type the name")
	t.text("public.t01").key("Enter").wait("copied anew")
	same(pair, "SELECT count(*), sum(n) FROM t01")
	pair.assert_equal()


def test_slots_of_the_source(pair, opened):
	_p, t = replicating(pair, opened, cols=160)
	t.key("1").match("source .*15")
	t.key("g").key("Enter").wait("Slots")
	t.key("Tab").match(r"pgpier_m +m +pid [0-9]+ +reserved")
