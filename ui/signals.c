// SPDX-License-Identifier: PostgreSQL
#include "signals.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <termios.h>
#include <unistd.h>

static const struct {
	int number;
	bool fatal;
} handled[] = {
	{ SIGINT, false },
	{ SIGTERM, false },
	{ SIGHUP, false },
	{ SIGQUIT, false },
	{ SIGWINCH, false },
	{ SIGCONT, false },
	{ SIGSEGV, true },
	{ SIGBUS, true },
	{ SIGFPE, true },
	{ SIGILL, true },
	{ SIGABRT, true },
};

static struct {
	int wake; /* eventfd */
	int terminal;
	struct termios modes;
	bool modes_known;
	char sequence[256];
	volatile sig_atomic_t end, continued;
	struct sigaction old[ARRAY_SIZE(handled)];
} state = { .wake = -1, .terminal = -1 };

static void on_request(int number)
{
	int saved = errno;
	uint64_t one = 1;
	if (number == SIGCONT)
		state.continued = 1;
	else if (number != SIGWINCH)
		state.end = 1;
	if (write(state.wake, &one, sizeof(one)) < 0) {
		/* full: then it is readable already */
	}
	errno = saved;
}

/* The old disposition is back when this runs (SA_RESETHAND), so the signal kills as it would have. */
static void on_fatal(int number)
{
	ssize_t n = write(state.terminal, state.sequence, strlen(state.sequence));
	if (n >= 0 && state.modes_known)
		tcsetattr(state.terminal, TCSANOW, &state.modes);
	raise(number);
}

int signals_install(int fd)
{
	state.wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	state.terminal = fd;
	state.end = 0;
	state.sequence[0] = '\0';
	state.continued = 0;
	state.modes_known = fd >= 0 && tcgetattr(fd, &state.modes) == 0;
	for (size_t i = 0; i < ARRAY_SIZE(handled); i++) {
		struct sigaction a = { .sa_handler = handled[i].fatal ? on_fatal : on_request };
		a.sa_flags = handled[i].fatal ? (int)SA_RESETHAND : SA_RESTART;
		if (fd < 0 && handled[i].number == SIGHUP)
			a.sa_handler = SIG_IGN;
		sigaction(handled[i].number, &a, &state.old[i]);
	}
	return state.wake;
}

void signals_set_restore(const char *sequence)
{
	copy_text(state.sequence, sizeof(state.sequence), sequence);
}

int signals_fd(void)
{
	return state.wake;
}

bool signals_drain(void)
{
	uint64_t n;
	while (read(state.wake, &n, sizeof(n)) > 0)
		;
	return state.end != 0;
}

bool signals_continued(void)
{
	bool were_stopped = state.continued != 0;
	state.continued = 0;
	return were_stopped;
}

void signals_uninstall(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(handled); i++)
		sigaction(handled[i].number, &state.old[i], NULL);
	if (state.wake >= 0)
		close(state.wake);
	state.wake = -1;
}
