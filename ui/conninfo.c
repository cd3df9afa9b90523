// SPDX-License-Identifier: PostgreSQL
#include "conninfo.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct parser {
	const char *at;
	struct peer_config *out;
	bool whole; /* something has no field */
	char *problem;
	size_t size;
};

static bool wrong(struct parser *p, const char *what)
{
	copy_text(p->problem, p->size, what);
	return false;
}

static char **text_field(struct peer_config *c, const char *key)
{
	const struct {
		const char *key;
		char **field;
	} fields[] = {
		{ "host", &c->host },
		{ "dbname", &c->dbname },
		{ "user", &c->user },
		{ "password", &c->password },
		{ "passfile", &c->passfile },
		{ "service", &c->service },
		{ "sslmode", &c->sslmode },
		{ "sslrootcert", &c->sslrootcert },
		{ "sslcert", &c->sslcert },
		{ "sslkey", &c->sslkey },
		{ "options", &c->options },
	};
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (strcmp(fields[i].key, key) == 0)
			return fields[i].field;
	return NULL;
}

static bool assign_number(struct parser *p, int *field, const char *key, const char *value)
{
	char *end;
	long n = strtol(value, &end, 10);
	if (strchr(value, ',')) { /* several hosts, each with its port */
		p->whole = true;
		return true;
	}
	if (*value == '\0' || *end != '\0' || n < 0 || n > 65535) {
		snprintf(p->problem, p->size, "%s is no number: %s", key, value);
		return false;
	}
	*field = (int)n;
	return true;
}

/* pgpier sets these itself, so what the string says of them doesn't matter. */
static bool ours(const char *key)
{
	return strcmp(key, "application_name") == 0 || strcmp(key, "client_encoding") == 0 ||
		   strcmp(key, "fallback_application_name") == 0;
}

static bool assign(struct parser *p, const char *key, const char *value)
{
	if (strcmp(key, "port") == 0)
		return *value == '\0' || assign_number(p, &p->out->port, key, value);
	if (strcmp(key, "connect_timeout") == 0)
		return assign_number(p, &p->out->connect_timeout, key, value);
	if (strcmp(key, "ssl") == 0 && strcmp(value, "true") == 0)
		return assign(p, "sslmode", "require");
	char **field = text_field(p->out, key);
	if (!field) {
		p->whole = p->whole || !ours(key);
		return true;
	}
	p->whole = p->whole || (strcmp(key, "host") == 0 && strchr(value, ','));
	free(*field);
	*field = *value != '\0' ? xstrdup(value) : NULL;
	return true;
}

/* ---- URI ---- */

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes n bytes; NULL when a percent sign isn't followed by two digits or hides a zero byte. */
static char *decode(const char *text, size_t n)
{
	char *out = xmalloc(n + 1);
	size_t len = 0;
	for (size_t i = 0; i < n; i++) {
		int byte = (unsigned char)text[i];
		if (text[i] == '%') {
			int high = i + 2 < n ? hex(text[i + 1]) : -1;
			int low = high >= 0 ? hex(text[i + 2]) : -1;
			byte = high >= 0 && low >= 0 ? high << 4 | low : 0;
			i += 2;
			if (byte == 0) {
				free(out);
				return NULL;
			}
		}
		out[len++] = (char)byte;
	}
	out[len] = '\0';
	return out;
}

static bool assign_decoded(struct parser *p, const char *key, const char *text, size_t n)
{
	if (n == 0)
		return true;
	char *value = decode(text, n);
	if (!value)
		return wrong(p, "a % in it is not followed by two hexadecimal digits");
	bool ok = assign(p, key, value);
	free(value);
	return ok;
}

/* user:password@, when there is an @ before the path begins. */
static bool parse_user(struct parser *p)
{
	size_t authority = strcspn(p->at, "/?");
	const char *end = memrchr(p->at, '@', authority);
	if (!end)
		return true;
	size_t n = (size_t)(end - p->at), user = MIN(strcspn(p->at, ":"), n);
	bool ok = assign_decoded(p, "user", p->at, user);
	if (ok && user < n)
		ok = assign_decoded(p, "password", p->at + user + 1, n - user - 1);
	p->at = end + 1;
	return ok;
}

