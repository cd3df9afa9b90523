# SPDX-License-Identifier: PostgreSQL
"""Throw-away PostgreSQL clusters: made in a temporary folder, on a free port, removed whatever happens.

Servers are children of this process and get SIGQUIT from the kernel when it dies, so that even kill -9 of
the tests leaves no server behind. PostgreSQL refuses to run as root: then it runs as postgres or nobody.
"""
import atexit
import ctypes
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import psycopg2
import psycopg2.extensions

DEBIAN_BIN = "/usr/lib/postgresql/15/bin"
PASSWORD = "pass word'\\%40"  # hard to quote on purpose
PR_SET_PDEATHSIG = 1

# A test cluster may lose its data with the machine; it may not take its time.
SETTINGS = {
	"fsync": "off",
	"synchronous_commit": "off",
	"full_page_writes": "off",
	"autovacuum": "off",
	"shared_buffers": "64MB",
	"max_wal_size": "512MB",
	"max_connections": "60",
	"wal_level": "logical",
	"max_wal_senders": "10",
	"max_replication_slots": "10",
	"log_min_messages": "warning",
	"log_line_prefix": "'%m [%p] %a '",
	"timezone": "UTC",
	"log_timezone": "UTC",
}

libc = ctypes.CDLL(None)
alive = []


def unprivileged():
	"""The account that servers run as: ours, unless we are root."""
	if os.geteuid() != 0:
		return pwd.getpwuid(os.geteuid())
	for name in ("postgres", "nobody"):
		try:
			return pwd.getpwnam(name)
		except KeyError:
			continue
	raise RuntimeError("root, and neither postgres nor nobody exists to run servers as")


def as_account(account):
	"""What a child does between fork and exec. The parent-death signal is lost on setuid: set it after."""
	def prepare():
		os.setsid()
		if os.geteuid() == 0:
			os.setgroups([])
			os.setgid(account.pw_gid)
			os.setuid(account.pw_uid)
		libc.prctl(PR_SET_PDEATHSIG, signal.SIGQUIT, 0, 0, 0)
	return prepare


def free_port():
	"""Below the ports that the kernel gives to clients: a server that restarts finds its own port free."""
	while True:
		port = random.randrange(10000, 32000)
		with socket.socket() as s:
			try:
				s.bind(("127.0.0.1", port))
				return port
			except OSError:
				continue


def temporary_folder(prefix="pgpier-"):
	"""A folder that the servers' account may enter, gone when the process ends."""
	path = tempfile.mkdtemp(prefix=prefix)
	os.chmod(path, 0o755)
	atexit.register(shutil.rmtree, path, ignore_errors=True)
	return path


def remove_all():
	for cluster in list(alive):
		cluster.remove()


def exit_on_signals():
	"""SIGTERM and SIGHUP end the process like ctrl-C does: through the clean-up."""
	def leave(number, _frame):
		raise SystemExit(128 + number)
	for number in (signal.SIGTERM, signal.SIGHUP):
		signal.signal(number, leave)


