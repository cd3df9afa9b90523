# SPDX-License-Identifier: PostgreSQL
"""A fence keeps writers out, and leaves nothing of itself behind."""
import os
import signal

import psycopg2
import pytest

from support.cutover import Tool
from support.load import wait_until

MAJORS = [10, 12, 14, 16, 18]

ROLES = """
CREATE ROLE {p}owner LOGIN; CREATE ROLE {p}own LOGIN; CREATE ROLE {p}public LOGIN; CREATE ROLE {p}group;
CREATE ROLE {p}member LOGIN IN ROLE {p}group; CREATE ROLE {p}super LOGIN SUPERUSER; CREATE ROLE {p}giver LOGIN;
CREATE ROLE {p}given LOGIN; CREATE ROLE {p}stubborn LOGIN; CREATE ROLE {p}here LOGIN; CREATE ROLE "{p}odd ""role" LOGIN;
CREATE ROLE {p}monitor LOGIN;
"""
RIGHTS = """
ALTER DATABASE {d} OWNER TO {p}owner;
GRANT CONNECT ON DATABASE {d} TO {p}own, {p}group, "{p}odd ""role";
GRANT CREATE ON DATABASE {d} TO {p}own;
GRANT CONNECT ON DATABASE {d} TO {p}giver WITH GRANT OPTION;
SET ROLE {p}giver; GRANT CONNECT ON DATABASE {d} TO {p}given; RESET ROLE;
ALTER ROLE {p}stubborn SET default_transaction_read_only = off;
ALTER ROLE {p}stubborn SET work_mem = '8MB';
ALTER ROLE {p}here IN DATABASE {d} SET work_mem = '9MB';
ALTER ROLE {p}here IN DATABASE {d} SET default_transaction_read_only = 'no';
ALTER ROLE {p}super SET default_transaction_read_only = off;
ALTER DATABASE {d} SET work_mem = '7MB';
CREATE TABLE t (id int); GRANT INSERT, SELECT ON t TO PUBLIC;
"""
NAMES = ["owner", "own", "public", "member", "super", "giver", "given", "stubborn", "here", 'odd "role', "monitor"]


OURS = "SELECT query FROM pg_stat_activity WHERE application_name = 'pgpier/tool/check' AND pid <> pg_backend_pid()"
HELD_UP = OURS + " AND wait_event_type = 'Lock' AND (query LIKE 'GRANT%' OR query LIKE 'REVOKE%')"


class Fenced(Tool):
	"""A fresh database with roles of every kind, dropped with them afterwards."""

	def __init__(self, server, name, rights=RIGHTS):
		super().__init__(server, name + ' "odd\\')
		self.prefix = name + "_"
		server.create_db(self.dbname)
		self.names = {"p": self.prefix, "d": '"%s"' % self.dbname.replace('"', '""')}
		self.sql(ROLES.format(**self.names) + rights.format(**self.names))

	def role(self, name):
		return self.prefix + name

	def remove(self):
		if self.server.process:
			self.server.drop_db(self.dbname)
			for name in ["group"] + NAMES:
				self.server.sql('DROP ROLE IF EXISTS "%s"' % self.role(name).replace('"', '""'))

	def may_connect(self, name):
		try:
			self.server.connect(self.dbname, self.role(name)).close()
		except psycopg2.OperationalError as e:
			assert "permission denied" in str(e), e
			return False
		return True

	def connecting(self):
		return {n for n in NAMES if self.may_connect(n)}

	def writes(self, name, before=""):
		connection = self.server.connect(self.dbname, self.role(name))
		try:
			connection.cursor().execute(before + "INSERT INTO t VALUES (1)")
			return True
		except psycopg2.errors.ReadOnlySqlTransaction:
			return False
		finally:
			connection.close()


@pytest.fixture
def make_fenced(source, other_major):
	made = []

	def make(major=15, rights=RIGHTS):
		server = source if major == 15 else other_major(major)
		made.append(Fenced(server, "f%d_%d" % (os.getpid(), len(made)), rights))
		return made[-1]
	yield make
	for one in made:
		one.remove()


