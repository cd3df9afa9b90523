# SPDX-License-Identifier: PostgreSQL
"""A whole database's schema, with an object of every kind that pg_dump knows (every_kind.sql)."""
import os
import re
import subprocess
import threading

import pytest

from support.cluster import DEBIAN_BIN
from support.live import MARKERS, Live
from support.load import wait_until
from support.pgpier import DONE

HERE = os.path.dirname(os.path.abspath(__file__))

# What pg_dump 15 calls the objects of a schema-only dump (dbObjectTypePriorities, and the tags of its entries).
KINDS = """ACCESS METHOD, ACL, AGGREGATE, CAST, CHECK CONSTRAINT, COLLATION, COMMENT, CONSTRAINT, CONVERSION, DEFAULT,
DEFAULT ACL, DOMAIN, EVENT TRIGGER, EXTENSION, FK CONSTRAINT, FOREIGN DATA WRAPPER, FOREIGN TABLE, FUNCTION, INDEX,
INDEX ATTACH, MATERIALIZED VIEW, OPERATOR, OPERATOR CLASS, OPERATOR FAMILY, POLICY, PROCEDURAL LANGUAGE, PROCEDURE,
PUBLICATION, PUBLICATION TABLE, PUBLICATION TABLES IN SCHEMA, ROW SECURITY, RULE, SCHEMA, SEQUENCE, SEQUENCE OWNED BY,
SERVER, SHELL TYPE, STATISTICS, SUBSCRIPTION, TABLE, TABLE ATTACH, TEXT SEARCH CONFIGURATION, TEXT SEARCH DICTIONARY,
TEXT SEARCH PARSER, TEXT SEARCH TEMPLATE, TRANSFORM, TRIGGER, TYPE, USER MAPPING, VIEW"""
KINDS = {k.strip() for k in KINDS.replace("\n", " ").split(",")}

# Left out on purpose.
NOT_MADE = ("SUBSCRIPTION",)

LARGE = """SELECT m.oid, lomowner::regrole::text, lomacl::text, obj_description(m.oid, 'pg_largeobject'), md5(lo_get(m.oid))
	FROM pg_largeobject_metadata m ORDER BY 1"""


def every_kind():
	with open(os.path.join(HERE, "every_kind.sql")) as f:
		return f.read()


def make_roles(*servers):
	for server in servers:
		for role in ("every_owner", "every_reader"):
			if not server.sql("SELECT 1 FROM pg_roles WHERE rolname = %s", parameters=(role,)):
				server.sql("CREATE ROLE " + role)


@pytest.fixture
def every(pair):
	"""A pair whose source has an object of every kind. Subscriptions keep their databases from being dropped."""
	make_roles(pair.source, pair.target)
	yield pair.fill(every_kind())
	for server in (pair.source, pair.target):
		for (name,) in server.sql("SELECT subname FROM pg_subscription JOIN pg_database d ON d.oid = subdbid"
			" WHERE datname = %s", parameters=(pair.name,)):
			server.sql("ALTER SUBSCRIPTION %s SET (slot_name = NONE); DROP SUBSCRIPTION %s" % (name, name), pair.name)


def pg_dump(server, dbname, *words):
	address = server.address(dbname)
	command = [DEBIAN_BIN + "/pg_dump", "-h", address["host"], "-p", str(address["port"]), "-U", address["user"], *words,
		dbname]
	return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, timeout=60).stdout


def definitions(server, dbname):
	"""pg_dump -s, as paragraphs: their order may differ."""
	text = pg_dump(server, dbname, "-s", "-N", "pgpier")
	text = re.sub(r"^\\(un)?restrict .*$", "", text, flags=re.M)
	return sorted(p.strip() for p in text.split("\n\n") if p.strip())


def assert_same_schema(pair, without=()):
	here, there = (definitions(s, pair.name) for s in (pair.source, pair.target))
	lost = [p for p in here if p not in there and not any(w in p for w in without)]
	strange = [p for p in there if p not in here and not any(w in p for w in without)]
	assert not lost and not strange, "only on the source:\n%s\nonly on the target:\n%s" % ("\n".join(lost),
		"\n".join(strange))


def counts(outcome):
	return outcome.json["schema"]["counts"]


def test_list_of_kinds(every, tmp_path):
	"""The SQL file has an object of every kind that pg_dump knows."""
	archive = str(tmp_path / "dump")
	pg_dump(every.source, every.name, "-s", "-Fc", "-f", archive)
	listed = subprocess.run([DEBIAN_BIN + "/pg_restore", "-l", archive], check=True, stdout=subprocess.PIPE,
		text=True).stdout
	lines = [re.sub(r"^\d+; \d+ \d+ ", "", line) for line in listed.splitlines() if not line.startswith(";")]
	missing = {k for k in KINDS if not any(line.startswith(k + " ") for line in lines)}
	assert not missing


