# SPDX-License-Identifier: PostgreSQL
"""Commands of a cutover: what they find in their environment, and what becomes of their end."""
import time

import pytest

from support.cutover import Tool


@pytest.fixture
def tool(pair):
	return Tool(pair.source, pair.name)


def environment(tool, folder, step):
	told = folder / "told"
	tool.ok("hook", step, 20000, "env | grep ^PGPIER_ | sort > %s; cat; echo heard" % told)
	return dict(line.split("=", 1) for line in told.read_text().splitlines())


@pytest.mark.parametrize("step", ["freeze", "unfreeze", "open"])
def test_environment(tool, tmp_path, step):
	told = environment(tool, tmp_path, step)
	assert told["PGPIER_MIRROR"] == "shop" and told["PGPIER_STEP"] == step
	assert told["PGPIER_FROM"] == "source" and told["PGPIER_TO"] == "target"
	assert told["PGPIER_FROM_HOST"] == tool.server.folder and told["PGPIER_FROM_PORT"] == str(tool.server.port)
	assert told["PGPIER_FROM_DBNAME"] == tool.dbname and told["PGPIER_FROM_USER"] == "postgres"
	assert told["PGPIER_TO_HOST"] == "far.example" and told["PGPIER_TO_DBNAME"] == "it's"
	assert "host=far.example port=6000 dbname='it\\'s' user=app" in told["PGPIER_TO_CONNINFO"]
	assert not any("secret" in v for v in told.values()), "no password in any of them"


def test_conninfo_connects(tool, tmp_path):
	said = tmp_path / "said"
	tool.ok("hook", "freeze", 20000, 'psql "$PGPIER_FROM_CONNINFO" -Atc "SELECT current_database()" > %s' % said)
	assert said.read_text().strip() == tool.dbname


def test_its_end_decides(tool):
	failed = tool("hook", "open", 20000, "echo one >&2; echo the proxy is away >&2; exit 3")
	assert failed.returncode == 2 and "open_command: one the proxy is away" in failed.stderr
	silent = tool("hook", "unfreeze", 20000, "exit 4")
	assert "unfreeze_command: " in silent.stderr and "exit code 4" in silent.stderr


def test_none_is_fine(tool):
	tool.ok("hook", "freeze", 20000)
	tool.ok("hook", "freeze", 20000, "")


def test_over_its_time_or_stopped(tool, tmp_path):
	late = tool("hook", "freeze", 300, "sleep 600")
	assert late.returncode == 2 and "was killed" in late.stderr
	begun = tmp_path / "begun"
	running = tool.start("hook", "freeze", 600000, "touch %s; sleep 600" % begun)
	while not begun.exists():
		assert running.poll() is None
		time.sleep(0.02)
	running.terminate()
	assert "freeze_command" in running.communicate(timeout=30)[1] and running.returncode == 2
