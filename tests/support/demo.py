# SPDX-License-Identifier: PostgreSQL
"""A migration to try: two throw-away clusters, a shop with customers in it, and pgpier between them.

On a terminal the console opens on the two peers. Without one, the mirror runs headless, and then every
table of both sides is compared. The customers go on buying meanwhile, so the source is read again in the
very snapshot that pgpier read it in: this program imports it while pgpier holds it.
"""
import os
import subprocess
import sys
import time

from . import cluster, pgpier, shop
from .moments import Moments

SETTINGS = {"shared_buffers": "256MB", "maintenance_work_mem": "128MB"}


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
	return subprocess.call(home.command())


def headless(home, source, target, writer):
	home.write(peers(source, target), [{"name": "shop", "source": "shop-old", "target": "shop-new",
		"tables": ["*"], "workers": 2}])
	with Moments(source, "shop") as moments:
		before = writer.transactions
		done = subprocess.run(home.command("run", "shop", "--json"), stdout=subprocess.PIPE, text=True,
			stdin=subprocess.DEVNULL, check=False)
		written = writer.transactions - before
		outcome = pgpier.Outcome(done.args, done.returncode, done.stdout, "", home.log())
		if outcome.code != pgpier.DONE:
			say("the mirror failed\n%s", outcome)
			return 1
		say("mirror shop is %s: %d tables, %s rows in %.1f s; %d transactions were written meanwhile",
			outcome.json["state"], len(outcome.json["tables"]), format(outcome.json["rows"], ","),
			outcome.json["elapsed_s"], written)
		return compare(moments, target)


def compare(moments, target):
	connection = target.connect("shop")
	found = moments.differences(connection)
	connection.close()
	if found:
		say("source and target differ\n%s", "\n".join(found))
		return 1
	say("both sides are equal: every row and definition of every table, as of the mirror's snapshot")
	return 0


def main():
	cluster.exit_on_signals()
	interactive = sys.stdin.isatty() and sys.stdout.isatty()
	with cluster.Cluster("old", settings=SETTINGS) as source, cluster.Cluster("new", settings=SETTINGS) as target:
		say("two servers on ports %d and %d", source.port, target.port)
		prepare(source, target)
		with pgpier.Pgpier(peers(source, target)) as home:
			writer = shop.Writer(source)
			try:
				return console(home) if interactive else headless(home, source, target, writer)
			finally:
				writer.close()


if __name__ == "__main__":
	try:
		sys.exit(main())
	except KeyboardInterrupt:
		sys.exit(130)
