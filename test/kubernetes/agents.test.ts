// Three agents and a router (BIRD) on a real API server: what an operator does with kubectl, and what the router shows.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BGPNodeStatus } from '#api';
import { type KubernetesApi, Lab } from '#lab';
import { waitUntil } from '#world';

const SOON_MS = 15_000;

describe('agents of a cluster', function () {
  this.timeout(180_000);
  let lab: Lab;
  let api: KubernetesApi;

  before(async function () {
    // The first run on a machine builds the API server.
    this.timeout(1_800_000);
    const folder = mkdtempSync(join(tmpdir(), 'podroute-cluster-'));
    rmSync(folder, { recursive: true });
    lab = await Lab.up({
      topology: 'tor',
      store: 'kubernetes',
      folder,
      name: `podroute-cluster-${process.pid}`,
      keep: false,
    });
    ({ api } = lab);
    await lab.settled();
  });
  after(() => lab[Symbol.asyncDispose]());

  const bird = (...command: string[]) => lab.router('tor').ask('show', ...command);
  /** Empty when there is no such route. */
  const birdRoute = (prefix: string): string => {
    try {
      return bird('route', 'for', prefix);
    } catch {
      return '';
    }
  };
  const status = (node: string) =>
    JSON.parse(api.kubectl(['get', 'bgpnodestatus', node, '-o', 'json'])) as BGPNodeStatus;
  const sessions = (node: string) =>
    (status(node).status?.sessions ?? []).map(({ peer, state }) => `${peer} ${state}`);
  const apply = (...documents: readonly object[]) =>
    api.kubectl(['apply', '-f', '-'], documents.map((one) => JSON.stringify(one)).join('\n---\n'));
  const ours = (kind: string, name: string, spec: object) => ({
    apiVersion: 'podroute.io/v1',
    kind,
    metadata: { name },
    spec,
  });

  it('show their sessions to kubectl', async () => {
    await waitUntil('n1 to tell of its sessions', SOON_MS, () => {
      if (!api.kubectl(['get', 'bgpns', '-o', 'name']).includes('n1')) return false;
      return sessions('n1').join() === 'tor-n1-ipv4 Established,tor-n1-ipv6 Established';
    });
    await waitUntil('every node to be ready', SOON_MS, () => {
      const rows = api.kubectl(['get', 'bgpns', '--no-headers']).trim().split('\n');
      return rows.length === 3 && rows.every((row) => / True +/.test(row));
    });
    assert.match(api.kubectl(['get', 'bgpns', 'n1']), /READY +AS +ROUTER-ID +ESTABLISHED +CONFIGURED/);
  });

  it('follow a peer that is applied, changed and deleted', async () => {
    api.kubectl(['delete', 'bgppeer.podroute.io', 'tor-n2-ipv4']);
    await waitUntil('BIRD to lose n2', SOON_MS, () => !/n2_ipv4.*Established/.test(bird('protocols')));
    apply(ours('BGPPeer', 'tor-n2-ipv4', { node: 'n2', peerIP: '10.0.2.0', asNumber: 65000 }));
    await waitUntil('BIRD to see n2', SOON_MS, () => /n2_ipv4.*Established/.test(bird('protocols')));
  });

  it('follow a filter, and touch no session for it', async () => {
    const [block = ''] = lab.ownBlocks('n1');
    const before = bird('protocols');
    assert.match(birdRoute(block), /n1_ipv4/);
    apply(
      ours('BGPFilter', 'nothing', {
        exportV4: [{ action: 'Reject', matchOperator: 'In', cidr: '0.0.0.0/0' }],
      }),
      ours('BGPPeer', 'tor-n1-ipv4', {
        node: 'n1',
        peerIP: '10.0.1.0',
        asNumber: 65000,
        filters: ['nothing'],
      }),
    );
    await waitUntil('BIRD to lose the route', SOON_MS, () => !birdRoute(block).includes('n1_ipv4'));
    api.kubectl([
      'patch',
      'bgppeer.podroute.io',
      'tor-n1-ipv4',
      '--type=json',
      '-p',
      '[{"op":"remove","path":"/spec/filters"}]',
    ]);
    await waitUntil('BIRD to have it again', SOON_MS, () => birdRoute(block).includes('n1_ipv4'));
    const since = (text: string) => /^n1_ipv4.*$/m.exec(text)?.[0];
    assert.equal(since(bird('protocols')), since(before), 'the session is the same');
  });

  it('keep a session down for a Secret that is missing, and start it when it comes', async () => {
    const password = { secretKeyRef: { name: 'bgp-passwords', key: 'tor' } };
    apply(ours('BGPPeer', 'tor-n3-ipv4', { node: 'n3', peerIP: '10.0.3.0', asNumber: 65000, password }));
    await waitUntil('n3 to say it', SOON_MS, () =>
      (status('n3').status?.problems ?? []).some(({ message }) => /bgp-passwords/.test(message)),
    );
    await waitUntil('BIRD to lose n3', SOON_MS, () => !/n3_ipv4.*Established/.test(bird('protocols')));
    api.kubectl([
      'create',
      'secret',
      'generic',
      'bgp-passwords',
      '-n',
      'podroute-system',
      '--from-literal=tor=wrong',
    ]);
    await waitUntil('n3 to have the Secret', SOON_MS, () =>
      (status('n3').status?.problems ?? []).every(({ message }) => !/bgp-passwords/.test(message)),
    );
    apply(ours('BGPPeer', 'tor-n3-ipv4', { node: 'n3', peerIP: '10.0.3.0', asNumber: 65000 }));
    await waitUntil('BIRD to see n3', 30_000, () => /n3_ipv4.*Established/.test(bird('protocols')));
  });

  it('find a block of theirs that has no label, as of before there was one, and label it', async () => {
    const blocks = (...args: string[]) =>
      api
        .kubectl(['get', 'ipamblocks', '-l', 'podroute.io/node=n3', '-o', 'name', ...args])
        .trim()
        .split('\n');
    const [block = '', ...rest] = blocks();
    api.kubectl(['label', block, 'podroute.io/node-']);
    await waitUntil('n3 to label it', SOON_MS, () => blocks().length === rest.length + 1);
    const problems = status('n3').status?.problems ?? [];
    assert.deepEqual(
      problems.filter(({ message }) => message.includes('block')),
      [],
    );
  });

  it('serve pods and keep sessions and routes while the API server is away, and converge after it', async () => {
    await lab.addPod('n1', 'early');
    const before = bird('protocols');
    await api.pause();
    await sleep(12_000);
    const { pod } = await lab.addPod('n1', 'late');
    assert.ok(pod.addresses.length === 2);
    // One more block is not to be had: CNI's "try again later".
    const ask = () => lab.addPod('n1', 'waits', 'IP=10.244.200.7');
    await assert.rejects(ask(), /"code":11,"msg":"requested address 10\.244\.200\.7: /);
    await lab.deletePod('early');
    // BIRD rounds the moment anew each time.
    const untilSeconds = (text: string) => text.replaceAll(/\.\d{3} /g, ' ');
    assert.equal(untilSeconds(bird('protocols')), untilSeconds(before), 'no session noticed it');
    assert.match(lab.podroute('n1', 'status'), /the API server .* does not answer/);
    await api.resume();
    api.compact();
    apply(ours('BGPFilter', 'nothing', { exportV4: [] }));
    // The server refuses every block until it has read the pools; as a kubelet, again and again.
    let waiting = 'ADD';
    await waitUntil('the pod to start', 60_000, async () => {
      waiting = await ask().then(
        () => '',
        (error: unknown) => String(error),
      );
      if (waiting !== '') assert.match(waiting, /"code":11,/);
      return waiting === '';
    });
    await lab.deletePod('waits');
    await waitUntil('n1 to be well', 40_000, () => !lab.podroute('n1', 'status').includes('does not answer'));
    await waitUntil('every node to be ready', 60_000, () => {
      const rows = api.kubectl(['get', 'bgpns', '--no-headers']).trim().split('\n');
      return rows.every((row) => / True +/.test(row));
    });
  });

  it('start without the API server, by what they knew', async () => {
    await api.pause();
    await lab.stopAgent('n2');
    lab.startAgent('n2');
    await lab.agentReady('n2', 30_000);
    await waitUntil('BIRD to see n2', 30_000, () => /n2_ipv4.*Established/.test(bird('protocols')));
    await lab.addPod('n2', 'alone');
    await api.resume();
  });

  it('tell of what happened in events that kubectl describe shows, and that pods can run on their nodes', async () => {
    await waitUntil('n1 to be available', SOON_MS, () =>
      /NetworkUnavailable +False .*PodrouteReady/.test(api.kubectl(['describe', 'node', 'n1'])),
    );
    assert.match(
      api.kubectl(['describe', 'bgppeer.podroute.io', 'tor-n3-ipv4']),
      /Warning +SecretMissing .*podroute/,
    );
    api.kubectl(['delete', 'bgppeer.podroute.io', 'tor-n1-ipv6']);
    // The server was away: n1 may still wait before it asks again.
    await waitUntil('BIRD to lose n1', 60_000, () => !/n1_ipv6.*Established/.test(bird('protocols')));
    apply(ours('BGPPeer', 'tor-n1-ipv6', { node: 'n1', peerIP: 'fd00:0:0:1::1', asNumber: 65000 }));
    // Its status is looked at seldom while the server is away.
    await waitUntil('the event', 60_000, () =>
      /Normal +SessionUp .*session tor-n1-ipv6 with fd00:0:0:1::1 \(AS 65000\) is up/.test(
        api.kubectl(['describe', 'bgppeer.podroute.io', 'tor-n1-ipv6']),
      ),
    );
  });

  it('say in kubectl why a session is down', async () => {
    apply(ours('BGPPeer', 'tor-n2-ipv6', { node: 'n2', peerIP: 'fd00:0:0:2::1', asNumber: 65099 }));
    await waitUntil('n2 to say why', 30_000, () => {
      const session = status('n2').status?.sessions?.find(({ peer }) => peer === 'tor-n2-ipv6');
      return session?.lastErrorCode === '2/2' && status('n2').status?.ready === 'False';
    });
  });

  it('mark a Node that was made anew under a running agent, long before they would look again', async () => {
    const { metadata, spec, status } = JSON.parse(api.kubectl(['get', 'node', 'n1', '-o', 'json'])) as {
      readonly metadata: { readonly labels?: object; readonly annotations?: object };
      readonly spec: object;
      readonly status: { readonly addresses: object };
    };
    api.kubectl(['delete', 'node', 'n1']);
    const { labels, annotations } = metadata;
    const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1', labels, annotations }, spec };
    api.kubectl(['create', '-f', '-'], JSON.stringify(node));
    const addresses = JSON.stringify({ status: { addresses: status.addresses } });
    api.kubectl(['patch', 'node', 'n1', '--subresource=status', '--type=merge', '-p', addresses]);
    await waitUntil('the new Node to be available', 30_000, () =>
      /NetworkUnavailable +False .*PodrouteReady/.test(api.kubectl(['describe', 'node', 'n1'])),
    );
  });

  it('give back what Pods that are gone have left, also while no agent ran, and report what is still in use', async () => {
    const make = (name: string): string => {
      const containers = [{ name: 'main', image: 'none' }];
      const metadata = { name, namespace: 'default' };
      apply({ apiVersion: 'v1', kind: 'Pod', metadata, spec: { nodeName: 'n3', containers } });
      return api.kubectl(['get', 'pod', name, '-o', 'jsonpath={.metadata.uid}']);
    };
    for (const name of ['stays', 'slow', 'lost']) await lab.addPod('n3', name, `K8S_POD_UID=${make(name)}`);
    const plain = await lab.addPod('n3', 'never-seen');
    const held = () =>
      ['stays', 'slow', 'lost', 'never-seen'].filter((name) =>
        lab.podroute('n3', 'ipam', 'show').includes(name),
      );
    await lab.stopAgent('n3');
    // No DEL comes.
    await lab.pods.get('lost')!.host[Symbol.asyncDispose]();
    api.kubectl(['delete', 'pod', 'slow', 'lost', '--force', '--grace-period=0']);
    make('lost');
    const [address = ''] = plain.pod.addresses;
    // Longer than an agent needs to be ready on a busy machine: until then nothing is taken back.
    lab.startAgent('n3', 8);
    await lab.agentReady('n3');
    assert.deepEqual(held(), ['stays', 'slow', 'lost', 'never-seen'], 'of the journal');
    await waitUntil('the addresses of lost to be free', SOON_MS, () => !held().includes('lost'));
    assert.deepEqual(held(), ['stays', 'slow', 'never-seen']);
    await waitUntil('n3 to report the others', SOON_MS, () => {
      const { leaked, leaks = [] } = status('n3').status ?? {};
      return (
        leaked === 2 &&
        leaks
          .map(({ pod }) => pod)
          .sort()
          .join() === 'default/never-seen,default/slow'
      );
    });
    assert.match(lab.podroute('n3', 'status'), /LEAKS +2 Pods are gone/);
    assert.ok(lab.podroute('n3', 'status').includes(address));
    await waitUntil('the event', SOON_MS, () =>
      /Normal +LeaksCollected .*of Pod default\/lost/.test(api.kubectl(['describe', 'node', 'n3'])),
    );
  });
});
