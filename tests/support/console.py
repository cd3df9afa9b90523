# SPDX-License-Identifier: PostgreSQL
"""The console as tests and screenshots walk through it: what a person types on its pages."""
import os

from .pgpier import PATIENCE
from .term import Terminal


class Console(Terminal):
	"""The console of one person's pgpier, in the foreground unless told; nothing of the caller's own PostgreSQL
	settings reaches it."""

	def __init__(self, home, *options, env=None, foreground=True, **terminal):
		own = {name: home.env.get(name) for name in os.environ if name.startswith("PG")}
		super().__init__(home.command(*(["-f"] if foreground else []), *options),
			env={**own, "HOME": home.folder, **(env or {})}, **terminal)

	def pid(self):
		"""Of pgpier, a child of the terminal's process."""
		with open("/proc/%d/task/%d/children" % (self.process.pid, self.process.pid)) as f:
			return int(f.read().split()[0])

	def typed(self, *words):
		"""Fills the fields of a form from the focused one on; None leaves one as it is."""
		for word in words:
			if word is not None:
				self.text(word)
			self.key("Tab")
		return self

	def new_peer(self, name, *, uri=None, host=None, port=None, dbname=None, user=None):
		"""Opens the form and fills it, by a pasted connection string or field by field."""
		self.key("1", "n").wait("New peer")
		self.typed(name)
		if uri:
			return self.paste(uri)
		return self.typed(None, host, str(port), dbname, user)

	def save_peer(self, name):
		self.key("C-s")
		self.wait("peer %s saved" % name)
		return self

	def new_mirror(self, name):
		"""Opens the first page of the wizard; source and target are the first two peers."""
		self.key("2", "n")
		self.wait("Mirror name")
		self.text(name)
		return self

	def picker(self, some_table):
		"""Goes on to the table picker and waits for its list."""
		self.key("C-s").wait("Tables of")
		self.wait(some_table)
		return self

	def review(self):
		"""From the picker through the preflight to the review page."""
		self.key("c").wait("nothing stands in the way")
		self.key("c").wait("Create mirror")
		return self

	def create(self):
		"""Starts the mirror of the review page; its initial load is shown then."""
		self.key("c").wait("Initial load")
		return self

	def open_load(self, name):
		"""The initial load of a mirror that has not been started."""
		self.key("2").wait("%s " % name)
		self.key("Enter").match("runs for|kind +(initial copy|continuous)")
		self.key("Tab").match("TABLE +STATE")
		return self

	def selected(self):
		"""The text of the row that the cursor is on: reversed, and not the tab in the first line."""
		for row in self.cells()[1:-1]:
			text = "".join(run["text"] for run in row if run.get("reverse"))
			if text.strip():
				return text
		raise AssertionError("nothing is selected\n" + self.shown())


def seconds(count):
	"""A deadline of the caller's own, stretched as those of the terminal are."""
	return count * PATIENCE
