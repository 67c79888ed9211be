// Damaged specs, and what must hold for each: a spec or problems that can be shown, in time; a spec that is accepted
// also trains. Used by the test of a sample and by the campaign in bench/. An input is a function of seed and index.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Problem } from '../../src/protocol/problem';
import { Random } from '../../src/engine/random';
import { loadRun, parseSpec } from '../../src/model-spec';
import { TrainingSession } from '../../src/session/session';
import { noFiles } from './data-files';
import { measureProcessorTime } from './processor-time';

/** Milliseconds of processor time for each MB of a text; a text below one MB has as many. */
export const MAX_MS_PER_MB = 250;
/** Larger runs would take the time of many small ones. Bytes. */
const MEMORY_LIMIT = 2 ** 21;
const STEPS = 2;

const examples = join(process.cwd(), 'examples');

/** The examples as texts. */
export const specSeeds = (): readonly string[] =>
  readdirSync(examples)
    .filter((file) => file.endsWith('.nabla.json'))
    .sort()
    .map((file) => readFileSync(join(examples, file), 'utf8'));

/** Values that validation often gets wrong. */
const VALUES = [
  ...['0', '-1', '-0.0', '1.5', '1e308', '1e-320', '9007199254740993', '-1e400', '2147483648', '1', '2', '3'],
  ...['null', 'true', 'false', '""', '" "', '"__proto__"', '"constructor"', '"NaN"', '"1"', '"\\u202e"', '"\\ud800"'],
  ...['[]', '{}', '[[]]', '[null]', '[1,"1"]', '{"type":"linear"}', '{"type":null}', '["tanh",["relu"]]', '"tanh"'],
];
const FRAGMENTS = [
  ...['{', '}', '[', ']', ',', ':', '"', '//', '/*', '*/', '\\', '\u0000', '\u2028', '\ud83d', '-', '.', 'e', 'true'],
  ...['"a": 1,', '"type":', '"layers": ["tanh"],', '"seed": 1,', '"sweep": {"seed": [1, 2]},'],
];
/** A number, a string or a word of a spec. */
const TOKEN = /"(?:[^"\\\n]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/g;

class Draw {
  readonly #random: Random;

  constructor(seed: number, index: number) {
    this.#random = new Random(seed, `spec ${index}`);
  }

  below(n: number): number {
    return this.#random.integerBelow(Math.max(1, n));
  }

  of<Value>(values: readonly Value[]): Value {
    return values[this.below(values.length)]!;
  }
}

type Mutation = (text: string, draw: Draw, seeds: readonly string[]) => string;

const splice = (text: string, start: number, end: number, by: string): string =>
  text.slice(0, start) + by + text.slice(end);

/** Replaces a token by what `choose` returns. */
const replaceToken =
  (choose: (draw: Draw, tokens: readonly string[], seeds: readonly string[]) => string): Mutation =>
  (text, draw, seeds) => {
    const tokens = [...text.matchAll(TOKEN)];
    if (tokens.length === 0) return text;
    const { 0: token, index } = draw.of(tokens);
    return splice(
      text,
      index,
      index + token.length,
      choose(
        draw,
        tokens.map(([each]) => each),
        seeds,
      ),
    );
  };

const tokenOfSeed = (draw: Draw, _: readonly string[], seeds: readonly string[]): string =>
  draw.of(draw.of(seeds).match(TOKEN) ?? ['1']);

/** Mutations after which a spec is often still valid. */
const GENTLE: readonly Mutation[] = [
  replaceToken((draw) => draw.of(VALUES)),
  replaceToken((draw, tokens) => draw.of(tokens)),
  replaceToken(tokenOfSeed),
  replaceToken((draw) => String(1 + draw.below(9))),
];

const HARSH: readonly Mutation[] = [
  (text, draw) => {
    const start = draw.below(text.length);
    return splice(text, start, start + 1 + draw.below(30), '');
  },
  (text, draw) => {
    const start = draw.below(text.length);
    return splice(text, start, start, text.slice(start, start + 1 + draw.below(200)));
  },
  (text, draw) => {
    const at = draw.below(text.length + 1);
    return splice(text, at, at, draw.of(FRAGMENTS));
  },
  (text, draw) => {
    const at = draw.below(text.length);
    return splice(text, at, at + 1, String.fromCharCode(draw.below(2 ** 16)));
  },
  (text, draw) => text.slice(0, draw.below(text.length)),
  (text, draw, seeds) => {
    const other = draw.of(seeds);
    return text.slice(0, draw.below(text.length)) + other.slice(draw.below(other.length));
  },
];

