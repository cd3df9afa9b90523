// SPDX-License-Identifier: PostgreSQL
/* What servers of every major sent is decoded into the scenes that were played on them, and agrees
 * with the positions, transactions and clock that they gave beside it. */
#include "pgoutput_captures.h"

#include <pgpier/format.h>

#define MOST_COLUMNS 8
#define MOST_NAMES 16
#define INT4 23
#define ACLITEM 1033

/* A relation or a type, by the number that the source has for it. */
struct named {
	uint32_t id;
	char *name, *line; /* line: as it was told */
	uint32_t types[MOST_COLUMNS];
};

struct told {
	const struct capture *capture;
	struct pgoutput_context context;
	size_t at; /* the message that is being told */
	struct strbuf text;
	struct named names[MOST_NAMES];
	size_t name_count;
	uint32_t stream;     /* the xid of the one we are in */
	bool from_elsewhere; /* this transaction has the origin's clock */
	lsn_t final;         /* this transaction's, as its begin says */
	lsn_t prepared_end;  /* the last message about a prepared transaction */
	int64_t prepared_us;
};

static struct named *find_named(struct told *t, uint32_t id)
{
	for (size_t i = 0; i < t->name_count; i++)
		if (t->names[i].id == id)
			return &t->names[i];
	return NULL;
}

/* Servers describe a relation again whenever they like: told once, and the same ever after. */
static struct named *tell_once_take(struct told *t, uint32_t id, char *name, char *line)
{
	struct named *n = find_named(t, id);
	if (n) {
		assert_string_equal(n->line, line);
		free(name);
		free(line);
		return n;
	}
	assert_true(t->name_count < MOST_NAMES);
	n = &t->names[t->name_count++];
	*n = (struct named){ .id = id, .name = name, .line = line };
	strbuf_addf(&t->text, "%s\n", line);
	return n;
}

static void tell_type(struct told *t, const struct pgoutput_message *m)
{
	char *name = xasprintf("%s.%s", m->type.schema, m->type.name);
	tell_once_take(t, m->type.id, name, xasprintf("type %s", name));
}

static void tell_relation(struct told *t, const struct pgoutput_message *m)
{
	struct strbuf line = STRBUF_INIT;
	struct pgoutput_column column;
	uint32_t types[MOST_COLUMNS] = { 0 };
	size_t count = 0;
	strbuf_addf(
		&line, "relation %s.%s %c:", m->relation.schema, m->relation.name, m->relation.identity);
	const char *at = m->relation.at;
	while (pgoutput_next_column(&at, m->relation.end, &column)) {
		const struct named *type = find_named(t, column.type);
		strbuf_addf(&line, "%s %s%s ", count ? "," : "", column.key ? "*" : "", column.name);
		if (type)
			strbuf_add(&line, type->name);
		else
			strbuf_addf(&line, "%u", column.type);
		if (column.typmod != -1)
			strbuf_addf(&line, "(%d)", column.typmod);
		assert_true(count < MOST_COLUMNS);
		types[count++] = column.type;
	}
	assert_int_equal(count, m->relation.columns);
	struct named *n =
		tell_once_take(t, m->relation.id, xstrdup(m->relation.name), strbuf_take(&line));
	memcpy(n->types, types, sizeof(types));
}

/* Numbers are told alike from text and from binary, so that scenes need not care. */
static void tell_value(struct told *t, const struct pgoutput_value *v, uint32_t type)
{
	if (v->kind == VALUE_NULL || v->kind == VALUE_UNCHANGED) {
		assert_int_equal(v->size, 0);
		strbuf_add(&t->text, v->kind == VALUE_NULL ? " null" : " unchanged");
		return;
	}
	/* The one type in our tables that has no binary form. */
	bool binary = t->capture->binary && type != ACLITEM;
	assert_int_equal(v->kind, binary ? VALUE_BINARY : VALUE_TEXT);
	if (binary && type == INT4) {
		const unsigned char *b = (const unsigned char *)v->bytes;
		assert_int_equal(v->size, 4);
		strbuf_addf(&t->text, " %d", (int)((uint32_t)b[0] << 24 | b[1] << 16 | b[2] << 8 | b[3]));
	} else {
		const char *quote = type == INT4 ? "" : "'";
		strbuf_addf(&t->text, " %s%.*s%s", quote, (int)v->size, v->bytes, quote);
	}
}

