// SPDX-License-Identifier: PostgreSQL
/* What can be done with any record by its table. Members are reached through memcpy or a pointer of
 * their own type, so that the compiler's aliasing rules hold. */
#include "fields.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static char *member(const struct field *f, void *value)
{
	return (char *)value + f->offset;
}

static const char *member_borrow(const struct field *f, const void *value)
{
	return (const char *)value + f->offset;
}

void complain(struct complaints *c, const char *field, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	char *text = xvasprintf(fmt, args);
	va_end(args);
	c->add(c, field, text);
	free(text);
}

const struct field *record_field(const struct record *r, const char *name)
{
	for (const struct field *f = r->fields; f->name; f++)
		if (strcmp(f->name, name) == 0)
			return f;
	return NULL;
}

int64_t field_number(const struct field *f, const void *value)
{
	const char *at = member_borrow(f, value);
	int64_t wide;
	int narrow;
	bool flag;
	switch (f->type) {
	case FIELD_INT64:
		memcpy(&wide, at, sizeof(wide));
		return wide;
	case FIELD_BOOL:
		memcpy(&flag, at, sizeof(flag));
		return flag;
	default: /* int, or an enum, which has its size */
		memcpy(&narrow, at, sizeof(narrow));
		return narrow;
	}
}

void field_set_number(const struct field *f, void *value, int64_t number)
{
	char *at = member(f, value);
	int narrow = (int)number;
	bool flag = number != 0;
	switch (f->type) {
	case FIELD_INT64:
		memcpy(at, &number, sizeof(number));
		break;
	case FIELD_BOOL:
		memcpy(at, &flag, sizeof(flag));
		break;
	default:
		memcpy(at, &narrow, sizeof(narrow));
	}
}

double field_real(const struct field *f, const void *value)
{
	double number;
	memcpy(&number, member_borrow(f, value), sizeof(number));
	return number;
}

void field_set_real(const struct field *f, void *value, double number)
{
	memcpy(member(f, value), &number, sizeof(number));
}

char **field_text(const struct field *f, void *value)
{
	return (char **)(void *)member(f, value);
}

const char *field_text_borrow(const struct field *f, const void *value)
{
	char *text;
	memcpy(&text, member_borrow(f, value), sizeof(text));
	return text && text[0] != '\0' ? text : NULL;
}

struct strings *field_texts(const struct field *f, void *value)
{
	return (struct strings *)(void *)member(f, value);
}

struct strings field_texts_borrow(const struct field *f, const void *value)
{
	struct strings l;
	memcpy(&l, member_borrow(f, value), sizeof(l));
	return l;
}

bool field_asks(const struct field *f, const void *value)
{
	bool ask;
	memcpy(&ask, (const char *)value + f->beside, sizeof(ask));
	return ask;
}

void field_set_asks(const struct field *f, void *value)
{
	memcpy((char *)value + f->beside, &(bool){ true }, sizeof(bool));
}

bool field_in_range(const struct field *f, int64_t number)
{
	return number >= f->min && number <= f->max;
}

int choice_index(const char *const *choices, const char *name)
{
	for (int i = 0; choices[i]; i++)
		if (strcmp(choices[i], name) == 0)
			return i;
	return -1;
}

void choices_list(struct strbuf *b, const char *const *choices)
{
	for (size_t i = 0; choices[i]; i++) {
		if (i > 0)
			strbuf_add(b, choices[i + 1] ? ", " : " or ");
		strbuf_add(b, choices[i]);
	}
}

size_t records_count(const struct field *f, const void *value)
{
	size_t count;
	memcpy(&count, (const char *)value + f->beside, sizeof(count));
	return count;
}

void *records_at(const struct field *f, const void *value, size_t i)
{
	char *array;
	memcpy(&array, member_borrow(f, value), sizeof(array));
	return array ? array + i * f->record->size : NULL;
}

void *records_add(const struct field *f, void *value)
{
	size_t count = records_count(f, value);
	void *array = grow_array(*(void **)(void *)member(f, value), count, f->record->size);
	memcpy(member(f, value), &array, sizeof(array));
	count++;
	memcpy((char *)value + f->beside, &count, sizeof(count));
	return memset((char *)array + (count - 1) * f->record->size, 0, f->record->size);
}

void record_defaults(const struct record *r, void *value)
{
	memset(value, 0, r->size);
	for (const struct field *f = r->fields; f->name; f++) {
		if (f->initial_text)
			*field_text(f, value) = xstrdup(f->initial_text);
		else if (f->type == FIELD_REAL)
			field_set_real(f, value, (double)f->initial);
		else if (f->initial != 0)
			field_set_number(f, value, f->initial);
	}
}

