// What is read of a cluster at one moment, whatever kinds it has.
import assert from 'node:assert/strict';
import { FakeClock } from '#world/testing';
import { type ApiServer, ApiError } from './api-server.ts';
import { readCluster } from './read-cluster.ts';
import { RESOURCE_PATHS } from './resource-paths.ts';
import { peer, pool, profile, secret } from './testing/given-objects.ts';
import { MemoryApiServer } from './testing/memory-api-server.ts';

const OURS = '/apis/podroute.io/v1';

describe('a cluster that is looked at once', () => {
  function cluster(...without: string[]) {
    const server = new MemoryApiServer(new FakeClock());
    for (const { base, plural } of Object.values(RESOURCE_PATHS))
      if (!without.includes(plural)) server.resources.add(`${base} ${plural}`);
    const api = server.connect();
    const read = async (ask: ApiServer['ask'] = (request) => api.ask(request)) => {
      const place = { ...api, place: api.place, ask } as ApiServer;
      const documents = await readCluster(place, 'podroute-system');
      return documents.map(({ resource }) => `${resource?.kind} ${resource?.metadata.name}`).sort();
    };
    return { server, api, read };
  }

  it('is read with the Secrets that peers and profiles name', async () => {
    const { server, read } = cluster();
    server.apply(`${OURS} bgppeers`, peer({ bfd: { profile: 'fast' } }));
    server.apply(`${OURS} bfdprofiles`, profile('fast', 'bgp'));
    server.apply('/api/v1 secrets', secret('podroute-system', 'geheim'));
    assert.deepEqual(await read(), ['BFDProfile fast', 'BGPPeer tor', 'Secret bgp']);
  });

  it('has older CRDs, and roles of the same age: all that it has is read', async () => {
    const { server, api, read } = cluster('bfdprofiles');
    server.apply(`${OURS} ippools`, pool('a', '10.1.0.0/16'));
    // Who may do what is asked before whether there is such a kind.
    const ask: ApiServer['ask'] = (request) => {
      if (!request.path.includes('bfdprofiles')) return api.ask(request);
      throw new ApiError({ kind: 'refused', status: 403, reason: 'Forbidden', message: 'no such right' });
    };
    assert.deepEqual(await read(ask), ['IPPool a']);
  });
});
