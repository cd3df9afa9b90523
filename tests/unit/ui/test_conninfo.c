// SPDX-License-Identifier: PostgreSQL
/* Pasted connection strings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "conninfo.h"

static enum conninfo_result parse(const char *text, struct peer_config *c)
{
	char problem[160];
	*c = (struct peer_config){ 0 };
	return conninfo_parse(text, c, problem, sizeof(problem));
}

static void same(const char *actual, const char *expected)
{
	if (!expected)
		assert_null(actual);
	else
		assert_string_equal(actual ? actual : "(null)", expected);
}

static void whole_parts(void **state)
{
	static const struct {
		const char *text, *host;
		int port;
		const char *dbname, *user, *password, *sslmode;
	} cases[] = {
		{ "postgresql://mover@db:6432/shop", "db", 6432, "shop", "mover", NULL, NULL },
		{ "postgres://m%40x:p%2F%3A%25@db/sh%20op?sslmode=verify-full", "db", 0, "sh op", "m@x",
			"p/:%", "verify-full" },
		{ "postgresql://u:p@ss@db/x", "db", 0, "x", "u", "p@ss", NULL },
		{ "postgresql://[::1]:5433/x", "::1", 5433, "x", NULL, NULL, NULL },
		{ "postgresql:///shop?host=/run/pg&port=5440", "/run/pg", 5440, "shop", NULL, NULL, NULL },
		{ "postgresql://%2Frun%2Fpg/shop", "/run/pg", 0, "shop", NULL, NULL, NULL },
		{ "postgresql://", NULL, 0, NULL, NULL, NULL, NULL },
		{ "postgresql://db?ssl=true", "db", 0, NULL, NULL, NULL, "require" },
		{ "host=db port = 5433 dbname='my shop' user=mover password='it\\'s'", "db", 5433, "my shop",
			"mover", "it's", NULL },
		{ "host=db password=''", "db", 0, NULL, NULL, NULL, NULL },
		{ "  dbname=x application_name=psql ", NULL, 0, "x", NULL, NULL, NULL },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct peer_config c;
		if (parse(cases[i].text, &c) != CONNINFO_PARTS)
			fail_msg("not taken apart: %s", cases[i].text);
		same(c.host, cases[i].host);
		assert_int_equal(c.port, cases[i].port);
		same(c.dbname, cases[i].dbname);
		same(c.user, cases[i].user);
		same(c.password, cases[i].password);
		same(c.sslmode, cases[i].sslmode);
		peer_config_free(&c);
	}
}

static void others(void **state)
{
	static const struct {
		const char *text;
		enum conninfo_result result;
	} cases[] = {
		{ "db.example.com", CONNINFO_NONE },
		{ "", CONNINFO_NONE },
		{ "postgresql://a,b/x", CONNINFO_WHOLE },
		{ "host=a,b port=1,2", CONNINFO_WHOLE },
		{ "host=db target_session_attrs=read-write", CONNINFO_WHOLE },
		{ "postgresql://db/x?hostaddr=10.0.0.1", CONNINFO_WHOLE },
		{ "postgresql://db/%", CONNINFO_WRONG },
		{ "postgresql://db/%4", CONNINFO_WRONG },
		{ "postgresql://db/%zz", CONNINFO_WRONG },
		{ "postgresql://db/%00", CONNINFO_WRONG },
		{ "postgresql://db:port/x", CONNINFO_WRONG },
		{ "postgresql://db:99999/x", CONNINFO_WRONG },
		{ "postgresql://[::1/x", CONNINFO_WRONG },
		{ "postgresql://db/x?sslmode", CONNINFO_WRONG },
		{ "host=db dbname='x", CONNINFO_WRONG },
		{ "host=db x", CONNINFO_WRONG },
		{ "=db", CONNINFO_WRONG },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct peer_config c;
		if (parse(cases[i].text, &c) != cases[i].result)
			fail_msg("wrong result for: %s", cases[i].text);
		assert_null(c.host);
	}
}

/* Any bytes: no crash, no read past the end (under ASan), nothing leaks. */
static void survives_anything(void **state)
{
	static const char alphabet[] = "postgresql://@:/?&=%[]' \\,a1host";
	(void)state;
	for (unsigned seed = 1; seed < 20000; seed++) {
		struct peer_config c;
		char text[64];
		srand(seed);
		size_t n = (size_t)rand() % 40, at = seed % 2 ? 13 : 0;
		memcpy(text, "postgresql://", 13);
		for (size_t i = 0; i < n; i++)
			text[at + i] = alphabet[(size_t)rand() % (sizeof(alphabet) - 1)];
		text[at + n] = '\0';
		if (parse(text, &c) == CONNINFO_PARTS)
			peer_config_free(&c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_parts),
		cmocka_unit_test(others),
		cmocka_unit_test(survives_anything),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
