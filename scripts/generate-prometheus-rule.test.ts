// The PrometheusRule against the rule file that it is made of.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { prometheusRule } from './generate-prometheus-rule.ts';

const FOLDER = join(import.meta.dirname, '../manifests/monitoring');
const read = (name: string) => readFileSync(join(FOLDER, name), 'utf8');

describe('the PrometheusRule', () => {
  it('has the groups of alerts.yaml, and is the file that stands there', () => {
    assert.equal(read('prometheus-rule.yaml'), prometheusRule());
    assert.deepEqual((parse(prometheusRule()) as { spec: object }).spec, parse(read('alerts.yaml')));
  });
});
