# SPDX-License-Identifier: PostgreSQL
"""pgpier script: the folder it writes, and its steps run on two real servers."""
import json
import os
import re
import shutil
import stat
import subprocess

import psycopg2
import pytest

from support import cluster, pgpier, servers
from support.pgpier import DONE, USAGE
from support.runbook import Runbook

HERE = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(HERE, "..", "support", "hostile.sql"), encoding="utf-8") as f:
	HOSTILE = f.read()
BEFORE = ("01-check.sh", "02-backup.sh", "03-roles.sh", "04-schema.sh")
RENAMED = {"source": "s.p", "columns": [{"source": "i", "target": "i %s"}]}
SECRET = "s3cr3t pa'ss\\w"


@pytest.fixture
def runbook(request):
	"""runbook(pgpier): what it wrote, removed after the test."""
	made = []

	def make(p, **options):
		made.append(Runbook(p, **options))
		return made[-1]
	yield make
	for one in made:
		one.remove()


def definitions(server, dbname, *options):
	"""pg_dump -s, without what it says of itself."""
	done = subprocess.run([os.path.join(cluster.DEBIAN_BIN, "pg_dump"), "-s", "-h", server.folder, "-p",
		str(server.port), "-U", "postgres", *options, dbname], stdout=subprocess.PIPE, check=True, text=True)
	return [line for line in done.stdout.splitlines() if not line.startswith(("--", "\\")) and line]


# ---- the folder ----

def test_the_shell_is_clean(pair, runbook):
	if not shutil.which("shellcheck"):
		pytest.skip("no shellcheck")
	pair.fill("CREATE TABLE t (i int PRIMARY KEY)")
	kinds = ({"continuous": False}, {"continuous": True},
		{"continuous": True, "map": [{"source": "public.t", "target": "n.t"}], "owners": "map",
			"roles_map": [{"source": "a b'c", "target": "d"}], "pg_bindir": "/opt/my pg/bin"})
	seen = set()
	for kind in kinds:
		r = runbook(pair.pgpier(**kind))
		files = [name for name in r.shell_files() if r.read(name) not in seen]
		seen |= {r.read(name) for name in files if not name.endswith("env.sh")}
		done = subprocess.run(["shellcheck", "-x", *files], cwd=r.folder, stdout=subprocess.PIPE, text=True, check=False)
		assert done.returncode == 0, "%s: %s" % (kind, done.stdout)
		assert "{{" not in "".join(r.read(name) for name in r.outcome.json["files"])


def test_only_its_owner_reads_it(pair, runbook):
	pair.fill("CREATE TABLE t (i int PRIMARY KEY)")
	r = runbook(pair.pgpier(workers=2))
	files = [os.path.relpath(os.path.join(parent, name), r.folder) for parent, _, names in os.walk(r.folder)
		for name in names]
	assert sorted(files) == r.outcome.json["files"]
	for name in files:
		runs = name.endswith(".sh") and name.split("/")[-1] not in ("env.sh", "lib.sh", "follow.sh", "freeze.sh")
		assert stat.S_IMODE(os.stat(r.path(name)).st_mode) == (0o700 if runs else 0o600), name
	for folder in ("", "parts", "physical"):
		assert stat.S_IMODE(os.stat(r.path(folder)).st_mode) == 0o700


@pytest.mark.sanitized
def test_nothing_is_written_over(pair, tmp_path):
	pair.fill("CREATE TABLE t (i int PRIMARY KEY)")
	p = pair.pgpier(workers=2)
	full, empty, file = tmp_path / "full", tmp_path / "empty", tmp_path / "file"
	full.mkdir()
	empty.mkdir()
	(full / "env.sh").write_text("mine")
	file.write_text("mine")
	p("script", "m", "--out", str(full)).expect(USAGE, "is not empty", "name a folder that is empty")
	p("script", "m", "--out", str(file)).expect(USAGE, "could not open")
	p("script", "m", "--out", str(tmp_path / "no" / "such")).expect(USAGE, "No such file")
	p("script", "m").expect(USAGE, "script needs --out DIR")
	assert os.listdir(full) == ["env.sh"] and (full / "env.sh").read_text() == "mine"
	assert file.read_text() == "mine"
	p("script", "m", "--out", str(empty) + "/").expect(DONE, "README.md")
	p("script", "m", "--out", str(empty)).expect(USAGE, "is not empty")


