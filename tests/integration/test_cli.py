# SPDX-License-Identifier: PostgreSQL
"""The command line as scripts and people use it: exit codes, JSON, signals, questions."""
import json
import signal
import subprocess
import time

import pytest

from support import cluster
from support.load import wait_until
from support.pgpier import BINARY, DONE, FAILED, INTERRUPTED, USAGE, Pgpier, mirror
from support.term import Terminal

ROWS = 200000
# So slow that a test has time to interrupt it.
SLOW = {"rate_limit_mb": 2, "rows_per_chunk": 20000}

RUN_FIELDS = {"mirror", "state", "started", "elapsed_s", "tables", "rows", "bytes", "errors"}
TABLE_FIELDS = {"source", "target", "rows", "bytes", "state", "error", "elapsed_s"}


@pytest.fixture
def big(pair):
	return pair.fill("CREATE TABLE big AS "
		"SELECT i, repeat(md5(i::text), 5) AS t FROM generate_series(1, %d) i" % ROWS)


def wait_until_said(p, text):
	wait_until(lambda: text in p.said(), text)


@pytest.mark.sanitized
@pytest.mark.parametrize("words, said", [
	([], "needs a terminal"),
	(["frobnicate"], "no verb"),
	(["stauts"], "did you mean status?"),
	(["cutover", "m"], "say --yes-i-mean m"),
	(["cutover", "m", "--yes-i-mean", "n"], "but the mirror is \"m\""),
	(["cutover", "m", "--dry-run", "--undo"], "nothing to --undo"),
	(["rollback", "m"], "mirror m has no way back"),
	(["finish", "m"], "say --yes-i-mean m"),
	(["run"], "needs a name"),
	(["run", "shop"], "no mirror"),
	(["run", "mm"], "did you mean m?"),
	(["run", "m", "--until", "done"], "it takes loaded, caught-up"),
	(["run", "m", "--jsn"], "did you mean --json?"),
	(["pause", "m", "--yes"], "takes no --yes"),
	(["peer", "test", "sorce"], "did you mean source?"),
	(["drop", "m"], "say --yes"),
])
def test_usage_is_answered_in_one_line(words, said):
	peers = [{"name": name, "host": "127.0.0.1"} for name in ("source", "target")]
	with Pgpier(peers, [mirror()]) as p:
		outcome = p(*words).expect(USAGE, said)
		assert outcome.out == "" and outcome.err.count("\n") == 1, outcome
		assert outcome.err.startswith("pgpier: "), outcome


@pytest.mark.sanitized
def test_help_and_version_need_no_configuration(tmp_path):
	env = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
	for words, said in (["--version"], "pgpier 0."), (["-h"], "cutover MIRROR"), (["run", "-h"], "--until"):
		out = subprocess.run([BINARY, *words], env=env, capture_output=True, text=True, timeout=20)
		assert out.returncode == DONE and said in out.stdout and out.stderr == "", out


@pytest.mark.sanitized
def test_wrong_configuration_lists_everything():
	with Pgpier() as p:
		p.write_text('peers = ( { nam = "x"; } );\nmirrors = ( { name = "m"; workers = "x"; } );\n')
		outcome = p("status", "--json").expect(USAGE)
		texts = [e["text"] for e in outcome.json["errors"]]
		assert len(texts) >= 3 and {e["class"] for e in outcome.json["errors"]} == {"config"}, outcome
		assert outcome.err.count("\n") == len(texts), outcome


@pytest.mark.sanitized
def test_run_and_status_print_the_same_object(pair):
	pair.fill("CREATE TABLE a AS SELECT generate_series(1, 1000) AS i; CREATE TABLE b (i int)")
	p = pair.pgpier()
	ran = p.run().expect(DONE)
	status = p("status", "m", "--json").expect(DONE)
	for outcome in ran, status:
		assert RUN_FIELDS <= set(outcome.json), outcome
		assert outcome.json["mirror"] == "m" and outcome.json["state"] == "done", outcome
		assert outcome.json["rows"] == 1000 and outcome.json["errors"] == [], outcome
		for table in outcome.json["tables"]:
			assert TABLE_FIELDS <= set(table), outcome
			assert table["state"] == "done" and table["error"] is None, outcome
		assert outcome.table("public.a")["rows"] == 1000, outcome
		assert outcome.json["started"].endswith("Z"), outcome
	everything = p("status", "--json").expect(DONE).json
	assert [m["mirror"] for m in everything["mirrors"]] == ["m"]
	p("status", "m").expect(DONE, "public.a", "done")
	p("status").expect(DONE, "m", "done")


