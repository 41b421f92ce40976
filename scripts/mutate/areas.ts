// What `npm run mutate` breaks, and which tests must notice: unit tests, never those of lab/ and test/interop/. An area
// is what a wrong decision of would lose packets, addresses or other people's routes.
import { globSync } from 'node:fs';

export interface Area {
  readonly name: string;
  readonly files: readonly string[];
  readonly tests: readonly string[];
}

interface AreaGlobs {
  readonly files: readonly string[];
  readonly tests: readonly string[];
  /** Sentences and what only reads for people. */
  readonly not?: readonly string[];
}

const RIB_TESTS = ['bgp/rib/**/*.test.ts'];

const AREAS: Readonly<Record<string, AreaGlobs>> = {
  decision: { files: ['bgp/rib/table/decision.ts'], tests: ['bgp/rib/table/*.test.ts'] },
  export: {
    files: ['bgp/rib/out/export-rules.ts', 'bgp/rib/out/export-groups.ts', 'bgp/rib/out/export-view.ts'],
    tests: RIB_TESTS,
  },
  import: {
    files: ['bgp/rib/in/{import,eligibility,own-claims,malformed}.ts'],
    // Tables of thousands of routes, random sequences and speeds would take a minute a mutant, and say less.
    tests: [
      'bgp/rib/in/*.test.ts',
      'bgp/rib/{rib,protocol-rules,counts,live-changes,faults,interfaces}.test.ts',
      'bgp/{speaker,speaker-visible,faults}.test.ts',
    ],
  },
  policy: {
    files: ['bgp/policy/*.ts', 'bgp/rib/attributes/applied-policy.ts'],
    tests: ['bgp/policy/*.test.ts', ...RIB_TESTS],
  },
  session: {
    files: ['bgp/session/fsm/*.ts'],
    tests: ['bgp/session/**/*.test.ts'],
    not: ['bgp/session/fsm/cause-text.ts'],
  },
  journal: {
    files: ['ipam/node/journal.ts', 'ipam/node/journal-record.ts', 'ipam/node/state.ts'],
    tests: ['ipam/**/*.test.ts'],
  },
  claims: {
    files: ['ipam/node/{claims,block-comparison,block-ledger,orphan-blocks,owner-key}.ts'],
    tests: ['ipam/**/*.test.ts'],
  },
  fib: {
    files: [
      'agent/fib/{targets,resolve,tracked-hops,foreign-routes,table-prefix}.ts',
      'agent/fib/kernel/*.ts',
    ],
    tests: ['agent/fib/**/*.test.ts'],
  },
  selector: { files: ['api/schema/selector.ts'], tests: ['api/schema/*.test.ts'] },
  cni: {
    files: ['cni-plugin/server/verbs/*.ts', 'cni-plugin/server/{call,call-order,attachment,del-queue}.ts'],
    tests: ['cni-plugin/**/*.test.ts'],
    not: ['cni-plugin/server/verbs/verb-io.ts'],
  },
};

const filesOf = (globs: readonly string[], not: readonly string[] = []): string[] =>
  globSync([...globs], { exclude: not.length === 0 ? [] : [...not] }).sort();

/** Each of `wanted` is an area's name, or else a part of a file's path; all areas without any. */
export function areas(wanted: readonly string[]): Area[] {
  const parts = wanted.filter((part) => AREAS[part] === undefined);
  return Object.entries(AREAS).flatMap(([name, globs]) => {
    const isProduct = (file: string) => !file.endsWith('.test.ts') && !file.endsWith('index.ts');
    const all = filesOf(globs.files, globs.not).filter(isProduct);
    const isWhole = wanted.length === 0 || wanted.includes(name);
    const files = isWhole ? all : all.filter((file) => parts.some((part) => file.includes(part)));
    return files.length === 0 ? [] : [{ name, files, tests: filesOf(globs.tests) }];
  });
}
