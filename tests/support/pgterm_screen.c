// SPDX-License-Identifier: PostgreSQL
/* See pgterm_screen.h. A wide character fills its cell and a second one that libvterm marks with (uint32_t)-1. */
#include "pgterm_screen.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static size_t put_utf8(char *out, uint32_t c)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

/* Room for the text of one cell and its terminator. */
#define CELL_TEXT (4 * VTERM_MAX_CHARS_PER_CELL + 1)

/* False for the second half of a wide character. */
static bool cell_text(const VTermScreenCell *cell, char *out)
{
	size_t len = 0;

	if (cell->chars[0] == (uint32_t)-1)
		return false;
	for (int i = 0; i < VTERM_MAX_CHARS_PER_CELL && cell->chars[i]; i++)
		len += put_utf8(out + len, cell->chars[i]);
	if (len == 0)
		out[len++] = ' ';
	out[len] = '\0';
	return true;
}

static VTermScreenCell cell_at(VTermScreen *screen, int row, int col)
{
	VTermScreenCell cell = { 0 };

	vterm_screen_get_cell(screen, (VTermPos){ row, col }, &cell);
	return cell;
}

char *screen_text(VTermScreen *screen, int rows, int cols)
{
	char *text = malloc((size_t)rows * ((size_t)cols * CELL_TEXT + 1) + 1);
	size_t len = 0;

	if (!text)
		abort();
	for (int row = 0; row < rows; row++) {
		size_t line = len;

		for (int col = 0; col < cols; col++) {
			VTermScreenCell cell = cell_at(screen, row, col);

			if (cell_text(&cell, text + len))
				len += strlen(text + len);
		}
		while (len > line && text[len - 1] == ' ')
			len--;
		text[len++] = '\n';
	}
	text[len] = '\0';
	return text;
}

void print_json_text(FILE *out, const char *utf8)
{
	fputc('"', out);
	for (const unsigned char *p = (const unsigned char *)utf8; *p; p++) {
		if (*p == '"' || *p == '\\')
			fprintf(out, "\\%c", *p);
		else if (*p < 0x20 || *p == 0x7f)
			fprintf(out, "\\u%04x", *p);
		else
			fputc(*p, out);
	}
	fputc('"', out);
}

void screen_print_lines(FILE *out, VTermScreen *screen, int rows, int cols)
{
	char *text = screen_text(screen, rows, cols);
	char *rest = text;

	fputs("\"lines\":[", out);
	for (char *line = strsep(&rest, "\n"); rest; line = strsep(&rest, "\n")) {
		print_json_text(out, line);
		if (*rest)
			fputc(',', out);
	}
	fputc(']', out);
	free(text);
}

static bool same_look(const VTermScreenCell *a, const VTermScreenCell *b)
{
	return a->attrs.bold == b->attrs.bold && a->attrs.underline == b->attrs.underline &&
		a->attrs.italic == b->attrs.italic && a->attrs.blink == b->attrs.blink &&
		a->attrs.reverse == b->attrs.reverse && a->attrs.strike == b->attrs.strike &&
		vterm_color_is_equal(&a->fg, &b->fg) && vterm_color_is_equal(&a->bg, &b->bg);
}

/* null for the terminal's own colour, else its number in the palette and its "#rrggbb". */
static void print_colour(FILE *out, const char *key, VTermScreen *screen, VTermColor colour, bool is_default)
{
	int index = VTERM_COLOR_IS_INDEXED(&colour) ? colour.indexed.idx : -1;

	if (is_default)
		return;
	vterm_screen_convert_color_to_rgb(screen, &colour);
	fprintf(out, ",\"%s\":\"#%02x%02x%02x\"", key, colour.rgb.red, colour.rgb.green, colour.rgb.blue);
	if (index >= 0)
		fprintf(out, ",\"%s_index\":%d", key, index);
}

static void print_look(FILE *out, VTermScreen *screen, const VTermScreenCell *cell)
{
	const struct {
		bool on;
		const char *name;
	} attributes[] = {
		{ cell->attrs.bold, "bold" },
		{ cell->attrs.underline, "underline" },
		{ cell->attrs.italic, "italic" },
		{ cell->attrs.blink, "blink" },
		{ cell->attrs.reverse, "reverse" },
		{ cell->attrs.strike, "strike" },
	};

	print_colour(out, "fg", screen, cell->fg, VTERM_COLOR_IS_DEFAULT_FG(&cell->fg));
	print_colour(out, "bg", screen, cell->bg, VTERM_COLOR_IS_DEFAULT_BG(&cell->bg));
	for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++)
		if (attributes[i].on)
			fprintf(out, ",\"%s\":true", attributes[i].name);
}

static void print_row_cells(FILE *out, VTermScreen *screen, int row, int cols)
{
	char text[CELL_TEXT];
	int col = 0;

	while (col < cols) {
		VTermScreenCell first = cell_at(screen, row, col);
		VTermScreenCell cell = first;
		char *run = NULL;
		size_t len = 0;
		FILE *words = open_memstream(&run, &len);

		fprintf(out, "%s{\"x\":%d,\"text\":", col ? "," : "", col);
		while (col < cols && same_look(&first, &cell)) {
			if (cell_text(&cell, text))
				fputs(text, words);
			col++;
			if (col < cols)
				cell = cell_at(screen, row, col);
		}
		fclose(words);
		print_json_text(out, run);
		free(run);
		print_look(out, screen, &first);
		fputc('}', out);
	}
}

void screen_print_cells(FILE *out, VTermScreen *screen, int rows, int cols)
{
	fputs("\"cells\":[", out);
	for (int row = 0; row < rows; row++) {
		fputs(row ? ",[" : "[", out);
		print_row_cells(out, screen, row, cols);
		fputc(']', out);
	}
	fputc(']', out);
}
