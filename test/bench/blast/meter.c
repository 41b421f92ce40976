/* The speaker's process seen from outside, and statistics of samples. */
#define _GNU_SOURCE
#include "blast.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

double speaker_cpu(void) {
  clockid_t clock;
  struct timespec t;
  if (!opt.pid || clock_getcpuclockid(opt.pid, &clock) || clock_gettime(clock, &t)) return 0;
  return t.tv_sec + t.tv_nsec * 1e-9;
}

long speaker_memory_kb(const char *field) {
  char path[64], line[256];
  long kb = 0;
  size_t n = strlen(field);
  if (!opt.pid) return 0;
  snprintf(path, sizeof path, "/proc/%d/status", opt.pid);
  FILE *f = fopen(path, "r");
  if (!f) return 0;
  while (fgets(line, sizeof line, f)) if (!strncmp(line, field, n) && line[n] == ':') kb = atol(line + n + 1);
  fclose(f);
  return kb;
}

double speaker_wait(void) {
  char path[64];
  unsigned long long ran, waited = 0;
  if (!opt.pid) return 0;
  snprintf(path, sizeof path, "/proc/%d/schedstat", opt.pid);
  FILE *f = fopen(path, "r");
  if (!f) return 0;
  if (fscanf(f, "%llu %llu", &ran, &waited) != 2) waited = 0;
  fclose(f);
  return waited * 1e-9;
}

void sample(Samples *s, double v) {
  if (s->n == s->cap) s->v = realloc(s->v, (s->cap = s->cap ? s->cap * 2 : 256) * sizeof *s->v);
  s->v[s->n++] = v;
}

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

double percentile(Samples *s, double q) {
  if (!s->n) return 0;
  qsort(s->v, s->n, sizeof *s->v, compare);
  int i = s->n * q;
  return s->v[i < s->n ? i : s->n - 1];
}
