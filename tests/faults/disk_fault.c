// A disk that fails on demand, for tests: preloaded into a process (LD_PRELOAD), it makes calls on
// files whose name ends in "-wal" fail for as long as the file named by DISK_FAULT_FLAG says so.
//
//   enospc     write, pwrite: -1, ENOSPC
//   eio-sync   fsync, fdatasync: -1, EIO; what was written stays where it is
//   stuck      fsync, fdatasync: do not return while the file says so
//
// Each failure adds one byte to the file "<DISK_FAULT_FLAG>.hits", so that a test can count them.
// Build: cc -shared -fPIC -O2 -o disk_fault.so disk_fault.c -ldl

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static ssize_t (*real_write)(int, const void *, size_t);

static int is_wal(int fd) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path);
    return length > 4 && memcmp(path + length - 4, "-wal", 4) == 0;
}

static void count(const char *flag) {
    char path[4096];
    snprintf(path, sizeof path, "%s.hits", flag);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (fd >= 0) {
        if (real_write(fd, ".", 1) != 1) abort();
        close(fd);
    }
}

// Returns whether a call on `fd` is to fail with the fault `name`, and counts it then.
static int fails(int fd, const char *name) {
    if (!real_write) real_write = (ssize_t (*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
    const char *flag = getenv("DISK_FAULT_FLAG");
    if (!flag || !is_wal(fd)) return 0;
    int file = open(flag, O_RDONLY);
    if (file < 0) return 0;
    char text[64] = {0};
    ssize_t length = read(file, text, sizeof text - 1);
    close(file);
    if (length <= 0 || !strstr(text, name)) return 0;
    count(flag);
    return 1;
}

// Holds a call on `fd` for as long as the disk is to stand still.
static void hold(int fd) {
    while (fails(fd, "stuck")) usleep(20000);
}

ssize_t write(int fd, const void *bytes, size_t size) {
    if (fails(fd, "enospc")) return errno = ENOSPC, -1;
    return real_write(fd, bytes, size);
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t at) {
    static ssize_t (*real)(int, const void *, size_t, off_t);
    if (!real) real = (ssize_t (*)(int, const void *, size_t, off_t))dlsym(RTLD_NEXT, "pwrite");
    if (fails(fd, "enospc")) return errno = ENOSPC, -1;
    return real(fd, bytes, size, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t at) {
    static ssize_t (*real)(int, const void *, size_t, off64_t);
    if (!real) real = (ssize_t (*)(int, const void *, size_t, off64_t))dlsym(RTLD_NEXT, "pwrite64");
    if (fails(fd, "enospc")) return errno = ENOSPC, -1;
    return real(fd, bytes, size, at);
}

int fsync(int fd) {
    static int (*real)(int);
    if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    hold(fd);
    if (fails(fd, "eio-sync")) return errno = EIO, -1;
    return real(fd);
}

int fdatasync(int fd) {
    static int (*real)(int);
    if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    hold(fd);
    if (fails(fd, "eio-sync")) return errno = EIO, -1;
    return real(fd);
}
