// IPAMBlock objects in memory, shared by the nodes of a test.
import type { IPAMBlock } from '#api';
import type { BlockStore } from '../types.ts';

export class MemoryBlockStore implements BlockStore {
  readonly blocks = new Map<string, IPAMBlock>();
  /** Calls by name. */
  readonly calls = { create: 0, get: 0, list: 0, delete: 0 };
  /** Set to make every call reject. */
  failure: string | undefined;
  #version = 0;

  async create(block: IPAMBlock): Promise<IPAMBlock | 'exists'> {
    await this.#call('create');
    if (this.blocks.has(block.metadata.name)) return 'exists';
    const stored = { ...block, metadata: { ...block.metadata, resourceVersion: String(++this.#version) } };
    this.blocks.set(block.metadata.name, stored);
    return stored;
  }

  async get(_kind: 'IPAMBlock', name: string): Promise<IPAMBlock | undefined> {
    await this.#call('get');
    return this.blocks.get(name);
  }

  async list(): Promise<readonly IPAMBlock[]> {
    await this.#call('list');
    return [...this.blocks.values()];
  }

  async delete(
    _kind: 'IPAMBlock',
    name: string,
    resourceVersion: string,
  ): Promise<'deleted' | 'conflict' | 'notFound'> {
    await this.#call('delete');
    const block = this.blocks.get(name);
    if (block === undefined) return 'notFound';
    if (block.metadata.resourceVersion !== resourceVersion) return 'conflict';
    this.blocks.delete(name);
    return 'deleted';
  }

  async #call(name: keyof MemoryBlockStore['calls']): Promise<void> {
    this.calls[name]++;
    await Promise.resolve();
    if (this.failure !== undefined) throw new Error(this.failure);
  }
}