def assert_views_filled(every):
	for view in ("summary", "summary_of", "by_key"):
		sql = "SELECT * FROM app.%s ORDER BY 1, 2" % view
		assert every.source.sql(sql, every.name) == every.target.sql(sql, every.name) != []


def test_every_kind(every):
	outcome = every.pgpier(schema="database", publications=True, workers=3).run().expect(DONE)
	assert outcome.json["state"] == "done", outcome
	assert not outcome.json["schema"]["failed"] and counts(outcome)["left_out"] == 1, outcome
	assert_same_schema(every, without=NOT_MADE)
	every.assert_equal(outcome)
	assert every.source.sql(LARGE, every.name) == every.target.sql(LARGE, every.name) != []
	assert_views_filled(every)
	analyzed = every.target.sql("SELECT count(*) FROM pg_class WHERE relname IN ('child', 'event_2025') AND reltuples > 0",
		every.name)
	assert analyzed == [(2,)], "not analyzed"


def test_check_of_every_kind(every):
	"""The preflight says what it will do, and leaves the target as it is."""
	before = definitions(every.target, every.name)
	outcome = every.pgpier(schema="database")("check", "m", "--json").expect(DONE)
	texts = [f["text"] for f in outcome.json["findings"]]
	assert any("SUBSCRIPTION from_afar" in t for t in texts), outcome
	assert any("PUBLICATION some_tables" in t for t in texts), outcome
	assert any("objects before the rows" in line for line in outcome.json["plan"]), outcome
	assert definitions(every.target, every.name) == before


# ---- while others write ----

# Tables whose changes a publication can't tell apart.
KEYLESS = "".join("ALTER TABLE app.%s REPLICA IDENTITY FULL;" % t
	for t in ("no_columns", "base_table", "derived", "other_method", "hashed_0", "hashed_1"))
WRITES = ("INSERT INTO public.plain VALUES (%d + 1000, 'new')", "UPDATE app.child SET n = n + 100000 WHERE id = %d",
	"DELETE FROM app.visit WHERE id = %d", "INSERT INTO app.event VALUES (%d + 100000, '2026-03-01', 1, 'late')",
	"UPDATE app.parent SET v = v || 'x' WHERE id = %d", "INSERT INTO app.child (parent, n) VALUES (1, 700000 + %d)",
	"DELETE FROM app.child c WHERE id = 2000 + %d AND NOT EXISTS (SELECT 1 FROM app.child d WHERE d.above = c.id)")


class Writer:
	"""Changes several tables until it is stopped."""

	def __init__(self, pair):
		self.connection = pair.source.connect(pair.name)
		self.over = threading.Event()
		self.thread = threading.Thread(target=self.work)
		self.thread.start()

	def work(self):
		n = 0
		with self.connection.cursor() as cursor:
			while not self.over.wait(0.01):
				n += 1
				for sql in WRITES:
					cursor.execute(sql.replace("%d", str(n)))

	def __enter__(self):
		return self

	def __exit__(self, *_):
		self.over.set()
		self.thread.join()
		self.connection.close()


def test_every_kind_continuous(every):
	every.fill("DROP TABLE app.cache;" + KEYLESS + MARKERS)
	live = Live(every, schema="database", publications=True)
	with Writer(every):
		with live:
			live.wait_said("the stream begins", 60)
			live.sync()
			live.stop()
	with live:
		live.sync()
		live.equal()
		found = live.status().json["schema"]
		assert not found["failed"], found
		assert_same_schema(every, without=NOT_MADE + ("pgpier_m",))
		# What is applied fires no trigger: the source's has set the bodies that it sends.
		touched = "SELECT count(*) FROM app.child WHERE body = 'touched'"
		assert every.source.sql(touched, every.name) == every.target.sql(touched, every.name)
		live.stop()


# ---- interrupted ----

@pytest.mark.parametrize("part", (0.1, 0.5, 0.8, 0.97))
def test_killed(every, part):
	"""kill -9 when so much of the objects is made; the next run makes the rest, and nothing twice."""
	p = every.pgpier(schema="database", publications=True)
	total = 227

	def made():
		if process.poll() is not None:
			return True
		try:
			found = every.target.sql("SELECT count(*) FILTER (WHERE state = 'done') FROM pgpier.objects", every.name)
		except Exception:  # not there yet
			return False
		return found[0][0] >= part * total
	process = p.start("run", "m", "--json")
	wait_until(made, "objects", 60)
	process.kill()
	process.communicate()
	outcome = p.run().expect(DONE)
	assert not outcome.json["schema"]["failed"] and counts(outcome)["exists"] == 0, outcome
	assert_same_schema(every, without=NOT_MADE)
	every.assert_equal(outcome)
	assert_views_filled(every)
	assert every.source.sql(LARGE, every.name) == every.target.sql(LARGE, every.name)
