// SPDX-License-Identifier: PostgreSQL
/* The rows of two sides as hashes with places: which have no counterpart on the other. Pure. */
#ifndef VERIFY_MULTISET_H
#define VERIFY_MULTISET_H

#include <pgpier/base.h>

/* Where a row is: its table's OID (a partition's, when the table is partitioned) and ctid. */
struct place {
	int64_t table;
	uint32_t block;
	uint16_t offset;
};

/* Rows that are equal, at one of their places. */
struct rows_of_hash {
	int64_t hash, count;
	struct place place;
};

struct rows_list {
	struct rows_of_hash *items;
	size_t count;
};

void rows_list_add(struct rows_list *l, const struct rows_of_hash *r);
void rows_list_free(struct rows_list *l);

/* Leaves in each list what the other has less often, `count` being by how much, in the order of their hashes. */
void multiset_difference(struct rows_list *a, struct rows_list *b);

/* "(12,3)" */
bool place_parse(const char *ctid, struct place *out) MUST_CHECK;
#define PLACE_SIZE 24
const char *place_text(const struct place *p, char buf[PLACE_SIZE]);

#endif
