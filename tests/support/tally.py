# SPDX-License-Identifier: PostgreSQL
"""Adds up what meson and pytest have written into a folder and closes with one line for all of it."""
import glob
import json
import os
import sys
from xml.etree import ElementTree


def meson(path):
	"""(suite, name, outcome, reason) of each test program: one JSON object a line."""
	with open(path) as f:
		for line in f:
			test = json.loads(line)
			outcome = {"OK": "passed", "EXPECTEDFAIL": "passed", "SKIP": "skipped"}.get(test["result"], "failed")
			yield test["name"], outcome, test["result"].lower()


def pytest(path):
	for case in ElementTree.parse(path).iter("testcase"):
		kinds = {child.tag: child for child in case}
		name = "%s.%s" % (case.get("classname"), case.get("name"))
		if "failure" in kinds or "error" in kinds:
			yield name, "failed", ""
		elif "skipped" in kinds:
			yield name, "skipped", kinds["skipped"].get("message", "")
		else:
			yield name, "passed", ""


def main(folder):
	counts = {"passed": 0, "failed": 0, "skipped": 0}
	files = [(p, meson) for p in sorted(glob.glob(os.path.join(folder, "*.json")))]
	files += [(p, pytest) for p in sorted(glob.glob(os.path.join(folder, "*.xml")))]
	for path, read in files:
		suite = os.path.basename(path).rsplit(".", 1)[0]
		for name, outcome, reason in read(path):
			counts[outcome] += 1
			if outcome != "passed":
				print("%s: %s: %s%s" % (outcome, suite, name, ": " + reason if reason else ""))
	broken = os.path.join(folder, "broken")
	if os.path.exists(broken):
		lines = open(broken).read().splitlines()
		print("\n".join("failed: " + line for line in lines))
		counts["failed"] += len(lines)
	if counts["passed"] + counts["failed"] == 0:
		print("failed: no test was run")
		counts["failed"] = 1
	print("%(passed)d passed, %(failed)d failed, %(skipped)d skipped" % counts)
	return 1 if counts["failed"] else 0


if __name__ == "__main__":
	sys.exit(main(sys.argv[1]))
