# SPDX-License-Identifier: PostgreSQL
"""What a verification is tried on: a table of all types, and faults that it has to find."""
import os
import random
import signal

import psycopg2

from integration.type_values import VALUES, arrays

from .load import wait_until

DIFFERENT, INCOMPLETE = 3, 4
REPAIR = ("--repair", "--yes")
SEEDS = int(os.environ.get("PGPIER_SEEDS", "10"))

# Types of users' own that are made of what majors print in different ways.
OWN_TYPES = """
CREATE TYPE spot AS (x float8, name text);
CREATE TYPE span AS RANGE (subtype = float8);
CREATE DOMAIN share AS float8;
CREATE TYPE mood AS ENUM ('sad', 'ok', 'a "quoted" one');
"""
OWN = {
	"spot": ["(0.1,a)", "(-1e-300,)", '(,"x,y")'],
	"_spot": ['{"(0.1,a)",NULL}', "{}", '[0:0]={"(2.5,b)"}'],
	"span": ["[0.1,0.2)", "empty", "(,1e300]"],
	"share": ["0.3", "-0", "NaN"],
	"_share": ["{0.1,0.3,NaN,NULL}", "{}", "{{1,2},{3,4e-5}}"],
	"mood": ["sad", "a \"quoted\" one"],
	"_mood": ["{sad,ok}", "{}"],
}


def sql_type(name):
	own = {"char": '"char"', "bit": "bit(1)", "bpchar": "char(12)"}
	if name.startswith("_"):
		element = name[1:]
		return "%s[]" % {"char": '"char"', "bit": "bit(1)", "bpchar": "bpchar"}.get(element, element)
	return own.get(name, name)


def values_of(connection):
	"""{type: values} of those types and values that this server takes; arrays as _type."""
	found = {}
	with connection.cursor() as cursor:
		cursor.execute("SELECT typname, typdelim FROM pg_type WHERE typnamespace = 'pg_catalog'::regnamespace")
		delimiters = dict(cursor.fetchall())
		for name, values in VALUES.items():
			if name not in delimiters:
				continue
			values = ["x" * len(v) if name == "bpchar" and len(v) > 12 else v for v in values]
			found[name] = taken(cursor, name, values)
			found["_" + name] = taken(cursor, "_" + name, arrays(found[name][:3], delimiters[name])[:4])
		for name, values in OWN.items():
			found[name] = taken(cursor, name, values)
	return {name: values for name, values in found.items() if values}


def taken(cursor, name, values):
	"""Those that the server takes, and that are not the same to it."""
	texts = {}
	for value in values:
		try:
			cursor.execute("SELECT ROW(%%s::%s)::text" % sql_type(name), (value,))
			texts.setdefault(cursor.fetchone()[0], value)
		except psycopg2.Error:
			pass
	return list(texts.values())


class Wide:
	"""One table with a column of each type, as many rows as columns and some more."""

	def __init__(self, server, database):
		connection = server.connect(database)
		try:
			with connection.cursor() as cursor:
				cursor.execute(OWN_TYPES)
				self.values = values_of(connection)
				self.names = sorted(self.values)
				cursor.execute("CREATE TABLE wide (id int PRIMARY KEY, %s)" % ", ".join(
					'"c_%s" %s' % (n, sql_type(n)) for n in self.names))
				self.rows = len(self.names) + 5
				for row in range(self.rows):
					cursor.execute("INSERT INTO wide VALUES (%s)" % ", ".join(["%s"] * (len(self.names) + 1)),
						[row] + [self.at(n, row) for n in self.names])
		finally:
			connection.close()

	def at(self, name, row):
		"""The value that a row has; every seventh is NULL."""
		values = self.values[name]
		turn = row + self.names.index(name)
		return None if turn % 7 == 0 else values[turn % len(values)]

	def other(self, name, row, random_=random):
		"""Another value than the row has."""
		now = self.at(name, row)
		others = [v for v in self.values[name] if v != now]
		return random_.choice(others) if now is None or others and random_.random() < 0.8 else None


