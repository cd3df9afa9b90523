# SPDX-License-Identifier: PostgreSQL
"""pgpier roles: what the target's server lacks is listed, and made on request.

Roles belong to a whole server, which other tests use as well: all of ours begin with rl_."""
import json
import os
import re
import subprocess

import pytest

from support.pgpier import BUILD, DONE, FAILED, USAGE, Pgpier, mirror

DIFFERENT = 3

ROLES = """
SELECT rolname, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication,
	rolbypassrls, rolconnlimit, rolvaliduntil::text, shobj_description(oid, 'pg_authid')
FROM pg_roles WHERE rolname ~ '^rl_' ORDER BY 1"""
MEMBERS = """
SELECT g.rolname, m.rolname, bool_or(a.admin_option) FROM pg_auth_members a
JOIN pg_roles g ON g.oid = a.roleid JOIN pg_roles m ON m.oid = a.member
WHERE m.rolname ~ '^rl_' GROUP BY 1, 2 ORDER BY 1, 2"""
SETTINGS = """
SELECT coalesce(r.rolname, ''), d.datname, c FROM pg_db_role_setting s
CROSS JOIN unnest(s.setconfig) AS c LEFT JOIN pg_roles r ON r.oid = s.setrole
LEFT JOIN pg_database d ON d.oid = s.setdatabase WHERE (r.rolname ~ '^rl_' OR s.setrole = 0)
AND (s.setdatabase = 0 OR d.datname = current_database())
ORDER BY 1, 2, 3"""
GRANTS = """
SELECT coalesce(r.rolname, 'PUBLIC'), a.privilege_type, a.is_grantable FROM pg_database d,
aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a
LEFT JOIN pg_roles r ON r.oid = a.grantee
WHERE d.datname = current_database() AND a.grantee <> d.datdba ORDER BY 1, 2"""

# A statement a line. @ is the database.
FILL = """
CREATE ROLE rl_app LOGIN PASSWORD 'geheim' CREATEDB CONNECTION LIMIT 7 VALID UNTIL '2040-01-01'
CREATE ROLE rl_readers
CREATE ROLE rl_staff NOINHERIT CREATEROLE
CREATE ROLE "rl_Odd "" 'n\\" LOGIN BYPASSRLS REPLICATION
CREATE ROLE rl_idle
GRANT rl_readers TO "rl_Odd "" 'n\\" WITH ADMIN OPTION
GRANT rl_staff TO rl_app
GRANT pg_monitor TO rl_app
ALTER ROLE rl_app SET search_path = "$user", public, "a,""b"
ALTER ROLE rl_app SET "rl.custom" = 'it''s \\ here'
ALTER ROLE rl_readers IN DATABASE "@" SET work_mem = '10MB'
ALTER DATABASE "@" SET statement_timeout = '5min'
ALTER DATABASE "@" SET default_transaction_isolation = 'repeatable read'
COMMENT ON ROLE rl_app IS 'it''s the
application'
COMMENT ON DATABASE "@" IS 'the shop'
GRANT CREATE ON DATABASE "@" TO rl_readers WITH GRANT OPTION
CREATE TABLE t (id int PRIMARY KEY)
ALTER TABLE t OWNER TO rl_app
GRANT SELECT ON t TO rl_readers
"""

OPTIONS = """
CREATE ROLE rl_a
CREATE ROLE rl_b
CREATE ROLE rl_c
CREATE ROLE rl_d NOINHERIT
GRANT rl_a TO rl_b WITH INHERIT FALSE, SET TRUE
GRANT rl_a TO rl_c WITH ADMIN TRUE, SET FALSE
GRANT rl_a TO rl_d WITH INHERIT TRUE
GRANT rl_b TO rl_d
CREATE TABLE t (id int)
GRANT SELECT ON t TO rl_a, rl_b, rl_c, rl_d"""


def forget(server):
	"""Roles of a test before: its databases are gone by now."""
	ours = "SELECT rolname FROM pg_roles WHERE rolname ~ '^rl_' ORDER BY oid DESC"
	for (name,) in server.sql(ours):
		quoted = '"%s"' % name.replace('"', '""')
		server.sql("DROP OWNED BY %s CASCADE" % quoted)
		server.sql("DROP ROLE " + quoted)


