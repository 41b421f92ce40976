// YAML as kubectl reads it, mistakes that YAML hides, and documents that are too much.
import assert from 'node:assert/strict';
import { formatProblem, parseText, readText, type Resource, withLines } from '../index.ts';

const problemsOf = (text: string) =>
  parseText(text, 'f.yaml').flatMap(({ problems }) => problems.map(formatProblem));
const only = (text: string): Resource => {
  const [document] = parseText(text, 'f.yaml');
  assert.ok(document?.resource, document?.problems.map(formatProblem).join('\n'));
  return document.resource;
};
const object = (kind: string, spec: string, metadata = 'name: x') =>
  `apiVersion: podroute.io/v1\nkind: ${kind}\nmetadata: { ${metadata} }\nspec: { ${spec} }\n`;

describe('YAML as kubectl reads it', () => {
  it('has the words of YAML 1.1 for true and false', () => {
    const disabled = (word: string) => {
      const pool = only(object('IPPool', `cidr: 10.1.0.0/16, disabled: ${word}`));
      return pool.kind === 'IPPool' && pool.spec.disabled;
    };
    for (const word of ['yes', 'Yes', 'YES', 'on', 'On', 'y', 'true'])
      assert.equal(disabled(word), true, word);
    for (const word of ['no', 'No', 'NO', 'off', 'OFF', 'n', 'False'])
      assert.equal(disabled(word), false, word);
    assert.match(problemsOf(object('IPPool', 'cidr: 10.1.0.0/16, disabled: "no"'))[0] ?? '', /not a boolean/);
    assert.match(
      problemsOf(object('IPPool', 'cidr: 10.1.0.0/16', 'name: x, labels: { zone: no }'))[0] ?? '',
      /labels\.zone: false is not a text \(in quotes/,
    );
  });

  it('has octal numbers, with a warning that says what they are; other ways to write one are taken as they are', () => {
    const size = (text: string) => {
      const [document] = parseText(object('IPPool', `cidr: 10.1.0.0/16, blockSize: ${text}`), 'f.yaml');
      assert.ok(document?.resource?.kind === 'IPPool', text);
      return [document.resource.spec.blockSize, document.problems.map(formatProblem)];
    };
    assert.deepEqual(size('032'), [
      26,
      [
        'f.yaml:4: warning: IPPool x: spec.blockSize: "032" is the octal way to write 26, and is read so, as kubectl does; write 26, or 32 if that is meant',
      ],
    ]);
    for (const text of ['30', '0x1e', '0o36', '0b11110', '3_0']) assert.deepEqual(size(text), [30, []], text);
    assert.match(problemsOf(object('IPPool', 'cidr: 10.1.0.0/16, blockSize: "032"'))[0] ?? '', /blockSize/);
  });

  it('has no numbers of base 60, so that a community needs no quotes', () => {
    const filter = only(
      object('BGPFilter', 'importV4: [{ action: Accept, communities: { values: [64512:10] } }]'),
    );
    assert.ok(filter.kind === 'BGPFilter');
    assert.deepEqual(filter.spec.importV4[0]?.communities?.values, ['64512:10']);
  });
});

describe('a mistake that YAML hides', () => {
  it('is a selector that begins with "!" and has no quotes', () => {
    for (const [written, meant] of [
      ['!has(reflects)', '!has(reflects)'],
      ["!rack == 'a'", "!rack == 'a'"],
    ] as const) {
      const text = `apiVersion: podroute.io/v1\nkind: BGPPeer\nmetadata: { name: x }\nspec:\n  nodeSelector: ${written}\n  peerIP: 10.0.0.1\n  asNumber: 64800\n`;
      const [document] = parseText(text, 'f.yaml');
      assert.equal(document?.resource, undefined);
      assert.deepEqual(problemsOf(text), [
        `f.yaml:5: BGPPeer x: spec.nodeSelector: begins with "!", which YAML takes for a tag; quote it: ${JSON.stringify(meant)}`,
      ]);
    }
  });

  it('is named with object, line, column and key when the text makes no sense', () => {
    const text = `${object('IPPool', 'cidr: 10.1.0.0/16')}---\napiVersion: podroute.io/v1\nkind: BGPPeer\nmetadata:\n  name: tor\nspec:\n  peerIP: "10.0.0.1\n  asNumber: 64800\n`;
    assert.match(
      problemsOf(text)[0] ?? '',
      /^f\.yaml:\d+:\d+: BGPPeer tor: \w+: not readable as YAML: Missing closing/,
    );
    const flow =
      'apiVersion: podroute.io/v1\nkind: IPPool\nmetadata: { name: a }\nspec: { cidr: 10.1.0.0/16\n';
    assert.match(problemsOf(flow)[0] ?? '', /^f\.yaml:\d+:\d+: IPPool a: spec: not readable as YAML: /);
  });
});

describe('a document that is too much', () => {
  const fast = (text: string): string[] => {
    const start = process.threadCpuUsage();
    const problems = problemsOf(text);
    const { user, system } = process.threadCpuUsage(start);
    assert.ok(user + system < 500_000, `took ${(user + system) / 1000} ms`);
    return problems;
  };
  const keys = (n: number) =>
    Array.from({ length: n }, (_, i) => `  key-${i}: "${'v'.repeat(6)}"\n`).join('');

  it('is nothing to us when it is of another kind, however large or wrong', () => {
    const of = (data: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: big }\ndata:\n${data}`;
    const good = object('IPPool', 'cidr: 10.1.0.0/16');
    const large = `  a: |\n${`    ${'x'.repeat(100)}\n`.repeat(12_000)}`;
    const json = JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', data: { a: 'x'.repeat(1_200_000) } });
    for (const text of [
      of(large),
      of(keys(20_000)),
      of('  a: [\n'),
      of(`  a: [${'*a, '.repeat(600_000)}]\n`),
      json,
    ]) {
      assert.deepEqual(fast(`${text}\n---\n${good}`), []);
      assert.deepEqual(
        parseText(`${text}\n---\n${good}`, 'f.yaml').map(({ resource }) => resource?.kind),
        [undefined, 'IPPool'],
      );
    }
  });

  it('is refused by its aliases, keys or values before it is read', () => {
    const of = (data: string) =>
      `apiVersion: v1\nkind: Secret\nmetadata: { name: big }\nstringData:\n${data}`;
    assert.match(
      fast(`${of('  a: &a x\n')}more:\n${'- *a\n'.repeat(540_000)}`).join(),
      /^f\.yaml:1: Secret big: has \d+ values; more than 200000 are not read$/,
    );
    assert.match(
      fast(of(`  a: &a x\nmore: [${'*a, '.repeat(600)}]\n`)).join(),
      /has 600 aliases; more than 100/,
    );
    assert.match(problemsOf(of(keys(2_100))).join(), /Secret big: stringData: has 2100 keys; more than 2000/);
  });

  it('is not copied for each of its items', () => {
    const item = (i: number) => `- apiVersion: v1\n  kind: Node\n  metadata: { name: n${i} }\n`;
    const list = `apiVersion: v1\nkind: List\nitems:\n${Array.from({ length: 800 }, (_, i) => item(i)).join('')}`;
    const documents = readText(list, 'f.yaml');
    assert.equal(documents.length, 800);
    assert.ok(JSON.stringify(documents).length < 20 * list.length);
    assert.equal(withLines(documents[799]!).lineOf('metadata.name'), 4 + 799 * 3);
  });

  it('tells of fifty problems, and how many more there are', () => {
    const lines = problemsOf(`${object('IPPool', '').replace(' {  }', '')}\n${keys(200)}`);
    assert.equal(lines.length, 51);
    assert.match(lines.at(-1) ?? '', /and \d+ problems more$/);
  });

  it('says of a template that nobody filled in what it is, and writes nothing of it anywhere', async () => {
    const warnings: string[] = [];
    const heard = ({ message }: Error) => void warnings.push(message);
    process.on('warning', heard);
    assert.deepEqual(problemsOf(object('BGPPeer', 'asNumber: 65001, peerIP: {{ .Values.hunter2 }}')), [
      'f.yaml:4: BGPPeer x: spec.peerIP: has a map or list for a key: is it a template {{ … }} that nobody filled in?',
    ]);
    await new Promise((turn) => setImmediate(turn));
    process.off('warning', heard);
    assert.deepEqual(warnings, []);
  });
});

describe('where documents begin and end', () => {
  const names = (text: string) => parseText(text, 'f.yaml').map(({ identity }) => identity?.name);
  const pool = (name: string) => object('IPPool', 'cidr: 10.1.0.0/16', `name: ${name}`);

  it('is at dashes and dots at the start of a line, whatever surrounds them', () => {
    assert.deepEqual(names(`${pool('a')}---\n${pool('b')}`), ['a', 'b']);
    assert.deepEqual(names(`# c\n\n---\n${pool('a')}...\n%YAML 1.2\n---\n${pool('b')}...\n`), ['a', 'b']);
    assert.deepEqual(names(`--- # first\r\n${pool('a').replaceAll('\n', '\r\n')}---\r\n${pool('b')}`), [
      'a',
      'b',
    ]);
    assert.deepEqual(
      names(
        `--- {"apiVersion": "podroute.io/v1", "kind": "IPPool", "metadata": {"name": "a"}, "spec": {"cidr": "10.1.0.0/16"}}\n`,
      ),
      ['a'],
    );
    assert.deepEqual(names('---\n---\n# nothing\n---\n'), []);
    assert.deepEqual(names(`${pool('a').replace('name: a', 'name: a, annotations: { k: "x --- y" }')}`), [
      'a',
    ]);
  });
});
