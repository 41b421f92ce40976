import assert from 'node:assert/strict';
import { parseEndpoint } from './endpoint.ts';

describe('an endpoint', () => {
  for (const [text, host, port] of [
    ['127.0.0.1:9179', '127.0.0.1', 9179],
    ['0.0.0.0:1', '0.0.0.0', 1],
    ['127.0.0.1:0', '127.0.0.1', 0],
    ['[::1]:65535', '::1', 65535],
    ['[fe80::1%eth0]:80', 'fe80::1%eth0', 80],
    ['localhost:9179', 'localhost', 9179],
    ['fd00::5:9480', 'fd00::5', 9480],
  ] as const)
    it(`is ${text}`, () => assert.deepEqual(parseEndpoint(text), { host, port }));

  for (const text of ['', '9179', ':9179', '127.0.0.1', '127.0.0.1:', '127.0.0.1:65536'])
    it(`is not '${text}'`, () => assert.equal(parseEndpoint(text), undefined));

  for (const text of [
    'fd00::5',
    '1:2:3:4:5:6:7:8',
    '[]:80',
    '[::1]',
    '127.0.0.1:+80',
    '127.0.0.1:8x',
    'a:b:80',
  ])
    it(`is not '${text}'`, () => assert.equal(parseEndpoint(text), undefined));
});