static void tell_row(struct told *t, const struct named *relation, struct pgoutput_tuple row)
{
	struct pgoutput_value v;
	size_t i = 0;
	while (pgoutput_next(&row, &v))
		tell_value(t, &v, relation->types[i++]);
	assert_int_equal(i, row.columns);
}

static const struct named *relation_of(struct told *t, uint32_t id)
{
	const struct named *relation = find_named(t, id);
	assert_non_null(relation);
	return relation;
}

static void tell_change(struct told *t, const struct pgoutput_message *m)
{
	const struct named *relation = relation_of(t, m->change.relation);
	strbuf_addf(&t->text, " %s:", relation->name);
	if (m->change.old_kind) {
		strbuf_addf(&t->text, " %c", m->change.old_kind);
		tell_row(t, relation, m->change.old_row);
	}
	if (m->kind == PGOUTPUT_UPDATE)
		strbuf_add(&t->text, " N");
	if (m->kind != PGOUTPUT_DELETE)
		tell_row(t, relation, m->change.new_row);
}

static void tell_truncate(struct told *t, const struct pgoutput_message *m)
{
	if (m->truncate.options & PGOUTPUT_TRUNCATE_CASCADE)
		strbuf_add(&t->text, " cascade");
	if (m->truncate.options & PGOUTPUT_TRUNCATE_RESTART)
		strbuf_add(&t->text, " restart");
	for (uint32_t i = 0; i < m->truncate.count; i++)
		strbuf_addf(&t->text, " %s", relation_of(t, pgoutput_truncated(m, i))->name);
}

static void tell_message(struct told *t, const struct pgoutput_message *m)
{
	if (!(m->message.flags & PGOUTPUT_MESSAGE_TRANSACTIONAL))
		strbuf_add(&t->text, " at once");
	strbuf_addf(&t->text, " '%s':", m->message.prefix);
	for (uint32_t i = 0; i < m->message.size; i++)
		strbuf_addf(&t->text, " %02x", (unsigned char)m->message.content[i]);
}

/* What comes behind the kind. */
static void tell_rest(struct told *t, const struct pgoutput_message *m)
{
	switch (m->kind) {
	case PGOUTPUT_INSERT:
	case PGOUTPUT_UPDATE:
	case PGOUTPUT_DELETE:
		tell_change(t, m);
		break;
	case PGOUTPUT_TRUNCATE:
		tell_truncate(t, m);
		break;
	case PGOUTPUT_MESSAGE:
		tell_message(t, m);
		break;
	case PGOUTPUT_ORIGIN:
		strbuf_addf(&t->text, " %s", m->origin.name);
		break;
	case PGOUTPUT_STREAM_ABORT:
		strbuf_addf(&t->text, " +%u", m->stream_abort.subxid - m->xid);
		break;
	default:
		if (m->kind >= PGOUTPUT_BEGIN_PREPARE)
			strbuf_addf(&t->text, " '%s'", m->prepared.gid);
	}
}

/* In how many segments a transaction is streamed is the server's affair: only the first is told. */
static void tell(struct told *t, const struct pgoutput_message *m)
{
	if (m->kind == PGOUTPUT_STREAM_START)
		t->stream = m->xid;
	if (m->kind == PGOUTPUT_TYPE) {
		tell_type(t, m);
	} else if (m->kind == PGOUTPUT_RELATION) {
		tell_relation(t, m);
	} else if (m->kind != PGOUTPUT_STREAM_STOP &&
			   (m->kind != PGOUTPUT_STREAM_START || m->stream_start.first)) {
		/* Of a subtransaction. */
		if (t->context.in_stream && m->xid != t->stream && m->kind != PGOUTPUT_ORIGIN)
			strbuf_addf(&t->text, "+%u ", m->xid - t->stream);
		strbuf_add(&t->text, pgoutput_kind_name(m->kind));
		tell_rest(t, m);
		strbuf_add(&t->text, "\n");
	}
}

