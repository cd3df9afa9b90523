// SPDX-License-Identifier: PostgreSQL
/* Sequences of the chosen tables: those their columns own (serial, identity) and those their
 * defaults use; for their values also those of the whole database that belong to no table.
 * Before 10 a sequence's options are columns of the sequence itself; its value is so in every version. */
#include "sequences.h"

#include <stdlib.h>
#include <string.h>

#include "../pg/provider.h"
#include "choose/profile.h"
#include "text.h"

/* Branches of one UNION ALL: the parser recurses into each. */
#define SELECT_AT_ONCE 200

enum sequence_field {
	SEQ_OID,
	SEQ_SCHEMA,
	SEQ_NAME,
	SEQ_LITERAL,
	SEQ_UNLOGGED,
	SEQ_TABLE,
	SEQ_COLUMN,
	SEQ_COLUMN_NAME,
	SEQ_LINK,
	SEQ_READABLE,
	SEQ_TYPE,
	SEQ_START,
	SEQ_INCREMENT,
	SEQ_MINIMUM,
	SEQ_MAXIMUM,
	SEQ_CACHE,
	SEQ_CYCLES,
};

/* How a sequence belongs to a column: 'a' owned, 'i' identity, 'u' used by its default, 'b'
 * identity of a partition (17+), which has none of its own but shares the root's. */
#define OWNED_SQL                                                                                  \
	"select d.objid as seq, d.refobjid as tab, d.refobjsubid as col, d.deptype::text as link"      \
	" from pg_depend d where d.classid = 'pg_class'::regclass"                                     \
	" and d.refclassid = 'pg_class'::regclass and d.refobjid = any($1::oid[])"                     \
	" and d.refobjsubid > 0 and d.deptype in ('a', 'i')"
#define USED_SQL                                                                                   \
	" union all select distinct d.refobjid, a.adrelid, a.adnum::int, 'u' from pg_attrdef a"        \
	" join pg_depend d on d.classid = 'pg_attrdef'::regclass and d.objid = a.oid"                  \
	" and d.refclassid = 'pg_class'::regclass and d.refobjid <> a.adrelid"                         \
	" where a.adrelid = any($1::oid[])"
#define BORROWED_SQL                                                                               \
	" union all select d.objid, a.attrelid, a.attnum::int, 'b' from pg_attribute a"                \
	" join pg_class c on c.oid = a.attrelid and c.relispartition"                                  \
	" join pg_attribute r on r.attrelid = pg_partition_root(c.oid) and r.attname = a.attname"      \
	" join pg_depend d on d.refclassid = 'pg_class'::regclass and d.refobjid = r.attrelid"         \
	" and d.refobjsubid = r.attnum and d.deptype = 'i'"                                            \
	" where a.attrelid = any($1::oid[]) and a.attidentity <> ''"

/* 'f': of no table (a foreign table may own one), and not among those that are known already. What an
 * extension brought is its own affair. */
#define FREE_SQL                                                                                   \
	"select c.oid as seq, 0::oid as tab, 0 as col, 'f' as link from pg_class c"                    \
	" join pg_namespace f on f.oid = c.relnamespace where c.relkind = 'S'"                         \
	" and c.relpersistence <> 't' and f.nspname !~ '^pg_' and f.nspname not in"                    \
	" ('information_schema', 'pgpier') and c.oid <> all($1::oid[])"                                \
	" and not exists (select 1 from pg_depend d where d.classid = 'pg_class'::regclass"            \
	" and d.objid = c.oid and (d.deptype = 'e' or (d.deptype in ('a', 'i')"                        \
	" and exists (select 1 from pg_class o where d.refclassid = 'pg_class'::regclass"              \
	" and o.oid = d.refobjid and o.relkind in ('r', 'p')))))"

