// Mutants that no unit test notices, each with the reason: scripts/mutate/survivors.json. A reason begins with
// `equivalent` (nothing can notice it), `open` (a test should) or another word (why no test is wanted). What survives
// without a reason fails a run, and so does a reason for what no longer exists or no longer survives.
import { readFileSync, writeFileSync } from 'node:fs';
import type { Mutant } from './mutants.ts';

const FILE = new URL('./survivors.json', import.meta.url);

type Reasons = Record<string, Record<string, string>>;

export class Survivors {
  readonly #reasons: Reasons;

  constructor() {
    this.#reasons = JSON.parse(readFileSync(FILE, 'utf8')) as Reasons;
  }

  reason({ file, name }: Mutant): string | undefined {
    return this.#reasons[file]?.[name];
  }

  /** Reasons of these files that speak of no mutant there, or of one that was killed. */
  outdated(files: readonly string[], mutants: readonly Mutant[], killed: ReadonlySet<Mutant>): string[] {
    const byName = new Map(mutants.map((mutant) => [`${mutant.file} ${mutant.name}`, mutant]));
    return files.flatMap((file) =>
      Object.keys(this.#reasons[file] ?? {}).flatMap((name) => {
        const mutant = byName.get(`${file} ${name}`);
        if (mutant === undefined) return [`${file}: no such mutant any more: ${name}`];
        return killed.has(mutant) ? [`${file}:${mutant.line}: is killed now: ${name}`] : [];
      }),
    );
  }

  /** Names new survivors as open, and forgets what is outdated in these files. */
  write(files: readonly string[], survivors: readonly Mutant[]): void {
    for (const file of files) {
      const here = survivors.filter((mutant) => mutant.file === file);
      const named = here.map(({ name }) => [name, this.#reasons[file]?.[name] ?? 'open']);
      if (named.length === 0) delete this.#reasons[file];
      else this.#reasons[file] = Object.fromEntries(named);
    }
    const sorted = Object.fromEntries(Object.entries(this.#reasons).sort(([a], [b]) => (a < b ? -1 : 1)));
    writeFileSync(FILE, `${JSON.stringify(sorted, null, 2)}\n`);
  }
}
