// SPDX-License-Identifier: PostgreSQL
#include "ready.h"

#include <pgpier/format.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../pg/probe.h"
#include "../pg/provider.h"
#include "publication.h"
#include "slot.h"

/* Versions that brought what is asked for. */
#define PG_HAS_PGOUTPUT 100000
#define PG_SENDS_TRUNCATE 110000
#define PG_DECODES_ON_STANDBY 160000

/* A transaction that runs for this long will not end while a person looks at the preflight. */
#define LONG_TRANSACTION_S 10.0
#define BLOCKERS_TOLD 5

void ready_free(struct ready *r)
{
	for (size_t i = 0; i < r->count; i++) {
		free(r->items[i].finding.subject);
		free(r->items[i].finding.text);
		free(r->items[i].finding.next);
	}
	free(r->items);
	*r = (struct ready){ 0 };
}

void ready_add(struct ready *r, size_t table, enum severity severity, const char *subject, const char *text,
	const char *next)
{
	GROW(r->items, r->count);
	r->items[r->count++] = (struct ready_finding){ table,
		{ severity, xstrdup(subject), xstrdup(text), xstrdup(next) } };
}

/* Takes text and next. */
static void add_taking(struct ready *r, enum severity severity, const char *subject, char *text, char *next)
{
	ready_add(r, READY_NO_TABLE, severity, subject, text, next);
	free(text);
	free(next);
}

/* ---- the server ---- */

static const char server_sql[] =
	"SELECT current_setting('wal_level'), pg_catalog.pg_is_in_recovery(),"
	"  current_setting('max_replication_slots')::int,"
	"  (SELECT count(*) FROM pg_catalog.pg_replication_slots),"
	"  current_setting('max_wal_senders')::int, (SELECT count(*) FROM pg_catalog.pg_stat_replication),"
	"  coalesce(pg_catalog.pg_size_bytes(current_setting('max_slot_wal_keep_size', true)), -1),"
	"  coalesce(current_setting('idle_replication_slot_timeout', true), '0'),"
	"  r.rolsuper OR r.rolreplication OR EXISTS (SELECT 1 FROM pg_catalog.pg_roles m"
	"    WHERE m.rolname = 'rds_replication' AND pg_catalog.pg_has_role(m.oid, 'member')),"
	"  pg_catalog.has_database_privilege(current_database(), 'CREATE'), r.rolname, current_database()"
	" FROM pg_catalog.pg_roles r WHERE r.rolname = current_user";

enum {
	S_WAL_LEVEL, S_STANDBY, S_SLOTS_MAX, S_SLOTS, S_SENDERS_MAX, S_SENDERS, S_KEEP, S_IDLE, S_REPLICATION,
	S_CREATE, S_ROLE, S_DATABASE,
};

struct server {
	const struct rows *rows;
	enum provider provider;
	const char *role;
	int version;
};

static char *next_of(const struct server *s, enum provider_need need)
{
	char *next = provider_next(s->provider, need, s->role);
	if (s->provider == PROVIDER_SELF)
		return next;
	char *named = xasprintf("%s: %s", provider_name(s->provider), next);
	free(next);
	return named;
}

static void judge_wal_level(struct ready *out, const struct server *s)
{
	const char *level = rows_text(s->rows, 0, S_WAL_LEVEL);
	if (strcmp(level, "logical") == 0)
		return;
	add_taking(out, SEVERITY_BLOCKER, "wal_level",
		xasprintf("the source's wal_level is %s, replication needs logical", level),
		next_of(s, NEED_WAL_LEVEL));
}

static void judge_truncate(struct ready *out, const struct server *s)
{
	if (s->version >= PG_SENDS_TRUNCATE)
		return;
	add_taking(out, SEVERITY_WARNING, "truncate",
		xstrdup("PostgreSQL 10 does not send TRUNCATE: rows of a table that is truncated on the source stay on the"
				" target"),
		xstrdup("don't truncate mirrored tables until the cutover, or copy such a table anew (R)"));
}

static void judge_role(struct ready *out, const struct server *s)
{
	if (!rows_bool(s->rows, 0, S_REPLICATION))
		add_taking(out, SEVERITY_BLOCKER, "replication role",
			xasprintf("role %s may not replicate from the source", s->role), next_of(s, NEED_REPLICATION));
	if (!rows_bool(s->rows, 0, S_CREATE)) {
		struct strbuf next = STRBUF_INIT;
		strbuf_add(&next, "GRANT CREATE ON DATABASE ");
		quote_name(&next, rows_text(s->rows, 0, S_DATABASE));
		strbuf_add(&next, " TO ");
		quote_name(&next, s->role);
		add_taking(out, SEVERITY_BLOCKER, "publication",
			xasprintf("role %s may not create a publication in the source database", s->role),
			strbuf_take(&next));
	}
}

