// SPDX-License-Identifier: PostgreSQL
/* Who runs a server, from its signs; and what to do there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "pg/provider.h"

static enum provider with(const char *one, const char *two)
{
	struct strings signs = { 0 };
	strings_add(&signs, "setting work_mem");
	strings_add(&signs, one);
	if (two)
		strings_add(&signs, two);
	enum provider p = provider_of(&signs);
	strings_free(&signs);
	return p;
}

static void signs_name_the_provider(void **state)
{
	(void)state;
	assert_int_equal(with("setting rds.logical_replication", NULL), PROVIDER_RDS);
	assert_int_equal(with("host shop.c8x.eu-west-1.rds.amazonaws.com", NULL), PROVIDER_RDS);
	assert_int_equal(with("role rds_superuser", "function aurora_version"), PROVIDER_AURORA);
	assert_int_equal(with("host shop.cluster-c8x.eu-west-1.rds.amazonaws.com", NULL), PROVIDER_AURORA);
	assert_int_equal(with("setting cloudsql.iam_authentication", NULL), PROVIDER_CLOUD_SQL);
	assert_int_equal(with("role cloudsqlsuperuser", "setting alloydb.logical_decoding"), PROVIDER_ALLOYDB);
	assert_int_equal(with("setting azure.extensions", NULL), PROVIDER_AZURE);
	assert_int_equal(with("host Shop.postgres.database.azure.com", NULL), PROVIDER_AZURE);
	assert_int_equal(with("role supabase_admin", NULL), PROVIDER_SUPABASE);
	assert_int_equal(with("host aws-0-eu-west-1.pooler.supabase.com", NULL), PROVIDER_SUPABASE);
	assert_int_equal(with("schema heroku_ext", NULL), PROVIDER_HEROKU);
	assert_int_equal(with("host pg-1.aivencloud.com", NULL), PROVIDER_AIVEN);
	assert_int_equal(with("host ep-cool-1.eu-west-2.aws.neon.tech", NULL), PROVIDER_NEON);
	assert_int_equal(with("directory /var/lib/postgresql/data", NULL), PROVIDER_DOCKER);
	assert_int_equal(with("directory /var/lib/postgresql/18/docker", NULL), PROVIDER_DOCKER);
	assert_int_equal(with("directory /var/lib/postgresql/15/main", NULL), PROVIDER_SELF);
	assert_int_equal(with("host rds.example.org", NULL), PROVIDER_SELF);
}

static void says(enum provider p, enum provider_need need, const char *words)
{
	char *next = provider_next(p, need, "Mover \"x\"");
	if (!strstr(next, words))
		fail_msg("%s: \"%s\" does not say \"%s\"", provider_name(p), next, words);
	free(next);
}

static void each_is_told_in_its_own_words(void **state)
{
	(void)state;
	says(PROVIDER_RDS, NEED_WAL_LEVEL, "rds.logical_replication = 1");
	says(PROVIDER_AURORA, NEED_WAL_LEVEL, "DB cluster parameter group");
	says(PROVIDER_CLOUD_SQL, NEED_WAL_LEVEL, "cloudsql.logical_decoding=on");
	says(PROVIDER_ALLOYDB, NEED_WAL_LEVEL, "alloydb.logical_decoding=on");
	says(PROVIDER_AZURE, NEED_WAL_LEVEL, "az postgres flexible-server");
	says(PROVIDER_NEON, NEED_DIRECT, "without -pooler");
	says(PROVIDER_SUPABASE, NEED_DIRECT, "db.PROJECT.supabase.co");
	says(PROVIDER_DOCKER, NEED_WAL_LEVEL, "docker restart");
	says(PROVIDER_RDS, NEED_REPLICATION, "GRANT rds_replication TO \"Mover \"\"x\"\"\"");
	/* What a provider has no words for is done as anywhere. */
	says(PROVIDER_DOCKER, NEED_REPLICATION, "ALTER ROLE \"Mover \"\"x\"\"\" REPLICATION");
	says(PROVIDER_NEON, NEED_SESSION_ROLE, "GRANT SET ON PARAMETER");
}

static void every_need_has_words_everywhere(void **state)
{
	(void)state;
	for (int p = 0; p < PROVIDER_COUNT; p++) {
		assert_true(strlen(provider_name((enum provider)p)) > 0);
		for (int need = 0; need < NEED_COUNT; need++) {
			char *next = provider_next((enum provider)p, (enum provider_need)need, "r");
			assert_true(strlen(next) > 8);
			assert_null(strchr(next, '@'));
			free(next);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signs_name_the_provider),
		cmocka_unit_test(each_is_told_in_its_own_words),
		cmocka_unit_test(every_need_has_words_everywhere),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
