// SPDX-License-Identifier: PostgreSQL
#include "source.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <pgpier/format.h>

#define DEEPEST_INCLUDE 10
#define LARGEST_TEXT (16 * 1024 * 1024)

/* One file on its way into the text. */
struct reader {
	struct source *source;
	struct config_problems *problems;
	size_t file;
	int line;
	int depth;
	const char *at;
};

static bool include_file(
	struct source *s, const char *path, int depth, struct config_problems *problems);

void problem_add(struct config_problems *p, const char *path, int line, const char *fmt, ...)
{
	struct strbuf b = STRBUF_INIT;
	va_list args;
	va_start(args, fmt);
	char *text = xvasprintf(fmt, args);
	va_end(args);
	if (line > 0)
		strbuf_addf(&b, "%s:%d: %s", path, line, text);
	else
		strbuf_addf(&b, "%s: %s", path, text);
	size_t size = b.len * 4 + 1; /* \x1b is the longest escape of one byte */
	char *shown = xmalloc(size);
	strings_add(&p->lines, format_sanitized(b.text, shown, size));
	free(shown);
	free(text);
	strbuf_free(&b);
}

static bool refuse(struct reader *r, int line, const char *text)
{
	problem_add(r->problems, r->source->files[r->file].path, line, "%s", text);
	return false;
}

static void begin_line(struct reader *r)
{
	struct source *s = r->source;
	GROW(s->lines, s->line_count);
	s->lines[s->line_count++] = (struct source_line){ r->file, r->line };
}

/* Moves the next n bytes into the text. */
static void copy(struct reader *r, size_t n)
{
	for (; n > 0; n--, r->at++) {
		strbuf_addn(&r->source->text, r->at, 1);
		if (*r->at == '\n') {
			r->line++;
			begin_line(r);
		}
	}
}

/* Up to and with the end mark; false when there is none. A backslash hides itself and a quote. */
static bool copy_until(struct reader *r, const char *end, bool backslashes)
{
	size_t length = strlen(end);
	while (*r->at != '\0' && strncmp(r->at, end, length) != 0)
		copy(r, backslashes && *r->at == '\\' && (r->at[1] == '\\' || r->at[1] == '"') ? 2 : 1);
	bool found = *r->at != '\0';
	copy(r, found ? length : 0);
	return found;
}

static bool copy_number(struct reader *r)
{
	const char *s = r->at + (*r->at == '-' || *r->at == '+');
	bool hex = s[0] == '0' && (s[1] == 'x' || s[1] == 'X');
	s += hex ? 2 : 0;
	s += strspn(s, hex ? "0123456789abcdefABCDEF" : "0123456789");
	if (!hex && *s != '\0' && strchr(".eE", *s)) {
		copy(r, (size_t)(s - r->at) + strspn(s, ".eE+-0123456789"));
		return true;
	}
	errno = 0;
	(void)strtoll(r->at, NULL, hex ? 16 : 10);
	if (errno == ERANGE)
		return refuse(r, r->line, "a number is too large");
	copy(r, (size_t)(s - r->at));
	if (*r->at == 'L')
		copy(r, strspn(r->at, "L"));
	else
		strbuf_add(&r->source->text, "L");
	return true;
}

/* The path between the quotes, which r->at stands behind the first of. */
static char *include_path(struct reader *r)
{
	const char *self = r->source->files[r->file].path;
	const char *slash = strrchr(self, '/');
	struct strbuf b = STRBUF_INIT;
	if (*r->at != '/' && slash)
		strbuf_addn(&b, self, (size_t)(slash - self) + 1);
	for (; *r->at != '"' && *r->at != '\n' && *r->at != '\0'; r->at++) {
		r->at += r->at[0] == '\\' && (r->at[1] == '\\' || r->at[1] == '"');
		strbuf_addn(&b, r->at, 1);
	}
	if (*r->at == '"') {
		r->at++;
		return strbuf_take(&b);
	}
	strbuf_free(&b);
	return NULL;
}

/* At the beginning of a line that may be an include. The included text gets lines of its own. */
static bool maybe_include(struct reader *r)
{
	const char *s = r->at + strspn(r->at, " \t");
	if (strncmp(s, "@include", 8) != 0 || s[8 + strspn(s + 8, " \t")] != '"')
		return true;
	r->at = strchr(s, '"') + 1;
	char *path = include_path(r);
	if (!path)
		return refuse(r, r->line, "the name of the file to include does not end");
	bool ok = r->depth < DEEPEST_INCLUDE ||
			  refuse(r, r->line, "includes are nested too deep; does a file include itself?");
	struct stat st;
	int failure = ok && stat(path, &st) != 0 ? errno : 0;
	if (ok && (failure != 0 || !S_ISREG(st.st_mode))) {
		problem_add(r->problems, r->source->files[r->file].path, r->line, "can't include %s: %s",
			path, failure != 0 ? strerror(failure) : "it is no regular file");
		ok = false;
	}
	if (ok) {
		strbuf_add(&r->source->text, "\n");
		ok = include_file(r->source, path, r->depth + 1, r->problems);
		strbuf_add(&r->source->text, "\n");
		begin_line(r);
	}
	free(path);
	return ok;
}

