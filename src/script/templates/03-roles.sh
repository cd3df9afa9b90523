#!/bin/bash
# Creates on the target the roles of the source that it lacks, with their memberships and settings.
#
#   ./03-roles.sh [--passwords] [--yes]
#
# --passwords takes their SCRAM verifiers along, where the source lets this role read them; without, the new
# roles have no password. Shorter: pgpier roles {{mirror|line}}
# shellcheck source-path=SCRIPTDIR source=parts/lib.sh
. "$(dirname "$0")/parts/lib.sh"
take_options "$@"
passwords=no
for word in ${WORDS[@]+"${WORDS[@]}"}; do
	case "$word" in
	--passwords) passwords=yes ;;
	*) fail "what is $word? see --help" ;;
	esac
done

if [ "$OWNERS" = none ]; then
	say "OWNERS=none: everything belongs to whoever restores it; no roles are needed"
	exit 0
fi
existing=$(on target -At <<<"SELECT json_agg(rolname) FROM pg_roles")
superuser=$(on target -At <<<"SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
on source -At -v existing="$existing" -v superuser="$superuser" -v passwords="$passwords" \
	<"$HERE/parts/roles.sql" >"$WORK/roles.sql"
pairs=("${OWNER_MAP[@]+"${OWNER_MAP[@]}"}")
for ((i = 0; i < ${#pairs[@]}; i += 2)); do
	on source -At -v old="${pairs[i]}" -v new="${pairs[i + 1]}" >>"$WORK/roles.sql" \
		<<<"SELECT format('GRANT %I TO %I;', :'old', :'new')"
done
if [ ! -s "$WORK/roles.sql" ]; then
	say "the target has all roles"
	exit 0
fi
sed "s/ PASSWORD '.*/ PASSWORD ...;/" "$WORK/roles.sql" >&2
ask "Run this on the target?"
in_one <"$WORK/roles.sql" | on target
say "the roles are there"
