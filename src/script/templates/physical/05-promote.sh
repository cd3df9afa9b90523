#!/bin/bash
# Moves over: stops writes on the source, waits until the standby has everything, and promotes it.
#
#   physical/05-promote.sh [--yes]
#
# The source's server becomes read-only as a whole (ALTER SYSTEM, needs a superuser there), and its sessions end.
# Until the promotion 06-undo.sh takes that back.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
take_options "$@"

is_done physical.standby || fail "first comes physical/03-standby.sh"
find_standby

freeze_server() {
	at primary <<'SQL'
ALTER SYSTEM SET default_transaction_read_only = on;
SELECT pg_reload_conf() \gset
SQL
	wait_until "new sessions are read-only" is_read_only
	at primary <<'SQL'
SELECT format('session %s: %s', pid, CASE WHEN pg_terminate_backend(pid) THEN 'ended' ELSE 'is gone' END)
  FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
   AND application_name NOT LIKE 'pgpier%';
SQL
}

is_read_only() {
	psql -X -At -d "$PRIMARY_CONN dbname=postgres" -c "SELECT current_setting('default_transaction_read_only') = 'on'"
}

nobody_writes() {
	at primary <<<"SELECT NOT EXISTS (SELECT 1 FROM pg_stat_activity WHERE backend_type = 'client backend'
		AND pid <> pg_backend_pid() AND application_name NOT LIKE 'pgpier%' AND xact_start IS NOT NULL)
		AND NOT EXISTS (SELECT 1 FROM pg_prepared_xacts)"
}

has_everything() {
	at standby -v lsn="$lsn" <<<"SELECT pg_last_wal_replay_lsn() >= CAST(:'lsn' AS pg_lsn)"
}

is_promoted() {
	at standby <<<"SELECT NOT pg_is_in_recovery()"
}

if ! is_done physical.frozen; then
	ask "The applications will not be able to write on the source any more. Go on?"
fi
once physical.frozen "the source becomes read-only" freeze_server
wait_until "nobody writes on the source" nobody_writes
lsn=$(at primary <<<"SELECT pg_current_wal_flush_lsn()")
wait_until "the standby has replayed $lsn" has_everything
ask "Promote the standby? There is no way back to the source after this but with pg_rewind or a new copy."
pg_ctl --pgdata="$DATA_DIR" --wait --timeout="$WAIT_TIMEOUT" promote >/dev/null
wait_until "it is promoted" is_promoted
at standby <<'SQL' >/dev/null
ALTER SYSTEM RESET primary_conninfo;
ALTER SYSTEM RESET primary_slot_name;
CHECKPOINT;
SQL
mark physical.promoted
say "promoted: point the applications to this machine, port $STANDBY_PORT, and stop the source's server for good"
