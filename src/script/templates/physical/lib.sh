# shellcheck shell=bash
# What the physical steps share. Sourced by each of them, never run.
# shellcheck source-path=SCRIPTDIR source=../parts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../parts/lib.sh"
# shellcheck source-path=SCRIPTDIR source=env.sh
. "$HERE/physical/env.sh"

# at primary|standby [PSQL OPTION...]: runs what comes on its standard input.
at() {
	local connection="$PRIMARY_CONN dbname=postgres"
	if [ "$1" = standby ]; then
		connection="host=$(quoted_value "$SOCKET_DIR") port=$STANDBY_PORT dbname=postgres"
		connection+=" user=$(quoted_value "$PRIMARY_USER")"
	fi
	{ printf 'SET default_transaction_read_only = off;\n' && cat; } |
		psql -X -q -v ON_ERROR_STOP=1 -At "${@:2}" -d "$connection" -f -
}

# The role and the socket folder that the new server has, as far as they can be known.
find_standby() {
	PRIMARY_USER=$(at primary <<<"SELECT current_user")
	SOCKET_DIR=$(sed -n 5p "$DATA_DIR/postmaster.pid" 2>/dev/null || true)
	SOCKET_DIR=${SOCKET_DIR:-127.0.0.1}
}

# wait_until TEXT COMMAND...: until it prints t.
wait_until() {
	local until=$((SECONDS + WAIT_TIMEOUT)) answer
	say "waiting until $1"
	while true; do
		answer=$("${@:2}" 2>/dev/null) || answer=""
		if [ "$answer" = t ]; then
			return
		fi
		if [ "$SECONDS" -ge "$until" ]; then
			fail "gave up waiting until $1"
		fi
		sleep 0.5
	done
}
