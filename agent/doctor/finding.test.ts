// What root may paste: the words of a mending command, and sentences with names of others in them.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { setSwitch, shellWord, wrong } from './finding.ts';

describe('a mending command', () => {
  const names = [
    '/etc/cni/net.d/10-podroute.conflist',
    'two words',
    '$(id)',
    'x;id;',
    "it's",
    '`id`',
    '\u001b[31mred',
    'line\nbreak',
    "both'\u0007",
    'café\u0085',
    '-rf',
    '*',
  ];

  it('has each name as one word for the shell, whatever stands in it', () => {
    for (const name of names) {
      const said = execFileSync('bash', ['-c', `printf '%s|' ${shellWord(name)}`], { encoding: 'utf8' });
      assert.equal(said, `${name}|`);
    }
  });

  it('is plain where the name is', () => {
    assert.equal(shellWord('/etc/cni/net.d/00-a.conflist'), '/etc/cni/net.d/00-a.conflist');
    assert.equal(setSwitch('net/ipv4/ip_forward', 1), 'sysctl -w net.ipv4.ip_forward=1');
    assert.equal(
      setSwitch('net/ipv4/conf/e$(id)/rp_filter', 2),
      "sysctl -w 'net.ipv4.conf.e$(id).rp_filter'=2",
    );
  });

  it('comes with a sentence that does not speak to the terminal', () => {
    assert.equal(wrong('a\u001b[31mb\nc').what, 'a\ufffd[31mb\ufffdc');
  });
});
