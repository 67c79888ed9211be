// What multiplies the arriving gradient in that of a parameter: another number than the one that belongs there.
import { type Guess, zip } from './guess';
import type { Trial } from './trial';

export function* terms({ of, layer, numeric, tensor }: Trial): Iterable<Guess> {
  if (!layer) return;
  const { upstream, input, output, parameters, numericWith } = layer;
  for (const [name, values] of parameters) {
    if (name === tensor) continue;
    if (of === 'input' && layer.input.length === layer.output.length) {
      const without = numericWith({ parameters: new Map([[name, values.map(() => 1)]]) });
      if (without) yield { cause: 'scale_missing', words: `lacks the ${name}: it is made as if that were 1`, values: without };
    }
    if (values.length !== numeric.length) continue;
    yield { cause: 'scale_missing', words: `has the ${name} in it as a factor, which does not belong there`, values: zip(numeric, values, (n, v) => n * v) };
  }
  if (of !== 'parameter') return;
  const positive = numericWith({ upstream: upstream.map((u) => Math.max(0, u)) });
  if (positive) yield { cause: 'masked_by_gradient', words: 'counts only the arriving gradients that are positive', values: positive };
  if (input.length !== output.length) return;
  const entries = layer.entryOf();
  if (!entries) return;
  const made = (by: (i: number) => number): Float64Array => {
    const values = new Float64Array(numeric.length);
    entries.forEach((entry, i) => {
      if (entry >= 0) values[entry] += upstream[i] * by(i);
    });
    return values;
  };
  const sum = made(() => 1);
  yield { cause: 'input_ignored', words: "does not depend on the layer's input", values: sum };
  yield { cause: 'not_normalized', words: "is made with the layer's input as it came, and should be made with what is normalized", values: made((i) => input[i]) };
  yield { cause: 'derivative_at_output', words: "is made with the layer's output in place of its input", values: made((i) => output[i]) };
  yield { cause: 'input_squared', words: 'has the square of the input in it', values: made((i) => input[i] ** 2) };
  yield { cause: 'input_sign', words: 'has the sign of the input in it, and should have the input', values: made((i) => Math.sign(input[i])) };
}
