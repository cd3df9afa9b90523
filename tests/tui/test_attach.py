# SPDX-License-Identifier: PostgreSQL
"""The engine in the background outlives every terminal, and every terminal gets what is its own back."""
import os
import random
import shutil
import signal
import subprocess
import time

import pytest

from support.attach import BYE, INPUT, Background, frame, hello, read_all, read_frames, wait_for
from support.live import MARKERS, Live
from support.load import tables_sql
from support.pgpier import DONE, FAILED, PATIENCE, USAGE
from support.term import Terminal

AGAIN = r"\[detached: nothing runs; pgpier attaches again\]"


@pytest.fixture
def engine(home):
	"""Of a pgpier that has nothing configured."""
	with Background(home) as e:
		yield e


@pytest.fixture
def plain():
	"""The modes of a terminal that nobody has touched."""
	with Terminal(["sleep", "9"]) as t:
		return t.stty()


def given_back(t, before):
	screen = t.screen()
	assert t.stty() == before
	assert not screen["alternate"] and screen["cursor"] and screen["mouse"] == 0, screen


def opened(engine, *options, **terminal):
	t = engine.open(*options, **terminal)
	t.wait("Peers (0)")
	return t


# ---- coming and going ----

@pytest.mark.sanitized
def test_starts_detaches_attaches_stops(engine, plain):
	t = opened(engine)
	pid = engine.pid()
	assert os.getsid(pid) not in (0, pid, os.getsid(t.pid())), "a session of its own, which it does not lead"
	t.wait("q detach")
	t.key("3").wait("nothing has happened yet")
	t.key("D").match(AGAIN)
	assert t.exit() == 0
	given_back(t, plain)
	t = engine.open()
	t.wait("nothing has happened yet")  # where it was left
	assert engine.pid() == pid
	t.key("q").match(AGAIN)
	assert "nothing runs" in engine.stop()
	assert engine.home("stop").expect(DONE).out == "no engine runs\n"


@pytest.mark.sanitized
def test_stops_from_the_console(engine, plain):
	t = opened(engine)
	t.key("Q").match(r"\[stopped: nothing runs; what is done is kept")
	assert t.exit() == 0
	given_back(t, plain)
	wait_for(lambda: not engine.runs(), "its end")


def test_start_needs_no_terminal(engine):
	engine.home("start").expect(DONE, "the engine runs", "nothing runs")
	pid = engine.pid()
	engine.home("start").expect(DONE, "(pid %d)" % pid)
	assert engine.status()["pid"] == pid and engine.status()["attached"] is None
	engine.home("detach").expect(DONE, "nobody is attached")


def test_there_is_nothing_to_attach_to(engine):
	t = engine.open("attach", cols=200)
	t.wait("no engine runs for")
	assert t.exit() == FAILED
	engine.home("detach").expect(FAILED, "no engine runs", "pgpier starts one")


def test_what_is_wrong_is_said_where_it_was_started(engine):
	engine.home.write_text("peers = 5;\n")
	t = engine.open(cols=200)
	t.match(r"pgpier\.conf:1: ")
	assert t.exit() == USAGE
	assert not engine.runs()


def test_many_that_start_at_once_get_one_engine(engine):
	terminals = [engine.home.start("start") for _ in range(6)]
	for process in terminals:
		out, _ = process.communicate(timeout=30 * PATIENCE)
		assert process.returncode == DONE
		assert "(pid %d)" % engine.pid() in out


def test_detached_from_elsewhere(engine, plain):
	t = opened(engine)
	engine.home("detach").expect(DONE, "detached pts/")
	t.match(r"\[detached by pid [0-9]+: nothing runs; pgpier attaches again\]")
	assert t.exit() == 0
	given_back(t, plain)


# ---- two at once ----

@pytest.mark.sanitized
def test_a_second_one_asks_first(engine, plain):
	first = opened(engine)
	second = engine.open()
	second.wait("pgpier is in use on pts/")
	second.text("n\n").wait("left as it is")
	assert second.exit() == FAILED
	first.key("3").wait("nothing has happened yet")
	second = engine.open()
	second.wait("Take it over?")
	second.text("y\n").wait("nothing has happened yet")
	first.match(r"\[detached by pts/")
	assert first.exit() == 0
	given_back(first, plain)
	third = engine.open("attach", "--steal")
	third.wait("nothing has happened yet")
	assert second.exit() == 0


