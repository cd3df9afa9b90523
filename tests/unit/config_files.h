// SPDX-License-Identifier: PostgreSQL
/* What the tests of configuration share: a folder for each test, and files in it. */
#ifndef CONFIG_FILES_H
#define CONFIG_FILES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <pgpier/config.h>

/* A folder of its own for every test. */
static inline int make_folder(void **state)
{
	char *folder = xstrdup("/tmp/pgpier-config-XXXXXX");
	assert_non_null(mkdtemp(folder));
	*state = folder;
	return 0;
}

static inline int remove_folder(void **state)
{
	char *command = xasprintf("rm -rf '%s'", (char *)*state);
	int failed = system(command);
	free(command);
	free(*state);
	return failed;
}

static inline char *path_in(const char *folder, const char *name)
{
	return xasprintf("%s/%s", folder, name);
}

static inline void write_mode(const char *folder, const char *name, const char *text, mode_t mode)
{
	char *path = path_in(folder, name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	chmod(path, mode);
	free(path);
}

static inline void write_file(const char *folder, const char *name, const char *text)
{
	write_mode(folder, name, text, 0600);
}

static inline struct config *load(const char *folder, struct config_problems *problems)
{
	char *path = path_in(folder, "pgpier.conf");
	struct config *c = config_load(path, problems);
	free(path);
	return c;
}

static inline struct config *load_good(const char *folder)
{
	struct config_problems problems = { 0 };
	struct config *c = load(folder, &problems);
	if (!c)
		fail_msg("%s", problems.lines.items[0]);
	return c;
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

#endif
