# SPDX-License-Identifier: PostgreSQL
"""Replication: ratios a round, medians, lag, and what the goals say of them."""
from statistics import median

from bench.lag import part
from bench.report import MB, judge

# To the subscription's; the second number is the one to dream of.
WALL_GOAL, APPLY_GOAL = (0.90, 0.70), (0.60, 0.40)
MEMORY_GOAL = 64
IDLE_GOAL = 0.01

COLUMNS = ("wall s", "drain s", "ratio", "(rounds)", "walsender", "target", "pgpier", "apply", "ratio",
	"(rounds)", "peak MB")


def ratios(samples, of):
	return [of(mine) / of(theirs) for mine, theirs in zip(samples["pgpier"], samples["subscription"])]


def row(contender, samples):
	def mid(of):
		return "%.2f" % median(of(s) for s in samples[contender])

	def rated(of):
		if contender != "pgpier" or "subscription" not in samples:
			return "", ""
		each = ratios(samples, of)
		return "%.3f" % median(each), " ".join("%.2f" % r for r in each)
	return (contender, mid(lambda s: s.wall), mid(lambda s: s.drain), *rated(lambda s: s.drain),
		mid(lambda s: s.walsender), mid(lambda s: s.target), mid(lambda s: s.client), mid(lambda s: s.apply), *rated(lambda s: s.apply),
		"%.1f" % (max(s.memory for s in samples[contender]) / MB))


def table(name, samples):
	"""Medians over the rounds. drain: from the walsender's start to the last row's being visible; processor seconds of
	the walsender, of the whole target server, of pgpier; apply: the last two; ratios: pgpier's to the subscription's."""
	lines = [("",) + COLUMNS] + [row(c, samples) for c in samples]
	widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
	print(name)
	for line in lines:
		print("  " + line[0].ljust(widths[0]) + "".join("  " + t.rjust(w) for t, w in zip(line[1:], widths[1:])),
			flush=True)


def goals(results):
	print("\ngoals")
	for name, samples in results:
		if "pgpier" not in samples:
			continue
		if "subscription" in samples:
			judge("%s: drain to the subscription" % name, median(ratios(samples, lambda s: s.drain)), *WALL_GOAL)
			judge("%s: apply side's cpu to the subscription" % name, median(ratios(samples, lambda s: s.apply)), *APPLY_GOAL)
		judge("%s: peak memory, MB" % name, max(s.memory for s in samples["pgpier"]) / MB, MEMORY_GOAL)


def lag(samples, options):
	print("\nlag at %d transactions a second, commit to visible, ms" % options.tps)
	for name, seconds in samples.items():
		print("  %-14s p50 %.2f  p95 %.2f  p99 %.2f  max %.2f  (%d probes)" % (name,
			*(1000 * part(seconds, share) for share in (0.5, 0.95, 0.99, 1)), len(seconds)), flush=True)
	if "pgpier" in samples:
		if "subscription" in samples:
			judge("lag: p50 to the subscription's", part(samples["pgpier"], 0.5) / part(samples["subscription"], 0.5), 2.0)
		judge("lag: p99, ms", 1000 * part(samples["pgpier"], 0.99), 50)


def idle(parts, moved, options):
	print("\nidle for %d s: parts of a core" % options.idle_seconds)
	print("  pgpier %.4f  source %.4f  target %.4f; the slot's position %s" % (*parts, "moved" if moved else "STOOD"))
	judge("idle: pgpier, part of a core", parts[0], IDLE_GOAL)