def column(row, name):
	return [c for c in row["columns"] if c["name"] == name][0]


def key_of(row, name="id"):
	found = column(row, name)
	return found["source"] if row["kind"] != "extra" else found["target"]


def differing(row):
	return [c["name"] for c in row["columns"] if c["differs"]]


# ---- beside a mirror that replicates ----

def verify(p, *words, timeout=120):
	return p("verify", "m", "--json", *words, timeout=timeout)


def beside(live):
	"""A pgpier of its own, whose words do not end up where those of the mirror do."""
	return live.pair.pgpier(continuous=True, workers=2, slot=live.slot_of(live.pair))


class Stuck:
	"""A verification that holds replication and gets no further, because its session on the target sleeps."""

	def __init__(self, live):
		self.live, self.pair, self.p = live, live.pair, beside(live)

	def __enter__(self):
		"""It asks for nothing before its sessions are open: then one is put to sleep."""
		gate = self.pair.target.connect(self.pair.name, autocommit=False)
		gate.cursor().execute("LOCK TABLE pgpier.holds IN SHARE MODE")
		self.process = self.p.start("verify", "m", "--json")
		self.pid = self.live.wait(self.session, "its sessions")
		os.kill(self.pid, signal.SIGSTOP)
		gate.rollback()
		gate.close()
		self.live.wait(lambda: self.state() == [("held",)], "the hold")
		return self

	def session(self):
		"""The last one to be opened is there, so the one that takes the snapshot is, too."""
		found = dict(self.pair.target.sql("SELECT application_name, pid FROM pg_stat_activity WHERE datname = %s"
			" AND state LIKE 'idle%%' OR wait_event_type = 'Lock'", parameters=(self.pair.name,)))
		return "pgpier/m/verify/position-2" in found and found.get("pgpier/m/verify/position-1")

	def state(self):
		return self.pair.target.sql("SELECT state FROM pgpier.holds", self.pair.name)

	def wake(self):
		try:
			os.kill(self.pid, signal.SIGCONT)
		except ProcessLookupError:
			pass

	def __exit__(self, *_):
		self.wake()
		self.process.kill()
		self.process.communicate()


class Repairing:
	"""A repair of table items, one row of which is spoilt, that waits for somebody's lock. A context."""

	def __init__(self, live):
		self.live, self.pair, self.p = live, live.pair, beside(live)

	def __enter__(self):
		self.pair.target.sql("UPDATE items SET v = 'spoilt' WHERE id = 5", self.pair.name)
		self.gate = self.pair.target.connect(self.pair.name, autocommit=False)
		self.gate.cursor().execute("LOCK TABLE items IN SHARE MODE")
		self.process = self.p.start("verify", "m", "--json", *REPAIR)
		self.pid = wait_until(self.waits, "a repair that waits", 30)
		assert self.holds() == [("kept",)]
		return self

	def waits(self):
		assert self.process.poll() is None, self.p.finish(self.process)
		found = self.pair.target.sql("SELECT pid FROM pg_stat_activity WHERE application_name = 'pgpier/m/verify/repair'"
			" AND datname = %s AND wait_event_type = 'Lock'", parameters=(self.pair.name,))
		return found and found[0][0]

	def holds(self):
		return self.pair.target.sql("SELECT state FROM pgpier.holds", self.pair.name)

	def value(self):
		return self.pair.target.sql("SELECT v FROM items WHERE id = 5", self.pair.name)[0][0]

	def let_go(self):
		if not self.gate.closed:
			self.gate.close()

	def finish(self):
		self.let_go()
		return self.p.finish(self.process)

	def refused(self):
		"""Nothing was changed, and it says why."""
		outcome = self.finish().expect(DIFFERENT)
		table = outcome.table("public.items")
		assert "replication went on before the repair was through" in table["repair_error"], outcome
		assert (table["deleted"], table["inserted"]) == (0, 0) and outcome.json.get("after") is None, outcome

	def __exit__(self, *_):
		self.let_go()
		if self.process.poll() is None:
			self.process.kill()
			self.process.communicate()
