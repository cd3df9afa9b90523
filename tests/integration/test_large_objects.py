# SPDX-License-Identifier: PostgreSQL
"""Large objects: same OIDs, contents, owners, grants and comments, as of a snapshot, each once."""
import os
import subprocess

import pytest

from support import pgpier

TOOL = os.path.join(pgpier.BUILD, "tests", "support", "large_tool")

OBJECTS = """
	SELECT m.oid, pg_get_userbyid(lomowner),
		(SELECT array_agg(a::text ORDER BY a::text) FROM unnest(lomacl) a),
		obj_description(m.oid, 'pg_largeobject'), md5(lo_get(m.oid)), length(lo_get(m.oid))
	FROM pg_largeobject_metadata m ORDER BY 1"""

# Empty, shorter than a piece, just one, one and a byte, several long pieces, with a hole; and many of them.
FILL = """
	SELECT lo_create(3000000001);
	SELECT lo_from_bytea(17001, 'abc\\000\\\\');
	SELECT lo_from_bytea(17002, convert_to(repeat('x', 65536), 'UTF8'));
	SELECT lo_from_bytea(17003, convert_to(repeat('y', 65537), 'UTF8'));
	SELECT lo_from_bytea(17004, decode((SELECT string_agg(md5(i::text), '') FROM generate_series(1, 210000) i), 'hex'));
	SELECT lo_from_bytea(17005, ''), lo_put(17005, 2200000, 'end');
	SELECT lo_from_bytea((20000 + i)::oid, decode(md5(i::text), 'hex')) FROM generate_series(1, 200) i;"""


def conninfo(pair, server, user="postgres"):
	return "host=%s port=%d dbname=%s user=%s" % (server.folder, server.port, pair.name, user)


def run(pair, *options, user="postgres"):
	return subprocess.run([TOOL, *options, conninfo(pair, pair.source, user), conninfo(pair, pair.target, user)],
		stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60, check=False)


def objects(pair):
	return [server.sql(OBJECTS, pair.name) for server in (pair.source, pair.target)]


@pytest.fixture
def roles(pair):
	"""roles("a") makes a role of its own on both servers, roles.source(...) on one; gone after the test."""
	made = []

	def on(server, name, attributes=""):
		full = "%s_%s" % (pair.name, name)
		server.sql('CREATE ROLE "%s" %s' % (full, attributes))
		made.append((server, full))
		return full

	class Roles:
		def __call__(self, name, attributes=""):
			on(pair.target, name, attributes)
			return on(pair.source, name, attributes)

		def source(self, name):
			return on(pair.source, name)
	yield Roles()
	for server, name in made:
		server.sql('DROP OWNED BY "%s" CASCADE' % name, pair.name)
		server.sql('DROP ROLE "%s"' % name)


def test_contents(pair):
	pair.fill(FILL)
	done = run(pair)
	assert done.returncode == 0, done.stdout
	source, target = objects(pair)
	assert len(source) == 206 and source == target
	size = sum(o[5] for o in source)
	assert done.stdout.startswith("206 large objects (") and "%d bytes, 0 unread" % size in done.stdout, done.stdout


def test_continuous_is_said(pair):
	pair.fill("SELECT lo_create(17001)")
	done = run(pair, "-c")
	assert "1 large object (0 B) copied; what changes in them from now on is not replicated" in done.stdout


def test_snapshot(pair):
	pair.fill("SELECT lo_from_bytea(17001, 'before'), lo_from_bytea(17002, 'goes')")
	done = run(pair, "-s", "SELECT lo_put(17001, 0, 'after!'), lo_unlink(17002), lo_create(17003)")
	assert done.returncode == 0, done.stdout
	assert pair.target.sql("SELECT oid, convert_from(lo_get(oid), 'UTF8') FROM pg_largeobject_metadata ORDER BY 1",
		pair.name) == [(17001, "before"), (17002, "goes")]


