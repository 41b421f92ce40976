import assert from 'node:assert/strict';
import {
  appendResult,
  attachmentNames,
  type CniResult,
  readPrevResult,
  requestedAddresses,
  resultJson,
} from './attachment.ts';
import { readEnvironment } from './call.ts';
import { CniError } from './cni-error.ts';
import { type CniVersion, readConfig, VERSIONS } from './network-config.ts';

const BOTH = ['ipv4', 'ipv6'] as const;
function asked(args: string, more: object = {}, families: readonly ('ipv4' | 'ipv6')[] = BOTH) {
  const call = readEnvironment(
    new Map([
      ['CNI_COMMAND', 'ADD'],
      ['CNI_CONTAINERID', 'c'],
      ['CNI_NETNS', '/x'],
      ['CNI_IFNAME', 'eth0'],
      ['CNI_PATH', '/'],
      ['CNI_ARGS', args],
    ]),
  );
  const config = readConfig(JSON.stringify({ cniVersion: '1.1.0', name: 'n', ...more }), 'ADD');
  return requestedAddresses(call, config, families);
}
const annotated = (value: string) => ({
  runtimeConfig: { 'io.kubernetes.cri.pod-annotations': { 'podroute.io/ips': value } },
});

describe('an attachment', () => {
  it('has a host link of 15 bytes and two MAC addresses, the same in every run', () => {
    const names = attachmentNames({ containerId: 'c', ifname: 'eth0' });
    assert.deepEqual(names, attachmentNames({ containerId: 'c', ifname: 'eth0' }));
    assert.match(names.hostName, /^pr[0-9a-f]{13}$/);
    assert.match(names.podMac, /^02(:[0-9a-f]{2}){5}$/);
    assert.match(names.hostMac, /^06(:[0-9a-f]{2}){5}$/);
    assert.notEqual(names.hostName, attachmentNames({ containerId: 'c', ifname: 'eth1' }).hostName);
  });

  it('asks for addresses by configuration, else CNI_ARGS, else annotation', () => {
    const config = { runtimeConfig: { ips: ['10.0.0.1'] } };
    assert.deepEqual(asked('IP=10.0.0.2', config), { ipv4: '10.0.0.1' });
    assert.deepEqual(asked('IP=10.0.0.2,fd00::2', annotated('["10.0.0.3"]')), {
      ipv4: '10.0.0.2',
      ipv6: 'fd00::2',
    });
    assert.deepEqual(asked('', annotated('["10.0.0.3","fd00::3"]')), { ipv4: '10.0.0.3', ipv6: 'fd00::3' });
    assert.deepEqual(asked('', annotated('10.0.0.4')), { ipv4: '10.0.0.4' });
    assert.deepEqual(asked(''), {});
  });

  it('hears what is wrong with its annotation, and of a family that is not there', () => {
    const because = (message: RegExp) => (error: unknown) =>
      error instanceof CniError && error.code === 7 && message.test(error.message);
    assert.throws(() => asked('', annotated('[10.0.0.3')), because(/pod annotation podroute\.io\/ips is/));
    assert.throws(() => asked('IP=fd00::2', {}, ['ipv4']), because(/fd00::2: this network has no ipv6/));
  });
});

/** The bridge plugin's result in the specification's appendix "Examples", with a v6 address and newer fields. */
const RESULT: CniResult = {
  interfaces: [
    { name: 'cni0', mac: '00:11:22:33:44:55' },
    { name: 'veth3243', mac: '55:44:33:22:11:11', sandbox: '' },
    { name: 'eth0', mac: '99:88:77:66:55:44', mtu: 1500, sandbox: '/var/run/netns/blue' },
  ],
  ips: [
    { address: '10.1.0.5/16', gateway: '10.1.0.1', interface: 2 },
    { address: '2001:db8::5/64', gateway: '2001:db8::1', interface: 2 },
  ],
  routes: [{ dst: '0.0.0.0/0' }, { dst: '::/0', gw: '2001:db8::1', mtu: 1400 }],
  dns: { nameservers: ['10.1.0.1'] },
};

const OLD_INTERFACES = [
  { name: 'cni0', mac: '00:11:22:33:44:55' },
  { name: 'veth3243', mac: '55:44:33:22:11:11', sandbox: '' },
  { name: 'eth0', mac: '99:88:77:66:55:44', sandbox: '/var/run/netns/blue' },
];
const OLD_ROUTES = [{ dst: '0.0.0.0/0' }, { dst: '::/0', gw: '2001:db8::1' }];
const V03 = {
  interfaces: OLD_INTERFACES,
  ips: [
    { version: '4', address: '10.1.0.5/16', gateway: '10.1.0.1', interface: 2 },
    { version: '6', address: '2001:db8::5/64', gateway: '2001:db8::1', interface: 2 },
  ],
  routes: OLD_ROUTES,
  dns: RESULT.dns,
};
const V01 = {
  ip4: { ip: '10.1.0.5/16', gateway: '10.1.0.1', routes: [{ dst: '0.0.0.0/0' }] },
  ip6: { ip: '2001:db8::5/64', gateway: '2001:db8::1', routes: [{ dst: '::/0', gw: '2001:db8::1' }] },
  dns: RESULT.dns,
};
const GOLDEN: Readonly<Record<CniVersion, object>> = {
  '0.1.0': V01,
  '0.2.0': V01,
  '0.3.0': V03,
  '0.3.1': V03,
  '0.4.0': V03,
  '1.0.0': { interfaces: OLD_INTERFACES, ips: RESULT.ips, routes: OLD_ROUTES, dns: RESULT.dns },
  '1.1.0': RESULT,
};

describe('CNI results', () => {
  for (const version of VERSIONS) {
    it(`has the form of ${version}`, () => {
      assert.deepEqual(JSON.parse(resultJson(RESULT, version)), { cniVersion: version, ...GOLDEN[version] });
    });
  }

  it('reads what an earlier plugin answered, in any form with interfaces', () => {
    for (const version of VERSIONS.filter((v) => v >= '0.3.0')) {
      const read = readPrevResult(JSON.parse(resultJson(RESULT, version)));
      assert.deepEqual(read?.ips, RESULT.ips);
      assert.deepEqual(
        read?.interfaces.map((i) => i.name),
        ['cni0', 'veth3243', 'eth0'],
      );
    }
    assert.equal(readPrevResult(undefined), undefined);
    assert.deepEqual(readPrevResult({}), { interfaces: [], ips: [], routes: [], dns: {} });
  });

  it('refuses a prevResult that is none', () => {
    for (const value of ['x', [], { ips: 'x' }, { interfaces: [1] }]) {
      assert.throws(
        () => readPrevResult(value),
        (error) => error instanceof CniError && error.code === 6,
      );
    }
  });

  it('puts ours behind an earlier plugin’s, with the indexes moved', () => {
    const ours: CniResult = {
      interfaces: [{ name: 'pr0' }, { name: 'eth0' }],
      ips: [{ address: '10.0.0.1/32', interface: 1 }],
      routes: [],
      dns: {},
    };
    const both = appendResult(RESULT, ours);
    assert.equal(both.ips[2]!.interface, 4);
    assert.equal(both.interfaces[4]!.name, 'eth0');
    assert.deepEqual(both.dns, RESULT.dns);
  });
});
