// How the sizes of a parameter's gradient were spread, over the steps that were looked at and at the one that is shown.
import { BINS_PER_DECADE, edge, MAGNITUDE_BINS, type Magnitudes, magnitudesOf } from '../../engine/probes/magnitudes';
import type { TrainingSession } from '../session';
import { defineQuestion } from './question';

export interface RidgesAnswer {
  /** Entries of the parameter. */
  readonly entries: number;
  readonly binsPerDecade: number;
  /** Where the first bin begins: only bins that hold anything, and those between them, are told. */
  readonly low: number;
  readonly bins: number;
  /** Rising; the last is the step that is shown, if its gradient is known. */
  readonly steps: Float64Array;
  /** [steps, bins]: entries whose size lies in the bin. */
  readonly counts: Uint32Array;
  /** By step: entries that are exactly 0, and those that are not finite. */
  readonly zeros: Uint32Array;
  readonly nonFinite: Uint32Array;
}

export const ridges = defineQuestion({
  about: 'ridges',
  /** Null where there is no such parameter, or nothing was measured. */
  answer(session: TrainingSession, { parameter: name }: { readonly parameter: string }): RidgesAnswer | null {
    const parameter = session.network.parameters.find((each) => each.name === name);
    if (!parameter) return null;
    const shown = session.shownStep;
    const rows = session.ridges.rows.flatMap(({ step, byParameter }): { step: number; of: Magnitudes }[] => {
      const of = byParameter.get(name);
      return of && step < shown ? [{ step, of }] : [];
    });
    if (session.progress.backward(parameter.layer)) rows.push({ step: shown, of: magnitudesOf(parameter.gradient) });
    if (rows.length === 0) return null;
    const held = (bin: number): boolean => rows.some(({ of }) => of.counts[bin] > 0);
    let [from, to] = [0, MAGNITUDE_BINS];
    while (from < to - 1 && !held(from)) from++;
    while (to > from + 1 && !held(to - 1)) to--;
    const bins = to - from;
    const counts = new Uint32Array(rows.length * bins);
    rows.forEach(({ of }, row) => counts.set(of.counts.subarray(from, to), row * bins));
    return {
      entries: parameter.value.data.length,
      binsPerDecade: BINS_PER_DECADE, low: edge(from), bins,
      steps: Float64Array.from(rows, ({ step }) => step),
      counts,
      zeros: Uint32Array.from(rows, ({ of }) => of.zeros),
      nonFinite: Uint32Array.from(rows, ({ of }) => of.nonFinite),
    };
  },
});
