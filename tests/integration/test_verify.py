# SPDX-License-Identifier: PostgreSQL
"""Faults are found and located, repaired when that is asked for, and what could not be compared is no success."""
import json
import os
import random
import signal
import time

import pytest

from support.live import Live, MARKERS
from support.load import terminate, wait_until
from support.pgpier import DONE, FAILED, INTERRUPTED, USAGE
from support.verifying import DIFFERENT, INCOMPLETE, SEEDS, column, differing, key_of, verify

# keyed: a wide key, texts and NULLs; plain: no key, each row several times; paged: one row a page, several ranges.
TABLES = """
CREATE TABLE keyed (a int, b text, v text, w text, n numeric(12,2), f float8, at timestamptz, j jsonb, k json,
	raw bytea, PRIMARY KEY (a, b));
INSERT INTO keyed SELECT i % 40, 'k' || i, 'value ' || i, CASE i % 3 WHEN 0 THEN '' WHEN 1 THEN 'w' || i END,
	i / 7.0, i / 11.0, '2024-01-01Z'::timestamptz + i * interval '1 s', jsonb_build_object('i', i),
	('{"i":  ' || i || '}')::json, decode(md5(i::text), 'hex') FROM generate_series(1, 3000) i;
CREATE TABLE plain AS SELECT i % 50 AS a, 'v' || i % 25 AS b, NULL::text AS c FROM generate_series(1, 1000) i;
"""


@pytest.fixture
def copied(pair):
	"""The tables above on both sides; gives a pgpier that can verify them."""
	p = pair.fill(TABLES).pgpier(workers=2)
	p.run().expect(DONE)
	return p


# ---- faults: each changes the target, and gives what is to be found as {(table, kind): {key or None: columns}} ----

def random_row(target, name, rng):
	number = rng.randrange(1, 3001)
	return number, target.sql("SELECT a, b FROM keyed WHERE b = 'k%d'" % number, name)[0]


CHANGES = {
	"v": "v || ' '", "w": "CASE w WHEN '' THEN NULL ELSE '' END", "n": "n + 0.01", "f": "f * 1.0000000000000002 + 1e-9",
	"at": "at + interval '1 microsecond'", "j": "j || '{\"x\": null}'", "k": "(k::text || ' ')::json",
	"raw": "set_byte(raw, 7, get_byte(raw, 7) # 1)",
}


def one_value(target, name, rng):
	_, (a, b) = random_row(target, name, rng)
	changed = rng.choice(sorted(CHANGES))
	target.sql("UPDATE keyed SET %s = %s WHERE b = '%s'" % (changed, CHANGES[changed], b), name)
	return {("public.keyed", "changed"): {b: [changed]}}


def null_for_empty(target, name, rng):
	number = 3 * rng.randrange(1, 1000)
	target.sql("UPDATE keyed SET w = NULL WHERE b = 'k%d'" % number, name)
	return {("public.keyed", "changed"): {"k%d" % number: ["w"]}}


def swapped_columns(target, name, rng):
	_, (_, b) = random_row(target, name, rng)
	target.sql("UPDATE keyed SET v = w, w = v WHERE b = '%s'" % b, name)
	return {("public.keyed", "changed"): {b: ["v", "w"]}}


def swapped_rows(target, name, rng):
	one, other = rng.sample(range(1, 3001), 2)
	target.sql("""UPDATE keyed x SET v = y.v FROM keyed y WHERE (x.b, y.b) IN (('k%d', 'k%d'), ('k%d', 'k%d'))"""
		% (one, other, other, one), name)
	return {("public.keyed", "changed"): {"k%d" % one: ["v"], "k%d" % other: ["v"]}}


def missing_row(target, name, rng):
	_, (_, b) = random_row(target, name, rng)
	target.sql("DELETE FROM keyed WHERE b = '%s'" % b, name)
	return {("public.keyed", "missing"): {b: []}}


def extra_row(target, name, rng):
	_, (_, b) = random_row(target, name, rng)
	target.sql("INSERT INTO keyed SELECT a + 1, b, v, w, n, f, at, j, k, raw FROM keyed WHERE b = '%s'" % b, name)
	return {("public.keyed", "extra"): {b: []}}


