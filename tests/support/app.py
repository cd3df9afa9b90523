# SPDX-License-Identifier: PostgreSQL
"""An application that writes all the time, as one of users does: it connects again when it has to, it finds its
server in a file that somebody else rewrites, and it remembers each write that a server has acknowledged."""
import json
import os
import threading
import time

import psycopg2

from .cluster import temporary_folder  # noqa: F401

ROLE, PASSWORD = "application", "app"

SCHEMA = """
CREATE TABLE app_writes (key bigint PRIMARY KEY, writer int NOT NULL, at timestamptz NOT NULL DEFAULT clock_timestamp());
CREATE TABLE app_log (key bigint, note text);
ALTER TABLE app_log REPLICA IDENTITY FULL;
CREATE TABLE app_totals (writer int PRIMARY KEY, writes bigint NOT NULL, numbered serial);
INSERT INTO app_totals SELECT n, 0 FROM generate_series(0, 63) n;
"""
GRANTS = """
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO %s;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO %s;
""" % (ROLE, ROLE)


def make_role(*servers):
	for server in servers:
		if not server.sql("SELECT 1 FROM pg_roles WHERE rolname = %s", parameters=(ROLE,)):
			server.sql("CREATE ROLE %s LOGIN PASSWORD '%s'" % (ROLE, PASSWORD))
			server.sql("ALTER ROLE %s SET synchronous_commit = on" % ROLE)  # acknowledged is on disk


class Address:
	"""Where the application finds its database; HOOK moves it there, whichever way a cutover goes."""

	def __init__(self, folder, server, dbname):
		self.path = os.path.join(folder, "address.json")
		self.point(server.folder, server.port, dbname)

	def point(self, host, port, dbname):
		with open(self.path + ".new", "w") as f:
			json.dump({"host": host, "port": int(port), "dbname": dbname}, f)
		os.chmod(self.path + ".new", 0o644)
		os.rename(self.path + ".new", self.path)

	def hook(self):
		"""For open_command."""
		return ("printf '{\"host\": \"%%s\", \"port\": %%s, \"dbname\": \"%%s\"}' \"$PGPIER_TO_HOST\" \"$PGPIER_TO_PORT\""
			" \"$PGPIER_TO_DBNAME\" > %s.new && mv %s.new %s" % (self.path, self.path, self.path))

	def read(self):
		with open(self.path) as f:
			return json.load(f)


class Application:
	"""Writers in threads. acknowledged: key -> (moment, port) of each commit that a server has confirmed; errors:
	(moment, text) of what a writer has met."""

	def __init__(self, address, writers=4, pause_s=0.01, retry_s=0.01, first_key=1):
		self.address, self.pause_s, self.retry_s = address, pause_s, retry_s
		self.acknowledged, self.errors = {}, []
		self.unsure = set()  # sent, and no answer came
		self.sent = {}  # key -> when its transaction began
		self.lock, self.ended, self.next_key = threading.Lock(), threading.Event(), first_key
		self.threads = [threading.Thread(target=self.write, args=(n,), daemon=True) for n in range(writers)]

	def __enter__(self):
		for thread in self.threads:
			thread.start()
		return self

	def __exit__(self, *_):
		self.stop()

	def stop(self):
		self.ended.set()
		for thread in self.threads:
			thread.join(30)

	def take_key(self):
		with self.lock:
			self.next_key += 1
			return self.next_key

	def work(self, cursor, key, writer):
		"""One write: a transaction."""
		cursor.execute("INSERT INTO app_writes (key, writer) VALUES (%s, %s)", (key, writer))
		cursor.execute("INSERT INTO app_log VALUES (%s, repeat('x', 40))", (key,))
		cursor.execute("UPDATE app_totals SET writes = writes + 1, numbered = nextval('app_totals_numbered_seq')"
			" WHERE writer = %s", (writer,))

	def rest(self, _writer):
		self.ended.wait(self.pause_s)

	def write(self, writer):
		connection, where = None, None
		while not self.ended.is_set():
			key = None
			try:
				if connection is None:
					where = self.address.read()
					connection = psycopg2.connect(user=ROLE, password=PASSWORD, connect_timeout=5,
						application_name="shop", **where)
				key = self.take_key()
				self.sent[key] = time.monotonic()
				with connection.cursor() as cursor:
					self.work(cursor, key, writer)
				connection.commit()
				with self.lock:
					self.acknowledged[key] = (time.monotonic(), where["port"])
				self.rest(writer)
			except (psycopg2.Error, OSError) as e:
				with self.lock:
					self.errors.append((time.monotonic(), str(e).strip()))
					if key:
						self.unsure.add(key)
				if connection:
					connection.close()
				connection = None
				self.ended.wait(self.retry_s)

	def wait_for(self, writes, port=None, seconds=30):
		"""So many more, on the server of that port."""
		deadline, began = time.monotonic() + seconds, time.monotonic()
		while True:
			with self.lock:
				got = sum(1 for at, p in self.acknowledged.values() if at > began and port in (None, p))
			if got >= writes:
				return
			assert time.monotonic() < deadline, "%d of %d writes in %d s; errors: %s" % (
				got, writes, seconds, self.errors[-3:])
			time.sleep(0.02)

	def pause_between(self, from_port, to_port):
		"""Seconds from the last write acknowledged there to the first one here."""
		with self.lock:
			last = max(at for at, p in self.acknowledged.values() if p == from_port)
			first = min(at for at, p in self.acknowledged.values() if p == to_port and at > last - 3600)
		return first - last

	def longest_pause(self):
		with self.lock:
			moments = sorted(at for at, _ in self.acknowledged.values())
		return max((b - a for a, b in zip(moments, moments[1:])), default=0)

	def assert_kept(self, server, dbname, after=0):
		"""Every acknowledged write is there exactly once, and nothing that was never sent; of the keys behind that."""
		rows = server.sql("SELECT key, count(w.key) + count(l.key) - 1 FROM app_writes w FULL JOIN app_log l USING (key)"
			" WHERE key > %s GROUP BY 1", dbname, (after,))
		there = dict(rows)
		with self.lock:
			acknowledged, sent = set(self.acknowledged), set(self.acknowledged) | self.unsure
		lost = sorted(acknowledged - set(there))
		assert not lost, "%d acknowledged writes are lost: %s ..." % (len(lost), lost[:10])
		double = {k: n for k, n in there.items() if n != 1}
		assert not double, "not exactly once: %s" % list(double.items())[:10]
		alien = sorted(set(there) - sent)
		assert not alien, "nobody wrote these: %s" % alien[:10]
