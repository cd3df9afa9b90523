# SPDX-License-Identifier: PostgreSQL
"""The mirror that leads back from a target to its source: no load, no row emptied, and nothing left when undone."""
import os
import subprocess

import pytest

from support import pgpier
from support.live import publications, slots

TOOL = os.path.join(pgpier.BUILD, "tests", "support", "back_tool")

TRIES = 8  # of a mirror that is caught up as soon as it lags little

TABLES = """
CREATE TABLE items (id int PRIMARY KEY, v text, at timestamptz DEFAULT now());
CREATE TABLE numbered (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n int, twice int GENERATED ALWAYS AS (n * 2) STORED);
INSERT INTO items SELECT i, 'v' || i FROM generate_series(1, 300) i;
INSERT INTO numbered (n) SELECT i FROM generate_series(1, 50) i;
"""


def peers(pair, user="postgres"):
	return [{"name": "source", **pair.source.address(pair.name, user)},
		{"name": "target", **pair.target.address(pair.name, user)}]


class Way:
	"""A pair whose mirror, named as its database, has caught up and is paused; the way back is made step by step."""

	def __init__(self, pair, user="postgres", **settings):
		self.pair, self.name, self.back = pair, pair.name, pair.name + "-back"
		self.p = pair.pgpier()
		self.p.write(peers(pair, user), [pgpier.mirror(pair.name, continuous=True, workers=2, **settings)])
		self.run(self.name)

	def run(self, name):
		return self.p("run", name, "--until", "caught-up", "--json").expect(pgpier.DONE)

	def tool(self, command, name=None, fails=None):
		done = subprocess.run([TOOL, self.p.config, command, name or self.name], capture_output=True, text=True,
			timeout=60, env=self.p.env)
		if fails:
			assert done.returncode == 2 and fails in done.stderr, (done.returncode, done.stdout, done.stderr)
		else:
			assert done.returncode == 0, "%s: %s%s" % (command, done.stdout, done.stderr)
		return done.stdout

	def blocking(self):
		return [line for line in self.tool("check").splitlines() if line.startswith("blocking ")]

	def turn(self):
		"""Both sides stand still: everything up to the moment when the target is opened."""
		for command in ("config", "prepare", "begin", "commit", "disarm"):
			self.tool(command)
		return self

	def change(self, *statements):
		for statement in statements:
			self.pair.target.sql(statement, self.pair.name)

	def follows(self, **options):
		"""The old source gets everything that the target has."""
		for _ in range(TRIES):
			done = self.run(self.back)
			found = self.pair.differences(**options)
			if not found:
				return done
		raise AssertionError("%s\n%s" % ("\n".join(found[:30]), done))

	def brings(self, here, there):
		"""The rows that `there` has on the target are those of `here` on the old source."""
		for _ in range(TRIES):
			done = self.run(self.back)
			found, wanted = self.pair.source.sql(here, self.pair.name), self.pair.target.sql(there, self.pair.name)
			if found == wanted:
				return
		raise AssertionError("%s\n%s\n%s" % (found, wanted, done))

	def untouched(self):
		source, name = self.pair.source, self.pair.name
		return (slots(self.pair.target, name), publications(self.pair.target, name),
			source.sql("SELECT nspname FROM pg_namespace WHERE nspname = 'pgpier'", name))


NOTHING = ([], [], [])


def test_there_and_back(pair):
	way = Way(pair.fill(TABLES)).turn()
	way.change("INSERT INTO items VALUES (1001, 'new')", "UPDATE items SET v = 'changed' WHERE id < 20",
		"DELETE FROM items WHERE id BETWEEN 30 AND 40", "INSERT INTO numbered (n) VALUES (7)",
		"UPDATE numbered SET n = 8 WHERE n = 9", "UPDATE items SET id = 2000 WHERE id = 50")
	done = way.follows(values=False)
	assert done.json["state"] in ("paused", "replicating", "catching up"), done
	way.change("TRUNCATE items", "INSERT INTO items VALUES (1, 'one')")
	way.follows(values=False)


