// The system calls that Node has no door for: raw sockets (netlink), socket options, namespaces, and readiness of a
// descriptor on the event loop. Thin by intent: numbers and bytes in, a number out (negative errno on failure, never
// an exception); every rule and every message is in TypeScript. Holds no global state, so worker threads may load it.
#include "addon.h"
#include <fcntl.h>
#include <linux/filter.h>
#include <malloc.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <unistd.h>

// As in addon.ts: raised when a call is added, changed or taken away.
#define EDITION 6

// ---- sockets ----

CALL(socket_open) {
  return outcome(env, socket(integer(call, 0), integer(call, 1) | SOCK_CLOEXEC, integer(call, 2)));
}

CALL(socket_bind) {
  bytes_t address = bytes(call, 1);
  return outcome(env, bind(integer(call, 0), (struct sockaddr *)address.data, (socklen_t)address.length));
}

// For datagrams and raw sockets: where they go to, and the only ones that they hear.
CALL(socket_connect) {
  bytes_t address = bytes(call, 1);
  return outcome(env, connect(integer(call, 0), (struct sockaddr *)address.data, (socklen_t)address.length));
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

CALL(socket_send_to) {
  bytes_t message = bytes(call, 1), to = bytes(call, 2);
  long result;
  do {
    result = sendto(integer(call, 0), message.data, message.length, MSG_NOSIGNAL, (struct sockaddr *)to.data, (socklen_t)to.length);
  } while (result < 0 && errno == EINTR);
  return outcome(env, result);
}

// What is known of a datagram besides its octets, as far as the socket's options have it told; as in addon.ts.
typedef struct {
  struct sockaddr_in6 from;
  int32_t hops;
  uint32_t interface;
  uint8_t to[16];
} arrival_t;
_Static_assert(sizeof(arrival_t) == 52, "ARRIVAL_BYTES of addon.ts");

static void arrival_note(arrival_t *arrival, struct cmsghdr *told) {
  const void *data = CMSG_DATA(told);
  if (told->cmsg_level == IPPROTO_IPV6 && told->cmsg_type == IPV6_HOPLIMIT) memcpy(&arrival->hops, data, sizeof arrival->hops);
  if (told->cmsg_level == IPPROTO_IP && told->cmsg_type == IP_TTL) memcpy(&arrival->hops, data, sizeof arrival->hops);
  if (told->cmsg_level == IPPROTO_IPV6 && told->cmsg_type == IPV6_PKTINFO) {
    const struct in6_pktinfo *info = data;
    arrival->interface = info->ipi6_ifindex;
    memcpy(arrival->to, &info->ipi6_addr, sizeof info->ipi6_addr);
  }
  if (told->cmsg_level == IPPROTO_IP && told->cmsg_type == IP_PKTINFO) {
    const struct in_pktinfo *info = data;
    arrival->interface = (uint32_t)info->ipi_ifindex;
    memcpy(arrival->to, &info->ipi_addr, sizeof info->ipi_addr);
  }
}

CALL(socket_receive_from) {
  bytes_t room = bytes(call, 1), out = bytes(call, 2);
  if (out.length < sizeof(arrival_t)) return number(env, -EINVAL);
  arrival_t arrival = {.hops = -1};
  union {
    struct cmsghdr header;
    char room[CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(struct in6_pktinfo))];
  } control;
  struct iovec into = {.iov_base = room.data, .iov_len = room.length};
  struct msghdr message = {
      .msg_name = &arrival.from,
      .msg_namelen = sizeof arrival.from,
      .msg_iov = &into,
      .msg_iovlen = 1,
      .msg_control = &control,
      .msg_controllen = sizeof control,
  };
  long result;
  do {
    result = recvmsg(integer(call, 0), &message, MSG_DONTWAIT | MSG_TRUNC);
  } while (result < 0 && errno == EINTR);
  if (result < 0) return outcome(env, result);
  for (struct cmsghdr *told = CMSG_FIRSTHDR(&message); told != NULL; told = CMSG_NXTHDR(&message, told))
    arrival_note(&arrival, told);
  memcpy(out.data, &arrival, sizeof arrival);
  return number(env, result);
}

// A classic BPF program of whole instructions: which of what arrives is heard at all.
CALL(socket_attach_filter) {
  bytes_t program = bytes(call, 1);
  size_t count = program.length / sizeof(struct sock_filter);
  if (count == 0 || count > BPF_MAXINSNS || count * sizeof(struct sock_filter) != program.length) return number(env, -EINVAL);
  struct sock_fprog filter = {.len = (unsigned short)count, .filter = (struct sock_filter *)program.data};
  return outcome(env, setsockopt(integer(call, 0), SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter));
}

CALL(socket_unread) {
  int count = 0;
  return ioctl(integer(call, 0), FIONREAD, &count) < 0 ? number(env, -errno) : number(env, count);
}

// A netlink send does its work inside the system call and may wait for the kernel's lock for tens of milliseconds, and
// flock(2) on a network file system asks a server, even without waiting for the lock: here a thread of libuv's pool
// waits, not the event loop.
typedef struct background background_t;
struct background {
  napi_async_work work;
  napi_ref callback, buffer;
  long (*run)(const background_t *job);
  int fd, operation;
  long result;
  bytes_t message;
};

