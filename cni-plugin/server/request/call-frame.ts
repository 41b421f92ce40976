// The executable's request and our answer, as bytes (podroute.c has the other end).
//   request  length (4, big endian) | NAME=VALUE NUL … | NUL | standard input
//   answer   exit code (1) | standard output
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
