#!/bin/bash
# Can this machine run a copy of the source's server? Same major version, same architecture, room, settings.
#
#   physical/01-check.sh
#
# Changes nothing. Exit 1 when it can't.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
take_options "$@"
blockers=0

blocker() {
	say "blocker  $*"
	blockers=$((blockers + 1))
}

ours=$(postgres --version | sed -n 's/.* \([0-9][0-9]*\).*/\1/p')
theirs=$(at primary <<<"SELECT current_setting('server_version_num')::int / 10000")
if [ "$ours" != "$theirs" ]; then
	blocker "version: $theirs on the source, $ours here; files fit the same major version only"
fi
build=$(at primary <<<"SELECT version()")
machine=$(uname -m)
case "$build" in
*"$machine"*) ;;
*) blocker "architecture: $machine here; the source says: $build" ;;
esac
at primary <<'SQL' >"$WORK/physical.settings"
SELECT name || '=' || setting FROM pg_settings WHERE name IN ('wal_level', 'max_wal_senders', 'full_page_writes',
	'max_replication_slots', 'data_checksums', 'max_connections', 'max_worker_processes',
	'max_prepared_transactions', 'max_locks_per_transaction', 'wal_keep_size', 'shared_preload_libraries');
SQL
cat "$WORK/physical.settings" >&2
if grep -q '^wal_level=minimal$' "$WORK/physical.settings"; then
	blocker "wal_level: has to be replica or logical"
fi
if grep -qE '^max_(wal_senders|replication_slots)=0$' "$WORK/physical.settings"; then
	blocker "max_wal_senders and max_replication_slots have to be above 0"
fi
at primary <<<"SELECT 'tablespace ' || to_json(spcname) || ' in ' || pg_tablespace_location(oid) FROM pg_tablespace
	WHERE pg_tablespace_location(oid) <> ''" >&2
psql -X -At -d "$PRIMARY_CONN replication=true" -c 'IDENTIFY_SYSTEM' >/dev/null ||
	blocker "replication: the source refuses it; see pg_hba.conf there, and the role's REPLICATION attribute"
if [ -e "$DATA_DIR" ] && [ -n "$(ls -A -- "$DATA_DIR")" ]; then
	blocker "$DATA_DIR is not empty"
fi
needed=$(at primary <<<"SELECT sum(pg_database_size(oid)) / 1024 FROM pg_database" | cut -d . -f 1)
parent=$(dirname "$DATA_DIR")
while [ ! -d "$parent" ]; do
	parent=$(dirname "$parent")
done
free=$(df -Pk -- "$parent" | awk 'NR == 2 { print $4 }')
say "note     $((needed / 1024)) MB on the source, $((free / 1024)) MB free here"
if [ "$free" -lt "$needed" ]; then
	blocker "$parent has too little room"
fi
say "note     compare the versions of glibc (ldd --version) and ICU: with others, indexes on text have to be rebuilt"
if [ "$blockers" != 0 ]; then
	fail "blockers have to be mended before the next step"
fi
say "a copy can run here"
