// The one state machine of a training run: where it stands, and how it goes forward, back and anywhere.
// Knows no watcher and no clock, never waits. Going back is exact: the nearest checkpoint, then the same steps again.
import { type Backend, createKernels, type KernelOptions } from '../engine/kernels/create';
import type { Tensor } from '../engine/kernels/tensor';
import { Network, type Parameter, type Pass } from '../engine/network';
import { finish } from '../engine/pieces';
import { History, seriesName } from '../history/history';
import type { CompiledRun } from '../spec/compiled';
import { type Batch, Batches, loadBatch } from './batches';
import { assertFits, Checkpoints, DEFAULT_BUDGET, intervalFor } from './checkpoints';
import { type Evaluation, EVALUATION_BATCH, evaluate, PARTS } from './evaluation';
import type { BatchPlace, ModelInfo, NonFinite, Phase, Position } from './frame';
import { LearningRates } from './learning-rates';
import { describeModel } from './model-info';
import { update } from './measured-update';
import { findNonFinite } from './non-finite';
import type { Progress } from './readings';
import type { Checkpoint, RunRecord } from './record';
import { hashOf } from './state-hash';
import { WholeStep, workOf } from './whole-step';

export interface SessionOptions {
  /** Bytes of checkpoints to go back to. */
  readonly checkpointBudget?: number;
  /** Steps from one checkpoint to the next; chosen by the work of replaying them unless told. */
  readonly checkpointInterval?: number;
  /** The kernels to run on; unless told the fastest that the engine has and the spec allows. */
  readonly backend?: Backend;
  /** Before each phase its index is stored here, so that a watchdog can say what hangs. */
  readonly activity?: Int32Array;
}

// Values of a frame's history that wait for the next frame.
const PENDING = 512;

export class TrainingSession {
  readonly network: Network;
  readonly model: ModelInfo;
  readonly kernelOptions: KernelOptions;
  /** What the history gained since somebody last took it. */
  readonly pending = new History(PENDING);
  readonly #lossPhase: number;
  readonly #whole: WholeStep | null;
  readonly #batches: Batches;
  readonly #checkpoints: Checkpoints;
  readonly #activity: Int32Array | undefined;
  readonly #updateRatios = new Map<string, number | null>();
  readonly #rates: LearningRates;
  #step = 0;
  #phase = 0;
  #frontier = 0;
  #batch: Batch;
  #pass: Pass;
  #loss = NaN;
  /** Just restored: the weights are those of the step, the other tensors are not. */
  #stale = false;
  /** The update of the last step was measured. */
  #measured = false;
  #evaluation: { readonly step: number; readonly result: Evaluation } | null = null;

