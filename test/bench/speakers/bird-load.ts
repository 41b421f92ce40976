// BIRD 2, configured as its documentation advises for each load.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Job, listening, type Speaker } from './speaker.ts';
import { BIRD } from '../../testing/routers.ts';

export const bird: Speaker = {
  name: 'bird',
  title: 'BIRD',
  isSlow: false,
  ...BIRD,
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
  const ebgp = 'ipv4 { import all; export all; next hop self; };';
  // Next hops of iBGP routes are looked up in a table of their own: in the table that the routes themselves
  // fill, BIRD checks them again and again (the feed then takes 34 s instead of 1).
  const ibgp = 'ipv4 { igp table igp4; import all; export all; };';
  const neighbours: Record<Job['load'], string[]> = {
    table: [`neighbor range 10.99.0.0/24 external; ${ebgp}`],
    churn: [`neighbor range 10.99.0.0/24 external; ${ebgp}`],
    reflect: [`neighbor range 10.98.0.0/16 as ${place.asNumber}; rr client; ${ibgp}`],
    feed: [
      `neighbor range 10.99.0.0/25 external; ${ebgp}`,
      `neighbor range 10.99.0.128/25 as ${place.asNumber}; ${ibgp}`,
    ],
  };
  // A neighbour whose connection broke may come back at once; unasked, BIRD keeps it out for a minute or more.
  const own = `local as ${place.asNumber}; hold time 600; error wait time 1, 1; passive`;
  return `router id ${place.speakerAddress};
ipv4 table igp4;
protocol device { }
protocol direct { ipv4 { table igp4; }; }
protocol static { ipv4 { table igp4; }; route 0.0.0.0/0 via ${place.firstPeer}; }
${neighbours[load].map((n, i) => `protocol bgp { ${own}; dynamic name "load${i}x"; ${n} }`).join('\n')}
`;
}
