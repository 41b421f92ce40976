// What every file of the addon needs: arguments of a call as numbers, text and bytes, and results as numbers.
#ifndef PODROUTE_ADDON_H
#define PODROUTE_ADDON_H
#define _GNU_SOURCE
#include <errno.h>
#include <node_api.h>
#include <stdlib.h>
#include <string.h>

#define MAX_ARGS 6
#define PATH_BYTES 4096

typedef struct {
  napi_env env;
  napi_value values[MAX_ARGS];
} call_t;

static inline call_t arguments(napi_env env, napi_callback_info info) {
  call_t call = {.env = env};
  size_t count = MAX_ARGS;
  napi_get_cb_info(env, info, &count, call.values, NULL, NULL);
  return call;
}

static inline int32_t integer(const call_t *call, int i) {
  int32_t value = -1;
  napi_get_value_int32(call->env, call->values[i], &value);
  return value;
}

static inline void text(const call_t *call, int i, char *out, size_t size) {
  size_t length = 0;
  out[0] = 0;
  napi_get_value_string_utf8(call->env, call->values[i], out, size, &length);
}

typedef struct {
  uint8_t *data;
  size_t length;
} bytes_t;

static inline bytes_t bytes(const call_t *call, int i) {
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
static inline int slice(const call_t *call, int array, int offset, int length, bytes_t *out) {
  bytes_t b = bytes(call, array);
  int32_t from = integer(call, offset), size = integer(call, length);
  if (b.data == NULL || from < 0 || size < 0 || (size_t)from > b.length || (size_t)size > b.length - (size_t)from) return 0;
  out->data = b.data + from;
  out->length = (size_t)size;
  return 1;
}

static inline napi_value number(napi_env env, long value) {
  napi_value result;
  napi_create_int32(env, (int32_t)value, &result);
  return result;
}

static inline napi_value outcome(napi_env env, long result) { return number(env, result < 0 ? -errno : result); }

#define CALL(name)                                                \
  static napi_value name##_(const call_t *call, napi_env env);    \
  napi_value name(napi_env env, napi_callback_info info) {        \
    call_t call = arguments(env, info);                           \
    return name##_(&call, env);                                   \
  }                                                               \
  static napi_value name##_(const call_t *call, napi_env env)

napi_value namespace_enter(napi_env env, napi_callback_info info);
napi_value namespace_create(napi_env env, napi_callback_info info);
napi_value namespace_unnamed(napi_env env, napi_callback_info info);
napi_value namespace_unmount(napi_env env, napi_callback_info info);
napi_value mount_share(napi_env env, napi_callback_info info);
napi_value poll_start(napi_env env, napi_callback_info info);
napi_value poll_stop(napi_env env, napi_callback_info info);
napi_value poll_unref(napi_env env, napi_callback_info info);
napi_value fd_own(napi_env env, napi_callback_info info);
napi_value fd_close_owned(napi_env env, napi_callback_info info);

#endif
