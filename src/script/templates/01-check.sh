#!/bin/bash
# Looks at both servers and says what stands in the way: versions, settings, privileges, tables without a key,
# long transactions. Changes nothing.
#
#   ./01-check.sh
#
# Exit 1 when something has to be mended first (blocker). The questions are in 01-check.sql and
# parts/check-target.sql.
# shellcheck source-path=SCRIPTDIR source=parts/lib.sh
. "$(dirname "$0")/parts/lib.sh"
take_options "$@"

# check_programs SIDE: they must be at least as new as its server.
check_programs() {
	local program version major server
	server=$(version_of "$1")
	for program in psql pg_dump pg_dumpall pg_restore; do
		version=$("$program" --version) || fail "there is no $program in PATH; set PATH in env.sh"
		major=$(sed -n 's/.* \([0-9][0-9]*\).*/\1/p' <<<"$version")
		if [ "$major" -lt "$((server / 10000))" ]; then
			printf 'blocker\t%s\tis of version %s, older than the %s (%s)\n' "$program" "$major" "$1" \
				"$((server / 10000))"
		fi
	done
}

about_source() {
	on source -At <<'SQL'
SELECT json_build_object('version', current_setting('server_version_num')::int,
	'encoding', current_setting('server_encoding'),
	'collate', (SELECT datcollate FROM pg_database WHERE datname = current_database()),
	'extensions', (SELECT json_agg(extname) FROM pg_extension),
	'started', pg_postmaster_start_time()::text, 'database', current_database())
SQL
}

findings="$WORK/findings"
{
	check_programs source
	check_programs target
	with_tables ../01-check.sql | on source -At -F $'\t' -v continuous="{{follows|raw}}"
	with_tables check-target.sql | on target -At -F $'\t' -v continuous="{{follows|raw}}" -v source="$(about_source)"
} >"$findings"

for severity in blocker warning note; do
	awk -F '\t' -v wanted="$severity" '$1 == wanted { printf "%-8s %s: %s\n", $1, $2, $3 }' "$findings"
done
if grep -q '^blocker' "$findings"; then
	fail "blockers have to be mended before the next step"
fi
say "nothing stands in the way"
