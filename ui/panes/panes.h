// SPDX-License-Identifier: PostgreSQL
/* The panes' constructors, and the few things they share. */
#ifndef PGPIER_PANES_PANES_H
#define PGPIER_PANES_PANES_H

#include "ui.h"
#include "widgets/facts.h"
#include "widgets/table.h"

#include <pgpier/format.h>

struct draft;

struct pane *peers_pane_new(struct ui *u);
struct pane *peer_form_new(struct ui *u, const char *name); /* NULL: a new one */
struct pane *peer_detail_new(struct ui *u, const char *name);
struct pane *activity_pane_new(struct ui *u, const char *peer);
struct pane *slots_pane_new(struct ui *u, const char *peer);
struct pane *settings_pane_new(struct ui *u, const char *peer);
/* Writes the name of the peer that is chosen to `chosen`, the asker's, of NAME_SIZE, and closes itself. */
struct pane *peer_choice_pane_new(struct ui *u, const char *except, char *chosen);
struct pane *mirrors_pane_new(struct ui *u);
struct pane *mirror_form_new(struct ui *u, const char *name); /* NULL: a new one */
struct pane *picker_pane_new(struct ui *u, struct draft *d);  /* d stays the form's */
struct pane *columns_pane_new(struct ui *u, struct draft *d, size_t table);
struct pane *preflight_pane_new(struct ui *u, struct draft *d);
struct pane *review_pane_new(struct ui *u, struct draft *d, const struct preflight *hold);
struct pane *mirror_detail_new(struct ui *u, const char *name);
struct pane *overview_pane_new(struct ui *u, const char *mirror);
struct pane *load_pane_new(struct ui *u, const char *mirror);
struct pane *schema_pane_new(struct ui *u, const char *mirror);
/* kind: COMMAND_COMPARE_SCHEMA or COMMAND_COMPARE_ROLES. Asks at once. */
struct pane *comparison_pane_new(struct ui *u, enum command_kind kind, const struct mirror_view *v);
struct pane *verify_pane_new(struct ui *u, const char *mirror);
struct pane *cutover_pane_new(struct ui *u, const char *mirror);
struct pane *replication_pane_new(struct ui *u, const char *mirror);
struct pane *chunks_pane_new(struct ui *u, const char *mirror, size_t table, const char *name);
struct pane *events_pane_new(struct ui *u, const char *object); /* "": of all */
struct pane *text_pane_new(struct ui *u, const char *title, char *take);
struct pane *help_pane_new(struct ui *u, struct pane *of);
struct pane *palette_pane_new(struct ui *u, struct pane *of);

/* tables_change.c: the answer to the question goes to tables_change(), which closes the wizard. */
void tables_ask_change(struct pane *p, const struct draft *d);
void tables_change(struct pane *p, struct draft *d);

/* A list with its detail beside it in a terminal of at least so many columns; else detail gets none. */
void split_detail(const struct ui *u, const struct canvas *c, int least, struct canvas *list,
	struct canvas *detail);
#define WIDE_COLS 120

/* What a pane that is a list does with text and the mouse. */
bool list_table_input(struct pane *p, struct table *t, const struct input *in);

/* ---- shared.c: how objects read on a screen ---- */

void peer_facts(struct facts *f, const struct ui *u, const struct peer_view *v);
void probe_facts(struct facts *f, const struct ui *u, const struct probe *p);
void error_facts(struct facts *f, const struct error *e);
void table_facts(struct facts *f, const struct ui *u, const struct table_view *v);
void mirror_facts(struct facts *f, const struct ui *u, const struct mirror_view *v);
/* "● initial load" and its role. */
enum role mirror_state_text(
	const struct ui *u, enum mirror_state s, char *buf, size_t size);
/* "64%  1.42/2.10 TB  184 MB/s  ~1h 05m (15:07)", or why it stands still. */
void mirror_progress_text(const struct mirror_view *v, char *buf, size_t size);
/* "▰▰▰▰▱▱ 64%  ~1h 05m  184 MB/s  1.42/2.10 TB" for a list. */
void mirror_progress_brief(const struct ui *u, const struct mirror_view *v, char *buf, size_t size);
/* "1.42/2.10 TB": one unit for both; "~" before an estimate. */
void done_of_total_bytes(int64_t done, int64_t total, bool exact, char *buf, size_t size);
void done_of_total_rows(int64_t done, int64_t total, bool exact, char *buf, size_t size);
/* Error texts begin with what they are about; beside a name that is said already. "mirror shop: table a.b: x"
 * without table a.b is "x", and so is that of "a.b: x". */
const char *without_subject(const char *text, const char *kind, const char *name);
/* What the server said beside the text, for a report; empty ones are left out. */
void report_details(struct strbuf *b, const char *sqlstate, const char *detail, const char *statement);
char *error_report(const struct error *e); /* all of it, for the text pane; the caller frees */
bool mirror_runs(enum mirror_state s);
/* Has the peer's activity and slots sampled for as long as a pane asks in each sync(). *asked_at is the
 * pane's. */
void watch_peer(struct ui *u, const char *peer, int64_t *asked_at);

/* ---- stream.c: how replication reads ---- */

/* "reaches 0 at 14:05", "falling behind 3 MB/s", "caught up"; empty when there is nothing to say. */
enum role forecast_text(const struct replication_view *r, enum mirror_state state, int64_t now_wall_us,
	char *buf, size_t size);
/* "extended  keeps 1.24 GB, +3.1 MB/s, lost at 17:25": of WAL, at this rate. */
enum role slot_text(const struct replication_view *r, int64_t now_wall_us, char *buf, size_t size);
enum role wal_status_role(const char *status);
const char *position_text(lsn_t at, char buf[FORMAT_SIZE]); /* "-" for none */
void stream_text(const struct mirror_view *v, char *buf, size_t size); /* "1.2 k ch/s", for a list */
void stream_facts(struct facts *f, const struct replication_view *r, enum mirror_state state);

/* ---- mirror_actions.c: what can be done to a mirror wherever it is chosen ---- */

bool mirror_act(struct pane *p, const struct mirror_view *v, enum action a);
void mirror_answered(struct pane *p, enum action a, const char *subject);
const char *mirror_refuse(const struct mirror_view *v, enum action a);
const char *mirror_label(const struct mirror_view *v, enum action a);
/* Asks for the first one that is lacking: what needs them waits until the key is pressed again. */
bool mirror_lacks_passwords(struct ui *u, const struct mirror_view *v);
/* Asks for the table's typed name: its rows on the target are emptied. The answer goes to table_resync(). */
void table_ask_resync(struct pane *p, const struct mirror_view *v, size_t table);
void table_resync(struct pane *p, const char *mirror, const char *table);

#endif
