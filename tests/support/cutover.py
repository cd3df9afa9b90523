# SPDX-License-Identifier: PostgreSQL
"""The parts of a cutover, one call each, on a database of a real server."""
import os
import subprocess

from . import pgpier

TOOL = os.path.join(pgpier.BUILD, "tests", "support", "cutover_tool")

# What a fence may not change for good.
RIGHTS = """SELECT a.grantor::regrole::text, CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END,
	a.privilege_type, a.is_grantable
	FROM pg_database d, LATERAL aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a
	WHERE d.datname = current_database()"""
SETTINGS = """SELECT CASE WHEN setdatabase = 0 THEN '' ELSE 'here' END,
	CASE WHEN setrole = 0 THEN 'all' ELSE setrole::regrole::text END, setconfig
	FROM pg_db_role_setting WHERE setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))"""


def conninfo(fields):
	return " ".join("%s='%s'" % (k, str(v).replace("\\", "\\\\").replace("'", "\\'")) for k, v in fields.items())


class Tool:
	def __init__(self, server, dbname, user="postgres"):
		self.server, self.dbname, self.user = server, dbname, user
		self.conninfo = conninfo(server.address(dbname, user))

	def command(self, *words):
		return [TOOL, self.conninfo, *[str(w) for w in words]]

	def __call__(self, *words, timeout=60):
		return subprocess.run(self.command(*words), capture_output=True, text=True, timeout=timeout, check=False)

	def ok(self, *words, **options):
		done = self(*words, **options)
		assert done.returncode == 0, done.stderr
		return done.stdout

	def lines(self, head, *words):
		"""What is said behind that word."""
		return [line[len(head) + 1:] for line in self.ok(*words).splitlines() if line.startswith(head + " ")]

	def start(self, *words):
		return subprocess.Popen(self.command(*words), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

	def sql(self, statement, parameters=None):
		return self.server.sql(statement, self.dbname, parameters)

	def state(self):
		"""Rights and settings as the catalogs have them."""
		return sorted(self.sql(RIGHTS)), sorted(self.sql(SETTINGS))