def test_rights(pair, roles):
	a, b = roles("a"), roles("b o'b")
	pair.fill(FILL + f"""
		ALTER LARGE OBJECT 17001 OWNER TO "{a}";
		GRANT SELECT ON LARGE OBJECT 17001 TO "{b}" WITH GRANT OPTION;
		GRANT UPDATE ON LARGE OBJECT 17001 TO PUBLIC;
		REVOKE ALL ON LARGE OBJECT 17002 FROM postgres;
		GRANT SELECT ON LARGE OBJECT 17003 TO "{b}";
		REVOKE UPDATE ON LARGE OBJECT 17003 FROM postgres;
		COMMENT ON LARGE OBJECT 17003 IS 'it''s a \\ comment';""")
	done = run(pair)
	assert done.returncode == 0, done.stdout
	source, target = objects(pair)
	assert source == target
	assert source[0][1] == a and len(source[0][2]) == 3 and source[1][2] is None and source[2][3] == "it's a \\ comment"


def test_roles_mapped_and_lacking(pair, roles):
	old, new, gone = roles("old"), roles("new"), roles.source("gone")
	pair.fill(f"""
		SELECT lo_create(17001), lo_create(17002);
		ALTER LARGE OBJECT 17001 OWNER TO "{old}";
		GRANT SELECT ON LARGE OBJECT 17001 TO "{gone}";
		ALTER LARGE OBJECT 17002 OWNER TO "{gone}";""")
	done = run(pair, "-o", "map", "-a", "%s=%s" % (old, new))
	assert done.returncode == 0, done.stdout
	assert [o[1] for o in objects(pair)[1]] == [new, "postgres"]
	assert "large object 17001: no SELECT for %s, a role that the target lacks" % gone in done.stdout
	assert "large object 17002 is not given to %s, a role that the target lacks" % gone in done.stdout


def test_owners_none(pair, roles):
	a = roles("a")
	pair.fill('SELECT lo_create(17001); ALTER LARGE OBJECT 17001 OWNER TO "%s"; GRANT SELECT ON LARGE OBJECT 17001 TO PUBLIC'
		% a)
	done = run(pair, "-o", "none")
	assert done.returncode == 0, done.stdout
	assert [o[1:3] for o in objects(pair)[1]] == [("postgres", None)]


def test_without_superuser(pair, roles):
	me = roles("me", "LOGIN")
	for server in (pair.source, pair.target):
		server.sql('ALTER DATABASE "%s" OWNER TO "%s"' % (pair.name, me))
	pair.fill(f"""
		SELECT lo_from_bytea(17001, 'mine'), lo_from_bytea(17002, 'shown'), lo_from_bytea(17003, 'hidden');
		ALTER LARGE OBJECT 17001 OWNER TO "{me}";
		GRANT SELECT ON LARGE OBJECT 17002 TO "{me}";""")
	done = run(pair, user=me)
	assert done.returncode == 0, done.stdout
	assert [(o[0], o[1]) for o in objects(pair)[1]] == [(17001, me), (17002, me)]
	assert "large object 17003, of postgres, is not copied: the role on the source may not read it" in done.stdout
	assert "large object 17002 is not given to postgres: only a member of that role can" in done.stdout
	assert "1 unread" in done.stdout
	for server in (pair.source, pair.target):
		server.sql('ALTER DATABASE "%s" OWNER TO postgres' % pair.name)


def test_there_already(pair):
	pair.fill(FILL)
	pair.target.sql("SELECT lo_from_bytea(20007, 'theirs')", pair.name)
	done = run(pair)
	assert done.returncode == 1
	assert "large object 20007 exists on the target already" in done.stdout
	assert [o[0] for o in objects(pair)[1]] == [20007]


def test_goes_on(pair):
	"""As after a crash: the next attempt begins behind what is marked, and nothing is done when all is."""
	pair.fill(FILL)
	assert run(pair).returncode == 0
	pair.target.sql("""
		SELECT lo_unlink(oid) FROM pg_largeobject_metadata WHERE oid > 20050;
		UPDATE pgpier.steps SET name = '20050' WHERE kind = 'large objects'""", pair.name)
	done = run(pair)
	assert done.returncode == 0 and done.stdout.startswith("151 large objects"), done.stdout
	source, target = objects(pair)
	assert source == target
	done = run(pair)
	assert done.stdout.startswith("0 large objects"), done.stdout
