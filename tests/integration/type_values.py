# SPDX-License-Identifier: PostgreSQL
"""Values of every type that PostgreSQL 15 can send and receive: the usual, the edges, and what looks like syntax."""

TEXTS = ["", " ", "a", "NULL", "\\N", "\\.", "tab\tnew\nline\rback\\slash", "q'u\"o{t}e,s;", "Zürich 東京 🐘",
	"\x1b[31mred\x7f\x01", "x" * 20000]
SHORT = ["", "a", "NULL", "\\N", "\\.", "\t\n\\", "'\"{},", "é東"]

# Types without an input: nothing can be loaded into them, by COPY or otherwise.
NO_INPUT = {"pg_node_tree", "pg_ndistinct", "pg_dependencies", "pg_mcv_list", "pg_brin_bloom_summary",
	"pg_brin_minmax_multi_summary"}

VALUES = {
	"bool": ["t", "f"],
	"bytea": ["\\x", "\\x00ff5c0a0d09", "\\x" + "ab" * 5000],
	"char": ["", "a", "\\", '"', "\\377"],
	"name": ["", "a name", "n" * 63, "東京"],
	"int8": ["0", "-9223372036854775808", "9223372036854775807"],
	"int2": ["0", "-32768", "32767"],
	"int2vector": ["", "1", "1 -2 32767"],
	"int4": ["0", "-2147483648", "2147483647"],
	"regproc": ["now", "-", "pg_catalog.array_in"],
	"text": TEXTS,
	"oid": ["0", "4294967295"],
	"tid": ["(0,0)", "(4294967295,65535)"],
	"xid": ["0", "4294967295"],
	"cid": ["0", "4294967295"],
	"oidvector": ["", "1", "1 4294967295"],
	"json": ["null", "{}", '{"a": [1, 2.50, "x\\"y"],  "a": null}', '"\\u0007"', "  [1 ]  "],
	"jsonb": ["null", "{}", '{"a": [1, 2.50, "x\\"y"], "b": {"東": true}}', "[1e400]", '"\\\\N"'],
	"xml": ["<a/>", "<a b=\"c\">é &amp; d</a>", "text only"],
	"point": ["(0,0)", "(-1.5e300,2e-300)", "(Infinity,NaN)"],
	"lseg": ["[(0,0),(1,-1)]"],
	"path": ["[(0,0),(1,1),(2,0)]", "((0,0),(1,1))"],
	"box": ["(1,1),(0,0)"],
	"polygon": ["((0,0),(1,1),(2,0))"],
	"line": ["{1,-1,0.5}"],
	"circle": ["<(1,2),3>"],
	"float4": ["0", "-0", "1e-45", "3.4028235e38", "NaN", "Infinity", "-Infinity", "0.1"],
	"float8": ["0", "-0", "5e-324", "1.7976931348623157e308", "NaN", "Infinity", "-Infinity", "0.1", "1e15"],
	"money": ["0", "-92233720368547758.08", "92233720368547758.07"],
	"macaddr": ["08:00:2b:01:02:03"],
	"macaddr8": ["08:00:2b:ff:fe:01:02:03"],
	"inet": ["0.0.0.0/0", "192.168.1.5/24", "::1", "fe80::1/10"],
	"cidr": ["10.0.0.0/8", "2001:db8::/32"],
	"bpchar": SHORT,
	"varchar": TEXTS,
	"date": ["4713-01-01 BC", "5874897-12-31", "infinity", "-infinity", "2024-02-29"],
	"time": ["00:00:00", "24:00:00", "12:34:56.789012"],
	"timetz": ["00:00:00+15:59", "24:00:00-15:59", "12:34:56.789012+05:30"],
	"timestamp": ["4713-01-01 00:00:00 BC", "294276-12-31 23:59:59.999999", "infinity", "-infinity",
		"2024-02-29 12:00:00.000001"],
	"timestamptz": ["4713-01-01 00:00:00+00 BC", "294276-12-31 23:59:59.999999+00", "infinity", "-infinity",
		"1883-11-18 12:03:57-05"],
	"interval": ["0", "-178000000 years", "178000000 years", "1 mon -2 days +03:04:05.000006",
		"-1 mon +2 days -00:00:00.000001"],
	"bit": ["0", "1"],
	"varbit": ["", "1", "10110011100"],
	"numeric": ["0", "0.000", "-0.1", "NaN", "Infinity", "-Infinity", "1e-1000", "9" * 1000 + ".5", "100000"],
	"refcursor": ["a cursor", ""],
	"regprocedure": ["now()", "-", "pg_catalog.sum(integer)"],
	"regoper": ["0", "pg_catalog.||/"],
	"regoperator": ["0", "+(integer,integer)", "!!(NONE,tsquery)"],
	"regclass": ["-", "pg_class", "pg_catalog.pg_type"],
	"regcollation": ["-", '"C"', '"POSIX"'],
	"regtype": ["-", "integer", "text[]", "timestamp with time zone"],
	"regrole": ["-", "postgres"],
	"regnamespace": ["-", "pg_catalog"],
	"regconfig": ["simple", "english"],
	"regdictionary": ["simple", "english_stem"],
	"uuid": ["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"],
	"pg_lsn": ["0/0", "FFFFFFFF/FFFFFFFF"],
	"tsvector": ["", "'a':1A,2 'b''c':3 'd\\\\e'"],
	"tsquery": ["", "'a' & !'b' | 'c':*AB", "'a' <-> 'b' <3> 'c'"],
	"jsonpath": ["$", "strict $.\"a b\"[*]?(@ > 1.5)"],
	"txid_snapshot": ["10:20:10,14,15", "1:1:"],
	"pg_snapshot": ["10:20:10,14,15", "1:1:"],
	"xid8": ["0", "18446744073709551615"],
	"int4range": ["empty", "[1,5)", "(,5)", "[1,)", "(,)"],
	"int8range": ["empty", "[1,5)", "(,)"],
	"numrange": ["empty", "[1.5,2.5]", "(NaN,)", "(,Infinity]"],
	"daterange": ["empty", "[2024-01-01,2024-02-01)", "(,infinity]"],
	"tsrange": ["empty", "[2024-01-01 00:00:00,infinity)", "(,)"],
	"tstzrange": ["empty", "[2024-01-01 00:00:00+00,2024-01-02 00:00:00+00]", "(,)"],
	"int4multirange": ["{}", "{[1,5),[7,9)}", "{(,)}"],
	"int8multirange": ["{}", "{[1,5),[7,)}"],
	"nummultirange": ["{}", "{[1.5,2.5],(3,4)}"],
	"datemultirange": ["{}", "{[2024-01-01,2024-02-01)}"],
	"tsmultirange": ["{}", "{[2024-01-01 00:00:00,infinity)}"],
	"tstzmultirange": ["{}", "{[2024-01-01 00:00:00+00,)}"],
}

EVERY_TYPE = """
SELECT typname FROM pg_type
 WHERE typnamespace = 'pg_catalog'::regnamespace AND typtype IN ('b', 'r', 'm')
   AND typsend <> 0 AND typreceive <> 0 AND typinput <> 'array_in'::regproc
 ORDER BY typname"""


def array_text(values, delimiter):
	"""An array's text: every element quoted but NULL (None)."""
	def one(value):
		if value is None:
			return "NULL"
		return '"%s"' % value.replace("\\", "\\\\").replace('"', '\\"')
	return "{%s}" % delimiter.join(one(v) for v in values)


def arrays(values, delimiter):
	"""Arrays of a type's values: empty, all of them, with NULL, two dimensions, other lower bounds."""
	whole = array_text(values, delimiter)
	two = "{%s}" % delimiter.join([whole, whole])
	return ["{}", whole, array_text([None] + values + [None], delimiter), two,
		"[-3:%d]=%s" % (len(values) - 4, whole), "[2:3][-1:%d]=%s" % (len(values) - 2, two)]
