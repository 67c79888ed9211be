// A training step of a small network in few calls: the same operations in the same order as phase by phase, so
// the same bits. Large networks do not use it: there a watchdog should be able to say in which phase a step hangs.
import { hasOwnCode, type Network, type Pass } from '../engine/network';
import { type UpdateRule, updateParameters } from '../engine/update';
import type { CompiledRun } from '../spec/compiled';
import type { ModelInfo } from './frame';

/** Multiply-adds of a step, above which calls no longer matter: about 50 microseconds. */
const MOST_WORK = 1e6;

/** What a step with the user's own layers takes longer, about. */
const OWN_CODE = 100;

/** Multiply-adds of a training step, or what takes as long, about. */
export const workOf = ({ layers, batchSize }: Pick<ModelInfo, 'layers' | 'batchSize'>, { model }: Network): number =>
  3 * forwardWorkOf(layers) * batchSize * (hasOwnCode(model) ? OWN_CODE : 1);

/** Of one sample's way forward; a layer that does not say takes its parameters once. */
export const forwardWorkOf = (layers: ModelInfo['layers']): number =>
  layers.reduce((sum, { figures }) => sum + Math.max(figures.macs, figures.parameters), 0);

export class WholeStep {
  readonly #passes = new Map<Pass, () => number>();
  /** The rate of the updates that are part of what is prepared. */
  #lr = NaN;

  constructor(
    readonly network: Network,
    readonly rule: UpdateRule,
    /** Whether an update is the same operations with the same numbers at every step, as long as the rate is. */
    readonly steady: boolean,
  ) {}

  /** @param work multiply-adds of a step. */
  static for(network: Network, { optimizer, schedule }: CompiledRun, work: number): WholeStep | null {
    if (work > MOST_WORK) return null;
    if (hasOwnCode(network.model)) return null;
    const constant = schedule.definition.kind === 'constant' && schedule.warmup === 0;
    const steady = constant && !optimizer.definition.counts && optimizer.clip.norm === undefined;
    return new WholeStep(network, optimizer, steady);
  }

  /** Does a step, counted from 1, on the batch in `pass`. @returns the loss */
  run(pass: Pass, lr: number, step: number): number {
    if (this.steady && lr !== this.#lr) {
      this.#lr = lr;
      this.#passes.clear();
    }
    let prepared = this.#passes.get(pass);
    if (!prepared) this.#passes.set(pass, (prepared = this.#prepare(pass)));
    const loss = prepared();
    if (!this.steady) updateParameters(this.network, this.rule, lr, step);
    return loss;
  }

  #prepare(pass: Pass): () => number {
    const { network } = this;
    const layers = pass.outputs.length;
    const forward = (): void => {
      network.zeroGradients();
      for (let layer = 0; layer < layers; layer++) pass.forwardAndTrack(layer);
    };
    const backward = (): void => {
      pass.lossBackward();
      for (let layer = layers - 1; layer >= 0; layer--) pass.backward(layer);
      // A steady update has the same numbers at every step.
      if (this.steady) updateParameters(network, this.rule, this.#lr, 1);
    };
    return network.kernels.prepareAround(forward, () => pass.loss(), backward);
  }
}
