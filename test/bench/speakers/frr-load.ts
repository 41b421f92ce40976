// FRR's bgpd alone: without zebra, so that nothing reaches the kernel.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Job, listening, type Speaker } from './speaker.ts';
import { FRR_FOLDER } from '#lab';
import { FRR } from '../../testing/routers.ts';

const BGPD = `${FRR_FOLDER}/bgpd`;

export const frr: Speaker = {
  name: 'frr',
  title: 'FRR bgpd',
  isSlow: true,
  ...FRR,
  async start(job) {
    const config = join(job.folder, 'bgpd.conf');
    writeFileSync(config, configOf(job));
    const command = [
      BGPD,
      '-Z',
      '-n',
      '-S',
      '-f',
      config,
      '-i',
      join(job.folder, 'bgpd.pid'),
      '--vty_socket',
      job.folder,
    ];
    const process = job.host.spawn([
      ...command,
      '-P',
      '0',
      '-p',
      '179',
      '--log',
      `file:${join(job.folder, 'bgpd.log')}`,
    ]);
    await listening(job.host, process, 179);
    return { process, port: 179 };
  },
};

function configOf({ load, place }: Job): string {
  const groups: Record<Job['load'], { range: string; as: string; more: string }[]> = {
    table: [{ range: '10.99.0.0/24', as: 'external', more: 'next-hop-self' }],
    churn: [{ range: '10.99.0.0/24', as: 'external', more: 'next-hop-self' }],
    reflect: [{ range: '10.98.0.0/16', as: 'internal', more: 'route-reflector-client' }],
    feed: [
      { range: '10.99.0.0/25', as: 'external', more: 'next-hop-self' },
      { range: '10.99.0.128/25', as: 'internal', more: 'soft-reconfiguration-none' },
    ],
  };
  const lines = [
    `router bgp ${place.asNumber}`,
    ` bgp router-id ${place.speakerAddress}`,
    ' no bgp ebgp-requires-policy',
    ' no bgp network import-check',
    ' bgp bestpath compare-routerid',
    ' bgp listen limit 5000',
    ' timers bgp 200 600',
    ' no bgp default ipv4-unicast',
  ];
  for (const [i, group] of groups[load].entries()) {
    lines.push(` neighbor load${i} peer-group`, ` neighbor load${i} remote-as ${group.as}`);
    // FRR holds announcements to eBGP peers back for 0 s, to others for 0 s in 8.4; said here so that it stays so.
    lines.push(
      ` neighbor load${i} advertisement-interval 0`,
      ` bgp listen range ${group.range} peer-group load${i}`,
    );
  }
  lines.push(' address-family ipv4 unicast');
  for (const [i, group] of groups[load].entries()) {
    lines.push(`  neighbor load${i} activate`);
    if (group.more !== 'soft-reconfiguration-none') lines.push(`  neighbor load${i} ${group.more}`);
  }
  lines.push(' exit-address-family');
  return `${lines.join('\n')}\n`;
}
