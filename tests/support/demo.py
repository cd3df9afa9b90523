# SPDX-License-Identifier: PostgreSQL
"""A migration to try: two throw-away clusters, a shop with customers in it, and pgpier between them.

On a terminal the console opens on the two peers and on a mirror that is ready to run, follow, verify and cut over;
its open_command tells the customers where the shop is. Without a terminal there are two acts, headless, and the
customers go on buying through both. First an initial copy: the source is read again in the very snapshot that
pgpier read it in, which this program imports while pgpier holds it. Then the whole way of a continuous mirror into
another database: caught up and verified while customers buy, cut over, rolled back, cut over for good, finished.
Every purchase that a server has acknowledged must be where the shop is, and in the end nothing of pgpier is left.
"""
import subprocess
import sys
import time

from . import app, cluster, compare, live, pgpier, shop
from .moments import Moments

SETTINGS = {"shared_buffers": "256MB", "maintenance_work_mem": "128MB", "wal_level": "logical",
	"synchronous_commit": "on"}  # else the source's WAL waits up to 0.2 s before anybody can follow it
BUY = 200  # purchases that are waited for wherever the shop has gone
PATIENCE_S = 30


def say(text, *values):
	print("demo: " + text % values, flush=True)


def prepare(source, target):
	started = time.monotonic()
	shop.make_role(source, target)
	shop.make(source)
	target.create_db("shop")
	rows, tables = source.sql("SELECT sum(reltuples)::bigint, count(*) FROM pg_class WHERE relkind = 'r'"
		" AND relnamespace::regnamespace::text IN ('public', 'sales', 'stock', 'audit')", "shop")[0]
	size = source.sql("SELECT pg_size_pretty(pg_database_size('shop'))")[0][0]
	say("a shop of %d tables, %s rows, %s, made in %.0f s", tables, format(rows, ","), size,
		time.monotonic() - started)


def peers(source, target):
	return [{"name": "shop-old", **source.address("shop", tcp=True)},
		{"name": "shop-new", **target.address("shop", tcp=True)}]


def moves(name, target, address):
	"""A mirror for the whole way."""
	return {"name": name, "source": "shop-old", "target": target, "tables": ["*"], "workers": 2, "continuous": True,
		"schema": "database", "open_command": address.hook()}


def console(home, source, target, address):
	home.write(peers(source, target), [moves("shop", "shop-new", address)])
	say("the console opens; customers are buying on shop-old. 2 goes to the mirrors, \u23ce opens shop, p runs it;")
	say("Tab goes to its Verify and Cutover, which moves the customers. n makes another mirror, q leaves")
	return subprocess.call(home.command())


def compared(differences, what):
	"""The exit code."""
	if differences:
		say("source and target differ\n%s", "\n".join(differences))
		return 1
	say("both sides are equal: every row and definition of every table, %s", what)
	return 0


def tell(home, *words):
	"""What it says in JSON; its progress goes to stderr, for whoever watches. None when it did not end well."""
	done = subprocess.run(home.command(*words, "--json"), stdout=subprocess.PIPE, text=True,
		stdin=subprocess.DEVNULL, check=False)
	outcome = pgpier.Outcome(done.args, done.returncode, done.stdout, "", home.log())
	if outcome.code != pgpier.DONE:
		say("pgpier %s failed\n%s", " ".join(words), outcome)
		return None
	return outcome.json


# ---- the first act: a copy ----

def copy(home, source, target, writer):
	home.write(peers(source, target), [{"name": "shop", "source": "shop-old", "target": "shop-new",
		"tables": ["*"], "workers": 2}])
	with Moments(source, "shop") as moments:
		before = writer.transactions
		done = tell(home, "run", "shop")
		if not done:
			return 1
		say("mirror shop is %s: %d tables, %s rows in %.1f s; %d transactions were written meanwhile",
			done["state"], len(done["tables"]), format(done["rows"], ","), done["elapsed_s"],
			writer.transactions - before)
		with target.connect("shop") as connection:
			return compared(moments.differences(connection), "as of the mirror's snapshot")


# ---- the second act: the whole way ----

