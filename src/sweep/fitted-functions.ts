// What the finished runs of a sweep learned, if it is a function of one input.
import type { SweepState } from '../protocol/sweep';
import type { RunResult } from './results';

/** More lines in one chart cannot be told apart. */
const MAX_FUNCTIONS = 60;

/** @param results of the planned runs, in their order; undefined if a run is not done */
export const fittedFunctions = (results: readonly (RunResult | undefined)[]): SweepState['fits'] =>
  results
    .flatMap((result, run) => (result && 'fit' in result && result.fit ? { run, fit: result.fit } : []))
    .slice(0, MAX_FUNCTIONS);
