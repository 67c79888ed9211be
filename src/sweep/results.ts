// The results file of a sweep; docs/sweeps.md describes it. It is validated like any input.

import { SPLIT_NAMES, type SplitName } from '../protocol/position';
import type { FittedFunction, Settings } from '../protocol/sweep';
import { fingerprintSpec, parseSpec } from '../model-spec';
import { type PlannedRun, type SweepPlan, variantText } from './plan';
import type { Curve, TrainingResult } from './train-run';

export const FORMAT = 'nablascope sweep';
export const VERSION = 1;

/** A finished run, or one that failed. */
export type RunResult = { readonly settings: Settings } & (
  | ({
      readonly milliseconds: number;
      /** Digest of the data's values, if the settings change the data. */
      readonly data?: string | undefined;
    } & TrainingResult)
  /** It will be repeated. */
  | { readonly outcome: 'failed'; readonly message: string }
);

export interface SweepResults {
  readonly format: typeof FORMAT;
  readonly version: typeof VERSION;
  /** File name of the spec. */
  readonly file: string;
  /** Digest of the spec's data, without the sweep, so that a changed file is noticed. */
  readonly data: string;
  /** The spec that the runs are variants of, without its sweep section. */
  readonly spec: unknown;
  readonly runs: readonly RunResult[];
}

// JSON has no NaN and no infinity: they are written as strings.
const toJson = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'number' && !Number.isFinite(inner) ? String(inner) : inner,
  );

/** The text of a file, one run per line. */
export function serializeResults({ runs, ...head }: SweepResults): string {
  const lines = Object.entries(head).map(([key, value]) => `  ${toJson(key)}: ${toJson(value)},`);
  return ['{', ...lines, '  "runs": [', runs.map((run) => `    ${toJson(run)}`).join(',\n'), '  ]', '}', ''].join('\n');
}

type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function parseNumbers(value: unknown): number[] {
  if (!Array.isArray(value)) throw new TypeError('a list of numbers is missing');
  return value.map((entry: unknown) => {
    const number = typeof entry === 'string' ? Number(entry) : entry;
    if (typeof number !== 'number' || (Number.isNaN(number) && entry !== 'NaN'))
      throw new TypeError('a number is missing');
    return number;
  });
}

function parseCurve(value: unknown, length: number): Curve {
  if (!isObject(value)) throw new TypeError('a curve is missing');
  const curve = {
    loss: parseNumbers(value.loss),
    accuracy: value.accuracy === null ? null : parseNumbers(value.accuracy),
    largestClass: typeof value.largestClass === 'number' ? value.largestClass : null,
  };
  if (curve.loss.length !== length || (curve.accuracy && curve.accuracy.length !== length))
    throw new TypeError('a curve is of another length');
  return curve;
}

/** Files of earlier versions have none. */
function parseFit(value: unknown): { readonly fit?: FittedFunction } {
  if (value === undefined) return {};
  if (
    !isObject(value) ||
    typeof value.input !== 'string' ||
    typeof value.from !== 'number' ||
    typeof value.to !== 'number'
  )
    throw new TypeError('a fitted function is not whole');
  return { fit: { input: value.input, from: value.from, to: value.to, outputs: parseNumbers(value.outputs) } };
}

function parseRun(value: unknown): RunResult {
  if (!isObject(value) || !isObject(value.settings)) throw new TypeError('a run is without settings');
  const { settings, outcome, message, milliseconds, steps, backend, hash } = value;
  if (outcome === 'failed' && typeof message === 'string') return { settings, outcome, message };
  if (outcome !== 'finished' && outcome !== 'diverged') throw new TypeError('a run is without an outcome');
  if (
    typeof steps !== 'number' ||
    typeof milliseconds !== 'number' ||
    typeof hash !== 'string' ||
    !isObject(value.parts)
  )
    throw new TypeError('a run is not whole');
  const epochs = parseNumbers(value.epochs);
  const { parts } = value;
  const curves = SPLIT_NAMES.filter((part) => part in parts).map((part): [SplitName, Curve] => [
    part,
    parseCurve(parts[part], epochs.length),
  ]);
  return {
    settings,
    outcome,
    message: typeof message === 'string' ? message : null,
    milliseconds,
    steps,
    backend: typeof backend === 'string' ? backend : null,
    hash,
    ...(typeof value.data === 'string' ? { data: value.data } : {}),
    epochs,
    parts: Object.fromEntries(curves),
    ...parseFit(value.fit),
  };
}

