# SPDX-License-Identifier: PostgreSQL
"""What a cutover compares while nobody can write: by checksum what has changed since all was proven equal, the rest by
its number of rows. A table that may have changed in any way counts as changed."""
import re

import pytest

from integration.test_verify_online import exact
from support import console
from support.live import Live, MARKERS
from support.load import wait_until
from support.moving import told
from support.pgpier import DONE, FAILED, mirror
from support.verifying import DIFFERENT, Stuck, beside, verify

# Four tables, and the markers, which every sync() changes.
SQL = """
CREATE TABLE a (id int PRIMARY KEY, v text);
INSERT INTO a SELECT i, 'a ' || i FROM generate_series(1, 100) i;
CREATE TABLE b (LIKE a INCLUDING ALL);
INSERT INTO b SELECT * FROM a;
CREATE TABLE c (LIKE a INCLUDING ALL);
INSERT INTO c SELECT * FROM a;
CREATE TABLE plain (v text);
ALTER TABLE plain REPLICA IDENTITY FULL;
INSERT INTO plain SELECT v FROM a;
""" + MARKERS
TABLES = 5


@pytest.fixture
def live(pair):
	with Live(pair.fill(SQL)) as running:
		yield running.sync()


def prove(live):
	"""All tables are equal, at this position."""
	return exact(verify(beside(live)).expect(DONE))["position"]


def step(outcome, name="verify"):
	return [s for s in told(outcome)["steps"] if s["step"] == name][0]["what"]


def chosen(what):
	"""How many tables are compared by checksum, and how many are counted."""
	some = re.search(r"checksum of (\d+) changed tables?, counts of (\d+) since ([0-9A-F]+/[0-9A-F]+) \(.* ago\)", what)
	if some:
		return int(some.group(1)), int(some.group(2))
	return int(re.search(r"checksum of all (\d+) tables?", what).group(1)), 0


def rehearsed(live, code=DONE):
	"""The mirror is stopped for that: it is the rehearsal's then. Of a gate that is closed the exit code tells."""
	if live.process:
		live.stop()
	return chosen(step(live.p("cutover", "m", "--dry-run", "--json").expect(code)))


def cut_over(live):
	if live.process:
		live.stop()
	return live.p("cutover", "m", "--yes-i-mean", "m", "--json")


def marked(live):
	"""The tables that the store says were changed behind its last verification."""
	return [n for (n,) in live.pair.target.sql("SELECT source_name FROM pgpier.tables t WHERE changed_lsn >= (SELECT lsn"
		" FROM pgpier.verifications v WHERE v.mirror_id = t.mirror_id ORDER BY verification_no DESC LIMIT 1) ORDER BY 1",
		live.pair.name)]


# ---- what is chosen ----

def test_only_what_changed(live):
	"""Before anything was proven all is read; then what has changed; and all where somebody wants that."""
	assert rehearsed(live) == (TABLES, 0)
	position = prove(live.start().sync())
	assert rehearsed(live) == (0, TABLES)
	live.start().sync().change("UPDATE b SET v = 'new' WHERE id = 7", "DELETE FROM plain WHERE v = 'a 1'").sync()
	assert marked(live) == ["b", "markers", "plain"]
	outcome = cut_over(live).expect(DONE)
	what = step(outcome)
	assert chosen(what) == (3, 2) and position in what, what
	remains = " ".join(told(outcome)["remains"])
	assert "2 tables were only counted" in remains and position in remains, remains
	live.pair.assert_equal(structure=False)


def test_all_when_that_is_wanted(pair):
	with Live(pair.fill(SQL), cutover_verify="all") as live:
		prove(live.sync())
		assert rehearsed(live) == (TABLES, 0)


def test_the_gate_tells(live):
	prove(live)
	live.change("INSERT INTO c VALUES (0, 'x')").sync().stop()
	gates = {g["gate"]: g for g in live.p("cutover", "m", "--dry-run", "--json").expect(DONE).json["gates"]}
	gate = gates["last verify"]
	assert gate["state"] == "ok" and gate["value"].startswith("equal by checksum"), gate
	assert gate["value"].endswith("2 of %d tables changed since" % TABLES), gate
	assert gates["freeze"]["state"] == "ok" or "default rights" not in gates["freeze"]["value"], gates
	assert "slow its load" not in str(gates["way back"]), gates


def test_a_difference_takes_the_base_away(live):
	"""Whoever looked last found one: nobody knows where others are."""
	prove(live)
	live.pair.target.sql("UPDATE a SET v = 'spoilt' WHERE id = 3", live.pair.name)
	verify(beside(live), "--level", "counts").expect(DONE)
	verify(beside(live)).expect(DIFFERENT)
	live.pair.target.sql("UPDATE a SET v = 'a 3' WHERE id = 3", live.pair.name)
	assert rehearsed(live, FAILED) == (TABLES, 0)
	prove(live.start().sync())
	assert rehearsed(live) == (0, TABLES)


