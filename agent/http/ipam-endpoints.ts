// What the agent's socket answers about single addresses: GET /v1/ipam/check and POST /v1/ipam/release?address=A. Only
// on the unix socket, which is root's.
import type { AddressAuditReply, AddressReleaseReply, ErrorReply } from '#agent-api';
import type { CniServer } from '#cni-plugin';
import { canonicalAddress } from '#ip';
import type { Reply, StatusRequest } from './endpoints.ts';

export type AddressDesk = Pick<CniServer, 'audit' | 'release'>;

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

async function answered(
  method: string,
  allowed: 'GET' | 'POST',
  desk: AddressDesk | undefined,
  act: (
    desk: AddressDesk,
  ) => Promise<[status: number, body: AddressAuditReply | AddressReleaseReply | ErrorReply]>,
): Promise<Reply> {
  if (method !== allowed) return reply(405, { error: `${method}: only ${allowed} is served here` });
  if (desk === undefined) return reply(404, { error: 'this agent has no pods (--fib none)' });
  try {
    return reply(...(await act(desk)));
  } catch (error) {
    return reply(500, { error: error instanceof Error ? error.message : String(error) });
  }
}

function reply(status: number, body: AddressAuditReply | AddressReleaseReply | ErrorReply): Reply {
  return { status, contentType: 'application/json', body: JSON.stringify(body) };
}
