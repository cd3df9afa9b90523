// SPDX-License-Identifier: PostgreSQL
/* Roles themselves: those that one side lacks, their attributes, passwords and comments. */
#include <stdlib.h>
#include <string.h>

#include "roles_inside.h"

static bool is_mapped(const struct role *r)
{
	return strcmp(r->name, r->there) != 0;
}

/* What the target's role may give to another one. A provider's own rules show only when it is
 * tried. */
static unsigned may_give(const struct role_side *target)
{
	const unsigned always = ROLE_INHERIT | ROLE_LOGIN | ROLE_CREATEROLE;
	unsigned own = target->self->attributes;
	if (own & ROLE_SUPERUSER)
		return ~0u;
	if (target->version < SINCE_MEMBERSHIP_OPTIONS)
		return always | ROLE_CREATEDB;
	return always | (own & (ROLE_CREATEDB | ROLE_REPLICATION | ROLE_BYPASSRLS));
}

static void may_not_give(const struct role_work *w, unsigned attributes, struct strbuf *b)
{
	struct strbuf words = STRBUF_INIT;
	if (attributes == 0)
		return;
	role_add_words(&words, attributes, attributes);
	strbuf_addf(b, "; the target's role %s may not give%s, which is left out", w->target.self->name,
		words.text);
	strbuf_free(&words);
}

static const char *why_it_matters(const struct role *r)
{
	if (r->direct)
		return "it owns or is granted something in the database";
	switch (r->reach) {
	case REACH_HERE:
		return "roles of the database belong to it, or it to them";
	case REACH_ELSEWHERE:
		return "of other databases of the source, not made by --yes";
	case REACH_NOWHERE:
		break;
	}
	return r->bootstrap ? "the source's first superuser, who owns nothing here"
						: "no database has anything of it";
}

/* ---- passwords ---- */

/* An md5 hash is salted with the role's name. */
static bool carries_verifier(const struct role *r)
{
	return r->password == PASSWORD_SCRAM || (r->password == PASSWORD_MD5 && !is_mapped(r));
}

static const char *password_meaning(const struct role *r)
{
	if (r->password == PASSWORD_NONE ||
		(r->password == PASSWORD_UNREADABLE && !(r->attributes & ROLE_LOGIN)))
		return "";
	if (r->password == PASSWORD_MD5 && !is_mapped(r))
		return "; its password is an old md5 hash, which is carried over";
	if (r->password == PASSWORD_SCRAM)
		return "; its password is carried over";
	return "; its password can't be carried over";
}

static char *password_todo(const struct role *r)
{
	if (r->password == PASSWORD_NONE || r->password == PASSWORD_SCRAM)
		return NULL;
	if (carries_verifier(r))
		return xasprintf("the password of %s is an old md5 hash: set it anew when its clients know "
						 "SCRAM: \\password %s",
			r->there, r->there);
	return r->attributes & ROLE_LOGIN
			   ? xasprintf("set a password for %s: \\password %s", r->there, r->there)
			   : NULL;
}

/* ---- one role ---- */

static void add_step(struct role_work *w, const struct role *r, const char *base)
{
	struct role_step *step = &w->steps[w->step_count - 1]; /* added just now */
	free(step->sql);
	step->sql = xstrdup(base);
	step->verifier_of = carries_verifier(r) ? r->oid : 0;
	step->role = xstrdup(r->there);
	step->todo = password_todo(r);
}

static void add_missing(struct role_work *w, const struct role *r)
{
	struct strbuf meaning = STRBUF_INIT;
	unsigned give = may_give(&w->target);
	char *base = role_sql_create(r, give);
	strbuf_add(&meaning, why_it_matters(r));
	may_not_give(w, r->attributes & ~give, &meaning);
	strbuf_add(&meaning, password_meaning(r));
	const struct role_finding f = {
		.severity = role_weight(r, SEVERITY_BLOCKER),
		.kind = "role",
		.name = role_title(r),
		.source = role_attributes(r),
		.meaning = strbuf_take(&meaning),
		.statement = xasprintf("%s%s", base, carries_verifier(r) ? VERIFIER_SHOWN : ""),
		.applies = role_applies(r),
	};
	role_work_add(w, &f);
	if (role_applies(r))
		add_step(w, r, base);
	free(base);
}

