// SPDX-License-Identifier: PostgreSQL
/* Any bytes as pgpier.conf: no crash, no hang; and what is accepted is accepted again after it was
 * saved. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <pgpier/config.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__lsan_default_suppressions(void);

/* libconfig 1.5 forgets a buffer when it meets some syntax errors. */
const char *__lsan_default_suppressions(void)
{
	return "leak:libconfig.so";
}

static void write_file(const char *path, const void *bytes, size_t size)
{
	FILE *f = fopen(path, "w");
	if (!f || fwrite(bytes, 1, size, f) != size || fclose(f) != 0)
		abort();
}

static char *make_folder(void)
{
	char *folder = xstrdup("/dev/shm/fuzz-config-XXXXXX");
	if (!mkdtemp(folder))
		abort();
	return folder;
}

static void saved_loads_again(struct config *c, const char *path)
{
	struct config_problems problems = { 0 };
	struct error e;
	for (size_t i = 0; i < c->peer_count; i++)
		c->peers[i].editable = true;
	for (size_t i = 0; i < c->mirror_count; i++)
		c->mirrors[i].editable = true;
	if (!config_save_peers(c, &e) || !config_save_mirrors(c, &e))
		abort();
	write_file(path, "", 0);
	struct config *again = config_load(path, &problems);
	if (!again || again->peer_count != c->peer_count || again->mirror_count != c->mirror_count)
		abort();
	config_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config_problems problems = { 0 };
	char *folder = make_folder();
	char *path = xasprintf("%s/pgpier.conf", folder);
	char *peers = xasprintf("%s/peers.conf", folder);
	char *mirrors = xasprintf("%s/mirrors.conf", folder);
	write_file(path, data, size);
	chmod(path, 0600);
	struct config *c = config_load(path, &problems);
	if ((c == NULL) != (problems.lines.count > 0))
		abort();
	if (c)
		saved_loads_again(c, path);
	config_free(c);
	config_problems_free(&problems);
	unlink(path);
	unlink(peers);
	unlink(mirrors);
	rmdir(folder);
	free(mirrors);
	free(peers);
	free(path);
	free(folder);
	return 0;
}
