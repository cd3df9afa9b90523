// SPDX-License-Identifier: PostgreSQL
/* From files to structs. Reading never stops at the first thing that is wrong: every group is read
 * as far as it makes sense, and what depends on all files (names that are double or missing) is
 * looked at last, unless a file could not be understood at all, which would only make more problems
 * out of one. */
#include <pgpier/config.h>

#include <inttypes.h>
#include <libconfig.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fields.h"
#include "source.h"

struct document {
	struct source source;
	config_t tree;
};

/* Where a peer or mirror of the configuration was written. */
struct origin {
	const struct document *document;
	const config_setting_t *group;
};

struct origins {
	struct origin *items; /* in the order of the configuration's array */
	size_t count;
};

struct loader {
	struct config *config;
	struct config_problems *problems;
	struct origins peers, mirrors;
};

/* One group of one document. */
struct group {
	struct complaints base;
	struct loader *loader;
	const struct document *document;
	const config_setting_t *setting;
	const struct record *record;
	bool *broken; /* by field: said already, so the rules need not speak of it */
};

static void load_group(struct loader *l, const struct document *d, const config_setting_t *setting,
	const struct record *record, const struct field *only, void *value);

/* `peer "ec2"`, or `peer 2` when it has no name to go by. */
static char *subject(const struct group *g)
{
	const config_setting_t *name = config_setting_get_member(g->setting, "name");
	const char *text = name ? config_setting_get_string(name) : NULL;
	if (config_setting_is_root(g->setting))
		return xstrdup("");
	if (text && text[0] != '\0')
		return xasprintf("%s \"%s\": ", g->record->what, text);
	return xasprintf("%s %d: ", g->record->what, config_setting_index(g->setting) + 1);
}

static void problem(const struct group *g, const config_setting_t *at, const char *fmt, ...)
	PG_PRINTF(3, 4);

static void problem(const struct group *g, const config_setting_t *at, const char *fmt, ...)
{
	va_list args;
	int line;
	char *of = subject(g);
	const struct source_file *file =
		source_where(&g->document->source, (int)config_setting_source_line(at), &line);
	va_start(args, fmt);
	char *text = xvasprintf(fmt, args);
	va_end(args);
	problem_add(g->loader->problems, file->path, line, "%s%s", of, text);
	free(text);
	free(of);
}

static size_t field_index(const struct record *r, const char *name)
{
	return (size_t)(record_field(r, name) - r->fields);
}

static void complaint_as_problem(struct complaints *c, const char *field, const char *text)
{
	struct group *g = (struct group *)c;
	const config_setting_t *at = config_setting_get_member(g->setting, field);
	if (!g->broken[field_index(g->record, field)])
		problem(g, at ? at : g->setting, "%s", text);
}

/* Letters to change, add or leave out to make b of a. Names longer than any key are just far. */
static size_t distance(const char *a, const char *b)
{
	size_t row[32];
	size_t width = strlen(b);
	if (width >= ARRAY_SIZE(row) || strlen(a) >= ARRAY_SIZE(row))
		return SIZE_MAX;
	for (size_t i = 0; i <= width; i++)
		row[i] = i;
	for (; *a != '\0'; a++) {
		size_t corner = row[0]++;
		for (size_t i = 1; i <= width; i++) {
			size_t above = row[i];
			row[i] = MIN(MIN(above, row[i - 1]) + 1, corner + (*a != b[i - 1]));
			corner = above;
		}
	}
	return row[width];
}

static void unknown_key(const struct group *g, const config_setting_t *s)
{
	const char *name = config_setting_name(s);
	const char *nearest = NULL;
	size_t least = MIN(3, strlen(name));
	for (const struct field *f = g->record->fields; f->name; f++)
		if (distance(name, f->name) < least) {
			least = distance(name, f->name);
			nearest = f->name;
		}
	if (nearest)
		problem(g, s, "unknown key \"%s\"; did you mean \"%s\"?", name, nearest);
	else
		problem(g, s, "unknown key \"%s\"", name);
}