static char *sequences_sql(const struct pg *c, const char *links)
{
	bool catalog = pg_version(c) >= SINCE_SEQUENCE_CATALOG;
	return xasprintf("select s.oid, n.nspname, s.relname,"
					 " '''' || replace(s.oid::regclass::text, '''', '''''') || '''::regclass',"
					 " s.relpersistence = 'u', l.tab, l.col, a.attname, l.link,"
					 " has_schema_privilege(n.oid, 'USAGE') and has_sequence_privilege(s.oid, 'SELECT'), %s"
					 " from (%s) l"
					 " join pg_class s on s.oid = l.seq and s.relkind = 'S'"
					 " join pg_namespace n on n.oid = s.relnamespace"
					 " left join pg_attribute a on a.attrelid = l.tab and a.attnum = l.col%s"
					 " order by s.oid, l.link = 'b', l.link = 'u', l.tab, l.col",
		catalog ? "format_type(q.seqtypid, null), q.seqstart, q.seqincrement, q.seqmin, q.seqmax,"
				  " q.seqcache, q.seqcycle"
				: "'', 1, 1, 1, 1, 1, false",
		links, catalog ? " join pg_sequence q on q.seqrelid = s.oid" : "");
}

/* ---- reading ---- */

static struct def_sequence *sequence_add(struct defs *d, const struct rows *r, int row)
{
	GROW(d->sequences, d->sequence_count);
	struct def_sequence *s = &d->sequences[d->sequence_count++];
	*s = (struct def_sequence){
		.oid = rows_int(r, row, SEQ_OID),
		.schema = rows_text(r, row, SEQ_SCHEMA),
		.name = rows_text(r, row, SEQ_NAME),
		.target_schema = rows_text(r, row, SEQ_SCHEMA),
		.literal = rows_text(r, row, SEQ_LITERAL),
		.type = rows_text(r, row, SEQ_TYPE),
		.start = rows_text(r, row, SEQ_START),
		.increment = rows_text(r, row, SEQ_INCREMENT),
		.minimum = rows_text(r, row, SEQ_MINIMUM),
		.maximum = rows_text(r, row, SEQ_MAXIMUM),
		.cache = rows_text(r, row, SEQ_CACHE),
		.cycles = rows_bool(r, row, SEQ_CYCLES),
		.unlogged = rows_bool(r, row, SEQ_UNLOGGED),
		.unread = !rows_bool(r, row, SEQ_READABLE),
		.owner = SCHEMA_NO_TABLE,
		.user = defs_table_number(d, defs_table(d, rows_int(r, row, SEQ_TABLE))),
	};
	return s;
}

static void sequence_own(struct defs *d, struct def_sequence *s, const struct rows *r, int row)
{
	char link = rows_text(r, row, SEQ_LINK)[0];
	s->owner = s->user;
	s->owner_column = (int)rows_int(r, row, SEQ_COLUMN);
	s->owner_column_name =
		renames_target(d->tables[s->owner].wanted->renamed, rows_text(r, row, SEQ_COLUMN_NAME));
	s->identity = link != 'a';
	s->borrowed = link == 'b';
	s->target_schema = d->tables[s->owner].wanted->target_schema;
}

/* Rows of one sequence come together, its owner's first. */
static void sequence_link(struct defs *d, const struct rows *r, int row)
{
	char link = rows_text(r, row, SEQ_LINK)[0];
	const struct def_table *t = defs_table(d, rows_int(r, row, SEQ_TABLE));
	struct def_sequence *last = d->sequence_count > 0 ? &d->sequences[d->sequence_count - 1] : NULL;
	if (link == 'b') {
		if (t->parent_count == 0)
			sequence_own(d, sequence_add(d, r, row), r, row);
		return;
	}
	if (!last || last->borrowed || last->oid != rows_int(r, row, SEQ_OID))
		last = sequence_add(d, r, row);
	if (link == 'u')
		last->shared = last->shared || defs_table_number(d, t) != last->owner;
	else
		sequence_own(d, last, r, row);
}

static void fill_old_options(void *context, size_t sequence, const struct rows *r, int row)
{
	struct def_sequence *s = &((struct defs *)context)->sequences[sequence];
	s->start = rows_text(r, row, 1);
	s->increment = rows_text(r, row, 2);
	s->minimum = rows_text(r, row, 3);
	s->maximum = rows_text(r, row, 4);
	s->cache = rows_text(r, row, 5);
	s->cycles = rows_bool(r, row, 6);
}

