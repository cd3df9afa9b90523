# SPDX-License-Identifier: PostgreSQL
"""Every type of PostgreSQL 15 and arrays of it arrive equal: by COPY and by FETCH, in binary and in text.

Each type has a table of its own, so that each gets the format that it allows; the tables of schema as_text
have a column besides that must travel as text, and drags its neighbours along.
"""
import pytest

from type_values import EVERY_TYPE, NO_INPUT, VALUES, arrays


def type_name(name):
	return {"char": '"char"', "bit": "bit(1)", "bpchar": "bpchar"}.get(name, name)


def make_tables(connection):
	with connection.cursor() as cursor:
		cursor.execute("CREATE SCHEMA plain; CREATE SCHEMA as_text")
		for name, values in VALUES.items():
			cursor.execute("SELECT typdelim FROM pg_type WHERE typname = %s", (name,))
			delimiter = cursor.fetchone()[0]
			kind = type_name(name)
			array_kind = "pg_catalog._" + name if name != "char" else '"char"[]'
			cursor.execute('CREATE TABLE plain."t_%s" (id int PRIMARY KEY, v %s, a %s)' % (name, kind, array_kind))
			for value in values + [None]:
				cursor.execute('INSERT INTO plain."t_%s" SELECT count(*), %%s FROM plain."t_%s"' % (name, name),
					(value,))
			for value in arrays(values, delimiter) + [None]:
				cursor.execute('INSERT INTO plain."t_%s" SELECT count(*), NULL, %%s FROM plain."t_%s"'
					% (name, name), (value,))
			cursor.execute("""CREATE TABLE as_text."t_%s" (LIKE plain."t_%s", drag regtype DEFAULT 'int4'::regtype);
				INSERT INTO as_text."t_%s" SELECT * FROM plain."t_%s" """ % ((name,) * 4))


def test_the_list_is_complete(source):
	"""What the catalogs hold is either tried here or can't be loaded at all."""
	every = {name for (name,) in source.sql(EVERY_TYPE)}
	assert every - NO_INPUT == set(VALUES)


def copied_how(pair):
	rows = pair.target.sql("SELECT source_schema || '.' || source_name, how FROM pgpier.tables", pair.name)
	return dict(rows)


@pytest.mark.parametrize("transfer", [pytest.param("copy", marks=pytest.mark.sanitized), "fetch"])
def test_every_type(pair, transfer):
	connection = pair.source.connect(pair.name)
	make_tables(connection)
	connection.close()
	outcome = pair.mirrored(transfer=transfer, workers=2)
	how = copied_how(pair)
	assert len(how) == 2 * len(VALUES), outcome
	for name in ("int4", "text", "numeric", "timestamptz", "jsonb", "uuid", "bytea"):
		assert "binary" in how["plain.t_" + name], how
		assert "text" in how["as_text.t_" + name], how
