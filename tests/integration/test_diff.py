# SPDX-License-Identifier: PostgreSQL
"""pgpier diff: what the definitions of both databases have that is not the same, and the statements that mend it."""
import os
import subprocess

import psycopg2
import pytest

from support.cluster import DEBIAN_BIN, PASSWORD, temporary_folder
from support.pgpier import DONE, FAILED, ROOT, USAGE

DIFFERENT, INCOMPLETE = 3, 4
NASTY = os.path.join(ROOT, "tests", "unit", "dump", "nasty.sql")

# Something of most kinds. What other versions print otherwise is in test_other_major.
KINDS = """
CREATE SCHEMA app;
CREATE EXTENSION hstore SCHEMA app;
CREATE TYPE app.mood AS ENUM ('sad', 'so-so', 'happy');
CREATE TYPE app.pair AS (a int, b text);
CREATE TYPE app.span AS RANGE (subtype = int4);
CREATE DOMAIN app.positive AS int CHECK (VALUE > 0);
CREATE COLLATION app.plain (locale = 'C');
CREATE SEQUENCE app.numbers INCREMENT 5 CYCLE MAXVALUE 1000;
CREATE FUNCTION app.plus(a int, b int) RETURNS int LANGUAGE sql AS 'SELECT a + b';
CREATE FUNCTION app.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE FUNCTION app.watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE PROCEDURE app.work(a int) LANGUAGE sql AS 'SELECT 1';
CREATE AGGREGATE app.total (int) (sfunc = app.plus, stype = int, initcond = '0');
CREATE FUNCTION app.plus_mood(a int, b app.mood) RETURNS int LANGUAGE sql AS 'SELECT a';
CREATE OPERATOR app.#+ (leftarg = int, rightarg = int, function = app.plus);
CREATE OPERATOR app.#+ (leftarg = int, rightarg = app.mood, function = app.plus_mood);
CREATE CAST (app.pair AS app.mood) WITH INOUT AS ASSIGNMENT;
CREATE TEXT SEARCH CONFIGURATION app.words (COPY = pg_catalog.english);
CREATE TABLE app.t (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n serial, v varchar(10) DEFAULT 'x' NOT NULL,
	m app.mood, w int CONSTRAINT small CHECK (w < 100), g int GENERATED ALWAYS AS (w * 2) STORED, UNIQUE (v));
CREATE TABLE app.c (id int PRIMARY KEY, t bigint REFERENCES app.t ON DELETE CASCADE, v text, d date);
CREATE TABLE app.parts (id int, v text) PARTITION BY RANGE (id);
CREATE TABLE app.part_1 PARTITION OF app.parts FOR VALUES FROM (0) TO (10);
CREATE INDEX parts_v ON app.parts (v);
CREATE INDEX c_v ON app.c (lower(v)) WHERE t > 0;
CREATE UNIQUE INDEX c_d ON app.c (d);
ALTER TABLE app.c REPLICA IDENTITY FULL;
ALTER TABLE app.c ALTER COLUMN v SET STORAGE EXTERNAL;
CREATE VIEW app.v AS SELECT t.id, t.v FROM app.t WHERE t.w > 5;
CREATE MATERIALIZED VIEW app.mv AS SELECT count(*) AS n FROM app.t;
CREATE INDEX mv_n ON app.mv (n);
CREATE RULE guard AS ON DELETE TO app.v DO INSTEAD NOTHING;
CREATE TRIGGER touched BEFORE UPDATE OF v ON app.t FOR EACH ROW WHEN (OLD.v <> NEW.v) EXECUTE FUNCTION app.touch();
CREATE EVENT TRIGGER watched_@ ON ddl_command_end EXECUTE FUNCTION app.watch();
ALTER EVENT TRIGGER watched_@ DISABLE;
CREATE POLICY own ON app.t FOR SELECT USING (v = current_user);
ALTER TABLE app.t ENABLE ROW LEVEL SECURITY;
CREATE STATISTICS app.both (dependencies) ON t, v FROM app.c;
CREATE FOREIGN DATA WRAPPER far_@;
CREATE SERVER far_@ FOREIGN DATA WRAPPER far_@ OPTIONS (host 'x');
CREATE USER MAPPING FOR PUBLIC SERVER far_@ OPTIONS (user_name 'u');
CREATE FOREIGN TABLE app.far (a int) SERVER far_@;
COMMENT ON TABLE app.t IS 'it''s a table';
COMMENT ON COLUMN app.t.v IS 'its value';
COMMENT ON CONSTRAINT small ON app.t IS 'not big';
COMMENT ON FUNCTION app.plus(int, int) IS 'adds';
GRANT SELECT, INSERT ON app.t TO @_r;
GRANT UPDATE (v) ON app.t TO @_r WITH GRANT OPTION;
GRANT USAGE ON SCHEMA app TO @_r;
REVOKE EXECUTE ON FUNCTION app.plus(int, int) FROM PUBLIC;
ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT ON TABLES TO @_r;
ALTER TABLE app.c OWNER TO @_o;
ALTER FUNCTION app.plus(int, int) OWNER TO @_o;
"""