static struct def_sequence *find_sequence(struct defs *d, int64_t oid)
{
	size_t low = 0, high = d->sequence_count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (d->sequences[middle].oid < oid)
			low = middle + 1;
		else
			high = middle;
	}
	return low < d->sequence_count && d->sequences[low].oid == oid ? &d->sequences[low] : NULL;
}

/* A sequence that follows its table to another schema changes its name in the defaults that use it.
 */
static void rename_in_default(struct defs *d, struct def_column *c, const struct def_sequence *s)
{
	if (strcmp(s->schema, s->target_schema) == 0 || !c->default_text)
		return;
	struct strbuf name = STRBUF_INIT, literal = STRBUF_INIT;
	def_sequence_target(&name, s);
	quote_literal(&literal, name.text);
	strbuf_add(&literal, "::regclass");
	c->default_text = defs_text_take(d, text_replace(c->default_text, s->literal, literal.text));
	strbuf_free(&name);
	strbuf_free(&literal);
}

static void link_columns(struct defs *d, const struct rows *r)
{
	for (int row = 0; row < rows_count(r); row++) {
		const struct def_table *t = defs_table(d, rows_int(r, row, SEQ_TABLE));
		struct def_column *c = def_column(t, (int)rows_int(r, row, SEQ_COLUMN));
		struct def_sequence *s = find_sequence(d, rows_int(r, row, SEQ_OID));
		if (c && s && rows_text(r, row, SEQ_LINK)[0] == 'u')
			rename_in_default(d, c, s);
	}
	for (size_t i = 0; i < d->sequence_count; i++) {
		const struct def_sequence *s = &d->sequences[i];
		if (s->owner == SCHEMA_NO_TABLE)
			continue;
		struct def_table *t = &d->tables[s->owner];
		struct def_column *c = s->identity ? def_column(t, s->owner_column) : NULL;
		if (c)
			c->sequence = s;
		GROW(t->sequences, t->sequence_count);
		t->sequences[t->sequence_count++] = s;
	}
}

static int compare_sequences(const void *a, const void *b)
{
	const struct def_sequence *x = a, *y = b;
	if (x->oid != y->oid)
		return x->oid < y->oid ? -1 : 1;
	return x->borrowed - y->borrowed;
}

/* Nobody wants the state of a provider's own machinery. */
static bool read_free_sequences(struct defs *d, struct error *e)
{
	enum provider provider;
	struct strbuf known = STRBUF_INIT;
	for (size_t i = 0; i < d->sequence_count; i++)
		text_oids_add(&known, d->sequences[i].oid);
	text_oids_end(&known);
	const struct rows *r = defs_query(d, e, sequences_sql(d->source, FREE_SQL), known.text);
	strbuf_free(&known);
	if (!r || !provider_read(d->source, &provider, e))
		return false;
	for (int row = 0; row < rows_count(r); row++)
		if (!profile_has_schema(provider_profile(provider), rows_text(r, row, SEQ_SCHEMA)))
			sequence_add(d, r, row);
	if (d->sequence_count > 0)
		qsort(d->sequences, d->sequence_count, sizeof(*d->sequences), compare_sequences);
	return true;
}

static const struct rows *read_linked(struct defs *d, bool made_only, struct error *e)
{
	struct strbuf all = STRBUF_INIT;
	for (size_t i = 0; i < d->table_count; i++)
		if (d->tables[i].found)
			text_oids_add(&all, d->tables[i].wanted->oid);
	text_oids_end(&all);
	char *links = xasprintf(OWNED_SQL USED_SQL "%s",
		defs_since(d->source, SINCE_INHERITED_IDENTITY, BORROWED_SQL, ""));
	const struct rows *r =
		defs_query(d, e, sequences_sql(d->source, links), made_only ? d->made_oids : all.text);
	free(links);
	strbuf_free(&all);
	return r;
}

