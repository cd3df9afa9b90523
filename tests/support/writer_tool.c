// SPDX-License-Identifier: PostgreSQL
/* Applies what a slot has to a target with src/replicate's writer, without the engine around it.
 *
 *   writer_tool [options] SOURCE TARGET SLOT PUBLICATION TABLE...
 *
 * SOURCE and TARGET are libpq strings, TABLE is schema.name or schema.name=schema.name. Options are of all tables:
 *   -g N        so many source transactions in one target transaction (default 1; 0: all of them)
 *   -f N        a flush after so many changes
 *   -s COLUMN   soft delete, -y COLUMN synced at, -x COLUMN excluded, -k COLUMN key (default: the source's; -K: none)
 *   -r          rows may be there or not
 *   -m N        the mirror whose row in pgpier.replication gets the position (default 1)
 *   -t          says how long it took
 *
 * SIGTERM raises its stop. Prints "table NAME inserts updates deletes truncates missing" sums, "slow N WHY" and "missing ROW".
 * Exit code 1 with the error and the culprit on stdout. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "pg/conn.h"
#include "replicate/writer.h"

struct tool {
	struct pg *source, *target;
	struct writer *writer;
	const char *slot, *publication;
	struct apply_table *tables;
	struct writer_counts *sums;
	lsn_t *reconcile_until;
	size_t count;
	struct strings key, excluded;
	const char *deleted, *synced;
	bool no_key, reconcile, timed;
	long group, flush;
	int64_t mirror_id;
	/* in the stream */
	struct pgoutput_context context;
	long transactions;
	lsn_t end; /* of the last transaction that was added */
};

static const char key_sql[] =
	"SELECT a.attname FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid"
	" JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)"
	" WHERE c.oid = to_regclass($1) AND (i.indisreplident OR i.indisprimary AND i.indimmediate"
	" AND c.relreplident IN ('d', 'f'))";

static bool read_key(struct tool *t, struct apply_table *table, const char *quoted, struct error *e)
{
	if (t->no_key || t->key.count > 0) {
		strings_copy(&table->key, &t->key);
		return true;
	}
	struct rows *r = PG_ROWS(t->source, e, key_sql, quoted);
	for (int i = 0; r && i < rows_count(r); i++)
		strings_add(&table->key, rows_text(r, i, 0));
	rows_free(r);
	return r != NULL;
}

static void split(const char *name, size_t size, char schema[NAME_SIZE], char table[NAME_SIZE])
{
	const char *dot = memchr(name, '.', size);
	size_t first = (size_t)(dot - name);
	snprintf(schema, NAME_SIZE, "%.*s", (int)first, name);
	snprintf(table, NAME_SIZE, "%.*s", (int)(size - first - 1), dot + 1);
}

static bool add_table(struct tool *t, size_t i, const char *text, struct error *e)
{
	struct apply_table *table = &t->tables[i];
	char schema[NAME_SIZE], name[NAME_SIZE];
	const char *equals = strchr(text, '='), *target = equals ? equals + 1 : text;
	split(text, equals ? (size_t)(equals - text) : strlen(text), schema, name);
	split(target, strlen(target), table->target_schema, table->target_name);
	snprintf(table->source, sizeof(table->source), "%s.%s", schema, name);
	table->index = i;
	table->deleted_column = t->deleted;
	table->synced_column = t->synced;
	table->reconcile = t->reconcile;
	table->reconcile_until = &t->reconcile_until[i];
	strings_copy(&table->excluded, &t->excluded);
	struct strbuf quoted = STRBUF_INIT;
	quote_qualified(&quoted, schema, name);
	bool ok = read_key(t, table, quoted.text, e);
	strbuf_free(&quoted);
	return ok;
}

/* ---- the stream ---- */