def test_look_only(engine):
	t = opened(engine, "--readonly")
	t.wait("read-only")
	t.key("n").wait("the console is read-only")
	t.key("Esc").key("q")
	assert t.exit() == 0
	opened(engine).key("n").wait("New peer")


# ---- terminals ----

def test_each_terminal_gets_its_own_size_and_kind(engine):
	t = opened(engine)
	assert t.still().lines()[22].startswith("└")
	t.resize(40, 120)
	wait_for(lambda: t.lines()[38].endswith("┘") and len(t.lines()[38]) == 120, "the new size")
	t.key("D")
	t.exit()
	for term in ("linux", "vt100", "unknown-xyz", "dumb", "screen", "xterm-256color"):
		t = opened(engine, term=term, rows=20, cols=70)
		t.still()
		assert len([line for line in t.lines() if "Peers (0)" in line]) == 1, t.shown()
		t.key("D")
		assert t.exit() == 0
		t.wait("[detached")


def test_no_utf8_no_such_bytes(engine):
	"""The engine was started from a terminal that has UTF-8."""
	engine.home.write([{"name": "p", "host": "/münchen表"}], [])
	t = engine.open()
	t.key("1").wait("münchen表")
	t.key("D")
	t = engine.open(lang="C")
	t.match("p +./m.*nchen")
	assert t.still().shown().isascii(), t.shown()
	t.key("D").wait("[detached")
	t = engine.open()
	t.wait("münchen表")
	assert "┌" in t.shown()


def test_no_color(engine):
	opened(engine).key("D")
	t = opened(engine, env={"NO_COLOR": "1"})
	t.still()
	assert not any(key in run for row in t.cells() for run in row for key in ("fg", "bg"))


@pytest.mark.parametrize("around", ["tmux", "script"])
def test_inside(engine, around):
	"""A terminal within a terminal."""
	command = engine.home.command()
	if around == "script":
		command = ["script", "-q", "-c", " ".join(command), "/dev/null"]
	else:
		command = ["tmux", "-f", "/dev/null", "-L", "pgpier%d" % os.getpid(), "new", " ".join(command)]
	if not shutil.which(command[0]):
		pytest.skip("no %s" % command[0])
	with Terminal(command, env={"HOME": engine.home.folder}) as t:
		t.wait("Peers (0)")
		t.key("3").wait("nothing has happened yet")
		t.key("D")
		assert t.exit() == 0
	assert engine.status()["attached"] is None


def test_a_long_path(engine):
	"""A socket's address holds 107 bytes."""
	engine.home.state = os.path.join(engine.home.folder, "x" * 120, "state")
	t = opened(engine)
	t.key("D").match(AGAIN)
	assert "nothing runs" in engine.stop()


def test_a_paste_of_a_megabyte(engine):
	t = opened(engine)
	t.key("n").wait("New peer")
	t.paste("x" * 1000000)
	t.key("Tab").still()
	t.key("C-c")
	assert t.exit() == 0


# ---- ends of all kinds ----

@pytest.mark.sanitized
@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_client_that_is_told_to_end(engine, plain, end):
	t = opened(engine)
	t.signal(end)
	assert t.exit() == 130
	given_back(t, plain)
	engine.detached()
	opened(engine)


@pytest.mark.sanitized
def test_a_client_that_is_killed(engine):
	t = opened(engine)
	t.key("3").wait("nothing has happened yet")
	os.kill(t.pid(), signal.SIGKILL)
	engine.detached()
	engine.open().wait("nothing has happened yet")


def test_a_terminal_that_goes(engine):
	"""As when the link is cut: no processor time is burnt over it."""
	t = opened(engine)
	t.close()
	engine.terminals.remove(t)
	engine.detached()
	before = engine.cpu()
	time.sleep(2)  # what is measured
	assert engine.cpu() - before < 0.05 * PATIENCE
	opened(engine)


