// SPDX-License-Identifier: PostgreSQL
/* Writes one JSON document into a string, commas and escapes included. Bytes that are not UTF-8 become
 * U+FFFD, so that the result is always valid. A writer belongs to one thread. */
#ifndef PGPIER_JSON_H
#define PGPIER_JSON_H

#include <pgpier/base.h>

struct json {
	struct strbuf out;
	bool comma; /* the next value needs one */
};
#define JSON_INIT { STRBUF_INIT, false }

/* key is NULL inside arrays and at the top. */
void json_object(struct json *j, const char *key);
void json_end_object(struct json *j);
void json_array(struct json *j, const char *key);
void json_end_array(struct json *j);
void json_text(struct json *j, const char *key, const char *value); /* NULL writes null */
void json_int(struct json *j, const char *key, int64_t value);
void json_number(struct json *j, const char *key, double value); /* 3 decimals; not finite writes null */
void json_bool(struct json *j, const char *key, bool value);
void json_null(struct json *j, const char *key);
void json_time(struct json *j, const char *key, int64_t wall_us); /* ISO 8601 UTC; 0 writes null */
void json_free(struct json *j);

#endif
