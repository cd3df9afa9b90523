# SPDX-License-Identifier: PostgreSQL
"""An initial load that a person steers while it runs: pause, workers, bandwidth, retry; and the hangup."""
import re

import pytest

from support.load import tables_sql, wait_until
from support.pgpier import DONE

# About 10 MB, which a limit of 1 MB/s makes long enough to steer.
LONG = tables_sql(8, 2500, 500)


def start_slow_load(pair, opened, rate=1, **mirror):
	"""The load of LONG, watched while rows move."""
	pair.fill(LONG)
	p = pair.pgpier(workers=2, tables_in_parallel=2, rate_limit_mb=rate, rows_per_chunk=500, **mirror)
	t = opened(p)
	t.open_load("m")
	t.key("p")
	t.match("public.t0[0-9] +. copy")
	return p, t


def no_sessions(server, dbname):
	return server.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'pgpier/%%'"
		" AND datname = %s", parameters=(dbname,)) == [(0,)]


def free_the_load(t):
	t.key("b").wait("MB/s (10^6 bytes)")
	t.key("C-u").text("0").key("Enter")
	t.gone("limit 1 MB/s")


def rows_shown(t):
	"""What the line of totals says has been copied."""
	return re.search(r"chunks  ([0-9.]+ ?k?)/", t.shown()).group(1)


def test_pause_and_resume(pair, opened):
	p, t = start_slow_load(pair, opened)
	t.match("[1-9][0-9]*/[0-9]+ chunks")
	t.key("p").wait("paused")
	wait_until(lambda: no_sessions(pair.source, pair.name), "the end of all sessions of a paused mirror")
	kept = rows_shown(t)
	assert pair.target.sql("SELECT count(*) FROM pgpier.chunks WHERE mirror_id IS NOT NULL", pair.name) > [(0,)]
	t.key("p").match("initial load")
	t.match("public.t0[0-9] +. copy")
	assert kept, "a pause forgot what was copied"
	free_the_load(t)
	t.match("done +8/8 tables", seconds=30)
	pair.assert_equal()
	assert p("status", "m", "--json").expect(DONE).json["state"] == "done"


def test_workers_and_bandwidth(pair, opened):
	_p, t = start_slow_load(pair, opened)
	t.match("workers 2")
	t.wait("limit 1 MB/s")
	t.key("+").match("workers 3")
	t.match("3 t0[0-9] ")  # the third has work, not only a number
	t.key("-").match("workers 2")
	t.key("-").match("workers 1 ")
	t.key("-").wait("one worker is the least")
	t.key("b").wait("MB/s (10^6 bytes)")
	t.key("C-u").text("x").key("Enter").wait("not a number: x")
	free_the_load(t)
	t.match("done +8/8 tables", seconds=30)
	pair.assert_equal()


def test_retry_of_a_failed_table(pair, opened):
	"""The target refuses rows of one table; the others finish, and r copies it once it is mended."""
	pair.fill(tables_sql(3, 500))
	pair.target.sql("CREATE TABLE t02 (id int PRIMARY KEY, n int DEFAULT 0, v text CONSTRAINT small CHECK (id < 99));"
		" CREATE INDEX ON t02 (n)", pair.name)
	t = opened(pair.pgpier())
	t.open_load("m")
	t.key("p").match("public.t02 +! failed", seconds=20)
	t.match("failed +2/3 tables")  # no other fails with it
	t.key("g").wait("violates check")  # the reason of the selected table has a line of its own
	t.key("?").wait("Try again what failed and the paused tables")
	t.key("Esc").gone("Try again what failed and the paused tables")
	pair.target.sql("ALTER TABLE t02 DROP CONSTRAINT small", pair.name)
	t.key("r").match("done +3/3 tables", seconds=20)
	pair.assert_equal()
	t.key("3").match("error +mirror m +table public.t02")


@pytest.mark.parametrize("while_loading", [False, True])
def test_hangup(pair, opened, while_loading):
	"""The terminal dies. The console ends with it, at once and quietly; the load is resumed by a run."""
	if while_loading:
		p, t = start_slow_load(pair, opened, rate=4)
	else:
		p = pair.pgpier()
		t = opened(p)
		t.wait("Mirrors (1)")
	pid = t.pid()
	t.process.kill()
	t.process.wait()
	wait_until(lambda: ended(pid), "the end of a console without a terminal", seconds=2)
	if while_loading:
		p("run", "m", "--json").expect(DONE)
		pair.assert_equal()


def ended(pid):
	"""Gone, or a zombie that nobody has waited for; a living one must not have spun."""
	try:
		with open("/proc/%d/stat" % pid) as f:
			fields = f.read().rpartition(")")[2].split()
	except (FileNotFoundError, ProcessLookupError):
		return True
	return fields[0] == "Z"