@pytest.fixture
def fenced(make_fenced):
	return make_fenced()


def close_and_lift(f):
	before = f.state()
	assert f.connecting() == set(NAMES)
	f.ok("fence", "close", "shop")
	assert f.connecting() == {"super"}
	assert not f.writes("super"), "its own setting is overridden here"
	closed = f.state()
	assert closed != before
	f.ok("fence", "close", "shop")
	assert f.state() == closed, "closing twice changes nothing"
	assert f.ok("fence", "lift", "shop") == "stood 1\n"
	assert f.state() == before
	assert f.ok("fence", "lift", "shop") == "stood 0\n"
	assert f.state() == before
	assert f.connecting() == set(NAMES) and f.writes("public") and f.writes("stubborn")


def test_closed_and_as_it_was(fenced):
	close_and_lift(fenced)


@pytest.mark.parametrize("major", MAJORS)
def test_on_other_servers(make_fenced, major):
	close_and_lift(make_fenced(major))


def test_a_plan_changes_nothing(make_fenced):
	f = make_fenced(12)
	before = f.state()
	assert f.lines("roles", "fence", "plan", "shop") == ["10"]
	assert f.state() == before
	assert f.ok("fence", "read", "shop") == "stands 0\n"
	assert f.ok("fence", "lift", "shop") == "stood 0\n"
	assert f.sql("SELECT to_regnamespace('pgpier')") == [(None,)], "nothing is made for that"


def test_default_rights_come_back_written_out(make_fenced):
	f = make_fenced(rights="CREATE TABLE t (id int); GRANT INSERT ON t TO PUBLIC;")
	assert f.sql("SELECT datacl FROM pg_database WHERE datname = current_database()") == [(None,)]
	before = f.state()
	assert any("default rights" in n for n in f.lines("remark", "fence", "plan", "shop"))
	f.ok("fence", "close", "shop")
	assert f.connecting() == {"super"}
	f.ok("fence", "lift", "shop")
	assert f.state() == before


def test_the_allowed_stay(fenced):
	"""By rights of their own, whatever theirs hung on."""
	before = fenced.state()
	allow = [fenced.role(n) for n in ("monitor", "given", "giver", "member")]
	fenced.ok("fence", "close", "shop", *allow)
	assert fenced.connecting() == {"super", "monitor", "given", "giver", "member"}
	assert not fenced.writes("monitor")
	fenced.ok("fence", "lift", "shop")
	assert fenced.state() == before
	fenced.ok("fence", "close", "shop", fenced.role("given"), fenced.role("group"))
	assert fenced.connecting() == {"super", "given", "member"}
	fenced.ok("fence", "lift", "shop")
	assert fenced.state() == before


def test_what_it_cannot_keep_out_is_named(fenced):
	fenced.sql("CREATE ROLE {p}sub LOGIN IN ROLE {p}monitor".format(**fenced.names))
	try:
		notes = "\n".join(fenced.lines("note", "fence", "plan", "shop", fenced.role("monitor"), "nobody_here"))
	finally:
		fenced.sql("DROP ROLE {p}sub".format(**fenced.names))
	assert "role nobody_here is to be let in, but does not exist" in notes
	assert "superuser %s can connect" % fenced.role("super") in notes
	assert "role %s can connect all the same, as a member of %s" % (fenced.role("sub"), fenced.role("monitor")) in notes