/* ---- what the server says beside the bytes ---- */

static void check_time(const struct told *t, int64_t at_us)
{
	if (!t->from_elsewhere)
		assert_in_range(at_us, t->capture->since, t->capture->until);
	else
		assert_int_equal(at_us, INT64_C(1577836800) * 1000000); /* 2020-01-01, as the scene says */
}

static void check_begin(struct told *t, const struct pgoutput_message *m)
{
	const struct captured *next = &t->capture->messages[t->at + 1];
	t->from_elsewhere = next->bytes[0] == 'O';
	t->final = m->begin.final;
	check_time(t, m->begin.at_us);
}

static void check_commit(struct told *t, const struct pgoutput_message *m, lsn_t lsn)
{
	assert_int_equal(m->commit.flags, 0);
	assert_int_equal(m->commit.end, lsn);
	assert_true(m->commit.commit < lsn);
	if (m->kind == PGOUTPUT_COMMIT)
		assert_int_equal(m->commit.commit, t->final);
	check_time(t, m->commit.at_us);
	t->from_elsewhere = false;
}

static void check_stream_abort(struct told *t, const struct pgoutput_message *m, lsn_t lsn)
{
	assert_int_equal(m->stream_abort.lsn, t->capture->parallel ? lsn : 0);
	if (t->capture->parallel)
		check_time(t, m->stream_abort.at_us);
	else
		assert_int_equal(m->stream_abort.at_us, 0);
}

static void check_prepared(struct told *t, const struct pgoutput_message *m, lsn_t lsn)
{
	assert_int_equal(m->prepared.flags, 0);
	assert_true(m->prepared.lsn <= m->prepared.end);
	check_time(t, m->prepared.at_us);
	if (m->kind != PGOUTPUT_BEGIN_PREPARE)
		assert_int_equal(m->prepared.end, lsn);
	if (m->kind == PGOUTPUT_ROLLBACK_PREPARED) {
		assert_int_equal(m->prepared.lsn, t->prepared_end);
		assert_int_equal(m->prepared.prepared_us, t->prepared_us);
		assert_true(m->prepared.at_us > t->prepared_us);
	} else {
		assert_int_equal(m->prepared.prepared_us, 0);
	}
	t->prepared_end = m->prepared.end;
	t->prepared_us = m->prepared.at_us;
}

static void check_beside(struct told *t, const struct pgoutput_message *m)
{
	const struct captured *beside = &t->capture->messages[t->at];
	if (m->kind == PGOUTPUT_STREAM_ABORT)
		assert_int_equal(m->stream_abort.subxid, beside->xid);
	else if (m->kind == PGOUTPUT_BEGIN || m->kind >= PGOUTPUT_STREAM_START)
		assert_int_equal(m->xid, m->kind == PGOUTPUT_STREAM_STOP ? 0 : beside->xid);
	else if (!t->context.in_stream)
		assert_int_equal(m->xid, 0);
	if (m->kind == PGOUTPUT_BEGIN)
		check_begin(t, m);
	else if (m->kind == PGOUTPUT_COMMIT || m->kind == PGOUTPUT_STREAM_COMMIT)
		check_commit(t, m, beside->lsn);
	else if (m->kind == PGOUTPUT_MESSAGE)
		assert_int_equal(m->message.lsn, beside->lsn);
	else if (m->kind == PGOUTPUT_ORIGIN)
		assert_int_equal(m->origin.commit, UINT64_C(0x1A0000002B));
	else if (m->kind == PGOUTPUT_STREAM_ABORT)
		check_stream_abort(t, m, beside->lsn);
	else if (m->kind >= PGOUTPUT_BEGIN_PREPARE)
		check_prepared(t, m, beside->lsn);
}

