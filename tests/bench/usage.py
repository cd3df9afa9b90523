# SPDX-License-Identifier: PostgreSQL
"""What a program and the servers used: processor seconds, wall time, memory.

A server's processor time is that of its living processes and of those that ended, which the kernel adds to
the postmaster that waited for them. A program's is what wait4 says: its own, and that of the children it
waited for. Peak memory is VmHWM of the running program, because ru_maxrss also remembers the process that
forked it.
"""
import os
import subprocess
import time

TICK = os.sysconf("SC_CLK_TCK")


def stat(pid):
	"""The fields behind the name, from state on."""
	with open("/proc/%d/stat" % pid) as f:
		return f.read().rpartition(")")[2].split()


def server_seconds(cluster):
	"""utime and stime of all, cutime and cstime of the postmaster."""
	postmaster = cluster.process.pid
	ticks = sum(int(n) for n in stat(postmaster)[11:15])
	with open("/proc/%d/task/%d/children" % (postmaster, postmaster)) as f:
		children = f.read().split()
	for child in children:
		try:
			ticks += sum(int(n) for n in stat(int(child))[11:13])
		except (FileNotFoundError, ProcessLookupError):
			continue
	return ticks / TICK


def machine_seconds():
	"""What all processors worked, for whomever."""
	with open("/proc/stat") as f:
		user, nice, system, _idle, _iowait, irq, softirq = (int(n) for n in f.readline().split()[1:8])
	return (user + nice + system + irq + softirq) / TICK


def peak_memory(pid):
	try:
		with open("/proc/%d/status" % pid) as f:
			for line in f:
				if line.startswith("VmHWM:"):
					return int(line.split()[1]) * 1024
	except (FileNotFoundError, ProcessLookupError):
		pass
	return 0


class Command:
	"""Runs one program to its end; measures wall and cpu seconds and the peak of its memory."""

	def __init__(self, words, env=None, log=None):
		started = time.monotonic()
		with open(log or os.devnull, "ab") as err:
			process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=err, env=env)
		self.memory = 0
		os.set_blocking(process.stdout.fileno(), False)
		said = b""
		while True:
			pid, status, usage = os.wait4(process.pid, os.WNOHANG)
			said += process.stdout.read() or b""
			if pid:
				break
			self.memory = max(self.memory, peak_memory(process.pid))
			time.sleep(0.01)
		self.wall = time.monotonic() - started
		self.cpu = usage.ru_utime + usage.ru_stime
		self.out = said.decode(errors="replace")
		process.returncode = os.waitstatus_to_exitcode(status)
		process.stdout.close()
		if process.returncode != 0:
			raise RuntimeError("%s: exit %d\n%s" % (" ".join(words), process.returncode, tail(log)))


def tail(path, size=4000):
	if not path:
		return ""
	with open(path, "rb") as f:
		return f.read()[-size:].decode(errors="replace")
