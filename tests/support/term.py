# SPDX-License-Identifier: PostgreSQL
"""A program on a terminal, as a test or a screenshot sees it: keys go in, the screen is waited for.

Every wait polls the terminal until its deadline (see pgterm.c); nothing here sleeps.
"""
import json
import os
import subprocess

from .pgpier import BUILD, PATIENCE

PGTERM = os.path.join(BUILD, "tests", "support", "pgterm")
SECONDS = 10


class Timeout(AssertionError):
	"""What was waited for did not come; the text shows the screen."""


def escape(text):
	"""Text as pgterm's one-line commands take it."""
	return "".join("\\\\" if c == "\\" else "\\x%02x" % ord(c) if ord(c) < 32 or ord(c) == 127 else c
		for c in text)


class Terminal:
	"""command on a terminal of rows x cols. env adds to the environment; None removes a variable."""

	def __init__(self, command, rows=24, cols=80, term="xterm-256color", env=None, lang="C.UTF-8"):
		environment = {**os.environ, "TERM": term, "LC_ALL": lang, "LANG": lang}
		for name in ("LINES", "COLUMNS", "NO_COLOR", "TMUX", "STY"):
			environment.pop(name, None)
		for name, value in (env or {}).items():
			if value is None:
				environment.pop(name, None)
			else:
				environment[name] = value
		if "UTF-8" not in lang:
			environment["PGTERM_LATIN"] = "1"
		self.process = subprocess.Popen([PGTERM, str(rows), str(cols), *command], env=environment,
			stdin=subprocess.PIPE, stdout=subprocess.PIPE)

	def __enter__(self):
		return self

	def __exit__(self, *_):
		self.close()

	def close(self):
		self.process.stdin.close()
		self.process.wait(10)
		self.process.stdout.close()

	def ask(self, command):
		self.process.stdin.write(command.encode() + b"\n")
		self.process.stdin.flush()
		line = self.process.stdout.readline()
		if not line:
			raise AssertionError("pgterm ended at: " + command)
		answer = json.loads(line.decode(errors="replace"))
		if "error" in answer:
			raise AssertionError("%s: %s" % (command, answer["error"]))
		return answer

	def must(self, command):
		answer = self.ask(command)
		if not answer["ok"]:
			raise Timeout("%s\n%s" % (command, "\n".join(answer.get("lines", []))))
		return answer

	def key(self, *names):
		for name in names:
			self.must("key " + name)
		return self

	def text(self, text):
		self.must("text " + escape(text))
		return self

	def paste(self, text):
		self.must("paste " + escape(text))
		return self

	def click(self, row, col):
		self.must("click %d %d" % (row, col))
		return self

	def wheel(self, row, col, way):
		self.must("wheel %d %d %s" % (row, col, way))
		return self

	def milliseconds(self, seconds):
		return int(seconds * 1000 * PATIENCE)

	def wait(self, text, seconds=SECONDS):
		"""Waits until text is on the screen; gives the milliseconds that it took."""
		return self.must("wait %d %s" % (self.milliseconds(seconds), escape(text)))["ms"]

	def match(self, regex, seconds=SECONDS):
		return self.must("match %d %s" % (self.milliseconds(seconds), escape(regex)))["ms"]

	def gone(self, text, seconds=SECONDS):
		return self.must("gone %d %s" % (self.milliseconds(seconds), escape(text)))["ms"]

	def still(self, quiet_ms=150, seconds=SECONDS):
		"""Waits until nothing has been drawn for quiet_ms."""
		self.must("still %d %d" % (self.milliseconds(seconds), quiet_ms))
		return self

	def screen(self):
		"""lines, row and col of the cursor, alternate, cursor, mouse, bytes written so far, ended."""
		return self.must("screen")

	def lines(self):
		return self.screen()["lines"]

	def shown(self):
		return "\n".join(self.lines())

	def line_with(self, text):
		"""The number of the first line with text, counted from 0."""
		lines = self.lines()
		for number, line in enumerate(lines):
			if text in line:
				return number
		raise AssertionError("%r is not on the screen\n%s" % (text, "\n".join(lines)))

	def cells(self):
		"""Rows of runs {x, text, fg, bg, bold, reverse, ...}; no colour means the terminal's own."""
		return self.must("cells")["cells"]

	def osc(self):
		"""The last operating system command, e.g. 52;c;... for the clipboard."""
		return self.must("osc")["osc"]

	def stty(self):
		return self.must("stty")

	def resize(self, rows, cols):
		self.must("resize %d %d" % (rows, cols))
		return self

	def signal(self, number):
		self.must("signal %d" % number)
		return self

	def exit(self, seconds=SECONDS):
		"""Waits for the program's end; gives its exit code, or minus the signal that ended it."""
		answer = self.must("exit %d" % self.milliseconds(seconds))
		return answer["code"] if "code" in answer else -answer["signal"]
