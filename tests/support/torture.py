# SPDX-License-Identifier: PostgreSQL
"""Clients whose interleaved transactions do to a source all that replication has to get right.

Each client draws its transactions from a seed of its own; the servers' timing decides how they interleave, so
a seed repeats the kind of load, not its every order. Clients outlive restarts of the server.
"""
import os
import random
import threading
import time

import psycopg2

from .load import wait_until

SQL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "torture.sql")
ACCOUNTS = 200
TOTAL = ACCOUNTS * 1000
ROWS = 4000

GENERATED = "twice int GENERATED ALWAYS AS (a * 2) STORED"
# The second has its columns in another order, and one dropped among them.
PARTS = """
CREATE TABLE parts (id int, region int, n int, v text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1);
CREATE TABLE parts_2 (gone int, v text, n int, region int NOT NULL, id int NOT NULL, PRIMARY KEY (id, region));
ALTER TABLE parts_2 DROP COLUMN gone;
ALTER TABLE parts ATTACH PARTITION parts_2 FOR VALUES IN (2);
CREATE TABLE parts_3 PARTITION OF parts FOR VALUES IN (3);
"""
# What older servers have instead: no keys of partitioned tables (10), no generated columns (11).
OLD_PARTS = PARTS.replace("n int, v text, PRIMARY KEY (id, region)) PARTITION", "n int, v text) PARTITION") + """
ALTER TABLE parts_1 ADD PRIMARY KEY (id, region);
ALTER TABLE parts_3 ADD PRIMARY KEY (id, region);
"""

