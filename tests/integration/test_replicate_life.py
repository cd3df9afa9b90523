# SPDX-License-Identifier: PostgreSQL
"""The life of a mirror that replicates: setup and its undoing, stopping, dropping, lost slots, alerts, idling."""
import json
import os
import signal
import time

import pytest

from support import cluster, torture
from support.live import MARKERS, Live, all_sessions, publications, slots
from support.load import copying, wait_until
from support.pgpier import DONE, FAILED, INTERRUPTED, PATIENCE

TABLES = MARKERS + """
CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT i, 'v' || i FROM generate_series(1, 2000) AS i;
CREATE TABLE u (id int PRIMARY KEY, v text); INSERT INTO u SELECT i, 'u' || i FROM generate_series(1, 2000) AS i;"""
TICK = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid):
	with open("/proc/%d/stat" % pid) as f:
		return sum(int(n) for n in f.read().rpartition(")")[2].split()[11:13]) / TICK


def peak_mb(pid):
	with open("/proc/%d/status" % pid) as f:
		return next(int(line.split()[1]) for line in f if line.startswith("VmHWM:")) / 1000


@pytest.fixture
def own_source():
	"""A source of few slots that keeps little: settings are the test's to change and reload."""
	with cluster.Cluster("own-source", settings={"max_replication_slots": "2", "max_wal_size": "64MB"}) as c:
		yield c


@pytest.mark.sanitized
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_and_gone_on(pair, number):
	"""The slot stays and keeps what comes; status says how much; nothing of ours stays connected."""
	pair.fill(TABLES)
	with Live(pair) as live:
		live.sync()
		outcome = live.stop(number)
		assert outcome.json["state"] in ("paused", "interrupted"), outcome
		for server in (pair.source, pair.target):
			wait_until(lambda s=server: not all_sessions(s), "the end of pgpier's sessions")
		assert len(slots(pair.source, pair.name)) == 1
		live.change("UPDATE t SET v = repeat(md5(v), 30)", "DELETE FROM u WHERE id < 100")
		kept = live.replication()
		assert kept["retained_bytes"] > 1000000, kept
		live.start().sync().equal()
		live.stop()


@pytest.mark.sanitized
def test_status_tells_all(pair):
	pair.fill(TABLES)
	with Live(pair) as live:
		live.sync()
		live.change("UPDATE t SET v = 'x' WHERE id < 50", "DELETE FROM u WHERE id = 1").sync()
		live.wait(lambda: live.status().json["state"] == "replicating", "word of replicating")
		told = live.replication()
		slot, = slots(pair.source, pair.name)
		assert told["slot"] == slot and told["publication"] in publications(pair.source, pair.name), told
		for lsn in "applied", "confirmed":
			assert "/" in told[lsn], told
		assert told["wal_status"] == "reserved" and told["retained_bytes"] >= 0, told
		outcome = live.stop()
		told = outcome.json["replication"]
		assert told["changes"] >= 52 and told["transactions"] >= 4, told
		assert told["missing"] == 0 and told["slow_batches"] == 0 and told["tables_paused"] == 0, told


def test_drop_leaves_nothing_and_takes_nothing_else(pair):
	pair.fill(TABLES + "CREATE PUBLICATION other FOR ALL TABLES")
	pair.source.sql("SELECT pg_create_logical_replication_slot('other_%s', 'pgoutput')" % pair.name, pair.name)
	try:
		with Live(pair) as live:
			live.sync().stop()
			live.p("drop", "m", "--yes").expect(DONE)
			assert slots(pair.source, pair.name) == ["other_" + pair.name]
			assert publications(pair.source, pair.name) == ["other"]
			assert pair.target.sql("SELECT 1 FROM pg_namespace WHERE nspname = 'pgpier'", pair.name) == []
			live.equal()
	finally:
		pair.source.sql("SELECT pg_drop_replication_slot('other_%s')" % pair.name)


def test_setup_refused_at_the_publication(pair):
	"""The source objects to the publication: no slot, no publication, no table is left."""
	pair.fill(TABLES + """
		CREATE FUNCTION no() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not on my server'; END $$;
		CREATE EVENT TRIGGER no ON ddl_command_start WHEN TAG IN ('CREATE PUBLICATION') EXECUTE FUNCTION no()""")
	live = Live(pair)
	live.p.run().expect(FAILED, "not on my server")
	assert slots(pair.source, pair.name) == [] and publications(pair.source, pair.name) == []
	pair.fill("DROP EVENT TRIGGER no")
	live.caught_up().expect(DONE)
	live.equal()