@pytest.fixture
def roles_pair(make_pair, source, target):
	"""roles_pair(source, target): a pair whose servers have no roles of ours."""
	used = []

	def make(one=source, other=target):
		used.extend([one, other])
		for server in used:
			forget(server)
		return make_pair(one, other)
	yield make


def fill(pair, text=FILL, server=None):
	for statement in re.split(r"\n(?=[A-Z])", text.strip()):
		(server or pair.source).sql(statement.replace("@", pair.name), pair.name)


def roles(pair, *words, user=("postgres", "postgres"), **settings):
	peers = [{"name": "source", **pair.source.address(pair.name, user=user[0])},
		{"name": "target", **pair.target.address(pair.name, user=user[1])}]
	p = Pgpier(peers, [mirror(**settings)])
	pair.opened.append(p)
	return p("roles", "m", *words)


def listed(outcome, severities=("blocker", "warning", "note")):
	"""Differences of our roles and of the database: (kind, name) -> item, no two of one name."""
	found = {}
	for item in outcome.json["differences"]:
		if "rl_" in item["name"] or item["kind"].startswith("database"):
			assert (item["kind"], item["name"]) not in found, outcome
			if item["severity"] in severities:
				found[item["kind"], item["name"]] = item
	return found


def both(pair, query):
	return pair.source.sql(query, pair.name), pair.target.sql(query, pair.name)


def assert_same(pair):
	for query in ROLES, MEMBERS, SETTINGS, GRANTS:
		one, other = both(pair, query)
		assert one == other, query


def everything(server, dbname):
	return [server.sql(query, dbname) for query in (ROLES, MEMBERS, SETTINGS, GRANTS)]


def verifiers(server):
	return dict(server.sql("SELECT rolname, rolpassword FROM pg_authid WHERE rolname ~ '^rl_'"))


def assert_no_secret(outcome):
	assert "geheim" not in outcome and "SCRAM-SHA-256$" not in outcome
	assert not re.search("md5[0-9a-f]{8}", outcome)


def test_missing_roles_are_listed_and_made(roles_pair):
	pair = roles_pair()
	fill(pair)
	before = everything(pair.target, pair.name)
	outcome = roles(pair, "--json").expect(DIFFERENT)
	found = listed(outcome)
	assert outcome.json["what"] == "roles"
	assert outcome.json["complete"] and not outcome.json["equal"]
	assert all(item["applies"] and item["target"] is None for item in found.values()), outcome
	app = found["role", "rl_app"]
	assert app["severity"] == "blocker"
	assert app["source"].startswith("LOGIN CREATEDB CONNECTION LIMIT 7 VALID")
	assert app["statement"].endswith("PASSWORD '<verifier of the source>'")
	assert found["role", "rl_idle"]["severity"] == "note"
	assert found["role membership", "rl_app in rl_staff"]["severity"] == "blocker"
	assert found["role setting", "rl_app: search_path"]["statement"] == \
		"""ALTER ROLE "rl_app" SET "search_path" TO '$user', 'public', 'a,"b'"""
	assert before == everything(pair.target, pair.name)

	made = roles(pair, "--yes", "--json").expect(DONE)
	assert made.json["equal"] or not listed(made), made
	assert made.json["applied"] >= len(found)
	assert_same(pair)
	assert verifiers(pair.source) == verifiers(pair.target)
	assert not listed(roles(pair, "--json").expect(DONE))
	again = roles(pair, "--yes").expect(DONE)
	assert " run on target" not in again.out, again
	assert "run on the target: CREATE ROLE \"rl_app\" WITH LOGIN" in made.log
	for said in (outcome, made, roles(pair, "--yes")):
		assert_no_secret(said)


def test_statements_run_in_the_order_of_the_list(roles_pair):
	"""Whoever prefers to run them by hand takes them from the top."""
	pair = roles_pair()
	fill(pair)
	for item in roles(pair, "--json").json["differences"]:
		if item["applies"]:
			statement = item["statement"].replace(" PASSWORD '<verifier of the source>'", "")
			pair.target.sql(statement, pair.name)
	assert_same(pair)


