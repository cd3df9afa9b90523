// SPDX-License-Identifier: PostgreSQL
#include "tables.h"

#include "shape.h"

const struct table_view *tables_next(struct tables *t)
{
	if (t->at == t->count) {
		size_t indexes[TABLES_WINDOW];
		t->first += t->count;
		for (size_t i = 0; i < TABLES_WINDOW; i++)
			indexes[i] = t->first + i;
		t->count = model_load_tables(t->model, t->mirror, indexes, TABLES_WINDOW, t->window);
		t->at = 0;
	}
	return t->at < t->count ? &t->window[t->at++] : NULL;
}

void tables_shape(struct json *j, struct model *model, const struct mirror_view *m)
{
	const struct table_view *t;
	struct replication_view stream;
	struct changes_view changes;
	struct tables all = { .model = model, .mirror = m->name };
	struct tables failed = all;
	json_object(j, NULL);
	shape_mirror(j, m);
	shape_replication(j, model_replication(model, m->name, &stream) ? &stream : NULL);
	json_array(j, "tables");
	while ((t = tables_next(&all)))
		shape_table(j, t,
			m->continuous && model_changes(model, m->name, &t->index, 1, &changes) == 1 ? &changes : NULL);
	json_end_array(j);
	json_array(j, "errors");
	if (m->error.class != ERROR_NONE)
		shape_error(j, m->name, &m->error);
	while ((t = tables_next(&failed)))
		if (t->error.class != ERROR_NONE)
			shape_error(j, t->source, &t->error);
	json_end_array(j);
	json_end_object(j);
}
