// The soak's figures: what bgpblast prints each second and at the end, and what is judged from it. Pure.

/** One second of churn. Memory is the speaker's resident set; latency is injector to sink through the speaker. */
export interface SoakSecond {
  /** Seconds since the churn began. */
  readonly t: number;
  readonly rss_kb: number;
  /** CPU seconds of the speaker since its start. */
  readonly cpu_s: number;
  /** Seconds since its start that it was ready to run but other processes had the cores: not its own latency. */
  readonly wait_s: number;
  /** Prefixes changed at the injectors in this second, re-announcements after resets not counted. */
  readonly sent: number;
  /** Prefixes announced to the sink or withdrawn from it in this second. */
  readonly seen: number;
  /** What the speaker has not yet read from the injectors. */
  readonly unread_kb: number;
  readonly up: number;
  /** So far. */
  readonly resets: number;
  readonly joining: 0 | 1;
  readonly flaps: number;
  readonly p50_ms: number;
  readonly p99_ms: number;
  readonly max_ms: number;
  /** The longest round of the load generator itself: latency that is not the speaker's. */
  readonly load_ms: number;
}

export interface SoakEnd {
  readonly end: true;
  /** Prefixes that somebody announced at the end. */
  readonly prefixes: number;
  /** Prefixes at the sink that are not the route which must win. */
  readonly wrong: number;
  /** The same at a reader that connected after the churn. */
  readonly wrong_fresh: number;
  readonly resets: number;
  /** Sessions that the speaker ended. */
  readonly lost: number;
  readonly joins: number;
  readonly sent: number;
  readonly seen: number;
  /** CPU seconds of the speaker during the churn. */
  readonly cpu_s: number;
  readonly empty_kb: number;
  readonly loaded_kb: number;
  /** 25 seconds after all injectors had left: time enough to give memory back. */
  readonly left_kb: number;
  readonly peak_kb: number;
  /** Longest silence on any session. */
  readonly silence_s: number;
  readonly flaps: number;
  /** Flaps that never arrived, or were left out because the one 3.2 s before had not arrived. */
  readonly unseen: number;
  readonly p50_ms: number;
  readonly p99_ms: number;
  readonly max_ms: number;
  /** Flaps while the joiner read its table. */
  readonly join_flaps: number;
  readonly join_p50_ms: number;
  readonly join_p99_ms: number;
  readonly join_max_ms: number;
}

export interface Growth {
  /** Slope of the straight line (least squares) through the second half. */
  readonly mbPerMinute: number;
  /** What that line rises by over the second half, and what it may. */
  readonly mb: number;
  readonly allowedMb: number;
}

/** Shorter runs still warm up in their second half. */
const JUDGED_FROM_S = 180;

/** Memory may rise in the second half by 5 % of its mean there, or 8 MB. Undefined when the run was too short. */
export function growthOf(seconds: readonly SoakSecond[]): Growth | undefined {
  const last = seconds.at(-1)?.t ?? 0;
  if (last < JUDGED_FROM_S) return undefined;
  const half = seconds.filter((s) => s.t >= last / 2);
  const meanT = mean(half.map((s) => s.t));
  const meanMb = mean(half.map((s) => s.rss_kb / 1024));
  let covariance = 0;
  let variance = 0;
  for (const { t, rss_kb } of half) {
    covariance += (t - meanT) * (rss_kb / 1024 - meanMb);
    variance += (t - meanT) ** 2;
  }
  const slope = covariance / variance;
  return {
    mbPerMinute: slope * 60,
    mb: (slope * last) / 2,
    allowedMb: Math.max(8, meanMb * 0.05),
  };
}

/** What was not as it must be, in words; empty when all is well. */
export function faultsOf(seconds: readonly SoakSecond[], end: SoakEnd, rate: number): string[] {
  const faults: string[] = [];
  if (end.wrong > 0) faults.push(`${end.wrong} prefixes at the sink are not the winning route`);
  if (end.wrong_fresh > 0)
    faults.push(`${end.wrong_fresh} prefixes at a fresh reader are not the winning route`);
  if (end.lost > 0) faults.push(`the speaker ended ${end.lost} sessions by itself`);
  const achieved = end.sent / (seconds.at(-1)?.t ?? NaN);
  if (!(achieved >= rate * 0.9))
    faults.push(`only ${whole(achieved)} of ${whole(rate)} changes/s were taken`);
  const growth = growthOf(seconds);
  if (growth !== undefined && growth.mb > growth.allowedMb) {
    faults.push(
      `memory grows: ${growth.mb.toFixed(1)} MB in the second half, ${growth.allowedMb.toFixed(1)} allowed`,
    );
  }
  return faults;
}

/** Resident memory in MB around a time: the mean of ten seconds. */
export function residentMbAt(seconds: readonly SoakSecond[], t: number): number {
  return mean(seconds.filter((s) => Math.abs(s.t - t) <= 5).map((s) => s.rss_kb / 1024));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, v) => sum + v, 0) / values.length;
}

export function whole(value: number): string {
  return Math.round(value).toLocaleString('en');
}
