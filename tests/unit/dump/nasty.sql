-- SPDX-License-Identifier: PostgreSQL
-- Names, bodies and comments that look like parts of a dump. What pg_restore 15 -v makes of it is in
-- pre_data.txt and post_data.txt; test_dump.py makes it anew on servers of other majors.
CREATE SCHEMA "s;q";
CREATE SCHEMA app;
CREATE TYPE app.mood AS ENUM ('so''so', 'a;b', '-- c');
CREATE DOMAIN app.positive AS int CONSTRAINT "is > 0" CHECK (VALUE > 0) DEFAULT 1;
COMMENT ON CONSTRAINT "is > 0" ON DOMAIN app.positive IS $$it's $body$ \ backslash$$;
CREATE TABLE app.t (id serial PRIMARY KEY, v text DEFAULT 'a;b''c' || E'\\n\'', w numeric CHECK (w > 0), UNIQUE (v));
COMMENT ON TABLE app.t IS E'line\n--\n-- TOC entry 215 (class 1259 OID 16386)\n-- Dependencies: 5\n-- Name: x; Type: TABLE; Schema: s; Owner: o\n--\n\nDROP TABLE x;';
CREATE TABLE "s;q"."na
me; Type: VIEW; Schema: a; Owner: b" ("c""x" int, PRIMARY KEY ("c""x"));
CREATE TABLE "s;q"."--
-- TOC entry 1 (class 1259 OID 1)" (a int);
CREATE FUNCTION app.f(a int, b text = $q$;'--$q$) RETURNS text LANGUAGE plpgsql AS $body$
--
-- TOC entry 9 (class 1259 OID 16386)
-- Name: q; Type: TABLE; Schema: s; Owner: o
--
BEGIN RETURN 'it''s; $x$ "'; /* ' */ END; $body$;
CREATE VIEW app.v AS SELECT id, 'ALTER TABLE x OWNER TO y;' AS txt, '
ALTER TABLE app.v OWNER TO somebody;
' AS "tx't" FROM app.t;
CREATE RULE r AS ON INSERT TO app.v DO INSTEAD (INSERT INTO app.t (v) VALUES ('a'); INSERT INTO app.t (v) VALUES (';'));
CREATE FUNCTION app.tf() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER "tr on x" BEFORE INSERT OR UPDATE OF v, w ON app.t FOR EACH ROW
	WHEN (NEW.v IS DISTINCT FROM 'on') EXECUTE PROCEDURE app.tf();
ALTER TABLE app.t DISABLE TRIGGER "tr on x";
CREATE POLICY "p on q" ON app.t USING (v = 'ON');
ALTER TABLE app.t ENABLE ROW LEVEL SECURITY;
CREATE TABLE app.c (id int PRIMARY KEY, t int REFERENCES app.t);
CREATE INDEX "c(t)" ON app.c ((t + 1)) WHERE t > 0;
ALTER TABLE app.c CLUSTER ON c_pkey;
CREATE STATISTICS app.st (ndistinct) ON id, t FROM app.c;
CREATE MATERIALIZED VIEW app.mv AS SELECT * FROM app.t;
CREATE TABLE app.pt (id int, k int) PARTITION BY RANGE (id);
CREATE TABLE app.pt1 PARTITION OF app.pt FOR VALUES FROM (0) TO (9);
CREATE PUBLICATION pub FOR TABLE app.t;
CREATE FUNCTION app.et() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE EVENT TRIGGER et ON ddl_command_start EXECUTE PROCEDURE app.et();
ALTER EVENT TRIGGER et DISABLE;
GRANT SELECT ON app.v TO PUBLIC;
GRANT UPDATE (v) ON app.t TO PUBLIC;
ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT ON TABLES TO PUBLIC;
