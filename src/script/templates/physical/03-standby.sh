#!/bin/bash
# Starts the copy as a standby that follows the source.
#
#   physical/03-standby.sh [--yes]
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
take_options "$@"

is_done physical.basebackup || fail "first comes physical/02-basebackup.sh"
if [ ! -e "$DATA_DIR/postgresql.conf" ] && [ -z "$SERVER_OPTIONS" ]; then
	fail "$DATA_DIR has no postgresql.conf: copy the source's, or name it in SERVER_OPTIONS of physical/env.sh"
fi

configure() {
	cat "$HERE/physical/standby.conf" >>"$DATA_DIR/postgresql.auto.conf"
	if [ "$(<"$DATA_DIR/PG_VERSION")" -lt 12 ]; then
		{
			grep -E '^(primary|recovery_target_timeline)' "$HERE/physical/standby.conf"
			echo "standby_mode = on"
		} >"$DATA_DIR/recovery.conf"
		sed -i '/^primary_\(conninfo\|slot_name\) /d; /^recovery_target_timeline /d' "$DATA_DIR/postgresql.auto.conf"
	else
		: >"$DATA_DIR/standby.signal"
	fi
}

follows() {
	at standby <<<"SELECT pg_is_in_recovery() AND EXISTS (SELECT 1 FROM pg_stat_wal_receiver WHERE status = 'streaming')"
}

once physical.configured "settings of the standby" configure
if ! pg_ctl --pgdata="$DATA_DIR" status >/dev/null; then
	ask "Start the standby on port $STANDBY_PORT?"
	pg_ctl --pgdata="$DATA_DIR" --log="$WORK/standby.log" --wait --timeout="$WAIT_TIMEOUT" \
		--options="-p $STANDBY_PORT $SERVER_OPTIONS" start >/dev/null
fi
find_standby
wait_until "it follows the source" follows
mark physical.standby
say "it follows; physical/04-status.sh shows how closely"
