# SPDX-License-Identifier: PostgreSQL
"""What happens to servers, sessions, locks and disks during a load: the mirror completes, or says why not."""
import os
import signal
import subprocess

import pytest

from support import cluster
from support.load import copying, sessions, tables_sql, terminate, wait_for_copy, wait_until
from support.pgpier import DONE, FAILED, INTERRUPTED

# Six tables of 2 MB through a limit of 2 MB/s: six seconds in which to be disturbed.
SIX = tables_sql(6, 6000, 330)
SLOW = {"rate_limit_mb": 2, "rows_per_chunk": 1000, "workers": 2}


@pytest.fixture
def own_servers():
	"""Two servers that a test may break. What they have committed survives a crash."""
	safe = {"synchronous_commit": "on"}
	with cluster.Cluster("breakable-a", settings=safe) as a, cluster.Cluster("breakable-b", settings=safe) as b:
		yield a, b


@pytest.mark.sanitized
@pytest.mark.parametrize("side", ["source", "target"])
def test_worker_sessions_killed(pair, side):
	pair.fill(SIX)
	server = getattr(pair, side)
	p = pair.pgpier(**SLOW)
	process = p.start("run", "m", "--json")
	for _ in range(3):
		wait_for_copy(process, server)
		terminate(server, copying(server))
	outcome = p.finish(process).expect(DONE)
	pair.assert_equal(outcome)


@pytest.mark.parametrize("side", ["source", "target"])
def test_all_sessions_killed(pair, side):
	"""The snapshot's keepers go as well: what is unfinished is copied from a new moment."""
	pair.fill(SIX)
	server = getattr(pair, side)
	p = pair.pgpier(**SLOW)
	process = p.start("run", "m", "--json")
	wait_for_copy(process, server)
	terminate(server, sessions(server))
	outcome = p.finish(process)
	if outcome.code != DONE:
		assert outcome.errors(), "failed and does not say why: %s" % outcome
		outcome = p.run().expect(DONE)
	pair.assert_equal(outcome)


def test_a_start_that_fails_forgets_nothing(make_pair, own_servers):
	"""A mirror that stands half-way is run while its source is away: what the target knows of it stays."""
	source, target = own_servers
	pair = make_pair(source, target)
	pair.fill(SIX)
	p = pair.pgpier(**SLOW)
	process = p.start("run", "m", "--json")
	wait_for_copy(process, source)
	process.send_signal(signal.SIGINT)
	p.finish(process).expect(INTERRUPTED)
	source.stop()
	process = p.start("run", "m", "--json")
	wait_until(lambda: "trying again" in p.log(), "it noticed that the source is away")
	source.start()
	pair.assert_equal(p.finish(process).expect(DONE))


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT])
@pytest.mark.parametrize("side", [0, 1])
def test_server_restarted(make_pair, own_servers, side, how):
	"""In good order and by a crash. Connection errors are retried; a server that is back is used again."""
	pair = make_pair(*own_servers)
	pair.fill(SIX)
	p = pair.pgpier(**SLOW)
	process = p.start("run", "m", "--json")
	wait_for_copy(process, own_servers[side])
	own_servers[side].restart(how)
	outcome = p.finish(process)
	if outcome.code != DONE:
		assert outcome.errors(), "failed and does not say why: %s" % outcome
		outcome = p.run().expect(DONE)
	pair.assert_equal(outcome)


def test_server_gone_for_good(make_pair, own_servers):
	"""Retries are shown and end: no mirror is said to run for ever against nothing."""
	pair = make_pair(*own_servers)
	pair.fill(SIX)
	p = pair.pgpier(**SLOW)
	process = p.start("run", "m", "--json")
	wait_for_copy(process, pair.target)
	pair.target.stop(signal.SIGQUIT)
	try:
		wait_until(lambda: "retry" in p.said() + p.log(), "a retry that is shown")
		process.send_signal(signal.SIGINT)
		outcome = p.finish(process, timeout=30)
		assert outcome.code in (FAILED, INTERRUPTED), outcome
	finally:
		pair.target.start()
	outcome = p.run().expect(DONE)
	pair.assert_equal(outcome)