# ---- on which side of the moment ----

def test_just_before_and_just_after(live):
	"""What is applied up to the position where replication stands counts as seen; what comes next does not."""
	live.change("UPDATE a SET v = 'before' WHERE id = 1")
	with Stuck(live) as stuck:
		live.change("UPDATE b SET v = 'after' WHERE id = 1")
		assert stuck.state() == [("held",)]
		stuck.wake()
		exact(stuck.p.finish(stuck.process).expect(DONE))
	live.wait(lambda: live.pair.target.sql("SELECT 1 FROM b WHERE v = 'after'", live.pair.name), "the change")
	assert marked(live) == ["b"]
	live.change("UPDATE b SET v = 'again'")
	assert rehearsed(live) == (1, TABLES - 1)


def test_marks_are_of_the_last_moment(live):
	"""A table that changed before and after a verification is marked twice, one that did not come again is not."""
	live.change("UPDATE a SET v = v || '!'", "UPDATE b SET v = v || '!'").sync()
	prove(live)
	live.change("UPDATE a SET v = v || '!'").sync()
	assert marked(live) == ["a", "markers"]
	prove(live)
	assert marked(live) == []
	live.change("UPDATE b SET v = v || '!'").sync()
	assert marked(live) == ["b", "markers"]


@pytest.mark.parametrize("ends", [Live.stop, Live.kill])
def test_marks_outlive_the_process(live, ends):
	prove(live)
	live.change("UPDATE a SET v = 'x' WHERE id = 1").sync()
	ends(live)
	live.change("UPDATE b SET v = 'x' WHERE id = 1").start().sync()
	ends(live)
	assert rehearsed(live) == (3, TABLES - 3)


def test_a_large_transaction(live):
	"""It is written in parts: the mark is of the first one's transaction, and goes with it."""
	prove(live)
	live.change("INSERT INTO a SELECT i, repeat('x', 400) FROM generate_series(1000, 40000) i").sync(60)
	assert marked(live) == ["a", "markers"]


# ---- whatever happens to a table ----

def test_truncated(live):
	prove(live)
	live.change("TRUNCATE a, plain", "INSERT INTO a SELECT i, 'new' FROM generate_series(1, 100) i").sync()
	assert marked(live) == ["a", "markers", "plain"]
	assert rehearsed(live) == (3, TABLES - 3)


def test_rewritten_without_a_row_in_the_stream(live):
	"""Values that a definition changes come in no stream; the number of rows is the same."""
	prove(live)
	live.change("ALTER TABLE c ALTER v TYPE text USING upper(v)").stop()
	outcome = cut_over(live)
	assert outcome.code != DONE and told(outcome)["phase"] == "undone" and "public.c" in outcome, outcome


def test_a_column_more(live):
	prove(live)
	live.change("ALTER TABLE b ADD COLUMN n int DEFAULT 7", "INSERT INTO b VALUES (0, 'x', 1)").sync()
	assert marked(live) == ["b", "markers"]
	assert rehearsed(live) == (2, TABLES - 2)


def test_joined_later(live):
	"""A table that nobody has verified is none of those that were."""
	prove(live)
	live.change("CREATE TABLE d (id int PRIMARY KEY); INSERT INTO d SELECT generate_series(1, 50)").stop()
	live.p.write([{"name": n, **s.address(live.pair.name)} for n, s in (("source", live.pair.source), ("target",
		live.pair.target))], [mirror(continuous=True, workers=2, slot=live.slot_of(live.pair), tables=["public.*"])])
	live.start().wait(lambda: live.pair.target.sql("SELECT 1 FROM pgpier.tables WHERE source_name = 'd' AND done"
		" AND held_at IS NULL", live.pair.name), "the new table", 40)
	assert marked(live) == ["d"]
	assert rehearsed(live) == (1, TABLES)


def test_copied_anew(pair):
	"""By hand, from the console, with nothing to be told of it in the stream."""
	live = Live(pair.fill(SQL))
	t = console.Console(live.p, rows=40, cols=140)
	try:
		t.open_load("m")
		t.key("p").match("replicating", seconds=30)
		pair.source.sql("UPDATE c SET v = 'x' WHERE id = 1", pair.name)  # the console lists what has changed
		wait_until(lambda: pair.target.sql("SELECT 1 FROM c WHERE v = 'x'", pair.name), "the change")
		prove(live)
		while "changes/s" not in t.shown():
			t.key("Tab").still()
		t.match("public.c")
		t.key("g", "R").wait("to go on")
		t.text("public.c").key("Enter").gone("to go on")
		wait_until(lambda: marked(live) and pair.target.sql("SELECT 1 FROM pgpier.tables HAVING bool_and(done AND loaded"
			" AND held_at IS NULL AND NOT paused)", pair.name), "the copy")
		assert marked(live) == ["c"]
	finally:
		t.close()
	assert rehearsed(live) == (1, TABLES - 1)