@pytest.mark.parametrize("major", [10, 15, 18])
def test_an_owner_without_more(make_fenced, major):
	"""Owns the database, and is no superuser: keeps its own way in, and says what it may not alter."""
	fenced = make_fenced(major)
	fenced.sql("GRANT CREATE ON SCHEMA public TO PUBLIC")
	before = fenced.state()
	owner = Tool(fenced.server, fenced.dbname, fenced.role("owner"))
	notes = "\n".join(owner.lines("note", "fence", "plan", "shop"))
	assert "role %s has default_transaction_read_only = off, which we may not alter" % fenced.role("super") in notes
	assert fenced.role("stubborn") not in notes, "it can't connect, whatever its settings are"
	assert "%s got its right to connect from" % fenced.role("given") in notes.replace('"', "")
	owner.ok("fence", "close", "shop")
	assert fenced.connecting() == {"super", "owner"}
	assert not fenced.writes("owner"), "a session of its own that is not pgpier's only reads"
	owner.ok("fence", "close", "shop")
	owner.ok("fence", "lift", "shop")
	after = fenced.state()
	assert after[1] == before[1]
	grantees = [[g[1:] for g in sorted(s[0], key=lambda g: g[1:])] for s in (before, after)]
	assert grantees[0] == grantees[1], "all have what they had; one has it from the owner now"
	assert fenced.connecting() == set(NAMES)


def test_an_owner_that_may_create_roles(make_fenced):
	"""May alter the settings of others: before 16 all, from then on those that it has the admin option of."""
	for major, reaches in (14, True), (16, False):
		fenced = make_fenced(major)
		fenced.sql("ALTER ROLE {p}owner CREATEROLE".format(**fenced.names))
		before = fenced.state()
		owner = Tool(fenced.server, fenced.dbname, fenced.role("owner"))
		closes = "\n".join(owner.lines("close", "fence", "plan", "shop"))
		assert ("%s\" IN DATABASE" % fenced.role("stubborn") in closes) == reaches, closes
		if not reaches:
			fenced.sql("GRANT {p}stubborn TO {p}owner WITH ADMIN OPTION".format(**fenced.names))
			before = fenced.state()
			closes = "\n".join(owner.lines("close", "fence", "plan", "shop"))
			assert "%s\" IN DATABASE" % fenced.role("stubborn") in closes
		owner.ok("fence", "close", "shop")
		owner.ok("fence", "lift", "shop")
		assert fenced.state()[1] == before[1]


def test_writers_that_need_no_session(fenced):
	"""A subscription's worker is no session, and asks for no right."""
	fenced.sql("CREATE SUBSCRIPTION {p}sub CONNECTION 'host=/nowhere' PUBLICATION p WITH (connect = false)".format(
		**fenced.names))
	try:
		note = "subscription %s writes to this database" % fenced.role("sub")
		assert note not in fenced.ok("fence", "plan", "shop")
		fenced.sql("ALTER SUBSCRIPTION {p}sub ENABLE".format(**fenced.names))
		assert note in fenced.ok("fence", "plan", "shop")
	finally:
		fenced.sql("ALTER SUBSCRIPTION {p}sub DISABLE; ALTER SUBSCRIPTION {p}sub SET (slot_name = NONE)".format(
			**fenced.names))
		fenced.sql("DROP SUBSCRIPTION {p}sub".format(**fenced.names))


def test_our_role_needs_a_right_of_its_own(fenced):
	"""A member of the owner that may connect as PUBLIC only, which loses that."""
	fenced.sql('GRANT {p}owner TO "{p}public"'.format(**fenced.names))
	before = fenced.state()
	us = Tool(fenced.server, fenced.dbname, fenced.role("public"))
	us.ok("fence", "close", "shop")
	assert fenced.connecting() == {"super", "public"}
	us.ok("fence", "lift", "shop")
	assert {g[1:] for g in fenced.state()[0]} == {g[1:] for g in before[0]}
	assert fenced.state()[1] == before[1]


def test_who_does_not_own_is_refused(fenced):
	fenced.sql("GRANT CREATE ON DATABASE {d} TO {p}own".format(**fenced.names))
	before = fenced.state()
	own = Tool(fenced.server, fenced.dbname, fenced.role("own"))
	refused = own("fence", "close", "shop")
	assert refused.returncode == 2 and "belongs to %s" % fenced.role("owner") in refused.stderr
	assert fenced.state() == before and own.ok("fence", "read", "shop") == "stands 0\n"


