# SPDX-License-Identifier: PostgreSQL
"""The mirror that leads back from a target to its source: no load, no row emptied, and nothing left when undone."""
import os
import subprocess

import pytest

from support import pgpier
from support.cluster import as_account
from support.live import publications, slots

TOOL = os.path.join(pgpier.BUILD, "tests", "support", "back_tool")

TABLES = """
CREATE TABLE items (id int PRIMARY KEY, v text, at timestamptz DEFAULT now());
CREATE TABLE numbered (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n int, twice int GENERATED ALWAYS AS (n * 2) STORED);
INSERT INTO items SELECT i, 'v' || i FROM generate_series(1, 300) i;
INSERT INTO numbered (n) SELECT i FROM generate_series(1, 50) i;
"""


class Way:
	"""A pair whose mirror, named as its database, has caught up and is paused; the way back is made step by step."""

	def __init__(self, pair, **settings):
		self.pair, self.name, self.back = pair, pair.name, pair.name + "-back"
		self.p = pair.pgpier(name=pair.name, continuous=True, workers=2, **settings)
		self.run(self.name)

	def run(self, name):
		return self.p("run", name, "--until", "caught-up", "--json").expect(pgpier.DONE)

	def tool(self, command, name=None, fails=None):
		done = subprocess.run([TOOL, self.p.config, command, name or self.name], capture_output=True, text=True,
			timeout=60, env=self.p.env)
		if fails:
			assert done.returncode == 2 and fails in done.stderr, (done.returncode, done.stdout, done.stderr)
		else:
			assert done.returncode == 0, "%s: %s%s" % (command, done.stdout, done.stderr)
		return done.stdout

	def blocking(self):
		return [line for line in self.tool("check").splitlines() if line.startswith("blocking ")]

	def turn(self):
		"""Both sides stand still: everything up to the moment when the target is opened."""
		for command in ("config", "prepare", "begin", "commit", "disarm"):
			self.tool(command)
		return self

	def change(self, *statements):
		for statement in statements:
			self.pair.target.sql(statement, self.pair.name)

	def follows(self, **options):
		"""The old source gets everything that the target has."""
		for _ in range(20):
			done = self.run(self.back)
			found = self.pair.differences(**options)
			if not found:
				return done
		raise AssertionError("%s\n%s" % ("\n".join(found[:30]), done))

	def untouched(self):
		source, name = self.pair.source, self.pair.name
		return (slots(self.pair.target, name), publications(self.pair.target, name),
			source.sql("SELECT nspname FROM pg_namespace WHERE nspname = 'pgpier'", name))


NOTHING = ([], [], [])


def test_there_and_back(pair):
	way = Way(pair.fill(TABLES)).turn()
	way.change("INSERT INTO items VALUES (1001, 'new')", "UPDATE items SET v = 'changed' WHERE id < 20",
		"DELETE FROM items WHERE id BETWEEN 30 AND 40", "INSERT INTO numbered (n) VALUES (7)",
		"UPDATE numbered SET n = 8 WHERE n = 9", "UPDATE items SET id = 2000 WHERE id = 50")
	done = way.follows(values=False)
	assert done.json["state"] in ("paused", "replicating", "catching up"), done
	way.change("TRUNCATE items", "INSERT INTO items VALUES (1, 'one')")
	way.follows(values=False)
