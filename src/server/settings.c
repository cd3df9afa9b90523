// SPDX-License-Identifier: PostgreSQL
/* pg_settings of both sides. What nobody has set is not worth a line when only the versions differ;
 * what the source sets is, also when the target knows no such setting. */
#include "server.h"

#include <stdlib.h>
#include <string.h>

#include "../shared.h"
#include "known.h"
#include "settings_words.h"

/* A note names so many settings, and counts the others. */
#define MOST_NAMED 12

/* One name on both sides, or on one. */
struct pair {
	const struct setting *source, *target; /* NULL: it has none */
	const struct setting_known *known;     /* NULL: nothing more */
	bool same_clock;
};

struct pairs {
	struct pair *items;
	size_t count;
};

static const char *name_of(const struct pair *p)
{
	return p->source ? p->source->name : p->target->name;
}

static enum setting_group group_of(const struct pair *p)
{
	return p->known ? p->known->group : GROUP_OTHER;
}

static int by_importance(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;
	if (group_of(x) != group_of(y))
		return group_of(x) < group_of(y) ? -1 : 1;
	if (x->known != y->known)
		return x->known < y->known ? -1 : 1; /* of one table, whose order it is */
	return strcmp(name_of(x), name_of(y));
}

static void add_pair(
	struct pairs *l, const struct setting *s, const struct setting *t, bool same_clock)
{
	struct pair p = { .source = s, .target = t };
	const char *name = name_of(&p);
	if (setting_is_local(name) || setting_is_providers(name))
		return;
	p.known = setting_known(name);
	p.same_clock = same_clock && strcmp(name, "TimeZone") == 0;
	GROW(l->items, l->count);
	l->items[l->count++] = p;
}

/* Both lists are in one order. */
static struct pairs pair_up(
	const struct settings *source, const struct settings *target, bool same_clock)
{
	struct pairs l = { 0 };
	size_t s = 0, t = 0;
	while (s < source->count || t < target->count) {
		int order = s == source->count   ? 1
					: t == target->count ? -1
										 : strcmp(source->items[s].name, target->items[t].name);
		add_pair(&l, order <= 0 ? &source->items[s] : NULL, order >= 0 ? &target->items[t] : NULL,
			same_clock);
		s += order <= 0;
		t += order >= 0;
	}
	if (l.count > 1)
		qsort(l.items, l.count, sizeof(*l.items), by_importance);
	return l;
}

/* ---- on both sides ---- */

static bool harms(const struct pair *p)
{
	switch (p->known->harm) {
	case HARM_ANY:
		break;
	case HARM_LESS:
		return setting_order(p->target, p->source) < 0;
	case HARM_OFF:
		return strcmp(p->target->value, "off") == 0;
	case HARM_ON:
		return strcmp(p->target->value, "on") == 0;
	}
	return true;
}

static bool both_default(const struct pair *p)
{
	return setting_is_default(p->source) && setting_is_default(p->target);
}

static enum severity weigh(const struct pair *p)
{
	if (p->same_clock)
		return SEVERITY_NOTE;
	if (both_default(p) && group_of(p) != GROUP_APPLICATION)
		return SEVERITY_OK;
	if (!p->known)
		return setting_is_default(p->source) ? SEVERITY_OK : SEVERITY_NOTE;
	return harms(p) ? p->known->severity : MIN(p->known->severity, SEVERITY_NOTE);
}

/* Worth running as it stands. What is sized for a machine, or needs something beside it, is for a
 * person to decide, and so is whether to stay behind the defaults of a newer version. */
static bool is_carried(const struct pair *p)
{
	return group_of(p) != GROUP_PERFORMANCE && !setting_points_elsewhere(p->source->name) &&
		   !both_default(p) && weigh(p) >= SEVERITY_NOTE;
}

/* Nothing to carry over: each server has what suits its version or its machine, or the target is
 * better off. */
static bool is_fine(const struct pair *p)
{
	return p->same_clock || (both_default(p) && group_of(p) != GROUP_APPLICATION) ||
		   (p->known && !harms(p));
}

static void add_difference(const struct pair *p, const struct server_side *source,
	const struct server_side *target, struct comparison *out)
{
	struct difference *d =
		comparison_add(out, weigh(p), setting_group_name(group_of(p)), p->source->name);
	d->source = setting_text(p->source);
	d->target = setting_text(p->target);
	d->meaning = p->same_clock ? xstrdup("two names of one time zone")
							   : settings_meaning(p->source, p->target, p->known, source, target);
	if (p->known && !harms(p)) {
		char *harm = d->meaning;
		d->meaning = xasprintf("nothing is lost this way; the other way round %s", harm);
		free(harm);
	}
	if (!is_fine(p))
		d->statement = settings_statement(p->source, p->target, target);
	d->applies = d->statement && is_carried(p);
}