class Way:
	"""Mirror shop-live, and where the customers are. Every step says what came of it, and is false when nothing
	good did."""

	def __init__(self, home, source, target, writer):
		self.home, self.writer = home, writer
		self.places = {"shop-old": (source, "shop"), "shop-next": (target, "shop_live")}

	def catch_up(self, mirror, when):
		done = tell(self.home, "run", mirror, "--until", "caught-up")
		if done:
			stream = done["replication"]
			say("mirror %s caught up %s: %s changes in %s transactions applied, lag %.0f ms", mirror, when,
				format(stream["changes"], ","), format(stream["transactions"], ","), stream["lag_s"] * 1000)
		return done

	def verify(self):
		done = tell(self.home, "verify", "shop-live")
		if done:
			say("verified while customers buy: %d tables and sequences equal, %s rows of both sides at position %s of"
				" the log; replication was held for %.0f ms", done["equal"], format(done["rows"], ","), done["position"],
				done["stopped_s"] * 1000)
		return done

	def rehearse(self):
		done = tell(self.home, "cutover", "shop-live", "--dry-run")
		if done:
			say("rehearsed: %d gates, none closed; nobody will be able to write for about %.1f s", len(done["gates"]),
				done["cutover"]["forecast_s"])
		return done

	def move(self, verb, to):
		"""A cutover or a rollback beneath the customers."""
		first = self.writer.sent
		done = tell(self.home, verb, "shop-live", "--yes-i-mean", "shop-live")
		if not done or not self.arrived(to, first):
			return None
		cutover = done["cutover"]
		say("%s done, the shop is on %s: nobody could write for %.2f s (verify %.2f s); customers waited for %.2f s", verb,
			to, cutover["closed_s"], [s["took_s"] for s in cutover["steps"] if s["step"] == "verify"][0],
			self.writer.pause(first))
		return done

	def arrived(self, to, first):
		"""The customers buy there, and nothing that they have bought before is lost."""
		server, dbname = self.places[to]
		until = time.monotonic() + PATIENCE_S
		wanted = self.writer.on(server.port) + BUY
		while self.writer.on(server.port) < wanted and not self.writer.failure:
			if time.monotonic() > until:
				say("the customers do not buy on %s", to)
				return False
			time.sleep(0.02)
		lost = self.writer.lost(server, dbname)
		if lost:
			say("%d acknowledged purchases are not on %s exactly once: %s ...", len(lost), to, lost[:5])
			return False
		say("%s purchases were acknowledged since the shop opened, each is on %s exactly once",
			format(self.writer.transactions, ","), to)
		return True

	def finish(self):
		"""What pgpier has made goes; what is left for a person is told."""
		done = tell(self.home, "finish", "shop-live", "--yes-i-mean", "shop-live")
		if not done:
			return False
		left = [thing for server, dbname in self.places.values() for thing in live.slots(server, dbname)
			+ live.publications(server, dbname) + server.sql("SELECT nspname FROM pg_namespace WHERE nspname = 'pgpier'",
			dbname)]
		if left:
			say("finished, but the servers still have %s", left)
			return False
		say("finished: slots, publications and schema pgpier are gone from both servers. What remains for a person:")
		for line in done["cutover"]["remains"]:
			say("  %s", line)
		return True


def follow(home, source, target, writer, address):
	target.create_db("shop_live")
	home.write(peers(source, target) + [{"name": "shop-next", **target.address("shop_live", tcp=True)}],
		[moves("shop-live", "shop-next", address)])
	way = Way(home, source, target, writer)
	ok = (way.catch_up("shop-live", "while customers buy") and way.verify() and way.rehearse()
		and way.move("cutover", "shop-next") and way.move("rollback", "shop-old") and way.move("cutover", "shop-next"))
	if not ok:
		return 1
	writer.finish()
	if not way.catch_up("shop-live-back", "with the closed shop"):
		return 1
	with source.connect("shop") as here, target.connect("shop_live") as there:
		found = compare.differences(here, there, values=False)
	return compared(found, "there and back") or (0 if way.finish() else 1)


def main():
	cluster.exit_on_signals()
	interactive = sys.stdin.isatty() and sys.stdout.isatty()
	with cluster.Cluster("old", settings=SETTINGS) as source, cluster.Cluster("new", settings=SETTINGS) as target:
		say("two servers on ports %d and %d", source.port, target.port)
		prepare(source, target)
		with pgpier.Pgpier(peers(source, target)) as home:
			address = app.Address(home.folder, source, "shop")
			writer = shop.Writer(address)
			try:
				if interactive:
					return console(home, source, target, address)
				return copy(home, source, target, writer) or follow(home, source, target, writer, address)
			finally:
				writer.close()


if __name__ == "__main__":
	try:
		sys.exit(main())
	except KeyboardInterrupt:
		sys.exit(130)