def test_an_engine_that_is_killed(engine, plain):
	t = opened(engine)
	engine.kill()
	t.match(r"\[lost: the engine has ended")
	assert t.exit() == FAILED
	given_back(t, plain)
	opened(engine)  # lock and socket of the dead one are in nobody's way


def test_signals_to_the_engine(engine, plain):
	"""A hangup is none of its business; a polite end is one."""
	t = opened(engine)
	for harmless in (signal.SIGHUP, signal.SIGPIPE, signal.SIGTSTP, signal.SIGTTOU, signal.SIGTTIN):
		os.kill(engine.pid(), harmless)
	t.key("3").wait("nothing has happened yet")
	engine.kill(signal.SIGTERM)
	t.match(r"\[stopped: nothing runs")
	assert t.exit() == 0
	given_back(t, plain)


def test_a_client_that_stands_still(pair):
	"""A link that is stuck holds up neither the work nor another terminal."""
	pair.fill(tables_sql(12, 20000))
	with Background(pair.pgpier(workers=2)) as engine:
		t = engine.open()
		t.wait("Mirrors (1)")
		t.key("p").match("m .*(snapshot|initial load|done)")
		os.kill(t.pid(), signal.SIGSTOP)
		engine.loaded("m")
		other = engine.open("attach", "--steal")
		other.match("m .*done")
		os.kill(t.pid(), signal.SIGCONT)
		t.match(r"\[detached by pts/")
		assert t.exit() == 0
	pair.assert_equal()


def test_a_client_that_is_too_slow(engine):
	"""What it can't take is dropped, and it gets a whole screen when it can again."""
	t = opened(engine)
	with engine.connect() as s:
		s.sendall(hello(force=True, rows=200, cols=200, config=engine.home.config))
		assert t.exit() == 0
		typed, drawn = frame(INPUT, b"\x0c" * 100), ""
		for rounds in (40, 200, 1000, 5000):  # until what was drawn and not read is more than is kept for it
			for _ in range(rounds):
				s.sendall(typed)  # each draws the screen anew
				time.sleep(0.02)
			before = engine.cpu()
			time.sleep(0.5)  # what is measured
			assert engine.cpu() - before < 0.3 * PATIENCE
			drawn += read_all(s)
			if "\x18" in drawn:
				break
		assert "Peers (0)" in drawn.partition("\x18")[2]
	opened(engine).key("3").wait("nothing has happened yet")


def test_an_engine_that_stands_still(engine):
	opened(engine).key("D").wait("[detached")
	os.kill(engine.pid(), signal.SIGSTOP)
	t = engine.open()
	t.wait("the engine gives no answer", seconds=20)
	assert t.exit() == FAILED
	os.kill(engine.pid(), signal.SIGCONT)
	opened(engine)


def test_stopped_and_continued(engine):
	t = opened(engine)
	os.kill(t.pid(), signal.SIGSTOP)
	t.resize(30, 100)
	os.kill(t.pid(), signal.SIGCONT)
	wait_for(lambda: t.lines()[28].startswith("└"), "the new size")


# ---- who may ----

def test_only_its_owner(engine):
	"""Where file permissions do not keep another user out, the engine does."""
	if os.getuid() != 0:
		pytest.skip("needs a second user")
	opened(engine).key("D")
	for folder in (engine.home.folder, engine.home.state, engine.path("")):
		os.chmod(folder, 0o711)
	os.chmod(engine.path("socket"), 0o777)
	ask = "import socket, sys; s = socket.socket(socket.AF_UNIX); s.settimeout(10); s.connect(%r); s.sendall(%r);" \
		" sys.exit(s.recv(10) != b'')" % (engine.path("socket"), hello(purpose=1))
	for user in (65534, 0):
		done = subprocess.run(["/usr/bin/python3", "-c", ask], check=False, capture_output=True, text=True,
			user=user, group=user)
		refused = done.returncode == 0 or "Error" in done.stderr
		assert refused == (user != 0), done
	os.chmod(engine.path(""), 0o700)


def test_a_folder_that_others_can_enter(engine):
	os.makedirs(engine.path(""))
	os.chmod(engine.path(""), 0o755)
	engine.home("start").expect(USAGE, "is open to others", "chmod 700")
	assert os.stat(engine.home.state).st_mode & 0o700 == 0o700


