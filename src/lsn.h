// SPDX-License-Identifier: PostgreSQL
/* Positions in the write-ahead log, as servers write them: "16/B374D848". */
#ifndef LSN_H
#define LSN_H

#include <pgpier/model.h>

#define LSN_TEXT_SIZE 20
/* Into buf, which is returned; and back: false, *out untouched, when it is not just an LSN. */
const char *lsn_text(lsn_t lsn, char buf[LSN_TEXT_SIZE]);
bool lsn_parse(const char *text, lsn_t *out) MUST_CHECK;

#endif
