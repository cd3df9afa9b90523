#!/bin/bash
# Sets the sequences of the target to where the source's stand, SEQUENCE_MARGIN steps further.
#
#   ./08-sequences.sh [back] [--yes]
#
# back: the other way round, for a return to the source. The statements stay in work/sequences.sql. It can be
# run as often as you like while the receiving side hands out no values itself.
# shellcheck source-path=SCRIPTDIR source=parts/lib.sh
. "$(dirname "$0")/parts/lib.sh"
take_options "$@"
from=source
case "${WORDS[0]:-}" in
"") ;;
back) from=target ;;
*) fail "what is ${WORDS[0]}? see --help" ;;
esac
to=$(other_side "$from")

with_tables sequences.sql sequences-set.sql | on "$from" -At -v margin="$SEQUENCE_MARGIN" >"$WORK/sequences.sql"
if [ ! -s "$WORK/sequences.sql" ]; then
	say "there are no sequences"
	exit 0
fi
ask "Set $(grep -c '^SELECT setval' "$WORK/sequences.sql") sequences on the $to?"
in_one <"$WORK/sequences.sql" | on "$to" -At >/dev/null
say "the sequences are set"
