// What goes wrong in dL/dx: the derivative of an activation, what it is taken at, which gradient it multiplies.
import { type Cause, type Guess, zip } from './guess';
import type { LayerTrial, Trial } from './trial';

/** Derivatives that are usually written in terms of the output. */
const OF_OUTPUT = [
  ['tanh', '1 - y²', (y: number) => 1 - y * y],
  ['sigmoid', 'y (1 - y)', (y: number) => y * (1 - y)],
] as const;

const close = (a: Float64Array, b: Float64Array): boolean => {
  const scale = Math.max(...a.map(Math.abs));
  return a.every((value, i) => Number.isNaN(value) || Number.isNaN(b[i]) || Math.abs(value - b[i]) <= 1e-6 * scale);
};

export function* activations({ of, numeric, layer }: Trial): Iterable<Guess> {
  if (of !== 'input' || !layer) return;
  const { upstream, input, output, called } = layer;
  const through = layer.through(upstream);
  if (upstream.length !== numeric.length) {
    if (through?.length === numeric.length) yield notTransposed(through);
    return;
  }
  yield { cause: 'derivative_missing', words: `lacks the derivative of ${called}: it is the arriving gradient, unchanged`, values: upstream };
  const ignored = layer.numericWith({ upstream: new Float64Array(upstream.length).fill(1) });
  if (ignored) yield { cause: 'upstream_ignored', words: 'ignores the arriving gradient: it is the derivative alone', values: ignored };
  const slope = zip(numeric, upstream, (n, u) => n / u);
  yield { cause: 'skip_missing', words: 'lacks the arriving gradient itself: the way around, where the input is added to the output', values: zip(numeric, upstream, (n, u) => n - u) };
  yield { cause: 'diagonal_only', words: 'counts only what each output has from its own input: the rest of the Jacobian is missing', values: zip(upstream, layer.diagonal(), (u, d) => u * d) };
  for (const [name, formula, derivative] of OF_OUTPUT) {
    const own = close(slope, output.map(derivative));
    if (own) {
      const words = `takes its derivative at the wrong place: ${formula} wants the output y, and gets the input`;
      yield { cause: 'derivative_of_output_at_input', words, values: zip(upstream, input, (u, x) => u * derivative(x)) };
    } else {
      yield { cause: 'derivative_of_another', words: `has the derivative of ${name}, ${formula}, not of ${called}`, values: zip(upstream, output, (u, y) => u * derivative(y)) };
    }
  }
  const atOutput = layer.numericWith({ input: output });
  if (atOutput) yield { cause: 'derivative_at_output', words: 'takes its derivative at the output, which should be taken at the input', values: atOutput };
  yield { cause: 'derivative_twice', words: `has the derivative of ${called} in it twice`, values: zip(numeric, slope, (n, s) => n * s) };
  yield { cause: 'derivative_inverted', words: `is divided by the derivative of ${called}, and should be multiplied by it`, values: zip(upstream, slope, (u, s) => (s === 0 ? 0 : u / s)) };
  yield { cause: 'masked_by_gradient', words: 'is zero where the arriving gradient is negative, as if that were the input', values: upstream.map((u) => Math.max(0, u)) };
  yield { cause: 'mask_inverted', words: 'is zero where it should not be, and not where it should', values: zip(numeric, upstream, (n, u) => (n === 0 ? u : 0)) };
  yield { cause: 'derivative_of_another', words: `has the derivative of a ReLU, not of ${called}`, values: zip(upstream, input, (u, x) => (x > 0 ? u : 0)) };
  if (through) yield notTransposed(through);
}

const text = (value: number): string => String(Number(value.toPrecision(3)));

/** Where dx is dy times something, as if each output came from its own input alone. */
function numberByNumber({ analytic, numeric, layer }: Trial & { readonly layer: LayerTrial }): Finding {
  const { upstream, input, called } = layer;
  const alone = zip(upstream, layer.diagonal(), (u, d) => u * d);
  if (!close(alone, numeric)) {
    return { cause: 'sum_missing', words: `is made number by number, though each output of ${called} depends on several inputs: what the others pass on is missing` };
  }
  const worst = farthest(analytic, numeric, (i) => upstream[i]);
  if (worst < 0) return null;
  const by = upstream[worst];
  const words = `has a wrong derivative: for the input ${text(input[worst])} it takes ${text(analytic[worst] / by)}, and the slope of ${called} there is ${text(numeric[worst] / by)}`;
  return { cause: 'wrong_derivative', words };
}

type Finding = { readonly cause: Cause; readonly words: string } | null;

/** Where dx follows dy in proportion: which slope is wrong. */
export function wrongSlope(trial: Trial): Finding {
  const { of, layer } = trial;
  if (of !== 'input' || !layer) return null;
  if (layer.elementwise()) return numberByNumber({ ...trial, layer });
  const jacobians = layer.jacobians();
  if (!jacobians) return null;
  const { outputs, inputs, given, right } = jacobians;
  const worst = farthest(given, right, () => 1);
  if (worst < 0) return null;
  const [output, input] = [Math.floor(worst / inputs) % outputs, worst % inputs];
  const words = `has a wrong derivative: that of output ${output} by input ${input} is ${text(right[worst])}, and it takes ${text(given[worst])}`;
  return { cause: 'wrong_derivative', words };
}

/** Index of the largest error as a share of `scale`; -1 where all are right. */
function farthest(given: Float64Array, right: Float64Array, scale: (i: number) => number): number {
  let worst = -1;
  let most = 0;
  given.forEach((value, i) => {
    const error = Math.abs((value - right[i]) / scale(i));
    if (error > most) [worst, most] = [i, error];
  });
  return worst;
}

const notTransposed = (values: Float64Array): Guess => ({
  cause: 'not_transposed',
  words: 'is made with the weights as in forward: they have to be transposed',
  values,
});