def other(server, dbname):
	"""Connects with libpq's programs as the tests do."""
	a = server.address(dbname)
	return ["-h", a["host"], "-p", str(a["port"]), "-U", a["user"], "-d", dbname]


def restore(pair):
	"""What pg_dump says of the source is made on the target."""
	env = {**os.environ, "PGPASSWORD": PASSWORD}
	dump = subprocess.run([os.path.join(DEBIAN_BIN, "pg_dump"), "-s", *other(pair.source, pair.name)],
		capture_output=True, check=True, timeout=60, env=env)
	subprocess.run([os.path.join(DEBIAN_BIN, "psql"), "-qX", "-v", "ON_ERROR_STOP=1", *other(pair.target, pair.name)],
		input=dump.stdout, stdout=subprocess.DEVNULL, check=True, timeout=60, env=env)


@pytest.fixture
def kinds(pair):
	"""A database with most kinds of objects; its roles are on both servers."""
	roles = ["%s_%s" % (pair.name, which) for which in "ro"]
	for server in (pair.source, pair.target):
		for role in roles:
			server.sql("CREATE ROLE " + role)
	try:
		yield pair.fill(KINDS.replace("@", pair.name))
	finally:
		for server in (pair.source, pair.target):
			server.drop_db(pair.name)
			for role in roles:
				server.sql("DROP ROLE " + role)


def diff(p, code, *words):
	"""The differences by (kind, name)."""
	outcome = p("diff", "m", "--json").expect(code, *words)
	found = {(d["kind"], d["name"]): d for d in outcome.json["differences"]}
	assert len(found) == len(outcome.json["differences"]), outcome
	assert outcome.json["what"] == "objects" and outcome.json["applied"] == 0
	assert outcome.json["equal"] == (code == DONE) and outcome.json["complete"] == (code != INCOMPLETE), outcome
	return found, outcome.json


def assert_equal(p, least=1):
	_, told = diff(p, DONE)
	assert told["compared"] >= least
	return told["notes"]


def assert_mended(pair, p, found):
	"""By the statements alone: what waits for something else, or came by another statement, is listed anew."""
	for _ in range(6):
		left = [k for k, d in found.items() if not d["statement"]]
		assert not left, left
		failed = []
		for key, d in found.items():
			try:
				pair.target.sql(d["statement"], pair.name)
			except psycopg2.Error as e:
				failed.append((key, str(e)))
		outcome = p("diff", "m", "--json")
		if outcome.code == DONE:
			return
		found, _ = diff(p, DIFFERENT)
	raise AssertionError("%s\n%s" % (failed, outcome))


def test_equal(kinds):
	restore(kinds)
	assert assert_equal(kinds.pgpier(schema="database"), 50) == []


