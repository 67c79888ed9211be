// Parses the words after `nablascope` to a command and its arguments. Rejects with UsageError.
import { parseArgs, type ParseArgsOptionsConfig } from 'node:util';
import { closestMatch } from '../engine/closest-match';
import { type CommandArgs, type CommandEntry, loadCommand, type NamedCommand, optionsOf } from './command';
import { type CliOption, optionName, type OptionTable } from './options';
import { UsageError } from './usage-error';

export type Call =
  | { readonly kind: 'version' }
  /** About one command, or about all of them. */
  | { readonly kind: 'help'; readonly command: NamedCommand | null }
  | { readonly kind: 'run'; readonly command: NamedCommand; readonly args: CommandArgs<OptionTable> };

/** Imports the command that is called, and no other. */
export async function parseCall(argv: readonly string[], commands: readonly CommandEntry[]): Promise<Call> {
  const [first, ...rest] = argv;
  if (first === undefined || first === 'help' || first === '--help' || first === '-h') {
    const about = commands.find(({ name }) => name === rest[0]);
    return { kind: 'help', command: about ? await loadCommand(about) : null };
  }
  if (first === '--version' || first === '-V') return { kind: 'version' };
  const entry = commands.find(({ name }) => name === first);
  if (!entry) throw unknownCommand(first, commands);
  const command = await loadCommand(entry);
  const options = optionsOf(command);
  const { values, positionals } = parseOptions(command.name, options, rest);
  if (values.help) return { kind: 'help', command };
  if (values.version) return { kind: 'version' };
  if (command.takesSpec === false && positionals.length > 0) {
    throw new UsageError(
      'unexpected-spec',
      `"${command.name}" takes no spec.`,
      `Write nablascope ${command.name} alone.`,
    );
  }
  if (command.takesSpec !== false && positionals.length === 0) {
    throw new UsageError(
      'missing-spec',
      `"${command.name}" needs a spec.`,
      `Name its file: nablascope ${command.name} circles.nabla.json`,
    );
  }
  const { argument } = command;
  if (argument && positionals.length === 1) {
    throw new UsageError(
      'missing-value',
      `"${command.name}" needs ${argument.placeholder} after the spec.`,
      `For example: nablascope ${command.name} ${positionals[0]!} "${argument.example}"`,
    );
  }
  if (argument && positionals.length > 2) {
    throw new UsageError(
      'unexpected-value',
      `"${command.name}" takes one ${argument.placeholder.toLowerCase()}, not ${positionals.length - 1}.`,
      `Put it in quotes: "${positionals.slice(1).join(' ')}"`,
    );
  }
  if (!argument && positionals.length > 1) {
    throw new UsageError(
      'too-many-specs',
      `"${command.name}" takes one spec, not ${positionals.length}.`,
      'Run it once for each spec.',
    );
  }
  for (const group of command.exclusive ?? []) {
    const given = group.filter((key) => values[optionName(key).slice(2)] !== undefined).map(optionName);
    if (given.length > 1) {
      throw new UsageError('conflicting-options', `${given.join(' and ')} exclude each other.`, `Remove ${given[1]}.`);
    }
  }
  const read = Object.entries(options).map(([key, option]) => {
    const name = optionName(key);
    return [key, option.read(values[name.slice(2)], name)] as const;
  });
  return {
    kind: 'run',
    command,
    args: {
      ...Object.fromEntries(read),
      file: positionals[0] ?? '',
      argument: positionals[1] ?? '',
    } as CommandArgs<OptionTable>,
  };
}

const byName = (options: OptionTable): ReadonlyMap<string, CliOption<unknown>> =>
  new Map(Object.entries(options).map(([key, option]) => [optionName(key), option]));

function parseOptions(command: string, options: OptionTable, argv: readonly string[]) {
  const named = byName(options);
  const config: ParseArgsOptionsConfig = Object.fromEntries(
    [...named].map(([name, { placeholder, short, multiple = false }]) => [
      name.slice(2),
      { type: placeholder === undefined ? 'boolean' : 'string', multiple, ...(short && { short }) },
    ]),
  );
  try {
    return parseArgs({ args: [...argv], options: config, allowPositionals: true });
  } catch (error) {
    throw toUsageError(command, named, error, argv);
  }
}

/** The errors of parseArgs, with what the command would accept. */
function toUsageError(
  command: string,
  options: ReadonlyMap<string, CliOption<unknown>>,
  error: unknown,
  argv: readonly string[],
): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') {
    const known = new Set([...options].flatMap(([name, { short }]) => (short ? [name, `-${short}`] : [name])));
    const typed = argv.map((word) => word.replace(/=.*$/, ''));
    const unknown = typed.find((word) => /^--?[^-]/.test(word) && !known.has(word)) ?? '';
    const near = closestMatch(
      unknown.replace(/^-+/, ''),
      [...options.keys()].map((name) => name.slice(2)),
    );
    const remedy = near ? `Did you mean --${near}?` : `See nablascope ${command} --help.`;
    return new UsageError('unknown-option', `"${command}" has no option ${unknown}.`, remedy);
  }
  if (code === 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE') {
    const name = /--[a-z-]+/.exec((error as Error).message)?.[0] ?? '';
    const { placeholder, example = '' } = options.get(name) ?? {};
    return placeholder === undefined
      ? new UsageError('unexpected-value', `${name} takes no value.`, `Write ${name} alone.`)
      : new UsageError('missing-value', `${name} needs a value.`, `For example: ${name} ${example}.`);
  }
  return error;
}

function unknownCommand(word: string, commands: readonly CommandEntry[]): UsageError {
  const names = commands.map(({ name }) => name);
  if (word.endsWith('.json')) {
    return new UsageError(
      'missing-command',
      `The command before ${word} is missing.`,
      `For example: nablascope check ${word}`,
    );
  }
  const near = closestMatch(word, names);
  return new UsageError(
    'unknown-command',
    `There is no command "${word}".`,
    near ? `Did you mean "${near}"?` : `The commands are ${names.join(', ')}. See nablascope --help.`,
  );
}
