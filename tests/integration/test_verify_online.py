# SPDX-License-Identifier: PostgreSQL
"""Verification beside replication: exact, whatever is written meanwhile, and replication is held for a moment only."""
import os
import subprocess
import threading

import pytest

from integration.test_evolve import conninfo
from support import cluster, pgpier, writing
from support.live import Live, MARKERS
from support.pgpier import DONE, FAILED, mirror
from support.verifying import DIFFERENT, INCOMPLETE, beside, key_of, verify

VERIFIES = int(os.environ.get("PGPIER_VERIFIES", "3"))
MOST_STOPPED_S = 5
LEVELS = ("checksum", "counts", "sample", "full")


@pytest.fixture(scope="module")
def flushing():
	"""A source whose commits wait for its disk while others overtake them."""
	with cluster.Cluster("flushing", settings={"fsync": "on", "commit_siblings": "0"}) as c:
		yield c


@pytest.fixture
def writable(make_pair, flushing, target):
	pair = make_pair(flushing, target)
	return pair.fill(writing.SQL + ";" + MARKERS)


def exact(outcome):
	v = outcome.json
	assert v["exact"] and v["tries"] >= 1 and v["source"]["lsn"], outcome
	assert v["stopped_s"] < MOST_STOPPED_S, outcome
	return v


# ---- exact ----

def spoil(pair, key):
	"""A row that is changed behind replication's back, of those that nobody else writes to."""
	pair.target.sql("UPDATE bulk SET v = v || 'x' WHERE id = %s", pair.name, (key,))


def mend(pair, key):
	pair.target.sql("UPDATE bulk SET v = left(v, -1) WHERE id = %s", pair.name, (key,))


def test_beside_writers(writable):
	"""Nothing differs, over and over; one row that does is found each time."""
	writing.huge(writable.source, writable.name, 0, 2000)
	held, tries = [], []
	with Live(writable) as live, writing.Writing(writable.source, writable.name, delay_us=3000) as writers:
		live.sync()
		p = beside(live)
		for turn in range(VERIFIES):
			huge = threading.Thread(target=writing.huge, args=(writable.source, writable.name, turn + 1))
			if turn % 5 == 0:
				huge.start()
			level = LEVELS[turn % 4] if turn % 2 else "checksum"
			v = exact(verify(p, "--level", level).expect(DONE))
			held.append(v["stopped_s"])
			tries.append(v["tries"])
			key = turn % 2000 + 1
			spoil(writable, key)
			outcome = verify(p).expect(DIFFERENT)
			v = exact(outcome)
			held.append(v["stopped_s"])
			tries.append(v["tries"])
			assert (v["differing"], [key_of(r) for r in outcome.table("public.bulk")["rows"]]) == (1, [str(key)]), outcome
			mend(writable, key)
			if turn % 5 == 0:
				huge.join(60)
		rate = writers.rate()
		live.alive()
	print("%d verifications beside %.0f transactions/s: held %.0f ms on average, %.0f ms at most; %.1f tries, at most %d"
		% (len(held), rate, 1000 * sum(held) / len(held), 1000 * max(held), sum(tries) / len(tries), max(tries)))


# ---- whatever the mirror is at ----

@pytest.fixture
def live(writable):
	with Live(writable) as running:
		yield running.sync()


@pytest.mark.sanitized
def test_two_at_once(live):
	one, other = beside(live), beside(live)
	with writing.Writing(live.pair.source, live.pair.name, rate=100):
		first, second = one.start("verify", "m", "--json"), other.start("verify", "m", "--json")
		exact(one.finish(first).expect(DONE))
		exact(other.finish(second).expect(DONE))
	live.alive()


def test_a_mirror_that_lags(live):
	"""It comes to the position first, which is behind all that was written before."""
	gate = live.pair.target.connect(live.pair.name, autocommit=False)
	gate.cursor().execute("LOCK TABLE items")
	live.change("UPDATE items SET n = n + 1", "INSERT INTO items VALUES (-1, 0, 'late')")
	live.wait(lambda: live.pair.target.sql("SELECT 1 FROM pg_stat_activity WHERE application_name = 'pgpier/m/apply'"
		" AND datname = %s AND wait_event_type = 'Lock'", parameters=(live.pair.name,)), "rows that can't be written")
	p = beside(live)
	process = p.start("verify", "m", "--json", "--level", "full")
	live.wait(lambda: live.pair.target.sql("SELECT 1 FROM pgpier.holds", live.pair.name), "its wish")
	live.change("INSERT INTO items VALUES (-2, 0, 'later')")
	gate.rollback()
	gate.close()
	v = exact(p.finish(process).expect(DONE))
	assert v["tables"][[t["source"] for t in v["tables"]].index("public.items")]["source_rows"] == 2002


