// SPDX-License-Identifier: PostgreSQL
/* Numbers and texts as people read them; the same on the screen, in logs and on the command line.
 * Each writes into buf and returns it. Pure, any thread. */
#ifndef PGPIER_FORMAT_H
#define PGPIER_FORMAT_H

#include <pgpier/base.h>

#define FORMAT_SIZE 32

const char *format_bytes(int64_t bytes, char buf[FORMAT_SIZE]);      /* "1.42 TB", "341 GB", "88 B"; 10^3 steps */
const char *format_count(int64_t n, char buf[FORMAT_SIZE]);          /* "812", "12.3 k", "812.4 M" */
const char *format_rate(double bytes_per_s, char buf[FORMAT_SIZE]);  /* "184 MB/s", "-" for none */
const char *format_duration(double seconds, char buf[FORMAT_SIZE]);  /* "0.8 s", "38 s", "4m 10s", "1h 05m", "3d 04h" */
const char *format_eta(double seconds, char buf[FORMAT_SIZE]);       /* "~38m", "~1h 05m"; "-" when negative (unknown) */
const char *format_lag(double seconds, char buf[FORMAT_SIZE]);           /* "<1 ms", "3 ms", then as durations; "-" when negative */
const char *format_per_second(double n, char buf[FORMAT_SIZE]);          /* "0.4", "812", "1.2 k" */
const char *format_clock(int64_t wall_us, char buf[FORMAT_SIZE]);    /* "15:07", local time */
const char *format_time(int64_t wall_us, char buf[FORMAT_SIZE]);     /* "2026-11-21 15:07:03" */
const char *format_lsn(uint64_t lsn, char buf[FORMAT_SIZE]);             /* "0/16B3748", as servers write it */

/* Text that came from a server or a file, made harmless for a terminal and a log: control characters
 * (C0, C1, DEL), invalid UTF-8 and bidirectional overrides become visible escapes (\n, \x1b, \u202e). Cut
 * at a character boundary when buf is too small. */
const char *format_sanitized(const char *text, char *buf, size_t size);

#endif
