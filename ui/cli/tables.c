// SPDX-License-Identifier: PostgreSQL
#include "tables.h"

#include <stdlib.h>

#include "cutover_report.h"
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

static void shape_list(struct json *j, struct model *model, const char *mirror, const char *key, unsigned states)
{
	struct object_view view;
	size_t *indexes, n = model_objects(model, mirror, states, &indexes);
	json_array(j, key);
	for (size_t i = 0; i < n; i++)
		if (model_object_rows(model, mirror, &indexes[i], 1, &view) == 1)
			shape_object(j, &view);
	json_end_array(j);
	free(indexes);
}

static void shape_schema(struct json *j, struct model *model, const char *mirror)
{
	size_t counts[OBJECT_STATE_COUNT];
	model_object_counts(model, mirror, counts);
	json_object(j, "schema");
	shape_object_counts(j, counts);
	shape_list(j, model, mirror, "failed", 1u << OBJECT_FAILED | 1u << OBJECT_BLOCKED);
	shape_list(j, model, mirror, "left_out", 1u << OBJECT_LEFT_OUT);
	json_end_object(j);
}

void tables_shape(struct json *j, struct model *model, const struct mirror_view *m)
{
	const struct table_view *t;
	struct replication_view stream;
	struct changes_view changes;
	struct tables all = { .model = model, .mirror = m->name };
	struct tables failed = all;
	struct cutover_view cutover;
	model_cutover(model, m->name, &cutover);
	json_object(j, NULL);
	shape_mirror(j, m);
	shape_replication(j, model_replication(model, m->name, &stream) ? &stream : NULL);
	shape_cutover(j, &cutover);
	cutover_view_free(&cutover);
	shape_schema(j, model, m->name);
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
