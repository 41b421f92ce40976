// The network configuration on standard input, checked. Pure. Code 6: not JSON; 7: without a name or with a bad value;
// 1: a version that we do not speak; 2: a field that we do not have, with its value.
import { canonicalAddress, FAMILIES, type Family, familyOf } from '#ip';
import { CniError, codes } from './cni-error.ts';
import { type CniCommand, isIdentifier } from './call.ts';

/** Versions of the CNI specification that we speak (also written in podroute.c). */
export const VERSIONS = ['0.1.0', '0.2.0', '0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'] as const;
export type CniVersion = (typeof VERSIONS)[number];
export const NEWEST: CniVersion = '1.1.0';
/** Of a configuration that does not say. */
const UNSTATED: CniVersion = '0.1.0';

export interface Dns {
  readonly nameservers?: readonly string[];
  readonly domain?: string;
  readonly search?: readonly string[];
  readonly options?: readonly string[];
}

export interface Attachment {
  readonly containerId: string;
  readonly ifname: string;
}

export interface NetworkConfig {
  readonly cniVersion: CniVersion;
  readonly name: string;
  readonly mtu?: number;
  /** Default: every family that the node has addresses of. */
  readonly families?: readonly Family[];
  /** Addresses asked for by runtimeConfig.ips or args.cni.ips, without length. */
  readonly ips: readonly string[];
  readonly mac?: string;
  readonly dns?: Dns;
  readonly podAnnotations: Readonly<Record<string, string>>;
  /** As it came: results.ts reads it. */
  readonly prevResult?: unknown;
  /** GC: undefined when the runtime gave no list, which means that none is valid. */
  readonly validAttachments?: readonly Attachment[];
}

export function isAtLeast(version: CniVersion, least: CniVersion): boolean {
  return VERSIONS.indexOf(version) >= VERSIONS.indexOf(least);
}

function isVersion(text: string): text is CniVersion {
  return (VERSIONS as readonly string[]).includes(text);
}

type Json = Readonly<Record<string, unknown>>;

/** Fields of the specification and ours. Keys with '/' or '.' are other people's namespaces and pass. */
const FIELDS = new Set(
  (
    'cniVersion name type prevResult args runtimeConfig capabilities dns mtu families socketPath stateDir ' +
    'disableCheck disableGC loadOnlyInlinedPlugins cniVersions'
  ).split(' '),
);
const ANNOTATIONS = 'io.kubernetes.cri.pod-annotations';
const RUNTIME_FIELDS = new Set(['ips', 'mac', 'dns', 'cgroupPath', 'aliases', ANNOTATIONS]);
const REFUSED_RUNTIME: Readonly<Record<string, string>> = {
  portMappings: 'chain the portmap plugin behind podroute and declare the capability there',
  bandwidth: 'chain the bandwidth plugin behind podroute and declare the capability there',
};
const MIN_MTU = { ipv4: 576, ipv6: 1280 };
const MAX_MTU = 65_535;

/** The version of a configuration that may be wrong in every way; for error messages. */
export function versionForErrors(input: string): string {
  try {
    const version = (JSON.parse(input) as Json | null)?.['cniVersion'];
    return typeof version === 'string' && isVersion(version) ? version : NEWEST;
  } catch {
    return NEWEST;
  }
}

/** Throws CniError. DEL and GC are read leniently: what an ADD made must be removable. */
export function readConfig(input: string, command: CniCommand): NetworkConfig {
  const json = parseObject(input);
  const cniVersion = readVersion(json['cniVersion'], command);
  const { name } = json;
  if (typeof name !== 'string' || name === '') throw invalid('name', name, 'a network name');
  if (!isIdentifier(name))
    throw invalid('name', name, 'letters, digits, "_", "." and "-", the first a letter or digit');
  const isLenient = command === 'DEL' || command === 'GC';
  if (!isLenient) refuseUnknown(json);
  const optional = isLenient ? {} : readWiring(json);
  const valid = readAttachments(json['cni.dev/valid-attachments'] ?? json['cni.dev/attachments']);
  return {
    cniVersion,
    name,
    ips: [],
    podAnnotations: {},
    ...optional,
    ...('prevResult' in json ? { prevResult: json['prevResult'] } : {}),
    ...(valid === undefined ? {} : { validAttachments: valid }),
  };
}

