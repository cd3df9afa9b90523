# SPDX-License-Identifier: PostgreSQL
"""Objects of a dump that can't be made, or not now, or not by us: each is named, and holds up nothing else."""
import pytest

from support.live import MARKERS, Live
from support.pgpier import DONE, FAILED


def counts(outcome):
	return outcome.json["schema"]["counts"]


def failed(outcome):
	"""What could not be made: {name: (state, why)}."""
	return {o["name"]: (o["state"], o["why"]) for o in outcome.json["schema"]["failed"]}


def database(pair, **settings):
	return pair.pgpier(**{"schema": "database", "workers": 3, **settings})


def make_role(server, name, words=""):
	if not server.sql("SELECT 1 FROM pg_roles WHERE rolname = %s", parameters=(name,)):
		server.sql("CREATE ROLE %s %s" % (name, words))


def test_missing_extension(make_pair, source, other_major):
	"""The target lacks an extension: what needs it is blocked and named, everything else is made."""
	pair = make_pair(source, other_major(17))
	pair.fill("CREATE EXTENSION old_snapshot; CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1);"
		" CREATE VIEW v AS SELECT * FROM pg_old_snapshot_time_mapping(); CREATE VIEW w AS SELECT count(*) FROM v;"
		" CREATE VIEW fine AS SELECT * FROM t; COMMENT ON VIEW w IS 'w'")
	outcome = database(pair).run().expect(DONE)
	assert outcome.json["state"] == "done"
	assert counts(outcome)["blocked"] >= 4 and "old_snapshot" in failed(outcome)["public.v"][1], outcome
	assert pair.target.sql("SELECT * FROM fine", pair.name) == [(1,)]


def test_missing_role(pair):
	make_role(pair.source, "only_here")
	pair.fill("CREATE TABLE t (id int PRIMARY KEY); ALTER TABLE t OWNER TO only_here;"
		" CREATE VIEW v AS SELECT 1 AS a; GRANT SELECT ON v TO only_here, PUBLIC")
	outcome = database(pair).run().expect(DONE)
	assert outcome.json["state"] == "done"
	owner, granted = pair.target.sql("SELECT c.relowner::regrole::text, v.relacl::text FROM pg_class c, pg_class v"
		" WHERE c.oid = 't'::regclass AND v.oid = 'v'::regclass", pair.name)[0]
	assert owner == "postgres" and "=r/" in granted and "only_here" not in granted
	check = pair.pgpier(schema="database", name="other")("check", "other", "--json")
	assert "only_here" in check.out, check


LATER = ("later_owner", "later_reader")
KEPT_BACK = """
	CREATE TABLE t (id int PRIMARY KEY, v text); ALTER TABLE t OWNER TO later_owner; GRANT SELECT ON t TO later_reader;
	INSERT INTO t VALUES (1, 'x'); CREATE VIEW v AS SELECT 1 AS a; GRANT SELECT ON v TO later_reader, PUBLIC;
	CREATE POLICY p ON t TO later_reader USING (id > 0); COMMENT ON POLICY p ON t IS 'mine';
	ALTER DEFAULT PRIVILEGES FOR ROLE later_owner GRANT SELECT ON TABLES TO later_reader;
	CREATE PUBLICATION told FOR TABLE t;"""
RIGHTS = """SELECT (SELECT relowner::regrole::text FROM pg_class WHERE oid = 't'::regclass),
	(SELECT string_agg(acl::text, ' ' ORDER BY acl::text) FROM pg_class c, unnest(relacl) acl WHERE relname IN ('t', 'v')),
	(SELECT obj_description(oid) FROM pg_policy), (SELECT defaclacl::text FROM pg_default_acl)"""


@pytest.fixture
def later(pair):
	"""Roles of the source that the target gets in the test."""
	make_later(pair.source)
	yield pair.fill(KEPT_BACK)
	for server in (pair.source, pair.target):
		for role in LATER:
			make_role(server, role)
			server.sql("DROP OWNED BY %s" % role, pair.name)
			server.sql("DROP ROLE %s" % role)


def make_later(server):
	for role in LATER:
		make_role(server, role)


