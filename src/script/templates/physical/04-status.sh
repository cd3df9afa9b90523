#!/bin/bash
# How far the standby is behind the source.
#
#   physical/04-status.sh
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
take_options "$@"
find_standby
at primary -F $'\t' -v slot="$PHYSICAL_SLOT" <<'SQL'
SELECT 'source', pg_current_wal_lsn(), format('slot %s, keeps %s', CASE WHEN active THEN 'in use' ELSE 'not in use' END,
	pg_size_pretty(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)))
  FROM pg_replication_slots WHERE slot_name = :'slot';
SELECT 'standby', replay_lsn, format('%s behind, replays %s later', pg_size_pretty(pg_wal_lsn_diff(
	pg_current_wal_lsn(), replay_lsn)), coalesce(replay_lag, '0'))
  FROM pg_stat_replication r JOIN pg_replication_slots s ON s.active_pid = r.pid WHERE s.slot_name = :'slot';
SQL
at standby <<<"SELECT 'standby: last transaction of ' || coalesce(pg_last_xact_replay_timestamp()::text, 'before it began')"
