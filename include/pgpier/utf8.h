// SPDX-License-Identifier: PostgreSQL
/* One character of UTF-8 at a time: what sanitising, JSON and the screen's measuring agree on.
 * Strict, as terminals differ on the rest: no overlong forms, no surrogates, nothing above
 * U+10FFFF. */
#ifndef PGPIER_UTF8_H
#define PGPIER_UTF8_H

#include <pgpier/base.h>

/* The character at text, which must not be at its terminating NUL. Returns its length in bytes; 0
 * when the first byte does not begin a valid character: take that one byte as broken and go on
 * behind it. */
size_t utf8_decode(const char *text, uint32_t *code);
/* Would a terminal obey it rather than show it? C0, DEL, C1, bidirectional embeddings, overrides
 * and isolates, line and paragraph separators. */
bool utf8_is_control(uint32_t code);

#endif
