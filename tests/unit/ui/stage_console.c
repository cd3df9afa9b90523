// SPDX-License-Identifier: PostgreSQL
/* The console on the stage, to look at while it is built: no server needed. stage_console [--ascii] [TABLES] */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "console.h"
#include "stage.h"

struct player {
	struct engine *engine;
	atomic_bool stop;
};

static void *play(void *arg)
{
	struct player *p = arg;
	while (!atomic_load(&p->stop)) {
		stage_step(p->engine, "shop-2026");
		usleep(250000);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	struct console_options o = { .mouse = true };
	struct player p = { .engine = stage_new() };
	pthread_t thread;
	console_locale();
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--ascii") == 0)
			o.ascii = true;
		else
			stage_many_tables(p.engine, (size_t)atol(argv[i]), 200);
	}
	stage_loading(p.engine, "shop-2026");
	pthread_create(&thread, NULL, play, &p);
	int status = console_run(p.engine, &o);
	atomic_store(&p.stop, true);
	pthread_join(thread, NULL);
	stage_free(p.engine);
	return status;
}