def test_missing(kinds):
	"""All of it: each with the statement that makes it."""
	p = kinds.pgpier(schema="database")
	found, _ = diff(p, DIFFERENT)
	assert found["table", "app.t"]["target"] is None
	assert found["table", "app.t"]["source"].startswith("CREATE TABLE app.t (")
	assert found["table", "app.t"]["severity"] == "blocker"
	assert found["comment", "COLUMN app.t.v"]["severity"] == "warning"
	assert all(d["applies"] for d in found.values())
	assert_mended(kinds, p, found)
	p("diff", "m").expect(DONE, "objects of source and target: ", " compared, 0 differ")


def test_surplus(kinds):
	"""The other way round: what only the target has, each with the statement that takes it away."""
	kinds.target.sql(KINDS.replace("@", kinds.name), kinds.name)
	kinds.source.drop_db(kinds.name)
	kinds.source.create_db(kinds.name)
	p = kinds.pgpier(schema="database")
	found, _ = diff(p, DIFFERENT)
	assert found["view", "app.v"]["source"] is None and found["view", "app.v"]["severity"] == "warning"
	assert not any(d["applies"] for d in found.values())
	drops = {"function": "DROP FUNCTION app.plus(a integer, b integer);", "trigger": 'DROP TRIGGER "touched" ON "app"."t";',
		"operator": None, "cast": "DROP CAST (app.pair AS app.mood);"}
	for (kind, name), d in found.items():
		if drops.get(kind) and (kind != "function" or name == "app.plus(integer, integer)"):
			assert d["statement"] == drops[kind]
	without = {kind for (kind, _), d in found.items() if not d["statement"]}
	assert without == {"index attach"}, without
	kinds.target.sql("\n".join(d["statement"] for (kind, name), d in found.items()
		if kind in ("table attach", "sequence owned by") or name == "app.t_id_seq"), kinds.name)
	after, _ = diff(p, DIFFERENT)
	assert {("sequence", "app.t_id_seq"), ("sequence owned by", "app.t_n_seq"), ("table attach", "app.part_1"),
		("index attach", "app.part_1_v_idx")} <= found.keys() - after.keys()


CHANGES = """
ALTER TYPE app.mood ADD VALUE 'furious' BEFORE 'sad';
ALTER SEQUENCE app.numbers INCREMENT 7 NO CYCLE MAXVALUE 999;
CREATE OR REPLACE FUNCTION app.plus(a int, b int) RETURNS int LANGUAGE sql AS 'SELECT a - b';
CREATE OR REPLACE VIEW app.v AS SELECT t.id, t.v FROM app.t WHERE t.w > 6;
DROP MATERIALIZED VIEW app.mv;
CREATE MATERIALIZED VIEW app.mv AS SELECT count(*) + 1 AS n FROM app.t;
CREATE INDEX mv_n ON app.mv (n);
DROP TRIGGER touched ON app.t;
CREATE TRIGGER touched BEFORE UPDATE OF v ON app.t FOR EACH ROW EXECUTE FUNCTION app.touch();
ALTER POLICY own ON app.t USING (true);
DROP INDEX app.c_v;
CREATE INDEX c_v ON app.c (v);
ALTER TABLE app.c DROP CONSTRAINT c_t_fkey;
ALTER TABLE app.c ADD CONSTRAINT c_t_fkey FOREIGN KEY (t) REFERENCES app.t NOT VALID;
DROP STATISTICS app.both;
CREATE STATISTICS app.both (ndistinct) ON t, v FROM app.c;
COMMENT ON TABLE app.t IS 'another';
COMMENT ON COLUMN app.t.m IS 'only here';
COMMENT ON FUNCTION app.plus(int, int) IS NULL;
REVOKE INSERT ON app.t FROM @_r;
GRANT DELETE ON app.t TO @_r;
GRANT UPDATE ON app.c TO @_r;
GRANT EXECUTE ON FUNCTION app.plus(int, int) TO PUBLIC;
ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT INSERT ON TABLES TO @_r;
ALTER TABLE app.t OWNER TO @_o;
"""
PLAIN = """
CREATE TABLE app.plain (v varchar(10) DEFAULT 'x' NOT NULL, m app.mood, w int CONSTRAINT small CHECK (w < 100));
COMMENT ON CONSTRAINT small ON app.plain IS 'not big'
"""
TABLES = """
ALTER TABLE app.plain ALTER COLUMN v TYPE varchar(20), ALTER COLUMN v DROP DEFAULT, ALTER COLUMN v DROP NOT NULL,
	ALTER COLUMN m SET DEFAULT 'sad', ALTER COLUMN m SET NOT NULL, DROP CONSTRAINT small,
	ADD CONSTRAINT small CHECK (w < 99), ADD CONSTRAINT other CHECK (w > 1), ADD COLUMN more text;
ALTER TABLE app.c DROP COLUMN v, DROP COLUMN d, REPLICA IDENTITY FULL;
"""


