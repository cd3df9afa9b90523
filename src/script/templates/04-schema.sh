#!/bin/bash
# Makes on the target what has to be there before the rows: schemas, types, functions, tables, views ...
#
#   ./04-schema.sh [--yes]
#
# All of it in one transaction, or nothing. What the target has already is used as it is. To leave out more,
# write the numbers that begin the lines of work/schema.toc into a file leave-out beside this one. A schema
# that has changed since: remove work/schema.dump, and run this again.
# Shorter: pgpier run {{mirror|line}}; and to compare: pgpier diff {{mirror|line}}
# shellcheck source-path=SCRIPTDIR source=parts/lib.sh
. "$(dirname "$0")/parts/lib.sh"
take_options "$@"

if [ "$SCHEMA" = none ]; then
	say "SCHEMA=none: the target has all tables, nothing is made"
	exit 0
fi
if [ ! -e "$WORK/schema.dump" ]; then
	say "dumping the definitions"
	pg_dump --format=custom --schema-only --lock-wait-timeout=60s --file="$WORK/schema.dump.part" \
		--dbname="$SOURCE_CONN"
	mv -- "$WORK/schema.dump.part" "$WORK/schema.dump"
fi
restore_list ALL "$WORK/pre-data.list"
cat "$WORK/left-out" >&2
pg_restore -l --section=pre-data -L "$WORK/pre-data.list" "$WORK/schema.dump" >"$WORK/pre-data.shown"
say "to be made before the rows: $(grep -c '^[0-9]' "$WORK/pre-data.shown" || true) objects, in work/pre-data.shown"
ask "Make them on the target?"
restore_options
write_target pg_restore "${RESTORE_OPTIONS[@]}" --section=pre-data --single-transaction \
	--use-list="$WORK/pre-data.list" "$WORK/schema.dump"
with_tables left-out-columns.sql | on target
say "the definitions are there"
