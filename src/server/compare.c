// SPDX-License-Identifier: PostgreSQL
#include "server.h"

#include "../shared.h"

/* The size of a table that somebody has locked is not worth waiting for. */
#define LEAST_PATIENCE "SET lock_timeout = '5s'"

/* In the order in which they are shown within one severity. */
static const struct {
	const char *name;
	server_subject *compare;
} subjects[] = {
	{ "the versions", compare_version },
	{ "encodings and collations", compare_locale },
	{ "extensions", compare_extensions },
	{ "settings", compare_settings },
	{ "time zones", compare_zones },
	{ "the rules of pg_hba.conf", compare_hba },
	{ "disk space", compare_disk },
};

/* Servers that are PostgreSQL only in part lack views, and roles lack privileges: that costs one
 * subject. */
static bool ends_all(struct pg *source, struct pg *target, const struct error *e)
{
	return e->class == ERROR_CANCELLED || pg_lost(source) || pg_lost(target);
}

struct comparison *server_compare(struct pg *source, struct pg *target, struct error *e)
{
	struct comparison *out;
	if (!pg_run(source, e, LEAST_PATIENCE) || !pg_run(target, e, LEAST_PATIENCE))
		return NULL;
	out = comparison_new("settings", pg_peer_name(source), pg_peer_name(target));
	for (size_t i = 0; i < ARRAY_SIZE(subjects); i++) {
		struct error one = { 0 };
		if (subjects[i].compare(source, target, out, &one))
			continue;
		if (ends_all(source, target, &one)) {
			*e = one;
			comparison_release(out);
			return NULL;
		}
		comparison_note(out, "%s could not be compared: %s", subjects[i].name, one.text);
		out->complete = false;
	}
	comparison_sort_worst(out);
	return out;
}
