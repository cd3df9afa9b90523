// SPDX-License-Identifier: PostgreSQL
/* How a peer's server differs from another's. A mirror between the two says which is the source;
 * without one it is the peer whose page this is, until the person turns it round. */
#include "panes/differences.h"

#include <stdlib.h>
#include <string.h>

struct settings {
	struct differences differences; /* first, like its list */
	char peer[NAME_SIZE];
	char other[NAME_SIZE];  /* empty: not chosen yet */
	char chosen[NAME_SIZE]; /* by the pane that asks for it; empty: nothing new */
	bool reversed;          /* the other one is the source */
	bool seen;              /* the first look is over */
	uint64_t ticket;
	struct error error;
};

/* ---- with whom ---- */

/* A mirror of the two. */
static bool find_mirror(struct settings *s, struct ui *u)
{
	struct mirror_view *views;
	size_t n = model_mirrors(u->model, &views);
	bool found = false;
	for (size_t i = 0; i < n && !found; i++) {
		bool is_source = strcmp(views[i].source, s->peer) == 0,
			 is_target = strcmp(views[i].target, s->peer) == 0;
		const char *other = is_source ? views[i].target : views[i].source;
		if (is_source == is_target || (s->other[0] != '\0' && strcmp(other, s->other) != 0))
			continue;
		copy_text(s->other, sizeof(s->other), other);
		s->reversed = is_target;
		found = true;
	}
	free(views);
	return found;
}

/* Where there are two peers, there is no choice. */
static void find_only_other(struct settings *s, struct ui *u)
{
	struct peer_view *peers;
	size_t n = model_peers(u->model, &peers);
	for (size_t i = 0; n == 2 && i < n; i++)
		if (strcmp(peers[i].name, s->peer) != 0)
			copy_text(s->other, sizeof(s->other), peers[i].name);
	free(peers);
}

static const char *source_of(const struct settings *s)
{
	return s->reversed ? s->other : s->peer;
}

static const char *target_of(const struct settings *s)
{
	return s->reversed ? s->peer : s->other;
}

/* What was under way or shown is of another question. */
static void start(struct settings *s)
{
	struct ui *u = s->differences.list.pane.ui;
	struct command c = { .kind = COMMAND_COMPARE_SETTINGS };
	if (s->other[0] == '\0')
		return;
	ui_cancel(u, &s->ticket);
	differences_take(&s->differences, NULL);
	s->error = (struct error){ 0 };
	copy_text(c.name, sizeof(c.name), source_of(s));
	copy_text(c.other, sizeof(c.other), target_of(s));
	s->ticket = ui_submit(u, &c, NULL);
}

/* A person asked for it, so that there is somebody to give the passwords. */
static void start_asking(struct settings *s)
{
	struct ui *u = s->differences.list.pane.ui;
	if (!password_needed(u, s->peer) && !password_needed(u, s->other))
		start(s);
}

static void look(struct settings *s, struct ui *u)
{
	s->seen = true;
	if (!find_mirror(s, u))
		find_only_other(s, u);
	start(s);
}

static void choose(struct settings *s, struct ui *u)
{
	copy_text(s->other, sizeof(s->other), s->chosen);
	s->chosen[0] = '\0';
	s->reversed = false;
	find_mirror(s, u);
	start_asking(s);
}

static void sync(struct pane *p)
{
	struct settings *s = (struct settings *)p;
	struct outcome o;
	if (!s->seen)
		look(s, p->ui);
	if (s->chosen[0] != '\0')
		choose(s, p->ui);
	if (!ui_outcome(p->ui, &s->ticket, &o))
		return;
	s->error = o.error;
	differences_take(&s->differences, o.comparison);
}

static bool act(struct pane *p, enum action a)
{
	struct settings *s = (struct settings *)p;
	if (differences_act(p, a))
		return true;
	if (a == ACTION_OTHER) {
		ui_push(p->ui, peer_choice_pane_new(p->ui, s->peer, s->chosen));
		return true;
	}
	if (s->other[0] == '\0' || (a != ACTION_REFRESH && a != ACTION_SWAP))
		return false;
	s->reversed ^= a == ACTION_SWAP;
	start_asking(s);
	return true;
}

static const char *refuse(const struct pane *p, enum action a)
{
	const struct settings *s = (const struct settings *)p;
	return a == ACTION_SWAP && s->other[0] == '\0' ? "no other peer is chosen" : NULL;
}

static void render(struct pane *p, const struct canvas *c)
{
	struct settings *s = (struct settings *)p;
	struct canvas body = canvas_part(c, 2, 0, c->rows - 2, c->cols);
	const struct ui *u = p->ui;
	if (s->other[0] == '\0') {
		canvas_addf(c, 0, 1, ROLE_DIM, "o chooses the peer to compare with");
		return;
	}
	canvas_addf(c, 0, 1, ROLE_TEXT, "%s %s %s", source_of(s), theme_glyph(u->theme, GLYPH_ARROW),
		target_of(s));
	if (s->ticket != 0) {
		canvas_addf(c, 1, 1, ROLE_PROGRESS, "%s comparing", theme_spinner(u->theme, u->now));
	} else if (s->differences.comparison) {
		differences_render_verdict(&s->differences, c, 1);
		differences_render(p, &body);
	} else {
		struct facts f = { 0 };
		error_facts(&f, &s->error);
		facts_render(&f, &body);
		facts_clear(&f);
	}
}

static bool busy(const struct pane *p)
{
	return ((const struct settings *)p)->ticket != 0;
}

static void pane_free(struct pane *p)
{
	struct settings *s = (struct settings *)p;
	ui_cancel(p->ui, &s->ticket);
	differences_finish(&s->differences);
	list_free(p);
}

static const enum action hints[] = { ACTION_NEXT, ACTION_OPEN, ACTION_OTHER, ACTION_FILTER,
	ACTION_SWAP, ACTION_REFRESH, ACTION_COPY, ACTION_BACK, ACTION_NONE };

static const struct pane_ops ops = {
	.hints = hints,
	.sync = sync,
	.render = render,
	.act = act,
	.refuse = refuse,
	.busy = busy,
	.free = pane_free,
};

struct pane *settings_pane_new(struct ui *u, const char *peer)
{
	struct settings *s = xcalloc(1, sizeof(*s));
	differences_init(&s->differences, u, &ops, IN_LIST | IN_COMPARE);
	copy_text(s->peer, sizeof(s->peer), peer);
	return &s->differences.list.pane;
}
