# SPDX-License-Identifier: PostgreSQL
"""The Verify tab of a mirror, on real servers: a clean pair, one that differs, its rows, its repair."""
import json
import os

import pytest

from support.live import Live, MARKERS
from support.load import wait_until
from support.pgpier import DONE
from support.verifying import beside

SHOP = """
CREATE SCHEMA shop;
CREATE TABLE shop.customers (id serial PRIMARY KEY, name text, note text);
CREATE TABLE shop.orders (id int, line int, what text, price numeric(10,2), PRIMARY KEY (id, line));
CREATE TABLE shop.log (at timestamptz, text text);
INSERT INTO shop.customers (name, note) SELECT 'customer ' || i, repeat('long ', 30) || i FROM generate_series(1, 500) i;
INSERT INTO shop.orders SELECT i / 3, i % 3, 'thing ' || i, i / 7.0 FROM generate_series(1, 2000) i;
INSERT INTO shop.log SELECT '2026-01-01Z'::timestamptz + i % 50 * interval '1 s', 'entry ' || i % 50
	FROM generate_series(1, 300) i;
"""

FAULTS = """
UPDATE shop.customers SET name = NULL, note = left(note, -2) || 'X!' WHERE id = 7;
UPDATE shop.customers SET note = '' WHERE id = 8;
DELETE FROM shop.orders WHERE (id, line) = (100, 1);
INSERT INTO shop.orders VALUES (9999, 0, 'not there', 1);
INSERT INTO shop.log SELECT * FROM shop.log LIMIT 1;
"""


def verify_tab(t, shows="not verified yet", name="m"):
	"""From the list of mirrors, past the tabs of a mirror that is loaded."""
	t.key("2").match("%s .* done" % name)
	t.key("Enter").wait("CHUNKS")
	t.key("Tab").match("KIND|the list of objects|makes no objects")
	t.key("Tab").wait(shows)
	return t


def choose(t, table):
	t.key("g", "/").text(table).key("Enter").match("▸%s" % table)
	return t


@pytest.fixture
def copied(pair):
	p = pair.fill(SHOP).pgpier(workers=2)
	p.run().expect(DONE)
	return p


def begin(t, level="checksum"):
	t.key("v").wait("WHAT IS COMPARED")
	t.still()
	for _ in ("counts", "checksum", "sample", "full"):
		if t.selected().strip(" ▸>").startswith(level):
			break
		t.key("Down").still()
	assert t.selected().strip(" ▸>").startswith(level), t.screen()["lines"]
	return t.key("Enter")


def leave(t):
	t.key("q")
	assert t.exit() == 0


@pytest.mark.sanitized
@pytest.mark.parametrize("rows, cols", [(24, 80), (60, 200)])
def test_clean(copied, opened, rows, cols):
	t = begin(verify_tab(opened(copied, rows=rows, cols=cols)))
	t.wait("✓ all of 3 tables and their sequences are equal", seconds=60)
	t.wait("by checksum")
	t.match("shop.customers +✓ equal +500 +500")
	t.match("seq shop.*id_seq +✓ equal +500 +500")
	t.key("Enter").wait("no row of it is known to differ")
	t.key("Esc", "r").wait("no table that differs is selected")
	begin(t, "counts").wait("by counts", seconds=60)
	begin(t, "sample").wait("Rows of each table")
	t.key("Enter")
	t.wait("by sample", seconds=60)
	begin(t, "full").wait("by full", seconds=60)
	t.wait("✓ all of 3 tables")
	leave(t)


def test_repaired_beside_replication(pair, opened):
	"""The same keys, and the question says what it means for a mirror that replicates."""
	with Live(pair.fill(SHOP + "ALTER TABLE shop.log REPLICA IDENTITY FULL;" + MARKERS)) as live:
		live.sync()
		pair.target.sql(FAULTS, pair.name)
		t = opened(beside(live), rows=40, cols=120)
		t.key("2").match("m .* replicating")
		t.key("Enter").wait("so far")
		t.key("Tab").wait("not verified yet")
		begin(t).wait("! 3 of 5 differ", seconds=60)
		choose(t, "shop.orders").key("r").wait("Repair shop.orders?")
		t.match("Replication stands while the rows are repaired")
		t.key("y")
		t.match("shop.orders +✓ equal", seconds=60)
		assert pair.target.sql("SELECT count(*) FROM shop.orders WHERE id = 9999", pair.name) == [(0,)]
		t.key("q").wait("Leave pgpier?")
		t.key("y")
		assert t.exit() == 0


