# SPDX-License-Identifier: PostgreSQL
"""Sizes, types and ends of terminals, and what may not reach one."""
import signal

import pytest

from support.load import tables_sql
from support.term import Terminal

HOSTILE = {
	"clear\x1b[2Jscreen": r"clear\\x1b\[2Jscreen",
	"tab\there": r"tab\\there",
	"new\nline": r"new\\nline",
	"表格テーブル": "表格テーブル",
	"bell\x07": r"bell\\x07|bell\\a",
}
HOSTILE_SQL = "".join('CREATE TABLE "%s" AS SELECT 1 AS one;' % name for name in HOSTILE)


def modes_of_a_fresh_terminal():
	with Terminal(["sleep", "9"]) as t:
		return t.stty()


def picker_of(pair, opened, **terminal):
	t = opened(pair.pgpier(), **terminal)
	t.key("2").wait("Mirrors (1)")
	return t.new_mirror("other").picker("[ ]")


@pytest.mark.parametrize("rows, cols", [(24, 80), (60, 200), (15, 60)])
def test_sizes(pair, opened, rows, cols):
	"""The frame fills the screen, and the last line has the keys."""
	pair.fill(tables_sql(3, 10))
	lines = picker_of(pair, opened, rows=rows, cols=cols).still().lines()
	assert lines[1].startswith("┌") and len(lines[1]) == cols, lines
	assert lines[rows - 2].endswith("┘") and len(lines[rows - 2]) == cols, lines
	assert "continue" in lines[rows - 1]


def test_too_small(pair, opened):
	"""A notice instead of a broken screen; growing shows everything again, and q leaves."""
	t = opened(pair.pgpier(), rows=5, cols=20)
	t.wait("20x5 is too small")
	t.resize(24, 80).wait("Mirrors (1)")
	t.resize(5, 20).wait("20x5 is too small")
	t.key("n", "x").still()
	t.key("q")
	assert t.exit() == 0


def test_resize_keeps_the_selected_row(pair, opened):
	pair.fill(tables_sql(60, 1))
	t = picker_of(pair, opened)
	t.key("G", "Up", "Up", "Up").wait("t57")
	t.still()
	for rows, cols in ((15, 60), (60, 200), (18, 90), (24, 80)):
		t.resize(rows, cols).still()
		t.wait("t57")
		assert "t57" in t.selected(), t.shown()


@pytest.mark.parametrize("term", ["dumb", "unknown-xyz", "vt100", "linux", "screen", "xterm"])
def test_terminal_types(pair, opened, term):
	"""Whatever TERM says, the console can be used."""
	t = opened(pair.pgpier(), term=term)
	t.wait("Mirrors (1)")
	t.key("1").wait("Peers (2)")
	t.match("source .* 15")
	t.key("q")
	assert t.exit() == 0


def test_ascii_in_the_c_locale(pair, opened):
	"""Not one byte above 127, also not for the names of others."""
	pair.fill(HOSTILE_SQL)
	t = picker_of(pair, opened, lang="C")
	screens = [t.shown()]
	t.key("?").wait("Choose all")
	screens.append(t.shown())
	t.key("Esc", "3").wait("Events")
	screens.append(t.shown())
	for screen in screens:
		assert screen.isascii(), screen


def colours(t):
	return {run[key] for row in t.cells() for run in row for key in ("fg", "bg") if key in run}


def test_no_color(pair, opened):
	"""NO_COLOR means none, and what is selected is still seen; without it there are colours."""
	plain, coloured = opened(pair.pgpier(), env={"NO_COLOR": "1"}), opened(pair.pgpier())
	for t in (plain, coloured):
		t.wait("Mirrors (1)")
		t.still()
		assert t.selected().lstrip(" ▸").startswith("m ")
	assert not colours(plain)
	assert colours(coloured)


@pytest.mark.parametrize("end", ["q", signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_the_terminal_is_given_back(pair, opened, end):
	"""Modes, cursor, alternate screen and mouse as they were, however the console ends."""
	before = modes_of_a_fresh_terminal()
	t = opened(pair.pgpier())
	t.wait("Mirrors (1)")
	assert t.stty() != before
	assert t.screen()["alternate"]
	if end == "q":
		t.key("q")
	else:
		t.signal(end)
	assert t.exit(2) == (0 if end == "q" else 130)
	assert t.stty() == before
	screen = t.screen()
	assert not screen["alternate"] and screen["cursor"] and screen["mouse"] == 0, screen


def test_hostile_names(pair, opened):
	"""Names are shown, not obeyed, and wide ones keep the columns straight."""
	pair.fill(HOSTILE_SQL)
	t = picker_of(pair, opened, rows=24, cols=100)
	for shown in HOSTILE.values():
		t.match(r"\[ \] (%s) .*none! +same" % shown)
	assert len(columns_of(t, "same")) == 1, t.shown()
	t.key("a").wait("5 of 5")
	t.key("c").match("c goes on|goes on to the review")
	t.key("c").wait("Create mirror")
	t.create().match("done +5/5 tables", seconds=20)
	for shown in HOSTILE.values():
		t.match(r"public\.(%s) " % shown)
	pair.assert_equal()


def columns_of(t, word):
	"""The cells at which word begins in the lines that have it."""
	found = set()
	for line in t.lines():
		if word in line:
			before = line[:line.index(word)]
			found.add(len(before) + sum("\u3000" <= c <= "\u9fff" for c in before))
	return found
