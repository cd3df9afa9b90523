#!/bin/bash
# Copies the rows and goes on with the changes: a publication on the source, a subscription on the target.
#
#   ./05-load.sh [--yes]
#
# The target's server connects to the source by SOURCE_FROM_TARGET. From here on the slot keeps WAL on the source
# until the target has it: watch that disk, and remove the slot by 10-rollback.sh clean when you give up.
# Interrupted: run it again; the servers have gone on meanwhile.
# Shorter, and faster for large tables: pgpier run {{mirror|line}}
# shellcheck source-path=SCRIPTDIR source=parts/lib.sh
. "$(dirname "$0")/parts/lib.sh"
# shellcheck source-path=SCRIPTDIR source=parts/follow.sh
. "$(dirname "$0")/parts/follow.sh"
take_options "$@"

# Without keys, no change of a row would find it.
make_keys() {
	if [ "$SCHEMA" = none ]; then
		return
	fi
	restore_list KEYS "$WORK/keys.list"
	build post-data "$WORK/keys.list"
}

wait_for_copies() {
	local state shown=""
	while true; do
		state=$(on target -At -v name="$SUBSCRIPTION" <"$HERE/parts/copies-left.sql")
		case "$state" in
		ready) return ;;
		none) fail "there is no subscription $SUBSCRIPTION on the target" ;;
		esac
		if [ "$state" != "$shown" ]; then
			say "$state"
			shown=$state
		fi
		sleep 1
	done
}

if is_done load; then
	say "the rows are there since $(<"$WORK/done/load"), and changes follow"
	exit 0
fi
once load.keys "keys" make_keys
prepare_target
count=$(with_tables count.sql | on source -At)
ask "Publish $count tables on the source, and subscribe the target to them?"
once load.publication "publication $PUBLICATION on the source" publish source "$PUBLICATION"
once load.slot "slot $SUBSCRIPTION on the source" make_slot source "$SUBSCRIPTION"
once load.subscription "subscription $SUBSCRIPTION on the target" \
	subscribe target "$SUBSCRIPTION" "$PUBLICATION" "$SOURCE_FROM_TARGET" "${SOURCE_PASSWORD:-}" true
wait_for_copies
mark load
say "the rows are there, and changes follow; next: 06-post-data.sh"
