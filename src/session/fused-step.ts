// Runs training steps of a small network in few calls or in one, with the same operations in the same order as phase by
// phase, and so the same bits. Large networks run phase by phase, so that a watchdog can name the phase that hangs.
import type { ModelInfo } from '../protocol/model-info';
import type { Network } from '../engine/network';
import { numel } from '../engine/kernels/tensor';
import { hasCustomCode, type NetworkModel } from '../engine/network-model';
import type { Pass } from '../engine/pass';
import { stepCoefficients, updateParameters } from '../engine/update-parameters';
import type { TracedStep } from '../engine/kernels/kernels';
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

interface CompiledPass {
  readonly forward: () => void;
  readonly backward: () => void;
}

export class FusedStep {
  readonly #compiledPasses = new Map<Pass, CompiledPass>();
  /** Whole steps, including updates with the rate `#lr` if these are constant. */
  readonly #compiledSteps = new Map<Pass, TracedStep>();
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
   * @param losses receives the loss of each step. @returns the number of steps, at most `most`; stops after a loss that
   * is not finite
   */
  train(
    pass: Pass,
    batch: Batch,
    learningRateAt: (step: number) => number,
    step: number,
    maxSteps: number,
    losses: Float64Array,
  ): number {
    const { network, run } = this;
    const lr = learningRateAt(step);
    const stepParametersAt = (time: number): readonly number[] =>
      stepCoefficients(run.optimizer, learningRateAt(step + time), step + time + 1);
    if (this.hasPerStepParameters) this.#stepParameters.splice(0, this.#stepParameters.length, ...stepParametersAt(0));
    if (this.isUpdateConstant && lr !== this.#lr) {
      this.#lr = lr;
      this.#update = network.kernels.trace(() => updateParameters(network, run.optimizer, lr, step + 1));
      this.#compiledSteps.clear();
    }
    let compiled = this.#compiledSteps.get(pass);
    if (!compiled) this.#compiledSteps.set(pass, (compiled = this.#compileStep(pass)));
    if (compiled.repeat && this.#epochBuffer) {
      this.#epochBuffer.fill(batch.order);
      return compiled.repeat(batch.size < run.batchSize ? 0 : batch.index, maxSteps, losses, stepParametersAt);
    }
    loadBatch(run, pass, batch, step);
    losses[0] = compiled.run();
    if (!this.isUpdateConstant && !this.hasPerStepParameters) updateParameters(network, run.optimizer, lr, step + 1);
    return 1;
  }

  #compileStep(pass: Pass): TracedStep {
    const { network, run } = this;
    const { forward, backward } = this.#compilePass(pass);
    const update = this.#update;
    const backwardAndUpdate = (): void => {
      backward();
      // Neither lr nor the step, which such an update does not use.
      if (this.hasPerStepParameters) updateParameters(network, run.optimizer, NaN, NaN, this.#stepParameters);
      else update();
    };
    const usesEpochBuffer = (this.isUpdateConstant || this.hasPerStepParameters) && EpochBuffer.canBuffer(network, run);
    return network.kernels.traceStep(
      forward,
      () => pass.loss(),
      backwardAndUpdate,
      () => (usesEpochBuffer ? (this.#epochBuffer ??= new EpochBuffer(network, run)).streamsFor(pass) : []),
      this.#stepParameters,
    );
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