def moved_row(target, name, rng):
	"""Another key is another row."""
	_, (_, b) = random_row(target, name, rng)
	target.sql("UPDATE keyed SET a = a - 1000 WHERE b = '%s'" % b, name)
	return {("public.keyed", "missing"): {b: []}, ("public.keyed", "extra"): {b: []}}


def doubled_row(target, name, rng):
	target.sql("INSERT INTO plain SELECT * FROM plain WHERE a = %d LIMIT 1" % rng.randrange(50), name)
	return {("public.plain", "extra"): {None: []}}


def halved_row(target, name, rng):
	target.sql("DELETE FROM plain WHERE ctid = (SELECT ctid FROM plain WHERE a = %d LIMIT 1)" % rng.randrange(50), name)
	return {("public.plain", "missing"): {None: []}}


def one_of_equal_rows(target, name, rng):
	target.sql("UPDATE plain SET c = '' WHERE ctid = (SELECT ctid FROM plain WHERE a = %d LIMIT 1)"
		% rng.randrange(50), name)
	return {("public.plain", "changed"): {None: ["c"]}}


FAULTS = [one_value, null_for_empty, swapped_columns, swapped_rows, missing_row, extra_row, moved_row, doubled_row,
	halved_row, one_of_equal_rows]


def what_was_found(outcome):
	found = {}
	for table in outcome.json["tables"]:
		for row in table["rows"]:
			key = key_of(row, "b") if table["source"] == "public.keyed" else None
			found.setdefault((table["source"], row["kind"]), {})[key] = differing(row)
	return found


def check_fault(pair, p, fault, rng, level):
	wanted = fault(pair.target, pair.name, rng)
	outcome = verify(p, "--level", level).expect(DIFFERENT)
	assert what_was_found(outcome) == wanted, "%s: %s\n%s" % (fault.__name__, wanted, outcome)
	outcome = verify(p, "--repair", "--yes").expect(DONE)
	assert outcome.json["after"]["verdict"] == "equal", outcome
	assert outcome.json["verdict"] == "differs", outcome


@pytest.mark.parametrize("fault", FAULTS, ids=[f.__name__ for f in FAULTS])
def test_each_fault(pair, copied, fault):
	check_fault(pair, copied, fault, random.Random(7), "checksum")
	pair.assert_equal()


def test_random_faults(pair, copied):
	"""PGPIER_SEEDS of them."""
	for seed in range(SEEDS):
		rng = random.Random(seed)
		check_fault(pair, copied, rng.choice(FAULTS), rng, rng.choice(["checksum", "checksum", "full"]))
	pair.assert_equal()


@pytest.mark.sanitized
def test_many_faults_at_once(pair, copied):
	"""More than are listed: those that are listed are whole, and it is said that there are more."""
	pair.target.sql("UPDATE keyed SET n = n + 1; DELETE FROM plain WHERE a < 25", pair.name)
	outcome = verify(copied).expect(DIFFERENT)
	keyed, plain = outcome.table("public.keyed"), outcome.table("public.plain")
	assert keyed["more"] and len(keyed["rows"]) == 1000
	assert all(row["kind"] == "changed" and differing(row) == ["n"] for row in keyed["rows"])
	assert (plain["missing"], plain["more"]) == (500, False)
	assert sum(row["times"] for row in plain["rows"]) == 500
	outcome = verify(copied, "--repair", "--yes").expect(DONE)
	repaired = outcome.table("public.keyed"), outcome.table("public.plain")
	assert [(t["deleted"], t["inserted"]) for t in repaired] == [(3000, 3000), (0, 500)]
	pair.assert_equal()


# ---- ranges ----

PAGED = """CREATE TABLE paged (id int PRIMARY KEY, v text) WITH (fillfactor = 10);
ALTER TABLE paged ALTER v SET STORAGE PLAIN;
INSERT INTO paged SELECT i, repeat('x', 800) FROM generate_series(1, 9000) i"""


