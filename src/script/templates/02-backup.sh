#!/bin/bash
# Dumps a whole database and the roles of its server, and reads the archive back to its end.
#
#   ./02-backup.sh [source|target]
#
# Without a word, the source. Back up the target as well when it holds anything that is worth it. The archive is
# work/backup-SIDE, restored by: pg_restore --create --jobs=N --dbname=postgres work/backup-SIDE
# shellcheck source-path=SCRIPTDIR source=parts/lib.sh
. "$(dirname "$0")/parts/lib.sh"
take_options "$@"
side=${WORDS[0]:-source}
case "$side" in
source | target) ;;
*) fail "backs up source or target, not $side" ;;
esac
archive="$WORK/backup-$side"

dump() {
	rm -rf -- "$archive.part"
	pg_dump --format=directory --jobs="$JOBS" --lock-wait-timeout=60s --file="$archive.part" \
		--dbname="$(connection_of "$side")"
}

# Passwords of roles can be read by superusers alone.
dump_globals() {
	local without=()
	if [ "$(on "$side" -At <<<"SELECT has_table_privilege('pg_authid', 'SELECT')")" = f ]; then
		without=(--no-role-passwords)
		say "this role can't read the passwords of roles: they are not in the backup"
	fi
	pg_dumpall --globals-only "${without[@]}" --dbname="$(connection_of "$side")" >"$archive.part/globals.sql"
}

verify() {
	pg_restore --list "$archive.part" >"$archive.part/contents"
	pg_restore --file=/dev/null "$archive.part"
	grep -c '^[0-9]' "$archive.part/contents" >/dev/null || fail "the archive is empty"
}

keep() {
	mv -T -- "$archive.part" "$archive"
}

if is_done "backup-$side"; then
	say "$archive is there since $(<"$WORK/done/backup-$side"); remove it and work/done/backup-$side for another one"
	exit 0
fi
if [ -e "$archive" ]; then
	fail "$archive is in the way; remove it or take it elsewhere"
fi
say "dumping"
dump
dump_globals
say "reading the archive"
verify
keep
mark "backup-$side"
say "$(grep -c '^[0-9]' "$archive/contents") objects, $(du -sh -- "$archive" | cut -f 1) in $archive"
