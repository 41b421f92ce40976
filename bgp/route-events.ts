// What the RIB finds in a neighbour's routes, as lines for the operator and, where the protocol says so, the end of the
// session.
import { afiOf, type FamilyIndex, familyName } from '#ip';
import type { LimitedLog } from './limited-log.ts';
import { CEASE_RESOURCES, CODE_CEASE, maxPrefixesReached, SAFI_UNICAST } from './message/index.ts';
import type { IgnoredRoutes } from './rib/in/import.ts';
import type { RibPeer } from './rib/in/rib-peer.ts';
import type { RibEvents } from './rib/rib.ts';
import type { MemoryLimit } from './session/index.ts';

/** @param heardAll a neighbour has sent End-of-RIB */
export function routeEvents(lines: LimitedLog, heardAll: () => void): RibEvents {
  return {
    malformed: (peer, action, reason, reset) => {
      if (reset !== undefined) peer.session?.fail({ ...reset, reason: `malformed UPDATE: ${reason}` });
      else
        lines.line('malformed', peer.id, () => [
          { peer: peer.id, action, reason, counts: peer.malformed.counts },
          'malformed UPDATE; others within a minute are only counted',
        ]);
    },
    ignored: (peer, why) => ignored(lines, peer.id, why),
    endOfRib: (peer, family) => {
      const text = `End-of-RIB received for ${familyName(family)}`;
      lines.line('end of rib', peer.id, () => [{ peer: peer.id }, text]);
      heardAll();
    },
    memory: (peer, cause) => memory(peer, cause),
    fault: (peer, error, route) => fault(lines, peer, error, route),
    limit: (peer, family, isOver) => limit(lines, peer, family, isOver),
    tooLarge: (source, route) =>
      lines.line('too large', source, () => [
        { from: source, ...route() },
        'attributes fit into no message: the route is withdrawn from these peers; others of its neighbour within a minute are counted',
      ]),
  };
}

function ignored(lines: LimitedLog, peer: string, why: IgnoredRoutes): void {
  const what = why === 'family' ? 'of a family that was not agreed' : 'that no unicast table may hold';
  const text = `routes ${what} are ignored; others within a minute are counted`;
  lines.line(`ignored ${why}`, peer, () => [{ peer }, text]);
}

/** SEC-4: who sent the route falls, and nobody else. */
function fault(lines: LimitedLog, peer: RibPeer | undefined, error: unknown, route: string): void {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  lines.line('fault', peer?.id ?? '', () => {
    const hex = peer?.malformed.last.at(-1)?.hex;
    const fields = { ...(peer && { peer: peer.id }), route, error: text, hex };
    return [fields, 'a fault of podroute over a route: please report this line'];
  });
  const cause = { kind: 'internal error', text: String(error), route } as const;
  peer?.session?.fail({ code: CODE_CEASE, subcode: CEASE_RESOURCES }, { cause });
}

/** SEC-5: Cease/8 (RFC 4486 section 4), and down for as long as after too many prefixes. */
function memory(peer: RibPeer, cause: MemoryLimit): void {
  const holdDownSeconds = peer.config.maxPrefixes.restartSeconds ?? 'until reset';
  peer.session?.fail({ code: CODE_CEASE, subcode: CEASE_RESOURCES }, { holdDownSeconds, cause });
}

/** RX-6: a warning, or over the limit what maxPrefixes.action says, by default Cease/1 with family and limit (RFC 4486 section 4). */
function limit(lines: LimitedLog, peer: RibPeer, family: FamilyIndex, isOver: boolean): void {
  const { limit: most, restartSeconds, action } = peer.config.maxPrefixes;
  const name = familyName(family);
  const count = peer.receivedIn(family);
  const fields = { peer: peer.id, family: name, count, limit: most };
  if (!isOver) {
    lines.line('near limit', peer.id, () => [fields, 'near its prefix limit']);
    return;
  }
  if (action !== undefined) {
    const what = action === 'drop' ? 'what is over it is not used' : 'its routes are used all the same';
    lines.line('over limit', peer.id, () => [fields, `over its prefix limit: ${what}`]);
    return;
  }
  peer.session?.fail(maxPrefixesReached(afiOf(name), SAFI_UNICAST, most), {
    holdDownSeconds: restartSeconds ?? 'until reset',
    cause: { kind: 'prefix limit', family: name, count, limit: most },
  });
}
