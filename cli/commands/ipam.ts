// podroute ipam show | check | release
import type { AddressAuditReply, AddressReleaseReply, BlockReleaseReply, IpamReply } from '#agent-api';
import { stringify } from 'yaml';
import { ask } from '../client.ts';
import { EXIT } from '../exit.ts';
import { type OutputFormat, print, table } from '../output-format.ts';

interface IpamOptions {
  readonly socket: string;
  readonly output: OutputFormat;
}

export async function ipamShow(options: IpamOptions): Promise<void> {
  print(await ask<IpamReply>(options.socket, '/v1/ipam'), options.output, (reply) =>
    stringify(reply).trimEnd(),
  );
}

/** Exit code 1 when an address is not as it should be. */
export async function ipamCheck(options: IpamOptions): Promise<void> {
  const audit = await ask<AddressAuditReply>(options.socket, '/v1/ipam/check');
  print(audit, options.output, ({ checked, findings }) =>
    findings.length === 0
      ? `${checked} addresses checked: each has its link and its route`
      : table(
          ['ADDRESS', 'WHAT', 'WHY', 'DO'],
          findings.map(({ address, kind, text, next }) => [address, kind, text, next]),
        ),
  );
  if (audit.findings.length > 0) process.exitCode = EXIT.badNews;
}

/** @param what an address, or the CIDR of a block */
export async function ipamRelease(what: string, options: IpamOptions): Promise<void> {
  await (what.includes('/') ? releaseBlock(what, options) : releaseAddress(what, options));
}

async function releaseBlock(block: string, options: IpamOptions): Promise<void> {
  const path = `/v1/ipam/release?block=${encodeURIComponent(block)}`;
  const outcome = await ask<BlockReleaseReply>(options.socket, path, 'POST');
  print(outcome, options.output, ({ cidr, node }) => `${cidr} is free: it was of node ${node}`);
}

async function releaseAddress(address: string, options: IpamOptions): Promise<void> {
  const path = `/v1/ipam/release?address=${encodeURIComponent(address)}`;
  const outcome = await ask<AddressReleaseReply>(options.socket, path, 'POST');
  print(outcome, options.output, (freed) =>
    freed.owner === undefined
      ? `${freed.address} is free`
      : `${freed.address} is free, with all that ${freed.owner} held`,
  );
}
