// The phases of one training step, one by one or all at once. Knows how far the step is; the session knows which it is.
import type { TensorData } from '../engine/kernels/tensor';
import type { Network, Pass } from '../engine/network';
import { type History, seriesName } from '../history/history';
import type { CompiledRun } from '../spec/compiled';
import { type Batch, type Batches, loadBatch, roundedInputs } from './batches';
import type { ModelInfo, Phase } from './frame';
import type { LearningRates } from './learning-rates';
import { update } from './measured-update';
import { WholeStep } from './whole-step';

/** Steps that are done together. */
const MOST = 1024;

export interface StepParts {
  readonly run: CompiledRun;
  readonly network: Network;
  readonly model: ModelInfo;
  readonly batches: Batches;
  readonly rates: LearningRates;
  /** Gets the loss of every step's batch. */
  readonly history: History;
  /** Multiply-adds of a step. */
  readonly work: number;
  readonly activity: Int32Array | undefined;
}

export class StepPhases {
  /** By parameter, of the last update when it was measured. */
  readonly updateRatios = new Map<string, number | null>();
  /** The next phase; 0 at a step's end. */
  phase = 0;
  /** Of the last loss phase, whichever step's it was. */
  loss = NaN;
  /** Just restored: the weights are those of the step, the other tensors are not. */
  stale = false;
  /** The update of the last step was measured. */
  measured = false;
  readonly #parts: StepParts;
  readonly #whole: WholeStep | null;
  #inputs: TensorData | null = null;
  /** Of steps that were done together. */
  readonly #losses = new Float64Array(MOST);
  #batch: Batch;
  #pass: Pass;

  constructor(parts: StepParts) {
    const { network, run, batches, work } = parts;
    this.#parts = parts;
    this.#whole = WholeStep.for(network, run, work);
    this.#batch = batches.at(0);
    this.#pass = network.pass(this.#batch.size);
  }

  get batch(): Batch {
    return this.#batch;
  }

  get pass(): Pass {
    return this.#pass;
  }

  /** Does what is left of a step, counted from 0. @param measure also the size of its update. @returns 1, the steps done */
  finish(step: number, measure: boolean): number {
    while (!this.next(step, measure));
    return 1;
  }

  /** Does what is left of a step, counted from 0, and maybe of those after it. @returns how many, at most `most` */
  train(step: number, most: number): number {
    return this.#whole && this.phase === 0 ? this.#trainWhole(this.#whole, step, most) : this.finish(step, false);
  }

  /** Does the next phase of a step, counted from 0. @returns whether that was its last. */
  next(step: number, measure: boolean): boolean {
    const { run, network, model, rates, history, activity } = this.#parts;
    // A plain store: a watchdog reads it seconds later, and a fence in every phase would cost a small network a tenth.
    if (activity) activity[0] = this.phase;
    const phase: Phase = model.phases[this.phase];
    switch (phase.kind) {
      case 'zero_grad':
        this.load(step);
        this.stale = false;
        this.updateRatios.clear();
        network.zeroGradients();
        break;
      case 'forward':
        this.#pass.forwardAndTrack(phase.layer);
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
        this.measured = measure;
        update(network, run.optimizer, rates.at(step), step + 1, measure ? this.updateRatios : null);
        this.phase = 0;
        return true;
    }
    this.phase++;
    return false;
  }

  /** Puts the batch of a step, counted from 0, into the network. */
  load(step: number): void {
    const { run, network, batches } = this.#parts;
    this.#batch = batches.at(step);
    this.#pass = network.pass(this.#batch.size);
    loadBatch(run, this.#pass, this.#batch, step, (this.#inputs ??= roundedInputs(run.dataset, network.kernels.precision)));
  }

  /** The weights of this step were put back; nothing else was. */
  restored(step: number): void {
    this.phase = 0;
    this.stale = step > 0;
    this.#batch = this.#parts.batches.at(Math.max(0, step - 1));
    this.loss = NaN;
    this.updateRatios.clear();
  }

  #trainWhole(whole: WholeStep, step: number, most: number): number {
    const { network, batches, rates, history, activity } = this.#parts;
    if (activity) activity[0] = 0;
    this.#batch = batches.at(step);
    this.#pass = network.pass(this.#batch.size);
    this.stale = false;
    // Clearing an empty map makes a new one.
    if (this.updateRatios.size > 0) this.updateRatios.clear();
    const alike = Math.min(most, batches.alike(step), this.#losses.length);
    const done = whole.train(this.#pass, this.#batch, (at) => rates.at(at), step, alike, this.#losses);
    if (done > 1) this.#batch = batches.at(step + done - 1);
    this.loss = this.#losses[done - 1];
    history.addAll(seriesName.batchLoss, step + 1, this.#losses, done);
    this.measured = false;
    return done;
  }
}
