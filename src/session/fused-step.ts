// Runs training steps of a small network in few calls or in one, with the same operations in the same order as phase by
// phase, and so the same bits. Large networks run phase by phase, so that a watchdog can name the phase that hangs.
import type { ModelInfo } from '../protocol/model-info';
import type { Network } from '../engine/network';
import { numel } from '../engine/kernels/tensor';
import { hasCustomCode, type NetworkModel } from '../engine/network-model';
import type { Pass } from '../engine/pass';
import { stepCoefficients, updateParameters } from '../engine/update-parameters';
import type { TracedStep } from '../engine/kernels/kernels';
import type { ObservedReduction, ObservedReductions } from '../engine/kernels/observed-reductions';
import type { Parameter } from '../engine/network-model';
import { savedToUpdate, savePreviousValue } from '../engine/probes/update-ratio';
import type { CompiledRun } from '../model-spec';
import { type Batch, loadBatch } from './batches';
import { EpochBuffer } from './epoch-buffer';

/** Above this many multiply-adds per step, about 50 µs, the cost of calls does not matter. */
const MAX_FUSED_MACS = 1e6;

/** Multiply-adds in the time that custom code takes for a number that it gets or returns, approximately. */
const CUSTOM_CODE_FACTOR = 200;

/** Approximate multiply-adds of a training step, or work that takes as long. */
export const estimateStepMacs = (
  { layers, batchSize }: Pick<ModelInfo, 'layers' | 'batchSize'>,
  { model }: Network,
): number => 3 * (estimateForwardMacs(layers) + CUSTOM_CODE_FACTOR * customNumbers(model)) * batchSize;

/** Numbers of a sample that go through custom code. */
function customNumbers({ layers, loss, penalty }: NetworkModel): number {
  const ofLayers = layers
    .filter(({ definition }) => definition.sourceLocations)
    .reduce((sum, { inputShape, outputShape }) => sum + numel(inputShape) + numel(outputShape), 0);
  const ofLoss = loss.definition.sourceLocations ? 2 * numel(layers.at(-1)!.outputShape) : 0;
  // A penalty takes all parameters once for a batch.
  const ofPenalty = penalty?.custom ? layers.reduce((sum, { outputShape }) => sum + numel(outputShape), 0) : 0;
  return ofLayers + ofLoss + ofPenalty;
}

/** Multiply-adds of one sample's forward pass; a layer that declares none counts each of its parameters once. */
export const estimateForwardMacs = (layers: ModelInfo['layers']): number =>
  layers.reduce((sum, { figures }) => sum + Math.max(figures.macs, figures.parameters), 0);

/** Kinds of whole steps that stay compiled. */
const MAX_COMPILED_STEPS = 16;

/** What is looked at after steps that run in one call. */
export interface StepObserver {
  /** Equal for the same reductions. */
  readonly key: string;
  /** Reductions of tensors at the end of each step; null if they do not say enough. */
  readonly reductionsOf: (pass: Pass) => readonly ObservedReduction[] | null;
}

interface LatestSteps {
  readonly kept: readonly Parameter[] | null;
  readonly observed: string;
  readonly steps: Map<Pass, TracedStep>;
}

const NONE: LatestSteps = { kept: null, observed: '', steps: new Map() };

interface CompiledPass {
  readonly forward: () => void;
  readonly backward: () => void;
}

export class FusedStep {
  readonly #compiledPasses = new Map<Pass, CompiledPass>();
  /** Whole steps, including updates with the rate `#lr` if these are constant, by what is observed. */
  readonly #compiledSteps = new Map<string, Map<Pass, TracedStep>>();
  /** Those of the last call. */
  #latest: LatestSteps = NONE;
  /** Created on first use; null if steps need more than their samples. */
  #epochBuffer: EpochBuffer | null = null;
  #lr = NaN;
  #update: () => void = () => undefined;
  /** The per-step parameters of the current update. */
  readonly #stepParameters: number[] = [];

  constructor(
    readonly network: Network,
    readonly run: CompiledRun,
    /** Whether an update is the same operations with the same numbers at every step, while the rate is constant. */
    readonly isUpdateConstant: boolean,
    /** Whether it is the same operations with numbers that the optimizer declares. */
    readonly hasPerStepParameters: boolean,
  ) {}

  /** @param macs multiply-adds per step */
  static create(network: Network, run: CompiledRun, macs: number): FusedStep | null {
    if (macs > MAX_FUSED_MACS) return null;
    if (hasCustomCode(network.model)) return null;
    const { optimizer, schedule } = run;
    const constant = schedule.definition.isConstant === true && schedule.warmup === 0;
    const isUpdateConstant = constant && !optimizer.definition.dependsOnStep && optimizer.clip.norm === undefined;
    const hasPerStepParameters =
      optimizer.definition.stepCoefficients !== undefined && optimizer.clip.norm === undefined;
    return new FusedStep(network, run, isUpdateConstant, hasPerStepParameters);
  }

