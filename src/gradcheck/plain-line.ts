// The loss along one entry the plain way: the layer that the entry belongs to and all that follow, in full.
// Also how the inputs of kinked layers are held off their kinks, for which there is no shorter way.
import type { Tensor } from '../engine/kernels/tensor';
import type { Pass } from '../engine/network';
import type { KinkedLayer } from './kinks';
import type { LossLine } from './line';

/** One entry at a time: `select` it, evaluate, `release` it. */
export class PlainLine implements LossLine {
  start = 0;
  #layer = 0;
  #data: Tensor['data'] = new Float64Array(0);
  #index = 0;
  #nudged = false;

  /** @param kinked layers with kinks, from the first to the last; then the loss, if it has any. */
  constructor(
    readonly pass: Pass,
    readonly kinked: readonly KinkedLayer[],
  ) {}

  select(layer: number, tensor: Tensor, index: number): void {
    this.#layer = layer;
    this.#data = tensor.data;
    this.#index = index;
    this.start = tensor.data[index];
  }

  release(): void {
    this.#data[this.#index] = this.start;
  }

  /** Whether inputs are held off their kinks. */
  get nudged(): boolean {
    return this.#nudged;
  }

  at(value: number): number {
    this.#data[this.#index] = value;
    if (!this.#nudged) return this.pass.evaluate(this.#layer);
    for (let layer = this.#layer; layer <= this.pass.outputs.length; layer++) {
      const kinked = this.#kinkedAt(layer);
      if (kinked) {
        const { data } = this.pass.inputOf(layer);
        for (let i = 0; i < data.length; i++) data[i] += kinked.offsets[i];
      }
      if (layer < this.pass.outputs.length) this.pass.forward(layer);
    }
    return this.pass.loss();
  }

  crossed(): boolean {
    for (const kinked of this.kinked) {
      const { layer, kinks, start, nudged } = kinked;
      // What goes into this layer and those before it does not depend on the entry.
      if (layer <= this.#layer) continue;
      const from = this.#nudged && this.#takesPart(kinked) ? nudged : start;
      if (kinks.crossed(from, this.pass.inputOf(layer))) return true;
    }
    return false;
  }

  nudge(distance: number, side: 1 | -1): number {
    this.#nudged = false;
    if (distance === 0) return 0;
    let exact = 0;
    this.#data[this.#index] = this.start;
    for (let layer = this.#layer; layer <= this.pass.outputs.length; layer++) {
      const input = this.pass.inputOf(layer);
      const kinked = this.#kinkedAt(layer);
      if (kinked) {
        exact += kinked.place(input, distance, side);
        input.data.set(kinked.nudged.data);
      }
      if (layer < this.pass.outputs.length) this.pass.forward(layer);
    }
    this.#nudged = true;
    return exact;
  }

  #kinkedAt(layer: number): KinkedLayer | undefined {
    return this.kinked.find((kinked) => kinked.layer === layer && this.#takesPart(kinked));
  }

  /** Nudging needs to know where the kinks are: a layer says so, or keeps the shape and has them element by element. */
  #takesPart({ layer, kinks, start }: KinkedLayer): boolean {
    const { outputs } = this.pass;
    if (layer <= this.#layer) return false;
    return kinks.holdOff !== undefined || layer === outputs.length || start.data.length === outputs[layer].data.length;
  }
}
