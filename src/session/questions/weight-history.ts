// One weight over the whole run, from the copies that are kept to go back to: exact where there is one, and now.
import type { TrainingSession } from '../session';
import { defineQuestion } from './question';

export interface WeightHistoryAnswer {
  /** Rising; the last is where the run stands. */
  readonly steps: Float64Array;
  readonly values: Float64Array;
  /** dL/dw of the step that is shown; null where its backward pass has not come so far. */
  readonly gradient: number | null;
}

export const weightHistory = defineQuestion({
  about: 'weight_history',
  /** Null where there is no such weight. */
  answer(session: TrainingSession, { parameter, index }: { readonly parameter: string; readonly index: number }): WeightHistoryAnswer | null {
    const found = session.network.parameters.find(({ name }) => name === parameter);
    if (!found || index >= found.value.data.length) return null;
    const { step } = session.position;
    const kept = session.copiesOf(found).filter((copy) => copy.step < step);
    return {
      steps: Float64Array.from([...kept.map((copy) => copy.step), step]),
      values: Float64Array.from([...kept.map(({ data }) => data[index]), found.value.data[index]]),
      gradient: session.progress.backward(found.layer) ? found.gradient.data[index] : null,
    };
  },
});
