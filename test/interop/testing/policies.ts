// Cases of policy.test.ts: what our filter does to routes on their way to a daemon, and which of its rules hold of what
// the daemon announces. One filter has them all, each case a prefix of its own.
import type { Family } from '#ip';
import type { Announcement, Route } from '../daemons/daemon.ts';
import { OWN_AS, type SessionType } from './fixture.ts';
import { type Attributes, numbered } from './scripted-routes.ts';

/** The scripted neighbour whose routes are passed on. */
export const SOURCE_AS = 65_011;
export const PATH = [SOURCE_AS, 65_099];

interface Export {
  readonly title: string;
  readonly sent?: Partial<Attributes>;
  readonly operations: readonly object[];
  readonly expected: (type: SessionType) => Partial<Route>;
}

const ALL_KINDS = {
  communities: ['65011:1', '65011:2'],
  largeCommunities: ['65011:1:1', '65011:2:2'],
  // rt:65011:1 and rt:65011:2
  extendedCommunities: ['0002fdf300000001', '0002fdf300000002'],
};

/** Number i is of the prefixes numbered(i). */
export const EXPORTS: readonly Export[] = [
  {
    title: 'communities of all kinds that we add are there beside what came',
    sent: ALL_KINDS,
    operations: ['65000:7', '65000:7:7', 'rt:65000:7'].map((value) => ({ addCommunity: { value } })),
    expected: () => ({
      communities: ['65000:7', '65011:1', '65011:2'],
      largeCommunities: ['65000:7:7', '65011:1:1', '65011:2:2'],
      extendedCommunities: ['rt:65000:7', 'rt:65011:1', 'rt:65011:2'],
    }),
  },
  {
    title: 'communities of all kinds that we set are there alone',
    sent: ALL_KINDS,
    operations: [{ setCommunities: { values: ['65000:8', '65000:8:8', 'rt:65000:8'] } }],
    expected: () => ({
      communities: ['65000:8'],
      largeCommunities: ['65000:8:8'],
      extendedCommunities: ['rt:65000:8'],
    }),
  },
  {
    title: 'communities of all kinds that we delete are gone, one by one and by pattern',
    sent: ALL_KINDS,
    operations: [{ deleteCommunities: { values: ['65011:1', '65011:*:1', 'rt:65011:*'] } }],
    expected: () => ({
      communities: ['65011:2'],
      largeCommunities: ['65011:2:2'],
      extendedCommunities: [],
    }),
  },
  {
    title: 'NO_EXPORT and NO_ADVERTISE that we add are seen there',
    operations: ['no-export', 'no-advertise'].map((value) => ({ addCommunity: { value } })),
    expected: () => ({ communities: ['65535:65281', '65535:65282'] }),
  },
  {
    title: 'MED that we set is seen there; LOCAL_PREF inside the AS only',
    sent: { med: 5 },
    operations: [{ setMED: { value: 70 } }, { setLocalPref: { value: 150 } }],
    expected: (type) => ({ med: 70, ...(type === 'ibgp' ? { localPref: 150 } : {}) }),
  },
  {
    title: 'ASes that we prepend are seen there',
    operations: [{ prependASPath: { prefix: [65_000, 65_001] } }],
    expected: (type) => ({ asPath: pathThere(type, [65_000, 65_001, ...PATH]) }),
  },
];

export interface Import {
  readonly sent: Omit<Announcement, 'prefix' | 'nextHop'>;
  /** Says which of the rules held. */
  readonly localPref: number;
}

const IMPORT_RULES = [
  { communities: { all: ['65001:1', '65001:2'] }, localPref: 201 },
  { communities: { any: ['65001:3', '65001:4:4'] }, localPref: 202 },
  { communities: { any: ['65002:*'] }, localPref: 203 },
  { communities: { any: ['65001:*:9'] }, localPref: 204 },
  { communities: { any: ['blackhole'] }, localPref: 205 },
  { communities: { any: ['rt:65001:*'] }, localPref: 206 },
  { communities: { none: ['65003:*', '65003:*:*'] }, localPref: 207 },
];

/** Number i is of the prefixes numbered(100 + i). */
export const IMPORTS: readonly Import[] = [
  { sent: { communities: ['65001:1', '65001:2'] }, localPref: 201 },
  { sent: { communities: ['65001:1'] }, localPref: 207 },
  { sent: { communities: ['65001:3'] }, localPref: 202 },
  { sent: { largeCommunities: ['65001:4:4'] }, localPref: 202 },
  { sent: { communities: ['65002:77'] }, localPref: 203 },
  { sent: { largeCommunities: ['65001:5:9'] }, localPref: 204 },
  { sent: { communities: ['65535:666'] }, localPref: 205 },
  { sent: { communities: ['65003:3'] }, localPref: 100 },
  { sent: { largeCommunities: ['65003:3:3'] }, localPref: 100 },
];
export const EXTENDED: readonly Import[] = [
  { sent: { extendedCommunities: ['rt:65001:5'] }, localPref: 206 },
  { sent: { extendedCommunities: ['rt:65004:5'] }, localPref: 207 },
];
/** LOCAL_PREF 0, whatever rule holds; inside the AS it means nothing by itself. */
export const LEAVING: Import = { sent: { communities: ['65535:0', '65001:3'] }, localPref: 0 };

export const FILTER = {
  apiVersion: 'podroute.io/v1',
  kind: 'BGPFilter',
  metadata: { name: 'policy' },
  spec: {
    ...{ exportV4: exportRules('ipv4'), exportV6: exportRules('ipv6') },
    ...{ importV4: importRules(), importV6: importRules() },
  },
};

function exportRules(family: Family): object[] {
  return EXPORTS.map(({ operations }, i) => ({
    ...{ cidr: numbered(i)[family], matchOperator: 'Equal', action: 'Accept', operations },
  }));
}

function importRules(): object[] {
  return IMPORT_RULES.map(({ communities, localPref }) => ({
    ...{ communities, source: 'RemotePeers', action: 'Accept' },
    operations: [{ setLocalPref: { value: localPref } }],
  }));
}

function pathThere(type: SessionType, path: readonly number[]): string {
  return (type === 'ebgp' ? [OWN_AS, ...path] : path).join(' ');
}
