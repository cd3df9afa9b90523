#!/bin/bash
# Compares both sides: the number of rows of each table and a checksum that does not depend on their order, by
# the same statements on both, and what sequences hand out next.
#
#   ./07-verify.sh
#
# Exit 0 equal, 3 different. It reads every row on both servers. While the source is written to, what is on its
# way counts as a difference: the proof is the one made between freeze and opening.
# shellcheck source-path=SCRIPTDIR source=parts/lib.sh
. "$(dirname "$0")/parts/lib.sh"
take_options "$@"

# Servers before 12 print floats in another way, except with 15 digits.
float_digits=3
source_version=$(version_of source)
target_version=$(version_of target)
if [ "$source_version" -lt 120000 ] || [ "$target_version" -lt 120000 ]; then
	float_digits=0
fi
mkdir -p "$WORK/verify"

statements() { # statements SIDE JOB: written by the source for either side
	with_tables ../07-verify.sql | on source -At -v side_names="$(names_on "$1")" -v jobs="$JOBS" -v job="$2"
}

compare_part() { # compare_part SIDE JOB
	{
		printf 'SET extra_float_digits = %s;\n' "$float_digits"
		cat "$WORK/verify/$1.$2.sql"
	} | on "$1" -At -F $'\t' >"$WORK/verify/$1.$2"
}

rm -f -- "$WORK"/verify/*
running=()
for ((job = 0; job < JOBS; job++)); do
	for side in source target; do
		statements "$side" "$job" >"$WORK/verify/$side.$job.sql"
		compare_part "$side" "$job" &
		running+=($!)
	done
done
failed=no
for pid in "${running[@]}"; do
	wait "$pid" || failed=yes
done
if [ "$failed" = yes ]; then
	fail "not everything could be compared: see above"
fi

for side in source target; do
	for ((job = 0; job < JOBS; job++)); do
		cat "$WORK/verify/$side.$job"
	done | LC_ALL=C sort >"$WORK/verify/$side"
done
with_tables sequences.sql sequences-compare.sql | on source -At >"$WORK/verify/sequences.sql"
on target -At <"$WORK/verify/sequences.sql" >"$WORK/verify/sequences"

different=no
if ! diff "$WORK/verify/source" "$WORK/verify/target" >"$WORK/verify/difference"; then
	different=yes
	say "table, rows, checksums; < source, > target:"
	grep '^[<>]' "$WORK/verify/difference" || true
fi
if [ -s "$WORK/verify/sequences" ]; then
	different=yes
	say "sequences that are behind on the target (08-sequences.sh):"
	cat "$WORK/verify/sequences"
fi
if [ "$different" = yes ]; then
	say "different; everything is in work/verify"
	exit 3
fi
say "equal: $(wc -l <"$WORK/verify/source") tables, $(awk -F '\t' '{ n += $2 } END { printf "%.0f", n }' \
	"$WORK/verify/source") rows"
