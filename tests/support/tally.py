# SPDX-License-Identifier: PostgreSQL
"""Adds up what meson and pytest have written into a folder and closes with one line for all of it.

tally.py FOLDER        the sum
tally.py --again FILE  the ids of the tests in FILE that failed and may try once more, alone

Tests run side by side on a busy machine, so a deadline may pass that is kept otherwise: a failure that is gone when
the test runs alone is told as unsteady. What has found other rows on the target than on the source, or was found by
a sanitizer, stands.
"""
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


def cases(path):
	"""(id, outcome, reason) of each test of a JUnit file."""
	for case in ElementTree.parse(path).iter("testcase"):
		kinds = {child.tag: child for child in case}
		name = "%s.py::%s" % (case.get("classname").replace(".", "/"), case.get("name"))
		bad = kinds.get("failure", kinds.get("error"))
		if bad is not None:
			yield name, "failed", bad.get("message", "")
		elif "skipped" in kinds:
			yield name, "skipped", kinds["skipped"].get("message", "")
		else:
			yield name, "passed", ""


FINAL = ("source and target differ", "Sanitizer")


def again(path):
	return [name for name, outcome, reason in cases(path)
		if outcome == "failed" and not any(word in reason for word in FINAL)]


def pytest(path):
	"""The same, with the second try of those that had one."""
	second = path.replace(".xml", ".again")
	later = {name: outcome for name, outcome, _reason in cases(second)} if os.path.exists(second) else {}
	for name, outcome, reason in cases(path):
		if outcome == "failed" and later.get(name) == "passed":
			outcome = "unsteady"
		yield name, outcome, " ".join(reason.split())[:400]


def main(folder):
	counts = {"passed": 0, "failed": 0, "skipped": 0}
	files = [(p, meson) for p in sorted(glob.glob(os.path.join(folder, "*.json")))]
	files += [(p, pytest) for p in sorted(glob.glob(os.path.join(folder, "*.xml")))]
	for path, read in files:
		suite = os.path.basename(path).rsplit(".", 1)[0]
		for name, outcome, reason in read(path):
			counts["passed" if outcome == "unsteady" else outcome] += 1
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
	if sys.argv[1] == "--again":
		print("\n".join(again(sys.argv[2])))
	else:
		sys.exit(main(sys.argv[1]))
