// The store as ipam asks for blocks: the same objects, fewer verbs.
import type { IPAMBlock } from '#api';
import type { BlockObject, BlockStore } from '#ipam';
import type { Store } from '#store';

export function blockStore(store: Store): BlockStore {
  return {
    async create(block) {
      const created = await store.create<'IPAMBlock'>(asResource(block));
      return created === 'exists' ? created : asBlock(created);
    },
    async get(name) {
      const found = await store.get('IPAMBlock', name);
      return found === undefined ? undefined : asBlock(found);
    },
    async list() {
      return (await store.list('IPAMBlock')).map(asBlock);
    },
    delete: (name, resourceVersion) => store.delete('IPAMBlock', name, resourceVersion),
  };
}

function asBlock(block: IPAMBlock): BlockObject {
  return { ...block, apiVersion: 'podroute.io/v1' };
}

function asResource({ apiVersion, kind, metadata, spec }: BlockObject): IPAMBlock {
  const { name, labels } = metadata;
  return {
    apiVersion,
    kind,
    metadata: { name, ...(labels === undefined ? {} : { labels }) },
    spec: { cidr: spec.cidr, node: spec.node, ...(spec.pool === undefined ? {} : { pool: spec.pool }) },
  };
}
