#!/bin/bash
# Copies the rows: pg_dump of the data in parallel, then pg_restore in parallel.
#
#   ./05-load.sh [--pipe] [--yes]
#
# --pipe needs no room for a dump: one pg_dump into one pg_restore, which is slower. What the application writes
# on the source from now on does not come along: 09-cutover.sh freeze stops it before.
# Interrupted: run it again. Tables that have rows by then are complete, and are left alone.
# Shorter, and from one snapshot in chunks: pgpier run {{mirror|line}}
# shellcheck source-path=SCRIPTDIR source=parts/lib.sh
. "$(dirname "$0")/parts/lib.sh"
take_options "$@"
pipe=no
for word in ${WORDS[@]+"${WORDS[@]}"}; do
	case "$word" in
	--pipe) pipe=yes ;;
	*) fail "what is $word? see --help" ;;
	esac
done

# A command line takes about 2 MB.
MOST_PATTERN_BYTES=1000000

# Which tables pg_dump takes: by name, or all but some, whichever list is shorter; all, when that is too long.
choose_tables() {
	local side names chosen_bytes unchosen_bytes option=--table list=chosen
	for side in chosen unchosen; do
		with_tables dump-patterns.sql | on source -At -0 -v side="$side" >"$WORK/$side.patterns"
	done
	chosen_bytes=$(wc -c <"$WORK/chosen.patterns")
	unchosen_bytes=$(wc -c <"$WORK/unchosen.patterns")
	if [ "$chosen_bytes" = 0 ] || [ "$unchosen_bytes" -le "$chosen_bytes" ]; then
		option=--exclude-table-data list=unchosen
	fi
	# A pipe has no list of what to restore: nothing may come that the target has not, such as other sequences.
	if [ "$pipe" = yes ] && [ "$SCHEMA" != database ]; then
		option=--table list=chosen
	fi
	TABLE_OPTIONS=(--blobs)
	if [ "$SCHEMA" != database ]; then
		TABLE_OPTIONS=(--no-blobs)
	fi
	if [ "$(wc -c <"$WORK/$list.patterns")" -gt "$MOST_PATTERN_BYTES" ]; then
		[ "$pipe" = no ] || fail "--pipe can't name so many tables"
		say "too many tables to name: all rows are dumped, those of the chosen tables are restored"
		return
	fi
	mapfile -d '' -t names <"$WORK/$list.patterns"
	TABLE_OPTIONS+=(${names[@]+"${names[@]/#/$option=}"})
}

dump() { # dump OPTION...: of the data alone
	pg_dump --data-only --lock-wait-timeout=60s "${TABLE_OPTIONS[@]}" --dbname="$SOURCE_CONN" "$@"
}

# Triggers and foreign keys of tables that were there before must not act on these rows.
quiet_target() {
	if [ "$SCHEMA" = none ] && on target <<<"SET session_replication_role = replica" 2>/dev/null; then
		TARGET_SETTINGS+=" -c session_replication_role=replica"
	fi
}

# Of the dump's tables those that are still empty on the target.
remaining_list() {
	: >"$WORK/loaded.keys"
	if [ "$ON_EXISTING_ROWS" != append ]; then
		with_tables rows-by-key.sql | on target -At >"$WORK/loaded.keys"
	fi
	with_tables data-by-key.sql | on source -At -F ' ' >"$WORK/data.keys"
	awk 'FILENAME ~ /loaded.keys$/ { loaded[$1] = 1; next }
		FILENAME ~ /data.keys$/ { if (!($1 in loaded)) wanted[$2] = 1; next }
		/^[0-9]+; 0 [0-9]+ TABLE DATA / { if ($3 in wanted) print }' \
		"$WORK/loaded.keys" "$WORK/data.keys" "$1" >"$WORK/data.list"
}

# All of them, or none: a second time they would be there already.
load_blobs() {
	awk '/^[0-9]+; / && $4 ~ /^BLOB/' "$WORK/data.toc" >"$WORK/blobs.list"
	if [ -s "$WORK/blobs.list" ]; then
		write_target pg_restore --single-transaction --use-list="$WORK/blobs.list" --dbname="$TARGET_CONN" "$WORK/data"
	fi
}

load_dump() {
	if [ ! -e "$WORK/data" ]; then
		say "dumping the rows of $(tr -cd '\0' <"$WORK/chosen.patterns" | wc -c) tables"
		rm -rf -- "$WORK/data.part"
		dump --format=directory --jobs="$JOBS" --file="$WORK/data.part"
		mv -T -- "$WORK/data.part" "$WORK/data"
	fi
	pg_restore --list "$WORK/data" >"$WORK/data.toc"
	if [ "$ON_EXISTING_ROWS" = append ]; then
		append_once
	fi
	once load.blobs "large objects" load_blobs
	remaining_list "$WORK/data.toc"
	say "restoring $(grep -c ' TABLE DATA ' "$WORK/data.list" || true) tables"
	write_target pg_restore --data-only --jobs="$JOBS" --use-list="$WORK/data.list" --dbname="$TARGET_CONN" "$WORK/data"
}

# Rows that were there before hide which tables have come.
append_once() {
	if is_done load.appending; then
		fail "it was interrupted while appending: 07-verify.sh tells what is missing; mend that by hand"
	fi
	mark load.appending
}

# All of it in one transaction: interrupted, nothing has come.
load_pipe() {
	dump --format=custom | write_target pg_restore --data-only --single-transaction --dbname="$TARGET_CONN"
}

# Tables that pg_restore can't fill: some columns stay behind, or the target has them under another name.
load_others() {
	local copies i
	with_tables copies.sql | on source -At -z -0 >"$WORK/copies"
	mapfile -d '' -t copies <"$WORK/copies"
	for ((i = 0; i + 2 < ${#copies[@]}; i += 3)); do
		if is_done "copy.${copies[i]}"; then
			continue
		fi
		say "${copies[i + 1]}"
		psql -X -q -v ON_ERROR_STOP=1 -d "$SOURCE_CONN" -c "${copies[i + 1]}" |
			write_target psql -X -q -v ON_ERROR_STOP=1 -d "$TARGET_CONN" -c "${copies[i + 2]}"
		mark "copy.${copies[i]}"
	done
}

if is_done load; then
	say "the rows are there since $(<"$WORK/done/load")"
	exit 0
fi
prepare_target
quiet_target
choose_tables
if [ ! -s "$WORK/chosen.patterns" ] && [ "$SCHEMA" != database ]; then
	say "pg_dump has no table to copy"
elif [ "$pipe" = yes ]; then
	load_pipe
else
	load_dump
fi
load_others
mark load
say "the rows are there; next: 06-post-data.sh"