/** @returns undefined if the text is not such a file, or has another version */
export function parseResults(text: string): SweepResults | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (!isObject(value) || value.format !== FORMAT || value.version !== VERSION || !Array.isArray(value.runs))
      return undefined;
    if (typeof value.file !== 'string' || typeof value.data !== 'string' || !isObject(value.spec)) return undefined;
    return {
      format: FORMAT,
      version: VERSION,
      file: value.file,
      data: value.data,
      spec: value.spec,
      runs: value.runs.map(parseRun),
    };
  } catch {
    return undefined;
  }
}

/** Equal settings have equal keys regardless of the order in which they are written. */
export const settingsKey = (settings: Settings): string =>
  JSON.stringify(Object.entries(settings).sort(([a], [b]) => (a < b ? -1 : 1)));

/** Equal for texts whose training is the same from the first step to the last; undefined for an invalid spec. */
function trainingFingerprint(text: string): string | undefined {
  const { spec } = parseSpec(text);
  return spec && JSON.stringify([fingerprintSpec(spec).trajectory, spec.epochs]);
}

export interface ReusableResults {
  /** Runs that are still valid, whether or not they are in the plan. */
  readonly runs: readonly RunResult[];
  /** The number of runs that are no longer valid because the spec or its data changed. */
  readonly staleCount: number;
}

/** Whether settings change the data: then the digest of the spec's data does not cover a run with them. */
export const changesData = (settings: Settings): boolean =>
  Object.keys(settings).some((path) => path === 'data' || path.startsWith('data.') || path === 'initial_weights');

/** What the data of a sweep is now. */
export interface SweepData {
  /** Digest of the data of the spec without the sweep. */
  readonly digest: string;
  /** Digest of the data of a run whose settings change the data; undefined if it cannot be loaded. */
  digestOf(settings: Settings): string | undefined;
}

/**
 * The results in a file that are still valid for this plan: runs whose settings would train the same way again.
 * @param data null if it is not loaded: then it counts as unchanged
 */
export function selectReusable(results: SweepResults, plan: SweepPlan, data: SweepData | null): ReusableResults {
  const done = results.runs.filter(({ outcome }) => outcome !== 'failed');
  const isSameSpec = JSON.stringify(results.spec) === JSON.stringify(plan.spec);
  const trainsAlike = ({ settings }: RunResult): boolean => {
    const [before, now] = [results.spec, plan.spec].map((spec) =>
      trainingFingerprint(variantTextOrEmpty(spec, settings)),
    );
    return now !== undefined && before === now;
  };
  // The data comes last, since it may have to be loaded.
  const runs = done.filter(
    (run) => (isSameSpec || trainsAlike(run)) && (data === null || hasSameData(run, results, data)),
  );
  return { runs, staleCount: done.length - runs.length };
}

function hasSameData(run: RunResult, results: SweepResults, { digest, digestOf }: SweepData): boolean {
  if (!changesData(run.settings)) return results.data === digest;
  // Files of earlier versions have no digest.
  return 'data' in run && run.data !== undefined && run.data === digestOf(run.settings);
}

export function variantTextOrEmpty(spec: unknown, settings: Settings): string {
  try {
    return variantText(spec, settings);
  } catch {
    // A path that no longer exists.
    return '';
  }
}

/** The result of each planned run, in the plan's order; undefined if there is none yet. */
export function matchResults(runs: readonly RunResult[], planned: readonly PlannedRun[]): (RunResult | undefined)[] {
  const byKey = new Map(runs.map((run) => [settingsKey(run.settings), run]));
  return planned.map(({ settings }) => byKey.get(settingsKey(settings)));
}