static struct apply_table *find(struct tool *t, const struct pgoutput_message *m)
{
	char name[2 * NAME_SIZE];
	snprintf(name, sizeof(name), "%s.%s", m->relation.schema, m->relation.name);
	for (size_t i = 0; i < t->count; i++)
		if (strcmp(t->tables[i].source, name) == 0)
			return &t->tables[i];
	return NULL;
}

static bool commit(struct tool *t, struct error *e)
{
	size_t n;
	if (!writer_commit(t->writer, t->end, false, e))
		return false;
	const struct writer_counts *c = writer_counts(t->writer, &n);
	for (size_t i = 0; i < n; i++) {
		struct writer_counts *sum = &t->sums[c[i].table];
		sum->inserts += c[i].inserts;
		sum->updates += c[i].updates;
		sum->deletes += c[i].deletes;
		sum->truncates += c[i].truncates;
		sum->missing += c[i].missing;
	}
	t->transactions = 0;
	return true;
}

static bool apply(struct tool *t, const struct pgoutput_message *m, struct error *e)
{
	switch (m->kind) {
	case PGOUTPUT_BEGIN:
		writer_begin(t->writer, m->begin.final);
		return true;
	case PGOUTPUT_RELATION:
		return writer_relation(t->writer, m, find(t, m), e);
	case PGOUTPUT_INSERT:
	case PGOUTPUT_UPDATE:
	case PGOUTPUT_DELETE:
	case PGOUTPUT_TRUNCATE:
		if (!writer_add(t->writer, m, e))
			return false;
		if (t->flush > 0 && writer_changes(t->writer) >= (size_t)t->flush)
			return writer_flush(t->writer, e);
		return true;
	case PGOUTPUT_COMMIT:
		t->end = m->commit.end;
		t->transactions++;
		return t->group == 0 || t->transactions < t->group || commit(t, e);
	default:
		return true;
	}
}

static int digit(char c)
{
	return c <= '9' ? c - '0' : c - 'a' + 10;
}

/* "\x4200..." in place; gives the number of bytes. */
static size_t from_hex(char *text)
{
	size_t n = 0;
	for (const char *p = text + 2; *p; p += 2)
		text[n++] = (char)(digit(p[0]) << 4 | digit(p[1]));
	return n;
}

static struct rows *read_slot(struct tool *t, struct error *e)
{
	return PG_ROWS(t->source, e,
		"SELECT data FROM pg_logical_slot_get_binary_changes($1, NULL, NULL, 'proto_version', '1',"
		" 'publication_names', $2)", t->slot, t->publication);
}

static bool work(struct tool *t, struct error *e)
{
	struct rows *r = read_slot(t, e);
	struct timespec cpu[2];
	if (!r)
		return false;
	bool ok = true;
	int64_t began = clock_us();
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu[0]);
	for (int i = 0; i < rows_count(r) && ok; i++) {
		struct pgoutput_message m;
		char *bytes = (char *)(uintptr_t)rows_text(r, i, 0);
		size_t size = from_hex(bytes);
		ok = pgoutput_decode(&t->context, bytes, size, &m, e) && apply(t, &m, e);
	}
	ok = ok && (t->transactions == 0 || commit(t, e));
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu[1]);
	if (t->timed)
		printf("%d messages, %.3f s, %.3f s of CPU\n", rows_count(r), (double)(clock_us() - began) / 1e6,
			(double)(cpu[1].tv_sec - cpu[0].tv_sec) + (double)(cpu[1].tv_nsec - cpu[0].tv_nsec) / 1e9);
	rows_free(r);
	return ok;
}

/* ---- around it ---- */

static void report(const struct tool *t)
{
	const char *why;
	int64_t slow = writer_slow_batches(t->writer, &why);
	for (size_t i = 0; i < t->count; i++)
		printf("table %s %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 "\n", t->tables[i].source,
			t->sums[i].inserts, t->sums[i].updates, t->sums[i].deletes, t->sums[i].truncates,
			t->sums[i].missing);
	printf("slow %" PRId64 " %s\n", slow, why);
	printf("missing %s\n", writer_missing(t->writer));
}

