// podroute ipam show
import type { IpamReply } from '#agent';
import { stringify } from 'yaml';
import { ask } from '../client.ts';
import { type OutputFormat, print } from '../output.ts';

export async function ipamShow(options: { socket: string; output: OutputFormat }): Promise<void> {
  print(await ask<IpamReply>(options.socket, '/v1/ipam'), options.output, (reply) =>
    stringify(reply).trimEnd(),
  );
}
