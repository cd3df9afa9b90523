# SPDX-License-Identifier: PostgreSQL
"""The Schema tab of a mirror, on real servers: what failed, both sides compared, roles made."""
import base64

import pytest

from support.pgpier import DONE

SHOP = """
CREATE SCHEMA app;
CREATE TABLE app.parent (id int PRIMARY KEY, v text);
CREATE TABLE app.child (id serial PRIMARY KEY, parent int REFERENCES app.parent,
	n int CHECK (n > 0));
CREATE INDEX child_n ON app.child (n);
CREATE VIEW app.first AS SELECT id, v FROM app.parent;
CREATE VIEW app.second AS SELECT id FROM app.first;
CREATE FUNCTION app.f(int) RETURNS int LANGUAGE sql AS 'SELECT $1 + 1';
INSERT INTO app.parent SELECT i, 'v' || i FROM generate_series(1, 100) AS i;
INSERT INTO app.child (parent, n) SELECT i, i FROM generate_series(1, 100) AS i;
"""

# The target's database refuses views until it is dropped.
NO_VIEWS = """
CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql
	AS 'BEGIN RAISE EXCEPTION ''no views here'' USING ERRCODE = ''45000''; END';
CREATE EVENT TRIGGER no_views ON ddl_command_start WHEN TAG IN ('CREATE VIEW')
	EXECUTE FUNCTION refuse();
"""


def schema_tab(t, name="m"):
	t.open_load(name)
	t.key("Tab")
	return t


@pytest.fixture
def role(pair):
	"""A role of the source that may read a table of SHOP, and its member; gone after the test."""
	name = "st_" + pair.name
	pair.fill(SHOP)
	pair.source.sql("CREATE ROLE {0}; CREATE ROLE {0}_joe LOGIN IN ROLE {0};"
		" GRANT SELECT ON app.parent TO {0}; GRANT USAGE ON SCHEMA app TO {0}".format(name),
		pair.name)
	yield name
	for server in (pair.target, pair.source):
		if exists(server, name):
			server.sql("DROP OWNED BY %s" % name, pair.name)
		server.sql("DROP ROLE IF EXISTS {0}_joe, {0}".format(name))


def exists(server, role):
	found = server.sql("SELECT 1 FROM pg_roles WHERE rolname = %s", parameters=(role,))
	return found == [(1,)]


@pytest.mark.sanitized
def test_failed_object_mended(pair, opened):
	"""A view fails and another waits for it; when the cause is gone, r makes both."""
	pair.fill(SHOP)
	pair.target.sql(NO_VIEWS, pair.name)
	p = pair.pgpier(schema="database")
	t = schema_tab(opened(p, rows=24, cols=80))
	t.wait("the list of objects comes when the mirror has started")
	t.key("p").wait("1 failed", seconds=60)
	t.match("1 of [0-9]+ objects failed", seconds=60)
	t.match("view +app.first +! failed")
	t.match("view +app.second +! blocked")
	t.wait("no views here")
	t.key("g", "Enter").wait("SQLSTATE 45000")
	t.wait("CREATE VIEW app.first AS")
	t.key("Esc").wait("objects failed")
	t.key("/").text("state:done kind:index").key("Enter").match("index +app.child_n +. done")
	t.key("y").wait("copied")
	assert "CREATE INDEX child_n ON app.child" in base64.b64decode(t.osc().split(";")[2]).decode()
	t.key("Esc").wait("app.first")
	pair.target.sql("DROP EVENT TRIGGER no_views; DROP FUNCTION refuse()", pair.name)
	t.key("r").match("all of [0-9]+ objects", seconds=60)
	t.gone("! failed")
	t.gone("! blocked")
	assert pair.target.sql("SELECT count(*) FROM app.second", pair.name) == [(100,)]
	pair.assert_equal()
	t.key("q")
	assert t.exit() == 0
	assert p("status", "m", "--json").expect(DONE).json["state"] == "done"


def test_role_that_comes_later(pair, role, opened):
	"""A grant to a role that the target lacks; when the role is there, r makes it, while the mirror replicates."""
	t = schema_tab(opened(pair.pgpier(schema="database", owners="keep", continuous=True,
		slot="pgpier_" + pair.name), rows=24, cols=120))
	t.key("p").match("acl +TABLE app.parent +! blocked", seconds=60)
	t.wait("names role %s" % role)
	t.match("of [0-9]+ objects need is not there", seconds=60)
	pair.target.sql("CREATE ROLE %s" % role)
	t.key("r").match("all of [0-9]+ objects", seconds=60)
	allowed = pair.target.sql("SELECT has_table_privilege(%s, 'app.parent', 'SELECT')", pair.name, parameters=(role,))
	assert allowed == [(True,)]
	t.key("q", "y")
	assert t.exit() == 0


@pytest.mark.sanitized
def test_difference(pair, opened):
	"""What one side lacks, both definitions, the statement that mends; then none any more."""
	pair.fill(SHOP)
	p = pair.pgpier(schema="database")
	p.run().expect(DONE)
	pair.target.sql("DROP INDEX app.child_n; CREATE TABLE app.extra (id int);"
		" CREATE OR REPLACE VIEW app.second AS SELECT id + 1 AS id FROM app.first", pair.name)
	t = schema_tab(opened(p, rows=30, cols=120))
	t.wait("all of")
	t.key("d").match("[0-9]+ blockers?, [0-9]+ warnings?, .* of [0-9]+ compared", seconds=60)
	t.match("app.child_n +index +missing on the target")
	t.match("app.extra +table +on the target only")
	t.match("app.second +view +not the same")
	t.key("/").text("second").key("Enter").gone("app.extra")
	t.key("Enter").match(r"SELECT \(?first.id \+ 1")
	t.wait("CREATE OR REPLACE VIEW app.second")
	t.key("Esc", "Esc", "/").text("child_n").key("Enter").gone("app.extra")
	t.key("y").wait("copied")
	mend = base64.b64decode(t.osc().split(";")[2]).decode()
	pair.target.sql(mend, pair.name)
	pair.target.sql("DROP TABLE app.extra;"
		" CREATE OR REPLACE VIEW app.second AS SELECT id FROM app.first", pair.name)
	t.key("Esc", "R").wait("no differences", seconds=60)
	t.key("Esc").wait("all of")
	t.key("q")
	assert t.exit() == 0


def test_roles_applied(pair, role, opened):
	"""Made only after a yes to a question that names them and the server."""
	t = schema_tab(opened(pair.pgpier(schema="database"), rows=40, cols=120))
	t.key("o").match("%s +.*role" % role, seconds=60)
	t.key("a").match("Make [0-9]+ things? on target")
	t.wait("role %s" % role)
	t.key("Enter").gone("Make ")
	assert not exists(pair.target, role)
	t.key("a").wait("on target?")
	t.key("y").match("[0-9]+ statements? run on target", seconds=60)
	assert exists(pair.target, role) and exists(pair.target, role + "_joe")
	t.key("q")
	assert t.exit() == 0
