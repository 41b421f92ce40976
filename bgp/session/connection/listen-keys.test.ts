import assert from 'node:assert/strict';
import fc from 'fast-check';
import { keyOf, listenKeys, SHARE_FROM } from './listen-keys.ts';

const host = (id: string, address: string, secret?: string) => ({
  id,
  prefix: `${address}/32`,
  secret,
  isPassive: false,
});
const mesh = (count: number, network = '10.0.0') =>
  Array.from({ length: count }, (_, i) => host(`n${network}.${i}`, `${network}.${i}`, 'mesh'));

describe('keys of a listening socket', () => {
  it('few neighbours have one each, by their address', () => {
    const keys = listenKeys([host('a', '10.0.0.1', 'x'), host('b', '10.0.0.2', 'x'), host('c', '10.0.0.3')]);
    assert.deepEqual([...keys.keys()], ['10.0.0.1/32', '10.0.0.2/32']);
  });

  it('a thousand with one password share a prefix', () => {
    const nodes = [
      ...mesh(250, '10.0.0'),
      ...mesh(250, '10.0.1'),
      ...mesh(250, '10.0.2'),
      ...mesh(250, '10.0.3'),
    ];
    const keys = listenKeys(nodes);
    assert.deepEqual([...keys.keys()], ['10.0.0.0/22']);
    assert.equal(keys.get('10.0.0.0/22')!.ids.size, 1000);
  });

  it('two neighbours at one address (on two links) share its key; another secret is told, and waits', () => {
    const outdone: string[] = [];
    const left = { id: 'left', prefix: 'fe80::2/128', secret: 'x', isPassive: true };
    const keys = listenKeys(
      [left, { ...left, id: 'right' }, { ...left, id: 'third', secret: 'y' }],
      ({ id }) => outdone.push(id),
    );
    assert.deepEqual([...keys.get('fe80::2/128')!.ids], ['left', 'right']);
    assert.deepEqual(outdone, ['third']);
  });

  it('whatever is configured, who has a secret is asked for it and who has none is not', () => {
    const octet = fc.nat(7);
    const address = fc.tuple(octet, octet, octet).map(([a, b, c]) => `10.${a}.${b}.${c * 36}`);
    fc.assert(
      fc.property(
        fc.uniqueArray(
          fc.tuple(address, fc.constantFrom('mesh', 'mesh', 'old mesh', 'old mesh', 'tor', undefined)),
          {
            minLength: 4 * SHARE_FROM,
            maxLength: 6 * SHARE_FROM,
            selector: ([text]) => text,
          },
        ),
        (neighbours) => {
          const wishes = neighbours.map(([text, secret]) => host(text, text, secret));
          const keys = listenKeys(wishes);
          for (const { prefix, secret, id } of wishes) {
            const key = keyOf(keys, prefix);
            assert.equal(key?.secret, secret, prefix);
            assert.ok(key === undefined || key.ids.has(id));
          }
        },
      ),
      { numRuns: 100 },
    );
  });

  it('a range without a password, or with another, is left out', () => {
    const range = { id: 'fleet', prefix: '10.0.0.64/26', secret: undefined, isPassive: true };
    for (const secret of [undefined, 'other']) {
      const keys = listenKeys([{ ...range, secret }, ...mesh(60)]);
      assert.equal(keyOf(keys, '10.0.0.70/32')?.secret, secret);
      assert.equal(keyOf(keys, '10.0.0.7/32')?.secret, 'mesh');
    }
  });
});
