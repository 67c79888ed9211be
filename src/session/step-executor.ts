// Runs the phases of a training step, one by one or all at once. Knows how far the step is; the session knows which
// step it is.
import type { Phase } from '../protocol/position';
import type { ModelInfo } from '../protocol/model-info';
import type { TensorData } from '../engine/kernels/tensor';
import type { Network } from '../engine/network';
import type { Parameter } from '../engine/network-model';
import type { Pass } from '../engine/pass';
import { type History, seriesName } from '../history/history';
import type { CompiledRun } from '../model-spec';
import { type Batch, type Batches, loadBatch, inputsInPrecision } from './batches';
import type { LearningRates } from './learning-rates';
import { optimizerStep } from './optimizer-step';
import { FusedStep, type StepObserver } from './fused-step';
import type { ObservedReductions } from '../engine/kernels/observed-reductions';

/** Maximum number of steps per call. */
const MAX_STEPS_PER_CALL = 1024;

export interface StepContext {
  readonly run: CompiledRun;
  readonly network: Network;
  readonly model: ModelInfo;
  readonly batches: Batches;
  readonly learningRates: LearningRates;
  /** Receives the loss of every step's batch. */
  readonly history: History;
  /** Multiply-adds per step. */
  readonly macsPerStep: number;
  readonly activity: Int32Array | undefined;
}

/** What was observed of steps that ran in one call, until the next call. */
export interface ObservedSteps {
  readonly done: number;
  readonly losses: Float64Array;
  readonly reductions: ObservedReductions;
}

export class StepExecutor {
  /** Of the last call of `train`; null if its only step left everything in its tensors. */
  observed: ObservedSteps | null = null;
  /** Update ratios of the last measured update, keyed by parameter. */
  readonly updateRatios = new Map<string, number | null>();
  /** The next phase; 0 at the end of a step. */
  phase = 0;
  /** The loss of the last loss phase, in whichever step. */
  loss = NaN;
  /** Whether it was just restored: the weights belong to the step, the other tensors do not. */
  stale = false;
  /** Whether the update of the last step was measured. */
  updateMeasured = false;
  /** Parameters whose update is kept in steps that are not measured, too. */
  #keptParameters: readonly Parameter[] = [];
  /** Whether the last step, if it was not measured, kept them. */
  #hasKept = false;
  readonly #context: StepContext;
  readonly #fusedStep: FusedStep | null;
  #inputs: TensorData | null = null;
  /** The losses of steps that ran in one call. */
  readonly #losses = new Float64Array(MAX_STEPS_PER_CALL);
  #batch: Batch;
  #pass: Pass;

  constructor(parts: StepContext) {
    const { network, run, batches, macsPerStep } = parts;
    this.#context = parts;
    this.#fusedStep = FusedStep.create(network, run, macsPerStep);
    this.#batch = batches.at(0);
    this.#pass = network.trainingPass(this.#batch.size);
  }

  get batch(): Batch {
    return this.#batch;
  }

  get pass(): Pass {
    return this.#pass;
  }

  /** Keeps the updates of these parameters from now on, which costs much less than a measured step. */
  keepUpdates(parameters: readonly Parameter[]): void {
    this.#keptParameters = parameters.filter(({ frozen }) => !frozen);
    this.#hasKept = false;
  }

  /** Whether the `previous` of a parameter holds the update of this step. */
  hasUpdate(parameter: Parameter): boolean {
    return this.updateRatios.has(parameter.name) || (this.#hasKept && this.#keptParameters.includes(parameter));
  }

  /**
   * Runs the rest of a step, counted from 0.
   * @param measure whether to measure the size of its update
   * @returns 1, the number of steps
   */
  finishStep(step: number, measure: boolean): number {
    while (!this.runNextPhase(step, measure));
    return 1;
  }

  /**
   * Runs the rest of a step, counted from 0, and possibly more steps. What is observed of them is in `observed`.
   * @returns how many, at most `maxSteps`
   */
  train(step: number, maxSteps: number, observer: StepObserver | null = null): number {
    this.observed = null;
    if (!this.#fusedStep || this.phase > 0) return this.finishStep(step, false);
    return this.#trainFused(this.#fusedStep, step, maxSteps, observer);
  }

  /** Runs the next phase of a step, counted from 0. @returns whether it was the last */
  runNextPhase(step: number, measure: boolean): boolean {
    const { run, network, model, learningRates, history, activity } = this.#context;
    // A plain store: the watchdog reads it seconds later, and a fence in every phase would cost a small network a tenth
    // of its speed.
    if (activity) activity[0] = this.phase;
    const phase: Phase = model.phases[this.phase]!;
    switch (phase.kind) {
      case 'zero_grad':
        this.loadBatch(step);
        this.stale = false;
        this.updateRatios.clear();
        this.#hasKept = false;
        network.zeroGradients();
        break;
      case 'forward':
        this.#pass.forwardAndUpdateBuffers(phase.layer);
        break;
      case 'loss':
        this.loss = this.#pass.loss();
        history.add(seriesName.batchLoss, step + 1, this.loss);
        break;
      case 'loss_backward':
        this.#pass.lossBackward();
        break;
      case 'backward':
        this.#pass.backward(phase.layer, measure);
        break;
      case 'update':
        this.updateMeasured = measure;
        optimizerStep(
          network,
          run.optimizer,
          learningRates.at(step),
          step + 1,
          measure ? this.updateRatios : null,
          this.#keptParameters,
        );
        this.#hasKept = !measure;
        this.phase = 0;
        return true;
    }
    this.phase++;
    return false;
  }

  /** Loads the batch of a step, counted from 0. */
  loadBatch(step: number): void {
    const { run, network, batches } = this.#context;
    this.#batch = batches.at(step);
    this.#pass = network.trainingPass(this.#batch.size);
    loadBatch(
      run,
      this.#pass,
      this.#batch,
      step,
      (this.#inputs ??= inputsInPrecision(run.dataset, network.kernels.precision)),
    );
  }

  /** Called after the weights of this step, and nothing else, were restored. */
  resetTo(step: number): void {
    this.phase = 0;
    this.stale = step > 0;
    this.#batch = this.#context.batches.at(Math.max(0, step - 1));
    this.loss = NaN;
    this.updateRatios.clear();
    this.#hasKept = false;
  }

  #trainFused(fusedStep: FusedStep, step: number, maxSteps: number, observer: StepObserver | null): number {
    const { network, batches, learningRates, history, activity } = this.#context;
    if (activity) activity[0] = 0;
    this.#batch = batches.at(step);
    this.#pass = network.trainingPass(this.#batch.size);
    this.stale = false;
    // Clearing an empty map allocates a new one.
    if (this.updateRatios.size > 0) this.updateRatios.clear();
    const contiguousSteps = Math.min(maxSteps, batches.contiguousSteps(step), this.#losses.length);
    const { done, observed } = fusedStep.train(
      this.#pass,
      this.#batch,
      (at) => learningRates.at(at),
      step,
      contiguousSteps,
      this.#losses,
      this.#keptParameters,
      observer,
    );
    this.#hasKept = true;
    this.observed = observed && { done, losses: this.#losses, reductions: observed };
    if (done > 1) this.#batch = batches.at(step + done - 1);
    this.loss = this.#losses[done - 1]!;
    history.addAll(seriesName.batchLoss, step + 1, this.#losses, done);
    this.updateMeasured = false;
    return done;
  }
}
