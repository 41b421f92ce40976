// Prometheus' text format (version 0.0.4): a help and a type line for each metric, then its samples. A reflector has
// tens of thousands of samples: labels come as text, so that each is formatted once.

export interface Sample {
  /** As label() and joined by commas; none: ''. */
  readonly labels?: string;
  readonly value: number;
}

export type MetricType = 'gauge' | 'counter';

export class Exposition {
  #text = '';
  #name = '';
  #head = '';

  /** @param name without the prefix 'podroute_'; it ends in its unit. Without samples nothing is written. */
  begin(name: string, type: MetricType, help: string): void {
    this.#name = `podroute_${name}`;
    this.#head = `# HELP ${this.#name} ${help}\n# TYPE ${this.#name} ${type}\n`;
  }

  sample(labels: string, value: number): void {
    this.#text += `${this.#head}${this.#name}${labels === '' ? '' : `{${labels}}`} ${value}\n`;
    this.#head = '';
  }

  metric(name: string, type: MetricType, help: string, samples: readonly Sample[]): void {
    this.begin(name, type, help);
    for (const { labels = '', value } of samples) this.sample(labels, value);
  }

  get text(): string {
    return this.#text;
  }
}

export function label(name: string, value: string): string {
  return `${name}="${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
}
