// SPDX-License-Identifier: PostgreSQL
/* The JSON that scripts depend on: one function an object. Fields are added, never renamed or taken
 * away; the man page lists them. Pure: views in, text out. */
#ifndef SHAPE_H
#define SHAPE_H

#include <pgpier/json.h>
#include <pgpier/model.h>

/* An element of "errors". subject is the table or mirror it happened to; NULL: not of one. */
void shape_error(struct json *j, const char *subject, const struct error *e);
/* "error" and "error_class" of the object that is open; null when there is none. */
void shape_failure(struct json *j, const struct error *e);

void shape_peer(struct json *j, const struct peer_view *p);
/* The fields of a mirror but "tables" and "errors", inside an object that is open. */
void shape_mirror(struct json *j, const struct mirror_view *m);
/* c: what the stream did to it; NULL when its mirror does not replicate. */
void shape_table(struct json *j, const struct table_view *t, const struct changes_view *c);
/* Elements of the lists under "schema", and its "counts" by state. */
void shape_object(struct json *j, const struct object_view *o);
void shape_object_counts(struct json *j, const size_t counts[OBJECT_STATE_COUNT]);
/* "replication": null for NULL. */
void shape_replication(struct json *j, const struct replication_view *r);
void shape_mirror_config(struct json *j, const struct mirror_config *m);
void shape_preflight(struct json *j, const struct preflight *p);
/* What became of a mirror that was written into a folder. */
void shape_script(struct json *j, const struct preflight *p, const char *folder);
void shape_comparison(struct json *j, const struct comparison *c);

#endif
