// The one state machine of a training run: where it stands, and how it goes forward, back and anywhere.
// Knows no watcher and no clock, never waits. Going back is exact: the nearest checkpoint, then the same steps again.
import { asFault, type LayerFault } from '../engine/custom/fault';
import { createKernels, type KernelOptions } from '../engine/kernels/create';
import type { Tensor } from '../engine/kernels/tensor';
import { hasOwnCode, Network, type Parameter, type Pass } from '../engine/network';
import { finish } from '../engine/pieces';
import { History, seriesName } from '../history/history';
import type { CompiledRun } from '../spec/compiled';
import { type Batch, Batches } from './batches';
import { assertWeights, Changes } from './changes';
import { assertFits, Checkpoints, DEFAULT_BUDGET, intervalFor } from './checkpoints';
import { type Evaluation, EVALUATION_BATCH, evaluate, PARTS } from './evaluation';
import type { BatchPlace, ModelInfo, NonFinite, Position } from './frame';
import { LearningRates } from './learning-rates';
import { describeModel } from './model-info';
import { findNonFinite } from './non-finite';
import { progressOf } from './progress';
import type { Progress } from './readings';
import type { Checkpoint, RunRecord, WeightChange, WeightEdit } from './record';
import { Ridges } from './ridges';
import { hashOf } from './state-hash';
import type { SessionOptions } from './session-options';
import { StepPhases } from './step-phases';
import { workOf } from './whole-step';

// Values of a frame's history that wait for the next frame.
const PENDING = 256;

export class TrainingSession {
  readonly network: Network;
  readonly model: ModelInfo;
  /** Milliseconds; null where the session was given no clock. */
  readonly now: (() => number) | null;
  readonly kernelOptions: KernelOptions;
  /** What the history gained since somebody last took it. */
  readonly pending = new History(PENDING);
  /** How the gradients were spread, at some of the steps that were looked at. */
  readonly ridges = new Ridges();
  /** What failed on the way of a resumed run to where it stood. */
  failure: LayerFault | null = null;
  readonly #lossPhase: number;
  readonly #current: StepPhases;
  readonly #checkpoints: Checkpoints;
  readonly #changes: Changes;
  readonly #rates: LearningRates;
  readonly #edits: WeightEdit[] = [];
  #step = 0;
  #frontier = 0;
  /** Where a run begins whose start was computed by other code of its layers. */
  #base: Checkpoint | null = null;
  #evaluation: { readonly step: number; readonly result: Evaluation } | null = null;