def test_a_mirror_without_tables_leaves_no_folder(pair, tmp_path):
	p = pair.pgpier(tables=["none.*"])
	p("script", "m", "--out", str(tmp_path / "new")).expect(USAGE, "no table of the source matches")
	assert not (tmp_path / "new").exists()


@pytest.mark.sanitized
def test_no_password_is_written(pair, runbook, tmp_path):
	"""Whatever way it comes: in a string, a URI, a field, from a command."""
	pair.fill("CREATE TABLE t (i int PRIMARY KEY)")
	quoted = SECRET.replace("\\", "\\\\").replace("'", "\\'")
	at = {"host": pair.source.folder, "port": pair.source.port, "dbname": pair.name, "user": "postgres"}
	peers = [
		{"name": "string", "conninfo": "host=%(host)s port=%(port)d dbname=%(dbname)s user=%(user)s " % at
			+ "password='%s' sslpassword='%s'" % (quoted, quoted)},
		{"name": "uri", "conninfo": "postgresql://postgres:s3cr3t%%20pa%%27ss%%5Cw@127.0.0.1:%d/%s"
			% (pair.target.port, pair.name)},
		{"name": "field", **at, "password": SECRET},
		{"name": "command", **at, "password_command": "printf %%s '%s'" % SECRET.replace("'", "'\\''")},
		{"name": "far", **pair.target.address(pair.name), "passfile": str(tmp_path / "passes")},
	]
	p = pgpier.Pgpier(peers, [pgpier.mirror(n, source=n, target="uri" if n != "field" else "far", continuous=True)
		for n in ("string", "field", "command")])
	pair.opened.append(p)
	for mirror in ("string", "field", "command"):
		r = runbook(p, mirror=mirror)
		for name in r.outcome.json["files"]:
			assert "s3cr3t" not in r.read(name), (mirror, name)
		assert "the programs here can't" in r.read("README.md")
		assert pair.source.folder in r.read("env.sh") and pair.name in r.read("README.md")
	r = runbook(p, mirror="field")
	assert "passfile=%s" % tmp_path in r.read("env.sh"), "a hint where passwords are is no password"


def test_names_are_words(make_pair, source, target, runbook):
	"""What the shell and psql read is what the servers have."""
	pair = make_pair(source, target)
	name, plain = "data base's \"%20\\ $(id) `x` 東", pair.name
	for server in (source, target):
		server.create_db(name)
	try:
		pair.name = name
		pair.fill("CREATE TABLE t AS SELECT generate_series(1, 10) AS i")
		r = runbook(pair.pgpier(workers=2))
		r.steps(*BEFORE, "05-load.sh", "06-post-data.sh", "09-cutover.sh")
		pair.assert_equal()
		r.step("10-rollback.sh", "--yes", "--lose-changes")
	finally:
		pair.name = plain
		for server in (source, target):
			server.drop_db(name)


# ---- an initial copy ----

def test_a_database_moves(pair, runbook):
	pair.fill(HOSTILE + "; SELECT lo_from_bytea(4711, 'large')")
	r = runbook(pair.pgpier(workers=2, schema="database"))
	r.steps(*BEFORE)
	assert "Nobody is there to ask" in r.step("09-cutover.sh", "freeze", code=1)
	r.step("09-cutover.sh", "freeze", "--yes")
	with pytest.raises(psycopg2.errors.ReadOnlySqlTransaction):
		pair.source.sql("DELETE FROM public.other", pair.name)
	r.steps("05-load.sh", "06-post-data.sh")
	assert "sequences that are behind" in r.step("07-verify.sh", code=3)
	r.steps("09-cutover.sh")
	pair.assert_equal()
	assert definitions(pair.source, pair.name) == definitions(pair.target, pair.name)
	assert "equal: 6 tables, 1704 rows" in r.step("07-verify.sh")
	assert pair.target.sql("SELECT lo_get(4711)", pair.name)[0][0].tobytes() == b"large"
	assert "is there since" in r.step("02-backup.sh", "--yes")
	assert "--lose-changes goes on" in r.step("10-rollback.sh", "--yes", code=1)
	r.step("10-rollback.sh", "--yes", "--lose-changes")
	pair.source.sql("DELETE FROM public.other", pair.name)
	with pytest.raises(psycopg2.errors.ReadOnlySqlTransaction):
		pair.target.sql("DELETE FROM public.other", pair.name)
	assert '"public.other"' in r.step("07-verify.sh", code=3)


