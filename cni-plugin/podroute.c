/* The CNI executable: carries one call to this node's agent and its answer back. Static, small, needs nothing on the
 * host. It does not interpret the configuration beyond finding a few top-level strings in it.
 *
 * Request:   length (4, big endian) | CNI_* variables as NAME=VALUE, each ended by NUL | NUL | standard input
 *            (and NETNS_FLAG among the variables when CNI_NETNS is the namespace that this process runs in)
 * Answer:    255 (1), any number of times: still at work | exit code (1) | standard output up to the end of the stream
 *
 * Agent down, or silent for SILENCE_MS: ADD, CHECK and GC answer code 11 (try again later), STATUS 50; DEL is written
 * below STATE_DIR/del-queue, for the agent to do when it is back, and succeeds. VERSION never needs the agent.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define DEFAULT_SOCKET "/run/podroute/cni.sock"
#define DEFAULT_STATE "/var/lib/podroute"
/* As in server/request/network-config.ts. */
#define VERSIONS "[\"0.1.0\",\"0.2.0\",\"0.3.0\",\"0.3.1\",\"0.4.0\",\"1.0.0\",\"1.1.0\"]"
#define NEWEST "1.1.0"
#define MAX_REQUEST (4u << 20)
#define NETNS_FLAG "PODROUTE_NETNS_IS_OWN=1"
/* An agent that is alive says at least "still at work" more often than this. */
#define SILENCE_MS 900
/* Longer than any verb takes, shorter than kubelet's patience. */
#define ANSWER_TIMEOUT_MS 60000
/* VERSION works without a configuration: whoever calls it by hand has a terminal there. */
#define VERSION_INPUT_MS 100
#define STILL_AT_WORK 255

enum { E_ENVIRONMENT = 4, E_IO = 5, E_CONFIG = 7, E_TRY_AGAIN = 11, E_UNAVAILABLE = 50 };

extern char **environ;
static char version[32] = NEWEST;

static long long now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static void print_json_string(const char *s) {
  putchar('"');
  for (; *s; s++) {
    if (*s == '"' || *s == '\\') putchar('\\'), putchar(*s);
    else if ((unsigned char)*s < 0x20) printf("\\u%04x", *s);
    else putchar(*s);
  }
  putchar('"');
}

/* CNI error on standard output, as libcni reads it. */
static int fail(int code, const char *message, const char *details) {
  printf("{\"cniVersion\":");
  print_json_string(version);
  printf(",\"code\":%d,\"msg\":", code);
  print_json_string(message);
  if (details && *details) printf(",\"details\":"), print_json_string(details);
  printf("}\n");
  return 1;
}

static const char *variable(const char *name) {
  const char *value = getenv(name);
  return value ? value : "";
}

/* Copies a JSON string's inside; -1 when it has a \u escape, a control character's escape, or does not fit. */
static int copy_string(const char *from, size_t length, char *out, size_t room) {
  size_t used = 0;
  for (size_t i = 0; i < length; i++) {
    if (from[i] == '\\' && !strchr("\"\\/", from[++i])) return -1;
    if (used + 1 >= room) return -1;
    out[used++] = from[i];
  }
  out[used] = 0;
  return 1;
}

/* Value of a top-level string KEY of a JSON object: 1 when it is in OUT, 0 when there is none, -1 when it cannot be used.
 * A walk over tokens, so that neither nested keys nor text inside strings are taken for it. */
static int top_level_string(const char *json, size_t length, const char *key, char *out, size_t room) {
  int depth = 0, at_key = 0;
  for (size_t i = 0; i < length; i++) {
    char c = json[i];
    if (c == '{' || c == '[') depth++, at_key = 0;
    else if (c == '}' || c == ']') depth--;
    else if (c == '"') {
      size_t begin = i + 1, end = begin;
      while (end < length && json[end] != '"') end += json[end] == '\\' ? 2 : 1;
      if (end >= length) return 0;
      size_t next = end + 1;
      while (next < length && strchr(" \t\r\n", json[next])) next++;
      int is_key = next < length && json[next] == ':';
      if (depth == 1 && is_key) at_key = end - begin == strlen(key) && !memcmp(json + begin, key, end - begin);
      else if (depth == 1 && at_key) {
        return copy_string(json + begin, end - begin, out, room);
      }
      i = end;
    }
  }
  return 0;
}

