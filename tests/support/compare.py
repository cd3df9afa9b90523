# SPDX-License-Identifier: PostgreSQL
"""Compares two databases exactly: every row of every table as a multiset, and the tables' definitions.

A row is the text of its columns in order, hashed by md5 on its own server; a table is the number of its
rows and the sums of both halves of their hashes. Connections are given by the caller, so the source may be
a session that holds a snapshot. Foreign keys and triggers are left to the issue that moves them.
"""
from concurrent.futures import ThreadPoolExecutor

USER_SCHEMAS = """n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'pgpier')"""

TABLES = """
SELECT c.oid, n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = 'r' AND """ + USER_SCHEMAS + " ORDER BY 2, 3"

COLUMNS = """
SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute
 WHERE attrelid = %s AND attnum > 0 AND NOT attisdropped ORDER BY attnum"""

# One line a fact; what one server lacks (generated columns before 12) reads as NULL through to_jsonb.
STRUCTURE = {
	"table": """
		SELECT format('table %%I.%%I kind %%s persistence %%s partition key %%s bound %%s inherits %%s',
			n.nspname, c.relname, c.relkind, c.relpersistence, pg_get_partkeydef(c.oid),
			pg_get_expr(c.relpartbound, c.oid),
			(SELECT string_agg(inhparent::regclass::text, ', ' ORDER BY inhseqno)
			   FROM pg_inherits WHERE inhrelid = c.oid))
		  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = %(oid)s""",
	"column": """
		SELECT format('column %%s %%I %%s%%s default %%s identity %%s generated %%s storage %%s collation %%s',
			rank() OVER (ORDER BY attnum), attname, format_type(atttypid, atttypmod),
			CASE WHEN attnotnull THEN ' not null' ELSE '' END, pg_get_expr(d.adbin, d.adrelid),
			to_jsonb(a)->>'attidentity', coalesce(to_jsonb(a)->>'attgenerated', ''), attstorage,
			(SELECT collname FROM pg_collation WHERE oid = attcollation))
		  FROM pg_attribute a
		  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
		 WHERE attrelid = %(oid)s AND attnum > 0 AND NOT attisdropped ORDER BY attnum""",
	"constraint": """
		SELECT format('constraint %%I %%s', conname, pg_get_constraintdef(oid)) FROM pg_constraint
		 WHERE conrelid = %(oid)s AND contype IN ('p', 'u', 'x', 'c') ORDER BY 1""",
	"index": """
		SELECT pg_get_indexdef(indexrelid) || CASE WHEN indisvalid THEN '' ELSE ' INVALID' END
		  FROM pg_index WHERE indrelid = %(oid)s ORDER BY 1""",
}

SEQUENCES = """
SELECT format('%I.%I', schemaname, sequencename),
	format('%s start %s min %s max %s by %s cycle %s cache %s owned by %s', data_type, start_value,
		min_value, max_value, increment_by, cycle, cache_size,
		(SELECT format('%s(%s)', refobjid::regclass, refobjsubid) FROM pg_depend
		  WHERE classid = 'pg_class'::regclass AND objid = c.oid AND refobjsubid > 0
		    AND deptype IN ('a', 'i') LIMIT 1)),
	last_value
  FROM pg_sequences s
  JOIN pg_namespace n ON n.nspname = s.schemaname
  JOIN pg_class c ON c.relname = s.sequencename AND c.relnamespace = n.oid
 WHERE """ + USER_SCHEMAS + " ORDER BY 1"

EXAMPLES = 3
EXAMPLES_ROWS = 300000


def quote(name):
	return '"%s"' % name.replace('"', '""')


def rows(connection, sql, parameters=None):
	with connection.cursor() as cursor:
		cursor.execute(sql, parameters)
		return cursor.fetchall()


def prepare(connection, float_digits):
	with connection.cursor() as cursor:
		for setting, value in (("datestyle", "ISO, YMD"), ("timezone", "UTC"),
			("intervalstyle", "postgres"), ("bytea_output", "hex"), ("search_path", "pg_catalog"),
			("lc_monetary", "C"), ("extra_float_digits", float_digits), ("client_encoding", "UTF8")):
			cursor.execute("SELECT set_config(%s, %s, false)", (setting, str(value)))


def float_digits(source, target):
	"""Servers before 12 print floats in another way than later ones, except with 15 digits."""
	return 3 if min(source.server_version, target.server_version) >= 120000 else 0


def columns(connection, oid, leave_out):
	return [(name, kind) for name, kind in rows(connection, COLUMNS, (oid,)) if name not in leave_out]


def row_text(found, as_bits):
	"""The expression for a row's text. as_bits: floats by their bits, for servers that print them apart."""
	def one(name, kind):
		if as_bits and kind in ("real", "double precision"):
			return "float%dsend(%s)" % (4 if kind == "real" else 8, quote(name))
		return quote(name)
	return "ROW(%s)::text" % ", ".join(one(*column) for column in found)


def digest(connection, table, text):
	sql = """SELECT count(*), sum(('x' || left(h, 16))::bit(64)::bigint),
		sum(('x' || right(h, 16))::bit(64)::bigint)
		FROM (SELECT md5(%s) AS h FROM ONLY %s) AS q""" % (text, table)
	return rows(connection, sql)[0]


