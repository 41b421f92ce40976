// BIRD 2, configured as its documentation advises for each load.
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Job, listening, type Speaker, versionFrom } from './speaker.ts';

export const bird: Speaker = {
  name: 'bird',
  title: 'BIRD',
  missing: () => (existsSync('/usr/sbin/bird') ? undefined : 'apt-get install bird2'),
  version: () => versionFrom(['bird', '--version'], /version (\S+)/),
  async start(job) {
    const config = join(job.folder, 'bird.conf');
    writeFileSync(config, configOf(job));
    const command = [
      'bird',
      '-f',
      '-c',
      config,
      '-s',
      join(job.folder, 'bird.ctl'),
      '-P',
      join(job.folder, 'bird.pid'),
    ];
    const process = job.host.spawn(command);
    await listening(job.host, process, 179);
    return { process, port: 179 };
  },
};

function configOf({ load, place }: Job): string {
  const channel = (more: string) => `ipv4 { import all; export all; ${more} };`;
  const neighbours: Record<Job['load'], string[]> = {
    table: [`neighbor range 10.99.0.0/24 external; ${channel('next hop self;')}`],
    churn: [`neighbor range 10.99.0.0/24 external; ${channel('next hop self;')}`],
    reflect: [`neighbor range 10.98.0.0/16 as ${place.asNumber}; rr client; ${channel('')}`],
    feed: [
      `neighbor range 10.99.0.0/25 external; ${channel('next hop self;')}`,
      `neighbor range 10.99.0.128/25 as ${place.asNumber}; ${channel('')}`,
    ],
  };
  const protocols = neighbours[load].map(
    (n, i) =>
      `protocol bgp { local as ${place.asNumber}; hold time 600; passive; dynamic name "load${i}x"; ${n} }`,
  );
  // A feed's next hops resolve through this route, as they would through an IGP.
  const igp =
    load === 'feed'
      ? 'protocol static { ipv4; route 0.0.0.0/1 unreachable; route 128.0.0.0/1 unreachable; }\n'
      : '';
  return `router id ${place.speakerAddress};\nprotocol device { }\nprotocol direct { ipv4; }\n${igp}${protocols.join('\n')}\n`;
}