@pytest.mark.parametrize("schema", ("tables", "database"))
def test_roles_that_come_later(later, schema):
	"""What named a role that the target lacked is made by the next run, once the role is there."""
	p = later.pgpier(schema=schema, workers=2)
	outcome = p.run().expect(DONE)
	assert failed(outcome)["public.t p"] == ("blocked",
		"names role later_reader, which the target lacks or we can't act as"), outcome
	assert failed(p.run().expect(DONE)) == failed(outcome)
	make_later(later.target)
	outcome = p.run().expect(DONE)
	assert not failed(outcome), outcome
	here, there = (server.sql(RIGHTS, later.name)[0] for server in (later.source, later.target))
	assert here[0] == "later_owner" and here[2] == "mine" and "later_reader" in here[3]
	own = "later_owner=arwdDxt/later_owner later_reader=r/later_owner"
	assert there == (here if schema == "database" else ("later_owner", own, "mine", None))
	later.assert_equal(outcome)
	p.write_text(open(p.config).read().replace("workers", "publications = true; workers"))
	p.run().expect(DONE)
	assert later.target.sql("SELECT pubname FROM pg_publication", later.name) == [("told",)]


def test_mapped_roles(pair):
	for server, role in ((pair.source, "old_owner"), (pair.target, "new_owner")):
		make_role(server, role)
	pair.fill("CREATE TABLE t (id int PRIMARY KEY); ALTER TABLE t OWNER TO old_owner")
	database(pair, owners="map", roles_map=[{"source": "old_owner", "target": "new_owner"}]).run().expect(DONE)
	assert pair.target.sql("SELECT relowner::regrole::text FROM pg_class WHERE oid = 't'::regclass", pair.name) == \
		[("new_owner",)]


CROSS = """
	CREATE TABLE b_first (id int PRIMARY KEY, ok bool);
	INSERT INTO b_first SELECT i, true FROM generate_series(1, 2000) AS i;
	CREATE FUNCTION known(int) RETURNS bool LANGUAGE plpgsql STABLE AS
		'BEGIN RETURN EXISTS (SELECT 1 FROM public.b_first WHERE id = $1); END';
	CREATE TABLE a_second (id int PRIMARY KEY, b int CONSTRAINT is_known CHECK (known(b)), other int CHECK (other > 0));
	COMMENT ON CONSTRAINT is_known ON a_second IS 'looks elsewhere';
	INSERT INTO a_second SELECT i, i, i FROM generate_series(1, 2000) AS i;
	CREATE TABLE tree (id int, b int, CONSTRAINT tree_known CHECK (known(b)), PRIMARY KEY (id)) PARTITION BY RANGE (id);
	CREATE TABLE leaf PARTITION OF tree FOR VALUES FROM (1) TO (100);
	INSERT INTO tree SELECT i, i FROM generate_series(1, 50) AS i;
"""


@pytest.mark.parametrize("parallel", (1, 4))
def test_check_that_reads_another_table(pair, parallel):
	"""With one table at a time, the checked one may come before the one that its check reads."""
	pair.fill(CROSS)
	outcome = database(pair, tables_in_parallel=parallel).run().expect(DONE)
	assert not failed(outcome), outcome
	pair.assert_equal(outcome)
	assert pair.target.sql("SELECT obj_description(oid) FROM pg_constraint WHERE conname = 'is_known'", pair.name) == \
		[("looks elsewhere",)]


def test_circles(pair):
	"""A view and a function that need each other, and defaults that call functions."""
	pair.fill("""
		SET check_function_bodies = off;
		CREATE TABLE t (id int PRIMARY KEY, v text);
		CREATE VIEW v AS SELECT id, v FROM t;
		CREATE FUNCTION of_view(v) RETURNS int LANGUAGE sql AS 'SELECT $1.id';
		CREATE OR REPLACE VIEW v AS SELECT id, v, (SELECT of_view(x) FROM (SELECT NULL::v) AS y (x)) AS n FROM t;
		CREATE FUNCTION next_id() RETURNS int LANGUAGE sql AS 'SELECT count(*)::int + 1 FROM public.t';
		ALTER TABLE t ALTER id SET DEFAULT next_id();
		CREATE FUNCTION uses_later() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM public.zz_later';
		CREATE VIEW a_view AS SELECT uses_later() AS n;
		CREATE TABLE zz_later (id int PRIMARY KEY);
		INSERT INTO t (v) VALUES ('x')""")
	outcome = database(pair).run().expect(DONE)
	assert not failed(outcome), outcome
	pair.assert_equal(outcome)


