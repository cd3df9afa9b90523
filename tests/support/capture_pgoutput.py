#!/usr/bin/python3
# SPDX-License-Identifier: PostgreSQL
"""What real servers send as pgoutput, kept for the decoder's tests; run by hand for a new scene.

	capture_pgoutput.py capture [NAME...]   writes tests/unit/pgoutput/NAME.txt
	capture_pgoutput.py seeds FOLDER        writes the captures as seeds of fuzz_pgoutput.c

A capture begins with lines "name value": major, version (of the protocol), binary, streaming,
two_phase, since and until (the server's clock around all of it, microseconds of unix time). One
line a message follows: the LSN and the xid that the server gives beside it, and its bytes in
hexadecimal. Each scene is played on a server that can do it; what must come out of it stands in
tests/unit/test_pgoutput.c. Servers of other majors than 15 come from npm.
"""
import os
import struct
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
FOLDER = os.path.join(os.path.dirname(HERE), "unit", "pgoutput")

# name: major, options of the plugin
CAPTURES = {
	"10": (10, {"proto_version": "1"}),
	"11": (11, {"proto_version": "1"}),
	"12": (12, {"proto_version": "1"}),
	"13": (13, {"proto_version": "1"}),
	"14": (14, {"proto_version": "1", "messages": "true"}),
	"14-stream": (14, {"proto_version": "2", "messages": "true", "streaming": "on",
		"binary": "true"}),
	"15-two-phase": (15, {"proto_version": "3", "messages": "true", "streaming": "on",
		"two_phase": "on"}),
	"16-stream": (16, {"proto_version": "4", "messages": "true", "streaming": "on"}),
	"16-parallel": (16, {"proto_version": "4", "messages": "true", "streaming": "parallel",
		"two_phase": "on", "binary": "true"}),
	"17": (17, {"proto_version": "4", "messages": "true", "streaming": "parallel"}),
	"18": (18, {"proto_version": "1", "messages": "true", "binary": "true"}),
	"18-parallel": (18, {"proto_version": "4", "messages": "true", "streaming": "parallel",
		"two_phase": "on"}),
}
SETTINGS = {"synchronous_commit": "on", "max_prepared_transactions": "4", "max_connections": "20"}

SETUP = """
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TABLE plain (id int PRIMARY KEY, note varchar(10), mood mood);
CREATE SCHEMA "odd ""one";
CREATE TABLE "odd ""one"."ta ble" (a int, "b c" text);
ALTER TABLE "odd ""one"."ta ble" REPLICA IDENTITY FULL;
CREATE TABLE indexed (a int, b int NOT NULL, c text);
CREATE UNIQUE INDEX indexed_b ON indexed (b);
ALTER TABLE indexed REPLICA IDENTITY USING INDEX indexed_b;
CREATE TABLE toasted (id int PRIMARY KEY, n int, big text);
ALTER TABLE toasted ALTER big SET STORAGE EXTERNAL;
INSERT INTO toasted VALUES (1, 1, repeat('x', 3000));
CREATE TABLE nothing (t text);
ALTER TABLE nothing REPLICA IDENTITY NOTHING;
CREATE TABLE bare ();
CREATE TABLE mixed (id int PRIMARY KEY, acl aclitem, view pg_tables);
CREATE TABLE ballast (t text);
SELECT pg_replication_origin_create('elsewhere');
CREATE PUBLICATION p FOR TABLE plain, "odd ""one"."ta ble", indexed, toasted, nothing, bare, mixed;
"""

