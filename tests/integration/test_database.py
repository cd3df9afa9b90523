# SPDX-License-Identifier: PostgreSQL
"""A whole database's schema: every object kind of pg_dump, and what happens when one can't be made."""
from support.pgpier import DONE

SMALL = """
CREATE SCHEMA app;
CREATE TYPE app.mood AS ENUM ('sad', 'glad');
CREATE TABLE app.parent (id int PRIMARY KEY, m app.mood DEFAULT 'glad', v text);
CREATE TABLE app.child (id serial PRIMARY KEY, parent int REFERENCES app.parent, n int CHECK (n > 0));
CREATE INDEX child_n ON app.child (n);
CREATE VIEW app.v AS SELECT * FROM app.child;
CREATE MATERIALIZED VIEW app.mv AS SELECT count(*) FROM app.child;
CREATE FUNCTION app.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER t BEFORE INSERT ON app.child FOR EACH ROW EXECUTE FUNCTION app.f();
COMMENT ON TABLE app.child IS 'children';
INSERT INTO app.parent SELECT i, 'sad', i FROM generate_series(1, 1000) AS i;
INSERT INTO app.child (parent, n) SELECT i, i FROM generate_series(1, 1000) AS i;
REFRESH MATERIALIZED VIEW app.mv;
"""


def test_small(pair):
	pair.fill(SMALL)
	outcome = pair.mirrored(schema="database")
	assert pair.target.sql("SELECT count FROM app.mv", pair.name) == [(1000,)]
	print(outcome.log)
