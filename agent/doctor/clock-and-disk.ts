// The machine's clock, the disk of the state directory, and what this kernel can do.
import { type DiskTrial, KERNEL_FEATURES, KernelError, type TriedFeatures } from '#linux';
import { type Finding, good, notTested, warning, wrong } from './finding.ts';
import { type Patient } from './patient.ts';

/** No clock is right that says it is earlier than this was written, or so much later that certificates end. */
const FIRST_YEAR = 2025;
const LAST_YEAR = 2100;
const TIMESYNC = '/run/systemd/timesync';

export interface ClockFacts {
  readonly year: number;
  /** Undefined: a sandbox forbids to ask. */
  readonly isSynchronised: boolean | undefined;
  readonly leapSecondToday: boolean;
  /** systemd-timesyncd says that it is; undefined: that program does not run. */
  readonly timesync: boolean | undefined;
}

export async function lookAtClock(patient: Patient): Promise<Finding[]> {
  const names = await patient.list(TIMESYNC).catch(() => undefined);
  let discipline: ReturnType<Patient['clock']> | undefined;
  try {
    discipline = patient.clock();
  } catch (error) {
    if (!(error instanceof KernelError)) throw error;
  }
  return judgeClock({
    year: new Date(patient.now()).getUTCFullYear(),
    isSynchronised: discipline?.isSynchronised,
    leapSecondToday: discipline?.leapSecondToday ?? false,
    timesync: names === undefined ? undefined : names.includes('synchronized'),
  });
}

export function judgeClock({ year, isSynchronised, leapSecondToday, timesync }: ClockFacts): Finding[] {
  if (year < FIRST_YEAR || year >= LAST_YEAR)
    return [wrong(`the clock says it is the year ${year}`, 'timedatectl set-ntp true')];
  const findings: Finding[] = [];
  if (leapSecondToday) findings.push(notTested('a leap second is due at the end of this day (UTC)'));
  if (isSynchronised === true || timesync === true) findings.push(good('the clock is kept synchronised'));
  else if (timesync === false)
    findings.push(
      warning('systemd-timesyncd has not synchronised the clock yet', 'systemctl restart systemd-timesyncd'),
    );
  else if (isSynchronised === undefined)
    findings.push(notTested('whether the clock is synchronised is not known'));
  else
    findings.push(
      notTested(
        'nothing on this node says that it keeps the clock synchronised (chrony, systemd-timesyncd); a hypervisor that does would not say so',
      ),
    );
  return findings;
}

const SLOW_SYNC_MS = 100;
const HANGING_SYNC_MS = 1_000;
const LITTLE_BYTES = 1 << 30;
const NO_BYTES = 64 << 20;
const LITTLE_INODES = 10_000;
const NO_INODES = 500;

export async function lookAtDisk(patient: Patient): Promise<Finding[]> {
  const { stateDir } = patient.places;
  return judgeDisk(stateDir, await patient.disk(stateDir), patient.isRoot);
}

