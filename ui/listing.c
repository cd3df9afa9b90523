// SPDX-License-Identifier: PostgreSQL
#include "listing.h"

#include <string.h>

#include "text.h"

#define MOST_COLUMNS 12

struct column {
	char title[NAME_SIZE];
	enum align align;
	int width;
};

static size_t parse_titles(const char *titles, struct column columns[MOST_COLUMNS])
{
	size_t count = 0;
	while (*titles != '\0' && count < MOST_COLUMNS) {
		struct column *c = &columns[count++];
		size_t length = strcspn(titles, " ");
		bool right = titles[length - 1] == '>';
		copy_text(c->title, MIN(sizeof(c->title), length - right + 1), titles);
		c->align = right ? ALIGN_RIGHT : ALIGN_LEFT;
		c->width = text_width(c->title);
		titles += length + (titles[length] == ' ');
	}
	return count;
}

void listing_add(struct listing *l, const char *cell)
{
	strings_add(&l->cells, cell && cell[0] != '\0' ? cell : "-");
}

static void print_row(const struct column *columns, size_t count, char *const *cells, FILE *out)
{
	char padded[TEXT_SIZE];
	for (size_t i = 0; i < count; i++) {
		const struct column *c = &columns[i];
		bool last = i + 1 == count;
		int width = last && c->align == ALIGN_LEFT ? text_width(cells[i]) : c->width;
		text_pad(padded, sizeof(padded), cells[i], width, c->align, "");
		fprintf(out, "%s%s", padded, last ? "\n" : "  ");
	}
}

void listing_print(struct listing *l, FILE *out)
{
	struct column columns[MOST_COLUMNS];
	char *titles[MOST_COLUMNS] = { 0 };
	size_t count = parse_titles(l->titles, columns);
	for (size_t i = 0; i < l->cells.count; i++) {
		struct column *c = &columns[i % count];
		c->width = MAX(c->width, text_width(l->cells.items[i]));
	}
	for (size_t i = 0; i < count; i++)
		titles[i] = columns[i].title;
	print_row(columns, count, titles, out);
	for (size_t i = 0; i + count <= l->cells.count; i += count)
		print_row(columns, count, &l->cells.items[i], out);
	strings_free(&l->cells);
}
