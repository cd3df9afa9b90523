// SPDX-License-Identifier: PostgreSQL
/* Verifies a mirror where nobody writes, as a cutover does, and tells what the store knows of it afterwards.
 *
 *   rest_tool SOURCE TARGET MIRROR LEVEL POSITION [TABLE...]
 *
 * SOURCE and TARGET are libpq strings, TABLE is schema.name, POSITION an LSN. Three lines: "VERDICT EQUAL DIFFERING
 * UNSURE ROWS", the reason, and of the last exact verification of the whole mirror "LEVEL VERDICT LSN", or "none". Exit
 * code 2 with an error on stderr. */
#include <pgpier/format.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lsn.h"
#include "store/verifications.h"
#include "verify/verify.h"

static enum verify_level level_of(const char *name)
{
	for (int l = 0; verify_level_names[l]; l++)
		if (strcmp(verify_level_names[l], name) == 0)
			return (enum verify_level)l;
	return VERIFY_CHECKSUM;
}

static bool print_last(struct verify_settings *s, struct error *e)
{
	struct store_verification last;
	char at[FORMAT_SIZE];
	bool found = false;
	int64_t id;
	lsn_t applied;
	struct pg *target = pg_connect(s->target, "tool", "last", s->stop, e);
	bool ok = target && store_find(target, s->config->name, &id, &applied, e) &&
			  store_verification_last(target, id, s->level, &last, &found, e);
	if (ok && found)
		printf("%s %s %s\n", verify_level_names[last.level], verify_verdict_name(last.verdict), format_lsn(last.lsn, at));
	else if (ok)
		puts("none");
	pg_free(target);
	return ok;
}

static bool run(struct verify_settings *s, const char *position, struct error *e)
{
	struct verify_short out;
	lsn_t lsn;
	if (!lsn_parse(position, &lsn))
		return error_set(e, ERROR_USAGE, "%s is no position", position);
	if (!verify_at_rest(s, lsn, &out, e))
		return false;
	printf("%s %zu %zu %zu %lld\n%s\n", verify_verdict_name(out.verdict), out.equal, out.differing, out.unsure,
		(long long)out.rows, out.reason);
	verification_release(out.whole);
	return print_last(s, e);
}

int main(int argc, char **argv)
{
	struct error e = { 0 };
	char line[1200];
	if (argc < 6)
		return 2;
	struct peer_config source = { .name = xstrdup("source"), .conninfo = xstrdup(argv[1]) };
	struct peer_config target = { .name = xstrdup("target"), .conninfo = xstrdup(argv[2]) };
	struct mirror_config config;
	struct strings only = { .items = argv + 6, .count = (size_t)argc - 6 };
	struct stop *stop = stop_new(NULL);
	struct model *model = model_new();
	mirror_config_defaults(&config);
	config.name = xstrdup(argv[3]);
	config.continuous = true;
	struct verify_settings s = { .config = &config, .source = &source, .target = &target, .level = level_of(argv[4]),
		.only = argc > 6 ? &only : NULL, .model = model, .stop = stop };
	bool ok = run(&s, argv[5], &e);
	if (!ok)
		fprintf(stderr, "%s: %s\n", error_class_name(e.class), error_line(&e, line, sizeof(line)));
	model_free(model);
	stop_free(stop);
	mirror_config_free(&config);
	peer_config_free(&source);
	peer_config_free(&target);
	return ok ? 0 : 2;
}
