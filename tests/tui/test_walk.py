# SPDX-License-Identifier: PostgreSQL
"""The whole way of a migration, as a person goes it: peers, mirror, tables, load, drop."""
import urllib.parse

import pytest

from support.load import tables_sql

SHOP = tables_sql(4, 2000, 200) + """;
CREATE SCHEMA sales;
CREATE TABLE sales.orders (id bigint PRIMARY KEY, note text);
INSERT INTO sales.orders SELECT i, 'order ' || i FROM generate_series(1, 3000) AS i;
CREATE TABLE sales.left_here (id int PRIMARY KEY);
ANALYZE"""


def uri(server, dbname):
	"""A socket's folder and a password that can't stand in a URI as they are."""
	quoted = urllib.parse.quote
	return "postgresql://postgres:%s@%s:%d/%s?connect_timeout=7" % (quoted("p@ss w%rd/é", safe=""),
		quoted(server.folder, safe=""), server.port, dbname)


def schemas(server, dbname):
	return {row[0] for row in server.sql("SELECT nspname FROM pg_namespace", dbname)}


def create_peers(t, pair):
	"""One by a pasted URI, one field by field and tested before it is saved."""
	t.new_peer("old", uri=uri(pair.source, pair.name))
	t.wait(pair.source.folder)
	t.wait(str(pair.source.port))
	assert "p@ss" not in t.shown(), "a password is on the screen"
	t.save_peer("old")
	t.new_peer("new", host="127.0.0.1", port=pair.target.port, dbname=pair.name, user="postgres")
	t.key("Tab", "Tab", "Tab", "Tab", "Enter")
	t.match("version +PostgreSQL 15")
	t.match("role +. superuser")
	t.save_peer("new")
	t.match("new .*15")


@pytest.mark.sanitized
def test_short_walk(pair, home, opened):
	pair.fill(tables_sql(2, 300))
	t = opened(home)
	t.wait("no peers yet")
	create_peers(t, pair)
	t.new_mirror("m").picker("t01").key("a")
	t.review().create()
	t.match("done +2/2 tables", seconds=30)
	pair.assert_equal()
	t.key("q")
	assert t.exit() == 0


def choose_tables(t):
	"""All but one: the filter decides what `a` means."""
	t.key("/").text("!left").key("Enter")
	t.gone("left_here")
	t.key("a").wait("5 of 6 tables")
	t.key("Esc").match(r"\[ \] left_here")


def test_whole_walk(pair, home, opened):
	pair.fill(SHOP)
	t = opened(home, rows=30, cols=100)
	create_peers(t, pair)
	t.new_mirror("shop")
	t.key(*["Down"] * 6, "Enter").wait("Rows per chunk")
	t.key("Down").text("1000").key("Down").text("3")
	t.picker("left_here")
	choose_tables(t)
	t.key("c").wait("nothing stands in the way")
	t.key("Esc").match(r"\[x\] orders")  # going back loses nothing
	t.review()
	for words in ("5 tables", "3 workers", "1000 rows per chunk", "change nothing"):
		t.wait(words)
	assert "t01" not in str(pair.target.sql("SELECT relname FROM pg_class", pair.name)), "created before Create"
	t.create().match("done +5/5 tables", seconds=30)
	t.match(r"public.t01 +. done +2/2")
	pair.assert_equal(only=["public.t0%d" % n for n in range(1, 5)] + ["sales.orders"])
	assert pair.target.sql("SELECT to_regclass('sales.left_here')", pair.name) == [(None,)]
	t.key("3").match("mirror shop +done: all tables")
	drop(t, pair)


def drop(t, pair):
	"""Asked first, and Enter means no; the tables outlive the mirror."""
	t.key("2", "d").wait("Drop mirror shop?")
	t.key("Enter").gone("Drop mirror shop?")
	assert "pgpier" in schemas(pair.target, pair.name)
	t.key("d").wait("Drop mirror shop?")
	t.key("y").wait("no mirrors yet")
	assert "pgpier" not in schemas(pair.target, pair.name)
	assert pair.target.sql("SELECT count(*) FROM sales.orders", pair.name) == [(3000,)]
	t.key("q")
	assert t.exit() == 0
