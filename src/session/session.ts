// The state machine of a training run: its position, and moving forward, backward and anywhere. Knows no clients and no
// clock, and never waits. Going back is exact: it restores the nearest checkpoint and repeats the same steps.
import { SPLIT_NAMES, type BatchPosition, type Position } from '../protocol/position';
import type { Evaluation, NonFinite } from '../protocol/frame';
import type { ModelInfo } from '../protocol/model-info';
import type { Checkpoint, RunRecord, WeightOverride } from '../protocol/run-record';
import { type WeightEdit, assertValidWeights, ManualOverrides } from './manual-overrides';
import { asCustomLayerError, type CustomLayerError } from '../engine/custom/custom-layer-error';
import { createKernels, type KernelOptions } from '../engine/kernels/create-kernels';
import type { Tensor } from '../engine/kernels/tensor';
import { Network } from '../engine/network';
import { consumersOf, NETWORK_INPUT } from '../engine/network-graph';
import { hasCustomCode, type Parameter } from '../engine/network-model';
import type { Pass } from '../engine/pass';
import { runToCompletion } from '../engine/cooperative-task';
import { History, seriesName } from '../history/history';
import { type CompiledRun, EVALUATION_BATCH } from '../model-spec';
import { type Batch, Batches } from './batches';
import { assertCompatible, Checkpoints, DEFAULT_BUDGET, chooseInterval } from './checkpoints';
import { evaluate } from './evaluation';
import { LearningRates } from './learning-rates';
import type { OpenDataFiles } from '../engine/datasets/data-file';
import { describeModel } from './model-info';
import { findNonFinite } from './non-finite';
import { stepProgress, type StepProgress } from './layer-stats';
import { GradientHistograms } from './gradient-histograms';
import type { GradientCheck } from '../gradcheck';
import { runRules, RunMonitor } from '../diagnostics';
import { hashData, hashTensors } from './state-hash';
import type { ReplayThreads } from './replay-threads';
import type { SessionOptions } from './session-options';
import { type ObservedSteps, StepExecutor } from './step-executor';
import { estimateStepMacs, type StepObserver } from './fused-step';

// History values that wait for the next frame.
const PENDING_HISTORY_SIZE = 256;

export class TrainingSession {
  readonly network: Network;
  readonly model: ModelInfo;
  /** Milliseconds; null if the session was given no clock. */
  readonly now: (() => number) | null;
  readonly kernelOptions: KernelOptions;
  readonly openDataFiles: (() => OpenDataFiles) | undefined;
  /** Null if queries are answered in one thread. */
  readonly replayThreads: ReplayThreads | null;
  /** New values of the history since the last frame. */
  readonly pendingHistory = new History(PENDING_HISTORY_SIZE);
  /** The distribution of gradients at some of the observed steps. */
  readonly gradientHistograms = new GradientHistograms();
  /** The findings of the run. */
  readonly monitor: RunMonitor;
  /** The latest gradient check, for queries about single entries. It holds a float64 replica of the network. */
  lastCheck: GradientCheck | null = null;
  /** The error that occurred while restoring a run. */
  restoreFault: CustomLayerError | null = null;
  readonly #lossPhase: number;
  readonly #stepExecutor: StepExecutor;
  readonly #checkpoints: Checkpoints;
  readonly #overrides: ManualOverrides;
  readonly #learningRates: LearningRates;
  readonly #edits: WeightEdit[] = [];
  #step = 0;
  #furthestStep = 0;
  /** Computed for the first record. */
  #dataHash: string | undefined;
  /** The first position of a run whose earlier steps were computed with other layer code. */
  #baseCheckpoint: Checkpoint | null = null;
  #evaluation: { readonly step: number; readonly result: Evaluation } | null = null;