def test_rows_at_the_edges_of_ranges(pair):
	"""Read in pieces: the first and last row of each page around where they are cut."""
	p = pair.fill(PAGED).pgpier(workers=2, schema="none")
	pair.target.sql(PAGED.split(";")[0], pair.name)
	pair.target.sql(PAGED.split(";")[1], pair.name)
	p.run().expect(DONE)
	assert pair.target.sql("SELECT pg_relation_size('paged') / 8192 > 8192", pair.name)[0][0]
	blocks = [0, 4095, 4096, 4097, 8191, 8192, 8999]
	ids = [str(i) for (i,) in pair.target.sql("SELECT id FROM paged WHERE (ctid::text::point)[0] = ANY (%s)"
		% "ARRAY%s::float8[]" % blocks, pair.name)]
	assert len(ids) >= 5
	pair.target.sql("UPDATE paged SET v = 'y' || substr(v, 2) WHERE id IN (%s)" % ", ".join(ids), pair.name)
	outcome = verify(p).expect(DIFFERENT)
	assert {key_of(row) for row in outcome.table("public.paged")["rows"]} == set(ids)
	assert outcome.table("public.paged")["source_rows"] == 9000


# ---- levels ----

def test_counts(pair, copied):
	pair.target.sql("UPDATE keyed SET v = 'x'", pair.name)
	verify(copied, "--level", "counts").expect(DONE)
	pair.target.sql("DELETE FROM keyed WHERE b = 'k5'", pair.name)
	outcome = verify(copied, "--level", "counts").expect(DIFFERENT)
	table = outcome.table("public.keyed")
	assert (table["source_rows"], table["target_rows"], table["rows"]) == (3000, 2999, [])
	assert outcome.table("public.plain")["verdict"] == "equal"


def test_sample(pair, copied):
	outcome = verify(copied, "--sample", "100").expect(DONE)
	assert [t["looked_up"] for t in outcome.json["tables"]] == [100, 100]
	pair.target.sql("UPDATE keyed SET f = -f, n = NULL; DELETE FROM plain", pair.name)
	outcome = verify(copied, "--level", "sample", "--sample", "20").expect(DIFFERENT)
	keyed, plain = outcome.table("public.keyed"), outcome.table("public.plain")
	assert (keyed["changed"], keyed["missing"], plain["missing"]) == (20, 0, 20)
	assert all(differing(row) == ["n", "f"] for row in keyed["rows"])
	pair.target.sql("DELETE FROM keyed", pair.name)
	assert verify(copied, "--sample", "7").expect(DIFFERENT).table("public.keyed")["missing"] == 7


# ---- what is shown ----

def test_reports(pair, copied, tmp_path):
	pair.target.sql("UPDATE keyed SET v = repeat('é', 5000) WHERE b = 'k1'; INSERT INTO plain VALUES (7, E'\\x1b[31m')",
		pair.name)
	text, as_json = str(tmp_path / "report"), str(tmp_path / "report.json")
	shown = copied("verify", "m", "--report", text).expect(DIFFERENT).out
	with open(text) as f:
		written = f.read()
	for report in (shown, written):
		for word in ("* v", '"value 1"', "(10000 bytes)", "only on the target", "\\x1b[31m", "WAL ", "2 differ"):
			assert word in report, "%s is not in\n%s" % (word, report)
		assert "\x1b" not in report
	outcome = verify(copied, "--report", as_json).expect(DIFFERENT)
	with open(as_json) as f:
		assert json.load(f)["tables"] == outcome.json["tables"]
	row, = outcome.table("public.keyed")["rows"]
	value = column(row, "v")
	assert value["target_bytes"] == 10000 and value["target"] == "é" * 100
	assert column(row, "b")["key"] and not column(row, "v")["key"]
	assert outcome.json["source"]["lsn"] and outcome.json["target"]["as_of"]
	copied("verify", "m", "--report", "/no/such/folder/x").expect(FAILED, "could not write")


@pytest.mark.parametrize("words", [("--level", "bits"), ("--sample", "0"), ("--sample", "x"), ("--repair",),
	("--level", "full", "--repair", "--yes"), ("--level", "counts", "--sample", "5")])
def test_slips(copied, words):
	verify(copied, *words).expect(USAGE)


# ---- what belongs to a mirror ----

