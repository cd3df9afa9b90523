# SPDX-License-Identifier: PostgreSQL
"""A whole database's schema: every object kind of pg_dump, and what happens when one can't be made."""
import os
import re
import subprocess

import pytest

from support.cluster import DEBIAN_BIN
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
	env = {**os.environ, "PGPASSWORD": address.get("password", "")}
	command = [DEBIAN_BIN + "/pg_dump", "-h", address["host"], "-p", str(address["port"]), "-U", address["user"], *words,
		dbname]
	return subprocess.run(command, env=env, check=True, stdout=subprocess.PIPE, text=True, timeout=60).stdout


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


def test_list_of_kinds(every, tmp_path):
	"""The SQL file has an object of every kind that pg_dump knows."""
	archive = str(tmp_path / "dump")
	pg_dump(every.source, every.name, "-s", "-Fc", "-f", archive)
	listed = subprocess.run([DEBIAN_BIN + "/pg_restore", "-l", archive], check=True, stdout=subprocess.PIPE,
		text=True).stdout
	lines = [re.sub(r"^\d+; \d+ \d+ ", "", line) for line in listed.splitlines() if not line.startswith(";")]
	missing = {k for k in KINDS if not any(line.startswith(k + " ") for line in lines)}
	assert not missing


def test_every_kind(every):
	p = every.pgpier(schema="database", publications=True, workers=3)
	outcome = p.run().expect(DONE)
	assert outcome.json["state"] == "done", outcome
	assert_same_schema(every, without=NOT_MADE)
	every.assert_equal(outcome)
