/* Counts the calls that change one file system, and ends the process at a chosen one of them.
 *
 * Loaded with LD_PRELOAD; does nothing until cut_arm(). SQLite and CPython reach the disk through the C library, so
 * every write, sync, rename, removal and creation passes here. Both the names with and without "64" are in use;
 * tests/cuts/test_shim.py holds this list against what the loaded libraries import.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

/* fs/ext4/ext4.h: EXT4_IOC_SHUTDOWN, _IOR('X', 125, __u32). */
#define SHUTDOWN 0x8004587dUL
#define LOG_FLUSH 1u
#define NO_LOG_FLUSH 2u

/* How to end: cuts/cut.py has the same numbers. */
enum { POWER = 1, JOURNAL = 2, KILL = 3, TORN = 4, SCATTERED = 5 };

static dev_t armed_device;
static volatile int armed;
static int how, disk_handle, tell_handle;
static long wanted, passed;

void cut_arm(int folder_handle, int tell, int kind, long point) {
    struct stat status;
    if (fstat(folder_handle, &status) != 0) abort();
    armed_device = status.st_dev;
    disk_handle = folder_handle;
    tell_handle = tell;
    how = kind;
    wanted = point;
    passed = 0;
    armed = 1;
}

/* The kernel had begun to write by itself, in an order of its own: some pages of what is open are on the disk, later
 * ones before earlier ones. Which ones depends on the point, so that every try is another selection. */
