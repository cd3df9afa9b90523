# SPDX-License-Identifier: PostgreSQL
"""Fixtures of the console's tests."""
import pytest

from support import console, pgpier


@pytest.fixture
def opened():
	"""opened(home, rows=.., cols=.., term=..): a console, closed after the test."""
	consoles = []

	def open_console(home, *options, **terminal):
		consoles.append(console.Console(home, *options, **terminal))
		return consoles[-1]
	yield open_console
	for c in consoles:
		c.close()


@pytest.fixture
def home():
	"""A pgpier that has nothing configured yet."""
	with pgpier.Pgpier() as p:
		yield p
