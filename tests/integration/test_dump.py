# SPDX-License-Identifier: PostgreSQL
"""Databases as pg_dump tells them: made anew from what src/schema/dump/dump.h read, they dump alike.

The tool tests/support/dump_tool prints the objects."""
import json
import os
import re
import subprocess

import pytest

from support import cluster
from support.cluster import DEBIAN_BIN
from support.pgpier import BUILD, ROOT

TOOL = os.path.join(BUILD, "tests", "support", "dump_tool")
NASTY = os.path.join(ROOT, "tests", "unit", "dump", "nasty.sql")


@pytest.fixture
def folder():
	return cluster.temporary_folder()


def conninfo(server, dbname, **more):
	fields = {**server.address(dbname), **more}
	return " ".join("%s='%s'" % (k, str(v).replace("\\", "\\\\").replace("'", "\\'")) for k, v in fields.items())


def run_tool(*arguments, **env):
	return subprocess.run([TOOL, *arguments], capture_output=True, text=True, timeout=60, env={**os.environ, **env},
		check=False)


def objects(server, dbname, *more):
	"""The header, and the objects in order."""
	outcome = run_tool(conninfo(server, dbname), "150000", *more)
	assert outcome.returncode == 0, outcome.stderr
	lines = [json.loads(line) for line in outcome.stdout.splitlines()]
	return lines[0], lines[1:]


def refused(*arguments, **env):
	outcome = run_tool(*arguments, **env)
	assert outcome.returncode == 2, outcome.stdout
	return outcome.stderr


def nasty(pair):
	with open(NASTY, encoding="utf-8") as f:
		pair.fill(f.read())
	return pair


def text_of(server, dbname):
	"""pg_dump's own words, without what is another each time. Servers before 12 have no access methods, and
	triggers of theirs execute procedures."""
	command = [os.path.join(DEBIAN_BIN, "pg_dump"), "-s", "-d", conninfo(server, dbname)]
	text = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
	text = text.replace("EXECUTE PROCEDURE", "EXECUTE FUNCTION")
	return re.sub(r"(?m)^\\(un)?restrict .*$|^-- Dumped .*$|^SET default_table_access_method = heap;\n\n", "", text)


def make(server, dbname, header, entries):
	connection = server.connect(dbname)
	with connection.cursor() as c:
		for sql in header["header"]:
			c.execute(sql)
		for e in entries:
			for sql in (e["settings"], e["sql"], e["give_sql"]):
				if sql:
					c.execute(sql)
	connection.close()


def assert_made_anew(pair):
	header, entries = objects(pair.source, pair.name)
	assert [e["id"] for e in entries] == list(range(1, len(entries) + 1))
	make(pair.target, pair.name, header, entries)
	assert text_of(pair.target, pair.name) == text_of(pair.source, pair.name)
	return header


def test_made_anew(pair):
	assert_made_anew(nasty(pair).fill(
		"CREATE FUNCTION app.g(a int) RETURNS int LANGUAGE sql"
		" BEGIN ATOMIC SELECT 1; SELECT CASE a WHEN 1 THEN 2 END; END"))


@pytest.mark.parametrize("major", [10, 11, 12, 13, 14])
def test_made_anew_from_other_major(make_pair, other_major, target, major):
	header = assert_made_anew(nasty(make_pair(other_major(major), target)))
	assert header["server_version"] // 10000 == major


def test_at_a_snapshot(pair):
	"""What was made after it is not in the dump."""
	pair.fill("CREATE TABLE before (a int)")
	holder = pair.source.connect(pair.name, autocommit=False)
	with holder.cursor() as c:
		c.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
		c.execute("SELECT pg_export_snapshot()")
		snapshot = c.fetchone()[0]
	pair.fill("CREATE TABLE afterwards (a int)")
	_, entries = objects(pair.source, pair.name, snapshot)
	assert [e["name"] for e in entries if e["kind"] == "TABLE"] == ["before"]
	holder.rollback()
	holder.close()
	said = refused(conninfo(pair.source, pair.name), "150000", snapshot)
	assert said.startswith("lost: ") and "invalid snapshot identifier" in said


def test_session_is_named(pair):
	"""pg_dump's session is one of the mirror's, and its timeouts are off whatever the role's are."""
	pair.fill("CREATE TABLE t (a int)")
	pair.source.sql("ALTER DATABASE %s SET statement_timeout = 1" % pair.name)
	blocker = pair.source.connect(pair.name, autocommit=False)
	with blocker.cursor() as c:
		c.execute("SET statement_timeout = 0")
		c.execute("LOCK TABLE t")
	with subprocess.Popen([TOOL, conninfo(pair.source, pair.name), "150000"], stdout=subprocess.PIPE) as tool:
		while not pair.source.sql("SELECT 1 FROM pg_stat_activity WHERE datname = %s AND wait_event_type = 'Lock'"
				" AND application_name = 'pgpier/m/dump'", parameters=(pair.name,)):
			assert tool.poll() is None
		blocker.rollback()
		blocker.close()
		assert '"name":"t"' in tool.communicate(timeout=60)[0].decode()
		assert tool.returncode == 0


