// What the agent's socket answers about single addresses and blocks: GET /v1/ipam/check, POST /v1/ipam/release?address=A
// and POST /v1/ipam/release?block=CIDR. Only on the unix socket, which is root's.
import type { AddressAuditReply, AddressReleaseReply, BlockReleaseReply, ErrorReply } from '#agent-api';
import type { CniServer } from '#cni-plugin';
import { canonicalAddress, formatPrefix, parsePrefix } from '#ip';
import { json, refusal, type Reply, type StatusRequest } from './endpoints.ts';

export type AddressDesk = Pick<CniServer, 'audit' | 'release' | 'releaseBlock'>;

/**
 * @param desk undefined on an agent without pods
 * @returns undefined for any other path
 */
export function answerAddresses(
  { method, url }: StatusRequest,
  desk: AddressDesk | undefined,
): Promise<Reply> | undefined {
  const { pathname, searchParams } = new URL(url, 'http://agent');
  switch (pathname) {
    case '/v1/ipam/check':
      return answered(method, 'GET', desk, async (at) => [200, await at.audit()]);
    case '/v1/ipam/release':
      return answered(method, 'POST', desk, async (at) => {
        const block = searchParams.get('block');
        if (block !== null) return releaseBlock(at, block);
        const text = searchParams.get('address') ?? '';
        const address = canonicalAddress(text);
        if (address === undefined) return [400, { error: `address=${text} is not an IP address` }];
        const outcome = await at.release(address);
        return outcome.kind === 'refused' ? [409, { error: outcome.why }] : [200, outcome];
      });
    default:
      return undefined;
  }
}

async function releaseBlock(desk: AddressDesk, text: string): Promise<Answered> {
  const prefix = parsePrefix(text);
  if (prefix === undefined) return [400, { error: `block=${text} is not a CIDR` }];
  const outcome = await desk.releaseBlock(formatPrefix(prefix));
  return outcome.kind === 'refused' ? [409, { error: outcome.why }] : [200, outcome];
}

type Answered = [status: number, body: IpamAnswer];

async function answered(
  method: string,
  allowed: 'GET' | 'POST',
  desk: AddressDesk | undefined,
  act: (desk: AddressDesk) => Promise<Answered>,
): Promise<Reply> {
  if (method !== allowed) return refusal(405, `${method}: only ${allowed} is served here`);
  if (desk === undefined) return refusal(404, 'this agent has no pods (--fib none)');
  try {
    const [status, body] = await act(desk);
    return json(body, status);
  } catch (error) {
    return refusal(500, error instanceof Error ? error.message : String(error));
  }
}

type IpamAnswer = AddressAuditReply | AddressReleaseReply | BlockReleaseReply | ErrorReply;
