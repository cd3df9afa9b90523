# SPDX-License-Identifier: PostgreSQL
"""A migration to try: two throw-away clusters, a shop with customers in it, and pgpier between them.

On a terminal the console opens on the two peers. Without one there are two acts, headless, and the customers
go on buying through both. First an initial copy: the source is read again in the very snapshot that pgpier read
it in, which this program imports while pgpier holds it. Then a continuous mirror into another database: it
catches up under way, is paused, catches up again after the last customer has gone, and nothing may differ.
"""
import os
import subprocess
import sys
import time

from . import cluster, compare, live, pgpier, shop
from .moments import Moments

SETTINGS = {"shared_buffers": "256MB", "maintenance_work_mem": "128MB", "wal_level": "logical",
	"synchronous_commit": "on"}  # else the source's WAL waits up to 0.2 s before anybody can follow it
PAUSE_S = 3


def say(text, *values):
	print("demo: " + text % values, flush=True)


def prepare(source, target):
	started = time.monotonic()
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


def console(home):
	say("the console opens on the peers shop-old and shop-new; 2 goes to the mirrors, n makes one, q leaves")
	say("customers are buying on shop-old, its wal_level is logical: a mirror may be Continuous and follow them")
	return subprocess.call(home.command("-f"))


def compared(differences, what):
	"""The exit code."""
	if differences:
		say("source and target differ\n%s", "\n".join(differences))
		return 1
	say("both sides are equal: every row and definition of every table, %s", what)
	return 0


def run(home, mirror, *words):
	"""Its progress goes to stderr, for whoever watches; None when it did not end well."""
	done = subprocess.run(home.command("run", mirror, "--json", *words), stdout=subprocess.PIPE, text=True,
		stdin=subprocess.DEVNULL, check=False)
	outcome = pgpier.Outcome(done.args, done.returncode, done.stdout, "", home.log())
	if outcome.code != pgpier.DONE:
		say("mirror %s failed\n%s", mirror, outcome)
		return None
	return outcome.json


# ---- the first act: a copy ----

def copy(home, source, target, writer):
	home.write(peers(source, target), [{"name": "shop", "source": "shop-old", "target": "shop-new",
		"tables": ["*"], "workers": 2}])
	with Moments(source, "shop") as moments:
		before = writer.transactions
		done = run(home, "shop")
		if not done:
			return 1
		say("mirror shop is %s: %d tables, %s rows in %.1f s; %d transactions were written meanwhile",
			done["state"], len(done["tables"]), format(done["rows"], ","), done["elapsed_s"],
			writer.transactions - before)
		with target.connect("shop") as connection:
			return compared(moments.differences(connection), "as of the mirror's snapshot")


# ---- the second act: a mirror that follows ----

def catch_up(home, when):
	done = run(home, "shop-live", "--until", "caught-up")
	if not done:
		return False
	stream = done["replication"]
	say("mirror shop-live caught up %s: %s changes in %s transactions applied, lag %.0f ms", when,
		format(stream["changes"], ","), format(stream["transactions"], ","), stream["lag_s"] * 1000)
	return True


def drop(home, source):
	"""What a mirror has made on the source goes with it."""
	dropped = home("drop", "shop-live", "--yes", "--json")
	left = live.slots(source, "shop") + live.publications(source, "shop")
	if dropped.code != pgpier.DONE or left:
		say("mirror shop-live was not dropped, the source still has %s\n%s", left, dropped)
		return 1
	say("mirror shop-live is dropped: slot and publication are gone from the source, the tables stay")
	return 0


def follow(home, source, target, writer):
	target.create_db("shop_live")
	home.write(peers(source, target) + [{"name": "shop-next", **target.address("shop_live", tcp=True)}],
		[{"name": "shop-live", "source": "shop-old", "target": "shop-next", "tables": ["*"], "workers": 2,
			"continuous": True}])
	if not catch_up(home, "while customers buy"):
		return 1
	before = writer.transactions
	time.sleep(PAUSE_S)
	writer.finish()
	kept = source.sql("SELECT pg_size_pretty(pg_current_wal_lsn() - restart_lsn) FROM pg_replication_slots")[0][0]
	say("paused for %d s, its slot keeps %s of WAL; %d more transactions were written, then the shop closed",
		PAUSE_S, kept, writer.transactions - before)
	if not catch_up(home, "with the closed shop"):
		return 1
	with source.connect("shop") as here, target.connect("shop_live") as there:
		found = compare.differences(here, there)
	return compared(found, "and every sequence") or drop(home, source)


def main():
	cluster.exit_on_signals()
	interactive = sys.stdin.isatty() and sys.stdout.isatty()
	with cluster.Cluster("old", settings=SETTINGS) as source, cluster.Cluster("new", settings=SETTINGS) as target:
		say("two servers on ports %d and %d", source.port, target.port)
		prepare(source, target)
		with pgpier.Pgpier(peers(source, target)) as home:
			writer = shop.Writer(source)
			try:
				if interactive:
					return console(home)
				return copy(home, source, target, writer) or follow(home, source, target, writer)
			finally:
				writer.close()


if __name__ == "__main__":
	try:
		sys.exit(main())
	except KeyboardInterrupt:
		sys.exit(130)
