// Right numbers changed one by one: signs lost, something added, clipped.
import type { Hypotheses } from './hypothesis';
import { maxAbs, type GradientComparison } from '../gradient-comparison';

export function* valueHypotheses({
  subject,
  numeric,
  analytic,
  value,
  layer,
  penalty,
}: GradientComparison): Hypotheses {
  yield {
    cause: 'absolute_value',
    description: 'has lost its signs: it is positive everywhere',
    values: numeric.map(Math.abs),
  };
  const clipLimit = maxAbs(analytic);
  if (numeric.length > 1 && clipLimit > 0 && clipLimit < 0.999 * maxAbs(numeric)) {
    yield {
      cause: 'clipped',
      description: `is clipped at ±${Number(clipLimit.toPrecision(4))}`,
      values: numeric.map((n) => Math.max(-clipLimit, Math.min(clipLimit, n))),
    };
  }
  const ones = new Float64Array(numeric.length).fill(1);
  if (numeric.length > 2) {
    yield { cause: 'constant_added', description: 'has the same number added everywhere', values: ones, base: numeric };
    const name =
      subject === 'parameter' ? 'the parameter itself' : subject === 'prediction' ? 'the prediction' : 'the input';
    yield {
      cause: 'weights_added',
      description: `has a multiple of ${name} added${subject === 'parameter' ? `, as weight decay does${layer?.isCustom && penalty ? ': the penalty does not belong in the layer, the network adds it' : ', that the loss does not have'}` : ''}`,
      values: value,
      base: numeric,
    };
  }
  yield* stridedHypotheses(numeric);
}

/** Every second entry, row or column omitted. */
function* stridedHypotheses(numeric: Float64Array): Hypotheses {
  if (numeric.length < 4) return;
  for (const odd of [0, 1]) {
    yield {
      cause: 'single_entries',
      description: `is right at every second entry only, and zero at the others`,
      values: numeric.map((n, i) => (i % 2 === odd ? n : 0)),
    };
  }
}
