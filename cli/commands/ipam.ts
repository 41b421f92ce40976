// podroute ipam show | check | release
import type {
  AddressAuditReply,
  AddressOwner,
  AddressReleaseReply,
  BlockReleaseReply,
  IpamReply,
} from '#agent-api';
import { ask } from '../client.ts';
import { EXIT } from '../exit.ts';
import { bad, duration, numbers, type OutputFormat, print, table } from '../output-format.ts';

interface IpamOptions {
  readonly socket: string;
  readonly output: OutputFormat;
}

export async function ipamShow(options: IpamOptions): Promise<void> {
  const nowMs = Date.now();
  print(await ask<IpamReply>(options.socket, '/v1/ipam'), options.output, (reply) => ipamTable(reply, nowMs));
}

/** Blocks, then who has which address, then what is wrong. */
export function ipamTable({ usage }: IpamReply, nowMs: number): string {
  if (usage === undefined) return 'no pods on this node (--fib none)';
  const { pools, blocks, allocations, adopted, problems } = usage;
  const blockRows = blocks.map((block) => [
    block.cidr,
    block.pool ?? 'podCIDR',
    block.state,
    ...[block.capacity, block.used, block.reserved, block.free].map(String),
  ]);
  const addressRows = allocations.flatMap(({ owner, addresses, allocatedAt }) =>
    [addresses.ipv4, addresses.ipv6].flatMap((address) =>
      address === undefined
        ? []
        : [[address, ownerText(owner), owner.ifname, duration((nowMs - Date.parse(allocatedAt)) / 1000)]],
    ),
  );
  const adoptedRows = adopted.map(({ address, link }) => [address, 'not known', link, '']);
  const counts = ['SIZE', 'USED', 'RESERVED', 'FREE'].map(numbers);
  const unused = pools.filter(({ name }) => !blocks.some(({ pool }) => pool === name));
  const parts = [
    blocks.length === 0 ? 'no blocks' : table(['BLOCK', 'POOL', 'STATE', ...counts], blockRows),
    unused.map(({ name, cidr }) => `pool ${name} (${cidr}): no block of it here`).join('\n'),
    addressRows.length + adoptedRows.length === 0
      ? 'no addresses in use'
      : table(['ADDRESS', 'POD', 'INTERFACE', 'AGE'], [...addressRows, ...adoptedRows]),
    problems.map((text) => bad(text)).join('\n'),
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}

/** A pod where the runtime told of one, else the container. */
function ownerText({ podNamespace, podName, containerId }: AddressOwner): string {
  return podName === undefined
    ? `container ${containerId.slice(0, 12)}`
    : `${podNamespace ?? '?'}/${podName}`;
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