@pytest.mark.sanitized
def test_run_without_json_ends_with_a_line(pair):
	pair.fill("CREATE TABLE a AS SELECT generate_series(1, 1000) AS i")
	outcome = pair.pgpier()("run", "m", "--until", "loaded").expect(DONE)
	assert outcome.out.startswith("mirror m: done: 1 of 1 tables, 1.0 k rows"), outcome
	assert outcome.out.count("\n") == 1, outcome


@pytest.mark.sanitized
def test_a_failed_table_fails_the_run(pair):
	pair.fill("CREATE TABLE a (i int); CREATE TABLE b AS SELECT 1 AS i")
	pair.target.sql("CREATE TABLE b (i int CHECK (i > 1))", pair.name)
	outcome = pair.pgpier().run().expect(FAILED)
	assert outcome.table("public.a")["state"] == "done", outcome
	failed = outcome.table("public.b")
	assert failed["state"] == "failed" and "check constraint" in failed["error"], outcome
	assert outcome.json["errors"][-1]["subject"] == "public.b", outcome
	assert outcome.json["errors"][-1]["class"] == "data", outcome
	assert "table public.b: " in outcome.err, outcome


@pytest.mark.sanitized
def test_check_changes_nothing(pair):
	pair.fill("CREATE TABLE a AS SELECT 1 AS i")
	p = pair.pgpier()
	outcome = p("check", "m", "--json").expect(DONE)
	assert outcome.json["ok"] and outcome.json["tables"] == 1 and outcome.json["plan"], outcome
	assert pair.target.sql("SELECT count(*) FROM pg_class WHERE relname = 'a'", pair.name) == [(0,)]
	pair.target.sql("CREATE TABLE a AS SELECT 2 AS i", pair.name)
	outcome = p("check", "m", "--json").expect(FAILED)
	assert not outcome.json["ok"] and outcome.json["blockers"] == 1, outcome
	assert "public.a" in outcome.json["findings"][0]["subject"], outcome
	p("check", "m").expect(FAILED, "blocker", "public.a")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_pauses_and_run_goes_on(big, number):
	p = big.pgpier(**SLOW)
	process = p.start("run", "m", "--json")
	wait_until_said(p, "started")
	process.send_signal(number)
	outcome = p.finish(process).expect(INTERRUPTED, "pgpier run m goes on")
	assert outcome.json["state"] == "paused", outcome
	fast = big.pgpier()
	fast("resume", "m").expect(DONE)
	big.assert_equal(outcome)


def test_a_second_signal_leaves_at_once(big):
	p = big.pgpier(**SLOW)
	process = p.start("run", "m")
	wait_until_said(p, "started")
	process.send_signal(signal.SIGINT)
	wait_until_said(p, "pausing")
	process.send_signal(signal.SIGINT)
	began = time.monotonic()
	outcome = p.finish(process)
	assert outcome.code == INTERRUPTED and time.monotonic() - began < 5, outcome


@pytest.mark.slow
def test_progress_lines_when_nobody_watches(big):
	p = big.pgpier(**{**SLOW, "rate_limit_mb": 4})
	outcome = p("run", "m", "--json").expect(DONE)
	lines = [line for line in outcome.err.splitlines() if " tables" in line and " %  " in line]
	assert lines and "MB/s" in lines[0] and "rows" in lines[0], outcome
	assert "\r" not in outcome.err and "\033" not in outcome.err, outcome


def test_progress_on_a_terminal_is_one_line(big):
	p = big.pgpier(**SLOW)
	with Terminal(p.command("run", "m"), cols=100) as t:
		t.match(r"[1-9][0-9]* %  .* rows  .* MB/s .* 0/1 tables", 30)
		t.match(r"[2-9][0-9]* %  ", 30)
		shown = [line for line in t.lines() if " tables" in line]
		assert len(shown) == 1, shown
		t.text("\x03")
		t.wait("pgpier run m goes on", 30)
		assert t.exit() == INTERRUPTED


