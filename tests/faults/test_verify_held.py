# SPDX-License-Identifier: PostgreSQL
"""Whoever verifies holds replication for a moment, or while he repairs: never for longer, whatever becomes of him."""
import signal

import pytest

from support.live import Live, MARKERS
from support.pgpier import DONE
from support.verifying import Repairing, Stuck, verify


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


def test_whoever_repairs_takes_long(live):
	"""He is waited for longer than that, as long as he does not sleep; who does changes nothing any more."""
	live.change("INSERT INTO items VALUES (5, 0, 'x')").sync()
	with Repairing(live) as repairing:
		live.change("INSERT INTO markers VALUES (-1)")
		live.wait(lambda: live.pair.target.sql("SELECT stopped.age > interval '11 s' FROM (SELECT clock_timestamp() -"
			" query_start AS age FROM pg_stat_activity WHERE pid = %s) stopped", parameters=(repairing.pid,))[0][0], "time", 30)
		assert repairing.holds() == [("kept",)]
		assert not live.pair.target.sql("SELECT 1 FROM markers WHERE id = -1", live.pair.name)
		repairing.process.send_signal(signal.SIGSTOP)
		live.wait(lambda: live.pair.target.sql("SELECT 1 FROM markers WHERE id = -1", live.pair.name), "replication", 40)
		repairing.process.send_signal(signal.SIGCONT)
		repairing.refused()
		assert repairing.value() == "spoilt"
