# SPDX-License-Identifier: PostgreSQL
"""The shop of the demo and the screenshots: its database, and customers who keep buying."""
import os
import random
import subprocess
import threading
import time

import psycopg2

from . import cluster

ROLE = "customers"
PAUSE_S, RETRY_S = 0.003, 0.02
SQL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "shop.sql")

PURCHASE = """
WITH bought AS (
	INSERT INTO sales.orders (user_id, total, note) VALUES (%(user)s, %(total)s, 'live ' || %(number)s) RETURNING order_id
), lines AS (
	INSERT INTO sales.order_lines
	SELECT order_id, n, %(product)s, n, %(total)s / 2 FROM bought, generate_series(1, 2) AS n
), counted AS (
	UPDATE stock.levels SET amount = amount + 1, counted_on = current_date WHERE product_id = %(product)s
), shipped AS (
	UPDATE sales.orders SET state = 'shipped' WHERE order_id = %(old)s
), emptied AS (
	DELETE FROM sales.carts WHERE cart_id = md5('cart' || %(cart)s)::uuid
)
INSERT INTO audit.events VALUES (clock_timestamp(), '10.0.0.1', 'bought', '{"live": true}')"""


# Of a customer whose server has gone, or lets nobody in or write any more.
GONE = (psycopg2.OperationalError, psycopg2.InterfaceError, psycopg2.errors.ReadOnlySqlTransaction)

RIGHTS = """
GRANT USAGE ON SCHEMA sales, stock, audit TO {0};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public, sales, stock, audit TO {0};
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public, sales, stock, audit TO {0};
""".format(ROLE)


def make_role(*servers):
	for server in servers:
		server.sql("CREATE ROLE %s LOGIN" % ROLE)


def make(server, dbname="shop"):
	"""Fills a fresh database with psql; the role is there."""
	server.create_db(dbname)
	command = [os.path.join(cluster.DEBIAN_BIN, "psql"), "-X", "-q", "-h", server.folder, "-p", str(server.port),
		"-U", "postgres", "-d", dbname, "-f", SQL]
	subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
	server.sql(RIGHTS, dbname)


class Writer:
	"""A thread that buys, ships and forgets carts, a few hundred transactions a second, on the server that the
	address names by now. acknowledged: number of each purchase that a server has confirmed -> (moment, port)."""

	def __init__(self, address):
		self.address = address
		self.acknowledged, self.sent = {}, 0
		self.failure = None
		self.stop = threading.Event()
		self.thread = threading.Thread(target=self.work, daemon=True)
		self.thread.start()

	@property
	def transactions(self):
		return len(self.acknowledged)

	def work(self):
		chance = random.Random(1)
		try:
			while not self.stop.is_set():
				try:
					self.buy(chance)
				except GONE:
					self.stop.wait(RETRY_S)
		except Exception as e:  # shown by close(): a demo whose writer died shows nothing
			self.failure = e

	def buy(self, chance):
		"""Until the connection is lost; who bought then does not know, and buys something else."""
		where = self.address.read()
		connection = psycopg2.connect(user=ROLE, connect_timeout=5, application_name="shop", **where)
		connection.autocommit = True
		try:
			with connection.cursor() as cursor:
				while not self.stop.wait(PAUSE_S):
					self.sent += 1
					cursor.execute(PURCHASE, {"user": chance.randint(1, 150000), "number": self.sent,
						"product": chance.randint(1, 60000), "old": chance.randint(1, 450000),
						"cart": chance.randint(1, 40000), "total": chance.randint(100, 9999)})
					self.acknowledged[self.sent] = (time.monotonic(), where["port"])
		finally:
			connection.close()

	def on(self, port):
		"""How many were acknowledged by the server of that port."""
		return sum(1 for _, p in list(self.acknowledged.values()) if p == port)

	def pause(self, first):
		"""Seconds of the longest pause since that number was bought."""
		moments = [at for number, (at, _) in list(self.acknowledged.items()) if number >= first]
		return max((b - a for a, b in zip(moments, moments[1:])), default=0)

	def lost(self, server, dbname):
		"""Acknowledged purchases that this server does not have exactly once."""
		known = list(self.acknowledged)
		bought = dict(server.sql("SELECT substr(note, 6)::bigint, count(*) FROM sales.orders WHERE note LIKE 'live %%'"
			" GROUP BY 1", dbname, ()))
		return [number for number in known if bought.get(number) != 1]

	def finish(self):
		"""The last transaction has ended when this returns."""
		self.stop.set()
		self.thread.join()
		if self.failure:
			raise self.failure

	def close(self):
		self.finish()
