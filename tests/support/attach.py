# SPDX-License-Identifier: PostgreSQL
"""The engine in the background, as its process, its socket and its terminals are seen from outside."""
import os
import signal
import socket
import struct
import time

from .console import Console
from .pgpier import PATIENCE

VERSION = 1
HELLO, INPUT, BYE = 1, 3, 70
TICKS = os.sysconf("SC_CLK_TCK")


def wait_for(true, what, seconds=10):
	deadline = time.monotonic() + seconds * PATIENCE
	while not true():
		assert time.monotonic() < deadline, "waited for %s in vain" % what
		time.sleep(0.02)


class Background:
	"""One person's engine, stopped after the test. home is a Pgpier."""

	def __init__(self, home):
		self.home, self.terminals, self.pids = home, [], set()

	def __enter__(self):
		return self

	def __exit__(self, error, *_):
		for t in self.terminals:
			t.close()
		if self.runs():
			os.kill(self.pid(), signal.SIGKILL)
		if os.path.exists(self.path("stderr")):
			assert error or self.said() == ""

	def open(self, *options, **terminal):
		"""pgpier on a terminal: attaches, and starts the engine when there is none."""
		self.terminals.append(Console(self.home, *options, foreground=False, **terminal))
		return self.terminals[-1]

	def path(self, name):
		return os.path.join(self.home.state, "run", name)

	def pid(self):
		with open(self.path("lock")) as f:
			return int(f.read().split()[0])

	def runs(self):
		try:
			with open("/proc/%d/stat" % self.pid()) as f:
				return f.read().rpartition(")")[2].split()[0] != "Z"
		except (OSError, ValueError, IndexError):
			return False

	def status(self):
		outcome = self.home("status", "--json")
		assert outcome.json is not None, outcome
		return outcome.json["engine"]

	def detached(self):
		wait_for(lambda: self.status()["attached"] is None, "nobody to be attached")

	def loaded(self, mirror, seconds=60):
		"""Waits until the mirror is done, as it is read from its target."""
		def done():
			state = self.home("status", mirror, "--json").json["state"]
			assert state != "failed", self.home.log()
			return state == "done"
		wait_for(done, "the end of the load", seconds)

	def kill(self, number=signal.SIGKILL):
		os.kill(self.pid(), number)
		wait_for(lambda: not self.runs(), "the engine's end")

	def stop(self):
		"""Through pgpier stop; gives what it said."""
		outcome = self.home("stop").expect(0)
		wait_for(lambda: not self.runs(), "the engine's end", 2)
		return outcome.out

	def stat(self, name):
		"""A number of /proc/PID/status: VmRSS in kB, Threads, ..."""
		with open("/proc/%d/status" % self.pid()) as f:
			return next(int(line.split()[1]) for line in f if line.startswith(name + ":"))

	def descriptors(self):
		return len(os.listdir("/proc/%d/fd" % self.pid()))

	def cpu(self):
		"""Seconds that it has used."""
		with open("/proc/%d/stat" % self.pid()) as f:
			fields = f.read().rpartition(")")[2].split()
		return (int(fields[11]) + int(fields[12])) / TICKS

	def said(self):
		"""On its stderr: a sanitizer's word, if any."""
		with open(self.path("stderr"), errors="replace") as f:
			return f.read()

	def connect(self):
		s = socket.socket(socket.AF_UNIX)
		s.connect(self.path("socket"))
		s.settimeout(10 * PATIENCE)
		return s


def frame(kind, payload=b"", length=None):
	return struct.pack(">BBH", kind, 0, len(payload) if length is None else length) + payload


def text(words):
	return struct.pack(">H", len(words)) + words.encode()


def hello(version=VERSION, purpose=0, force=False, rows=24, cols=80, term="xterm", config=""):
	flags = bytes([force, False, False, True, False, False])
	return frame(HELLO, b"pgpr" + struct.pack(">HB", version, purpose) + flags + struct.pack(">BHH", 0, rows, cols)
		+ text("0.1.0") + text(term) + text("a test") + text("") + text(config))


def read_frames(s):
	"""All that comes until the other side closes."""
	data, frames = b"", []
	while True:
		try:
			part = s.recv(65536)
		except ConnectionResetError:
			part = b""
		if not part:
			break
		data += part
	while len(data) >= 4:
		kind, _, size = struct.unpack(">BBH", data[:4])
		frames.append((kind, data[4:4 + size]))
		data = data[4 + size:]
	return frames


def read_all(s, quiet_s=0.5):
	"""What has been drawn, until nothing more comes for so long."""
	drawn = b""
	s.settimeout(quiet_s * PATIENCE)
	try:
		while part := s.recv(65536):
			drawn += part
	except TimeoutError:
		pass
	return drawn.decode(errors="replace")
