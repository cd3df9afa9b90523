# SPDX-License-Identifier: PostgreSQL
"""The command line of a continuous mirror: how far run goes, how it ends, what the JSON tells."""
import re
import signal
import time

import pytest

from support.load import tables_sql, wait_until
from support.pgpier import DONE, FAILED, INTERRUPTED, USAGE

ITEMS = tables_sql(3, 500)
LSN = r"^[0-9A-F]+/[0-9A-F]+$"


def slot(pair):
	return pair.source.sql("SELECT slot_name, active FROM pg_replication_slots")


def begun(pair, p):
	"""A run that replicates; to be stopped by the test."""
	process = p.start("run", "m", "--json")
	wait_until(lambda: slot(pair) == [("pgpier_m", True)] and "the stream begins" in p.said(), "a stream that is open")
	return process


@pytest.mark.sanitized
@pytest.mark.parametrize("until", ["loaded", "caught-up"])
def test_until(pair, until):
	"""Ends by itself, leaves the slot to the next run, which goes on from there."""
	pair.fill(ITEMS)
	p = pair.pgpier(continuous=True)
	run = p.run("m", "--until", until).expect(DONE).json
	assert run["state"] == "paused" and run["continuous"] is True
	assert slot(pair) == [("pgpier_m", False)]
	pair.source.sql("UPDATE t01 SET n = n + 1; DELETE FROM t02 WHERE id <= 5; INSERT INTO t03 VALUES (9999)", pair.name)
	run = p.run("m", "--until", "caught-up").expect(DONE)
	changes = {t["source"]: t["changes"] for t in run.json["tables"]}
	assert changes["public.t01"] == {"inserts": 0, "updates": 500, "deletes": 0, "truncates": 0, "missing": 0}
	assert changes["public.t02"]["deletes"] == 5
	assert changes["public.t03"]["inserts"] == 1
	pair.assert_equal()


def test_the_replication_object(pair):
	pair.fill(ITEMS)
	p = pair.pgpier(continuous=True)
	stream = p.run("m", "--until", "caught-up").expect(DONE).json["replication"]
	for name in "written", "sent", "received", "applied", "confirmed":
		assert re.match(LSN, stream[name]), (name, stream)
	assert (stream["slot"], stream["publication"]) == ("pgpier_m", "pgpier_m")
	assert stream["lag_s"] < 1 and stream["wal_status"] == "reserved" and stream["retained_bytes"] >= 0
	assert (stream["slow_batches"], stream["missing"], stream["tables_paused"]) == (0, 0, 0)
	status = p("status", "m", "--json").expect(DONE).json
	assert status["replication"]["slot"] == "pgpier_m"
	assert re.match(LSN, status["replication"]["applied"])
	p("status", "m").expect(DONE, "slot:  pgpier_m keeps")


def test_an_initial_copy_never_catches_up(pair):
	pair.fill(ITEMS)
	p = pair.pgpier()
	p("run", "m", "--until", "caught-up").expect(USAGE, "is an initial copy", "continuous = true")
	run = p.run("m", "--until", "loaded").expect(DONE).json
	assert run["replication"] is None and run["tables"][0]["changes"] is None


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_it_quickly(pair, number):
	"""Also while changes come; what was applied is kept, and the next run loses nothing."""
	pair.fill(ITEMS)
	p = pair.pgpier(continuous=True)
	process = begun(pair, p)
	for _ in range(20):
		pair.source.sql("UPDATE t01 SET n = n + 1", pair.name)
	started = time.monotonic()
	process.send_signal(number)
	outcome = p.finish(process, 10).expect(INTERRUPTED, "pausing", "pgpier run m goes on")
	assert time.monotonic() - started < 3, outcome
	assert outcome.json["state"] == "paused"
	p.run("m", "--until", "caught-up").expect(DONE)
	pair.assert_equal()


def test_a_paused_table_is_a_failure(pair):
	"""Caught up with all but one is not caught up."""
	pair.fill(ITEMS)
	p = pair.pgpier(continuous=True)
	p.run("m", "--until", "loaded").expect(DONE)
	pair.target.sql("ALTER TABLE t01 RENAME COLUMN v TO w", pair.name)
	pair.source.sql("UPDATE t01 SET v = 'x'; UPDATE t02 SET v = 'x'", pair.name)
	run = p.run("m", "--until", "caught-up").expect(FAILED, "t01")
	assert run.table("public.t01")["state"] == "paused" and "column" in run.errors()
	assert run.json["replication"]["tables_paused"] == 1
	pair.target.sql("ALTER TABLE t01 RENAME COLUMN w TO v", pair.name)
	p.run("m", "--until", "caught-up").expect(DONE)
	pair.assert_equal()


def test_progress_lines(pair):
	"""Without a terminal a line every five seconds, which a log can keep."""
	pair.fill(ITEMS)
	p = pair.pgpier(continuous=True)
	process = begun(pair, p)
	wait_until(lambda: re.search(r"replicating  lag .*changes/s  .*transactions/s", p.said()), "a line of progress")
	process.send_signal(signal.SIGTERM)
	p.finish(process).expect(INTERRUPTED)


def test_settings_are_listed(pair):
	listed = pair.pgpier(continuous=True, soft_delete=True, caught_up_s=0.5)("mirror", "list", "--json").expect(DONE)
	mirror = listed.json["mirrors"][0]
	assert mirror["soft_delete"] is True and mirror["caught_up_s"] == 0.5
	assert (mirror["slot"], mirror["batch_size"], mirror["alert_command"]) == ("pgpier_m", 50000, None)
