// What may come next on a command line of podroute, from the tree of commands, so that it never differs from it.
import type { Argument, Command, Option } from 'commander';

export interface Suggestion {
  readonly word: string;
  readonly about: string;
}

export interface Suggestions {
  readonly words: readonly Suggestion[];
  /** Names of files fit as well. */
  readonly files: boolean;
  /** A session's id fits as well: of the agent on this socket (undefined: the default one). */
  readonly sessions?: { readonly socket: string | undefined };
}

/** Names in <angles> and [brackets] of the tree whose values are files, and sessions. */
const FILES = new Set(['path', 'file']);
const SESSIONS = new Set(['session']);

/** @param line the words behind 'podroute'; the last one, maybe empty, is being written */
export function suggestions(root: Command, line: readonly string[]): Suggestions {
  const current = line.at(-1) ?? '';
  let command = root;
  let place = 0;
  let open: Option | undefined;
  let socket: string | undefined;
  let areOptionsOver = false;
  for (const word of line.slice(0, -1)) {
    if (open !== undefined) {
      if (open.long === '--socket') socket = word;
      open = undefined;
    } else if (word === '--') areOptionsOver = true;
    else if (word.startsWith('-') && !areOptionsOver) open = takesValue(command, word);
    else {
      const sub = command.commands.find((one) => one.name() === word);
      if (sub === undefined) place++;
      else command = sub;
    }
  }
  if (open !== undefined) return valuesOf(open.argChoices, valueName(open.flags), current, socket);
  if (current.startsWith('-') && !areOptionsOver) {
    return { words: optionWords(command).filter(({ word }) => word.startsWith(current)), files: false };
  }
  const subcommands = command.createHelp().visibleCommands(command);
  if (subcommands.length > 0) {
    const words = subcommands.map((one) => ({ word: one.name(), about: firstClause(one.description()) }));
    return { words: words.filter(({ word }) => word.startsWith(current)), files: false };
  }
  const expected = argumentAt(command.registeredArguments, place);
  if (expected === undefined) return { words: [], files: false };
  return valuesOf(expected.argChoices, expected.name(), current, socket);
}

function valuesOf(
  choices: readonly string[] | undefined,
  name: string,
  current: string,
  socket: string | undefined,
): Suggestions {
  const words = (choices ?? [])
    .filter((word) => word.startsWith(current))
    .map((word) => ({ word, about: '' }));
  return { words, files: FILES.has(name), ...(SESSIONS.has(name) ? { sessions: { socket } } : {}) };
}

/** The option that a word is, when its value comes in the next word. */
function takesValue(command: Command, word: string): Option | undefined {
  return command.options.find((option) => [option.short, option.long].includes(word) && option.required);
}

function optionWords(command: Command): Suggestion[] {
  const help = command.createHelp();
  return help
    .visibleOptions(command)
    .map((option) => ({ word: option.long ?? option.short ?? '', about: firstClause(option.description) }));
}

function argumentAt(all: readonly Argument[], place: number): Argument | undefined {
  const last = all.at(-1);
  return all[place] ?? (last?.variadic === true ? last : undefined);
}

/** '--dir <path>' -> 'path' */
const valueName = (flags: string): string => /[<[]([^>\].]+)/.exec(flags)?.[1] ?? '';

/** Shells show a word's meaning beside it. */
const firstClause = (text: string): string => text.split(/[;(:]/)[0]!.trim();
