// Training steps of a small network in few calls, or in one: the same operations in the same order as phase by phase, so
// the same bits. Large networks do not use it: there a watchdog should be able to say in which phase a step hangs.
import { hasOwnCode, type Network, type Pass } from '../engine/network';
import { numbersOf, updateParameters } from '../engine/update';
import type { Repeated } from '../engine/kernels/kernels';
import type { CompiledRun } from '../spec/compiled';
import { type Batch, loadBatch } from './batches';
import { EpochInOrder } from './epoch-in-order';
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

interface Prepared {
  readonly forward: () => void;
  readonly backward: () => void;
}

export class WholeStep {
  readonly #passes = new Map<Pass, Prepared>();
  /** Whole steps, with updates at the rate `#lr` if those are steady. */
  readonly #steps = new Map<Pass, Repeated>();
  /** Made when it is first needed; null where a step needs more than its samples. */
  #epoch: EpochInOrder | null = null;
  #lr = NaN;
  #update: () => void = () => undefined;
  /** Of a varied update, those of the step that is done now. */
  readonly #numbers: number[] = [];

  constructor(
    readonly network: Network,
    readonly run: CompiledRun,
    /** Whether an update is the same operations with the same numbers at every step, as long as the rate is. */
    readonly steady: boolean,
    /** Whether it is the same operations with numbers that the optimizer can tell. */
    readonly varied: boolean,
  ) {}

  /** @param work multiply-adds of a step. */
  static for(network: Network, run: CompiledRun, work: number): WholeStep | null {
    if (work > MOST_WORK) return null;
    if (hasOwnCode(network.model)) return null;
    const { optimizer, schedule } = run;
    const constant = schedule.definition.kind === 'constant' && schedule.warmup === 0;
    const steady = constant && !optimizer.definition.counts && optimizer.clip.norm === undefined;
    const varied = optimizer.definition.numbers !== undefined && optimizer.clip.norm === undefined;
    return new WholeStep(network, run, steady, varied);
  }

  /**
   * Does steps, counted from 0, of which `batch` in `pass` is the first; those after it follow in its order and are as large.
   * @param losses gets what each is. @returns how many it did: up to `most`, and none after a loss that is not finite
   */
  train(pass: Pass, batch: Batch, rateAt: (step: number) => number, step: number, most: number, losses: Float64Array): number {
    const { network, run } = this;
    const lr = rateAt(step);
    const varyingAt = (time: number): readonly number[] => numbersOf(run.optimizer, rateAt(step + time), step + time + 1);
    if (this.varied) this.#numbers.splice(0, this.#numbers.length, ...varyingAt(0));
    if (this.steady && lr !== this.#lr) {
      this.#lr = lr;
      this.#update = network.kernels.prepare(() => updateParameters(network, run.optimizer, lr, step + 1));
      this.#steps.clear();
    }
    let whole = this.#steps.get(pass);
    if (!whole) this.#steps.set(pass, (whole = this.#around(pass)));
    if (whole.often && this.#epoch) {
      this.#epoch.arrange(batch.order);
      return whole.often(batch.size < run.batchSize ? 0 : batch.index, most, losses, varyingAt);
    }
    loadBatch(run, pass, batch, step);
    losses[0] = whole.once();
    if (!this.steady && !this.varied) updateParameters(network, run.optimizer, lr, step + 1);
    return 1;
  }

  #around(pass: Pass): Repeated {
    const { network, run } = this;
    const { forward, backward } = this.#prepared(pass);
    const update = this.#update;
    const after = (): void => {
      backward();
      // Not lr and not the step, which such an update does not use.
      if (this.varied) updateParameters(network, run.optimizer, NaN, NaN, this.#numbers);
      else update();
    };
    const fed = (this.steady || this.varied) && EpochInOrder.suits(network, run);
    return network.kernels.prepareAround(forward, () => pass.loss(), after, () => (fed ? (this.#epoch ??= new EpochInOrder(network, run)).feeds(pass) : []), this.#numbers);
  }

  #prepared(pass: Pass): Prepared {
    const known = this.#passes.get(pass);
    if (known) return known;
    const { network } = this;
    const { kernels } = network;
    const layers = pass.outputs.length;
    const prepared = {
      forward: kernels.prepare(() => {
        network.zeroGradients();
        for (let layer = 0; layer < layers; layer++) pass.forwardAndTrack(layer);
      }),
      backward: kernels.prepare(() => {
        pass.lossBackward();
        for (let layer = layers - 1; layer >= 0; layer--) pass.backward(layer);
      }),
    };
    this.#passes.set(pass, prepared);
    return prepared;
  }
}
