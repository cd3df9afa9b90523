# SPDX-License-Identifier: PostgreSQL
"""Publication and slot on the source, as every major makes them: what we made, and nothing else, comes and goes."""
import os
import subprocess
import time

import pytest

from support import cluster, pgpier

TOOL = os.path.join(pgpier.BUILD, "tests", "support", "slot_tool")
MAJORS = [10, 11, 12, 13, 14, 15, 16, 17, 18]

TABLES = """
CREATE TABLE plain (id int PRIMARY KEY, v text);
CREATE TABLE "odd ""na.me" (id int PRIMARY KEY);
CREATE TABLE parent (id int NOT NULL, v text) PARTITION BY RANGE (id);
CREATE TABLE leaf PARTITION OF parent FOR VALUES FROM (0) TO (10);
ALTER TABLE leaf ADD PRIMARY KEY (id);
CREATE TABLE base (id int PRIMARY KEY);
CREATE TABLE child () INHERITS (base);
"""


class Source:
	"""A fresh database on a server, and the tool upon it."""

	def __init__(self, server, name):
		self.server, self.name = server, name
		self.conninfo = " ".join("%s='%s'" % (k, str(v).replace("\\", "\\\\").replace("'", "\\'"))
			for k, v in server.address(name).items())

	def command(self, *words):
		return [TOOL, self.conninfo, *[str(w) for w in words]]

	def __call__(self, *words):
		return subprocess.run(self.command(*words), capture_output=True, text=True, timeout=60, check=False)

	def ok(self, *words):
		done = self(*words)
		assert done.returncode == 0, done.stderr
		return done.stdout

	def status(self, slot):
		return dict(line.partition(" ")[::2] for line in self.ok("status", slot).splitlines())

	def start(self, *words):
		return subprocess.Popen(self.command(*words), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
			stderr=subprocess.PIPE, text=True)

	def sql(self, statement):
		return self.server.sql(statement, self.name)

	def published(self, publication):
		return {r[0] for r in self.sql("SELECT prrelid::regclass::text FROM pg_publication_rel r"
			" JOIN pg_publication p ON p.oid = prpubid WHERE pubname = '%s'" % publication)}


@pytest.fixture
def make_source(source, other_major):
	made = []

	def make(major=15, server=None):
		server = server or (source if major == 15 else other_major(major))
		one = Source(server, "slot%d_%d" % (os.getpid(), len(made)))
		server.create_db(one.name)
		made.append(one)
		return one
	yield make
	for one in made:
		if one.server.process:
			one.server.drop_db(one.name)


@pytest.mark.parametrize("major", MAJORS)
def test_publication(make_source, major):
	s = make_source(major)
	s.sql(TABLES)
	chosen = ["public.plain", 'public.odd "na.me', "public.parent*", "public.leaf", "public.base"]
	s.ok("publish", "pub", "new", *chosen)
	leaves = {"plain", '"odd ""na.me"', "leaf", "base"}
	parents = {"parent"} if major >= 13 else set()
	assert s.published("pub") == leaves | parents, "the child of base was not chosen"
	truncates = s.sql("SELECT to_jsonb(p)->>'pubtruncate', pubinsert, pubupdate, pubdelete FROM pg_publication p")
	assert truncates == [("true" if major >= 11 else None, True, True, True)]
	s.ok("remove", "pub", "public.base", "public.gone", "public.child")
	s.ok("add", "pub", "public.child", "public.plain", "public.gone")
	assert s.published("pub") == leaves - {"base"} | parents | {"child"}
	again = s("publish", "pub", "new", "public.plain")
	assert again.returncode == 2 and "this mirror did not make" in again.stderr
	s.ok("publish", "pub", "ours", *chosen)
	assert s.published("pub") == leaves | parents | {"child"}, "one of ours gets what it lacks"
	s.ok("unpublish", "pub")
	s.ok("unpublish", "pub")
	assert s.sql("SELECT count(*) FROM pg_publication") == [(0,)]


def test_failed_publication_leaves_nothing(make_source):
	s = make_source()
	s.sql("CREATE TABLE plain (id int PRIMARY KEY); CREATE UNLOGGED TABLE fleeting (id int PRIMARY KEY)")
	failed = s("publish", "pub", "new", "public.plain", "public.fleeting")
	assert failed.returncode == 2 and "fleeting" in failed.stderr, failed.stderr
	assert s.sql("SELECT count(*) FROM pg_publication") == [(0,)]


def test_many_tables_go_in_by_parts(make_source):
	s = make_source()
	s.sql("DO $$ BEGIN FOR i IN 1..1203 LOOP EXECUTE 'CREATE TABLE t' || i || ' (id int PRIMARY KEY)';"
		" IF i % 100 = 0 THEN COMMIT; END IF; END LOOP; END $$")
	s.ok("publish", "pub", "new", *["public.t%d" % i for i in range(1, 1204)])
	assert len(s.published("pub")) == 1203


