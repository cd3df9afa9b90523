// SPDX-License-Identifier: PostgreSQL
/* Takes a pasted connection string apart, so that its parts can be seen and changed in a form. */
#ifndef PGPIER_UI_CONNINFO_H
#define PGPIER_UI_CONNINFO_H

#include <pgpier/config.h>

enum conninfo_result {
	CONNINFO_NONE,  /* neither a URI nor keyword=value: out is untouched */
	CONNINFO_WRONG, /* one of them, but broken; problem says where */
	CONNINFO_WHOLE, /* it has parts without a field of their own: keep the string as it is */
	CONNINFO_PARTS, /* out has them; free with peer_config_free */
};

/* A postgresql:// URI with percent escapes, or keyword=value with quotes, as libpq reads them. */
enum conninfo_result conninfo_parse(
	const char *text, struct peer_config *out, char *problem, size_t size);

#endif
