# SPDX-License-Identifier: PostgreSQL
"""Columns that have other names on the target: loaded, followed, resumed, and what is wrong with them."""
import time

import pytest

from support import torture
from support.live import MARKERS, Live
from support.load import copying
from support.pgpier import DONE, FAILED, USAGE

USERS = """
CREATE TABLE users (id bigserial PRIMARY KEY, mail text NOT NULL CHECK (mail <> ''), n int DEFAULT 7, photo bytea,
	at timestamptz DEFAULT now(), upper_mail text GENERATED ALWAYS AS (upper(mail)) STORED);
CREATE UNIQUE INDEX users_mail ON users (lower(mail)) WHERE n > 0;
INSERT INTO users (mail, n, photo) SELECT 'm' || i, i, '\\x0001' FROM generate_series(1, %d) AS i; ANALYZE;"""
NEW = {"id": "user_id", "mail": "e mail", "upper_mail": "upper"}


def columns(names):
	return [{"source": a, "target": b} for a, b in names.items()]


def one(source, names, **more):
	return {"source": source, "columns": columns(names), **more}


# ---- initial load ----

@pytest.mark.sanitized
@pytest.mark.parametrize("transfer", ["copy", "fetch"])
def test_initial_load(pair, transfer):
	"""In chunks, with another name of the table; keys, indexes and sequences know the new names."""
	pair.fill(USERS % 3000)
	p = pair.pgpier(map=[one("public.users", NEW, target="app.people")], transfer=transfer, rows_per_chunk=500)
	outcome = p.run().expect(DONE)
	assert outcome.table("public.users")["chunks"] > 1, outcome
	pair.assert_equal(outcome, mapping={"public.users": "app.people"}, renamed={"public.users": NEW})
	found = pair.target.sql("SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = 'app.people'::regclass"
		" ORDER BY 1", pair.name)
	assert [d.partition(" USING ")[2] for (d,) in found] == ['btree (lower("e mail")) WHERE (n > 0)', "btree (user_id)"]
	assert pair.target.sql("""INSERT INTO app.people ("e mail") VALUES ('x') RETURNING user_id, upper, n""",
		pair.name) == [(3001, "X", 7)]
	assert p("mirror", "list", "--json").expect(DONE, "e mail")


def test_the_plan_says_them(pair):
	pair.fill(USERS % 10)
	p = pair.pgpier(map=[one("public.users", {"mail": "email", "id": "key"})])
	p("check", "m").expect(DONE, "Columns of public.users get other names on target: mail -> email, id -> key.")