static void judge_room(struct ready *out, const struct server *s, const char *setting, const char *things,
	int64_t used, int64_t most)
{
	if (used < most)
		return;
	char *how = next_of(s, NEED_SETTING);
	add_taking(out, SEVERITY_BLOCKER, setting,
		xasprintf("all %lld %s of the source are in use, replication needs one", (long long)most, things),
		xasprintf("%s, or raise %s: %s",
			strcmp(things, "slots") == 0 ? "drop slots that nobody needs (SELECT pg_drop_replication_slot(...))"
										 : "end a walsender that nobody needs", setting, how));
	free(how);
}

/* What becomes of the slot while nobody reads it. */
static void judge_keeping(struct ready *out, const struct server *s)
{
	char bytes[FORMAT_SIZE];
	int64_t keep = rows_int(s->rows, 0, S_KEEP);
	const char *idle = rows_text(s->rows, 0, S_IDLE);
	if (keep >= 0)
		add_taking(out, SEVERITY_NOTE, "max_slot_wal_keep_size",
			xasprintf("the slot is lost when it has to keep more than %s of WAL, as in a long pause",
				format_bytes(keep, bytes)),
			xstrdup("raise max_slot_wal_keep_size if the source writes that much while pgpier stands still"));
	else
		add_taking(out, SEVERITY_NOTE, "max_slot_wal_keep_size",
			xstrdup("WAL that the slot keeps has no limit: a long pause can fill the source's disk"),
			xstrdup(s->version >= 130000
						? "set max_slot_wal_keep_size if losing the slot is better than that, and alert_retained_mb"
						: "set alert_retained_mb to be told in time"));
	if (strcmp(idle, "0") != 0)
		add_taking(out, SEVERITY_WARNING, "idle_replication_slot_timeout",
			xasprintf("the slot is lost when nobody reads it for %s", idle),
			xstrdup("set idle_replication_slot_timeout = 0 on the source, or make no longer pauses"));
}

static void judge_standby(struct ready *out, const struct server *s)
{
	if (!rows_bool(s->rows, 0, S_STANDBY))
		return;
	ready_add(out, READY_NO_TABLE, SEVERITY_BLOCKER, "source",
		s->version < PG_DECODES_ON_STANDBY
			? "the source is a standby, and before PostgreSQL 16 none can decode changes"
			: "the source is a standby, where no publication can be created",
		"use the primary as the source, or set continuous = false: an initial copy may read a standby");
}

/* ---- what exists already, and what a slot would wait for ---- */

static void judge_blocker(struct ready *out, const struct slot_blocker *b)
{
	char text[400];
	slot_blocker_text(b, text, sizeof(text));
	struct strbuf next = STRBUF_INIT;
	if (b->pid == 0) {
		strbuf_add(&next, "in its database: COMMIT PREPARED ");
		quote_literal(&next, b->gid);
		strbuf_add(&next, " or ROLLBACK PREPARED ");
		quote_literal(&next, b->gid);
	} else {
		strbuf_addf(&next, "let it end, or SELECT pg_terminate_backend(%d)", b->pid);
	}
	add_taking(out, SEVERITY_WARNING, b->pid ? "long transaction" : "prepared transaction",
		xasprintf("making the slot will wait for the end of %s", text), strbuf_take(&next));
}

static bool judge_waits(struct pg *source, struct ready *out, struct error *e)
{
	struct slot_blocker *list;
	size_t n;
	if (!slot_blockers(source, 0, LONG_TRANSACTION_S, &list, &n, e))
		return false;
	for (size_t i = 0; i < n && i < BLOCKERS_TOLD; i++)
		judge_blocker(out, &list[i]);
	if (n > BLOCKERS_TOLD)
		add_taking(out, SEVERITY_WARNING, "long transaction",
			xasprintf("and for %zu more", n - BLOCKERS_TOLD), NULL);
	free(list);
	return true;
}

static void judge_name(struct ready *out, const char *kind, const char *name)
{
	add_taking(out, SEVERITY_BLOCKER, kind,
		xasprintf("the source has a %s %s that this mirror did not make", kind, name),
		xasprintf("set %s to another name in the mirror, or drop that one if nobody needs it",
			strcmp(kind, "slot") == 0 ? "slot" : "publication"));
}

static bool judge_names(struct pg *source, const struct ready_plan *plan, bool *slot_exists,
	struct ready *out, struct error *e)
{
	struct slot_status slot;
	bool publication;
	if (!slot_status(source, plan->slot, &slot, e) ||
		!publication_exists(source, plan->publication, &publication, e))
		return false;
	if (slot.exists && !plan->ours)
		judge_name(out, "slot", plan->slot);
	if (publication && !plan->ours)
		judge_name(out, "publication", plan->publication);
	if (slot_is_lost(&slot) && plan->ours)
		add_taking(out, SEVERITY_WARNING, "slot", xasprintf("slot %s is lost: %s", plan->slot,
			slot.invalidation[0] ? slot.invalidation : slot.wal_status),
			xstrdup("drop the mirror and begin anew: changes that the slot kept are gone"));
	*slot_exists = slot.exists;
	return true;
}

