import assert from 'node:assert/strict';
import { decodeRequest, encodeAnswer, encodeRequest, requestLength, withoutLength } from './call-frame.ts';

const request = {
  environment: new Map([
    ['CNI_COMMAND', 'ADD'],
    ['CNI_ARGS', 'A=b;C=d'],
  ]),
  input: '{"name":"ü"}',
};

describe('request of the executable', () => {
  it('is read back', () => {
    assert.deepEqual(decodeRequest(withoutLength(encodeRequest(request))), request);
  });

  it('says its length from the fourth byte on, and is incomplete at every cut', () => {
    const bytes = encodeRequest(request);
    for (let cut = 0; cut < bytes.length; cut++) {
      const length = requestLength(bytes.subarray(0, cut));
      assert.equal(length, cut < 4 ? undefined : bytes.length);
    }
  });

  it('is refused when it is too long or has no end of its variables', () => {
    assert.equal(requestLength(Uint8Array.of(0xff, 0xff, 0xff, 0xff)), Number.NaN);
    assert.equal(decodeRequest(Buffer.from('CNI_COMMAND=ADD')), undefined);
    assert.equal(decodeRequest(Buffer.alloc(0)), undefined);
  });

  it('is answered by exit code and output', () => {
    assert.deepEqual(Buffer.from(encodeAnswer(1, '{}')), Buffer.from([1, 0x7b, 0x7d]));
  });
});
