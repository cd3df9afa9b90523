# SPDX-License-Identifier: PostgreSQL
"""pgpier settings: what two servers have that is not the same, and the statements that carry it over."""
import os
import shutil
import subprocess

import pytest

from support import cluster, servers
from support.pgpier import DONE, USAGE, Pgpier

DIFFERENT, INCOMPLETE = 3, 4

SOURCE = {"datestyle": "'ISO, DMY'", "timezone": "'Europe/Berlin'", "work_mem": "32MB", "max_connections": "80",
	"statement_timeout": "10min", "log_line_prefix": r"'it''s \\ %m '", "shared_preload_libraries": "auto_explain",
	"auto_explain.log_min_duration": "1s"}


@pytest.fixture
def own_pair(make_pair):
	"""Two servers with settings of their own, which a test may change."""
	with cluster.Cluster("old", settings=SOURCE) as old, cluster.Cluster("new") as new:
		pair = make_pair(old, new)
		yield pair


def between(pair, user="postgres"):
	"""A pgpier that knows both as peers, and nothing else."""
	p = Pgpier([{"name": "old", **pair.source.address(pair.name, user)},
		{"name": "new", **pair.target.address(pair.name, user)}])
	pair.opened.append(p)
	return p


def settings(p, code):
	outcome = p("settings", "old", "new", "--json").expect(code)
	order = ["blocker", "warning", "note", "ok"]
	severities = [order.index(d["severity"]) for d in outcome.json["differences"]]
	assert severities == sorted(severities), outcome
	return outcome


def found(outcome, name, kind=None):
	"""The one difference of that name."""
	all_of = [d for d in outcome.json["differences"] if d["name"] == name and kind in (None, d["kind"])]
	assert len(all_of) == 1, "%d differences called %s\n%s" % (len(all_of), name, outcome)
	return all_of[0]


def noted(outcome, *words):
	assert any(all(w in n for w in words) for n in outcome.json["notes"]), "no note of %s\n%s" % (words, outcome)


def test_equal_servers(pair):
	outcome = settings(between(pair), DONE)
	assert outcome.json["differences"] == [] and outcome.json["complete"] is True, outcome
	assert outcome.json["compared"] > 250, outcome
	noted(outcome, "disk:", "largest table", "max_wal_size")


def test_a_script_carries_them_over(own_pair, tmp_path):
	"""What the script leaves open is what it says a person decides."""
	p = between(own_pair)
	own_pair.source.sql('ALTER DATABASE "%s" SET search_path = app, "Odd Name", "$user"' % own_pair.name)
	outcome = settings(p, DIFFERENT)
	assert found(outcome, "DateStyle")["severity"] == "blocker"
	assert found(outcome, "max_connections")["statement"].endswith("/* needs a restart */")
	assert found(outcome, "work_mem")["source"] == "32MB" and found(outcome, "work_mem")["target"] == "4MB"
	assert "set for database" in found(outcome, "search_path")["meaning"]
	kinds = [d["kind"] for d in outcome.json["differences"] if d["severity"] == "note"]
	assert kinds.index("performance setting") < kinds.index("other setting")

	script = tmp_path / "settings.sql"
	script.write_text(p("settings", "old", "new", "--script").expect(DONE).out)
	target = own_pair.target
	subprocess.run([target.program("psql"), "-X", "-v", "ON_ERROR_STOP=1", "-h", target.folder, "-p", str(target.port),
		"-U", "postgres", "-f", str(script), own_pair.name], check=True, stdout=subprocess.DEVNULL)
	target.restart()
	outcome = settings(p, DIFFERENT)
	assert {d["name"] for d in outcome.json["differences"]} == {"work_mem", "shared_preload_libraries",
		"auto_explain.log_min_duration"}, outcome
	target.sql(found(outcome, "shared_preload_libraries")["statement"])
	target.restart()
	outcome = settings(p, DONE)
	assert [d["name"] for d in outcome.json["differences"]] == ["work_mem"], outcome
	assert target.sql("SHOW search_path", own_pair.name) == [('app, "Odd Name", "$user"',)]
	assert target.sql("SHOW log_line_prefix") == [(r"it's \ %m ",)]


def test_role_and_peer_are_told_apart(pair):
	"""A value that our role or our connection alone has is no statement for the server."""
	p = Pgpier([{"name": "old", **pair.source.address(pair.name), "options": "-c work_mem=64MB"},
		{"name": "new", **pair.target.address(pair.name)}])
	pair.opened.append(p)
	outcome = settings(p, DONE)
	mem = found(outcome, "work_mem")
	assert "options of peer old" in mem["meaning"] and mem["statement"] is None, outcome
	noted(outcome, "work_mem on old")