def test_what_is_there_is_not_changed(roles_pair):
	pair = roles_pair()
	fill(pair)
	fill(pair, """
CREATE ROLE rl_app CREATEDB
CREATE ROLE rl_own LOGIN
CREATE ROLE rl_readers
GRANT rl_readers TO rl_app
ALTER ROLE rl_app SET search_path = 'other'
ALTER ROLE rl_app SET work_mem = '8MB'
ALTER DATABASE "@" SET statement_timeout = '1min'
ALTER DATABASE "@" SET lock_timeout = '1min'
COMMENT ON ROLE rl_readers IS 'theirs'
GRANT CREATE ON DATABASE "@" TO rl_app""", pair.target)
	pair.source.sql('REVOKE TEMPORARY ON DATABASE "%s" FROM PUBLIC' % pair.name)
	pair.source.sql('ALTER DATABASE "%s" CONNECTION LIMIT 50' % pair.name)
	outcome = roles(pair, "--yes", "--json").expect(DIFFERENT)
	found = listed(outcome)
	attributes = found["role attributes", "rl_app"]
	assert attributes["severity"] == "blocker" and "can't log in" in attributes["meaning"]
	altered = 'ALTER ROLE "rl_app" WITH LOGIN CONNECTION LIMIT 7 VALID UNTIL'
	assert attributes["statement"].startswith(altered)
	assert found["role password", "rl_app"]["target"] == "none"
	path = found["role setting", "rl_app: search_path"]
	assert (path["target"], path["severity"], path["applies"]) == ("other", "warning", False)
	reset = found["role setting", "rl_app: work_mem"]
	revoked = found["role membership", "rl_app in rl_readers"]
	assert reset["statement"] == 'ALTER ROLE "rl_app" RESET "work_mem"'
	assert revoked["statement"] == 'REVOKE "rl_readers" FROM "rl_app"'
	assert found["role", "rl_own"]["source"] is None and found["role", "rl_own"]["severity"] == "note"
	assert found["role comment", "rl_readers"]["source"] is None
	name = pair.name
	assert found["database setting", name + ": statement_timeout"]["target"] == "1min"
	assert found["database setting", name + ": lock_timeout"]["source"] is None
	assert found["database grant", "PUBLIC: TEMPORARY"]["source"] is None
	assert found["database grant", "rl_app: CREATE"]["source"] is None
	assert found["database", name + ": connection limit"]["source"] == "50"
	assert not any(item["applies"] for item in found.values()), outcome
	# Missing things of roles that exist were made, those that exist are as they were.
	assert ("pg_monitor", "rl_app", False) in pair.target.sql(MEMBERS)
	assert ("rl_readers", "rl_app", False) in pair.target.sql(MEMBERS)
	config = [c for r, d, c in pair.target.sql(SETTINGS, name) if (r, d) == ("rl_app", None)]
	assert config == ["rl.custom=it's \\ here", "search_path=other", "work_mem=8MB"]
	assert [row[5] for row in pair.target.sql(ROLES) if row[0] == "rl_app"] == [False]


def test_whom_a_role_belongs_to(roles_pair):
	"""Rights come up through groups; roles of other databases are named, not made."""
	pair = roles_pair()
	elsewhere = pair.name + "_other"
	fill(pair, """
CREATE ROLE rl_group
CREATE ROLE rl_above
CREATE ROLE rl_member LOGIN IN ROLE rl_group
CREATE ROLE rl_beside LOGIN IN ROLE rl_above
CREATE ROLE rl_policy
CREATE ROLE rl_other LOGIN
CREATE ROLE rl_everything LOGIN IN ROLE pg_read_all_data
GRANT rl_above TO rl_group
CREATE TABLE t (id int)
ALTER TABLE t ENABLE ROW LEVEL SECURITY
CREATE POLICY p ON t TO rl_policy
GRANT INSERT ON t TO rl_group""")
	pair.source.create_db(elsewhere)
	try:
		pair.source.sql('ALTER DATABASE "%s" OWNER TO rl_other' % elsewhere)
		found = listed(roles(pair, "--json").expect(DIFFERENT))
		weights = {name: item["severity"] for (kind, name), item in found.items() if kind == "role"}
		assert weights == {"rl_group": "blocker", "rl_above": "blocker", "rl_member": "blocker",
			"rl_policy": "blocker", "rl_everything": "blocker", "rl_beside": "note", "rl_other": "note"}
		assert not found["role", "rl_other"]["applies"] and found["role", "rl_beside"]["applies"]
		left = listed(roles(pair, "--yes", "--json").expect(DONE))
		assert list(left) == [("role", "rl_other")]
		assert missing(pair) == []
	finally:
		pair.source.drop_db(elsewhere)


