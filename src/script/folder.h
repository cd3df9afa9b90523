// SPDX-License-Identifier: PostgreSQL
/* A folder that is made, or was empty, and what is put into it. Nothing that is there is ever
 * written over; what could not be finished is taken away again. */
#ifndef SCRIPT_FOLDER_H
#define SCRIPT_FOLDER_H

#include <pgpier/base.h>
#include <pgpier/error.h>

struct folder;

/* NULL when it is there and not empty, or can't be made. */
struct folder *folder_open(const char *path, struct error *e) MUST_CHECK;
/* path: relative, with at most one folder in it. Its reader is its owner alone; who may run it as
 * well. */
bool folder_put(
	struct folder *f, const char *path, bool program, const char *text, struct error *e) MUST_CHECK;
void folder_keep(struct folder *f); /* ends it: everything stays */
void folder_undo(struct folder *f); /* ends it: nothing of it stays. NULL is fine */

#endif
