// SPDX-License-Identifier: PostgreSQL
/* Lag in seconds by one clock, ours: we note where the source's log was and when we asked, and later when the
 * target has everything up to there. Any thread. */
#ifndef REPLICATE_LAG_H
#define REPLICATE_LAG_H

#include <pgpier/model.h>

struct lag;

struct lag *lag_new(void);
void lag_free(struct lag *l);
/* The source's log ended at lsn when we asked, at that moment of our clock. */
void lag_note(struct lag *l, lsn_t lsn, int64_t asked_us);
/* The target has everything up to lsn. Cheap when that is no news. */
void lag_passed(struct lag *l, lsn_t lsn);
/* How long the target took to have what was noted last, or has been waiting for what was noted first and is
 * not there; negative: nothing was noted yet. */
double lag_seconds(struct lag *l);

#endif