def test_repaired(live):
	"""A repair is of what somebody wrote past the mirror: what else did he?"""
	prove(live)
	live.stop()
	live.pair.target.sql("UPDATE a SET v = 'spoilt' WHERE id = 3", live.pair.name)
	once = live.pair.pgpier(workers=2)
	assert verify(once, "--repair", "--yes").expect(DONE).table("public.a")["inserted"] == 1
	assert rehearsed(live) == (TABLES, 0)


def test_partitions(pair):
	"""They are tables of their own, also when a row moves from one to the other."""
	pair.fill(SQL + """CREATE TABLE days (id int, day int, v text, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
		CREATE TABLE days_1 PARTITION OF days FOR VALUES FROM (0) TO (100);
		CREATE TABLE days_2 PARTITION OF days FOR VALUES FROM (100) TO (200);
		CREATE TABLE days_3 PARTITION OF days FOR VALUES FROM (200) TO (300);
		INSERT INTO days SELECT i, i, 'v' FROM generate_series(1, 299) i""")
	with Live(pair) as live:
		prove(live.sync())
		live.change("UPDATE days SET v = 'x' WHERE id = 5").sync()
		assert marked(live) == ["days_1", "markers"]
		live.change("UPDATE days SET day = 150 WHERE id = 6").sync()
		assert marked(live) == ["days_1", "days_2", "markers"]
		assert rehearsed(live) == (3, TABLES)


def test_deleted_softly_and_called_otherwise(pair):
	pair.fill(SQL)
	with Live(pair, soft_delete=True, map=({"source": "public.b", "target": "public.bees",
			"columns": ({"source": "v", "target": "value"},)},)) as live:
		prove(live.sync())
		live.change("DELETE FROM a WHERE id < 10", "UPDATE b SET v = 'x' WHERE id = 1").sync()
		assert marked(live) == ["a", "b", "markers"]
		assert rehearsed(live) == (3, TABLES - 3)


def test_two_mirrors(pair):
	"""Of the same two databases: each has its own tables, and its own moment."""
	pair.fill(SQL)
	one, other = Live(pair, exclude=["public.b", "public.c"]), Live(pair, tables=["public.b", "public.c"],
		slot="pgpier_other_" + pair.name, name="n")
	with one:
		one.sync()
		other.process = other.p.start("run", "n", "--json")
		other.wait(lambda: pair.target.sql("SELECT 1 FROM pgpier.tables JOIN pgpier.mirrors USING (mirror_id)"
			" WHERE name = 'n' AND state = 'replicating' HAVING count(*) = 2", pair.name), "its load")
		prove(one)
		other.p("verify", "n", "--json").expect(DONE)
		one.change("UPDATE b SET v = 'x' WHERE id = 1", "UPDATE a SET v = 'x' WHERE id = 1").sync()
		other.wait(lambda: pair.target.sql("SELECT 1 FROM b WHERE v = 'x'", pair.name), "its change")
		assert pair.target.sql("SELECT name, source_name FROM pgpier.tables JOIN pgpier.mirrors m USING (mirror_id)"
			" WHERE changed_lsn >= (SELECT lsn FROM pgpier.verifications v WHERE v.mirror_id = m.mirror_id) ORDER BY 1, 2",
			pair.name) == [("m", "a"), ("m", "markers"), ("n", "b")]
		other.stop()


# ---- what is found ----

@pytest.mark.parametrize("spoil, table", [("UPDATE b SET v = 'spoilt' WHERE id = 50", "public.b"),
	("INSERT INTO a VALUES (-1, 'one more')", "public.a"), ("DELETE FROM c WHERE id = 1", "public.c")])
def test_found_in_the_freeze(live, spoil, table):
	"""Past the mirror: a value in a table that changed, and in one that did not a row too many or too few."""
	prove(live)
	live.change("UPDATE b SET v = 'x' WHERE id = 1").sync().stop()
	live.pair.target.sql(spoil, live.pair.name)
	outcome = cut_over(live)
	assert told(outcome)["phase"] == "undone" and table in outcome, outcome
	assert rehearsed(live, FAILED) == (TABLES, 0)  # and nobody builds on what was proven before


def test_the_way_back(live):
	"""It has nothing to build on before somebody has verified it."""
	prove(live)
	cut_over(live).expect(DONE)
	back = live.p
	back.run("m-back", "--until", "caught-up").expect(DONE)
	assert chosen(step(back("rollback", "m", "--dry-run", "--json").expect(DONE))) == (TABLES, 0)
	exact(back("verify", "m-back", "--json").expect(DONE))
	live.pair.target.sql("UPDATE a SET v = 'x' WHERE id = 1", live.pair.name)
	what = step(back("rollback", "m", "--yes-i-mean", "m", "--json").expect(DONE))
	assert chosen(what) == (1, TABLES - 1), what
	back.run("m", "--until", "caught-up").expect(DONE)
	assert rehearsed(live) == (TABLES, 0)  # what was proven on the way there is too long ago
