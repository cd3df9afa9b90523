// SPDX-License-Identifier: PostgreSQL
/* The lists of peers and mirrors, and what is known of each peer. */
#include "inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct peer_entry *peer_find(struct model *m, const char *name)
{
	for (size_t i = 0; i < m->peer_count; i++)
		if (strcmp(m->peers[i]->view.name, name) == 0)
			return m->peers[i];
	return NULL;
}

void peer_entry_free(struct peer_entry *p)
{
	peer_config_free(&p->config);
	free(p->activity);
	free(p->slots);
	free(p);
}

/* What a person recognises the server by; never a password. A URI or a conninfo string is shown as far as
 * its password. */
static void address_of(const struct peer_config *p, char *out, size_t size)
{
	if (p->service || p->conninfo) {
		const char *text = p->conninfo ? p->conninfo : p->service;
		const char *at = strchr(text, '@'), *scheme = strstr(text, "://");
		if (scheme && at)
			snprintf(out, size, "%s", at + 1);
		else if (strstr(text, "password"))
			snprintf(out, size, "(connection string)");
		else
			snprintf(out, size, "%s%s", p->conninfo ? "" : "service=", text);
		return;
	}
	char port[16];
	snprintf(port, sizeof(port), "%d", p->port ? p->port : 5432);
	snprintf(out, size, "%s%s%s:%s/%s", p->user ? p->user : "", p->user ? "@" : "",
		p->host ? p->host : "localhost", port, p->dbname ? p->dbname : "");
}

static void peer_adopt(struct peer_entry *p, const struct peer_config *c)
{
	char address[sizeof(p->view.address)];
	address_of(c, address, sizeof(address));
	if (strcmp(address, p->view.address) != 0)
		p->view.status = PEER_UNKNOWN;
	copy_text(p->view.name, sizeof(p->view.name), c->name);
	copy_text(p->view.address, sizeof(p->view.address), address);
	p->view.editable = c->editable;
	p->view.mirrors = 0;
	peer_config_free(&p->config);
	peer_config_copy(&p->config, c);
}

static void mirror_adopt(struct mirror_entry *r, const struct mirror_config *c)
{
	copy_text(r->view.name, sizeof(r->view.name), c->name);
	copy_text(r->view.source, sizeof(r->view.source), c->source);
	copy_text(r->view.target, sizeof(r->view.target), c->target);
	r->view.editable = c->editable;
	if (!r->running) {
		r->view.workers = c->workers;
		r->view.tables_in_parallel = c->tables_in_parallel;
		r->view.rate_limit_mb = c->rate_limit_mb;
	}
	mirror_config_free(&r->config);
	mirror_config_copy(&r->config, c);
}

static struct peer_entry *take_peer(struct model *m, const char *name)
{
	for (size_t i = 0; i < m->peer_count; i++) {
		struct peer_entry *p = m->peers[i];
		if (p && strcmp(p->view.name, name) == 0) {
			m->peers[i] = NULL;
			return p;
		}
	}
	return xcalloc(1, sizeof(struct peer_entry));
}

static struct mirror_entry *take_mirror(struct model *m, const char *name)
{
	for (size_t i = 0; i < m->mirror_count; i++) {
		struct mirror_entry *r = m->mirrors[i];
		if (r && strcmp(r->view.name, name) == 0) {
			m->mirrors[i] = NULL;
			return r;
		}
	}
	struct mirror_entry *r = xcalloc(1, sizeof(*r));
	r->workers = xcalloc(MOST_WORKERS, sizeof(*r->workers));
	rate_reset(&r->rate);
	mirror_config_defaults(&r->config);
	return r;
}

static void count_uses(struct model *m)
{
	for (size_t i = 0; i < m->mirror_count; i++) {
		struct peer_entry *source = peer_find(m, m->mirrors[i]->view.source);
		struct peer_entry *target = peer_find(m, m->mirrors[i]->view.target);
		if (source)
			source->view.mirrors++;
		if (target && target != source)
			target->view.mirrors++;
	}
}

void model_set_config(struct model *m, const struct config *c)
{
	struct peer_entry **peers = xcalloc(c->peer_count, sizeof(struct peer_entry *));
	struct mirror_entry **mirrors = xcalloc(c->mirror_count, sizeof(struct mirror_entry *));
	model_lock(m);
	for (size_t i = 0; i < c->peer_count; i++)
		peer_adopt(peers[i] = take_peer(m, c->peers[i].name), &c->peers[i]);
	for (size_t i = 0; i < c->mirror_count; i++)
		mirror_adopt(mirrors[i] = take_mirror(m, c->mirrors[i].name), &c->mirrors[i]);
	for (size_t i = 0; i < m->peer_count; i++)
		if (m->peers[i])
			peer_entry_free(m->peers[i]);
	for (size_t i = 0; i < m->mirror_count; i++)
		if (m->mirrors[i])
			mirror_entry_free(m->mirrors[i]);
	free(m->peers);
	free(m->mirrors);
	m->peers = peers;
	m->peer_count = c->peer_count;
	m->mirrors = mirrors;
	m->mirror_count = c->mirror_count;
	count_uses(m);
	model_unlock_changed(m);
}

void model_peer_probing(struct model *m, const char *peer)
{
	model_lock(m);
	struct peer_entry *p = peer_find(m, peer);
	if (p && p->view.status == PEER_UNKNOWN)
		p->view.status = PEER_PROBING;
	model_unlock_changed(m);
}

void model_peer_probed(struct model *m, const char *peer, const struct probe *probe, const struct error *e)
{
	model_lock(m);
	struct peer_entry *p = peer_find(m, peer);
	if (p) {
		bool failed = e && e->class != ERROR_NONE;
		p->view.status = failed ? PEER_FAILED : PEER_OK;
		p->view.error = failed ? *e : (struct error){ 0 };
		p->view.probed_at = wall_us();
		if (!failed)
			p->view.probe = *probe;
	}
	model_unlock_changed(m);
}

void model_set_activity(struct model *m, const char *peer, struct activity_row *take, size_t n)
{
	model_lock(m);
	struct peer_entry *p = peer_find(m, peer);
	if (p) {
		free(p->activity);
		p->activity = take;
		p->activity_count = n;
		p->activity_at = wall_us();
	} else {
		free(take);
	}
	model_unlock_changed(m);
}

size_t model_peers(struct model *m, struct peer_view **out)
{
	model_lock(m);
	size_t n = m->peer_count;
	*out = xmalloc(n * sizeof(**out));
	for (size_t i = 0; i < n; i++)
		(*out)[i] = m->peers[i]->view;
	model_unlock(m);
	return n;
}

bool model_peer(struct model *m, const char *name, struct peer_view *out)
{
	model_lock(m);
	const struct peer_entry *p = peer_find(m, name);
	if (p)
		*out = p->view;
	model_unlock(m);
	return p != NULL;
}

bool model_peer_config(struct model *m, const char *name, struct peer_config *out)
{
	model_lock(m);
	const struct peer_entry *p = peer_find(m, name);
	if (p)
		peer_config_copy(out, &p->config);
	model_unlock(m);
	return p != NULL;
}

size_t model_activity(struct model *m, const char *peer, struct activity_row **out, int64_t *taken_at)
{
	model_lock(m);
	const struct peer_entry *p = peer_find(m, peer);
	size_t n = p ? p->activity_count : 0;
	*out = xmalloc(n * sizeof(**out));
	if (n > 0)
		memcpy(*out, p->activity, n * sizeof(**out));
	if (taken_at)
		*taken_at = p ? p->activity_at : 0;
	model_unlock(m);
	return n;
}
