# SPDX-License-Identifier: PostgreSQL
"""The console answers at once while the engine works as fast as it can, and takes next to nothing from it.

The picker is tried with 5,000 tables here: 50,000 take a server a minute to make; how long filtering those
takes is measured without a server, by the unit tests of the filter.
"""
import statistics
import time

import pytest

from support.load import tables_sql

pytestmark = pytest.mark.alone

KEYS = 30
MANY = """DO $$ BEGIN
	FOR i IN 1..5000 LOOP
		EXECUTE format('CREATE TABLE many_%s ()', i);
		IF i % 500 = 0 THEN COMMIT; END IF;
	END LOOP;
END $$"""


def answer_times(t, keys):
	"""Milliseconds from each key to the text that it brings or takes away; keys are (key, text, gone)."""
	times = []
	for key, text, gone in keys:
		started = time.perf_counter()
		t.key(key)
		(t.gone if gone else t.wait)(text)
		times.append((time.perf_counter() - started) * 1000)
	return times


def cpu_seconds(pid):
	"""Of the process's first thread, the console's: the engine has threads of its own."""
	with open("/proc/%d/task/%d/schedstat" % (pid, pid)) as f:
		return int(f.read().split()[0]) / 1e9


def test_keys_and_cpu_while_loading(pair, opened):
	pair.fill(tables_sql(6, 50000, 1000))
	t = opened(pair.pgpier(workers=2, rows_per_chunk=5000))
	t.open_load("m")
	t.key("p").match("public.t0[0-9] +. copy")
	pid, before, began = t.pid(), cpu_seconds(t.pid()), time.monotonic()
	t.match("▱ ([2-9][0-9])%", seconds=60)
	share = (cpu_seconds(pid) - before) / (time.monotonic() - began) * 100
	times = answer_times(t, [("?", "Esc closes", False), ("Esc", "Esc closes", True)] * (KEYS // 2))
	assert "● 1 running" in t.shown(), "the load was over before the keys were\n" + t.shown()
	print("key to screen: median %.1f ms, max %.1f ms; the console's thread: %.1f %% of a CPU"
		% (statistics.median(times), max(times), share))
	assert statistics.median(times) < 50, times
	assert share < 6, "the console takes %.1f %% of a CPU while nobody presses a key" % share


def test_picker_of_many_tables(pair, opened):
	pair.fill(MANY)
	t = opened(pair.pgpier())
	t.key("2").wait("Mirrors (1)")
	t.new_mirror("big").key("C-s").wait("0/5000", seconds=20)
	t.key("a").wait("5000 of 5000")
	times = answer_times(t, [("u", " 0 of 5000", False), ("a", "5000 of 5000", False)] * (KEYS // 2))
	t.key("/")
	t.text("many_499").match("/many_499 +11 of 5000")
	print("choosing 5,000 tables: median %.1f ms, max %.1f ms" % (statistics.median(times), max(times)))
	assert statistics.median(times) < 50, times