def missing(pair, *maps):
	def conninfo(server):
		return " ".join("%s='%s'" % (k, v) for k, v in server.address(pair.name).items())
	tool = os.path.join(BUILD, "tests", "support", "roles_tool")
	done = subprocess.run([tool, conninfo(pair.source), conninfo(pair.target), *maps],
		capture_output=True, text=True, check=True, timeout=60)
	return done.stdout.split("\n")[:-1]


def test_roles_that_a_preflight_misses(roles_pair):
	pair = roles_pair()
	fill(pair)
	assert missing(pair) == ["rl_app", "rl_readers"]
	assert missing(pair, "rl_app=rl_theirs", "rl_readers=postgres") == ["rl_theirs"]


def test_mapped_roles(roles_pair):
	pair = roles_pair()
	fill(pair)
	fill(pair, "CREATE ROLE rl_theirs LOGIN SUPERUSER", pair.target)
	maps = {"roles_map": [{"source": "rl_app", "target": "rl_theirs"},
		{"source": "rl_readers", "target": "rl_new"}]}
	found = listed(roles(pair, "--json", **maps).expect(DIFFERENT))
	assert found["role attributes", "rl_app (rl_theirs on the target)"]["severity"] == "note"
	assert found["role", "rl_readers (rl_new on the target)"]["statement"] == 'CREATE ROLE "rl_new"'
	left = listed(roles(pair, "--yes", "--json", **maps).expect(DONE))
	assert {kind for kind, _ in left} == {"role attributes", "role password"}
	assert ("rl_staff", "rl_theirs", False) in pair.target.sql(MEMBERS)
	names = [row[0] for row in pair.target.sql(ROLES)]
	assert "rl_new" in names and "rl_app" not in names and "rl_readers" not in names


def test_roles_of_a_provider(roles_pair):
	pair = roles_pair()
	fill(pair)
	pair.source.sql("CREATE ROLE azure_pg_admin; CREATE ROLE azure_x LOGIN")
	pair.source.sql("GRANT azure_pg_admin TO rl_app")
	try:
		outcome = roles(pair, "--yes", "--json").expect(DONE)
		assert not listed(outcome)
		assert not any("azure" in item["name"] for item in outcome.json["differences"])
		assert [n for n in outcome.json["notes"] if "rl_app belongs to azure_pg_admin" in n], outcome
		assert pair.target.sql("SELECT FROM pg_roles WHERE rolname ~ 'azure'") is None
	finally:
		pair.source.sql("DROP ROLE azure_pg_admin, azure_x")


def test_a_role_that_becomes_another(roles_pair):
	pair = roles_pair()
	fill(pair, """
CREATE ROLE rl_app LOGIN
CREATE ROLE rl_owner
GRANT rl_owner TO rl_app
ALTER ROLE rl_app IN DATABASE "@" SET role = 'rl_owner'""")
	maps = {"roles_map": [{"source": "rl_owner", "target": "rl_theirs"}]}
	assert not listed(roles(pair, "--yes", "--json", **maps).expect(DONE))
	assert ("rl_app", pair.name, "role=rl_theirs") in pair.target.sql(SETTINGS, pair.name)


def test_a_server_that_takes_no_verifier(roles_pair):
	pair = roles_pair()
	fill(pair)
	pair.target.sql("DROP EXTENSION plpgsql", pair.name)  # it goes through a DO block
	outcome = roles(pair, "--yes", "--json").expect(DIFFERENT)
	assert list(listed(outcome)) == [("role password", "rl_app")]
	assert [n for n in outcome.json["notes"] if "rl_app could not be carried over" in n], outcome
	assert 'refused by the target: CREATE ROLE "rl_app"' in outcome.log and "plpgsql" in outcome.log
	assert_no_secret(outcome)


