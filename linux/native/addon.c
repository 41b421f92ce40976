// The system calls that Node has no door for: raw sockets (netlink), socket options, namespaces, and readiness of a
// descriptor on the event loop. Thin by intent: numbers and bytes in, a number out (negative errno on failure, never
// an exception); every rule and every message is in TypeScript. Holds no global state, so worker threads may load it.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <net/if.h>
#include <node_api.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#define MAX_ARGS 6
#define PATH_BYTES 4096

// ---- arguments and results ----

typedef struct {
  napi_env env;
  napi_value values[MAX_ARGS];
} call_t;

static call_t arguments(napi_env env, napi_callback_info info) {
  call_t call = {.env = env};
  size_t count = MAX_ARGS;
  napi_get_cb_info(env, info, &count, call.values, NULL, NULL);
  return call;
}

static int32_t integer(const call_t *call, int i) {
  int32_t value = -1;
  napi_get_value_int32(call->env, call->values[i], &value);
  return value;
}

static void text(const call_t *call, int i, char *out, size_t size) {
  size_t length = 0;
  out[0] = 0;
  napi_get_value_string_utf8(call->env, call->values[i], out, size, &length);
}

typedef struct {
  uint8_t *data;
  size_t length;
} bytes_t;

static bytes_t bytes(const call_t *call, int i) {
  bytes_t b = {NULL, 0};
  napi_typedarray_type type;
  void *data = NULL;
  if (napi_get_typedarray_info(call->env, call->values[i], &type, &b.length, &data, NULL, NULL) != napi_ok ||
      type != napi_uint8_array)
    return (bytes_t){NULL, 0};
  b.data = data;
  return b;
}

// The part [offset, offset + length) of a byte array; false when it is not inside.
static int slice(const call_t *call, int array, int offset, int length, bytes_t *out) {
  bytes_t b = bytes(call, array);
  int32_t from = integer(call, offset), size = integer(call, length);
  if (b.data == NULL || from < 0 || size < 0 || (size_t)from > b.length || (size_t)size > b.length - (size_t)from) return 0;
  out->data = b.data + from;
  out->length = (size_t)size;
  return 1;
}

static napi_value number(napi_env env, long value) {
  napi_value result;
  napi_create_int32(env, (int32_t)value, &result);
  return result;
}

static napi_value outcome(napi_env env, long result) { return number(env, result < 0 ? -errno : result); }

#define CALL(name)                                                \
  static napi_value name##_(const call_t *call, napi_env env);    \
  static napi_value name(napi_env env, napi_callback_info info) { \
    call_t call = arguments(env, info);                           \
    return name##_(&call, env);                                   \
  }                                                               \
  static napi_value name##_(const call_t *call, napi_env env)

// ---- sockets ----

CALL(socket_open) {
  return outcome(env, socket(integer(call, 0), integer(call, 1) | SOCK_CLOEXEC, integer(call, 2)));
}

CALL(socket_bind) {
  bytes_t address = bytes(call, 1);
  return outcome(env, bind(integer(call, 0), (struct sockaddr *)address.data, (socklen_t)address.length));
}

CALL(socket_listen) { return outcome(env, listen(integer(call, 0), integer(call, 1))); }

CALL(socket_set_option) {
  bytes_t value = bytes(call, 3);
  return outcome(env, setsockopt(integer(call, 0), integer(call, 1), integer(call, 2), value.data, (socklen_t)value.length));
}

CALL(socket_get_option) {
  bytes_t value = bytes(call, 3);
  socklen_t length = (socklen_t)value.length;
  int result = getsockopt(integer(call, 0), integer(call, 1), integer(call, 2), value.data, &length);
  return outcome(env, result < 0 ? result : (long)length);
}

CALL(socket_name) {
  bytes_t address = bytes(call, 1);
  socklen_t length = (socklen_t)address.length;
  int result = getsockname(integer(call, 0), (struct sockaddr *)address.data, &length);
  return outcome(env, result < 0 ? result : (long)length);
}

static long send_all(int fd, bytes_t message) {
  long result;
  do {
    result = send(fd, message.data, message.length, MSG_NOSIGNAL);
  } while (result < 0 && errno == EINTR);
  return result;
}

