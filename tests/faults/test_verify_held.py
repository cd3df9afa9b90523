# SPDX-License-Identifier: PostgreSQL
"""Whoever verifies holds replication for a moment: never for longer, whatever becomes of him."""
import pytest

from support.live import Live, MARKERS
from support.pgpier import DONE
from support.verifying import Stuck, verify


@pytest.fixture
def live(pair):
	pair.fill("CREATE TABLE items (id int PRIMARY KEY, n int, v text);" + MARKERS)
	with Live(pair) as running:
		yield running.sync()


def arrives(live, row, seconds=15):
	live.change("INSERT INTO items VALUES (%d, 0, 'x')" % row)
	live.wait(lambda: live.pair.target.sql("SELECT 1 FROM items WHERE id = %s", live.pair.name, (row,)), "row %d" % row,
		seconds)


def test_whoever_asked_is_killed(live):
	with Stuck(live) as stuck:
		live.change("INSERT INTO items VALUES (-1, 0, 'x')")
		assert stuck.state() == [("held",)]
		stuck.process.kill()
		arrives(live, -2)
	live.wait(lambda: not stuck.state(), "the end of the hold")
	assert verify(stuck.p).expect(DONE).json["exact"]


def test_whoever_asked_sleeps(live):
	"""Nobody holds replication for longer than ten seconds; what he saw then counts for nothing."""
	with Stuck(live) as stuck:
		arrives(live, -1, 20)
		stuck.wake()
		v = stuck.p.finish(stuck.process).expect(DONE).json
	assert v["exact"] and v["tries"] == 2 and v["stopped_s"] >= 10, v
	live.wait_said("held replication for too long")
