// SPDX-License-Identifier: PostgreSQL
/* How far a headless run is, on stderr: on a terminal one line that is drawn over, else a line
 * every few seconds; events stand above it as they come. */
#ifndef PROGRESS_H
#define PROGRESS_H

#include <pgpier/model.h>

#define PROGRESS_SIZE 256

/* "64 %  1.42/2.10 TB  812.4 M rows  184 MB/s  ~1h 05m (15:07)  312/418 tables", or, of a mirror that replicates,
 * "catching up  lag 42 s, 1.42 GB  1.2 k changes/s  400 transactions/s  ~4m 10s (14:05)". r may be NULL. */
const char *progress_line(const struct mirror_view *m, const struct replication_view *r, int64_t now_us,
	char buf[PROGRESS_SIZE]);

struct progress {
	bool terminal;
	bool drawn;     /* a line stands on the terminal, to be drawn over */
	int64_t due_us; /* of clock_us(): when the next line is */
	uint64_t event; /* the next to print */
};

void progress_init(struct progress *p, struct model *m);
int progress_wait_ms(const struct progress *p); /* until the next line */
/* Prints what happened since, and the line when it is due. */
void progress_update(struct progress *p, struct model *m, const struct mirror_view *v);
void progress_draw(struct progress *p, char *line); /* one of the caller's own, ASCII, when it is due; cuts it */
void progress_events(struct progress *p, struct model *m); /* only what happened since */
void progress_end(struct progress *p);                     /* leaves the cursor on an empty line */

#endif
