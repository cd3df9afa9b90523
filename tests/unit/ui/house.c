// SPDX-License-Identifier: PostgreSQL
#include "house.h"

#include <curses.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct house *house_open(int cols, int rows, bool ascii)
{
	struct house *h = xcalloc(1, sizeof(*h));
	FILE *nowhere = fopen("/dev/null", "r+");
	setlocale(LC_CTYPE, "C.UTF-8");
	setenv("TZ", "UTC", 1);
	if (!newterm("xterm-256color", nowhere, nowhere)) {
		fputs("no description of xterm-256color\n", stderr);
		abort();
	}
	h->rows = rows;
	h->cols = cols;
	resizeterm(rows, cols);
	theme_init(&h->theme, COLOR_ALWAYS, false, ascii);
	h->engine = stage_new();
	ui_init(&h->ui, h->engine, &h->theme);
	return h;
}

void house_close(struct house *h)
{
	ui_finish(&h->ui);
	stage_free(h->engine);
	endwin();
	free(h->text);
	free(h);
}

void house_resize(struct house *h, int cols, int rows)
{
	h->rows = rows;
	h->cols = cols;
	resizeterm(rows, cols);
}

/* What stands in a line, wide characters once. */
static void read_line(struct strbuf *b, int y, int cols)
{
	for (int x = 0; x < cols; x++) {
		cchar_t cell;
		wchar_t wide[CCHARW_MAX + 1] = { 0 };
		char bytes[8 * (CCHARW_MAX + 1)];
		attr_t attrs;
		short pair;
		if (mvin_wch(y, x, &cell) == ERR || getcchar(&cell, wide, &attrs, &pair, NULL) == ERR)
			continue;
		if (wcstombs(bytes, wide, sizeof(bytes)) != (size_t)-1)
			strbuf_add(b, bytes);
		if (wcwidth(wide[0]) == 2)
			x++;
	}
	strbuf_add(b, "\n");
}

const char *house_draw(struct house *h)
{
	struct canvas all = { &h->theme, 0, 0, h->rows, h->cols };
	struct strbuf b = STRBUF_INIT;
	h->ui.now = clock_us();
	ui_sync(&h->ui);
	werase(stdscr);
	frame_render(&h->ui, &all);
	for (int y = 0; y < h->rows; y++)
		read_line(&b, y, h->cols);
	free(h->text);
	h->text = strbuf_take(&b);
	return h->text;
}

void house_read(const struct house *h, char *buf, size_t size, int row)
{
	struct strbuf b = STRBUF_INIT;
	read_line(&b, row, h->cols);
	copy_text(buf, size, b.text);
	strbuf_free(&b);
}

static void press(struct house *h, int key)
{
	struct input in = { .kind = INPUT_KEY, .key = key };
	h->ui.now = clock_us();
	ui_input(&h->ui, &in);
	house_draw(h);
}

void house_press(struct house *h, const char *keys)
{
	while (*keys != '\0') {
		size_t n = strcspn(keys, " ");
		press(h, key_named(keys, n));
		keys += n + (keys[n] == ' ');
	}
}

void house_type(struct house *h, const char *text)
{
	while (*text != '\0') {
		wchar_t c;
		text += text_decode(text, &c);
		press(h, (int)c);
	}
}

void house_paste(struct house *h, const char *text)
{
	struct input in = { .kind = INPUT_PASTE, .text = text };
	ui_input(&h->ui, &in);
	house_draw(h);
}

void house_click(struct house *h, enum input_kind kind, int y, int x)
{
	struct input in = { .kind = kind, .y = y, .x = x };
	ui_input(&h->ui, &in);
	house_draw(h);
}

bool house_sees(struct house *h, const char *what)
{
	return strstr(house_draw(h), what) != NULL;
}

const char *house_line(struct house *h, const char *what, char *buf, size_t size)
{
	const char *at = strstr(house_draw(h), what);
	if (!at)
		return NULL;
	while (at > h->text && at[-1] != '\n')
		at--;
	size_t n = strcspn(at, "\n");
	snprintf(buf, size, "%.*s", (int)n, at);
	return buf;
}
