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

# Which tables pg_dump takes: by name, or all but some, whichever list is shorter.
choose_tables() {
	local chosen unchosen name
	with_tables dump-patterns.sql | on source -At -0 -v side=chosen >"$WORK/chosen.patterns"
	with_tables dump-patterns.sql | on source -At -0 -v side=unchosen >"$WORK/unchosen.patterns"
	mapfile -d '' -t chosen <"$WORK/chosen.patterns"
	mapfile -d '' -t unchosen <"$WORK/unchosen.patterns"
	TABLE_OPTIONS=()
	if [ ${#chosen[@]} = 0 ] || [ ${#unchosen[@]} -le ${#chosen[@]} ]; then
		for name in ${unchosen[@]+"${unchosen[@]}"}; do
			TABLE_OPTIONS+=(--exclude-table-data="$name")
		done
	else
		for name in ${chosen[@]+"${chosen[@]}"}; do
			TABLE_OPTIONS+=(--table="$name")
		done
	fi
	CHOSEN_COUNT=${#chosen[@]}
	if [ "$SCHEMA" = database ]; then
		TABLE_OPTIONS+=(--blobs)
	else
		TABLE_OPTIONS+=(--no-blobs)
	fi
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

# Of the dump's tables those that are still empty on the target; large objects once.
remaining_list() {
	: >"$WORK/loaded.keys"
	if [ "$ON_EXISTING_ROWS" != append ]; then
		with_tables rows-by-key.sql | on target -At >"$WORK/loaded.keys"
	fi
	with_tables data-by-key.sql | on source -At -F ' ' >"$WORK/data.keys"
	awk 'FILENAME ~ /loaded.keys$/ { loaded[$1] = 1; next }
		FILENAME ~ /data.keys$/ { if (!($1 in loaded)) wanted[$2] = 1; next }
		/^[0-9]+; 0 [0-9]+ TABLE DATA / { if ($3 in wanted) print; next }
		/^[0-9]+; / && $4 ~ /^BLOB/ { print }' \
		"$WORK/loaded.keys" "$WORK/data.keys" "$1" >"$WORK/data.list"
	if is_done load.blobs; then
		sed -i '/^[0-9]*; [0-9]* [0-9]* BLOB/d' "$WORK/data.list"
	fi
}

load_dump() {
	if [ ! -e "$WORK/data" ]; then
		say "dumping the rows of $CHOSEN_COUNT tables"
		rm -rf -- "$WORK/data.part"
		dump --format=directory --jobs="$JOBS" --file="$WORK/data.part"
		mv -T -- "$WORK/data.part" "$WORK/data"
	fi
	pg_restore --list "$WORK/data" >"$WORK/data.toc"
	if [ "$ON_EXISTING_ROWS" = append ]; then
		append_once
	fi
	remaining_list "$WORK/data.toc"
	say "restoring $(grep -c ' TABLE DATA ' "$WORK/data.list" || true) tables"
	write_target pg_restore --data-only --jobs="$JOBS" --use-list="$WORK/data.list" --dbname="$TARGET_CONN" "$WORK/data"
	mark load.blobs
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
if [ "$CHOSEN_COUNT" = 0 ] && [ "$SCHEMA" != database ]; then
	say "pg_dump has no table to copy"
elif [ "$pipe" = yes ]; then
	load_pipe
else
	load_dump
fi
load_others
mark load
say "the rows are there; next: 06-post-data.sh"
