# shellcheck shell=bash
# Publications, slots and subscriptions, in either direction. Each can be done again where it was interrupted.

# publish SIDE NAME: a publication of the chosen tables there.
publish() {
	on "$1" -v publication="$2" <<'SQL'
SELECT format('CREATE PUBLICATION %I', :'publication')
 WHERE NOT EXISTS (SELECT 1 FROM pg_publication WHERE pubname = :'publication')
\gexec
SQL
	with_tables publication.sql | on "$1" -v publication="$2"
}

make_slot() {
	on "$1" -At -v slot="$2" >/dev/null <<'SQL'
SELECT pg_create_logical_replication_slot(:'slot', 'pgoutput')
 WHERE NOT EXISTS (SELECT 1 FROM pg_replication_slots WHERE slot_name = :'slot');
SQL
}

# subscribe SIDE NAME PUBLICATION CONNECTION PASSWORD COPY_DATA. The password goes through the environment, where
# other users can't read it; the server keeps it in its catalog.
subscribe() {
	FAR_CONN="$4${5:+ password=$(quoted_value "$5")}" on "$1" -v name="$2" -v publication="$3" -v copy="$6" <<'SQL'
\set far `printf '%s' "$FAR_CONN"`
SELECT format('CREATE SUBSCRIPTION %I CONNECTION %L PUBLICATION %I'
	' WITH (create_slot = false, slot_name = %L, copy_data = %s)', :'name', :'far', :'publication', :'name', :'copy')
 WHERE NOT EXISTS (SELECT 1 FROM pg_subscription WHERE subname = :'name')
\gexec
SQL
}

# unsubscribe SIDE NAME: leaves the other server's slot alone, so that it works when that can't be reached.
unsubscribe() {
	on "$1" -v name="$2" <<'SQL'
SELECT format(s, subname) FROM pg_subscription,
	unnest(ARRAY['ALTER SUBSCRIPTION %I DISABLE', 'ALTER SUBSCRIPTION %I SET (slot_name = NONE)',
		'DROP SUBSCRIPTION %I']) WITH ORDINALITY AS o (s, no)
 WHERE subname = :'name' ORDER BY no
\gexec
SQL
}

# drop_slot SIDE NAME: its walsender may need a moment to see that the subscriber is gone.
drop_slot() {
	local tries
	for ((tries = 60; tries > 0; tries--)); do
		if [ "$(on "$1" -At -v slot="$2" <"$HERE/parts/drop-slot.sql")" = 0 ]; then
			return
		fi
		sleep 1
	done
	fail "slot $2 is still in use on the $1"
}

unpublish() {
	on "$1" -v name="$2" <<'SQL'
SELECT format('DROP PUBLICATION IF EXISTS %I', :'name')
\gexec
SQL
}

# drain SIDE SLOT: waits until everything that SIDE has committed by now is on the other one's disk.
drain() {
	local lsn state until=$((SECONDS + DRAIN_TIMEOUT))
	lsn=$(on "$1" -At <<<"SELECT pg_current_wal_lsn()")
	say "waiting until $lsn has arrived"
	while true; do
		state=$(on "$1" -At -v slot="$2" -v lsn="$lsn" <"$HERE/parts/drained.sql")
		case "$state" in
		arrived) return ;;
		"") fail "there is no slot $2 on the $1" ;;
		esac
		if [ "$SECONDS" -ge "$until" ]; then
			fail "$state; look at the log of the subscribing server, and run it again"
		fi
		sleep 0.5
	done
}
