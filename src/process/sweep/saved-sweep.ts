// The state of a sweep that is not running, from its results file.
import path from 'node:path';
import type { SweepState } from '../../protocol/sweep';
import { fittedFunctions } from '../../sweep/fitted-functions';
import { planSweep, type SweepSource } from '../../sweep/plan';
import { SweepRecord } from '../../sweep/sweep-record';
import { openSweepStore, type SweepLocation, type SweepStore } from './sweep-store';

/** @param workers 0 while the sweep is not running */
export const toSweepState = (
  { states, report, results, notes }: SweepRecord,
  store: SweepStore,
  workers: number,
): SweepState => ({
  running: workers > 0,
  workers,
  runs: states,
  report,
  fits: fittedFunctions(results),
  file: path.basename(store.file),
  notes,
});

/** The earlier results of a spec's runs, without reading their data; `problems` if the spec has errors. */
export async function savedSweepState(
  source: SweepSource,
  location: SweepLocation,
): Promise<SweepState | 'noSweep' | 'problems'> {
  const { plan, problems } = planSweep(source);
  if (!plan) return problems.length > 0 ? 'problems' : 'noSweep';
  const store = openSweepStore(location);
  const found = await store.load();
  const results = found.kind === 'found' ? found.results : null;
  return toSweepState(new SweepRecord(plan, null, results), store, 0);
}

/** The spec of one run of a sweep, with its own settings; null if there is no such run. */
export const sweepRunText = (source: SweepSource, index: number): string | null =>
  planSweep(source).plan?.runs[index]?.text ?? null;
