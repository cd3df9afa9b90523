// SPDX-License-Identifier: PostgreSQL
/* config.example against the parser's own tables: it loads, shows every key and no other, its
 * values are the defaults it claims, and every line in it that is commented out works when it is
 * not. */
#include "config_files.h"

#include "config/fields.h"

static char *read_example(void)
{
	const char *root = getenv("PGPIER_SOURCE");
	char *path = path_in(root ? root : ".", "config.example");
	struct strbuf b = STRBUF_INIT;
	char buf[4096];
	size_t n;
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	while ((n = fread(buf, 1, sizeof(buf), f)) > 0)
		strbuf_addn(&b, buf, n);
	fclose(f);
	free(path);
	return strbuf_take(&b);
}

/* The key of a line that is `key = ...` or `# key = ...`; an empty one for all others. */
static bool key_of(const char *line, char key[NAME_SIZE], bool *commented)
{
	const char *s = line + strspn(line, " ");
	*commented = *s == '#';
	s += strspn(s, "# ");
	s += strspn(s, "{ "); /* { source = ... } */
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz_");
	snprintf(key, NAME_SIZE, "%.*s", (int)n, s);
	return n > 0 && strncmp(s + n, " = ", 3) == 0;
}

static const struct field *known(const char *key)
{
	static const struct record *const records[] = { &config_record, &peer_record, &mirror_record,
		&map_record, &role_map_record };
	const struct field *f = NULL;
	for (size_t i = 0; !f && i < ARRAY_SIZE(records); i++)
		f = record_field(records[i], key);
	return f;
}

static bool shows(const char *text, const char *key)
{
	char found[NAME_SIZE];
	bool commented;
	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (key_of(line, found, &commented) && strcmp(found, key) == 0)
			return true;
	}
	return false;
}

static void it_shows_every_key_and_no_other(void **state)
{
	static const struct record *const records[] = { &config_record, &peer_record, &mirror_record };
	char *text = read_example();
	char key[NAME_SIZE];
	bool commented;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(records); i++)
		for (const struct field *f = records[i]->fields; f->name; f++)
			if (!shows(text, f->name))
				fail_msg("config.example does not show %s of a %s", f->name, records[i]->what);
	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (key_of(line, key, &commented) && strcmp(key, "key") != 0 && !known(key))
			fail_msg("config.example shows %s, which is no key", key);
	}
	free(text);
}

static void it_loads_and_shows_defaults(void **state)
{
	struct mirror_config d;
	char *text = read_example();
	write_file(*state, "pgpier.conf", text);
	struct config *c = load_good(*state);
	assert_int_equal(c->mirror_count, 1);
	mirror_config_defaults(&d);
	for (const struct field *f = mirror_record.fields; f->name; f++)
		if (f->type == FIELD_INT || f->type == FIELD_INT64 || f->type == FIELD_BOOL ||
			f->type == FIELD_CHOICE)
			if (field_number(f, &c->mirrors[0]) != field_number(f, &d))
				fail_msg("%s is not the default", f->name);
	for (const struct field *f = mirror_record.fields; f->name; f++) {
		if (f->type == FIELD_REAL && field_real(f, &c->mirrors[0]) != field_real(f, &d))
			fail_msg("%s is not the default", f->name);
		if (f->initial_text && strcmp(field_text_borrow(f, &c->mirrors[0]), f->initial_text) != 0)
			fail_msg("%s is not the default", f->name);
	}
	mirror_config_free(&d);
	config_free(c);
	free(text);
}

/* With the line's first # taken away; everything else as it is. */
static void load_uncommented(const char *folder, const char *text, const char *line)
{
	char *changed = xstrdup(text);
	*strchr(changed + (line - text), '#') = ' ';
	write_file(folder, "pgpier.conf", changed);
	config_free(load_good(folder));
	free(changed);
}

static void commented_keys_work(void **state)
{
	char *text = read_example();
	char key[NAME_SIZE];
	bool commented;
	size_t tried = 0;
	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!key_of(line, key, &commented) || !commented || !known(key))
			continue;
		load_uncommented(*state, text, line);
		tried++;
	}
	assert_true(tried >= 5);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_shows_every_key_and_no_other),
		IN_FOLDER(it_loads_and_shows_defaults),
		IN_FOLDER(commented_keys_work),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
