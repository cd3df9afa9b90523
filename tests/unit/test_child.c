// SPDX-License-Identifier: PostgreSQL
/* Programs that run for us: how they end, what they say, how they are ended. */
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "child.h"

static bool run(const char *script, const char *const *env, int out, const struct stop *stop, int timeout_ms,
	struct error *e)
{
	const char *argv[] = { "/bin/sh", "-c", script, NULL };
	*e = (struct error){ 0 };
	return child_run(argv, env, -1, out, stop, timeout_ms, e);
}

static void test_output(void **state)
{
	(void)state;
	struct error e;
	char text[200] = "";
	int fd = memfd_create("out", MFD_CLOEXEC);
	setenv("CHILD_KEPT", "kept", 1);
	setenv("CHILD_CHANGED", "old", 1);
	const char *env[] = { "CHILD_CHANGED=new", "CHILD_ADDED=added", NULL };
	assert_true(run("echo $CHILD_KEPT $CHILD_CHANGED $CHILD_ADDED; cat; echo noise >&2", env, fd, NULL, -1, &e));
	assert_int_equal(pread(fd, text, sizeof(text) - 1, 0), 15);
	assert_string_equal(text, "kept new added\n");
	close(fd);
}

static void test_errors(void **state)
{
	(void)state;
	struct error e;
	assert_false(run("echo 'sh: warning: so' >&2; echo 'sh: error: one' >&2; printf 'LINE 1:\\n  two ' >&2; exit 3", NULL,
		-1, NULL, -1, &e));
	assert_int_equal(e.class, ERROR_DATA);
	assert_string_equal(e.text, "sh: error: one LINE 1: two");
	assert_false(run("exit 3", NULL, -1, NULL, -1, &e));
	assert_string_equal(e.text, "sh: ended with exit code 3");
	assert_false(run("kill -9 $$", NULL, -1, NULL, -1, &e));
	assert_string_equal(e.text, "sh: ended by signal 9");
	assert_false(run("i=0; while [ $i -lt 2000 ]; do echo \"noise $i\" >&2; i=$((i+1)); done; echo last >&2; exit 1", NULL,
		-1, NULL, -1, &e));
	assert_non_null(strstr(e.text, "noise 1999 last"));
	const char *argv[] = { "/nowhere/program", NULL };
	assert_false(child_run(argv, NULL, -1, -1, NULL, -1, &e));
	assert_string_equal(e.text, "could not run /nowhere/program");
}

static void test_timeout(void **state)
{
	(void)state;
	struct error e;
	assert_false(run("sleep 1000 & sleep 1000", NULL, -1, NULL, 100, &e));
	assert_non_null(strstr(e.text, "did not end within 0 s and was killed"));
}

static void *raise_it(void *stop)
{
	usleep(50000);
	stop_raise(stop);
	return NULL;
}

/* With what it started: none of them holds our pipe any more. */
static void test_stop(void **state)
{
	(void)state;
	struct error e;
	pthread_t thread;
	struct stop *stop = stop_new(NULL);
	assert_int_equal(pthread_create(&thread, NULL, raise_it, stop), 0);
	assert_false(run("sleep 1000 & sleep 1000", NULL, -1, stop, -1, &e));
	assert_int_equal(e.class, ERROR_CANCELLED);
	pthread_join(thread, NULL);
	assert_false(run("exit 0", NULL, -1, stop, -1, &e));
	stop_free(stop);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

/* Our threads block signals; what we start must not. */
static void test_signals(void **state)
{
	(void)state;
	struct error e;
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	bool ok = run("kill -TERM $$; exit 0", NULL, -1, NULL, -1, &e);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	assert_false(ok);
	assert_string_equal(e.text, "sh: ended by signal 15");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_output),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_timeout),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_signals),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
