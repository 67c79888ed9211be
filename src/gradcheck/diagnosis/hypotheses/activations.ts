// Mistakes in dL/dx of an activation: the derivative, where it is evaluated, and which gradient it multiplies.
import type { Cause } from '../../../protocol/check-report';
import { type Hypothesis, type Hypotheses, zipWith } from './hypothesis';
import { type LayerExperiment, type GradientComparison, maxAbs } from '../gradient-comparison';

/** Derivatives that are usually written in terms of the output. */
const DERIVATIVES_BY_OUTPUT = [
  ['tanh', '1 - y²', (y: number) => 1 - y * y],
  ['sigmoid', 'y (1 - y)', (y: number) => y * (1 - y)],
] as const;

const isClose = (a: Float64Array, b: Float64Array): boolean => {
  const scale = maxAbs(a);
  return a.every((value, i) => Number.isNaN(value) || Number.isNaN(b[i]) || Math.abs(value - b[i]!) <= 1e-6 * scale);
};

export function* activationHypotheses({ subject, numeric, layer }: GradientComparison): Hypotheses {
  if (subject !== 'input' || !layer) return;
  const { upstream, input, output, displayName } = layer;
  const through = layer.linearResponse(upstream);
  if (upstream.length !== numeric.length) {
    if (through?.length === numeric.length) yield notTransposedHypothesis(through);
    return;
  }
  yield {
    cause: 'derivative_missing',
    description: `lacks the derivative of ${displayName}: it is the arriving gradient, unchanged`,
    values: upstream,
  };
  const withoutUpstream = yield* layer.numericGradientWith({ upstream: new Float64Array(upstream.length).fill(1) });
  if (withoutUpstream)
    yield {
      cause: 'upstream_ignored',
      description: 'ignores the arriving gradient: it is the derivative alone',
      values: withoutUpstream,
    };
  const localDerivative = zipWith(numeric, upstream, (n, u) => n / u);
  yield {
    cause: 'skip_missing',
    description: 'lacks the arriving gradient itself: the way around, where the input is added to the output',
    values: zipWith(numeric, upstream, (n, u) => n - u),
  };
  yield {
    cause: 'contribution_twice',
    description: 'counts the branch twice: the way around, where the input is added to the output, is right',
    values: zipWith(numeric, upstream, (n, u) => 2 * n - u),
  };
  if (output.length === upstream.length)
    yield {
      cause: 'value_for_derivative',
      description: `has the value of ${displayName} in place of its derivative`,
      values: zipWith(upstream, output, (u, y) => u * y),
    };
  yield {
    cause: 'diagonal_only',
    description: 'counts only what each output has from its own input: the rest of the Jacobian is missing',
    values: zipWith(upstream, yield* layer.jacobianDiagonal(), (u, d) => u * d),
  };
  for (const [name, formula, derivative] of DERIVATIVES_BY_OUTPUT) {
    const isOwnDerivative = isClose(localDerivative, output.map(derivative));
    if (isOwnDerivative) {
      const description = `takes its derivative at the wrong place: ${formula} wants the output y, and gets the input`;
      yield {
        cause: 'derivative_of_output_at_input',
        description,
        values: zipWith(upstream, input, (u, x) => u * derivative(x)),
      };
    } else {
      yield {
        cause: 'derivative_of_another',
        description: `has the derivative of ${name}, ${formula}, not of ${displayName}`,
        values: zipWith(upstream, output, (u, y) => u * derivative(y)),
      };
    }
  }
  const atOutput = yield* layer.numericGradientWith({ input: output });
  if (atOutput)
    yield {
      cause: 'derivative_at_output',
      description: 'takes its derivative at the output, which should be taken at the input',
      values: atOutput,
    };
  yield {
    cause: 'derivative_twice',
    description: `has the derivative of ${displayName} in it twice`,
    values: zipWith(numeric, localDerivative, (n, s) => n * s),
  };
  yield {
    cause: 'derivative_inverted',
    description: `is divided by the derivative of ${displayName}, and should be multiplied by it`,
    values: zipWith(upstream, localDerivative, (u, s) => (s === 0 ? 0 : u / s)),
  };
  yield {
    cause: 'masked_by_gradient',
    description: 'is zero where the arriving gradient is negative, as if that were the input',
    values: upstream.map((u) => Math.max(0, u)),
  };
  yield {
    cause: 'mask_inverted',
    description: 'is zero where it should not be, and not where it should',
    values: zipWith(numeric, upstream, (n, u) => (n === 0 ? u : 0)),
  };
  yield {
    cause: 'derivative_of_another',
    description: `has the derivative of a ReLU, not of ${displayName}`,
    values: zipWith(upstream, input, (u, x) => (x > 0 ? u : 0)),
  };
  if (through) yield notTransposedHypothesis(through);
}

