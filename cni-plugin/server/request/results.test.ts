import assert from 'node:assert/strict';
import { CniError } from './cni-error.ts';
import { appendResult, type CniResult, readPrevResult, resultJson } from './results.ts';
import { type CniVersion, VERSIONS } from './network-config.ts';

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