def test_other_names_and_columns_left_out(pair):
	pair.fill("""CREATE TABLE a (id int PRIMARY KEY, secret text, name text, twice int GENERATED ALWAYS AS (id * 2) STORED);
		INSERT INTO a SELECT i, 's' || i, 'n' || i FROM generate_series(1, 500) i""")
	p = pair.pgpier(columns_exclude=["public.a.secret"], sync_columns=True,
		map=[{"source": "public.a", "target": "other.b", "columns": [{"source": "name", "target": "label"}]}])
	pair.target.sql("CREATE SCHEMA other", pair.name)
	p.run().expect(DONE)
	verify(p).expect(DONE)
	pair.target.sql("UPDATE other.b SET label = 'x' WHERE id = 5", pair.name)
	table = verify(p).expect(DIFFERENT).table("public.a")
	assert table["target"] == "other.b"
	assert [(key_of(row), differing(row)) for row in table["rows"]] == [("5", ["name"])]
	verify(p, "--repair", "--yes").expect(DONE)


def test_partitions(pair):
	"""Of a tree the leaves are compared; a target's table may be a tree of its own."""
	pair.fill("""CREATE TABLE tree (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
		CREATE TABLE tree_1 PARTITION OF tree FOR VALUES FROM (0) TO (100);
		CREATE TABLE tree_2 PARTITION OF tree FOR VALUES FROM (100) TO (200);
		INSERT INTO tree SELECT i, 'v' || i FROM generate_series(0, 199) i;
		CREATE TABLE whole AS TABLE tree""")
	pair.target.sql("""CREATE TABLE whole (id int, v text) PARTITION BY HASH (id);
		CREATE TABLE whole_0 PARTITION OF whole FOR VALUES WITH (MODULUS 2, REMAINDER 0);
		CREATE TABLE whole_1 PARTITION OF whole FOR VALUES WITH (MODULUS 2, REMAINDER 1)""", pair.name)
	p = pair.pgpier()
	p.run().expect(DONE)
	verify(p).expect(DONE)
	pair.target.sql("UPDATE tree SET v = 'x' WHERE id = 150; UPDATE whole SET v = 'x' WHERE id IN (3, 4)", pair.name)
	for level in ("checksum", "full"):
		outcome = verify(p, "--level", level).expect(DIFFERENT)
		assert [key_of(r) for r in outcome.table("public.tree_2")["rows"]] == ["150"]
		assert sorted(key_of(r) for r in outcome.table("public.whole")["rows"]) == ["3", "4"]
		assert outcome.table("public.tree_1")["verdict"] == "equal"
	verify(p, "--repair", "--yes").expect(DONE)


def test_sequences(pair):
	pair.fill("CREATE TABLE s (id serial PRIMARY KEY, i int GENERATED BY DEFAULT AS IDENTITY);"
		"INSERT INTO s SELECT FROM generate_series(1, 50)")
	p = pair.pgpier()
	p.run().expect(DONE)
	outcome = verify(p).expect(DONE)
	assert [(s["source_value"], s["target_value"], s["note"]) for s in outcome.json["sequences"]] == [(50, 50, None)] * 2
	pair.target.sql("SELECT setval('s_id_seq', 60)", pair.name)
	verify(p).expect(DONE, "the target is ahead")
	pair.target.sql("SELECT setval('s_i_seq', 50, false)", pair.name)
	outcome = verify(p).expect(DIFFERENT, "the target is behind")
	assert [s["source"] for s in outcome.json["sequences"] if s["verdict"] == "differs"] == ["public.s_i_seq"]


# ---- what can't be verified ----

@pytest.mark.sanitized
def test_could_not_verify(pair, copied):
	"""None of these may look like a success, and the rest is verified all the same."""
	target = pair.target
	def tell(statement, word, table="public.keyed"):
		target.sql(statement, pair.name)
		outcome = verify(copied).expect(INCOMPLETE, word)
		assert outcome.table(table)["verdict"] == "not verified", outcome
		assert outcome.json["verdict"] == "not verified" and outcome.json["not_verified"] == 1, outcome
		return outcome
	outcome = tell("ALTER TABLE keyed RENAME v TO v2", "no such column")
	assert outcome.table("public.plain")["verdict"] == "equal"
	tell("ALTER TABLE keyed RENAME v2 TO v; ALTER TABLE keyed ALTER n TYPE text", "its type is numeric on the source")
	tell("ALTER TABLE keyed RENAME TO gone", "the target has no such table")
	target.sql("ALTER TABLE gone RENAME TO keyed; ALTER TABLE keyed ALTER n TYPE numeric(12,2) USING n::numeric", pair.name)
	verify(copied).expect(DONE)


