#!/bin/bash
# Before the promotion: the source takes writes again, the standby stops, and the slot goes.
#
#   physical/06-undo.sh [--yes]
#
# After the promotion: removes the slot from the source, which stays read-only. To go back then, stop the new
# server, make the source a standby of it by pg_rewind (needs wal_log_hints or checksums), and promote that.
# DATA_DIR is never removed: do that yourself.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
take_options "$@"

open_server() {
	at primary <<'SQL'
ALTER SYSTEM RESET default_transaction_read_only;
SELECT pg_reload_conf() \gset
SQL
}

if is_done physical.promoted; then
	ask "Remove slot $PHYSICAL_SLOT from the source?"
else
	ask "Stop the standby, let the applications write on the source, and remove slot $PHYSICAL_SLOT?"
	if pg_ctl --pgdata="$DATA_DIR" status >/dev/null 2>&1; then
		pg_ctl --pgdata="$DATA_DIR" --mode=fast --wait stop >/dev/null
	fi
	unmark physical.standby
	if is_done physical.frozen; then
		open_server
		unmark physical.frozen
	fi
fi
slot_is_free() {
	at primary -v slot="$PHYSICAL_SLOT" <<<"SELECT NOT EXISTS (SELECT 1 FROM pg_replication_slots
		WHERE slot_name = :'slot' AND active)"
}
wait_until "nobody uses the slot" slot_is_free
at primary -v slot="$PHYSICAL_SLOT" <<'SQL' >/dev/null
SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = :'slot';
SQL
say "undone"
