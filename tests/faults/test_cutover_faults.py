# SPDX-License-Identifier: PostgreSQL
"""Every step of a cutover, and what may happen to it there: pgpier is killed, a server restarts, the operator wants
it undone. It ends cut over or undone, never between; no write is lost, and never are both sides open.

PGPIER_FAULTS=all runs each fault at each step; else a part of them, with a kill and an undo at each step."""
import os
import signal

import pytest

from support import cluster
from support.held_cutover import ANSWER, KEEPER, STEPS, HeldCutover
from support.live import sessions_of
from support.pgpier import DONE, FAILED, USAGE

ALL = os.environ.get("PGPIER_FAULTS") == "all"
RESTARTS = ["source-fast", "source-crash", "target-fast", "target-crash"]
BEHIND = STEPS[STEPS.index(ANSWER):]  # the commit


@pytest.fixture(scope="class")
def servers():
	"""Two servers that tests may break. One does not wait for its disk: what must survive a crash has to say so."""
	there = {"max_prepared_transactions": "4"}
	here = {"synchronous_commit": "on"}
	with cluster.Cluster("breakable-a", settings=there) as a, cluster.Cluster("breakable-b", settings=here) as b:
		yield a, b


@pytest.fixture
def make_moving(make_pair, servers):
	made = []

	def make(**settings):
		made.append(HeldCutover(make_pair(*servers), **settings))
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
	@pytest.mark.parametrize("step", STEPS if ALL else ["freeze", "drain", "way back", "commit", "open"])
	def test_by_another(self, make_moving, step):
		moving = make_moving().stop_at(step)
		moving.kill()
		moving.release()
		outcome = moving.p(*moving.words("--undo"))
		if moving.state()[1] == "committed":
			assert outcome.code == USAGE, outcome
			moving.until_over()
		ends = {"commit": None, **{s: "done" for s in BEHIND}}  # the server may have had the statement that decides
		moving.assert_over(ends.get(step, "undone"))


