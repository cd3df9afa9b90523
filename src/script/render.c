// SPDX-License-Identifier: PostgreSQL
#include "render.h"

#include <pgpier/format.h>
#include <pgpier/utf8.h>
#include <stdlib.h>
#include <string.h>

/* ---- values ---- */

void values_take(struct values *v, const char *name, char *text)
{
	GROW(v->items, v->count);
	struct value *added = &v->items[v->count++];
	copy_text(added->name, sizeof(added->name), name);
	added->text = text ? text : xstrdup("");
}

void values_add(struct values *v, const char *name, const char *text)
{
	values_take(v, name, xstrdup(text));
}

void values_flag(struct values *v, const char *name, bool on)
{
	values_add(v, name, on ? "yes" : "");
}

void values_free(struct values *v)
{
	for (size_t i = 0; i < v->count; i++)
		free(v->items[i].text);
	free(v->items);
	*v = (struct values){ 0 };
}

static const char *value_of(const struct values *v, const char *name, size_t length)
{
	for (size_t i = 0; i < v->count; i++)
		if (strlen(v->items[i].name) == length && strncmp(v->items[i].name, name, length) == 0)
			return v->items[i].text;
	return NULL;
}

/* ---- how a value is written ---- */

/* Whoever looks at the file on a terminal must not have it obey a name. */
static bool has_controls(const char *text)
{
	uint32_t code;
	for (size_t length; *text; text += length) {
		length = utf8_decode(text, &code);
		if (length == 0 || utf8_is_control(code))
			return true;
	}
	return false;
}

static void add_byte_escaped(struct strbuf *out, unsigned char byte)
{
	if (byte == '\'' || byte == '\\')
		strbuf_addf(out, "\\%c", byte);
	else if (byte < 0x20 || byte >= 0x7F)
		strbuf_addf(out, "\\%03o", byte);
	else
		strbuf_addf(out, "%c", byte);
}

/* Octal, because a hexadecimal escape of bash goes on for as long as there are digits. */
void render_shell(struct strbuf *out, const char *text)
{
	bool controls = has_controls(text);
	strbuf_add(out, controls ? "$'" : "'");
	for (const char *p = text; *p; p++) {
		if (controls)
			add_byte_escaped(out, (unsigned char)*p);
		else if (*p == '\'')
			strbuf_add(out, "'\\''");
		else
			strbuf_addn(out, p, 1);
	}
	strbuf_add(out, "'");
}

static char *sanitized(const char *text)
{
	size_t size = 8 * strlen(text) + 1;
	char *buf = xmalloc(size);
	format_sanitized(text, buf, size);
	return buf;
}

void render_line(struct strbuf *out, const char *text)
{
	char *line = sanitized(text);
	strbuf_add(out, line);
	free(line);
}

/* A line break in it would end the setting. */
void render_conf(struct strbuf *out, const char *text)
{
	strbuf_add(out, "'");
	for (const char *p = text; *p; p++) {
		if (*p == '\'')
			strbuf_add(out, "''");
		else if (*p == '\\')
			strbuf_add(out, "\\\\");
		else if ((unsigned char)*p < 0x20)
			strbuf_addf(out, "\\%03o", (unsigned char)*p);
		else
			strbuf_addn(out, p, 1);
	}
	strbuf_add(out, "'");
}

static size_t longest_backticks(const char *text)
{
	size_t longest = 0;
	for (const char *p = text; *p; p++) {
		size_t n = strspn(p, "`");
		longest = MAX(longest, n);
		p += n > 0 ? n - 1 : 0;
	}
	return longest;
}

/* Code begins and ends with more backticks than it holds; a bar would begin the next cell. */
void render_markdown(struct strbuf *out, const char *text)
{
	char *line = sanitized(text[0] ? text : "-");
	size_t ticks = longest_backticks(line) + 1;
	for (size_t i = 0; i < ticks; i++)
		strbuf_add(out, "`");
	strbuf_add(out, ticks > 1 ? " " : "");
	for (const char *p = line; *p; p++) {
		if (*p == '|')
			strbuf_add(out, "\\");
		strbuf_addn(out, p, 1);
	}
	strbuf_add(out, ticks > 1 ? " " : "");
	for (size_t i = 0; i < ticks; i++)
		strbuf_add(out, "`");
	free(line);
}

