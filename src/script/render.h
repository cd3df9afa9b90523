// SPDX-License-Identifier: PostgreSQL
/* Filling in a template. {{name|how}} becomes the value of that name, written so that its place can
 * hold it, whatever it is:
 *
 *     sh    one word of a shell
 *     line  text of a comment
 *     conf  a value of postgresql.conf
 *     md    code in a Markdown table
 *     raw   as it is: made for its place already
 *
 * Lines between {{#name}} and {{/name}} stay when the value is there and not empty, those between
 * {{^name}} and {{/name}} when it is not. These marks stand alone on their lines. Pure. */
#ifndef SCRIPT_RENDER_H
#define SCRIPT_RENDER_H

#include <pgpier/base.h>
#include <pgpier/error.h>

struct value {
	char name[24];
	char *text;
};

struct values {
	struct value *items;
	size_t count;
};

void values_take(struct values *v, const char *name, char *text); /* NULL is an empty one */
void values_add(struct values *v, const char *name, const char *text);
void values_flag(struct values *v, const char *name, bool on);
void values_free(struct values *v);

/* NULL with an error when the template is wrong. */
char *render(const char *template, const struct values *v, struct error *e) MUST_CHECK;

/* The ways to write a value, one by one. */
void render_shell(struct strbuf *out, const char *text);
void render_line(struct strbuf *out, const char *text);
void render_conf(struct strbuf *out, const char *text);
void render_markdown(struct strbuf *out, const char *text);

#endif