def test_tables_that_are_not_with_the_others(live):
	"""One that is paused can't be verified; the others are, and what differs counts more."""
	live.change("ALTER TABLE stored ALTER n TYPE bigint", "UPDATE stored SET n = 1 WHERE id = 1").sync()
	live.wait_said("the others go on")
	p = beside(live)
	outcome = verify(p).expect(INCOMPLETE)
	exact(outcome)
	assert [(t["source"], t["verdict"]) for t in outcome.json["tables"] if t["verdict"] != "equal"] == [
		("public.stored", "not verified")], outcome
	spoil_items(live.pair)
	verify(p).expect(DIFFERENT)


def spoil_items(pair):
	pair.target.sql("DELETE FROM items WHERE id = 5", pair.name)


def test_a_table_that_is_being_copied(writable):
	"""It joined the mirror, and waits for a lock; then it is verified like the others."""
	settings = {"continuous": True, "slot": Live.slot_of(writable)}
	with Live(writable, tables=["public.markers", "public.items"]) as live:
		live.sync().stop()
		peers = [{"name": n, **s.address(writable.name)} for n, s in (("source", writable.source), ("target", writable.target))]
		live.p.write(peers, [mirror(tables=["public.markers", "public.items", "public.bulk"], **settings)])
		gate = writable.target.connect(writable.name, autocommit=False)
		gate.cursor().execute("CREATE TABLE bulk (id int PRIMARY KEY)")
		live.start().sync()
		p = beside(live)
		outcome = verify(p).expect(INCOMPLETE)
		exact(outcome)
		assert outcome.table("public.bulk")["why"] == "it is being copied", outcome
		gate.rollback()
		gate.close()
		live.wait(lambda: verify(p).code == DONE, "the copy")


# ---- what is kept ----

def test_what_is_kept(live):
	p = beside(live)
	v = exact(verify(p, "--level", "counts").expect(DONE))
	spoil_items(live.pair)
	verify(p).expect(DIFFERENT)
	assert live.pair.target.sql("SELECT level, verdict, exact, whole, differing_count FROM pgpier.verifications"
		" ORDER BY verification_no", live.pair.name) == [("counts", "equal", True, True, 0),
		("checksum", "differs", True, True, 1)]
	assert live.pair.target.sql("SELECT lsn::text FROM pgpier.verifications ORDER BY verification_no LIMIT 1",
		live.pair.name) == [(v["source"]["lsn"],)]
	assert live.pair.target.sql("SELECT count(*) FROM pgpier.holds", live.pair.name) == [(0,)]


def test_a_mirror_that_never_ran(writable):
	p = writable.pgpier(continuous=True, slot=Live.slot_of(writable))
	verify(p).expect(FAILED, "run it first")


# ---- where nobody writes ----

def at_rest(pair, level, *tables):
	"""Verdict and figures, the reason, the last one that is kept."""
	tool = os.path.join(pgpier.BUILD, "tests", "support", "rest_tool")
	done = subprocess.run([tool, conninfo(pair.source, pair.name), conninfo(pair.target, pair.name), "m", level,
		"0/ABCDEF0", *tables], capture_output=True, text=True, timeout=60, check=False)
	assert done.returncode == 0, done.stderr
	return done.stdout.splitlines()


def test_at_rest(live):
	"""All tables or some, and what is kept of it; a sequence that is behind differs then."""
	live.stop()
	assert at_rest(live.pair, "counts") == ["equal 7 0 0 %d" % rows_of(live.pair), "equal: 7 tables, 0 sequences",
		"counts equal 0/ABCDEF0"]
	spoil_items(live.pair)
	assert at_rest(live.pair, "checksum", "public.debit") == ["equal 1 0 0 200", "equal: 1 table, 0 sequences", "none"]
	assert at_rest(live.pair, "checksum")[1:] == ["table public.items: 1 row differs", "checksum differs 0/ABCDEF0"]


def rows_of(pair):
	return 2 * sum(pair.source.sql("SELECT count(*) FROM " + t, pair.name)[0][0] for t in (
		"items", "stored", "debit", "credit", "bags", "bulk", "markers"))
