// Compares the gradients of a layer with a manual backward in three ways: the manual backward, autograd of its forward,
// and numeric derivatives, in isolation.
import { type AutogradComparison, PENALTY_NAME } from '../protocol/check-report';
import type { Pass } from '../engine/pass';
import { Random } from '../engine/random';
import type { ForwardPrecision } from './forward-precision';
import type { FunctionCheck } from './diagnosis/function-check';
import type { IsolatedLayerChecks } from './isolated-layer-checks';
import { LayerHarness } from './diagnosis/layer-harness';
import { maxAbs } from './diagnosis/gradient-comparison';

/** Differences above this share of the largest number count. Numeric derivatives have about seven digits. */
const TOLERANCE = 1e-4;
const SAMPLES = 5;

/**
 * A cooperative task. The pass must have evaluated the batch.
 * @param trustStructure whether the declared Jacobian structures have held so far
 */
export function* compareWithAutograd(
  pass: Pass,
  trustStructure: boolean,
  precisions: readonly ForwardPrecision[],
): Generator<undefined, readonly AutogradComparison[]> {
  const { layers } = pass.network.model;
  const comparisons: AutogradComparison[] = [];
  for (const [layer, { name, definition }] of layers.entries()) {
    if (!definition.autograd || definition.surrogate || precisions[layer] === 'single') continue;
    const harness = yield* LayerHarness.create(pass, {
      layer,
      samples: SAMPLES,
      outputs: 'outputs',
      random: new Random(layer, 'three ways'),
      trusted: trustStructure,
      precision: precisions[layer] ?? 'double',
    });
    if (harness.forwardFault || harness.refusesInput) continue;
    for (const [tensor, gradient] of harness.autograd() ?? []) {
      yield;
      const { analytic: manual, numeric } = yield* harness.compare(tensor);
      comparisons.push(compareThreeWays(name, tensor, manual, gradient, numeric));
    }
  }
  return comparisons;
}

/** The same for a custom loss and a custom penalty with a manual backward. */
export function compareFunctionsWithAutograd({
  loss,
  penalty,
}: Pick<IsolatedLayerChecks, 'loss' | 'penalty'>): readonly AutogradComparison[] {
  const compare = (name: string, check: FunctionCheck | null): readonly AutogradComparison[] => {
    if (!check || check.fault || check.precision === 'single') return [];
    const gradients = check.autograd();
    return check.comparisons.flatMap(({ tensor, analytic, numeric }) => {
      const gradient = gradients?.get(tensor);
      return gradient ? compareThreeWays(name, tensor, analytic, gradient, numeric) : [];
    });
  };
  return [...compare('the loss', loss), ...compare(PENALTY_NAME, penalty)];
}

function compareThreeWays(
  layer: string,
  tensor: string,
  manual: Float64Array,
  gradient: Float64Array,
  numeric: Float64Array,
): AutogradComparison {
  const relativeDifference = (a: Float64Array, b: Float64Array): number => {
    let largestDifference = 0;
    for (let i = 0; i < a.length; i++)
      if (!Number.isNaN(numeric[i])) largestDifference = Math.max(largestDifference, Math.abs(a[i]! - b[i]!));
    return largestDifference / Math.max(maxAbs(numeric), maxAbs(a), Number.MIN_VALUE);
  };
  const differences = {
    writtenAutograd: relativeDifference(manual, gradient),
    writtenNumeric: relativeDifference(manual, numeric),
    autogradNumeric: relativeDifference(gradient, numeric),
  };
  return { layer, tensor, ...differences, sentence: describeDifferences(layer, tensor, differences) };
}

type Differences = Pick<AutogradComparison, 'writtenAutograd' | 'writtenNumeric' | 'autogradNumeric'>;

function describeDifferences(
  layer: string,
  tensor: string,
  { writtenAutograd, writtenNumeric, autogradNumeric }: Differences,
): string | null {
  if (Math.max(writtenAutograd, writtenNumeric, autogradNumeric) <= TOLERANCE) return null;
  const gradient = tensor === 'input' ? 'dx' : `the gradient of ${tensor}`;
  const share = `${Number((100 * writtenAutograd).toPrecision(2))} %`;
  const difference = `In ${layer}, ${gradient} from the manual backward and from autograd differ by ${share} of the largest number`;
  if (autogradNumeric <= TOLERANCE)
    return `${difference}; numeric derivatives agree with autograd, so the manual backward is wrong.`;
  if (writtenNumeric <= TOLERANCE) {
    return `${difference}; numeric derivatives agree with the manual backward: the forward computes part of its output without ops, which autograd cannot see.`;
  }
  return writtenAutograd <= TOLERANCE
    ? `In ${layer}, ${gradient} is the same from the manual backward and from autograd, but numeric derivatives differ: the forward does not return the result of its operations.`
    : `${difference}; numeric derivatives agree with neither.`;
}
