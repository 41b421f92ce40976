// The configurations of a lab's routers, as text that BIRD and FRR read.
import { FAMILIES, type Family, familyOf } from '#ip';

/** Of every top-of-rack router. */
export const TOR_AS = 65000;

/** A link with an address of each family at both ends. */
export interface TorLink {
  readonly node: string;
  readonly as: number;
  readonly ipv4: { readonly node: string; readonly tor: string };
  readonly ipv6: { readonly node: string; readonly tor: string };
}

/** @param routerId BIRD's is always 10.0.0.254 */
export function torConfig(software: 'BIRD' | 'FRR', routerId: string, links: readonly TorLink[]): string {
  if (software === 'BIRD') return birdConfig(links);
  const neighbours = links.flatMap((link) =>
    FAMILIES.map((family) => ({
      name: link[family].node,
      options: [`remote-as ${link.as}`],
      families: [family],
    })),
  );
  return frrConfig(routerId, neighbours);
}

function birdConfig(links: readonly TorLink[]): string {
  const session = (link: TorLink, family: Family) =>
    `protocol bgp ${link.node}_${family} { local ${link[family].tor} as ${TOR_AS}; neighbor ${link[family].node} as ${link.as}; graceful restart on; ${family} { import all; export where source = RTS_BGP; }; }`;
  return `# A top-of-rack router: eBGP to every node, one session a family.
router id 10.0.0.254;
log stderr all;
protocol device { scan time 2; }
protocol direct { ipv4; ipv6; }
protocol kernel { persist; graceful restart; ipv4 { import none; export where source = RTS_BGP; }; }
protocol kernel { persist; graceful restart; ipv6 { import none; export where source = RTS_BGP; }; }
${links.flatMap((link) => FAMILIES.map((family) => session(link, family))).join('\n')}
`;
}

export interface FrrNeighbour {
  /** Its address or interface. */
  readonly name: string;
  /** What follows `neighbor NAME`. */
  readonly options: readonly string[];
  readonly families: readonly Family[];
}

/** @param networks what it announces of its own */
export function frrConfig(
  routerId: string,
  neighbours: readonly FrrNeighbour[],
  networks: readonly string[] = [],
): string {
  const session = ({ name, options }: FrrNeighbour) =>
    [...options, 'timers connect 1', 'advertisement-interval 0']
      .map((option) => ` neighbor ${name} ${option}`)
      .join('\n');
  const family = (name: Family) =>
    [
      ` address-family ${name} unicast`,
      ...networks.filter((prefix) => familyOf(prefix) === name).map((prefix) => `  network ${prefix}`),
      ...neighbours
        .filter((one) => one.families.includes(name))
        .map((one) => `  neighbor ${one.name} activate`),
      ' exit-address-family',
    ].join('\n');
  return `! One of two top-of-rack routers: eBGP to every node.
router bgp ${TOR_AS}
 bgp router-id ${routerId}
 no bgp ebgp-requires-policy
 no bgp default ipv4-unicast
 bgp graceful-restart
 bgp graceful-restart preserve-fw-state
${[...neighbours.map(session), ...FAMILIES.map(family)].join('\n')}
`;
}
