# From facts about objects and the verbose list of a dump (pg_restore -l -v): the list of what to restore.
#   chosen|unchosen|key|exists CATALOG NUMBER, out DUMP-NUMBER; then the list.
# -v scope=database|tables -v which=ALL|KEYS -v publications=yes|no -v report=FILE
#
# Left out is an object that is not chosen and whatever needs one, in any number of steps. With scope=tables
# only the chosen tables are kept, what belongs to them (needs them) and what those need.

/^(chosen|unchosen|key|exists) / {
	fact[$1, $2, $3] = 1
	next
}

/^out [0-9]+/ {
	out[$2 + 0] = 1
	next
}

/^[0-9]+; [0-9]+ [0-9]+ / {
	id = $1 + 0
	ids[++count] = id
	line[id] = $0
	object[id] = $2 SUBSEP $3
	if (("unchosen", $2, $3) in fact || $2 == 6100)
		out[id] = 1
	if (publications != "yes" && ($2 == 6104 || $2 == 6106 || $2 == 6237))
		out[id] = 1
	if (("chosen", $2, $3) in fact)
		belongs[id] = 1
	next
}

/^;[ \t]+depends on:/ {
	sub(/^;[ \t]+depends on: */, "")
	needs[id] = $0
	next
}

# Spreads a set to all that need a member of it. What has no number of its own (that a partition's index is
# attached) is no reason.
function spread_up(set,    moved, i, k, n, list) {
	do {
		moved = 0
		for (i = 1; i <= count; i++) {
			if (ids[i] in set)
				continue
			n = split(needs[ids[i]], list)
			for (k = 1; k <= n; k++)
				if (list[k] + 0 in set && object[list[k] + 0] !~ /^0/) {
					set[ids[i]] = 1
					moved = 1
					break
				}
		}
	} while (moved)
}

# Spreads a set to all that its members need.
function spread_down(set,    moved, i, k, n, list) {
	do {
		moved = 0
		for (i = count; i >= 1; i--) {
			if (!(ids[i] in set))
				continue
			n = split(needs[ids[i]], list)
			for (k = 1; k <= n; k++)
				if (list[k] + 0 in line && !(list[k] + 0 in set)) {
					set[list[k] + 0] = 1
					moved = 1
				}
		}
	} while (moved)
}

# Comments, grants and the like have no number of their own: they go with what they are about.
function goes_along(id,    k, n, list) {
	if (object[id] !~ /^0/)
		return 0
	n = split(needs[id], list)
	for (k = 1; k <= n; k++)
		if (list[k] + 0 in line && !(list[k] + 0 in kept))
			return 0
	return 1
}

function is_there(id,    k, n, list, part) {
	if (line[id] ~ /^[0-9]+; 0 0 TABLE ATTACH /) {
		n = split(needs[id], list)
		for (k = 1; k <= n; k++)
			if (list[k] + 0 in line && !(("exists", object[list[k] + 0]) in fact))
				return 0
		return 1
	}
	return ("exists", object[id]) in fact
}

END {
	spread_up(out)
	for (i = 1; i <= count; i++)
		if (ids[i] in belongs && ids[i] in out) {
			print "a chosen table needs something that is not chosen: " line[ids[i]] >"/dev/stderr"
			failed = 1
		}
	if (failed)
		exit 1
	spread_up(belongs)
	for (i = 1; i <= count; i++)
		if (ids[i] in out) {
			if (ids[i] in belongs)
				print "left out: " line[ids[i]] >report
			delete belongs[ids[i]]
		}
	for (i = 1; i <= count; i++)
		if (!(ids[i] in out) && (scope == "database" || ids[i] in belongs))
			kept[ids[i]] = 1
	spread_down(kept)
	for (i = 1; i <= count; i++) {
		id = ids[i]
		if (id in out || !(id in kept || goes_along(id)) || is_there(id))
			continue
		if (which == "ALL" || ("key", object[id]) in fact)
			print line[id]
	}
}
