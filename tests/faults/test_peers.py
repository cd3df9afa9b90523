# SPDX-License-Identifier: PostgreSQL
"""Peers that can't be reached or used, and configurations that are wrong: the clear error, soon, and the exit code."""
import socket

import pytest

from support import cluster
from support.pgpier import DONE, FAILED, USAGE, Pgpier, mirror


@pytest.fixture(scope="module")
def guarded():
	"""A server that asks for passwords."""
	with cluster.Cluster("guarded", auth="scram") as c:
		c.sql("CREATE DATABASE shop")
		c.sql("CREATE TABLE t AS SELECT generate_series(1, 100) AS i", "shop")
		yield c


def run_with(source, target, **settings):
	"""`run` and `peer test` of a mirror whose source is as given."""
	with Pgpier([{"name": "source", **source}, {"name": "target", **target}], [mirror(**settings)]) as p:
		return p.run(timeout=60), p("peer", "test", "source", "--json", timeout=60)


@pytest.mark.sanitized
def test_unreachable_host(target):
	fields = {"host": "127.0.0.1", "port": cluster.free_port(), "dbname": "postgres", "user": "postgres"}
	for outcome in run_with(fields, target.address(tcp=True)):
		outcome.expect(FAILED, "127.0.0.1", "refused")


def test_silent_host(target):
	"""Someone listens and never answers: connect_timeout ends it."""
	with socket.socket() as mute:
		mute.bind(("127.0.0.1", 0))
		mute.listen()
		fields = {"host": "127.0.0.1", "port": mute.getsockname()[1], "dbname": "x", "user": "x", "connect_timeout": 2}
		for outcome in run_with(fields, target.address()):
			outcome.expect(FAILED, "time")


def test_unknown_host_name(target):
	for outcome in run_with({"host": "nowhere.invalid", "dbname": "x", "user": "x"}, target.address()):
		outcome.expect(FAILED, "nowhere.invalid")


def test_wrong_password(guarded, target):
	fields = {**guarded.address("shop", tcp=True), "password": "guess-4711"}
	for outcome in run_with(fields, target.address()):
		outcome.expect(FAILED, "password authentication failed")
		assert "guess-4711" not in outcome.out + outcome.err + outcome.log, outcome


def test_no_password(guarded, target):
	fields = guarded.address("shop", tcp=True)
	del fields["password"]
	for outcome in run_with(fields, target.address()):
		outcome.expect(FAILED, "password")


def test_password_from_a_command_a_file_and_a_uri(guarded, target, tmp_path):
	"""The password is full of what shells, libconfig, .pgpass and URIs quote; it is never printed."""
	fields = guarded.address("shop", tcp=True)
	password = fields.pop("password")
	secret = tmp_path / "secret"
	secret.write_text(password + "\n")
	passfile = tmp_path / "pgpass"
	passfile.write_text("127.0.0.1:%d:*:postgres:%s\n" % (guarded.port, password.replace("\\", "\\\\")))
	passfile.chmod(0o600)
	uri = "postgresql://postgres:%s@127.0.0.1:%d/shop" % (
		"".join("%%%02x" % b for b in password.encode()), guarded.port)
	ways = [{**fields, "password_command": "cat '%s'" % secret}, {**fields, "passfile": str(passfile)},
		{**fields, "password": password}, {"conninfo": uri}]
	for way in ways:
		with Pgpier([{"name": "source", **way}, {"name": "target", **target.address()}], []) as p:
			outcome = p("peer", "test", "source", "--json").expect(DONE, "15.")
			assert password not in outcome.out + outcome.err + outcome.log, outcome
			assert password not in p("peer", "list").out


def test_failing_password_command(guarded, target):
	fields = {**guarded.address("shop", tcp=True), "password_command": "echo no key >&2; exit 3"}
	del fields["password"]
	for outcome in run_with(fields, target.address()):
		outcome.expect(FAILED, "password_command")


def test_no_such_database(target):
	for outcome in run_with(target.address("missing db"), target.address()):
		outcome.expect(FAILED, 'database "missing db" does not exist')


def test_no_such_database_on_the_target(pair):
	pair.fill("CREATE TABLE t AS SELECT 1 AS i")
	outcome, _ = run_with(pair.source.address(pair.name), pair.target.address("missing"))
	outcome.expect(FAILED, 'database "missing" does not exist')


def test_one_database_as_both_sides(pair):
	"""A mirror into itself would double or truncate the source."""
	pair.fill("CREATE TABLE t AS SELECT generate_series(1, 10) AS i")
	address = pair.source.address(pair.name)
	outcome, _ = run_with(address, {**address, "host": "127.0.0.1"}, on_existing_rows="truncate")
	assert outcome.code != DONE, outcome
	assert pair.source.sql("SELECT count(*) FROM t", pair.name) == [(10,)]


def test_unknown_mirror_and_verb():
	with Pgpier() as p:
		p.run("nothing").expect(USAGE, "nothing")
		p("fly").expect(USAGE, "fly")
		p("run").expect(USAGE)
		p("run", "m", "--speed").expect(USAGE, "--speed")
		p("--version").expect(DONE, "pgpier")
		p("--help").expect(DONE, "run", "status", "--config")


@pytest.mark.sanitized
def test_every_configuration_mistake_is_reported():
	"""Each with its line, all of them at once, before anything is connected."""
	with Pgpier() as p:
		p.write_text('peers = (\n { name = "a"; host = "h"; prot = 1; },\n { name = "a"; port = "x"; } );\n'
			'mirrors = (\n { name = "m"; source = "a"; target = "gone"; tables = "x";\n chunking = "fast"; } );\n')
		outcome = p.run().expect(USAGE, "pgpier.conf:2", "prot", "pgpier.conf:3", "gone", "chunking")
		assert len([line for line in outcome.err.splitlines() if "pgpier.conf:" in line]) >= 5, outcome
		p.write_text("peers = (\n { name = \n")
		p.run().expect(USAGE, "pgpier.conf:")


def test_status_of_a_mirror_that_never_ran(pair):
	p = pair.pgpier()
	outcome = p("status", "m", "--json").expect(DONE)
	assert "m" in outcome.out
	p("mirror", "list", "--json").expect(DONE, "m")
