// One call as the executable sends it (podroute.c has the other end): the bytes of the request and of our answer, and its
// CNI_* variables, checked by section 2 of the CNI specification with the character sets that libcni uses. Pure.
//   request  length (4, big endian) | NAME=VALUE NUL … | NUL | standard input
//   answer   exit code (1) | standard output
import { CniError, codes } from './cni-error.ts';

const LENGTH_BYTES = 4;
/** As in podroute.c. */
const MAX_REQUEST_BYTES = 4 << 20;
/** Sent any number of times before the answer: still at work. */
export const STILL_AT_WORK = 255;

export interface CniRequest {
  readonly environment: ReadonlyMap<string, string>;
  readonly input: string;
}

/** Length of the whole request, its own four bytes included, once these are there; NaN when it is over the limit. */
export function requestLength(bytes: Uint8Array): number | undefined {
  if (bytes.length < LENGTH_BYTES) return undefined;
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  return length > MAX_REQUEST_BYTES ? Number.NaN : length + LENGTH_BYTES;
}

/** Decodes what follows the length. Undefined when it is not a request. */
export function decodeRequest(bytes: Uint8Array): CniRequest | undefined {
  const environment = new Map<string, string>();
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; ; ) {
    const end = buffer.indexOf(0, at);
    if (end < 0) return undefined;
    if (end === at) return { environment, input: buffer.toString('utf8', end + 1) };
    const text = buffer.toString('utf8', at, end);
    const equals = text.indexOf('=');
    if (equals > 0) environment.set(text.slice(0, equals), text.slice(equals + 1));
    at = end + 1;
  }
}

export function withoutLength(request: Uint8Array): Uint8Array {
  return request.subarray(LENGTH_BYTES);
}

export function encodeAnswer(exitCode: number, output: string): Uint8Array {
  const answer = Buffer.allocUnsafe(1 + Buffer.byteLength(output));
  answer[0] = exitCode;
  answer.write(output, 1);
  return answer;
}

/** What the executable sends; for tests. */
export function encodeRequest({ environment, input }: CniRequest): Uint8Array {
  const variables = [...environment].map(([name, value]) => `${name}=${value}\0`).join('');
  const body = Buffer.from(`${variables}\0${input}`);
  const request = Buffer.alloc(LENGTH_BYTES + body.length);
  request.writeUInt32BE(body.length);
  body.copy(request, LENGTH_BYTES);
  return request;
}

export type CniCommand = 'ADD' | 'DEL' | 'CHECK' | 'STATUS' | 'GC' | 'VERSION';

export interface CniCall {
  readonly command: CniCommand;
  /** Empty for STATUS, GC and VERSION. */
  readonly containerId: string;
  readonly ifname: string;
  /** Path; may be empty for DEL. */
  readonly netns: string;
  /** CNI_NETNS is the namespace that the executable ran in, and nobody said that this is wanted. */
  readonly isOwnNetns: boolean;
  /** Pairs of CNI_ARGS. */
  readonly args: ReadonlyMap<string, string>;
  /** W3C trace context, for the log. */
  readonly traceParent?: string;
}

const NEEDED: Readonly<Record<CniCommand, readonly string[]>> = {
  ADD: ['CNI_CONTAINERID', 'CNI_NETNS', 'CNI_IFNAME', 'CNI_PATH'],
  CHECK: ['CNI_CONTAINERID', 'CNI_NETNS', 'CNI_IFNAME', 'CNI_PATH'],
  DEL: ['CNI_CONTAINERID', 'CNI_IFNAME', 'CNI_PATH'],
  GC: ['CNI_PATH'],
  STATUS: ['CNI_PATH'],
  VERSION: [],
};
const IDENTIFIER = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;
const MAX_IFNAME_BYTES = 15;
/** Keys of CNI_ARGS that mean something to us; others need IgnoreUnknown. */
const KNOWN_ARGS = new Set([
  'IgnoreUnknown',
  'IP',
  'MAC',
  'K8S_POD_NAMESPACE',
  'K8S_POD_NAME',
  'K8S_POD_UID',
  'K8S_POD_INFRA_CONTAINER_ID',
]);

export function isIdentifier(text: string): boolean {
  return IDENTIFIER.test(text);
}

/** Throws CniError 4 with everything that is wrong with the variables. */
export function readEnvironment(environment: ReadonlyMap<string, string>): CniCall {
  const get = (name: string): string => environment.get(name) ?? '';
  const command = get('CNI_COMMAND');
  if (!isCommand(command)) throw new CniError(codes.invalidEnvironment, 'unknown CNI_COMMAND', command);
  const missing = NEEDED[command].filter((name) => get(name) === '');
  if (missing.length > 0) {
    throw new CniError(codes.invalidEnvironment, 'required env variables missing', missing.join(','));
  }
  const containerId = get('CNI_CONTAINERID');
  const ifname = get('CNI_IFNAME');
  if (containerId !== '' && !isIdentifier(containerId)) {
    throw new CniError(
      codes.invalidEnvironment,
      `CNI_CONTAINERID "${containerId}" is not a container id`,
      'it begins with a letter or digit; letters, digits, "_", "." and "-" follow',
    );
  }
  const mistake = ifname === '' ? undefined : ifnameMistake(ifname);
  if (mistake !== undefined) {
    throw new CniError(codes.invalidEnvironment, `CNI_IFNAME "${ifname}" is not an interface name`, mistake);
  }
  const override = get('CNI_NETNS_OVERRIDE').toUpperCase();
  const trace = get('TRACEPARENT');
  return {
    command,
    containerId,
    ifname,
    netns: get('CNI_NETNS'),
    isOwnNetns: get('PODROUTE_NETNS_IS_OWN') === '1' && override !== '1' && override !== 'TRUE',
    args: readArgs(get('CNI_ARGS'), command),
    ...(trace === '' ? {} : { traceParent: trace }),
  };
}

export function isCommand(text: string): text is CniCommand {
  return Object.hasOwn(NEEDED, text);
}

function ifnameMistake(name: string): string | undefined {
  if (Buffer.byteLength(name) > MAX_IFNAME_BYTES) return `it has more than ${MAX_IFNAME_BYTES} bytes`;
  if (name === '.' || name === '..') return 'it is "." or ".."';
  return /[/:\s]/.test(name) ? 'it holds "/", ":" or a space' : undefined;
}

/** A DEL is never refused for its arguments: they were good enough for the ADD. */
function readArgs(text: string, command: CniCommand): Map<string, string> {
  const args = new Map<string, string>();
  const isLenient = command !== 'ADD';
  for (const pair of text.split(';')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    if (equals > 0) args.set(pair.slice(0, equals), pair.slice(equals + 1));
    else if (!isLenient)
      throw new CniError(codes.invalidEnvironment, `CNI_ARGS holds "${pair}"`, 'wanted KEY=VALUE;KEY=VALUE');
  }
  const ignore = args.get('IgnoreUnknown') ?? '';
  if (isLenient || /^(1|t|true)$/i.test(ignore)) return args;
  const unknown = [...args.keys()].filter((key) => !KNOWN_ARGS.has(key));
  if (unknown.length > 0) {
    throw new CniError(
      codes.invalidEnvironment,
      `CNI_ARGS has unknown keys: ${unknown.join(', ')}`,
      `known: ${[...KNOWN_ARGS].join(', ')}; IgnoreUnknown=1 lets others pass`,
    );
  }
  return args;
}