# One statement a transaction. Texts with ";" in them are one transaction as well.
ROWS = [
	"INSERT INTO plain VALUES (1, 'a', 'ok'), (2, NULL, NULL);"
	" UPDATE plain SET note = 'é' WHERE id = 1;"
	" UPDATE plain SET id = 3 WHERE id = 2; DELETE FROM plain WHERE id = 1",
	"""INSERT INTO "odd ""one"."ta ble" VALUES (1, NULL); UPDATE "odd ""one"."ta ble" SET a = -2;"""
	""" DELETE FROM "odd ""one"."ta ble" """,
	"INSERT INTO indexed VALUES (1, 10, 'x'); UPDATE indexed SET c = 'y';"
	" UPDATE indexed SET b = 11; DELETE FROM indexed",
	"UPDATE toasted SET n = 2; UPDATE toasted SET id = 2; DELETE FROM toasted",
	"INSERT INTO nothing VALUES (''); INSERT INTO bare DEFAULT VALUES",
	"INSERT INTO mixed VALUES (1, 'postgres=r/postgres', NULL)",
]
ORIGIN = [
	"SELECT pg_replication_origin_session_setup('elsewhere'),"
	" pg_replication_origin_xact_setup('1A/2B', '2020-01-01'); INSERT INTO nothing VALUES ('far')",
	"SELECT pg_replication_origin_session_reset()",
]
TRUNCATE = [
	'TRUNCATE indexed, "odd ""one"."ta ble"',
	"TRUNCATE plain RESTART IDENTITY",
	"TRUNCATE plain CASCADE",
	"TRUNCATE indexed RESTART IDENTITY CASCADE",
]
MESSAGE = [
	"SELECT pg_logical_emit_message(false, 'at once', 'text'::text)",
	"INSERT INTO nothing VALUES ('m');"
	" SELECT pg_logical_emit_message(true, 'pre fix', '\\x00ff00'::bytea)",
	"SELECT pg_logical_emit_message(true, '', ''::text)",
]
# What makes the server stream: more than its working memory, of a table that is not published.
BALLAST = "INSERT INTO ballast SELECT repeat('b', 50) FROM generate_series(1, 1000);"
STREAM = [
	"BEGIN; INSERT INTO plain VALUES (11, 'first', 'sad');" + BALLAST + "SAVEPOINT s;"
	" INSERT INTO plain VALUES (12, 'undone', NULL);" + BALLAST + "ROLLBACK TO s;"
	" UPDATE plain SET id = 13 WHERE id = 11;"
	" SELECT pg_logical_emit_message(true, 'in', 'a stream'::text);"
	" DELETE FROM plain WHERE id = 13; TRUNCATE plain;" + BALLAST + "COMMIT",
	"BEGIN; INSERT INTO nothing VALUES ('never');" + BALLAST + "ROLLBACK",
	"INSERT INTO nothing VALUES ('end')",  # no commit, no flush: the ROLLBACK would not be seen
]
TWO_PHASE = [
	"BEGIN; INSERT INTO nothing VALUES ('kept'); PREPARE TRANSACTION 'to keep'",
	"COMMIT PREPARED 'to keep'",
	"BEGIN; INSERT INTO nothing VALUES ('lost'); PREPARE TRANSACTION 'to lose'",
	"ROLLBACK PREPARED 'to lose'",
]
STREAM_TWO_PHASE = [
	"BEGIN; INSERT INTO nothing VALUES ('large');" + BALLAST + "PREPARE TRANSACTION 'gid ''3'",
	"COMMIT PREPARED 'gid ''3'",
]


def script(major, options):
	statements = ROWS + ORIGIN
	if major >= 11:
		statements = statements + TRUNCATE
	if "messages" in options:
		statements = statements + MESSAGE
	if "streaming" in options:
		statements = statements + STREAM
	if "two_phase" in options:
		statements = statements + TWO_PHASE + STREAM_TWO_PHASE
	return statements


def play(cluster, major, options):
	"""The scenes; gives when they began and ended."""
	connection = cluster.connect()
	cursor = connection.cursor()
	clock = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
	cursor.execute(clock)
	since = cursor.fetchone()[0]
	for statement in script(major, options):
		cursor.execute(statement)
	cursor.execute(clock)
	return since, cursor.fetchone()[0]


def messages(cluster, options):
	words = [word for pair in options.items() for word in pair]
	return cluster.sql("SELECT lsn::text, xid::text, encode(data, 'hex')"
		" FROM pg_logical_slot_get_binary_changes('s', NULL, NULL, 'publication_names', 'p', %s)"
		% ", ".join("'%s'" % word for word in words))


def capture(name):
	from support import cluster as clusters, servers
	major, options = CAPTURES[name]
	settings = dict(SETTINGS)
	if major >= 13:
		settings["logical_decoding_work_mem"] = "64kB"
	with clusters.Cluster("capture", servers.bindir(major), settings=settings) as cluster:
		cluster.sql(SETUP)
		two_phase = ", false, true" if "two_phase" in options else ""
		cluster.sql("SELECT pg_create_logical_replication_slot('s', 'pgoutput'%s)" % two_phase)
		since, until = play(cluster, major, options)
		rows = messages(cluster, {k: v for k, v in options.items() if k != "two_phase"})
	with open(os.path.join(FOLDER, name + ".txt"), "w") as f:
		f.write("major %d\nversion %s\n" % (major, options["proto_version"]))
		f.write("binary %d\n" % ("binary" in options))
		f.write("streaming %s\n" % options.get("streaming", "off"))
		f.write("two_phase %d\nsince %d\nuntil %d\n" % ("two_phase" in options, since, until))
		f.writelines("%s %s %s\n" % row for row in rows)
	print(name, len(rows), "messages")


def seeds(folder):
	"""The protocol's version, then every message behind its length in two bytes."""
	for name in sorted(os.listdir(FOLDER)):
		with open(os.path.join(FOLDER, name)) as f:
			lines = [line.split() for line in f]
		version = next(int(line[1]) for line in lines if line[0] == "version")
		with open(os.path.join(folder, name), "wb") as f:
			f.write(bytes([version]))
			for line in lines:
				if "/" in line[0]:
					data = bytes.fromhex(line[2])
					f.write(struct.pack(">H", len(data)) + data)


def main():
	if len(sys.argv) == 3 and sys.argv[1] == "seeds":
		seeds(sys.argv[2])
	elif len(sys.argv) >= 2 and sys.argv[1] == "capture":
		for name in sys.argv[2:] or CAPTURES:
			capture(name)
	else:
		sys.exit(__doc__)


if __name__ == "__main__":
	main()
