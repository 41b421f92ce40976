// Every row of the table, driven: each field of a running cluster is changed, and all sessions and routes are looked at.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PlanDiffReply, RouteStatus, SessionStatus } from '#agent-api';
import { planDiff } from '../../diff/plan-diff.ts';
import { startNode, TestCluster, type TestNode } from '../../testing/cluster.ts';
import { nodeYaml, objectYaml } from '../testing/cluster-yaml.ts';
import { type ChangeEffect, type FieldChange, fieldEffects } from './field-effects.ts';
import { liveChangesPage } from './live-changes-page.ts';
import {
  bfdProfileCases,
  configurationCases,
  DEFAULT_WHERE,
  type FieldCase,
  peerCases,
} from './testing/field-changes.ts';
import { filterCases, sharedSetCases } from './testing/filter-changes.ts';

/** Until sessions are up and routes are in, and until a change has done what it does: a session begins anew in seconds. */
const QUIET_MS = 15_000;

const POOLS = [
  objectYaml('IPPool', 'pods', '{ cidr: 10.244.0.0/16 }'),
  objectYaml('IPPool', 'pods6', '{ cidr: "fd00:244::/32", blockSize: 122 }'),
];

type Kind = keyof typeof fieldEffects;

const cases: Readonly<Record<Kind, Readonly<Record<string, FieldCase>>>> = {
  BGPPeer: peerCases,
  BGPConfiguration: { ...configurationCases, ...sharedSetCases },
  BGPFilter: filterCases,
  BFDProfile: bfdProfileCases,
};

/** The documents of a cluster in which the field has its value before (0) or after (1). */
function documents(kind: Kind, test: FieldCase, which: 0 | 1): string[] {
  const [second, third] = test.ases ?? [65002, 65003];
  const node = (n: number, as?: number) => {
    const asNumber = as === undefined ? '' : `podroute.io/ASNumber: "${as}", `;
    const notes = `${asNumber}${test.annotations ?? ''}`;
    return nodeYaml(
      `n${n}`,
      [`10.0.0.${n}`, `fd00::${n}`],
      `labels: { name: n${n}, topology.kubernetes.io/zone: z${n} }, annotations: { ${notes} }`,
    );
  };
  const spec = test.spec[which];
  const of = (wanted: Kind) => (kind === wanted ? spec : '');
  const joined = (...parts: string[]) => `{ ${parts.filter((part) => part !== '').join(', ')} }`;
  const { where = DEFAULT_WHERE } = test;
  const config = test.isOwn ? '' : of('BGPConfiguration');
  const mesh = config.includes('nodeToNodeMeshEnabled') ? '' : 'nodeToNodeMeshEnabled: false';
  const back = `node: n2, peerIP: 10.0.0.1, asNumber: external`;
  const families = where.includes('IPv6') ? 'families: [IPv4, IPv6]' : '';
  const open = 'import: Cluster';
  const backAs = second === 64512 ? back.replace('external', 'internal') : back;
  const hasBack = !where.includes('peerSelector') && !spec.includes('peerSelector');
  const named = new Set((test.more ?? []).flatMap((text) => /name: (changed-back)/.exec(text)?.[1] ?? []));
  return [
    ...[node(1), node(2, second), node(3, third), node(5, 65005), node(6, 65006)],
    ...POOLS,
    objectYaml('BGPConfiguration', 'default', joined(mesh, test.config ?? '', config)),
    ...(test.isOwn ? [objectYaml('BGPConfiguration', 'node.n1', joined(spec))] : []),
    objectYaml('BGPPeer', 'changed', joined(where, of('BGPPeer'))),
    ...(hasBack && !named.has('changed-back')
      ? [objectYaml('BGPPeer', 'changed-back', joined(backAs, families, open, test.both ? spec : ''))]
      : []),
    objectYaml(
      'BGPPeer',
      'other',
      joined('node: n1, peerIP: 10.0.0.3, families: [IPv4, IPv6]', `asNumber: ${third}`),
    ),
    objectYaml(
      'BGPPeer',
      'other-back',
      '{ node: n3, peerIP: 10.0.0.1, asNumber: external, families: [IPv4, IPv6] }'.replace(
        'external',
        third === 64512 ? 'internal' : 'external',
      ),
    ),
    ...(kind === 'BGPFilter' ? [objectYaml('BGPFilter', 'f', joined(spec))] : []),
    ...(kind === 'BFDProfile' ? [objectYaml('BFDProfile', 'p', joined(spec))] : []),
    ...(test.more ?? []),
  ];
}

