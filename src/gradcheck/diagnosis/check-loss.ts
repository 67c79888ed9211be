// Checks the gradient of the loss with respect to the prediction in isolation, with the batch's own prediction and
// targets. A custom loss is also tried with made-up predictions.
import { MemoryPlan } from '../../engine/kernels/tensor';
import { losses } from '../../engine/losses';
import type { LossDefinition } from '../../engine/losses/loss';
import type { OperationGraph } from '../../engine/layers/layer';
import type { LossTerm, Pass } from '../../engine/pass';
import { Random } from '../../engine/random';
import type { ForwardPrecision } from '../forward-precision';
import { DIFFERENCE_RULES, roundOffError } from './five-point-derivative';
import type { ForwardFault } from './forward-faults';
import { type FunctionCheck, PROBES, detectRandomResult, functionDerivative, isWrongFunction } from './function-check';
import { type Dimension, maxAbs, type GradientComparison } from './gradient-comparison';

/** The most entries that are perturbed; a custom loss takes longer. */
const MAX_PERTURBATIONS = 4000;
const MAX_CUSTOM_PERTURBATIONS = 2000;
const MAX_PROBE_PERTURBATIONS = 64;
/** Perturbations before other work may run. */
const PERTURBATIONS_PER_SLICE = 4;
/** A sum in another order may differ by this share. */
const REORDERING_TOLERANCE: Readonly<Record<ForwardPrecision, number>> = { double: 1e-9, single: 1e-4 };

/**
 * Cooperative. Null for a network without layers, or a loss that is not finite. Leaves the pass evaluated as it was.
 */
export function* checkLoss(
  pass: Pass,
  loss: LossTerm,
  precision: ForwardPrecision,
): Generator<undefined, FunctionCheck | null> {
  const { definition, context } = loss;
  if (pass.outputs.length === 0 || !Number.isFinite(definition.value(context))) return null;
  const { data: prediction } = context.prediction;
  const isCustom = definition.sourceLocations !== undefined;
  const harness = new LossHarness(pass, loss, precision, {
    prediction: Float64Array.from(prediction),
    maxPerturbations: isCustom ? MAX_CUSTOM_PERTURBATIONS : MAX_PERTURBATIONS,
  });
  const fault = isCustom ? (detectRandomResult(() => harness.value()) ?? harness.detectOrderDependence()) : null;
  const check: FunctionCheck = {
    comparisons: fault ? [] : [yield* harness.compare()],
    fault,
    precision,
    operationGraph: () => harness.operationGraph(),
    autograd: () => harness.autograd(),
  };
  if (!definition.autograd || isWrongFunction(check)) return check;
  for (const { description, makeInput } of PROBES) {
    const made = new LossHarness(pass, loss, precision, {
      prediction: makeInput(Float64Array.from(prediction), new Random(0, 'diagnosis of the loss')),
      maxPerturbations: MAX_PROBE_PERTURBATIONS,
    });
    if (!Number.isFinite(made.value())) continue;
    const probe: FunctionCheck = {
      ...check,
      comparisons: [yield* made.compare()],
      probe: description,
      operationGraph: () => made.operationGraph(),
      autograd: () => made.autograd(),
    };
    if (isWrongFunction(probe)) return probe;
  }
  return check;
}

/** A loss with one prediction. Loads it into the pass for each call, and restores what was there. */
class LossHarness {
  readonly #pass: Pass;
  readonly #loss: LossTerm;
  readonly #precision: ForwardPrecision;
  readonly #prediction: Float64Array;
  readonly #target: Float64Array;
  readonly #stride: number;

  constructor(
    pass: Pass,
    loss: LossTerm,
    precision: ForwardPrecision,
    { prediction, maxPerturbations }: { readonly prediction: Float64Array; readonly maxPerturbations: number },
  ) {
    this.#pass = pass;
    this.#loss = loss;
    this.#precision = precision;
    this.#prediction = prediction;
    this.#target = Float64Array.from(loss.context.target.data);
    this.#stride = Math.ceil(prediction.length / maxPerturbations);
  }

  value(prediction = this.#prediction, target = this.#target): number {
    return this.#with(prediction, target, () => this.#lossValue());
  }