def test_setup_refused_at_the_slot(pair):
	"""Another's slot has the name: it stays as it is, and our publication goes."""
	pair.fill(TABLES)
	pair.source.sql("SELECT pg_create_logical_replication_slot('taken', 'test_decoding')", pair.name)
	try:
		live = Live(pair, slot="taken")
		live.p.run().expect(FAILED, "taken")
		assert slots(pair.source, pair.name) == ["taken"] and publications(pair.source, pair.name) == []
	finally:
		pair.source.sql("SELECT pg_drop_replication_slot('taken')")


def test_no_free_slot(make_pair, own_source, target):
	"""Said before anything is changed; with a free one it goes on."""
	pair = make_pair(own_source, target)
	pair.fill(TABLES)
	for number in (1, 2):
		own_source.sql("SELECT pg_create_physical_replication_slot('s%d')" % number)
	live = Live(pair)
	live.p.run().expect(FAILED, "max_replication_slots")
	assert publications(own_source, pair.name) == []
	own_source.sql("SELECT pg_drop_replication_slot('s1')")
	live.caught_up().expect(DONE)
	live.equal()


def test_tables_without_identity_are_refused_first(pair):
	"""A publication of such a table would make the application's UPDATE fail."""
	pair.fill(TABLES + "CREATE TABLE bare (a int, b int); INSERT INTO bare VALUES (1, 1)")
	outcome = Live(pair).p.run().expect(FAILED, "public.bare")
	assert "REPLICA IDENTITY" in outcome.out + outcome.err, outcome
	assert slots(pair.source, pair.name) == [] and publications(pair.source, pair.name) == []
	pair.source.sql("UPDATE bare SET b = 2", pair.name)


def test_wal_level_is_checked(make_pair, target):
	with cluster.Cluster("replica", settings={"wal_level": "replica"}) as source:
		pair = make_pair(source, target)
		pair.fill(TABLES)
		Live(pair).p.run().expect(FAILED, "wal_level")
		assert publications(source, pair.name) == []
		pair.remove()


def test_who_keeps_the_slot_waiting_is_said(pair):
	"""An old transaction blocks the slot's creation: its process is named; then all goes on."""
	pair.fill(TABLES)
	old = pair.source.connect(pair.name, autocommit=False)
	with old.cursor() as cursor:
		cursor.execute("UPDATE t SET v = 'old' WHERE id = 1; SELECT pg_backend_pid()")
		pid = str(cursor.fetchone()[0])
	with Live(pair) as live:
		live.wait_said(pid)
		old.commit()
		old.close()
		live.sync().equal()


def test_waiting_for_the_slot_can_be_stopped(pair):
	pair.fill(TABLES)
	old = pair.source.connect(pair.name, autocommit=False)
	with old.cursor() as cursor:
		cursor.execute("UPDATE t SET v = 'old' WHERE id = 1")
	with Live(pair) as live:
		time.sleep(1)
		live.stop()
		old.rollback()
		old.close()
		live.caught_up().expect(DONE)
		live.equal()


@pytest.mark.slow
def test_a_lost_slot_is_said_at_once(make_pair, own_source, target):
	"""With the one action that helps, which then does."""
	pair = make_pair(own_source, target)
	pair.fill(TABLES)
	with Live(pair) as live:
		live.sync().stop()
		own_source.sql("ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'")
		own_source.sql("SELECT pg_reload_conf()")
		for _ in range(4):
			own_source.sql("SELECT pg_switch_wal(); CREATE TABLE IF NOT EXISTS x (); DROP TABLE x", pair.name)
			own_source.sql("CHECKPOINT")
		wait_until(lambda: own_source.sql("SELECT wal_status FROM pg_replication_slots") == [("lost",)], "a lost slot")
		outcome = live.p.run().expect(FAILED, "lost")
		assert any(e["class"] == "lost" for e in outcome.json["errors"]), outcome
		status = live.status()
		assert "lost" in status.out, status


def test_someone_dropped_the_slot(pair):
	pair.fill(TABLES)
	with Live(pair) as live:
		live.sync().stop()
		slot, = slots(pair.source, pair.name)
		pair.source.sql("SELECT pg_drop_replication_slot(%s)", parameters=(slot,))
		outcome = live.p.run().expect(FAILED, slot)
		assert any(e["class"] == "lost" for e in outcome.json["errors"]), outcome
		live.p("drop", "m", "--yes").expect(DONE)


def test_two_pgpiers_on_one_mirror(pair):
	pair.fill(TABLES)
	with Live(pair) as live:
		live.sync()
		second = pair.pgpier(continuous=True)
		assert second.run(timeout=30).code == FAILED
		live.change("DELETE FROM t WHERE id < 100").sync().equal()