def test_index_that_fails(pair):
	"""An index whose function can't find what it names: the table and its other indexes are there."""
	pair.fill("""
		CREATE TABLE words (w text PRIMARY KEY, n int); INSERT INTO words VALUES ('a', 1), ('b', 2);
		CREATE TABLE t (id int PRIMARY KEY, w text, CONSTRAINT w_once UNIQUE (w));
		CREATE FUNCTION number_of(text) RETURNS int LANGUAGE plpgsql IMMUTABLE AS
			'BEGIN RETURN (SELECT n FROM words WHERE w = $1); END';
		CREATE INDEX t_number ON t (number_of(w)); CREATE INDEX t_fine ON t (w); COMMENT ON INDEX t_number IS 'n';
		INSERT INTO t VALUES (1, 'a'), (2, 'b')""")
	p = database(pair)
	outcome = p.run().expect(FAILED)
	assert outcome.json["state"] == "done", outcome
	states = {name: state for name, (state, _why) in failed(outcome).items()}
	assert states == {"public.t_number": "failed", "INDEX public.t_number": "blocked"}, outcome
	assert "words" in failed(outcome)["public.t_number"][1]
	assert outcome.table("public.t")["state"] == "done"
	indexes = "SELECT relname FROM pg_class JOIN pg_index ON indexrelid = oid WHERE indrelid = 't'::regclass ORDER BY 1"
	assert pair.target.sql(indexes, pair.name) == [("t_fine",), ("t_pkey",), ("w_once",)]
	assert p("status", "m", "--json").json["schema"]["failed"] == outcome.json["schema"]["failed"]
	# Mended, and tried again by the next run.
	pair.target.sql("ALTER FUNCTION number_of(text) SET search_path = public", pair.name)
	outcome = p.run().expect(DONE)
	assert not failed(outcome), outcome


def test_table_that_fails(pair):
	"""The target can't make one table: it alone is not there, with what needs it."""
	pair.fill("CREATE TABLE good (id int PRIMARY KEY); INSERT INTO good VALUES (1);"
		" CREATE TABLE bad (id int PRIMARY KEY, good int REFERENCES good); INSERT INTO bad VALUES (1, 1);"
		" CREATE VIEW of_bad AS SELECT * FROM bad; CREATE VIEW of_good AS SELECT * FROM good")
	pair.target.sql("CREATE VIEW bad AS SELECT 1 AS id", pair.name)
	p = database(pair)
	outcome = p.run()
	assert outcome.code == FAILED and "not a table" in outcome.err, outcome
	pair.target.sql("DROP VIEW bad; CREATE TYPE bad AS ENUM ('in the way')", pair.name)
	outcome = p.run().expect(FAILED)
	assert outcome.table("public.good")["state"] == "done", outcome
	assert outcome.table("public.bad")["state"] == "failed", outcome
	pair.target.sql("DROP TYPE bad", pair.name)
	outcome = p.run().expect(DONE)
	assert not failed(outcome), outcome
	pair.assert_equal(outcome)
	assert pair.target.sql("SELECT count(*) FROM of_bad, of_good", pair.name) == [(1,)]


ORPHANS = """
	CREATE TABLE parent (a int, b text, PRIMARY KEY (a, b)); INSERT INTO parent SELECT i, 'x' FROM generate_series(1, 10) AS i;
	CREATE TABLE child (id int PRIMARY KEY, a int, b text, CONSTRAINT to_parent FOREIGN KEY (a, b) REFERENCES parent);
	CREATE TABLE tree (id int PRIMARY KEY, a int, b text, CONSTRAINT of_tree FOREIGN KEY (a, b) REFERENCES parent)
		PARTITION BY RANGE (id);
	CREATE TABLE leaf PARTITION OF tree DEFAULT;
	SET session_replication_role = replica;
	INSERT INTO child SELECT i, i, 'x' FROM generate_series(1, 22) AS i; INSERT INTO child VALUES (100, NULL, 'y');
	INSERT INTO tree SELECT i, i, 'x' FROM generate_series(1, %d) AS i;
"""


