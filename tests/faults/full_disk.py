"""A disk that is full from its n-th write on, for one folder and whatever a process and its children write there.

The n-th of all writes cannot be had from a tracer that counts for each thread and each call alone, so a preloaded
library counts: every call that takes space or a name (a new file or folder, a write, a longer file, a copy, a rename)
or waits for the disk. Calls that only shorten, remove or open what is there succeed on a full disk too.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

from preloads import compiled, environment

EVER = 2**40
"""More writes than any run makes."""
SOURCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static long *counts; /* writes so far, and how many of them succeed */
static const char *below, *journal;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("FULL_DISK_COUNTS");
    int fd = path ? syscall(SYS_openat, AT_FDCWD, path, O_RDWR) : -1;
    if (fd < 0) return;
    void *shared = mmap(0, 2 * sizeof(long), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    below = getenv("FULL_DISK_BELOW");
    journal = getenv("FULL_DISK_JOURNAL");
    if (shared != MAP_FAILED && below && journal) counts = shared;
}

static int full(const char *call, const char *path) { /* whether this write fails */
    char whole[2 * PATH_MAX], line[2 * PATH_MAX + 100];
    int before = errno;
    if (!counts || !path) return 0;
    if (path[0] == '/') snprintf(whole, sizeof whole, "%s", path);
    else {
        if (!getcwd(whole, PATH_MAX)) return 0;
        snprintf(whole + strlen(whole), PATH_MAX, "/%s", path);
    }
    if (strncmp(whole, below, strlen(below))) { errno = before; return 0; }
    long number = __sync_add_and_fetch(&counts[0], 1);
    int length = snprintf(line, sizeof line, "%s %s\n", call, whole + strlen(below));
    int fd = syscall(SYS_openat, AT_FDCWD, journal, O_WRONLY | O_APPEND);
    if (fd >= 0 && syscall(SYS_write, fd, line, length) != length) abort();
    if (fd >= 0) close(fd);
    errno = number > counts[1] ? ENOSPC : before;
    return number > counts[1];
}

static int full_fd(const char *call, int fd) {
    char link[64], path[PATH_MAX];
    int before = errno;
    if (!counts) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    errno = before;
    if (length < 0) return 0;
    path[length] = 0;
    return full(call, path);
}

static int missing(const char *path) {
    int before = errno, gone = access(path, F_OK) != 0;
    errno = before;
    return gone;
}

static int longer(int fd, off_t length) {
    struct stat now;
    return fstat(fd, &now) == 0 && length > now.st_size;
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define MODE mode_t mode = 0; va_list more; va_start(more, flags); \
    if (flags & O_CREAT) mode = va_arg(more, int); \
    va_end(more);
#define OPEN(name) int name(const char *path, int flags, ...) { MODE \
    return (flags & O_CREAT) && missing(path) && full("create", path) ? -1 : NEXT(name)(path, flags, mode); }
#define OPENAT(name) int name(int at, const char *path, int flags, ...) { MODE \
    return (flags & O_CREAT) && (at == AT_FDCWD || path[0] == '/') && missing(path) && full("create", path) \
        ? -1 : NEXT(name)(at, path, flags, mode); }
OPEN(open) OPEN(open64) OPENAT(openat) OPENAT(openat64)

#define ON_FD(type, name, fd, given, passed) type name given { return full_fd(#name, fd) ? -1 : NEXT(name) passed; }
ON_FD(ssize_t, write, fd, (int fd, const void *data, size_t size), (fd, data, size))
ON_FD(ssize_t, writev, fd, (int fd, const struct iovec *data, int count), (fd, data, count))
ON_FD(ssize_t, pwrite, fd, (int fd, const void *data, size_t size, off_t at), (fd, data, size, at))
ON_FD(ssize_t, pwrite64, fd, (int fd, const void *data, size_t size, off64_t at), (fd, data, size, at))
ON_FD(ssize_t, sendfile, fd, (int fd, int from, off_t *at, size_t size), (fd, from, at, size))
ON_FD(ssize_t, sendfile64, fd, (int fd, int from, off64_t *at, size_t size), (fd, from, at, size))
ON_FD(ssize_t, copy_file_range, fd, (int from, off64_t *in, int fd, off64_t *out, size_t size, unsigned flags),
      (from, in, fd, out, size, flags))
ON_FD(int, fsync, fd, (int fd), (fd))
ON_FD(int, fdatasync, fd, (int fd), (fd))

#define LONGER(name, offset) int name(int fd, offset length) { \
    return longer(fd, length) && full_fd("lengthen", fd) ? -1 : NEXT(name)(fd, length); }
LONGER(ftruncate, off_t) LONGER(ftruncate64, off64_t)

#define RESERVE(name, offset) int name(int fd, offset from, offset size) { \
    return longer(fd, from + size) && full_fd("lengthen", fd) ? errno : NEXT(name)(fd, from, size); }
RESERVE(posix_fallocate, off_t) RESERVE(posix_fallocate64, off64_t)

#define ON_PATH(name, path, given, passed) int name given { return full(#name, path) ? -1 : NEXT(name) passed; }
int mkdir(const char *path, mode_t mode) { return missing(path) && full("mkdir", path) ? -1 : NEXT(mkdir)(path, mode); }
ON_PATH(rename, path, (const char *from, const char *path), (from, path))
ON_PATH(renameat, path, (int from_at, const char *from, int at, const char *path), (from_at, from, at, path))
ON_PATH(link, path, (const char *from, const char *path), (from, path))
ON_PATH(symlink, path, (const char *from, const char *path), (from, path))
"""


@dataclass(frozen=True)
class FullDisk:
    """The library and where it counts; one run at a time."""

    library: Path
    folder: Path

    @classmethod
    def made(cls, folder: Path) -> FullDisk:
        """Compile the library in ``folder``."""
        return cls(compiled(SOURCE, folder / "full_disk.so"), folder)

    def environment(self, below: str, writes: int) -> dict[str, str]:
        """For a process whose first ``writes`` writes to paths that begin with ``below`` succeed, and no other."""
        self._counts.write_bytes(struct.pack("ll", 0, writes))
        self._journal.write_text("")
        return environment(
            self.library,
            FULL_DISK_COUNTS=str(self._counts),
            FULL_DISK_JOURNAL=str(self._journal),
            FULL_DISK_BELOW=below,
        )

    def allow(self, writes: int) -> None:
        """From now on, so many writes of all succeed."""
        with self._counts.open("r+b") as file:
            file.seek(struct.calcsize("l"))
            file.write(struct.pack("l", writes))

    def refused(self) -> bool:
        """Whether a write has failed."""
        made, allowed = struct.unpack("ll", self._counts.read_bytes())
        return bool(made > allowed)

    def writes(self) -> list[str]:
        """What was written, or tried, since: a call and the rest of its path each."""
        return self._journal.read_text().splitlines()

    @property
    def _counts(self) -> Path:
        return self.folder / "counts"

    @property
    def _journal(self) -> Path:
        return self.folder / "journal"
