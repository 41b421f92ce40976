import assert from 'node:assert/strict';
import { SILENT } from '../../log.ts';
import type { Sysctl } from '#linux';
import { ensureForwarding, refusePodsAdvertisements } from './ip-forwarding.ts';

class FakeSysctl implements Sysctl {
  readonly values: Map<string, string>;
  isReadOnly = false;
  constructor(values: Record<string, string>) {
    this.values = new Map(Object.entries(values));
  }
  read(name: string): string {
    const value = this.values.get(name);
    if (value === undefined) throw Object.assign(new Error(`ENOENT: ${name}`), { code: 'ENOENT' });
    return value;
  }
  write(name: string, value: string): void {
    if (this.isReadOnly) throw Object.assign(new Error('EROFS'), { code: 'EROFS' });
    this.values.set(name, value);
  }
}

const IPV4 = 'net/ipv4/ip_forward';
const IPV6 = 'net/ipv6/conf/all/forwarding';

describe('forwarding', () => {
  it('is switched on where it is off', () => {
    const sysctl = new FakeSysctl({ [IPV4]: '0', [IPV6]: '0' });
    assert.deepEqual(ensureForwarding(sysctl, [], SILENT), []);
    assert.deepEqual([...sysctl.values.values()], ['1', '1']);
  });

  it('is left alone where it is on, or where there is no such family', () => {
    const sysctl = new FakeSysctl({ [IPV4]: '1' });
    sysctl.isReadOnly = true;
    assert.deepEqual(ensureForwarding(sysctl, [], SILENT), []);
  });

  it('keeps router advertisements accepted on links that accept them', () => {
    const accept = (link: string) => `net/ipv6/conf/${link}/accept_ra`;
    const sysctl = new FakeSysctl({
      ...{ [IPV4]: '1', [IPV6]: '0' },
      ...{ [accept('eth0')]: '1', [accept('eth1')]: '0', [accept('eth2')]: '1' },
    });
    ensureForwarding(sysctl, ['eth0', 'eth1'], SILENT);
    assert.deepEqual(
      ['eth0', 'eth1', 'eth2'].map((link) => sysctl.values.get(accept(link))),
      ['2', '0', '1'],
      'eth2 has no route of one',
    );
    const warnings: unknown[] = [];
    const log = { ...SILENT, warn: (fields: object) => void warnings.push(fields) };
    refusePodsAdvertisements(sysctl, ['eth0', 'gone', 'eth2'], log);
    assert.deepEqual([sysctl.values.get(accept('eth0')), sysctl.values.get(accept('eth2'))], ['0', '0']);
    assert.deepEqual(warnings, [], 'a pod that went');
    sysctl.values.set(accept('eth0'), '2');
    sysctl.isReadOnly = true;
    refusePodsAdvertisements(sysctl, ['eth0'], log);
    assert.deepEqual(warnings, [{ sysctl: accept('eth0'), error: 'Error: EROFS' }]);
  });

  it('that cannot be switched on is told with the switch’s name', () => {
    const sysctl = new FakeSysctl({ [IPV4]: '0', [IPV6]: '1' });
    sysctl.isReadOnly = true;
    const [trouble] = ensureForwarding(sysctl, [], SILENT);
    assert.match(trouble ?? '', /IPv4 forwarding is off and cannot be switched on \(net\/ipv4\/ip_forward\)/);
  });
});
