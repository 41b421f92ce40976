// Two values of each field of a BGPFilter; f is that of the BGPPeer `changed`.
import { objectYaml } from '../../testing/cluster-yaml.ts';
import { DEFAULT_WHERE, type FieldCase } from './field-changes.ts';

/** Prefixes as seen on import (what n2 has) and on export (what n1 has, and what n3 told it). */
const PREFIXES = {
  importV4: { one: '10.244.2.0/26', pool: '10.244.0.0/16', bits: 26, as: 65002 },
  exportV4: { one: '10.244.1.0/26', pool: '10.244.0.0/16', bits: 26, as: 65003 },
  importV6: { one: 'fd00:244:2::/122', pool: 'fd00:244::/32', bits: 122, as: 65002 },
  exportV6: { one: 'fd00:244:1::/122', pool: 'fd00:244::/32', bits: 122, as: 65003 },
} as const;

/** The values of the fields of a rule in one of the lists. */
function ruleCases(list: keyof typeof PREFIXES): Record<string, FieldCase> {
  const { one, pool, bits, as } = PREFIXES[list];
  const isExport = list.startsWith('export');
  const rules = (before: string, after: string, more: Partial<FieldCase> = {}, beside = ''): FieldCase => ({
    where: `${DEFAULT_WHERE}, families: [IPv4, IPv6], export: All, filters: [f]`,
    spec: [`${beside}${list}: [{ ${before} }]`, `${beside}${list}: [{ ${after} }]`],
    ...more,
  });
  const operation = (text: string) => `action: Accept, operations: [{ ${text} }]`;
  const rejects = (before: string, after: string, more: Partial<FieldCase> = {}) =>
    rules(`action: Reject, ${before}`, `action: Reject, ${after}`, more);
  const at = (text: string) => `cidr: "${text}", matchOperator:`;
  const hop = list.endsWith('6') ? 'fd00:9::' : '10.9.9.';
  const far = list.endsWith('6') ? 'fd99::/32' : '10.99.0.0/16';
  return {
    cidr: rejects(`${at(far)} Equal`, `${at(one)} Equal`),
    matchOperator: rejects(`${at(one)} Equal`, `${at(one)} NotEqual`),
    'prefixLength.min': rejects(
      `${at(pool)} In, prefixLength: { min: ${bits + 1} }`,
      `${at(pool)} In, prefixLength: { min: ${bits} }`,
    ),
    'prefixLength.max': rejects(
      `${at(pool)} In, prefixLength: { max: ${bits - 1} }`,
      `${at(pool)} In, prefixLength: { max: ${bits} }`,
    ),
    prefixSet: rules(
      'action: Reject, prefixSet: a',
      'action: Reject, prefixSet: b',
      {},
      `prefixSets: [{ name: a, prefixes: [{ cidr: "${far}" }] }, { name: b, prefixes: [{ cidr: "${one}" }] }], `,
    ),
    source: rules(
      'action: Reject',
      'action: Reject, source: RemotePeers',
      isExport ? {} : { isSilent: true },
    ),
    interface: rejects('interface: eth9', 'interface: eth0'),
    peerType: rejects('peerType: iBGP', 'peerType: eBGP'),
    'communities.values': rejects(
      'communities: { values: ["65000:1"] }',
      'communities: { values: ["65000:2"] }',
      {
        config: `prefixAdvertisements: [{ cidr: "${pool}", communities: ["65000:2"] }]`,
      },
    ),
    ...Object.fromEntries(
      (['all', 'any', 'none'] as const).map((name) => [
        `communities.${name}`,
        rejects(`communities: { ${name}: ["65000:1"] }`, `communities: { ${name}: ["65000:*"] }`, {
          config: `prefixAdvertisements: [{ cidr: "${pool}", communities: ["65000:2"] }]`,
        }),
      ]),
    ),
    'asPath.contains': rejects('asPath: { contains: 65009 }', `asPath: { contains: ${as} }`),
    'asPath.originatedBy': rejects('asPath: { originatedBy: 65009 }', `asPath: { originatedBy: ${as} }`),
    'asPath.length.min': rejects('asPath: { length: { min: 9 } }', 'asPath: { length: { min: 1 } }'),
    'asPath.length.max': rejects(
      'asPath: { length: { min: 1, max: 0 } }',
      'asPath: { length: { min: 1, max: 1 } }',
    ),
    'asPath.regex': rejects('asPath: { regex: "^65009$" }', `asPath: { regex: "^${as}$" }`),
    nextHops: rejects(
      `nextHops: ["${far}"]`,
      `nextHops: ["${list.endsWith('6') ? 'fd00::/64' : '10.0.0.0/24'}"]`,
    ),
    peers: rejects('peers: [other]', 'peers: [changed]'),
    asPathPrefix: rejects('asPathPrefix: [65009]', `asPathPrefix: [${as}]`),
    priority: rejects('priority: 2000', 'priority: 1024'),
    action: rules('action: Accept', 'action: Reject'),
    'operations.addCommunity.value': rules(
      operation('addCommunity: { value: "65000:7" }'),
      operation('addCommunity: { value: "65000:8" }'),
    ),
    'operations.setCommunities.values': rules(
      operation('setCommunities: { values: ["65000:7"] }'),
      operation('setCommunities: { values: ["65000:8"] }'),
    ),
    'operations.deleteCommunities.values': rules(
      operation('deleteCommunities: { values: ["65000:1"] }'),
      operation('deleteCommunities: { values: ["65000:*"] }'),
      { config: `prefixAdvertisements: [{ cidr: "${pool}", communities: ["65000:2"] }]` },
    ),
    'operations.prependASPath.prefix': rules(
      operation('prependASPath: { prefix: [65100] }'),
      operation('prependASPath: { prefix: [65101] }'),
    ),
    'operations.setPriority.value': rules(
      operation('setPriority: { value: 2000 }'),
      operation('setPriority: { value: 3000 }'),
    ),
    'operations.setLocalPref.value': rules(
      operation('setLocalPref: { value: 50 }'),
      operation('setLocalPref: { value: 60 }'),
      isExport ? { isSilent: true } : {},
    ),
    'operations.setNextHop.address': rules(
      operation(`setNextHop: { address: "${hop}1" }`),
      operation(`setNextHop: { address: "${hop}2" }`),
    ),
    'operations.setLinkBandwidth.value': rules(
      operation('setLinkBandwidth: { value: 5 }'),
      operation('setLinkBandwidth: { value: 6 }'),
    ),
    ...(isExport
      ? {}
      : {
          'operations.setWeight.value': rules(
            operation('setWeight: { value: 5 }'),
            operation('setWeight: { value: 6 }'),
          ),
        }),
    'operations.setMED.value': rules(operation('setMED: { value: 5 }'), operation('setMED: { value: 6 }')),
  };
}

