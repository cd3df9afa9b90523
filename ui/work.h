// SPDX-License-Identifier: PostgreSQL
/* What the engine is at, in a sentence, for whoever leaves it or asks for it. Any thread. */
#ifndef PGPIER_UI_WORK_H
#define PGPIER_UI_WORK_H

#include <pgpier/model.h>

/* "shop-2026 64%, ~1h 05m left", "3 mirrors run, ~12m left at least", "nothing runs". */
void work_describe(struct model *m, char *buf, size_t size);
/* The name of a mirror whose cutover would be undone by ending the engine, or, when it is decided, left behind. */
bool work_cuts_over(struct model *m, char name[NAME_SIZE], bool *decided);

#endif