export function judgeDisk(path: string, disk: DiskTrial, isRoot: boolean): Finding[] {
  const { folder, kind, freeBytes, sizeBytes, freeInodes, syncMs, refusal } = disk;
  const findings: Finding[] = [];
  const fills = `du -xh --max-depth=2 ${folder} | sort -h | tail`;
  const free = `${inUnits(freeBytes)} of ${inUnits(sizeBytes)} free`;
  if (kind === 'tmpfs' || kind === 'ramfs')
    findings.push(
      wrong(
        `${path} is in memory (${kind}): after a restart of the machine pods' addresses are forgotten; give the agent a --state-dir on a disk`,
      ),
    );
  if (kind === 'overlayfs')
    findings.push(
      warning(
        `${path} is on overlayfs: if that is a container's, it goes with it; mount a folder of the host`,
      ),
    );
  if (kind === 'NFS')
    findings.push(warning(`${path} is on a file server: pods get no address while that one is away`));
  if (freeBytes < NO_BYTES) findings.push(wrong(`${path}: ${free}: soon pods get no address`, fills));
  else if (freeBytes < Math.min(LITTLE_BYTES, sizeBytes / 20))
    findings.push(warning(`${path}: ${free}`, fills));
  if (freeInodes !== undefined && freeInodes < LITTLE_INODES) {
    const what = `${path}: room for ${freeInodes} more files`;
    findings.push(
      freeInodes < NO_INODES
        ? wrong(what, `du -x --inodes --max-depth=2 ${folder} | sort -n | tail`)
        : warning(what),
    );
  }
  if (refusal !== undefined) {
    const isOurs = isRoot || (refusal !== 'EACCES' && refusal !== 'EPERM');
    findings.push(isOurs ? wrong(`${folder} takes no file: ${refusal}`) : notTested(`${folder} needs root`));
  }
  if (syncMs !== undefined && syncMs > SLOW_SYNC_MS) {
    const what = `${folder}: ${Math.round(syncMs)} ms until 4 KB are on the disk; a pod's ADD waits for it`;
    findings.push(syncMs > HANGING_SYNC_MS ? wrong(what) : warning(what));
  }
  if (findings.length > 0) return findings;
  const sync =
    syncMs === undefined ? '' : `, ${syncMs < 10 ? syncMs.toFixed(1) : Math.round(syncMs)} ms for 4 KB`;
  return [good(`${path}: ${free}${sync}`)];
}

const inUnits = (bytes: number): string =>
  bytes >= 1 << 30 ? `${(bytes / 2 ** 30).toFixed(1)} GiB` : `${Math.round(bytes / 2 ** 20)} MiB`;

/** What each is for, and how it comes. */
const FEATURES: Readonly<
  Record<
    (typeof KERNEL_FEATURES)[number],
    { readonly forWhat: string; readonly mend?: string; readonly isSpare?: true }
  >
> = {
  'network namespaces': { forWhat: 'pods (CONFIG_NET_NS)' },
  'veth pairs': { forWhat: "pods' links (CONFIG_VETH)", mend: 'modprobe veth' },
  IPv6: { forWhat: 'IPv6, and IPv4 over it', mend: 'modprobe ipv6', isSpare: true },
  'multipath routes': { forWhat: 'several ways to a prefix (CONFIG_IP_ROUTE_MULTIPATH)' },
  'IPv4 routes over IPv6 next hops': { forWhat: 'sessions of RFC 8950 (Linux 5.2)', isSpare: true },
  'TCP MD5 keys': { forWhat: 'sessions with a password (CONFIG_TCP_MD5SIG)' },
  'next-hop objects': { forWhat: 'nothing yet (Linux 5.3)', isSpare: true },
  nf_tables: { forWhat: 'packet filters (CONFIG_NF_TABLES)', mend: 'modprobe nf_tables', isSpare: true },
};

export async function lookAtKernel(patient: Patient): Promise<Finding[]> {
  return judgeFeatures(await patient.features(), patient.isRoot);
}

export function judgeFeatures(tried: TriedFeatures, isRoot: boolean): Finding[] {
  const refused = tried['network namespaces'];
  if (!isRoot && refused !== undefined) return [notTested('needs root to be tried')];
  const findings = KERNEL_FEATURES.flatMap((name) => {
    const error = tried[name];
    if (error === undefined) return [];
    const { forWhat, mend, isSpare } = FEATURES[name];
    const what = `this kernel has no ${name} (${error.message}), which are for ${forWhat}`;
    return [(isSpare ? warning : wrong)(what, ...(mend === undefined ? [] : [mend]))];
  });
  const works = KERNEL_FEATURES.filter((name) => Object.hasOwn(tried, name) && tried[name] === undefined);
  return findings.length > 0 ? findings : [good(`tried and working: ${works.join(', ')}`)];
}