def test_nobody_gets_a_core_of_it(engine):
	engine.home("start").expect(DONE)
	with open("/proc/%d/limits" % engine.pid()) as f:
		assert [line.split()[4] for line in f if line.startswith("Max core")] == ["0"]
	assert os.stat("/proc/%d/environ" % engine.pid()).st_uid == 0


# ---- other things at the door ----

def test_another_configuration(engine):
	"""Nobody is shown the peers of another file than the one that was named."""
	opened(engine).key("D")
	engine.detached()
	first, engine.home.config = engine.home.config, engine.home.config + ".other"
	engine.home.write([], [])
	t = engine.open(cols=200)
	t.wait("the engine that runs reads --config %s;" % first)
	assert t.exit() == FAILED


def test_another_version(engine):
	opened(engine).key("D")
	with engine.connect() as s:
		s.sendall(hello(version=99))
		kind, payload = read_frames(s)[-1]
	assert kind == BYE and payload[0] == 1
	assert b"version 1 of the protocol, and this pgpier version 99" in payload, payload
	opened(engine)


@pytest.mark.sanitized
def test_garbage(engine):
	"""Neither noise, nor half a word, nor silence keeps anybody else from attaching."""
	opened(engine).key("D")
	engine.detached()
	dice, quiet = random.Random(7), engine.connect()
	good = hello()
	for n in range(200):
		with engine.connect() as s:
			noise = bytes(dice.randrange(256) for _ in range(dice.randrange(1, 200)))
			cut = good[:dice.randrange(len(good))]
			hurt = bytearray(good)
			hurt[dice.randrange(4, len(good))] ^= 1 << dice.randrange(8)
			try:
				s.sendall((noise, cut, bytes(hurt), good + frame(INPUT, b"", 60000), good + noise)[n % 5])
			except OSError:
				pass  # it was heard enough
	opened(engine)
	quiet.close()


def test_more_guests_than_places(engine):
	opened(engine).key("D")
	engine.detached()
	waiting = [engine.connect() for _ in range(40)]
	for s in waiting:
		s.close()
	opened(engine)


# ---- beside the command line ----

def test_in_the_foreground_it_is_one_too(engine):
	"""One console a state directory, whichever way it was opened."""
	t = opened(engine)
	engine.open("-f", cols=200).match("pgpier's engine .pid %d. has .*; pgpier attaches to it" % engine.pid())
	t.key("Q")
	wait_for(lambda: not engine.runs(), "its end")
	own = opened(engine, "-f")
	engine.home("start").expect(FAILED, "pgpier -f (pid %d)" % own.pid(), "leave it first")
	own.key("D").wait("without -f")
	own.key("Esc").key("q")
	assert own.exit() == 0


def test_what_others_rewrite(pair):
	"""A verb that changes what the console has in memory is refused; one that pauses is handed on to it."""
	pair.fill(tables_sql(4, 1000))
	with Background(pair.pgpier(rate_limit_mb=1)) as engine:
		engine.home("start").expect(DONE)
		for verb in (["drop", "m", "--yes"], ["finish", "m", "--yes-i-mean", "m"]):
			engine.home(*verb).expect(FAILED, "rewrites what a console has open", "pgpier stop")
		engine.home("pause", "m").expect(FAILED, "does not run in this process")
		engine.stop()
		engine.home("drop", "m", "--yes").expect(DONE)


# ---- what ran goes on ----

def running(engine, mirror="m"):
	"""What the engine has written down."""
	try:
		with open(os.path.join(engine.home.state, "running")) as f:
			return mirror in f.read().split()
	except OSError:
		return False


def follows(pair, engine, number):
	"""What is written to the source comes over."""
	pair.source.sql("INSERT INTO markers VALUES (%s)", pair.name, (number,))
	wait_for(lambda: pair.target.sql("SELECT 1 FROM markers WHERE id = %s", pair.name, (number,)), "the marker", 30)