static int fail(const struct tool *t, const struct error *e)
{
	const struct apply_table *culprit = t->writer ? writer_culprit(t->writer) : NULL;
	char line[1100];
	printf("error %s %s: %s\n%s\n", error_class_name(e->class), e->sqlstate,
		error_line(e, line, sizeof(line)), e->detail);
	printf("culprit %s\n", culprit ? culprit->source : "");
	return 1;
}

static bool read_options(struct tool *t, int argc, char **argv)
{
	int option;
	while ((option = getopt(argc, argv, "g:f:s:y:x:k:Krm:t")) != -1) {
		switch (option) {
		case 'g':
			t->group = atol(optarg);
			break;
		case 'f':
			t->flush = atol(optarg);
			break;
		case 's':
			t->deleted = optarg;
			break;
		case 'y':
			t->synced = optarg;
			break;
		case 'x':
			strings_add(&t->excluded, optarg);
			break;
		case 'k':
			strings_add(&t->key, optarg);
			break;
		case 'K':
			t->no_key = true;
			break;
		case 'r':
			t->reconcile = true;
			break;
		case 'm':
			t->mirror_id = atol(optarg);
			break;
		case 't':
			t->timed = true;
			break;
		default:
			return false;
		}
	}
	return optind + 4 < argc;
}

static bool add_tables(struct tool *t, int n, char **names, struct error *e)
{
	t->count = (size_t)n;
	t->tables = xcalloc(t->count, sizeof(*t->tables));
	t->sums = xcalloc(t->count, sizeof(*t->sums));
	t->reconcile_until = xcalloc(t->count, sizeof(*t->reconcile_until));
	for (size_t i = 0; i < t->count; i++)
		if (!add_table(t, i, names[i], e))
			return false;
	return true;
}

static int run(struct tool *t, const struct peer_config *source, int n, char **names)
{
	struct error e = { 0 };
	const struct writer_settings settings = { .mirror_id = t->mirror_id, .source = source, .mirror = "tool" };
	if (!t->target || !add_tables(t, n, names, &e))
		return fail(t, &e);
	t->writer = writer_new(t->target, &settings);
	int code = work(t, &e) ? 0 : fail(t, &e);
	if (code)
		writer_abort(t->writer);
	report(t);
	writer_free(t->writer);
	return code;
}

static struct stop *stop;

static void on_signal(int number)
{
	(void)number;
	stop_raise(stop);
}

int main(int argc, char **argv)
{
	struct tool t = { .group = 1, .mirror_id = 1, .context.version = 1 };
	struct error e = { 0 };
	if (!read_options(&t, argc, argv)) {
		fputs("usage: writer_tool [options] SOURCE TARGET SLOT PUBLICATION TABLE...\n", stderr);
		return 2;
	}
	struct peer_config source = { .name = xstrdup("source"), .conninfo = xstrdup(argv[optind]) };
	struct peer_config target = { .name = xstrdup("target"), .conninfo = xstrdup(argv[optind + 1]) };
	stop = stop_new(NULL);
	signal(SIGTERM, on_signal);
	t.slot = argv[optind + 2];
	t.publication = argv[optind + 3];
	t.source = pg_connect(&source, NULL, "tool", stop, &e);
	t.target = t.source ? pg_connect(&target, NULL, "tool", stop, &e) : NULL;
	int code = t.target ? run(&t, &source, argc - optind - 4, argv + optind + 4) : fail(&t, &e);
	pg_free(t.source);
	pg_free(t.target);
	stop_free(stop);
	for (size_t i = 0; i < t.count; i++) {
		strings_free(&t.tables[i].key);
		strings_free(&t.tables[i].excluded);
	}
	free(t.tables);
	free(t.sums);
	free(t.reconcile_until);
	strings_free(&t.key);
	strings_free(&t.excluded);
	peer_config_free(&source);
	peer_config_free(&target);
	return code;
}