/* Reads all of standard input behind what the buffer holds; gives up waiting for more of it after wait_ms (-1: never). */
static int read_input(char **buffer, size_t *used, int wait_ms) {
  size_t room = *used + 65536;
  char *p = malloc(room);
  if (!p) return -1;
  if (*used) memcpy(p, *buffer, *used);
  for (;;) {
    if (*used == room) {
      if (room >= MAX_REQUEST) return errno = EFBIG, -1;
      char *grown = realloc(p, room *= 2);
      if (!grown) return -1;
      p = grown;
    }
    struct pollfd waiting = { .fd = 0, .events = POLLIN };
    if (wait_ms >= 0 && poll(&waiting, 1, wait_ms) <= 0) break;
    ssize_t n = read(0, p + *used, room - *used);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return -1;
    if (n == 0) break;
    *used += n;
  }
  *buffer = p;
  return 0;
}

static int write_all(int fd, const char *p, size_t n) {
  while (n) {
    ssize_t w = write(fd, p, n);
    if (w < 0 && errno == EINTR) continue;
    if (w < 0) return -1;
    p += w, n -= w;
  }
  return 0;
}

static int connect_to(const char *path) {
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  if (strlen(path) >= sizeof address.sun_path) return errno = ENAMETOOLONG, -1;
  strcpy(address.sun_path, path);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -1;
  struct timeval patience = { .tv_usec = SILENCE_MS * 1000 };
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  /* A full backlog answers EAGAIN: an agent that has stalled. It gets half a second. */
  for (int tries = 0; connect(fd, (void *)&address, sizeof address); tries++) {
    if (errno != EAGAIN || tries == 50) {
      int saved = errno;
      close(fd);
      return errno = saved, -1;
    }
    nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
  }
  fcntl(fd, F_SETFL, 0);
  return fd;
}

/* One call over a connection. */
static int ask(int fd, const char *request, size_t length) {
  uint32_t prefix = htonl(length);
  if (write_all(fd, (char *)&prefix, 4) || write_all(fd, request, length)) {
    if (errno == EAGAIN) errno = ETIMEDOUT;
    return -1;
  }
  static char answer[1 << 20];
  size_t used = 0;
  for (long long begin = now_ms();;) {
    struct pollfd waiting = { .fd = fd, .events = POLLIN };
    int ready = poll(&waiting, 1, SILENCE_MS);
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0 || now_ms() - begin > ANSWER_TIMEOUT_MS) return errno = ready < 0 ? errno : ETIMEDOUT, -1;
    ssize_t n = read(fd, answer + used, sizeof answer - used);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return -1;
    if (n == 0) break;
    used += n;
    size_t signs = 0;
    while (signs < used && (unsigned char)answer[signs] == STILL_AT_WORK) signs++;
    memmove(answer, answer + signs, used -= signs);
    if (used == sizeof answer) return errno = EMSGSIZE, -1;
  }
  if (used == 0) return errno = ECONNRESET, -1;
  if (write_all(1, answer + 1, used - 1)) return errno = EIO, -1;
  return (unsigned char)answer[0];
}

/* One call. Returns the plugin's exit code, or -1 with errno when no whole answer came. */
static int call_agent(const char *path, const char *request, size_t length) {
  int fd = connect_to(path);
  if (fd < 0) return -1;
  int code = ask(fd, request, length), saved = errno;
  /* Before anything else that may take its time: an agent that wakes up sees that nobody waits. */
  close(fd);
  return errno = saved, code;
}

/* Whether it may become part of a file's name. */
static int is_plain(const char *s) {
  return *s && *s != '.' && !strchr(s, '/') && !strchr(s, '@');
}

/* Keeps a DEL for the agent: the request as it would have been sent, in the file CONTAINERID@IFNAME. The same DEL again
 * replaces it. */
static int queue_delete(const char *state, const char *request, size_t length) {
  const char *container = variable("CNI_CONTAINERID"), *interface = variable("CNI_IFNAME");
  if (!is_plain(container) || !is_plain(interface)) return errno = EINVAL, -1;
  char directory[4096], path[4608], temporary[4640];
  snprintf(directory, sizeof directory, "%s/del-queue", state);
  if (mkdir(state, 0700) && errno != EEXIST) return -1;
  if (mkdir(directory, 0700) && errno != EEXIST) return -1;
  if (snprintf(path, sizeof path, "%s/%s@%s", directory, container, interface) >= (int)sizeof path)
    return errno = ENAMETOOLONG, -1;
  snprintf(temporary, sizeof temporary, "%s/.%d", directory, (int)getpid());
  int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return -1;
  if (write_all(fd, request, length) || fsync(fd) || close(fd) || rename(temporary, path)) {
    int saved = errno;
    unlink(temporary);
    return errno = saved, -1;
  }
  int folder = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  return folder < 0 || fsync(folder) ? -1 : 0;
}

