#!/bin/bash
# Undoes the steps of 09-cutover.sh, last one first, until the application can write on the source again.
#
#   ./10-rollback.sh [--lose-changes] [--yes]
{{#continuous}}
#   ./10-rollback.sh clean [--yes]     removes subscriptions, publications and slots of this runbook
{{/continuous}}
#
{{#reverse}}
# After the opening the source has been following the target (reverse): the target is frozen, the source gets
# what is still on its way, and sequences go back. Without reverse, what was written on the target stays there
# alone, and only --lose-changes goes on.
{{/reverse}}
{{^reverse}}
# After the opening, what was written on the target stays there alone: only --lose-changes goes on.
{{/reverse}}
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
lose=no
{{#continuous}}
clean=no
{{/continuous}}
for word in ${WORDS[@]+"${WORDS[@]}"}; do
	case "$word" in
	--lose-changes) lose=yes ;;
{{#continuous}}
	clean) clean=yes ;;
{{/continuous}}
	*) fail "what is $word? see --help" ;;
	esac
done

# undo MARK TEXT COMMAND...: when it was done.
undo() {
	if is_done "$1"; then
		say "$2"
		"${@:3}"
		unmark "$1"
	fi
}

undo_open() {
{{#reverse}}
	if is_done reverse; then
		ask "The application will not be able to write on the target any more. Go on?"
		freeze target
		drain target "$REVERSE"
		return
	fi
{{/reverse}}
	if [ "$lose" != yes ]; then
		fail "what was written on the target since the opening would be lost; --lose-changes goes on"
	fi
	ask "What was written on the target since the opening will be lost. Go on?"
	freeze target
{{#continuous}}
	mark diverged
{{/continuous}}
}

{{#reverse}}
undo_reverse() {
	if ! is_done cutover.open; then
		drain target "$REVERSE"
	fi
	"$HERE/08-sequences.sh" back --yes
	unsubscribe source "$REVERSE"
	drop_slot target "$REVERSE"
	unpublish target "$REVERSE"
	begin_anew
}

{{/reverse}}
{{#continuous}}
# Rows that were written on the target would stand in the way of the source's.
undo_stop() {
	local left
	left=$(on target -At -v name="$SUBSCRIPTION" <<<"SELECT count(*) FROM pg_subscription WHERE subname = :'name'")
	if [ "$left" = 0 ] || is_done diverged; then
		unsubscribe target "$SUBSCRIPTION"
		drop_slot source "$SUBSCRIPTION"
		unpublish source "$PUBLICATION"
		begin_anew
		unmark diverged
		return
	fi
	on target -v name="$SUBSCRIPTION" <<'SQL'
SELECT format('ALTER SUBSCRIPTION %I ENABLE', :'name')
\gexec
SQL
}

begin_anew() {
	if is_done load; then
		say "nothing follows any more: to try again, begin with 05-load.sh (ON_EXISTING_ROWS=truncate)"
	fi
	rm -f -- "$WORK/done/load" "$WORK"/done/load.*
}

remove_all() {
	if is_done cutover.freeze && ! is_done cutover.finish; then
		fail "the cutover has begun: first ./10-rollback.sh, or ./09-cutover.sh finish"
	fi
	ask "Remove subscriptions, publications and slots of this runbook from both servers?"
	unsubscribe target "$SUBSCRIPTION"
	drop_slot source "$SUBSCRIPTION"
	unpublish source "$PUBLICATION"
{{#reverse}}
	unsubscribe source "$REVERSE"
	drop_slot target "$REVERSE"
	unpublish target "$REVERSE"
{{/reverse}}
	rm -f -- "$WORK"/done/load "$WORK"/done/load.* "$WORK/done/reverse"
}

{{/continuous}}
undo_nothing() {
	return
}

{{#renames}}
undo_rename() {
	with_tables rename.sql | in_one | on target -v back=yes
}

{{/renames}}
undo_freeze() {
	ask "The application will be able to write on the source. Go on?"
	unfreeze source
}

{{#continuous}}
if [ "$clean" = yes ]; then
	remove_all
	exit 0
fi
if is_done cutover.finish; then
	fail "09-cutover.sh finish has removed the way back"
fi
{{/continuous}}
undo cutover.open "open: the target is frozen" undo_open
{{#reverse}}
undo reverse "reverse: the source stops following" undo_reverse
undo cutover.reverse "reverse" undo_nothing
{{/reverse}}
{{#renames}}
undo cutover.rename "rename: back to the names of the source" undo_rename
{{/renames}}
undo cutover.verify "verify" undo_nothing
undo cutover.sequences "sequences" undo_nothing
{{#continuous}}
undo cutover.stop "stop: the subscription goes on" undo_stop
undo cutover.drain "drain" undo_nothing
{{/continuous}}
undo cutover.freeze "freeze: the source is open" undo_freeze
say "the application belongs to the source"
