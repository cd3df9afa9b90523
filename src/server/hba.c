// SPDX-License-Identifier: PostgreSQL
/* Who may connect from where: the rules of pg_hba.conf, which no statement changes, as a list to
 * carry over. */
#include "server.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "../shared.h"

#define PG_HAS_HBA_RULES 100000
#define KIND "hba rule"

enum { TYPE, DATABASES, USERS, ADDRESS, NETMASK, METHOD, OPTIONS, CONCERNS, PROBLEM, LINE };

static bool may_read(struct pg *c, bool *may, struct error *e)
{
	*may = false;
	if (pg_version(c) < PG_HAS_HBA_RULES)
		return true;
	struct rows *r = PG_ROWS(c, e,
		"SELECT has_table_privilege('pg_catalog.pg_hba_file_rules', 'SELECT')"
		" AND has_function_privilege('pg_catalog.pg_hba_file_rules()', 'EXECUTE')");
	*may = r && rows_bool(r, 0, 0);
	rows_free(r);
	return r != NULL;
}

/* CONCERNS: a client of this database from another machine may come in by it. */
static struct rows *ask(struct pg *c, struct error *e)
{
	return PG_ROWS(c, e,
		"SELECT type, array_to_string(database, ','), array_to_string(user_name, ','), address,"
		" netmask, auth_method, array_to_string(options, ' '),"
		" type <> 'local' AND address NOT IN ('127.0.0.1', '::1') AND (database &&"
		" ARRAY['all', 'sameuser', 'samerole', 'samegroup', current_database()::text]"
		" OR array_to_string(database, ',') LIKE '%/%'), error, line_number"
		" FROM pg_catalog.pg_hba_file_rules ORDER BY line_number");
}

/* The length of a mask such as 255.255.0.0; -1 for none. */
static int mask_length(const char *mask)
{
	unsigned char bytes[16];
	int size = strchr(mask, ':') ? 16 : 4, length = 0;
	if (inet_pton(size == 16 ? AF_INET6 : AF_INET, mask, bytes) != 1)
		return -1;
	for (int i = 0; i < size; i++)
		length += __builtin_popcount(bytes[i]);
	return length;
}

/* As one writes it into the file. */
static char *rule_text(const struct rows *r, int row)
{
	struct strbuf out = STRBUF_INIT;
	strbuf_addf(&out, "%s %s %s", rows_text(r, row, TYPE), rows_text(r, row, DATABASES),
		rows_text(r, row, USERS));
	if (!rows_null(r, row, ADDRESS)) {
		int length = mask_length(rows_text(r, row, NETMASK));
		strbuf_addf(&out, " %s", rows_text(r, row, ADDRESS));
		if (length >= 0)
			strbuf_addf(&out, "/%d", length);
	}
	strbuf_addf(&out, " %s", rows_text(r, row, METHOD));
	if (rows_text(r, row, OPTIONS)[0] != '\0')
		strbuf_addf(&out, " %s", rows_text(r, row, OPTIONS));
	return strbuf_take(&out);
}

static bool has(const struct rows *r, const char *rule)
{
	bool found = false;
	for (int i = 0; i < rows_count(r) && !found; i++) {
		char *other = rule_text(r, i);
		found = strcmp(other, rule) == 0;
		free(other);
	}
	return found;
}

/* Rules that only one side has, in the order of its file, for the first that fits decides. */
static void add_rules(
	const struct rows *of, const struct rows *other, bool is_source, struct comparison *out)
{
	for (int i = 0; i < rows_count(of); i++) {
		if (!rows_null(of, i, PROBLEM)) {
			comparison_note(out, "line %s of pg_hba.conf on %s is wrong: %s",
				rows_text(of, i, LINE), is_source ? out->source : out->target,
				rows_text(of, i, PROBLEM));
			continue;
		}
		char *rule = rule_text(of, i);
		out->compared += is_source;
		if (!has(other, rule)) {
			bool matters = is_source && rows_bool(of, i, CONCERNS);
			struct difference *d = comparison_add(out,
				matters     ? SEVERITY_WARNING
				: is_source ? SEVERITY_NOTE
							: SEVERITY_OK,
				KIND, rule);
			*(is_source ? &d->source : &d->target) = xasprintf("line %s", rows_text(of, i, LINE));
			d->meaning = xstrdup(
				matters
					? "who comes in by it, or is kept out, is not treated so on the target; put it "
					  "into pg_hba.conf there, in this order, or into the provider's firewall"
				: is_source ? "of the machine itself, of replication or of another database"
							: "the target alone lets in, or keeps out, by it");
		}
		free(rule);
	}
}

bool compare_hba(struct pg *source, struct pg *target, struct comparison *out, struct error *e)
{
	struct pg *const sides[] = { source, target };
	for (size_t i = 0; i < ARRAY_SIZE(sides); i++) {
		bool may;
		if (!may_read(sides[i], &may, e))
			return false;
		if (may)
			continue;
		comparison_note(out, "the rules of pg_hba.conf are not compared: %s of %s",
			pg_version(sides[i]) < PG_HAS_HBA_RULES ? "there is no view before PostgreSQL 10"
													: "our role may not read those",
			pg_peer_name(sides[i]));
		return true;
	}
	struct rows *s = ask(source, e);
	struct rows *t = s ? ask(target, e) : NULL;
	bool ok = t != NULL;
	if (ok) {
		add_rules(s, t, true, out);
		add_rules(t, s, false, out);
	}
	rows_free(s);
	rows_free(t);
	return ok;
}
