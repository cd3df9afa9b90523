# SPDX-License-Identifier: PostgreSQL
"""A cutover by the command line: what it asks on a terminal, what ctrl-C does at which moment, what --undo and the
status say of one that was left halfway, and what is told when there is no terminal."""
import signal

import pytest

from support import app
from support.held_cutover import HeldCutover
from support.live import publications, slots
from support.moving import is_closed, told
from support.pgpier import DONE, FAILED, INTERRUPTED, USAGE, mirror
from support.term import Terminal

CTRL_C = "\x03"
PROMPT = "Type the mirror's name, m, to go on:"
WRITERS = "The writers are stopped (yes):"


@pytest.fixture
def make_moving(pair):
	"""A mirror that replicates beneath an application that writes, whose cutover can be held."""
	made = []

	def make(**settings):
		made.append(HeldCutover(pair, **settings))
		return made[-1].begin()
	yield make
	for moving in made:
		moving.end()


def on_terminal(moving, *words):
	"""A terminal so wide that no line is cut."""
	return Terminal(moving.p.command(*words), rows=50, cols=200)


def begin(t):
	t.wait(PROMPT, 30)
	t.text("m\r")


# ---- questions ----

def test_the_name_is_typed(make_moving):
	moving = make_moving()
	for answer in "target\r", "\r", CTRL_C:
		with on_terminal(moving, "cutover", "m") as t:
			t.wait("GATE", 30)
			t.wait("cutover: the application leaves source for target")
			t.wait(PROMPT)
			t.text(answer)
			t.wait("nothing was begun")
			assert t.exit() == INTERRUPTED
	assert moving.state() is None
	with on_terminal(moving, "cutover", "m") as t:
		begin(t)
		t.match(r"cut over from source to target; nobody could write for [0-9]", 60)
		t.wait("pgpier rollback m goes back, pgpier finish m ends it")
		assert t.exit() == DONE
	moving.assert_over("done")


def test_the_name_is_given(make_moving):
	moving = make_moving()
	moving.p("cutover", "m").expect(USAGE, "there is no terminal", "say --yes-i-mean m")
	moving.p("cutover", "m", "--yes-i-mean", "source").expect(USAGE, "but the mirror is \"m\"")
	assert moving.state() is None
	moving.p("cutover", "m", "--yes-i-mean", "m").expect(DONE, "cut over from source to target")
	moving.assert_over("done")


def test_rollback_and_finish_ask_too(make_moving):
	moving = make_moving(back=True)
	pair = moving.pair
	with on_terminal(moving, "finish", "m") as t:
		t.wait("finish: nobody can go back to source any more", 30)
		t.wait(PROMPT)
		t.text("y\r")
		t.wait("nothing was begun")
		assert t.exit() == INTERRUPTED
	with on_terminal(moving, "rollback", "m") as t:
		t.wait("rollback: the application leaves target for source", 30)
		begin(t)
		t.match("cut over from target to source", 60)
		assert t.exit() == DONE
	moving.assert_over("done")
	moving.p("finish", "m", "--yes-i-mean", "m").expect(FAILED, "its application is on peer source")
	moving.p("cutover", "m", "--yes-i-mean", "m").expect(DONE)
	with on_terminal(moving, "finish", "m") as t:
		begin(t)
		t.wait("mirror m: finished; target has the application", 30)
		t.wait("what remains:")
		t.wait("closed to applications and stays so until this is run there")
		assert t.exit() == DONE
	for server in (pair.source, pair.target):
		assert slots(server, pair.name) == [] and publications(server, pair.name) == []
		assert not server.sql("SELECT 1 FROM pg_namespace WHERE nspname = 'pgpier'", pair.name)
	assert is_closed(pair.source, pair.name) and not is_closed(pair.target, pair.name)


def test_writers_are_stopped_by_a_person(make_moving):
	moving = make_moving(freeze="wait")
	for probe in moving.probes:  # nothing keeps them out
		probe.stop()
	moving.p(*moving.words()).expect(USAGE, "say --writers-stopped")
	with on_terminal(moving, "cutover", "m") as t:
		begin(t)
		t.wait("Stop everybody who writes to source now.", 30)
		t.wait(WRITERS)
		t.text("soon\r")
		t.wait("Type yes when they are, or press ^C to undo:")
		t.text(CTRL_C)
		t.wait("source is open as it was before", 30)
		assert t.exit() == INTERRUPTED
	with on_terminal(moving, "cutover", "m") as t:
		begin(t)
		t.wait(WRITERS, 30)
		moving.application.stop()
		t.text("yes\r")
		t.wait("cut over from source to target", 60)
		assert t.exit() == DONE
	moving.assert_kept(moving.goal)