def test_foreign_key_with_orphans(pair):
	pair.fill(ORPHANS % 10)
	p = database(pair)
	outcome = p.run().expect(DONE)
	assert outcome.json["state"] == "done", outcome
	found = failed(outcome)
	assert list(found) == ["public.child to_parent"], outcome
	why = found["public.child to_parent"][1]
	assert "12 rows" in why and "(11,x)" in why and "the source has 12" in why, why
	valid = "SELECT conname, convalidated FROM pg_constraint WHERE contype = 'f' AND conrelid IN ('child'::regclass," \
		" 'tree'::regclass) ORDER BY 1"
	assert pair.target.sql(valid, pair.name) == [("of_tree", True), ("to_parent", False)]
	# Seen to, and looked at again.
	pair.target.sql("DELETE FROM child WHERE a > 10", pair.name)
	outcome = p.run().expect(DONE)
	assert not failed(outcome), outcome
	assert pair.target.sql(valid, pair.name) == [("of_tree", True), ("to_parent", True)]


def test_partitioned_foreign_key_with_orphans(pair):
	pair.fill(ORPHANS % 13 + "DELETE FROM child WHERE a > 10")
	outcome = database(pair).run().expect(DONE)
	assert list(failed(outcome)) == ["public.tree of_tree"], outcome
	assert "3 rows" in failed(outcome)["public.tree of_tree"][1]


def test_invalid_index(pair):
	pair.fill("CREATE TABLE t (a int); INSERT INTO t VALUES (1), (1)")
	with pytest.raises(Exception):
		pair.fill("CREATE UNIQUE INDEX CONCURRENTLY t_a ON t (a)")
	outcome = database(pair).run().expect(DONE)
	left = outcome.json["schema"]["left_out"]
	assert [(o["kind"], o["name"]) for o in left] == [("index", "public.t_a")] and "not valid" in left[0]["why"], outcome


def test_existing_objects_stay(pair):
	"""What the target has already is used as it is; rows go into tables that exist."""
	pair.fill("CREATE SCHEMA s; CREATE TYPE s.e AS ENUM ('a'); CREATE TABLE s.t (id int PRIMARY KEY, e s.e, v text);"
		" CREATE INDEX t_v ON s.t (v); CREATE FUNCTION s.f() RETURNS int LANGUAGE sql AS 'SELECT 1';"
		" INSERT INTO s.t SELECT i, 'a', i FROM generate_series(1, 100) AS i")
	pair.target.sql("CREATE SCHEMA s; CREATE TYPE s.e AS ENUM ('a'); CREATE TABLE s.t (id int PRIMARY KEY, e s.e, v text,"
		" more int); CREATE FUNCTION s.f() RETURNS int LANGUAGE sql AS 'SELECT 2'", pair.name)
	outcome = database(pair).run().expect(DONE)
	assert counts(outcome)["exists"] == 5 and not failed(outcome), outcome
	assert pair.target.sql("SELECT count(*), count(more), s.f() FROM s.t", pair.name) == [(100, 0, 2)]
	assert pair.target.sql("SELECT count(*) FROM pg_index WHERE indrelid = 's.t'::regclass", pair.name) == [(2,)]


FORTY = "".join("CREATE TABLE t%02d (id int PRIMARY KEY, prev int%s, v text); INSERT INTO t%02d SELECT i, %s, i"
	" FROM generate_series(1, 20) AS i; CREATE INDEX t%02d_v ON t%02d (v);" % (n, " REFERENCES t%02d" % (n - 1) if n else "", n,
	"i" if n else "NULL", n, n) for n in range(40)) + """
	CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
	CREATE TRIGGER touch BEFORE INSERT ON t05 FOR EACH ROW EXECUTE FUNCTION touch();
	CREATE VIEW inside AS SELECT a.id, b.v FROM t03 a JOIN t04 b USING (id); CREATE VIEW across AS SELECT a.id FROM t09 a, t10 b;
	COMMENT ON TABLE t07 IS 'seven'; CREATE STATISTICS st (ndistinct) ON prev, v FROM t02;
	ALTER TABLE t01 ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON t01 USING (id > 0);
	CREATE FUNCTION aside() RETURNS int LANGUAGE sql AS 'SELECT 1';"""


