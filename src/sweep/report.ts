// The results of a sweep: for all settings except the seed, mean and spread over its runs, at the end and over the
// epochs.

import { SPLIT_NAMES, type SplitName } from '../protocol/position';
import type { Best, Group, Measures, RunState, Settings, Spread, SweepReport } from '../protocol/sweep';
import type { SweepOption } from '../model-spec';
import { distinctLabels } from './value-label';
import { settingsKey, type RunResult } from './results';
import type { Curve } from './train-run';

export function computeSpread(values: readonly number[]): Spread {
  const count = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  const squaredDeviations = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return {
    count,
    mean,
    deviation: count > 1 ? Math.sqrt(squaredDeviations / (count - 1)) : null,
    min: Math.min(...values),
    max: Math.max(...values),
  };
}

type CompletedRun = Extract<RunResult, { readonly epochs: readonly number[] }>;

/** The mean over the runs, whose data may depend on the seed. */
function meanLargestClass(runs: readonly CompletedRun[], split: SplitName): number | null {
  const shares = runs.flatMap((run) => run.parts[split]?.largestClass ?? []);
  return shares.length > 0 ? computeSpread(shares).mean : null;
}

/** All runs of a group are evaluated after the same epochs, since they differ only in the seed. */
function computeBand(runs: readonly CompletedRun[], split: SplitName): Measures<Spread[]> | null {
  const curves = runs.map((run) => run.parts[split]).filter((curve): curve is Curve => curve !== undefined);
  if (curves.length === 0) return null;
  const length = Math.min(...curves.map(({ loss }) => loss.length));
  const at = (of: (curve: Curve) => readonly number[]): Spread[] =>
    Array.from({ length }, (_, i) => computeSpread(curves.map((curve) => of(curve)[i]!)));
  return { loss: at(({ loss }) => loss), accuracy: curves[0]!.accuracy ? at(({ accuracy }) => accuracy ?? []) : null };
}

const lastValues = ({ loss, accuracy }: Measures<Spread[]>): Measures<Spread> => ({
  loss: loss.at(-1)!,
  accuracy: accuracy ? accuracy.at(-1)! : null,
});

function buildGroup(settings: Settings, labels: readonly string[], results: readonly (RunResult | undefined)[]): Group {
  const finished = results.filter((run): run is CompletedRun => run?.outcome === 'finished');
  const bands = SPLIT_NAMES.flatMap((split): [SplitName, Measures<Spread[]>][] => {
    const band = computeBand(finished, split);
    return band ? [[split, band]] : [];
  });
  const count = (outcome: RunResult['outcome']): number => results.filter((run) => run?.outcome === outcome).length;
  return {
    settings,
    labels,
    planned: results.length,
    finished: finished.length,
    diverged: count('diverged'),
    failed: count('failed'),
    final: Object.fromEntries(bands.map(([split, band]) => [split, lastValues(band)])),
    largestClass: Object.fromEntries(bands.map(([split]) => [split, meanLargestClass(finished, split)])),
    epochs: finished[0]?.epochs ?? [],
    bands: Object.fromEntries(bands),
  };
}

function findBest(groups: readonly Group[]): Best | null {
  for (const split of ['validation', 'train'] as const) {
    const known = groups.flatMap(({ final, planned, finished, diverged, failed }, group) => {
      const mean = final[split]?.loss.mean;
      // An incomplete mean must not be compared with complete ones.
      return mean === undefined || Number.isNaN(mean) || finished + diverged + failed < planned
        ? []
        : [{ group, mean, isWhole: finished === planned }];
    });
    if (known.length < 2) continue;
    // The mean over the seeds that survived says nothing about those that did not.
    const whole = known.filter(({ isWhole }) => isWhole);
    const compared = whole.length > 0 ? whole : known;
    return { group: compared.reduce((a, b) => (b.mean < a.mean ? b : a)).group, part: split };
  }
  return null;
}

/** @param results in the order of the planned settings; undefined if a run is not done */
export function buildReport(
  options: readonly SweepOption[],
  settings: readonly Settings[],
  results: readonly (RunResult | undefined)[],
): SweepReport {
  const members = new Map<string, { readonly settings: Settings; readonly results: (RunResult | undefined)[] }>();
  settings.forEach((runSettings, i) => {
    const { seed: _, ...settingsWithoutSeed } = runSettings;
    const key = settingsKey(settingsWithoutSeed);
    const group = members.get(key) ?? { settings: settingsWithoutSeed, results: [] };
    group.results.push(results[i]);
    members.set(key, group);
  });
  const compared = options.filter(({ path, values }) => path !== 'seed' && values.length > 1).map(({ path }) => path);
  const grouped = [...members.values()];
  const labels = compared.map((path) => distinctLabels(grouped.map((group) => group.settings[path])));
  const groups = grouped.map((group, i) =>
    buildGroup(
      group.settings,
      labels.map((each) => each[i]!),
      group.results,
    ),
  );
  return {
    options: compared,
    seeds: options.find(({ path }) => path === 'seed')?.values.length ?? 1,
    groups,
    best: findBest(groups),
  };
}

export const isDone = ({ state }: RunState): boolean => state !== 'waiting' && state !== 'running';