function parseObject(input: string): Json {
  let value: unknown;
  try {
    value = JSON.parse(input);
  } catch (error) {
    throw new CniError(
      codes.decoding,
      'the network configuration on stdin is not JSON',
      (error as Error).message,
    );
  }
  if (!isObject(value))
    throw new CniError(codes.decoding, 'the network configuration on stdin is not a JSON object');
  return value;
}

function readVersion(value: unknown, command: CniCommand): CniVersion {
  const version = value ?? UNSTATED;
  if (typeof version !== 'string' || !isVersion(version)) {
    throw new CniError(
      codes.incompatibleVersion,
      `incompatible CNI versions: the configuration is of ${JSON.stringify(version)}, podroute speaks ${VERSIONS.join(', ')}`,
    );
  }
  const least: CniVersion =
    command === 'CHECK' ? '0.4.0' : command === 'STATUS' || command === 'GC' ? '1.1.0' : '0.1.0';
  if (!isAtLeast(version, least)) {
    throw new CniError(
      codes.incompatibleVersion,
      `the configuration's CNI version ${version} has no ${command}: it came with ${least}`,
    );
  }
  return version;
}

function refuseUnknown(json: Json): void {
  for (const [key, value] of Object.entries(json)) {
    if (FIELDS.has(key) || key.includes('/') || key.includes('.')) continue;
    const known = [...FIELDS].join(', ');
    const hint = key === 'ipam' ? 'podroute gives out addresses itself' : `known: ${known}`;
    throw new CniError(codes.unsupportedField, `unsupported field ${key}: ${JSON.stringify(value)}`, hint);
  }
}

function readWiring(json: Json): Partial<NetworkConfig> {
  const runtime = objectAt(json, 'runtimeConfig') ?? {};
  for (const [key, value] of Object.entries(runtime)) {
    if (RUNTIME_FIELDS.has(key) || isEmpty(value)) continue;
    const hint = REFUSED_RUNTIME[key] ?? `capabilities of podroute: ${[...RUNTIME_FIELDS].join(', ')}`;
    throw new CniError(
      codes.unsupportedField,
      `unsupported field runtimeConfig.${key}: ${JSON.stringify(value)}`,
      hint,
    );
  }
  const cniArgs = objectAt(objectAt(json, 'args') ?? {}, 'cni') ?? {};
  const families = readFamilies(json['families']);
  const { mtu } = json;
  const least = families?.includes('ipv6') === false ? MIN_MTU.ipv4 : MIN_MTU.ipv6;
  if (
    mtu !== undefined &&
    mtu !== 0 &&
    !(Number.isInteger(mtu) && (mtu as number) >= least && (mtu as number) <= MAX_MTU)
  ) {
    throw invalid('mtu', mtu, `${least} to ${MAX_MTU}, or 0 for that of the uplink`);
  }
  const mac = runtime['mac'] ?? cniArgs['mac'];
  const dns = readDns(runtime['dns'], 'runtimeConfig.dns') ?? readDns(json['dns'], 'dns');
  const annotations = objectAt(runtime, ANNOTATIONS) ?? {};
  return {
    ips: readIps(
      runtime['ips'] ?? cniArgs['ips'],
      runtime['ips'] === undefined ? 'args.cni.ips' : 'runtimeConfig.ips',
    ),
    podAnnotations: Object.fromEntries(
      Object.entries(annotations).map(([key, value]) => [key, String(value)]),
    ),
    ...(mtu === undefined || mtu === 0 ? {} : { mtu: mtu as number }),
    ...(families === undefined ? {} : { families }),
    ...(mac === undefined || mac === '' ? {} : { mac: readMac(mac, 'runtimeConfig.mac') }),
    ...(dns === undefined ? {} : { dns }),
  };
}

