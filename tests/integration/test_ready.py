# SPDX-License-Identifier: PostgreSQL
"""The preflight of a continuous mirror on servers set up wrong in each way: what it finds, and the way out."""
import os
import signal
import subprocess
import time

import pytest

from support import cluster, servers
from support.pgpier import DONE, FAILED, Pgpier, mirror

MAJORS = [10, 11, 12, 13, 14, 15, 16, 17, 18]
OF_CATALOGS = [10, 11, 13, 15, 18]  # between which the catalogs of indexes and partitions changed

KEYED = "CREATE TABLE keyed (id int PRIMARY KEY, v text)"


def check(pair, code=DONE, **settings):
	return pair.pgpier(continuous=True, **settings)("check", "m", "--json").expect(code)


def found(outcome, subject, text="", severity=None):
	"""The one finding of this subject that says so."""
	hits = [f for f in outcome.json["findings"] if f["subject"] == subject and text in f["text"]]
	assert len(hits) == 1, "%d findings of %s\n%s" % (len(hits), subject, outcome)
	assert severity in (None, hits[0]["severity"]), outcome
	return hits[0]


def blockers(outcome):
	return {f["subject"] for f in outcome.json["findings"] if f["severity"] == "blocker"}


@pytest.fixture
def wrong(make_pair, target, request):
	"""wrong(major, setting=value): a pair whose source has these settings."""
	made = []

	def make(major=15, **settings):
		server = cluster.Cluster("wrong", servers.bindir(major), settings=settings)
		made.append(server)
		return make_pair(server, target)
	request.addfinalizer(lambda: [server.remove() for server in made])
	yield make


@pytest.mark.parametrize("major", MAJORS)
def test_a_good_source(make_pair, source, target, other_major, major):
	pair = make_pair(source if major == 15 else other_major(major), target).fill(KEYED)
	pair.fill("""CREATE TABLE parent (id int NOT NULL) PARTITION BY RANGE (id);
		CREATE TABLE leaf PARTITION OF parent FOR VALUES FROM (0) TO (9); ALTER TABLE leaf ADD PRIMARY KEY (id)""")
	outcome = check(pair)
	expected = 1 if major == 10 or major > 15 else 0  # which does not send TRUNCATE; for which pg_dump is too old
	assert blockers(outcome) == set() and outcome.json["warnings"] == expected, outcome
	plan = "\n".join(outcome.json["plan"])
	assert "publication pgpier_m of these tables and slot pgpier_m" in plan
	assert "change nothing" not in plan
	left = pair.source.sql("SELECT (SELECT count(*) FROM pg_publication), (SELECT count(*) FROM pg_replication_slots)",
		pair.name)
	assert left == [(0, 0)], "check made something"


@pytest.mark.parametrize("major", OF_CATALOGS)
def test_identities(make_pair, source, target, other_major, major):
	pair = make_pair(source if major == 15 else other_major(major), target).fill(KEYED)
	pair.fill("""
		CREATE TABLE bare (a int, b int);
		CREATE TABLE indexed (a int NOT NULL, "B b" int NOT NULL, c int);
		CREATE UNIQUE INDEX "ix of" ON indexed (a, "B b");
		CREATE UNIQUE INDEX nullable ON indexed (c);
		CREATE UNIQUE INDEX partial ON indexed (a) WHERE c > 0;
		CREATE TABLE nothing (id int PRIMARY KEY); ALTER TABLE nothing REPLICA IDENTITY NOTHING;
		CREATE TABLE deferred (id int PRIMARY KEY DEFERRABLE INITIALLY IMMEDIATE);
		CREATE TABLE by_index (a int NOT NULL); CREATE UNIQUE INDEX by_a ON by_index (a);
		ALTER TABLE by_index REPLICA IDENTITY USING INDEX by_a;
		CREATE TABLE lost_index (a int NOT NULL); CREATE UNIQUE INDEX lost_a ON lost_index (a);
		ALTER TABLE lost_index REPLICA IDENTITY USING INDEX lost_a; DROP INDEX lost_a;
		CREATE TABLE whole (a int); ALTER TABLE whole REPLICA IDENTITY FULL;
		CREATE TABLE parts (a int) PARTITION BY LIST (a);
		CREATE TABLE part_1 PARTITION OF parts FOR VALUES IN (1);
		CREATE UNLOGGED TABLE fleeting (id int PRIMARY KEY)""")
	outcome = check(pair, FAILED)
	assert blockers(outcome) == {"public." + t for t in
		("bare", "indexed", "nothing", "deferred", "lost_index", "part_1", "fleeting")}, outcome
	assert "REPLICA IDENTITY FULL" in found(outcome, "public.bare", "UPDATE and DELETE")["next"]
	assert 'ALTER TABLE public.indexed REPLICA IDENTITY USING INDEX "ix of"' in found(outcome, "public.indexed")["next"]
	assert "REPLICA IDENTITY DEFAULT" in found(outcome, "public.nothing")["next"]
	assert "FULL" in found(outcome, "public.deferred")["next"]
	found(outcome, "public.whole", "comparing all columns", "note")
	assert "SET LOGGED" in found(outcome, "public.fleeting", "unlogged")["next"]
	for subject in "bare", "indexed", "nothing", "deferred", "lost_index", "part_1":  # the advice, obeyed
		pair.fill(found(outcome, "public." + subject)["next"].split(",")[0]
			if subject != "indexed" else found(outcome, "public.indexed")["next"])
	assert blockers(check(pair, FAILED)) == {"public.fleeting"}