def test_old_passwords(roles_pair):
	pair = roles_pair()
	fill(pair, """
SET password_encryption = 'md5'; CREATE ROLE rl_old LOGIN PASSWORD 'geheim'
SET password_encryption = 'md5'; CREATE ROLE rl_renamed LOGIN PASSWORD 'geheim'
CREATE TABLE t (id int)
GRANT SELECT ON t TO rl_old, rl_renamed""")
	maps = {"roles_map": [{"source": "rl_renamed", "target": "rl_new"}]}
	outcome = roles(pair, "--yes", "--json", **maps).expect(DONE)
	assert verifiers(pair.target) == {"rl_old": verifiers(pair.source)["rl_old"], "rl_new": None}
	notes = outcome.json["notes"]
	assert [n for n in notes if "md5" in n and "\\password rl_old" in n], outcome
	assert "set a password for rl_new: \\password rl_new" in notes
	assert_no_secret(outcome)


def test_passwords_that_can_not_be_read(roles_pair):
	pair = roles_pair()
	fill(pair)
	fill(pair, "CREATE ROLE rl_mover LOGIN")
	outcome = roles(pair, "--json", user=("rl_mover", "postgres")).expect(DIFFERENT)
	assert "PASSWORD" not in listed(outcome)["role", "rl_app"]["statement"]
	assert "set a password for rl_app: \\password rl_app" in outcome.json["notes"]
	made = roles(pair, "--yes", "--json", user=("rl_mover", "postgres")).expect(DONE)
	assert "set a password for rl_app: \\password rl_app" in made.json["notes"]
	assert not [n for n in made.json["notes"] if "rl_readers" in n], "it can't log in"
	assert verifiers(pair.target)["rl_app"] is None
	assert_same(pair)


@pytest.mark.parametrize("major", [10, 15, 16, 18])
def test_a_target_role_without_superuser(roles_pair, other_major, target, major):
	pair = roles_pair(other=target if major == 15 else other_major(major))
	fill(pair)
	fill(pair, """
CREATE ROLE rl_super LOGIN SUPERUSER
ALTER TABLE t OWNER TO rl_super
GRANT SELECT ON t TO "rl_Odd "" 'n\\" """)
	fill(pair, """
CREATE ROLE rl_admin LOGIN CREATEROLE CREATEDB
GRANT pg_monitor TO rl_admin WITH ADMIN OPTION
ALTER DATABASE "@" OWNER TO rl_admin""", pair.target)
	outcome = roles(pair, "--yes", "--json", user=("postgres", "rl_admin")).expect(DONE)
	left = listed(outcome)
	odd, boss = left["role attributes", "rl_Odd \" 'n\\"], left["role attributes", "rl_super"]
	assert "rl_admin may not give REPLICATION BYPASSRLS" in odd["meaning"]
	assert "may not give SUPERUSER" in boss["meaning"] and boss["severity"] == "note"
	# Only a superuser may set what no extension has declared.
	assert "permission denied to set" in left["role setting", "rl_app: rl.custom"]["meaning"]
	assert set(left) == {("database", pair.name + ": owner"), ("role attributes", "rl_Odd \" 'n\\"),
		("role attributes", "rl_super"), ("role setting", "rl_app: rl.custom")}, outcome
	assert verifiers(pair.target)["rl_app"] == verifiers(pair.source)["rl_app"]
	assert len([s for s in pair.target.sql(SETTINGS, pair.name) if s[0].startswith("rl_")]) == 2


def test_refused_statements_are_listed(roles_pair):
	"""Somebody else's database, and a role that may make none: each failure stands alone."""
	pair = roles_pair()
	fill(pair)
	fill(pair, "CREATE ROLE rl_admin LOGIN CREATEROLE", pair.target)
	outcome = roles(pair, "--yes", "--json", user=("postgres", "rl_admin")).expect(DIFFERENT)
	left = listed(outcome)
	setting = left["database setting", pair.name + ": statement_timeout"]
	assert "could not be made: must be owner" in setting["meaning"]
	assert ("role", "rl_app") not in left and ("role setting", "rl_app: search_path") not in left
	assert [n for n in outcome.json["notes"] if "could not make database setting" in n]
	assert "refused by the target: ALTER DATABASE" in outcome.log

	fill(pair, "ALTER ROLE rl_admin NOCREATEROLE", pair.target)
	fill(pair, "CREATE ROLE rl_late LOGIN PASSWORD 'geheim' NOINHERIT")
	outcome = roles(pair, "--yes", "--json", user=("postgres", "rl_admin")).expect(DIFFERENT)
	assert "could not be made: permission denied" in listed(outcome)["role", "rl_late"]["meaning"]
	assert_no_secret(outcome)