def test_every_step_goes_on_where_it_stopped(pair, runbook):
	"""A row that the target refuses, an orphan, and an object that is there already."""
	pair.fill(HOSTILE + """; ALTER TABLE s."*?[a-z]" DISABLE TRIGGER ALL; INSERT INTO s."*?[a-z]" VALUES (900);
		ALTER TABLE s."*?[a-z]" ENABLE TRIGGER ALL""")
	pair.target.sql("CREATE SCHEMA s; CREATE TYPE s.e AS ENUM ('a', 'b')", pair.name)
	r = runbook(pair.pgpier(workers=2, schema="database"))
	r.step("04-schema.sh", "--yes")
	r.step("04-schema.sh", "--yes")
	pair.target.sql("ALTER TABLE s.p2 ADD CONSTRAINT nope CHECK (i < 100)", pair.name)
	assert "nope" in r.step("05-load.sh", "--yes", code=1)
	assert "the rows are not there yet" in r.step("06-post-data.sh", code=1)
	pair.target.sql("ALTER TABLE s.p2 DROP CONSTRAINT nope", pair.name)
	assert "restoring 1 tables" in r.step("05-load.sh", "--yes")
	assert "the rows are there since" in r.step("05-load.sh", "--yes")
	assert "not all of it could be made" in r.step("06-post-data.sh", code=1)
	pair.source.sql('DELETE FROM s."*?[a-z]" WHERE id = 900', pair.name)
	pair.target.sql('DELETE FROM s."*?[a-z]" WHERE id = 900', pair.name)
	r.step("06-post-data.sh")
	r.steps("09-cutover.sh")
	pair.assert_equal()
	assert definitions(pair.source, pair.name) == definitions(pair.target, pair.name)


def test_chosen_tables_renamed_and_without_columns(pair, runbook):
	pair.fill(HOSTILE)
	r = runbook(pair.pgpier(workers=2, schema="tables", tables=["s.*", "public.*"], exclude=["s.[*]*", "s.p2"],
		map=[{"source": "s.p1", "target": "n.one"}, RENAMED], columns_exclude=["public.other.secret"]))
	r.steps(*BEFORE)
	r.step("05-load.sh", "--pipe", "--yes")
	r.steps("06-post-data.sh", "09-cutover.sh")
	names = {n for (n,) in pair.target.sql("SELECT oid::regclass::text FROM pg_class WHERE relkind IN ('r', 'p')"
		" AND oid >= 16384", pair.name)}
	assert pair.target.sql("SELECT pg_get_partkeydef('s.p'::regclass)", pair.name) == [('RANGE ("i %s")',)]
	assert {"n.one", "s.p", "other"} <= names and not {"s.p1", "s.p2", 's."*?[a-z]"'} & names
	assert pair.target.sql("SELECT * FROM other", pair.name) == [(1,)]
	assert "FK CONSTRAINT public other" not in r.read("work/left-out")
	assert pair.target.sql("SELECT count(*) FROM pg_constraint WHERE conname = 'other_i_fkey'", pair.name) == [(1,)]
	assert "equal: 4 tables" in r.step("07-verify.sh")
	r.step("10-rollback.sh", "--yes", "--lose-changes")
	assert pair.target.sql("SELECT count(*) FROM s.p1", pair.name) == [(10,)]
	assert pair.target.sql("SELECT pg_get_partkeydef('s.p'::regclass)", pair.name) == [("RANGE (i)",)]
	assert "equal: 4 tables" in r.step("07-verify.sh")


def test_tables_that_are_there(pair, runbook):
	"""schema = none: other names on the target, triggers that must not act, rows in the way."""
	pair.fill("CREATE TABLE a (i serial PRIMARY KEY, j int); INSERT INTO a SELECT i, -i FROM generate_series(1, 50) AS i;"
		"CREATE TABLE b AS SELECT 'x'::text AS t")
	pair.target.sql("""CREATE SCHEMA n; CREATE TABLE n.a2 (j int, k int PRIMARY KEY);
		CREATE TABLE b (t text); INSERT INTO b VALUES ('old');
		CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
		CREATE TRIGGER no BEFORE INSERT ON b FOR EACH ROW EXECUTE FUNCTION no()""", pair.name)
	r = runbook(pair.pgpier(workers=2, schema="none", map=[{"source": "public.a", "target": "n.a2",
		"columns": [{"source": "i", "target": "k"}]}]))
	r.steps(*BEFORE)
	assert '"public.b"' in r.step("05-load.sh", "--yes", code=1)
	r.edit("env.sh", ON_EXISTING_ROWS="truncate")
	r.steps("05-load.sh", "06-post-data.sh", "09-cutover.sh")
	assert "equal: 2 tables, 51 rows" in r.step("07-verify.sh")
	assert pair.target.sql("SELECT count(*), min(k) FROM n.a2", pair.name) == [(50, 1)]


