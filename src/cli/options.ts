// The kinds of options a command can declare. An option knows its placeholder, its help text and how to read its value,
// so usage lines, --help, docs/terminal.md and parsing follow from one declaration.
import { UsageError } from './usage-error';

/** What node:util's parseArgs returns for one option. */
type RawValue = string | boolean | readonly (string | boolean)[] | undefined;

export interface CliOption<Value> {
  /** Stands for the value in usage lines, such as `N`; undefined for a flag. */
  readonly placeholder?: string;
  /** Ends without a period. */
  readonly help: string;
  /** One letter, without the dash. */
  readonly short?: string;
  /** Can be given more than once. */
  readonly multiple?: boolean;
  readonly required?: boolean;
  /** A valid value, shown if the value is missing. */
  readonly example?: string;
  /** @param name as typed, with dashes. Throws UsageError. */
  read(raw: RawValue, name: string): Value;
}

export type OptionTable = Readonly<Record<string, CliOption<unknown>>>;

export type OptionValues<Options extends OptionTable> = {
  readonly [Key in keyof Options]: ReturnType<Options[Key]['read']>;
};

/** `forkAt` in code is `--fork-at` in a terminal. */
export const optionName = (key: string): string => `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

interface Description {
  readonly help: string;
  readonly short?: string;
}

export const flag = (description: Description): CliOption<boolean> => ({
  ...description,
  read: (raw) => raw === true,
});

interface ValueDescription extends Description {
  readonly placeholder: string;
  readonly example: string;
}

/** An integer of at least `min`; null if the option is not given. */
export const integer = ({ min, ...description }: ValueDescription & { readonly min: number }) =>
  optional(description, (text, name): number => {
    const number = /^\d+$/.test(text) ? Number(text) : NaN;
    if (Number.isSafeInteger(number) && number >= min) return number;
    throw invalidValue(name, `a whole number of at least ${min}`, text, description.example);
  });

/** Both ends inclusive. */
export interface IndexRange {
  readonly first: number;
  readonly last: number;
}

/** `10-19`, or `10` for one; null if the option is not given. */
export const indexRange = (description: ValueDescription) =>
  optional(description, (text, name): IndexRange => {
    const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(text) ?? [];
    const range = { first: Number(first), last: Number(last) };
    if (Number.isSafeInteger(range.last) && range.first <= range.last) return range;
    throw invalidValue(name, 'a range of whole numbers', text, description.example);
  });

/** A number above 0; null if the option is not given. */
export const positiveNumber = (description: ValueDescription) =>
  optional(description, (text, name): number => {
    const number = text.trim() === '' ? NaN : Number(text);
    if (Number.isFinite(number) && number > 0) return number;
    throw invalidValue(name, 'a number above 0', text, description.example);
  });

/** A path or a word; null if the option is not given. */
export const text = (description: ValueDescription) => optional(description, (value) => value);

/** A path or a word that is required. */
export const requiredText = (description: ValueDescription): CliOption<string> => ({
  ...description,
  required: true,
  read(raw, name) {
    if (typeof raw === 'string') return raw;
    throw new UsageError('missing-option', `${name} is missing.`, `Add ${name} ${description.example}.`);
  },
});

/** An option that can be given several times. */
export const list = <Value>(
  description: ValueDescription,
  parse: (text: string, name: string) => Value,
): CliOption<readonly Value[]> => ({
  ...description,
  multiple: true,
  read: (raw, name) => (Array.isArray(raw) ? raw.map((value) => parse(String(value), name)) : []),
});

const optional = <Value>(
  description: ValueDescription,
  parse: (text: string, name: string) => Value,
): CliOption<Value | null> => ({
  ...description,
  read: (raw, name) => (typeof raw === 'string' ? parse(raw, name) : null),
});

export const invalidValue = (name: string, expected: string, found: string, example: string): UsageError =>
  new UsageError('invalid-value', `${name} must be ${expected}, not "${found}".`, `For example: ${name} ${example}.`);
