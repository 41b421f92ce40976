// Network namespaces and the mounts that name them.
#include "addon.h"
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

CALL(namespace_enter) { return outcome(env, setns(integer(call, 0), integer(call, 1))); }

CALL(namespace_unmount) {
  char path[PATH_BYTES];
  text(call, 0, path, sizeof path);
  return outcome(env, umount2(path, MNT_DETACH));
}

CALL(mount_share) {
  char path[PATH_BYTES];
  text(call, 0, path, sizeof path);
  if (mount("", path, "none", MS_SHARED | MS_REC, NULL) == 0) return number(env, 0);
  if (errno != EINVAL || mount(path, path, "none", MS_BIND | MS_REC, NULL) < 0) return number(env, -errno);
  return outcome(env, mount("", path, "none", MS_SHARED | MS_REC, NULL));
}

// A new namespace belongs to the thread that makes it, so a thread of its own does, binds it to the file, and ends.
typedef struct {
  const char *path;
  int unshare_error, mount_error;
} birth_t;

static void *namespace_birth(void *data) {
  birth_t *birth = data;
  if (unshare(CLONE_NEWNET) < 0)
    birth->unshare_error = errno;
  else if (mount("/proc/thread-self/ns/net", birth->path, "none", MS_BIND, NULL) < 0)
    birth->mount_error = errno;
  return NULL;
}

// 0, -errno of unshare, or -1000 - errno of mount.
CALL(namespace_create) {
  char path[PATH_BYTES];
  text(call, 0, path, sizeof path);
  birth_t birth = {.path = path};
  pthread_t thread;
  int error = pthread_create(&thread, NULL, namespace_birth, &birth);
  if (error != 0) return number(env, -error);
  pthread_join(thread, NULL);
  return number(env, birth.unshare_error ? -birth.unshare_error : birth.mount_error ? -1000 - birth.mount_error : 0);
}

// One that nobody else finds: it ends with its descriptor.
static void *namespace_open(void *data) {
  int *fd = data;
  *fd = unshare(CLONE_NEWNET) < 0 ? -1 : open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
  if (*fd < 0) *fd = -errno;
  return NULL;
}

CALL(namespace_unnamed) {
  (void)call;
  int fd = -1;
  pthread_t thread;
  int error = pthread_create(&thread, NULL, namespace_open, &fd);
  if (error != 0) return number(env, -error);
  pthread_join(thread, NULL);
  return number(env, fd);
}
