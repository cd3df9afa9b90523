# SPDX-License-Identifier: PostgreSQL
"""A real PgBouncer in front of a server, as an unprivileged user, removed with the test."""
import os
import shutil
import signal
import subprocess
import time

import psycopg2

from . import cluster

PROGRAM = shutil.which("pgbouncer") or "/usr/sbin/pgbouncer"


class Bouncer:
	"""User boss may administrate it, user watcher may only look. login: who it connects to the server as."""

	def __init__(self, server, dbname, pool_mode="transaction", name=None, login="postgres"):
		self.server, self.dbname, self.login = server, dbname, login
		self.name = name or dbname
		self.folder = cluster.temporary_folder("pgpier-bouncer-")
		self.config = os.path.join(self.folder, "pgbouncer.ini")
		self.log = os.path.join(self.folder, "log")
		self.port = cluster.free_port()
		account = cluster.unprivileged()
		if os.geteuid() == 0:
			os.chown(self.folder, account.pw_uid, account.pw_gid)
		self.write(server, dbname, pool_mode)
		with open(self.log, "ab") as log:
			self.process = subprocess.Popen([PROGRAM, self.config], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
				cwd="/", preexec_fn=cluster.as_account(account))
		try:
			self.wait_ready()
		except BaseException:
			self.remove()
			raise

	def write(self, server, dbname, pool_mode="transaction"):
		"""Where the database is, for the start or for RELOAD."""
		users = os.path.join(self.folder, "users")
		with open(users, "w") as f:
			f.write("".join('"%s" ""\n' % user for user in ("boss", "watcher", "app", "application", "postgres")))
		lines = ["[databases]", "%s = host=%s port=%d dbname=%s user=%s" % (self.name, server.folder, server.port,
			dbname, self.login), "[pgbouncer]", "listen_addr = 127.0.0.1", "listen_port = %d" % self.port,
			"unix_socket_dir = " + self.folder, "auth_type = trust", "auth_file = " + users, "admin_users = boss",
			"stats_users = watcher", "pool_mode = " + pool_mode, "server_login_retry = 1"]
		with open(self.config, "w") as f:
			f.write("\n".join(lines) + "\n")

	def wait_ready(self):
		deadline = time.monotonic() + 30
		while True:
			try:
				self.connect("pgbouncer", "watcher").close()
				return
			except psycopg2.OperationalError:
				if self.process.poll() is not None or time.monotonic() > deadline:
					raise RuntimeError("PgBouncer does not start:\n" + open(self.log, errors="replace").read())
				time.sleep(0.05)

	def console(self, user="boss"):
		"""As a peer's key pgbouncer has it."""
		return "host=127.0.0.1 port=%d user=%s" % (self.port, user)

	def connect(self, dbname=None, user="app"):
		c = psycopg2.connect(host="127.0.0.1", port=self.port, user=user, dbname=dbname or self.name, connect_timeout=10)
		c.autocommit = True
		return c

	def remove(self):
		if self.process and self.process.poll() is None:
			self.process.send_signal(signal.SIGKILL)
			self.process.wait()
		self.process = None
		shutil.rmtree(self.folder, ignore_errors=True)

	def __enter__(self):
		return self

	def __exit__(self, *_):
		self.remove()
