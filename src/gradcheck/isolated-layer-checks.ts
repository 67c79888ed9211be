// Checks each layer and the loss in isolation: samples of the batch go in, a random output gradient arrives, and the
// results of backward are compared with differences of forward. This separates a wrong incoming gradient from a wrong
// backward pass.
import { numel } from '../engine/kernels/tensor';
import type { Pass } from '../engine/pass';
import { dependentsOf } from '../engine/network-graph';
import { Random } from '../engine/random';
import { LayerHarness } from './diagnosis/layer-harness';
import { checkLoss, outputNameOf } from './diagnosis/check-loss';
import { checkPenalty } from './diagnosis/check-penalty';
import { type FunctionCheck, PROBES, type Probe, isWrongFunction } from './diagnosis/function-check';
import { toleranceOf, type GradientComparison, indexOfWorst } from './diagnosis/gradient-comparison';
import type { ForwardPrecision } from './forward-precision';
import { type LayerCheck, PENALTY_NAME, VERDICTS } from '../protocol/check-report';
import { NOT_CHECKED, summarizeParameter } from './build-report';

/** If neither value exceeds this, nothing can be concluded. */
const ZERO_THRESHOLD = 1e-9;

/** In single precision, large made-up inputs leave few digits: only larger errors than of the batch are faults. */
const MADE_UP_SINGLE_TOLERANCE = 0.05;

export class IsolatedLayerChecks {
  /** One harness per layer, from the first; complete when all work is done. */
  readonly harnesses: LayerHarness[] = [];
  /** For each layer index: the generated inputs of its harness, if only these show a fault. */
  readonly probes = new Map<number, string>();
  /** Null for a network without layers, or a loss that is not finite. */
  loss: FunctionCheck | null = null;
  /** The same of each auxiliary loss. */
  readonly auxiliaryLosses: (FunctionCheck | null)[] = [];
  /** Null without a custom penalty. */
  penalty: FunctionCheck | null = null;

  /**
   * @param pass with the batch and the checked parameters; it is evaluated again
   * @param trustStructure whether the declared Jacobian structures have held so far
   * @param precisions of the layers' forward passes
   */
  constructor(
    readonly pass: Pass,
    readonly trustStructure: boolean,
    readonly precisions: readonly ForwardPrecision[],
    /** The precision of a custom loss and of a custom penalty. */
    readonly functionPrecisions: { readonly loss: ForwardPrecision; readonly penalty: ForwardPrecision },
  ) {}

  /** A cooperative task. */
  *run(): Generator<undefined, void> {
    const { pass } = this;
    const { layers } = pass.network.model;
    pass.evaluate();
    const [ofPrediction, ...auxiliaryLosses] = pass.losses;
    this.loss = yield* checkLoss(pass, ofPrediction, this.functionPrecisions.loss);
    for (const loss of auxiliaryLosses) this.auxiliaryLosses.push(yield* checkLoss(pass, loss, 'double'));
    this.penalty = yield* checkPenalty(pass, this.functionPrecisions.penalty);
    for (const [i, { inputShape, outputShape, definition }] of layers.entries()) {
      yield;
      const samples = chooseSampleCount(pass.batchSize, [inputShape, outputShape].flat());
      let harness = yield* this.makeHarness(i, samples);
      // Some custom layers accept only the batch's own size.
      if (harness.refusesInput && samples !== pass.batchSize) harness = yield* this.makeHarness(i, pass.batchSize);
      this.harnesses.push(harness);
      yield* compareAll(harness);
      const hasManualBackward = definition.autograd !== undefined;
      if (hasManualBackward && !isFaulty(harness)) yield* this.#probe(i, samples);
    }
  }

