// SPDX-License-Identifier: PostgreSQL
/* What roles have: memberships, settings, and the database's own. */
#include <stdlib.h>
#include <string.h>

#include "../../shared.h"
#include "roles_inside.h"

/* ---- memberships ---- */

static char *member_name(const struct role_membership *m)
{
	char *member = role_title(m->member), *group = role_title(m->group);
	char *name = xasprintf("%s in %s", member, group);
	free(member);
	free(group);
	return name;
}

/* A group that is predefined or a provider's has a counterpart where the target's version, or the
 * same provider, has it too. */
static bool member_is_ours(struct role_work *w, const struct role_membership *m)
{
	if (m->member->left_out || strcmp(m->group->there, m->member->there) == 0)
		return false;
	if (!m->group->left_out || role_find(&w->target, m->group->there))
		return true;
	if (role_weight(m->member, SEVERITY_WARNING) == SEVERITY_WARNING)
		comparison_note(w->c,
			"%s belongs to %s, which the target does not have: grant it what it needs by hand",
			m->member->name, m->group->name);
	return false;
}

static void add_member(struct role_work *w, const struct role_membership *m)
{
	bool options = w->target.version >= SINCE_MEMBERSHIP_OPTIONS;
	bool same = options || (m->set && m->inherit == ((m->member->attributes & ROLE_INHERIT) != 0));
	const struct role_finding f = {
		.severity = role_weight(m->member, SEVERITY_BLOCKER),
		.kind = "role membership",
		.name = member_name(m),
		.source = role_member_options(m),
		.meaning =
			same
				? NULL
				: xstrdup("the target's version has no options of memberships: it gets more there"),
		.statement = role_sql_member(m, w->target.version),
		.applies = role_applies(m->member) && role_applies(m->group),
	};
	role_work_add(w, &f);
}

static void compare_options(
	struct role_work *w, const struct role_membership *want, const struct role_membership *have)
{
	bool source_has = w->source.version >= SINCE_MEMBERSHIP_OPTIONS;
	bool target_has = w->target.version >= SINCE_MEMBERSHIP_OPTIONS;
	bool options = want->inherit == have->inherit && want->set == have->set;
	if (want->admin == have->admin && (options || (!source_has && !target_has)))
		return;
	bool can = target_has || want->admin != have->admin;
	const struct role_finding f = {
		.severity = can ? role_weight(want->member, SEVERITY_WARNING) : SEVERITY_NOTE,
		.kind = "role membership",
		.name = member_name(want),
		.source = role_member_options(want),
		.target = role_member_options(have),
		.meaning = can ? NULL : xstrdup("the target's version has no options of memberships"),
		.statement = can ? role_sql_member_change(want, w->target.version) : NULL,
	};
	role_work_add(w, &f);
}

static bool is_repeated_member(const struct role_side *s, size_t i)
{
	const struct role_membership *m = s->memberships;
	return i > 0 && strcmp(m[i].group->there, m[i - 1].group->there) == 0 &&
		   strcmp(m[i].member->there, m[i - 1].member->there) == 0;
}

/* Members of the target's own that the source does not know at all are listed as roles already, and
 * a role that was made by pgpier's has that as its administrator. */
static void compare_target_members(struct role_work *w)
{
	for (size_t i = 0; i < w->target.membership_count; i++) {
		const struct role_membership *have = &w->target.memberships[i];
		const struct role *member = role_find(&w->source, have->member->there);
		if (have->member->left_out || have->member->bootstrap || have->member == w->target.self ||
			!member || role_membership_find(&w->source, have))
			continue;
		w->c->compared++;
		const struct role_finding f = {
			.severity = have->group->left_out && !role_find(&w->source, have->group->there)
							? SEVERITY_NOTE /* what the provider's roles are for */
							: role_weight(member, SEVERITY_WARNING),
			.kind = "role membership",
			.name = member_name(have),
			.target = role_member_options(have),
			.meaning = xstrdup("it may do there what it may not on the source"),
			.statement = role_sql_member_revoke(have),
		};
		role_work_add(w, &f);
	}
}

