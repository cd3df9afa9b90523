// SPDX-License-Identifier: PostgreSQL
#include "place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define LOCK_FILE "lock"
#define SOCKET_FILE "socket"
#define BACKLOG 64

static bool check_folder(const struct place *p, struct error *e)
{
	struct stat s;
	if (fstat(p->folder, &s) != 0)
		return error_set(e, ERROR_CONFIG, "could not look at %s: %s", p->path, strerror(errno));
	if (s.st_uid != geteuid())
		return error_set(e, ERROR_CONFIG, "%s is another user's", p->path);
	if ((s.st_mode & 077) == 0)
		return true;
	error_set(e, ERROR_CONFIG, "%s is open to others", p->path);
	return error_next(e, "make it your own: chmod 700 %s", p->path);
}

bool place_open(struct place *p, const char *state_dir, struct error *e)
{
	*p = (struct place){ .folder = -1, .lock = -1 };
	if (snprintf(p->path, sizeof(p->path), "%s/run", state_dir) >= (int)sizeof(p->path))
		return error_set(e, ERROR_CONFIG, "the path of the state directory is too long");
	if (mkdir(p->path, 0700) != 0 && errno != EEXIST)
		return error_set(e, ERROR_CONFIG, "could not make %s: %s", p->path, strerror(errno));
	p->folder = open(p->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (p->folder < 0)
		return error_set(e, ERROR_CONFIG, "could not open %s: %s", p->path, strerror(errno));
	if (check_folder(p, e)) {
		p->lock = openat(p->folder, LOCK_FILE, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (p->lock >= 0)
			return true;
		error_set(e, ERROR_CONFIG, "could not open %s/" LOCK_FILE ": %s", p->path, strerror(errno));
	}
	place_close(p);
	return false;
}

void place_close(struct place *p)
{
	if (p->lock >= 0)
		close(p->lock);
	if (p->folder >= 0)
		close(p->folder);
	p->lock = p->folder = -1;
}

/* ---- the lock ---- */

/* Locks of the open file: they do not go when some other descriptor of the file is closed. */
static struct flock whole(void)
{
	return (struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_SET };
}

static void read_holder(const struct place *p, struct holder *who)
{
	char text[160], way[16] = "", *end;
	ssize_t n = pread(p->lock, text, sizeof(text) - 1, 0);
	*who = (struct holder){ 0 };
	text[MAX(n, 0)] = '\0';
	who->pid = (pid_t)strtol(text, &end, 10);
	if (sscanf(end, "%15s %63s", way, who->host) >= 1)
		who->background = strcmp(way, "background") == 0;
}

static bool write_holder(const struct place *p, bool background)
{
	char host[64] = "", text[160];
	gethostname(host, sizeof(host) - 1);
	int n = snprintf(text, sizeof(text), "%ld %s %s\n", (long)getpid(), background ? "background" : "foreground", host);
	return ftruncate(p->lock, 0) == 0 && pwrite(p->lock, text, (size_t)n, 0) == n;
}

bool place_held(const struct place *p, struct holder *who)
{
	struct flock lock = whole();
	if (fcntl(p->lock, F_OFD_GETLK, &lock) != 0 || lock.l_type == F_UNLCK)
		return false;
	read_holder(p, who);
	return true;
}

bool place_say_held(const struct place *p, const struct holder *who, struct error *e)
{
	char host[64] = "";
	gethostname(host, sizeof(host) - 1);
	bool here = strcmp(host, who->host) == 0;
	error_set(e, ERROR_CONFLICT, "pgpier%s (pid %ld%s%s) has %.*s", who->background ? "'s engine" : " -f",
		(long)who->pid, here ? "" : " on ", here ? "" : who->host, (int)(strlen(p->path) - strlen("/run")), p->path);
	return error_next(e, "%s", !here ? "work there" : who->background ? "pgpier attaches to it, pgpier stop ends it" : "leave it first");
}

bool place_lock(struct place *p, bool background, struct holder *who, struct error *e)
{
	struct flock lock = whole();
	if (fcntl(p->lock, F_OFD_SETLK, &lock) != 0) {
		if (errno != EAGAIN && errno != EACCES)
			return error_set(e, ERROR_CONFIG, "could not lock %s/" LOCK_FILE ": %s", p->path, strerror(errno));
		read_holder(p, who);
		return place_say_held(p, who, e);
	}
	if (!write_holder(p, background))
		return error_set(e, ERROR_CONFIG, "could not write %s/" LOCK_FILE ": %s", p->path, strerror(errno));
	return true;
}

/* ---- the socket ---- */

/* An address holds 107 bytes; a longer path is reached through the folder that is open. */
static struct sockaddr_un address(const struct place *p)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int n = snprintf(a.sun_path, sizeof(a.sun_path), "%s/" SOCKET_FILE, p->path);
	if (n >= (int)sizeof(a.sun_path))
		snprintf(a.sun_path, sizeof(a.sun_path), "/proc/self/fd/%d/" SOCKET_FILE, p->folder);
	return a;
}

int place_listen(const struct place *p, struct error *e)
{
	struct sockaddr_un a = address(p);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	unlinkat(p->folder, SOCKET_FILE, 0);
	if (fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	error_set(e, ERROR_CONFIG, "could not listen on %s/" SOCKET_FILE ": %s", p->path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

int place_connect(const struct place *p)
{
	struct sockaddr_un a = address(p);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0 && place_is_ours(fd))
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

bool place_is_ours(int socket)
{
	struct ucred who;
	socklen_t size = sizeof(who);
	return getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &who, &size) == 0 && who.uid == geteuid();
}
