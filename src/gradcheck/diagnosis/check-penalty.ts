// Checks the gradient of a custom penalty with respect to each parameter in isolation, at the weights of the network
// and at made-up ones.
import type { OperationGraph } from '../../engine/layers/layer';
import type { Pass } from '../../engine/pass';
import { penaltyArguments } from '../../engine/penalty';
import { Random } from '../../engine/random';
import type { ForwardPrecision } from '../forward-precision';
import { DIFFERENCE_RULES, roundOffError } from './five-point-derivative';
import { type FunctionCheck, PROBES, detectRandomResult, functionDerivative, isWrongFunction } from './function-check';
import type { GradientComparison } from './gradient-comparison';

/** The most entries of a parameter that are perturbed. */
const MAX_PERTURBATIONS = 500;
const MAX_PROBE_PERTURBATIONS = 32;
const PERTURBATIONS_PER_SLICE = 4;

/** Cooperative. Null without a custom penalty, or if it is not finite. Restores the parameters. */
export function* checkPenalty(pass: Pass, precision: ForwardPrecision): Generator<undefined, FunctionCheck | null> {
  const { custom } = pass.network.model.penalty ?? {};
  if (!custom || !Number.isFinite(pass.customPenalty())) return null;
  const own = pass.network.parameters.map(({ value }) => Float64Array.from(value.data));
  const harness = new PenaltyHarness(pass, precision, own, MAX_PERTURBATIONS);
  const fault = detectRandomResult(() => harness.value());
  const check: FunctionCheck = {
    comparisons: fault ? [] : yield* harness.compare(),
    fault,
    precision,
    operationGraph: () => harness.operationGraph(),
    autograd: () => harness.autograd(),
  };
  if (!custom.definition.autograd || isWrongFunction(check)) return check;
  for (const { description, makeInput } of PROBES) {
    const random = new Random(0, 'diagnosis of the penalty');
    const made = new PenaltyHarness(
      pass,
      precision,
      own.map((values) => makeInput(values, random)),
      MAX_PROBE_PERTURBATIONS,
    );
    if (!Number.isFinite(made.value())) continue;
    const probe: FunctionCheck = {
      ...check,
      comparisons: yield* made.compare(),
      probe: description,
      operationGraph: () => made.operationGraph(),
      autograd: () => made.autograd(),
    };
    if (isWrongFunction(probe)) return probe;
  }
  return check;
}

/** The penalty at some values of the parameters. Loads them for each call, and restores what was there. */
class PenaltyHarness {
  readonly #pass: Pass;
  readonly #precision: ForwardPrecision;
  readonly #values: readonly Float64Array[];
  readonly #maxPerturbations: number;

  constructor(pass: Pass, precision: ForwardPrecision, values: readonly Float64Array[], maxPerturbations: number) {
    this.#pass = pass;
    this.#precision = precision;
    this.#values = values;
    this.#maxPerturbations = maxPerturbations;
  }

  value(): number {
    return this.#loaded(() => this.#pass.customPenalty());
  }

  *compare(): Generator<undefined, readonly GradientComparison[]> {
    const { parameters } = this.#pass.network;
    const rule = DIFFERENCE_RULES[this.#precision];
    // Another call comes first, because custom code may keep state.
    this.#gradients();
    const gradients = this.#gradients();
    const center = this.value();
    const comparisons: GradientComparison[] = [];
    for (const [at, { name, value }] of parameters.entries()) {
      const stride = Math.ceil(value.data.length / this.#maxPerturbations);
      const analytic = Float64Array.from(gradients.get(name) ?? []);
      comparisons.push({
        subject: 'parameter',
        tensor: name,
        shape: value.shape,
        analytic,
        numeric: yield* this.#numericGradient(at, stride, center),
        value: this.#values[at]!,
        // A factor of 2 is that of a square, whatever sizes there are.
        dimensions: value.data.length > 2 ? [{ name: `numbers in ${name}`, size: value.data.length }] : [],
        layer: null,
        loss: null,
        repeatBackward: () =>
          [this.#gradients(), this.#gradients()].map((each) => each.get(name) ?? new Float64Array(0)) as [
            Float64Array,
            Float64Array,
          ],
        stride,
        hasFiniteOutput: true,
        noise: roundOffError(Math.abs(center), rule),
        tolerance: rule.tolerance,
        penalty: null,
      });
    }
    return comparisons;
  }

  operationGraph(): OperationGraph | null {
    return this.#loaded(() => this.#custom.definition.operationGraph(this.#arguments()));
  }

  autograd(): ReadonlyMap<string, Float64Array> | null {
    const gradients = this.#loaded(() => this.#custom.definition.autograd?.(this.#arguments()));
    return gradients
      ? new Map(Object.entries(gradients).map(([name, values]) => [name, Float64Array.from(values)]))
      : null;
  }

  get #custom() {
    const custom = this.#pass.network.model.penalty?.custom;
    if (!custom) throw new RangeError('no custom penalty');
    return custom;
  }

  #arguments() {
    return penaltyArguments(this.#custom, this.#pass.network.parameters);
  }

  #loaded<Result>(work: () => Result): Result {
    const { parameters } = this.#pass.network;
    const before = parameters.map(({ value }) => value.data.slice());
    parameters.forEach(({ value }, i) => value.data.set(this.#values[i]!));
    const result = work();
    parameters.forEach(({ value }, i) => value.data.set(before[i]!));
    return result;
  }

  #gradients(): ReadonlyMap<string, Float64Array> {
    const gradients = this.#loaded(() => this.#custom.definition.gradients(this.#arguments()));
    return new Map(Object.entries(gradients).map(([name, values]) => [name, Float64Array.from(values)]));
  }

  /** By central differences; NaN at a kink. */
  *#numericGradient(parameter: number, stride: number, center: number): Generator<undefined, Float64Array> {
    const values = this.#values[parameter]!;
    const numeric = new Float64Array(values.length).fill(NaN);
    const slice = PERTURBATIONS_PER_SLICE * stride;
    for (let from = 0; from < numeric.length; from += slice) {
      this.#loaded(() => {
        const { data } = this.#pass.network.parameters[parameter]!.value;
        for (let i = from; i < Math.min(from + slice, numeric.length); i += stride) {
          const at = (x: number): number => {
            data[i] = x;
            return this.#pass.customPenalty();
          };
          numeric[i] = functionDerivative(at, values[i]!, center, this.#precision);
          data[i] = values[i]!;
        }
      });
      yield;
    }
    return numeric;
  }
}