bool defs_read_sequences(struct defs *d, bool made_only, struct error *e)
{
	const struct rows *r = read_linked(d, made_only, e);
	if (!r)
		return false;
	for (int row = 0; row < rows_count(r); row++)
		sequence_link(d, r, row);
	if (!made_only && d->mirror->schema == SCHEMA_DATABASE && !read_free_sequences(d, e))
		return false;
	link_columns(d, r);
	if (!made_only || pg_version(d->source) >= SINCE_SEQUENCE_CATALOG)
		return true;
	for (size_t i = 0; i < d->sequence_count; i++)
		d->sequences[i].unread = false; /* its options are asked for, and can't be done without */
	return sequences_select(d,
		"start_value, increment_by, min_value, max_value, cache_value, is_cycled", fill_old_options,
		d, e);
}

#define LET_GO "ROLLBACK TO SAVEPOINT sequences; RELEASE SAVEPOINT sequences"

static char *select_sql(const struct defs *d, const char *columns, size_t first, size_t end)
{
	struct strbuf sql = STRBUF_INIT;
	for (size_t i = first; i < end; i++) {
		if (d->sequences[i].unread)
			continue;
		strbuf_addf(&sql, "%sselect %zu, %s from ", sql.len > 0 ? " union all " : "", i, columns);
		quote_qualified(&sql, d->sequences[i].schema, d->sequences[i].name);
	}
	return strbuf_take(&sql);
}

/* A transaction would keep a lock on each sequence it has read until its end, and a server has room
 * for some thousand of them; rolling back to a savepoint lets go of them at once. */
static bool select_some(struct defs *d, char *take_sql, sequence_row *each, void *context, struct error *e)
{
	bool inside = PQtransactionStatus(pg_conn_borrow(d->source)) == PQTRANS_INTRANS;
	if (inside && !pg_run(d->source, e, "SAVEPOINT sequences")) {
		free(take_sql);
		return false;
	}
	const struct rows *r = defs_query(d, e, take_sql, NULL);
	if (!r || (inside && !pg_run(d->source, e, LET_GO)))
		return false;
	for (int row = 0; row < rows_count(r); row++)
		each(context, (size_t)rows_int(r, row, 0), r, row);
	return true;
}

bool sequences_select(
	struct defs *d, const char *columns, sequence_row *each, void *context, struct error *e)
{
	for (size_t first = 0; first < d->sequence_count; first += SELECT_AT_ONCE) {
		char *sql = select_sql(d, columns, first, MIN(first + SELECT_AT_ONCE, d->sequence_count));
		if (sql[0] == '\0')
			free(sql);
		else if (!select_some(d, sql, each, context, e))
			return false;
	}
	return true;
}

/* ---- statements ---- */

void sequence_options(struct strbuf *b, const struct def_sequence *s)
{
	strbuf_addf(b, " INCREMENT BY %s MINVALUE %s MAXVALUE %s START WITH %s CACHE %s%s",
		s->increment, s->minimum, s->maximum, s->start, s->cache, s->cycles ? " CYCLE" : "");
}

void sequence_create(struct strbuf *b, const struct def_sequence *s, const struct defs *d)
{
	bool unlogged = s->unlogged && defs_target_has(d, SINCE_UNLOGGED_SEQUENCE);
	strbuf_addf(b, "CREATE %sSEQUENCE ", unlogged ? "UNLOGGED " : "");
	def_sequence_target(b, s);
	if (s->type[0] != '\0')
		strbuf_addf(b, " AS %s", s->type);
	sequence_options(b, s);
}

void sequence_owned(struct strbuf *b, const struct def_sequence *s, const struct defs *d)
{
	strbuf_add(b, "ALTER SEQUENCE ");
	def_sequence_target(b, s);
	strbuf_add(b, " OWNED BY ");
	def_target(b, &d->tables[s->owner]);
	strbuf_add(b, ".");
	quote_name(b, s->owner_column_name);
}
