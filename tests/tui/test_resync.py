# SPDX-License-Identifier: PostgreSQL
"""Tables taken anew from the console, while clients go on changing all of them."""
import re

from support import torture
from support.live import Live
from support.load import wait_until

ASKED = r"Type the table's name, (.*), to go on"


def resync_selected(t):
	"""The list is sorted by changes and moves: which table it is, the question says."""
	t.key("R").wait("to go on")
	name = re.search(ASKED, " ".join(t.shown().replace("│", " ").split())).group(1)
	t.text(name).key("Enter").gone("to go on")
	return name


def test_resync_under_writers(pair, opened):
	"""The others go on, changes that the copy contains are not made twice, those it does not are made."""
	torture.fill(pair.source, pair.name, rows=1600)
	live = Live(pair)
	t = opened(live.p, rows=40, cols=140)
	t.open_load("m")
	t.key("p").match("replicating", seconds=30)
	while "changes/s" not in t.shown():
		t.key("Tab").still()
	with torture.Torture(pair.source, pair.name, 5, clients=4) as clients:
		wait_until(lambda: clients.commits() > 100, "some transactions")
		done = []
		for steps in (0, 3, 6, 9):
			t.key("g", *["j"] * steps)
			done.append(resync_selected(t))
			wait_until(lambda so_far=clients.commits(): clients.commits() > so_far + 40, "more transactions")
	torture.drain(pair.source, pair.target, pair.name, 1)
	wait_until(lambda: not pair.differences(values=False), "tables %s as on the source" % done)
	pair.assert_equal(live.p.log()[-4000:], values=False)
