import { equal } from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { follow, Machine } from './testing/machine.ts';
import { readPage, stepsOf } from './testing/page.ts';

const PAGE = 'operations.md';

describe('docs: install, upgrade, take away', () => {
  it('leads from a clone to a running agent and back to a machine without it', async () => {
    await using machine = new Machine('node1');
    await machine.setUp({ bare: true });
    await machine.type(
      'ip link add eth0 type veth peer name wire && ip link set eth0 up && ip link set wire up',
    );
    await machine.type('ip addr add 10.0.0.1/24 dev eth0');
    await follow(PAGE, stepsOf(readPage(PAGE)), new Map([['node1', machine]]));
    equal((await machine.type('ip route show table all proto 179; nft list tables')).said, '');
    equal((await machine.type('ls -d /opt/podroute* /opt/cni/bin/* /etc/cni/net.d/* 2>/dev/null')).said, '');
  });

  it('has a unit that systemd takes', async function () {
    if (!existsSync('/usr/bin/systemd-analyze')) this.skip();
    await using machine = new Machine('node1');
    await machine.setUp();
    await machine.type('cp podroute/manifests/systemd/podroute.service /etc/systemd/system/');
    const { said, code } = await machine.type('systemd-analyze verify /etc/systemd/system/podroute.service');
    equal(
      said
        .split('\n')
        .filter((line) => line.includes('podroute'))
        .join('\n'),
      '',
    );
    equal(code, 0);
  });
});
