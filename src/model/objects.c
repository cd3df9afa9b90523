// SPDX-License-Identifier: PostgreSQL
/* The objects that a mirror makes on its target. */
#include "inside.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../label.h"

const char *object_state_name(enum object_state s)
{
	static const char *const names[] = {
		[OBJECT_WAITING] = "waiting",
		[OBJECT_MAKING] = "making",
		[OBJECT_DONE] = "done",
		[OBJECT_EXISTS] = "exists",
		[OBJECT_LEFT_OUT] = "left out",
		[OBJECT_BLOCKED] = "blocked",
		[OBJECT_FAILED] = "failed",
	};
	return names[s];
}

/* ---- writing ---- */

void objects_clear(struct mirror_entry *r)
{
	for (size_t i = 0; i < r->object_count; i++) {
		struct object_entry *o = &r->objects[i];
		free(o->kind);
		free(o->name);
		free(o->statement);
		free(o->why);
		free(o->next);
	}
	free(r->objects);
	r->objects = NULL;
	r->object_count = 0;
}

static char *lower(const char *text)
{
	char *copy = xstrdup(text);
	for (char *p = copy; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	return copy;
}

static void entry_change(struct object_entry *o, const struct object_change *c)
{
	free(o->why);
	free(o->next);
	o->state = c->state;
	o->why = xstrdup(c->why);
	o->next = xstrdup(c->next);
	o->took_us = c->took_us;
	copy_text(o->sqlstate, sizeof(o->sqlstate), c->sqlstate);
}

static void entry_init(struct object_entry *o, const struct object_init *init)
{
	*o = (struct object_entry){
		.post = init->post,
		.kind = lower(init->kind),
		.name = label_name(init->kind, init->schema, init->name),
		.statement = xstrdup(init->statement),
	};
	entry_change(o, &init->now);
}

void model_objects_set(struct model *m, const char *mirror, const struct object_init *objects, size_t n)
{
	model_lock(m);
	struct mirror_entry *r = mirror_find(m, mirror);
	if (r) {
		objects_clear(r);
		r->objects = xmalloc((n + 1) * sizeof(*r->objects));
		r->object_count = n;
		r->objects_run++;
		for (size_t i = 0; i < n; i++)
			entry_init(&r->objects[i], &objects[i]);
	}
	model_unlock_changed(m);
}

void model_objects_change(struct model *m, const char *mirror, const size_t *indexes,
	const struct object_change *changes, size_t n)
{
	model_lock(m);
	struct mirror_entry *r = mirror_find(m, mirror);
	for (size_t i = 0; r && i < n; i++)
		if (indexes[i] < r->object_count)
			entry_change(&r->objects[indexes[i]], &changes[i]);
	model_unlock_changed(m);
}

/* ---- reading ---- */

size_t objects_failed(const struct mirror_entry *r)
{
	size_t n = 0;
	for (size_t i = 0; i < r->object_count; i++)
		n += r->objects[i].state == OBJECT_FAILED;
	return n;
}

size_t objects_kept_back(const struct mirror_entry *r)
{
	size_t n = 0;
	for (size_t i = 0; i < r->object_count; i++) {
		const struct object_entry *o = &r->objects[i];
		n += o->state == OBJECT_BLOCKED || (o->state == OBJECT_DONE && o->why);
	}
	return n;
}

size_t model_objects(struct model *m, const char *mirror, unsigned states, size_t **out)
{
	size_t n = 0;
	*out = NULL;
	model_lock(m);
	const struct mirror_entry *r = mirror_find(m, mirror);
	if (r)
		*out = xmalloc((r->object_count + 1) * sizeof(**out));
	for (size_t i = 0; r && i < r->object_count; i++)
		if (states == 0 || (states & 1u << r->objects[i].state))
			(*out)[n++] = i;
	model_unlock(m);
	return n;
}

static void view_fill(struct object_view *v, size_t index, const struct object_entry *o)
{
	*v = (struct object_view){ .index = index, .post = o->post, .state = o->state, .took_s = (double)o->took_us / 1e6 };
	copy_text(v->kind, sizeof(v->kind), o->kind);
	copy_text(v->name, sizeof(v->name), o->name);
	copy_text(v->why, sizeof(v->why), o->why ? o->why : "");
	copy_text(v->next, sizeof(v->next), o->next ? o->next : "");
	copy_text(v->sqlstate, sizeof(v->sqlstate), o->sqlstate);
	copy_text(v->statement, sizeof(v->statement), o->statement ? o->statement : "");
}

size_t model_object_rows(struct model *m, const char *mirror, const size_t *indexes, size_t n,
	struct object_view *out)
{
	size_t copied = 0;
	model_lock(m);
	const struct mirror_entry *r = mirror_find(m, mirror);
	for (size_t i = 0; r && i < n; i++)
		if (indexes[i] < r->object_count)
			view_fill(&out[copied++], indexes[i], &r->objects[indexes[i]]);
	model_unlock(m);
	return copied;
}

size_t model_object_counts(struct model *m, const char *mirror, size_t counts[OBJECT_STATE_COUNT])
{
	memset(counts, 0, OBJECT_STATE_COUNT * sizeof(counts[0]));
	model_lock(m);
	const struct mirror_entry *r = mirror_find(m, mirror);
	size_t n = r ? r->object_count : 0;
	for (size_t i = 0; i < n; i++)
		counts[r->objects[i].state]++;
	model_unlock(m);
	return n;
}

size_t model_object_keys(struct model *m, const char *mirror, struct object_key **out)
{
	model_lock(m);
	const struct mirror_entry *r = mirror_find(m, mirror);
	size_t n = r ? r->object_count : 0;
	*out = xmalloc((n + 1) * sizeof(**out));
	for (size_t i = 0; i < n; i++)
		(*out)[i] = (struct object_key){ r->objects[i].state, (double)r->objects[i].took_us / 1e6 };
	model_unlock(m);
	return n;
}

uint64_t model_objects_run(struct model *m, const char *mirror)
{
	model_lock(m);
	const struct mirror_entry *r = mirror_find(m, mirror);
	uint64_t run = r ? r->objects_run : 0;
	model_unlock(m);
	return run;
}

void model_object_names(struct model *m, const char *mirror, struct strings *kinds,
	struct strings *names)
{
	*kinds = *names = (struct strings){ 0 };
	model_lock(m);
	const struct mirror_entry *r = mirror_find(m, mirror);
	for (size_t i = 0; r && i < r->object_count; i++) {
		strings_add(kinds, r->objects[i].kind);
		strings_add(names, r->objects[i].name);
	}
	model_unlock(m);
}

char *model_object_statement(struct model *m, const char *mirror, size_t index)
{
	model_lock(m);
	const struct mirror_entry *r = mirror_find(m, mirror);
	const struct object_entry *o = r && index < r->object_count ? &r->objects[index] : NULL;
	char *text = o ? xstrdup(o->statement ? o->statement : "") : NULL;
	model_unlock(m);
	return text;
}
