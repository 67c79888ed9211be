// The gradient of the loss with respect to the targets. Training needs none, so the loss's formula gives it.
import { evaluate } from '../engine/formulas/evaluate';
import type { LossFormulas } from '../engine/formulas/definition';
import type { LossTerm } from '../engine/pass';
import { equationFor, formulasOfAuxiliaryLoss, formulasOfLoss } from './node-formulas';
import type { TrainingSession } from './session';

/** More entries are not computed: formulas are evaluated slowly. */
const MAX_ENTRIES = 4096;

/** Of the step's batch, in float64; undefined if the loss states no formula, or the batch is large. */
export function targetGradient({ network: { model }, pass }: TrainingSession): Float64Array | undefined {
  const [ofPrediction, ...others] = pass.losses;
  const gradient = gradientOfTerm(ofPrediction, pass.lossValue(), formulasOfLoss(model));
  for (const [i, term] of others.entries()) {
    const loss = model.auxiliaryLosses![i]!;
    if (loss.target !== 'targets') continue;
    const own = gradientOfTerm(term, pass.lossValue(term), formulasOfAuxiliaryLoss(loss, model));
    if (!gradient || !own) return undefined;
    own.forEach((value, at) => (gradient[at]! += term.weight * value));
  }
  return gradient;
}

function gradientOfTerm(
  { context: { prediction, target } }: LossTerm,
  value: number,
  formulas: LossFormulas | null,
): Float64Array | undefined {
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
        l: value,
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