def test_undo_leaves_nothing(pair):
	way = Way(pair.fill(TABLES))
	way.tool("config")
	way.tool("undo")
	assert way.untouched() == NOTHING
	way.tool("prepare")
	way.tool("prepare")
	assert way.untouched() == ([], ["pgpier_%s_back" % way.name], [("pgpier",)])
	way.tool("undo")
	assert way.untouched() == NOTHING
	way.tool("prepare")
	way.tool("begin")
	way.tool("begin")
	assert slots(pair.target, pair.name) == ["pgpier_%s_back" % way.name]
	way.tool("undo")
	way.tool("undo")
	assert way.untouched() == NOTHING
	pair.source.sql("INSERT INTO items VALUES (1001, 'goes on')", pair.name)
	way.run(way.name)
	way.run(way.name)
	pair.assert_equal()


def test_killed_between_prepare_and_begin(pair):
	"""Whoever runs the mirror then is told that it has no slot; a later attempt goes on, with today's tables."""
	way = Way(pair.fill(TABLES))
	way.tool("config")
	way.tool("prepare")
	way.p("run", way.back, "--json").expect(pgpier.FAILED, "is gone")
	pair.source.sql("DROP TABLE items", pair.name)
	pair.target.sql("DROP TABLE items", pair.name)
	way.p.write(*[peers(pair), [pgpier.mirror(way.name, continuous=True, exclude=["public.items"])]])
	way.run(way.name)
	for command in ("config", "prepare", "begin", "commit", "disarm"):
		way.tool(command)
	way.change("INSERT INTO numbered (n) VALUES (7)")
	way.follows(values=False)


def test_a_stream_is_not_armed_again(pair):
	way = Way(pair.fill(TABLES)).turn()
	way.change("INSERT INTO items VALUES (1001, 'new')")
	way.follows()
	for command in ("prepare", "begin", "undo"):
		way.tool(command, fails="already")
	assert slots(pair.target, pair.name) == ["pgpier_%s_back" % way.name]
	assert slots(pair.source, pair.name) == []


def test_rollback_arms_the_first_mirror_again(pair):
	"""Three cutovers in a row, a table that comes in between, and the first mirror's rows are loaded never again."""
	way = Way(pair.fill(TABLES)).turn()
	way.change("INSERT INTO items VALUES (1001, 'new')")
	way.follows()
	pair.target.sql("GRANT CREATE ON SCHEMA public TO PUBLIC", pair.name)
	for command in ("prepare", "undo", "prepare", "begin", "commit", "disarm"):
		way.tool(command, way.back)
	assert slots(pair.target, pair.name) == [] and slots(pair.source, pair.name) == ["pgpier_" + way.name]
	pair.source.sql("DELETE FROM items WHERE id < 100; INSERT INTO items VALUES (1002, 'at home again')", pair.name)
	for _ in range(TRIES):
		done = way.run(way.name)
		if not pair.differences():
			break
	pair.assert_equal(done)
	way.turn()
	way.change("UPDATE items SET v = 'third' WHERE id = 1002")
	way.follows()


def test_partitions(pair):
	way = Way(pair.fill("""
		CREATE TABLE logs (id int, day date, v text, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
		CREATE TABLE logs_1 PARTITION OF logs FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
		CREATE TABLE logs_2 PARTITION OF logs FOR VALUES FROM ('2026-02-01') TO ('2026-03-01') PARTITION BY LIST (id);
		CREATE TABLE logs_2_a PARTITION OF logs_2 FOR VALUES IN (1, 2, 3);
		CREATE TABLE logs_2_b PARTITION OF logs_2 DEFAULT;
		INSERT INTO logs SELECT i, '2026-01-15', 'v' FROM generate_series(1, 100) i;
		INSERT INTO logs SELECT i, '2026-02-15', 'v' FROM generate_series(1, 100) i;
		CREATE TABLE plain (id int PRIMARY KEY) ; CREATE TABLE child () INHERITS (plain);
		ALTER TABLE child ADD PRIMARY KEY (id);
		INSERT INTO plain VALUES (1); INSERT INTO child VALUES (2)""")).turn()
	way.change("UPDATE logs SET day = '2026-02-20' WHERE id < 10 AND day < '2026-02-01'",
		"DELETE FROM logs WHERE id = 55", "INSERT INTO logs VALUES (2000, '2026-02-01', 'x')",
		"INSERT INTO child VALUES (3)", "UPDATE ONLY plain SET id = 10", "TRUNCATE logs_2_a")
	way.follows()
	way.change("CREATE TABLE logs_3 PARTITION OF logs FOR VALUES FROM ('2026-03-01') TO ('2026-04-01')",
		"INSERT INTO logs SELECT i, '2026-03-15', 'v' FROM generate_series(1, 100) i", "DELETE FROM logs WHERE id = 5",
		"ALTER TABLE plain ADD note text DEFAULT 'later'", "INSERT INTO plain VALUES (20, 'noted')")
	way.follows()
	for command in ("prepare", "begin", "commit", "disarm"):
		way.tool(command, way.back)
	pair.source.sql("UPDATE logs SET v = 'home' WHERE id = 7", pair.name)
	for _ in range(TRIES):
		done = way.run(way.name)
		if not pair.differences():
			break
	pair.assert_equal(done)


