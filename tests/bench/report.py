# SPDX-License-Identifier: PostgreSQL
"""The initial load: ratios a round, medians, and what the goals say of them."""
from statistics import median

MB, GB = 1000 ** 2, 1000 ** 3

# On the whole clone unless said; the second number is the one to dream of.
WALL_GOALS = {"pgcopydb": (0.35, 0.30), "pg_dump": (0.62, 0.50)}
DEFINITIONS_GOAL = 1.2  # of pg_dump | pg_restore
CLIENT_S_PER_GB = {False: 0.40, True: 0.60}  # by TLS
CLIENT_SHARE = 0.05
MEMORY_PER_WORKER = 10 * MB

COLUMNS = ("wall s", "ratio", "(rounds)", "client", "source", "target", "all cpu", "client %", "s/GB", "peak MB", "others")


def ratios(samples, peer):
	"""pgpier's wall time in each round, as a part of the peer's."""
	return [mine.wall / theirs.wall for mine, theirs in zip(samples["pgpier"], samples[peer])]


def row(contender, samples, moved):
	mine = samples[contender]
	rated = contender != "pgpier" and "pgpier" in samples
	each = ratios(samples, contender) if rated else []
	def mid(value):
		return median(value(s) for s in mine)
	return (contender, "%.2f" % mid(lambda s: s.wall), "%.3f" % median(each) if rated else "",
		" ".join("%.2f" % r for r in each), "%.2f" % mid(lambda s: s.client), "%.2f" % mid(lambda s: s.source),
		"%.2f" % mid(lambda s: s.target), "%.2f" % mid(lambda s: s.cpu),
		"%.1f" % (100 * mid(lambda s: s.client / s.cpu)),
		"%.2f" % (mid(lambda s: s.client) / moved * GB) if moved else "",
		"%.1f" % (max(s.memory for s in mine) / MB), "%.2f" % mid(lambda s: s.others))


def table(name, samples, options):
	"""Medians over the rounds; cpu in seconds. ratio: pgpier's wall to this one's. s/GB: client cpu per 10^9
	bytes of pgpier's COPY stream. others: what strangers used of the machine meanwhile."""
	moved = median(s.moved for s in samples["pgpier"]) if "pgpier" in samples else 0
	lines = [("",) + COLUMNS] + [row(c, samples, moved) for c in samples]
	widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
	print("%s, %d workers, %s, %.2f GB moved" % (name, options.workers, "TLS" if options.tls else "plain", moved / GB))
	for line in lines:
		print("  " + line[0].ljust(widths[0]) + "".join("  " + t.rjust(w) for t, w in zip(line[1:], widths[1:])),
			flush=True)


def judge(what, value, goal, dream=None):
	verdict = "reached" if value <= goal else "MISSED"
	if dream is not None and value <= dream:
		verdict = "beyond the dream"
	print("  %-46s %6.3f  goal %.2f%s  %s" % (what, value, goal, "" if dream is None else " (%.2f)" % dream, verdict))


def goals(results, options):
	"""The whole clone decides; cpu a GB is judged wherever there are big tables."""
	print("\ngoals")
	for name, samples in results:
		if "pgpier" not in samples:
			continue
		mine = samples["pgpier"]
		for peer, (goal, dream) in WALL_GOALS.items():
			if name == "clone" and peer in samples:
				judge("%s: wall to %s" % (name, peer), median(ratios(samples, peer)), goal, dream)
		if name == "definitions" and "pg_dump" in samples:
			judge("definitions: wall to pg_dump", median(ratios(samples, "pg_dump")), DEFINITIONS_GOAL)
		if name not in ("small", "definitions"):
			judge("%s: client cpu s/GB" % name, median(s.client / s.moved * GB for s in mine),
				CLIENT_S_PER_GB[options.tls])
			judge("%s: client share of all cpu" % name, median(s.client / s.cpu for s in mine), CLIENT_SHARE)
		judge("%s: peak memory a worker, MB" % name, max(s.memory for s in mine) / options.workers / MB,
			MEMORY_PER_WORKER / MB)
