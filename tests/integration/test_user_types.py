# SPDX-License-Identifier: PostgreSQL
"""Types that users define, and arrays of them. Their OIDs differ on the target, so binary would be wrong for some."""
import pytest

from support.pgpier import FAILED

TYPES = """
CREATE SCHEMA types;
CREATE TYPE types."odd colour" AS ENUM ('red', 'it''s', 'a,b', '"q"', '東', ' ');
CREATE DOMAIN types.percent AS numeric(5,2) DEFAULT 1 CHECK (VALUE BETWEEN 0 AND 100);
CREATE DOMAIN types.colours AS types."odd colour"[] CHECK (cardinality(VALUE) < 9);
CREATE TYPE types.inner_one AS (a int, "b c" text, d types."odd colour");
CREATE TYPE types.outer_one AS (one types.inner_one, many types.inner_one[], p types.percent);
CREATE DOMAIN types.boxed AS types.inner_one;
CREATE TYPE types.floats AS RANGE (subtype = float8, subtype_diff = float8mi,
	multirange_type_name = types.many_floats);
CREATE TYPE types.colour_range AS RANGE (subtype = types."odd colour", multirange_type_name = types.colour_ranges);
CREATE TYPE types.one_row AS (n int, t text);
CREATE TABLE types.one (
	id int PRIMARY KEY, e types."odd colour", ea types."odd colour"[], p types.percent, pa types.percent[],
	cs types.colours, c types.inner_one, ca types.inner_one[], o types.outer_one, oa types.outer_one[],
	b types.boxed, r types.floats, ra types.floats[], m types.many_floats, x types.colour_range,
	xm types.colour_ranges, xa types.colour_range[], t types.one_row);
"""

ROWS = r"""
INSERT INTO types.one VALUES
	(1, 'it''s', '{red,"a,b","\"q\"",NULL," "}', 99.99, '{0,100,NULL}', '{red,東}',
	 ROW(1, 'x,"y" \ (z)', '東'), ARRAY[ROW(1, NULL, 'red'), NULL, ROW(NULL, '', ' ')]::types.inner_one[],
	 ROW(ROW(1, 'b', 'red'), ARRAY[ROW(2, 'c', 'a,b')]::types.inner_one[], 5),
	 ARRAY[ROW(ROW(1, 'b', NULL), NULL, 7)]::types.outer_one[], ROW(3, 'boxed', 'red'),
	 '[1.5,Infinity)', '{"[1,2]",empty,NULL,"(,)"}', '{[1,2],(3,4)}', '["it''s",東]', '{[red,"it''s"]}',
	 '{"[red,東)",empty}', ROW(1, 'two')),
	(3, 'red', '{}', 0, '{}', '{}', ROW(NULL, NULL, NULL), '{}', ROW(NULL, NULL, NULL), '{}', NULL,
	 'empty', '{}', '{}', 'empty', '{}', '{}', ROW(NULL, NULL));
INSERT INTO types.one (id, e, ea, p, pa, cs) VALUES
	(4, 'red', '[5:6][0:0]={{red},{東}}', 1, '[-1:0]={1,2}', '[2:2]={red}');
INSERT INTO types.one VALUES (2);
CREATE TABLE types.only_enum (id int PRIMARY KEY, e types."odd colour");
INSERT INTO types.only_enum SELECT i, (enum_range(NULL::types."odd colour"))[1 + i % 6] FROM generate_series(1, 500) i;
CREATE TABLE types.only_domain (id int PRIMARY KEY, p types.percent NOT NULL);
INSERT INTO types.only_domain SELECT i, i % 100 FROM generate_series(1, 500) i;
"""


@pytest.mark.parametrize("transfer", ["copy", "fetch"])
def test_user_types(pair, transfer):
	"""The target's OIDs are moved apart first."""
	pair.fill(TYPES)
	pair.fill(ROWS)
	pair.target.sql("CREATE SCHEMA away; CREATE TYPE away.a AS ENUM ('x'); CREATE TYPE away.b AS (i int);"
		" DROP SCHEMA away CASCADE", pair.name)
	pair.mirrored(transfer=transfer)


def test_extension_type_is_refused_where_the_target_lacks_it(pair):
	pair.fill("CREATE EXTENSION hstore; CREATE TABLE h (id int PRIMARY KEY, v hstore);"
		" INSERT INTO h VALUES (1, 'a=>b'); CREATE TABLE fine AS SELECT 1 AS i")
	pair.pgpier().run().expect(FAILED, "public.h", "hstore", "CREATE EXTENSION")
	assert pair.target.sql("SELECT to_regclass('fine')", pair.name) == [(None,)]


def test_extension_type_travels_where_both_have_it(pair):
	pair.target.sql("CREATE EXTENSION hstore", pair.name)
	pair.fill("CREATE EXTENSION hstore; CREATE TABLE h (id int PRIMARY KEY, v hstore, a hstore[]);"
		"""INSERT INTO h VALUES (1, 'a=>b, "c d"=>NULL', ARRAY['x=>1'::hstore, NULL]), (2, '', '{}'), (3, NULL, NULL)""")
	pair.mirrored()
