// SPDX-License-Identifier: PostgreSQL
/* The text of pg_restore -v, taken apart. An entry begins with a comment block
 *
 *     --
 *     -- TOC entry 215 (class 1259 OID 16386)
 *     -- Dependencies: 5 214
 *     -- Name: t; Type: TABLE; Schema: s; Owner: o; Tablespace: x
 *     --
 *
 * and goes on to the next one. Bodies of functions and comments may hold lines that look the same, so the
 * text is read token by token: only a comment that is a comment counts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dump.h"
#include "lexer.h"

/* What entries are run under beside the header: it stays as it is until it is set anew. */
static const char *const states[] = { "default_tablespace", "default_table_access_method" };

struct span {
	const char *start, *end;
};

struct parse {
	struct dump *dump;
	const char *at, *end; /* behind the token; of the text */
	bool post;
	bool complete;        /* its last line was seen */
	char *state[ARRAY_SIZE(states)]; /* the SET as it is now; NULL none yet */
	const char *settings; /* all of them */
	int *numbers;         /* pg_dump's, by entry */
	bool in_entry;        /* else in the header */
	struct span sql;      /* the entry's statements so far */
	struct span give;     /* among them, the one that gives it to its owner */
};

static const char *keep(struct dump *d, const char *text, size_t n)
{
	char *copy = strndup(text, n);
	strings_add(&d->kept, copy ? copy : "");
	free(copy);
	return d->kept.items[d->kept.count - 1];
}

static struct dump_entry *current(struct parse *p)
{
	return &p->dump->entries[p->dump->count - 1];
}

/* ---- the block ---- */

static bool starts_with(const char *p, const char *end, const char *word)
{
	size_t n = strlen(word);
	return (size_t)(end - p) >= n && memcmp(p, word, n) == 0;
}

static const char *line_end(const char *p, const char *end)
{
	const char *newline = memchr(p, '\n', (size_t)(end - p));
	return newline ? newline : end;
}

static void add_needs(struct dump_entry *e, const char *p, const char *end)
{
	while (p < end) {
		char *behind;
		long id = strtol(p, &behind, 10);
		if (behind == p)
			break;
		GROW(e->needs, e->need_count);
		e->needs[e->need_count++] = (int)id;
		p = behind;
	}
}

static const char *last_of(const char *from, const char *end, const char *word)
{
	size_t n = strlen(word);
	for (const char *p = end - n; p >= from; p--)
		if (memcmp(p, word, n) == 0)
			return p;
	return NULL;
}

/* From behind the separator to the next one; a dash stands for none. */
static const char *field(struct parse *p, const char *separator, const char *word, const char *end)
{
	const char *start = separator + strlen(word);
	bool none = end - start == 1 && *start == '-';
	return keep(p->dump, start, none ? 0 : (size_t)(end - start));
}

/* "-- Name: n; Type: T; Schema: s; Owner: o[; Tablespace: x]": read from its end, because names may hold
 * anything but line ends, and the first one is the one that people choose most freely. */
static bool read_names(struct parse *p, struct dump_entry *e, const char *line, const char *end)
{
	const char *tablespace = last_of(line, end, "; Tablespace: ");
	const char *owner_end = tablespace ? tablespace : end;
	const char *owner = last_of(line, owner_end, "; Owner: ");
	const char *schema = owner ? last_of(line, owner, "; Schema: ") : NULL;
	const char *kind = schema ? last_of(line, schema, "; Type: ") : NULL;
	if (!kind)
		return false;
	e->name = field(p, line, "-- Name: ", kind);
	e->kind = field(p, kind, "; Type: ", schema);
	e->schema = field(p, schema, "; Schema: ", owner);
	e->owner = field(p, owner, "; Owner: ", owner_end);
	return true;
}

static struct dump_entry *add_entry(struct parse *p, int number)
{
	struct dump *d = p->dump;
	GROW(d->entries, d->count);
	p->numbers = xrealloc(p->numbers, (d->count + 1) * sizeof(int));
	p->numbers[d->count] = number;
	struct dump_entry *e = &d->entries[d->count++];
	*e = (struct dump_entry){ .id = (int)d->count, .post = p->post, .sql = "", .settings = "" };
	return e;
}