static int is_one_of(const char *command, const char *verbs) {
  size_t n = strlen(command);
  for (const char *at = verbs; (at = strstr(at, command)); at += n)
    if (n && (at == verbs || at[-1] == ' ') && (at[n] == ' ' || !at[n])) return 1;
  return 0;
}

/* A pod's link is never made in the namespace that the plugin itself runs in. */
static int netns_is_own(void) {
  struct stat own, given;
  return !stat("/proc/self/ns/net", &own) && !stat(variable("CNI_NETNS"), &given) && own.st_ino == given.st_ino &&
         own.st_dev == given.st_dev;
}

/* Names all that is missing in one message. */
static int missing_variables(const char *command, char *out, size_t room) {
  struct { const char *name, *verbs; } wanted[] = {
    { "CNI_CONTAINERID", "ADD CHECK DEL" }, { "CNI_NETNS", "ADD CHECK" },
    { "CNI_IFNAME", "ADD CHECK DEL" },      { "CNI_PATH", "ADD CHECK DEL GC STATUS" },
  };
  size_t used = 0;
  for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
    if (is_one_of(command, wanted[i].verbs) && !*variable(wanted[i].name))
      used += snprintf(out + used, room - used, "%s%s", used ? "," : "", wanted[i].name);
  return used > 0;
}

int main(void) {
  const char *command = variable("CNI_COMMAND");
  if (!*command) {
    fprintf(stderr, "podroute: CNI plugin of a BGP-routed pod network; CNI versions %s\n", VERSIONS);
    return 0;
  }
  signal(SIGPIPE, SIG_IGN);
  char *request = NULL, told[sizeof version];
  size_t length = 0;
  if (!strcmp(command, "VERSION")) {
    if (!read_input(&request, &length, VERSION_INPUT_MS) &&
        top_level_string(request, length, "cniVersion", told, sizeof told) > 0)
      strcpy(version, told);
    printf("{\"cniVersion\":");
    print_json_string(version);
    printf(",\"supportedVersions\":" VERSIONS "}\n");
    return 0;
  }
  if (strchr(command, ' ') || !is_one_of(command, "ADD DEL CHECK GC STATUS"))
    return fail(E_ENVIRONMENT, "unknown CNI_COMMAND", command);
  char missing[128];
  if (missing_variables(command, missing, sizeof missing))
    return fail(E_ENVIRONMENT, "required env variables missing", missing);

  size_t size = 1 + sizeof NETNS_FLAG;
  for (char **e = environ; *e; e++) size += strlen(*e) + 1;
  if (!(request = malloc(size))) return fail(E_IO, "out of memory", "");
  for (char **e = environ; *e; e++) {
    /* TRACEPARENT and the like come from libcni for tracing (CNI 1.1). */
    if (strncmp(*e, "CNI_", 4) && strncmp(*e, "TRACE", 5) && strncmp(*e, "BAGGAGE=", 8)) continue;
    size_t n = strlen(*e) + 1;
    memcpy(request + length, *e, n);
    length += n;
  }
  if (netns_is_own()) {
    memcpy(request + length, NETNS_FLAG, sizeof NETNS_FLAG);
    length += sizeof NETNS_FLAG;
  }
  request[length++] = 0;
  size_t input = length;
  if (read_input(&request, &length, -1)) return fail(E_IO, "cannot read the configuration from stdin", strerror(errno));

  char socket_path[108] = DEFAULT_SOCKET, state[4000] = DEFAULT_STATE;
  const char *json = request + input;
  if (top_level_string(json, length - input, "cniVersion", told, sizeof told) > 0) strcpy(version, told);
  if (top_level_string(json, length - input, "socketPath", socket_path, sizeof socket_path) < 0)
    return fail(E_CONFIG, "invalid network configuration: socketPath", "wanted: a path of less than 108 bytes without \\u escapes");
  if (top_level_string(json, length - input, "stateDir", state, sizeof state) < 0)
    return fail(E_CONFIG, "invalid network configuration: stateDir", "wanted: a path without \\u escapes");

  int code = call_agent(socket_path, request, length);
  if (code >= 0) return code;
  char details[4800];
  snprintf(details, sizeof details, "%s: %s", socket_path, strerror(errno));
  if (!strcmp(command, "DEL")) {
    if (!queue_delete(state, request, length)) return 0;
    snprintf(details + strlen(details), sizeof details - strlen(details), "; cannot queue below %s/del-queue: %s",
             state, strerror(errno));
    return fail(E_TRY_AGAIN, "the podroute agent does not answer, and DEL cannot be queued", details);
  }
  return fail(strcmp(command, "STATUS") ? E_TRY_AGAIN : E_UNAVAILABLE, "the podroute agent does not answer", details);
}
