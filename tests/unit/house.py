#!/usr/bin/python3
# SPDX-License-Identifier: PostgreSQL
"""The shape of the house: ui -> include <- src, small files and functions, nothing beside the agreed top level.

Prints every breach and exits 1 if there is any. Run from anywhere: house.py [ROOT]."""
import os
import re
import sys

ROOT = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "..", ".."))
TOP = {"meson.build", "src", "ui", "include", "tests", "screenshots", "config.example", "README.md", "LICENSE"}
MOST_LINES, MOST_FUNCTION_LINES = 600, 120

# What a folder's files may not include.
FORBIDDEN = {
	"src": r'[<"](ui/|(\.\./)+ui/|n?curses|console\.h)',
	"ui": r'[<"]((\.\./)+src/|src/|libpq|postgres|libconfig)',
	"include": r'[<"](libpq|libconfig|n?curses|\.\./)',
}


def files(folder):
	for path, _, names in os.walk(os.path.join(ROOT, folder)):
		yield from (os.path.join(path, name) for name in sorted(names) if name.endswith((".c", ".h")))


def breaches_of(folder, path):
	with open(path, encoding="utf-8") as f:
		lines = f.read().split("\n")
	name, start = os.path.relpath(path, ROOT), None
	if not lines[0].startswith("// SPDX-License-Identifier: PostgreSQL"):
		yield "%s:1: no licence line" % name
	if len(lines) > MOST_LINES:
		yield "%s: %d lines" % (name, len(lines))
	for number, line in enumerate(lines, 1):
		if re.match(r"#\s*include", line) and re.search(FORBIDDEN.get(folder, r"$^"), line):
			yield "%s:%d: against ui -> include <- src: %s" % (name, number, line)
		if line == "{":
			start = number
		elif line == "}" and start:
			if number - start + 1 > MOST_FUNCTION_LINES:
				yield "%s:%d: a function of %d lines" % (name, start, number - start + 1)
			start = None


def main():
	found = ["%s does not belong at the top" % name for name in sorted(os.listdir(ROOT))
		if name not in TOP and not name.startswith((".", "build"))]
	for folder in ("include", "src", "ui", "tests"):
		for path in files(folder):
			found.extend(breaches_of(folder, path))
	print("\n".join(found) or "the house stands")
	return 1 if found else 0


if __name__ == "__main__":
	sys.exit(main())
