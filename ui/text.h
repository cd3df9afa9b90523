// SPDX-License-Identifier: PostgreSQL
/* The one place that measures text. A cell is one column of the terminal; a step is a character with
 * the combining marks after it. Texts are UTF-8; "clean" ones went through format_sanitized() before. */
#ifndef PGPIER_UI_TEXT_H
#define PGPIER_UI_TEXT_H

#include <pgpier/base.h>

#include <stdio.h>
#include <wchar.h>

enum align { ALIGN_LEFT, ALIGN_RIGHT };

/* Longest text that is drawn in one piece, in bytes. */
#define TEXT_SIZE 2048

/* Decodes one character; returns its bytes, 1 for a byte that is none (then *out is '?'). */
size_t text_decode(const char *s, wchar_t *out);
/* Bytes of the next step of clean text and its cells. A character that this locale can't show counts
 * one cell. 0 at the end. */
size_t text_step(const char *clean, int *cells);
/* Where the step before `at` begins. */
size_t text_back(const char *clean, size_t at);
int text_cells(const char *clean);
/* Cells of any text once it is sanitised. */
int text_width(const char *raw);

/* Sanitised: a terminal shows its control characters instead of obeying them. */
void text_print(FILE *out, const char *raw);

/* Sanitises src and cuts it to `cells`, with the ellipsis in the last cell when something was cut. Never
 * half a wide character. Returns the cells used. */
int text_clip(char *dst, size_t size, const char *src, int cells, const char *ellipsis);
/* The same, but what is cut is its middle. */
void text_clip_middle(char *dst, size_t size, const char *src, int cells, const char *ellipsis);
/* As text_clip(), filled with spaces up to exactly `cells`. */
void text_pad(
	char *dst, size_t size, const char *src, int cells, enum align align, const char *ellipsis);
/* Breaks raw text into clean lines of at most `cells`: at newlines, else at spaces, else anywhere. A line
 * that begins with spaces, or spaces and a mark (" - "), goes on under its first word. */
void text_wrap(struct strings *lines, const char *raw, int cells);

/* Does text contain what? Ignores case unless `what` has an upper-case letter. A leading '!' inverts;
 * an empty pattern matches all. */
bool text_matches(const char *text, const char *what);
/* How well the letters of `what` occur in this order in text: 0 not at all, else the higher the closer. */
int text_fuzzy(const char *text, const char *what);

#endif
