// Prometheus' text format (version 0.0.4): a help and a type line for each metric, then its samples. A reflector has
// tens of thousands of samples: labels come as text, so that each is formatted once, and whoever writes many gives way
// to other work in between.
import type { Histogram } from '../histogram.ts';

export interface Sample {
  /** As label() and joined by commas; none: ''. */
  readonly labels?: string;
  readonly value: number;
}

export type MetricType = 'gauge' | 'counter' | 'histogram';

/** Samples between two turns: some milliseconds of work. */
const SAMPLES_A_TURN = 1_000;

export class Exposition {
  readonly #turn: () => Promise<void>;
  readonly #parts: string[] = [];
  #lines: string[] = [];
  #name = '';
  #head = '';

  /** @param turn lets other work go first */
  constructor(turn: () => Promise<void>) {
    this.#turn = turn;
  }

  /** @param name it ends in its unit. Without samples nothing is written. */
  begin(name: string, type: MetricType, help: string): void {
    this.#name = name;
    this.#head = `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
  }

  sample(labels: string, value: number): void {
    this.#write(this.#name, labels, value);
  }

  #write(name: string, labels: string, value: number): void {
    this.#lines.push(`${this.#head}${name}${labels === '' ? '' : `{${labels}}`} ${value}\n`);
    this.#head = '';
  }

  metric(name: string, type: MetricType, help: string, samples: readonly Sample[]): void {
    this.begin(name, type, help);
    for (const { labels = '', value } of samples) this.sample(labels, value);
  }

  histogram(
    name: string,
    help: string,
    all: Iterable<readonly [labels: string, histogram: Histogram]>,
  ): void {
    this.begin(name, 'histogram', help);
    for (const [labels, histogram] of all) {
      const and = labels === '' ? '' : `${labels},`;
      for (const [bound, count] of histogram.cumulative())
        this.#write(`${name}_bucket`, `${and}le="${bound}"`, count);
      this.#write(`${name}_sum`, labels, histogram.sum);
      this.#write(`${name}_count`, labels, histogram.count);
    }
  }

  /** To be asked for between samples as often as one likes: now and then it is somebody else's turn. */
  pause(): Promise<void> | undefined {
    if (this.#lines.length < SAMPLES_A_TURN) return undefined;
    this.#join();
    return this.#turn();
  }

  #join(): void {
    this.#parts.push(this.#lines.join(''));
    this.#lines = [];
  }

  get text(): string {
    this.#join();
    return this.#parts.join('');
  }
}

export function label(name: string, value: string): string {
  return `${name}="${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
}