# (weight, statements). Keys are small, so that clients meet; what a constraint refuses is rolled back.
CHANGES = (
	(6, "INSERT INTO plain VALUES (%(new)s, %(n)s, %(text)s)"),
	(6, "UPDATE plain SET n = n + 1 WHERE id = %(key)s"),
	(2, "UPDATE plain SET v = %(text)s, n = NULL WHERE id = %(key)s"),
	(3, "UPDATE plain SET id = %(other)s WHERE id = %(key)s"),
	(2, "DELETE FROM plain WHERE id = %(key)s; INSERT INTO plain VALUES (%(key)s, %(n)s, 'again')"),
	(2, "INSERT INTO plain VALUES (%(new)s, 1, 'short-lived'); UPDATE plain SET n = 2 WHERE id = %(new)s;"
		" DELETE FROM plain WHERE id = %(new)s"),
	(1, "UPDATE plain SET id = id + 1000000 WHERE id BETWEEN %(key)s AND %(key)s + 20"),
	(1, "UPDATE plain SET id = -id WHERE id BETWEEN %(key)s AND %(key)s + 5"),
	(1, "DELETE FROM plain WHERE id BETWEEN %(key)s AND %(key)s + 5"),
	(3, "INSERT INTO composite VALUES (%(n)s %% 97, 'b' || %(new)s, %(n)s)"),
	(3, "UPDATE composite SET n = n + 1 WHERE b = 'b' || %(key)s"),
	(2, "UPDATE composite SET b = 'b' || %(other)s WHERE b = 'b' || %(key)s"),
	(1, "UPDATE composite SET a = a + 1, n = NULL WHERE b = 'b' || %(key)s"),
	(1, "DELETE FROM composite WHERE b = 'b' || %(key)s"),
	(3, "INSERT INTO texts VALUES (%(text)s, %(text)s || %(new)s)"),
	(3, "UPDATE texts SET v = NULL WHERE k = 'k' || %(key)s"),
	(2, "UPDATE texts SET k = k || ' ' WHERE k LIKE 'k' || %(key)s || '%%'"),
	(1, "UPDATE texts SET k = '' WHERE k = 'k' || %(key)s"),
	(1, "DELETE FROM texts WHERE k IN ('', 'k' || %(key)s)"),
	(3, "INSERT INTO uuids VALUES (md5(%(new)s::text)::uuid, %(n)s, jsonb_build_object('t', %(text)s::text), now())"),
	(3, "UPDATE uuids SET doc = doc || '{\"more\": [1, null]}' WHERE id = md5(%(key)s::text)::uuid"),
	(2, "UPDATE uuids SET id = md5(%(other)s::text)::uuid, amount = -amount WHERE id = md5(%(key)s::text)::uuid"),
	(1, "DELETE FROM uuids WHERE id = md5(%(key)s::text)::uuid"),
	(3, "UPDATE toasted SET n = n + 1 WHERE id = %(few)s"),
	(2, "UPDATE toasted SET a = repeat(%(text)s, 400), n = -n WHERE id = %(few)s"),
	(2, "UPDATE toasted SET id = %(few_other)s WHERE id = %(few)s"),
	(1, "UPDATE toasted SET b = NULL, doc = '[1 , 2]' WHERE id = %(few)s"),
	(2, "INSERT INTO toasted VALUES (repeat(%(text)s, 500), %(few_other)s, 0, repeat('b', 3000), '{}');"
		" UPDATE toasted SET n = n + 1 WHERE id = %(few_other)s"),
	(1, "DELETE FROM toasted WHERE id = %(few)s"),
	(1, "DELETE FROM toasted WHERE id = %(few)s; INSERT INTO toasted VALUES (repeat('x', 4000), %(few)s, 1, 'b', NULL);"
		" UPDATE toasted SET id = %(few_other)s WHERE id = %(few)s; UPDATE toasted SET n = 7 WHERE id = %(few_other)s"),
	(3, "INSERT INTO fulls VALUES (nullif(%(n)s %% 50, 7), nullif('b' || %(n)s %% 30, 'b3'), %(n)s %% 5)"),
	(2, "UPDATE fulls SET c = c + 1 WHERE a IS NOT DISTINCT FROM nullif(%(n)s %% 50, 7) AND b = 'b' || %(n)s %% 30"),
	(2, "UPDATE fulls SET b = NULL WHERE ctid = (SELECT ctid FROM fulls WHERE a = %(n)s %% 50 LIMIT 1)"),
	(2, "DELETE FROM fulls WHERE ctid = (SELECT ctid FROM fulls WHERE b IS NULL LIMIT 1 OFFSET %(n)s %% 7)"),
	(2, "INSERT INTO bags SELECT json_build_object('i', %(n)s %% 20), 'v' || i / 2, '(1,2)'"
		" FROM generate_series(1, 3) AS i"),
	(2, "DELETE FROM bags WHERE ctid = (SELECT ctid FROM bags WHERE v = 'v' || %(n)s %% 6 LIMIT 1)"),
	(2, "UPDATE bags SET v = NULL, points = '(0,0)' WHERE ctid = (SELECT ctid FROM bags OFFSET %(n)s %% 90 LIMIT 1)"),
	(1, "UPDATE bags SET doc = '{\"i\" :1}' WHERE ctid = (SELECT ctid FROM bags WHERE v IS NULL LIMIT 1)"),
	(3, "INSERT INTO computed (a) VALUES (%(n)s), (NULL)"),
	(2, "INSERT INTO computed (id, a, by_default) OVERRIDING SYSTEM VALUE VALUES (-%(new)s, %(n)s, %(n)s)"),
	(3, "UPDATE computed SET a = a + 1, serial_no = DEFAULT WHERE id = %(few)s"),
	(1, "DELETE FROM computed WHERE id = %(few)s"),
	(3, "UPDATE seats SET place = CASE place WHEN %(seat)s THEN %(seat_other)s ELSE %(seat)s END"
		" WHERE place IN (%(seat)s, %(seat_other)s)"),
	(1, "UPDATE seats SET place = 1 + (place + 9) %% 400, n = n + 1 WHERE place BETWEEN 1 AND 400"),
	(1, "UPDATE seats SET place = NULL WHERE id = %(seat)s; UPDATE seats SET place = id WHERE id = %(seat)s"),
	(3, "UPDATE swaps SET code = 'held' WHERE code = 'c%(seat)s'; UPDATE swaps SET code = 'c%(seat)s'"
		" WHERE code = 'c%(seat_other)s'; UPDATE swaps SET code = 'c%(seat_other)s' WHERE code = 'held'"),
	(2, "DELETE FROM swaps WHERE code = 'c%(seat)s'; INSERT INTO swaps VALUES (0, %(new)s, 'c%(seat)s')"),
	(1, "UPDATE swaps SET id = -id, n = n + 1 WHERE code = 'c%(seat)s'"),
	(4, "INSERT INTO parts VALUES (%(new)s, 1 + %(n)s %% 3, %(n)s, %(text)s)"),
	(3, "UPDATE parts SET region = 1 + (region + %(n)s) %% 3 WHERE id = %(key)s"),
	(3, "UPDATE parts SET n = n + 1 WHERE id = %(key)s"),
	(1, "UPDATE parts SET id = %(other)s WHERE id = %(key)s"),
	(1, "DELETE FROM parts WHERE id BETWEEN %(key)s AND %(key)s + 3"),
	(3, "UPDATE kinds SET mood = 'happy', moods = moods || 'sad'::mood WHERE id = %(few)s AND cardinality(moods) < 9"),
	(2, "UPDATE kinds SET spot = ROW(%(n)s, NULL, %(text)s), spots = '{}', span = 'empty', took = NULL"
		" WHERE id = %(few)s"),
	(2, "INSERT INTO kinds VALUES (%(new)s, NULL, NULL, NULL, ARRAY[ROW(1, 'NaN', '')::spot], '[1,]', B'00001',"
		" '::1', '1 mon -3 days', '\\x00ff', 'infinity', 'infinity', '{{1,NULL}}')"),
	(1, "DELETE FROM kinds WHERE id = %(few)s"),
	(2, """UPDATE "Sch ema"."Odd ""Ta.ble" SET "select" = %(n)s, "v%%1$s\\n'é" = %(text)s WHERE "Ke y" = %(few)s"""),
	(1, """UPDATE "Sch ema"."Odd ""Ta.ble" SET "Ke y" = %(few_other)s WHERE "Ke y" = %(few)s"""),
	(1, """INSERT INTO "Sch ema"."Odd ""Ta.ble" VALUES (1, %(new)s, %(text)s)"""),
	(8, "UPDATE accounts SET balance = balance - %(n)s WHERE id = %(account)s; INSERT INTO savings VALUES"
		" (%(account)s, %(n)s) ON CONFLICT (id) DO UPDATE SET balance = savings.balance + %(n)s"),
	(4, "WITH gone AS (DELETE FROM savings WHERE id = %(account)s RETURNING *) INSERT INTO savings"
		" SELECT id + %(seat)s * 1000, balance FROM gone"),
)
# One in some hundred transactions.
BULK = (
	"INSERT INTO plain SELECT %(new)s + i, i, %(text)s FROM generate_series(1, 2000) AS i",
	"UPDATE plain SET n = n + 1 WHERE id IN (SELECT id FROM plain ORDER BY id LIMIT 2000)",
	"DELETE FROM plain WHERE id IN (SELECT id FROM plain WHERE id > 100000 ORDER BY id LIMIT 2000)",
	"UPDATE composite SET n = n + 1, at = now() WHERE a < 50",
	"UPDATE parts SET region = 1 + region %% 3 WHERE id < 2000",
	"INSERT INTO bulk SELECT %(new)s + i, i, NULL FROM generate_series(1, 2000) AS i;"
		" UPDATE bulk SET v = n::text WHERE id > %(new)s; DELETE FROM bulk WHERE id > %(new)s + 1900",
	"UPDATE toasted SET n = n + 1",
	"UPDATE fulls SET c = c + 0.5 WHERE a < 10",
	"TRUNCATE texts",
	"TRUNCATE bags; INSERT INTO bags VALUES ('1', 'v1', NULL), ('1', 'v1', NULL)",
	"TRUNCATE uuids, kinds CASCADE",
	"TRUNCATE computed RESTART IDENTITY; INSERT INTO computed (a) SELECT i FROM generate_series(1, 50) AS i",
	"TRUNCATE parts_3",
	"DELETE FROM bulk",
)
TEXTS = ("", " ", "x", "Größe", "\\N", "\t\n", "'\"\\", "日本語", "🐘" * 40, "a" * 1500)