static void scatter(void) {
    DIR *open_files = opendir("/proc/self/fd");
    if (!open_files) abort();
    for (struct dirent *entry; (entry = readdir(open_files));) {
        struct stat status;
        int handle = atoi(entry->d_name);
        if (entry->d_name[0] == '.' || fstat(handle, &status) != 0) continue;
        if (status.st_dev != armed_device || !S_ISREG(status.st_mode)) continue;
        for (off64_t page = 0; page * 4096 < status.st_size; page++) {
            unsigned long mixed = (unsigned long)(page + 1) * 2654435761UL + (unsigned long)wanted * 40503UL;
            if (mixed >> 7 & 1) continue;
            sync_file_range(handle, page * 4096, 4096,
                            SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
        }
    }
    closedir(open_files);
}

/* The power fails now, whatever was called last. */
void cut_now(void) {
    unsigned int flag = how == POWER ? NO_LOG_FLUSH : LOG_FLUSH;
    if (how == SCATTERED) scatter();
    if (how == POWER || how == JOURNAL || how == SCATTERED) {
        if (ioctl(disk_handle, SHUTDOWN, &flag) != 0) abort();
    }
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

long cut_passed(void) { return passed; }

static void tell(const char *call, const char *place) {
    dprintf(tell_handle, "{\"cut\": \"%s %s\"}\n", call, place ? place : "");
}

static const char *last_part(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Whether this call is the chosen one; calls of other threads behind it never happen. */
static int is_mine(void) {
    long at = __atomic_add_fetch(&passed, 1, __ATOMIC_SEQ_CST);
    if (at > wanted && wanted > 0) for (;;) pause();
    return at == wanted;
}

static int handle_is_ours(int handle) {
    struct stat status;
    return armed && fstat(handle, &status) == 0 && status.st_dev == armed_device;
}

static void pass_handle(const char *call, int handle) {
    if (!handle_is_ours(handle) || !is_mine()) return;
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", handle);
    ssize_t length = readlink(link, path, sizeof path - 1);
    path[length > 0 ? length : 0] = 0;
    tell(call, last_part(path));
    cut_now();
}

static void pass_path(const char *call, int folder, const char *path) {
    if (!armed || !path) return;
    char parent[PATH_MAX];
    struct stat status;
    snprintf(parent, sizeof parent, "%s", path);
    char *slash = strrchr(parent, '/');
    if (!slash) strcpy(parent, ".");
    else if (slash == parent) slash[1] = 0;
    else *slash = 0;
    if (fstatat(folder, parent, &status, 0) != 0 || status.st_dev != armed_device || !is_mine()) return;
    tell(call, last_part(path));
    cut_now();
}

#define REAL(type, name, ...)                                   \
    static type (*real)(__VA_ARGS__);                           \
    if (!real) real = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

/* A torn write: the first half reached the file, the process is gone. */
#define WRITES(name, parameters, half, whole, types)            \
    ssize_t name parameters {                                   \
        REAL(ssize_t, #name, types);                            \
        if (handle_is_ours(handle) && how == TORN) {            \
            if (is_mine()) { half; tell("half " #name, ""); cut_now(); } \
        } else pass_handle(#name, handle);                      \
        return whole;                                           \
    }
#define COMMA ,
WRITES(write, (int handle, const void *data, size_t size), real(handle, data, size / 2), real(handle, data, size),
       int COMMA const void * COMMA size_t)
WRITES(pwrite, (int handle, const void *data, size_t size, off_t at), real(handle, data, size / 2, at),
       real(handle, data, size, at), int COMMA const void * COMMA size_t COMMA off_t)
WRITES(pwrite64, (int handle, const void *data, size_t size, off64_t at), real(handle, data, size / 2, at),
       real(handle, data, size, at), int COMMA const void * COMMA size_t COMMA off64_t)

WRITES(writev, (int handle, const struct iovec *data, int size), real(handle, data, size / 2),
       real(handle, data, size), int COMMA const struct iovec * COMMA int)
WRITES(pwritev, (int handle, const struct iovec *data, int size, off_t at), real(handle, data, size / 2, at),
       real(handle, data, size, at), int COMMA const struct iovec * COMMA int COMMA off_t)
WRITES(pwritev64, (int handle, const struct iovec *data, int size, off64_t at), real(handle, data, size / 2, at),
       real(handle, data, size, at), int COMMA const struct iovec * COMMA int COMMA off64_t)
WRITES(pwritev2, (int handle, const struct iovec *data, int size, off_t at, int flags),
       real(handle, data, size / 2, at, flags), real(handle, data, size, at, flags),
       int COMMA const struct iovec * COMMA int COMMA off_t COMMA int)
WRITES(pwritev64v2, (int handle, const struct iovec *data, int size, off64_t at, int flags),
       real(handle, data, size / 2, at, flags), real(handle, data, size, at, flags),
       int COMMA const struct iovec * COMMA int COMMA off64_t COMMA int)
WRITES(copy_file_range, (int from, off64_t *a, int handle, off64_t *b, size_t size, unsigned flags),
       real(from, a, handle, b, size / 2, flags), real(from, a, handle, b, size, flags),
       int COMMA off64_t * COMMA int COMMA off64_t * COMMA size_t COMMA unsigned)
WRITES(splice, (int from, off64_t *a, int handle, off64_t *b, size_t size, unsigned flags),
       real(from, a, handle, b, size / 2, flags), real(from, a, handle, b, size, flags),
       int COMMA off64_t * COMMA int COMMA off64_t * COMMA size_t COMMA unsigned)
WRITES(sendfile, (int handle, int from, off_t *at, size_t size), real(handle, from, at, size / 2),
       real(handle, from, at, size), int COMMA int COMMA off_t * COMMA size_t)
WRITES(sendfile64, (int handle, int from, off64_t *at, size_t size), real(handle, from, at, size / 2),
       real(handle, from, at, size), int COMMA int COMMA off64_t * COMMA size_t)

#define HANDLES(type, name, parameters, arguments, types)       \
    type name parameters {                                      \
        REAL(type, #name, types);                               \
        pass_handle(#name, handle);                             \
        return real arguments;                                  \
    }
HANDLES(int, fsync, (int handle), (handle), int)
HANDLES(int, fdatasync, (int handle), (handle), int)
HANDLES(int, ftruncate, (int handle, off_t size), (handle, size), int COMMA off_t)
HANDLES(int, ftruncate64, (int handle, off64_t size), (handle, size), int COMMA off64_t)
HANDLES(int, fallocate, (int handle, int mode, off_t at, off_t size), (handle, mode, at, size),
        int COMMA int COMMA off_t COMMA off_t)
HANDLES(int, posix_fallocate, (int handle, off_t at, off_t size), (handle, at, size), int COMMA off_t COMMA off_t)
HANDLES(int, fchmod, (int handle, mode_t mode), (handle, mode), int COMMA mode_t)
HANDLES(int, fallocate64, (int handle, int mode, off64_t at, off64_t size), (handle, mode, at, size),
        int COMMA int COMMA off64_t COMMA off64_t)
HANDLES(int, posix_fallocate64, (int handle, off64_t at, off64_t size), (handle, at, size),
        int COMMA off64_t COMMA off64_t)
HANDLES(int, fchown, (int handle, uid_t owner, gid_t group), (handle, owner, group), int COMMA uid_t COMMA gid_t)
HANDLES(int, syncfs, (int handle), (handle), int)

#define PATHS(name, parameters, folder, path, arguments, types) \
    int name parameters {                                       \
        REAL(int, #name, types);                                \
        pass_path(#name, folder, path);                         \
        return real arguments;                                  \
    }
PATHS(rename, (const char *from, const char *to), AT_FDCWD, to, (from, to), const char * COMMA const char *)
PATHS(renameat, (int a, const char *from, int b, const char *to), b, to, (a, from, b, to),
      int COMMA const char * COMMA int COMMA const char *)
PATHS(renameat2, (int a, const char *from, int b, const char *to, unsigned flags), b, to, (a, from, b, to, flags),
      int COMMA const char * COMMA int COMMA const char * COMMA unsigned)
PATHS(link, (const char *from, const char *to), AT_FDCWD, to, (from, to), const char * COMMA const char *)
PATHS(linkat, (int a, const char *from, int b, const char *to, int flags), b, to, (a, from, b, to, flags),
      int COMMA const char * COMMA int COMMA const char * COMMA int)
PATHS(unlink, (const char *path), AT_FDCWD, path, (path), const char *)
PATHS(unlinkat, (int folder, const char *path, int flags), folder, path, (folder, path, flags),
      int COMMA const char * COMMA int)
PATHS(mkdir, (const char *path, mode_t mode), AT_FDCWD, path, (path, mode), const char * COMMA mode_t)
PATHS(rmdir, (const char *path), AT_FDCWD, path, (path), const char *)
PATHS(truncate, (const char *path, off_t size), AT_FDCWD, path, (path, size), const char * COMMA off_t)
PATHS(truncate64, (const char *path, off64_t size), AT_FDCWD, path, (path, size), const char * COMMA off64_t)
PATHS(remove, (const char *path), AT_FDCWD, path, (path), const char *)
PATHS(mkdirat, (int folder, const char *path, mode_t mode), folder, path, (folder, path, mode),
      int COMMA const char * COMMA mode_t)
PATHS(symlink, (const char *to, const char *path), AT_FDCWD, path, (to, path), const char * COMMA const char *)
PATHS(symlinkat, (const char *to, int folder, const char *path), folder, path, (to, folder, path),
      const char * COMMA int COMMA const char *)
PATHS(chmod, (const char *path, mode_t mode), AT_FDCWD, path, (path, mode), const char * COMMA mode_t)
PATHS(fchmodat, (int folder, const char *path, mode_t mode, int flags), folder, path, (folder, path, mode, flags),
      int COMMA const char * COMMA mode_t COMMA int)
PATHS(chown, (const char *path, uid_t owner, gid_t group), AT_FDCWD, path, (path, owner, group),
      const char * COMMA uid_t COMMA gid_t)
PATHS(lchown, (const char *path, uid_t owner, gid_t group), AT_FDCWD, path, (path, owner, group),
      const char * COMMA uid_t COMMA gid_t)
PATHS(fchownat, (int folder, const char *path, uid_t owner, gid_t group, int flags), folder, path,
      (folder, path, owner, group, flags), int COMMA const char * COMMA uid_t COMMA gid_t COMMA int)

static mode_t mode_of(int flags, va_list more) {
    return flags & (O_CREAT | __O_TMPFILE) ? (mode_t)va_arg(more, int) : 0;
}

static void pass_open(const char *call, int folder, const char *path, int flags) {
    if (flags & (O_CREAT | O_TRUNC)) pass_path(call, folder, path);
}

#define OPENS(name)                                             \
    int name(const char *path, int flags, ...) {                \
        REAL(int, #name, const char *, int, ...);               \
        va_list more;                                           \
        va_start(more, flags);                                  \
        mode_t mode = mode_of(flags, more);                     \
        va_end(more);                                           \
        pass_open(#name, AT_FDCWD, path, flags);                \
        return real(path, flags, mode);                         \
    }
OPENS(open)
OPENS(open64)

#define OPENS_AT(name)                                          \
    int name(int folder, const char *path, int flags, ...) {    \
        REAL(int, #name, int, const char *, int, ...);          \
        va_list more;                                           \
        va_start(more, flags);                                  \
        mode_t mode = mode_of(flags, more);                     \
        va_end(more);                                           \
        pass_open(#name, folder, path, flags);                  \
        return real(folder, path, flags, mode);                 \
    }
OPENS_AT(openat)
OPENS_AT(openat64)

/* What a fortified program calls where no file can be created. */
#define OPENS_CHECKED(name)                                     \
    int name(const char *path, int flags) {                     \
        REAL(int, #name, const char *, int);                    \
        pass_open(#name, AT_FDCWD, path, flags);                \
        return real(path, flags);                               \
    }
OPENS_CHECKED(__open_2)
OPENS_CHECKED(__open64_2)