def test_a_missing_row_is_counted(pair):
	pair.fill(TABLES)
	with Live(pair) as live:
		live.sync()
		pair.target.sql("DELETE FROM t WHERE id IN (17, 18)", pair.name)
		live.change("UPDATE t SET v = 'x' WHERE id = 17", "DELETE FROM t WHERE id = 18",
			"UPDATE t SET v = 'y' WHERE id = 19")
		live.sync()
		outcome = live.stop()
		told = outcome.json["replication"]
		assert told["missing"] == 2 and "public.t" in told["missing_last"] and "18" in told["missing_last"], told
		assert pair.target.sql("SELECT v FROM t WHERE id BETWEEN 17 AND 19", pair.name) == [("y",)]


def test_a_row_in_the_way(pair):
	"""A row that the target has of its own, where the source inserts one: that table says so, the others go on."""
	pair.fill(TABLES)
	with Live(pair) as live:
		live.sync()
		pair.target.sql("INSERT INTO t VALUES (5000, 'mine')", pair.name)
		live.change("INSERT INTO t VALUES (5000, 'theirs')", "UPDATE u SET v = 'on' WHERE id = 1").sync()
		live.equal(only=["public.u"])
		live.wait(lambda: live.replication()["tables_paused"] == 1, "word of a paused table")
		live.wait_said("5000")
		pair.target.sql("DELETE FROM t WHERE id = 5000", pair.name)
		live.stop()
		live.start().sync().equal()


def test_excluded_columns_and_other_names(pair):
	"""What the mirror renames or leaves out stays so in the stream."""
	pair.fill(TABLES + "CREATE TABLE w (id int PRIMARY KEY, secret text, v text); INSERT INTO w VALUES (1, 's', 'v')")
	other = [{"source": "public.t", "target": "public.renamed"}]
	with Live(pair, columns_exclude=["public.w.secret"], map=other) as live:
		live.sync()
		live.change("INSERT INTO w VALUES (2, 'secret', 'x'), (3, 's', 'y')",
			"UPDATE w SET secret = 'more', v = 'z' WHERE id = 1", "UPDATE w SET secret = 'even more' WHERE id = 2",
			"DELETE FROM w WHERE id = 3", "UPDATE t SET id = -id, v = 'r' WHERE id < 9", "TRUNCATE u").sync()
		live.equal(mapping={"public.t": "public.renamed"}, leave_out={"public.w": ["secret"]})


def test_soft_delete_and_sync_columns(pair):
	pair.fill(TABLES)
	with Live(pair, soft_delete=True, sync_columns=True) as live:
		live.sync()
		live.change("DELETE FROM t WHERE id < 10", "UPDATE t SET v = 'new' WHERE id = 20",
			"INSERT INTO t VALUES (5000, 'i')").sync()
		rows = pair.target.sql("SELECT count(*), count(*) FILTER (WHERE _pgpier_is_deleted),"
			" count(*) FILTER (WHERE _pgpier_synced_at > now() - interval '1 hour') FROM t", pair.name)[0]
		assert rows[0] == 2001 and rows[1] == 9 and rows[2] >= 2, rows
		live.change("INSERT INTO t VALUES (5, 'born again')").sync()
		assert pair.target.sql("SELECT v, _pgpier_is_deleted FROM t WHERE id = 5", pair.name) == [("born again", False)]
		assert pair.target.sql("SELECT v FROM t WHERE id IN (20, 5000) ORDER BY id", pair.name) == [("new",), ("i",)]


def test_sync_columns_have_the_names_given(pair):
	pair.fill(TABLES)
	with Live(pair, sync_columns=True, synced_at_column="seen at", is_deleted_column="gone") as live:
		live.sync()
		live.change("UPDATE t SET v = 'new' WHERE id = 20", "DELETE FROM t WHERE id = 21").sync()
		assert pair.target.sql('SELECT v, "seen at" IS NOT NULL FROM t WHERE id IN (20, 21)', pair.name) == [("new", True)]


def test_alerts_are_given_once(pair, tmp_path):
	"""One JSON object on the command's standard input; each thing once, again when it changes."""
	pair.fill(TABLES)
	heard = tmp_path / "heard"
	tmp_path.chmod(0o755)

	def alerts(word):
		text = heard.read_text() if heard.exists() else ""
		objects = [json.loads(line) for line in text.splitlines() if line]
		return [o for o in objects if word in json.dumps(o)]
	with Live(pair, alert_command="cat >> '%s'; echo >> '%s'" % (heard, heard)) as live:
		live.sync()
		live.wait(lambda: alerts("caught"), "an alert: caught up")
		live.change("UPDATE t SET v = 'x'").sync()
		time.sleep(1)
		assert len(alerts("caught")) == 1 and len(alerts("load")) == 1, heard.read_text()
		assert all(o["mirror"] == "m" for o in alerts("")), heard.read_text()
		live.stop()
		slot, = slots(pair.source, pair.name)
		pair.source.sql("SELECT pg_drop_replication_slot(%s)", parameters=(slot,))
		live.p.run().expect(FAILED)
		assert len(alerts("lost")) >= 1, heard.read_text()