const WITH_FILTER = `${DEFAULT_WHERE}, filters: [f]`;

const POOL_IN = 'cidr: 10.244.0.0/16, matchOperator: In';

/** Of sets, the rule that names one, and what is in it before and after. */
const SETS: Readonly<
  Record<
    string,
    { rule: string; before: string; after: string; of: (text: string) => string; config?: string }
  >
> = {
  ...Object.fromEntries(
    [
      ['cidr', 'cidr: 10.244.9.0/26', 'cidr: 10.244.2.0/26'],
      ['matchOperator', 'cidr: 10.244.0.0/16, matchOperator: Equal', POOL_IN],
      ['prefixLength.min', `${POOL_IN}, prefixLength: { min: 27 }`, `${POOL_IN}, prefixLength: { min: 26 }`],
      ['prefixLength.max', `${POOL_IN}, prefixLength: { max: 25 }`, `${POOL_IN}, prefixLength: { max: 26 }`],
    ].map(([field, before, after]) => [
      `prefixSets.prefixes.${field}`,
      {
        ...{ rule: 'prefixSet: s', before: before!, after: after! },
        of: (text: string) => `prefixSets: [{ name: s, prefixes: [{ ${text} }] }]`,
      },
    ]),
  ),
  'communitySets.values': {
    ...{ rule: 'communities: { any: ["set:s"] }', before: '65000:1', after: '65000:*' },
    of: (text) => `communitySets: [{ name: s, values: ["${text}"] }]`,
    config: 'prefixAdvertisements: [{ cidr: 10.244.0.0/16, communities: ["65000:2"] }]',
  },
};

const unusedNames = {
  'prefixSets.name': {
    where: WITH_FILTER,
    spec: ['prefixSets: [{ name: a, prefixes: [] }]', 'prefixSets: [{ name: b, prefixes: [] }]'] as const,
  },
  'communitySets.name': {
    where: WITH_FILTER,
    spec: ['communitySets: [{ name: a, values: [] }]', 'communitySets: [{ name: b, values: [] }]'] as const,
  },
};

const rejecting = (rule: string) => `importV4: [{ action: Reject, ${rule} }]`;

/** The filter's own sets. */
const setCases: Readonly<Record<string, FieldCase>> = {
  ...unusedNames,
  ...Object.fromEntries(
    Object.entries(SETS).map(([field, { rule, before, after, of, config }]) => [
      field,
      {
        where: WITH_FILTER,
        spec: [before, after].map((text) => `${rejecting(rule)}, ${of(text)}`) as [string, string],
        ...(config === undefined ? {} : { config }),
      },
    ]),
  ),
};

/** Those of the BGPConfiguration. */
export const sharedSetCases: Readonly<Record<string, FieldCase>> = {
  ...Object.fromEntries(Object.entries(unusedNames).map(([field, { spec }]) => [field, { spec }])),
  ...Object.fromEntries(
    Object.entries(SETS).map(([field, { rule, before, after, of, config }]) => [
      field,
      {
        where: WITH_FILTER,
        spec: [before, after].map(of) as [string, string],
        more: [objectYaml('BGPFilter', 'f', `{ ${rejecting(rule)} }`)],
        ...(config === undefined ? {} : { config }),
      },
    ]),
  ),
};

export const filterCases: Readonly<Record<string, FieldCase>> = {
  ...setCases,
  ...Object.fromEntries(
    (Object.keys(PREFIXES) as (keyof typeof PREFIXES)[]).flatMap((list) =>
      Object.entries(ruleCases(list)).map(([field, values]) => [`${list}.${field}`, values]),
    ),
  ),
};
