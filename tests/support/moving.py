# SPDX-License-Identifier: PostgreSQL
"""A mirror that is cut over and rolled back beneath an application: what tells it where to go, and the verbs."""

from . import app, pgpier
from .bouncer import Bouncer
from .pgpier import DONE

SHOP = "shop"  # the database as a PgBouncer calls it


class Moving:
	"""A pair whose source has the application's tables, and whose servers know its role. A file tells the application
	where to go."""

	def __init__(self, pair, **settings):
		self.pair = pair
		self.folder = app.temporary_folder("pgpier-app-")
		self.address = app.Address(self.folder, pair.source, pair.name)
		self.p = pair.pgpier(**self.settings(open_command=self.address.hook(), **settings))

	def settings(self, **more):
		return {"continuous": True, "workers": 2, "slot": "pgpier_" + self.pair.name, "schema": "database", **more}

	def application(self, **settings):
		return app.Application(self.address, **settings)

	def load(self):
		self.p.run("m", "--until", "caught-up", timeout=600).expect(DONE)
		return self

	def cutover(self, *words):
		return self.p("cutover", "m", "--yes-i-mean", "m", "--json", *words)

	def rollback(self, *words):
		return self.p("rollback", "m", "--yes-i-mean", "m", "--json", *words)


class MovingPooled(Moving):
	"""The application has one address all the time, that of a PgBouncer, which is told where the database is."""

	def __init__(self, pair, **settings):
		self.pair = pair
		self.bouncer = Bouncer(pair.source, pair.name, name=SHOP, login=app.ROLE)
		pair.opened.append(self.bouncer)
		self.folder = app.temporary_folder("pgpier-app-")
		self.address = app.Address(self.folder, pair.source, pair.name)
		self.address.point("127.0.0.1", self.bouncer.port, SHOP)
		peers = [{"name": name, **server.address(pair.name), "pgbouncer": self.bouncer.console(),
			"pgbouncer_database": SHOP} for name, server in (("source", pair.source), ("target", pair.target))]
		self.p = pgpier.Pgpier(peers, [pgpier.mirror(**self.settings(open_command=self.hook(), **settings))])
		pair.opened.append(self.p)

	def hook(self):
		"""For open_command: another server in the line of the database."""
		line = "%s = host=$PGPIER_TO_HOST port=$PGPIER_TO_PORT dbname=$PGPIER_TO_DBNAME user=%s" % (SHOP, app.ROLE)
		return 'sed -i "s|^%s = .*|%s|" %s' % (SHOP, line, self.bouncer.config)

	def serves(self):
		"""The port of the server that PgBouncer's clients are connected to."""
		with open(self.bouncer.config) as f:
			line = [line for line in f if line.startswith(SHOP + " ")][0]
		return int(line.split("port=")[1].split()[0])


def told(outcome):
	"""What --json tells of the machine."""
	assert outcome.json and outcome.json.get("cutover"), outcome
	return outcome.json["cutover"]


def steps(outcome):
	"""name -> seconds"""
	return {s["step"]: s["took_s"] for s in told(outcome)["steps"]}


def is_closed(server, dbname):
	"""Does the application get in, and may it write there?"""
	try:
		c = server.connect(dbname, user=app.ROLE, password=app.PASSWORD)
	except app.psycopg2.OperationalError:
		return True
	try:
		with c.cursor() as cursor:
			cursor.execute("INSERT INTO app_totals VALUES (1000, 0); DELETE FROM app_totals WHERE writer = 1000")
		return False
	except app.psycopg2.Error:
		return True
	finally:
		c.close()