static bool same_text(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

static enum severity attributes_weight(
	const struct role_work *w, const struct role *want, const struct role *have)
{
	unsigned differ = want->attributes ^ have->attributes;
	bool rest = want->limit != have->limit || !same_text(want->valid_until, have->valid_until);
	/* A mapped role is another one on purpose; what can't be given is no fault of what was made. */
	if (is_mapped(want) || (!rest && (differ & may_give(&w->target)) == 0))
		return SEVERITY_NOTE;
	return role_weight(
		want, want->attributes & differ & ROLE_LOGIN ? SEVERITY_BLOCKER : SEVERITY_WARNING);
}

static char *attributes_meaning(
	const struct role_work *w, const struct role *want, const struct role *have)
{
	unsigned differ = want->attributes ^ have->attributes;
	struct strbuf b = STRBUF_INIT;
	if (is_mapped(want))
		strbuf_add(&b, "; another role plays its part there");
	if (want->attributes & differ & ROLE_LOGIN)
		strbuf_add(&b, "; it can't log in there");
	may_not_give(w, want->attributes & differ & ~may_give(&w->target), &b);
	char *text = b.len > 0 ? xstrdup(b.text + 2) : NULL;
	strbuf_free(&b);
	return text;
}

static void compare_attributes(
	struct role_work *w, const struct role *want, const struct role *have)
{
	w->c->compared++;
	if (want->attributes == have->attributes && want->limit == have->limit &&
		same_text(want->valid_until, have->valid_until))
		return;
	const struct role_finding f = {
		.severity = attributes_weight(w, want, have),
		.kind = "role attributes",
		.name = role_title(want),
		.source = role_attributes(want),
		.target = role_attributes(have),
		.meaning = attributes_meaning(w, want, have),
		.statement = role_sql_alter(want, have),
	};
	role_work_add(w, &f);
}

/* Two verifiers of the same password are never the same text; but none at all is no password. */
static void compare_password(struct role_work *w, const struct role *want, const struct role *have)
{
	struct strbuf b = STRBUF_INIT;
	if (have->password != PASSWORD_NONE || !carries_verifier(want) ||
		!(want->attributes & ROLE_LOGIN))
		return;
	strbuf_add(&b, "ALTER ROLE ");
	quote_name(&b, want->there);
	strbuf_add(&b, VERIFIER_SHOWN);
	const struct role_finding f = {
		.severity = is_mapped(want) ? SEVERITY_NOTE : role_weight(want, SEVERITY_WARNING),
		.kind = "role password",
		.name = role_title(want),
		.source = xstrdup("set"),
		.target = xstrdup("none"),
		.meaning = xasprintf("set it there: \\password %s", want->there),
		.statement = strbuf_take(&b),
	};
	role_work_add(w, &f);
}

static void compare_comment(struct role_work *w, const struct role *want, const struct role *have)
{
	const char *there = have ? have->comment : NULL;
	w->c->compared++;
	if (same_text(want->comment, there) || is_mapped(want))
		return;
	const struct role_finding f = {
		.severity = SEVERITY_NOTE,
		.kind = "role comment",
		.name = role_title(want),
		.source = xstrdup(want->comment),
		.target = xstrdup(there),
		.statement = role_sql_comment("ROLE", want->there, want->comment),
		.applies = !there && role_applies(want),
	};
	role_work_add(w, &f);
}

/* Several may be mapped to one: made once, it is there for all. */
static bool is_first(const struct role_side *s, size_t i)
{
	return i == 0 || strcmp(s->by_there[i - 1]->there, s->by_there[i]->there) != 0;
}

static void compare_source(struct role_work *w)
{
	for (size_t i = 0; i < w->source.role_count; i++) {
		const struct role *want = w->source.by_there[i], *have = role_find(&w->target, want->there);
		if (!role_is_compared(want, have)) {
			continue;
		} else if (have) {
			compare_attributes(w, want, have);
			compare_password(w, want, have);
		} else if (is_first(&w->source, i)) {
			w->c->compared++;
			add_missing(w, want);
		}
	}
	for (size_t i = 0; i < w->source.role_count; i++) {
		const struct role *want = w->source.by_there[i], *have = role_find(&w->target, want->there);
		if (role_is_compared(want, have) && is_first(&w->source, i))
			compare_comment(w, want, have);
	}
}

static void compare_target(struct role_work *w)
{
	for (size_t i = 0; i < w->target.role_count; i++) {
		const struct role *have = &w->target.roles[i];
		if (have->left_out || have->bootstrap || have == w->target.self ||
			role_find(&w->source, have->there))
			continue;
		w->c->compared++;
		const struct role_finding f = {
			.severity = SEVERITY_NOTE,
			.kind = "role",
			.name = xstrdup(have->name),
			.target = role_attributes(have),
			.meaning = xstrdup(have->reach == REACH_HERE ? "it has rights in the target's database"
														 : "not of this mirror"),
		};
		role_work_add(w, &f);
	}
}

void roles_compare_roles(struct role_work *w)
{
	compare_source(w);
	compare_target(w);
}
