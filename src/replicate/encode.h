// SPDX-License-Identifier: PostgreSQL
/* Values inside of larger texts: array literals for parameters, lines of COPY. */
#ifndef REPLICATE_ENCODE_H
#define REPLICATE_ENCODE_H

#include "pgoutput.h"

/* "{1,NULL,"a b"": one more item; the first one opens the array. Close with a brace. */
void encode_item(struct strbuf *array, const struct pgoutput_value *v);
/* One field of a line of COPY's text format, without the delimiter. */
void encode_field(struct strbuf *line, const struct pgoutput_value *v);

#endif
