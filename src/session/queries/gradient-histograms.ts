// The distribution of a parameter's gradient at the observed steps and at the current one.
import type { ParameterGradientHistograms } from '../../protocol/queries';
import {
  BINS_PER_DECADE,
  binEdge,
  MAGNITUDE_BINS,
  type MagnitudeHistogram,
  magnitudeHistogram,
} from '../../engine/probes/magnitude-histogram';
import type { TrainingSession } from '../session';
import { defineQuery } from './query';

export const gradientHistograms = defineQuery({
  type: 'gradient_histograms',
  /** Null if there is no such parameter, or nothing was measured. */
  resolve(
    session: TrainingSession,
    { parameter: name }: { readonly parameter: string },
  ): ParameterGradientHistograms | null {
    const parameter = session.network.parameters.find((each) => each.name === name);
    if (!parameter) return null;
    const shown = session.shownStep;
    const rows = session.gradientHistograms.rows.flatMap(
      ({ step, byParameter }): { step: number; of: MagnitudeHistogram }[] => {
        const of = byParameter.get(name);
        return of && step < shown ? [{ step, of }] : [];
      },
    );
    if (session.progress.hasParameterGradients(parameter.layer))
      rows.push({ step: shown, of: magnitudeHistogram(parameter.gradient) });
    if (rows.length === 0) return null;
    const isOccupied = (bin: number): boolean => rows.some(({ of }) => of.counts[bin]! > 0);
    let [from, to] = [0, MAGNITUDE_BINS];
    while (from < to - 1 && !isOccupied(from)) from++;
    while (to > from + 1 && !isOccupied(to - 1)) to--;
    const bins = to - from;
    const counts = new Uint32Array(rows.length * bins);
    rows.forEach(({ of }, row) => counts.set(of.counts.subarray(from, to), row * bins));
    return {
      entries: parameter.value.data.length,
      binsPerDecade: BINS_PER_DECADE,
      low: binEdge(from),
      bins,
      steps: Float64Array.from(rows, ({ step }) => step),
      counts,
      zeros: Uint32Array.from(rows, ({ of }) => of.zeros),
      nonFinite: Uint32Array.from(rows, ({ of }) => of.nonFinite),
    };
  },
});