/* ---- the scenes, as capture_pgoutput.py plays them ---- */

static const char rows_text[] =
	"begin\n"
	"type public.mood\n"
	"relation public.plain d: *id 23, note 1043(14), mood public.mood\n"
	"insert plain: 1 'a' 'ok'\n"
	"insert plain: 2 null null\n"
	"update plain: N 1 'é' 'ok'\n"
	"update plain: K 2 null null N 3 null null\n"
	"delete plain: K 1 null null\n"
	"commit\n"
	"begin\n"
	"relation odd \"one.ta ble f: *a 23, *b c 25\n"
	"insert ta ble: 1 null\n"
	"update ta ble: O 1 null N -2 null\n"
	"delete ta ble: O -2 null\n"
	"commit\n"
	"begin\n"
	"relation public.indexed i: a 23, *b 23, c 25\n"
	"insert indexed: 1 10 'x'\n"
	"update indexed: N 1 10 'y'\n"
	"update indexed: K null 10 null N 1 11 'y'\n"
	"delete indexed: K null 11 null\n"
	"commit\n"
	"begin\n"
	"relation public.toasted d: *id 23, n 23, big 25\n"
	"update toasted: N 1 2 unchanged\n"
	"update toasted: K 1 null null N 2 2 unchanged\n"
	"delete toasted: K 2 null null\n"
	"commit\n"
	"begin\n"
	"relation public.nothing n: t 25\n"
	"insert nothing: ''\n"
	"relation public.bare d:\n"
	"insert bare:\n"
	"commit\n"
	"begin\n"
	"type pg_catalog.pg_tables\n"
	"relation public.mixed d: *id 23, acl 1033, view pg_catalog.pg_tables\n"
	"insert mixed: 1 'postgres=r/postgres' null\n"
	"commit\n"
	"begin\n"
	"origin elsewhere\n"
	"insert nothing: 'far'\n"
	"commit\n";

static const char truncate_text[] =
	"begin\n"
	"truncate indexed ta ble\n"
	"commit\n"
	"begin\n"
	"truncate restart plain\n"
	"commit\n"
	"begin\n"
	"truncate cascade plain\n"
	"commit\n"
	"begin\n"
	"truncate cascade restart indexed\n"
	"commit\n";

static const char message_text[] =
	"message at once 'at once': 74 65 78 74\n"
	"begin\n"
	"insert nothing: 'm'\n"
	"message 'pre fix': 00 ff 00\n"
	"commit\n"
	"begin\n"
	"message '':\n"
	"commit\n";

static const char stream_text[] =
	"stream start\n"
	"insert plain: 11 'first' 'sad'\n"
	"+1 insert plain: 12 'undone' null\n"
	"stream abort +1\n"
	"+2 update plain: K 11 null null N 13 'first' 'sad'\n"
	"message 'in': 61 20 73 74 72 65 61 6d\n"
	"+2 delete plain: K 13 null null\n"
	"+2 truncate plain\n"
	"stream commit\n";

/* Since 18 a server looks whether a transaction is aborted before it streams it. */
static const char stream_aborted_text[] =
	"stream start\n"
	"insert nothing: 'never'\n"
	"stream abort +0\n";

static const char stream_end_text[] =
	"begin\n"
	"insert nothing: 'end'\n"
	"commit\n";

static const char two_phase_text[] =
	"begin prepare 'to keep'\n"
	"insert nothing: 'kept'\n"
	"prepare 'to keep'\n"
	"commit prepared 'to keep'\n"
	"begin prepare 'to lose'\n"
	"insert nothing: 'lost'\n"
	"prepare 'to lose'\n"
	"rollback prepared 'to lose'\n"
	"stream start\n"
	"insert nothing: 'large'\n"
	"stream prepare 'gid '3'\n"
	"commit prepared 'gid '3'\n";

