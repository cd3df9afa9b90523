// SPDX-License-Identifier: PostgreSQL
/* How a cutover reads, on a screen as on a command line. Pure: views in, words out. */
#ifndef PGPIER_UI_CUTOVER_TEXT_H
#define PGPIER_UI_CUTOVER_TEXT_H

#include <pgpier/cutover.h>

/* Somebody is at it, in this process or another one: it has a clock that runs. */
bool cutover_moves(const struct cutover_view *v);
/* Leaving this process would undo it, or leave what is behind the point of no return for later. */
bool cutover_needs_us(const struct cutover_view *v);
/* The step that somebody is at, or that it stopped at; CUTOVER_STEP_COUNT: none. */
enum cutover_step cutover_at(const struct cutover_view *v);
bool cutover_is_over(const struct cutover_view *v); /* the application is on the target */
int64_t cutover_ended_at(const struct cutover_view *v);

/* "cut over at 2026-11-21 15:07:03; nobody could write for 1.9 s": where it stands, in a line; empty for never. */
const char *cutover_text(const struct cutover_view *v, char *buf, size_t size);

size_t gates_count(const struct cutover_gate *gates, size_t n, enum gate_state s);
bool gates_are_open(const struct cutover_gate *gates, size_t n); /* measured, and none closed or unknown */
/* "12 ok, 1 warning, 2 closed" */
const char *gates_text(const struct cutover_gate *gates, size_t n, char *buf, size_t size);

#endif
