// SPDX-License-Identifier: PostgreSQL
/* What a cutover's checklist, steps and result are called, for people and for scripts. */
#ifndef CUTOVER_REPORT_H
#define CUTOVER_REPORT_H

#include <stdio.h>

#include <pgpier/json.h>
#include <pgpier/model.h>

void gates_print(const struct cutover_gate *gates, size_t n, FILE *out);
/* "  2.134 s  freeze: ended 12 sessions": a step that came into another state. */
void step_print(enum cutover_step step, const struct cutover_step_view *s, double elapsed_s, FILE *out);
/* What it came to, and what is left to do. */
void cutover_print(const struct mirror_view *m, const struct cutover_view *v, FILE *out);
void cutover_print_remains(const struct cutover_view *v, FILE *out); /* a line each */
/* For status: where it stands, and how to go on; nothing for one that never was. */
void cutover_print_status(const struct mirror_view *m, const struct cutover_view *v, FILE *out);

/* "cutover MIRROR", or "rollback MIRROR" of the one that it leads back from: what goes after pgpier. */
const char *cutover_command(const struct mirror_view *m, char buf[2 * NAME_SIZE]);

/* "cutover": null for one that never was. */
void shape_cutover(struct json *j, const struct cutover_view *v);
void shape_gates(struct json *j, const struct cutover_gate *gates, size_t n);

#endif
