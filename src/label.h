// SPDX-License-Identifier: PostgreSQL
/* What an object of a dump is called for people, in pg_dump's words. */
#ifndef LABEL_H
#define LABEL_H

#include <pgpier/base.h>

/* "app.t"; a comment or a grant is called by what it is on: "TABLE app.t", "COLUMN app.t.c". schema may be empty.
 * The caller frees. */
char *label_name(const char *kind, const char *schema, const char *name) MUST_CHECK;
/* With the kind before it: "VIEW app.v", "ACL TABLE app.t". */
char *label(const char *kind, const char *schema, const char *name) MUST_CHECK;

#endif
