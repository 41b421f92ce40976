// GoBGP with dynamic neighbours; it never touches the kernel unless told to.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Job, listening, type Speaker } from './speaker.ts';
import { GOBGP } from '../../testing/routers.ts';

export const gobgp: Speaker = {
  name: 'gobgp',
  title: 'GoBGP',
  isSlow: true,
  ...GOBGP,
  async start(job) {
    const config = join(job.folder, 'gobgpd.toml');
    writeFileSync(config, configOf(job));
    const process = job.host.spawn([
      'gobgpd',
      '-f',
      config,
      '--log-level',
      'error',
      '--api-hosts',
      '127.0.0.1:50051',
    ]);
    await listening(job.host, process, 179);
    return { process, port: 179 };
  },
};

function configOf({ load, place }: Job): string {
  const self = place.asNumber;
  // GoBGP has no 'external': the peers' AS numbers are known, one group and one exact range each.
  const groups: { ranges: string[]; as: number; reflector?: boolean }[] = [];
  if (load === 'reflect') groups.push({ ranges: ['10.98.0.0/16'], as: self, reflector: true });
  else {
    const external = load === 'feed' ? 1 : place.peerCount;
    const last = place.firstPeer.lastIndexOf('.');
    const at = (i: number) =>
      `${place.firstPeer.slice(0, last)}.${Number(place.firstPeer.slice(last + 1)) + i}/32`;
    for (let i = 0; i < external; i++)
      groups.push({ ranges: [at(i)], as: (load === 'feed' ? 65102 : 65100) + i });
    if (load === 'feed') groups.push({ ranges: ['10.99.0.128/25'], as: self });
  }
  const text = [`[global.config]\n  as = ${self}\n  router-id = "${place.speakerAddress}"`];
  for (const [i, group] of groups.entries()) {
    text.push(
      `[[peer-groups]]\n  [peer-groups.config]\n    peer-group-name = "g${i}"\n    peer-as = ${group.as}`,
    );
    text.push('  [peer-groups.timers.config]\n    hold-time = 600');
    if (group.reflector === true) {
      text.push('  [peer-groups.route-reflector.config]');
      text.push(
        `    route-reflector-client = true\n    route-reflector-cluster-id = "${place.speakerAddress}"`,
      );
    }
    text.push(
      '  [[peer-groups.afi-safis]]\n    [peer-groups.afi-safis.config]\n      afi-safi-name = "ipv4-unicast"',
    );
    for (const range of group.ranges) {
      text.push(
        `[[dynamic-neighbors]]\n  [dynamic-neighbors.config]\n    prefix = "${range}"\n    peer-group = "g${i}"`,
      );
    }
  }
  return `${text.join('\n')}\n`;
}
