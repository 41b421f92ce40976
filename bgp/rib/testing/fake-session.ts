// A Session without a connection: UPDATEs that the RIB writes are decoded into the table that a peer would
// hold, and every rule that a stream of UPDATEs must keep is checked as it arrives.
import assert from 'node:assert/strict';
import { type Family, formatIpv4, formatWords } from '#ip';
import type { PeerConfig } from '../../config.ts';
import * as codec from '../../message/index.ts';
import { ACCEPT_ALL } from '../../policy/policy.ts';
import type { Negotiated, NotificationError, Session } from '../../session/index.ts';
import { zeroCounters } from '../../session/connection/counters.ts';

export interface FakePeerOptions {
  readonly id: string;
  readonly address: string;
  readonly as: number;
  readonly localAs?: number;
  readonly families?: readonly Family[];
  readonly client?: boolean;
  readonly addPathSend?: boolean;
  readonly addPathReceive?: boolean;
  /** It must never have more paths of a prefix, not even in between. */
  readonly mostPaths?: number;
  readonly maxMessageBytes?: number;
  readonly config?: Partial<PeerConfig>;
  readonly negotiated?: Partial<Negotiated>;
}

export const OWN_AS = 65000;

export function fakeConfig(o: FakePeerOptions): PeerConfig {
  return {
    id: o.id,
    remote: { kind: 'address', address: o.address, port: 179 },
    remoteAs: o.as,
    passive: true,
    holdTimeSeconds: 90,
    connectRetrySeconds: 5,
    families: o.families ?? ['ipv4', 'ipv6'],
    extendedNextHop: false,
    ttl: { kind: 'multihop', hops: 64 },
    nextHop: 'auto',
    nextHopSelf: { ipv4: '10.0.0.1', ipv6: 'fd00::1' },
    routeReflectorClient: o.client ?? false,
    routeServerClient: false,
    addPaths: 'none',
    maxPrefixes: { limit: 1_000_000, warnPercent: 80 },
    allowedLocalAs: 0,
    enforceFirstAs: false,
    removePrivateAs: false,
    gracefulRestart: { mode: 'disabled', restartSeconds: 0, longLivedSeconds: 0 },
    import: ACCEPT_ALL,
    export: ACCEPT_ALL,
    ...o.config,
  };
}

/** Attributes of an UPDATE as text, in a form that tests can write by hand. */
export type RouteAttributes = string;

export class FakeSession implements Session {
  readonly peerId: string;
  config: PeerConfig;
  readonly negotiated: Negotiated;
  readonly state = 'Established';
  readonly maxMessageBytes: number;
  readonly counters = zeroCounters();
  queuedBytes = 0;
  isPaused = false;
  failure: NotificationError | undefined;
  onFail: (() => void) | undefined;
  /** Writes that will be taken before the queue is full; Infinity for a fast peer. */
  room = Number.POSITIVE_INFINITY;
  /** What the peer holds: 'prefix' or 'prefix#pathId' -> attributes. */
  readonly held = new Map<string, RouteAttributes>();
  readonly endOfRib: Family[] = [];
  /** Route refresh marks (RFC 7313), in order. */
  readonly marks: string[] = [];
  announced = 0;
  withdrawn = 0;
  messages = 0;
  readonly #context = new codec.SessionCodecContext();
  readonly #scan = new codec.UpdateScan();
  readonly #cursor = new codec.NlriCursor();
  readonly #mostPaths: number;
  /** Paths of each prefix, where they are counted. */
  readonly #paths = new Map<string, number>();

  constructor(o: FakePeerOptions) {
    this.peerId = o.id;
    this.#mostPaths = o.mostPaths ?? Number.POSITIVE_INFINITY;
    this.config = fakeConfig(o);
    this.maxMessageBytes = o.maxMessageBytes ?? 4096;
    const localAs = o.localAs ?? OWN_AS;
    const flags = (on: boolean | undefined) => ({ ipv4: on ?? false, ipv6: on ?? false });
    this.negotiated = {
      families: o.families ?? ['ipv4', 'ipv6'],
      fourByteAs: true,
      extendedMessages: this.maxMessageBytes > 4096,
      routeRefresh: true,
      enhancedRouteRefresh: false,
      extendedNextHop: false,
      addPathReceive: flags(o.addPathReceive),
      addPathSend: flags(o.addPathSend),
      holdTimeSeconds: 90,
      keepaliveTimeSeconds: 30,
      remoteAs: o.as,
      remoteRouterId: o.address,
      localAs,
      localRouterId: '10.0.0.1',
      localAddress: '10.0.0.1',
      remoteAddress: o.address,
      takesLongLived: false,
      peerType: o.as === localAs ? 'ibgp' : 'ebgp',
      ...o.negotiated,
    };
    this.#context.external = this.negotiated.peerType === 'ebgp';
    this.#context.addPathIpv4 = o.addPathSend ?? false;
    this.#context.addPathIpv6 = o.addPathSend ?? false;
    this.#context.extendedNextHop = this.negotiated.extendedNextHop;
    this.#context.fourByteAs = this.negotiated.fourByteAs;
  }

