import assert from 'node:assert/strict';
import { type AddressDesk, answerAddresses } from './ipam-endpoints.ts';

const desk: AddressDesk = {
  audit: () => Promise.resolve({ checked: 3, findings: [] }),
  release: (address) => {
    if (address === '10.0.0.7') return Promise.reject(new Error('journal: ENOSPC'));
    return Promise.resolve(
      address === '10.0.0.1' ? { kind: 'freed', address } : { kind: 'refused', why: `${address} is in use` },
    );
  },
  releaseBlock: (cidr) =>
    Promise.resolve(
      cidr === '10.0.0.0/26'
        ? { kind: 'freed', cidr, node: 'old' }
        : { kind: 'refused', why: `${cidr} is of a node that is there` },
    ),
};
const ask = async (method: string, url: string, at: AddressDesk | undefined = desk) => {
  const reply = await answerAddresses({ method, url }, at);
  return reply && [reply.status, JSON.parse(reply.body)];
};

describe('the agent’s socket about addresses', () => {
  it('checks with GET and releases with POST, and leaves other paths to others', async () => {
    assert.deepEqual(await ask('GET', '/v1/ipam/check'), [200, { checked: 3, findings: [] }]);
    assert.deepEqual(await ask('POST', '/v1/ipam/release?address=10.0.0.1'), [
      200,
      { kind: 'freed', address: '10.0.0.1' },
    ]);
    assert.deepEqual(await ask('POST', '/v1/ipam/release?block=10.0.0.0%2F26'), [
      200,
      { kind: 'freed', cidr: '10.0.0.0/26', node: 'old' },
    ]);
    assert.equal(await ask('GET', '/v1/ipam'), undefined);
  });

  it('says why not: in use, no address, wrong method, no pods here, a full disk', async () => {
    for (const [method, url, at, expected] of [
      ['POST', '/v1/ipam/release?address=10.0.0.2', desk, [409, { error: '10.0.0.2 is in use' }]],
      [
        'POST',
        '/v1/ipam/release?address=10.0.0',
        desk,
        [400, { error: 'address=10.0.0 is not an IP address' }],
      ],
      [
        'POST',
        '/v1/ipam/release?block=10.1.0.0/26',
        desk,
        [409, { error: '10.1.0.0/26 is of a node that is there' }],
      ],
      ['POST', '/v1/ipam/release?block=10.1.0.0', desk, [400, { error: 'block=10.1.0.0 is not a CIDR' }]],
      ['GET', '/v1/ipam/release?address=10.0.0.1', desk, [405, { error: 'GET: only POST is served here' }]],
      ['POST', '/v1/ipam/release?address=10.0.0.7', desk, [500, { error: 'journal: ENOSPC' }]],
    ] as const) {
      assert.deepEqual(await ask(method, url, at), expected, url);
    }
    const without = await answerAddresses({ method: 'GET', url: '/v1/ipam/check' }, undefined);
    assert.equal(without?.status, 404);
    assert.match(without?.body ?? '', /no pods \(--fib none\)/);
  });
});
