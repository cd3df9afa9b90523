// SPDX-License-Identifier: PostgreSQL
#include "widgets/edit.h"

#include <stdlib.h>
#include <string.h>

const char *edit_text(const struct edit *e)
{
	return e->text.text ? e->text.text : "";
}

static void wipe(struct edit *e)
{
	if (e->secret && e->text.text)
		explicit_bzero(e->text.text, e->text.size);
}

void edit_set(struct edit *e, const char *text)
{
	wipe(e);
	strbuf_clear(&e->text);
	strbuf_add(&e->text, text ? text : "");
	e->cursor = e->text.len;
}

void edit_free(struct edit *e)
{
	wipe(e);
	strbuf_free(&e->text);
	e->cursor = 0;
}

static void insert(struct edit *e, const char *bytes, size_t n)
{
	if (e->text.len + n > EDIT_MAX)
		return;
	strbuf_addn(&e->text, bytes, n);
	char *at = e->text.text + e->cursor;
	memmove(at + n, at, e->text.len - n - e->cursor);
	memcpy(at, bytes, n);
	e->cursor += n;
}

static void erase(struct edit *e, size_t from, size_t to)
{
	if (from >= to)
		return;
	memmove(e->text.text + from, e->text.text + to, e->text.len - to + 1);
	e->text.len -= to - from;
	e->cursor = from;
}

static void insert_key(struct edit *e, int key)
{
	char bytes[8];
	size_t n = 0;
	unsigned c = (unsigned)key;
	if (c < 0x80) {
		bytes[n++] = (char)c;
	} else if (c < 0x800) {
		bytes[n++] = (char)(0xC0 | c >> 6);
		bytes[n++] = (char)(0x80 | (c & 0x3F));
	} else if (c < 0x10000) {
		bytes[n++] = (char)(0xE0 | c >> 12);
		bytes[n++] = (char)(0x80 | (c >> 6 & 0x3F));
		bytes[n++] = (char)(0x80 | (c & 0x3F));
	} else {
		bytes[n++] = (char)(0xF0 | c >> 18);
		bytes[n++] = (char)(0x80 | (c >> 12 & 0x3F));
		bytes[n++] = (char)(0x80 | (c >> 6 & 0x3F));
		bytes[n++] = (char)(0x80 | (c & 0x3F));
	}
	insert(e, bytes, n);
}

/* A paste is one line here: newlines at its ends go, those inside become spaces, other controls vanish. */
static void insert_paste(struct edit *e, const char *text)
{
	size_t n = strlen(text);
	while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == ' '))
		n--;
	while (n > 0 && (*text == '\n' || *text == ' ')) {
		text++;
		n--;
	}
	if (n > EDIT_MAX - e->text.len) {
		n = EDIT_MAX - e->text.len;
		while (n > 0 && ((unsigned char)text[n] & 0xC0) == 0x80)
			n--; /* not inside a character */
	}
	char *line = xmalloc(n + 1);
	size_t kept = 0;
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)text[i];
		if (c >= 0x20 && c != 0x7F)
			line[kept++] = text[i];
		else if (c == '\n' || c == '\t')
			line[kept++] = ' ';
	}
	insert(e, line, kept);
	if (e->secret)
		explicit_bzero(line, n);
	free(line);
}

static size_t word_start(const struct edit *e)
{
	size_t at = e->cursor;
	while (at > 0 && e->text.text[at - 1] == ' ')
		at--;
	while (at > 0 && e->text.text[at - 1] != ' ')
		at--;
	return at;
}

bool edit_input(struct edit *e, const struct input *in)
{
	const char *text = edit_text(e);
	int cells;
	if (in->kind == INPUT_PASTE) {
		insert_paste(e, in->text);
		return true;
	}
	if (in->kind != INPUT_KEY)
		return false;
	switch (in->key) {
	case KEY_ARROW_LEFT:
		e->cursor = text_back(text, e->cursor);
		return true;
	case KEY_ARROW_RIGHT:
		e->cursor += text_step(text + e->cursor, &cells);
		return true;
	case KEY_TO_HOME:
	case KEY_CTRL('a'):
		e->cursor = 0;
		return true;
	case KEY_TO_END:
	case KEY_CTRL('e'):
		e->cursor = strlen(text);
		return true;
	case KEY_RUBOUT:
		erase(e, text_back(text, e->cursor), e->cursor);
		return true;
	case KEY_DELETE:
		erase(e, e->cursor, e->cursor + text_step(text + e->cursor, &cells));
		return true;
	case KEY_CTRL('u'):
		erase(e, 0, e->cursor);
		return true;
	case KEY_CTRL('w'):
		erase(e, word_start(e), e->cursor);
		return true;
	case KEY_CTRL('k'):
		erase(e, e->cursor, strlen(text));
		return true;
	default:
		if (in->key < 0x20 || (in->key >= 0x7F && in->key < 0xA0) || in->key >= 0x110000)
			return false;
		insert_key(e, in->key);
		return true;
	}
}

/* The text as drawn: dots for a secret. `upto` bytes of it. */
static void shown(const struct edit *e, size_t from, size_t upto, struct strbuf *out)
{
	const char *text = edit_text(e);
	strbuf_clear(out);
	strbuf_add(out, "");
	if (!e->secret || e->revealed) {
		strbuf_addn(out, text + from, upto - from);
		return;
	}
	for (size_t i = from; i < upto;) {
		int cells;
		i += text_step(text + i, &cells);
		strbuf_add(out, "*");
	}
}

void edit_render(const struct edit *e, const struct canvas *c, int y, int x, int cells, bool focused,
	const char *fallback)
{
	struct strbuf part = STRBUF_INIT;
	const char *text = edit_text(e);
	if (*text == '\0') {
		canvas_put(c, y, x, cells, ALIGN_LEFT, ROLE_DIM, fallback ? fallback : "");
		if (focused)
			canvas_cursor(c, y, x);
		return;
	}
	/* Steps leave on the left until what stands before the cursor fits. */
	size_t from = 0, end = e->text.len;
	if (e->cursor > (size_t)cells * 8)
		from = text_back(text, e->cursor - (size_t)cells * 4);
	for (;;) {
		int w;
		shown(e, from, e->cursor, &part);
		if (text_width(part.text) < cells || from >= e->cursor)
			break;
		from += text_step(text + from, &w);
	}
	int cursor = text_width(part.text);
	shown(e, from, MIN(end, e->cursor + (size_t)cells * 8), &part);
	canvas_put(c, y, x, cells, ALIGN_LEFT, ROLE_TEXT, part.text);
	if (focused)
		canvas_cursor(c, y, x + MIN(cursor, cells - 1));
	if (e->secret && part.text)
		explicit_bzero(part.text, part.size);
	strbuf_free(&part);
}
