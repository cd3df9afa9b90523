-- SPDX-License-Identifier: PostgreSQL
-- Every kind of object that pg_dump 15 writes into a schema-only dump, and the kinds of each kind. What can't be
-- made on a bare server is missing: security labels need a provider that no package has.
-- Roles every_owner and every_reader exist.

CREATE SCHEMA app AUTHORIZATION every_owner;
CREATE SCHEMA "Odd ""Schema""";
COMMENT ON SCHEMA app IS 'the application''s; with a semicolon
-- and a line that looks like a comment';
CREATE EXTENSION pgcrypto SCHEMA app;
CREATE EXTENSION btree_gist;
COMMENT ON EXTENSION pgcrypto IS 'hashes';

-- languages, methods, transforms, casts
CREATE FUNCTION app.pl_call() RETURNS language_handler LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_call_handler';
CREATE FUNCTION app.pl_inline(internal) RETURNS void LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_inline_handler';
CREATE FUNCTION app.pl_check(oid) RETURNS void LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_validator';
CREATE TRUSTED LANGUAGE planother HANDLER app.pl_call INLINE app.pl_inline VALIDATOR app.pl_check;
COMMENT ON LANGUAGE planother IS 'another name';
GRANT USAGE ON LANGUAGE planother TO every_reader;
CREATE ACCESS METHOD gist_again TYPE INDEX HANDLER gisthandler;
CREATE ACCESS METHOD heap_again TYPE TABLE HANDLER heap_tableam_handler;
COMMENT ON ACCESS METHOD heap_again IS 'heap';
CREATE TRANSFORM FOR int LANGUAGE sql (FROM SQL WITH FUNCTION prsd_lextype(internal),
	TO SQL WITH FUNCTION int4recv(internal));
COMMENT ON TRANSFORM FOR int LANGUAGE sql IS 'nothing';

-- types
CREATE TYPE app.mood AS ENUM ('sad', 'o''k', 'glad');
CREATE TYPE app.pair AS (a int, b text COLLATE "C");
CREATE TYPE app.inner_pair AS (p app.pair, m app.mood[]);
CREATE TYPE app.span AS RANGE (subtype = float8, subtype_diff = float8mi, multirange_type_name = app.spans);
CREATE TYPE app.only_a_shell;
CREATE TYPE app.base;
CREATE FUNCTION app.base_in(cstring) RETURNS app.base LANGUAGE internal STRICT IMMUTABLE AS 'int4in';
CREATE FUNCTION app.base_out(app.base) RETURNS cstring LANGUAGE internal STRICT IMMUTABLE AS 'int4out';
CREATE TYPE app.base (INPUT = app.base_in, OUTPUT = app.base_out, INTERNALLENGTH = 4, PASSEDBYVALUE, ALIGNMENT = int4);
COMMENT ON TYPE app.base IS 'an int';
ALTER TYPE app.mood OWNER TO every_owner;
GRANT USAGE ON TYPE app.pair TO every_reader;
CREATE DOMAIN app.positive AS int DEFAULT 1 NOT NULL CONSTRAINT more_than_none CHECK (VALUE > 0);
ALTER DOMAIN app.positive ADD CONSTRAINT not_thirteen CHECK (VALUE <> 13) NOT VALID;
COMMENT ON CONSTRAINT more_than_none ON DOMAIN app.positive IS 'so named';
CREATE DOMAIN app.code AS varchar(10) COLLATE "C";
CREATE COLLATION app.bytewise (provider = libc, locale = 'C');
CREATE COLLATION app.german (provider = icu, locale = 'de-u-co-phonebk', deterministic = false);
COMMENT ON COLLATION app.german IS 'phone books';
CREATE CONVERSION app.from_latin FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
COMMENT ON CONVERSION app.from_latin IS 'again';
CREATE CAST (app.base AS int) WITHOUT FUNCTION AS IMPLICIT;
CREATE CAST (int AS app.base) WITHOUT FUNCTION AS ASSIGNMENT;
COMMENT ON CAST (app.base AS int) IS 'the same bits';

