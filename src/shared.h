// SPDX-License-Identifier: PostgreSQL
/* Making the objects that are shared by reference; holding and releasing them is in the contract. */
#ifndef SHARED_H
#define SHARED_H

#include <pgpier/catalog.h>
#include <pgpier/compare.h>

/* For objects that are described elsewhere: zeroed, one holder. */
void *shared_new(size_t size);
void *shared_hold(const void *object);
void *shared_drop(const void *object); /* by its last holder: the object, to be freed; else NULL. NULL is fine */
void shared_free(void *object);

struct catalog *catalog_new(void); /* empty, one holder: fill it before anyone else sees it */
struct preflight *preflight_new(void);
struct comparison *comparison_new(const char *what, const char *source, const char *target); /* complete */
/* The new difference, all but kind and name still empty, to fill by xstrdup and the like. */
struct difference *comparison_add(struct comparison *c, enum severity severity, const char *kind, const char *name);
void comparison_note(struct comparison *c, const char *fmt, ...) PG_PRINTF(2, 3);
void comparison_sort(struct comparison *c); /* as the contract says */
void comparison_sort_worst(struct comparison *c); /* worst first, else as they were added */

#endif
