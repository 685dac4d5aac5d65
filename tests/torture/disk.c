/*
 * A disk that crashes, fails, and keeps a journal. Preloaded into a program (LD_PRELOAD), this library intercepts all
 * changes of files below one folder. Each change is a step: a write, a sync, a truncation, or a change of names
 * (create, rename, link, unlink).
 *
 * The environment names the folder (DISK_FOLDER), a control file (DISK_CONTROL) and optionally a journal
 * (DISK_JOURNAL). The control file is mapped into memory, so that a test can change it while the program runs.
 *
 * Nothing is really synced: a killed process loses nothing that it wrote, so only the journal needs to record the
 * syncs. Writes through a memory map, which SQLite uses for its -shm, are not intercepted; that file need not survive
 * a crash or a power failure.
 *
 * The library calls the kernel directly, with system calls that every 64-bit Linux has.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* The 64-bit numbers in the control file, in the same order as in disk.rs. */
enum control_word {
    STEPS,      /* the number of steps so far; written here */
    CRASH_AT,   /* the step that kills the program; 0 for none */
    CRASH_WHEN, /* an enum when */
    FAIL_KINDS, /* the sum of the kinds of steps that fail */
    FAIL_TIMES, /* the number of steps that will fail; negative for all */
    FAIL_ERRNO, /* the errno of a failing step */
    FAILED,     /* the number of steps that have failed; written here */
    CONTROL_WORDS
};
enum when { BEFORE, HALFWAY, AFTER };
enum kind { WRITE = 1, SYNC = 2, TRUNCATE = 4, NAME = 8 };

/* Files below the folder have lower descriptors than this, since the program under test opens few. */
#define DESCRIPTORS_MAX 4096
#define HEAD_BYTES_MAX 9000

static volatile int64_t *control;
static const char *folder;
static int journal = -1;
static char *names[DESCRIPTORS_MAX];
/* One step at a time, so that the journal has them in the order in which they happened. */
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