def fill(server, dbname, rows=ROWS):
	"""The tables and their first rows, as far as the server's major has them."""
	with open(SQL, encoding="utf-8") as f:
		text = f.read()
	connection = server.connect(dbname)
	major = connection.server_version // 10000
	connection.close()
	server.sql(text, dbname, {"rows": Raw(rows), "accounts": Raw(ACCOUNTS),
		"generated": Raw(GENERATED if major >= 12 else "twice int"), "parts": Raw(PARTS if major >= 11 else OLD_PARTS)})


class Raw:
	"""SQL text as a parameter."""

	def __init__(self, text):
		self.text = str(text)

	def __conform__(self, _protocol):
		return self

	def getquoted(self):
		return self.text.encode()


def total(connection):
	"""Of both tables, in one statement, so in one snapshot."""
	with connection.cursor() as cursor:
		cursor.execute("SELECT coalesce((SELECT sum(balance) FROM accounts), 0)"
			" + coalesce((SELECT sum(balance) FROM savings), 0)")
		return int(cursor.fetchone()[0])


class Client:
	"""One session after the other; everything it does comes from its seed."""

	def __init__(self, torture, number):
		self.torture, self.number = torture, number
		self.chance = random.Random("%d/%d" % (torture.seed, number))
		self.changes = [sql for _weight, sql in CHANGES]
		self.weights = [weight for weight, _sql in CHANGES]
		self.commits = self.refused = self.lost = 0
		self.thread = threading.Thread(target=self.work, daemon=True)

	def values(self):
		chance = self.chance
		few = ROWS // 8
		return {"key": chance.randint(1, ROWS), "other": chance.randint(1, ROWS + 200), "few": chance.randint(1, few),
			"few_other": chance.randint(1, few + 100), "new": chance.randint(10000, 90000000),
			"n": chance.randint(1, 1000), "seat": chance.randint(1, 400), "seat_other": chance.randint(1, 400),
			"account": chance.randint(1, ACCOUNTS), "text": chance.choice(TEXTS)}

	def change(self, cursor):
		bulk = self.chance.random() < 0.004
		sql = self.chance.choice(BULK) if bulk else self.chance.choices(self.changes, self.weights)[0]
		cursor.execute(sql, self.values())

	def guarded(self, cursor, name):
		"""In a savepoint: kept, or rolled back, or refused by a constraint."""
		cursor.execute("SAVEPOINT " + name)
		try:
			self.change(cursor)
			if self.chance.random() < 0.3:
				self.guarded(cursor, name + "x")
			end = self.chance.choice(("RELEASE ", "RELEASE ", "ROLLBACK TO "))
			cursor.execute(end + name)
		except psycopg2.IntegrityError:
			self.refused += 1
			cursor.execute("ROLLBACK TO " + name)

	def transaction(self, connection):
		with connection.cursor() as cursor:
			for number in range(self.chance.choice((1, 1, 2, 3, 5, 9))):
				if self.chance.random() < 0.4:
					self.guarded(cursor, "s%d" % number)
				else:
					self.change(cursor)
				if self.chance.random() < 0.2:
					time.sleep(self.chance.random() * 0.02)
		if self.chance.random() < 0.1:
			connection.rollback()
		else:
			connection.commit()
			self.commits += 1

	def session(self, connection):
		while not self.torture.stop.wait(self.torture.pause):
			try:
				self.transaction(connection)
			except (psycopg2.IntegrityError, psycopg2.extensions.TransactionRollbackError,
				psycopg2.errors.LockNotAvailable):
				self.refused += 1
				connection.rollback()

	def work(self):
		"""One session after the other. What a server that shuts down says is no failure: nor is a silent one's nothing."""
		while not self.torture.stop.is_set():
			connection = None
			try:
				connection = self.torture.connect()
				self.session(connection)
			except psycopg2.Error as e:
				self.lost += 1
				if e.pgcode and not e.pgcode.startswith("57P"):
					self.torture.failures.append(e)
					return
				self.torture.stop.wait(0.05)
			finally:
				if connection:
					connection.close()


