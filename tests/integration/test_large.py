# SPDX-License-Identifier: PostgreSQL
"""Large fields and rows arrive, and pgpier's memory does not grow with them."""
import os
import threading
import time

import pytest

from support.pgpier import DONE

FIELD_MB = 200
WIDE_ROWS = 300  # of almost 1 MB


class Peak:
	"""The most memory that a running process has had resident, in bytes: looked at until it ends."""

	def __init__(self, process):
		self.bytes = 0
		self.process = process
		self.thread = threading.Thread(target=self.watch)
		self.thread.start()

	def watch(self):
		while os.path.exists("/proc/%d/status" % self.process.pid):
			with open("/proc/%d/status" % self.process.pid) as f:
				lines = [line.split() for line in f if line.startswith("VmHWM")]
			if not lines:  # a zombie has none
				return
			self.bytes = max(self.bytes, int(lines[0][1]) * 1024)
			time.sleep(0.02)


def run_watched(pair, **mirror):
	p = pair.pgpier(**mirror)
	process = p.start("run", "m", "--json")
	peak = Peak(process)
	outcome = p.finish(process).expect(DONE)
	peak.thread.join()
	return outcome, peak.bytes


def sums(server, name):
	return server.sql("SELECT count(*), sum(length(v)), md5(string_agg(md5(v), '' ORDER BY id)) FROM big", name)


@pytest.mark.parametrize("field", ["text", "bytea"])
def test_a_field_of_200_mb(pair, field):
	"""Larger than any buffer of ours, by a plain connection: frames are cut and joined as they pass."""
	pair.fill("CREATE TABLE big (id int PRIMARY KEY, v %s);"
		" INSERT INTO big VALUES (1, repeat('0123456789', %d)::%s), (2, 'small')"
		% (field, FIELD_MB * 100_000, field))
	outcome, peak = run_watched(pair, workers=1)
	assert sums(pair.target, pair.name) == sums(pair.source, pair.name), outcome
	assert outcome.json["bytes"] > FIELD_MB * 1_000_000
	assert peak < 40_000_000, "%d MB resident" % (peak // 1_000_000)


@pytest.mark.parametrize("transfer, limit_mb", [("copy", 40), ("fetch", 80)])
def test_rows_of_one_mb(pair, transfer, limit_mb):
	"""The first rows are small: what a FETCH takes must follow the rows' size."""
	pair.fill("""CREATE TABLE big (id int PRIMARY KEY, v text);
		INSERT INTO big SELECT i, repeat('x', 10) FROM generate_series(1, 20) AS i;
		INSERT INTO big SELECT i, repeat(md5(i::text), 31000) FROM generate_series(21, %d) AS i""" % WIDE_ROWS)
	outcome, peak = run_watched(pair, workers=2, transfer=transfer)
	assert sums(pair.target, pair.name) == sums(pair.source, pair.name), outcome
	assert peak < limit_mb * 1_000_000, "%d MB resident" % (peak // 1_000_000)