/* p->at moves behind the block. */
static bool read_block(struct parse *p, const char *dashes, struct error *e)
{
	int number = 0;
	long long class_oid = 0, oid = 0;
	const char *line = line_end(dashes, p->end) + 1, *end = line_end(line, p->end);
	if (sscanf(line, "-- TOC entry %d (class %lld OID %lld)", &number, &class_oid, &oid) != 3)
		return error_set(e, ERROR_BUG, "pg_restore: unexpected %.80s", line);
	struct dump_entry *entry = add_entry(p, number);
	entry->class_oid = class_oid;
	entry->oid = oid;
	for (line = end + 1; line < p->end; line = end + 1) {
		end = line_end(line, p->end);
		if (starts_with(line, end, "-- Dependencies:"))
			add_needs(entry, line + strlen("-- Dependencies:"), end);
		else if (starts_with(line, end, "-- Name: ") && !read_names(p, entry, line, end))
			return error_set(e, ERROR_BUG, "pg_restore: unexpected %.80s", line);
		else if (end - line == 2)
			break;
	}
	p->at = end < p->end ? end + 1 : end;
	p->in_entry = true;
	return entry->kind || error_set(e, ERROR_BUG, "pg_restore: entry %d has no name", number);
}

/* ---- its statements ---- */

/* Kinds of objects with storage, which is what those settings are about. */
static bool has_storage(const char *kind)
{
	static const char *const kinds[] = { "TABLE", "MATERIALIZED VIEW", "INDEX", "CONSTRAINT" };
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strcmp(kinds[i], kind) == 0)
			return true;
	return false;
}

/* pg_restore sets them right before the block of the entry that needs them. */
static bool note_state(struct parse *p, struct span s)
{
	const char *at = s.start;
	struct token set = lexer_code(&at, s.end), name = lexer_code(&at, s.end);
	struct strbuf all = STRBUF_INIT;
	bool known = false;
	for (size_t i = 0; token_is(&set, "SET") && i < ARRAY_SIZE(states); i++) {
		if (token_is(&name, states[i])) {
			free(p->state[i]);
			p->state[i] = strndup(s.start, (size_t)(s.end - s.start));
			known = true;
		}
	}
	for (size_t i = 0; known && i < ARRAY_SIZE(states); i++)
		if (p->state[i])
			strbuf_addf(&all, "%s%s", all.len ? "\n" : "", p->state[i]);
	if (known)
		p->settings = keep(p->dump, all.text, all.len);
	strbuf_free(&all);
	return known;
}

/* "ALTER ... OWNER TO role;" */
static bool gives(struct span s)
{
	const char *at = s.start;
	struct token last[4] = { 0 }, t = lexer_code(&at, s.end);
	if (!token_is(&t, "ALTER"))
		return false;
	for (; t.kind != TOKEN_END; t = lexer_code(&at, s.end)) {
		memmove(last, last + 1, 3 * sizeof(*last));
		last[3] = t;
	}
	return token_is(&last[0], "OWNER") && token_is(&last[1], "TO") && token_is_char(&last[3], ';');
}

static void statement(struct parse *p, struct span s)
{
	if (note_state(p, s))
		return;
	if (!p->in_entry) {
		char *text = strndup(s.start, (size_t)(s.end - s.start));
		if (!p->post) /* the other section's are the same */
			strings_add(&p->dump->header, text);
		free(text);
		return;
	}
	if (!p->sql.start)
		p->sql.start = s.start;
	p->sql.end = s.end;
	if (gives(s))
		p->give = s;
}

static void add_trimmed(struct strbuf *b, const char *start, const char *end)
{
	while (end > start && strchr(" \t\r\n", end[-1]))
		end--;
	while (start < end && strchr(" \t\r\n", *start))
		start++;
	if (end > start)
		strbuf_addf(b, "%s%.*s", b->len ? "\n\n" : "", (int)(end - start), start);
}