  /** In the order of a batch whose samples are rotated by one. */
  detectOrderDependence(): ForwardFault | null {
    const { batchSize } = this.#pass;
    if (batchSize < 2) return null;
    const loss = this.value();
    const rotated = this.value(rotate(this.#prediction, batchSize), rotate(this.#target, batchSize));
    if (
      Number.isNaN(rotated) ||
      Math.abs(rotated - loss) <= REORDERING_TOLERANCE[this.#precision] * Math.max(1, Math.abs(loss))
    )
      return null;
    return {
      cause: 'samples_mixed',
      description:
        `depends on the order of the samples: with all of them moved by one place, it returns ${formatShort(rotated)} ` +
        `instead of ${formatShort(loss)}. The batch axis was probably broadcast, or only some samples count`,
    };
  }

  #lossValue(): number {
    return this.#loss.definition.value(this.#loss.context);
  }

  *compare(): Generator<undefined, GradientComparison> {
    const { batchSize } = this.#pass;
    const { definition, context } = this.#loss;
    const outputs = outputNameOf(definition);
    const [targets, predicted] = [this.#target, this.#prediction];
    const width = predicted.length / batchSize;
    const others = rotate(targets, batchSize);
    // Another call comes first, because custom code may keep state.
    const analyticWithOthers = this.#gradient(others);
    const analytic = this.#gradient(targets);
    const numeric = yield* this.#numericGradient(targets);
    const isUnaffected = analytic.every((each, i) => each === analyticWithOthers[i]);
    const numericGradientWith = (target: Float64Array) => this.#numericGradient(target);
    const dimensions: Dimension[] = [
      { name: 'samples in the batch', size: batchSize },
      { name: outputs, size: width },
      { name: `samples times ${outputs}`, size: predicted.length },
    ];
    const rule = DIFFERENCE_RULES[this.#precision];
    return {
      subject: 'prediction',
      tensor: 'prediction',
      shape: context.prediction.shape,
      analytic,
      numeric,
      value: predicted,
      dimensions,
      layer: null,
      stride: this.#stride,
      hasFiniteOutput: true,
      noise: roundOffError(Math.abs(this.value()), rule),
      tolerance: rule.tolerance,
      loss: {
        target: targets,
        samples: batchSize,
        *ignoresTarget() {
          if (!isUnaffected) return false;
          const right = yield* numericGradientWith(others);
          const threshold = 1e-3 * maxAbs(numeric);
          return right.some((each, i) => Math.abs(each - numeric[i]!) > threshold);
        },
        numericGradientWith,
        otherGradients: () => this.#gradientsOfOtherLosses(),
        repeatBackward: () => [this.#gradient(targets), this.#gradient(targets)],
      },
      penalty: null,
    };
  }

  operationGraph(): OperationGraph | null {
    const { definition, context } = this.#loss;
    const graph = this.#with(this.#prediction, this.#target, () => definition.operationGraph?.(context) ?? null);
    // Sentences call the tensor as the code does.
    return graph && { ...graph, parameters: { outputs: graph.input } };
  }

  autograd(): ReadonlyMap<string, Float64Array> | null {
    const { definition, context } = this.#loss;
    return this.#with(this.#prediction, this.#target, () => {
      const gradient = definition.autograd?.(context);
      return gradient ? new Map([['prediction', Float64Array.from(gradient)]]) : null;
    });
  }

  #with<Result>(predicted: Float64Array, targets: Float64Array, work: () => Result): Result {
    const { prediction, target } = this.#loss.context;
    const [oldPrediction, oldTarget] = [prediction.data.slice(), target.data.slice()];
    prediction.data.set(predicted);
    target.data.set(targets);
    const result = work();
    prediction.data.set(oldPrediction);
    target.data.set(oldTarget);
    return result;
  }

  #gradient(target: Float64Array): Float64Array {
    const { definition, context, layer } = this.#loss;
    const out = this.#pass.outputGradients[layer]!;
    return this.#with(this.#prediction, target, () => {
      this.#lossValue();
      definition.gradient(context, out);
      return Float64Array.from(out.data);
    });
  }

  /** dL/d prediction by central differences; NaN at a kink. */
  *#numericGradient(target: Float64Array): Generator<undefined, Float64Array> {
    const numeric = new Float64Array(this.#prediction.length).fill(NaN);
    const center = this.value(this.#prediction, target);
    const slice = PERTURBATIONS_PER_SLICE * this.#stride;
    for (let from = 0; from < numeric.length; from += slice) {
      this.#with(this.#prediction, target, () => {
        const { data } = this.#loss.context.prediction;
        for (let i = from; i < Math.min(from + slice, numeric.length); i += this.#stride) {
          const at = (x: number): number => {
            data[i] = x;
            return this.#lossValue();
          };
          numeric[i] = functionDerivative(at, this.#prediction[i]!, center, this.#precision);
          data[i] = this.#prediction[i]!;
        }
      });
      yield;
    }
    return numeric;
  }

  /** The gradients of other losses with their default options; losses with required options are skipped. */
  #gradientsOfOtherLosses(): readonly (readonly [string, Float64Array])[] {
    const {
      definition: own,
      context: { kernels, prediction, target },
    } = this.#loss;
    const plan = new MemoryPlan(kernels.precision);
    plan.reserve(prediction.shape);
    const out = kernels.allocate(plan)[0]!;
    const gradients: (readonly [string, Float64Array])[] = [];
    this.#with(this.#prediction, this.#target, () => {
      for (const definition of Object.values(losses) as unknown as LossDefinition[]) {
        const { success, data: options } = definition.options.safeParse({});
        if (definition.kind === own.kind || !success) continue;
        definition.gradient({ kernels, options, prediction, target }, out);
        gradients.push([definition.kind, Float64Array.from(out.data)]);
      }
    });
    return gradients;
  }
}

/** What the outputs are that a loss takes. */
export const outputNameOf = ({ target }: LossDefinition): string => (target === 'classes' ? 'classes' : 'outputs');

/** The rows moved by one place. */
function rotate(values: Float64Array, rows: number): Float64Array {
  const width = values.length / rows;
  return values.map((_, i) => values[(i + width) % values.length]!);
}

const formatShort = (value: number): string => String(Number(value.toPrecision(6)));
