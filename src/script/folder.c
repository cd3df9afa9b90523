// SPDX-License-Identifier: PostgreSQL
#include "folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct folder {
	char *path;
	int fd;
	bool made;                     /* by us */
	struct strings files, folders; /* that we made in it */
};

static bool failed(const char *doing, const char *path, struct error *e)
{
	return error_set(e, ERROR_CONFIG, "could not %s %s: %s", doing, path, strerror(errno));
}

/* 1 yes, 0 no, -1 can't be read. */
static int is_empty(int fd)
{
	DIR *dir = fdopendir(dup(fd));
	int empty = dir ? 1 : -1;
	for (struct dirent *d = dir ? readdir(dir) : NULL; d; d = readdir(dir))
		if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0)
			empty = 0;
	if (dir)
		closedir(dir);
	return empty;
}

static bool use(struct folder *f, struct error *e)
{
	f->made = mkdir(f->path, 0700) == 0;
	if (!f->made && errno != EEXIST)
		return failed("make", f->path, e);
	f->fd = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f->fd < 0)
		return failed("open", f->path, e);
	int empty = is_empty(f->fd);
	if (empty < 0)
		return failed("read", f->path, e);
	if (empty)
		return true;
	error_set(e, ERROR_USAGE, "%s is not empty, and nothing in it is written over", f->path);
	return error_next(e, "name a folder that is empty or not there");
}

struct folder *folder_open(const char *path, struct error *e)
{
	struct folder *f = xcalloc(1, sizeof(*f));
	f->path = xstrdup(path);
	f->fd = -1;
	if (use(f, e))
		return f;
	folder_undo(f);
	return NULL;
}

static bool write_all(int fd, const char *text)
{
	size_t left = strlen(text);
	while (left > 0) {
		ssize_t n = write(fd, text, left);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		text += n;
		left -= (size_t)n;
	}
	return true;
}

static bool make_inner(struct folder *f, const char *path, struct error *e)
{
	const char *slash = strchr(path, '/');
	if (!slash)
		return true;
	char *inner = xasprintf("%.*s", (int)(slash - path), path);
	bool ok = mkdirat(f->fd, inner, 0700) == 0;
	if (ok)
		strings_add(&f->folders, inner);
	else
		ok = errno == EEXIST || failed("make", inner, e);
	free(inner);
	return ok;
}

bool folder_put(struct folder *f, const char *path, bool program, const char *text, struct error *e)
{
	if (!make_inner(f, path, e))
		return false;
	int fd = openat(f->fd, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return failed("make", path, e);
	strings_add(&f->files, path);
	bool ok = fchmod(fd, program ? 0700 : 0600) == 0 && write_all(fd, text) && fsync(fd) == 0;
	if (!ok)
		failed("write", path, e);
	if (close(fd) != 0 && ok)
		ok = failed("write", path, e);
	return ok;
}

void folder_keep(struct folder *f)
{
	if (f->fd >= 0)
		close(f->fd);
	strings_free(&f->files);
	strings_free(&f->folders);
	free(f->path);
	free(f);
}

void folder_undo(struct folder *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->files.count; i++)
		unlinkat(f->fd, f->files.items[i], 0);
	for (size_t i = 0; i < f->folders.count; i++)
		unlinkat(f->fd, f->folders.items[i], AT_REMOVEDIR);
	if (f->made)
		rmdir(f->path);
	folder_keep(f);
}
