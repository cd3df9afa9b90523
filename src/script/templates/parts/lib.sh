# shellcheck shell=bash
# What the steps share: connections, questions, and marks of what is done. Sourced by each of them, never run.
set -euo pipefail
umask 077

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source-path=SCRIPTDIR source=../env.sh
. "$HERE/env.sh"
export PGAPPNAME="pgpier script" PGCLIENTENCODING=UTF8
mkdir -p "$WORK/done"

YES=no
WORDS=()

say() {
	printf '%s\n' "$*" >&2
}

fail() {
	say "$(basename "$0"): $*"
	exit 1
}

# Words of the command line; --help prints the comment that the step begins with.
take_options() {
	local word
	for word in "$@"; do
		case "$word" in
		-y | --yes) YES=yes ;;
		-h | --help) sed -n '2,/^# shellcheck/{/^# shellcheck/!s/^# \{0,1\}//p;}' "$0" && exit 0 ;;
		*) WORDS+=("$word") ;;
		esac
	done
}

# A value of a connection string.
quoted_value() {
	local value=${1//\\/\\\\}
	printf "'%s'" "${value//\'/\\\'}"
}

# Goes on only when a person says yes, or said so with --yes.
ask() {
	local answer=no
	if [ "$YES" = yes ]; then
		return
	fi
	if [ ! -t 0 ]; then
		fail "$1 Nobody is there to ask: run it with --yes."
	fi
	read -r -p "$1 [yes/no] " answer || answer=no
	if [ "$answer" != yes ]; then
		fail "stopped before this step."
	fi
}

# ---- what is done ----

is_done() {
	[ -e "$WORK/done/$1" ]
}

mark() {
	date -u '+%F %T' >"$WORK/done/$1"
}

unmark() {
	rm -f -- "$WORK/done/$1"
}

# once MARK TEXT COMMAND...: does it unless it was done before.
once() {
	if is_done "$1"; then
		say "$2: done on $(<"$WORK/done/$1")"
		return
	fi
	say "$2"
	"${@:3}"
	mark "$1"
}

# ---- asking the servers ----

# The names that the chosen tables have on a side. The steps work with the source's names on both, because
# pg_restore and subscriptions know no others; 09-cutover.sh renames at the end. With SCHEMA=none the target
# has its own from the beginning.
names_on() {
	if [ "$1" = target ] && { [ "$SCHEMA" = none ] || is_done cutover.rename; }; then
		echo target
	else
		echo source
	fi
}

connection_of() {
	if [ "$1" = source ]; then
		printf '%s' "$SOURCE_CONN"
	else
		printf '%s' "$TARGET_CONN"
	fi
}

other_side() {
	if [ "$1" = source ]; then
		echo target
	else
		echo source
	fi
}

# on SIDE [PSQL OPTION...]: runs what comes on its standard input, and ends at the first error. psql would say so
# by 3, which means different here.
on() {
	local side="$1"
	shift
	cat "$HERE/parts/session.sql" - | psql -X -q -v ON_ERROR_STOP=1 -v names="$(names_on "$side")" \
		-v other_names="$(names_on "$(other_side "$side")")" -v scope="$SCHEMA" \
		"$@" -d "$(connection_of "$side")" -f - || return 1
}

{{#resolved}}
TABLES="$HERE/tables.sql"

# with_tables FILE...: the chosen tables with a question behind them, for on.
with_tables() {
	(cd "$HERE/parts" && cat "$TABLES" here.sql "$@")
}
{{/resolved}}
{{^resolved}}
# What the patterns choose on the source is written down once. Remove the file to choose again.
TABLES="$WORK/tables.sql"

resolve() {
	cat "$HERE/tables.sql" "$HERE/parts/resolve.sql" | on source -At >"$TABLES.part"
	if ! grep -q VALUES "$TABLES.part"; then
		fail "no table of the source matches: see tables.sql"
	fi
	mv -- "$TABLES.part" "$TABLES"
	say "$(grep -c '::text\[\])' "$TABLES") tables, listed in work/tables.sql"
}

# with_tables FILE...: the chosen tables with a question behind them, for on.
with_tables() {
	if [ ! -e "$TABLES" ]; then
		resolve
	fi
	(cd "$HERE/parts" && cat "$TABLES" here.sql "$@")
}
{{/resolved}}

# Statements as one transaction, which begins after the settings of the session, read-write among them.
in_one() {
	printf 'BEGIN;\n'
	cat
	printf 'COMMIT;\n'
}

version_of() {
	on "$1" -At <<<"SELECT current_setting('server_version_num')"
}

# ---- choosing what a dump restores ----

# facts: what the servers know of the objects, for parts/restore-list.awk.
write_facts() {
	with_tables facts.sql | on source -At >"$WORK/facts"
	on source -At -F ' ' <"$HERE/parts/identities.sql" >"$WORK/identities.source"
	on target -At -F ' ' <"$HERE/parts/identities.sql" >"$WORK/identities.target"
	awk 'NR == FNR { there[$3] = 1; next } $3 in there { print "exists", $1, $2 }' \
		"$WORK/identities.target" "$WORK/identities.source" >>"$WORK/facts"
	if [ -e "$HERE/leave-out" ]; then
		sed -n 's/^\([0-9][0-9]*\).*/out \1/p' "$HERE/leave-out" >>"$WORK/facts"
	fi
}

# restore_list ALL|KEYS OUT: what of schema.dump is to be made and is not there yet. What belongs to the chosen
# tables and can't be made is told in work/left-out.
restore_list() {
	write_facts
	pg_restore -l -v "$WORK/schema.dump" >"$WORK/schema.toc"
	: >"$WORK/left-out"
	awk -v scope="$SCHEMA" -v which="$1" -v publications="$SOURCE_PUBLICATIONS" -v report="$WORK/left-out" \
		-f "$HERE/parts/restore-list.awk" "$WORK/facts" "$WORK/schema.toc" >"$2"
}

# Options of pg_restore by OWNERS, into RESTORE_OPTIONS.
restore_options() {
	RESTORE_OPTIONS=(--dbname="$TARGET_CONN")
	if [ "$OWNERS" = none ]; then
		RESTORE_OPTIONS+=(--no-owner --no-privileges)
	fi
}

# Settings of programs that write on the target, which may be frozen since an earlier attempt.
TARGET_SETTINGS="-c default_transaction_read_only=off"

write_target() {
	PGOPTIONS="$TARGET_SETTINGS" "$@"
}

# build SECTION LIST: restores in parallel; what fails is named, and tried again by the next run.
build() {
	restore_options
	if [ -n "$MAINTENANCE_WORK_MEM" ]; then
		TARGET_SETTINGS+=" -c maintenance_work_mem=$MAINTENANCE_WORK_MEM"
	fi
	write_target pg_restore "${RESTORE_OPTIONS[@]}" --section="$1" --jobs="$JOBS" --use-list="$2" \
		"$WORK/schema.dump" || fail "not all of it could be made: see above, mend it, and run this step again"
}

# ---- rows that are there before the load ----

prepare_target() {
	if is_done load.started; then
		return
	fi
	with_tables rows.sql | on target -At >"$WORK/rows"
	if [ -s "$WORK/rows" ] && [ "$ON_EXISTING_ROWS" = refuse ]; then
		cat "$WORK/rows" >&2
		fail "these tables of the target have rows; empty them, or set ON_EXISTING_ROWS in env.sh"
	fi
	if [ -s "$WORK/rows" ] && [ "$ON_EXISTING_ROWS" = truncate ]; then
		cat "$WORK/rows" >&2
		ask "The rows of these tables of the target will be removed. Go on?"
		with_tables truncate.sql | on target
	fi
	mark load.started
}
