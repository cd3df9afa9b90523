// SPDX-License-Identifier: PostgreSQL
/* Sequences of the chosen tables: those their columns own (serial, identity) and those their
 * defaults use. Before 10 a sequence's options are columns of the sequence itself; its value is so
 * in every version. */
#include "sequences.h"

#include <stdlib.h>
#include <string.h>

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

static char *sequences_sql(const struct pg *c)
{
	bool catalog = pg_version(c) >= SINCE_SEQUENCE_CATALOG;
	return xasprintf("select s.oid, n.nspname, s.relname,"
					 " '''' || replace(s.oid::regclass::text, '''', '''''') || '''::regclass',"
					 " s.relpersistence = 'u', l.tab, l.col, a.attname, l.link, %s"
					 " from (" OWNED_SQL USED_SQL "%s) l"
					 " join pg_class s on s.oid = l.seq and s.relkind = 'S'"
					 " join pg_namespace n on n.oid = s.relnamespace"
					 " join pg_attribute a on a.attrelid = l.tab and a.attnum = l.col%s"
					 " order by s.oid, l.link = 'b', l.link = 'u', l.tab, l.col",
		catalog ? "format_type(q.seqtypid, null), q.seqstart, q.seqincrement, q.seqmin, q.seqmax,"
				  " q.seqcache, q.seqcycle"
				: "'', 1, 1, 1, 1, 1, false",
		defs_since(c, SINCE_INHERITED_IDENTITY, BORROWED_SQL, ""),
		catalog ? " join pg_sequence q on q.seqrelid = s.oid" : "");
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

bool defs_read_sequences(struct defs *d, bool made_only, struct error *e)
{
	struct strbuf all = STRBUF_INIT;
	for (size_t i = 0; i < d->table_count; i++)
		if (d->tables[i].found)
			text_oids_add(&all, d->tables[i].wanted->oid);
	text_oids_end(&all);
	const struct rows *r =
		defs_query(d, e, sequences_sql(d->source), made_only ? d->made_oids : all.text);
	strbuf_free(&all);
	if (!r)
		return false;
	for (int row = 0; row < rows_count(r); row++)
		sequence_link(d, r, row);
	link_columns(d, r);
	if (!made_only || pg_version(d->source) >= SINCE_SEQUENCE_CATALOG)
		return true;
	return sequences_select(d,
		"start_value, increment_by, min_value, max_value, cache_value, is_cycled", fill_old_options,
		d, e);
}

#define LET_GO "ROLLBACK TO SAVEPOINT sequences; RELEASE SAVEPOINT sequences"

static char *select_sql(const struct defs *d, const char *columns, size_t first, size_t end)
{
	struct strbuf sql = STRBUF_INIT;
	for (size_t i = first; i < end; i++) {
		strbuf_addf(&sql, "%sselect %zu, %s from ", i > first ? " union all " : "", i, columns);
		quote_qualified(&sql, d->sequences[i].schema, d->sequences[i].name);
	}
	return strbuf_take(&sql);
}

/* A transaction would keep a lock on each sequence it has read until its end, and a server has room
 * for some thousand of them; rolling back to a savepoint lets go of them at once. */
bool sequences_select(
	struct defs *d, const char *columns, sequence_row *each, void *context, struct error *e)
{
	bool inside = PQtransactionStatus(pg_conn_borrow(d->source)) == PQTRANS_INTRANS;
	for (size_t first = 0; first < d->sequence_count; first += SELECT_AT_ONCE) {
		size_t end = MIN(first + SELECT_AT_ONCE, d->sequence_count);
		if (inside && !pg_run(d->source, e, "SAVEPOINT sequences"))
			return false;
		const struct rows *r = defs_query(d, e, select_sql(d, columns, first, end), NULL);
		if (!r || (inside && !pg_run(d->source, e, LET_GO)))
			return false;
		for (int row = 0; row < rows_count(r); row++)
			each(context, (size_t)rows_int(r, row, 0), r, row);
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
