// SPDX-License-Identifier: PostgreSQL
/* The objects of a mirror's two databases, compared. Both are dumped at once, each by a thread of its own. */
#include <pthread.h>

#include "../pg/conn.h"
#include "../pg/provider.h"
#include "../schema/diff/diff.h"
#include "inside.h"

struct reading {
	const struct peer_config *peer;
	const struct mirror_config *mirror;
	const struct stop *stop;
	struct dump *dump;
	const char *profile;
	bool answered; /* what failed then is the dump */
	struct error error;
};

static void *read_side(void *arg)
{
	struct reading *r = arg;
	enum provider provider = PROVIDER_SELF;
	struct pg *c = pg_connect(r->peer, r->mirror->name, "diff", r->stop, &r->error);
	r->answered = c && provider_read(c, &provider, &r->error);
	int version = c ? pg_version(c) : 0;
	pg_free(c);
	r->profile = provider_profile(provider);
	if (r->answered)
		r->dump = dump_new(r->peer, r->mirror->name, r->mirror->pg_bindir, version, NULL, r->stop, &r->error);
	return NULL;
}

static void read_both(struct reading *source, struct reading *target)
{
	pthread_t thread;
	bool apart = pthread_create(&thread, NULL, read_side, source) == 0;
	if (!apart)
		read_side(source);
	read_side(target);
	if (apart)
		pthread_join(thread, NULL);
}

/* A dump that can't be had is no failure of the comparison, but nothing is proven then. */
static bool is_answer(const struct reading *r)
{
	return r->dump || (r->answered && (r->error.class == ERROR_CONFIG || r->error.class == ERROR_PERMISSION));
}

static void note_undumped(struct comparison *c, const char *side, const struct reading *r)
{
	char line[1200];
	if (r->dump)
		return;
	comparison_note(c, "the %s could not be dumped: %s", side, error_line(&r->error, line, sizeof(line)));
	c->complete = false;
}

static struct comparison *compare(const struct mirror_config *m, const struct peer_config *source,
	const struct peer_config *target, const struct stop *stop, struct error *e)
{
	struct reading s = { .peer = source, .mirror = m, .stop = stop }, t = { .peer = target, .mirror = m, .stop = stop };
	struct comparison *c = NULL;
	read_both(&s, &t);
	if (!is_answer(&s) || !is_answer(&t)) {
		*e = is_answer(&s) ? t.error : s.error;
	} else {
		c = comparison_new("objects", m->source, m->target);
		note_undumped(c, "source", &s);
		note_undumped(c, "target", &t);
		if (c->complete)
			diff_objects(&(struct diff_side){ s.dump, s.profile }, &(struct diff_side){ t.dump, t.profile }, m, c);
	}
	dump_free(s.dump);
	dump_free(t.dump);
	return c;
}

void do_compare_schema(struct engine *g, struct command *c, const struct stop *stop, struct outcome *out)
{
	struct mirror_config m;
	struct peer_config source, target;
	if (!engine_mirror(g, c->name, &m, &source, &target, &out->error))
		return;
	out->comparison = compare(&m, &source, &target, stop, &out->error);
	mirror_config_free(&m);
	peer_config_free(&source);
	peer_config_free(&target);
}
