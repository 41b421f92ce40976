// node scripts/generate-prometheus-rule.ts: writes manifests/monitoring/prometheus-rule.yaml anew from alerts.yaml, whose
// groups are the spec of a PrometheusRule. A test fails while they differ.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = join(import.meta.dirname, '..', 'manifests', 'monitoring');

const HEAD = `# Written by scripts/generate-prometheus-rule.ts from alerts.yaml.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata: { name: podroute, labels: { app.kubernetes.io/name: podroute } }
spec:
`;

export function prometheusRule(): string {
  const alerts = readFileSync(join(folder, 'alerts.yaml'), 'utf8');
  const groups = alerts.slice(alerts.indexOf('\ngroups:') + 1);
  return HEAD + groups.replaceAll(/^(?=.)/gm, '  ');
}

if (import.meta.main) writeFileSync(join(folder, 'prometheus-rule.yaml'), prometheusRule());