/** Each costs as much as many others. */
const BULKY: readonly Mutation[] = [
  (text, draw) => text.replace(/[[{]/, (open) => open.repeat(1 + draw.below(2000))),
  (text, draw) =>
    text.replace(
      '{',
      `{ ${Array.from({ length: draw.below(300) }, (_, i) => `"k${i}": ${draw.of(VALUES)},`).join(' ')}`,
    ),
];

/** Text `index` of a campaign. */
export function drawSpec(seeds: readonly string[], seed: number, index: number): string {
  const draw = new Draw(seed, index);
  const isGentle = draw.below(2) === 0;
  let text = draw.of(seeds);
  for (let count = 1 + draw.below(isGentle ? 4 : 3); count > 0; count--)
    text = draw.of(isGentle ? GENTLE : draw.below(16) === 0 ? BULKY : [...GENTLE, ...HARSH])(text, draw, seeds);
  return text;
}

/** What is wrong with problems that are to be shown; null if nothing. */
function faultOfProblems(text: string, problems: readonly Problem[]): string | null {
  for (const { code, start, end, message, remedy, severity } of problems) {
    const where = `problem ${code}`;
    if (!/^[a-z]+(-[a-z]+)*$/.test(code)) return `${where} has no code`;
    if (!['error', 'warning', 'information'].includes(severity)) return `${where} has the severity ${severity}`;
    if (!(Number.isInteger(start) && Number.isInteger(end) && 0 <= start && start <= end && end <= text.length))
      return `${where} is at ${start} to ${end} of ${text.length}`;
    if (!/\S[.?]$/.test(message) || !/\S[.?]$/.test(remedy)) return `${where} is no sentence: ${message} ${remedy}`;
    if (/invalid input|invalid_|\[object/i.test(message + remedy)) return `${where} shows internals: ${message}`;
  }
  return null;
}

export interface SpecCheck {
  /** What is wrong; null if nothing. */
  readonly fault: string | null;
  /** `rejected`, `accepted`, or `trained`. */
  readonly outcome: string;
  /** Of processor time. */
  readonly milliseconds: number;
}

function measure(text: string, work: () => Omit<SpecCheck, 'milliseconds'>): SpecCheck {
  const limit = MAX_MS_PER_MB * Math.max(1, text.length / 2 ** 20);
  const { result, milliseconds } = measureProcessorTime(limit, (): Omit<SpecCheck, 'milliseconds'> => {
    try {
      return work();
    } catch (error) {
      return { fault: error instanceof Error ? (error.stack ?? error.message) : String(error), outcome: 'threw' };
    }
  });
  const isSlow = milliseconds > limit;
  return { ...result, fault: result.fault ?? (isSlow ? `takes ${milliseconds} ms` : null), milliseconds };
}

/** Parses a text. */
export const checkParsed = (text: string): SpecCheck =>
  measure(text, () => {
    const { spec, problems } = parseSpec(text);
    const hasError = problems.some(({ severity }) => severity === 'error');
    const fault =
      faultOfProblems(text, problems) ?? ((spec === undefined) === hasError ? null : 'a spec with errors, or neither');
    return { fault, outcome: spec ? 'accepted' : 'rejected' };
  });

/** Loads a text and trains some steps. Training is not measured: how long a step takes depends on the network. */
export function checkTrained(text: string): SpecCheck {
  let run: ReturnType<typeof loadRun>['run'];
  const loaded = measure(text, () => {
    const result = loadRun(text, noFiles, { memoryLimit: MEMORY_LIMIT });
    ({ run } = result);
    const hasError = result.problems.some(({ severity }) => severity === 'error');
    const fault =
      faultOfProblems(text, result.problems) ??
      ((run === undefined) === hasError ? null : 'a run with errors, or neither');
    return { fault, outcome: run ? 'accepted' : 'rejected' };
  });
  if (!run || loaded.fault !== null) return loaded;
  try {
    const session = new TrainingSession(run, text);
    for (let step = 0; step < STEPS && step < session.totalSteps; step++) session.step();
    if (session.loss === null) return { ...loaded, fault: 'a step without a loss' };
    return { ...loaded, outcome: 'trained' };
  } catch (error) {
    return { ...loaded, fault: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}