void roles_compare_memberships(struct role_work *w)
{
	for (size_t i = 0; i < w->source.membership_count; i++) {
		const struct role_membership *want = &w->source.memberships[i];
		if (is_repeated_member(&w->source, i) || !member_is_ours(w, want))
			continue;
		const struct role_membership *have = role_membership_find(&w->target, want);
		w->c->compared++;
		if (have)
			compare_options(w, want, have);
		else
			add_member(w, want);
	}
	compare_target_members(w);
}

/* ---- settings ---- */

static char *setting_name(const struct role_side *s, const struct role_setting *g)
{
	char *role = role_title(g->role);
	char *name = !g->in_database ? xasprintf("%s: %s", role, g->name)
				 : g->role       ? xasprintf("%s in %s: %s", role, s->database, g->name)
								 : xasprintf("%s: %s", s->database, g->name);
	free(role);
	return name;
}

static const char *setting_kind(const struct role_setting *g)
{
	return g->role || !g->in_database ? "role setting" : "database setting";
}

/* An extension's settings, with a dot, are known only while it is loaded. */
static bool target_knows(const struct role_work *w, const char *name)
{
	return strchr(name, '.') || w->settings_known.count == 0 ||
		   strings_sorted_have(&w->settings_known, name);
}

static void add_setting(
	struct role_work *w, const struct role_setting *want, const struct role_setting *have)
{
	bool known = target_knows(w, want->name);
	bool everybody = !want->role && !want->in_database;
	const struct role_finding f = {
		.severity = known ? role_weight(want->role, SEVERITY_WARNING) : SEVERITY_NOTE,
		.kind = setting_kind(want),
		.name = setting_name(&w->source, want),
		.source = xstrdup(want->value),
		.target = have ? xstrdup(have->value) : NULL,
		.meaning = !known ? xstrdup("the target's version has no such setting")
				   : everybody
					   ? xstrdup("of every role in every database of the server, not made by --yes")
					   : NULL,
		.statement = known ? role_sql_set(want, w->target.database, false) : NULL,
		.applies = known && !have && !everybody && role_applies(want->role),
	};
	role_work_add(w, &f);
}

static void compare_target_settings(struct role_work *w)
{
	for (size_t i = 0; i < w->target.setting_count; i++) {
		const struct role_setting *have = &w->target.settings[i];
		const struct role *role = have->role ? role_find(&w->source, have->role->there) : NULL;
		if (role_setting_find(&w->source, have) ||
			(have->role && (!role || have->role->left_out || have->role->bootstrap ||
							   have->role == w->target.self)))
			continue;
		w->c->compared++;
		const struct role_finding f = {
			.severity = role_weight(role, SEVERITY_WARNING),
			.kind = setting_kind(have),
			.name = setting_name(&w->target, have),
			.target = xstrdup(have->value),
			.statement = role_sql_set(have, w->target.database, true),
		};
		role_work_add(w, &f);
	}
}

void roles_compare_settings(struct role_work *w)
{
	for (size_t i = 0; i < w->source.setting_count; i++) {
		const struct role_setting *want = &w->source.settings[i];
		const struct role_setting *have = role_setting_find(&w->target, want);
		if (want->role && !role_is_compared(want->role, role_find(&w->target, want->role->there)))
			continue;
		w->c->compared++;
		if (!have || strcmp(want->value, have->value) != 0)
			add_setting(w, want, have);
	}
	compare_target_settings(w);
}

/* ---- the database ---- */

static char *grant_name(const struct role_grant *g)
{
	char *role = g->role ? role_title(g->role) : xstrdup("PUBLIC");
	char *name = xasprintf("%s: %s", role, g->privilege);
	free(role);
	return name;
}

static char *grant_text(const struct role_grant *g)
{
	return xstrdup(g->grantable ? "granted, may be passed on" : "granted");
}

/* An owner needs no grant, and what a provider grants to itself is its own affair. */
static bool grant_counts(const struct role_grant *g, const struct role_side *other)
{
	return !g->role || (!g->role->left_out &&
						   !(other->owner && strcmp(other->owner->there, g->role->there) == 0));
}

