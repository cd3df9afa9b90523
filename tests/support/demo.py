# SPDX-License-Identifier: PostgreSQL
"""A migration to try: two throw-away clusters, a shop with customers in it, and pgpier between them.

On a terminal the console opens on the two peers and on a mirror that is ready to run, follow, verify and cut over;
its open_command tells the customers where the shop is. Without a terminal the same mirror goes the whole way by the
command line: loaded, caught up and verified while customers buy, cut over, rolled back, cut over for good, finished.
Every purchase that a server has acknowledged must be where the shop is; in the end this program compares both sides
by itself, and nothing of pgpier may be left on the servers.
"""
import subprocess
import sys
import time

from . import app, cluster, compare, live, pgpier, shop

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


def mirror(address):
	"""For the whole way."""
	return {"name": "shop", "source": "shop-old", "target": "shop-new", "tables": ["*"], "workers": 2,
		"continuous": True, "schema": "database", "open_command": address.hook()}


def console(home):
	say("the console opens on mirror shop; customers are buying on shop-old. \u23ce opens it, p runs it;")
	say("Tab goes to its Verify and Cutover, which moves the customers. n makes another mirror, q leaves")
	return subprocess.call(home.command("-f"))


def tell(home, *words):
	"""What it says in JSON; its progress goes to stderr, for whoever watches. None when it did not end well."""
	done = subprocess.run(home.command(*words, "--json"), stdout=subprocess.PIPE, text=True,
		stdin=subprocess.DEVNULL, check=False)
	outcome = pgpier.Outcome(done.args, done.returncode, done.stdout, "", home.log())
	if outcome.code != pgpier.DONE:
		say("pgpier %s failed\n%s", " ".join(words), outcome)
		return None
	return outcome.json


# ---- without the console ----

class Way:
	"""The mirror, and where the customers are. Every step says what came of it, and is false when nothing good
	did."""

	def __init__(self, home, source, target, writer):
		self.home, self.writer = home, writer
		self.servers = {"shop-old": source, "shop-new": target}

	def catch_up(self, name, when):
		done = tell(self.home, "run", name, "--until", "caught-up")
		if done:
			stream = done["replication"]
			say("mirror %s caught up %s after %.1f s: %s changes in %s transactions applied, lag %.0f ms", name, when,
				done["elapsed_s"], format(stream["changes"], ","), format(stream["transactions"], ","),
				stream["lag_s"] * 1000)
		return done

	def verify(self):
		done = tell(self.home, "verify", "shop")
		if done:
			say("verified while customers buy: %d tables and sequences equal, %s rows of both sides at position %s of"
				" the log; replication was held for %.0f ms", done["equal"], format(done["rows"], ","), done["position"],
				done["stopped_s"] * 1000)
		return done

	def move(self, verb, to):
		"""A cutover or a rollback beneath the customers."""
		first = self.writer.sent
		done = tell(self.home, verb, "shop", "--yes-i-mean", "shop")
		if not done or not self.arrive(to):
			return False
		cutover = done["cutover"]
		say("%s done, the shop is on %s: nobody could write for %.2f s (verify %.2f s); customers waited for %.2f s", verb,
			to, cutover["closed_s"], [s["took_s"] for s in cutover["steps"] if s["step"] == "verify"][0],
			self.writer.pause(first))
		return self.kept(to)

	def arrive(self, to):
		"""The customers buy there."""
		port, until = self.servers[to].port, time.monotonic() + PATIENCE_S
		wanted = self.writer.on(port) + BUY
		while self.writer.on(port) < wanted and not self.writer.failure:
			if time.monotonic() > until:
				say("the customers do not buy on %s", to)
				return False
			time.sleep(0.02)
		return True

	def kept(self, to):
		"""Nothing that they have ever bought is lost."""
		lost = self.writer.lost(self.servers[to], "shop")
		if lost:
			say("%d acknowledged purchases are not on %s exactly once: %s ...", len(lost), to, lost[:5])
			return False
		say("%s purchases were acknowledged since the shop opened, each is on %s exactly once",
			format(self.writer.transactions, ","), to)
		return True

	def compare(self):
		"""By this program's own means."""
		with self.servers["shop-old"].connect("shop") as here, self.servers["shop-new"].connect("shop") as there:
			found = compare.differences(here, there, values=False)
		if found:
			say("source and target differ\n%s", "\n".join(found))
			return False
		say("both sides are equal: every row and definition of every table")
		return True

	def finish(self):
		"""What pgpier has made goes; what is left for a person is told."""
		done = tell(self.home, "finish", "shop", "--yes-i-mean", "shop")
		if not done:
			return False
		left = [thing for server in self.servers.values() for thing in live.slots(server, "shop")
			+ live.publications(server, "shop") + server.sql("SELECT nspname FROM pg_namespace WHERE nspname = 'pgpier'",
			"shop")]
		if left:
			say("finished, but the servers still have %s", left)
			return False
		say("finished: slots, publications and schema pgpier are gone from both servers. What remains for a person:")
		for line in done["cutover"]["remains"]:
			say("  %s", line)
		return True

	def go(self):
		moved = (self.catch_up("shop", "while customers buy") and self.verify() and self.move("cutover", "shop-new")
			and self.move("rollback", "shop-old") and self.move("cutover", "shop-new"))
		if not moved:
			return False
		self.writer.finish()
		return self.catch_up("shop-back", "with the closed shop") and self.compare() and self.finish()


def main():
	cluster.exit_on_signals()
	interactive = sys.stdin.isatty() and sys.stdout.isatty()
	with cluster.Cluster("old", settings=SETTINGS) as source, cluster.Cluster("new", settings=SETTINGS) as target:
		say("two servers on ports %d and %d", source.port, target.port)
		prepare(source, target)
		with pgpier.Pgpier() as home:
			address = app.Address(home.folder, source, "shop")
			home.write(peers(source, target), [mirror(address)])
			writer = shop.Writer(address)
			try:
				if interactive:
					return console(home)
				return 0 if Way(home, source, target, writer).go() else 1
			finally:
				writer.close()


if __name__ == "__main__":
	try:
		sys.exit(main())
	except KeyboardInterrupt:
		sys.exit(130)