def test_changed(kinds):
	restore(kinds)
	kinds.source.sql("ALTER TYPE app.mood ADD VALUE 'glad' AFTER 'so-so'; ALTER TYPE app.mood ADD VALUE 'angry' BEFORE 'sad'",
		kinds.name)
	kinds.target.sql(CHANGES.replace("@", kinds.name).replace("ALTER TYPE app.mood ADD VALUE 'furious' BEFORE 'sad';", ""),
		kinds.name)
	p = kinds.pgpier(schema="database")
	found, _ = diff(p, DIFFERENT)
	assert found["type", "app.mood"]["statement"] == ("ALTER TYPE app.mood ADD VALUE 'angry' BEFORE 'sad';\n"
		"ALTER TYPE app.mood ADD VALUE 'glad' BEFORE 'happy';")
	assert found["function", "app.plus(integer, integer)"]["statement"].startswith("CREATE OR REPLACE FUNCTION app.plus(")
	assert found["function", "app.plus(integer, integer)"]["applies"]
	assert "SELECT a - b" in found["function", "app.plus(integer, integer)"]["target"]
	assert found["materialized view", "app.mv"]["statement"].startswith("DROP MATERIALIZED VIEW app.mv;\nCREATE MATER")
	assert not found["materialized view", "app.mv"]["applies"]
	assert found["acl", "TABLE app.t"]["statement"] == (
		"REVOKE SELECT,DELETE ON TABLE app.t FROM {0}_r;\nGRANT SELECT,INSERT ON TABLE app.t TO {0}_r;".format(kinds.name))
	assert found["comment", "COLUMN app.t.m"]["statement"] == "COMMENT ON COLUMN app.t.m IS NULL;"
	assert found["owner", "TABLE app.t"]["source"] == "postgres"
	assert found["owner", "TABLE app.t"]["target"] == kinds.name + "_o"
	assert len(found) == 20, sorted(found)
	assert_mended(kinds, p, found)


def test_columns(kinds):
	kinds.fill(PLAIN)
	restore(kinds)
	kinds.target.sql(TABLES, kinds.name)
	p = kinds.pgpier(schema="database")
	found, _ = diff(p, DIFFERENT)
	t = found["table", "app.plain"]
	assert t["statement"].split("\n") == [
		'ALTER TABLE app.plain ALTER COLUMN "v" TYPE character varying(10);',
		"ALTER TABLE app.plain ALTER COLUMN \"v\" SET DEFAULT 'x'::character varying;",
		'ALTER TABLE app.plain ALTER COLUMN "v" SET NOT NULL;',
		'ALTER TABLE app.plain ALTER COLUMN "m" DROP DEFAULT;',
		'ALTER TABLE app.plain ALTER COLUMN "m" DROP NOT NULL;',
		'ALTER TABLE app.plain DROP COLUMN "more";',
		'ALTER TABLE app.plain DROP CONSTRAINT "small";',
		"ALTER TABLE app.plain ADD CONSTRAINT small CHECK ((w < 100));",
		'ALTER TABLE app.plain DROP CONSTRAINT "other";']
	assert "column v has type character varying(20), not character varying(10)" in t["meaning"]
	assert "column more is on the target only" in t["meaning"] and not t["applies"]
	c = found["table", "app.c"]
	assert c["meaning"].startswith("column v is missing; column d is missing") and c["applies"]
	assert found["comment", "CONSTRAINT app.small ON plain"]["statement"]
	assert_mended(kinds, p, found)


