// SPDX-License-Identifier: PostgreSQL
/* Tables as statements, and how they hang together in trees. */
#ifndef SCHEMA_CREATE_H
#define SCHEMA_CREATE_H

#include "defs.h"

/* CREATE TABLE with what belongs to it: storage, statistics, its place under a parent that is made
 * too, and the checks of a tree. Its own sequences are made with it. */
void table_create(struct strbuf *b, const struct defs *d, const struct def_table *t);
/* ATTACH PARTITION or INHERIT. */
void table_attach(struct strbuf *b, const struct defs *d, const struct def_table *t, size_t parent);
/* The same, and nothing when it is attached to something. */
void table_attach_once(struct strbuf *b, const struct defs *d, const struct def_table *t, size_t parent);

/* Has a parent or children that we make: its checks must be there when they are joined. */
bool table_in_tree(const struct defs *d, const struct def_table *t);
bool table_has_made_parent(const struct defs *d, const struct def_table *t);
/* The sequence is made by its table's own statements, because nobody else's default uses it. */
bool sequence_comes_with_table(const struct defs *d, const struct def_sequence *s);
/* Something of ours uses it. */
bool sequence_is_needed(const struct defs *d, const struct def_sequence *s);

#endif