@pytest.mark.parametrize("major", [13, 18])
def test_partitions_that_come_with_their_parent(make_pair, target, other_major, major):
	"""A partition that is left out is published all the same, so its identity counts."""
	pair = make_pair(other_major(major), target).fill("""
		CREATE TABLE parts (a int) PARTITION BY LIST (a); CREATE TABLE part_1 PARTITION OF parts FOR VALUES IN (1)""")
	outcome = check(pair, FAILED, exclude=["public.part_1"])
	found(outcome, "public.part_1", "UPDATE and DELETE", "blocker")


@pytest.mark.parametrize("major", [12, 15, 18])
def test_generated_columns_in_an_identity(make_pair, source, target, other_major, major):
	pair = make_pair(source if major == 15 else other_major(major), target).fill("""
		CREATE TABLE computed (a int NOT NULL, b int GENERATED ALWAYS AS (a + 1) STORED PRIMARY KEY);
		CREATE TABLE whole (a int, b int GENERATED ALWAYS AS (a + 1) STORED);
		ALTER TABLE whole REPLICA IDENTITY FULL""")
	outcome = check(pair, FAILED)
	assert blockers(outcome) == {"public.computed"} | ({"public.whole"} if major >= 18 else set()), outcome
	found(outcome, "public.computed", "generated column")
	if major >= 18:  # what we warn of is true
		pair.fill("INSERT INTO whole VALUES (1); CREATE PUBLICATION p FOR TABLE whole")
		with pytest.raises(Exception, match="cannot update table"):
			pair.fill("UPDATE whole SET a = 2")


@pytest.mark.parametrize("major", [10, 13, 18])
def test_wal_level(wrong, major):
	pair = wrong(major, wal_level="replica").fill(KEYED)
	outcome = check(pair, FAILED)
	assert "ALTER SYSTEM SET wal_level" in found(outcome, "wal_level", "replica", "blocker")["next"]
	assert "ALTER SYSTEM SET wal_level" in outcome.json["findings"][0]["next"]
	copied = pair.pgpier()("check", "m", "--json").expect(DONE)
	assert not blockers(copied), "an initial copy needs no logical WAL"


def test_hints_of_a_provider(wrong):
	pair = wrong(wal_level="replica").fill(KEYED)
	pair.source.sql("CREATE ROLE azure_pg_admin")
	assert "az postgres flexible-server" in found(check(pair, FAILED), "wal_level")["next"]
	pair.source.sql("DROP ROLE azure_pg_admin; CREATE ROLE rds_superuser")
	assert "rds.logical_replication = 1" in found(check(pair, FAILED), "wal_level")["next"]


def as_role(pair, role, **settings):
	peers = [{"name": "source", **pair.source.address(pair.name, user=role)},
		{"name": "target", **pair.target.address(pair.name)}]
	p = Pgpier(peers, [mirror(continuous=True, **settings)])
	pair.opened.append(p)
	return p("check", "m", "--json")


@pytest.mark.parametrize("major", [10, 15, 17])
def test_roles(make_pair, source, target, other_major, major):
	pair = make_pair(source if major == 15 else other_major(major), target).fill(KEYED + """;
		CREATE TABLE other (id int PRIMARY KEY);
		CREATE ROLE ready_owner; CREATE ROLE "ready mover" LOGIN;
		ALTER TABLE keyed OWNER TO ready_owner; ALTER TABLE other OWNER TO ready_owner;
		GRANT SELECT ON keyed, other TO "ready mover" """)
	try:
		outcome = as_role(pair, "ready mover").expect(FAILED)
		assert found(outcome, "replication role", severity="blocker")["next"] == 'ALTER ROLE "ready mover" REPLICATION'
		grant = found(outcome, "publication", "may not create", "blocker")["next"]
		assert grant == 'GRANT CREATE ON DATABASE "%s" TO "ready mover"' % pair.name
		member = found(outcome, "publication", "public.keyed and 1 other", "blocker")["next"]
		assert member == 'GRANT ready_owner TO "ready mover"'
		for statement in 'ALTER ROLE "ready mover" REPLICATION', grant, member:
			pair.fill(statement)
		assert not blockers(as_role(pair, "ready mover").expect(DONE))
	finally:
		pair.fill("""DROP OWNED BY "ready mover", ready_owner; DROP ROLE "ready mover"; DROP ROLE ready_owner""")


