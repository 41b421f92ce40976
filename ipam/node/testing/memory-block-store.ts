// IPAMBlock objects in memory, shared by the nodes of a test.
import type { IPAMBlock } from '#api';
import type { BlockKey, BlockStore } from '../types.ts';

export class MemoryBlockStore implements BlockStore {
  readonly blocks = new Map<string, IPAMBlock>();
  /** Calls by name. */
  readonly calls = { create: 0, get: 0, list: 0, update: 0, delete: 0 };
  /** By which labels was listed. */
  readonly listed: (Readonly<Record<string, string>> | undefined)[] = [];
  /** Set to make every call reject. */
  failure: string | undefined;
  /** Names of objects that cannot be read, with why. */
  readonly unreadable = new Map<string, string>();
  #version = 0;

  async create(block: IPAMBlock): ReturnType<BlockStore['create']> {
    await this.#call('create');
    const { name } = block.metadata;
    const why = this.unreadable.get(name);
    if (why !== undefined) return { kind: 'unreadable', why };
    const newest = this.blocks.get(name);
    if (newest !== undefined) return { kind: 'conflict', newest };
    const metadata = { ...block.metadata, resourceVersion: String(++this.#version) };
    this.blocks.set(name, { ...block, metadata });
    return { kind: 'stored' };
  }

  async get({ name }: BlockKey): Promise<IPAMBlock | undefined> {
    await this.#call('get');
    return this.blocks.get(name);
  }

  async list(
    _kind?: 'IPAMBlock',
    labels: Readonly<Record<string, string>> = {},
  ): Promise<readonly IPAMBlock[]> {
    this.listed.push(labels);
    await this.#call('list');
    return [...this.blocks.values()].filter(
      ({ metadata }) =>
        !this.unreadable.has(metadata.name) &&
        Object.entries(labels).every(([key, value]) => metadata.labels?.[key] === value),
    );
  }

  async update(block: IPAMBlock): ReturnType<BlockStore['update']> {
    await this.#call('update');
    const { name, resourceVersion } = block.metadata;
    const before = this.blocks.get(name);
    if (before === undefined) return { kind: 'notFound' };
    if (before.metadata.resourceVersion !== resourceVersion) return { kind: 'conflict' };
    const metadata = { ...block.metadata, resourceVersion: String(++this.#version) };
    this.blocks.set(name, { ...block, metadata });
    return { kind: 'stored' };
  }

  async delete({ name }: BlockKey, resourceVersion: string): ReturnType<BlockStore['delete']> {
    await this.#call('delete');
    const block = this.blocks.get(name);
    if (block === undefined) return { kind: 'notFound' };
    if (block.metadata.resourceVersion !== resourceVersion) return { kind: 'conflict' };
    this.blocks.delete(name);
    return { kind: 'deleted' };
  }

  async #call(name: keyof MemoryBlockStore['calls']): Promise<void> {
    this.calls[name]++;
    await Promise.resolve();
    if (this.failure !== undefined) throw new Error(this.failure);
  }
}
