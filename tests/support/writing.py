# SPDX-License-Identifier: PostgreSQL
"""Clients that write at a steady rate, all that a verification beside them could mistake for a difference."""
import random
import threading
import time

import psycopg2

SQL = """
CREATE TABLE items (id bigint PRIMARY KEY, n int, v text);
INSERT INTO items SELECT i, i, 'v' || i FROM generate_series(1, 2000) i;
CREATE TABLE stored (id int PRIMARY KEY, n int, a text);
ALTER TABLE stored ALTER a SET STORAGE EXTERNAL;
INSERT INTO stored SELECT i, 0, repeat(md5(i::text), 100) FROM generate_series(1, 200) i;
CREATE TABLE debit (id int PRIMARY KEY, sum bigint); CREATE TABLE credit (id int PRIMARY KEY, sum bigint);
INSERT INTO debit SELECT i, 0 FROM generate_series(1, 100) i; INSERT INTO credit SELECT * FROM debit;
CREATE TABLE bags (a int, b text); ALTER TABLE bags REPLICA IDENTITY FULL;
INSERT INTO bags SELECT i % 20, 'b' FROM generate_series(1, 200) i;
CREATE TABLE bulk (id int PRIMARY KEY, n int, v text);
ANALYZE
"""

# (weight, statements of one transaction); a list is one with a part that is rolled back.
TRANSACTIONS = (
	(6, "INSERT INTO items VALUES (%(new)s, %(n)s, 'new')"),
	(6, "UPDATE items SET n = n + 1 WHERE id = %(key)s"),
	(3, "UPDATE items SET id = %(new)s WHERE id = %(key)s"),
	(3, "DELETE FROM items WHERE id = %(key)s"),
	(4, "UPDATE stored SET n = n + 1 WHERE id = %(few)s"),
	(1, "UPDATE stored SET a = repeat(%(n)s::text, 3000) WHERE id = %(few)s"),
	(6, "UPDATE debit SET sum = sum - %(n)s WHERE id = %(few)s %% 100 + 1;"
		"UPDATE credit SET sum = sum + %(n)s WHERE id = %(few)s %% 100 + 1; INSERT INTO items VALUES (%(new)s, 0, 'both')"),
	(2, "INSERT INTO bags VALUES (%(n)s %% 20, 'b'), (%(n)s %% 20, 'b')"),
	(2, "DELETE FROM bags WHERE ctid IN (SELECT ctid FROM bags WHERE a = %(n)s %% 20 LIMIT 2)"),
	(3, ["INSERT INTO items VALUES (%(new)s, 1, 'kept')", "UPDATE items SET n = -1 WHERE id = %(key)s",
		"UPDATE items SET v = 'sub' WHERE id = %(new)s"]),
)


class Writing:
	"""`rate` transactions a second, half of whose commits do not wait for the disk. A context."""

	def __init__(self, server, dbname, rate=500, clients=5, seed=0, delay_us=0):
		self.server, self.dbname, self.delay_us = server, dbname, delay_us
		self.stop = threading.Event()
		self.counts, self.failures = [0] * clients, []
		self.began = time.monotonic()
		self.threads = [threading.Thread(target=self.work, args=(i, random.Random("%d/%d" % (seed, i)), clients / rate),
			daemon=True) for i in range(clients)]
		for thread in self.threads:
			thread.start()

	def __enter__(self):
		return self

	def __exit__(self, kind, *_):
		self.close()
		if kind is None:
			assert not self.failures, self.failures

	def close(self):
		self.stop.set()
		for thread in self.threads:
			thread.join(30)
		self.took = time.monotonic() - self.began

	def total(self):
		return sum(self.counts)

	def rate(self):
		return self.total() / (time.monotonic() - self.began)

	def one(self, cursor, number, chance):
		values = {"new": 10000 + self.counts[number] * 100 + number, "key": chance.randint(1, 2000),
			"few": chance.randint(1, 200), "n": chance.randint(1, 1000)}
		todo = chance.choices([t for _, t in TRANSACTIONS], [w for w, _ in TRANSACTIONS])[0]
		cursor.execute("SET LOCAL synchronous_commit = %s; SET LOCAL commit_delay = %d"
			% (chance.choice(("on", "off")), self.delay_us))
		if isinstance(todo, str):
			cursor.execute(todo, values)
			return
		first, undone, last = todo
		cursor.execute("SAVEPOINT a; %s; SAVEPOINT b; %s; ROLLBACK TO b; %s; RELEASE a" % (first, undone, last), values)

	def work(self, number, chance, every):
		connection = self.server.connect(self.dbname, autocommit=False, application_name="writing")
		due = time.monotonic()
		try:
			while not self.stop.wait(max(0, due - time.monotonic())):
				due = max(due + every, time.monotonic() - 1)
				try:
					with connection.cursor() as cursor:
						self.one(cursor, number, chance)
					connection.commit()
				except psycopg2.errors.DeadlockDetected:
					connection.rollback()
				self.counts[number] += 1
		except psycopg2.Error as e:
			self.failures.append(e)
		finally:
			connection.close()


def huge(server, dbname, number, rows=20000):
	"""One transaction that is applied as it arrives."""
	server.sql("BEGIN; INSERT INTO bulk SELECT i, %s, repeat('x', 200) FROM generate_series(%s, %s) i; COMMIT" % (number,
		number * rows + 1, number * rows + rows), dbname)