@pytest.fixture
def replicating(pair):
	"""An engine with a mirror that replicates, detached."""
	pair.fill(MARKERS + tables_sql(3, 500))
	with Background(pair.pgpier(continuous=True, slot=Live.slot_of(pair))) as engine:
		t = engine.open()
		t.wait("Mirrors (1)")
		t.key("p").match("m .*replicating", seconds=30)
		wait_for(lambda: running(engine), "its name to be written down")
		t.key("D").match(r"\[detached: m replicating, lag .*; pgpier attaches again\]")
		yield engine


@pytest.mark.sanitized
@pytest.mark.parametrize("end", ["killed", "stopped"])
def test_asks_whether_to_go_on(pair, replicating, end):
	engine = replicating
	follows(pair, engine, 1)
	if end == "killed":
		engine.kill()
		os.unlink(engine.path("socket"))  # a reboot leaves less
	else:
		assert "m replicating" in engine.stop()
	t = engine.open()
	t.wait("m was running when pgpier ended")
	t.key("y").match("m .*replicating", seconds=30)
	follows(pair, engine, 2)
	t.key("p").match("m .*paused")
	wait_for(lambda: not running(engine), "its name to go")
	engine.stop()
	t = engine.open()
	t.match("m .*paused")  # a person paused it: nothing to ask
	t.still()
	assert "was running" not in t.shown()


def test_no_means_no(replicating):
	engine = replicating
	engine.kill()
	t = engine.open()
	t.wait("m was running when pgpier ended")
	t.key("n").match("m .*interrupted")
	wait_for(lambda: not running(engine), "its name to go")


def test_goes_on_by_itself(pair, replicating):
	"""After a reboot, with nobody there."""
	engine = replicating
	engine.kill()
	with open(engine.home.config) as f:
		engine.home.write_text('resume = "auto";\n' + f.read())
	engine.home("start").expect(DONE)
	follows(pair, engine, 3)
	engine.home("pause", "m").expect(DONE, "mirror m is paused")
	assert engine.status()["work"] == "nothing runs"


def test_a_load_outlives_all_of_it(pair):
	"""A client is killed, the engine is killed, and so is the next one."""
	pair.fill(tables_sql(20, 20000))
	with Background(pair.pgpier(workers=2, rows_per_chunk=5000)) as engine:
		with open(engine.home.config) as f:
			engine.home.write_text('resume = "auto";\n' + f.read())
		t = engine.open()
		t.wait("Mirrors (1)")
		t.key("p").match("m .*(snapshot|initial load|done)")
		os.kill(t.pid(), signal.SIGKILL)
		wait_for(lambda: running(engine) or "done" in engine.home.log(), "its name to be written down")
		for _ in range(2):
			engine.kill()
			engine.home("start").expect(DONE)
		engine.loaded("m")
	pair.assert_equal()


# ---- for days ----

@pytest.mark.sanitized
def test_attached_again_and_again(engine):
	"""Memory and descriptors stay as they are. PGPIER_ATTACHES=500 for the whole of it."""
	rounds = int(os.environ.get("PGPIER_ATTACHES", "60"))
	opened(engine).key("D")
	for n in range(rounds):
		t = opened(engine, term=("xterm-256color", "vt100", "linux")[n % 3], rows=20 + n % 30)
		t.key("D") if n % 2 else t.signal(signal.SIGKILL)
		t.exit()
		t.close()
		engine.terminals.remove(t)
		if n == rounds // 3:
			engine.detached()
			memory, descriptors = engine.stat("VmRSS"), engine.descriptors()
	engine.detached()
	assert engine.descriptors() <= descriptors
	if not os.environ.get("PGPIER_SANITIZED"):
		assert engine.stat("VmRSS") < memory + 600, "kB"


def test_idle_is_cheap(pair):
	"""Detached, with two peers to look after."""
	with Background(pair.pgpier()) as engine:
		engine.open().wait("Mirrors (1)")
		engine.terminals.pop().close()
		engine.detached()
		before, began = engine.cpu(), time.monotonic()
		time.sleep(float(os.environ.get("PGPIER_IDLE_S", "4")))  # what is measured
		share = (engine.cpu() - before) / (time.monotonic() - began)
		assert share < 0.01 * PATIENCE, "%.2f %% of a core" % (100 * share)