static bool copy_token(struct reader *r)
{
	int line = r->line;
	const char *s = r->at;
	if (*s == '"') {
		copy(r, 1);
		return copy_until(r, "\"", true) || refuse(r, line, "a text has no closing quote");
	}
	if (s[0] == '/' && s[1] == '*')
		return copy_until(r, "*/", false) || refuse(r, line, "a comment has no end");
	if (*s == '#' || (s[0] == '/' && s[1] == '/')) {
		copy(r, strcspn(s, "\n"));
		return true;
	}
	if (isalpha((unsigned char)*s) || *s == '*') {
		size_t n = 1;
		while (isalnum((unsigned char)s[n]) || (s[n] != '\0' && strchr("-_*", s[n])))
			n++;
		copy(r, n);
		return true;
	}
	if (isdigit((unsigned char)*s) || ((*s == '-' || *s == '+') && isdigit((unsigned char)s[1])))
		return copy_number(r);
	copy(r, 1);
	return *s != '\n' || maybe_include(r);
}

static bool put_text(struct reader *r, const char *text)
{
	static const char byte_order_mark[] = "\xEF\xBB\xBF";
	r->at = text;
	strbuf_add(&r->source->text, ""); /* an empty file is a text as well */
	if (strncmp(text, byte_order_mark, 3) == 0)
		r->at += 3;
	begin_line(r);
	if (!maybe_include(r))
		return false;
	while (*r->at != '\0')
		if (!copy_token(r))
			return false;
	return r->source->text.len <= LARGEST_TEXT ||
		   refuse(r, r->line, "the configuration is too large");
}

/* Reads a whole file. An error number, or 0. */
static int read_whole(int fd, struct strbuf *b)
{
	char buf[16384];
	ssize_t n;
	while ((n = read(fd, buf, sizeof(buf))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		strbuf_addn(b, buf, (size_t)n);
		if (b->len > LARGEST_TEXT)
			return EFBIG;
		if (memchr(buf, '\0', (size_t)n))
			return EILSEQ; /* a NUL byte: no text */
	}
	strbuf_add(b, "");
	return 0;
}

static int read_path(const char *path, struct strbuf *b, mode_t *mode)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int failure = fd < 0 || fstat(fd, &st) != 0 ? errno : 0;
	if (failure == 0 && S_ISDIR(st.st_mode))
		failure = EISDIR;
	if (failure == 0)
		failure = read_whole(fd, b);
	if (failure == 0)
		*mode = st.st_mode;
	if (fd >= 0)
		close(fd);
	return failure;
}

static bool include_file(struct source *s, const char *path, int depth, struct config_problems *p)
{
	struct strbuf text = STRBUF_INIT;
	mode_t mode = 0;
	int failure = read_path(path, &text, &mode);
	bool ok = failure == 0;
	if (ok) {
		GROW(s->files, s->file_count);
		s->files[s->file_count] = (struct source_file){ xstrdup(path), mode };
		struct reader r = { s, p, s->file_count++, 1, depth, NULL };
		ok = put_text(&r, text.text);
	} else {
		problem_add(p, path, 0, "can't be read: %s",
			failure == EILSEQ ? "it holds a NUL byte, so it is no text" : strerror(failure));
	}
	if (text.text)
		explicit_bzero(text.text, text.len);
	strbuf_free(&text);
	return ok;
}

enum source_result source_read(struct source *s, const char *path, struct config_problems *p)
{
	struct stat st;
	if (stat(path, &st) != 0 && (errno == ENOENT || errno == ENOTDIR))
		return SOURCE_ABSENT;
	return include_file(s, path, 0, p) ? SOURCE_READ : SOURCE_BROKEN;
}

void source_free(struct source *s)
{
	for (size_t i = 0; i < s->file_count; i++)
		free(s->files[i].path);
	free(s->files);
	free(s->lines);
	if (s->text.text)
		explicit_bzero(s->text.text, s->text.len);
	strbuf_free(&s->text);
	*s = (struct source){ 0 };
}

const struct source_file *source_where(const struct source *s, int line, int *file_line)
{
	size_t i = MIN((size_t)MAX(line, 1), s->line_count) - 1;
	*file_line = s->lines[i].line;
	return &s->files[s->lines[i].file];
}