class TestOthers:
	def test_over_the_limit(self, make_moving):
		moving = make_moving(cutover_limit_s=5)
		moving.at_freeze()
		outcome = moving.finish()
		assert "limit of 5 s" in outcome and outcome.code == FAILED, outcome
		moving.release()
		moving.assert_over("undone")

	def test_two_at_once(self, make_moving):
		moving = make_moving()
		moving.at_freeze()
		second = moving.p(*moving.words())
		assert second.code != DONE and "by another pgpier" in second, second
		third = moving.p(*moving.words("--undo"))
		assert third.code != DONE and "by another pgpier" in third, third
		moving.release()
		moving.finish().expect(DONE)
		moving.assert_over("done")

	def test_the_mirror_runs_elsewhere(self, make_moving):
		"""Nothing begins: the process that has the stream is the one to ask."""
		moving = make_moving()
		other = moving.p.start("run", "m", "--json")
		moving.wait(lambda: sessions_of(moving.goal, "apply"), "its stream")
		try:
			outcome = moving.p(*moving.words())
			assert outcome.code != DONE and "by another pgpier" in outcome, outcome
		finally:
			other.kill()
			other.communicate()
		moving.assert_over("undone")

	def test_stopped_and_undone_by_another(self, make_moving):
		"""A process that hangs keeps its sessions: when its limit is over, a person may take them away. When it goes
		on, it finds out."""
		moving = make_moving(cutover_limit_s=5)
		moving.at_freeze()
		moving.process.send_signal(signal.SIGSTOP)
		refused = moving.p(*moving.words("--undo"))
		assert refused.code != DONE and "by another pgpier" in refused, refused
		moving.wait(moving.is_overdue, "the end of its limit")
		moving.p(*moving.words("--undo")).expect(DONE)
		moving.application.wait_for(5, moving.left.port)
		moving.process.send_signal(signal.SIGCONT)
		outcome = moving.finish()
		assert outcome.code == FAILED and outcome.json["cutover"]["phase"] == "undone", outcome
		moving.release()
		moving.assert_over("undone")

	def test_stopped_while_another_cuts_over(self, make_moving):
		"""It was undone, and a second cutover has been done when the first goes on: it may not open what it closed."""
		moving = make_moving(cutover_limit_s=5)
		moving.at_freeze()
		first, moving.process = moving.process, None
		first.send_signal(signal.SIGSTOP)
		moving.wait(moving.is_overdue, "the end of its limit")
		moving.p(*moving.words("--undo")).expect(DONE)
		moving.end_sessions(first)
		moving.release()
		moving.p(*moving.words()).expect(DONE)
		moving.application.wait_for(5, moving.goal.port)
		first.send_signal(signal.SIGCONT)
		outcome = moving.p.finish(first)
		assert outcome.code != DONE, outcome
		moving.assert_over("done")

	def test_target_is_away_before_the_commit(self, make_moving):
		"""Writers do not wait for it: the source opens at once."""
		moving = make_moving(cutover_limit_s=10).stop_at("verify")
		moving.goal.stop(signal.SIGQUIT)
		try:
			moving.application.wait_for(5, moving.left.port, 30)
		finally:
			moving.goal.start()
		moving.release()
		moving.finish()
		moving.until_over("--undo")
		moving.assert_over("undone")

	def test_target_is_away_at_the_commit(self, make_moving):
		"""Its answer is lost and it does not come back for a while: nothing opens until it says what became of it."""
		moving = make_moving().stop_at("answer")
		moving.goal.stop(signal.SIGQUIT)
		moving.wait(lambda: "undoing the cutover" in moving.p.log(), "that pgpier noticed")
		moving.goal.start()
		moving.release()
		moving.finish().expect(DONE)
		moving.assert_over("done", look_back=True)

	def test_a_hidden_writer(self, make_moving):
		"""A superuser of the allowed, who writes behind the fence, is found before the commit."""
		moving = make_moving().stop_at("verify")
		c = moving.left.connect(moving.pair.name, user=KEEPER)
		with c.cursor() as cursor:
			cursor.execute("SET default_transaction_read_only = off")
			cursor.execute("UPDATE app_totals SET writes = writes + 1 WHERE writer = 61")
		c.close()
		moving.release()
		outcome = moving.finish()
		assert outcome.code != DONE and "app_totals" in outcome, outcome
		moving.assert_over("undone")

	@pytest.mark.parametrize("hook,end", [("freeze_command", "undone"), ("open_command", "done")])
	def test_a_hook_that_fails(self, make_moving, hook, end):
		moving = make_moving(**{hook: "echo no such bouncer >&2; exit 3"})
		outcome = moving.p(*moving.words())
		assert outcome.code == FAILED and "no such bouncer" in outcome, outcome
		if end == "done":
			assert not moving.is_over()
			moving.mend()
			moving.until_over()
		moving.assert_over(end)

	def test_a_prepared_transaction(self, make_moving):
		"""It would commit behind any fence, so nothing begins until it is ended."""
		moving = make_moving()
		moving.left.sql("BEGIN; UPDATE app_totals SET writes = 7 WHERE writer = 62; PREPARE TRANSACTION 'later'",
			moving.pair.name)
		outcome = moving.p(*moving.words())
		assert outcome.code != DONE and "later" in outcome, outcome
		moving.left.sql("ROLLBACK PREPARED 'later'", moving.pair.name)
		moving.p(*moving.words()).expect(DONE)
		moving.assert_over("done")


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


# Its goal commits without waiting for anything, so no answer can be held back there; and at "prepare" it is the
# mirror's start that waits for the lock, before there is a cutover.
BACK_STEPS = [s for s in STEPS if s not in ("prepare", ANSWER)]


class TestRollback:
	"""The same machine with the servers' parts exchanged, and a fence on either side."""

	@pytest.mark.parametrize("step", BACK_STEPS if ALL else ["drain", "commit", "follow"])
	def test_killed(self, make_moving, step):
		moving = make_moving(back=True).stop_at(step)
		moving.kill()
		moving.release()
		moving.until_over()
		moving.assert_over("done", look_back=True)

	@pytest.mark.parametrize("step", ["prepare"] + BACK_STEPS if ALL else ["prepare", "way back"])
	def test_undone(self, make_moving, step):
		moving = make_moving(back=True).stop_at(step)
		moving.interrupt()
		moving.until_over()
		moving.assert_over("done" if step in BEHIND else "undone")

	@pytest.mark.parametrize("step", BACK_STEPS if ALL else ["freeze", "open"])
	def test_restart(self, make_moving, step):
		moving = make_moving(back=True).stop_at(step)
		side = moving.pair.source if STEPS.index(step) % 2 else moving.pair.target
		side.restart(signal.SIGQUIT)
		moving.release()
		moving.finish()
		moving.until_over()
		moving.assert_over(end_of(step))

	def test_not_before_the_cutover_is_through(self, make_moving):
		"""Who went on with the cutover afterwards would open the target while the source is."""
		moving = make_moving().stop_at("follow")
		moving.kill()
		moving.release()
		outcome = moving.p("rollback", "m", "--yes-i-mean", "m", "--json")
		assert outcome.code != DONE, outcome
		moving.until_over()
		moving.assert_over("done")