@pytest.mark.parametrize("schema", ("tables", "database"))
def test_ten_of_forty(pair, schema):
	"""Selected tables: everything that can exist does, the rest is named."""
	pair.fill(FORTY)
	outcome = pair.pgpier(schema=schema, tables=["public.t0*"]).run().expect(DONE)
	assert outcome.json["state"] == "done", outcome
	assert len(outcome.json["tables"]) == 10
	pair.assert_equal(outcome, only=["public.t%02d" % n for n in range(10)], structure=False)
	def names(sql):
		return {n for (n,) in pair.target.sql(sql, pair.name)}
	assert names("SELECT conname FROM pg_constraint WHERE contype = 'f' AND convalidated"
		" AND connamespace = 'public'::regnamespace") == \
		{"t%02d_prev_fkey" % n for n in range(1, 10)}
	assert names("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal") == {"touch"}
	views = names("SELECT viewname FROM pg_views WHERE schemaname = 'public'")
	assert "inside" in views and "across" not in views
	assert names("SELECT polname FROM pg_policy") == {"p"}
	assert names("SELECT stxname FROM pg_statistic_ext") == {"st"}
	assert names("SELECT obj_description('t07'::regclass)") == {"seven"}
	assert names("SELECT proname FROM pg_proc WHERE proname = 'aside'") == ({"aside"} if schema == "database" else set())
	rest = outcome.json["schema"]["left_out"] + outcome.json["schema"]["failed"]
	assert any(o["name"] == "public.across" for o in rest), outcome


def as_role(pair, role, **settings):
	"""A mirror whose peers are both this role."""
	p = database(pair, **settings)
	p.write([{"name": "source", **pair.source.address(pair.name, role)}, {"name": "target",
		**pair.target.address(pair.name, role)}], [{"name": "m", "source": "source", "target": "target", "tables": ["*"],
		"schema": "database", **settings}])
	return p


def test_owner_without_superuser(pair):
	"""Owner of the database on both sides, and nothing else."""
	for server in (pair.source, pair.target):
		make_role(server, "plain_owner", "LOGIN")
		make_role(server, "stranger")
		server.sql('ALTER DATABASE "%s" OWNER TO plain_owner; GRANT stranger TO plain_owner' % pair.name)
	pair.fill("SET ROLE plain_owner; CREATE SCHEMA app; CREATE TABLE app.t (id serial PRIMARY KEY, v text);"
		" INSERT INTO app.t (v) SELECT i FROM generate_series(1, 500) AS i; CREATE EXTENSION citext SCHEMA app;"
		" CREATE TABLE app.c (id int PRIMARY KEY REFERENCES app.t, c app.citext); INSERT INTO app.c SELECT id FROM app.t;"
		" CREATE FUNCTION app.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
		" CREATE TRIGGER tr BEFORE UPDATE ON app.c FOR EACH ROW EXECUTE FUNCTION app.f();"
		" GRANT CREATE ON SCHEMA app TO stranger; ALTER FUNCTION app.f() OWNER TO stranger; RESET ROLE;"
		" CREATE FUNCTION app.c_code(internal) RETURNS void LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_inline_handler';"
		" ALTER FUNCTION app.c_code(internal) OWNER TO plain_owner")
	outcome = as_role(pair, "plain_owner").run().expect(FAILED)
	assert outcome.json["state"] == "done", outcome
	assert list(failed(outcome)) == ["app.c_code(internal)"], outcome
	assert "permission denied for language c" in failed(outcome)["app.c_code(internal)"][1]
	pair.assert_equal(outcome)
	assert pair.target.sql("SELECT proowner::regrole::text FROM pg_proc WHERE oid = 'app.f'::regproc", pair.name) == \
		[("stranger",)]


