# SPDX-License-Identifier: PostgreSQL
"""The contenders, and rounds in which they take turns."""
import json
import os
import shutil
import subprocess
import time

from bench import usage
from support import cluster, compare, pgpier

# As a careful administrator sets a server up for a migration.
SETTINGS = {
	"fsync": "on",
	"synchronous_commit": "on",
	"full_page_writes": "on",
	"shared_buffers": "1GB",
	"max_wal_size": "8GB",
	"maintenance_work_mem": "512MB",
	"checkpoint_timeout": "30min",
}


class Sample:
	"""One run of one contender."""

	def __init__(self, wall, client, memory, moved=0):
		self.wall, self.client, self.memory, self.moved = wall, client, memory, moved
		self.source = self.target = self.others = 0

	@property
	def cpu(self):
		return self.client + self.source + self.target


def value(text):
	"""Of a setting: a number, a list, true, or else a word."""
	try:
		return json.loads(text)
	except ValueError:
		return text


class Contest:
	"""Copies database `name` of the source to fresh databases of the target.

	What a run leaves behind (databases, dumps) stays for as long as the disk can hold it: to remove thousands
	of files would burden whoever runs next. ext4 without a journal searches past every inode deleted in the
	last minutes for each new file, which can double the cost of creating tables."""

	def __init__(self, source, target, options):
		self.source, self.target, self.options = source, target, options
		self.name = self.copy = None
		self.runs = 0
		self.leftovers = []  # (function, argument) that removes one, oldest first
		self.folder = cluster.temporary_folder("pgpier-bench-")
		self.log = os.path.join(self.folder, "log")
		self.env = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
		self.env.update(PGSSLMODE=self.sslmode(), LC_ALL="C", PATH="%s:%s" % (source.bindir, os.environ["PATH"]))

	def sslmode(self):
		return "require" if self.options.tls else "disable"

	def dbname(self, server):
		return self.name if server is self.source else self.copy

	def uri(self, server):
		return "postgresql://postgres@127.0.0.1:%d/%s" % (server.port, self.dbname(server))

	def peer(self, name, server):
		return {"name": name, "sslmode": self.sslmode(), **server.address(self.dbname(server), tcp=True)}

	def command(self, *words):
		return usage.Command(words, env=self.env, log=self.log)

	def pgpier(self):
		settings = {key: value(text) for key, text in (pair.split("=", 1) for pair in self.options.set)}
		if self.name == "definitions":
			settings.setdefault("schema", "database")
		mirror = pgpier.mirror(workers=self.options.workers, **settings)
		with pgpier.Pgpier([self.peer("source", self.source), self.peer("target", self.target)], [mirror]) as home:
			done = self.command(*home.command("run", "m", "--json"))
		return Sample(done.wall, done.cpu, done.memory, json.loads(done.out)["bytes"])

	def pg_dump(self):
		"""In parallel only a folder can be written, so one follows the other."""
		folder, jobs = self.work_folder(), "-j%d" % self.options.workers
		dump = self.command("pg_dump", "-Fd", "-Z0", jobs, "-f", folder, "-d", self.uri(self.source))
		restore = self.command("pg_restore", jobs, "-d", self.uri(self.target), folder)
		return Sample(dump.wall + restore.wall, dump.cpu + restore.cpu, max(dump.memory, restore.memory))

	def pgcopydb(self):
		"""Ends with VACUUM ANALYZE of each table, which version 0.10 can't be told to leave out."""
		folder, jobs = self.work_folder(), str(self.options.workers)
		done = self.command("pgcopydb", "clone", "--source", self.uri(self.source), "--target",
			self.uri(self.target), "--dir", folder, "--table-jobs", jobs, "--index-jobs", jobs)
		return Sample(done.wall, done.cpu, done.memory)

	def quiet(self):
		"""Ended sessions have been waited for, so that their processor time is counted."""
		for server in (self.source, self.target):
			while server.sql("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'")[0][0] > 1:
				time.sleep(0.02)

	def work_folder(self):
		folder = os.path.join(self.folder, "run-%d" % self.runs)
		self.leftovers.append((shutil.rmtree, folder))
		return folder

	def fresh(self):
		self.runs += 1
		size = self.source.sql("SELECT pg_database_size(%s)", parameters=(self.name,))[0][0]
		while self.leftovers and shutil.disk_usage(self.folder).free < 8 * size:
			remove, what = self.leftovers.pop(0)
			remove(what)
		self.copy = "%s_%d" % (self.name, self.runs)
		self.target.create_db(self.copy)
		self.leftovers.append((self.target.drop_db, self.copy))
		self.quiet()
		for server in (self.source, self.target):
			server.sql("CHECKPOINT")

	def measure(self, contender):
		self.fresh()
		servers = [usage.server_seconds(s) for s in (self.source, self.target)]
		machine = usage.machine_seconds()
		sample = CONTENDERS[contender](self)
		self.quiet()
		sample.source, sample.target = (usage.server_seconds(s) - before
			for s, before in zip((self.source, self.target), servers))
		sample.others = max(0, usage.machine_seconds() - machine - sample.cpu)
		return sample

	def check(self, contender):
		"""Every row and definition; pgpier's own schema is left out."""
		with self.source.connect(self.name) as source, self.target.connect(self.copy) as target:
			found = compare.differences(source, target)
		if found:
			raise RuntimeError("%s: %s was not copied right:\n%s" % (contender, self.name, "\n".join(found[:40])))


CONTENDERS = {"pgpier": Contest.pgpier, "pg_dump": Contest.pg_dump, "pgcopydb": Contest.pgcopydb}


def certificate(folder):
	"""A server's key and certificate, signed by itself."""
	key, crt = os.path.join(folder, "server.key"), os.path.join(folder, "server.crt")
	subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
		"-keyout", key, "-out", crt], check=True, stderr=subprocess.DEVNULL)
	os.chmod(key, 0o600)
	if os.geteuid() == 0:
		account = cluster.unprivileged()
		os.chown(key, account.pw_uid, account.pw_gid)
	return {"ssl": "on", "ssl_key_file": "'%s'" % key, "ssl_cert_file": "'%s'" % crt}


def server_settings(tls):
	if not tls:
		return SETTINGS
	return {**SETTINGS, **certificate(cluster.temporary_folder("pgpier-tls-"))}


def run(contest, name):
	"""{contender: [a Sample a round]}"""
	contest.name = name
	samples = {contender: [] for contender in contest.options.contenders}
	for number in range(contest.options.rounds):
		for contender in samples:
			sample = contest.measure(contender)
			samples[contender].append(sample)
			print("  round %d %-9s %7.2f s" % (number + 1, contender, sample.wall), flush=True)
			if number == 0 and not contest.options.no_compare:
				contest.check(contender)
	return samples
