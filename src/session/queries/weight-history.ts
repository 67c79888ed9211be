// One weight over the whole run, from the checkpoints, where it is exact, and now.
import type { WeightHistory } from '../../protocol/queries';
import type { TrainingSession } from '../session';
import { defineQuery } from './query';

export const weightHistory = defineQuery({
  type: 'weight_history',
  /** Null if there is no such weight. */
  resolve(
    session: TrainingSession,
    { parameter, index }: { readonly parameter: string; readonly index: number },
  ): WeightHistory | null {
    const found = session.network.parameters.find(({ name }) => name === parameter);
    if (!found || index >= found.value.data.length) return null;
    const { step } = session.position;
    const checkpointed = session.checkpointedValuesOf(found).filter((copy) => copy.step < step);
    return {
      steps: Float64Array.from([...checkpointed.map((copy) => copy.step), step]),
      values: Float64Array.from([...checkpointed.map(({ data }) => data[index]), found.value.data[index]]),
      gradient: session.progress.hasParameterGradients(found.layer) ? found.gradient.data[index]! : null,
    };
  },
});