CALL(socket_send) {
  bytes_t message;
  if (!slice(call, 1, 2, 3, &message)) return number(env, -EINVAL);
  return outcome(env, send_all(integer(call, 0), message));
}

CALL(socket_receive) {
  bytes_t room;
  if (!slice(call, 1, 2, 3, &room)) return number(env, -EINVAL);
  long result;
  do {
    result = recv(integer(call, 0), room.data, room.length, integer(call, 4));
  } while (result < 0 && errno == EINTR);
  return outcome(env, result);
}

CALL(socket_unread) {
  int count = 0;
  return ioctl(integer(call, 0), FIONREAD, &count) < 0 ? number(env, -errno) : number(env, count);
}

// A netlink send does its work inside the system call and may wait for the kernel's lock for tens of milliseconds:
// here a thread of libuv's pool waits, not the event loop.
typedef struct {
  napi_async_work work;
  napi_ref callback, buffer;
  int fd;
  long result;
  bytes_t message;
} background_t;

static void background_run(napi_env env, void *data) {
  (void)env;
  background_t *job = data;
  job->result = send_all(job->fd, job->message);
  if (job->result < 0) job->result = -errno;
}

static void background_done(napi_env env, napi_status status, void *data) {
  background_t *job = data;
  napi_value callback, receiver, argument;
  napi_get_reference_value(env, job->callback, &callback);
  napi_get_undefined(env, &receiver);
  argument = number(env, status == napi_ok ? job->result : -ECANCELED);
  napi_delete_reference(env, job->callback);
  napi_delete_reference(env, job->buffer);
  napi_delete_async_work(env, job->work);
  free(job);
  napi_call_function(env, receiver, callback, 1, &argument, NULL);
}

CALL(socket_send_background) {
  background_t *job = calloc(1, sizeof *job);
  if (job == NULL || !slice(call, 1, 2, 3, &job->message)) {
    free(job);
    return number(env, -EINVAL);
  }
  job->fd = integer(call, 0);
  napi_value name;
  napi_create_string_utf8(env, "podroute:send", NAPI_AUTO_LENGTH, &name);
  napi_create_reference(env, call->values[1], 1, &job->buffer);
  napi_create_reference(env, call->values[4], 1, &job->callback);
  napi_create_async_work(env, NULL, name, background_run, background_done, job, &job->work);
  napi_queue_async_work(env, job->work);
  return number(env, 0);
}

// ---- descriptors, interfaces, namespaces ----

CALL(file_open) {
  char path[PATH_BYTES];
  text(call, 0, path, sizeof path);
  return outcome(env, open(path, integer(call, 1) | O_CLOEXEC, 0600));
}

CALL(file_lock) { return outcome(env, flock(integer(call, 0), integer(call, 1))); }

CALL(file_close) { return outcome(env, close(integer(call, 0))); }

CALL(interface_index) {
  struct ifreq request = {0};
  text(call, 1, request.ifr_name, sizeof request.ifr_name);
  return ioctl(integer(call, 0), SIOCGIFINDEX, &request) < 0 ? number(env, -errno) : number(env, request.ifr_ifindex);
}

CALL(interface_name) {
  struct ifreq request = {.ifr_ifindex = integer(call, 1)};
  napi_value result;
  if (ioctl(integer(call, 0), SIOCGIFNAME, &request) < 0)
    napi_get_undefined(env, &result);
  else
    napi_create_string_utf8(env, request.ifr_name, NAPI_AUTO_LENGTH, &result);
  return result;
}

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

CALL(process_abort) {
  char message[PATH_BYTES];
  text(call, 0, message, sizeof message);
  fprintf(stderr, "%s\n", message);
  (void)env;
  abort();
}

// ---- readiness ----

typedef struct {
  uv_poll_t poll;
  napi_env env;
  napi_ref callback;
  napi_async_cleanup_hook_handle hook;
  int stopped;
} watch_t;

