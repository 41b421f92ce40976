// Pages that can be followed by a machine. Of a page's fenced blocks two kinds are steps: a file, which has a caption
// "**`/PATH`** on node1 and node2:", and a console, whose lines "node1# COMMAND" are typed on node1. What stands below
// such a line is what the reader is promised to see.
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const DOCS = resolve(import.meta.dirname, '../../../docs');

export type Step = FileStep | CommandStep;

interface FileStep {
  readonly kind: 'file';
  readonly line: number;
  readonly path: string;
  readonly machines: readonly string[];
  readonly text: string;
}

interface CommandStep {
  readonly kind: 'command';
  readonly line: number;
  readonly machine: string;
  readonly command: string;
  /** Empty when the page shows no output. */
  readonly promised: string;
}

export interface Block {
  /** The line of the page on which its text begins, from 1. */
  readonly line: number;
  readonly language: string;
  readonly text: string;
  /** The last line of prose before it. */
  readonly caption: string;
}

export function readPage(name: string): string {
  return readFileSync(join(DOCS, name), 'utf8');
}

/** The fenced blocks of a page, in order. */
export function blocksOf(page: string): Block[] {
  const blocks: Block[] = [];
  let caption = '';
  let open: { line: number; language: string; lines: string[] } | undefined;
  page.split('\n').forEach((line, i) => {
    const fence = /^```(\S*)/.exec(line);
    if (open !== undefined) {
      if (fence === null) open.lines.push(line);
      else {
        blocks.push({
          line: open.line,
          language: open.language,
          text: `${open.lines.join('\n')}\n`,
          caption,
        });
        open = undefined;
      }
    } else if (fence !== null) open = { line: i + 2, language: fence[1] ?? '', lines: [] };
    else if (line.trim() !== '') caption = line;
  });
  return blocks;
}

/** The page with what stands before its first section, and of its sections (##) only this one. Lines keep their numbers. */
export function withOneSection(page: string, heading: string): string {
  let isLeftOut = false;
  const lines = page.split('\n').map((line) => {
    if (line.startsWith('## ')) isLeftOut = line !== `## ${heading}`;
    return isLeftOut ? '' : line;
  });
  if (!lines.includes(`## ${heading}`)) throw new Error(`no section "${heading}"`);
  return lines.join('\n');
}

/** What a reader of the page does, in order. */
export function stepsOf(page: string): Step[] {
  return blocksOf(page).flatMap((block): Step[] => {
    const file = /^\*\*`(\S+)`\*\* on (.+):$/.exec(block.caption);
    if (block.language === 'console') return commandsOf(block);
    if (file === null) return [];
    const machines = (file[2] ?? '').split(/, | and /);
    return [{ kind: 'file', line: block.line, path: file[1] ?? '', machines, text: block.text }];
  });
}

function commandsOf(block: Block): Step[] {
  const steps: { kind: 'command'; line: number; machine: string; command: string; promised: string }[] = [];
  block.text.split('\n').forEach((line, i) => {
    const prompt = /^([\w-]+)# (.+)$/.exec(line);
    const newest = steps.at(-1);
    if (prompt !== null) {
      const [, machine = '', command = ''] = prompt;
      steps.push({ kind: 'command', line: block.line + i, machine, command, promised: '' });
    } else if (newest?.command.endsWith('\\') === true && newest.promised === '')
      newest.command += `\n${line}`;
    else if (newest !== undefined) newest.promised += `${line}\n`;
    else if (line !== '') throw new Error(`line ${block.line + i}: output without a command: ${line}`);
  });
  return steps;
}

/** Durations, dates and sizes in octets differ from run to run; `…` stands for anything, alone on a line for any lines. */
const VARIABLE: readonly (readonly [RegExp, string])[] = [
  [/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '\\S+'],
  [/\b[\d.]+ (?:s|ms|min|MB|bytes)\b/g, '[\\d.]+ (?:s|ms|min|MB|bytes)'],
];

/** The text that a promise of the page allows, as an expression. Runs of blanks are alike. */
export function promisedPattern(promised: string): RegExp {
  const lines = promised
    .trimEnd()
    .split('\n')
    .map((line) => {
      if (line.trim() === '…') return '[^]*?';
      let pattern = line.trim().replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
      // The expressions below look for unescaped text; a dot of a number was escaped above.
      pattern = pattern.replaceAll('\\.', '.');
      for (const [variable, by] of VARIABLE) pattern = pattern.replace(variable, by);
      return pattern.replaceAll('…', '.*').replace(/[ \t]+/g, '[ \\t]+');
    });
  return new RegExp(`^\\s*${lines.join('\\s*\\n\\s*')}\\s*$`);
}