static void expect_scenes(const struct capture *c, struct strbuf *out)
{
	strbuf_add(out, rows_text);
	if (c->major >= 11)
		strbuf_add(out, truncate_text);
	if (c->major >= 14)
		strbuf_add(out, message_text);
	if (c->streaming) {
		strbuf_add(out, stream_text);
		strbuf_add(out, c->major < 18 ? stream_aborted_text : "");
		strbuf_add(out, stream_end_text);
	}
	if (c->two_phase)
		strbuf_add(out, two_phase_text);
}

/* Shows the first line that differs; the whole is too long for a message. */
static void assert_same_lines(const char *got, const char *expected)
{
	while (*got != '\0' || *expected != '\0') {
		size_t a = strcspn(got, "\n"), b = strcspn(expected, "\n");
		if (a != b || memcmp(got, expected, a) != 0)
			fail_msg("\"%.*s\" instead of \"%.*s\"", (int)a, got, (int)b, expected);
		got += a + (got[a] != '\0');
		expected += b + (expected[b] != '\0');
	}
}

static void told_finish(struct told *t)
{
	for (size_t i = 0; i < t->name_count; i++) {
		free(t->names[i].name);
		free(t->names[i].line);
	}
	strbuf_free(&t->text);
}

static void scenes_are_told(const struct capture *c, size_t seen[PGOUTPUT_KIND_COUNT])
{
	struct told t = { .capture = c, .context = { .version = c->version } };
	struct strbuf expected = STRBUF_INIT;
	for (t.at = 0; t.at < c->count; t.at++) {
		struct pgoutput_message m;
		struct error e;
		if (!pgoutput_decode(&t.context, c->messages[t.at].bytes, c->messages[t.at].size, &m, &e))
			fail_msg("message %zu: %s", t.at, e.text);
		check_beside(&t, &m);
		tell(&t, &m);
		seen[m.kind]++;
	}
	assert_false(t.context.in_stream);
	expect_scenes(c, &expected);
	assert_same_lines(t.text.text, expected.text);
	strbuf_free(&expected);
	told_finish(&t);
}

static void servers_say_what_was_played(void **state)
{
	size_t seen[PGOUTPUT_KIND_COUNT] = { 0 };
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(capture_names); i++) {
		struct capture *c = capture_load(capture_names[i]);
		print_message("%s: %zu messages\n", capture_names[i], c->count);
		scenes_are_told(c, seen);
		capture_free(c);
	}
	for (enum pgoutput_kind kind = 0; kind < PGOUTPUT_KIND_COUNT; kind++)
		if (seen[kind] == 0)
			fail_msg("no server sent a %s", pgoutput_kind_name(kind));
}

/* ---- positions ---- */

static void positions_go_to_text_and_back(void **state)
{
	static const struct {
		lsn_t lsn;
		const char *text;
	} pairs[] = {
		{ 0, "0/0" },
		{ 0x1501E90, "0/1501E90" },
		{ UINT64_C(0x16B374D848), "16/B374D848" },
		{ UINT64_C(0x100000000), "1/0" },
		{ UINT64_MAX, "FFFFFFFF/FFFFFFFF" },
	};
	char buf[FORMAT_SIZE];
	lsn_t lsn;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		assert_string_equal(format_lsn(pairs[i].lsn, buf), pairs[i].text);
		assert_true(lsn_parse(pairs[i].text, &lsn));
		assert_int_equal(lsn, pairs[i].lsn);
	}
	assert_true(lsn_parse("0000016/0b374d84", &lsn));
	assert_int_equal(lsn, UINT64_C(0x160B374D84));
}

static void what_is_no_position_is_refused(void **state)
{
	static const char *const texts[] = { "", "/", "0", "0/", "/0", "0/0 ", " 0/0", "0/0/0", "0x1/2",
		"-1/2", "1/+2", "1/ 2", "123456789/0", "0/123456789", "G/0", "0/g" };
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		lsn_t lsn = 42;
		assert_false(lsn_parse(texts[i], &lsn));
		assert_int_equal(lsn, 42);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(servers_say_what_was_played),
		cmocka_unit_test(positions_go_to_text_and_back),
		cmocka_unit_test(what_is_no_position_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
