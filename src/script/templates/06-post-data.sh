#!/bin/bash
# Makes on the target what follows the rows: keys, indexes, constraints, triggers, policies ..., and statistics.
#
#   ./06-post-data.sh
#
# What is there already is left alone, so after a failure (a foreign key with orphans, no room for an index) mend
# the cause and run it again.
# shellcheck source-path=SCRIPTDIR source=parts/lib.sh
. "$(dirname "$0")/parts/lib.sh"
take_options "$@"

give_to_mapped_owners() {
	local i
	for ((i = 0; i < ${#OWNER_MAP[@]}; i += 2)); do
		on target -v old="${OWNER_MAP[i]}" -v new="${OWNER_MAP[i + 1]}" <<'SQL'
SELECT format('REASSIGN OWNED BY %I TO %I', :'old', :'new') WHERE to_regrole(quote_ident(:'old')) IS NOT NULL
\gexec
SQL
	done
}

if ! is_done load; then
	fail "the rows are not there yet: 05-load.sh"
fi
if [ "$SCHEMA" != none ]; then
	restore_list ALL "$WORK/post-data.list"
	say "indexes, constraints and the rest"
	build post-data "$WORK/post-data.list"
fi
if [ "$OWNERS" = map ]; then
	give_to_mapped_owners
fi
say "statistics"
write_target vacuumdb --analyze-only --jobs="$JOBS" --quiet --dbname="$TARGET_CONN"
mark post-data
say "the target is complete"