interface Seen {
  /** 'n1 changed' → the session. */
  readonly sessions: ReadonlyMap<string, SessionStatus>;
  /** Which sessions are wanted, and with whom. */
  readonly wanted: string;
  /** All routes of all nodes with their attributes, and the kernel's. */
  readonly routes: string;
  readonly listen: string;
  /** How many plans each node has had. */
  readonly generations: readonly number[];
}

async function look(nodes: readonly TestNode[]): Promise<Seen> {
  const sessions = new Map<string, SessionStatus>();
  const wanted: string[] = [];
  const routes: string[] = [];
  for (const { agent, source, kernel } of nodes) {
    const status = source.status();
    for (const session of status.sessions) {
      sessions.set(`${agent.nodeName} ${session.id}`, session);
      wanted.push(`${agent.nodeName} ${session.id} ${session.remote}`);
    }
    for (const { id, prefix } of status.ranges) wanted.push(`${agent.nodeName} ${id} ${prefix}`);
    for (const { id, device } of status.waiting ?? []) wanted.push(`${agent.nodeName} ${id} ${device}`);
    const all = source.routes({ view: 'all', longer: false, limit: 100 }).routes.map(withoutTimes);
    const kernelRoutes = await kernel.routes({ protocol: 179 });
    routes.push(...[...all, ...kernelRoutes].map((route) => `${agent.nodeName} ${JSON.stringify(route)}`));
  }
  const plan = nodes[0]!.agent.inForce!.plan;
  return {
    sessions,
    wanted: wanted.sort().join('\n'),
    routes: routes.sort().join('\n'),
    listen: JSON.stringify(plan.speaker.listen),
    generations: nodes.map(({ agent }) => agent.inForce!.generation),
  };
}

function withoutTimes({ since: _since, sinceSeconds: _seconds, ...route }: RouteStatus) {
  return route;
}

/** The same connection as before, with nothing asked for again. */
function isSame(before: SessionStatus | undefined, after: SessionStatus | undefined): boolean {
  return (
    before?.since === after?.since &&
    before?.state === after?.state &&
    before?.flaps === after?.flaps &&
    before?.messages.out.routeRefresh === after?.messages.out.routeRefresh
  );
}

/** What a change of `changed` or of what it stands for did, against what the table says. */
function judge(row: FieldChange, test: FieldCase, before: Seen, after: Seen): void {
  const effect: ChangeEffect = row.effect;
  const unrelated = ['n1 other', 'n3 other-back'];
  const touched = [...before.sessions.keys()].filter(
    (id) =>
      before.sessions.get(id)?.state === 'Established' &&
      !isSame(before.sessions.get(id), after.sessions.get(id)),
  );
  const isTold = before.routes !== after.routes;
  const pending = [...after.sessions].flatMap(([id, { pending: fields }]) =>
    fields === undefined ? [] : [id],
  );
  if (effect !== 'all sessions')
    assert.deepEqual(
      touched.filter((id) => unrelated.includes(id)),
      [],
      'unrelated sessions that saw it',
    );
  for (const id of unrelated) assert.equal(before.sessions.get(id)?.state, 'Established', id);
  // The other side dials the new port the next time.
  if (effect !== 'next session' && effect !== 'listener') assert.deepEqual(pending, [], 'waits');
  if (effect !== 'which sessions') assert.equal(before.wanted, after.wanted);
  const isPlanned = before.generations.some((generation, i) => generation !== after.generations[i]);
  assert.equal(isPlanned, effect !== 'nothing', 'another plan');
  switch (effect) {
    case 'nothing':
      assert.deepEqual([touched, isTold], [[], false]);
      break;
    case 'live':
      assert.deepEqual(touched, []);
      break;
    case 're-evaluation':
      assert.deepEqual([touched, isTold], [[], test.isSilent !== true]);
      break;
    case 'next session':
      assert.deepEqual([touched, isTold], [[], false]);
      assert.ok(pending.length > 0, 'the status says what waits');
      break;
    case 'reset':
      assert.ok(touched.includes('n1 changed'), touched.join());
      break;
    case 'which sessions':
      assert.notEqual(before.wanted, after.wanted);
      break;
    case 'listener':
      assert.notEqual(before.listen, after.listen);
      assert.deepEqual(touched, []);
      break;
    case 'all sessions':
      assert.deepEqual(touched.filter((id) => id.startsWith('n1 ')).sort(), ['n1 changed', 'n1 other']);
      break;
  }
}

