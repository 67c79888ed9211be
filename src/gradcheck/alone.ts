// Each layer by itself, and the loss: samples of the batch go in, a random gradient comes from above, and what backward
// makes of it is put beside differences of forward. Tells a wrong signal that arrives from a wrong use of a right one.
import { sizeOf } from '../engine/kernels/tensor';
import type { Pass } from '../engine/network';
import { Random } from '../engine/random';
import { LayerBench } from './diagnosis/layer-bench';
import { lossTrial } from './diagnosis/loss-trial';
import { slackOf, type Trial, worstOf } from './diagnosis/trial';
import { type LayerCheck, VERDICTS } from './report';
import { NOT_CHECKED, summarizeParameter } from './summary';

/** Where neither value is above this, nothing can be told. */
const FLOOR = 1e-9;

export class Alone {
  /** By layer, from the first one; all of them once all work is done. */
  readonly benches: LayerBench[] = [];
  /** Null for a network without layers. */
  loss: Trial | null = null;
  /**
   * @param pass with the batch, and parameters as they were checked; it is evaluated anew.
   * @param trusted whether what layers say they reach has held so far.
   */
  constructor(
    readonly pass: Pass,
    readonly trusted: boolean,
  ) {}

  /** A slice of the work at a time. */
  *tryAll(): Generator<void> {
    const { pass, trusted } = this;
    const { layers, loss } = pass.network.model;
    pass.evaluate();
    const lastKind = loss.definition.target === 'classes' ? 'classes' : 'outputs';
    this.loss = lossTrial(pass, lastKind);
    for (const [i, layer] of layers.entries()) {
      yield;
      const sizes = [layer.inputShape, layer.outputShape].flat();
      const bench = new LayerBench(pass, i, samplesFor(pass.batch, sizes), i === layers.length - 1 ? lastKind : 'units', new Random(i, 'diagnosis'), trusted);
      this.benches.push(bench);
      for (const tensor of bench.tensors) {
        yield;
        bench.trial(tensor);
      }
    }
  }

  /** From the first layer to the loss. */
  report(): LayerCheck[] {
    const { model } = this.pass.network;
    let spoiledBy: string | null = null;
    const checks: LayerCheck[] = [];
    const add = (name: string | null, kind: string, trials: readonly Trial[], overwrites: readonly string[]): void => {
      checks.unshift({ name, kind, arriving: spoiledBy, tensors: trials.map(verdictsOf), overwrites });
      const handedBack = trials.find(({ of }) => of !== 'parameter');
      if (handedBack && worstOf(handedBack) >= 0) spoiledBy ??= name ?? 'the loss';
    };
    if (this.loss) add(null, model.loss.definition.kind, [this.loss], []);
    for (let i = this.benches.length - 1; i >= 0; i--) {
      const bench = this.benches[i];
      const { name, definition } = model.layers[i];
      add(name, definition.kind, bench.tensors.map((tensor) => bench.trial(tensor)), bench.mutated.map(({ tensor }) => tensor));
    }
    return checks;
  }
}

/** Samples for a layer alone, most of a small batch: a number that no size of the layer equals, so that a factor tells which one it is. */
function samplesFor(batch: number, sizes: readonly number[]): number {
  let samples = Math.max(5, Math.min(batch, 12));
  while (sizes.some((size) => size === samples || size * size === samples)) samples++;
  return samples;
}

function verdictsOf(trial: Trial): LayerCheck['tensors'][number] {
  const { tensor: name, shape, analytic, numeric, stride } = trial;
  const slack = slackOf(trial);
  const verdicts = new Uint8Array(sizeOf(shape)).fill(NOT_CHECKED);
  for (let i = 0; i < verdicts.length; i += stride) {
    const [a, n] = [analytic[i], numeric[i]];
    const verdict = Number.isNaN(n) ? 'kink' : !(Math.abs(a - n) <= slack) ? 'wrong' : Math.max(Math.abs(a), Math.abs(n)) <= FLOOR ? 'below_noise' : 'pass';
    verdicts[i] = VERDICTS.indexOf(verdict);
  }
  return summarizeParameter({ name, shape, analytic, numeric, verdicts });
}