static bool wrong_type(const struct group *g, const struct field *f, const config_setting_t *s)
{
	static const char *const wanted[] = {
		[FIELD_TEXT] = "a text in double quotes",
		[FIELD_PASSWORD] = "a text in double quotes",
		[FIELD_INT] = "a whole number",
		[FIELD_INT64] = "a whole number",
		[FIELD_REAL] = "a number",
		[FIELD_BOOL] = "true or false",
		[FIELD_CHOICE] = "a text in double quotes",
		[FIELD_TEXTS] = "an array of texts, [ \"...\", \"...\" ]",
		[FIELD_RECORDS] = "a list of groups, ( { ... }, { ... } )",
	};
	problem(g, s, "%s must be %s", f->name, wanted[f->type]);
	return false;
}

static bool load_text(
	const struct group *g, const struct field *f, const config_setting_t *s, void *value)
{
	const char *text = config_setting_get_string(s);
	if (!text)
		return wrong_type(g, f, s);
	if (f->type == FIELD_PASSWORD && strcmp(text, "ask") == 0)
		field_set_asks(f, value);
	else if (text[0] != '\0') { /* libpq takes an empty text as not given */
		free(*field_text(f, value));
		*field_text(f, value) = xstrdup(text);
	}
	return true;
}

static bool load_number(
	const struct group *g, const struct field *f, const config_setting_t *s, void *value)
{
	int type = config_setting_type(s);
	if (type != CONFIG_TYPE_INT && type != CONFIG_TYPE_INT64)
		return wrong_type(g, f, s);
	int64_t n = config_setting_get_int64(s);
	if (!field_in_range(f, n)) {
		problem(g, s, "%s must be %" PRId64 " to %" PRId64 ", not %" PRId64, f->name, f->min,
			f->max, n);
		return false;
	}
	field_set_number(f, value, n);
	return true;
}

static bool load_real(
	const struct group *g, const struct field *f, const config_setting_t *s, void *value)
{
	int type = config_setting_type(s);
	if (type != CONFIG_TYPE_INT && type != CONFIG_TYPE_INT64 && type != CONFIG_TYPE_FLOAT)
		return wrong_type(g, f, s);
	field_set_real(f, value,
		type == CONFIG_TYPE_FLOAT ? config_setting_get_float(s)
								  : (double)config_setting_get_int64(s));
	return true;
}

static bool load_bool(
	const struct group *g, const struct field *f, const config_setting_t *s, void *value)
{
	if (config_setting_type(s) != CONFIG_TYPE_BOOL)
		return wrong_type(g, f, s);
	field_set_number(f, value, config_setting_get_bool(s));
	return true;
}

static bool load_choice(
	const struct group *g, const struct field *f, const config_setting_t *s, void *value)
{
	const char *text = config_setting_get_string(s);
	if (!text)
		return wrong_type(g, f, s);
	int i = choice_index(f->choices, text);
	if (i < 0) {
		struct strbuf list = STRBUF_INIT;
		choices_list(&list, f->choices);
		problem(g, s, "%s must be %s, not \"%s\"", f->name, list.text, text);
		strbuf_free(&list);
		return false;
	}
	field_set_number(f, value, i);
	return true;
}

static bool load_texts(
	const struct group *g, const struct field *f, const config_setting_t *s, void *value)
{
	if (!config_setting_is_array(s) && !config_setting_is_list(s))
		return wrong_type(g, f, s);
	for (int i = 0; i < config_setting_length(s); i++) {
		const char *text = config_setting_get_string_elem(s, i);
		if (!text)
			return wrong_type(g, f, config_setting_get_elem(s, (unsigned)i));
		strings_add(field_texts(f, value), text);
	}
	return true;
}

static void remember(struct origins *o, const struct document *d, const config_setting_t *group)
{
	GROW(o->items, o->count);
	o->items[o->count++] = (struct origin){ d, group };
}

static bool load_records(
	const struct group *g, const struct field *f, const config_setting_t *s, void *value)
{
	struct loader *l = g->loader;
	bool empty_array = config_setting_is_array(s) && config_setting_length(s) == 0;
	if (!config_setting_is_list(s) && !empty_array)
		return wrong_type(g, f, s);
	for (int i = 0; i < config_setting_length(s); i++) {
		const config_setting_t *element = config_setting_get_elem(s, (unsigned)i);
		if (!config_setting_is_group(element)) {
			problem(g, element, "%s: element %d must be a group, { ... }", f->name, i + 1);
			continue;
		}
		if (f->record == &peer_record)
			remember(&l->peers, g->document, element);
		if (f->record == &mirror_record)
			remember(&l->mirrors, g->document, element);
		void *place = records_add(f, value);
		record_defaults(f->record, place);
		load_group(l, g->document, element, f->record, NULL, place);
	}
	return true;
}