def test_columns_beyond_repair(pair):
	"""No ALTER TABLE makes these the same: the definitions are shown, no statement."""
	pair.fill("CREATE TABLE a (i int, g int GENERATED ALWAYS AS (i + 1) STORED); CREATE TABLE b (i int, j int);"
		" CREATE TABLE c (i int) PARTITION BY RANGE (i)")
	pair.target.sql("CREATE TABLE a (i int, g int GENERATED ALWAYS AS (i + 2) STORED); CREATE TABLE b (j int, i int);"
		" CREATE TABLE c (i int)", pair.name)
	found, _ = diff(pair.pgpier(schema="database"), DIFFERENT)
	assert len(found) == 3 and not any(d["statement"] for d in found.values())
	assert "column g is generated in another way" in found["table", "public.a"]["meaning"]
	assert "columns are in another order" in found["table", "public.b"]["meaning"]
	assert "partitioning" in found["table", "public.c"]["meaning"]


def test_only_the_mirrors_tables(kinds):
	"""What belongs to them, on both sides, and nothing else."""
	restore(kinds)
	kinds.target.sql("DROP TABLE app.c; DROP VIEW app.v; DROP FUNCTION app.plus CASCADE; CREATE TABLE app.new (a int);"
		" DROP POLICY own ON app.t; CREATE INDEX surplus ON app.t (w); CREATE INDEX elsewhere ON app.parts (id);"
		" COMMENT ON COLUMN app.t.w IS 'x'", kinds.name)
	found, _ = diff(kinds.pgpier(schema="tables", tables=["app.t"]), DIFFERENT)
	assert sorted(found) == [("comment", "COLUMN app.t.w"), ("index", "app.surplus"), ("policy", "app.t own"),
		("rule", "app.v guard"), ("view", "app.v")], sorted(found)


def test_after_a_run(pair):
	"""What the mirror makes is the same, also under other names and without the columns that it leaves out."""
	pair.fill("""CREATE SCHEMA shop; CREATE SEQUENCE shop.own;
		CREATE TABLE shop.items (id serial PRIMARY KEY, v text DEFAULT 'x' NOT NULL, secret text DEFAULT 'y',
			n int DEFAULT nextval('shop.own') CHECK (n > 0), UNIQUE (v));
		CREATE INDEX items_n ON shop.items (n); CREATE INDEX items_secret ON shop.items (secret);
		COMMENT ON COLUMN shop.items.secret IS 'not for everyone';
		CREATE TABLE shop.other (id int PRIMARY KEY)""")
	p = pair.pgpier(tables=["shop.items"], columns_exclude=["shop.items.secret"], owners="none", sync_columns=True,
		map=[{"source": "shop.items", "target": "store.things", "columns": [{"source": "v", "target": "Value"}]}])
	p.run().expect(DONE)
	assert_equal(p, 5)
	pair.target.sql('ALTER TABLE store.things ALTER COLUMN "Value" DROP DEFAULT; DROP INDEX store.items_n', pair.name)
	found, _ = diff(p, DIFFERENT)
	assert sorted(found) == [("index", "store.items_n"), ("table", "store.things")]
	assert found["table", "store.things"]["meaning"] == "column Value has another default"
	assert_mended(pair, p, found)


@pytest.mark.parametrize("mirror", [{"schema": "database"}, {"tables": ["app.t", "app.c", "app.parts*"]}])
def test_after_a_run_with_all_of_it(kinds, mirror):
	p = kinds.pgpier(**mirror)
	p.run().expect(DONE)
	assert_equal(p, 30)


