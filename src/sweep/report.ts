// What a sweep says: for every setting but the seed, mean and spread over its runs, at the end and over the epochs.
import { PARTS } from '../session/evaluation';
import type { Part } from '../session/frame';
import type { SweepOption } from '../spec';
import { labelOf } from './label';
import type { Settings } from './plan';
import { keyOf, type RunResult } from './results';
import type { Curve } from './train-run';

/** Of several runs. */
export interface Spread {
  readonly count: number;
  readonly mean: number;
  /** Sample standard deviation, with n - 1; null for a single run. */
  readonly deviation: number | null;
  readonly min: number;
  readonly max: number;
}

export interface Measures<Of> {
  readonly loss: Of;
  /** Null where targets are values. */
  readonly accuracy: Of | null;
}

export interface Group {
  /** Without the seed; the runs of a group differ in that alone. */
  readonly settings: Settings;
  /** Their values in short, in the order of the report's options. */
  readonly labels: readonly string[];
  readonly planned: number;
  readonly finished: number;
  readonly diverged: number;
  readonly failed: number;
  /** After the last step, of the runs that finished. */
  readonly final: Readonly<Partial<Record<Part, Measures<Spread>>>>;
  /** Epochs of the bands. */
  readonly epochs: readonly number[];
  /** One spread for each epoch, of the runs that finished. */
  readonly bands: Readonly<Partial<Record<Part, Measures<readonly Spread[]>>>>;
}

export interface Best {
  /** Index of the group. */
  readonly group: number;
  /** What it is best by: the mean final loss of this part. */
  readonly part: Part;
}

export interface SweepReport {
  /** Options that the groups differ in: those with several values, but the seed. */
  readonly options: readonly string[];
  /** How many seeds each group has; 1 where the seed is not swept. */
  readonly seeds: number;
  readonly groups: readonly Group[];
  /** Among the groups whose runs are all done; null before there are two. */
  readonly best: Best | null;
}

export function spreadOf(values: readonly number[]): Spread {
  const count = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { count, mean, deviation: count > 1 ? Math.sqrt(squares / (count - 1)) : null, min: Math.min(...values), max: Math.max(...values) };
}

type Done = Extract<RunResult, { readonly epochs: readonly number[] }>;

/** Every run of a group is evaluated after the same epochs: they differ in the seed alone. */
function bandOf(runs: readonly Done[], part: Part): Measures<Spread[]> | null {
  const curves = runs.map((run) => run.parts[part]).filter((curve): curve is Curve => curve !== undefined);
  if (curves.length === 0) return null;
  const length = Math.min(...curves.map(({ loss }) => loss.length));
  const at = (of: (curve: Curve) => readonly number[]): Spread[] => Array.from({ length }, (_, i) => spreadOf(curves.map((curve) => of(curve)[i])));
  return { loss: at(({ loss }) => loss), accuracy: curves[0].accuracy ? at(({ accuracy }) => accuracy ?? []) : null };
}

const endOf = ({ loss, accuracy }: Measures<Spread[]>): Measures<Spread> => ({ loss: loss[loss.length - 1], accuracy: accuracy && accuracy[accuracy.length - 1] });

function groupOf(settings: Settings, options: readonly string[], results: readonly (RunResult | undefined)[]): Group {
  const finished = results.filter((run): run is Done => run?.outcome === 'finished');
  const bands = PARTS.flatMap((part): [Part, Measures<Spread[]>][] => {
    const band = bandOf(finished, part);
    return band ? [[part, band]] : [];
  });
  const count = (outcome: RunResult['outcome']): number => results.filter((run) => run?.outcome === outcome).length;
  return {
    settings, labels: options.map((path) => labelOf(settings[path])), planned: results.length, finished: finished.length, diverged: count('diverged'), failed: count('failed'),
    final: Object.fromEntries(bands.map(([part, band]) => [part, endOf(band)])),
    epochs: finished[0]?.epochs ?? [],
    bands: Object.fromEntries(bands),
  };
}

function bestOf(groups: readonly Group[]): Best | null {
  for (const part of ['validation', 'train'] as const) {
    const known = groups.flatMap(({ final, planned, finished, diverged, failed }, group) => {
      const mean = final[part]?.loss.mean;
      // A mean that is not whole yet would be compared with those that are.
      return mean === undefined || Number.isNaN(mean) || finished + diverged + failed < planned ? [] : [{ group, mean }];
    });
    if (known.length < 2) continue;
    return { group: known.reduce((a, b) => (b.mean < a.mean ? b : a)).group, part };
  }
  return null;
}

/** @param results in the order of the planned settings; undefined where a run is not done. */
export function reportOf(options: readonly SweepOption[], settings: readonly Settings[], results: readonly (RunResult | undefined)[]): SweepReport {
  const members = new Map<string, { readonly settings: Settings; readonly results: (RunResult | undefined)[] }>();
  settings.forEach((all, i) => {
    const { seed: _, ...own } = all;
    const key = keyOf(own);
    const group = members.get(key) ?? { settings: own, results: [] };
    group.results.push(results[i]);
    members.set(key, group);
  });
  const compared = options.filter(({ path, values }) => path !== 'seed' && values.length > 1).map(({ path }) => path);
  const groups = [...members.values()].map((group) => groupOf(group.settings, compared, group.results));
  return {
    options: compared,
    seeds: options.find(({ path }) => path === 'seed')?.values.length ?? 1,
    groups,
    best: bestOf(groups),
  };
}
