// The gradient of the loss with respect to the targets. Training needs none, so the loss's formula gives it.
import { evaluate } from '../engine/formulas/evaluate';
import { equationFor, formulasOfLoss } from './node-formulas';
import type { TrainingSession } from './session';

/** More entries are not computed: formulas are evaluated slowly. */
const MAX_ENTRIES = 4096;

/** Of the step's batch, in float64; undefined if the loss states no formula, or the batch is large. */
export function targetGradient({ network: { model }, pass, loss }: TrainingSession): Float64Array | undefined {
  const { prediction, target } = pass;
  const formulas = formulasOfLoss(model);
  const equation = equationFor(formulas, 'y', true);
  if (!formulas || !equation || target.data.length > MAX_ENTRIES) return undefined;
  const columns = target.shape.at(-1)!;
  return evaluate(
    equation,
    {
      reading: 'rows',
      tensors: { yhat: prediction, y: target },
      constants: {
        ...formulas.constants,
        N: target.data.length / columns,
        K: columns,
        l: (loss ?? NaN) - pass.penalty(),
      },
    },
    target.shape,
    true,
  );
}

/** The same of one row. */
export function targetGradientOf(session: TrainingSession, row: number): Float64Array | undefined {
  const size = session.pass.target.data.length / session.pass.batchSize;
  return targetGradient(session)?.subarray(row * size, (row + 1) * size);
}
