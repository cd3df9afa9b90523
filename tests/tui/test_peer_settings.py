# SPDX-License-Identifier: PostgreSQL
"""The Settings tab of a peer, on real servers."""
import pytest

from support.pgpier import Pgpier


@pytest.fixture
def peers(pair):
	"""Three peers and no mirror: old, new, and one where nobody listens."""
	pair.source.sql("ALTER DATABASE \"%s\" SET datestyle = 'SQL, DMY'" % pair.name)
	p = Pgpier([{"name": "new", **pair.target.address(pair.name)}, {"name": "old", **pair.source.address(pair.name)},
		{"name": "away", "host": "127.0.0.1", "port": 1, "connect_timeout": 3}])
	pair.opened.append(p)
	return p


def settings_of(t, name):
	t.key("1").match("%s +.*15" % name)
	t.key("/").text(name).key("Enter", "Enter").wait("Slots")
	t.key("Tab", "Tab")
	return t


def choose(t, name):
	t.key("o").wait("Compare old with")
	t.key("/").text(name).key("Enter", "Enter")
	return t


@pytest.mark.sanitized
def test_compared_with_a_chosen_peer(peers, opened):
	t = settings_of(opened(peers, rows=30, cols=120), "old")
	t.wait("o chooses the peer to compare with")
	choose(t, "new").match(r"1 blocker, 0 warnings, 0 others of [0-9]+ compared")
	t.match("! blocker +DateStyle +SQL, DMY +ISO, MDY +application setting")
	t.wait("disk: the database takes")
	t.key("g", "Enter").wait("01/02/2026")
	t.match('ALTER DATABASE "t[0-9_]+" SET DateStyle = \'SQL, DMY\';')
	t.key("Esc").key("/").text("disk").key("Enter").gone("DateStyle")
	t.key("Esc").wait("DateStyle")
	t.key("s").wait("new → old")
	t.match("! blocker +DateStyle +ISO, MDY +SQL, DMY")
	t.key("q")
	assert t.exit() == 0


def test_a_peer_that_is_away(peers, opened):
	"""Why there is no comparison, and another choice."""
	t = settings_of(opened(peers, rows=30, cols=120), "old")
	choose(t, "away").match("peer away: .*refused")
	choose(t, "new").wait("1 blocker")
	t.key("q")
	assert t.exit() == 0