def test_drop_asks(pair):
	pair.fill("CREATE TABLE a AS SELECT 1 AS i")
	p = pair.pgpier()
	p.run().expect(DONE)
	schemas = "SELECT count(*) FROM pg_namespace WHERE nspname = 'pgpier'"
	for answer in "\r", "n\r", "\x03":
		with Terminal(p.command("drop", "m")) as t:
			t.wait("[y/N]")
			t.text(answer)
			t.wait("was not dropped")
			assert t.exit() == FAILED
	assert pair.target.sql(schemas, pair.name) == [(1,)]
	with Terminal(p.command("drop", "m")) as t:
		t.wait("[y/N]")
		t.text("y\r")
		t.wait("the tables it copied stay")
		assert t.exit() == DONE
	assert pair.target.sql(schemas, pair.name) == [(0,)]
	pair.assert_equal()


@pytest.mark.sanitized
def test_drop_with_yes(pair):
	pair.fill("CREATE TABLE a AS SELECT 1 AS i")
	p = pair.pgpier()
	p.run().expect(DONE)
	outcome = p("drop", "m", "--yes", "--json").expect(DONE)
	assert outcome.json == {"mirror": "m", "state": "dropped"}
	pair.assert_equal(outcome)


@pytest.mark.sanitized
def test_lists(pair):
	p = pair.pgpier(exclude=["*.tmp_*"])
	peers = p("peer", "list", "--json").expect(DONE).json["peers"]
	assert [peer["name"] for peer in peers] == ["source", "target"]
	peers = p("peer", "test", "--json").expect(DONE).json["peers"]
	assert [peer["status"] for peer in peers] == ["ok", "ok"] and peers[0]["version_num"] >= 150000
	one = p("peer", "test", "source", "--json").expect(DONE).json
	assert one["name"] == "source" and one["error"] is None
	mirrors = p("mirror", "list", "--json").expect(DONE).json["mirrors"]
	assert mirrors[0]["mirror"] == "m" and mirrors[0]["exclude"] == ["*.tmp_*"]
	p("peer", "list").expect(DONE, "source", "target")
	p("peer", "test").expect(DONE, "ok")
	p("mirror", "list").expect(DONE, "initial copy")


@pytest.mark.sanitized
def test_hostile_names_reach_no_terminal(pair):
	pair.fill('CREATE TABLE "a\033[2Jb" AS SELECT 1 AS i')
	pair.target.sql('CREATE TABLE "a\033[2Jb" AS SELECT 2 AS i', pair.name)
	p = pair.pgpier()
	for words in "run m", "run m --json", "check m", "status m", "status m --json":
		outcome = p(*words.split())
		assert "\033" not in outcome.out + outcome.err, outcome
	assert "a\\x1b[2Jb" in p("check", "m").expect(FAILED).out


def test_pause_of_what_runs_elsewhere(pair):
	p = pair.pgpier()
	outcome = p("pause", "m", "--json").expect(FAILED, "does not run in this process")
	assert outcome.json["errors"][0]["class"] == "conflict", outcome


def test_full_disk_for_the_output():
	with Pgpier() as p, open("/dev/full", "w") as full:
		out = subprocess.run(p.command("peer", "list"), stdout=full, stderr=subprocess.PIPE, text=True)
		assert out.returncode == FAILED and "could not write" in out.stderr, out


def test_password_is_asked_on_the_terminal():
	with cluster.Cluster("asked", auth="scram") as c:
		address = c.address("postgres", tcp=True)
		password = address.pop("password")
		peers = [{"name": n, **address, "password": "ask"} for n in ("source", "target")]
		with Pgpier(peers, [mirror()]) as p:
			p("peer", "test", "source").expect(USAGE, "asks for its password, and there is no terminal")
			for answer, said, code in (password, "ok, ", DONE), ("wrong", "authentication failed", FAILED):
				with Terminal(p.command("peer", "test", "source"), cols=200) as t:
					t.wait("Password of peer source:")
					t.text(answer + "\r")
					t.wait(said)
					assert answer not in "\n".join(t.lines()), t.shown()
					assert t.exit() == code
			with Terminal(p.command("peer", "test", "source")) as t:
				t.wait("Password of peer source:")
				t.text("\x03")
				t.wait("no password was given")
				assert t.exit() == INTERRUPTED


def test_stdout_is_one_json_object(pair):
	pair.fill("CREATE TABLE a AS SELECT 1 AS i")
	p = pair.pgpier()
	for words in "run m", "status", "status m", "check m", "peer list", "run nobody", "nothing":
		outcome = p(*words.split(), "--json")
		assert isinstance(json.loads(outcome.out), dict) and outcome.out.count("\n") == 1, outcome
