# SPDX-License-Identifier: PostgreSQL
"""Fixtures of all suites: two clusters for a whole session, a pair of fresh databases for each test."""
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from support import cluster, compare, pgpier, servers  # noqa: E402

cluster.exit_on_signals()


# The modules that take longest are begun first, so that none of them is left alone at the end.
LONGEST = ("test_torture", "test_outages", "test_script", "test_verify", "test_database", "test_columns", "test_chunks",
	"test_ready", "test_attach", "test_roles", "test_evolve", "test_replicate_life", "test_replicate", "test_kill", "test_terminals",
	"test_objects", "test_large", "test_versions", "test_diff", "test_writer")


def pytest_collection_modifyitems(items):
	order = {name: n for n, name in enumerate(LONGEST)}
	items.sort(key=lambda item: order.get(item.module.__name__.rpartition(".")[2], len(order)))


@pytest.fixture(scope="session")
def source():
	"""A server that nobody stops; tests that do start their own."""
	with cluster.Cluster("source") as c:
		yield c


@pytest.fixture(scope="session")
def target():
	with cluster.Cluster("target") as c:
		yield c


@pytest.fixture(scope="session")
def other_major():
	"""other_major(18): a server of that major, kept for the session; skips where it can't be had."""
	running = {}

	def get(major):
		if major not in running:
			try:
				bindir = servers.bindir(major)
			except RuntimeError as e:
				pytest.skip(str(e))
			running[major] = cluster.Cluster("pg%d" % major, bindir)
		return running[major]
	yield get
	for c in running.values():
		c.remove()


class Pair:
	"""A source and a target database, and pgpier between them. Ends with nothing left of them."""

	def __init__(self, source, target, name):
		self.source, self.target, self.name = source, target, name
		self.opened = []
		source.create_db(name)
		target.create_db(name)

	def remove(self):
		for thing in self.opened:
			thing.remove()
		for server in (self.source, self.target):
			if server.process:
				server.drop_db(self.name)

	def fill(self, sql):
		self.source.sql(sql, self.name)
		return self

	def pgpier(self, **mirror):
		p = pgpier.between(self.source, self.name, self.target, self.name, **mirror)
		self.opened.append(p)
		return p

	def differences(self, **options):
		a, b = self.source.connect(self.name), self.target.connect(self.name)
		try:
			return compare.differences(a, b, **options)
		finally:
			a.close()
			b.close()

	def assert_equal(self, outcome=None, **options):
		found = self.differences(**options)
		assert not found, "source and target differ:\n%s\n%s" % ("\n".join(found[:60]), outcome or "")

	def mirrored(self, **mirror):
		"""Runs a mirror to its end and compares everything."""
		outcome = self.pgpier(**mirror).run().expect(pgpier.DONE)
		assert outcome.json["state"] == "done", outcome
		self.assert_equal(outcome)
		return outcome


@pytest.fixture
def make_pair(request):
	"""make_pair(source, target): fresh databases on these servers, dropped after the test."""
	made = []

	def make(source, target):
		pair = Pair(source, target, "t%d" % os.getpid() + "_%d" % len(made))
		made.append(pair)
		return pair
	yield make
	for pair in made:
		pair.remove()


@pytest.fixture
def pair(make_pair, source, target):
	return make_pair(source, target)