def test_table_that_exists(pair):
	"""With its own order of columns, another type that fits, and a text that can't go in binary."""
	pair.fill("CREATE TABLE t (id int PRIMARY KEY, mail varchar(20), n int);"
		"INSERT INTO t SELECT i, 'm' || i, i FROM generate_series(1, 500) AS i")
	pair.target.sql("CREATE TABLE t (email text NOT NULL, n int, key bigint PRIMARY KEY)", pair.name)
	pair.pgpier(map=[one("public.t", {"id": "key", "mail": "email"})]).run().expect(DONE)
	assert pair.target.sql("SELECT count(*), sum(key), count(*) FILTER (WHERE email = 'm' || n) FROM t",
		pair.name) == [(500, 500 * 501 // 2, 500)]


def test_whole_trees(pair):
	"""Partitions and children are called like their parents; a leaf may have another order of columns."""
	pair.fill("""CREATE TABLE p (id int, day date, v text, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
		CREATE TABLE p_a PARTITION OF p FOR VALUES FROM ('2024-01-01') TO ('2025-01-01') PARTITION BY LIST (day);
		CREATE TABLE p_a_1 PARTITION OF p_a DEFAULT; CREATE INDEX ON p ((day + id)) WHERE v <> '';
		CREATE TABLE p_b (v text, day date NOT NULL, id int NOT NULL, PRIMARY KEY (id, day));
		ALTER TABLE p ATTACH PARTITION p_b FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
		INSERT INTO p SELECT i, '2024-06-01'::date + i, 'v' || i FROM generate_series(1, 500) AS i;
		CREATE TABLE top (id int, name text CHECK (name <> '')); CREATE TABLE below (more int) INHERITS (top);
		INSERT INTO top VALUES (1, 'a'); INSERT INTO below VALUES (2, 'b', 3)""")
	names, top = {"id": "number", "day": "on"}, {"name": "title"}
	outcome = pair.pgpier(map=[one("public.p", names), one("public.top", top)]).run().expect(DONE)
	pair.assert_equal(outcome, renamed={"public.p_a_1": names, "public.p_b": names, "public.top": top,
		"public.below": top})
	assert pair.target.sql('SELECT count(*), sum(number) FROM p', pair.name) == [(500, 500 * 501 // 2)]
	assert pair.target.sql("SELECT pg_get_partkeydef('p'::regclass), count(*) FROM pg_index"
		" WHERE indisvalid AND indrelid IN ('p'::regclass, 'p_a'::regclass, 'p_a_1'::regclass, 'p_b'::regclass)",
		pair.name) == [('RANGE ("on")', 8)]
	assert pair.target.sql("SELECT title FROM top ORDER BY 1", pair.name) == [("a",), ("b",)]


APP = """
CREATE SCHEMA app;
CREATE TABLE app.parent (id int PRIMARY KEY, mail text NOT NULL CHECK (mail <> ''), n int DEFAULT 7,
	upper text GENERATED ALWAYS AS (upper(mail)) STORED);
CREATE UNIQUE INDEX parent_mail ON app.parent (lower(mail), upper(mail)) WHERE n > 0;
CREATE INDEX parent_n ON app.parent (n) INCLUDE (mail);
CREATE TABLE app.child (id serial PRIMARY KEY, parent int CONSTRAINT of_parent REFERENCES app.parent (id), what text,
	UNIQUE (parent, what), CHECK (parent > 0));
CREATE VIEW app.v AS SELECT id, mail, n AS number FROM app.parent WHERE n > 1;
CREATE VIEW app.w AS SELECT p.mail, c.what FROM app.parent p JOIN app.child c ON c.parent = p.id;
CREATE MATERIALIZED VIEW app.m AS SELECT n, count(*) FROM app.parent GROUP BY n;
CREATE FUNCTION app.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER touch BEFORE UPDATE OF mail ON app.parent FOR EACH ROW WHEN (NEW.n > 3) EXECUTE FUNCTION app.touch();
CREATE RULE r AS ON DELETE TO app.parent WHERE old.n = 1000 DO INSTEAD NOTHING;
ALTER TABLE app.parent ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON app.parent USING (mail <> 'x');
CREATE STATISTICS app.st ON n, mail FROM app.parent; COMMENT ON COLUMN app.parent.mail IS 'the mail';
GRANT SELECT (mail) ON app.parent TO public; CREATE TABLE app.heir (more text) INHERITS (app.parent);
CREATE TABLE app.tree (id int, mail text, PRIMARY KEY (mail, id)) PARTITION BY RANGE (id);
CREATE TABLE app.leaf PARTITION OF app.tree FOR VALUES FROM (0) TO (100);
CREATE TABLE app.other_leaf PARTITION OF app.tree DEFAULT; CREATE INDEX ON app.tree (lower(mail));
CREATE UNIQUE INDEX ON app.leaf (id);
INSERT INTO app.parent SELECT i, 'M' || i, i FROM generate_series(1, 50) AS i;
INSERT INTO app.child (parent, what) SELECT i, 'w' FROM generate_series(1, 50) AS i;
INSERT INTO app.heir SELECT i, 'h' || i, i FROM generate_series(100, 120) AS i;
INSERT INTO app.tree SELECT i, 't' || i FROM generate_series(50, 150) AS i;"""
APP_NAMES = {"app.parent": {"id": "key", "mail": "e mail", "n": "number", "upper": "loud"},
	"app.child": {"parent": "of"}, "app.tree": {"mail": "e-mail", "id": "key"}}
APP_RENAMED = {**APP_NAMES, "app.heir": APP_NAMES["app.parent"], "app.leaf": APP_NAMES["app.tree"],
	"app.other_leaf": APP_NAMES["app.tree"]}
# What the target has to say of what it made: kind and definition.
APP_FOUND = """
SELECT 'index', pg_get_indexdef(i.indexrelid) FROM pg_index i JOIN pg_class c ON c.oid = indexrelid
	WHERE c.relnamespace = 'app'::regnamespace AND i.indisvalid
UNION ALL SELECT contype::text, conrelid::regclass || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
	WHERE connamespace = 'app'::regnamespace
UNION ALL SELECT 'trigger', pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT 'rule', pg_get_ruledef(oid) FROM pg_rewrite WHERE rulename = 'r'
UNION ALL SELECT 'policy', pg_get_expr(polqual, polrelid) FROM pg_policy
UNION ALL SELECT 'statistics', pg_get_statisticsobjdef(oid) FROM pg_statistic_ext
UNION ALL SELECT 'comment', attname || col_description(attrelid, attnum) FROM pg_attribute
	WHERE col_description(attrelid, attnum) IS NOT NULL AND attrelid = 'app.parent'::regclass
UNION ALL SELECT 'grant', attname || attacl::text FROM pg_attribute WHERE attrelid = 'app.parent'::regclass AND attacl <> '{}'
UNION ALL SELECT 'view', pg_get_viewdef('app.' || v) FROM unnest('{v,w,m}'::text[]) AS v"""


@pytest.mark.parametrize("schema", ("tables", "database"))
def test_whole_schema(pair, schema):
	"""Whatever names a column of another name is as if somebody had renamed the column on the source."""
	pair.fill(APP)
	p = pair.pgpier(schema=schema, workers=3, map=[one(table, names) for table, names in APP_NAMES.items()])
	outcome = p.run().expect(DONE)
	assert not outcome.json["schema"]["failed"], outcome
	pair.assert_equal(outcome, renamed=APP_RENAMED)
	differ = [d["name"] for d in p("diff", "m", "--json").json["differences"]]
	# A chosen child is made by itself, then inherits: its columns are its own as well.
	assert differ == ([] if schema == "database" else ["app.heir number", "app.heir"]), differ
	for table, names in APP_NAMES.items():
		for old, new in names.items():
			pair.source.sql('ALTER TABLE %s RENAME COLUMN "%s" TO "%s"' % (table, old, new), pair.name)
	here, there = (set(server.sql(APP_FOUND, pair.name)) for server in (pair.source, pair.target))
	assert here == there


def test_whole_schema_replicates(pair):
	"""Killed while it makes it, and followed."""
	pair.fill(APP + "CREATE TABLE public.markers (id int PRIMARY KEY);"
		" ALTER TABLE app.heir REPLICA IDENTITY FULL")
	with Live(pair, schema="database", map=[one(table, names) for table, names in APP_NAMES.items()]) as live:
		live.wait(lambda: "schema before the rows" in live.p.said(), "what comes before the rows", 60)
		live.kill()
		live.start().sync(60)
		live.change("UPDATE app.parent SET mail = mail || 'x', id = id + 1000 WHERE id > 30 AND id NOT IN (SELECT parent"
			" FROM app.child)", "INSERT INTO app.tree SELECT i, 'n' FROM generate_series(200, 220) AS i",
			"UPDATE app.tree SET id = 5 WHERE id = 150", "DELETE FROM app.child WHERE parent = 3")
		live.sync().equal(renamed=APP_RENAMED)
		assert not live.status().json["schema"]["failed"], live.status()
		live.stop()


# ---- what is wrong ----

@pytest.mark.parametrize("names, words", [
	({"gone": "x"}, "the map renames its column gone, which it does not have"),
	({"mail": "n"}, "the map renames its column mail to n, which is the name of another one"),
])
def test_the_source_objects(pair, names, words):
	pair.fill(USERS % 10)
	p = pair.pgpier(map=[one("public.users", names)])
	p("check", "m").expect(FAILED, "public.users", words)
	p.run().expect(FAILED, words)
	assert pair.target.sql("SELECT to_regclass('public.users') IS NULL", pair.name) == [(True,)]


def test_the_file_objects(pair):
	pair.fill(USERS % 10)
	p = pair.pgpier(map=[one("public.users", {"photo": "picture"})], columns_exclude=["public.users.photo"])
	p.run().expect(USAGE, "pgpier.conf:", 'map renames "public.users.photo", which columns_exclude leaves out')


def test_names_of_a_mirror_stay(pair):
	"""What the map says later is for tables that join later."""
	pair.fill(USERS % 10)
	p = pair.pgpier(map=[one("public.users", {"mail": "email"})])
	p.run().expect(DONE)
	with open(p.config) as f:
		text = f.read()
	p.write_text(text.replace('"email"', '"e_mail"'))
	p("check", "m").expect(DONE, "keep the names on the target that they have")
	pair.assert_equal(renamed={"public.users": {"mail": "email"}})


# ---- replication ----

TABLES = MARKERS + """
CREATE TABLE t (id int PRIMARY KEY, n int, v text, big text); ALTER TABLE t ALTER big SET STORAGE EXTERNAL;
INSERT INTO t SELECT i, i, 'v' || i, repeat(md5(i::text), 100) FROM generate_series(1, 500) AS i;
CREATE TABLE f (a int, b text, c json); ALTER TABLE f REPLICA IDENTITY FULL;
INSERT INTO f SELECT i / 2, nullif('b' || i % 5, 'b3'), '{"a": 1}' FROM generate_series(1, 50) AS i;
CREATE TABLE p (id int, r int, v text, PRIMARY KEY (id, r)) PARTITION BY LIST (r);
CREATE TABLE p_1 PARTITION OF p FOR VALUES IN (1);
CREATE TABLE p_2 (v text, r int NOT NULL, id int NOT NULL, PRIMARY KEY (id, r));
ALTER TABLE p ATTACH PARTITION p_2 FOR VALUES IN (2);
INSERT INTO p SELECT i, 1 + i % 2, 'p' FROM generate_series(1, 100) AS i;
CREATE TABLE g (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a int, twice int GENERATED ALWAYS AS (a * 2) STORED,
	code text UNIQUE DEFERRABLE); INSERT INTO g (a, code) SELECT i, 'c' || i FROM generate_series(1, 20) AS i;"""
T, F, P, G = {"id": "key", "big": "large", "v": "value"}, {"a": "x", "c": "doc"}, {"r": "region", "id": "number"}, \
	{"a": "b", "twice": "double", "code": "word"}
RENAMED = {"public.t": T, "public.f": F, "public.p": P, "public.p_1": P, "public.p_2": P, "public.g": G}
MAP = [one("public.t", T), one("public.f", F), one("public.p", P), one("public.g", G)]


@pytest.fixture
def live(pair):
	pair.fill(TABLES)
	with Live(pair, map=MAP) as running:
		running.sync()
		yield running


CHANGES = (
	"INSERT INTO t VALUES (1001, 1, 'new', repeat('x', 3000)), (1002, NULL, NULL, NULL)",
	"UPDATE t SET n = -n WHERE id < 100",
	"UPDATE t SET id = id + 5000, v = 'moved' WHERE id % 50 = 0",
	"UPDATE t SET big = 'small' WHERE id = 7; DELETE FROM t WHERE id BETWEEN 20 AND 30",
	"BEGIN; UPDATE t SET id = -1 WHERE id = 1; UPDATE t SET id = 1 WHERE id = 2; UPDATE t SET id = 2 WHERE id = -1; COMMIT",
	"UPDATE f SET b = 'on' WHERE a < 5; DELETE FROM f WHERE ctid = (SELECT ctid FROM f WHERE b IS NULL LIMIT 1)",
	"INSERT INTO f SELECT * FROM f WHERE a > 20; UPDATE f SET c = '{\"b\" :2}' WHERE a = 20",
	"UPDATE p SET r = 3 - r WHERE id % 3 = 0; DELETE FROM p WHERE id > 90; INSERT INTO p VALUES (500, 1, 'i')",
	"UPDATE g SET a = a + 1, code = CASE code WHEN 'c1' THEN 'c2' WHEN 'c2' THEN 'c1' ELSE code END",
	"INSERT INTO g (a, code) VALUES (100, 'n'), (NULL, NULL); DELETE FROM g WHERE id = 5",
)


@pytest.mark.sanitized
def test_changes_arrive(live):
	"""One by one and as a backlog; the slow way, too."""
	for statement in CHANGES:
		live.change(statement)
	live.sync().equal(renamed=RENAMED)
	live.stop()
	live.change("BEGIN; INSERT INTO t (id, v) VALUES (9001, 'a'); UPDATE g SET code = 'z' WHERE code = 'c3';"
		"UPDATE g SET code = 'c3' WHERE code = 'c4'; UPDATE g SET code = 'c4' WHERE code = 'z'; COMMIT",
		"UPDATE t SET n = 5", "UPDATE t SET id = id + 20000 WHERE id > 400 AND id < 500", "DELETE FROM f WHERE a < 3",
		"TRUNCATE p_2; INSERT INTO p SELECT i, 2, 'again' FROM generate_series(1, 10) AS i")
	live.start().sync().equal(renamed=RENAMED)
	outcome = live.stop()
	assert outcome.json["replication"]["missing"] == 0, outcome


def test_a_missing_row_is_named_as_on_the_source(live):
	live.pair.target.sql("DELETE FROM t WHERE key = 17", live.pair.name)
	live.change("UPDATE t SET v = 'x' WHERE id = 17").sync()
	outcome = live.stop()
	assert outcome.json["replication"]["missing_last"] == "public.t (id) = (17)", outcome


def test_columns_come_and_go(live):
	"""Values that only the source knows are read again by the key; a generated column uses renamed ones."""
	live.change("ALTER TABLE t ADD a int NOT NULL DEFAULT 3, ADD r uuid DEFAULT gen_random_uuid()",
		"INSERT INTO t (id, a) VALUES (2001, 5)", "UPDATE t SET v = 'touched' WHERE id < 10",
		"ALTER TABLE g ADD more int GENERATED ALWAYS AS (a + id) STORED", "INSERT INTO g (a, code) VALUES (7, 'more')",
		"ALTER TABLE p ADD w text DEFAULT 'w'", "INSERT INTO p VALUES (600, 1, 'v', 'x')").sync()
	live.equal(renamed=RENAMED)
	live.change("ALTER TABLE t RENAME n TO mine; ALTER TABLE f RENAME a TO x", "UPDATE f SET x = x + 1",
		"INSERT INTO t (id, mine) VALUES (2002, 5)").sync()
	live.wait(lambda: live.replication()["tables_paused"] == 1, "word of the paused table")
	assert 'RENAME COLUMN \\"n\\" TO \\"mine\\"' in live.status().out, live.status()
	live.stop()
	live.pair.target.sql("ALTER TABLE t RENAME n TO mine", live.pair.name)
	live.start().sync().equal(renamed={**RENAMED, "public.f": {"c": "doc"}})


def test_a_name_that_is_taken(live):
	"""The source adds a column of the name that the mirror gave to another: it must not write into that one."""
	live.change("ALTER TABLE t ADD value text DEFAULT 'other'", "INSERT INTO t (id, v, value) VALUES (2001, 'a', 'b')",
		"UPDATE f SET b = 'goes on'").sync()
	live.wait(lambda: live.replication()["tables_paused"] == 1, "word of the paused table")
	error = live.status().table("public.t")["error"]
	assert "the source has a column value now, and value on the target is its column v" in str(error), error
	live.equal(only=["public.f"], renamed=RENAMED)
	live.stop()
	with open(live.p.config) as f:
		text = f.read()
	live.p.write_text(text.replace("continuous", 'columns_exclude = [ "public.t.value" ]; continuous'))
	live.start().sync().equal(renamed=RENAMED, leave_out={"public.t": ["value"]})


def test_a_new_partition_is_called_like_its_tree(live):
	live.change("CREATE TABLE p_3 PARTITION OF p FOR VALUES IN (3)",
		"INSERT INTO p SELECT i, 3, 'late' FROM generate_series(1, 50) AS i", "UPDATE p SET r = 3 WHERE id = 80").sync()
	live.equal(renamed={**RENAMED, "public.p_3": P})


def test_soft_delete_and_sync_columns(pair):
	pair.fill(MARKERS + "CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c')")
	with Live(pair, map=[one("public.t", {"id": "key", "v": "value"})], soft_delete=True, sync_columns=True) as live:
		live.sync()
		live.change("DELETE FROM t WHERE id = 1", "UPDATE t SET v = 'new' WHERE id = 2",
			"DELETE FROM t WHERE id = 3; INSERT INTO t VALUES (3, 'born again')").sync()
		assert pair.target.sql("SELECT key, value, _pgpier_is_deleted FROM t ORDER BY key", pair.name) == \
			[(1, "a", True), (2, "new", False), (3, "born again", False)]


def test_tables_that_join_later(pair):
	"""They get the map's names of that day; the others keep theirs."""
	pair.fill(TABLES)
	with Live(pair, tables=["public.markers", "public.f"], map=MAP) as live:
		live.sync().stop()
		with open(live.p.config) as f:
			text = f.read()
		text = text.replace('"public.f"', '"public.f", "public.t"', 1).replace('"doc"', '"later"')
		live.p.write_text(text)
		live.start().sync()
		live.change("INSERT INTO t (id, v) VALUES (2001, 'x')", "UPDATE f SET b = 'on'").sync()
		live.equal(only=["public.t", "public.f"], renamed=RENAMED)


def test_null_that_came_too_early(pair):
	"""The target's NOT NULL has another column's name; the source has it again by now."""
	pair.fill(MARKERS + "CREATE TABLE t (id int PRIMARY KEY, v text NOT NULL); INSERT INTO t VALUES (1, 'a')")
	with Live(pair, map=[one("public.t", {"v": "value"})]) as live:
		live.sync().stop()
		live.change("ALTER TABLE t ALTER v DROP NOT NULL", "INSERT INTO t VALUES (2, NULL)",
			"UPDATE t SET v = 'b' WHERE id = 2; ALTER TABLE t ALTER v SET NOT NULL")
		live.start().sync().equal(renamed={"public.t": {"v": "value"}})
		live.wait(lambda: pair.target.sql("SELECT attnotnull FROM pg_attribute WHERE attname = 'value'"
			" AND attrelid = 't'::regclass", pair.name) == [(True,)], "NOT NULL")


# ---- resume ----

def test_killed_while_loading(pair):
	"""Rows that were there or not, rows that are taken from the source by key: all by the right names."""
	names = {"id": "key", "big": "large", "n": "number"}
	pair.fill(MARKERS + "CREATE TABLE t (id int PRIMARY KEY, n int, v text, big text);"
		"ALTER TABLE t ALTER big SET STORAGE EXTERNAL; CREATE UNIQUE INDEX t_v ON t (upper(v), (n + 0));"
		"INSERT INTO t SELECT i, i, repeat(md5(i::text), 10), CASE WHEN i % 100 = 0 THEN repeat(md5(i::text), 100) END"
		"  FROM generate_series(1, 10000) AS i; ANALYZE")
	with Live(pair, rate_limit_mb=2, rows_per_chunk=500, map=[one("public.t", names)]) as live:
		live.wait(lambda: copying(pair.target), "a copy")
		time.sleep(0.5)
		live.kill()
		live.change("UPDATE t SET n = -n WHERE id % 50 = 0", "UPDATE t SET id = id + 100000 WHERE id % 70 = 0",
			"DELETE FROM t WHERE id % 60 = 0", "INSERT INTO t SELECT 200000 + i, i, 'n' FROM generate_series(1, 100) AS i",
			"UPDATE t SET n = 0 WHERE id BETWEEN 9000 AND 9200")
		live.start().sync(60).equal(renamed={"public.t": names})


TREES = """SELECT n.nspname || '.' || c.relname, array_agg(attname::text), bool_or(relispartition)
	FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute ON attrelid = c.oid
	WHERE attnum > 0 AND NOT attisdropped AND relkind IN ('r', 'p') AND nspname !~ '^pg_|^information'
	AND relname <> 'markers' GROUP BY 1"""


def test_torture_with_other_names(pair):
	"""All shapes of tables, every column renamed, eight clients, and a kill in the middle."""
	torture.fill(pair.source, pair.name, rows=2000)
	found = pair.source.sql(TREES, pair.name)
	renamed = {table: {name: "the " + name for name in names} for table, names, _partition in found}
	chosen = [one(table, renamed[table]) for table, _names, partition in found if not partition]
	with torture.Torture(pair.source, pair.name, 7, clients=4) as clients:
		with Live(pair, map=chosen, rows_per_chunk=500, rate_limit_mb=4) as live:
			live.wait(lambda: clients.commits() > 200, "changes")
			live.kill()
			before = clients.commits()
			live.start()
			live.wait(lambda: clients.commits() > before + 400, "more changes")
			clients.close()
			live.sync(60).equal(renamed=renamed)
