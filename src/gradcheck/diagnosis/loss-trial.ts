// The gradient of the loss with respect to the prediction, alone: the batch's own prediction and targets.
import type { Pass } from '../../engine/network';
import { type Dimension, largest, type Trial } from './trial';

/** Most entries that are moved. */
const MOST_MOVES = 4000;
/** Slopes to the two sides that differ by this share are no one slope. */
const KINK = 1e-2;

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
  const deaf = same && numericWith(others).some((each, i) => Math.abs(each - numeric[i]) > 1e-3 * largest(numeric));
  const dimensions: Dimension[] = [
    { name: 'samples in the batch', size: batch },
    { name: outputs, size: width },
    { name: `samples times ${outputs}`, size: prediction.data.length },
  ];
  return {
    of: 'prediction', tensor: 'prediction', shape: prediction.shape, analytic, numeric, value: Float64Array.from(prediction.data), dimensions, layer: null,
    loss: { target: right, samples: batch, deaf, numericWith }, penalty: null,
  };
}

/** dL/d prediction; NaN at a kink. Leaves the prediction as it was. */
function differences(pass: Pass): Float64Array {
  const { data } = pass.prediction;
  const value = Float64Array.from(data);
  const numeric = new Float64Array(data.length).fill(NaN);
  const here = pass.loss();
  const stride = Math.ceil(data.length / MOST_MOVES);
  for (let i = 0; i < data.length; i += stride) {
    const at = (x: number): number => {
      data[i] = x;
      return pass.loss();
    };
    // The second one for predictions that are probabilities: those end at 0.
    for (const step of [6e-6 * Math.max(1, Math.abs(value[i])), 1e-4 * Math.abs(value[i])]) {
      const [low, high] = [at(value[i] - step), at(value[i] + step)];
      data[i] = value[i];
      const [left, right] = [here - low, high - here];
      const straight = Math.abs(right - left) <= KINK * Math.max(Math.abs(right), Math.abs(left)) + 1e-13 * Math.max(1, Math.abs(here));
      if (!straight) continue;
      numeric[i] = (high - low) / (value[i] + step - (value[i] - step));
      break;
    }
  }
  return numeric;
}