static void background_run(napi_env env, void *data) {
  (void)env;
  background_t *job = data;
  job->result = job->run(job);
  if (job->result < 0) job->result = -errno;
}

static void background_done(napi_env env, napi_status status, void *data) {
  background_t *job = data;
  napi_value callback, receiver, argument;
  napi_get_reference_value(env, job->callback, &callback);
  napi_get_undefined(env, &receiver);
  argument = number(env, status == napi_ok ? job->result : -ECANCELED);
  napi_delete_reference(env, job->callback);
  if (job->buffer != NULL) napi_delete_reference(env, job->buffer);
  napi_delete_async_work(env, job->work);
  free(job);
  napi_call_function(env, receiver, callback, 1, &argument, NULL);
}

static napi_value background_start(napi_env env, background_t *job, napi_value callback) {
  napi_value name;
  napi_create_string_utf8(env, "podroute:background", NAPI_AUTO_LENGTH, &name);
  napi_create_reference(env, callback, 1, &job->callback);
  napi_create_async_work(env, NULL, name, background_run, background_done, job, &job->work);
  napi_queue_async_work(env, job->work);
  return number(env, 0);
}

static long background_send(const background_t *job) { return send_all(job->fd, job->message); }

CALL(socket_send_background) {
  background_t *job = calloc(1, sizeof *job);
  if (job == NULL || !slice(call, 1, 2, 3, &job->message)) {
    free(job);
    return number(env, -EINVAL);
  }
  job->run = background_send;
  job->fd = integer(call, 0);
  napi_create_reference(env, call->values[1], 1, &job->buffer);
  return background_start(env, job, call->values[4]);
}

static long background_flock(const background_t *job) { return flock(job->fd, job->operation); }

CALL(file_lock_background) {
  background_t *job = calloc(1, sizeof *job);
  if (job == NULL) return number(env, -ENOMEM);
  job->run = background_flock;
  job->fd = integer(call, 0);
  job->operation = integer(call, 1);
  return background_start(env, job, call->values[2]);
}

// ---- descriptors, interfaces, namespaces ----

CALL(file_open) {
  char path[PATH_BYTES];
  text(call, 0, path, sizeof path);
  return outcome(env, open(path, integer(call, 1) | O_CLOEXEC, 0600));
}

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

// What the kernel says of its clock's discipline: STA_* of adjtimex(2), which changes nothing here.
CALL(clock_status) {
  (void)call;
  struct timex clock = {0};
  return adjtimex(&clock) < 0 ? number(env, -errno) : number(env, clock.status);
}

// Of the calling thread only, and not of threads that it starts. By number: musl has a sched_setscheduler that refuses.
CALL(thread_round_robin) {
  struct sched_param parameter = {.sched_priority = integer(call, 0)};
  return outcome(env, syscall(SYS_sched_setscheduler, 0, SCHED_RR | SCHED_RESET_ON_FORK, &parameter));
}

// The same in the time-sharing class: Linux keeps a niceness for each thread.
CALL(thread_nice) {
  struct sched_param parameter = {0};
  if (syscall(SYS_sched_setscheduler, 0, SCHED_OTHER | SCHED_RESET_ON_FORK, &parameter) < 0) return number(env, -errno);
  return outcome(env, setpriority(PRIO_PROCESS, 0, integer(call, 0)));
}

// Without waiting for threads that a disk holds, as exit(3) does.
CALL(process_leave) {
  (void)env;
  _exit(integer(call, 0));
}

CALL(process_abort) {
  char message[PATH_BYTES];
  text(call, 0, message, sizeof message);
  fprintf(stderr, "%s\n", message);
  (void)env;
  abort();
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
      {"connect", socket_connect},
      {"listen", socket_listen},
      {"setsockopt", socket_set_option},
      {"getsockopt", socket_get_option},
      {"getsockname", socket_name},
      {"send", socket_send},
      {"recv", socket_receive},
      {"sendTo", socket_send_to},
      {"receiveFrom", socket_receive_from},
      {"attachFilter", socket_attach_filter},
      {"unread", socket_unread},
      {"sendInBackground", socket_send_background},
      {"open", file_open},
      {"close", file_close},
      {"own", fd_own},
      {"closeOwned", fd_close_owned},
      {"flockInBackground", file_lock_background},
      {"interfaceIndex", interface_index},
      {"interfaceName", interface_name},
      {"setns", namespace_enter},
      {"createNetns", namespace_create},
      {"unnamedNetns", namespace_unnamed},
      {"unmount", namespace_unmount},
      {"shareMount", mount_share},
      {"pollStart", poll_start},
      {"pollStop", poll_stop},
      {"pollUnref", poll_unref},
      {"clockStatus", clock_status},
      {"roundRobin", thread_round_robin},
      {"nice", thread_nice},
      {"leave", process_leave},
      {"abort", process_abort},
      {"trimMemory", memory_trim},
  };
  for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
    napi_value function;
    napi_create_function(env, calls[i].name, NAPI_AUTO_LENGTH, calls[i].run, NULL, &function);
    napi_set_named_property(env, exports, calls[i].name, function);
  }
  napi_set_named_property(env, exports, "edition", number(env, EDITION));
  return exports;
}

NAPI_MODULE(podroute_linux, start)
