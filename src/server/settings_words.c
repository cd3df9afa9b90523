// SPDX-License-Identifier: PostgreSQL
#include "settings_words.h"

#include <stdlib.h>
#include <string.h>

#include "../shared.h"

#define PG_HAS_ALTER_SYSTEM 90400

const char *server_major(int version, char buf[MAJOR_SIZE])
{
	if (version >= 100000)
		snprintf(buf, MAJOR_SIZE, "%d", version / 10000);
	else
		snprintf(buf, MAJOR_SIZE, "%d.%d", version / 10000, version / 100 % 100);
	return buf;
}

static bool comes_from(const struct setting *s, const char *origin)
{
	return strcmp(s->origin, origin) == 0;
}

static bool of_role(const struct setting *s)
{
	return comes_from(s, "user") || comes_from(s, "database user");
}

/* Set for this connection, or when the server was started: nothing that is written down changes it.
 */
static bool is_out_of_reach(const struct setting *s)
{
	return of_role(s) || comes_from(s, "client") || comes_from(s, "command line");
}

static bool is_custom(const struct setting *s)
{
	return strchr(s->name, '.') != NULL;
}

/* ---- what it means ---- */

/* Sentences stand in a row, without their full stops. */
static void add_sentence(struct strbuf *out, const char *text)
{
	size_t length = strlen(text);
	if (length > 0 && text[length - 1] == '.')
		length--;
	strbuf_add(out, out->len > 0 ? "; " : "");
	strbuf_addn(out, text, length);
}

static void add_defaults(struct strbuf *out, const struct setting *s, const struct setting *t,
	const struct server_side *source, const struct server_side *target)
{
	char of_source[MAJOR_SIZE], of_target[MAJOR_SIZE];
	server_major(source->version, of_source);
	server_major(target->version, of_target);
	bool moved = strcmp(s->boot, t->boot) != 0;
	if (moved && strcmp(of_source, of_target) != 0)
		strbuf_addf(out, "; default of %s against default of %s", of_source, of_target);
	else
		strbuf_add(out,
			moved ? "; two builds with different defaults"
				  : "; each server works it out by itself, from its machine or other settings");
}

static void add_origin(struct strbuf *out, const struct setting *s, const struct server_side *side)
{
	char major[MAJOR_SIZE];
	if (setting_is_default(s))
		strbuf_addf(
			out, "; %s has the default of %s", side->peer, server_major(side->version, major));
	else if (comes_from(s, "database"))
		strbuf_addf(out, "; set for database %s on %s", side->database, side->peer);
	else if (of_role(s))
		strbuf_addf(out, "; set for our role alone on %s", side->peer);
	else if (comes_from(s, "client"))
		strbuf_addf(out, "; set by the options of peer %s", side->peer);
	else if (comes_from(s, "command line"))
		strbuf_addf(out, "; set on the command line of %s", side->peer);
}

char *settings_meaning(const struct setting *on_source, const struct setting *on_target,
	const struct setting_known *known, const struct server_side *source,
	const struct server_side *target)
{
	struct strbuf out = STRBUF_INIT;
	add_sentence(&out, known ? known->meaning : on_target->describe);
	if (setting_is_default(on_source) && setting_is_default(on_target)) {
		add_defaults(&out, on_source, on_target, source, target);
	} else {
		add_origin(&out, on_source, source);
		add_origin(&out, on_target, target);
	}
	return strbuf_take(&out);
}

char *settings_meaning_missing(
	const struct setting *s, const struct setting_known *known, const struct server_side *without)
{
	char major[MAJOR_SIZE];
	struct strbuf out = STRBUF_INIT;
	add_sentence(&out, known ? known->meaning : s->describe);
	if (is_custom(s))
		strbuf_addf(&out, "%sno library that is loaded on %s knows it", out.len > 0 ? "; " : "",
			without->peer);
	else
		strbuf_addf(
			&out, "; PostgreSQL %s has no such setting", server_major(without->version, major));
	return strbuf_take(&out);
}

/* ---- how it is carried over ---- */

/* Old servers let a session name a setting of its own as it likes, even what would not be one name
 * in a script. */
static bool can_be_set(const struct setting *s)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.";
	return strcmp(s->context, "internal") != 0 && s->name[strspn(s->name, plain)] == '\0';
}

static char *for_database(const struct setting *s, const struct server_side *target)
{
	struct strbuf out = STRBUF_INIT;
	strbuf_add(&out, "ALTER DATABASE ");
	quote_name(&out, target->database);
	strbuf_addf(&out, " SET %s = ", s->name);
	setting_quote(&out, s);
	return strbuf_take(&out);
}

/* An empty list of libraries can't be set: it becomes a list of one library without a name. */
static bool is_no_libraries(const struct setting *s)
{
	return strstr(s->name, "_preload_libraries") && s->value[0] == '\0';
}

static char *for_server(const struct setting *s, const char *context)
{
	struct strbuf out = STRBUF_INIT;
	if (is_no_libraries(s)) {
		strbuf_addf(&out, "ALTER SYSTEM RESET %s", s->name);
	} else {
		strbuf_addf(&out, "ALTER SYSTEM SET %s = ", s->name);
		setting_quote(&out, s);
	}
	if (strcmp(context, "postmaster") == 0)
		strbuf_add(&out, " /* needs a restart */");
	return strbuf_take(&out);
}

char *settings_statement(const struct setting *on_source, const struct setting *on_target,
	const struct server_side *target)
{
	if (!can_be_set(on_target) || is_out_of_reach(on_source) || is_out_of_reach(on_target))
		return NULL;
	if (comes_from(on_source, "database") || comes_from(on_target, "database"))
		return for_database(on_source, target);
	return target->version >= PG_HAS_ALTER_SYSTEM ? for_server(on_source, on_target->context)
												  : NULL;
}

char *settings_statement_custom(const struct setting *s, const struct server_side *target)
{
	return is_custom(s) && can_be_set(s) && !is_out_of_reach(s) ? for_database(s, target) : NULL;
}

/* ---- notes ---- */

static void add_name(struct strbuf *out, const char *name)
{
	strbuf_addf(out, "%s%s", out->len > 0 ? ", " : "", name);
}

void settings_tell(const struct server_side *side, struct comparison *out)
{
	struct strbuf pending = STRBUF_INIT, own = STRBUF_INIT;
	for (size_t i = 0; i < side->settings.count; i++) {
		const struct setting *s = &side->settings.items[i];
		if (s->pending)
			add_name(&pending, s->name);
		if ((of_role(s) || comes_from(s, "client")) && !setting_is_local(s->name))
			add_name(&own, s->name);
	}
	if (pending.len > 0)
		comparison_note(out, "%s waits for a restart to take over what its files say of %s",
			side->peer, pending.text);
	if (own.len > 0)
		comparison_note(out,
			"our role or our connection has its own %s on %s: what others get there is not seen",
			own.text, side->peer);
	strbuf_free(&pending);
	strbuf_free(&own);
}
