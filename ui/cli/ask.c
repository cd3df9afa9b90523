// SPDX-License-Identifier: PostgreSQL
#include "ask.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "report.h"

#define LONGEST_PASSWORD 1024

/* Signals are read from a descriptor, so it is polled beside the terminal; that gives whole lines.
 */
bool ask_line(struct session *s, int fd, char *buf, size_t size)
{
	struct pollfd fds[] = {
		{ .fd = s->signals, .events = POLLIN },
		{ .fd = fd, .events = POLLIN },
	};
	if (poll(fds, ARRAY_SIZE(fds), -1) <= 0 || fds[0].revents)
		return false;
	ssize_t length = read(fd, buf, size - 1);
	if (length <= 0)
		return false;
	buf[length] = '\0';
	buf[strcspn(buf, "\r\n")] = '\0';
	return true;
}

/* The terminal gets its echo back whatever happened. */
static bool ask_secret(struct session *s, int tty, const char *peer, char *buf, size_t size)
{
	struct termios before, silent;
	if (tcgetattr(tty, &before) != 0)
		return false;
	silent = before;
	silent.c_lflag &= ~(tcflag_t)ECHO;
	tcsetattr(tty, TCSAFLUSH, &silent);
	dprintf(tty, "Password of peer %s: ", peer);
	bool answered = ask_line(s, tty, buf, size);
	tcsetattr(tty, TCSAFLUSH, &before);
	dprintf(tty, "\n");
	return answered;
}

static enum exit_code no_answer(struct session *s, const char *peer, bool terminal)
{
	struct error e = { 0 };
	if (terminal) {
		error_set(&e, ERROR_CANCELLED, "peer %s: no password was given", peer);
	} else {
		error_set(
			&e, ERROR_CONFIG, "peer %s asks for its password, and there is no terminal", peer);
		error_next(&e, "give it a password_command or a line in .pgpass");
	}
	report_error(&e, s->json);
	return report_class_exit(e.class);
}

static enum exit_code ask_password(struct session *s, struct peer_config *p)
{
	char answer[LONGEST_PASSWORD];
	int tty = open("/dev/tty", O_RDWR | O_CLOEXEC);
	bool answered = tty >= 0 && ask_secret(s, tty, p->name, answer, sizeof(answer));
	if (tty >= 0)
		close(tty);
	if (!answered)
		return no_answer(s, p->name, tty >= 0);
	struct command c = { .kind = COMMAND_PEER_PASSWORD, .peer = xcalloc(1, sizeof(*c.peer)) };
	struct outcome o;
	copy_text(c.name, sizeof(c.name), p->name);
	c.peer->password = xstrdup(answer);
	explicit_bzero(answer, sizeof(answer));
	return session_command(s, &c, &o);
}

enum exit_code ask_passwords(struct session *s, const char *const *peers, size_t count)
{
	enum exit_code code = EXIT_DONE;
	for (size_t i = 0; i < count && code == EXIT_DONE; i++) {
		struct peer_config p;
		if (!model_peer_config(s->model, peers[i], &p))
			continue;
		if (p.ask_password && !p.password)
			code = ask_password(s, &p);
		peer_config_free(&p);
	}
	return code;
}