  /**
   * Runs steps, counted from 0, starting with `batch` in `pass`; later batches follow it in order and have the same
   * size.
   * @param losses receives the loss of each step
   * @param kept parameters whose update `previous` holds afterwards
   * @returns the number of steps, at most `most`; stops after a loss that is not finite. With an observer, also its
   * reductions of each step, unless they have to be computed from the tensors of the one step that was done
   */
  train(
    pass: Pass,
    batch: Batch,
    learningRateAt: (step: number) => number,
    step: number,
    maxSteps: number,
    losses: Float64Array,
    kept: readonly Parameter[],
    observer: StepObserver | null,
  ): { readonly done: number; readonly observed: ObservedReductions | null } {
    const { network, run } = this;
    const lr = learningRateAt(step);
    const stepParametersAt = (time: number): readonly number[] =>
      stepCoefficients(run.optimizer, learningRateAt(step + time), step + time + 1);
    if (this.hasPerStepParameters) this.#stepParameters.splice(0, this.#stepParameters.length, ...stepParametersAt(0));
    if (this.isUpdateConstant && lr !== this.#lr) {
      this.#lr = lr;
      this.#update = network.kernels.trace(() => updateParameters(network, run.optimizer, lr, step + 1));
      this.#compiledSteps.clear();
      this.#latest = NONE;
    }
    const isUpdateCompiled = this.isUpdateConstant || this.hasPerStepParameters;
    const reductions = observer ? observer.reductionsOf(pass) : [];
    const compiled = this.#compiledStep(pass, kept, observer?.key ?? '', reductions ?? []);
    if (compiled.repeat && this.#epochBuffer) {
      this.#epochBuffer.fill(batch.order);
      const start = batch.size < run.batchSize ? 0 : batch.index;
      const done = compiled.repeat(start, reductions ? maxSteps : 1, losses, stepParametersAt);
      return { done, observed: observer && reductions && compiled.observed };
    }
    loadBatch(run, pass, batch, step);
    losses[0] = compiled.run();
    if (!isUpdateCompiled) {
      for (const parameter of kept) savePreviousValue(network.kernels, parameter);
      updateParameters(network, run.optimizer, lr, step + 1);
      for (const parameter of kept) savedToUpdate(network.kernels, parameter);
    }
    return { done: 1, observed: null };
  }

  #compiledStep(
    pass: Pass,
    kept: readonly Parameter[],
    observed: string,
    reductions: readonly ObservedReduction[],
  ): TracedStep {
    if (kept !== this.#latest.kept || observed !== this.#latest.observed)
      this.#latest = {
        kept,
        observed,
        steps: this.#stepsFor(JSON.stringify([kept.map(({ name }) => name), observed])),
      };
    const { steps } = this.#latest;
    let compiled = steps.get(pass);
    if (!compiled) steps.set(pass, (compiled = this.#compileStep(pass, kept, reductions)));
    return compiled;
  }

  #stepsFor(key: string): Map<Pass, TracedStep> {
    let steps = this.#compiledSteps.get(key);
    if (!steps) {
      if (this.#compiledSteps.size >= MAX_COMPILED_STEPS)
        this.#compiledSteps.delete(this.#compiledSteps.keys().next().value!);
      this.#compiledSteps.set(key, (steps = new Map<Pass, TracedStep>()));
    }
    return steps;
  }

  #compileStep(pass: Pass, kept: readonly Parameter[], reductions: readonly ObservedReduction[]): TracedStep {
    const { network, run } = this;
    const { forward, backward } = this.#compilePass(pass);
    const update = this.#update;
    const isUpdateCompiled = this.isUpdateConstant || this.hasPerStepParameters;
    const backwardAndUpdate = (): void => {
      backward();
      if (!isUpdateCompiled) return;
      for (const parameter of kept) savePreviousValue(network.kernels, parameter);
      // Neither lr nor the step, which such an update does not use.
      if (this.hasPerStepParameters) updateParameters(network, run.optimizer, NaN, NaN, this.#stepParameters);
      else update();
      for (const parameter of kept) savedToUpdate(network.kernels, parameter);
    };
    const usesEpochBuffer = isUpdateCompiled && EpochBuffer.canBuffer(network, run);
    return network.kernels.traceStep(forward, () => pass.loss(), backwardAndUpdate, {
      inputStreams: () =>
        usesEpochBuffer ? (this.#epochBuffer ??= new EpochBuffer(network, run)).streamsFor(pass) : [],
      perStepParameters: this.#stepParameters,
      reductions,
    });
  }

  #compilePass(pass: Pass): CompiledPass {
    const cached = this.#compiledPasses.get(pass);
    if (cached) return cached;
    const { network } = this;
    const { kernels } = network;
    const layers = pass.outputs.length;
    const compiled = {
      forward: kernels.trace(() => {
        network.zeroGradients();
        for (let layer = 0; layer < layers; layer++) pass.forwardAndUpdateBuffers(layer);
      }),
      backward: kernels.trace(() => {
        pass.lossBackward();
        for (let layer = layers - 1; layer >= 0; layer--) pass.backward(layer);
      }),
    };
    this.#compiledPasses.set(pass, compiled);
    return compiled;
  }
}
