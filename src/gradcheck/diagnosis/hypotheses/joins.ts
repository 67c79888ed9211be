// Mistakes in a gradient of one of several inputs that a layer puts next to each other.
import type { GradientComparison } from '../gradient-comparison';
import { inputTensorName } from '../../../engine/layers/layer';
import type { Hypotheses } from './hypothesis';

/** More places are not tried. */
const MAX_PLACES = 64;

export function* joinHypotheses({ subject, numeric, layer }: GradientComparison): Hypotheses {
  if (!layer?.parameters.has(inputTensorName(1)) || (subject !== 'input' && subject !== 'other_input')) return;
  const { upstream, samples } = layer;
  const [width, own] = [upstream.length / samples, numeric.length / samples];
  if (own === width) return;
  for (let first = 0; first <= Math.min(width - own, MAX_PLACES); first++)
    yield {
      cause: 'wrong_place',
      description: `is the output gradient from number ${first} of a sample on, which belongs to another input`,
      values: numeric.map((_, i) => upstream[Math.floor(i / own) * width + first + (i % own)]!),
    };
}
