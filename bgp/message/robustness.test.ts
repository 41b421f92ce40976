// Structured damage: every message cut at every octet, every length field set to what it must not be, every
// attribute doubled and moved. What is random stands in fuzz.test.ts.

import assert from 'node:assert/strict';
import { ACTION_OK, ACTION_RESET, MAX_EXTENDED_MESSAGE_LENGTH } from './constants.ts';
import { Framer } from './frame.ts';
import { examine, lastAction, SESSIONS } from './testing/examine.ts';
import { OPENS, OTHERS, UPDATES, type Vector } from './testing/vectors.ts';
import { hexOf } from '../testing/message-bytes.ts';

const ALL: readonly Vector[] = [...UPDATES, ...OPENS, ...OTHERS];

/** Examines a message under the rules of all sessions, with foreign octets around it. */
function examineAll(what: string, message: Uint8Array): void {
  const buf = new Uint8Array(message.length + 64).fill(0x40);
  buf.set(message, 32);
  for (const ctx of SESSIONS) {
    const problem = examine(buf, 32, 32 + message.length, message[18]!, ctx, true);
    assert.equal(problem, '', `${what}: ${hexOf(message)}`);
  }
}

/** Through the framer first, as it would arrive; what the framer refuses goes no further. */
function receive(what: string, message: Uint8Array): void {
  const framer = new Framer({
    message: (buf, start, end, type) => {
      for (const ctx of SESSIONS)
        assert.equal(examine(buf, start, end, type, ctx, true), '', `${what}: ${hexOf(message)}`);
      return true;
    },
  });
  framer.maxLength = MAX_EXTENDED_MESSAGE_LENGTH;
  framer.feed(message, 0, message.length);
}

function withLength(message: Uint8Array): Uint8Array {
  message[16] = message.length >>> 8;
  message[17] = message.length;
  return message;
}

describe('damaged messages', () => {
  for (const vector of ALL) {
    it(`${vector.name}: is right as it stands`, () => {
      assert.equal((vector.bytes[16]! << 8) | vector.bytes[17]!, vector.bytes.length);
      const ctx = SESSIONS[1]!;
      assert.equal(examine(vector.bytes, 0, vector.bytes.length, vector.bytes[18]!, ctx, true), '');
      if (vector.bytes[18] === 2) assert.equal(lastAction, ACTION_OK);
      examineAll(vector.name, vector.bytes);
    });

    it(`${vector.name}: cut at every octet`, () => {
      for (let length = 0; length < vector.bytes.length; length++) {
        receive(`first ${length} octets`, vector.bytes.slice(0, length));
        if (length < 19) continue;
        const cut = withLength(vector.bytes.slice(0, length));
        receive(`cut to ${length}`, cut);
        examineAll(`cut to ${length}`, cut);
      }
    });

    it(`${vector.name}: each length field 0, 1, one less, one more, the largest, and every other value of its last octet`, () => {
      for (const { offset, width } of vector.lengths) {
        const right =
          width === 1 ? vector.bytes[offset]! : (vector.bytes[offset]! << 8) | vector.bytes[offset + 1]!;
        const largest = width === 1 ? 255 : 65535;
        const values = [0, 1, right - 1, right + 1, largest, ...Array.from({ length: 256 }, (_, i) => i)];
        for (const value of values) {
          if (value < 0) continue;
          const bad = vector.bytes.slice();
          if (width === 2) bad[offset] = value >>> 8;
          bad[offset + width - 1] = value;
          receive(`length at ${offset} = ${value}`, bad);
          if (offset > 18) examineAll(`length at ${offset} = ${value}`, bad);
        }
      }
    });

    it(`${vector.name}: each octet 0, 1, 127, 128, 255`, () => {
      for (let at = 18; at < vector.bytes.length; at++) {
        for (const value of [0, 1, 127, 128, 255]) {
          const bad = vector.bytes.slice();
          bad[at] = value;
          receive(`octet ${at} = ${value}`, bad);
        }
      }
    });
  }

  for (const vector of UPDATES.filter((update) => update.attributes.length > 1)) {
    const starts = vector.attributes;
    const first = starts[0]!;
    const last = starts.at(-1)!;
    const attributes = starts.slice(1).map((end, i) => vector.bytes.slice(starts[i], end));

    const rebuilt = (list: readonly Uint8Array[]): Uint8Array => {
      const block = Buffer.concat(list);
      const head = vector.bytes.slice(0, first);
      head[first - 2] = block.length >>> 8;
      head[first - 1] = block.length;
      return withLength(new Uint8Array(Buffer.concat([head, block, vector.bytes.slice(last)])));
    };
    const actionOf = (message: Uint8Array): number => {
      assert.equal(examine(message, 0, message.length, 2, SESSIONS[1]!, true), '');
      return lastAction;
    };

    it(`${vector.name}: each attribute moved to each place changes nothing`, () => {
      for (let from = 0; from < attributes.length; from++) {
        for (let to = 0; to < attributes.length; to++) {
          const order = attributes.toSpliced(from, 1).toSpliced(to, 0, attributes[from]!);
          assert.equal(actionOf(rebuilt(order)), ACTION_OK);
          examineAll('moved', rebuilt(order));
        }
      }
    });

    it(`${vector.name}: each attribute doubled, at each place: only MP_REACH_NLRI and MP_UNREACH_NLRI mind`, () => {
      for (const attribute of attributes) {
        const isMp = attribute[1] === 14 || attribute[1] === 15;
        for (let to = 0; to <= attributes.length; to++) {
          const doubled = rebuilt(attributes.toSpliced(to, 0, attribute));
          assert.equal(actionOf(doubled), isMp ? ACTION_RESET : ACTION_OK);
          examineAll('doubled', doubled);
        }
      }
    });

    it(`${vector.name}: each attribute left out, and each flag octet on each attribute`, () => {
      for (let i = 0; i < attributes.length; i++) {
        receive('left out', rebuilt(attributes.toSpliced(i, 1)));
        for (let flags = 0; flags < 256; flags++) {
          const changed = attributes[i]!.slice();
          changed[0] = flags;
          receive(`flags ${flags}`, rebuilt(attributes.with(i, changed)));
        }
      }
    });
  }
});