def test_replica_role_denied(pair):
	"""Nothing may fire for changes that are applied: who can't say so makes keys and triggers at the cutover."""
	make_role(pair.target, "applier", "LOGIN REPLICATION")
	pair.target.sql('ALTER DATABASE "%s" OWNER TO applier' % pair.name)
	pair.fill(MARKERS + "CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p VALUES (1);"
		" CREATE TABLE c (id int PRIMARY KEY, p int CONSTRAINT to_p REFERENCES p, v text DEFAULT 'as it came');"
		" CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.v := ''touched''; RETURN NEW; END';"
		" CREATE TRIGGER touch BEFORE INSERT ON c FOR EACH ROW EXECUTE FUNCTION touch(); ALTER TABLE c DISABLE TRIGGER touch")
	live = Live(pair, schema="database", owners="none")
	settings = {"continuous": True, "workers": 2, "slot": Live.slot_of(pair), "schema": "database", "owners": "none"}
	live.p.write([{"name": "source", **pair.source.address(pair.name)}, {"name": "target",
		**pair.target.address(pair.name, "applier")}], [{"name": "m", "source": "source", "target": "target",
		"tables": ["*"], **settings}])
	with live:
		live.change("INSERT INTO c VALUES (1, 1)")
		live.sync()
		outcome = live.status()
		assert counts(outcome)["waiting"] == 2, outcome
		live.wait_said("wait for the cutover")
		assert pair.target.sql("SELECT v FROM c", pair.name) == [("as it came",)]
		assert pair.target.sql("SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND conrelid = 'c'::regclass",
			pair.name) == [(0,)]
		live.stop()
	outcome = live.p("cutover", "m", "--yes-i-mean", "m", "--json").expect(DONE)
	assert counts(live.status())["waiting"] == 0, outcome
	assert pair.target.sql("SELECT convalidated FROM pg_constraint WHERE conname = 'to_p'", pair.name) == [(True,)]
	assert pair.target.sql("SELECT tgenabled FROM pg_trigger WHERE tgname = 'touch'", pair.name) == [("D",)]


def test_sync_columns(pair):
	pair.fill("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1); CREATE TABLE p (id int) PARTITION BY LIST (id);"
		" CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1); INSERT INTO p VALUES (1)")
	database(pair, sync_columns=True).run().expect(DONE)
	assert pair.target.sql("SELECT count(t._pgpier_synced_at), count(p._pgpier_synced_at) FROM t, p", pair.name) == [(1, 1)]


def test_no_pg_dump(pair, tmp_path):
	"""A whole database can't be made without it, and nothing is left of the attempt; tables can."""
	pair.fill(MARKERS + "CREATE TABLE t (id int PRIMARY KEY, s int REFERENCES t); INSERT INTO t VALUES (1, 1)")
	for continuous in (False, True):
		outcome = database(pair, pg_bindir=str(tmp_path), continuous=continuous, slot=Live.slot_of(pair)).run().expect(FAILED)
		assert "pg_dump" in outcome.err and "postgresql-client" in outcome.err, outcome
		assert pair.target.sql("SELECT nspname FROM pg_namespace WHERE nspname = 'pgpier'", pair.name) == []
		assert pair.source.sql("SELECT slot_name FROM pg_replication_slots WHERE database = %s",
			parameters=(pair.name,)) == []
	checked = database(pair, pg_bindir=str(tmp_path))("check", "m", "--json")
	assert any(f["severity"] == "blocker" and "pg_dump" in f["text"] for f in checked.json["findings"]), checked
	outcome = database(pair, schema="tables", pg_bindir=str(tmp_path)).run().expect(DONE)
	assert "foreign keys, triggers" in outcome.err and outcome.table("public.t")["rows"] == 1, outcome


