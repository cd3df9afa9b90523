# SPDX-License-Identifier: PostgreSQL
"""Runs the pgpier binary: writes its configuration, starts it, reads its JSON, keeps what failed readable."""
import json
import os
import shutil
import signal
import subprocess

from .cluster import temporary_folder

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("PGPIER_BUILD") or os.path.join(ROOT, "build")
BINARY = os.path.join(BUILD, "pgpier")

DONE, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130

# Sanitizers make everything slower; deadlines are for hangs, not for speed.
PATIENCE = 4 if os.environ.get("PGPIER_SANITIZED") else 1


def setting(value):
	"""A value as libconfig reads it."""
	if isinstance(value, bool):
		return "true" if value else "false"
	if isinstance(value, (int, float)):
		return str(value)
	if isinstance(value, (list, tuple)):
		if value and isinstance(value[0], dict):
			return "( %s )" % ", ".join(setting(v) for v in value)
		return "[ %s ]" % ", ".join(setting(v) for v in value)
	if isinstance(value, dict):
		return "{ %s }" % " ".join("%s = %s;" % (k, setting(v)) for k, v in value.items())
	text = value.replace("\\", "\\\\").replace('"', '\\"')
	return '"%s"' % "".join("\\x%02x" % ord(c) if ord(c) < 32 else c for c in text)


def summary(run):
	"""A run's JSON with one line a table, those that failed last, where a reader looks."""
	fields = ("source", "target", "state", "rows", "chunks", "attempts", "how", "stall", "error")
	listed = run.get("tables")  # check only counts them
	tables = sorted(listed if isinstance(listed, list) else [], key=lambda t: t.get("state") == "failed")
	lines = [" ".join("%s=%s" % (k, t.get(k)) for k in fields) for t in tables]
	rest = {k: v for k, v in run.items() if k != "tables"}
	return "\n".join(lines) + "\n" + json.dumps(rest, ensure_ascii=False)


class Outcome(str):
	"""What a finished pgpier left: exit code, stdout, stderr, the log, and the JSON if it printed any.

	As a string it is all of that to read: pytest shows strings whole, other objects cut."""

	def __new__(cls, command, code, out, err, log):
		try:
			found = json.loads(out)
		except ValueError:
			found = None
		shown = summary(found) if isinstance(found, dict) else out
		self = super().__new__(cls, "%s: exit %s\nstdout: %s\nstderr: %s\nlog: %s" % (" ".join(command), code,
			shown[-6000:], err[-3000:], log[-5000:]))
		self.command, self.code, self.out, self.err, self.log, self.json = command, code, out, err, log, found
		return self

	def table(self, source):
		"""The entry of one source table, by schema.table."""
		found = [t for t in self.json["tables"] if t["source"] == source]
		assert len(found) == 1, "%d entries for table %s\n%s" % (len(found), source, self)
		return found[0]

	def errors(self):
		"""All error texts of a run's JSON, as one string to search."""
		texts = [json.dumps(e, ensure_ascii=False) if not isinstance(e, str) else e
			for e in self.json.get("errors") or []]
		for table in self.json.get("tables") or []:
			if table.get("error"):
				texts.append("%s: %s" % (table["source"], table["error"]))
		return "\n".join(texts)

	def expect(self, code, *words):
		"""Asserts the exit code, and that each word stands in what was printed."""
		assert self.code == code, "expected exit %d\n%s" % (code, self)
		everything = self.out + self.err
		for word in words:
			assert word in everything, "%r was not said\n%s" % (word, self)
		return self


class Pgpier:
	"""One person's pgpier: a configuration and a state folder."""

	def __init__(self, peers=None, mirrors=None, folder=None, env=None):
		self.folder = folder or temporary_folder("pgpier-home-")
		self.config = os.path.join(self.folder, "pgpier.conf")
		self.state = os.path.join(self.folder, "state")
		self.said_path = os.path.join(self.folder, "stderr")
		self.env = {**os.environ, **(env or {})}
		for name in [n for n in self.env if n.startswith("PG") and not n.startswith("PGPIER")]:
			del self.env[name]
		self.write(peers or [], mirrors or [])

	def __enter__(self):
		return self

	def __exit__(self, *_):
		self.remove()

	def remove(self):
		shutil.rmtree(self.folder, ignore_errors=True)

	def write(self, peers, mirrors):
		text = "peers = %s;\nmirrors = %s;\n" % (setting(peers) if peers else "()",
			setting(mirrors) if mirrors else "()")
		self.write_text(text)

	def write_text(self, text):
		with open(self.config, "w") as f:
			f.write(text)
		os.chmod(self.config, 0o600)

	def command(self, *words):
		return [BINARY, "--config", self.config, "--state", self.state, *words]

	def log(self):
		try:
			with open(os.path.join(self.state, "pgpier.log"), errors="replace") as f:
				return f.read()
		except OSError:
			return ""

	def start(self, *words):
		"""A running pgpier; finish() waits for its end, said() tells what it has printed to stderr so far."""
		with open(self.said_path, "w") as said:
			return subprocess.Popen(self.command(*words), env=self.env, stdin=subprocess.DEVNULL,
				stdout=subprocess.PIPE, stderr=said, text=True, errors="replace")

	def said(self):
		with open(self.said_path, errors="replace") as f:
			return f.read()

	def finish(self, process, timeout=120):
		"""A pgpier that does not end is a failure, shown with what it said."""
		try:
			out, _ = process.communicate(timeout=timeout * PATIENCE)
		except subprocess.TimeoutExpired:
			process.send_signal(signal.SIGKILL)
			out, _ = process.communicate()
			raise AssertionError("hangs: %s" % Outcome(process.args, "none", out, self.said(), self.log()))
		return Outcome(process.args, process.returncode, out, self.said(), self.log())

	def __call__(self, *words, timeout=120):
		return self.finish(self.start(*words), timeout)

	def run(self, mirror="m", *words, timeout=120):
		return self("run", mirror, "--json", *words, timeout=timeout)


def mirror(name="m", **settings):
	"""A mirror from peer `source` to peer `target`, all tables unless told."""
	return {"name": name, "source": "source", "target": "target", "tables": ["*"], **settings}


def between(source, source_db, target, target_db, env=None, **settings):
	"""A Pgpier with peers `source` and `target` and mirror `m` between two databases."""
	peers = [{"name": "source", **source.address(source_db)}, {"name": "target", **target.address(target_db)}]
	return Pgpier(peers, [mirror(**settings)], env=env)
