# shellcheck shell=bash
# Stopping and allowing the application's writes on one side. The undo is written down before anything is done.

freeze() {
	if [ ! -e "$WORK/unfreeze-$1.sql" ]; then
		on "$1" -At -v connect="$FREEZE_CONNECT" <"$HERE/parts/unfreeze.sql" >"$WORK/unfreeze-$1.part"
		mv -- "$WORK/unfreeze-$1.part" "$WORK/unfreeze-$1.sql"
	fi
	on "$1" -At -v connect="$FREEZE_CONNECT" <"$HERE/parts/freeze.sql"
	wait_for_writers "$1"
}

# Those that began before the freeze still may write.
wait_for_writers() {
	local writers
	while true; do
		writers=$(on "$1" -At <"$HERE/parts/writers.sql")
		if [ -z "$writers" ]; then
			return
		fi
		say "still there: $writers"
		sleep 1
	done
}

unfreeze() {
	if [ ! -e "$WORK/unfreeze-$1.sql" ]; then
		return
	fi
	on "$1" <"$WORK/unfreeze-$1.sql"
	rm -f -- "$WORK/unfreeze-$1.sql"
}
