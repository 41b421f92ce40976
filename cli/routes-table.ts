// `podroute routes` for people: one line a path.
import type { RouteStatus } from '#agent-api';
import { comparePrefixes, parsePrefix } from '#ip';
import { bad, duration, numbers, table } from './output-format.ts';

/** By family and prefix; of one prefix the best path, those used beside it, then the rest, each by its session. */
export function sorted(routes: readonly RouteStatus[]): RouteStatus[] {
  const rank = (route: RouteStatus) => (route.isBest ? 0 : route.isMultipath ? 1 : 2);
  return routes
    .map((route) => ({ route, prefix: parsePrefix(route.prefix)! }))
    .toSorted(
      (a, b) =>
        comparePrefixes(a.prefix, b.prefix) ||
        rank(a.route) - rank(b.route) ||
        (a.route.peer ?? '').localeCompare(b.route.peer ?? '', 'en') ||
        (a.route.pathId ?? 0) - (b.route.pathId ?? 0),
    )
    .map(({ route }) => route);
}

export function routesTable(routes: readonly RouteStatus[], showWhy: boolean): string {
  if (routes.length === 0) return 'no routes';
  const header = [
    '',
    'PREFIX',
    'FROM',
    'NEXT HOP',
    'AS PATH',
    numbers('LOCAL PREF'),
    numbers('MED'),
    'AGE',
    'COMMUNITIES AND OTHERS',
  ];
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
        route.sinceSeconds === undefined ? '' : duration(route.sinceSeconds),
        [...route.communities, ...route.largeCommunities, ...others(route)].join(' '),
      ];
      if (showKernel) row.push(route.kernel === undefined ? '' : kernelText(route.kernel));
      if (showWhy) row.push(route.why);
      return row;
    }),
  );
}

function kernelText({ state, route }: NonNullable<RouteStatus['kernel']>): string {
  return `${state === 'failed' ? bad(state) : state}: ${route}`;
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
