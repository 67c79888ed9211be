// Time steps that a gradient of a layer on sequences leaves out, or that are all that it uses.
import type { Shape, Shape3 } from '../../../engine/kernels/tensor';
import type { GradientComparison } from '../gradient-comparison';
import type { Hypotheses } from './hypothesis';

type Keep = (t: number, time: number) => boolean;

const MASKS: readonly (readonly [description: string, keep: Keep])[] = [
  ['comes from the last time step alone', (t, time) => t === time - 1],
  ['comes from the first time step alone', (t) => t === 0],
  ['leaves the last time step out', (t, time) => t < time - 1],
  ['leaves the first time step out', (t) => t > 0],
];

/** Whether it is [samples, time, features], with several time steps. */
const isSequence = (shape: Shape): shape is Shape3 => shape.length === 3 && shape[1]! > 1;

/** Keeps or removes time steps of [samples, time, features]. */
function maskTime(values: Float64Array, [, time, features]: Shape3, keep: Keep): Float64Array {
  return values.map((value, i) => (keep(Math.floor(i / features) % time, time) ? value : 0));
}

export function* sequenceHypotheses({ subject, numeric, layer }: GradientComparison): Hypotheses {
  if (!layer) return;
  const { inputShape, outputShape, upstream } = layer;
  for (const [description, keep] of MASKS) {
    const cause = 'time_step_missing';
    // An output gradient that is overwritten by the one from later time steps is used at the last one alone.
    if (isSequence(outputShape)) {
      const values = yield* layer.numericGradientWith({ upstream: maskTime(upstream, outputShape, keep) });
      if (values) yield { cause, description, values };
    }
    if (subject === 'input' && isSequence(inputShape))
      yield { cause, description: `${description}, in the input`, values: maskTime(numeric, inputShape, keep) };
  }
}
