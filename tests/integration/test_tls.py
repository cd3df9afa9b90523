# SPDX-License-Identifier: PostgreSQL
"""Encrypted connections take libpq's own way of moving rows: same rows, same errors, same patience."""
import os
import subprocess

import pytest

from support import cluster, pgpier
from support.pgpier import DONE, FAILED

ROWS = """
CREATE TABLE many (id int PRIMARY KEY, v text, w numeric, b bytea);
INSERT INTO many SELECT i, repeat(md5(i::text), i % 20), i / 7.0, decode(md5(i::text), 'hex')
	FROM generate_series(1, 40000) AS i;
CREATE TABLE fields (id int PRIMARY KEY, v text);
INSERT INTO fields SELECT i, repeat('0123456789', i * 100000) FROM generate_series(1, 8) AS i;
CREATE TABLE odd (id int PRIMARY KEY, v regtype);
INSERT INTO odd SELECT i, 'int4'::regtype FROM generate_series(1, 5000) AS i;
CREATE TABLE nothing (id int PRIMARY KEY)"""


@pytest.fixture(scope="module")
def encrypted():
	"""A server that speaks TLS with a certificate that its own root signed for 127.0.0.1."""
	folder = cluster.temporary_folder("pgpier-tls-")
	key, certificate = os.path.join(folder, "key.pem"), os.path.join(folder, "cert.pem")
	subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
		"-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate], check=True, capture_output=True)
	os.chmod(key, 0o600)
	if os.geteuid() == 0:
		os.chown(key, cluster.unprivileged().pw_uid, cluster.unprivileged().pw_gid)
	with cluster.Cluster("tls", settings={"ssl": "on", "ssl_cert_file": "'%s'" % certificate,
			"ssl_key_file": "'%s'" % key}) as server:
		server.certificate = certificate
		yield server


def between(pair, certificate, **mirror):
	peers = [{"name": "a", **pair.source.address(pair.name, tcp=True), "sslmode": "verify-full",
		"sslrootcert": certificate}, {"name": "b", **pair.target.address(pair.name)}]
	p = pgpier.Pgpier(peers, [{"name": "m", "source": "a", "target": "b", "tables": ["*"], **mirror}])
	pair.opened.append(p)
	return p


@pytest.mark.parametrize("transfer", [pytest.param("copy", marks=pytest.mark.sanitized), "fetch"])
def test_all_rows_by_tls(make_pair, encrypted, target, transfer):
	pair = make_pair(encrypted, target).fill(ROWS)
	p = between(pair, encrypted.certificate, transfer=transfer, rows_per_chunk=7000)
	assert p("peer", "test", "a", "--json").expect(DONE).out.count("true") > 0
	outcome = p.run().expect(DONE)
	pair.assert_equal(outcome)


def test_a_row_that_the_target_rejects(make_pair, encrypted, target):
	"""The error comes in the middle of a COPY; the table fails alone, with the server's words."""
	pair = make_pair(encrypted, target).fill(ROWS)
	pair.target.sql("CREATE TABLE many (id int PRIMARY KEY, v text, w numeric CHECK (w < 5000), b bytea)", pair.name)
	outcome = between(pair, encrypted.certificate).run().expect(FAILED, "violates check constraint")
	states = {t["source"]: t["state"] for t in outcome.json["tables"]}
	assert states.pop("public.many") == "failed" and set(states.values()) == {"done"}, outcome
	pair.assert_equal(outcome, only=list(states))


def test_a_certificate_that_nobody_signed(make_pair, encrypted, target):
	pair = make_pair(encrypted, target)
	p = between(pair, "/etc/ssl/certs/ca-certificates.crt")
	p("peer", "test", "a").expect(FAILED, "certificate")