static void finish_entry(struct parse *p)
{
	struct strbuf sql = STRBUF_INIT;
	if (p->in_entry) {
		struct dump_entry *e = current(p);
		if (p->give.start) {
			e->give_sql = keep(p->dump, p->give.start, (size_t)(p->give.end - p->give.start));
			add_trimmed(&sql, p->sql.start, p->give.start);
			add_trimmed(&sql, p->give.end, p->sql.end);
		} else if (p->sql.start) {
			add_trimmed(&sql, p->sql.start, p->sql.end);
		}
		if (sql.len)
			e->sql = keep(p->dump, sql.text, sql.len);
	}
	strbuf_free(&sql);
	p->in_entry = false;
	p->sql = p->give = (struct span){ NULL, NULL };
}

/* ---- the text ---- */

/* "-- Dumped from database version 15.3 (Debian ...)" */
static void header_line(struct parse *p, const struct token *t)
{
	int major = 0, minor = 0, patch = 0;
	if (starts_with(t->start, p->end, "-- PostgreSQL database dump complete"))
		p->complete = true;
	if (p->in_entry || sscanf(t->start, "-- Dumped from database version %d.%d.%d", &major, &minor, &patch) < 1)
		return;
	p->dump->server_version = major >= 10 ? major * 10000 + minor : major * 10000 + minor * 100 + patch;
}

static bool at_line_start(const char *text, const char *p)
{
	return p == text || p[-1] == '\n';
}

/* A statement ends at a semicolon; in a function's BEGIN ATOMIC body that takes it to pieces, which do no harm:
 * pieces are only put together again. */
static bool read_section(struct parse *p, const char *text, struct error *e)
{
	const char *start = NULL;
	int depth = 0;
	p->at = text;
	p->end = text + strlen(text);
	for (;;) {
		struct token t = lexer_next(&p->at, p->end);
		bool begins = at_line_start(text, t.start);
		if (t.kind == TOKEN_END)
			break;
		if (t.kind == TOKEN_COMMENT && begins && starts_with(t.start, p->end, "--\n-- TOC entry ")) {
			finish_entry(p);
			if (!read_block(p, t.start, e))
				return false;
			current(p)->settings = has_storage(current(p)->kind) && p->settings ? p->settings : "";
			start = NULL;
			depth = 0;
		} else if (t.kind == TOKEN_COMMENT) {
			header_line(p, &t);
		} else if (token_is_char(&t, '\\') && begins && !start) {
			p->at = line_end(p->at, p->end); /* psql's: \restrict */
		} else {
			start = start ? start : t.start;
			depth += token_is_char(&t, '(') - token_is_char(&t, ')');
			if (token_is_char(&t, ';') && depth == 0) {
				statement(p, (struct span){ start, p->at });
				start = NULL;
			}
		}
	}
	finish_entry(p);
	return p->complete || error_set(e, ERROR_BUG, "pg_restore's output is not complete");
}

static int compare_int(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;
	return (x > y) - (x < y);
}

/* Sorts, and drops what is named twice. */
static void tidy_needs(struct dump_entry *e)
{
	size_t n = 0;
	if (e->need_count < 2)
		return;
	qsort(e->needs, e->need_count, sizeof(*e->needs), compare_int);
	for (size_t i = 0; i < e->need_count; i++)
		if (n == 0 || e->needs[n - 1] != e->needs[i])
			e->needs[n++] = e->needs[i];
	e->need_count = n;
}

/* From pg_dump's numbers to ours; those of entries that it left out are dropped. */
static void renumber(struct dump *d, const int *numbers)
{
	int most = 0;
	for (size_t i = 0; i < d->count; i++)
		most = MAX(most, numbers[i]);
	int *ids = xcalloc((size_t)most + 1, sizeof(*ids));
	for (size_t i = 0; i < d->count; i++)
		ids[numbers[i]] = d->entries[i].id;
	for (size_t i = 0; i < d->count; i++) {
		struct dump_entry *e = &d->entries[i];
		size_t n = 0;
		for (size_t k = 0; k < e->need_count; k++)
			if (e->needs[k] >= 0 && e->needs[k] <= most && ids[e->needs[k]])
				e->needs[n++] = ids[e->needs[k]];
		e->need_count = n;
		tidy_needs(e);
	}
	free(ids);
}

