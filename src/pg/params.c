// SPDX-License-Identifier: PostgreSQL
#include "params.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <string.h>

#include "conn.h"
#include "password.h"

void pg_params_add(struct pg_params *p, const char *key, const char *value)
{
	if (!value || value[0] == '\0')
		return;
	p->keys[p->n] = key;
	p->values[p->n++] = value;
}

void pg_params_fill(struct pg_params *p, const struct peer_config *peer, const char *mirror, const char *role,
	const char *password)
{
	*p = (struct pg_params){ .n = 0 };
	snprintf(p->application, sizeof(p->application), "pgpier/%.40s%s%s", mirror ? mirror : "",
		mirror ? "/" : "", role);
	if (peer->port > 0)
		snprintf(p->port, sizeof(p->port), "%d", peer->port);
	pg_params_add(p, "dbname", peer->conninfo ? peer->conninfo : peer->dbname);
	pg_params_add(p, "host", peer->host);
	pg_params_add(p, "port", p->port);
	pg_params_add(p, "user", peer->user);
	pg_params_add(p, "password", password);
	pg_params_add(p, "passfile", peer->passfile);
	pg_params_add(p, "service", peer->service);
	pg_params_add(p, "sslmode", peer->sslmode);
	pg_params_add(p, "sslrootcert", peer->sslrootcert);
	pg_params_add(p, "sslcert", peer->sslcert);
	pg_params_add(p, "sslkey", peer->sslkey);
	pg_params_add(p, "options", peer->options);
	pg_params_add(p, "application_name", p->application);
	/* A jump host's path may lose a connection in silence: notice within a minute. */
	pg_params_add(p, "keepalives_idle", "20");
	pg_params_add(p, "keepalives_interval", "10");
	pg_params_add(p, "keepalives_count", "4");
	pg_params_add(p, "tcp_user_timeout", "60000");
}

/* libpq takes the dbname of its parameters for a conninfo string when it looks like one. */
static bool is_conninfo(const char *dbname)
{
	return strchr(dbname, '=') || strncmp(dbname, "postgresql://", 13) == 0 ||
		   strncmp(dbname, "postgres://", 11) == 0;
}

static void add_pair(struct strbuf *b, const char *key, const char *value)
{
	strbuf_addf(b, "%s%s='", b->len ? " " : "", key);
	for (; *value; value++) {
		if (*value == '\'' || *value == '\\')
			strbuf_add(b, "\\");
		strbuf_addn(b, value, 1);
	}
	strbuf_add(b, "'");
}

static bool is_given(const struct pg_params *p, const char *key)
{
	for (int i = 0; i < p->n; i++)
		if (strcmp(p->keys[i], key) == 0 && strcmp(key, "dbname") != 0)
			return true;
	return false;
}

static void keep_password(char **password, const char *value)
{
	password_wipe(*password);
	*password = xstrdup(value);
}

/* What a conninfo string says, but for what the parameters override. */
static bool expand(const struct pg_params *p, const char *text, struct strbuf *out, char **password, struct error *e)
{
	char *why = NULL;
	PQconninfoOption *options = PQconninfoParse(text, &why);
	if (!options) {
		char line[300];
		copy_text(line, sizeof(line), why ? why : "out of memory");
		PQfreemem(why);
		pg_fold(line);
		return error_set(e, ERROR_CONFIG, "conninfo: %s", line);
	}
	for (const PQconninfoOption *o = options; o->keyword; o++) {
		if (!o->val || is_given(p, o->keyword))
			continue;
		if (strcmp(o->keyword, "password") == 0)
			keep_password(password, o->val);
		else if (strcmp(o->keyword, "sslpassword") != 0)
			add_pair(out, o->keyword, o->val);
	}
	PQconninfoFree(options);
	return true;
}

bool pg_params_conninfo(const struct pg_params *p, char **conninfo, char **password, struct error *e)
{
	struct strbuf out = STRBUF_INIT;
	bool ok = true;
	*conninfo = *password = NULL;
	for (int i = 0; ok && i < p->n; i++) {
		if (strcmp(p->keys[i], "password") == 0)
			keep_password(password, p->values[i]);
		else if (strcmp(p->keys[i], "dbname") == 0 && is_conninfo(p->values[i]))
			ok = expand(p, p->values[i], &out, password, e);
		else
			add_pair(&out, p->keys[i], p->values[i]);
	}
	*conninfo = strbuf_take(&out);
	return ok;
}