-- functions, operators, aggregates
CREATE FUNCTION app.add_one(n int, OUT result int) LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 3
	AS $body$ SELECT n + 1; -- a $$ inside; CREATE TABLE nothing ();
$body$;
CREATE FUNCTION app.standard(a int DEFAULT 3, VARIADIC rest int[] DEFAULT '{}') RETURNS int LANGUAGE sql
BEGIN ATOMIC
	SELECT a + 1;
	SELECT CASE WHEN a > 0 THEN app.add_one(a) END;
END;
CREATE FUNCTION app.pairs(n int) RETURNS TABLE (a int, b text) LANGUAGE plpgsql ROWS 7 SECURITY DEFINER
	SET search_path = app, pg_temp SET work_mem = '4MB' AS 'BEGIN RETURN QUERY SELECT n, ''x''::text; END';
CREATE FUNCTION app.other_language() RETURNS int LANGUAGE planother AS 'BEGIN RETURN 1; END';
CREATE PROCEDURE app.do_it(INOUT a int) LANGUAGE plpgsql AS 'BEGIN a := a * 2; COMMIT; END';
COMMENT ON FUNCTION app.add_one(int) IS 'one more';
COMMENT ON PROCEDURE app.do_it(int) IS 'does it';
ALTER FUNCTION app.pairs(int) OWNER TO every_owner;
REVOKE ALL ON FUNCTION app.pairs(int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.pairs(int) TO every_reader WITH GRANT OPTION;
GRANT EXECUTE ON PROCEDURE app.do_it(int) TO every_reader;
CREATE AGGREGATE app.total(int) (SFUNC = int4pl, STYPE = int, INITCOND = '0', PARALLEL = SAFE);
CREATE AGGREGATE app.nth(float8 ORDER BY anyelement) (SFUNC = ordered_set_transition, STYPE = internal,
	FINALFUNC = percentile_disc_final, FINALFUNC_EXTRA);
COMMENT ON AGGREGATE app.total(int) IS 'a sum';
CREATE FUNCTION app.same(app.pair, app.pair) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT $1.a = $2.a';
CREATE OPERATOR app.=== (LEFTARG = app.pair, RIGHTARG = app.pair, FUNCTION = app.same, COMMUTATOR = OPERATOR(app.===));
CREATE OPERATOR app.!! (RIGHTARG = int, FUNCTION = app.add_one);
COMMENT ON OPERATOR app.=== (app.pair, app.pair) IS 'alike';
CREATE OPERATOR FAMILY app.backwards USING btree;
CREATE FUNCTION app.compare_back(int, int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT btint4cmp($2, $1)';
CREATE OPERATOR CLASS app.backwards_int FOR TYPE int USING btree FAMILY app.backwards AS OPERATOR 1 >, OPERATOR 2 >=,
	OPERATOR 3 =, OPERATOR 4 <=, OPERATOR 5 <, FUNCTION 1 app.compare_back(int, int);
ALTER OPERATOR FAMILY app.backwards USING btree ADD FUNCTION 2 (int, int) btint4sortsupport(internal);
COMMENT ON OPERATOR CLASS app.backwards_int USING btree IS 'largest first';
COMMENT ON OPERATOR FAMILY app.backwards USING btree IS 'largest first';

-- text search
CREATE TEXT SEARCH PARSER app.words (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end,
	LEXTYPES = prsd_lextype);
CREATE TEXT SEARCH TEMPLATE app.plain (INIT = dsimple_init, LEXIZE = dsimple_lexize);
CREATE TEXT SEARCH DICTIONARY app.short (TEMPLATE = app.plain, STOPWORDS = 'english');
CREATE TEXT SEARCH CONFIGURATION app.search (PARSER = app.words);
ALTER TEXT SEARCH CONFIGURATION app.search ADD MAPPING FOR asciiword, word WITH app.short, simple;
COMMENT ON TEXT SEARCH PARSER app.words IS 'words';
COMMENT ON TEXT SEARCH TEMPLATE app.plain IS 'plain';
COMMENT ON TEXT SEARCH DICTIONARY app.short IS 'short';
COMMENT ON TEXT SEARCH CONFIGURATION app.search IS 'search';

-- foreign data
CREATE FOREIGN DATA WRAPPER nowhere OPTIONS (debug 'true');
CREATE SERVER far TYPE 'none' VERSION '1' FOREIGN DATA WRAPPER nowhere OPTIONS (host 'far.example');
CREATE USER MAPPING FOR every_reader SERVER far OPTIONS ("user" 'someone');
CREATE FOREIGN TABLE app.abroad (id int OPTIONS (name 'ID') NOT NULL, v text DEFAULT 'x', CHECK (id > 0)) SERVER far
	OPTIONS (remote 'abroad');
COMMENT ON FOREIGN DATA WRAPPER nowhere IS 'leads nowhere';
COMMENT ON SERVER far IS 'far';
COMMENT ON FOREIGN TABLE app.abroad IS 'not here';
GRANT USAGE ON FOREIGN DATA WRAPPER nowhere TO every_reader;
GRANT USAGE ON FOREIGN SERVER far TO every_reader;
GRANT SELECT ON app.abroad TO every_reader;

-- sequences
CREATE SEQUENCE app.numbers AS smallint START 100 INCREMENT -5 MINVALUE -300 MAXVALUE 300 CACHE 7 CYCLE;
CREATE UNLOGGED SEQUENCE app.fast;
COMMENT ON SEQUENCE app.numbers IS 'down';
GRANT USAGE ON SEQUENCE app.numbers TO every_reader;
ALTER SEQUENCE app.fast OWNER TO every_owner;
SELECT nextval('app.numbers'), nextval('app.fast'), nextval('app.fast');

-- tables
CREATE TABLE app.parent (
	id int PRIMARY KEY,
	m app.mood DEFAULT 'glad',
	v text COMPRESSION pglz COLLATE app.bytewise,
	total int GENERATED ALWAYS AS (id * 2) STORED,
	UNIQUE NULLS NOT DISTINCT (v) INCLUDE (m)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.5, toast.autovacuum_enabled = false);
CREATE TABLE app.child (
	id serial,
	ident bigint GENERATED BY DEFAULT AS IDENTITY (START 5 INCREMENT 5 CYCLE),
	parent int CONSTRAINT to_parent REFERENCES app.parent ON UPDATE CASCADE ON DELETE SET NULL DEFERRABLE
		INITIALLY DEFERRED,
	above int,
	n int CONSTRAINT n_positive CHECK (n > 0) DEFAULT app.add_one(1),
	during tstzrange,
	d app.positive,
	b app.base,
	p app.pair,
	s app.spans,
	body text,
	CONSTRAINT child_key PRIMARY KEY (id) WITH (fillfactor = 70),
	CONSTRAINT child_n UNIQUE (n, parent) DEFERRABLE,
	CONSTRAINT child_during EXCLUDE USING gist (parent WITH =, during WITH &&) WHERE (n > 5),
	CONSTRAINT child_above FOREIGN KEY (above) REFERENCES app.child
);
ALTER TABLE app.child ALTER body SET STORAGE EXTERNAL, ALTER body SET STATISTICS 500, ALTER n SET (n_distinct = 5);
ALTER TABLE app.child ADD CONSTRAINT later CHECK (n < 1000000) NOT VALID;
ALTER TABLE app.child OWNER TO every_owner;
COMMENT ON TABLE app.child IS 'children';
COMMENT ON COLUMN app.child.body IS 'text; of the body';
COMMENT ON CONSTRAINT to_parent ON app.child IS 'their parent';
COMMENT ON CONSTRAINT child_key ON app.child IS 'their key';
GRANT SELECT, INSERT ON app.child TO every_reader;
GRANT UPDATE (body) ON app.child TO every_reader;
GRANT SELECT ON app.parent TO PUBLIC;
CREATE UNLOGGED TABLE app.cache (k text PRIMARY KEY, v jsonb);
CREATE TABLE app.typed OF app.pair (PRIMARY KEY (a), b WITH OPTIONS DEFAULT 'x');
CREATE TABLE app.other_method (a int) USING heap_again;
CREATE TABLE app.base_table (id int, note text, CONSTRAINT noted CHECK (note <> ''), here int CHECK (here > 0) NO INHERIT);
CREATE TABLE app.derived (more int DEFAULT 4) INHERITS (app.base_table);
CREATE TABLE app.no_columns ();
CREATE TABLE "Odd ""Schema"""."Odd; Table" ("a;b" int PRIMARY KEY, "select" text DEFAULT '; DROP');
CREATE TABLE public.plain (id int PRIMARY KEY, v text);
ALTER TABLE public.plain REPLICA IDENTITY FULL;

CREATE TABLE app.event (id int, at date NOT NULL, parent int REFERENCES app.parent, v text, PRIMARY KEY (id, at))
	PARTITION BY RANGE (at);
CREATE TABLE app.event_2025 PARTITION OF app.event FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE app.event_2026 PARTITION OF app.event (v DEFAULT 'new') FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')
	PARTITION BY RANGE (id);
CREATE TABLE app.event_2026_a PARTITION OF app.event_2026 FOR VALUES FROM (MINVALUE) TO (700);
CREATE TABLE app.event_2026_rest PARTITION OF app.event_2026 DEFAULT;
CREATE TABLE app.event_old (v text, dropped int, parent int, at date NOT NULL, id int NOT NULL);
ALTER TABLE app.event_old DROP COLUMN dropped;
ALTER TABLE app.event ATTACH PARTITION app.event_old FOR VALUES FROM (MINVALUE) TO ('2025-01-01');
CREATE INDEX event_v ON app.event (v);
CREATE INDEX event_only ON ONLY app.event (parent);
CREATE TABLE app.hashed (id int) PARTITION BY HASH (id);
CREATE TABLE app.hashed_0 PARTITION OF app.hashed FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE app.hashed_1 PARTITION OF app.hashed FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE app.visit (id int PRIMARY KEY, event int, at date, FOREIGN KEY (event, at) REFERENCES app.event (id, at));

-- indexes
CREATE UNIQUE INDEX child_ident ON app.child (ident);
CREATE INDEX child_half ON app.child (n) WHERE n > 10;
CREATE INDEX child_words ON app.child USING gin (to_tsvector('english', body));
CREATE INDEX child_expression ON app.child (lower(body) COLLATE app.bytewise DESC NULLS LAST, app.add_one(n)) INCLUDE (b);
ALTER INDEX app.child_expression ALTER COLUMN 2 SET STATISTICS 300;
CREATE INDEX child_brin ON app.child USING brin (id) WITH (pages_per_range = 4);
CREATE INDEX child_hash ON app.child USING hash (id);
CREATE INDEX child_class ON app.child (n app.backwards_int);
COMMENT ON INDEX app.child_half IS 'half';
ALTER TABLE app.child CLUSTER ON child_expression;
ALTER TABLE app.child REPLICA IDENTITY USING INDEX child_key;
CREATE TABLE app.identified (a int, code text NOT NULL);
CREATE UNIQUE INDEX identified_code ON app.identified (code);
ALTER TABLE app.identified REPLICA IDENTITY USING INDEX identified_code;
CREATE STATISTICS app.child_stats (ndistinct, dependencies, mcv) ON n, parent FROM app.child;
CREATE STATISTICS app.child_expr ON (n % 10), (n % 7) FROM app.child;
ALTER STATISTICS app.child_stats SET STATISTICS 200;
COMMENT ON STATISTICS app.child_stats IS 'hand in hand';

-- views
CREATE VIEW app.few WITH (security_barrier) AS SELECT id, n, body FROM app.child WHERE n < 10 WITH LOCAL CHECK OPTION;
ALTER VIEW app.few ALTER n SET DEFAULT 3;
ALTER VIEW app.few OWNER TO every_owner;
CREATE VIEW app.grouped AS SELECT p.id, p.v, count(*) FROM app.parent p JOIN app.child c ON c.parent = p.id GROUP BY p.id;
CREATE VIEW app.counting AS WITH RECURSIVE c (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM c WHERE n < 5) SELECT n FROM c;
CREATE MATERIALIZED VIEW app.summary AS SELECT parent, count(*) AS many FROM app.child GROUP BY parent;
CREATE UNIQUE INDEX summary_parent ON app.summary (parent);
CREATE VIEW app.of_summary AS SELECT many, count(*) AS times FROM app.summary GROUP BY many;
CREATE MATERIALIZED VIEW app.summary_of AS SELECT * FROM app.of_summary WHERE many > 0;
CREATE MATERIALIZED VIEW app.by_key AS SELECT p.id, p.v, count(*) FROM app.parent p GROUP BY p.id;
CREATE MATERIALIZED VIEW app.never AS SELECT 1 AS one WITH NO DATA;
CREATE FUNCTION app.count_few() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT count(*) FROM app.few';
CREATE VIEW app.counted AS SELECT app.count_few() AS n;
COMMENT ON VIEW app.few IS 'few';
COMMENT ON MATERIALIZED VIEW app.summary IS 'summary';
COMMENT ON COLUMN app.few.n IS 'how many';
GRANT SELECT ON app.few, app.summary TO every_reader;

-- triggers, rules, policies
CREATE FUNCTION app.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.body := ''touched''; RETURN NEW; END';
CREATE FUNCTION app.nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER touch BEFORE INSERT OR UPDATE OF body ON app.child FOR EACH ROW WHEN (NEW.n > 0) EXECUTE FUNCTION app.touch();
CREATE TRIGGER together AFTER UPDATE ON app.child REFERENCING OLD TABLE AS o NEW TABLE AS n FOR EACH STATEMENT
	EXECUTE FUNCTION app.nothing();
CREATE CONSTRAINT TRIGGER checked AFTER INSERT ON app.child DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
	EXECUTE FUNCTION app.nothing();
CREATE TRIGGER instead INSTEAD OF INSERT ON app.grouped FOR EACH ROW EXECUTE FUNCTION app.nothing('with', 'arguments');
CREATE TRIGGER of_all AFTER INSERT ON app.event FOR EACH ROW EXECUTE FUNCTION app.nothing();
ALTER TABLE app.child DISABLE TRIGGER together;
ALTER TABLE app.child ENABLE REPLICA TRIGGER checked;
ALTER TABLE app.event_2025 DISABLE TRIGGER of_all;
CREATE TRIGGER truncated BEFORE TRUNCATE ON public.plain FOR EACH STATEMENT EXECUTE FUNCTION app.nothing();
COMMENT ON TRIGGER touch ON app.child IS 'touches';
CREATE RULE also AS ON INSERT TO public.plain WHERE NEW.id < 0 DO INSTEAD NOTHING;
CREATE RULE told AS ON UPDATE TO app.few DO ALSO NOTIFY told;
ALTER TABLE public.plain DISABLE RULE also;
COMMENT ON RULE also ON public.plain IS 'no negative ones';
ALTER TABLE app.child ENABLE ROW LEVEL SECURITY;
ALTER TABLE app.parent ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY mine ON app.child AS RESTRICTIVE FOR SELECT TO every_reader USING (n > 0);
CREATE POLICY all_of_it ON app.parent USING (true) WITH CHECK (id > 0);
COMMENT ON POLICY mine ON app.child IS 'mine';
CREATE FUNCTION app.watch() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN
	IF current_setting('application_name') LIKE 'pgpier/%' THEN
		RAISE EXCEPTION 'an event trigger fired for pgpier''s own statements';
	END IF;
END$$;
CREATE EVENT TRIGGER watcher ON ddl_command_end WHEN TAG IN ('CREATE TABLE', 'ALTER TABLE', 'CREATE INDEX', 'CREATE VIEW',
	'REFRESH MATERIALIZED VIEW', 'COMMENT', 'GRANT') EXECUTE FUNCTION app.watch();
CREATE EVENT TRIGGER sleeping ON sql_drop EXECUTE FUNCTION app.watch();
ALTER EVENT TRIGGER sleeping DISABLE;
COMMENT ON EVENT TRIGGER watcher IS 'watches';

-- publications and subscriptions
CREATE PUBLICATION some_tables FOR TABLE public.plain WHERE (id > 10), app.identified (code) WITH (publish = 'insert, update');
CREATE PUBLICATION a_schema FOR TABLES IN SCHEMA "Odd ""Schema""";
CREATE PUBLICATION nothing_yet;
COMMENT ON PUBLICATION some_tables IS 'some';
CREATE SUBSCRIPTION from_afar CONNECTION 'host=far.example dbname=none' PUBLICATION those
	WITH (connect = false, slot_name = 'afar');

-- privileges by default
ALTER DEFAULT PRIVILEGES FOR ROLE every_owner IN SCHEMA app GRANT SELECT ON TABLES TO every_reader;
ALTER DEFAULT PRIVILEGES FOR ROLE every_owner REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
GRANT USAGE ON SCHEMA app TO every_reader;
GRANT CREATE ON SCHEMA public TO every_reader;

-- large objects
SELECT lo_from_bytea(61000, 'a large object'), lo_from_bytea(61001, decode(repeat('00ff', 5000), 'hex'));
ALTER LARGE OBJECT 61000 OWNER TO every_owner;
GRANT SELECT ON LARGE OBJECT 61000 TO every_reader;
COMMENT ON LARGE OBJECT 61001 IS 'zeroes and ones';

-- rows
INSERT INTO app.parent SELECT i, (ARRAY['sad', 'glad'])[1 + i % 2]::app.mood, 'v' || i FROM generate_series(1, 500) AS i;
ALTER TABLE app.child DISABLE TRIGGER touch;
INSERT INTO app.child (parent, above, n, during, b, p, s, body)
	SELECT i % 500 + 1, nullif(i / 2, 0), i, tstzrange(to_timestamp(i * 100), to_timestamp(i * 100 + 50)), i, (i, 'x'::text)::app.pair,
	'{[1,2]}', 'body ' || i FROM generate_series(1, 3000) AS i;
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE app.child ENABLE TRIGGER touch;
INSERT INTO app.cache VALUES ('k', '{"a": 1}');
INSERT INTO app.typed VALUES (1, 'one'), (2, 'two');
INSERT INTO app.other_method SELECT generate_series(1, 10);
INSERT INTO app.base_table VALUES (1, 'base', 1);
INSERT INTO app.derived VALUES (2, 'derived', NULL, 5);
INSERT INTO "Odd ""Schema"""."Odd; Table" VALUES (1, 'x');
INSERT INTO public.plain SELECT i, i FROM generate_series(1, 100) AS i;
INSERT INTO app.event SELECT i, date '2024-06-01' + i, i % 500 + 1, chr(97 + i % 3) FROM generate_series(1, 900) AS i;
INSERT INTO app.hashed SELECT generate_series(1, 50);
INSERT INTO app.visit SELECT i, i, date '2024-06-01' + i FROM generate_series(1, 900, 7) AS i;
INSERT INTO app.identified SELECT i, 'c' || i FROM generate_series(1, 20) AS i;
REFRESH MATERIALIZED VIEW app.summary;
REFRESH MATERIALIZED VIEW app.summary_of;
REFRESH MATERIALIZED VIEW app.by_key;