static bool parse_section(struct dump *d, const char *text, bool post, int **numbers, struct error *e)
{
	struct parse p = { .dump = d, .post = post, .numbers = *numbers };
	bool ok = read_section(&p, text, e);
	for (size_t i = 0; i < ARRAY_SIZE(states); i++)
		free(p.state[i]);
	*numbers = p.numbers;
	return ok;
}

struct dump *dump_parse_take(char *pre_data, char *post_data, struct error *e)
{
	struct dump *d = xcalloc(1, sizeof(*d));
	int *numbers = NULL;
	bool ok = parse_section(d, pre_data, false, &numbers, e) && parse_section(d, post_data, true, &numbers, e);
	if (ok)
		renumber(d, numbers);
	free(numbers);
	free(pre_data);
	free(post_data);
	if (ok)
		return d;
	dump_free(d);
	return NULL;
}

void dump_free(struct dump *d)
{
	if (!d)
		return;
	for (size_t i = 0; i < d->count; i++)
		free(d->entries[i].needs);
	free(d->entries);
	strings_free(&d->header);
	strings_free(&d->kept);
	free(d);
}

/* ---- looking into it ---- */

const struct dump_entry *dump_entry(const struct dump *d, int id)
{
	return id >= 1 && (size_t)id <= d->count ? &d->entries[id - 1] : NULL;
}

static bool is_one_of(const char *kind, const char *const *kinds)
{
	for (; *kinds; kinds++)
		if (strcmp(kind, *kinds) == 0)
			return true;
	return false;
}

/* at moves behind the first such keyword outside of parentheses. */
static bool skip_to(const char **at, const char *end, const char *word)
{
	int depth = 0;
	for (;;) {
		struct token t = lexer_code(at, end);
		depth += token_is_char(&t, '(') - token_is_char(&t, ')');
		if (t.kind == TOKEN_END)
			return false;
		if (depth == 0 && token_is(&t, word))
			return true;
	}
}

/* ALTER [FOREIGN] TABLE [IF EXISTS] [ONLY] s.t: at the name. */
static bool skip_alter_table(const char **at, const char *end)
{
	struct token t = lexer_code(at, end);
	if (!token_is(&t, "ALTER"))
		return false;
	t = lexer_code(at, end);
	if (token_is(&t, "FOREIGN"))
		t = lexer_code(at, end);
	return token_is(&t, "TABLE");
}

static void skip_word(const char **at, const char *end, const char *word)
{
	const char *behind = *at;
	struct token t = lexer_code(&behind, end);
	if (token_is(&t, word))
		*at = behind;
}

/* The tag of these begins with the table's name, but where that ends can't be told from it: the statement
 * names the table. */
bool dump_entry_table(const struct dump *d, const struct dump_entry *e, char schema[NAME_SIZE], char table[NAME_SIZE])
{
	static const char *const altering[] = { "CONSTRAINT", "FK CONSTRAINT", "CHECK CONSTRAINT", "DEFAULT",
		"ROW SECURITY", "TRIGGER", "RULE", "POLICY", "INDEX", NULL };
	static const char *const on[] = { "TRIGGER", "POLICY", "INDEX", NULL };
	const char *at = e->sql, *end = at + strlen(at);
	bool found = false;
	(void)d;
	if (is_one_of(e->kind, altering))
		found = skip_alter_table(&at, end);
	if (!found) {
		at = e->sql;
		if (is_one_of(e->kind, on))
			found = skip_to(&at, end, "ON");
		else if (strcmp(e->kind, "RULE") == 0)
			found = skip_to(&at, end, "TO");
		else if (strcmp(e->kind, "STATISTICS") == 0)
			found = skip_to(&at, end, "FROM");
	}
	skip_word(&at, end, "IF");
	skip_word(&at, end, "EXISTS");
	skip_word(&at, end, "ONLY");
	return found && lexer_qualified(&at, end, schema, table) && schema[0];
}
