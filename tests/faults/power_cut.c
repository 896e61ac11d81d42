// A disk that remembers what is safe on it, for tests: preloaded into a process (LD_PRELOAD), it copies a
// file to "<its path>.synced" after each fsync or fdatasync of it. What was written since is what a power
// cut takes away.
//
// Only files below the folder named by POWER_CUT_DIR are copied. A copy takes its place by a rename, so
// that it is whole whenever the process is killed.
// Build: cc -shared -fPIC -O2 -o power_cut.so power_cut.c -ldl -lpthread

#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;

static void keep(int fd) {
    char link[64], path[4096], now[4200], kept[4200];
    const char *folder = getenv("POWER_CUT_DIR");
    struct stat is;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (!folder || length <= 0) return;
    path[length] = 0;
    if (strncmp(path, folder, strlen(folder)) || fstat(fd, &is) || !S_ISREG(is.st_mode)) return;
    snprintf(now, sizeof now, "%s.syncing", path);
    snprintf(kept, sizeof kept, "%s.synced", path);
    pthread_mutex_lock(&one_at_a_time);
    int from = open(path, O_RDONLY), to = open(now, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (from < 0 || to < 0) abort();
    for (off_t at = 0; at < is.st_size;) {
        if (sendfile(to, from, &at, is.st_size - at) <= 0) break;
    }
    close(from);
    close(to);
    if (rename(now, kept)) abort();
    pthread_mutex_unlock(&one_at_a_time);
}

int fsync(int fd) {
    static int (*real)(int);
    if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    int result = real(fd);
    if (result == 0) keep(fd);
    return result;
}

int fdatasync(int fd) {
    static int (*real)(int);
    if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    int result = real(fd);
    if (result == 0) keep(fd);
    return result;
}
