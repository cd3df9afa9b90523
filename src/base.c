// SPDX-License-Identifier: PostgreSQL
#include <pgpier/base.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void *checked(void *p)
{
	if (!p) {
		fputs("pgpier: out of memory\n", stderr);
		abort();
	}
	return p;
}

void *xmalloc(size_t size)
{
	return checked(malloc(size ? size : 1));
}

void *xcalloc(size_t count, size_t size)
{
	return checked(calloc(count ? count : 1, size ? size : 1));
}

void *xrealloc(void *p, size_t size)
{
	return checked(realloc(p, size ? size : 1));
}

char *xstrdup(const char *s)
{
	return s ? checked(strdup(s)) : NULL;
}

char *xvasprintf(const char *fmt, va_list args)
{
	char *s = NULL;
	int n = vasprintf(&s, fmt, args);
	return checked(n < 0 ? NULL : s);
}

char *xasprintf(const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	char *s = xvasprintf(fmt, args);
	va_end(args);
	return s;
}

void copy_text(char *dst, size_t size, const char *src)
{
	size_t n = src ? strlen(src) : 0;
	if (n >= size) {
		n = size - 1;
		while (n > 0 && ((unsigned char)src[n] & 0xC0) == 0x80)
			n--;
	}
	if (n > 0)
		memmove(dst, src, n);
	dst[n] = '\0';
}

static void strbuf_reserve(struct strbuf *b, size_t more)
{
	if (b->len + more + 1 <= b->size)
		return;
	b->size = MAX(b->size * 2, b->len + more + 64);
	b->text = xrealloc(b->text, b->size);
}

void strbuf_addn(struct strbuf *b, const void *bytes, size_t n)
{
	strbuf_reserve(b, n);
	if (n > 0)
		memcpy(b->text + b->len, bytes, n);
	b->len += n;
	b->text[b->len] = '\0';
}

void strbuf_add(struct strbuf *b, const char *s)
{
	strbuf_addn(b, s, strlen(s));
}

void strbuf_addf(struct strbuf *b, const char *fmt, ...)
{
	va_list args, again;
	va_start(args, fmt);
	va_copy(again, args);
	int n = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (n >= 0) {
		strbuf_reserve(b, (size_t)n);
		vsnprintf(b->text + b->len, (size_t)n + 1, fmt, again);
		b->len += (size_t)n;
	}
	va_end(again);
}

void strbuf_clear(struct strbuf *b)
{
	b->len = 0;
	if (b->text)
		b->text[0] = '\0';
}

char *strbuf_take(struct strbuf *b)
{
	char *s = b->text ? b->text : xstrdup("");
	*b = (struct strbuf)STRBUF_INIT;
	return s;
}

void strbuf_free(struct strbuf *b)
{
	free(b->text);
	*b = (struct strbuf)STRBUF_INIT;
}

void strings_add(struct strings *l, const char *s)
{
	GROW(l->items, l->count);
	l->items[l->count++] = xstrdup(s);
}

void strings_copy(struct strings *dst, const struct strings *src)
{
	*dst = (struct strings){ 0 };
	for (size_t i = 0; i < src->count; i++)
		strings_add(dst, src->items[i]);
}

static int compare_items(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void strings_sort(struct strings *l)
{
	if (l->count > 0)
		qsort(l->items, l->count, sizeof(char *), compare_items);
}

bool strings_sorted_have(const struct strings *l, const char *s)
{
	for (size_t low = 0, high = l->count; low < high;) {
		size_t middle = (low + high) / 2;
		int c = strcmp(s, l->items[middle]);
		if (c == 0)
			return true;
		if (c < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}

void strings_free(struct strings *l)
{
	for (size_t i = 0; i < l->count; i++)
		free(l->items[i]);
	free(l->items);
	*l = (struct strings){ 0 };
}

/* Capacity is the next power of two above count, so it needs no field of its own. */
void *grow_array(void *array, size_t count, size_t element_size)
{
	if (count != 0 && (count < 8 || (count & (count - 1)) != 0))
		return array;
	return xrealloc(array, (count < 8 ? 8 : count * 2) * element_size);
}

static int64_t read_clock(clockid_t id)
{
	struct timespec t;
	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t clock_us(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

int64_t wall_us(void)
{
	return read_clock(CLOCK_REALTIME);
}