@pytest.mark.slow
def test_idle_costs_nothing_and_frees_the_slot(pair):
	"""Other databases write: the slot's position follows, though nothing is for us."""
	pair.fill(TABLES)
	with Live(pair) as live:
		live.sync()
		live.wait(lambda: live.status().json["state"] == "replicating", "word of replicating")
		pair.source.sql("CREATE TABLE elsewhere AS SELECT generate_series(1, 10000)")
		end, = pair.source.sql("SELECT pg_current_wal_lsn()")[0]
		pair.source.sql("DROP TABLE elsewhere")
		before, began = cpu_seconds(live.process.pid), time.monotonic()
		time.sleep(5)
		used = (cpu_seconds(live.process.pid) - before) / (time.monotonic() - began)
		assert used < 0.01 * PATIENCE, "%.1f %% of a core" % (100 * used)
		position = "SELECT confirmed_flush_lsn >= %s FROM pg_replication_slots WHERE database = %s"
		live.wait(lambda: pair.source.sql(position, parameters=(end, pair.name)) == [(True,)],
			"the slot's position behind %s" % end, 30)


@pytest.mark.slow
def test_a_huge_transaction_in_little_memory(pair):
	pair.fill(MARKERS + "CREATE TABLE bulk (id bigint PRIMARY KEY, n int, v text)")
	with Live(pair) as live:
		live.sync()
		torture.huge(pair.source, pair.name, 300000)
		live.sync(90)
		peak = peak_mb(live.process.pid)
		if PATIENCE == 1:
			assert peak < 64, "%.0f MB" % peak
		live.equal()


@pytest.mark.parametrize("role, side", [("receive", "source"), ("heartbeat", "source"), ("apply", "target"),
	("supervisor", "target")])
def test_sessions_killed(pair, role, side):
	"""Any of ours: the mirror goes on by itself."""
	pair.fill(TABLES)
	server = getattr(pair, side)
	with Live(pair) as live:
		live.sync()
		found = [pid for pid, name, *_ in all_sessions(server) if name.rsplit("/", 1)[-1].startswith(role)]
		assert found, "no %s on the %s" % (role, side)
		for pid in found:
			server.sql("SELECT pg_terminate_backend(%s)", parameters=(pid,))
		live.change("UPDATE t SET v = 'x'", "DELETE FROM u WHERE id < 100").sync().equal()
		live.stop()


def test_interrupted_while_loading(pair):
	"""The snapshot dies with the process: the rest of the load comes from another, changes between are not lost."""
	pair.fill(MARKERS + "CREATE TABLE t (id int PRIMARY KEY, n int, v text, big text);"
		"ALTER TABLE t ALTER big SET STORAGE EXTERNAL;"
		"INSERT INTO t SELECT i, i, repeat(md5(i::text), 10), CASE WHEN i % 100 = 0 THEN repeat(md5(i::text), 100) END"
		"  FROM generate_series(1, 20000) AS i; ANALYZE")
	with Live(pair, rate_limit_mb=2, rows_per_chunk=1000, workers=2) as live:
		for number, kill in ((1, True), (2, False)):
			live.wait(lambda: copying(pair.target), "a copy")
			time.sleep(1)
			if kill:
				live.kill()
			else:
				live.stop()
			live.change("UPDATE t SET n = -n WHERE id %% 50 = %d" % number,
				"UPDATE t SET id = id + 100000 WHERE id %% 70 = %d" % number,
				"DELETE FROM t WHERE id %% 60 = %d" % number,
				"INSERT INTO t SELECT 200000 + %d * 1000 + i, i, 'n' FROM generate_series(1, 100) AS i" % number,
				"UPDATE t SET n = 0 WHERE id BETWEEN 19000 AND 19200")
			live.start()
		live.sync(60).equal()
		live.stop()


def test_interrupted_by_a_second_signal(pair):
	pair.fill(TABLES)
	with Live(pair) as live:
		live.sync()
		live.process.send_signal(signal.SIGINT)
		live.process.send_signal(signal.SIGINT)
		live.p.finish(live.process, timeout=5).expect(INTERRUPTED)
		live.process = None
		live.caught_up().expect(DONE)
		live.equal()
