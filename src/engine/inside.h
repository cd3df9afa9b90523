// SPDX-License-Identifier: PostgreSQL
/* The engine's insides, shared by its own files. */
#ifndef ENGINE_INSIDE_H
#define ENGINE_INSIDE_H

#include <pgpier/engine.h>
#include <pthread.h>

#include "../mirror/mirror.h"
#include "../model/write.h"
#include "../pool.h"
#include "../stop.h"

/* A command under way. */
struct ticket {
	uint64_t number;
	struct stop *stop; /* cancels it; its parent is the engine's */
	struct ticket *next;
};

/* A mirror that runs here, or has run and was not freed yet. */
struct running {
	char name[NAME_SIZE];
	struct mirror *mirror;
	bool ending; /* somebody waits for its threads outside of the lock */
	struct running *next;
};

struct engine {
	struct model *model;
	struct pool *pool;
	struct stop *stop;
	bool probe_peers;
	struct left *left; /* what runs here is written down, and what ran is known; NULL: not by this process */
	bool left_started; /* the monitor's */
	pthread_t monitor;
	_Atomic uint64_t next_ticket;

	pthread_mutex_t lock;
	/* the following are protected by lock */
	struct config *config;
	struct ticket *tickets;
	struct running *running;
	struct moving *moving; /* cutovers that are under way */
};

/* One handler a command; runs on a pool thread, may take its time, ends when stop is raised. It fills what the
 * command came to, but for its state; references in it are handed to the model. */
typedef void handler(struct engine *g, struct command *c, const struct stop *stop, struct outcome *out);
handler do_peer_probe, do_peer_test, do_peer_save, do_peer_drop, do_peer_password,
	do_peer_watch, do_catalog;
handler do_mirror_check, do_mirror_save, do_mirror_run, do_mirror_pause, do_mirror_retry, do_mirror_drop,
	do_mirror_tune, do_mirror_tables, do_table_resync, do_mirror_refresh;
handler do_compare_settings;
handler do_compare_roles, do_apply_roles;
handler do_verify;
handler do_compare_schema;
handler do_script;
handler do_left_resume, do_left_forget;
handler do_gates, do_cutover, do_cutover_go, do_cutover_undo, do_finish;

/* Copies of what the configuration holds; false with an error when there is no such thing. */
bool engine_peer(struct engine *g, const char *name, struct peer_config *out, struct error *e) MUST_CHECK;
bool engine_mirror(struct engine *g, const char *name, struct mirror_config *out, struct peer_config *source,
	struct peer_config *target, struct error *e) MUST_CHECK;
/* Waits for all mirrors' threads. */
void engine_end_mirrors(struct engine *g);
/* Stops the mirror and waits for it. False: it does not run here. */
bool engine_end_mirror(struct engine *g, const char *name);
bool engine_runs(struct engine *g, const char *name);
/* Writes it down; taken on success. With the lock held. */
bool engine_put_mirror(struct engine *g, struct mirror_config *m, struct error *e) MUST_CHECK;
/* From the configuration, unless it is written by hand. Without the lock. */
bool engine_remove_mirror(struct engine *g, const char *name, struct error *e) MUST_CHECK;
struct running *engine_running(struct engine *g, const char *name); /* with the lock held; NULL */

void *monitor_main(void *engine);

/* left.c */
struct left *left_new(const char *state_dir, const struct config *c);
void left_free(struct left *l);
void left_tick(struct engine *g); /* by the monitor, once a second */

#endif
