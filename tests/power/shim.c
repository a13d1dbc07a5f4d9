/* Preloaded into a process: writes down, in order, every call that changes a file below a folder, fails calls on demand
 * as a full, a read-only or a failing disk does, and sets the clock.
 *
 * POWER_ROOT     the folder; other files are left alone.
 * POWER_JOURNAL  file that the records are appended to; without it nothing is written down.
 * POWER_CONTROL  file of four int32, mapped: the failure (enum below), how many calls it lets pass, how many it struck,
 *                and by how many seconds the clock of the day is set ahead.
 *
 * A record: struct record, then the path(s) or the data. A call and its record are one step under one lock, so that the
 * journal's order is the order in which the calls took effect. The disk of the power cut is made from it in disk.py.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { OPEN = 1, WRITE, TRUNCATE, SYNC, RENAME, UNLINK, LINK, MKDIR, CLOSE, SYNC_FAILED };
enum { SOUND, FULL, READ_ONLY, SYNC_FAILS, WRITE_FAILS };

struct record {
    int32_t kind, pid, fd, flags; /* flags: of open, and 1 << 30 when it made the file */
    int64_t offset;               /* of write; size of truncate */
    int32_t first, second;        /* bytes that follow: path or data, and a second path */
};

#define FILES 4096
static const char *root;
static size_t root_length;
static int journal = -1;
static volatile int32_t *control;
static char watched[FILES];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