static void compare_grant(struct role_work *w, const struct role_grant *want)
{
	const struct role_grant *have = role_grant_find(&w->target, want);
	w->c->compared++;
	if (have && (have->grantable || !want->grantable))
		return;
	const struct role_finding f = {
		.severity = SEVERITY_WARNING,
		.kind = "database grant",
		.name = grant_name(want),
		.source = grant_text(want),
		.target = have ? grant_text(have) : NULL,
		.statement = role_sql_grant(want, w->target.database),
		.applies = role_applies(want->role),
	};
	role_work_add(w, &f);
}

static void compare_grants(struct role_work *w)
{
	for (size_t i = 0; i < w->source.grant_count; i++)
		if (grant_counts(&w->source.grants[i], &w->target))
			compare_grant(w, &w->source.grants[i]);
	for (size_t i = 0; i < w->target.grant_count; i++) {
		const struct role_grant *have = &w->target.grants[i];
		if (role_grant_find(&w->source, have) || !grant_counts(have, &w->source) ||
			(have->role &&
				(have->role == w->target.self || !role_find(&w->source, have->role->there))))
			continue;
		w->c->compared++;
		const struct role_finding f = {
			.severity = SEVERITY_WARNING,
			.kind = "database grant",
			.name = grant_name(have),
			.target = grant_text(have),
			.meaning = xstrdup("not allowed on the source"),
			.statement = role_sql_revoke(have, w->target.database),
		};
		role_work_add(w, &f);
	}
}

static void compare_owner(struct role_work *w)
{
	const struct role *want = w->source.owner, *have = w->target.owner;
	struct strbuf sql = STRBUF_INIT;
	w->c->compared++;
	if (!want || !have || want->left_out || strcmp(want->there, have->there) == 0)
		return;
	strbuf_add(&sql, "ALTER DATABASE ");
	quote_name(&sql, w->target.database);
	strbuf_add(&sql, " OWNER TO ");
	quote_name(&sql, want->there);
	const struct role_finding f = {
		.severity = want->bootstrap ? SEVERITY_NOTE : SEVERITY_WARNING,
		.kind = "database",
		.name = xasprintf("%s: owner", w->source.database),
		.source = xstrdup(want->name),
		.target = xstrdup(have->name),
		.meaning =
			xstrdup("an owner may make schemas in it and set it up: hand it over at the end"),
		.statement = strbuf_take(&sql),
	};
	role_work_add(w, &f);
}

static void compare_limit(struct role_work *w)
{
	struct strbuf sql = STRBUF_INIT;
	w->c->compared++;
	if (w->source.database_limit == w->target.database_limit)
		return;
	strbuf_add(&sql, "ALTER DATABASE ");
	quote_name(&sql, w->target.database);
	strbuf_addf(&sql, " CONNECTION LIMIT %d", w->source.database_limit);
	const struct role_finding f = {
		.severity = SEVERITY_WARNING,
		.kind = "database",
		.name = xasprintf("%s: connection limit", w->source.database),
		.source = xasprintf("%d", w->source.database_limit),
		.target = xasprintf("%d", w->target.database_limit),
		.meaning =
			xstrdup("the workers of a mirror count as well: set it when the mirror has ended"),
		.statement = strbuf_take(&sql),
	};
	role_work_add(w, &f);
}

static void compare_database_comment(struct role_work *w)
{
	const char *want = w->source.database_comment, *have = w->target.database_comment;
	w->c->compared++;
	if (strcmp(want ? want : "", have ? have : "") == 0)
		return;
	const struct role_finding f = {
		.severity = SEVERITY_NOTE,
		.kind = "database",
		.name = xasprintf("%s: comment", w->source.database),
		.source = xstrdup(want),
		.target = xstrdup(have),
		.statement = role_sql_comment("DATABASE", w->target.database, want),
		.applies = !have,
	};
	role_work_add(w, &f);
}

void roles_compare_database(struct role_work *w)
{
	compare_grants(w);
	compare_owner(w);
	compare_limit(w);
	compare_database_comment(w);
}