  write(bytes: Uint8Array): boolean {
    for (let at = 0; at < bytes.length; ) {
      const length = (bytes[at + 16]! << 8) | bytes[at + 17]!;
      assert.ok(length >= 19 && length <= this.maxMessageBytes, `message of ${length} bytes`);
      this.#message(bytes, at, at + length);
      at += length;
    }
    if (this.room <= 0) return false;
    this.room--;
    return this.room > 0;
  }

  cork(): void {}
  uncork(): void {}
  pauseReading(): void {
    this.isPaused = true;
  }
  resumeReading(): void {
    this.isPaused = false;
  }
  fail(error: NotificationError): void {
    this.failure = error;
    this.onFail?.();
  }

  #message(buf: Uint8Array, start: number, end: number): void {
    this.messages++;
    const type = buf[start + 18];
    if (type === codec.ROUTE_REFRESH) {
      this.marks.push(`${buf[start + 20] === 1 ? 'ipv4' : 'ipv6'} ${buf[start + 21]}`);
      return;
    }
    assert.equal(type, codec.UPDATE);
    const scan = this.#scan;
    assert.equal(codec.scanUpdate(buf, start, end, this.#context, scan), codec.ACTION_OK);
    if (scan.endOfRib >= 0) {
      this.endOfRib.push(scan.endOfRib === 0 ? 'ipv4' : 'ipv6');
      return;
    }
    this.#list(0, buf, scan.withdrawnStart, scan.withdrawnEnd, undefined);
    if (scan.mpUnreachFamily >= 0) {
      this.#list(scan.mpUnreachFamily, buf, scan.mpUnreachStart, scan.mpUnreachEnd, undefined);
    }
    if (!scan.hasReachable) return;
    const attributes = attributeText(scan.blob, scan.blobStart, scan.blobEnd, this.#context);
    this.#list(0, buf, scan.nlriStart, scan.nlriEnd, attributes);
    if (scan.mpReachFamily >= 0) {
      const hop = codec.printNextHop(buf, scan.nextHopStart, scan.nextHopLength);
      this.#list(scan.mpReachFamily, buf, scan.mpReachStart, scan.mpReachEnd, `nh=${hop} ${attributes}`);
    }
  }

  #count(prefix: string, key: string, isThere: boolean): void {
    if (this.held.has(key) === isThere) return;
    const count = (this.#paths.get(prefix) ?? 0) + (isThere ? 1 : -1);
    this.#paths.set(prefix, count);
    assert.ok(count <= this.#mostPaths, `${this.peerId}: ${count} paths of ${prefix} at once`);
  }

  #list(family: number, buf: Uint8Array, start: number, end: number, attributes: string | undefined): void {
    const c = this.#cursor;
    const addPath = this.#context.addPathIpv4;
    codec.startNlri(c, buf, start, end, addPath);
    while (family === 0 ? codec.nextIpv4(c) : codec.nextIpv6(c)) {
      const words = family === 0 ? [c.address | 0] : [c.word0 | 0, c.word1 | 0, c.word2 | 0, c.word3 | 0];
      const prefix = `${formatWords(words)}/${c.length}`;
      const key = `${prefix}${addPath ? `#${c.pathId}` : ''}`;
      if (this.#mostPaths !== Number.POSITIVE_INFINITY) this.#count(prefix, key, attributes !== undefined);
      if (attributes === undefined) {
        assert.ok(this.held.delete(key), `${this.peerId}: withdrawal of ${key}, which it never had (TX-8)`);
        this.withdrawn++;
      } else {
        this.held.set(key, attributes);
        this.announced++;
      }
    }
  }
}

/** One for all: its buffers have room for the largest message. */
const verdict = new codec.AttributeVerdict();

/** 'nh=… path=… lp=… med=… comm=… orig=… cl=… otc=… aggregator lb=…', only what is present. */
export function attributeText(
  blob: Uint8Array,
  start: number,
  end: number,
  context: codec.SessionCodecContext,
): RouteAttributes {
  const v = verdict;
  codec.validateAttributes(blob, start, end, context, v);
  assert.equal(v.action, codec.ACTION_OK);
  const parts: string[] = [];
  if (v.hasNextHop) parts.push(`nh=${formatIpv4(v.nextHop)}`);
  parts.push(`path=${codec.formatAsPath(v.bytes, v.asPathStart, v.asPathEnd).replaceAll(' ', ',')}`);
  if (v.hasLocalPref) parts.push(`lp=${v.localPref}`);
  if (v.hasMed) parts.push(`med=${v.med}`);
  const range = new codec.AttributeRange();
  if (codec.findAttribute(v.bytes, 0, v.length, codec.ATTR_COMMUNITIES, range)) {
    parts.push(`comm=${codec.formatCommunities(v.bytes, range.start, range.end).join(',')}`);
  }
  if (v.hasOriginatorId) parts.push(`orig=${formatIpv4(v.originatorId)}`);
  if (v.clusterListLength > 0) {
    const ids: string[] = [];
    for (let at = v.clusterListStart; at < v.clusterListEnd; at += 4) ids.push(formatIpv4(word(v.bytes, at)));
    parts.push(`cl=${ids.join(',')}`);
  }
  if (v.hasOtc) parts.push(`otc=${v.otc}`);
  if ((v.present & codec.PRESENT_AGGREGATOR) !== 0) parts.push('aggregator');
  if (v.hasLinkBandwidth) parts.push(`lb=${v.linkBandwidth}`);
  return parts.join(' ');
}

function word(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}