def test_rights_are_missing(make_pair, source, target):
	pair = make_pair(source, target)
	p = pair.fill(TABLES).pgpier()
	p.run().expect(DONE)
	target.sql("DROP ROLE IF EXISTS reader_%s" % pair.name)
	target.sql("CREATE ROLE reader_%s LOGIN; GRANT USAGE ON SCHEMA pgpier TO reader_%s;"
		"GRANT SELECT ON ALL TABLES IN SCHEMA pgpier TO reader_%s; GRANT SELECT ON plain TO reader_%s"
		% ((pair.name,) * 4), pair.name)
	with open(p.config) as f:
		text = f.read()
	before, after = text.rsplit("postgres", 1)
	p.write_text(before + "reader_" + pair.name + after)
	try:
		outcome = verify(p).expect(INCOMPLETE, "permission denied")
		assert outcome.table("public.plain")["verdict"] == "equal"
	finally:
		target.sql("DROP OWNED BY reader_%s; DROP ROLE reader_%s" % ((pair.name,) * 2), pair.name)


def test_not_loaded(pair):
	"""A table whose load failed was not verified."""
	pair.fill("CREATE TABLE good AS SELECT 1 AS i; CREATE TABLE bad AS SELECT -1 AS i")
	pair.target.sql("CREATE TABLE bad (i int CHECK (i > 0))", pair.name)
	p = pair.pgpier()
	p.run().expect(FAILED)
	outcome = verify(p).expect(INCOMPLETE, "not loaded")
	assert outcome.table("public.good")["verdict"] == "equal"


def test_never_run(pair):
	pair.fill(TABLES).pgpier()("verify", "m", "--json").expect(FAILED, "run it first")


class Locked:
	"""A session that keeps a table of the target, and a verification that waits for it."""

	def __init__(self, pair, p):
		self.pair, self.p = pair, p

	def __enter__(self):
		self.connection = self.pair.target.connect(self.pair.name, autocommit=False)
		self.cursor = self.connection.cursor()
		self.cursor.execute("LOCK TABLE keyed")
		self.process = self.p.start("verify", "m", "--json")
		wait_until(self.waiting, "a verification that waits for the lock")
		return self

	def waiting(self):
		assert self.process.poll() is None, self.p.finish(self.process)
		return self.sessions("worker", "AND wait_event_type = 'Lock'")

	def sessions(self, role, more=""):
		return self.pair.target.sql("SELECT pid FROM pg_stat_activity WHERE datname = %%s AND application_name"
			" LIKE 'pgpier/m/verify/%s%%%%' %s" % (role, more), parameters=(self.pair.name,))

	def __exit__(self, *_):
		self.connection.close()
		self.process.kill()
		self.process.communicate()


def test_truncated_meanwhile(pair, copied):
	"""A TRUNCATE is seen by snapshots that were taken before it: what they find then proves nothing."""
	with Locked(pair, copied) as locked:
		locked.cursor.execute("TRUNCATE keyed")
		locked.connection.commit()
		copied.finish(locked.process).expect(INCOMPLETE, "truncated or rewritten on the target")


@pytest.mark.sanitized
def test_snapshot_is_lost(pair, copied):
	with Locked(pair, copied) as locked:
		terminate(pair.target, locked.sessions("snapshot"))
		outcome = copied.finish(locked.process).expect(INCOMPLETE, "snapshot are gone")
		assert outcome.table("public.keyed")["verdict"] == "not verified"


def test_interrupted(pair, copied):
	with Locked(pair, copied) as locked:
		began = time.monotonic()
		locked.process.send_signal(signal.SIGINT)
		copied.finish(locked.process).expect(INTERRUPTED)
		assert time.monotonic() - began < 20
		wait_until(lambda: not locked.sessions(""), "the end of all sessions")