static void watch_readable(uv_poll_t *poll, int status, int events) {
  (void)events;
  watch_t *watch = poll->data;
  napi_handle_scope scope;
  napi_value callback, receiver, argument;
  if (watch->stopped || napi_open_handle_scope(watch->env, &scope) != napi_ok) return;
  napi_env env = watch->env;
  napi_get_reference_value(env, watch->callback, &callback);
  napi_get_global(env, &receiver);
  argument = number(env, status);
  if (napi_make_callback(env, NULL, receiver, callback, 1, &argument, NULL) == napi_pending_exception) {
    napi_value error;
    napi_get_and_clear_last_exception(env, &error);
    napi_fatal_exception(env, error);
  }
  napi_close_handle_scope(env, scope);
}

static void watch_closed(uv_handle_t *handle) {
  watch_t *watch = handle->data;
  napi_remove_async_cleanup_hook(watch->hook);
  free(watch);
}

static void watch_end(watch_t *watch) {
  if (watch->stopped) return;
  watch->stopped = 1;
  uv_poll_stop(&watch->poll);
  napi_delete_reference(watch->env, watch->callback);
  uv_close((uv_handle_t *)&watch->poll, watch_closed);
}

static void watch_cleanup(napi_async_cleanup_hook_handle hook, void *data) {
  (void)hook;
  watch_end(data);
}

// pollStart(fd, callback(status)): a handle for pollStop, or a negative errno.
CALL(poll_start) {
  uv_loop_t *loop;
  napi_get_uv_event_loop(env, &loop);
  watch_t *watch = calloc(1, sizeof *watch);
  if (watch == NULL) return number(env, -ENOMEM);
  int result = uv_poll_init(loop, &watch->poll, integer(call, 0));
  if (result < 0) {
    free(watch);
    return number(env, result);
  }
  watch->env = env;
  watch->poll.data = watch;
  napi_create_reference(env, call->values[1], 1, &watch->callback);
  napi_add_async_cleanup_hook(env, watch_cleanup, watch, &watch->hook);
  uv_poll_start(&watch->poll, UV_READABLE, watch_readable);
  napi_value handle;
  napi_create_external(env, watch, NULL, NULL, &handle);
  return handle;
}

// Once only for a handle: its memory is freed when the loop has closed it.
CALL(poll_stop) {
  void *watch = NULL;
  if (napi_get_value_external(env, call->values[0], &watch) != napi_ok) return number(env, -EINVAL);
  watch_end(watch);
  return number(env, 0);
}

CALL(poll_unref) {
  void *watch = NULL;
  if (napi_get_value_external(env, call->values[0], &watch) != napi_ok) return number(env, -EINVAL);
  uv_unref((uv_handle_t *)&((watch_t *)watch)->poll);
  return number(env, 0);
}

// What the allocator holds but nobody uses goes back to the kernel; musl holds nothing.
CALL(memory_trim) {
  (void)call;
#ifdef __GLIBC__
  malloc_trim(0);
#endif
  return number(env, 0);
}

// ---- the door ----

static napi_value start(napi_env env, napi_value exports) {
  static const struct {
    const char *name;
    napi_callback run;
  } calls[] = {
      {"socket", socket_open},
      {"bind", socket_bind},
      {"listen", socket_listen},
      {"setsockopt", socket_set_option},
      {"getsockopt", socket_get_option},
      {"getsockname", socket_name},
      {"send", socket_send},
      {"recv", socket_receive},
      {"unread", socket_unread},
      {"sendInBackground", socket_send_background},
      {"open", file_open},
      {"close", file_close},
      {"flock", file_lock},
      {"interfaceIndex", interface_index},
      {"interfaceName", interface_name},
      {"setns", namespace_enter},
      {"createNetns", namespace_create},
      {"unmount", namespace_unmount},
      {"shareMount", mount_share},
      {"pollStart", poll_start},
      {"pollStop", poll_stop},
      {"pollUnref", poll_unref},
      {"abort", process_abort},
      {"trimMemory", memory_trim},
  };
  for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
    napi_value function;
    napi_create_function(env, calls[i].name, NAPI_AUTO_LENGTH, calls[i].run, NULL, &function);
    napi_set_named_property(env, exports, calls[i].name, function);
  }
  return exports;
}

NAPI_MODULE(podroute_linux, start)
