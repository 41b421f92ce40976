// `podroute routes` for people: one line a path.
import type { RouteStatus } from '#agent-api';
import { table } from './output-format.ts';

export function routesTable(routes: readonly RouteStatus[], showWhy: boolean): string {
  if (routes.length === 0) return 'no routes';
  const header = ['', 'PREFIX', 'FROM', 'NEXT HOP', 'AS PATH', 'LOCAL PREF', 'MED', 'COMMUNITIES AND OTHERS'];
  const showKernel = routes.some((route) => route.kernel !== undefined);
  if (showKernel) header.push('KERNEL');
  if (showWhy) header.push('WHY');
  return table(
    header,
    routes.map((route) => {
      const row = [
        route.isBest ? '>' : route.isMultipath ? '=' : ' ',
        route.prefix,
        route.isLocal ? 'this node' : (route.peer ?? ''),
        route.nextHops.join(' '),
        route.asPath,
        route.localPref === undefined ? '' : String(route.localPref),
        route.med === undefined ? '' : String(route.med),
        [...route.communities, ...route.largeCommunities, ...others(route)].join(' '),
      ];
      if (showKernel)
        row.push(route.kernel === undefined ? '' : `${route.kernel.state}: ${route.kernel.route}`);
      if (showWhy) row.push(route.why);
      return row;
    }),
  );
}

function others(route: RouteStatus): string[] {
  const { originatorId, clusterList, others: rest = [] } = route;
  return [
    ...(originatorId === undefined ? [] : [`originator=${originatorId}`]),
    ...(clusterList === undefined ? [] : [`clusters=${clusterList.join(',')}`]),
    ...rest.map(({ name, value }) => `${name.replaceAll(' ', '-')}=${value}`),
    ...(route.pathId === undefined ? [] : [`path-id=${route.pathId}`]),
    ...(route.isStale === true ? ['stale'] : []),
  ];
}