/** 'aa:bb:cc:dd:ee:ff' of one host; throws CniError 7. */
export function readMac(value: unknown, field: string): string {
  const text = typeof value === 'string' ? value.toLowerCase().replaceAll('-', ':') : '';
  const isUnicast = /^[0-9a-f][02468ace](:[0-9a-f]{2}){5}$/.test(text) && text !== '00:00:00:00:00:00';
  if (!isUnicast) throw invalid(field, value, 'a unicast MAC address such as 02:00:5e:00:53:01');
  return text;
}

/** Addresses with or without a length; at most one of a family. */
export function readIps(value: unknown, field: string): string[] {
  if (value === undefined || value === null) return [];
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  const ips = list.map((item) => {
    const address = typeof item === 'string' ? canonicalAddress(item.split('/')[0] ?? '') : undefined;
    if (address === undefined) throw invalid(field, item, 'an IP address such as 10.0.0.9 or 10.0.0.9/32');
    return address;
  });
  if (new Set(ips.map(familyOf)).size < ips.length)
    throw invalid(field, value, 'at most one address of each family');
  return ips;
}

function readFamilies(value: unknown): Family[] | undefined {
  if (value === undefined) return undefined;
  const isGood = Array.isArray(value) && value.length > 0 && value.every((v) => v === 'ipv4' || v === 'ipv6');
  if (!isGood) throw invalid('families', value, '["ipv4"], ["ipv6"] or ["ipv4", "ipv6"]');
  return FAMILIES.filter((family) => value.includes(family));
}

/** The configuration's form, and that of the capability (servers, searches). */
function readDns(value: unknown, field: string): Dns | undefined {
  if (value === undefined || value === null) return undefined;
  if (!isObject(value)) throw invalid(field, value, 'an object');
  const list = (...keys: string[]): string[] | undefined => {
    const found = keys.map((key) => value[key]).find((item) => !isEmpty(item));
    if (found === undefined) return undefined;
    const isGood = Array.isArray(found) && found.every((item) => typeof item === 'string');
    if (!isGood) throw invalid(`${field}.${keys[0]}`, found, 'a list of strings');
    return found as string[];
  };
  const nameservers = list('nameservers', 'servers');
  const search = list('search', 'searches');
  const options = list('options');
  const { domain } = value;
  if (domain !== undefined && typeof domain !== 'string')
    throw invalid(`${field}.domain`, domain, 'a string');
  return {
    ...(nameservers === undefined ? {} : { nameservers }),
    ...(domain === undefined || domain === '' ? {} : { domain }),
    ...(search === undefined ? {} : { search }),
    ...(options === undefined ? {} : { options }),
  };
}

function readAttachments(value: unknown): Attachment[] | undefined {
  if (value === undefined || value === null) return undefined;
  const field = 'cni.dev/valid-attachments';
  if (!Array.isArray(value)) throw invalid(field, value, 'a list of {containerID, ifname}');
  return value.map((item: unknown) => {
    const { containerID, ifname } = isObject(item) ? item : {};
    if (typeof containerID !== 'string' || typeof ifname !== 'string') {
      throw invalid(field, item, '{containerID, ifname}');
    }
    return { containerId: containerID, ifname };
  });
}

function objectAt(json: Json, field: string): Json | undefined {
  const value = json[field];
  if (value === undefined || value === null) return undefined;
  if (!isObject(value)) throw invalid(field, value, 'an object');
  return value;
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return true;
  return Array.isArray(value) ? value.length === 0 : isObject(value) && Object.keys(value).length === 0;
}

function invalid(field: string, value: unknown, wanted: string): CniError {
  const shown = value === undefined ? 'missing' : JSON.stringify(value);
  return new CniError(
    codes.invalidConfig,
    `invalid network configuration: ${field} is ${shown}`,
    `wanted: ${wanted}`,
  );
}