MAPPED = {"map": [{"source": "public.items", "target": "public.things",
	"columns": [{"source": "v", "target": "Value"}, {"source": "id", "target": "key"}]}],
	"columns_exclude": ["public.items.secret", "public.odd \"name.b"]}


def test_other_names_and_columns_that_stay(pair):
	"""What was left out on the way there is not taken back, and pgpier's own columns are no business of the source."""
	way = Way(pair.fill(TABLES + """
		ALTER TABLE items ADD secret text DEFAULT 'mine';
		CREATE TABLE "odd ""name" (id int PRIMARY KEY, b text DEFAULT 'b', "Ä*[" text);
		INSERT INTO "odd ""name" VALUES (1, 'kept', 'x'), (2, 'kept', 'y')"""), sync_columns=True, **MAPPED).turn()
	way.change("UPDATE things SET \"Value\" = 'changed' WHERE key < 10", "DELETE FROM things WHERE key = 20",
		"INSERT INTO things (key, \"Value\") VALUES (1001, 'new')", 'UPDATE "odd ""name" SET "Ä*[" = \'z\' WHERE id = 2',
		'INSERT INTO "odd ""name" (id, "Ä*[") VALUES (3, \'w\')')
	way.brings("SELECT id, v, at::text FROM items ORDER BY id", 'SELECT key, "Value", at::text FROM things ORDER BY key')
	odd = 'SELECT id, "Ä*[" FROM "odd ""name" ORDER BY id'
	way.brings(odd, odd)
	assert pair.source.sql("SELECT secret FROM items WHERE id IN (5, 1001)", pair.name) == [("mine",)] * 2
	assert pair.source.sql('SELECT b FROM "odd ""name" ORDER BY id', pair.name) == [("kept",), ("kept",), ("b",)]


def test_a_column_that_only_the_target_has(pair):
	pair.target.sql("CREATE TABLE items (id int PRIMARY KEY, own text DEFAULT 'own', v text, at timestamptz)",
		pair.name)
	way = Way(pair.fill(TABLES), exclude=["public.numbered"]).turn()
	way.change("UPDATE items SET v = 'changed', own = 'other' WHERE id < 10", "INSERT INTO items (id) VALUES (1001)")
	every = "SELECT id, v, at::text FROM items ORDER BY id"
	way.brings(every, every)


def test_without_a_key(pair):
	"""The target's table has no replica identity of its own: what to do is said, and nothing is published before."""
	way = Way(pair.fill("CREATE TABLE bag (a int, b text); ALTER TABLE bag REPLICA IDENTITY FULL;"
		"INSERT INTO bag SELECT i % 10, 'b' FROM generate_series(1, 100) i"))
	pair.target.sql("ALTER TABLE bag REPLICA IDENTITY DEFAULT", pair.name)
	way.tool("config")
	found = way.blocking()
	assert len(found) == 1 and "ALTER TABLE public.bag REPLICA IDENTITY FULL" in found[0], found
	way.tool("prepare", fails="REPLICA IDENTITY FULL")
	assert way.untouched() == NOTHING
	pair.target.sql("ALTER TABLE bag REPLICA IDENTITY FULL", pair.name)
	assert way.blocking() == []
	way.turn()
	assert way.blocking() == []
	way.change("UPDATE bag SET b = 'changed' WHERE ctid IN (SELECT ctid FROM bag WHERE a = 3 LIMIT 2)",
		"DELETE FROM bag WHERE ctid IN (SELECT ctid FROM bag WHERE a = 4 LIMIT 1)", "INSERT INTO bag VALUES (11, NULL)")
	way.follows()


