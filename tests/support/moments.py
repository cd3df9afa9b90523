# SPDX-License-Identifier: PostgreSQL
"""Holds the moments that pgpier reads a source at, so that a copy made under writes can be compared exactly.

A snapshot that a session exports is a file that pg_ls_dir shows. A thread looks for new ones and imports
each into a session of its own; the session then sees the source as pgpier's workers saw it, for as long as
it is kept. pgpier writes down on the target which snapshot a table's rows are from.
"""
import threading
import time

import psycopg2

from . import compare

RECORDED = """
SELECT source_schema || '.' || source_name, snapshot
  FROM pgpier.tables JOIN pgpier.snapshots USING (mirror_id, snapshot_no)"""


class Moments:
	"""Watches one database of a source cluster from construction to close()."""

	def __init__(self, source, dbname):
		self.source, self.dbname = source, dbname
		self.sessions = {}  # snapshot as text: connection that sees it
		self.seen = set()
		self.stop = threading.Event()
		self.watcher = threading.Thread(target=self.watch, daemon=True)
		self.watcher.start()

	def __enter__(self):
		return self

	def __exit__(self, *_):
		self.close()

	def watch(self):
		connection = self.source.connect(self.dbname)
		with connection.cursor() as cursor:
			while not self.stop.is_set():
				cursor.execute("SELECT pg_ls_dir('pg_snapshots')")
				for (name,) in cursor.fetchall():
					if name not in self.seen:
						self.seen.add(name)
						self.hold(name)
				time.sleep(0.005)
		connection.close()

	def hold(self, name):
		"""A snapshot that is gone already, or another database's, is none of ours."""
		connection = self.source.connect(self.dbname, autocommit=False)
		try:
			with connection.cursor() as cursor:
				cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
				cursor.execute("SET TRANSACTION SNAPSHOT '%s'" % name)
				cursor.execute("SELECT txid_current_snapshot()::text")
				visible = cursor.fetchone()[0]
		except psycopg2.Error:
			connection.close()
			return
		if self.sessions.setdefault(visible, connection) is not connection:
			connection.close()

	def recorded(self, target):
		"""{"schema.table": snapshot} as pgpier wrote it down on the target."""
		with target.cursor() as cursor:
			cursor.execute(RECORDED)
			return dict(cursor.fetchall())

	def differences(self, target, **options):
		"""Compares every table of the source as of the moment that its copy on the target is from."""
		with self.source.connect(self.dbname) as connection:
			wanted = {"%s.%s" % t[1:] for t in compare.rows(connection, compare.TABLES)}
		lines = []
		for session, tables in self.by_moment(target):
			lines += compare.differences(session, target, only=tables, **options)
			wanted -= set(tables)
		return lines + ["%s: no moment is written down" % name for name in sorted(wanted)]

	def by_moment(self, target):
		"""[(session, [tables])]: the source as of each moment and the tables whose rows are from then."""
		tables = {}
		for table, snapshot in self.recorded(target).items():
			tables.setdefault(snapshot, []).append(table)
		missed = [s for s in tables if s not in self.sessions]
		if missed:
			raise AssertionError("snapshots that were not caught: %s, held are %s"
				% (missed, list(self.sessions)))
		return [(self.sessions[s], names) for s, names in tables.items()]

	def close(self):
		self.stop.set()
		self.watcher.join()
		for connection in self.sessions.values():
			connection.close()
