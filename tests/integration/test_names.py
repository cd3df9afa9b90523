# SPDX-License-Identifier: PostgreSQL
"""Names and values that break naive quoting, COPY framing, patterns or a terminal."""
import pytest

from support.pgpier import DONE

NAMES = [
	"plain",
	"Upper Case",
	"dot.in.name",
	'quo"te',
	"apos'trophe",
	"back\\slash",
	"per%cent %s %n",
	"dollar$1 $$",
	"select",
	"東京",
	"e\u0301combining",
	"n" * 63,
	"é" * 31 + "x",
	"esc\x1b[31mred",
	"tab\there",
	"new\nline",
	"carriage\rreturn",
	"*?[a-z]",
	"semi;colon -- comment /*",
	" leading and trailing ",
	"-dash",
	"{brace,comma}",
]

VALUES = ["", "\\.", "\\N", "a\tb\nc\rd\\e", "\x1b]52;c;AAAA\x07", "'; DROP TABLE x; --", "東京", "\x01\x7f", "%s%n"]


def quote(name):
	return '"%s"' % name.replace('"', '""')


def make_tables(connection, schema, names):
	"""Each name is a table's, a column's, a constraint's, an index's and a type's in turn."""
	with connection.cursor() as cursor:
		cursor.execute("CREATE SCHEMA IF NOT EXISTS %s" % quote(schema))
		for name in names:
			table = "%s.%s" % (quote(schema), quote(name))
			short = name.encode()[:50].decode(errors="ignore")
			cursor.execute("CREATE TYPE %s.%s AS ENUM ('a', %s)" % (quote(schema), quote("t" + short),
				"E'%s'" % short.replace("\\", "\\\\").replace("'", "\\'")))
			cursor.execute("CREATE TABLE %s (%s serial CONSTRAINT %s PRIMARY KEY, %s text, e %s.%s)" % (table,
				quote(name), quote("k" + short), quote("v" + short), quote(schema), quote("t" + short)))
			cursor.execute("CREATE INDEX %s ON %s (%s)" % (quote("i" + short), table, quote("v" + short)))
			for value in VALUES:
				cursor.execute("INSERT INTO %s (%s, e) VALUES (%s, 'a')" % (table.replace("%", "%%"),
					quote("v" + short).replace("%", "%%"), "%s"), (value,))


@pytest.mark.parametrize("transfer", [pytest.param("copy", marks=pytest.mark.sanitized), "fetch"])
def test_hostile_names(pair, transfer):
	connection = pair.source.connect(pair.name)
	for schema in ("public", 'sch"ema. 1', "\x1b[2J東\t"):
		make_tables(connection, schema, NAMES)
	connection.close()
	outcome = pair.mirrored(transfer=transfer)
	assert {t["source"] for t in outcome.json["tables"]} >= {"public." + n for n in NAMES}
	assert "\x1b" not in outcome.err, "an escape sequence reached the terminal"
	assert "\x1b" not in outcome.log


def test_hostile_database_names(make_pair, source, target):
	"""Both as fields and in a connection string; passwords are in test_trouble."""
	pair = make_pair(source, target)
	name = "data base's \"%20\\ 東"
	for server in (source, target):
		server.create_db(name)
	try:
		source.sql("CREATE TABLE t AS SELECT generate_series(1, 10) AS i", name)
		pair.name, plain = name, pair.name
		pair.mirrored()
		p = pair.pgpier()
		escaped = "data%20base%27s%20%22%2520%5C%20%E6%9D%B1"
		uri = "postgresql://postgres@127.0.0.1:%d/%s"
		peers = [{"name": n, "conninfo": uri % (s.port, escaped)} for n, s in (("source", source), ("target", target))]
		p.write(peers, [{"name": "again", "source": "source", "target": "target", "tables": ["*"],
			"on_existing_rows": "truncate"}])
		p.run("again").expect(DONE)
		pair.assert_equal()
	finally:
		pair.name = plain
		for server in (source, target):
			server.drop_db(name)


def test_patterns_choose_exactly(pair):
	"""Patterns see unquoted names; a backslash takes a wildcard's meaning away."""
	pair.fill("""CREATE SCHEMA s; CREATE SCHEMA "s t";
		CREATE TABLE s."a*b" AS SELECT 1 AS i; CREATE TABLE s.axb AS SELECT 2 AS i;
		CREATE TABLE s.tmp_1 AS SELECT 3 AS i; CREATE TABLE "s t"."u.v" AS SELECT 4 AS i;
		CREATE TABLE public.no AS SELECT 5 AS i""")
	p = pair.pgpier(tables=["s.a\\*b", "s.tmp*", "s t.*"], exclude=["*.tmp_*"])
	outcome = p.run().expect(DONE)
	assert sorted(t["source"] for t in outcome.json["tables"]) == ["s t.u.v", "s.a*b"], outcome
	pair.assert_equal(outcome, only=["s.a*b", "s t.u.v"])


def test_mapped_tables_and_excluded_columns(pair):
	pair.fill("""CREATE TABLE users (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text, photo bytea,
			upper_name text GENERATED ALWAYS AS (upper(name)) STORED);
		INSERT INTO users (name, photo) SELECT 'u' || i, '\\x00' FROM generate_series(1, 1000) AS i;
		CREATE TABLE other AS SELECT 1 AS i""")
	outcome = pair.pgpier(map=[{"source": "public.users", "target": "app.people"}],
		columns_exclude=["public.users.photo"]).run().expect(DONE)
	assert outcome.table("public.users")["target"] == "app.people", outcome
	pair.assert_equal(outcome, mapping={"public.users": "app.people"}, leave_out={"public.users": ["photo"]})