def test_two_names_of_one_time_zone(pair):
	pair.target.sql("ALTER DATABASE \"%s\" SET timezone = 'Etc/UTC'" % pair.name)
	zone = found(settings(between(pair), DONE), "TimeZone")
	assert zone["severity"] == "note" and zone["statement"] is None


def test_extensions(pair):
	pair.fill("CREATE EXTENSION hstore; CREATE SCHEMA x; CREATE EXTENSION citext SCHEMA x; CREATE EXTENSION pg_trgm")
	pair.target.sql("CREATE EXTENSION citext VERSION '1.4'; CREATE EXTENSION ltree", pair.name)
	p = between(pair)
	outcome = settings(p, DIFFERENT)
	assert found(outcome, "hstore")["severity"] == "warning"
	assert found(outcome, "citext")["statement"] == "ALTER EXTENSION \"citext\" UPDATE TO '1.6'"
	assert found(outcome, "ltree")["source"] is None and found(outcome, "ltree")["severity"] == "ok"
	for d in outcome.json["differences"]:
		if d["statement"]:
			pair.target.sql(d["statement"], pair.name)
	outcome = settings(p, DONE)
	assert [d["name"] for d in outcome.json["differences"]] == ["ltree"], outcome


def test_an_extension_that_the_target_has_not(make_pair, source, other_major):
	pair = make_pair(source, other_major(18)).fill("CREATE EXTENSION old_snapshot")
	missing = found(settings(between(pair), DIFFERENT), "old_snapshot")
	assert missing["severity"] == "blocker" and missing["statement"] is None


def recreated(server, name, options):
	server.sql('DROP DATABASE "%s"' % name)
	server.sql('CREATE DATABASE "%s" TEMPLATE template0 %s' % (name, options))


def test_locale_of_the_database(pair):
	recreated(pair.source, pair.name, "LOCALE_PROVIDER icu ICU_LOCALE 'de'")
	recreated(pair.target, pair.name, "ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'")
	p = between(pair)
	outcome = settings(p, DIFFERENT)
	assert found(outcome, "encoding")["severity"] == "blocker"
	statement = found(outcome, "provider")["statement"]
	assert "ICU_LOCALE 'de'" in statement and "ENCODING 'UTF8'" in statement
	pair.target.sql('DROP DATABASE "%s"' % pair.name)
	pair.target.sql(statement)
	assert settings(p, DONE).json["differences"] == []


def test_text_that_nobody_checked(pair):
	recreated(pair.source, pair.name, "ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'")
	outcome = settings(between(pair), DIFFERENT)
	assert found(outcome, "encoding")["severity"] == "warning"
	noted(outcome, "SQL_ASCII")


def test_collations_that_moved(pair):
	"""Their versions are recorded with the database; another one now means indexes in another order."""
	for server in (pair.source, pair.target):
		recreated(server, pair.name, "LOCALE_PROVIDER icu ICU_LOCALE 'de'")
	pair.target.sql("UPDATE pg_database SET datcollversion = '1.0' WHERE datname = %s", parameters=(pair.name,))
	pair.source.sql("UPDATE pg_collation SET collversion = '2.0' WHERE collname = 'sv-x-icu';"
		"CREATE TABLE t (v text COLLATE \"sv-x-icu\")", pair.name)
	p = between(pair)
	outcome = settings(p, DIFFERENT)
	assert found(outcome, "sv-x-icu")["source"].startswith("2.0 recorded")
	moved = found(outcome, pair.name, "collation version")
	assert moved["target"].startswith("1.0 recorded") and moved["severity"] == "warning"
	for statement in moved["statement"].split(";\n"):
		pair.target.sql(statement, pair.name)
	names = [d["name"] for d in settings(p, DIFFERENT).json["differences"]]
	assert names == ["sv-x-icu"]


