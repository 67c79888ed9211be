// The gradient of the loss with respect to the prediction, alone: the batch's own prediction and targets.
import { MemoryPlan } from '../../engine/kernels/tensor';
import { losses } from '../../engine/losses';
import type { LossDefinition } from '../../engine/losses/loss';
import type { Pass } from '../../engine/network';
import { roundOffIn, SHORTER, slopeOf } from './difference';
import { type Dimension, largest, type Trial } from './trial';

/** Most entries that are moved. */
const MOST_MOVES = 4000;
const stepAt = (value: number): number => 6e-6 * Math.max(1, Math.abs(value));

/** Leaves the pass evaluated as it was. */
export function lossTrial(pass: Pass, outputs: string): Trial | null {
  const { prediction, target, batch } = pass;
  if (pass.outputs.length === 0) return null;
  const right = Float64Array.from(target.data);
  const backward = (): Float64Array => {
    pass.evaluate();
    pass.lossBackward();
    const gradient = Float64Array.from(pass.outputGradients[pass.outputs.length - 1].data);
    pass.evaluate();
    return gradient;
  };
  const withTarget = <Result>(values: Float64Array, work: () => Result): Result => {
    target.data.set(values);
    const result = work();
    target.data.set(right);
    return result;
  };
  const analytic = backward();
  const width = prediction.data.length / batch;
  const others = right.map((_, i) => right[(i + width) % right.length]);
  const given = withTarget(others, backward);
  const numeric = differences(pass);
  const numericWith = (values: Float64Array): Float64Array => withTarget(values, () => differences(pass));
  const same = analytic.every((each, i) => each === given[i]);
  const deaf = (): boolean => same && numericWith(others).some((each, i) => Math.abs(each - numeric[i]) > 1e-3 * largest(numeric));
  const dimensions: Dimension[] = [
    { name: 'samples in the batch', size: batch },
    { name: outputs, size: width },
    { name: `samples times ${outputs}`, size: prediction.data.length },
  ];
  return {
    of: 'prediction', tensor: 'prediction', shape: prediction.shape, analytic, numeric, value: Float64Array.from(prediction.data), dimensions, layer: null,
    stride: strideOf(pass), noise: roundOffIn(Math.abs(pass.loss()), stepAt(0)),
    loss: { target: right, samples: batch, deaf, numericWith, others: () => ofOthers(pass) }, penalty: null,
  };
}

/** Losses with the options that they have unless told; those that need some are left out. */
function* ofOthers({ network: { model, kernels }, prediction, target }: Pass): Iterable<readonly [string, Float64Array]> {
  const plan = new MemoryPlan(kernels.precision);
  plan.reserve(prediction.shape);
  const [out] = kernels.allocate(plan);
  for (const definition of Object.values(losses) as unknown as LossDefinition[]) {
    const { success, data: options } = definition.options.safeParse({});
    if (definition.kind === model.loss.definition.kind || !success) continue;
    definition.gradient({ kernels, options, prediction, target }, out);
    yield [definition.kind, Float64Array.from(out.data)];
  }
}

const strideOf = ({ prediction }: Pass): number => Math.ceil(prediction.data.length / MOST_MOVES);

/** dL/d prediction; NaN at a kink. Leaves the prediction as it was. */
function differences(pass: Pass): Float64Array {
  const { data } = pass.prediction;
  const value = Float64Array.from(data);
  const numeric = new Float64Array(data.length).fill(NaN);
  const here = pass.loss();
  for (let i = 0; i < data.length; i += strideOf(pass)) {
    const at = (x: number): number => {
      data[i] = x;
      return pass.loss();
    };
    // The second one for predictions that are probabilities: those end at 0.
    for (const step of [stepAt(value[i]), 1e-4 * Math.abs(value[i])]) {
      const [low, lower] = [at(value[i] - step), at(value[i] - SHORTER * step)];
      const [higher, high] = [at(value[i] + SHORTER * step), at(value[i] + step)];
      data[i] = value[i];
      numeric[i] = slopeOf({ low, lower, here, higher, high }, step);
      if (!Number.isNaN(numeric[i])) break;
    }
  }
  return numeric;
}