static bool load_field(
	const struct group *g, const struct field *f, const config_setting_t *s, void *value)
{
	static bool (*const by_type[])(
		const struct group *, const struct field *, const config_setting_t *, void *) = {
		[FIELD_TEXT] = load_text,
		[FIELD_PASSWORD] = load_text,
		[FIELD_INT] = load_number,
		[FIELD_INT64] = load_number,
		[FIELD_REAL] = load_real,
		[FIELD_BOOL] = load_bool,
		[FIELD_CHOICE] = load_choice,
		[FIELD_TEXTS] = load_texts,
		[FIELD_RECORDS] = load_records,
	};
	return by_type[f->type](g, f, s, value);
}

/* A password that others can read is refused wherever it stands, as ssh refuses such keys. */
static void check_secret(const struct group *g, const struct field *f, const config_setting_t *s)
{
	int line;
	const char *text = config_setting_get_string(s);
	bool secret = text && text[0] != '\0';
	if (secret && f->type == FIELD_PASSWORD)
		secret = strcmp(text, "ask") != 0;
	else if (secret)
		conninfo_parses(text, &secret);
	const struct source_file *file =
		source_where(&g->document->source, (int)config_setting_source_line(s), &line);
	if (secret && (file->mode & 077) != 0)
		problem(g, s,
			"%s holds a password, but mode %04o lets others read the file; run chmod 600 %s",
			f->name, (unsigned)(file->mode & 07777), file->path);
}

/* only: the one key that is known here, NULL for all of the record's. */
static void load_group(struct loader *l, const struct document *d, const config_setting_t *setting,
	const struct record *record, const struct field *only, void *value)
{
	size_t fields = 0;
	while (record->fields[fields].name)
		fields++;
	struct group g = { { complaint_as_problem }, l, d, setting, record,
		xcalloc(fields, sizeof(bool)) };
	for (int i = 0; i < config_setting_length(setting); i++) {
		const config_setting_t *s = config_setting_get_elem(setting, (unsigned)i);
		const struct field *f = record_field(record, config_setting_name(s));
		if (!f)
			unknown_key(&g, s);
		else if (only && f != only)
			problem(&g, s, "%s belong into %s.conf or pgpier.conf", f->name, f->name);
		else
			g.broken[f - record->fields] = !load_field(&g, f, s, value);
		if (f && f->secret)
			check_secret(&g, f, s);
	}
	record_check(record, value, &g.base);
	free(g.broken);
}

/* What libconfig says of the text it was given; its lines are those of our text. */
static void syntax_problem(struct loader *l, const struct document *d)
{
	int line;
	const char *text = config_error_text(&d->tree);
	const struct source_file *file = source_where(&d->source, config_error_line(&d->tree), &line);
	problem_add(l->problems, file->path, line, "%s", text ? text : "can't be understood");
}

/* False when the document could not be understood. */
static bool load_document(struct loader *l, struct document *d, const struct field *only)
{
	if (config_read_string(&d->tree, d->source.text.text) != CONFIG_TRUE) {
		syntax_problem(l, d);
		return false;
	}
	load_group(l, d, config_root_setting(&d->tree), &config_record, only, l->config);
	return true;
}

/* peers.conf or mirrors.conf, which may be absent. */
static bool load_written(struct loader *l, struct document *d, const char *list)
{
	struct config *c = l->config;
	size_t peers = c->peer_count, mirrors = c->mirror_count;
	char *path = xasprintf("%s/%s.conf", c->directory, list);
	enum source_result result = source_read(&d->source, path, l->problems);
	bool ok = result == SOURCE_ABSENT;
	if (result == SOURCE_READ) {
		mode_t mode = d->source.files[0].mode;
		if ((mode & 077) != 0)
			problem_add(l->problems, path, 0, "mode %04o lets others read it; run chmod 600 %s",
				(unsigned)(mode & 07777), path);
		ok = load_document(l, d, record_field(&config_record, list));
	}
	for (size_t i = peers; i < c->peer_count; i++)
		c->peers[i].editable = true;
	for (size_t i = mirrors; i < c->mirror_count; i++)
		c->mirrors[i].editable = true;
	free(path);
	return ok;
}