def test_roles_and_what_they_own(pair, runbook):
	name = "Ro \"le' %s" + pair.name
	quoted = '"%s"' % name.replace('"', '""')
	pair.fill("""CREATE TABLE t (i int); CREATE ROLE %s LOGIN PASSWORD 'x'; ALTER ROLE %s SET search_path = "a, b", public;
		ALTER TABLE t OWNER TO %s; GRANT pg_monitor TO %s""" % ((quoted,) * 4))
	try:
		r = runbook(pair.pgpier(workers=2, schema="database"))
		assert "SCRAM" not in r.step("03-roles.sh", "--yes", "--passwords")
		assert "the target has all roles" in r.step("03-roles.sh")
		r.steps("04-schema.sh", "05-load.sh", "06-post-data.sh")
		for sql in ("SELECT a.rolpassword, a.rolcanlogin, r.rolconfig FROM pg_authid a JOIN pg_roles r ON r.oid = a.oid"
			" WHERE a.rolname = %s", "SELECT tableowner FROM pg_tables WHERE tablename = 't' AND %s <> ''",
			"SELECT roleid::regrole::text FROM pg_auth_members WHERE member::regrole = quote_ident(%s)::regrole"):
			a, b = (server.sql(sql, pair.name, (name,)) for server in (pair.source, pair.target))
			assert a == b and a, (sql, a, b)
	finally:
		for server in (pair.source, pair.target):
			server.sql("DROP TABLE IF EXISTS t", pair.name)
			server.sql("DROP ROLE IF EXISTS " + quoted)


def test_patterns_when_the_source_is_away(pair, runbook):
	"""The same tables as when it can be asked, found when the steps can."""
	pair.fill(HOSTILE)
	chosen = {"tables": ["s.[a-cd-pq-q-]*", "public.*", "s.\\*?[[]a-[a-z][]]"], "exclude": ["*.p2", "*[!a-z]n[o]"],
		"map": [{"source": "s.p1", "target": "n.o'ne"}, RENAMED], "columns_exclude": ["public.other.secret"]}
	p = pair.pgpier(**chosen)
	there = runbook(p)
	gone = pgpier.Pgpier([{"name": "source", "host": "127.0.0.1", "port": 1, "dbname": pair.name, "user": "postgres"},
		{"name": "target", **pair.target.address(pair.name)}], [pgpier.mirror(**chosen)])
	pair.opened.append(gone)
	away = runbook(gone)
	assert "could not be reached" in away.read("README.md")
	assert away.outcome.json["findings"][0]["severity"] == "warning"
	away.edit("env.sh", SOURCE_CONN=re.search("(?m)^SOURCE_CONN=(.*)$", there.read("env.sh")).group(1))
	away.step("01-check.sh")
	listed = [pair.source.sql(text + " SELECT schema, name, target_schema, target_name, left_out, old_columns,"
		" new_columns FROM chosen ORDER BY 1, 2", pair.name) for text in (there.read("tables.sql"), away.read("work/tables.sql"))]
	assert listed[0] == listed[1]
	assert ("s", "*?[a-z]") in [row[:2] for row in listed[0]], listed[0]
	assert {row[1] for row in listed[0]} >= {"other", "p", "p1", "a\nb$1"}
	away.steps("04-schema.sh", "05-load.sh", "06-post-data.sh", "09-cutover.sh")


# ---- a continuous mirror ----

def write_on(server, dbname, number):
	server.sql("""INSERT INTO s."a
b$1" (t) VALUES ('new %d'); UPDATE s.p SET j = j + 1; DELETE FROM s."*?[a-z]" WHERE id = %d""" % (number, number), dbname)


