# SPDX-License-Identifier: PostgreSQL
"""Verification beside replication: exact, whatever is written meanwhile, and replication is held for a moment only."""
import os
import signal
import threading

import pytest

from support import cluster, writing
from support.live import Live, MARKERS
from support.load import wait_until
from support.pgpier import DONE, FAILED
from support.verifying import DIFFERENT, INCOMPLETE, key_of

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


def verify(p, *words, timeout=60):
	return p("verify", "m", "--json", *words, timeout=timeout)


def beside(live):
	"""A pgpier of its own, whose words do not end up where those of the mirror do."""
	return live.pair.pgpier(continuous=True, workers=2, slot=live.slot_of(live.pair))


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