  constructor(
    readonly run: CompiledRun,
    /** The spec's text, for the record. */
    readonly text: string,
    options: SessionOptions = {},
  ) {
    const { optimizer, split, batchSize, shuffle, seed } = run;
    this.now = options.now ?? null;
    const { backend, team, wideVectors, fuseAfter, wideAfter } = options;
    this.kernelOptions = { deterministic: run.deterministic, backend, team, wideVectors, fuseAfter, wideAfter };
    this.network = new Network(run.model, createKernels(run.precision, this.kernelOptions), {
      batch: batchSize,
      evaluationBatch: Math.min(EVALUATION_BATCH, Math.max(...PARTS.map((part) => split[part].length))),
      optimizerTensors: optimizer.definition.state(optimizer.options).length,
    });
    this.#changes = new Changes({ lr: optimizer.options.lr, seed });
    const batches = new Batches(split.train, batchSize, shuffle, (step) => this.#changes.seedAt(step));
    this.#rates = new LearningRates(run, this.#changes, batches.perEpoch);
    this.model = describeModel(run, this.network, batches.perEpoch, text);
    this.#lossPhase = this.model.phases.findIndex(({ kind }) => kind === 'loss');
    const work = workOf(this.model, this.network);
    const bytes = this.network.state.reduce((sum, { data }) => sum + data.byteLength, 0);
    const { checkpointBudget = DEFAULT_BUDGET, checkpointInterval = intervalFor(work, bytes) } = options;
    this.#checkpoints = new Checkpoints(checkpointBudget, checkpointInterval);
    const { network, model, pending: history } = this;
    this.#current = new StepPhases({ run, network, model, batches, rates: this.#rates, history, work, activity: options.activity });
    this.network.initialize(seed);
  }

  // Layers of the user's own may have other code by now: then what was before the record cannot be reached.
  /** Goes on where a record left off. Everything before it can still be reached, replayed from the seed. */
  static resume(run: CompiledRun, record: RunRecord, options: SessionOptions = {}): TrainingSession {
    const session = new TrainingSession(run, record.text, options);
    const { checkpoint, position } = record;
    const ownCode = hasOwnCode(run.model);
    if (checkpoint.step > 0) {
      assertFits(checkpoint, session.network.state);
      session.#checkpoints.keep(checkpoint);
      if (ownCode) session.#base = checkpoint;
    }
    session.#changes.all = record.changes;
    if (checkpoint.step === 0 && record.changes.length > 0) session.#restore(undefined);
    try {
      session.seek(position.step, position.phase);
    } catch (error) {
      session.failure = asFault(error);
    }
    session.#frontier = Math.max(ownCode ? 0 : record.frontier, session.#step);
    return session;
  }

  get position(): Position {
    return { step: this.#step, phase: this.#current.phase };
  }

  /** The furthest step reached. */
  get frontier(): number {
    return this.#frontier;
  }

  /** The earliest step that can be gone back to. */
  get earliest(): number {
    return this.#base?.step ?? 0;
  }

  get totalSteps(): number {
    return this.model.totalSteps;
  }

  /** The batch that is being worked on, or at a step's end the one just done. */
  get pass(): Pass {
    return this.#current.pass;
  }

  /** The batch that a gradient check at this position is about: the one shown, before any step the first. */
  passToCheck(): Pass {
    if (this.shownStep === 0 || this.#current.stale) this.#current.load(Math.max(0, this.#step - 1));
    return this.#current.pass;
  }

  /** Loss of this step's batch; null until its loss phase. */
  get loss(): number | null {
    return this.#done(this.#lossPhase) ? this.#current.loss : null;
  }

  /** Share of the batch that is right; null until the forward pass is done, or where targets are values. */
  get accuracy(): number | null {
    return this.loss === null || !this.run.labels ? null : this.#current.pass.correct() / this.#current.pass.batch;
  }

  /** Learning rate of the update that comes next, as the schedule has it. */
  get lr(): number {
    return this.#rates.at(this.#step);
  }

  /** Learning rate of a step, counted from 1, or 0 before the first. */
  rateOf(step: number): number {
    return step === 0 ? 0 : this.#rates.at(step - 1);
  }

  /** What the schedule starts from there: the optimizer's `lr`, or what it was set to since. */
  get baseLr(): number {
    return this.#changes.lrAt(this.#step);
  }

  /** What the next step draws from: the spec's seed, or what it was set to since. */
  get seed(): number {
    return this.#changes.seedAt(this.#step);
  }

  /** ‖update‖ / ‖weights‖ by parameter, of the last update when it was measured. */
  get updateRatios(): ReadonlyMap<string, number | null> {
    return this.#current.updateRatios;
  }

  /** The step that the tensors belong to, counted from 1; 0 before the first. */
  get shownStep(): number {
    return this.#current.phase > 0 ? this.#step + 1 : this.#step;
  }

  /** The samples of the step that is shown; before the first, those of the first. */
  get batch(): Batch {
    return this.#current.batch;
  }

  get place(): BatchPlace {
    if (this.shownStep === 0) return { epoch: 0, batch: 0, samples: 0 };
    const { epoch, index, size } = this.#current.batch;
    return { epoch: epoch + 1, batch: index + 1, samples: size };
  }

  get progress(): Progress {
    return progressOf(this.model, (phase) => this.#done(phase));
  }

  /** Losses and accuracies of whole parts at these very weights, if they were evaluated. */
  get evaluation(): Evaluation {
    return this.#evaluation?.step === this.#step ? this.#evaluation.result : {};
  }

  /** Finishes the current step. @param measure also the size of its update. */
  step(measure = false): void {
    if (measure) this.#finished(this.#current.finish(this.#step, true));
    else this.train(1);
  }

  /** Finishes the current step and maybe some after it, up to one whose loss is not finite. @returns how many, at most `most` */
  train(most: number): number {
    const next = Math.min(this.#checkpoints.nextAfter(this.#step), this.#changes.nextAfter(this.#step));
    return this.#finished(this.#current.train(this.#step, Math.min(most, next - this.#step)));
  }

  /** Does the next phase of the current step. */
  stepPhase(): void {
    if (this.#current.next(this.#step, true)) this.#finished(1);
  }

  /** Undoes the last phase. At the very start there is nothing to undo. */
  backPhase(): void {
    if (this.#current.phase > 0) this.seek(this.#step, this.#current.phase - 1);
    else if (this.#step > 0) this.seek(this.#step - 1, this.model.phases.length - 1);
  }

  /** Goes to the end of the step before; in the middle of a step, to its beginning. */
  backStep(): void {
    if (this.#current.phase > 0) this.seek(this.#step);
    else if (this.#step > 0) this.seek(this.#step - 1);
  }

  /** Goes to any position, bit for bit as if it had just been reached. Steps that were never reached are trained. */
  seek(step: number, phase = 0): void {
    this.rewind(step, phase);
    while (this.#step < step - 1) this.train(step - 1 - this.#step);
    if (this.#step < step) this.step(true);
    while (this.#current.phase < phase) this.stepPhase();
  }

  /** Prepares to go to a position: afterwards this stands at or before it, and training on leads there. */
  rewind(step: number, phase = 0): void {
    const here = this.#step === step && this.#current.phase <= phase && !(this.#current.stale && phase === 0);
    const ahead = this.#step < step || here;
    // The tensors at a step's end are those of the step, so it is done again unless it is still ahead.
    const latest = phase === 0 ? step - 1 : step;
    const checkpoint = this.#checkpoints.nearest(Math.max(0, latest));
    if (ahead && (checkpoint?.step ?? 0) <= this.#step) return;
    this.#restore(checkpoint);
  }

  /** At a step's end, makes what is missing to show it: its tensors after a rewind, its update's size after a fast step. */
  complete(): void {
    if (this.#current.phase > 0 || this.#step === 0) return;
    if (!this.#current.measured) this.#current.stale = true;
    this.seek(this.#step);
  }

  reset(): void {
    this.#base = null;
    this.#changes.all = [];
    this.#frontier = 0;
    this.#evaluation = null;
    this.#checkpoints.truncate(0);
    this.pending.clear();
    this.ridges.truncate(0);
    this.#restore(undefined);
  }

  /** Sets what the schedule starts from, from the current step on; later ones are forgotten. @returns whether anything changed. */
  setLearningRate(lr: number): boolean {
    if (!this.#changes.setLr(lr, this.#step)) return false;
    this.forgetLater();
    return true;
  }

  /** Sets what samples are ordered by and layers draw from, from the current step on; later ones are forgotten. @returns whether anything changed. */
  setSeed(seed: number): boolean {
    if (!this.#changes.setSeed(seed, this.#step)) return false;
    this.forgetLater();
    if (this.#step === 0) this.#restore(undefined);
    return true;
  }

  /** Sets weights where the run stands, at a step's end; later steps are forgotten. @throws RangeError where there is no such weight. */
  setWeights(weights: readonly Omit<WeightChange, 'step'>[]): void {
    if (this.#current.phase > 0) throw new RangeError('weights are set between two steps');
    assertWeights(weights, this.network.parameters);
    this.#changes.setWeights(weights, this.#step);
    this.forgetLater();
    this.#evaluation = null;
    this.#apply(weights);
    this.#checkpoints.truncate(this.#step - 1);
    if (this.#base?.step === this.#step) this.#base = this.#checkpoint();
  }

  /** Weights that were set by hand at the end of the shown step, with what they were before, in the order in which they were set. */
  get edits(): readonly WeightEdit[] {
    return this.#current.phase === 0 ? this.#edits : [];
  }

  /** What was changed by hand up to a step, and all that it takes to tell whether the way there is the same. */
  wayTo(step: number): string {
    return JSON.stringify([this.earliest, this.#changes.upTo(step)]);
  }

  /** Steps after this one no longer hold. */
  forgetLater(): void {
    this.#frontier = this.#step;
    this.#checkpoints.truncate(this.#step);
    this.pending.truncate(this.shownStep);
    this.ridges.truncate(this.shownStep);
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
    if (this.shownStep === 0 || this.#current.stale) return null;
    const { phases } = this.model;
    const phase = phases[(this.#current.phase || phases.length) - 1];
    const { definition, options } = this.run.optimizer;
    const lr = this.#rates.at(this.shownStep - 1);
    return findNonFinite(this.network, this.#current.pass, phase, this.#current.loss, this.shownStep, lr, definition.state(options));
  }

  /** Enough to go on elsewhere. @param position anywhere in the run */
  record(position = this.position): RunRecord {
    const latest = position.phase === 0 ? position.step - 1 : position.step;
    return {
      text: this.text,
      checkpoint: this.#checkpoints.nearest(latest) ?? { step: 0, tensors: [] },
      position,
      frontier: this.#frontier,
      changes: [...this.#changes.all],
    };
  }

  /** Keeps a copy of where it stands. */
  keep = (): void => void (this.#step > 0 && this.#checkpoints.keep(this.#checkpoint()));

  /** What is kept of a parameter to go back to, by rising step. */
  copiesOf({ value }: Parameter): { readonly step: number; readonly data: Tensor['data'] }[] {
    const at = this.network.state.indexOf(value);
    return this.#checkpoints.all.map(({ step, tensors }) => ({ step, data: tensors[at] }));
  }

  /** A hash of every bit of the parameters, the optimizer's state and the layers' buffers. */
  hash(): string {
    return hashOf(this.network.state);
  }

  #finished(steps: number): number {
    this.#step += steps;
    this.#frontier = Math.max(this.#frontier, this.#step);
    this.#edits.length = 0;
    this.#apply(this.#changes.weightsAt(this.#step));
    if (this.#checkpoints.wants(this.#step)) this.#checkpoints.add(this.#checkpoint());
    return steps;
  }

  #restore(found: Checkpoint | undefined): void {
    const checkpoint = found ?? this.#base;
    this.#edits.length = 0;
    if (checkpoint) this.network.state.forEach(({ data }, i) => data.set(checkpoint.tensors[i]));
    else {
      this.network.initialize(this.#changes.seedAt(0));
      this.#apply(this.#changes.weightsAt(0));
    }
    this.#step = checkpoint?.step ?? 0;
    this.#current.restored(this.#step);
  }

  #apply(weights: readonly Omit<WeightChange, 'step'>[]): void {
    for (const { parameter, index, value } of weights) {
      const tensor = this.network.parameters.find(({ name }) => name === parameter)?.value;
      if (!tensor || index >= tensor.data.length) continue;
      this.#edits.push({ parameter, index, before: tensor.data[index] });
      tensor.data[index] = value;
    }
  }

  #checkpoint(): Checkpoint {
    return { step: this.#step, tensors: this.network.state.map(({ data }) => data.slice()) };
  }

  /** Whether phase `index` of the shown step is done. */
  #done(index: number): boolean {
    return this.#current.phase > 0 ? index < this.#current.phase : this.#step > 0 && !this.#current.stale;
  }
}