def test_what_hinders_it(pair):
	"""Each line names what is wrong and what mends it; nothing is changed by looking."""
	way = Way(pair.fill(TABLES))
	way.tool("config")
	assert way.blocking() == []
	pair.source.sql("CREATE SCHEMA pgpier; ALTER TABLE items ADD must int NOT NULL DEFAULT 1;"
		"ALTER TABLE items ALTER must DROP DEFAULT", pair.name)
	pair.target.sql("ALTER TABLE numbered DROP CONSTRAINT numbered_pkey", pair.name)
	found = "\n".join(way.blocking())
	assert found.count("blocking") == 3, found
	for words in ("schema pgpier that pgpier did not make", "must", "numbered"):
		assert words in found, found
	way.tool("prepare", fails="(and more)")
	assert slots(pair.target, pair.name) == [] and publications(pair.target, pair.name) == []


def test_triggers_of_the_old_source_stay_quiet(pair):
	way = Way(pair.fill(TABLES + "CREATE TABLE log (id serial PRIMARY KEY, what text)"))
	pair.source.sql("""
		CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO public.log (what) VALUES (TG_OP);
			RETURN NEW; END$$;
		CREATE TRIGGER noted BEFORE INSERT OR UPDATE ON items FOR EACH ROW EXECUTE FUNCTION note()""", pair.name)
	way.turn()
	way.change("INSERT INTO items VALUES (1001, 'new')", "DELETE FROM items WHERE id = 3")
	way.follows(structure=False)
	assert pair.source.sql("SELECT count(*) FROM log", pair.name) == [(0,)]


def test_its_tables_are_never_copied_anew(pair):
	"""Neither when somebody asks for it, nor when a table leaves the mirror and comes back."""
	way = Way(pair.fill(TABLES)).turn()
	ours = pair.source.sql("SELECT bool_or(ours), bool_and(loaded AND done), bool_or(stale) FROM pgpier.tables", pair.name)
	assert ours == [(False, True, False)]
	written = os.path.join(way.p.folder, "mirrors.conf")
	with open(written) as f:
		whole = f.read()
	fewer = whole.replace('"public.items"', '"public.nothing"')
	assert fewer != whole
	for text in (fewer, whole):
		with open(written, "w") as f:
			f.write(text)
		way.run(way.back)
	assert "public.items can't join the mirror" in way.p.log()
	way.change("UPDATE numbered SET n = 8 WHERE n = 9")
	way.brings("SELECT * FROM numbered ORDER BY id", "SELECT * FROM numbered ORDER BY id")
	assert pair.source.sql("SELECT count(*) FROM items", pair.name) == [(300,)]