def test_owners(kinds):
	"""Mapped owners and grants are what is wanted; with owners = "none" nobody asks."""
	restore(kinds)
	mapped = {"owners": "map", "roles_map": [{"source": kinds.name + "_o", "target": "postgres"},
		{"source": kinds.name + "_r", "target": kinds.name + "_o"}]}
	p = kinds.pgpier(schema="database", **mapped)
	found, _ = diff(p, DIFFERENT)
	assert found["owner", "TABLE app.c"]["source"] == "postgres"
	assert found["owner", "TABLE app.c"]["statement"] == 'ALTER TABLE app.c OWNER TO "postgres";'
	assert {kind for kind, _ in found} == {"owner", "acl", "default acl"}
	assert '"%s_o"' % kinds.name in found["acl", "TABLE app.t"]["statement"]
	assert_mended(kinds, p, found)
	notes = assert_equal(kinds.pgpier(schema="database", owners="none"))
	assert any("owners and grants are not compared" in n for n in notes)


@pytest.mark.parametrize("major", [10, 13])
def test_other_major(make_pair, other_major, target, major):
	"""What only the servers' versions print differently is no difference."""
	pair = make_pair(other_major(major), target)
	with open(NASTY, encoding="utf-8") as f:
		pair.fill(f.read())
	pair.fill("CREATE TYPE app.span AS RANGE (subtype = int4)")
	restore(pair)
	p = pair.pgpier(schema="database", publications=True)
	notes = assert_equal(p, 30)
	assert any("1 definitions are the same" in n for n in notes), notes
	pair.target.sql("DROP TYPE app.span", pair.name)
	found, _ = diff(p, DIFFERENT)
	assert list(found) == [("type", "app.span")]


def test_public_schema_of_15(make_pair, other_major, target):
	pair = make_pair(other_major(13), target)
	pair.fill("CREATE TABLE t (a int)")
	pair.target.sql("CREATE TABLE t (a int)", pair.name)
	notes = assert_equal(pair.pgpier(schema="database"))
	assert any("schema public" in n for n in notes), notes


def test_a_server_newer_than_pg_dump(make_pair, other_major, source):
	"""Nothing is proven, and that is said with the package that is missing."""
	pair = make_pair(source, other_major(18))
	pair.fill("CREATE TABLE t (a int)")
	_, told = diff(pair.pgpier(schema="database"), INCOMPLETE)
	assert told["compared"] == 0
	assert any("the target could not be dumped: pg_dump is too old" in n and "postgresql-client-18" in n
		for n in told["notes"]), told


def test_pg_bindir(pair):
	"""Of the mirror, or of all mirrors."""
	pair.fill("CREATE TABLE t (a int)")
	empty = temporary_folder()
	_, told = diff(pair.pgpier(schema="database", pg_bindir=empty), INCOMPLETE)
	assert len(told["notes"]) == 2 and empty in told["notes"][0]
	p = pair.pgpier(schema="database")
	with open(p.config, encoding="utf-8") as f:
		p.write_text('pg_bindir = "%s";\n%s' % (empty, f.read()))
	diff(p, INCOMPLETE)


def test_no_right_to_read(pair):
	role = "d_" + pair.name
	pair.fill("CREATE ROLE %s LOGIN; CREATE TABLE t (a int)" % role)
	try:
		p = pair.pgpier(schema="database")
		peers = [{"name": "source", **pair.source.address(pair.name, role)},
			{"name": "target", **pair.target.address(pair.name)}]
		p.write(peers, [{"name": "m", "source": "source", "target": "target", "tables": ["*"], "schema": "database"}])
		_, told = diff(p, INCOMPLETE)
		assert "permission denied for table t" in told["notes"][0]
	finally:
		pair.source.sql("DROP ROLE " + role)


def test_no_server(pair):
	p = pair.pgpier(schema="database")
	p.write([{"name": "source", "host": "127.0.0.1", "port": 1, "dbname": "x"},
		{"name": "target", **pair.target.address(pair.name)}], [{"name": "m", "source": "source", "target": "target",
		"tables": ["*"]}])
	p("diff", "m").expect(FAILED, "Connection refused")
	p("diff", "nobody").expect(USAGE)