def examples(source, target, source_table, target_table, source_text, target_text):
	"""A few rows that only one side has, for the reader of a failed test."""
	def hashes(connection, table, text):
		return sorted(h for (h,) in rows(connection, "SELECT md5(%s) FROM ONLY %s" % (text, table)))

	def excess(a, b):
		left = {}
		for h in b:
			left[h] = left.get(h, 0) + 1
		found = []
		for h in a:
			if left.get(h, 0) > 0:
				left[h] -= 1
			else:
				found.append(h)
		return found

	def show(connection, table, text, wanted):
		sql = "SELECT left(%s, 300) FROM ONLY %s WHERE md5(%s) = ANY('{%s}') LIMIT %d"
		return [t for (t,) in rows(connection, sql % (text, table, text, ",".join(wanted), EXAMPLES))]

	ours, theirs = (source, source_table, source_text), (target, target_table, target_text)
	a, b = hashes(*ours), hashes(*theirs)
	lost, strange = excess(a, b), excess(b, a)
	return ["  %d only on the source: %s" % (len(lost), show(*ours, lost[:EXAMPLES])),
		"  %d only on the target: %s" % (len(strange), show(*theirs, strange[:EXAMPLES]))]


def table_rows(source, target, here, there, leave_out, renamed):
	"""Differences between the rows of two tables: here and there are (oid, schema, name)."""
	found = columns(source, here[0], leave_out)
	wanted = [(renamed.get(name, name), kind) for name, kind in found]
	if wanted != columns(target, there[0], ()):
		return ["%s.%s: columns %s on the source, %s on the target" % (here[1], here[2], found,
			columns(target, there[0], ()))]
	as_bits = float_digits(source, target) == 0
	texts = row_text(found, as_bits), row_text(wanted, as_bits)
	names = [quote(t[1]) + "." + quote(t[2]) for t in (here, there)]
	with ThreadPoolExecutor(2) as pool:
		a = pool.submit(digest, source, names[0], texts[0])
		b = pool.submit(digest, target, names[1], texts[1])
		a, b = a.result(), b.result()
	if a == b:
		return []
	lines = ["%s.%s: %d rows on the source, %d on the target%s" % (here[1], here[2], a[0], b[0],
		"" if a[0] != b[0] else ", with other contents")]
	if max(a[0], b[0]) <= EXAMPLES_ROWS:
		lines += examples(source, target, *names, *texts)
	return lines


def table_structure(source, target, here, there):
	lines = []
	for sql in STRUCTURE.values():
		a = [t for (t,) in rows(source, sql, {"oid": here[0]})]
		b = [t for (t,) in rows(target, sql, {"oid": there[0]})]
		lines += ["%s.%s: source has %s" % (here[1], here[2], t) for t in a if t not in b]
		lines += ["%s.%s: target has %s" % (here[1], here[2], t) for t in b if t not in a]
	return lines


def sequences(source, target, values):
	def listed(connection):
		return {name: "%s %s" % (definition, "value %s" % last if values else "")
			for name, definition, last in rows(connection, SEQUENCES)}
	a, b = listed(source), listed(target)
	return ["sequence %s: %s on the source, %s on the target" % (name, a.get(name), b.get(name))
		for name in sorted(a.keys() | b.keys()) if a.get(name) != b.get(name)]


def differences(source, target, mapping=None, leave_out=None, only=None, structure=True, values=True,
		renamed=None):
	"""Every difference, one line each; an empty list means equal.

	mapping: {"schema.table": "schema.table"} of renamed tables, whose structure is not compared;
	renamed: {"schema.table": {"column": "column"}}, by the source's names, and the same of those;
	leave_out: {"schema.table": [columns]}; only: the chosen "schema.table"s, all when None;
	values: False when writers move the sequences on."""
	mapping, leave_out, renamed = mapping or {}, leave_out or {}, renamed or {}
	for connection in (source, target):
		prepare(connection, float_digits(source, target))
	name = "%s.%s".__mod__
	here = {name(t[1:]): t for t in rows(source, TABLES) if only is None or name(t[1:]) in only}
	there = {name(t[1:]): t for t in rows(target, TABLES)}
	lines = []
	for source_name, table in here.items():
		target_name = mapping.get(source_name, source_name)
		if target_name not in there:
			lines.append("%s: not on the target" % source_name)
			continue
		lines += table_rows(source, target, table, there[target_name], leave_out.get(source_name, ()),
			renamed.get(source_name, {}))
		if structure and not any(source_name in other for other in (mapping, leave_out, renamed)):
			lines += table_structure(source, target, table, there[target_name])
	if only is None:
		wanted = {mapping.get(n, n) for n in here}
		lines += ["%s: only on the target" % n for n in there if n not in wanted]
	if structure and only is None and not mapping:
		lines += sequences(source, target, values)
	return lines


def assert_equal(source, target, **options):
	found = differences(source, target, **options)
	assert not found, "source and target differ:\n" + "\n".join(found[:60])