static bool parse_host(struct parser *p)
{
	size_t n = strcspn(p->at, "/?");
	const char *at = p->at, *end = at + n;
	p->at = end;
	if (memchr(at, ',', n)) {
		p->whole = true;
		return true;
	}
	size_t host = 0;
	if (*at == '[') {
		const char *close = memchr(at, ']', n);
		if (!close)
			return wrong(p, "an IPv6 address lacks its ]");
		if (!assign_decoded(p, "host", at + 1, (size_t)(close - at - 1)))
			return false;
		host = (size_t)(close + 1 - at);
	} else {
		const char *colon = memchr(at, ':', n);
		host = colon ? (size_t)(colon - at) : n;
		if (!assign_decoded(p, "host", at, host))
			return false;
	}
	if (host < n && at[host] == ':')
		return assign_decoded(p, "port", at + host + 1, n - host - 1);
	return host == n || wrong(p, "something other than a port follows the host");
}

static bool parse_parameters(struct parser *p)
{
	while (*p->at != '\0') {
		size_t n = strcspn(p->at, "&"), key = MIN(strcspn(p->at, "="), n);
		if (key == n)
			return wrong(p, "a parameter after ? lacks its =");
		char *name = decode(p->at, key);
		bool ok = name ? assign_decoded(p, name, p->at + key + 1, n - key - 1)
					   : wrong(p, "a parameter after ? has a broken name");
		free(name);
		if (!ok)
			return false;
		p->at += n + (p->at[n] == '&');
	}
	return true;
}

static bool parse_uri(struct parser *p)
{
	if (!parse_user(p) || !parse_host(p))
		return false;
	if (*p->at == '/') {
		size_t n = strcspn(p->at + 1, "?");
		if (!assign_decoded(p, "dbname", p->at + 1, n))
			return false;
		p->at += 1 + n;
	}
	if (*p->at == '?')
		p->at++;
	return parse_parameters(p);
}

/* ---- keyword = value ---- */

static void skip_space(struct parser *p)
{
	while (isspace((unsigned char)*p->at))
		p->at++;
}

static bool parse_value(struct parser *p, struct strbuf *value)
{
	bool quoted = *p->at == '\'';
	p->at += quoted;
	strbuf_clear(value);
	strbuf_add(value, "");
	while (*p->at != '\0' && (quoted ? *p->at != '\'' : !isspace((unsigned char)*p->at))) {
		if (*p->at == '\\' && p->at[1] != '\0')
			p->at++;
		strbuf_addn(value, p->at++, 1);
	}
	if (quoted && *p->at != '\'')
		return wrong(p, "a quoted value lacks its closing '");
	p->at += quoted;
	return true;
}

static bool parse_pairs(struct parser *p)
{
	struct strbuf value = STRBUF_INIT;
	bool ok = true;
	for (skip_space(p); ok && *p->at != '\0'; skip_space(p)) {
		char key[64];
		size_t n = strcspn(p->at, "= \t\n");
		copy_text(key, MIN(n + 1, sizeof(key)), p->at);
		p->at += n;
		skip_space(p);
		if (*p->at != '=' || n == 0) {
			ok = wrong(p, "a keyword lacks its =value");
			break;
		}
		p->at++;
		skip_space(p);
		ok = parse_value(p, &value) && assign(p, key, value.text ? value.text : "");
	}
	if (value.text)
		explicit_bzero(value.text, value.size);
	strbuf_free(&value);
	return ok;
}

enum conninfo_result conninfo_parse(
	const char *text, struct peer_config *out, char *problem, size_t size)
{
	struct peer_config parts = { 0 };
	struct parser p = { .at = text, .out = &parts, .problem = problem, .size = size };
	static const char *const schemes[] = { "postgresql://", "postgres://" };
	bool uri = false, ok;
	for (size_t i = 0; i < ARRAY_SIZE(schemes) && !uri; i++) {
		uri = strncmp(text, schemes[i], strlen(schemes[i])) == 0;
		p.at += uri ? strlen(schemes[i]) : 0;
	}
	if (!uri && !strchr(text, '='))
		return CONNINFO_NONE;
	problem[0] = '\0';
	ok = uri ? parse_uri(&p) : parse_pairs(&p);
	if (ok && !p.whole) {
		*out = parts;
		return CONNINFO_PARTS;
	}
	peer_config_free(&parts);
	return ok ? CONNINFO_WHOLE : CONNINFO_WRONG;
}