static bool load_main(struct loader *l, struct document *d, const char *path, bool may_be_absent)
{
	enum source_result result = source_read(&d->source, path, l->problems);
	if (result == SOURCE_ABSENT && !may_be_absent)
		problem_add(l->problems, path, 0, "no such file");
	if (result == SOURCE_READ)
		return load_document(l, d, NULL);
	return result == SOURCE_ABSENT;
}

static void check_names(struct loader *l, const struct origins *o, const struct record *record)
{
	for (size_t i = 0; i < o->count; i++) {
		struct group g = { .loader = l,
			.document = o->items[i].document,
			.setting = o->items[i].group,
			.record = record };
		const char *name = NULL, *other = NULL;
		config_setting_lookup_string(g.setting, "name", &name);
		for (size_t j = 0; name && j < i; j++) {
			if (!config_setting_lookup_string(o->items[j].group, "name", &other) ||
				strcmp(name, other) != 0)
				continue;
			int line;
			const struct source_file *file = source_where(&o->items[j].document->source,
				(int)config_setting_source_line(o->items[j].group), &line);
			problem(&g, config_setting_get_member(g.setting, "name"),
				"the name is taken already at %s:%d", file->path, line);
			break;
		}
	}
}

static void check_references(struct loader *l)
{
	static const char *const keys[] = { "source", "target" };
	for (size_t i = 0; i < l->mirrors.count; i++) {
		struct group g = { .loader = l,
			.document = l->mirrors.items[i].document,
			.setting = l->mirrors.items[i].group,
			.record = &mirror_record };
		for (size_t k = 0; k < ARRAY_SIZE(keys); k++) {
			const char *peer = NULL;
			config_setting_lookup_string(g.setting, keys[k], &peer);
			if (peer && peer[0] != '\0' && !config_find_peer(l->config, peer))
				problem(&g, config_setting_get_member(g.setting, keys[k]),
					"%s: there is no peer \"%s\"", keys[k], peer);
		}
	}
}

/* ~/.config unless the environment names another place; the XDG rules want it absolute. */
static char *default_path(struct config_problems *problems)
{
	const char *base = getenv("XDG_CONFIG_HOME");
	const char *home = getenv("HOME");
	char buf[4096];
	struct passwd entry, *found = NULL;
	if (base && base[0] == '/')
		return xasprintf("%s/pgpier/pgpier.conf", base);
	if ((!home || home[0] != '/') && getpwuid_r(geteuid(), &entry, buf, sizeof(buf), &found) == 0 &&
		found)
		home = entry.pw_dir;
	if (home && home[0] == '/')
		return xasprintf("%s/.config/pgpier/pgpier.conf", home);
	problem_add(
		problems, "pgpier.conf", 0, "can't be found: neither HOME nor XDG_CONFIG_HOME is set");
	return NULL;
}

/* Absolute where it exists, so that it stays right when the process changes its folder. */
static char *directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder =
		slash ? xasprintf("%.*s", (int)(slash == path ? 1 : slash - path), path) : xstrdup(".");
	char *absolute = realpath(folder, NULL);
	if (!absolute)
		return folder;
	free(folder);
	return absolute;
}

static void load_all(struct loader *l, const char *path, bool may_be_absent)
{
	struct document documents[3] = { 0 };
	for (size_t i = 0; i < ARRAY_SIZE(documents); i++)
		config_init(&documents[i].tree);
	bool understood = load_main(l, &documents[0], path, may_be_absent);
	understood = load_written(l, &documents[1], "peers") && understood;
	understood = load_written(l, &documents[2], "mirrors") && understood;
	check_names(l, &l->peers, &peer_record);
	check_names(l, &l->mirrors, &mirror_record);
	if (understood)
		check_references(l);
	for (size_t i = 0; i < ARRAY_SIZE(documents); i++) {
		config_destroy(&documents[i].tree);
		source_free(&documents[i].source);
	}
	free(l->peers.items);
	free(l->mirrors.items);
}

struct config *config_load(const char *path, struct config_problems *problems)
{
	size_t before = problems->lines.count;
	char *own = path ? xstrdup(path) : default_path(problems);
	if (!own)
		return NULL;
	struct loader l = { .config = xcalloc(1, sizeof(*l.config)), .problems = problems };
	l.config->directory = directory_of(own);
	load_all(&l, own, path == NULL);
	free(own);
	if (problems->lines.count == before)
		return l.config;
	config_free(l.config);
	return NULL;
}
