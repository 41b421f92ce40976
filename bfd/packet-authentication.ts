// The authentication section (RFC 5880 §4.2 to §4.4, §6.7) of one session: written, checked, and the sequence numbers of
// both directions. Keys are configured; there is one at a time.
//
//   simple password:  | 1    | 3 + n | key ID | password …                                      |
//   MD5, SHA1:        | type | 24/28 | key ID | 0 | sequence number, 4 | digest, 16/20          |
import { hash, timingSafeEqual } from 'node:crypto';
import { type ControlPacket, MANDATORY_OCTETS, readU32, writeU32 } from './control-packet.ts';
import { type Refusal, refuse } from './refusal.ts';
import type { BfdAuthentication, BfdAuthType } from './session-config.ts';

interface AuthForm {
  readonly type: number;
  /** Undefined: the password itself is sent. */
  readonly algorithm: 'md5' | 'sha1' | undefined;
  readonly digestOctets: number;
  /** The sequence number grows with every packet, and none is taken twice. */
  readonly isMeticulous: boolean;
}

const form = (
  type: number,
  algorithm: AuthForm['algorithm'],
  digestOctets: number,
  isMeticulous: boolean,
): AuthForm => ({ type, algorithm, digestOctets, isMeticulous });

const FORMS: Readonly<Record<BfdAuthType, AuthForm>> = {
  SimplePassword: form(1, undefined, 0, false),
  KeyedMD5: form(2, 'md5', 16, false),
  MeticulousKeyedMD5: form(3, 'md5', 16, true),
  KeyedSHA1: form(4, 'sha1', 20, false),
  MeticulousKeyedSHA1: form(5, 'sha1', 20, true),
};

const SECTION = MANDATORY_OCTETS;
const KEY_ID = SECTION + 2;
const PASSWORD = SECTION + 3;
const SEQUENCE = SECTION + 4;
const DIGEST = SECTION + 8;

/** A packet under check, with the key in the digest's place: what arrived is not written to. */
const checked = new Uint8Array(255);

export class PacketAuthentication {
  readonly #form: AuthForm;
  readonly #keyId: number;
  /** With MD5 and SHA1 filled with zeros to the digest's length (§6.7.3, §6.7.4). */
  readonly #key: Uint8Array;
  /** bfd.XmitAuthSeq: of the packet that was sent last. */
  #sent: number;
  /** bfd.RcvAuthSeq; undefined: bfd.AuthSeqKnown is 0. */
  #received: number | undefined;

  /** @param before of the same session with other keys, or a first sequence number, which is random (§6.8.1) */
  constructor({ type, keyId, key }: BfdAuthentication, before: PacketAuthentication | number) {
    this.#form = FORMS[type];
    this.#keyId = keyId;
    this.#key = new Uint8Array(Math.max(key.length, this.#form.digestOctets));
    this.#key.set(key);
    if (typeof before === 'number') {
      this.#sent = before >>> 0;
    } else {
      this.#sent = before.#sent;
      if (before.#form.type === this.#form.type) this.#received = before.#received;
    }
  }

  /** Auth Type. */
  get type(): number {
    return this.#form.type;
  }

  get isMeticulous(): boolean {
    return this.#form.isMeticulous;
  }

  /** Of the section. */
  get octets(): number {
    return this.#form.algorithm === undefined ? 3 + this.#key.length : 8 + this.#form.digestOctets;
  }

  /** Writes the section behind a packet's mandatory one; each call takes the next sequence number. */
  sign(packet: Uint8Array): void {
    const { type, algorithm } = this.#form;
    packet[SECTION] = type;
    packet[SECTION + 1] = this.octets;
    packet[KEY_ID] = this.#keyId;
    if (algorithm === undefined) {
      packet.set(this.#key, PASSWORD);
      return;
    }
    this.#sent = (this.#sent + 1) >>> 0;
    packet[KEY_ID + 1] = 0;
    writeU32(packet, SEQUENCE, this.#sent);
    packet.set(this.#key, DIGEST);
    packet.set(hash(algorithm, packet, 'buffer'), DIGEST);
  }

  /** Nothing was heard for two detection times: the next sequence number may be any (§6.8.1). */
  forgetSequence(): void {
    this.#received = undefined;
  }

  /** The rules of §6.7.2 to §6.7.4 for a packet with the A bit. A sequence number counts only under a good digest. */
  verify(bytes: Uint8Array, packet: ControlPacket, refusal: Refusal): boolean {
    const { type, algorithm, digestOctets } = this.#form;
    const { octets } = this;
    if (bytes[SECTION] !== type) return refuse(refusal, 'authentication type', bytes[SECTION], type);
    if (bytes[SECTION + 1] !== octets || packet.length < SECTION + octets)
      return refuse(
        refusal,
        'authentication length',
        Math.min(bytes[SECTION + 1]!, packet.length - SECTION),
        octets,
      );
    if (bytes[KEY_ID] !== this.#keyId) return refuse(refusal, 'key ID', bytes[KEY_ID], this.#keyId);
    if (algorithm === undefined)
      return (
        timingSafeEqual(bytes.subarray(PASSWORD, SECTION + octets), this.#key) || refuse(refusal, 'digest')
      );
    const sequence = readU32(bytes, SEQUENCE);
    if (!this.#isNext(sequence, packet.multiplier, refusal)) return false;
    const whole = checked.subarray(0, packet.length);
    whole.set(bytes.subarray(0, packet.length));
    whole.set(this.#key, DIGEST);
    const digest = bytes.subarray(DIGEST, DIGEST + digestOctets);
    if (!timingSafeEqual(hash(algorithm, whole, 'buffer'), digest)) return refuse(refusal, 'digest');
    this.#received = sequence;
    return true;
  }

  /** In the window of three times Detect Mult, in a circle of 32 bits. */
  #isNext(sequence: number, multiplier: number, refusal: Refusal): boolean {
    if (this.#received === undefined) return true;
    const ahead = (sequence - this.#received) >>> 0;
    const least = this.#form.isMeticulous ? 1 : 0;
    if (ahead >= least && ahead <= 3 * multiplier) return true;
    return refuse(refusal, 'sequence number', sequence, (this.#received + least) >>> 0);
  }
}
