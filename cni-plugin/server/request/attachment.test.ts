import assert from 'node:assert/strict';
import { attachmentNames, requestedAddresses } from './attachment.ts';
import { CniError } from './cni-error.ts';
import { readConfig } from './network-config.ts';
import { readEnvironment } from './environment.ts';

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