def test_table_without_the_right_to_read(pair):
	role = "reader_" + pair.name
	pair.fill("CREATE TABLE mine (a int); CREATE TABLE \"their's\" (a int); CREATE ROLE %s LOGIN;"
		" GRANT SELECT ON mine TO %s" % (role, role))
	try:
		said = refused(conninfo(pair.source, pair.name, user=role), "150000")
	finally:
		pair.source.sql("DROP OWNED BY %s; DROP ROLE %s" % (role, role), pair.name)
	assert said.startswith("permission: ") and "permission denied for table their's" in said and "grant SELECT" in said
	assert said.count("\n") == 1


def test_no_server(source):
	said = refused("host=127.0.0.1 port=1 dbname=x", "150000")
	assert said.startswith("connection: ") and "Connection refused" in said


def script(path, text):
	with open(path, "w", encoding="utf-8") as f:
		f.write("#!/bin/sh\n" + text)
	os.chmod(path, 0o755)


def programs(folder, version, dump="exit 0"):
	"""Something like PostgreSQL's programs in that folder."""
	os.makedirs(folder, exist_ok=True)
	for name, does in (("pg_dump", dump), ("pg_restore", "exit 0")):
		script(os.path.join(folder, name), 'test "$1" = --version && { echo "%s (PostgreSQL) %s (Sun)"; exit; }\n%s\n'
			% (name, version, does))
	return folder


def test_secrets_are_no_arguments(folder):
	"""Everybody can read arguments; of the rest of the conninfo, pg_dump is told all."""
	programs(folder, "99.1", 'echo "args: $*" >&2; echo "password: $PGPASSWORD" >&2; exit 1')
	given = ("postgresql://app:se%20cret@h1,h2/db?sslmode=require&options=-cwork_mem%3D8MB&sslpassword=hidden"
		"&application_name=theirs")
	said = refused(given, "150000", "", folder)
	arguments, password = said.split("args: ")[1].split("password: ")
	assert password == "se cret\n"
	assert "cret" not in arguments and "hidden" not in arguments and "theirs" not in arguments
	for words in ("user='app'", "host='h1,h2'", "dbname='db'", "sslmode='require'", "options='-cwork_mem=8MB'",
			"application_name='pgpier/m/dump'", "--no-password"):
		assert words in arguments
	assert "password: it's \\\n" in refused("host=h password='it\\'s \\\\'", "150000", "", folder)


def test_newest_tools_are_taken(folder):
	"""Of those in PATH as well as in the usual places; a broken one and Debian's wrapper are none."""
	newest = programs(os.path.join(folder, "a b"), "98.2", 'echo "pg_dump: error: this one" >&2; exit 1')
	programs(os.path.join(folder, "older"), "98.1", 'echo "the older one" >&2; exit 1')
	programs(os.path.join(folder, "odd"), "nonsense")
	os.remove(os.path.join(programs(os.path.join(folder, "half"), "99.9"), "pg_restore"))
	wrapped = programs(os.path.join(folder, "wrapped"), "99.9")
	os.rename(os.path.join(wrapped, "pg_dump"), os.path.join(wrapped, "pg_wrapper"))
	os.symlink("pg_wrapper", os.path.join(wrapped, "pg_dump"))
	path = ":".join([wrapped, os.path.join(folder, "older"), "relative", newest, os.path.join(folder, "odd"),
		os.path.join(folder, "half"), os.environ["PATH"]])
	assert "pg_dump: error: this one" in refused("dbname=x", "150000", PATH=path)
	assert "this one" in refused("dbname=x", "980000", PATH=path)
	said = refused("dbname=x", "990003", PATH=path)
	assert said.startswith("config: pg_dump is too old for a server of version 99: found ")
	assert "98 in %s" % newest in said and "15 in %s" % DEBIAN_BIN in said
	assert "install postgresql-client-99 (Debian, from apt.postgresql.org) or set pg_bindir" in said


def test_bindir_is_the_only_place(folder):
	said = refused("dbname=x", "150000", "", folder)
	assert "no pg_dump with its pg_restore was found in %s; install postgresql-client-15" % folder in said
	programs(folder, "14.9")
	assert "found 14 in %s" % folder in refused("dbname=x", "150000", "", folder)


def test_output_that_is_none(folder):
	"""A pg_restore that prints nothing is not an empty database."""
	programs(folder, "99.1")
	assert refused("dbname=x", "150000", "", folder).startswith("bug: pg_restore's output is not complete")
