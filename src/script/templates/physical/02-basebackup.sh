#!/bin/bash
# Copies the source's data folder with all of its databases, and checks the copy against its manifest.
#
#   physical/02-basebackup.sh [--yes]
#
# It makes the slot PHYSICAL_SLOT, which keeps WAL on the source from now on: 06-undo.sh removes it.
# Interrupted: empty DATA_DIR and run it again.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
take_options "$@"

if is_done physical.basebackup; then
	say "$DATA_DIR is there since $(<"$WORK/done/physical.basebackup")"
	exit 0
fi
if [ -e "$DATA_DIR" ] && [ -n "$(ls -A -- "$DATA_DIR")" ]; then
	fail "$DATA_DIR is not empty"
fi
ask "Copy the source's server into $DATA_DIR?"
at primary -v slot="$PHYSICAL_SLOT" >/dev/null <<'SQL'
SELECT pg_create_physical_replication_slot(:'slot', true)
 WHERE NOT EXISTS (SELECT 1 FROM pg_replication_slots WHERE slot_name = :'slot');
SQL
pg_basebackup --dbname="$PRIMARY_CONN" --pgdata="$DATA_DIR" --slot="$PHYSICAL_SLOT" --wal-method=stream \
	--checkpoint=fast --progress ${BASEBACKUP_OPTIONS[@]+"${BASEBACKUP_OPTIONS[@]}"}
if [ -e "$DATA_DIR/backup_manifest" ]; then
	pg_verifybackup --quiet "$DATA_DIR"
fi
mark physical.basebackup
say "the copy is whole; next: physical/03-standby.sh"
