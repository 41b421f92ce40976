import assert from 'node:assert/strict';
import { CniError } from './cni-error.ts';
import { readConfig } from './network-config.ts';
import type { CniCommand } from './call.ts';
import { VERSIONS } from './network-config.ts';

const base = { cniVersion: '1.1.0', name: 'podroute', type: 'podroute' };
const read = (more: object, command: CniCommand = 'ADD') =>
  readConfig(JSON.stringify({ ...base, ...more }), command);

function refusal(work: () => unknown): CniError {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof CniError, String(error));
    return error;
  }
  return assert.fail('accepted');
}

describe('CNI configuration', () => {
  const wrong: [string, string, number, RegExp, CniCommand?][] = [
    ['not JSON', '{', 6, /is not JSON/],
    ['not an object', '[]', 6, /not a JSON object/],
    ['no name', '{"cniVersion":"1.1.0"}', 7, /name is missing/],
    ['bad name', JSON.stringify({ ...base, name: 'a b' }), 7, /name is "a b"/],
    [
      'a version of the future',
      JSON.stringify({ ...base, cniVersion: '9.0.0' }),
      1,
      /"9\.0\.0".*speaks 0\.1\.0.*1\.1\.0/,
    ],
    ['a version that is no text', JSON.stringify({ ...base, cniVersion: 1 }), 1, /is of 1/],
    [
      'CHECK before 0.4.0',
      JSON.stringify({ ...base, cniVersion: '0.3.1' }),
      1,
      /0\.3\.1 has no CHECK: it came with 0\.4\.0/,
      'CHECK',
    ],
    ['GC before 1.1.0', JSON.stringify({ ...base, cniVersion: '1.0.0' }), 1, /has no GC/, 'GC'],
    ['STATUS without a version', JSON.stringify({ name: 'x' }), 1, /0\.1\.0 has no STATUS/, 'STATUS'],
    ['an unknown field', JSON.stringify({ ...base, mtuu: 9000 }), 2, /unsupported field mtuu: 9000/],
    [
      'another IPAM',
      JSON.stringify({ ...base, ipam: { type: 'host-local' } }),
      2,
      /unsupported field ipam: {"type":"host-local"}/,
    ],
    [
      'a capability that is not ours',
      JSON.stringify({ ...base, runtimeConfig: { portMappings: [{ hostPort: 1 }] } }),
      2,
      /runtimeConfig\.portMappings: \[{"hostPort":1}\]/,
    ],
    ['a small MTU', JSON.stringify({ ...base, mtu: 100 }), 7, /mtu is 100/],
    [
      'a bad address',
      JSON.stringify({ ...base, runtimeConfig: { ips: ['10.0.0.300'] } }),
      7,
      /runtimeConfig\.ips is "10\.0\.0\.300"/,
    ],
    [
      'two addresses of a family',
      JSON.stringify({ ...base, args: { cni: { ips: ['10.0.0.1', '10.0.0.2'] } } }),
      7,
      /at most one|args\.cni\.ips/,
    ],
    [
      'a multicast MAC',
      JSON.stringify({ ...base, runtimeConfig: { mac: '01:00:5e:00:00:01' } }),
      7,
      /runtimeConfig\.mac/,
    ],
    ['bad dns', JSON.stringify({ ...base, dns: { nameservers: 'x' } }), 7, /dns\.nameservers is "x"/],
    ['bad families', JSON.stringify({ ...base, families: ['ipv5'] }), 7, /families is \["ipv5"\]/],
    [
      'a bad list of attachments',
      JSON.stringify({ ...base, 'cni.dev/valid-attachments': [{}] }),
      7,
      /valid-attachments/,
      'GC',
    ],
  ];
  for (const [what, input, code, message, command] of wrong) {
    it(`refuses ${what} with code ${code}`, () => {
      const error = refusal(() => readConfig(input, command ?? 'ADD'));
      assert.equal(error.code, code);
      assert.match(`${error.message}: ${error.details}`, message);
    });
  }

  it('takes every version it lists, and 0.1.0 when none is said', () => {
    for (const cniVersion of VERSIONS) assert.equal(read({ cniVersion }).cniVersion, cniVersion);
    assert.equal(readConfig('{"name":"x"}', 'ADD').cniVersion, '0.1.0');
  });

  it("lets pass what libcni, runtimes and other people's namespaces add", () => {
    const config = read({
      'cni.dev/attachments': [],
      'example.com/x': 1,
      disableCheck: true,
      args: { labels: [], cni: {} },
      runtimeConfig: {
        'io.kubernetes.cri.pod-annotations': { a: 'b' },
        portMappings: [],
        dns: { servers: ['10.96.0.10'], searches: ['svc.local'], options: [] },
        cgroupPath: '/x',
      },
    });
    assert.deepEqual(config.dns, { nameservers: ['10.96.0.10'], search: ['svc.local'] });
    assert.deepEqual(config.podAnnotations, { a: 'b' });
  });

  it('reads DEL without looking at what only ADD needs', () => {
    assert.equal(read({ mtu: 'x', nonsense: 1, runtimeConfig: { bandwidth: {} } }, 'DEL').name, 'podroute');
  });

  it('takes runtimeConfig.ips over args.cni.ips', () => {
    const args = { cni: { ips: ['10.0.0.2'] } };
    assert.deepEqual(read({ args }).ips, ['10.0.0.2']);
    assert.deepEqual(read({ args, runtimeConfig: { ips: ['10.0.0.1/24', 'FD00:0::1'] } }).ips, [
      '10.0.0.1',
      'fd00::1',
    ]);
  });
});
