# SPDX-License-Identifier: PostgreSQL
"""Equal is equal and a change is found in a column of every type, whatever majors the two servers are of."""
import random

import pytest

from support import verifying
from support.pgpier import DONE
from support.verifying import DIFFERENT, INCOMPLETE, Wide


def mirrored(pair, **settings):
	wide = Wide(pair.source, pair.name)
	p = pair.pgpier(**settings)
	p.run().expect(DONE)
	return wide, p


def not_compared(outcome):
	return {line.split(":")[0] for line in outcome.table("public.wide")["not_compared"]}


def change_each(pair, wide):
	"""The n-th column in the n-th row. Gives {row: column}."""
	rng = random.Random(1)
	connection = pair.target.connect(pair.name)
	changed = {}
	with connection.cursor() as cursor:
		for row, name in enumerate(wide.names):
			cursor.execute('UPDATE wide SET "c_%s" = %%s WHERE id = %d' % (name, row), (wide.other(name, row, rng),))
			changed[str(row)] = "c_" + name
	connection.close()
	return changed


def check(pair, settings, unverified, level="checksum"):
	wide, p = mirrored(pair, **settings)
	outcome = p("verify", "m", "--json", "--level", level).expect(INCOMPLETE if unverified else DONE)
	assert not_compared(outcome) == unverified, outcome
	changed = {row: name for row, name in change_each(pair, wide).items() if name not in unverified}
	outcome = p("verify", "m", "--json", "--level", level).expect(DIFFERENT)
	table = outcome.table("public.wide")
	found = {verifying.key_of(row): verifying.differing(row) for row in table["rows"]}
	assert found == {row: [name] for row, name in changed.items()}, outcome
	assert (table["changed"], table["missing"], table["extra"]) == (len(changed), 0, 0)


@pytest.mark.parametrize("level", ["checksum", "full", "sample"])
def test_same_major(pair, level):
	check(pair, {}, set(), level)


# What one major calls pg_catalog.name another may call name: inside of arrays that is not looked at.
NAMES_INSIDE = {"c__regproc", "c__regoper"}


@pytest.mark.parametrize("major", [10, 11, 12, 13, 14, 16, 17, 18])
def test_to_15(make_pair, other_major, target, major):
	check(make_pair(other_major(major), target), {"workers": 2}, NAMES_INSIDE)


def test_full_from_10(make_pair, other_major, target):
	check(make_pair(other_major(10), target), {}, NAMES_INSIDE, "full")


def test_15_to_18(make_pair, source, other_major):
	check(make_pair(source, other_major(18)), {}, NAMES_INSIDE)


TEXTS = "CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'Zürich'), (2, ''), (3, NULL), (4, 'é')"


@pytest.mark.parametrize("level", ["checksum", "full", "sample"])
def test_encodings(make_pair, source, target, level):
	"""Bytes differ between the servers where the text does not."""
	pair = make_pair(source, target)
	source.drop_db(pair.name)
	source.sql("CREATE DATABASE %s TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'" % pair.name)
	p = pair.fill(TEXTS).pgpier()
	p.run().expect(DONE)
	p("verify", "m", "--json", "--level", level).expect(DONE)
	target.sql("UPDATE t SET v = 'è' WHERE id = 4", pair.name)
	outcome = p("verify", "m", "--json", "--level", level).expect(DIFFERENT)
	row, = outcome.table("public.t")["rows"]
	assert (verifying.column(row, "v")["source"], verifying.column(row, "v")["target"]) == ("é", "è")


def test_money_of_other_locales(pair):
	"""The same bits are no more the same amount."""
	p = pair.fill("CREATE TABLE t (id int, m money); INSERT INTO t VALUES (1, 5)").pgpier()
	p.run().expect(DONE)
	p("verify", "m", "--json").expect(DONE)
	pair.target.sql('ALTER DATABASE "%s" SET lc_monetary = \'POSIX\'' % pair.name)
	outcome = p("verify", "m", "--json").expect(INCOMPLETE, "lc_monetary")
	assert outcome.json["verdict"] == "not verified"