def test_one_session_is_lost(pair, copied):
	"""A worker that lost its connection takes another one to the same snapshot."""
	with Locked(pair, copied) as locked:
		terminate(pair.target, locked.sessions("worker"))
		wait_until(locked.waiting, "the next try")
		locked.connection.rollback()
		copied.finish(locked.process).expect(DONE)


# ---- repair ----

def test_repair_does_not_cascade(pair):
	"""Rows that refer to one that is copied anew stay, whatever their foreign key does on delete."""
	pair.fill("""CREATE TABLE p (id int PRIMARY KEY, v text); CREATE TABLE c (p int);
		INSERT INTO p SELECT i, 'v' || i FROM generate_series(1, 100) i; INSERT INTO c SELECT id FROM p""")
	p = pair.pgpier()
	p.run().expect(DONE)
	pair.target.sql("ALTER TABLE c ADD FOREIGN KEY (p) REFERENCES p ON DELETE CASCADE;"
		"UPDATE p SET v = 'x' WHERE id % 2 = 0", pair.name)
	verify(p, "--repair", "--yes").expect(DONE)
	assert pair.target.sql("SELECT count(*) FROM c", pair.name) == [(100,)]


def test_repair_that_is_refused(pair, copied):
	"""Columns of the target's own would be lost."""
	pair.target.sql("ALTER TABLE keyed ADD own text; UPDATE keyed SET own = 'mine', v = 'x' WHERE b = 'k5';"
		"DELETE FROM plain WHERE a = 5", pair.name)
	outcome = verify(copied, "--repair", "--yes").expect(DIFFERENT, "a column of its own, own")
	assert outcome.table("public.keyed")["deleted"] == 0
	assert outcome.table("public.plain")["inserted"] == 20
	assert pair.target.sql("SELECT v, own FROM keyed WHERE b = 'k5'", pair.name) == [("x", "mine")]


def test_repair_of_a_table_is_whole_or_not_at_all(pair, copied):
	pair.target.sql("DELETE FROM keyed WHERE b IN ('k5', 'k6'); UPDATE keyed SET v = 'x' WHERE b = 'k7';"
		"CREATE UNIQUE INDEX ON keyed (v) WHERE b <> 'k6'; UPDATE keyed SET v = 'value 5' WHERE b = 'k8';"
		"ALTER TABLE keyed ADD CHECK (b <> 'k6') NOT VALID", pair.name)
	outcome = verify(copied, "--repair", "--yes").expect(DIFFERENT, "violates check constraint")
	assert outcome.table("public.keyed")["repair_error"]
	assert pair.target.sql("SELECT v FROM keyed WHERE b = 'k7'", pair.name) == [("x",)]


# ---- continuous mirrors ----

def test_a_paused_mirror(pair):
	pair.fill(TABLES + MARKERS + "ALTER TABLE plain REPLICA IDENTITY FULL")
	with Live(pair) as live:
		live.sync().stop()
		live.change("UPDATE keyed SET v = 'new' WHERE b = 'k9'")
		assert verify(live.p).expect(DONE).json["exact"]  # it was run as far as the source is
		assert live.status().json["state"] == "paused"
		pair.target.sql("UPDATE keyed SET v = 'x' WHERE b = 'k7'", pair.name)
		outcome = verify(live.p).expect(DIFFERENT)
		assert [key_of(r, "b") for r in outcome.table("public.keyed")["rows"]] == ["k7"]
		live.change("UPDATE keyed SET v = 'newer' WHERE b = 'k8'")
		repaired = verify(live.p, "--repair", "--yes").expect(DONE)
		assert repaired.json["after"]["exact"] and live.status().json["state"] == "paused"


def test_rows_that_are_marked_deleted_do_not_count(pair):
	pair.fill(TABLES + MARKERS + "ALTER TABLE plain REPLICA IDENTITY FULL")
	with Live(pair, soft_delete=True, sync_columns=True) as live:
		live.sync().change("DELETE FROM keyed WHERE b = 'k9'")
		live.sync().stop()
		verify(live.p).expect(DONE)
		pair.target.sql("UPDATE keyed SET _pgpier_is_deleted = true WHERE b = 'k10'", pair.name)
		assert verify(live.p).expect(DIFFERENT).table("public.keyed")["missing"] == 1
