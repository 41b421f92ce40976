// lab.json in a lab's folder: all that the lab made, so that another process finds it and can end it.
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ProcessRecord } from './processes.ts';
import type { TopologyName } from './topology.ts';

const NAME = 'lab.json';
const UNFINISHED = `${NAME}.new`;

export type LabStore = 'folder' | 'kubernetes';

export interface LabFile {
  readonly name: string;
  readonly store: LabStore;
  readonly topology: TopologyName;
  readonly hosts: Record<string, string>;
  readonly processes: Record<string, ProcessRecord>;
  readonly pods: Record<string, { node: string; netns: string; addresses: string[] }>;
}

/** @throws when the folder has a lab, or something else */
export function checkFree(folder: string): void {
  if (existsSync(join(folder, NAME))) {
    throw new Error(`lab: ${folder} exists: a lab is up already (podroute lab down ends it)`);
  }
  // One that was killed before it made anything leaves no more than this.
  const others = existsSync(folder) ? readdirSync(folder).filter((name) => name !== UNFINISHED) : [];
  if (others.length > 0)
    throw new Error(`lab: ${folder} is there and is no lab: remove it, or name another folder`);
}

/** @throws when there is none */
export function readLabFile(folder: string): LabFile {
  const path = join(folder, NAME);
  if (!existsSync(path)) throw new Error(`lab: no lab is up (${path} does not exist)`);
  return JSON.parse(readFileSync(path, 'utf8')) as LabFile;
}

/** Whole or not at all: whoever is interrupted here must be found. */
export function writeLabFile(folder: string, file: LabFile): void {
  writeFileSync(join(folder, UNFINISHED), JSON.stringify(file, null, 2));
  renameSync(join(folder, UNFINISHED), join(folder, NAME));
}
