// SPDX-License-Identifier: PostgreSQL
#include "text.h"

#include <pgpier/format.h>

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <wctype.h>

static size_t sequence_length(unsigned char lead)
{
	if (lead < 0x80)
		return 1;
	if (lead >= 0xC2 && lead < 0xE0)
		return 2;
	if (lead >= 0xE0 && lead < 0xF0)
		return 3;
	return lead >= 0xF0 && lead < 0xF5 ? 4 : 0;
}

size_t text_decode(const char *s, wchar_t *out)
{
	unsigned char lead = (unsigned char)*s;
	size_t n = sequence_length(lead);
	if (n == 1) {
		*out = lead;
		return 1;
	}
	wchar_t c = n == 0 ? 0 : lead & (0xFF >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		if (((unsigned char)s[i] & 0xC0) != 0x80)
			n = 0;
		else
			c = (c << 6) | (s[i] & 0x3F);
	}
	*out = n == 0 ? L'?' : c;
	return n == 0 ? 1 : n;
}

size_t text_step(const char *clean, int *cells)
{
	wchar_t c;
	if (*clean == '\0') {
		*cells = 0;
		return 0;
	}
	size_t n = text_decode(clean, &c);
	int w = wcwidth(c);
	*cells = w < 0 ? 1 : w;
	while (clean[n] != '\0') {
		size_t more = text_decode(clean + n, &c);
		if (c < 0x80 || wcwidth(c) != 0)
			break;
		n += more;
	}
	return n;
}

size_t text_back(const char *clean, size_t at)
{
	size_t before = 0;
	for (size_t i = 0; i < at;) {
		int cells;
		before = i;
		i += text_step(clean + i, &cells);
	}
	return before;
}

int text_cells(const char *clean)
{
	int total = 0, cells;
	for (size_t n; (n = text_step(clean, &cells)) > 0; clean += n)
		total += cells;
	return total;
}

int text_width(const char *raw)
{
	char clean[TEXT_SIZE];
	return text_cells(format_sanitized(raw ? raw : "", clean, sizeof(clean)));
}

/* Appends one step; what the locale has no character for becomes '?'. */
static size_t put_step(char *dst, size_t size, size_t at, const char *step, size_t n)
{
	wchar_t c;
	text_decode(step, &c);
	if (wcwidth(c) < 0) {
		step = "?";
		n = 1;
	}
	if (at + n >= size)
		return at;
	memcpy(dst + at, step, n);
	return at + n;
}

/* Bytes of clean that fit into `cells`; *used says how many cells they take. */
static size_t fitting(const char *clean, int cells, int *used)
{
	size_t at = 0;
	*used = 0;
	for (;;) {
		int w;
		size_t n = text_step(clean + at, &w);
		if (n == 0 || *used + w > cells)
			return at;
		at += n;
		*used += w;
	}
}

void text_print(FILE *out, const char *raw)
{
	char clean[4096];
	fputs(format_sanitized(raw, clean, sizeof(clean)), out);
}

int text_clip(char *dst, size_t size, const char *src, int cells, const char *ellipsis)
{
	char clean[TEXT_SIZE];
	format_sanitized(src ? src : "", clean, sizeof(clean));
	int used;
	size_t keep = fitting(clean, MAX(cells, 0), &used), at = 0;
	bool cut = clean[keep] != '\0' && cells > 0;
	if (cut)
		keep = fitting(clean, MAX(cells - text_cells(ellipsis), 0), &used);
	for (size_t i = 0; i < keep;) {
		int w;
		size_t n = text_step(clean + i, &w);
		at = put_step(dst, size, at, clean + i, n);
		i += n;
	}
	dst[at] = '\0';
	if (cut && used + text_cells(ellipsis) <= cells) {
		copy_text(dst + at, size - at, ellipsis);
		used += text_cells(ellipsis);
	}
	return used;
}

void text_clip_middle(char *dst, size_t size, const char *src, int cells, const char *ellipsis)
{
	char clean[TEXT_SIZE];
	format_sanitized(src, clean, sizeof(clean));
	int front = cells - cells / 2, whole = text_cells(clean);
	size_t end = strlen(clean), from = end;
	if (whole > cells)
		for (size_t at = end; at > 0 && text_cells(clean + (at = text_back(clean, at))) <= cells - front;)
			from = at;
	text_clip(dst, size, clean, whole > cells ? front : cells, ellipsis);
	copy_text(dst + strlen(dst), size - strlen(dst), clean + from);
}