  constructor(
    readonly run: CompiledRun,
    /** The spec's text, for the record. */
    readonly text: string,
    options: SessionOptions = {},
  ) {
    const { optimizer, split, batchSize, shuffle, seed } = run;
    this.kernelOptions = { deterministic: run.deterministic, backend: options.backend };
    this.network = new Network(run.model, createKernels(run.precision, this.kernelOptions), {
      batch: batchSize,
      evaluationBatch: Math.min(EVALUATION_BATCH, Math.max(...PARTS.map((part) => split[part].length))),
      optimizerTensors: optimizer.definition.state(optimizer.options).length,
    });
    this.#batches = new Batches(split.train, batchSize, shuffle, seed);
    this.#rates = new LearningRates(run, this.#batches.perEpoch);
    this.model = describeModel(run, this.network, this.#batches.perEpoch);
    this.#lossPhase = this.model.phases.findIndex(({ kind }) => kind === 'loss');
    const work = workOf(this.model);
    const { checkpointBudget = DEFAULT_BUDGET, checkpointInterval = intervalFor(work) } = options;
    this.#checkpoints = new Checkpoints(checkpointBudget, checkpointInterval);
    this.#activity = options.activity;
    this.#whole = WholeStep.for(this.network, run, work);
    this.#batch = this.#batches.at(0);
    this.#pass = this.network.pass(this.#batch.size);
    this.network.initialize(seed);
  }

  /** Goes on where a record left off. Everything before it can still be reached, replayed from the seed. */
  static resume(run: CompiledRun, record: RunRecord, options: SessionOptions = {}): TrainingSession {
    const session = new TrainingSession(run, record.text, options);
    const { checkpoint, position } = record;
    if (checkpoint.step > 0) {
      assertFits(checkpoint, session.#state());
      session.#checkpoints.keep(checkpoint);
    }
    session.#rates.changes = record.changes;
    session.seek(position.step, position.phase);
    session.#frontier = Math.max(record.frontier, position.step);
    return session;
  }

  get position(): Position {
    return { step: this.#step, phase: this.#phase };
  }

  /** The furthest step reached. */
  get frontier(): number {
    return this.#frontier;
  }

  get totalSteps(): number {
    return this.model.totalSteps;
  }

  /** The batch that is being worked on, or at a step's end the one just done. */
  get pass(): Pass {
    return this.#pass;
  }

  /** The batch that a gradient check at this position is about: the one shown, before any step the first. */
  passToCheck(): Pass {
    if (this.shownStep === 0 || this.#stale) this.#load(Math.max(0, this.#step - 1));
    return this.#pass;
  }

  /** Loss of this step's batch; null until its loss phase. */
  get loss(): number | null {
    return this.#done(this.#lossPhase) ? this.#loss : null;
  }

  /** Share of the batch that is right; null until the forward pass is done, or where targets are values. */
  get accuracy(): number | null {
    return this.loss === null || !this.run.labels ? null : this.#pass.correct() / this.#pass.batch;
  }

  /** Learning rate of the update that comes next, as the schedule has it. */
  get lr(): number {
    return this.#rates.at(this.#step);
  }

  /** What the schedule starts from there: the optimizer's `lr`, or what it was set to since. */
  get baseLr(): number {
    return this.#rates.baseAt(this.#step);
  }

  /** ‖update‖ / ‖weights‖ by parameter, of the last update when it was measured. */
  get updateRatios(): ReadonlyMap<string, number | null> {
    return this.#updateRatios;
  }

  /** The step that the tensors belong to, counted from 1; 0 before the first. */
  get shownStep(): number {
    return this.#phase > 0 ? this.#step + 1 : this.#step;
  }

  /** The samples of the step that is shown; before the first, those of the first. */
  get batch(): Batch {
    return this.#batch;
  }

  get place(): BatchPlace {
    if (this.shownStep === 0) return { epoch: 0, batch: 0, samples: 0 };
    const { epoch, index, size } = this.#batch;
    return { epoch: epoch + 1, batch: index + 1, samples: size };
  }

  get progress(): Progress {
    const { layers, phases } = this.model;
    const at = (kind: 'forward' | 'backward', layer: number) =>
      this.#done(phases.findIndex((phase) => phase.kind === kind && phase.layer === layer));
    return {
      forward: (layer) => at('forward', layer),
      backward: (layer) => at('backward', layer),
      outputGradient: (layer) =>
        layer === layers.length - 1 ? this.#done(this.#lossPhase + 1) : at('backward', layer + 1),
    };
  }

  /** Losses and accuracies of whole parts at these very weights, if they were evaluated. */
  get evaluation(): Evaluation {
    return this.#evaluation?.step === this.#step ? this.#evaluation.result : {};
  }

  /** Finishes the current step. @param measure also the size of its update. */
  step(measure = false): void {
    if (this.#whole && this.#phase === 0 && !measure) this.#runWhole(this.#whole);
    else do this.#runPhase(measure);
    while (this.#phase > 0);
  }

  /** Does the next phase of the current step. */
  stepPhase(): void {
    this.#runPhase(true);
  }

  /** Undoes the last phase. At the very start there is nothing to undo. */
  backPhase(): void {
    if (this.#phase > 0) this.seek(this.#step, this.#phase - 1);
    else if (this.#step > 0) this.seek(this.#step - 1, this.model.phases.length - 1);
  }

  /** Goes to the end of the step before; in the middle of a step, to its beginning. */
  backStep(): void {
    if (this.#phase > 0) this.seek(this.#step);
    else if (this.#step > 0) this.seek(this.#step - 1);
  }

  /** Goes to any position, bit for bit as if it had just been reached. Steps that were never reached are trained. */
  seek(step: number, phase = 0): void {
    this.rewind(step, phase);
    while (this.#step < step) this.step(this.#step === step - 1);
    while (this.#phase < phase) this.stepPhase();
  }

  /** Prepares to go to a position: afterwards this stands at or before it, and training on leads there. */
  rewind(step: number, phase = 0): void {
    const here = this.#step === step && this.#phase <= phase && !(this.#stale && phase === 0);
    const ahead = this.#step < step || here;
    // The tensors at a step's end are those of the step, so it is done again unless it is still ahead.
    const latest = phase === 0 ? step - 1 : step;
    const checkpoint = this.#checkpoints.nearest(Math.max(0, latest));
    if (ahead && (checkpoint?.step ?? 0) <= this.#step) return;
    this.#restore(checkpoint);
  }

  /** At a step's end, makes what is missing to show it: its tensors after a rewind, its update's size after a fast step. */
  complete(): void {
    if (this.#phase > 0 || this.#step === 0) return;
    if (!this.#measured) this.#stale = true;
    this.seek(this.#step);
  }

  reset(): void {
    this.#rates.changes = [];
    this.#frontier = 0;
    this.#evaluation = null;
    this.#checkpoints.truncate(0);
    this.pending.clear();
    this.#restore(undefined);
  }

  /**
   * Sets what the schedule starts from, from the current step on. Steps after it, if any were reached, no longer hold
   * and are forgotten. @returns whether anything changed.
   */
  setLearningRate(lr: number): boolean {
    if (!this.#rates.setBase(lr, this.#step)) return false;
    this.forgetLater();
    return true;
  }

  /** Steps after this one no longer hold. */
  forgetLater(): void {
    this.#frontier = this.#step;
    this.#checkpoints.truncate(this.#step);
    this.pending.truncate(this.shownStep);
    if (this.#evaluation && this.#evaluation.step > this.#step) this.#evaluation = null;
  }

  /** Evaluates every part at the current weights; yields now and then. */
  *evaluating(): Generator<void, Evaluation> {
    const step = this.#step;
    const result = yield* evaluate(this.network, this.run);
    if (step !== this.#step) return result;
    this.#evaluation = { step, result };
    for (const part of PARTS) {
      const values = result[part];
      if (!values) continue;
      this.pending.add(seriesName.loss(part), step, values.loss);
      if (values.accuracy !== null) this.pending.add(seriesName.accuracy(part), step, values.accuracy);
    }
    return result;
  }

  evaluate(): Evaluation {
    return finish(this.evaluating());
  }

  /** What the last phase wrote that is not a finite number, if anything. */
  inspect(): NonFinite | null {
    if (this.shownStep === 0 || this.#stale) return null;
    const { phases } = this.model;
    const phase = phases[(this.#phase || phases.length) - 1];
    const { definition, options } = this.run.optimizer;
    const lr = this.#rates.at(this.shownStep - 1);
    return findNonFinite(this.network, this.#pass, phase, this.#loss, this.shownStep, lr, definition.state(options));
  }

  /** Enough to go on elsewhere. */
  record(): RunRecord {
    const latest = this.#phase === 0 ? this.#step - 1 : this.#step;
    return {
      text: this.text,
      checkpoint: this.#checkpoints.nearest(latest) ?? { step: 0, tensors: [] },
      position: this.position,
      frontier: this.#frontier,
      changes: [...this.#rates.changes],
    };
  }

  /** What is kept of a parameter to go back to, by rising step. */
  copiesOf({ value }: Parameter): { readonly step: number; readonly data: Tensor['data'] }[] {
    const at = this.#state().indexOf(value);
    return this.#checkpoints.all.map(({ step, tensors }) => ({ step, data: tensors[at] }));
  }

  /** A hash of every bit of the parameters and the optimizer's state. */
  hash(): string {
    return hashOf(this.#state());
  }

  #runWhole(whole: WholeStep): void {
    if (this.#activity) this.#activity[0] = 0;
    this.#load(this.#step);
    this.#stale = false;
    // Clearing an empty map makes a new one.
    if (this.#updateRatios.size > 0) this.#updateRatios.clear();
    whole.forward(this.#pass);
    this.#loss = this.#pass.loss();
    this.pending.add(seriesName.batchLoss, this.#step + 1, this.#loss);
    whole.backward(this.#pass);
    whole.update(this.#rates.at(this.#step), this.#step + 1);
    this.#measured = false;
    this.#finishStep();
  }

  #runPhase(measure: boolean): void {
    // A plain store: a watchdog reads it seconds later, and a fence in every phase would cost a small network a tenth.
    if (this.#activity) this.#activity[0] = this.#phase;
    const { network } = this;
    const phase: Phase = this.model.phases[this.#phase];
    switch (phase.kind) {
      case 'zero_grad':
        this.#load(this.#step);
        this.#stale = false;
        this.#updateRatios.clear();
        network.zeroGradients();
        break;
      case 'forward':
        this.#pass.forward(phase.layer);
        break;
      case 'loss':
        this.#loss = this.#pass.loss();
        this.pending.add(seriesName.batchLoss, this.#step + 1, this.#loss);
        break;
      case 'loss_backward':
        this.#pass.lossBackward();
        break;
      case 'backward':
        this.#pass.backward(phase.layer, measure);
        break;
      case 'update':
        this.#measured = measure;
        update(network, this.run.optimizer, this.#rates.at(this.#step), this.#step + 1, measure ? this.#updateRatios : null);
        this.#finishStep();
        return;
    }
    this.#phase++;
  }

  #finishStep(): void {
    this.#phase = 0;
    this.#step++;
    this.#frontier = Math.max(this.#frontier, this.#step);
    if (this.#checkpoints.wants(this.#step)) this.#checkpoints.add(this.#checkpoint());
  }

  #load(step: number): void {
    this.#batch = this.#batches.at(step);
    this.#pass = this.network.pass(this.#batch.size);
    loadBatch(this.run, this.#pass, this.#batch, step);
  }

  #restore(checkpoint: Checkpoint | undefined): void {
    if (checkpoint) this.#state().forEach(({ data }, i) => data.set(checkpoint.tensors[i]));
    else this.network.initialize(this.run.seed);
    this.#step = checkpoint?.step ?? 0;
    this.#phase = 0;
    this.#stale = this.#step > 0;
    this.#batch = this.#batches.at(Math.max(0, this.#step - 1));
    this.#loss = NaN;
    this.#updateRatios.clear();
  }

  #checkpoint(): Checkpoint {
    return { step: this.#step, tensors: this.#state().map(({ data }) => data.slice()) };
  }

  #state() {
    return this.network.parameters.flatMap(({ value, optimizerState }) => [value, ...optimizerState]);
  }

  /** Whether phase `index` of the shown step is done. */
  #done(index: number): boolean {
    return this.#phase > 0 ? index < this.#phase : this.#step > 0 && !this.#stale;
  }
}
