// SPDX-License-Identifier: PostgreSQL
/* Pure text work on definitions as PostgreSQL prints them. */
#ifndef SCHEMA_TEXT_H
#define SCHEMA_TEXT_H

#include <pgpier/base.h>

/* text with its prefix replaced; NULL when it does not start with prefix. Caller frees. */
char *text_retarget(const char *text, const char *prefix, const char *replacement);
/* text with every `from` replaced; a copy when there is none. Caller frees. */
char *text_replace(const char *text, const char *from, const char *to);
/* A primary key's or unique constraint's definition with WITH (options) where the grammar wants it,
 * before the deferrable words: pg_get_constraintdef leaves the options out. NULL when the
 * definition does not end in the words its flags promise. Caller frees. */
char *text_with_options(
	const char *definition, const char *options, bool deferrable, bool deferred);
/* " DEFERRABLE", " DEFERRABLE INITIALLY DEFERRED" or nothing. */
const char *text_deferrable(bool deferrable, bool deferred);

/* How the values of one type fit another, by format_type's names, through their text form. */
enum type_fit { TYPE_SAME, TYPE_FITS, TYPE_MAY_FIT, TYPE_DIFFERS };
enum type_fit text_type_fit(const char *source, const char *target);

/* Space-separated numbers, as string_agg gives them: is n one of them? */
bool text_has_number(const char *numbers, int n);

/* "{1,2,3}" for a parameter of oid[]. */
void text_oids_add(struct strbuf *b, int64_t oid);
void text_oids_end(struct strbuf *b);

#endif
