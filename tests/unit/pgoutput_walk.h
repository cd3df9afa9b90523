// SPDX-License-Identifier: PostgreSQL
/* Reads all that a decoded message points to, and tells whether it lies in the message's bytes. */
#ifndef PGOUTPUT_WALK_H
#define PGOUTPUT_WALK_H

#include <string.h>

#include "replicate/pgoutput.h"

struct walk {
	const char *from, *to;
	uint64_t sum; /* of all bytes, so that reading them has a purpose */
};

static inline bool walk_bytes(struct walk *w, const char *bytes, size_t size)
{
	if (bytes < w->from || bytes > w->to || size > (size_t)(w->to - bytes))
		return false;
	for (size_t i = 0; i < size; i++)
		w->sum += (unsigned char)bytes[i];
	return true;
}

static inline bool walk_text(struct walk *w, const char *text)
{
	if (text < w->from || text >= w->to)
		return strcmp(text, "pg_catalog") == 0;
	return walk_bytes(w, text, strnlen(text, (size_t)(w->to - text)) + 1);
}

static inline bool walk_tuple(struct walk *w, struct pgoutput_tuple t)
{
	struct pgoutput_value v;
	uint32_t columns = 0;
	while (pgoutput_next(&t, &v)) {
		columns++;
		if (!memchr("nutb", v.kind, 4) || !walk_bytes(w, v.bytes, v.size))
			return false;
	}
	return columns == t.columns;
}

static inline bool walk_columns(struct walk *w, const struct pgoutput_message *m)
{
	struct pgoutput_column column;
	const char *at = m->relation.at;
	uint32_t columns = 0;
	while (pgoutput_next_column(&at, m->relation.end, &column)) {
		columns++;
		if (!walk_text(w, column.name))
			return false;
	}
	return columns == m->relation.columns;
}

static inline bool walk_message(struct walk *w, const struct pgoutput_message *m)
{
	switch (m->kind) {
	case PGOUTPUT_ORIGIN:
		return walk_text(w, m->origin.name);
	case PGOUTPUT_RELATION:
		return walk_text(w, m->relation.schema) && walk_text(w, m->relation.name) &&
			   walk_columns(w, m);
	case PGOUTPUT_TYPE:
		return walk_text(w, m->type.schema) && walk_text(w, m->type.name);
	case PGOUTPUT_INSERT:
	case PGOUTPUT_UPDATE:
	case PGOUTPUT_DELETE:
		return walk_tuple(w, m->change.old_row) && walk_tuple(w, m->change.new_row);
	case PGOUTPUT_TRUNCATE:
		for (uint32_t i = 0; i < m->truncate.count; i++)
			w->sum += pgoutput_truncated(m, i);
		return walk_bytes(w, m->truncate.at, 4 * (size_t)m->truncate.count);
	case PGOUTPUT_MESSAGE:
		return walk_text(w, m->message.prefix) &&
			   walk_bytes(w, m->message.content, m->message.size);
	case PGOUTPUT_BEGIN_PREPARE:
	case PGOUTPUT_PREPARE:
	case PGOUTPUT_COMMIT_PREPARED:
	case PGOUTPUT_ROLLBACK_PREPARED:
	case PGOUTPUT_STREAM_PREPARE:
		return walk_text(w, m->prepared.gid);
	default:
		return m->kind < PGOUTPUT_KIND_COUNT;
	}
}

#endif