def test_rds_role_is_enough(pair):
	pair.fill(KEYED + "; CREATE ROLE rds_replication; CREATE ROLE ready_mover LOGIN; GRANT rds_replication TO ready_mover")
	try:
		outcome = as_role(pair, "ready_mover").expect(FAILED)
		assert "replication role" not in blockers(outcome), outcome
	finally:
		pair.fill("DROP ROLE ready_mover; DROP ROLE rds_replication")


@pytest.mark.parametrize("major", [10, 18])
def test_room(wrong, major):
	pair = wrong(major, max_replication_slots="1", max_wal_senders="0").fill(KEYED)
	pair.source.sql("SELECT pg_create_physical_replication_slot('taken')")
	outcome = check(pair, FAILED)
	assert blockers(outcome) == {"max_replication_slots", "max_wal_senders"}, outcome
	assert "drop slots" in found(outcome, "max_replication_slots", "all 1 slots")["next"]


def test_names_that_are_taken(pair):
	pair.fill(KEYED + "; CREATE PUBLICATION pgpier_m")
	pair.source.sql("SELECT pg_create_logical_replication_slot('pgpier_m', 'pgoutput')", pair.name)
	try:
		assert blockers(check(pair, FAILED)) == {"publication", "slot"}
		assert blockers(check(pair, slot="mine", publication="mine")) == set()
	finally:
		pair.source.sql("SELECT pg_drop_replication_slot('pgpier_m')")


def test_what_becomes_of_the_slot(wrong):
	pair = wrong(18, max_slot_wal_keep_size="'2GB'", idle_replication_slot_timeout="'1h'").fill(KEYED)
	outcome = check(pair)
	found(outcome, "max_slot_wal_keep_size", "more than 2.1", "note")
	found(outcome, "idle_replication_slot_timeout", "1h", "warning")


def test_long_transactions(wrong):
	pair = wrong(max_prepared_transactions="5").fill(KEYED)
	with pair.source.connect(pair.name, autocommit=False) as c:
		c.cursor().execute("INSERT INTO keyed VALUES (1) /* slow */")
		prepared = pair.source.connect(pair.name)
		prepared.cursor().execute("BEGIN")
		prepared.cursor().execute("INSERT INTO keyed VALUES (2)")
		prepared.cursor().execute("PREPARE TRANSACTION 'it''s left'")
		time.sleep(10.5)
		outcome = check(pair)
		assert "pg_terminate_backend(%d)" % c.get_backend_pid() in found(outcome, "long transaction", "slow", "warning")["next"]
		way_out = found(outcome, "prepared transaction", severity="warning")["next"]
		assert "ROLLBACK PREPARED 'it''s left'" in way_out
		prepared.cursor().execute("ROLLBACK PREPARED 'it''s left'")


def standby_of(server):
	folder = cluster.temporary_folder("pgpier-standby-")
	data = os.path.join(folder, "data")
	account = cluster.unprivileged()
	if os.geteuid() == 0:
		os.chown(folder, account.pw_uid, account.pw_gid)
	subprocess.run([server.program("pg_basebackup"), "-h", server.folder, "-p", str(server.port), "-U", "postgres",
		"-D", data, "-R", "-c", "fast"], check=True, capture_output=True, preexec_fn=cluster.as_account(account))
	standby = object.__new__(cluster.Cluster)
	standby.__dict__.update(server.__dict__, folder=folder, data=data, log=os.path.join(folder, "log"),
		port=cluster.free_port(), process=None)
	cluster.alive.append(standby)
	standby.start()
	return standby


def test_standby(pair, source, target):
	pair.fill(KEYED)
	standby = standby_of(source)
	try:
		peers = [{"name": "source", **standby.address(pair.name)}, {"name": "target", **target.address(pair.name)}]
		p = Pgpier(peers, [mirror(continuous=True)])
		pair.opened.append(p)
		outcome = p("check", "m", "--json").expect(FAILED)
		assert "the primary" in found(outcome, "source", "standby", "blocker")["next"]
	finally:
		standby.stop(signal.SIGQUIT)
		standby.remove()


def test_session_role_of_the_target(make_pair, source, target):
	pair = make_pair(source, target).fill(KEYED)
	target.sql("CREATE ROLE ready_writer LOGIN; CREATE TABLE keyed (id int PRIMARY KEY, v text);"
		"ALTER TABLE keyed OWNER TO ready_writer; GRANT CREATE ON DATABASE \"%s\" TO ready_writer" % pair.name, pair.name)
	peers = [{"name": "source", **source.address(pair.name)},
		{"name": "target", **target.address(pair.name, user="ready_writer")}]
	p = Pgpier(peers, [mirror(continuous=True)])
	pair.opened.append(p)
	try:
		outcome = p("check", "m", "--json").expect(DONE)
		way_out = found(outcome, "target", "session_replication_role", "warning")["next"]
		assert "GRANT SET ON PARAMETER" in way_out and "DISABLE TRIGGER" in way_out
	finally:
		target.sql("DROP OWNED BY ready_writer CASCADE; DROP ROLE ready_writer", pair.name)