def test_partition_that_joins(pair):
	"""Made like a chosen table, because the dump is older than it."""
	pair.fill(MARKERS + "CREATE TABLE p (id int PRIMARY KEY, v text) PARTITION BY RANGE (id); CREATE INDEX p_v ON p (v);"
		" CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (100); INSERT INTO p SELECT i FROM generate_series(1, 50) AS i")
	live = Live(pair, schema="database")
	with live:
		live.sync()
		live.change("CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (100) TO (200)",
			"INSERT INTO p SELECT i FROM generate_series(90, 150) AS i")
		live.sync()
		live.equal()
		live.stop()


def test_resumed_load(pair):
	"""Rows of two snapshots: foreign keys are looked at when the stream has brought the rest."""
	pair.fill(MARKERS + "CREATE TABLE a (id int PRIMARY KEY, v text);"
		" CREATE TABLE b (id int PRIMARY KEY, a int CONSTRAINT to_a REFERENCES a, v text);"
		" INSERT INTO a SELECT i, repeat('x', 200) FROM generate_series(1, 60000) AS i;"
		" INSERT INTO b SELECT i, i, repeat('x', 200) FROM generate_series(1, 60000) AS i; ANALYZE")
	live = Live(pair, schema="database", rows_per_chunk=5000, rate_limit_mb=8)
	done = "SELECT count(*) FILTER (WHERE done) FROM pgpier.chunks"
	with live:
		live.wait(lambda: pair.target.sql("SELECT to_regclass('pgpier.chunks')", pair.name)[0][0], "the store")
		live.wait(lambda: pair.target.sql(done, pair.name)[0][0] > 2, "some chunks")
		live.kill()
	live.change("INSERT INTO a SELECT i FROM generate_series(60001, 60100) AS i", "INSERT INTO b SELECT i, i FROM"
		" generate_series(60001, 60100) AS i", "UPDATE b SET a = 60050 WHERE id % 1000 = 0")
	with live:
		live.sync(60)
		valid = "SELECT convalidated FROM pg_constraint WHERE conname = 'to_a'"
		live.wait(lambda: pair.target.sql(valid, pair.name) == [(True,)], "the validation")
		live.equal()
		live.stop()


def test_store_of_an_older_version(pair):
	"""A mirror that was begun before objects were kept goes on, and gets none."""
	pair.fill("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)")
	p = pair.pgpier()
	p.run().expect(DONE)
	pair.target.sql("DROP TABLE pgpier.objects, pgpier.cutovers, pgpier.fences, pgpier.holds,"
		" pgpier.verifications; ALTER TABLE pgpier.mirrors DROP COLUMN settings;"
		" ALTER TABLE pgpier.tables DROP COLUMN renamed, DROP COLUMN changed_lsn;"
		" UPDATE pgpier.version SET version = 2", pair.name)
	assert sum(counts(p("status", "m", "--json")).values()) == 0
	outcome = p.run().expect(DONE)
	assert sum(counts(outcome).values()) == 0
	assert pair.target.sql("SELECT version FROM pgpier.version", pair.name) == [(6,)]
	p("drop", "m", "--yes", "--json").expect(DONE)
	assert pair.target.sql("SELECT count(*) FROM pg_namespace WHERE nspname = 'pgpier'", pair.name) == [(0,)]


def test_mapped_table(pair):
	"""A table of another name on the target, and what refers to it."""
	pair.fill("CREATE TABLE t (id int PRIMARY KEY, v text); CREATE INDEX t_v ON t (v); INSERT INTO t VALUES (1, 'x');"
		" CREATE TABLE u (t int CONSTRAINT to_t REFERENCES t); INSERT INTO u VALUES (1); COMMENT ON TABLE t IS 'mapped'")
	pair.target.sql("CREATE SCHEMA other", pair.name)
	outcome = database(pair, map=[{"source": "public.t", "target": "other.t2"}]).run().expect(DONE)
	assert not failed(outcome), outcome
	found = pair.target.sql("SELECT (SELECT count(*) FROM pg_index WHERE indrelid = 'other.t2'::regclass),"
		" (SELECT confrelid::regclass::text FROM pg_constraint WHERE conname = 'to_t' AND convalidated), v,"
		" obj_description('other.t2'::regclass) FROM other.t2", pair.name)
	assert found == [(2, "other.t2", "x", "mapped")]