  *#probe(layer: number, samples: number): Generator<undefined, void> {
    for (const { description, makeInput } of PROBES) {
      const harness = yield* this.makeHarness(layer, samples, makeInput);
      if (harness.refusesInput) continue;
      yield* compareAll(harness);
      const tolerated = this.precisions[layer] === 'single' ? MADE_UP_SINGLE_TOLERANCE : undefined;
      if (!isFaulty(harness, tolerated)) continue;
      this.harnesses[layer] = harness;
      this.probes.set(layer, description);
      return;
    }
  }

  /** @param makeInput makes up inputs instead of using those of the batch */
  *makeHarness(layer: number, samples: number, makeInput?: Probe['makeInput']): Generator<undefined, LayerHarness> {
    const { pass, trustStructure: trusted, precisions } = this;
    const isLast = layer === pass.network.model.layers.length - 1;
    return yield* LayerHarness.create(pass, {
      layer,
      samples,
      outputs: isLast ? outputNameOf(pass.network.model.loss.definition) : 'units',
      random: new Random(layer, 'diagnosis'),
      trusted,
      precision: precisions[layer] ?? 'double',
      ...(makeInput && { makeInput }),
    });
  }

  /** From the first layer to the loss. */
  toLayerChecks(): LayerCheck[] {
    const { model } = this.pass.network;
    /** Layers whose input gradients are wrong. */
    const misleading = new Set<number>();
    const isLossWrong = this.loss !== null && isWrongFunction(this.loss);
    const wrongLosses = (model.auxiliaryLosses ?? []).filter((_, i) => {
      const check = this.auxiliaryLosses[i];
      return check && isWrongFunction(check);
    });
    /** The nearest to the loss of those whose wrong gradients arrive at a layer. */
    const wrongGradientSource = (layer: number): string | null => {
      if (isLossWrong) return 'the loss';
      const dependents = dependentsOf(model, [layer]);
      const auxiliary = wrongLosses.find((loss) => dependents.includes(loss.layer));
      if (auxiliary) return auxiliary.name;
      const source = dependents.findLast((other) => other !== layer && misleading.has(other));
      return source === undefined ? null : model.layers[source]!.name;
    };
    const checks: LayerCheck[] = [];
    if (this.loss) checks.push(toFunctionCheck(null, model.loss.definition.kind, this.loss));
    model.auxiliaryLosses?.forEach(({ name, definition }, i) => {
      const check = this.auxiliaryLosses[i];
      if (check) checks.push(toFunctionCheck(name, definition.kind, check));
    });
    const { custom } = model.penalty ?? {};
    if (this.penalty && custom) checks.push(toFunctionCheck(PENALTY_NAME, custom.definition.kind, this.penalty));
    for (let i = this.harnesses.length - 1; i >= 0; i--) {
      const harness = this.harnesses[i]!;
      const { name, definition } = model.layers[i]!;
      const probe = this.probes.get(i);
      const comparisons = harness.forwardFault ? [] : harness.tensors.map((tensor) => harness.comparison(tensor));
      checks.unshift({
        name,
        kind: definition.kind,
        overwrites: harness.overwrites.map(({ tensor }) => tensor),
        ...(this.precisions[i] === 'single' && { precision: 'single' }),
        ...(definition.surrogate && { surrogate: definition.surrogate.reason }),
        ...(harness.forwardFault && { fault: harness.forwardFault.cause }),
        ...(probe !== undefined && { probe }),
        arriving: wrongGradientSource(i),
        tensors: comparisons.map(toTensorCheck),
      });
      if (comparisons.some((each) => each.subject !== 'parameter' && indexOfWorst(each) >= 0)) misleading.add(i);
    }
    return checks;
  }
}

const toFunctionCheck = (
  name: string | null,
  kind: string,
  { comparisons, fault, precision, probe }: FunctionCheck,
): LayerCheck => ({
  name,
  kind,
  overwrites: [],
  arriving: null,
  tensors: comparisons.map(toTensorCheck),
  ...(fault && { fault: fault.cause }),
  ...(precision === 'single' && { precision: 'single' }),
  ...(probe !== undefined && { probe }),
});

function* compareAll(harness: LayerHarness): Generator<undefined, void> {
  if (harness.forwardFault) return;
  for (const tensor of harness.tensors) {
    yield;
    yield* harness.compare(tensor);
  }
}

/** @param tolerance instead of that of the comparisons */
const isFaulty = (harness: LayerHarness, tolerance?: number): boolean =>
  harness.forwardFault !== null ||
  harness.overwrites.length > 0 ||
  harness.tensors.some((tensor) => {
    const comparison = harness.comparison(tensor);
    return indexOfWorst(tolerance === undefined ? comparison : { ...comparison, tolerance }) >= 0;
  });

/** A number of samples that no size of the layer equals, so that a factor identifies a size. */
function chooseSampleCount(batchSize: number, sizes: readonly number[]): number {
  let samples = Math.max(5, Math.min(batchSize, 12));
  while (sizes.some((size) => size === samples || size * size === samples)) samples++;
  return samples;
}

function toTensorCheck(comparison: GradientComparison): LayerCheck['tensors'][number] {
  const { tensor: name, shape, analytic, numeric, stride } = comparison;
  const tolerance = toleranceOf(comparison);
  const verdicts = new Uint8Array(numel(shape)).fill(NOT_CHECKED);
  for (let i = 0; i < verdicts.length; i += stride) {
    const [a, n] = [analytic[i]!, numeric[i]!];
    const isUndefined = comparison.hasFiniteOutput === true && !Number.isFinite(a);
    const verdict = isUndefined
      ? 'wrong'
      : Number.isNaN(n)
        ? 'kink'
        : !(Math.abs(a - n) <= tolerance)
          ? 'wrong'
          : Math.max(Math.abs(a), Math.abs(n)) <= ZERO_THRESHOLD
            ? 'below_noise'
            : 'pass';
    verdicts[i] = VERDICTS.indexOf(verdict);
  }
  return summarizeParameter({ name, shape, analytic, numeric, verdicts });
}
