// The output of --help, and the lists of commands and options in docs/terminal.md, from the table of commands.
import { type CommandSummary, commonOptions, type NamedCommand, optionsOf } from './command';
import { EXIT_CODES } from './terminal';
import { optionName, type OptionTable } from './options';

const WIDTH = 100;

/** `--fork-at K`. */
const optionUsage = (key: string, { placeholder }: OptionTable[string]): string =>
  placeholder === undefined ? optionName(key) : `${optionName(key)} ${placeholder}`;

/** `nablascope train SPEC [--epochs N | --steps N] [--seed S]`. */
export function usageLine({ name, options, takesSpec, argument, exclusive = [], isServer }: NamedCommand): string {
  const grouped = new Set(exclusive.flat());
  const keys: OptionTable = isServer ? options : { ...options, json: commonOptions.json };
  const singles = Object.entries(keys)
    .filter(([key]) => !grouped.has(key))
    .map(([key, option]) => {
      const usage = `${optionUsage(key, option)}${option.multiple ? ' …' : ''}`;
      return option.required ? usage : `[${usage}]`;
    });
  const groups = exclusive.map((group) => `[${group.map((key) => optionUsage(key, keys[key]!)).join(' | ')}]`);
  const words = [...(takesSpec === false ? [] : ['SPEC']), ...(argument ? [argument.placeholder] : [])];
  return ['nablascope', name, ...words, ...groups, ...singles].join(' ');
}

/** The help for one command, or for all of them. */
export const helpText = (commands: readonly CommandSummary[], command: NamedCommand | null): string =>
  `${(command ? commandHelp(command) : generalHelp(commands)).join('\n')}\n`;

const generalHelp = (commands: readonly CommandSummary[]): string[] => [
  'Nablascope trains, inspects and checks the neural network that a *.nabla.json file specifies.',
  '',
  'Usage: nablascope COMMAND SPEC [OPTIONS]',
  '',
  'Commands',
  ...twoColumns(commands.map(({ name, summary }) => [name, summary])),
  '',
  'Options of every command',
  ...optionLines(commonOptions),
  '',
  ...exitCodeLines(),
  '',
  'nablascope COMMAND --help prints the options of a command.',
];

const commandHelp = (command: NamedCommand): string[] => [
  ...wrap(`Usage: ${usageLine(command)}`, WIDTH, '         '),
  '',
  ...command.description.flatMap((paragraph) => [...wrap(paragraph, WIDTH), '']),
  'Options',
  ...optionLines(optionsOf(command)),
  '',
  ...exitCodeLines(),
];

const optionLines = (options: OptionTable): string[] =>
  twoColumns(
    Object.entries(options).map(([key, option]) => [
      `${option.short ? `-${option.short}, ` : ''}${optionUsage(key, option)}`,
      option.help,
    ]),
  );

const exitCodeLines = (): string[] => [
  'Exit codes',
  ...twoColumns(EXIT_CODES.map(([code, text]) => [`${code}`, text])),
];

function twoColumns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length)) + 2;
  return rows.flatMap(([left, right]) => {
    const [first, ...more] = wrap(right, WIDTH - width - 2);
    return [`  ${left.padEnd(width)}${first}`, ...more.map((line) => ' '.repeat(width + 2) + line)];
  });
}

/** Lines of at most `width` characters, broken at spaces outside of brackets and code. */
function wrap(text: string, width: number, indent = ''): string[] {
  const words = text.match(/\[[^\]]*\](?= |$)|\S+/g) ?? [];
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(last === undefined ? word : indent + word);
  }
  return lines;
}

/** Help as data, for `--help --json`. */
export const helpJson = (commands: readonly NamedCommand[]) => ({
  command: 'help',
  commands: commands.map((each) => ({
    name: each.name,
    summary: each.summary,
    usage: usageLine(each),
    options: Object.entries(optionsOf(each)).map(([key, option]) => ({
      name: optionName(key),
      value: option.placeholder ?? null,
      required: option.required === true,
      multiple: option.multiple === true,
      help: option.help,
    })),
  })),
});

const cell = (text: string): string => text.replaceAll('|', '\\|');

/** The generated parts of docs/terminal.md, by the name in their markers. */
export function markdownSections(commands: readonly NamedCommand[]): ReadonlyMap<string, string> {
  const table = (rows: readonly (readonly [string, string])[], head = ''): string =>
    [`| ${head} | |`, '|---|---|', ...rows.map(([left, right]) => `| ${cell(left)} | ${cell(right)} |`)].join('\n');
  const optionRows = (options: OptionTable): (readonly [string, string])[] =>
    Object.entries(options).map(([key, option]) => [`\`${optionUsage(key, option)}\``, option.help]);
  return new Map([
    [
      'commands',
      table(
        commands.map(({ name, summary }) => [`[\`nablascope ${name}\`](#${name})`, summary]),
        'command',
      ),
    ],
    ['options', table(optionRows(commonOptions), 'option')],
    [
      'exit codes',
      table(
        EXIT_CODES.map(([code, text]) => [`${code}`, text]),
        'exit code',
      ),
    ],
    ...commands.map((command): [string, string] => {
      const usage = `\`\`\`\n${usageLine(command)}\n\`\`\``;
      const rows = optionRows(command.options);
      return [command.name, rows.length === 0 ? usage : `${usage}\n\n${table(rows, 'option')}`];
    }),
  ]);
}

/** The document with its generated parts updated. Throws if it has no section for a command. */
export function fillMarkdown(document: string, commands: readonly NamedCommand[]): string {
  let filled = document;
  for (const [name, section] of markdownSections(commands)) {
    const [open, close] = [`<!-- generated: ${name} -->`, `<!-- end: ${name} -->`];
    const [from, to] = [filled.indexOf(open), filled.indexOf(close)];
    if (from < 0 || to < from) throw new Error(`docs/terminal.md has no part "${name}": add ${open} and ${close}.`);
    filled = `${filled.slice(0, from + open.length)}\n\n${section}\n\n${filled.slice(to)}`;
  }
  return filled;
}