/** What `podroute plan --diff` says of the change before it is made: nothing may be left out. */
function judgeForetold(
  { effect }: FieldChange,
  replies: readonly PlanDiffReply[],
  before: Seen,
  after: Seen,
): void {
  const sessions = replies.flatMap((reply) => reply.sessions);
  const effects = new Set(sessions.flatMap(({ changes }) => changes.map((change) => change.effect)));
  const is = (...what: string[]) => sessions.some((session) => what.includes(session.what));
  const settings = replies.flatMap((reply) => reply.settings.map(({ setting }) => setting));
  const own = replies.flatMap(({ originated, withdrawn }) => [...originated, ...withdrawn]);
  const isDoubted = replies.some(({ notes }) => notes.length > 0);
  const isForetold = sessions.length + settings.length + own.length > 0;
  assert.equal(isForetold, effect !== 'nothing', 'plan --diff says something');
  const someRoutes = (found: PlanDiffReply['best']) =>
    found !== undefined && found.appear.count + found.vanish.count + found.change.count > 0;
  const areRoutes =
    sessions.some(({ accepted, sent }) => someRoutes(accepted) || someRoutes(sent)) ||
    replies.some(({ best }) => someRoutes(best));
  switch (effect) {
    case 'nothing':
      assert.equal(areRoutes, false);
      break;
    case 're-evaluation':
      if (before.routes !== after.routes)
        assert.ok(
          areRoutes || own.length > 0 || isDoubted,
          'routes are foreseen, or it is said that they are not',
        );
      break;
    case 'next session':
      assert.ok(effects.has('later') || settings.includes('listen'));
      break;
    case 'live':
      assert.ok(effects.has('live') || effects.has('soft') || effects.has('later') || settings.length > 0);
      break;
    case 'reset':
    case 'all sessions':
      assert.ok(is('begins anew'), JSON.stringify(sessions));
      break;
    case 'which sessions':
      assert.ok(
        is('begins', 'ends', 'begins anew') || settings.includes('waiting'),
        JSON.stringify(sessions),
      );
      break;
    case 'listener':
      assert.ok(settings.includes('listen'), settings.join());
      break;
  }
}

describe('the page of live changes', () => {
  it('is what node agent/plan/changes/generate-live-changes.ts writes', () => {
    const page = join(import.meta.dirname, '..', '..', '..', 'docs', 'live-changes.md');
    assert.equal(readFileSync(page, 'utf8'), liveChangesPage());
    const [, ofFilters] = liveChangesPage().split('## BGPFilter');
    for (const field of ['communitySets.values', 'prefixSets.name', 'asPath.regex'])
      assert.ok(ofFilters?.includes(`| \`${field}\` |`), field);
  });
});

for (const kind of Object.keys(fieldEffects) as Kind[]) {
  describe(`a change of a ${kind}`, () => {
    it('is tried for every field of the table', () => {
      assert.deepEqual(Object.keys(cases[kind]).sort(), fieldEffects[kind].map(({ field }) => field).sort());
    });

    for (const row of fieldEffects[kind]) {
      const test = cases[kind][row.field];
      if (test === undefined) continue;
      it(`in ${row.field}: ${row.effect}`, async () => {
        const store = new TestCluster();
        store.set(...documents(kind, test, 0));
        const address = (n: number) =>
          [{ type: 'addAddress', device: 'eth0', address: `fd00::${n}/64` }] as const;
        const wayOut = {
          type: 'addRoute',
          route: { destination: '0.0.0.0/0', nextHops: [{ gateway: '10.0.0.2' }], protocol: 4 },
        } as const;
        const [second, third] = test.blocks ?? [['10.244.2.0/26'], ['10.244.3.0/26']];
        const six = (n: number) => `fd00:244:${n}::/122`;
        await using one = await startNode(1, store, ['10.244.1.0/26', six(1)], store, [
          ...address(1),
          wayOut,
        ]);
        await using two = await startNode(2, store, [...second, six(2)], store, address(2));
        await using three = await startNode(3, store, [...third, six(3)], store, address(3));
        await store.simulation.run(QUIET_MS);
        const before = await look([one, two, three]);
        const text = documents(kind, test, 1).join('\n---\n');
        const { clock } = store.simulation;
        const foretold: PlanDiffReply[] = [];
        for (const { agent } of [one, two, three])
          foretold.push(
            await planDiff({ file: 'FILE', text, deed: 'apply' }, agent, { clock, scheduler: clock }),
          );
        store.set(...documents(kind, test, 1));
        await store.simulation.run(QUIET_MS);
        const after = await look([one, two, three]);
        judge(row, test, before, after);
        judgeForetold(row, foretold, before, after);
      });
    }
  });
}