/* ---- on one side ---- */

/* What one side alone has and nobody has set, for one line. */
struct named {
	struct strbuf text;
	size_t count;
};

static void name_it(struct named *n, const char *name)
{
	if (n->count++ < MOST_NAMED)
		strbuf_addf(&n->text, "%s%s", n->count > 1 ? ", " : "", name);
}

/* Ends n; NULL when nothing was named. The caller frees. */
static char *named_take(struct named *n)
{
	if (n->count > MOST_NAMED)
		strbuf_addf(&n->text, " and %zu more", n->count - MOST_NAMED);
	return n->count > 0 ? strbuf_take(&n->text) : NULL;
}

static void tell_alone(struct named *n, const char *peer, struct comparison *out)
{
	char *names = named_take(n);
	if (names)
		comparison_note(out, "settings that only %s has, at their defaults: %s", peer, names);
	free(names);
}

static void tell_hidden(struct named *n, const char *peer, struct comparison *out)
{
	char *names = named_take(n);
	if (names) {
		out->complete = false;
		comparison_note(out,
			"our role may not see all settings of %s (GRANT pg_read_all_settings), nothing is "
			"known of: %s",
			peer, names);
	}
	free(names);
}

static void add_missing(
	const struct pair *p, const struct server_side *target, struct comparison *out)
{
	const struct setting_gone *gone = setting_gone(p->source->name);
	enum severity severity = gone ? gone->severity : p->known ? p->known->severity : SEVERITY_NOTE;
	struct difference *d =
		comparison_add(out, severity, setting_group_name(group_of(p)), p->source->name);
	d->source = setting_text(p->source);
	if (gone && gone->meaning)
		d->meaning =
			xasprintf("%s; a configuration file that still names it keeps the server from starting",
				gone->meaning);
	else
		d->meaning = settings_meaning_missing(p->source, p->known, target);
	d->statement = settings_statement_custom(p->source, target);
	d->applies = d->statement != NULL;
}

static void add_new(const struct pair *p, const struct server_side *source, struct comparison *out)
{
	struct difference *d =
		comparison_add(out, SEVERITY_NOTE, setting_group_name(group_of(p)), p->target->name);
	d->target = setting_text(p->target);
	d->meaning = settings_meaning_missing(p->target, p->known, source);
}

/* A role that may not see everything can't tell a setting that is not there from one that is kept
 * from it. */
struct one_sided {
	struct named at_source, at_target, hidden;
};

static void add_one_sided(const struct pair *p, const struct server_side *source,
	const struct server_side *target, struct one_sided *n, struct comparison *out)
{
	const struct setting *s = p->source ? p->source : p->target;
	const struct server_side *without = p->source ? target : source;
	if (!without->settings.whole && !setting_gone(s->name))
		name_it(&n->hidden, s->name);
	else if (setting_is_default(s))
		name_it(p->source ? &n->at_source : &n->at_target, s->name);
	else if (p->source)
		add_missing(p, target, out);
	else
		add_new(p, source, out);
}

/* ---- all of it ---- */

void settings_compare(const struct server_side *source, const struct server_side *target,
	bool same_clock, struct comparison *out)
{
	struct one_sided n = { 0 };
	struct pairs l = pair_up(&source->settings, &target->settings, same_clock);
	for (size_t i = 0; i < l.count; i++) {
		const struct pair *p = &l.items[i];
		out->compared++;
		if (!p->source || !p->target)
			add_one_sided(p, source, target, &n, out);
		else if (!setting_same(p->source, p->target))
			add_difference(p, source, target, out);
	}
	free(l.items);
	tell_alone(&n.at_source, source->peer, out);
	tell_alone(&n.at_target, target->peer, out);
	tell_hidden(&n.hidden, target->settings.whole ? source->peer : target->peer, out);
	settings_tell(source, out);
	settings_tell(target, out);
}

static bool read_side(struct pg *c, struct server_side *out, struct error *e)
{
	*out = (struct server_side){
		.peer = pg_peer_name(c),
		.database = PQdb(pg_conn_borrow(c)),
		.version = pg_version(c),
	};
	return settings_read(c, &out->settings, e);
}

static const char *zone_of(const struct server_side *s)
{
	for (size_t i = 0; i < s->settings.count; i++)
		if (strcmp(s->settings.items[i].name, "TimeZone") == 0)
			return s->settings.items[i].value;
	return "";
}

bool compare_settings(struct pg *source, struct pg *target, struct comparison *out, struct error *e)
{
	struct server_side s = { 0 }, t = { 0 };
	bool ok = read_side(source, &s, e) && read_side(target, &t, e);
	if (ok)
		settings_compare(&s, &t, zones_same(target, zone_of(&s), zone_of(&t)), out);
	settings_free(&s.settings);
	settings_free(&t.settings);
	return ok;
}