static void render_raw(struct strbuf *out, const char *text)
{
	strbuf_add(out, text);
}

static const struct {
	const char *name;
	void (*write)(struct strbuf *out, const char *text);
} ways[] = {
	{ "sh", render_shell },
	{ "line", render_line },
	{ "conf", render_conf },
	{ "md", render_markdown },
	{ "raw", render_raw },
};

/* ---- templates ---- */

struct rendering {
	const struct values *values;
	struct strbuf out;
	size_t depth;     /* sections that are open */
	size_t hidden_at; /* the depth of the outermost one that is left out; 0 none */
	struct error *error;
};

static bool wrong(struct rendering *r, const char *what, const char *text, size_t length)
{
	return error_set(r->error, ERROR_BUG, "template: %s {{%.*s}}", what, (int)length, text);
}

/* mark: what stands between the braces. */
static bool substitute(struct rendering *r, const char *mark, size_t length)
{
	const char *bar = memchr(mark, '|', length);
	size_t name = bar ? (size_t)(bar - mark) : length;
	const char *text = value_of(r->values, mark, name);
	if (!bar || !text)
		return wrong(r, bar ? "no value for" : "no way to write", mark, length);
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		if (strlen(ways[i].name) == length - name - 1 &&
			strncmp(ways[i].name, bar + 1, length - name - 1) == 0) {
			ways[i].write(&r->out, text);
			return true;
		}
	}
	return wrong(r, "no such way to write", mark, length);
}

static bool section(struct rendering *r, const char *mark, size_t length)
{
	if (mark[0] == '/') {
		if (r->depth == 0)
			return wrong(r, "nothing to end at", mark, length);
		if (r->hidden_at == r->depth)
			r->hidden_at = 0;
		r->depth--;
		return true;
	}
	const char *text = value_of(r->values, mark + 1, length - 1);
	if (!text)
		return wrong(r, "no value for", mark, length);
	r->depth++;
	if (!r->hidden_at && (mark[0] == '#') != (text[0] != '\0'))
		r->hidden_at = r->depth;
	return true;
}

static bool is_section(const char *line, size_t length)
{
	return length > 5 && strncmp(line, "{{", 2) == 0 && strchr("#^/", line[2]) &&
		   strncmp(line + length - 2, "}}", 2) == 0;
}

static bool render_text(struct rendering *r, const char *line, size_t length)
{
	const char *end = line + length;
	while (line < end) {
		const char *open = memmem(line, (size_t)(end - line), "{{", 2);
		const char *close = open ? memmem(open, (size_t)(end - open), "}}", 2) : NULL;
		if (!close) {
			strbuf_addn(&r->out, line, (size_t)(end - line));
			return true;
		}
		strbuf_addn(&r->out, line, (size_t)(open - line));
		if (!substitute(r, open + 2, (size_t)(close - open) - 2))
			return false;
		line = close + 2;
	}
	return true;
}

static bool render_one_line(struct rendering *r, const char *line, size_t length)
{
	if (is_section(line, length))
		return section(r, line + 2, length - 4);
	if (r->hidden_at)
		return true;
	if (!render_text(r, line, length))
		return false;
	strbuf_add(&r->out, "\n");
	return true;
}

char *render(const char *template, const struct values *v, struct error *e)
{
	struct rendering r = { .values = v, .out = STRBUF_INIT, .error = e };
	bool ok = true;
	while (ok && *template) {
		size_t length = strcspn(template, "\n");
		ok = render_one_line(&r, template, length);
		template += length + (template[length] == '\n');
	}
	if (ok && r.depth > 0)
		ok = error_set(e, ERROR_BUG, "template: a section has no end");
	if (ok)
		return strbuf_take(&r.out);
	strbuf_free(&r.out);
	return NULL;
}