class Torture:
	"""Clients that write until they are closed. A context: leaving it says what failed."""

	def __init__(self, server, dbname, seed, clients=8, pause=0.002):
		self.server, self.dbname, self.seed, self.pause = server, dbname, seed, pause
		self.stop = threading.Event()
		self.failures = []
		self.marked = 0
		self.clients = [Client(self, number) for number in range(clients)]
		for client in self.clients:
			client.thread.start()

	def __enter__(self):
		return self

	def __exit__(self, kind, *_):
		self.close()
		if kind is None:
			assert not self.failures, "seed %d: %s" % (self.seed, self.failures)
			assert self.commits() > 0, "seed %d: nothing was written" % self.seed

	def connect(self):
		return self.server.connect(self.dbname, autocommit=False, application_name="torture",
			options="-c lock_timeout=1s -c deadlock_timeout=50ms")

	def commits(self):
		return sum(client.commits for client in self.clients)

	def close(self):
		self.stop.set()
		for client in self.clients:
			client.thread.join(30)

	def __str__(self):
		return "seed %d: %d transactions, %d refused, %d sessions lost" % (self.seed, self.commits(),
			sum(c.refused for c in self.clients), sum(c.lost for c in self.clients))


def huge(server, dbname, rows):
	"""One transaction of that many rows: two thirds are inserted, the rest of them updated or deleted."""
	connection = server.connect(dbname, autocommit=False)
	try:
		with connection.cursor() as cursor:
			part = rows // 3
			cursor.execute("DELETE FROM bulk WHERE id <= 0")
			cursor.execute("INSERT INTO bulk SELECT -i, i, md5(i::text) FROM generate_series(1, %s) AS i", (part * 2,))
			cursor.execute("UPDATE bulk SET n = n + 1 WHERE id < -%s", (part + part // 2,))
			cursor.execute("DELETE FROM bulk WHERE id BETWEEN -%s AND 0", (part // 2,))
		connection.commit()
	finally:
		connection.close()


def later_partition(server, dbname, region):
	"""A partition that the mirror did not know when it began."""
	server.sql("CREATE TABLE parts_%d PARTITION OF parts FOR VALUES IN (%d);"
		" INSERT INTO parts SELECT i, %d, i, 'later' FROM generate_series(1, 100) AS i" % (region, region, region), dbname)


def mark(server, dbname, number):
	server.sql("INSERT INTO markers VALUES (%s)", dbname, (number,))


def arrived(server, dbname, number):
	try:
		return server.sql("SELECT 1 FROM markers WHERE id = %s", dbname, (number,)) == [(1,)]
	except psycopg2.Error:
		return False


def drain(source, target, dbname, number, alive=None, seconds=60):
	"""Waits until all that the source has committed by now is on the target. alive() may object meanwhile."""
	mark(source, dbname, number)

	def there():
		if alive:
			alive()
		return arrived(target, dbname, number)
	wait_until(there, "marker %d on the target" % number, seconds)