@pytest.mark.parametrize("side", ["source", "target"])
def test_a_lock_that_blocks_is_explained(pair, side):
	"""The others go on; who blocks is said; when the lock goes, the table is copied."""
	pair.fill(SIX)
	pair.target.sql("CREATE TABLE t03 (id int PRIMARY KEY, n int DEFAULT 0, v text); CREATE INDEX ON t03 (n)",
		pair.name)
	server = getattr(pair, side)
	blocker = server.connect(pair.name, autocommit=False)
	with blocker.cursor() as cursor:
		cursor.execute("LOCK TABLE t03 IN ACCESS EXCLUSIVE MODE; SELECT pg_backend_pid()")
		pid = str(cursor.fetchone()[0])
	p = pair.pgpier(workers=2)
	process = p.start("run", "m", "--json")
	wait_until(lambda: pid in p.said() + p.log(), "word of the blocking session %s" % pid, 40)
	assert process.poll() is None
	blocker.rollback()
	blocker.close()
	outcome = p.finish(process).expect(DONE)
	pair.assert_equal(outcome)


def test_interrupted_by_the_keyboard(pair):
	"""Ctrl-C keeps the state, soon, and nothing of ours stays on the servers; the next run completes."""
	pair.fill(SIX)
	p = pair.pgpier(**SLOW)
	process = p.start("run", "m", "--json")
	wait_for_copy(process, pair.target)
	process.send_signal(signal.SIGINT)
	outcome = p.finish(process, timeout=5).expect(INTERRUPTED)
	for server in (pair.source, pair.target):
		wait_until(lambda s=server: not sessions(s), "the end of pgpier's sessions")
	status = p("status", "m", "--json").expect(DONE)
	assert "paused" in status.out or "interrupted" in status.out, status
	outcome = p.run().expect(DONE)
	pair.assert_equal(outcome)


def test_two_pgpiers_on_one_mirror(pair):
	"""The second is refused, and disturbs nothing."""
	pair.fill(SIX)
	p = pair.pgpier(**SLOW)
	process = p.start("run", "m", "--json")
	wait_for_copy(process, pair.target)
	second = pair.pgpier(**SLOW)
	assert second.run(timeout=30).code == FAILED
	outcome = p.finish(process).expect(DONE)
	pair.assert_equal(outcome)


@pytest.fixture
def small_disk(target):
	"""A tablespace of 8 MB on the target, and a function that makes it larger."""
	if os.geteuid() != 0:
		pytest.skip("mounting a small disk takes root")
	folder = cluster.temporary_folder("pgpier-disk-")
	mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", folder], capture_output=True, check=False)
	if mount.returncode != 0:
		pytest.skip("no tmpfs can be mounted here: %s" % mount.stderr.decode().strip())
	try:
		os.chown(folder, target.account.pw_uid, target.account.pw_gid)
		os.chmod(folder, 0o700)
		target.sql("CREATE TABLESPACE small LOCATION '%s'" % folder)
		yield lambda: subprocess.run(["mount", "-o", "remount,size=200m", folder], check=True)
	finally:
		subprocess.run(["umount", "-l", folder], check=True)


def test_target_disk_full(pair, small_disk):
	"""One table's disk is full: the server's words, the others arrive, and with room the rerun completes."""
	pair.fill(SIX + "; INSERT INTO t02 SELECT i, i, repeat('z', 800) FROM generate_series(10000, 30000) AS i")
	pair.target.sql("CREATE TABLE t02 (id int PRIMARY KEY, n int DEFAULT 0, v text) TABLESPACE small;"
		" CREATE INDEX ON t02 (n)", pair.name)
	try:
		p = pair.pgpier(rows_per_chunk=2000)
		outcome = p.run().expect(FAILED, "No space left on device")
		states = {t["source"]: t["state"] for t in outcome.json["tables"]}
		assert states.pop("public.t02") == "failed" and set(states.values()) == {"done"}, outcome
		pair.assert_equal(outcome, only=list(states))
		small_disk()
		outcome = p.run().expect(DONE)
		pair.assert_equal(outcome)
	finally:
		pair.target.drop_db(pair.name)
		pair.target.sql("DROP TABLESPACE small")


def test_the_source_changes_under_the_load(pair):
	"""Tables dropped or altered after the snapshot fail alone or arrive whole; nothing hangs."""
	pair.fill(SIX)
	p = pair.pgpier(**SLOW)
	process = p.start("run", "m", "--json")
	wait_for_copy(process, pair.source)
	pair.source.sql("SET lock_timeout = '5s'; CREATE TABLE later (i int); TRUNCATE t06; DROP TABLE t05", pair.name)
	outcome = p.finish(process)
	assert outcome.code in (DONE, FAILED), outcome
	states = {t["source"]: t["state"] for t in outcome.json["tables"]}
	assert all(states["public.t0%d" % n] == "done" for n in (1, 2, 3, 4)), outcome
	pair.assert_equal(outcome, only=["public.t0%d" % n for n in (1, 2, 3, 4)])
