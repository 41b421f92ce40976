// Events and a Node's marks at an API server in memory; test/kubernetes/store.test.ts has the same at the real one.
import { FakeClock } from '#world/testing';
import { ApiNotes } from './api-notes.ts';
import { describeNotes } from './testing/notes-contract.ts';
import { MemoryApiServer } from './testing/memory-api-server.ts';

const NODES = '/api/v1 nodes';
const EVENTS = '/api/v1 events';

describeNotes('in memory', async () => {
  const server = new MemoryApiServer(new FakeClock());
  server.resources.add(NODES).add(EVENTS);
  const api = server.connect();
  return {
    notes: new ApiNotes(api),
    applyNode: async (node) => server.apply(NODES, node as Parameters<typeof server.apply>[1]),
    node: (name) => api.ask({ method: 'GET', path: `/api/v1/nodes/${name}` }),
    event: (name) => api.ask({ method: 'GET', path: `/api/v1/namespaces/default/events/${name}` }),
    writes: () => server.log.filter((line) => !line.startsWith('GET')).length,
  };
});
