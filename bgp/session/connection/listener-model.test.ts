// The keys of listening sockets after any sequence of changes, against what each neighbour's configuration says.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { ListenKeys, Transport } from '../../io.ts';
import { keyOf, type KeyWish } from './listen-keys.ts';
import { Listener } from './listener.ts';

const SECRETS = ['mesh', 'mesh', 'mesh', 'mesh', 'mesh', 'mesh', 'mesh', 'mesh', 'tor', undefined] as const;

/** Keys of each socket by prefix, newest socket last. */
function fakeTransport(sockets: Map<string, string>[]): Transport {
  const keysOf = (keys: Map<string, string>): ListenKeys => ({
    setMd5Key(prefix, key) {
      if (key !== undefined) keys.set(prefix, key);
      else keys.delete(prefix);
    },
  });
  return {
    listen(options: { readonly port: number }, _accept: unknown, prepare?: (keys: ListenKeys) => void) {
      const keys = new Map<string, string>();
      prepare?.(keysOf(keys));
      sockets.push(keys);
      return Promise.resolve({ port: options.port, ...keysOf(keys), close: () => {} });
    },
  } as unknown as Transport;
}

/** Two may have one address, as on two links. */
const wish = (n: number, secret: string | undefined): KeyWish => ({
  id: `n${n}`,
  prefix: `10.0.${n >> 6}.${n & 31}/32`,
  secret,
  isPassive: false,
});
const fleet = (secret: string | undefined): KeyWish => ({
  ...{ id: 'fleet', prefix: '10.0.1.16/28', isPassive: true },
  secret,
});

/** What the kernel must ask of who connects from there. */
function expectedOf(wishes: ReadonlyMap<string, KeyWish>, { prefix }: KeyWish): string | undefined {
  const there = [...wishes.values()].filter((other) => other.prefix === prefix && other.secret !== undefined);
  const range = /^10\.0\.1\.(1[6-9]|2\d|3[01])\//.test(prefix) ? wishes.get('fleet')?.secret : undefined;
  return there[0]?.secret ?? range;
}

describe('keys of listening sockets', () => {
  it('leave out a neighbour without a password once the one with its address, and a shared key, is gone', async () => {
    const sockets: Map<string, string>[] = [];
    const listener = new Listener(fakeTransport(sockets), () => {});
    await listener.listenOn([{ address: '10.0.9.9', port: 179 }]);
    for (let n = 0; n < 64; n++) if ((n & 32) === 0) listener.setKey(wish(n, 'mesh'));
    for (let n = 64; n < 80; n++) listener.setKey(wish(n, 'mesh'));
    listener.setKey(wish(104, undefined));
    assert.equal(wish(104, undefined).prefix, wish(72, 'mesh').prefix);
    listener.removeKey('n72');
    const keys = new Map(
      [...sockets[0]!].map(([prefix, secret]) => [prefix, { secret, ids: new Set<string>() }]),
    );
    assert.equal(keyOf(keys, wish(104, undefined).prefix), undefined);
  });

  it('are those of the configuration after every change', async () => {
    const change = fc.oneof(
      { weight: 12, arbitrary: fc.record({ n: fc.nat(127), secret: fc.constantFrom(...SECRETS) }) },
      { weight: 4, arbitrary: fc.record({ gone: fc.nat(127) }) },
      { weight: 1, arbitrary: fc.record({ fleet: fc.constantFrom('fleet', 'mesh', undefined) }) },
      { weight: 1, arbitrary: fc.constant({ port: true } as const) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 60, maxLength: 200 }), async (changes) => {
        const sockets: Map<string, string>[] = [];
        const listener = new Listener(fakeTransport(sockets), () => {});
        const wishes = new Map<string, KeyWish>();
        let port = 179;
        await listener.listenOn([{ address: '10.0.9.9', port }]);
        for (const one of changes) {
          if ('port' in one) {
            await listener.listenOn([{ address: '10.0.9.9', port: ++port }]);
          } else if ('gone' in one) {
            wishes.delete(`n${one.gone}`);
            listener.removeKey(`n${one.gone}`);
          } else {
            const next = 'fleet' in one ? fleet(one.fleet) : wish(one.n, one.secret);
            wishes.set(next.id, next);
            listener.setKey(next);
          }
          const keys = new Map(
            [...sockets.at(-1)!].map(([prefix, secret]) => [prefix, { secret, ids: new Set<string>() }]),
          );
          for (const each of wishes.values()) {
            if (each.id === 'fleet') continue;
            assert.equal(keyOf(keys, each.prefix)?.secret, expectedOf(wishes, each), each.prefix);
          }
        }
        assert.equal(listener.refusals.size, 0);
      }),
      { numRuns: 40 },
    );
  });
});