/* dst holds the same bytes as src, so what they point to is still src's. */
static void copy_pointed(const struct field *f, void *dst, const void *src)
{
	struct strings texts;
	switch (f->type) {
	case FIELD_TEXT:
	case FIELD_PASSWORD:
		*field_text(f, dst) = xstrdup(field_text_borrow(f, src));
		break;
	case FIELD_TEXTS:
		texts = field_texts_borrow(f, src);
		strings_copy(field_texts(f, dst), &texts);
		break;
	case FIELD_RECORDS:
		memset(member(f, dst), 0, sizeof(void *));
		memset((char *)dst + f->beside, 0, sizeof(size_t));
		for (size_t i = 0; i < records_count(f, src); i++)
			record_copy(f->record, records_add(f, dst), records_at(f, src, i));
		break;
	default:
		break;
	}
}

void record_copy(const struct record *r, void *dst, const void *src)
{
	memcpy(dst, src, r->size);
	for (const struct field *f = r->fields; f->name; f++)
		copy_pointed(f, dst, src);
}

static void free_pointed(const struct field *f, void *value)
{
	switch (f->type) {
	case FIELD_TEXT:
	case FIELD_PASSWORD:
		if (f->secret && *field_text(f, value))
			explicit_bzero(*field_text(f, value), strlen(*field_text(f, value)));
		free(*field_text(f, value));
		break;
	case FIELD_TEXTS:
		strings_free(field_texts(f, value));
		break;
	case FIELD_RECORDS:
		for (size_t i = 0; i < records_count(f, value); i++)
			record_free(f->record, records_at(f, value, i));
		free(records_at(f, value, 0));
		break;
	default:
		break;
	}
}

void record_free(const struct record *r, void *value)
{
	for (const struct field *f = r->fields; f->name; f++)
		free_pointed(f, value);
	memset(value, 0, r->size);
}

static void check_text(const struct field *f, const void *value, struct complaints *c)
{
	const char *text = field_text_borrow(f, value);
	if (!text && f->required)
		complain(c, f->name, "%s is missing", f->name);
	if (!text || !f->choices || choice_index(f->choices, text) >= 0)
		return;
	struct strbuf list = STRBUF_INIT;
	choices_list(&list, f->choices);
	complain(c, f->name, "%s must be %s, not \"%s\"", f->name, list.text, text);
	strbuf_free(&list);
}

static void check_number(const struct field *f, const void *value, struct complaints *c)
{
	int64_t n = field_number(f, value);
	if (!field_in_range(f, n) && !(n == 0 && f->may_be_0))
		complain(c, f->name, "%s must be %" PRId64 " to %" PRId64 ", not %" PRId64, f->name, f->min,
			f->max, n);
}

static void check_real(const struct field *f, const void *value, struct complaints *c)
{
	double n = field_real(f, value);
	if (!(n >= (double)f->min && n <= (double)f->max))
		complain(c, f->name, "%s must be %" PRId64 " to %" PRId64, f->name, f->min, f->max);
}

static void check_choice(const struct field *f, const void *value, struct complaints *c)
{
	int64_t n = field_number(f, value);
	int64_t count = 0;
	while (f->choices[count])
		count++;
	if (n < 0 || n >= count)
		complain(c, f->name, "%s has the unknown value %" PRId64, f->name, n);
}

static void check_texts(const struct field *f, const void *value, struct complaints *c)
{
	struct strings l = field_texts_borrow(f, value);
	for (size_t i = 0; i < l.count; i++)
		if (l.items[i][0] == '\0')
			complain(c, f->name, "%s has an empty text", f->name);
}

void record_check(const struct record *r, const void *value, struct complaints *c)
{
	static void (*const by_type[])(const struct field *, const void *, struct complaints *) = {
		[FIELD_TEXT] = check_text,
		[FIELD_PASSWORD] = check_text,
		[FIELD_INT] = check_number,
		[FIELD_INT64] = check_number,
		[FIELD_REAL] = check_real,
		[FIELD_CHOICE] = check_choice,
		[FIELD_TEXTS] = check_texts,
		[FIELD_RECORDS] = NULL,
	};
	for (const struct field *f = r->fields; f->name; f++)
		if (by_type[f->type])
			by_type[f->type](f, value, c);
	if (r->check)
		r->check(value, c);
}
