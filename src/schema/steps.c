// SPDX-License-Identifier: PostgreSQL
#include "steps.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *schema_kind_name(enum schema_kind k)
{
	static const char *const names[] = {
		[SCHEMA_SCHEMA] = "schema",
		[SCHEMA_TYPE] = "type",
		[SCHEMA_SEQUENCE] = "sequence",
		[SCHEMA_TABLE] = "table",
		[SCHEMA_COLUMN] = "columns of our own",
		[SCHEMA_PRIMARY_KEY] = "primary key",
		[SCHEMA_UNIQUE] = "unique",
		[SCHEMA_EXCLUSION] = "exclusion",
		[SCHEMA_INDEX] = "index",
		[SCHEMA_CHECK] = "check",
		[SCHEMA_ATTACH] = "attach",
		[SCHEMA_VALUE] = "sequence value",
	};
	return names[k];
}

void steps_add(struct schema_steps *steps, enum schema_kind kind, size_t table, int stage,
	char *take_name, struct strbuf *sql)
{
	GROW(steps->items, steps->count);
	steps->items[steps->count++] = (struct schema_step){
		.kind = kind,
		.table = table,
		.stage = stage,
		/* ALTER TABLE locks its table against everyone, CREATE INDEX only against writers */
		.alone = strncmp(sql->text, "ALTER TABLE", 11) == 0,
		.name = take_name,
		.sql = strbuf_take(sql),
	};
}

void schema_steps_free(struct schema_steps *steps)
{
	for (size_t i = 0; i < steps->count; i++) {
		free(steps->items[i].name);
		free(steps->items[i].sql);
	}
	free(steps->items);
	strings_free(&steps->unread);
	*steps = (struct schema_steps){ 0 };
}

struct schema_finding *schema_findings_add(
	struct schema_findings *f, size_t table, enum severity severity, const char *fmt, ...)
{
	va_list args;
	char *text = NULL;
	va_start(args, fmt);
	int n = vasprintf(&text, fmt, args);
	va_end(args);
	GROW(f->items, f->count);
	f->items[f->count] = (struct schema_finding){
		.table = table,
		.severity = severity,
		.text = n < 0 ? xstrdup(fmt) : text,
	};
	f->blockers += severity == SEVERITY_BLOCKER;
	return &f->items[f->count++];
}

void schema_findings_free(struct schema_findings *f)
{
	for (size_t i = 0; i < f->count; i++) {
		free(f->items[i].text);
		free(f->items[i].next);
	}
	free(f->items);
	*f = (struct schema_findings){ 0 };
}
