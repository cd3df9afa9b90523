// SPDX-License-Identifier: PostgreSQL
#include "conninfo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_CONNECT_TIMEOUT_S 10

/* The parameters of one peer, as pg_connect() would give them to libpq. */
struct parameters {
	struct {
		char key[NAME_SIZE];
		char *value;
	} items[64];
	size_t count;
};

static const char *value_of(const struct parameters *p, const char *key)
{
	for (size_t i = 0; i < p->count; i++)
		if (strcmp(p->items[i].key, key) == 0)
			return p->items[i].value;
	return "";
}

static void put(struct parameters *p, const char *key, const char *value)
{
	if (!value || value[0] == '\0')
		return;
	for (size_t i = 0; i < p->count; i++) {
		if (strcmp(p->items[i].key, key) == 0) {
			free(p->items[i].value);
			p->items[i].value = xstrdup(value);
			return;
		}
	}
	if (p->count == ARRAY_SIZE(p->items))
		return;
	copy_text(p->items[p->count].key, sizeof(p->items[p->count].key), key);
	p->items[p->count++].value = xstrdup(value);
}

static void put_number(struct parameters *p, const char *key, int n)
{
	char text[12];
	snprintf(text, sizeof(text), "%d", n);
	put(p, key, text);
}

static void parameters_free(struct parameters *p)
{
	for (size_t i = 0; i < p->count; i++)
		free(p->items[i].value);
}

/* libpq marks what must not be shown, also what later versions will have of it. */
static bool is_secret(const PQconninfoOption *o)
{
	return o->dispchar[0] == '*';
}

static bool put_conninfo(struct parameters *p, const char *conninfo, struct error *e)
{
	char *text = NULL;
	PQconninfoOption *options = PQconninfoParse(conninfo, &text);
	for (PQconninfoOption *o = options; o && o->keyword; o++)
		if (o->val && !is_secret(o))
			put(p, o->keyword, o->val);
	/* libpq's message may repeat the string, with the password in it. */
	if (!options)
		error_set(e, ERROR_CONFIG, "the conninfo can't be read");
	PQfreemem(text);
	PQconninfoFree(options);
	return options != NULL;
}

static bool collect(struct parameters *p, const struct peer_config *peer, struct error *e)
{
	*p = (struct parameters){ .count = 0 };
	if (peer->conninfo && !put_conninfo(p, peer->conninfo, e)) {
		parameters_free(p);
		return error_prefix(e, "peer %s", peer->name);
	}
	put(p, "host", peer->host);
	if (peer->port > 0)
		put_number(p, "port", peer->port);
	put(p, "dbname", peer->dbname);
	put(p, "user", peer->user);
	put(p, "passfile", peer->passfile);
	put(p, "service", peer->service);
	put(p, "sslmode", peer->sslmode);
	put(p, "sslrootcert", peer->sslrootcert);
	put(p, "sslcert", peer->sslcert);
	put(p, "sslkey", peer->sslkey);
	put(p, "options", peer->options);
	put_number(p, "connect_timeout",
		peer->connect_timeout ? peer->connect_timeout : DEFAULT_CONNECT_TIMEOUT_S);
	return true;
}

static void put_missing(struct parameters *p, const char *key, const char *value)
{
	if (value_of(p, key)[0] == '\0')
		put(p, key, value);
}

/* What the connection came to: other programs may have another environment, and the far server has
 * none. */
static void put_actual(struct parameters *p, struct pg *c)
{
	const PGconn *conn = c ? pg_conn_borrow(c) : NULL;
	if (!conn)
		return;
	put_missing(p, "host", PQhost(conn));
	put_missing(p, "port", PQport(conn));
	put_missing(p, "dbname", PQdb(conn));
	put_missing(p, "user", PQuser(conn));
}

static bool is_of_reach(const char *key, enum reach reach, bool connected)
{
	static const char *const of_this_machine[] = { "passfile", "sslcert", "sslkey", "sslrootcert",
		"sslcrl", "sslcrldir", "options", "connect_timeout", "application_name",
		"fallback_application_name", "target_session_attrs", "servicefile" };
	if (reach == REACH_SERVER)
		return strcmp(key, "dbname") != 0;
	if (reach == REACH_HERE)
		return true;
	if (strcmp(key, "service") == 0)
		return !connected;
	for (size_t i = 0; i < ARRAY_SIZE(of_this_machine); i++)
		if (strcmp(key, of_this_machine[i]) == 0)
			return false;
	return true;
}

static void add_quoted(struct strbuf *b, const char *value)
{
	strbuf_add(b, "'");
	for (; *value; value++) {
		if (*value == '\'' || *value == '\\')
			strbuf_add(b, "\\");
		strbuf_addn(b, value, 1);
	}
	strbuf_add(b, "'");
}

char *conninfo_public(
	const struct peer_config *peer, struct pg *c, enum reach reach, struct error *e)
{
	struct parameters p;
	struct strbuf b = STRBUF_INIT;
	if (!collect(&p, peer, e))
		return NULL;
	bool service = value_of(&p, "service")[0] != '\0';
	if (reach == REACH_FAR || !service)
		put_actual(&p, c);
	for (size_t i = 0; i < p.count; i++) {
		if (!is_of_reach(p.items[i].key, reach, c != NULL))
			continue;
		strbuf_addf(&b, "%s%s=", b.len > 0 ? " " : "", p.items[i].key);
		if (p.items[i].value[strcspn(p.items[i].value, " '\\\t\n\r\f\v")] == '\0')
			strbuf_add(&b, p.items[i].value);
		else
			add_quoted(&b, p.items[i].value);
	}
	parameters_free(&p);
	return strbuf_take(&b);
}

static bool string_has_password(const char *conninfo)
{
	PQconninfoOption *options = PQconninfoParse(conninfo, NULL);
	bool has = false;
	for (PQconninfoOption *o = options; o && o->keyword; o++)
		has = has || (o->val && is_secret(o));
	PQconninfoFree(options);
	return has;
}

bool conninfo_has_password(const struct peer_config *p)
{
	return p->password || p->password_command || p->ask_password ||
		   (p->conninfo && string_has_password(p->conninfo));
}

bool conninfo_place(
	const struct peer_config *peer, struct pg *c, struct place *out, struct error *e)
{
	struct parameters p;
	if (!collect(&p, peer, e))
		return false;
	put_actual(&p, c);
	*out = (struct place){
		.host = xstrdup(value_of(&p, "host")),
		.port = xstrdup(value_of(&p, "port")),
		.dbname = xstrdup(value_of(&p, "dbname")),
		.user = xstrdup(value_of(&p, "user")),
	};
	parameters_free(&p);
	return true;
}

void place_free(struct place *p)
{
	free(p->host);
	free(p->port);
	free(p->dbname);
	free(p->user);
}