@pytest.mark.parametrize("one, other", [(10, 15), (11, 15), (12, 15), (13, 15), (14, 18), (16, 15),
	(17, 16), (18, 17), (18, 10)])
def test_versions(roles_pair, source, target, other_major, one, other):
	pair = roles_pair(other_major(one), target if other == 15 else other_major(other))
	fill(pair)
	outcome = roles(pair, "--yes", "--json").expect(DONE)
	assert not listed(outcome), outcome
	assert_same(pair)
	assert verifiers(pair.source) == verifiers(pair.target)


def options(server):
	return server.sql("""SELECT g.rolname, m.rolname, admin_option, inherit_option, set_option
		FROM pg_auth_members a JOIN pg_roles g ON g.oid = a.roleid JOIN pg_roles m ON m.oid = a.member
		WHERE m.rolname ~ '^rl_' ORDER BY 1, 2""")


def test_options_of_memberships(roles_pair, other_major):
	pair = roles_pair(other_major(16), other_major(18))
	fill(pair, OPTIONS)
	assert not listed(roles(pair, "--yes", "--json").expect(DONE))
	assert options(pair.source) == options(pair.target) and len(options(pair.source)) == 4
	pair.target.sql("GRANT rl_a TO rl_b WITH INHERIT TRUE")
	found = listed(roles(pair, "--yes", "--json").expect(DIFFERENT))
	statement = found["role membership", "rl_b in rl_a"]["statement"]
	assert statement == 'GRANT "rl_a" TO "rl_b" WITH ADMIN FALSE, INHERIT FALSE, SET TRUE'
	pair.target.sql(statement)
	roles(pair).expect(DONE)


def test_options_that_the_target_lacks(roles_pair, other_major, target):
	pair = roles_pair(other_major(16), target)
	fill(pair, OPTIONS)
	left = listed(roles(pair, "--yes", "--json").expect(DONE))
	assert {item["severity"] for item in left.values()} == {"note"}
	assert "no options" in left["role membership", "rl_b in rl_a"]["meaning"]


def test_settings_that_the_target_does_not_know(roles_pair, other_major, target):
	pair = roles_pair(other_major(18), target)
	fill(pair, """
CREATE ROLE rl_app LOGIN
ALTER ROLE rl_app IN DATABASE "@" SET transaction_timeout = '1min'
ALTER DATABASE "@" SET enable_self_join_elimination = off""")
	found = listed(roles(pair, "--yes", "--json").expect(DONE))
	assert {item["meaning"] for item in found.values()} == {"the target's version has no such setting"}
	assert len(found) == 2


def test_settings_of_everybody(roles_pair, source):
	pair = roles_pair()
	pair.source.sql("ALTER ROLE ALL SET lock_timeout = '10min'")
	try:
		outcome = roles(pair, "--yes", "--json").expect(DIFFERENT)
		item, = [i for i in outcome.json["differences"] if i["name"] == "ALL: lock_timeout"]
		assert item["statement"] == """ALTER ROLE ALL SET "lock_timeout" TO '10min'"""
		assert not item["applies"]
	finally:
		pair.source.sql("ALTER ROLE ALL RESET lock_timeout")


def test_a_server_that_is_away(roles_pair):
	pair = roles_pair()
	away = {**pair.target.address(pair.name), "port": 1}
	peers = [{"name": "source", **pair.source.address(pair.name)}, {"name": "target", **away}]
	p = Pgpier(peers, [mirror()])
	pair.opened.append(p)
	assert json.loads(p("roles", "m", "--json").expect(FAILED).out)["errors"]
	p("roles", "n").expect(USAGE)