__attribute__((constructor)) static void prepare(void)
{
    const char *file = getenv("DISK_CONTROL"), *lines = getenv("DISK_JOURNAL");
    folder = getenv("DISK_FOLDER");
    if (file == NULL || folder == NULL)
        return;
    int opened = syscall(SYS_openat, AT_FDCWD, file, O_RDWR | O_CLOEXEC, 0);
    void *mapped = mmap(NULL, CONTROL_WORDS * sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, opened, 0);
    syscall(SYS_close, opened);
    if (lines != NULL)
        journal = syscall(SYS_openat, AT_FDCWD, lines, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (mapped != MAP_FAILED)
        control = mapped;
}

static bool is_below(const char *path)
{
    if (control == NULL || path == NULL)
        return false;
    size_t length = strlen(folder);
    return strncmp(path, folder, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

/* Returns the path with which a file below the folder was opened, or NULL. */
static const char *name_of(int descriptor)
{
    bool known = control != NULL && descriptor >= 0 && descriptor < DESCRIPTORS_MAX;
    return known ? names[descriptor] : NULL;
}

static void set_name(int descriptor, const char *path)
{
    if (descriptor < 0 || descriptor >= DESCRIPTORS_MAX)
        return;
    free(names[descriptor]);
    names[descriptor] = path == NULL ? NULL : strdup(path);
}

/* Appends a line of five fields to the journal, and the bytes that were written, if any. */
static void record(const char *what, const char *path, const char *to, int64_t offset, const void *bytes, size_t count)
{
    char head[HEAD_BYTES_MAX];
    if (journal < 0)
        return;
    int length = snprintf(head, sizeof head, "%s\t%s\t%s\t%lld\t%zu\n", what, path, to, (long long)offset, count);
    struct iovec parts[] = {{head, length}, {(void *)bytes, count}};
    syscall(SYS_writev, journal, parts, 2);
}

static void crash(void)
{
    syscall(SYS_kill, getpid(), SIGKILL);
    for (;;)
        pause();
}

/* Begins a step. Returns false, with errno set, if the step must fail. In both cases `end_step` ends it. */
static bool begin_step(enum kind kind)
{
    pthread_mutex_lock(&turn);
    int64_t step = ++control[STEPS];
    if (step == control[CRASH_AT] && control[CRASH_WHEN] == BEFORE)
        crash();
    if ((control[FAIL_KINDS] & kind) == 0 || control[FAIL_TIMES] == 0)
        return true;
    if (control[FAIL_TIMES] > 0)
        control[FAIL_TIMES]--;
    control[FAILED]++;
    errno = control[FAIL_ERRNO];
    return false;
}

/* Ends a step. Does not change errno. */
static void end_step(void)
{
    if (control[STEPS] == control[CRASH_AT])
        crash();
    pthread_mutex_unlock(&turn);
}

/* Returns the number of bytes of a write that are written: half of them if it crashes halfway. */
static size_t part_of(size_t count)
{
    bool halfway = control[STEPS] == control[CRASH_AT] && control[CRASH_WHEN] == HALFWAY;
    return halfway ? count / 2 : count;
}

static ssize_t write_step(int descriptor, const void *bytes, size_t count, int64_t offset)
{
    ssize_t written = -1;
    if (begin_step(WRITE)) {
        written = syscall(SYS_pwrite64, descriptor, bytes, part_of(count), offset);
        if (written > 0)
            record("write", name_of(descriptor), "", offset, bytes, written);
    }
    end_step();
    return written;
}

static int sync_step(int descriptor)
{
    bool works = begin_step(SYNC);
    record(works ? "sync" : "failed-sync", name_of(descriptor), "", 0, NULL, 0);
    end_step();
    return works ? 0 : -1;
}

static int open_step(const char *path, int flags, mode_t mode)
{
    bool exists = access(path, F_OK) == 0;
    bool creates = (flags & O_CREAT) != 0 && !exists, empties = (flags & O_TRUNC) != 0 && exists;
    bool is_step = creates || empties;
    int descriptor = -1;
    if (!is_step || begin_step(creates ? NAME : TRUNCATE)) {
        descriptor = syscall(SYS_openat, AT_FDCWD, path, flags, mode);
        set_name(descriptor, path);
        if (is_step && descriptor >= 0)
            record(creates ? "create" : "truncate", path, "", 0, NULL, 0);
    }
    if (is_step)
        end_step();
    return descriptor;
}

static int open_any(int at, const char *path, int flags, mode_t mode)
{
    if (at == AT_FDCWD && is_below(path))
        return open_step(path, flags, mode);
    int descriptor = syscall(SYS_openat, at, path, flags, mode);
    set_name(descriptor, NULL);
    return descriptor;
}

/* The functions below have the names and signatures of the C library. */

#define MODE_AFTER(flags)                         \
    mode_t mode = 0;                              \
    if (((flags) & (O_CREAT | O_TMPFILE)) != 0) { \
        va_list rest;                             \
        va_start(rest, flags);                    \
        mode = va_arg(rest, int);                 \
        va_end(rest);                             \
    }

int open(const char *path, int flags, ...)
{
    MODE_AFTER(flags)
    return open_any(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    MODE_AFTER(flags)
    return open_any(AT_FDCWD, path, flags, mode);
}

int openat(int at, const char *path, int flags, ...)
{
    MODE_AFTER(flags)
    return open_any(at, path, flags, mode);
}

int openat64(int at, const char *path, int flags, ...)
{
    MODE_AFTER(flags)
    return open_any(at, path, flags, mode);
}

int close(int descriptor)
{
    set_name(descriptor, NULL);
    return syscall(SYS_close, descriptor);
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t count, off64_t offset)
{
    if (name_of(descriptor) != NULL)
        return write_step(descriptor, bytes, count, offset);
    return syscall(SYS_pwrite64, descriptor, bytes, count, offset);
}

ssize_t pwrite(int descriptor, const void *bytes, size_t count, off_t offset)
{
    return pwrite64(descriptor, bytes, count, offset);
}

ssize_t write(int descriptor, const void *bytes, size_t count)
{
    if (name_of(descriptor) == NULL)
        return syscall(SYS_write, descriptor, bytes, count);
    int64_t offset = syscall(SYS_lseek, descriptor, 0, SEEK_CUR);
    ssize_t written = write_step(descriptor, bytes, count, offset);
    if (written > 0)
        syscall(SYS_lseek, descriptor, offset + written, SEEK_SET);
    return written;
}

int fsync(int descriptor)
{
    return name_of(descriptor) != NULL ? sync_step(descriptor) : (int)syscall(SYS_fsync, descriptor);
}

int fdatasync(int descriptor)
{
    return name_of(descriptor) != NULL ? sync_step(descriptor) : (int)syscall(SYS_fdatasync, descriptor);
}

int ftruncate64(int descriptor, off64_t length)
{
    const char *path = name_of(descriptor);
    if (path == NULL)
        return syscall(SYS_ftruncate, descriptor, length);
    int result = -1;
    if (begin_step(TRUNCATE)) {
        result = syscall(SYS_ftruncate, descriptor, length);
        if (result == 0)
            record("truncate", path, "", length, NULL, 0);
    }
    end_step();
    return result;
}

int ftruncate(int descriptor, off_t length)
{
    return ftruncate64(descriptor, length);
}

int rename(const char *from, const char *to)
{
    if (!is_below(from))
        return syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
    int result = -1;
    if (begin_step(NAME)) {
        result = syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
        if (result == 0)
            record("rename", from, to, 0, NULL, 0);
    }
    end_step();
    return result;
}

int linkat(int from_at, const char *from, int to_at, const char *to, int flags)
{
    if (!is_below(to))
        return syscall(SYS_linkat, from_at, from, to_at, to, flags);
    int result = -1;
    if (begin_step(NAME)) {
        result = syscall(SYS_linkat, from_at, from, to_at, to, flags);
        if (result == 0)
            record("link", from, to, 0, NULL, 0);
    }
    end_step();
    return result;
}

int link(const char *from, const char *to)
{
    return linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int unlink(const char *path)
{
    if (!is_below(path) || access(path, F_OK) != 0)
        return syscall(SYS_unlinkat, AT_FDCWD, path, 0);
    int result = -1;
    if (begin_step(NAME)) {
        result = syscall(SYS_unlinkat, AT_FDCWD, path, 0);
        if (result == 0)
            record("unlink", path, "", 0, NULL, 0);
    }
    end_step();
    return result;
}
