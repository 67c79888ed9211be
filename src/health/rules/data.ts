// Data that a network will hardly learn from as it is.
import { groupsOf } from '../../engine/transforms/transform';
import type { CompiledRun } from '../../spec/compiled';
import type { SpecRule } from '../../spec/resolve';

/** Root mean squares of inputs between these are fit for weights as they are usually drawn. */
const SMALLEST = 0.01;
const LARGEST = 10;
/** Samples that are looked at, evenly over the training part. */
const MOST = 1000;

interface Column {
  readonly name: string;
  readonly mean: number;
  readonly deviation: number;
  readonly size: number;
}

/** Of every input as the network gets it; of images of every channel. */
function columnsOf({ dataset: { inputs, inputShape, featureNames }, split: { train } }: CompiledRun): Column[] {
  const { of, count } = groupsOf(inputShape, inputShape.length > 1 ? 'channel' : 'feature');
  const [numbers, sums, squares] = Array.from({ length: 3 }, () => new Float64Array(count));
  const each = Math.max(1, Math.floor(train.length / MOST));
  for (let i = 0; i < train.length; i += each) {
    for (let j = 0, at = train[i] * of.length; j < of.length; j++, at++) {
      numbers[of[j]]++;
      sums[of[j]] += inputs[at];
      squares[of[j]] += inputs[at] * inputs[at];
    }
  }
  return Array.from({ length: count }, (_, group) => {
    const [mean, square] = [sums[group] / numbers[group], squares[group] / numbers[group]];
    const name = inputShape.length > 1 ? `channel ${group + 1}` : (featureNames?.[group] ?? `input ${group + 1}`);
    return { name, mean, deviation: Math.sqrt(Math.max(0, square - mean * mean)), size: Math.sqrt(square) };
  });
}

const short = (value: number, digits: number): string => String(Number(value.toPrecision(digits)));

/** LeCun, Bottou, Orr, Müller, "Efficient BackProp", 1998, section 4.3: inputs of mean 0 and a variance near 1. */
export const notScaled: SpecRule = {
  id: 'not-scaled',
  rule: () => [],
  ofData({ spec, model }, run) {
    // A normalization ahead of everything scales by itself.
    if (model.layers[0].definition.kind.includes('norm')) return [];
    const columns = columnsOf(run);
    const largest = columns.reduce((a, b) => (b.size > a.size ? b : a));
    if (largest.size <= LARGEST && (largest.size >= SMALLEST || largest.size === 0)) return [];
    const { name, mean, deviation, size } = largest;
    const why = size > LARGEST
      ? 'weights as they are drawn make sums of it that saturate units, and a learning rate that suits the others is too large for it'
      : 'weights as they are drawn make hardly anything of it, and their gradients are as small';
    return [
      {
        code: 'not-scaled', severity: 'warning', ...spec.data.range,
        message: `The data is not scaled: ${name} is around ${short(mean, 4)} ± ${short(deviation, 2)}, and ${why}.`,
        remedy: 'Write "transforms": ["standardize"], which is fitted on the training part alone.',
      },
    ];
  },
};
