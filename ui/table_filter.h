// SPDX-License-Identifier: PostgreSQL
/* The picker's filter: words, all of which must hold.
 *
 *   sales            schema.name contains it (case counts once a letter is upper)
 *   schema:sales     the schema contains it; name:... likewise
 *   size>1G rows<1M  with k, M, G, T (10^3 steps); > < >= <= =
 *   key:none         none, pk, unique, full
 *   note:partition   one of the words in the NOTES column begins with it
 *   !word            any of these, turned round
 * A word that is not understood is looked for as it is. */
#ifndef PGPIER_UI_TABLE_FILTER_H
#define PGPIER_UI_TABLE_FILTER_H

#include <pgpier/catalog.h>

struct table_filter {
	struct condition *conditions;
	size_t count;
};

struct table_filter table_filter_parse(const char *text);
void table_filter_free(struct table_filter *f);
bool table_filter_takes(const struct table_filter *f, const struct catalog_table *t);

#endif
