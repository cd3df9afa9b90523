// SPDX-License-Identifier: PostgreSQL
/* Which roles are left out, which of the others matter, and the order in which both sides are
 * looked through. */
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "roles_inside.h"

#define MOST_PATTERNS 6

/* By the provider that runs the server; PROVIDER_SELF has those of providers that show by nothing
 * else. What a provider merely makes for its customers (postgres, doadmin, anon) is theirs. */
static const char *const kept[PROVIDER_COUNT][MOST_PATTERNS] = {
	[PROVIDER_AURORA] = { "rds_*", "rdsadmin*", "rdstopmgr", "rdsrepladmin", "rdsproxyadmin",
		"rdswriteforwarduser" },
	[PROVIDER_RDS] = { "rds_*", "rdsadmin*", "rdstopmgr", "rdsrepladmin", "rdsproxyadmin",
		"rdswriteforwarduser" },
	[PROVIDER_ALLOYDB] = { "alloydb*" },
	[PROVIDER_CLOUD_SQL] = { "cloudsql*" },
	[PROVIDER_AZURE] = { "azure_*", "azuresu" },
	[PROVIDER_SUPABASE] = { "supabase_*", "dashboard_user", "pgbouncer", "pgsodium_*",
		"pgtle_admin" },
	[PROVIDER_NEON] = { "neon_*", "cloud_admin" },
	[PROVIDER_DOCKER] = { NULL },
	[PROVIDER_SELF] = { "_aiven*", "_doadmin_*", "_dodb" },
};

bool role_is_kept(enum provider provider, const char *name)
{
	if (strncmp(name, "pg_", 3) == 0) /* no name of a customer may begin so */
		return true;
	for (size_t i = 0; i < MOST_PATTERNS && kept[provider][i]; i++)
		if (fnmatch(kept[provider][i], name, 0) == 0)
			return true;
	return false;
}

static void leave_out(struct role_side *s)
{
	for (size_t i = 0; i < s->role_count; i++) {
		struct role *r = &s->roles[i];
		r->left_out = role_is_kept(s->provider, r->name) && strcmp(r->name, r->there) == 0;
	}
}

static bool is_everywhere(const struct role *r)
{
	return strcmp(r->name, "pg_read_all_data") == 0 || strcmp(r->name, "pg_write_all_data") == 0;
}

/* Once down to the members of what is marked, then up to whatever any of these belongs to. Those
 * who are beside them in a group do not matter for that. */
static void spread(const struct role_side *s, bool *marked)
{
	for (int up = 0; up < 2; up++) {
		for (bool more = true; more;) {
			more = false;
			for (size_t i = 0; i < s->membership_count; i++) {
				const struct role_membership *m = &s->memberships[i];
				size_t from = (size_t)((up ? m->member : m->group) - s->roles);
				size_t to = (size_t)((up ? m->group : m->member) - s->roles);
				if (marked[from] && !marked[to])
					more = marked[to] = true;
			}
		}
	}
}

static void find_reach(struct role_side *s)
{
	bool *here = xcalloc(s->role_count + 1, sizeof(*here));
	bool *elsewhere = xcalloc(s->role_count + 1, sizeof(*elsewhere));
	for (size_t i = 0; i < s->role_count; i++) {
		here[i] = s->roles[i].direct || is_everywhere(&s->roles[i]);
		elsewhere[i] = s->roles[i].direct_elsewhere;
	}
	spread(s, here);
	spread(s, elsewhere);
	for (size_t i = 0; i < s->role_count; i++)
		s->roles[i].reach = here[i] ? REACH_HERE : elsewhere[i] ? REACH_ELSEWHERE : REACH_NOWHERE;
	free(here);
	free(elsewhere);
}

static const char *there(const struct role *r)
{
	return r ? r->there : "";
}

static int compare_memberships(const void *a, const void *b)
{
	const struct role_membership *x = a, *y = b;
	int groups = strcmp(there(x->group), there(y->group));
	return groups != 0 ? groups : strcmp(there(x->member), there(y->member));
}

static int compare_settings(const void *a, const void *b)
{
	const struct role_setting *x = a, *y = b;
	int roles = strcmp(there(x->role), there(y->role));
	if (roles != 0 || x->in_database != y->in_database)
		return roles != 0 ? roles : (int)x->in_database - (int)y->in_database;
	return strcasecmp(x->name, y->name);
}

static int compare_grants(const void *a, const void *b)
{
	const struct role_grant *x = a, *y = b;
	int roles = strcmp(there(x->role), there(y->role));
	return roles != 0 ? roles : strcmp(x->privilege, y->privilege);
}

void role_side_sort(struct role_side *s)
{
	leave_out(s);
	find_reach(s);
	qsort(s->memberships, s->membership_count, sizeof(*s->memberships), compare_memberships);
	qsort(s->settings, s->setting_count, sizeof(*s->settings), compare_settings);
	qsort(s->grants, s->grant_count, sizeof(*s->grants), compare_grants);
}

const struct role_membership *role_membership_find(
	const struct role_side *s, const struct role_membership *like)
{
	return bsearch(like, s->memberships, s->membership_count, sizeof(*like), compare_memberships);
}

const struct role_setting *role_setting_find(
	const struct role_side *s, const struct role_setting *like)
{
	return bsearch(like, s->settings, s->setting_count, sizeof(*like), compare_settings);
}

const struct role_grant *role_grant_find(const struct role_side *s, const struct role_grant *like)
{
	return bsearch(like, s->grants, s->grant_count, sizeof(*like), compare_grants);
}