@pytest.mark.sanitized
def test_differs_and_is_repaired(pair, copied, opened):
	"""Rows side by side; only what was answered with yes is changed, and then it is equal."""
	pair.target.sql(FAULTS, pair.name)
	t = begin(verify_tab(opened(copied, rows=30, cols=100)))
	t.wait("! 3 of 4 differ", seconds=60)
	t.match("shop.customers +! differs +500 +500 +2")
	t.match("shop.orders +! differs +2000 +2000 +2")
	t.match("shop.log +! differs +300 +301 +1")
	t.wait("2 rows changed; enter shows them")
	t.key("Enter").wait("COLUMNS THAT DIFFER")
	t.match("changed +7 +1 +name, note")
	t.match(r"\* name +\"customer 7\" +NULL")
	t.match(r"\* note +…[long ]*7\" +…[long ]*X!\"")
	t.match(r"  id +\"7\" +\"7\"")
	t.key("Down").match(r"\* note +\"long .* \"\"")
	t.key("Enter").wait("target \"\"")
	t.key("Esc").wait("whole row")
	t.key("Esc").wait("! 3 of 4 differ")
	choose(t, "shop.log").wait("1 row only there")
	t.key("Esc")
	choose(t, "shop.orders").key("Enter").match("missing +100, 1 +1 +the target has no such row")
	t.match("extra +9999, 0 +1 +the source has no such row")
	t.wait("TARGET target has no such row")
	t.key("r").wait("Repair shop.orders?")
	t.match("will be deleted and 1 copied from source|shop.orders will be deleted and 1 copied")
	t.wait("On target, 1 row of")
	t.key("Enter").gone("Repair shop.orders?")
	assert pair.target.sql("SELECT count(*) FROM shop.orders WHERE id = 9999", pair.name) == [(1,)]
	t.key("r").wait("Repair shop.orders?")
	t.key("y")
	t.wait("repaired: 1 deleted, 1 copied anew", seconds=60)
	t.wait("✓ equal")
	t.key("Esc").wait("! 2 of 4 differ")
	t.key("Esc")
	assert pair.target.sql("SELECT count(*) FROM shop.orders WHERE id = 9999", pair.name) == [(0,)]
	assert pair.target.sql("SELECT count(*) FROM shop.customers WHERE note = ''", pair.name) == [(1,)]
	for number, table in ((1, "shop.customers"), (0, "shop.log")):
		choose(t, table).key("r").wait("Repair %s?" % table)
		t.key("y")
		t.match("%s +✓ equal" % table, seconds=60)
		t.key("Esc")
	t.wait("✓ all of 3 tables")
	begin(t).wait("✓ all of 3 tables", seconds=60)
	pair.assert_equal()
	leave(t)


def test_report(pair, copied, opened):
	pair.target.sql(FAULTS, pair.name)
	t = begin(verify_tab(opened(copied, rows=30, cols=100)))
	t.wait("! 3 of 4 differ", seconds=60)
	for name in ("report.txt", "report.json"):
		path = os.path.join(copied.folder, name)
		t.key("C-s").wait("Save the report")
		t.key("C-u").text(path).key("Enter").match("saved to .*%s" % name)
		with open(path) as f:
			written = f.read()
		assert "customer 7" in written and "checksum" in written
	found = json.loads(written)
	assert found["verdict"] == "differs" and found["differing"] == 3
	leave(t)


def test_cancelled(pair, copied, opened):
	"""It waits for a lock, is seen doing so from another pane, goes on when that is left, and stops at once."""
	connection = pair.target.connect(pair.name, autocommit=False)
	try:
		connection.cursor().execute("LOCK TABLE shop.orders")
		t = begin(verify_tab(opened(copied, rows=24, cols=80)))
		t.match("shop.orders +● comparing", seconds=60)
		t.match("shop.log +✓ equal", seconds=60)
		t.match("verifying checksum, .* 2/3 tables")
		t.key("v").wait("one is under way; c stops it")
		t.key("Esc", "Esc").wait("Mirrors (1)")
		verify_tab(t, "2/3 tables")
		t.key("c").wait("stopped before its end", seconds=60)
		wait_until(lambda: not pair.target.sql("SELECT 1 FROM pg_stat_activity WHERE datname = %s"
			" AND application_name LIKE 'pgpier/m/verify%%'", parameters=(pair.name,)), "the end of all sessions")
		leave(t)
	finally:
		connection.close()


def test_could_not_verify(pair, copied, opened):
	"""Never a pass: what can't be compared says why."""
	pair.target.sql("ALTER TABLE shop.log RENAME text TO words", pair.name)
	t = begin(verify_tab(opened(copied, rows=24, cols=80)))
	t.wait("! nothing is known to differ, and not all is verified", seconds=60)
	t.wait("1 not verified")
	t.match("shop.log +! not verified")
	t.wait("the target's table has no such column")
	leave(t)


def test_fails_as_a_whole(pair, copied, opened):
	"""Where the verdict would stand it is said why there is none; what was found before stays."""
	t = begin(verify_tab(opened(copied, rows=24, cols=80)))
	t.wait("✓ all of 3 tables", seconds=60)
	pair.target.sql("DROP SCHEMA pgpier CASCADE", pair.name)
	begin(t).wait("the last one failed", seconds=60)
	t.wait("✓ all of 3 tables")
	leave(t)


def test_ascii_and_read_only(pair, copied, opened):
	"""State is never colour alone; a read-only console verifies and repairs nothing."""
	pair.target.sql(FAULTS, pair.name)
	t = begin(verify_tab(opened(copied, "--ascii", "--readonly", rows=24, cols=80, term="vt100")))
	t.wait("! 3 of 4 differ", seconds=60)
	t.key("Enter").match(r"\* name +\"customer 7\" +NULL")
	t.key("r").wait("read-only")
	assert all(ord(c) < 128 for c in t.shown())
	t.key("Esc", "Esc")
	leave(t)
