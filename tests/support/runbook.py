# SPDX-License-Identifier: PostgreSQL
"""The folder that pgpier script wrote, and its steps run as a person would, with nobody at the terminal."""
import os
import re
import shutil
import subprocess

from .cluster import DEBIAN_BIN, as_account, temporary_folder


class Runbook:
	"""DIR of pgpier script MIRROR --out DIR; the steps' programs are Debian's."""

	def __init__(self, p, mirror="m", expected=0):
		self.parent = temporary_folder("pgpier-runbook-")
		self.folder = os.path.join(self.parent, "it")
		self.env = {**p.env, "PATH": DEBIAN_BIN + ":" + os.environ["PATH"]}
		self.outcome = p("script", mirror, "--out", self.folder, "--json").expect(expected)

	def remove(self):
		"""A subscription that a failed test left would keep its database."""
		if os.path.exists(self.path("parts/follow.sh")):
			for word in ("--lose-changes", "clean"):
				subprocess.run(["./10-rollback.sh", word, "--yes"], cwd=self.folder, env=self.env, check=False,
					stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
		shutil.rmtree(self.parent, ignore_errors=True)

	def path(self, name):
		return os.path.join(self.folder, name)

	def read(self, name):
		with open(self.path(name), encoding="utf-8", errors="surrogateescape") as f:
			return f.read()

	def edit(self, name, **settings):
		"""NAME=VALUE of an env.sh, as a person would set it: the value is a shell word."""
		text = self.read(name)
		for key, value in settings.items():
			text, found = re.subn("(?m)^%s=.*$" % key, lambda _: "%s=%s" % (key, value), text)
			assert found == 1, "%s stands %d times in %s" % (key, found, name)
		with open(self.path(name), "w", encoding="utf-8", errors="surrogateescape") as f:
			f.write(text)

	def step(self, name, *words, code=0, account=None):
		"""Runs one; gives what it said."""
		done = subprocess.run(["./" + name, *words], cwd=self.folder, env=self.env, stdin=subprocess.DEVNULL,
			stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120, text=True, errors="replace", check=False,
			preexec_fn=as_account(account) if account else None)
		assert done.returncode == code, "%s %s: exit %d\n%s" % (name, " ".join(words), done.returncode, done.stdout)
		return done.stdout

	def steps(self, *names):
		for name in names:
			self.step(name, "--yes")

	def shell_files(self):
		return sorted(os.path.relpath(os.path.join(parent, f), self.folder)
			for parent, _, files in os.walk(self.folder) for f in files if f.endswith(".sh"))