  constructor(
    readonly run: CompiledRun,
    /** The text of the spec, for the record. */
    readonly text: string,
    options: SessionOptions = {},
  ) {
    const { optimizer, split, batchSize, shuffle, seed } = run;
    this.now = options.now ?? null;
    this.openDataFiles = options.openDataFiles;
    this.replayThreads = options.replayThreads ?? null;
    const { backend, threadPool, simd256, fuseAfter, simd256After } = options;
    this.kernelOptions = { deterministic: run.deterministic, backend, threadPool, simd256, fuseAfter, simd256After };
    this.network = new Network(run.model, createKernels(run.precision, this.kernelOptions), {
      batchSize: batchSize,
      evaluationBatchSize: Math.min(EVALUATION_BATCH, Math.max(...SPLIT_NAMES.map((part) => split[part].length))),
      optimizerStateTensors: optimizer.definition.state(optimizer.options).length,
    });
    this.#overrides = new ManualOverrides({ lr: optimizer.options.lr, seed });
    const batches = new Batches(split.train, batchSize, shuffle, (step) => this.#overrides.seedAt(step));
    this.#learningRates = new LearningRates(run, this.#overrides, batches.batchesPerEpoch);
    this.model = describeModel(run, this.network, batches.batchesPerEpoch, text);
    this.monitor = new RunMonitor(runRules, run, this.model, text);
    this.#lossPhase = this.model.phases.findIndex(({ kind }) => kind === 'loss');
    const macsPerStep = estimateStepMacs(this.model, this.network);
    const bytes = this.network.state.reduce((sum, { data }) => sum + data.byteLength, 0);
    const { checkpointBudget = DEFAULT_BUDGET, checkpointInterval = chooseInterval(macsPerStep, bytes) } = options;
    this.#checkpoints = new Checkpoints(checkpointBudget, checkpointInterval);
    const { network, model, pendingHistory: history } = this;
    this.#stepExecutor = new StepExecutor({
      run,
      network,
      model,
      batches,
      learningRates: this.#learningRates,
      history,
      macsPerStep,
      activity: options.activity,
    });
    this.network.initialize(seed);
  }

  // The code of custom layers may have changed; then steps before the record cannot be reached.
  /** Resumes a run from a record. Earlier steps can still be reached, replayed from the seed. */
  static resume(run: CompiledRun, record: RunRecord, options: SessionOptions = {}): TrainingSession {
    const session = new TrainingSession(run, record.text, options);
    const { checkpoint, position } = record;
    const runsCustomCode = hasCustomCode(run.model);
    if (checkpoint.step > 0) {
      assertCompatible(checkpoint, session.network.state);
      session.#checkpoints.insert(checkpoint);
      if (runsCustomCode) session.#baseCheckpoint = checkpoint;
    }
    session.#overrides.all = record.changes;
    if (checkpoint.step === 0 && record.changes.length > 0) session.#restore(undefined);
    try {
      session.seek(position.step, position.phase);
    } catch (error) {
      session.restoreFault = asCustomLayerError(error);
    }
    session.#furthestStep = Math.max(runsCustomCode ? 0 : record.frontier, session.#step);
    session.monitor.restore(record.findings ?? [], session.#furthestStep);
    return session;
  }

  get position(): Position {
    return { step: this.#step, phase: this.#stepExecutor.phase };
  }

  /** The furthest step reached. */
  get furthestStep(): number {
    return this.#furthestStep;
  }

  /** The earliest step that it is possible to go back to. */
  get earliestStep(): number {
    return this.#baseCheckpoint?.step ?? 0;
  }

  get totalSteps(): number {
    return this.model.totalSteps;
  }

  /** The pass of the current batch, or at the end of a step, of the one just done. */
  get pass(): Pass {
    return this.#stepExecutor.pass;
  }

  /** The pass that a gradient check at this position uses: the current one; before any step, the first. */
  passToCheck(): Pass {
    if (this.shownStep === 0 || this.#stepExecutor.stale) this.#stepExecutor.loadBatch(Math.max(0, this.#step - 1));
    return this.#stepExecutor.pass;
  }

  /** Loss of this step's batch; null before the loss phase. */
  get loss(): number | null {
    return this.#isPhaseDone(this.#lossPhase) ? this.#stepExecutor.loss : null;
  }

  /** The value of each of several losses, not weighted; null where `loss` is. */
  get losses(): readonly number[] | null {
    return this.loss === null ? null : this.pass.lossValues();
  }

  /** Share of correct predictions in the batch; null before the end of the forward pass, and if targets are values. */
  get accuracy(): number | null {
    if (this.loss === null || !this.run.labels) return null;
    const { correct, labeled } = this.#stepExecutor.pass.countCorrect();
    return labeled > 0 ? correct / labeled : null;
  }

  /** Learning rate of the next update, after the schedule. */
  get lr(): number {
    return this.#learningRates.at(this.#step);
  }

  /** Learning rate of a step, counted from 1; 0 before the first. */
  learningRateOf(step: number): number {
    return step === 0 ? 0 : this.#learningRates.at(step - 1);
  }

  /** The base rate of the schedule: the optimizer's `lr`, or the rate set last. */
  get baseLr(): number {
    return this.#overrides.lrAt(this.#step);
  }

  /** The seed of the next step: that of the spec, or the one set last. */
  get seed(): number {
    return this.#overrides.seedAt(this.#step);
  }

  /** ‖update‖ / ‖weights‖ by parameter, for the last measured update. */
  get updateRatios(): ReadonlyMap<string, number | null> {
    return this.#stepExecutor.updateRatios;
  }

  /** Keeps the updates of these parameters in every step from now on, and of no others. */
  keepUpdates(parameters: readonly Parameter[]): void {
    this.#stepExecutor.keepUpdates(parameters);
  }

  /** Whether `previous` of a parameter holds the update of the step shown. */
  hasUpdate(parameter: Parameter): boolean {
    return this.#stepExecutor.hasUpdate(parameter);
  }

  /** The step that the tensors belong to, counted from 1; 0 before the first. */
  get shownStep(): number {
    return this.#stepExecutor.phase > 0 ? this.#step + 1 : this.#step;
  }

  /** The batch of the current step; before the first step, its batch. */
  get batch(): Batch {
    return this.#stepExecutor.batch;
  }

  get batchPosition(): BatchPosition {
    if (this.shownStep === 0) return { epoch: 0, batch: 0, samples: 0, firstSample: this.run.split.train[0]! };
    const { epoch, index, size, order, from } = this.#stepExecutor.batch;
    return { epoch: epoch + 1, batch: index + 1, samples: size, firstSample: order[from]! };
  }

  get progress(): StepProgress {
    return stepProgress(this.model, (phase) => this.#isPhaseDone(phase));
  }

  /** dL/d input of the batch; undefined until its backward phase, and for steps that were not measured. */
  get inputGradient(): Tensor | undefined {
    const [first] = consumersOf(this.network.model, NETWORK_INPUT);
    const { phase, updateMeasured } = this.#stepExecutor;
    return first && this.progress.hasParameterGradients(first.layer) && (phase > 0 || updateMeasured)
      ? this.pass.inputGradient
      : undefined;
  }

  /** Losses and accuracies of whole splits with exactly these weights, if they were evaluated. */
  get evaluation(): Evaluation {
    return this.#evaluation?.step === this.#step ? this.#evaluation.result : {};
  }

  /** Finishes the current step. @param measure whether to measure the size of its update */
  step(measure = false): void {
    if (measure) this.#commitSteps(this.#stepExecutor.finishStep(this.#step, true));
    else this.train(1);
  }

  /**
   * Finishes the current step and possibly more, up to one whose loss is not finite.
   * @param observer what to observe of each of several steps
   * @returns the number of steps, at most `maxSteps`
   */
  train(maxSteps: number, observer: StepObserver | null = null): number {
    const next = Math.min(this.#checkpoints.nextDueAfter(this.#step), this.#overrides.nextStepAfter(this.#step));
    return this.#commitSteps(this.#stepExecutor.train(this.#step, Math.min(maxSteps, next - this.#step), observer));
  }

  /** What was observed of the steps of the last `train`; null if its only step left everything in its tensors. */
  get observedSteps(): ObservedSteps | null {
    return this.#stepExecutor.observed;
  }

  /** Runs the next phase of the current step. */
  stepPhase(): void {
    if (this.#stepExecutor.runNextPhase(this.#step, true)) this.#commitSteps(1);
  }

  /** Undoes the last phase; does nothing at the start. */
  backPhase(): void {
    if (this.#stepExecutor.phase > 0) this.seek(this.#step, this.#stepExecutor.phase - 1);
    else if (this.#step > 0) this.seek(this.#step - 1, this.model.phases.length - 1);
  }

  /** Goes to the end of the previous step; within a step, to its beginning. */
  backStep(): void {
    if (this.#stepExecutor.phase > 0) this.seek(this.#step);
    else if (this.#step > 0) this.seek(this.#step - 1);
  }

  /** Goes to any position, bit for bit as if it had just been reached. Trains steps that were never reached. */
  seek(step: number, phase = 0): void {
    this.rewind(step, phase);
    while (this.#step < step - 1) this.train(step - 1 - this.#step);
    if (this.#step < step) this.step(true);
    while (this.#stepExecutor.phase < phase) this.stepPhase();
  }

  /** Goes to a position at or before the given one, from which training leads there. */
  rewind(step: number, phase = 0): void {
    const isAtPosition =
      this.#step === step && this.#stepExecutor.phase <= phase && !(this.#stepExecutor.stale && phase === 0);
    const isAhead = this.#step < step || isAtPosition;
    // The tensors at the end of a step are those of the step, so it is repeated unless it is still ahead.
    const latest = phase === 0 ? step - 1 : step;
    const checkpoint = this.#checkpoints.nearest(Math.max(0, latest));
    if (isAhead && (checkpoint?.step ?? 0) <= this.#step) return;
    this.#restore(checkpoint);
  }

  /**
   * At the end of a step, computes what is missing to show it: its tensors after a rewind, the size of its update after
   * a fast step.
   */
  ensureTensors(): void {
    if (this.#stepExecutor.phase > 0 || this.#step === 0) return;
    if (!this.#stepExecutor.updateMeasured) this.#stepExecutor.stale = true;
    this.seek(this.#step);
  }

  /** The last step before this one that has a checkpoint; otherwise the earliest. */
  checkpointBefore(step: number): number {
    return Math.max(this.earliestStep, this.#checkpoints.nearest(step - 1)?.step ?? 0);
  }

  reset(): void {
    this.#baseCheckpoint = null;
    this.#overrides.all = [];
    this.#furthestStep = 0;
    this.#evaluation = null;
    this.#checkpoints.truncate(0);
    this.pendingHistory.clear();
    this.gradientHistograms.truncate(0);
    this.monitor.truncate(0);
    this.#restore(undefined);
  }

  /**
   * Sets the base rate of the schedule from the current step on, and discards later steps.
   * @returns whether anything changed
   */
  setLearningRate(lr: number): boolean {
    if (!this.#overrides.setLr(lr, this.#step)) return false;
    this.discardLaterSteps();
    return true;
  }

  /**
   * Sets the seed for the order of samples and the draws of layers from the current step on, and discards later steps.
   * @returns whether anything changed
   */
  setSeed(seed: number): boolean {
    if (!this.#overrides.setSeed(seed, this.#step)) return false;
    this.discardLaterSteps();
    if (this.#step === 0) this.#restore(undefined);
    return true;
  }

  /**
   * Sets weights at the end of the current step, and discards later steps.
   * @throws RangeError if there is no such weight
   */
  setWeights(weights: readonly Omit<WeightOverride, 'step'>[]): void {
    if (this.#stepExecutor.phase > 0) throw new RangeError('weights can only be set between two steps');
    assertValidWeights(weights, this.network.parameters);
    this.#overrides.setWeights(weights, this.#step);
    this.discardLaterSteps();
    this.#evaluation = null;
    this.#applyWeightOverrides(weights);
    this.#checkpoints.truncate(this.#step - 1);
    if (this.#baseCheckpoint?.step === this.#step) this.#baseCheckpoint = this.#createCheckpoint();
  }

  /** Weights that were set manually at the end of the current step, with their previous values, in order. */
  get edits(): readonly WeightEdit[] {
    return this.#stepExecutor.phase === 0 ? this.#edits : [];
  }

  /** Identifies the trajectory up to a step by all manual changes that affect it. */
  trajectoryKey(step: number): string {
    return JSON.stringify([this.earliestStep, this.#overrides.affectingSteps(step)]);
  }

  /** Discards everything after this step. */
  discardLaterSteps(): void {
    this.#furthestStep = this.#step;
    this.#checkpoints.truncate(this.#step);
    this.pendingHistory.truncate(this.shownStep);
    this.gradientHistograms.truncate(this.shownStep);
    this.monitor.truncate(this.shownStep);
    if (this.#evaluation && this.#evaluation.step > this.#step) this.#evaluation = null;
  }

  /** Evaluates every split with the current weights, as a cooperative task. */
  *evaluateIncrementally(): Generator<void, Evaluation> {
    const step = this.#step;
    const result = yield* evaluate(this.network, this.run);
    if (step !== this.#step) return result;
    this.#evaluation = { step, result };
    this.monitor.recordEvaluation(step, result);
    for (const part of SPLIT_NAMES) {
      const values = result[part];
      if (!values) continue;
      this.pendingHistory.add(seriesName.loss(part), step, values.loss);
      if (values.accuracy !== null) this.pendingHistory.add(seriesName.accuracy(part), step, values.accuracy);
      if (values.perplexity !== undefined)
        this.pendingHistory.add(seriesName.perplexity(part), step, values.perplexity);
    }
    return result;
  }

  evaluate(): Evaluation {
    return runToCompletion(this.evaluateIncrementally());
  }

  /** The non-finite value that the last phase wrote, if any. */
  findNonFinite(): NonFinite | null {
    if (this.shownStep === 0 || this.#stepExecutor.stale) return null;
    const { phases } = this.model;
    const phase = phases[(this.#stepExecutor.phase || phases.length) - 1]!;
    const { definition, options } = this.run.optimizer;
    const lr = this.#learningRates.at(this.shownStep - 1);
    return findNonFinite(
      this.network,
      this.#stepExecutor.pass,
      phase,
      this.#stepExecutor.loss,
      this.shownStep,
      lr,
      definition.state(options),
    );
  }

  /** Everything that is needed to resume elsewhere. @param position any position of the run */
  record(position = this.position): RunRecord {
    const latest = position.phase === 0 ? position.step - 1 : position.step;
    return {
      text: this.text,
      checkpoint: this.#checkpoints.nearest(latest) ?? { step: 0, tensors: [] },
      position,
      frontier: this.#furthestStep,
      changes: [...this.#overrides.all],
      dataHash: (this.#dataHash ??= hashData(this.run)),
      findings: this.monitor.findings,
    };
  }

  /** Uses the checkpoints of another session of the same run as well. */
  shareCheckpoints(other: TrainingSession): void {
    for (const checkpoint of other.#checkpoints.all) this.#checkpoints.insert(checkpoint);
    this.#furthestStep = Math.max(this.#furthestStep, other.#furthestStep);
  }

  /** Replays from the checkpoint of this record of the same run, and from no others. */
  useRecord({ checkpoint, frontier }: RunRecord): void {
    this.#checkpoints.truncate(-1);
    if (checkpoint.step > 0) this.#checkpoints.insert(checkpoint);
    this.#furthestStep = Math.max(this.#furthestStep, frontier);
  }

  /** The steps that have a checkpoint, in ascending order. */
  get checkpointSteps(): number[] {
    return this.#checkpoints.all.map(({ step }) => step);
  }

  /** Saves a checkpoint of the current state. */
  saveCheckpoint = (): void => {
    if (this.#step > 0) this.#checkpoints.insert(this.#createCheckpoint());
  };

  /** The values of a parameter in the checkpoints, in ascending order of the step. */
  checkpointedValuesOf({ value }: Parameter): { readonly step: number; readonly data: Tensor['data'] }[] {
    const at = this.network.state.indexOf(value);
    return this.#checkpoints.all.map(({ step, tensors }) => ({ step, data: tensors[at]! }));
  }

  /** A hash of all bits of the parameters, the optimizer state and the layers' buffers. */
  stateHash(): string {
    return hashTensors(this.network.state);
  }

  #commitSteps(steps: number): number {
    this.#step += steps;
    this.#furthestStep = Math.max(this.#furthestStep, this.#step);
    this.#edits.length = 0;
    this.#applyWeightOverrides(this.#overrides.weightsAt(this.#step));
    if (this.#checkpoints.isDue(this.#step)) this.#checkpoints.add(this.#createCheckpoint());
    return steps;
  }

  #restore(found: Checkpoint | undefined): void {
    const checkpoint = found ?? this.#baseCheckpoint;
    this.#edits.length = 0;
    if (checkpoint) this.network.state.forEach(({ data }, i) => data.set(checkpoint.tensors[i]!));
    else {
      this.network.initialize(this.#overrides.seedAt(0));
      this.#applyWeightOverrides(this.#overrides.weightsAt(0));
    }
    this.#step = checkpoint?.step ?? 0;
    this.#stepExecutor.resetTo(this.#step);
  }

  #applyWeightOverrides(weights: readonly Omit<WeightOverride, 'step'>[]): void {
    for (const { parameter, index, value } of weights) {
      const tensor = this.network.parameters.find(({ name }) => name === parameter)?.value;
      if (!tensor || index >= tensor.data.length) continue;
      this.#edits.push({ parameter, index, before: tensor.data[index]! });
      tensor.data[index] = value;
    }
  }

  #createCheckpoint(): Checkpoint {
    return { step: this.#step, tensors: this.network.state.map(({ data }) => data.slice()) };
  }

  /** Whether phase `index` of the current step is done. */
  #isPhaseDone(index: number): boolean {
    return this.#stepExecutor.phase > 0
      ? index < this.#stepExecutor.phase
      : this.#step > 0 && !this.#stepExecutor.stale;
  }
}