def test_writers_are_stopped_beforehand(make_moving):
	moving = make_moving(freeze="wait")
	for one in [moving.application, *moving.probes]:
		one.stop()
	outcome = moving.p(*moving.words("--yes-i-mean", "m", "--writers-stopped")).expect(DONE)
	assert told(outcome)["phase"] == "done" and "somebody says" in str(told(outcome)["steps"])
	moving.assert_kept(moving.goal)


# ---- ctrl-C ----

def test_the_first_undoes(make_moving):
	moving = make_moving()
	moving.may_not("freeze")
	with on_terminal(moving, "cutover", "m") as t:
		begin(t)
		t.match(r"s  freeze: freeze_command runs", 30)
		t.text(CTRL_C)
		t.wait("undoing, the source will be as it was; once more leaves at once")
		t.wait("source is open as it was before", 30)
		assert t.exit() == INTERRUPTED
	moving.may("freeze")
	moving.assert_over("undone")


def test_the_second_leaves_and_another_undoes(make_moving):
	moving = make_moving()
	moving.may_not("freeze")
	moving.may_not("unfreeze")
	with on_terminal(moving, "cutover", "m") as t:
		begin(t)
		t.match(r"s  freeze: freeze_command runs", 30)
		t.text(CTRL_C)
		t.match("s  undoing freeze", 30)
		t.text(CTRL_C)
		t.wait("left at once, where it stands: pgpier cutover m goes on, with --undo it undoes")
		assert t.exit() == INTERRUPTED
	assert moving.state() == ("freeze", "undoing")
	moving.may("freeze", "unfreeze")
	stands = moving.p("status", "m")
	assert "interrupted" in stands and "undo:    pgpier cutover m --undo" in stands, stands
	undone = moving.p("cutover", "m", "--undo").expect(DONE, "source is open as it was before")
	assert "Type the mirror's name" not in undone, undone
	moving.p("cutover", "m", "--undo").expect(USAGE, "there is no cutover of mirror m to undo")
	moving.assert_over("undone")


def test_behind_the_commit_it_goes_on(make_moving):
	moving = make_moving()
	moving.may_not("open")
	with on_terminal(moving, "cutover", "m") as t:
		begin(t)
		t.match("s  open", 60)
		t.text(CTRL_C)
		t.wait("it is cut over and can't be undone any more, only rolled back")
		moving.p("cutover", "m", "--undo").expect(FAILED)  # another process has it
		t.text(CTRL_C)
		t.wait("left at once")
		assert t.exit() == INTERRUPTED
	moving.p("cutover", "m", "--undo").expect(USAGE, "it is cut over: a rollback leads back")
	assert "go on:   pgpier cutover m" in moving.p("status", "m")
	moving.may("open")
	with on_terminal(moving, "cutover", "m") as t:  # what remains needs no checklist
		begin(t)
		t.wait("cut over from source to target", 60)
		assert "GATE" not in t.shown()
		assert t.exit() == DONE
	moving.assert_over("done")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_other_signals_undo_as_well(make_moving, number):
	"""A service manager, a terminal that is closed."""
	moving = make_moving()
	moving.at_freeze()
	moving.process.send_signal(number)
	outcome = moving.finish()
	assert outcome.code == INTERRUPTED and told(outcome)["phase"] == "undone", outcome
	assert told(outcome)["error"] and "undo" in told(outcome)["error"]
	moving.may("freeze")
	moving.assert_over("undone")


# ---- without a terminal ----

def test_a_rehearsal_changes_nothing(make_moving):
	moving = make_moving()
	rehearsed = moving.p("cutover", "m", "--dry-run", "--json").expect(DONE)
	assert told(rehearsed)["phase"] == "rehearsed" and told(rehearsed)["forecast_s"] > 0, rehearsed
	gates = {g["gate"]: g for g in rehearsed.json["gates"]}
	assert {"initial load", "lag", "sequences", "freeze", "way back"} <= set(gates), gates
	assert all(g["state"] in ("ok", "warning") and (g["next"] or g["state"] == "ok") for g in gates.values()), gates
	assert moving.state() is None and publications(moving.goal, moving.pair.name) == []
	assert not is_closed(moving.left, moving.pair.name)
	moving.application.wait_for(5, moving.left.port)


def test_the_settings_are_told(make_moving):
	moving = make_moving(cutover_limit_s=77)
	listed = moving.p("mirror", "list", "--json").expect(DONE).json["mirrors"][0]
	for key, value in mirror(**{**moving.settings, "cutover_limit_s": 77}).items():
		assert listed["mirror" if key == "name" else key] == value, key
	assert listed["freeze"] == "fence" and listed["finished"] is False
	assert app.ROLE not in listed["allow"]
