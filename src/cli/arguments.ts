// What was typed after `nablascope`, as data. A call that makes no sense ends in a CallError: one sentence on
// what is wrong, one on what to do.
import { parseArgs, type ParseArgsOptionsConfig } from 'node:util';
import { nearest } from '../engine/nearest';
import type { SweepOption } from '../spec';

export class CallError extends Error {
  constructor(
    message: string,
    readonly remedy: string,
  ) {
    super(message);
    this.name = 'CallError';
  }
}

export const COMMANDS = ['check', 'train', 'trace', 'summary', 'sweep', 'cost', 'report'] as const;
export type CommandName = (typeof COMMANDS)[number];

interface Shared {
  readonly file: string;
  readonly json: boolean;
  /** Whether the spec's own layers may run. */
  readonly allowCode: boolean;
  /** Folders outside whose files the spec may read. */
  readonly dataFolders: readonly string[];
}

interface SweepWords {
  /** Options beside those of the spec. */
  readonly set: readonly SweepOption[];
  /** How many seeds, from the spec's own on; null for what the spec says. */
  readonly seeds: number | null;
  readonly workers: number | null;
  /** Leaves aside what was done before. */
  readonly fresh: boolean;
  readonly csv: boolean;
  /** Where results are kept. */
  readonly results: string | null;
}

/** Another way on after so many steps; null for what stays as it is. */
interface Fork {
  readonly at: number;
  readonly lr: number | null;
  readonly seed: number | null;
}

export type Call =
  | { readonly command: 'version' }
  | { readonly command: 'help'; readonly about: CommandName | null }
  /** After `step` steps of training; `junit` is a file for the result. */
  | ({ readonly command: 'check'; readonly step: number; readonly junit: string | null } & Shared)
  /** `null` for as long as the spec says. */
  | ({ readonly command: 'train'; readonly epochs: number | null; readonly steps: number | null; readonly fork: Fork | null } & Shared)
  | ({ readonly command: 'summary' } & Shared)
  | ({ readonly command: 'cost' } & Shared)
  | ({ readonly command: 'sweep' } & SweepWords & Shared)
  /** After `step` steps, null for the whole run; `out` is the file. */
  | ({ readonly command: 'report'; readonly step: number | null; readonly out: string; readonly check: boolean } & Shared)
  /** Step `step`, counted from 1. */
  | ({ readonly command: 'trace'; readonly step: number; readonly full: boolean } & Shared);

const shared = {
  'data-folder': { type: 'string', multiple: true },
  json: { type: 'boolean' },
  'allow-code': { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'V' },
} as const satisfies ParseArgsOptionsConfig;

const options: Readonly<Record<CommandName, ParseArgsOptionsConfig>> = {
  check: { ...shared, step: { type: 'string' }, junit: { type: 'string' } },
  train: { ...shared, epochs: { type: 'string' }, steps: { type: 'string' }, 'fork-at': { type: 'string' }, lr: { type: 'string' }, seed: { type: 'string' } },
  trace: { ...shared, step: { type: 'string' }, full: { type: 'boolean' } },
  summary: shared,
  cost: shared,
  report: { ...shared, step: { type: 'string' }, out: { type: 'string' }, check: { type: 'boolean' } },
  sweep: {
    ...shared,
    set: { type: 'string', multiple: true }, seeds: { type: 'string' }, workers: { type: 'string' }, results: { type: 'string' },
    fresh: { type: 'boolean' }, csv: { type: 'boolean' },
  },
};

/** Throws CallError. */
export function parseCall(words: readonly string[]): Call {
  const [first, ...rest] = words;
  if (first === undefined || first === 'help' || first === '--help' || first === '-h') {
    return { command: 'help', about: COMMANDS.find((name) => name === rest[0]) ?? null };
  }
  if (first === '--version' || first === '-V') return { command: 'version' };
  const command = COMMANDS.find((name) => name === first);
  if (!command) throw unknownCommand(first);
  const { values, positionals } = parseOptions(command, rest);
  if (values.help) return { command: 'help', about: command };
  if (values.version) return { command: 'version' };
  if (positionals.length === 0) {
    throw new CallError(`"${command}" needs a spec.`, `Give its file: nablascope ${command} circles.nabla.json`);
  }
  if (positionals.length > 1) {
    throw new CallError(`"${command}" takes one spec, but there are ${positionals.length}.`, 'Run it once for each.');
  }
  const folders = values['data-folder'];
  const dataFolders = Array.isArray(folders) ? folders.map(String) : [];
  const about = { file: positionals[0], json: values.json === true, allowCode: values['allow-code'] === true, dataFolders };
  switch (command) {
    case 'check':
      return { command, ...about, step: wholeNumber('step', values.step, 0) ?? 0, junit: textOf(values.junit) };
    case 'train': {
      const epochs = wholeNumber('epochs', values.epochs, 1);
      const steps = wholeNumber('steps', values.steps, 1);
      if (epochs !== null && steps !== null) {
        throw new CallError('--epochs and --steps cannot be given together.', 'Leave out one of them.');
      }
      return { command, ...about, epochs, steps, fork: forkOf(values) };
    }
    case 'trace':
      return { command, ...about, step: wholeNumber('step', values.step, 1) ?? 1, full: values.full === true };
    case 'report': {
      const out = textOf(values.out);
      if (out === null) throw new CallError('"report" needs a file to write.', `Give it: nablascope report ${about.file} --out report.html`);
      return { command, ...about, step: wholeNumber('step', values.step, 0), out, check: values.check === true };
    }
    case 'summary':
    case 'cost':
      return { command, ...about };
    case 'sweep': {
      if (values.csv && values.json) throw new CallError('--json and --csv cannot be given together.', 'Leave out one of them.');
      const set = (Array.isArray(values.set) ? values.set : []).map((text) => sweepOption(String(text)));
      return {
        command, ...about, set, seeds: wholeNumber('seeds', values.seeds, 1), workers: wholeNumber('workers', values.workers, 1),
        fresh: values.fresh === true, csv: values.csv === true, results: textOf(values.results),
      };
    }
  }
}

