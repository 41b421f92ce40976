// Prometheus' text format (version 0.0.4): a help and a type line for each metric, then its samples.

export type Labels = Readonly<Record<string, string>>;

export interface Sample {
  readonly labels?: Labels;
  readonly value: number;
}

export class Exposition {
  readonly #lines: string[] = [];

  /** @param name without the prefix 'podroute_'; it ends in its unit. Without samples nothing is written. */
  metric(name: string, type: 'gauge' | 'counter', help: string, samples: readonly Sample[]): void {
    if (samples.length === 0) return;
    this.#lines.push(`# HELP podroute_${name} ${help}`, `# TYPE podroute_${name} ${type}`);
    for (const { labels, value } of samples)
      this.#lines.push(`podroute_${name}${labelText(labels)} ${value}`);
  }

  get text(): string {
    return `${this.#lines.join('\n')}\n`;
  }
}

function labelText(labels: Labels | undefined): string {
  if (labels === undefined) return '';
  const parts = Object.entries(labels).map(([name, value]) => `${name}="${escape(value)}"`);
  return `{${parts.join(',')}}`;
}

function escape(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