static bool judge_server(struct pg *source, const struct ready_plan *plan, struct ready *out, struct error *e)
{
	struct server s = { .version = pg_version(source) };
	bool slot_exists = false;
	struct rows *r = PG_ROWS(source, e, server_sql);
	bool ok = r && provider_read(source, &s.provider, e);
	if (ok) {
		s.rows = r;
		s.role = rows_text(r, 0, S_ROLE);
		judge_standby(out, &s);
		judge_wal_level(out, &s);
		judge_role(out, &s);
		judge_truncate(out, &s);
		ok = judge_names(source, plan, &slot_exists, out, e);
	}
	if (ok && !slot_exists) {
		judge_room(out, &s, "max_replication_slots", "slots", rows_int(r, 0, S_SLOTS),
			rows_int(r, 0, S_SLOTS_MAX));
		judge_room(out, &s, "max_wal_senders", "walsenders", rows_int(r, 0, S_SENDERS),
			rows_int(r, 0, S_SENDERS_MAX));
		judge_keeping(out, &s);
		ok = judge_waits(source, out, e);
	}
	rows_free(r);
	return ok;
}

bool ready_check(struct pg *source, const struct ready_plan *plan, struct ready *out, struct error *e)
{
	int version = pg_version(source);
	if (version >= PG_HAS_PGOUTPUT)
		return judge_server(source, plan, out, e) && ready_tables(source, plan, out, e);
	add_taking(out, SEVERITY_BLOCKER, "source",
		xasprintf("PostgreSQL %d.%d can't replicate: pgoutput came with 10", version / 10000,
			version / 100 % 100),
		xstrdup("set continuous = false: an initial copy takes its tables as of one moment"));
	return true;
}

/* ---- connections of their own ---- */

static void judge_replication_connection(const struct peer_config *source, const char *mirror,
	const struct stop *stop, struct ready *out)
{
	struct error e;
	struct pg *c = pg_connect_replication(source, mirror, "check", stop, &e);
	struct rows *r = c ? pg_query_simple(c, &e, "IDENTIFY_SYSTEM") : NULL;
	if (!r && e.class != ERROR_CANCELLED)
		add_taking(out, SEVERITY_BLOCKER, "replication connection",
			xasprintf("the source takes no replication connection: %s", e.text),
			xstrdup("allow this role and host in pg_hba.conf, and leave out poolers and proxies"));
	rows_free(r);
	pg_free(c);
}

void ready_connect(const struct peer_config *source, const char *mirror, const struct stop *stop,
	struct ready *out)
{
	struct probe probe;
	struct error e;
	enum provider provider;
	if (!probe_peer(source, stop, &probe, &e))
		return;
	struct pg *c = probe.pooler ? pg_connect(source, mirror, "check", stop, &e) : NULL;
	if (c && provider_read(c, &provider, &e))
		add_taking(out, SEVERITY_BLOCKER, "source",
			xstrdup("a pooler stands between pgpier and the source: no replication comes through"),
			provider_next(provider, NEED_DIRECT, ""));
	pg_free(c);
	/* A role that may not, or no free walsender, is told with more words elsewhere. */
	if (!probe.pooler && probe.replication && probe.senders_free > 0 && probe.version_num >= PG_HAS_PGOUTPUT)
		judge_replication_connection(source, mirror, stop, out);
}

bool ready_target(struct pg *target, bool continuous, struct ready *out, struct error *e)
{
	enum provider provider;
	struct error why;
	if (pg_run(target, &why, "BEGIN; SET LOCAL session_replication_role = replica; ROLLBACK"))
		return true;
	pg_rollback(target);
	if (why.class != ERROR_PERMISSION) {
		*e = why;
		return false;
	}
	struct rows *r = PG_ROWS(target, e, "SELECT current_user");
	bool ok = r && provider_read(target, &provider, e);
	if (ok) {
		char *how = provider_next(provider, NEED_SESSION_ROLE, rows_text(r, 0, 0));
		add_taking(out, continuous ? SEVERITY_WARNING : SEVERITY_NOTE, "target",
			xasprintf("our role may not set session_replication_role: triggers and foreign keys of existing "
					  "tables will act on %s rows", continuous ? "copied and replicated" : "copied"),
			xasprintf("%s; or ALTER TABLE ... DISABLE TRIGGER USER and drop foreign keys there until %s", how,
				continuous ? "the cutover" : "it is done"));
		free(how);
	}
	rows_free(r);
	return ok;
}