def test_changes_follow_there_and_back(pair, runbook):
	pair.fill(HOSTILE)
	r = runbook(pair.pgpier(workers=2, schema="database", continuous=True))
	r.steps(*BEFORE, "05-load.sh")
	write_on(pair.source, pair.name, 1)
	r.step("06-post-data.sh")
	write_on(pair.source, pair.name, 2)
	assert "there is no step freez" in r.step("09-cutover.sh", "freez", "--yes", code=1)
	assert "verify comes after" in r.step("09-cutover.sh", "verify", "--yes", code=1)
	r.step("09-cutover.sh", "freeze", "--yes")
	with pytest.raises(psycopg2.errors.ReadOnlySqlTransaction):
		write_on(pair.source, pair.name, 3)
	r.steps("09-cutover.sh")
	pair.assert_equal(values=False)
	write_on(pair.target, pair.name, 4)
	r.steps("10-rollback.sh")
	pair.assert_equal(values=False)
	assert pair.source.sql("SELECT count(*) FROM s.\"a\nb$1\"", pair.name) == [(1003,)]
	write_on(pair.source, pair.name, 5)
	r.edit("env.sh", ON_EXISTING_ROWS="truncate")
	r.steps("05-load.sh", "06-post-data.sh", "09-cutover.sh")
	r.step("09-cutover.sh", "finish", "--yes")
	pair.assert_equal(values=False)
	write_on(pair.target, pair.name, 6)
	assert "removed the way back" in r.step("10-rollback.sh", "--yes", code=1)
	nothing_is_left(pair)


def test_back_before_the_opening(pair, runbook):
	"""Each step of the cutover undone, and the subscription goes on."""
	pair.fill(HOSTILE)
	r = runbook(pair.pgpier(workers=2, schema="database", continuous=True))
	r.steps(*BEFORE, "05-load.sh", "06-post-data.sh")
	for name in ("freeze", "drain", "stop", "sequences", "verify"):
		r.step("09-cutover.sh", name, "--yes")
	r.steps("10-rollback.sh")
	write_on(pair.source, pair.name, 1)
	for name in ("freeze", "drain"):
		r.step("09-cutover.sh", name, "--yes")
	assert "the cutover has begun" in r.step("10-rollback.sh", "clean", "--yes", code=1)
	pair.assert_equal(values=False)
	r.steps("10-rollback.sh")
	r.step("10-rollback.sh", "clean", "--yes")
	nothing_is_left(pair)


def nothing_is_left(pair):
	for server in (pair.source, pair.target):
		assert server.sql("SELECT slot_name FROM pg_replication_slots WHERE database = %s", pair.name,
			(pair.name,)) == []
		assert server.sql("SELECT pubname FROM pg_publication", pair.name) == []
		assert server.sql("SELECT subname FROM pg_subscription", pair.name) == []


def test_renamed_tables_follow_until_the_cutover(pair, runbook):
	pair.fill("CREATE TABLE t (i int PRIMARY KEY, secret text); INSERT INTO t VALUES (1, 'shh')")
	r = runbook(pair.pgpier(workers=2, continuous=True, map=[{"source": "public.t", "target": "n.t2"}],
		columns_exclude=["public.t.secret"]))
	assert "other names come at the cutover" in json.dumps(r.outcome.json["findings"])
	r.steps(*BEFORE, "05-load.sh")
	pair.source.sql("INSERT INTO t VALUES (2, 'shh')", pair.name)
	r.steps("06-post-data.sh", "09-cutover.sh")
	assert pair.target.sql("SELECT * FROM n.t2 ORDER BY 1", pair.name) == [(1,), (2,)]
	pair.target.sql("INSERT INTO n.t2 VALUES (3)", pair.name)
	r.step("10-rollback.sh", "--yes", "--lose-changes")
	pair.source.sql("INSERT INTO t VALUES (3, 'shh')", pair.name)
	nothing_is_left(pair)
	r.edit("env.sh", ON_EXISTING_ROWS="truncate")
	r.steps("05-load.sh", "06-post-data.sh", "09-cutover.sh")
	assert pair.target.sql("SELECT * FROM n.t2 ORDER BY 1", pair.name) == [(1,), (2,), (3,)]
	r.step("09-cutover.sh", "finish", "--yes")
	nothing_is_left(pair)


