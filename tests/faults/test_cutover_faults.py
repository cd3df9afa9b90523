# SPDX-License-Identifier: PostgreSQL
"""Every step of a cutover, and what may happen to it there: pgpier is killed, a server restarts, the operator wants
it undone. It ends cut over or undone, never between; no write is lost, and never are both sides open.

PGPIER_FAULTS=all runs each fault at each step; else a part of them, with a kill and an undo at each step."""
import os
import signal

import pytest

from support import cluster
from support.moving import ANSWER, STEPS, Moving
from support.pgpier import DONE, FAILED, INTERRUPTED

ALL = os.environ.get("PGPIER_FAULTS") == "all"
RESTARTS = ["source-fast", "source-crash", "target-fast", "target-crash"]
BEHIND = STEPS[STEPS.index(ANSWER):]  # the commit


@pytest.fixture(scope="class")
def servers():
	"""Two servers that tests may break. What they have committed survives a crash."""
	safe = {"synchronous_commit": "on"}
	with cluster.Cluster("breakable-a", settings=safe) as a, cluster.Cluster("breakable-b", settings=safe) as b:
		yield a, b


@pytest.fixture
def make_moving(make_pair, servers):
	made = []

	def make(**settings):
		made.append(Moving(make_pair(*servers), **settings))
		return made[-1].begin()
	yield make
	for moving in made:
		moving.end()


def some(faults, share=4):
	"""Each fault with each step, or a part of that in which every step and every fault are."""
	both = [(step, fault) for step in STEPS for fault in faults]
	chosen = both if ALL else [(s, f) for s, f in both if (STEPS.index(s) + faults.index(f)) % share == 0]
	return pytest.mark.parametrize("step,fault", chosen, ids=["%s-%s" % (s.replace(" ", "-"), f) for s, f in chosen])


def end_of(step):
	return "done" if step in BEHIND else None


class TestKill:
	@pytest.mark.parametrize("step", STEPS)
	def test_goes_on(self, make_moving, step):
		moving = make_moving().stop_at(step)
		moving.kill()
		moving.release()
		moving.until_over()
		moving.assert_over("done", look_back=step in BEHIND or ALL)


class TestUndo:
	@pytest.mark.parametrize("step", STEPS)
	def test_asked_for(self, make_moving, step):
		moving = make_moving().stop_at(step)
		moving.interrupt()
		moving.until_over()
		moving.assert_over("done" if step in BEHIND else "undone")


class TestKillAndUndo:
	@pytest.mark.parametrize("step", STEPS if ALL else STEPS[1::2])
	def test_by_another(self, make_moving, step):
		moving = make_moving().stop_at(step)
		moving.kill()
		moving.release()
		outcome = moving.p(*moving.words("--undo"))
		if step in BEHIND:
			assert outcome.code == 2, outcome
			moving.until_over()
		moving.assert_over("done" if step in BEHIND else "undone")


class TestRestart:
	@some(RESTARTS)
	def test_restart(self, make_moving, step, fault):
		moving = make_moving().stop_at(step)
		side, how = fault.split("-")
		moving.goal_waits_for_nobody() if side == "source" else None
		getattr(moving.pair, side).restart({"fast": signal.SIGINT, "crash": signal.SIGQUIT}[how])
		moving.release()
		moving.finish()
		moving.until_over()
		moving.assert_over(end_of(step))
