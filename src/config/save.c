// SPDX-License-Identifier: PostgreSQL
/* From structs to peers.conf and mirrors.conf. A reader sees the old file or the new one, whatever
 * happens in between: the new one is complete on the disk before it takes the name. */
#include <pgpier/config.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fields.h"

static void put_text(struct strbuf *b, const char *text)
{
	strbuf_add(b, "\"");
	for (const unsigned char *s = (const unsigned char *)text; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			strbuf_addf(b, "\\%c", *s);
		else if (*s < 0x20 || *s == 0x7F)
			strbuf_addf(b, "\\x%02X", *s);
		else
			strbuf_addn(b, s, 1);
	}
	strbuf_add(b, "\"");
}

static void put_record(struct strbuf *b, const struct record *r, const void *value);

static void put_texts(struct strbuf *b, struct strings l)
{
	strbuf_add(b, "[");
	for (size_t i = 0; i < l.count; i++) {
		strbuf_add(b, i > 0 ? ",\n      " : "\n      ");
		put_text(b, l.items[i]);
	}
	strbuf_add(b, " ]");
}

/* Tables stand on lines of their own, a table's columns behind one another. */
static void put_records(struct strbuf *b, const struct field *f, const void *value)
{
	const char *space = f->record == &column_map_record ? " " : "\n      ";
	strbuf_add(b, "(");
	for (size_t i = 0; i < records_count(f, value); i++) {
		strbuf_addf(b, "%s%s", i > 0 ? "," : "", space);
		put_record(b, f->record, records_at(f, value, i));
	}
	strbuf_add(b, " )");
}

static bool has_value(const struct field *f, const void *value)
{
	switch (f->type) {
	case FIELD_TEXT:
		return field_text_borrow(f, value) != NULL;
	case FIELD_PASSWORD:
		return field_asks(f, value) || field_text_borrow(f, value) != NULL;
	case FIELD_TEXTS:
		return field_texts_borrow(f, value).count > 0;
	case FIELD_RECORDS:
		return records_count(f, value) > 0;
	case FIELD_REAL:
		return true;
	default:
		return !f->may_be_0 || field_number(f, value) != 0;
	}
}

static void put_value(struct strbuf *b, const struct field *f, const void *value)
{
	int64_t n;
	switch (f->type) {
	case FIELD_TEXT:
		put_text(b, field_text_borrow(f, value));
		break;
	case FIELD_PASSWORD:
		put_text(b, field_asks(f, value) ? "ask" : field_text_borrow(f, value));
		break;
	case FIELD_TEXTS:
		put_texts(b, field_texts_borrow(f, value));
		break;
	case FIELD_RECORDS:
		put_records(b, f, value);
		break;
	case FIELD_CHOICE:
		put_text(b, f->choices[field_number(f, value)]);
		break;
	case FIELD_REAL: /* printf's %f follows the locale, libconfig does not */
		n = llround(field_real(f, value) * 1000);
		strbuf_addf(b, "%" PRId64 ".%03" PRId64, n / 1000, n % 1000);
		break;
	case FIELD_BOOL:
		strbuf_add(b, field_number(f, value) ? "true" : "false");
		break;
	default:
		n = field_number(f, value);
		strbuf_addf(b, "%" PRId64 "%s", n, n > INT32_MAX ? "L" : "");
	}
}

static void put_record(struct strbuf *b, const struct record *r, const void *value)
{
	bool on_one_line = r == &map_record || r == &column_map_record;
	strbuf_add(b, "{");
	for (const struct field *f = r->fields; f->name; f++) {
		if (!has_value(f, value))
			continue;
		strbuf_addf(b, "%s%s = ", on_one_line ? " " : "\n    ", f->name);
		put_value(b, f, value);
		strbuf_add(b, ";");
	}
	strbuf_add(b, " }");
}

/* The folders above as well: a first run may find no ~/.config. */
static bool make_folder(const char *directory, struct error *e)
{
	char *path = xstrdup(directory);
	bool ok = true;
	for (char *s = path + 1; ok && *s != '\0'; s++) {
		if (*s != '/')
			continue;
		*s = '\0';
		ok = mkdir(path, 0700) == 0 || errno == EEXIST;
		*s = '/';
	}
	ok = ok && (mkdir(path, 0700) == 0 || errno == EEXIST);
	if (!ok)
		error_set(e, ERROR_CONFIG, "can't make the folder %s: %s", directory, strerror(errno));
	free(path);
	return ok;
}

static bool write_all(int fd, const char *text, size_t size)
{
	while (size > 0) {
		ssize_t n = write(fd, text, size);
		if (n < 0 && errno != EINTR)
			return false;
		text += MAX(n, 0);
		size -= (size_t)MAX(n, 0);
	}
	return true;
}

/* A rename lasts only when the folder that holds the name is on the disk as well. Some network file
 * systems have no such thing and say EINVAL. */
static bool sync_folder(const char *directory)
{
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok = fd >= 0 && (fsync(fd) == 0 || errno == EINVAL);
	int failure = errno;
	if (fd >= 0)
		close(fd);
	errno = failure;
	return ok;
}

static bool replace_file(
	const char *directory, const char *path, const struct strbuf *b, struct error *e)
{
	char *temporary = xasprintf("%s.XXXXXX", path);
	int fd = mkostemp(temporary, O_CLOEXEC); /* mode 0600 */
	bool made = fd >= 0;
	bool ok = made && write_all(fd, b->text, b->len) && fsync(fd) == 0;
	int failure = errno;
	if (made && close(fd) != 0 && ok) {
		failure = errno;
		ok = false;
	}
	if (ok && (rename(temporary, path) != 0 || !sync_folder(directory))) {
		failure = errno;
		ok = false;
	}
	if (!ok) {
		if (made)
			unlink(temporary);
		error_set(e, ERROR_CONFIG, "can't write %s: %s", path, strerror(failure));
	}
	free(temporary);
	return ok;
}

/* The records of one list that live in its file: those whose bool at editable_offset is set. */
static void put_list(
	struct strbuf *b, const struct config *c, const struct field *f, size_t editable_offset)
{
	const char *separator = "";
	strbuf_addf(b,
		"# Written by pgpier, which replaces this file when a %s changes in the console.\n"
		"# What you write by hand belongs into pgpier.conf.\n%s = (",
		f->record->what, f->name);
	for (size_t i = 0; i < records_count(f, c); i++) {
		bool editable;
		memcpy(&editable, (char *)records_at(f, c, i) + editable_offset, sizeof(editable));
		if (!editable)
			continue;
		strbuf_addf(b, "%s\n  ", separator);
		put_record(b, f->record, records_at(f, c, i));
		separator = ",";
	}
	strbuf_add(b, "\n);\n");
}

static bool save(const struct config *c, const char *list, size_t editable_offset, struct error *e)
{
	struct strbuf b = STRBUF_INIT;
	char *path = xasprintf("%s/%s.conf", c->directory, list);
	put_list(&b, c, record_field(&config_record, list), editable_offset);
	bool ok = make_folder(c->directory, e) && replace_file(c->directory, path, &b, e);
	explicit_bzero(b.text, b.len);
	strbuf_free(&b);
	free(path);
	return ok;
}

bool config_save_peers(const struct config *c, struct error *e)
{
	return save(c, "peers", offsetof(struct peer_config, editable), e);
}

bool config_save_mirrors(const struct config *c, struct error *e)
{
	return save(c, "mirrors", offsetof(struct mirror_config, editable), e);
}