void text_pad(
	char *dst, size_t size, const char *src, int cells, enum align align, const char *ellipsis)
{
	int used = text_clip(dst, size, src, cells, ellipsis);
	size_t len = strlen(dst), fill = (size_t)MAX(cells - used, 0);
	fill = MIN(fill, size - len - 1);
	if (align == ALIGN_RIGHT) {
		memmove(dst + fill, dst, len + 1);
		memset(dst, ' ', fill);
	} else {
		memset(dst + len, ' ', fill);
		dst[len + fill] = '\0';
	}
}

/* Bytes of the next line of clean text, without the spaces it is broken at. */
static size_t line_length(const char *clean, int cells)
{
	int used;
	size_t n = fitting(clean, cells, &used);
	if (clean[n] == '\0' || clean[n] == ' ')
		return n;
	for (size_t i = n; i > 0; i--)
		if (clean[i - 1] == ' ')
			return i - 1 > 0 ? i - 1 : n;
	if (n == 0) {
		int w;
		n = text_step(clean, &w);
	}
	return n;
}

/* Bytes in front of the first word, when that is set in; *cells says how far. */
static size_t hanging(const char *clean, int *cells)
{
	size_t n = strspn(clean, " ");
	int w;
	*cells = 0;
	if (n == 0)
		return 0;
	size_t mark = text_step(clean + n, &w);
	wchar_t c = L'a';
	text_decode(clean + n, &c);
	if (mark > 0 && !iswalnum((wint_t)c) && clean[n + mark] == ' ') {
		*cells = (int)n + w + 1;
		return n + mark + 1;
	}
	*cells = (int)n;
	return n;
}

static void wrap_paragraph(struct strings *lines, const char *clean, int cells)
{
	int indent;
	size_t lead = hanging(clean, &indent);
	if (indent > cells / 2)
		lead = (size_t)(indent = 0);
	const char *first = clean;
	clean += lead;
	do {
		size_t n = line_length(clean, cells - indent);
		char *line = first ? xasprintf("%.*s%.*s", (int)lead, first, (int)n, clean)
						   : xasprintf("%*s%.*s", indent, "", (int)n, clean);
		strings_add(lines, line);
		free(line);
		first = NULL;
		clean += n;
		while (*clean == ' ')
			clean++;
	} while (*clean != '\0');
}

void text_wrap(struct strings *lines, const char *raw, int cells)
{
	cells = MAX(cells, 2);
	while (raw && *raw != '\0') {
		size_t n = strcspn(raw, "\n");
		char *part = xmalloc(n + 1), *clean = xmalloc(6 * n + 1);
		memcpy(part, raw, n);
		part[n] = '\0';
		for (char *tab = part; (tab = strchr(tab, '\t')) != NULL;)
			*tab = ' '; /* white space like any other, where text flows */
		wrap_paragraph(lines, format_sanitized(part, clean, 6 * n + 1), cells);
		free(part);
		free(clean);
		raw += n + (raw[n] == '\n');
	}
}

static bool has_upper(const char *s)
{
	wchar_t c;
	for (; *s != '\0'; s += text_decode(s, &c))
		if (text_decode(s, &c) > 0 && iswupper((wint_t)c))
			return true;
	return false;
}

bool text_matches(const char *text, const char *what)
{
	bool invert = what[0] == '!';
	what += invert;
	if (*what == '\0')
		return true;
	bool found = has_upper(what) ? strstr(text, what) != NULL : strcasestr(text, what) != NULL;
	return found != invert;
}

int text_fuzzy(const char *text, const char *what)
{
	int score = 1, run = 0;
	bool word = true;
	for (; *what != '\0' && *text != '\0'; text++) {
		if (tolower((unsigned char)*text) == tolower((unsigned char)*what)) {
			run++;
			score += run * run + (word ? 3 : 0);
			what++;
		} else {
			run = 0;
		}
		word = !isalnum((unsigned char)*text);
	}
	return *what == '\0' ? score : 0;
}