class Cluster:
	"""One server. auth is trust or scram; user postgres is the superuser, with PASSWORD."""

	def __init__(self, name, bindir=DEBIAN_BIN, auth="trust", settings=None):
		self.name = name
		self.bindir = bindir
		self.auth = auth
		self.settings = {**SETTINGS, **(settings or {})}
		self.account = unprivileged()
		self.folder = temporary_folder("pgpier-%s-" % name)
		self.data = os.path.join(self.folder, "data")
		self.log = os.path.join(self.folder, "log")
		self.port = free_port()
		self.process = None
		if os.geteuid() == 0:
			os.chown(self.folder, self.account.pw_uid, self.account.pw_gid)
		alive.append(self)
		try:
			self.initdb()
			self.start_somewhere()
		except BaseException:
			self.remove()
			raise

	def __enter__(self):
		return self

	def __exit__(self, *_):
		self.remove()

	def initdb(self):
		password = os.path.join(self.folder, "pw")
		with open(password, "w") as f:
			f.write(PASSWORD + "\n")
		os.chmod(password, 0o644)
		auth = "scram-sha-256" if self.auth == "scram" else "trust"
		command = [self.program("initdb"), "-D", self.data, "-U", "postgres", "-N", "-E", "UTF8",
			"--locale=C", "--auth=" + auth, "--pwfile=" + password]
		env = dict(os.environ, LC_ALL="C")
		done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd="/",
			preexec_fn=as_account(self.account), env=env, check=False)
		os.unlink(password)
		if done.returncode != 0:
			raise RuntimeError("initdb: %s" % done.stdout.decode(errors="replace"))
		with open(os.path.join(self.data, "postgresql.conf"), "a") as f:
			for key, value in self.settings.items():
				f.write("%s = %s\n" % (key, value))
			if self.auth == "scram":
				f.write("password_encryption = 'scram-sha-256'\n")
		with open(os.path.join(self.data, "pg_hba.conf"), "a") as f:
			f.write("host replication all 127.0.0.1/32 %s\n" % auth)

	def program(self, name):
		return os.path.join(self.bindir, name)

	def start_somewhere(self):
		"""Another server may take the port between the question and the start."""
		for tries_left in (4, 3, 2, 1, 0):
			try:
				return self.start()
			except RuntimeError:
				if "could not bind" not in self.log_tail() or not tries_left:
					raise
				self.port = free_port()

	def start(self):
		with open(self.log, "ab") as log:
			self.process = subprocess.Popen([self.program("postgres"), "-D", self.data,
				"-p", str(self.port), "-k", self.folder, "-h", "127.0.0.1"],
				stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/",
				preexec_fn=as_account(self.account), env=dict(os.environ, LC_ALL="C"))
		deadline = time.monotonic() + 60
		while True:
			try:
				self.connect().close()
				return
			except psycopg2.OperationalError:
				if self.process.poll() is not None or time.monotonic() > deadline:
					raise RuntimeError("server %s does not start:\n%s" % (self.name, self.log_tail()))
				time.sleep(0.05)

	def stop(self, how=signal.SIGINT):
		"""SIGTERM waits for clients, SIGINT (fast) throws them out, SIGQUIT is a crash without clean-up."""
		if self.process is None:
			return
		if self.process.poll() is None:
			self.process.send_signal(how)
			try:
				self.process.wait(60)
			except subprocess.TimeoutExpired:
				self.process.send_signal(signal.SIGQUIT)
				self.process.wait()
		self.process = None

	def restart(self, how=signal.SIGINT):
		self.stop(how)
		self.start()

	def remove(self):
		if self in alive:
			alive.remove(self)
		self.stop(signal.SIGQUIT)
		shutil.rmtree(self.folder, ignore_errors=True)

	def log_tail(self, lines=30):
		try:
			with open(self.log, errors="replace") as f:
				return "".join(f.readlines()[-lines:])
		except OSError:
			return ""

	def address(self, dbname="postgres", user="postgres", tcp=False):
		"""The fields of a peer in pgpier.conf, which are also libpq's."""
		fields = {"host": "127.0.0.1" if tcp else self.folder, "port": self.port,
			"dbname": dbname, "user": user}
		if self.auth == "scram":
			fields["password"] = PASSWORD
		return fields

	def connect(self, dbname="postgres", user="postgres", autocommit=True, **options):
		connection = psycopg2.connect(**self.address(dbname, user), connect_timeout=10, **options)
		connection.autocommit = autocommit
		return connection

	def sql(self, statement, dbname="postgres", parameters=None):
		"""Runs statements in autocommit; gives the rows of the last, or None."""
		connection = self.connect(dbname)
		try:
			with connection.cursor() as cursor:
				cursor.execute(statement, parameters)
				return cursor.fetchall() if cursor.description else None
		finally:
			connection.close()

	def create_db(self, name):
		quoted = '"%s"' % name.replace('"', '""')
		connection = self.connect()
		with connection.cursor() as cursor:
			cursor.execute("DROP DATABASE IF EXISTS " + quoted)
			# Copies files, where the default of 15 and later writes all of them to the WAL as well.
			cursor.execute("CREATE DATABASE %s TEMPLATE template0%s" % (quoted,
				" STRATEGY file_copy" if connection.server_version >= 150000 else ""))
		connection.close()
		return name

	def drop_db(self, name):
		"""Whoever is still connected is thrown out, also on servers without DROP ... WITH (FORCE); slots go as well."""
		self.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
			parameters=(name,))
		deadline = time.monotonic() + 10
		while True:
			try:
				self.sql("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = %s",
					parameters=(name,))
				self.sql('DROP DATABASE IF EXISTS "%s"' % name.replace('"', '""'))
				return
			except psycopg2.errors.ObjectInUse:
				if time.monotonic() > deadline:
					raise
				time.sleep(0.05)


atexit.register(remove_all)
