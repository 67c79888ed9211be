// The file that keeps what a sweep found, beside its spec; docs/sweeps.md describes it. Read, it is judged like any input.
import { PARTS } from '../session/evaluation';
import type { Part } from '../session/frame';
import { meaningOf, parseSpec } from '../spec';
import { type PlannedRun, type Settings, type SweepPlan, variantText } from './plan';
import type { Curve, Trained } from './train-run';

export const FORMAT = 'nablascope sweep';
export const VERSION = 1;

/** A run that is done, or that could not be. */
export type RunResult = { readonly settings: Settings } & (
  | ({ readonly milliseconds: number } & Trained)
  /** It will be tried again. */
  | { readonly outcome: 'failed'; readonly message: string }
);

export interface SweepResults {
  readonly format: typeof FORMAT;
  readonly version: typeof VERSION;
  /** File name of the spec. */
  readonly file: string;
  /** Of the values of the data, so that a changed file is noticed. */
  readonly data: string;
  /** The spec that the runs are variants of, without its sweep. */
  readonly spec: unknown;
  readonly runs: readonly RunResult[];
}

// JSON has no NaN and no infinity: they are written as texts.
const line = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'number' && !Number.isFinite(inner) ? String(inner) : inner));

/** The text of a file, one run a line. */
export function writeResults({ runs, ...head }: SweepResults): string {
  const lines = Object.entries(head).map(([key, value]) => `  ${line(key)}: ${line(value)},`);
  return ['{', ...lines, '  "runs": [', runs.map((run) => `    ${line(run)}`).join(',\n'), '  ]', '}', ''].join('\n');
}

type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

function numbers(value: unknown): number[] {
  if (!Array.isArray(value)) throw new TypeError('a list of numbers is missing');
  return value.map((entry: unknown) => {
    const number = typeof entry === 'string' ? Number(entry) : entry;
    if (typeof number !== 'number' || (Number.isNaN(number) && entry !== 'NaN')) throw new TypeError('a number is missing');
    return number;
  });
}

function curveFrom(value: unknown, length: number): Curve {
  if (!isObject(value)) throw new TypeError('a curve is missing');
  const curve = { loss: numbers(value.loss), accuracy: value.accuracy === null ? null : numbers(value.accuracy) };
  if (curve.loss.length !== length || (curve.accuracy && curve.accuracy.length !== length)) throw new TypeError('a curve is of another length');
  return curve;
}

function runFrom(value: unknown): RunResult {
  if (!isObject(value) || !isObject(value.settings)) throw new TypeError('a run is without settings');
  const { settings, outcome, message, milliseconds, steps, backend, hash } = value;
  if (outcome === 'failed' && typeof message === 'string') return { settings, outcome, message };
  if (outcome !== 'finished' && outcome !== 'diverged') throw new TypeError('a run is without an outcome');
  if (typeof steps !== 'number' || typeof milliseconds !== 'number' || typeof hash !== 'string' || !isObject(value.parts)) throw new TypeError('a run is not whole');
  const epochs = numbers(value.epochs);
  const { parts } = value;
  const curves = PARTS.filter((part) => part in parts).map((part): [Part, Curve] => [part, curveFrom(parts[part], epochs.length)]);
  return { settings, outcome, message: typeof message === 'string' ? message : null, milliseconds, steps, backend: typeof backend === 'string' ? backend : null, hash, epochs, parts: Object.fromEntries(curves) };
}

/** @returns undefined where the text is no such file, or of another version */
export function readResults(text: string): SweepResults | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (!isObject(value) || value.format !== FORMAT || value.version !== VERSION || !Array.isArray(value.runs)) return undefined;
    if (typeof value.file !== 'string' || typeof value.data !== 'string' || !isObject(value.spec)) return undefined;
    return { format: FORMAT, version: VERSION, file: value.file, data: value.data, spec: value.spec, runs: value.runs.map(runFrom) };
  } catch {
    return undefined;
  }
}

/** Equal settings have equal keys, whatever the order they are written in. */
export const keyOf = (settings: Settings): string => JSON.stringify(Object.entries(settings).sort(([a], [b]) => (a < b ? -1 : 1)));

/** Equal for texts whose training is the same from the first step to the last; undefined where the text is no spec. */
function trainingOf(text: string): string | undefined {
  const { spec } = parseSpec(text);
  return spec && JSON.stringify([meaningOf(spec).trajectory, spec.epochs]);
}

export interface Kept {
  /** Runs that still hold, whether or not the plan has them. */
  readonly runs: readonly RunResult[];
  /** How many hold no longer: the spec or its data changed since. */
  readonly void: number;
}

/** What of a file still holds for this plan: runs whose settings would be trained just so again. */
export function keepResults(results: SweepResults, plan: SweepPlan, data: string): Kept {
  const done = results.runs.filter(({ outcome }) => outcome !== 'failed');
  if (results.data !== data) return { runs: [], void: done.length };
  if (JSON.stringify(results.spec) === JSON.stringify(plan.spec)) return { runs: done, void: 0 };
  const runs = done.filter(({ settings }) => {
    const [before, now] = [results.spec, plan.spec].map((spec) => trainingOf(textOf(spec, settings)));
    return now !== undefined && before === now;
  });
  return { runs, void: done.length - runs.length };
}

function textOf(spec: unknown, settings: Settings): string {
  try {
    return variantText(spec, settings);
  } catch {
    // A path that no longer leads anywhere.
    return '';
  }
}

/** The result of each planned run, in the plan's order; undefined where there is none yet. */
export function resultsOf(runs: readonly RunResult[], planned: readonly PlannedRun[]): (RunResult | undefined)[] {
  const byKey = new Map(runs.map((run) => [keyOf(run.settings), run]));
  return planned.map(({ settings }) => byKey.get(keyOf(settings)));
}