def test_another_mirrors_fence(fenced):
	before = fenced.state()
	fenced.ok("fence", "close", "shop")
	refused = fenced("fence", "close", "other")
	assert refused.returncode == 2 and "mirror shop has a fence" in refused.stderr
	assert fenced.ok("fence", "lift", "other") == "stood 0\n"
	assert fenced.connecting() == {"super"}
	fenced.ok("fence", "lift", "shop")
	assert fenced.state() == before


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_ended_while_it_closes(fenced, how):
	"""Held up by a lock before the end, then killed or stopped: open as before, and closable at once."""
	fenced.ok("fence", "close", "shop")
	fenced.ok("fence", "lift", "shop")
	before = fenced.state()
	holder = fenced.server.connect(fenced.dbname, autocommit=False)
	# GRANT and REVOKE write the database's row last; whoever has it locked lets all the rest go first.
	holder.cursor().execute("SELECT 1 FROM pg_database WHERE datname = current_database() FOR UPDATE")
	tool = fenced.start("fence", "close", "shop")
	while not fenced.sql(HELD_UP):
		assert tool.poll() is None, tool.communicate()
	tool.send_signal(how)
	said = tool.communicate(timeout=30)[1]
	assert how == signal.SIGKILL or said.startswith("cancelled"), said
	fenced.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pgpier/tool/check'")
	holder.rollback()
	holder.close()
	wait_until(lambda: not fenced.sql(OURS), "end of the killed one's session")
	assert fenced.state() == before
	assert fenced.ok("fence", "read", "shop") == "stands 0\n"
	fenced.ok("fence", "close", "shop")
	fenced.ok("fence", "lift", "shop")
	assert fenced.state() == before


@pytest.mark.parametrize("step", ["close", "lift"])
def test_somebody_grants_meanwhile(fenced, step):
	"""The server refuses the second writer of a catalog's row; it tries again, and both have what they wanted."""
	fenced.ok("fence", "close", "shop")
	closed = fenced.state()
	if step == "close":
		fenced.ok("fence", "lift", "shop")
	other = fenced.server.connect(fenced.dbname, autocommit=False)
	other.cursor().execute("SET TRANSACTION READ WRITE; GRANT TEMPORARY ON DATABASE {d} TO {p}monitor".format(
		**fenced.names))
	tool = fenced.start("fence", step, "shop")
	wait_until(lambda: fenced.sql(HELD_UP), "the wait for the other's end")
	other.commit()
	other.close()
	assert tool.communicate(timeout=60)[1] == "" and tool.returncode == 0
	granted = [g for g in fenced.state()[0] if g[1:3] == (fenced.role("monitor"), "TEMPORARY")]
	assert len(granted) == 1
	if step == "close":
		assert sorted(set(fenced.state()[0]) - set(granted)) == closed[0] and fenced.connecting() == {"super"}
	else:
		assert fenced.connecting() == set(NAMES)
	fenced.ok("fence", "lift", "shop")


def test_a_role_that_is_gone_meanwhile(fenced):
	fenced.ok("fence", "close", "shop")
	fenced.sql("BEGIN READ WRITE; DROP OWNED BY {p}stubborn, {p}own; DROP ROLE {p}stubborn, {p}own; COMMIT".format(
		**fenced.names))
	assert fenced.ok("fence", "lift", "shop") == "stood 1\n"
	assert fenced.may_connect("given") and fenced.may_connect('odd "role')


def test_undo_stands_beside_it_in_plain_sql(fenced):
	"""Somebody without pgpier can open the database with what is written there."""
	before = fenced.state()
	fenced.ok("fence", "close", "shop")
	undo, = fenced.sql("SELECT undo FROM pgpier.fences")[0]
	fenced.sql("BEGIN READ WRITE; %s; DELETE FROM pgpier.fences; COMMIT" % "; ".join(undo))
	assert fenced.state() == before
	assert fenced.lines("stands", "fence", "read", "shop") == ["0"]
