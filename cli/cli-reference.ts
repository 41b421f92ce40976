// docs/cli.md from the tree of commands: every command with its arguments, options, defaults, exit codes and examples.
// Pure; generate-reference.ts writes the file.
import type { Argument, Command, Option } from 'commander';
import { DETAILS } from './details.ts';
import { EXIT_MEANINGS } from './exit.ts';

const HEAD = `# The podroute command
<!-- Generated from cli/ by \`node cli/generate-reference.ts\`. Do not edit. -->

Answers are on stdout: tables for people, with \`-o json\` or \`-o yaml\` the same facts for programs (the fields are the
types of \`agent-api/\`; times are ISO 8601 in UTC, lengths of time are in seconds). Errors and notes are lines on stderr that
begin with \`podroute: \`. Colour is on terminals only; \`NO_COLOR\` and \`TERM=dumb\` turn it off.

Commands ask the agent on its socket: \`--socket\`, else \`PODROUTE_SOCKET\` of the environment. Its access rights are root's. It is HTTP:
\`curl --unix-socket /run/podroute/agent.sock http://x/v1/status\`.
`;

export function cliReference(root: Command): string {
  const codes = EXIT_MEANINGS.map(([code, meaning]) => `| ${code} | ${meaning} |`);
  return [
    HEAD,
    ['## Exit codes', '| code | meaning |', '|---|---|', ...codes, ''].join('\n'),
    ...leaves(root, []).map(({ command, words }) => section(command, words)),
  ].join('\n');
}

interface Leaf {
  readonly command: Command;
  readonly words: readonly string[];
}

/** Commands that do something; groups and what is hidden are left out. */
export function leaves(command: Command, words: readonly string[]): Leaf[] {
  const below = command
    .createHelp()
    .visibleCommands(command)
    .filter((one) => one.name() !== 'help');
  if (below.length === 0) return [{ command, words }];
  return below.flatMap((one) => leaves(one, [...words, one.name()]));
}

function section(command: Command, words: readonly string[]): string {
  const help = command.createHelp();
  const name = words.join(' ');
  const { examples = [], badNews, note } = DETAILS[name] ?? {};
  const options = help.visibleOptions(command).filter((option) => option.long !== '--help');
  const usage = ['podroute', ...words, ...(options.length > 0 ? ['[options]'] : [])];
  const parts = [`## podroute ${name}`, `${sentence(command.description())}\n`];
  parts.push(`    ${[...usage, ...command.registeredArguments.map(bracketed)].join(' ')}\n`);
  if (command.registeredArguments.length > 0) {
    parts.push('| argument | meaning |', '|---|---|', ...command.registeredArguments.map(argumentRow), '');
  }
  if (options.length > 0) {
    parts.push('| option | default | meaning |', '|---|---|---|', ...options.map(optionRow), '');
  }
  if (note !== undefined) parts.push(`${note}\n`);
  if (badNews !== undefined) parts.push(`Exit code 1: ${badNews}.\n`);
  const width = Math.max(...examples.map(({ line }) => line.length));
  parts.push(
    '```',
    ...examples.map(({ line, about }) => `podroute ${line.padEnd(width)}  # ${about}`),
    '```',
    '',
  );
  return parts.join('\n');
}

/** As usage writes it: '<file...>', '[prefix]'. */
function bracketed(argument: Argument): string {
  const shown = `${argument.name()}${argument.variadic ? '...' : ''}`;
  return argument.required ? `<${shown}>` : `[${shown}]`;
}

function argumentRow(argument: Argument): string {
  return `| \`${argument.name()}\` | ${cell(argument.description)}${choices(argument.argChoices)} |`;
}

function optionRow(option: Option): string {
  const environment = option.envVar === undefined ? '' : `; also \`${option.envVar}\` in the environment`;
  const needed = option.mandatory ? 'required' : '';
  const standard = option.defaultValue === undefined ? needed : `\`${String(option.defaultValue)}\``;
  return `| \`${option.flags}\` | ${standard} | ${cell(option.description)}${choices(option.argChoices)}${environment} |`;
}

const choices = (words: readonly string[] | undefined): string =>
  words === undefined ? '' : ` (${words.map((word) => `\`${word}\``).join(', ')})`;

const cell = (text: string): string => text.replaceAll('|', '\\|');
const sentence = (text: string): string => `${text[0]!.toUpperCase()}${text.slice(1)}.`;