@pytest.mark.parametrize("major", MAJORS)
def test_slot_and_its_snapshot(make_source, major):
	s = make_source(major)
	s.sql(TABLES + "INSERT INTO plain VALUES (1, 'before')")
	s.ok("publish", "pub", "new", "public.plain")
	maker = s.start("create", "pgpier_slot")
	said = dict(maker.stdout.readline().split() for _ in range(3))
	s.sql("INSERT INTO plain VALUES (2, 'after')")
	c = s.server.connect(s.name, autocommit=False)
	with c.cursor() as cursor:
		cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
		cursor.execute("SET TRANSACTION SNAPSHOT '%s'" % said["snapshot"])
		cursor.execute("SELECT id FROM plain")
		assert cursor.fetchall() == [(1,)]
	c.close()
	status = s.status("pgpier_slot")
	assert status["exists"] == "1" and status["plugin"] == "pgoutput" and status["database"] == s.name
	assert status["lost"] == "0" and status["retained"] == "1"
	assert status["wal_status"] == ("reserved" if major >= 13 else "")
	lsn, = s.sql("SELECT confirmed_flush_lsn >= '%s' FROM pg_replication_slots" % said["consistent"])[0]
	assert lsn
	if major >= 17:
		assert s.sql("SELECT failover FROM pg_replication_slots") == [(True,)]
	maker.communicate()
	twice = s("create", "pgpier_slot")
	assert twice.returncode == 2 and "this mirror did not make" in twice.stderr
	s.ok("drop", "tool", "pgpier_slot")
	s.ok("drop", "tool", "pgpier_slot")
	assert s.status("pgpier_slot")["exists"] == "0"


def walsender(s, application):
	"""A program that reads the slot."""
	bindir = s.server.bindir
	command = [os.path.join(bindir, "pg_recvlogical"), "-d", s.conninfo + " application_name=" + application,
		"--slot=busy", "--start", "-f", "/dev/null", "-o", "proto_version=1", "-o", "publication_names=pub"]
	reader = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
	for _ in range(100):
		if s.status("busy")["active"] == "1":
			return reader
		time.sleep(0.1)
	raise AssertionError("pg_recvlogical does not start")


def test_only_our_walsender_is_ended(make_source):
	s = make_source()
	s.sql("CREATE TABLE plain (id int PRIMARY KEY); CREATE PUBLICATION pub FOR TABLE plain")
	s.sql("SELECT pg_create_logical_replication_slot('busy', 'pgoutput')")
	reader = walsender(s, "pgpier/other/stream")
	try:
		refused = s("drop", "tool", "busy")
		assert refused.returncode == 2 and "another program reads it" in refused.stderr
		assert reader.poll() is None
	finally:
		reader.kill()
		reader.wait()
	for _ in range(100):
		if s.status("busy")["active"] == "0":
			break
		time.sleep(0.1)
	reader = walsender(s, "pgpier/tool/stream")
	s.ok("drop", "tool", "busy")
	reader.kill()
	reader.wait()
	assert s.status("busy")["exists"] == "0"


def test_slot_of_another_plugin_stays(make_source):
	s = make_source()
	s.sql("SELECT pg_create_logical_replication_slot('theirs', 'test_decoding')")
	refused = s("drop", "tool", "theirs")
	assert refused.returncode == 2 and "plugin" in refused.stderr
	s.sql("SELECT pg_drop_replication_slot('theirs')")


def test_what_a_creation_waits_for(make_source):
	with cluster.Cluster("waits", settings={"max_prepared_transactions": "5"}) as server:
		s = make_source(server=server)
		s.sql("CREATE TABLE plain (id int PRIMARY KEY)")
		writer = server.connect(s.name, autocommit=False)
		writer.cursor().execute("INSERT INTO plain VALUES (1) /* a long one */")
		prepared = server.connect(s.name, autocommit=False)
		prepared.cursor().execute("BEGIN; INSERT INTO plain VALUES (2); PREPARE TRANSACTION 'left over'")
		maker = s.start("create", "waits")
		sender = maker.stdout.readline().split()[1]
		told = ""
		for _ in range(100):
			told = s.ok("blockers", sender, 0)
			if "waits" in told:
				break
			time.sleep(0.1)
		assert "waits pid %d" % writer.get_backend_pid() in told and "a long one" in told, told
		assert "prepared transaction 'left over'" in told
		assert s.ok("blockers", 0, 3600) == ""
		writer.rollback()
		for _ in range(100):
			told = s.ok("blockers", sender, 0)
			if "waits prepared transaction" in told:
				break
			time.sleep(0.1)
		assert "waits prepared transaction 'left over'" in told, told
		s.sql("ROLLBACK PREPARED 'left over'")
		assert "snapshot" in maker.stdout.readline()
		maker.communicate()
		s.ok("drop", "tool", "waits")
		writer.close()
		prepared.close()
