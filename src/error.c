// SPDX-License-Identifier: PostgreSQL
#include <pgpier/error.h>

#include <stdio.h>
#include <string.h>

bool error_set(struct error *e, enum error_class class, const char *fmt, ...)
{
	va_list args;
	char text[sizeof(e->text)]; /* fmt's arguments may point into *e */
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	*e = (struct error){ .class = class };
	copy_text(e->text, sizeof(e->text), text);
	return false;
}

bool error_prefix(struct error *e, const char *fmt, ...)
{
	va_list args;
	char text[sizeof(e->text)];
	va_start(args, fmt);
	int n = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (n >= 0 && (size_t)n < sizeof(text))
		snprintf(text + n, sizeof(text) - (size_t)n, ": %s", e->text);
	copy_text(e->text, sizeof(e->text), text);
	return false;
}

bool error_next(struct error *e, const char *fmt, ...)
{
	va_list args;
	if (e->next[0] != '\0')
		return false;
	va_start(args, fmt);
	vsnprintf(e->next, sizeof(e->next), fmt, args);
	va_end(args);
	return false;
}

const char *error_line(const struct error *e, char *buf, size_t size)
{
	snprintf(buf, size, "%s%s%s", e->text, e->next[0] ? "; " : "", e->next);
	return buf;
}

const char *error_class_name(enum error_class class)
{
	static const char *const names[] = {
		[ERROR_NONE] = "none",
		[ERROR_USAGE] = "usage",
		[ERROR_CONFIG] = "config",
		[ERROR_CONNECTION] = "connection",
		[ERROR_PERMISSION] = "permission",
		[ERROR_DATA] = "data",
		[ERROR_CONFLICT] = "conflict",
		[ERROR_LOST] = "lost",
		[ERROR_CANCELLED] = "cancelled",
		[ERROR_BUG] = "bug",
	};
	return names[class];
}
