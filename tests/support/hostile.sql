-- A small database of many kinds, under names that break naive quoting.
CREATE SCHEMA s;
CREATE TYPE s.e AS ENUM ('a', 'b');
CREATE TABLE s."a
b$1" (id serial PRIMARY KEY, g int GENERATED ALWAYS AS IDENTITY, e s.e DEFAULT 'a', t text, UNIQUE (g));
INSERT INTO s."a
b$1" (t) SELECT 'x' || i FROM generate_series(1, 1000) AS i;
CREATE TABLE s."q""uo'te \ %s `x` ${y}" (id bigint PRIMARY KEY, v float8 DEFAULT 0.1,
	twice int GENERATED ALWAYS AS (id * 2) STORED);
INSERT INTO s."q""uo'te \ %s `x` ${y}" SELECT i, i / 3.0 FROM generate_series(1, 500) AS i;
CREATE TABLE s."*?[a-z]" (id int PRIMARY KEY REFERENCES s."q""uo'te \ %s `x` ${y}" (id));
INSERT INTO s."*?[a-z]" VALUES (1), (2);
CREATE TABLE s.p (i int, j int, PRIMARY KEY (i)) PARTITION BY RANGE (i);
CREATE TABLE s.p1 PARTITION OF s.p FOR VALUES FROM (0) TO (10);
CREATE TABLE s.p2 PARTITION OF s.p FOR VALUES FROM (10) TO (1000);
CREATE INDEX ON s.p (j);
INSERT INTO s.p SELECT i, i FROM generate_series(0, 200) AS i;
CREATE TABLE public.other (i int PRIMARY KEY REFERENCES s.p (i), secret text);
INSERT INTO public.other VALUES (1, 'shh');
CREATE VIEW s.v AS SELECT * FROM s.p;
CREATE MATERIALIZED VIEW s.mv AS SELECT count(*) AS x FROM s.p;
CREATE FUNCTION s.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
CREATE TRIGGER tr BEFORE INSERT ON s.p FOR EACH ROW EXECUTE FUNCTION s.f();
CREATE POLICY po ON s.p USING (true);
CREATE STATISTICS s.st ON i, j FROM s.p;
CREATE SEQUENCE s."se%q\" INCREMENT -3 MINVALUE -1000 MAXVALUE 100 START 50;
SELECT nextval('s."se%q\"');
COMMENT ON TABLE s.p IS 'partitioned';
GRANT SELECT ON s.p TO public;