const formatShort = (value: number): string => String(Number(value.toPrecision(3)));

/** If dx is dy times something: as if each output depended only on the input in its place. */
function* diagnoseElementwise({
  analytic,
  numeric,
  layer,
}: GradientComparison & { readonly layer: LayerExperiment }): Generator<undefined, DerivativeFinding> {
  const { upstream, input, displayName } = layer;
  const diagonalOnly = zipWith(upstream, yield* layer.jacobianDiagonal(), (u, d) => u * d);
  if (!isClose(diagonalOnly, numeric)) {
    return {
      cause: 'sum_missing',
      description: `is made number by number, though each output of ${displayName} depends on several inputs: what the others pass on is missing`,
    };
  }
  const worst = indexOfLargestError(analytic, numeric, (i) => upstream[i]!);
  if (worst < 0) return null;
  const upstreamValue = upstream[worst]!;
  const tolerance = 1e-4 * maxAbs(numeric);
  const isOnlyAtZero = analytic.every(
    (value, i) => Number.isNaN(numeric[i]) || Math.abs(value - numeric[i]!) <= tolerance || input[i] === 0,
  );
  if (isOnlyAtZero)
    return {
      cause: 'wrong_at_zero',
      description: `is wrong only where the input is exactly 0: there it takes the derivative ${formatShort(analytic[worst]! / upstreamValue)}, and that of ${displayName} is ${formatShort(numeric[worst]! / upstreamValue)}. A mask or ratio that is derived from the input and the output says nothing at 0: keep the one of the forward pass`,
    };
  const description = `has a wrong derivative: for the input ${formatShort(input[worst]!)} it takes ${formatShort(analytic[worst]! / upstreamValue)}, and the slope of ${displayName} there is ${formatShort(numeric[worst]! / upstreamValue)}`;
  return { cause: 'wrong_derivative', description };
}

type DerivativeFinding = { readonly cause: Cause; readonly description: string } | null;

/** If dx is linear in dy: which derivative is wrong. */
export function* detectWrongDerivative(comparison: GradientComparison): Generator<undefined, DerivativeFinding> {
  const { subject, layer } = comparison;
  if (subject !== 'input' || !layer) return null;
  return layer.isElementwise() ? yield* diagnoseElementwise({ ...comparison, layer }) : null;
}

/** A fact about an input gradient that nothing explains: the derivative that is off most. Empty if it is unknown. */
export function* describeWorstDerivative({ subject, layer }: GradientComparison): Generator<undefined, string> {
  const jacobians = subject === 'input' && layer ? yield* layer.jacobians() : null;
  if (!jacobians) return '';
  const { outputs, inputs, analytic, numeric } = jacobians;
  const worst = indexOfLargestError(analytic, numeric, () => 1);
  if (worst < 0) return '';
  const [output, input] = [Math.floor(worst / inputs) % outputs, worst % inputs];
  return `; the derivative of output ${output} by input ${input} is ${formatShort(numeric[worst]!)}, and the backward pass takes ${formatShort(analytic[worst]!)}`;
}

/** Index of the largest error relative to `scale`; -1 if all are right. */
function indexOfLargestError(analytic: Float64Array, numeric: Float64Array, scale: (i: number) => number): number {
  let worst = -1;
  let most = 0;
  analytic.forEach((value, i) => {
    const error = Math.abs((value - numeric[i]!) / scale(i));
    if (error > most) [worst, most] = [i, error];
  });
  return worst;
}

const notTransposedHypothesis = (values: Float64Array): Hypothesis => ({
  cause: 'not_transposed',
  description: 'is made with the weights as in forward: they have to be transposed',
  values,
});
