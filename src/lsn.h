// SPDX-License-Identifier: PostgreSQL
/* Positions in the write-ahead log, as servers write them: "16/B374D848". format_lsn() writes them. */
#ifndef LSN_H
#define LSN_H

#include <pgpier/model.h>

/* False, *out untouched, when it is not just an LSN. */
bool lsn_parse(const char *text, lsn_t *out) MUST_CHECK;

#endif
