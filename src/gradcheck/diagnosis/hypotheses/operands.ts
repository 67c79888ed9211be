// Mistakes in a parameter's gradient where the output gradient is multiplied with the wrong tensor.
import { type Hypotheses, zipWith } from './hypothesis';
import type { GradientComparison } from '../gradient-comparison';

export function* operandHypotheses({ subject, layer, numeric, tensor }: GradientComparison): Hypotheses {
  if (!layer) return;
  const { upstream, input, output, parameters, numericGradientWith } = layer;
  for (const [name, values] of parameters) {
    if (name === tensor) continue;
    if (subject === 'input' && layer.input.length === layer.output.length) {
      const without = yield* numericGradientWith({ parameters: new Map([[name, values.map(() => 1)]]) });
      if (without)
        yield {
          cause: 'scale_missing',
          description: `lacks the ${name}, as if it were 1`,
          values: without,
        };
    }
    if (values.length !== numeric.length) continue;
    yield {
      cause: 'scale_missing',
      description: `contains the ${name} as a factor that does not belong there`,
      values: zipWith(numeric, values, (n, v) => n * v),
    };
  }
  if (subject !== 'parameter') return;
  const positive = yield* numericGradientWith({ upstream: upstream.map((u) => Math.max(0, u)) });
  if (positive)
    yield {
      cause: 'masked_by_gradient',
      description: 'uses only positive output gradients',
      values: positive,
    };
  if (input.length !== output.length) return;
  const entries = yield* layer.entryPerOutput();
  if (!entries) return;
  const accumulate = (by: (i: number) => number): Float64Array => {
    const values = new Float64Array(numeric.length);
    entries.forEach((entry, i) => {
      if (entry >= 0) values[entry]! += upstream[i]! * by(i);
    });
    return values;
  };
  const sum = accumulate(() => 1);
  yield { cause: 'input_ignored', description: "does not depend on the layer's input", values: sum };
  yield {
    cause: 'not_normalized',
    description: "uses the layer's input instead of the normalized input",
    values: accumulate((i) => input[i]!),
  };
  yield {
    cause: 'derivative_at_output',
    description: "uses the layer's output instead of its input",
    values: accumulate((i) => output[i]!),
  };
  yield {
    cause: 'input_squared',
    description: 'uses the square of the input',
    values: accumulate((i) => input[i]! ** 2),
  };
  yield {
    cause: 'input_sign',
    description: 'uses the sign of the input instead of the input',
    values: accumulate((i) => Math.sign(input[i]!)),
  };
}