__attribute__((constructor)) static void begin(void) {
    const char *named = getenv("POWER_JOURNAL"), *controlled = getenv("POWER_CONTROL");
    root = getenv("POWER_ROOT");
    root_length = root ? strlen(root) : 0;
    if (named)
        journal = (int)syscall(SYS_openat, AT_FDCWD, named, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (controlled) {
        int fd = (int)syscall(SYS_openat, AT_FDCWD, controlled, O_RDWR | O_CLOEXEC, 0);
        if (fd >= 0) {
            void *found = mmap(NULL, 4 * sizeof(int32_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
            control = found == MAP_FAILED ? NULL : found;
            syscall(SYS_close, fd);
        }
    }
}

static int below_root(const char *path) {
    return root && path && !strncmp(path, root, root_length) && (path[root_length] == '/' || !path[root_length]);
}

static int is_watched(int fd) { return fd >= 0 && fd < FILES && watched[fd]; }

static void note(int kind, int fd, int flags, int64_t offset, const void *first, size_t length, const char *second) {
    size_t more = second ? strlen(second) : 0;
    struct record made = {kind, (int32_t)getpid(), fd, flags, offset, (int32_t)length, (int32_t)more};
    struct iovec parts[3] = {{&made, sizeof made}, {(void *)first, length}, {(void *)second, more}};
    if (journal >= 0 && syscall(SYS_writev, journal, parts, second ? 3 : 2) < 0) abort();
}

/* Tell whether the failure that is wanted now strikes this call; sets errno. */
static int struck(int mode, int error) {
    if (!control || control[0] != mode) return 0;
    if (control[1] > 0) {
        control[1]--;
        return 0;
    }
    control[2]++;
    errno = error;
    return 1;
}

static int refused(int fd, int64_t end) {
    struct stat now;
    if (struck(READ_ONLY, EROFS) || struck(WRITE_FAILS, EIO)) return 1;
    /* A full disk takes what lies on blocks that it has given already. */
    return !fstat(fd, &now) && end > now.st_size && struck(FULL, ENOSPC);
}

static int opened(const char *path, int flags, int (*really)(const char *, int, mode_t), mode_t mode) {
    char whole[PATH_MAX];
    if (root && path[0] != '/' && getcwd(whole, sizeof whole)) {
        size_t at = strlen(whole);
        snprintf(whole + at, sizeof whole - at, "/%s", path);
        path = whole;
    }
    if (!below_root(path)) {
        int fd = really(path, flags, mode);
        if (fd >= 0 && fd < FILES) watched[fd] = 0;
        return fd;
    }
    pthread_mutex_lock(&lock);
    int known = !syscall(SYS_faccessat, AT_FDCWD, path, F_OK, 0), fd = -1;
    int writes = (flags & O_ACCMODE) != O_RDONLY, makes = (flags & O_CREAT) && !known;
    if (!((writes && struck(READ_ONLY, EROFS)) || (makes && struck(FULL, ENOSPC)))) fd = really(path, flags, mode);
    if (fd >= 0 && fd < FILES) {
        watched[fd] = 1;
        note(OPEN, fd, (flags & ~(1 << 30)) | (makes ? 1 << 30 : 0), 0, path, strlen(path), NULL);
    }
    pthread_mutex_unlock(&lock);
    return fd;
}

static int really_open(const char *path, int flags, mode_t mode) {
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

static mode_t mode_of(int flags, va_list more) { return flags & (O_CREAT | __O_TMPFILE) ? va_arg(more, mode_t) : 0; }

#define OPENER(name) \
    int name(const char *path, int flags, ...) { \
        va_list more; \
        va_start(more, flags); \
        mode_t mode = mode_of(flags, more); \
        va_end(more); \
        return opened(path, flags, really_open, mode); \
    }
OPENER(open)
OPENER(open64)

#define OPENER_AT(name) \
    int name(int at, const char *path, int flags, ...) { \
        va_list more; \
        va_start(more, flags); \
        mode_t mode = mode_of(flags, more); \
        va_end(more); \
        if (at == AT_FDCWD || path[0] == '/') return opened(path, flags, really_open, mode); \
        return (int)syscall(SYS_openat, at, path, flags, mode); \
    }
OPENER_AT(openat)
OPENER_AT(openat64)

int close(int fd) {
    if (!is_watched(fd)) return (int)syscall(SYS_close, fd);
    pthread_mutex_lock(&lock);
    watched[fd] = 0;
    note(CLOSE, fd, 0, 0, "", 0, NULL);
    int done = (int)syscall(SYS_close, fd);
    pthread_mutex_unlock(&lock);
    return done;
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) {
    if (!is_watched(fd)) return syscall(SYS_pwrite64, fd, data, size, at);
    pthread_mutex_lock(&lock);
    ssize_t done = refused(fd, at + (int64_t)size) ? -1 : syscall(SYS_pwrite64, fd, data, size, at);
    if (done > 0) note(WRITE, fd, 0, at, data, (size_t)done, NULL);
    pthread_mutex_unlock(&lock);
    return done;
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at) { return pwrite64(fd, data, size, at); }

ssize_t write(int fd, const void *data, size_t size) {
    if (!is_watched(fd)) return syscall(SYS_write, fd, data, size);
    pthread_mutex_lock(&lock);
    struct stat now;
    int64_t at = lseek(fd, 0, SEEK_CUR);
    if (fcntl(fd, F_GETFL) & O_APPEND) at = fstat(fd, &now) ? at : now.st_size;
    ssize_t done = refused(fd, at + (int64_t)size) ? -1 : syscall(SYS_write, fd, data, size);
    if (done > 0) note(WRITE, fd, 0, at, data, (size_t)done, NULL);
    pthread_mutex_unlock(&lock);
    return done;
}

int ftruncate64(int fd, off64_t size) {
    if (!is_watched(fd)) return (int)syscall(SYS_ftruncate, fd, size);
    pthread_mutex_lock(&lock);
    int done = refused(fd, size) ? -1 : (int)syscall(SYS_ftruncate, fd, size);
    if (!done) note(TRUNCATE, fd, 0, size, "", 0, NULL);
    pthread_mutex_unlock(&lock);
    return done;
}

int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }

static int synced(int fd, long call) {
    if (!is_watched(fd)) return (int)syscall(call, fd);
    pthread_mutex_lock(&lock);
    int fails = struck(SYNC_FAILS, EIO), done = fails ? -1 : (int)syscall(call, fd);
    note(fails ? SYNC_FAILED : SYNC, fd, 0, 0, "", 0, NULL);
    if (fails) errno = EIO;
    pthread_mutex_unlock(&lock);
    return done;
}

int fsync(int fd) { return synced(fd, SYS_fsync); }
int fdatasync(int fd) { return synced(fd, SYS_fdatasync); }

static int renamed(int kind, const char *from, const char *to, long call) {
    if (!below_root(from) || (to && !below_root(to)))
        return to ? (int)syscall(call, AT_FDCWD, from, AT_FDCWD, to, 0) : (int)syscall(call, AT_FDCWD, from, 0);
    pthread_mutex_lock(&lock);
    int done = -1;
    if (!struck(READ_ONLY, EROFS))
        done = to ? (int)syscall(call, AT_FDCWD, from, AT_FDCWD, to, 0) : (int)syscall(call, AT_FDCWD, from, 0);
    if (!done) note(kind, -1, 0, 0, from, strlen(from), to);
    pthread_mutex_unlock(&lock);
    return done;
}

int rename(const char *from, const char *to) { return renamed(RENAME, from, to, SYS_renameat2); }
int link(const char *from, const char *to) { return renamed(LINK, from, to, SYS_linkat); }
int unlink(const char *path) { return renamed(UNLINK, path, NULL, SYS_unlinkat); }

int mkdir(const char *path, mode_t mode) {
    if (!below_root(path)) return (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
    pthread_mutex_lock(&lock);
    int done = struck(READ_ONLY, EROFS) || struck(FULL, ENOSPC) ? -1 : (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
    if (!done) note(MKDIR, -1, 0, 0, path, strlen(path), NULL);
    pthread_mutex_unlock(&lock);
    return done;
}

static int reached(const char *path, int how, int flags) {
    if ((how & W_OK) && below_root(path) && control && control[0] == READ_ONLY) {
        errno = EROFS;
        return -1;
    }
    return (int)syscall(SYS_faccessat, AT_FDCWD, path, how, flags);
}

int access(const char *path, int how) { return reached(path, how, 0); }
int faccessat(int at, const char *path, int how, int flags) {
    if (at == AT_FDCWD || path[0] == '/') return reached(path, how, flags);
    return (int)syscall(SYS_faccessat, at, path, how, flags);
}

int clock_gettime(clockid_t which, struct timespec *now) {
    int done = (int)syscall(SYS_clock_gettime, which, now);
    if (!done && control && (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE)) now->tv_sec += control[3];
    return done;
}

int gettimeofday(struct timeval *now, void *zone) {
    struct timespec told;
    if (clock_gettime(CLOCK_REALTIME, &told)) return -1;
    now->tv_sec = told.tv_sec;
    now->tv_usec = told.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *where) {
    struct timespec told;
    clock_gettime(CLOCK_REALTIME, &told);
    if (where) *where = told.tv_sec;
    return told.tv_sec;
}
