#!/bin/bash
# Moves the application over, in steps that are asked for one by one and can each be undone by 10-rollback.sh.
#
#   ./09-cutover.sh [STEP] [--yes]
#
# Without a STEP, all that are not done, in this order:
#
#   freeze     no more writes on the source: default_transaction_read_only = on, REVOKE CONNECT, sessions end
{{#continuous}}
#   drain      wait until the target has everything, by LSN
#   stop       the subscription rests
{{/continuous}}
#   sequences  08-sequences.sh
#   verify     07-verify.sh: equal, or it ends here
{{#renames}}
#   rename     the tables that the mirror maps get their names
{{/renames}}
{{#reverse}}
#   reverse    the source follows the target from now on, so that going back loses nothing (REVERSE_WANTED)
{{/reverse}}
#   open       the application may write on the target
{{#continuous}}
#   finish     (only when asked for) nobody goes back: subscriptions, publications and slots are removed
{{/continuous}}
# shellcheck disable=SC2317 # steps are called by name
# shellcheck source-path=SCRIPTDIR source=parts/lib.sh
. "$(dirname "$0")/parts/lib.sh"
# shellcheck source-path=SCRIPTDIR source=parts/freeze.sh
. "$(dirname "$0")/parts/freeze.sh"
{{#continuous}}
# shellcheck source-path=SCRIPTDIR source=parts/follow.sh
. "$(dirname "$0")/parts/follow.sh"
{{/continuous}}
take_options "$@"

step_freeze() {
	ask "The application will not be able to write on the source any more. Go on?"
	freeze source
}

{{#continuous}}
step_drain() {
	local state
	state=$(on target -At -v name="$SUBSCRIPTION" <"$HERE/parts/copies-left.sql")
	if [ "$state" != ready ]; then
		fail "the first copies are not ready: $state"
	fi
	drain source "$SUBSCRIPTION"
}

step_stop() {
	on target -v name="$SUBSCRIPTION" <<'SQL'
SELECT format('ALTER SUBSCRIPTION %I DISABLE', :'name')
\gexec
SQL
}

{{#reverse}}
# Changes on the target are kept from here on, before anybody can make one.
step_reverse() {
	if [ "$REVERSE_WANTED" != yes ]; then
		say "REVERSE_WANTED is not yes: after the opening, going back loses what is written on the target"
		return
	fi
	publish target "$REVERSE"
	make_slot target "$REVERSE"
	remove_forward
	subscribe source "$REVERSE" "$REVERSE" "$TARGET_FROM_SOURCE" "${TARGET_PASSWORD:-}" false
	mark reverse
}

{{/reverse}}
remove_forward() {
	unsubscribe target "$SUBSCRIPTION"
	drop_slot source "$SUBSCRIPTION"
	unpublish source "$PUBLICATION"
}

step_finish() {
	ask "After this there is no way back to the source. Go on?"
{{#reverse}}
	if is_done reverse; then
		unsubscribe source "$REVERSE"
		drop_slot target "$REVERSE"
		unpublish target "$REVERSE"
		return
	fi
{{/reverse}}
	remove_forward
}

{{/continuous}}
step_sequences() {
	"$HERE/08-sequences.sh" --yes
}

step_verify() {
	"$HERE/07-verify.sh"
}

{{#renames}}
step_rename() {
	with_tables rename.sql | in_one | on target -v back=no
}

{{/renames}}
step_open() {
	ask "The application will be able to write on the target. Go on?"
	unfreeze target
	say "point the application to the target now"
}

steps=({{steps|raw}})
wanted=${WORDS[0]:-}
{{#continuous}}
if [ "$wanted" = finish ]; then
	is_done cutover.open || fail "finish comes after open"
	once cutover.finish finish step_finish
	exit 0
fi
{{/continuous}}
case " ${steps[*]} " in
*" ${wanted:-open} "*) ;;
*) fail "there is no step $wanted; see --help" ;;
esac
for name in "${steps[@]}"; do
	if [ "${wanted:-$name}" != "$name" ]; then
		continue
	fi
	if [ "$name" != freeze ] && ! is_done post-data; then
		fail "$name comes after 06-post-data.sh"
	fi
	for earlier in "${steps[@]}"; do
		if [ "$earlier" = "$name" ]; then
			break
		fi
		is_done "cutover.$earlier" || fail "$name comes after $earlier"
	done
{{^continuous}}
	if [ "$name" = sequences ] && [ "$WORK/done/load" -ot "$WORK/done/cutover.freeze" ]; then
		say "note: the rows were copied before the freeze; what was written in between will show as a difference"
	fi
{{/continuous}}
	once "cutover.$name" "$name" "step_$name"
done