function parseOptions(command: CommandName, words: readonly string[]) {
  try {
    return parseArgs({ args: [...words], options: options[command], allowPositionals: true });
  } catch (error) {
    throw explained(command, error, words);
  }
}

function explained(command: CommandName, error: unknown, words: readonly string[]): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const known = Object.keys(options[command]);
  if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') {
    const unknown = words.find((word) => /^--?[^-]/.test(word) && !isKnown(word, command)) ?? '';
    const name = unknown.replace(/^-+/, '').replace(/=.*$/, '');
    const near = nearest(name, known);
    const remedy = near ? `Did you mean --${near}?` : `There are ${known.map((option) => `--${option}`).join(', ')}.`;
    return new CallError(`"${command}" has no option ${unknown.replace(/=.*$/, '')}.`, remedy);
  }
  if (code === 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE') {
    const option = /--([a-z-]+)/.exec((error as Error).message)?.[1] ?? '';
    if (option === 'data-folder') {
      return new CallError('--data-folder needs a folder.', 'Write it after the option: --data-folder ../data');
    }
    if (option === 'junit' || option === 'results') {
      return new CallError(`--${option} needs a file.`, `Write it after the option: --${option} ${option === 'junit' ? 'check.xml' : 'results.sweep.json'}`);
    }
    const takesNumber = options[command][option]?.type === 'string';
    return takesNumber
      ? new CallError(`--${option} needs a number.`, `Write it after the option: --${option} 10`)
      : new CallError(`--${option} takes no value.`, `Write --${option} alone.`);
  }
  return error;
}

function isKnown(word: string, command: CommandName): boolean {
  const name = word.replace(/^-+/, '').replace(/=.*$/, '');
  const short = Object.values(options[command]).some((option) => option.short === name);
  return word.startsWith('--') ? name in options[command] : short;
}

function unknownCommand(word: string): CallError {
  if (word.endsWith('.json')) {
    return new CallError(`What should be done with ${word}?`, `Say it first: nablascope check ${word}`);
  }
  const near = nearest(word, COMMANDS);
  return new CallError(
    `There is no command "${word}".`,
    near ? `Did you mean "${near}"?` : `There are ${COMMANDS.map((name) => `"${name}"`).join(', ')}; see nablascope --help.`,
  );
}

/** `optimizer.lr=0.01,0.1`, or with a list of JSON: `layers.1=["tanh","relu"]`. */
function sweepOption(text: string): SweepOption {
  const at = text.indexOf('=');
  const [path, list] = at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
  if (path === '' || list === '') {
    throw new CallError(`--set needs a path and its values, not "${text}".`, 'For instance --set optimizer.lr=0.01,0.1.');
  }
  const whole = jsonOf(list);
  return { path, values: Array.isArray(whole) ? whole : list.split(',').map((word) => jsonOf(word.trim()) ?? word.trim()) };
}

/** Undefined where it is not JSON: a bare word. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function forkOf(values: Readonly<Record<string, unknown>>): Fork | null {
  const [at, lr, seed] = [wholeNumber('fork-at', values['fork-at'], 0), positive('lr', values.lr), wholeNumber('seed', values.seed, 0)];
  if (at === null && (lr !== null || seed !== null)) {
    throw new CallError(`--${lr === null ? 'seed' : 'lr'} is that of a fork, which begins at a step.`, 'Say which with --fork-at 100; for the whole run, change the spec.');
  }
  if (at !== null && lr === null && seed === null) {
    throw new CallError('A fork needs something that is other than in the run.', 'Give it with --lr 0.01, --seed 2, or both.');
  }
  return at === null ? null : { at, lr, seed };
}

const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null);

function positive(option: string, value: unknown): number | null {
  if (value === undefined) return null;
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : NaN;
  if (Number.isFinite(number) && number > 0) return number;
  throw new CallError(`--${option} is a number above 0, not "${String(value)}".`, `For instance --${option} 0.01.`);
}

function wholeNumber(option: string, value: unknown, least: number): number | null {
  if (value === undefined) return null;
  const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : NaN;
  if (Number.isSafeInteger(number) && number >= least) return number;
  throw new CallError(`--${option} is a whole number from ${least} up, not "${String(value)}".`, `For instance --${option} 10.`);
}
