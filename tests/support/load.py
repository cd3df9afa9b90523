# SPDX-License-Identifier: PostgreSQL
"""Loads that last long enough to be disturbed, and the moments to disturb them at."""
import time

from .pgpier import PATIENCE

SESSIONS = """
SELECT pid, state, wait_event_type, query FROM pg_stat_activity
 WHERE application_name LIKE 'pgpier/%' AND pid <> pg_backend_pid()"""


def wait_until(true, what, seconds=30):
	"""Polls until true() is; gives its value."""
	deadline = time.monotonic() + seconds * PATIENCE
	while True:
		value = true()
		if value:
			return value
		if time.monotonic() > deadline:
			raise AssertionError("waited %d s for nothing: %s" % (seconds, what))
		time.sleep(0.02)


def tables_sql(count, rows, width=100):
	"""count tables t01.. with ids from 1 to rows, width bytes a row, a key and an index."""
	return "".join("""CREATE TABLE t%02d (id int PRIMARY KEY, n int DEFAULT 0, v text);
		INSERT INTO t%02d SELECT i, i, repeat(md5(i::text), %d) FROM generate_series(1, %d) AS i;
		CREATE INDEX ON t%02d (n);""" % (i, i, max(1, width // 32), rows, i) for i in range(1, count + 1)) + "ANALYZE"


def sessions(server):
	"""All of pgpier's sessions on a server."""
	return server.sql(SESSIONS)


def copying(server):
	"""The sessions that move rows just now; on either side."""
	return [s for s in sessions(server) if s[1] != "idle" and ("COPY" in s[3] or "FETCH" in s[3])]


def wait_for_copy(process, server):
	"""Waits until rows are moving; a pgpier that ended first is a test that disturbs nothing."""
	def moving():
		assert process.poll() is None, "pgpier ended before its load could be disturbed"
		return copying(server)
	return wait_until(moving, "a session of pgpier's that copies")


def terminate(server, found):
	for pid, *_ in found:
		server.sql("SELECT pg_terminate_backend(%s)", parameters=(pid,))