def test_rules_and_tablespaces(own_pair):
	source, target = own_pair.source, own_pair.target
	with open(os.path.join(source.data, "pg_hba.conf"), "a") as f:
		f.write("host all app 10.1.0.0 255.255.0.0 ident map=m\nlocal other app peer\nhost all all\n")
	place = os.path.join(source.folder, "place")
	os.mkdir(place)
	if os.geteuid() == 0:
		shutil.chown(place, source.account.pw_uid, source.account.pw_gid)
	source.sql("SELECT pg_reload_conf()")
	source.sql("CREATE TABLESPACE fast LOCATION '%s'" % place)
	own_pair.fill("CREATE TABLE t (i int) TABLESPACE fast")
	outcome = settings(between(own_pair), DIFFERENT)
	rule = found(outcome, "host all app 10.1.0.0/16 ident map=m", "hba rule")
	assert rule["severity"] == "warning" and rule["target"] is None and rule["source"].startswith("line ")
	assert found(outcome, "local other app peer")["severity"] == "note"
	noted(outcome, "pg_hba.conf on old is wrong", "end-of-line")
	space = found(outcome, "fast", "tablespace")
	assert place in space["statement"] and space["severity"] == "warning"
	assert target.sql("SELECT count(*) FROM pg_tablespace") == [(2,)]


@pytest.mark.sanitized
def test_a_role_without_privileges(pair):
	"""What it may not see is named, and nothing is taken for equal."""
	role = "plain_" + pair.name
	for server in (pair.source, pair.target):
		server.sql('CREATE ROLE "%s" LOGIN' % role)
	try:
		pair.source.sql('ALTER DATABASE "%s" SET timezone = \'Asia/Tokyo\'' % pair.name)
		outcome = settings(between(pair, role), DIFFERENT)
		assert found(outcome, "TimeZone")["severity"] == "blocker"
		noted(outcome, "pg_hba.conf", "may not read")
		noted(outcome, "ALTER SYSTEM on new needs a superuser")
		assert not [d for d in outcome.json["differences"] if d["name"] == "shared_preload_libraries"]
	finally:
		for server in (pair.source, pair.target):
			server.sql('DROP ROLE "%s"' % role)


def test_a_side_that_hides_settings(make_pair, source, target):
	"""A superuser on one side, a plain role on the other: what only one shows is not known to differ."""
	pair = make_pair(source, target)
	target.sql('CREATE ROLE "plain_%s" LOGIN' % pair.name)
	try:
		p = Pgpier([{"name": "old", **source.address(pair.name)},
			{"name": "new", **target.address(pair.name, "plain_" + pair.name)}])
		pair.opened.append(p)
		outcome = settings(p, INCOMPLETE)
		assert outcome.json["complete"] is False
		noted(outcome, "may not see all settings of new", "shared_preload_libraries")
	finally:
		target.sql('DROP ROLE "plain_%s"' % pair.name)


@pytest.mark.parametrize("major", [10, 13, 18])
def test_versions(make_pair, source, other_major, major):
	other = other_major(major)
	pair = make_pair(other, source) if major < 15 else make_pair(source, other)
	outcome = settings(between(pair), DIFFERENT if major == 10 else found_code(major))
	version = found(outcome, "version", "server")
	assert version["severity"] == "note" and version["meaning"]
	noted(outcome, "at their defaults")
	if major == 10:
		assert "default of 10 against default of 15" in found(outcome, "password_encryption")["meaning"]
		assert found(outcome, "checkpoint_completion_target")["severity"] == "ok"
	assert servers.VERSIONS[major].startswith(version["source" if major < 15 else "target"])


def found_code(major):
	"""From 13 on to 15 the kind of new passwords differs; from 15 on to 18 nothing that hurts."""
	return DIFFERENT if major < 14 else DONE


@pytest.mark.sanitized
def test_text_of_servers_is_not_obeyed(pair):
	pair.source.sql("ALTER DATABASE \"%s\" SET search_path = E'\\x1b[2J\\n; DROP TABLE t'" % pair.name)
	p = between(pair)
	for words, code in ([], DIFFERENT), (["--json"], DIFFERENT), (["--script"], DONE):
		outcome = p("settings", "old", "new", *words).expect(code)
		assert "\x1b" not in outcome.out and "search_path" in outcome.out, outcome
	script = outcome.out
	assert all(line.startswith(("--", "SELECT pg_reload_conf()")) for line in script.split("\n") if line), script


@pytest.mark.parametrize("words, said", [
	(["old"], "needs two names"),
	(["old", "old"], "compared with itself"),
	(["old", "nwe"], "no peer nwe"),
	(["old", "new", "--json", "--script"], "not both"),
])
def test_usage(words, said):
	peers = [{"name": name, "host": "127.0.0.1", "port": 1} for name in ("old", "new")]
	with Pgpier(peers) as p:
		p("settings", *words).expect(USAGE, said)
