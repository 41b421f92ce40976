// Descriptors and the thread that uses them: readiness on its event loop (libuv's poll handle, which Node gives only to
// its own sockets), and an end with it.
#include "addon.h"
#include <unistd.h>
#include <uv.h>

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

// ---- descriptors that do not outlive their thread ----

typedef struct {
  int fd;
} owned_t;

static void owned_end(void *data) {
  owned_t *owned = data;
  close(owned->fd);
  free(owned);
}

// own(fd): a handle for closeOwned, or a negative errno. However a worker ends, its descriptors stay with the process.
CALL(fd_own) {
  owned_t *owned = calloc(1, sizeof *owned);
  if (owned == NULL) return number(env, -ENOMEM);
  owned->fd = integer(call, 0);
  napi_add_env_cleanup_hook(env, owned_end, owned);
  napi_value handle;
  napi_create_external(env, owned, NULL, NULL, &handle);
  return handle;
}

// Once only for a handle.
CALL(fd_close_owned) {
  void *owned = NULL;
  if (napi_get_value_external(env, call->values[0], &owned) != napi_ok) return number(env, -EINVAL);
  napi_remove_env_cleanup_hook(env, owned_end, owned);
  owned_end(owned);
  return number(env, 0);
}