def test_without_being_superuser(make_pair, source, target):
	pair = make_pair(source, target)
	for server in (source, target):
		server.sql("DO $$ BEGIN CREATE ROLE mover LOGIN REPLICATION; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
		server.sql('ALTER DATABASE "%s" OWNER TO mover; ALTER SCHEMA public OWNER TO mover' % pair.name, pair.name)
	pair.fill("SET ROLE mover; CREATE TABLE items (id int PRIMARY KEY, v text);"
		"INSERT INTO items SELECT i, 'v' || i FROM generate_series(1, 300) i; RESET ROLE;"
		"CREATE TABLE theirs (id int PRIMARY KEY); GRANT SELECT ON theirs TO mover")
	way = Way(pair, user="mover", exclude=["public.theirs"])
	way.tool("config")
	assert way.blocking() == []
	pair.source.sql("ALTER TABLE items OWNER TO postgres; GRANT SELECT ON items TO mover", pair.name)
	found = way.blocking()
	assert len(found) == 1 and "GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON public.items TO mover" in found[0]
	pair.source.sql(found[0].split("; ", 1)[1], pair.name)
	way.turn()
	way.change("INSERT INTO items VALUES (1001, 'new')", "DELETE FROM items WHERE id < 9")
	way.follows(only=["public.items"], structure=False)


def test_names(pair):
	"""A mirror by the name that is wanted and that leads elsewhere is left alone."""
	way = Way(pair.fill(TABLES))
	stranger = pgpier.mirror(way.back, continuous=True)
	way.p.write(peers(pair), [pgpier.mirror(way.name, continuous=True), stranger])
	assert way.tool("config") == way.name + "-back2\n"
	assert way.tool("config") == way.name + "-back2\n"


def test_strangers_are_left_alone(pair):
	"""A publication by the name that is wanted."""
	way = Way(pair.fill(TABLES))
	way.tool("config")
	name = "pgpier_%s_back" % way.name
	pair.target.sql("CREATE PUBLICATION " + name, pair.name)
	assert name in way.blocking()[0]
	way.tool("prepare", fails="did not make")
	way.tool("undo")
	assert publications(pair.target, pair.name) == [name]


def finished(way):
	source, target, name = way.pair.source, way.pair.target, way.name
	schema = "SELECT nspname FROM pg_namespace WHERE nspname = 'pgpier'"
	return (slots(source, name) + slots(target, name), publications(source, name) + publications(target, name),
		source.sql(schema, name) + target.sql(schema, name))


def test_finish(pair):
	"""What a person has to decide is listed, everything else goes; once more is fine."""
	way = Way(pair.fill(TABLES + "ALTER TABLE items REPLICA IDENTITY FULL"))
	way.tool("config")
	way.tool("finish", fails="not cut over")
	way.turn()
	pair.source.sql("INSERT INTO pgpier.fences (mirror, undo) VALUES (%s, ARRAY['GRANT CONNECT ON DATABASE x TO y',"
		" 'ALTER DATABASE x RESET default_transaction_read_only'])", pair.name, (way.name,))
	pair.target.sql("CREATE PUBLICATION pgpier_other", pair.name)
	way.change("INSERT INTO items VALUES (1001, 'new')")
	way.follows()
	before = way.tool("remains")
	after = way.tool("finish")
	assert before == after
	for words in ("peer source, which is closed", "GRANT CONNECT ON DATABASE x TO y", "RESET default_transaction_read_only",
			"peer source, if nothing else replicates the table, whose identity is FULL: ALTER TABLE public.items",
			"DROP PUBLICATION pgpier_other"):
		assert words in after, after
	assert finished(way) == ([], ["pgpier_other"], [])
	assert "GRANT" not in way.tool("finish")
	pair.assert_equal()


def test_finish_after_it_was_killed(pair):
	"""The mirror that leads back is gone already, and its slot; the rest goes with the second attempt."""
	way = Way(pair.fill(TABLES)).turn()
	way.p("drop", way.back, "--yes").expect(pgpier.DONE)
	way.tool("finish")
	assert finished(way) == ([], [], [])


def test_another_mirror_keeps_its_place(pair):
	"""On both servers: schema pgpier stays for whoever else needs it, and is no part of what is mirrored."""
	pair.fill(TABLES)
	way = Way(pair, tables=["public.items"]).turn()
	other = pgpier.mirror("other_" + way.name, continuous=True, tables=["*"], exclude=["public.items"])
	way.p.write(peers(pair), [pgpier.mirror(way.name, continuous=True, tables=["public.items"]), other])
	found = way.run("other_" + way.name)
	assert [t["source"] for t in found.json["tables"]] == ["public.numbered"], found
	way.tool("finish")
	schema = "SELECT count(*) FROM pg_namespace WHERE nspname = 'pgpier'"
	assert pair.source.sql(schema, pair.name) == [(0,)] and pair.target.sql(schema, pair.name) == [(1,)]
	way.run("other_" + way.name)
