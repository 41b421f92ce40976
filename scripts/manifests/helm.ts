// Writes the installation as a Helm chart: the same objects with a template expression in the place of each setting, the
// values with their schema, and the values of each topology. Values go in as JSON, which YAML takes anywhere.
import { stringify } from 'yaml';
import type { Manifest } from './manifest.ts';
import { Setting, type SettingFacts, SETTINGS } from './settings.ts';
import { TOPOLOGIES } from './topologies.ts';

const WRITTEN_BY = '# Written by scripts/generate-manifests.ts.\n';

const yaml = (value: unknown): string => stringify(value, { lineWidth: 0, aliasDuplicateObjects: false });

export function helmFiles(manifests: readonly Manifest[], version: string): Map<string, string> {
  const files = new Map<string, string>();
  for (const [file, documents] of Map.groupBy(manifests, (manifest) => manifest.file)) {
    const texts = documents.map(
      ({ about, object }) => `${about === undefined ? '' : `# ${about}\n`}${template(object)}`,
    );
    const text = WRITTEN_BY + texts.join('---\n');
    files.set(`templates/${file}`, during(text, documents[0]?.only));
  }
  files.set('templates/objects.yaml', WRITTEN_BY + OBJECTS);
  files.set('Chart.yaml', WRITTEN_BY + yaml(chart(version)));
  files.set('values.yaml', WRITTEN_BY + valuesText());
  files.set('values.schema.json', `${JSON.stringify(schema(), undefined, 2)}\n`);
  for (const { name, about, bgpConfiguration, ipPools, bgpPeers } of TOPOLOGIES) {
    const values = yaml({ bgpConfiguration, ipPools, bgpPeers });
    files.set(`topologies/${name}.yaml`, `${WRITTEN_BY}# ${about}\n${values}`);
  }
  return files;
}

function during(text: string, only: Manifest['only']): string {
  switch (only) {
    case undefined:
      return text;
    case 'serving':
      return `{{- if not .Values.uninstall }}\n${text}{{- end }}\n`;
    case 'leaving':
      return `{{- if .Values.uninstall }}\n${text}{{- end }}\n`;
  }
}

const chart = (version: string) => ({
  apiVersion: 'v2',
  name: 'podroute',
  description: 'BGP-routed, unencapsulated pod network',
  type: 'application',
  version,
  appVersion: version,
  kubeVersion: '>=1.32.0-0',
});

const objects = (kind: string, list: string): string => `{{- range .Values.${list} }}
---
apiVersion: podroute.io/v1
kind: ${kind}
metadata:
  name: {{ toJson .name }}
spec: {{ toJson .spec }}
{{- end }}
`;

const OBJECTS = `apiVersion: podroute.io/v1
kind: BGPConfiguration
metadata:
  name: default
spec: {{ toJson .Values.bgpConfiguration }}
${objects('IPPool', 'ipPools')}${objects('BGPFilter', 'bgpFilters')}${objects('BFDProfile', 'bfdProfiles')}${objects('BGPPeer', 'bgpPeers')}`;

/** `indent- SETTING<name|before|items>`, or one that a value is made of. */
const TOKEN = /^( *)- *SETTING<([^|>]+)\|\|items>$|"?SETTING<([^|>]+)\|([^|>]*)\|(value|text)>"?/gm;

function template(object: object): string {
  const text = yaml(withTokens(object));
  if (text.includes('{{')) throw new Error('an object of the chart has braces of its own');
  return text.replace(
    TOKEN,
    (_, indent: string, list: string, name: string, before: string, form: string) => {
      if (list)
        return `${indent}{{- range .Values.${list} }}\n${indent}- {{ toJson . }}\n${indent}{{- end }}`;
      const value = name === 'namespace' ? '.Release.Namespace' : `.Values.${name}`;
      return form === 'text' ? `{{ printf "${before}%v" ${value} | toJson }}` : `{{ toJson ${value} }}`;
    },
  );
}

/** The object with a token in the place of each setting, which YAML writes as a word. */
function withTokens(value: unknown): unknown {
  if (value instanceof Setting) return `SETTING<${value.name}|${value.before}|${value.form}>`;
  if (Array.isArray(value)) return value.map(withTokens);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, withTokens(part)]));
}

/** Settings by their group, in the order of the table. */
function groups(): Map<string, [name: string, facts: SettingFacts][]> {
  return Map.groupBy(Object.entries<SettingFacts>(SETTINGS), ([path]) =>
    path.includes('.') ? path.split('.')[0]! : '',
  );
}

function valuesText(): string {
  let text = '';
  for (const [group, settings] of groups()) {
    const indent = group === '' ? '' : '  ';
    if (group !== '') text += `${group}:\n`;
    for (const [path, { about, value }] of settings) {
      const lines = yaml({ [path.split('.').at(-1)!]: value })
        .trimEnd()
        .split('\n');
      text += [`# ${about}`, ...lines].map((line) => `${indent}${line}\n`).join('');
    }
  }
  return text;
}

function schema(): object {
  const properties: Record<string, unknown> = {};
  for (const [group, settings] of groups()) {
    const fields = Object.fromEntries(
      settings.map(([path, { about, schema: fieldSchema }]) => [
        path.split('.').at(-1)!,
        { description: about, ...fieldSchema },
      ]),
    );
    if (group === '') Object.assign(properties, fields);
    else properties[group] = { type: 'object', additionalProperties: false, properties: fields };
  }
  return {
    $schema: 'https://json-schema.org/draft-07/schema#',
    type: 'object',
    additionalProperties: false,
    // Helm's own.
    properties: { ...properties, global: { type: 'object' } },
  };
}
