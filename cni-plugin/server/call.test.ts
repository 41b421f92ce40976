import assert from 'node:assert/strict';
import {
  decodeRequest,
  encodeAnswer,
  encodeRequest,
  readEnvironment,
  requestLength,
  withoutLength,
} from './call.ts';
import { CniError } from './cni-error.ts';

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

const full = {
  CNI_COMMAND: 'ADD',
  CNI_CONTAINERID: 'c-1_2.3',
  CNI_NETNS: '/run/netns/x',
  CNI_IFNAME: 'eth0',
  CNI_PATH: '/opt/cni/bin',
};
const read = (more: Record<string, string>) => readEnvironment(new Map(Object.entries({ ...full, ...more })));

function refusal(more: Record<string, string>): string {
  try {
    read(more);
  } catch (error) {
    assert.ok(error instanceof CniError);
    assert.equal(error.code, 4);
    return `${error.message}: ${error.details}`;
  }
  return assert.fail('accepted');
}

describe('CNI variables', () => {
  it('names all that are missing in one message', () => {
    assert.match(
      refusal({ CNI_CONTAINERID: '', CNI_NETNS: '', CNI_IFNAME: '', CNI_PATH: '' }),
      /missing: CNI_CONTAINERID,CNI_NETNS,CNI_IFNAME,CNI_PATH/,
    );
    assert.match(refusal({ CNI_COMMAND: 'STATUS', CNI_PATH: '' }), /missing: CNI_PATH/);
  });

  it('needs no namespace for DEL', () => {
    assert.equal(read({ CNI_COMMAND: 'DEL', CNI_NETNS: '' }).netns, '');
  });

  for (const [name, value] of [
    ['CNI_COMMAND', 'add'],
    ['CNI_CONTAINERID', '-x'],
    ['CNI_CONTAINERID', 'a/b'],
    ['CNI_IFNAME', '..'],
    ['CNI_IFNAME', 'a b'],
    ['CNI_IFNAME', 'a:b'],
    ['CNI_IFNAME', '1234567890123456'],
    ['CNI_ARGS', 'IgnoreUnknown=1;nonsense'],
    ['CNI_ARGS', 'FOO=bar'],
  ] as const) {
    it(`refuses ${name}=${value}`, () => {
      assert.match(refusal({ [name]: value }), /CNI_/);
    });
  }

  it('reads the pod of CNI_ARGS and lets others pass when told to', () => {
    const { args } = read({ CNI_ARGS: 'IgnoreUnknown=1;K8S_POD_NAMESPACE=d;K8S_POD_NAME=p;FOO=bar' });
    assert.deepEqual([args.get('K8S_POD_NAMESPACE'), args.get('K8S_POD_NAME')], ['d', 'p']);
  });

  it('knows its own namespace unless that is wanted', () => {
    assert.equal(read({ PODROUTE_NETNS_IS_OWN: '1' }).isOwnNetns, true);
    assert.equal(read({ PODROUTE_NETNS_IS_OWN: '1', CNI_NETNS_OVERRIDE: 'true' }).isOwnNetns, false);
    assert.equal(read({}).isOwnNetns, false);
  });
});
