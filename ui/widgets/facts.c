// SPDX-License-Identifier: PostgreSQL
#include "widgets/facts.h"

#include <stdio.h>
#include <stdlib.h>

#define LABEL_CELLS 15

void facts_clear(struct facts *f)
{
	for (int i = 0; i < f->count; i++)
		free(f->items[i].text);
	f->count = 0;
}

void facts_add(struct facts *f, const char *label, enum role role, const char *fmt, ...)
{
	char text[TEXT_SIZE];
	va_list args;
	if (f->count == FACTS_MAX)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	f->items[f->count].label = label;
	f->items[f->count].role = role;
	f->items[f->count++].text = xstrdup(text);
}

void facts_gap(struct facts *f)
{
	facts_add(f, "", ROLE_TEXT, " ");
}

int facts_render(const struct facts *f, const struct canvas *c)
{
	int line = 0;
	for (int i = 0; i < f->count; i++) {
		struct strings lines = { 0 };
		int indent = f->items[i].label ? LABEL_CELLS + 1 : 1;
		text_wrap(&lines, f->items[i].text, c->cols - indent - 1);
		if (f->items[i].label)
			canvas_put(c, line - f->top, 1, LABEL_CELLS, ALIGN_LEFT, ROLE_DIM, f->items[i].label);
		for (size_t k = 0; k < lines.count; k++, line++)
			canvas_add(c, line - f->top, indent, f->items[i].role, lines.items[k]);
		strings_free(&lines);
	}
	return line;
}
