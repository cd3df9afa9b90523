# SPDX-License-Identifier: PostgreSQL
"""The shop of the demo and the screenshots: its database, and customers who keep buying."""
import os
import random
import subprocess
import threading

from . import cluster

SQL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "shop.sql")

PURCHASE = """
WITH bought AS (
	INSERT INTO sales.orders (user_id, total, note) VALUES (%(user)s, %(total)s, 'live') RETURNING order_id
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


def make(server, dbname="shop"):
	"""Fills a fresh database with psql."""
	server.create_db(dbname)
	command = [os.path.join(cluster.DEBIAN_BIN, "psql"), "-X", "-q", "-h", server.folder, "-p", str(server.port),
		"-U", "postgres", "-d", dbname, "-f", SQL]
	subprocess.run(command, check=True, stdin=subprocess.DEVNULL)


class Writer:
	"""A thread that buys, ships and forgets carts, a few hundred transactions a second."""

	def __init__(self, server, dbname="shop"):
		self.connection = server.connect(dbname)
		self.transactions = 0
		self.failure = None
		self.stop = threading.Event()
		self.thread = threading.Thread(target=self.work, daemon=True)
		self.thread.start()

	def work(self):
		chance = random.Random(1)
		try:
			with self.connection.cursor() as cursor:
				while not self.stop.wait(0.003):
					cursor.execute(PURCHASE, {"user": chance.randint(1, 150000),
						"product": chance.randint(1, 60000), "old": chance.randint(1, 450000),
						"cart": chance.randint(1, 40000), "total": chance.randint(100, 9999)})
					self.transactions += 1
		except Exception as e:  # shown by close(): a demo whose writer died shows nothing
			self.failure = e

	def finish(self):
		"""The last transaction has ended when this returns."""
		self.stop.set()
		self.thread.join()
		if self.failure:
			raise self.failure

	def close(self):
		try:
			self.finish()
		finally:
			self.connection.close()