def test_check_names_what_is_in_the_way(pair, runbook):
	pair.fill("CREATE TABLE keyless (i int); CREATE TABLE t (i int PRIMARY KEY)")
	r = runbook(pair.pgpier(workers=2, continuous=True))
	said = r.step("01-check.sh", code=1)
	assert re.search(r'blocker +"public.keyless": has no replica identity', said), said
	assert "public.t" not in said


# ---- the whole server ----

@pytest.fixture
def machines():
	"""A server to copy, and a folder for the copy, whose server ends with the test."""
	with cluster.Cluster("physical", settings={"hot_standby": "on"}) as old:
		folder = cluster.temporary_folder("pgpier-copy-")
		os.chmod(folder, 0o755)
		shutil.chown(folder, old.account.pw_uid, old.account.pw_gid)
		data = os.path.join(folder, "data")
		try:
			yield old, folder, data
		finally:
			subprocess.run([old.program("pg_ctl"), "-D", data, "-m", "immediate", "-w", "stop"], check=False, cwd="/",
				preexec_fn=cluster.as_account(old.account), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
			shutil.rmtree(folder, ignore_errors=True)


def give_away(folder, account):
	for parent, folders, files in os.walk(folder):
		for name in [parent] + [os.path.join(parent, n) for n in folders + files]:
			os.chown(name, account.pw_uid, account.pw_gid)


def test_a_server_moves_file_by_file(machines, runbook):
	old, folder, data = machines
	old.sql("CREATE TABLE t AS SELECT generate_series(1, 100) AS i")
	p = pgpier.Pgpier([{"name": n, **old.address()} for n in ("source", "target")], [pgpier.mirror()])
	r = runbook(p)
	r.edit("physical/env.sh", DATA_DIR=data, STANDBY_PORT=str(cluster.free_port()),
		SERVER_OPTIONS="'-k %s -c listen_addresses='" % folder)
	if os.geteuid() == 0:
		give_away(r.parent, old.account)

	def step(name, *words, code=0):
		return r.step("physical/" + name, *words, code=code, account=old.account)

	assert "a copy can run here" in step("01-check.sh")
	assert "Nobody is there to ask" in step("02-basebackup.sh", code=1)
	step("02-basebackup.sh", "--yes")
	step("03-standby.sh", "--yes")
	old.sql("INSERT INTO t SELECT generate_series(101, 150)")
	assert "in use" in step("04-status.sh")
	step("05-promote.sh", "--yes")
	with pytest.raises(psycopg2.errors.ReadOnlySqlTransaction):
		old.sql("INSERT INTO t VALUES (0)")
	port = re.search("STANDBY_PORT=(.*)", r.read("physical/env.sh")).group(1)
	new = psycopg2.connect(host=folder, port=port, user="postgres", dbname="postgres")
	with new, new.cursor() as cursor:
		cursor.execute("INSERT INTO t VALUES (0)")
		cursor.execute("SELECT count(*), pg_is_in_recovery() FROM t")
		assert cursor.fetchone() == (151, False)
	new.close()
	step("06-undo.sh", "--yes")
	assert old.sql("SELECT slot_name FROM pg_replication_slots") == []


def test_a_standby_is_taken_back(machines, runbook):
	old, folder, data = machines
	p = pgpier.Pgpier([{"name": n, **old.address()} for n in ("source", "target")], [pgpier.mirror(tables=["*"])])
	old.sql("CREATE TABLE t (i int)")
	r = runbook(p)
	r.edit("physical/env.sh", DATA_DIR=data, STANDBY_PORT=str(cluster.free_port()),
		SERVER_OPTIONS="'-k %s -c listen_addresses='" % folder)
	if os.geteuid() == 0:
		give_away(r.parent, old.account)
	for name in ("02-basebackup.sh", "03-standby.sh", "06-undo.sh"):
		r.step("physical/" + name, "--yes", account=old.account)
	old.sql("INSERT INTO t VALUES (1)")
	assert old.sql("SELECT slot_name FROM pg_replication_slots") == []
	assert not os.path.exists(os.path.join(data, "postmaster.pid"))


def test_other_versions_are_told(make_pair, source, other_major, runbook):
	pair = make_pair(source, other_major(17))
	pair.fill("CREATE TABLE t (i int PRIMARY KEY)")
	r = runbook(pair.pgpier(workers=2))
	assert "Not for these two servers" in r.read("README.md")
	assert servers.VERSIONS[17].split("-")[0].rsplit(".", 1)[0] in r.read("README.md")
