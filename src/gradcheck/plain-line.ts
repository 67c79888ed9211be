// The loss along one entry the plain way: the layer that the entry belongs to and all that follow, in full.
// Also how the inputs of kinked layers are held off their kinks, for which there is no shorter way.
import type { Tensor } from '../engine/kernels/tensor';
import type { LayerDefinition } from '../engine/layers/layer';
import type { Pass } from '../engine/network';
import type { LossLine } from './line';

const scratch = (): Tensor => ({ shape: [1], data: new Float64Array(1) });

/** A layer with kinks, and what goes into it when nothing is moved. */
export class KinkedLayer {
  readonly offsets: Float64Array;
  /** The input that the last nudge gave. */
  readonly nudged: Tensor;
  readonly #a = scratch();
  readonly #b = scratch();

  constructor(
    readonly layer: number,
    readonly definition: LayerDefinition,
    readonly start: Tensor,
  ) {
    this.offsets = new Float64Array(start.data.length);
    this.nudged = { shape: start.shape, data: new Float64Array(start.data.length) };
  }

  /** Sets the offsets that hold `input` off the kinks; returns how many elements lay exactly on one. */
  place(input: Tensor, distance: number, side: 1 | -1): number {
    let exact = 0;
    for (let i = 0; i < this.offsets.length; i++) {
      const at = this.start.data[i];
      const up = this.#between(at, at + distance);
      const down = this.#between(at, at - distance);
      if (up && down) exact++;
      // What a layer ahead was nudged by must not add up: the place is relative to the input as it was.
      this.offsets[i] = up || down ? at + (up && down ? side : up ? -1 : 1) * distance - input.data[i] : 0;
      this.nudged.data[i] = input.data[i] + this.offsets[i];
    }
    return exact;
  }

  #between(a: number, b: number): boolean {
    this.#a.data[0] = a;
    this.#b.data[0] = b;
    return this.definition.crossesKink?.(this.#a, this.#b) ?? false;
  }
}

/** One entry at a time: `select` it, evaluate, `release` it. */
export class PlainLine implements LossLine {
  start = 0;
  #layer = 0;
  #data: Tensor['data'] = new Float64Array(0);
  #index = 0;
  #nudged = false;

  /** @param kinked layers with kinks, from the first to the last. */
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
    for (let layer = this.#layer; layer < this.pass.outputs.length; layer++) {
      const kinked = this.#kinkedAt(layer);
      if (kinked) {
        const { data } = this.pass.inputOf(layer);
        for (let i = 0; i < data.length; i++) data[i] += kinked.offsets[i];
      }
      this.pass.forward(layer);
    }
    return this.pass.loss();
  }

  crossed(): boolean {
    for (const kinked of this.kinked) {
      const { layer, definition, start, nudged } = kinked;
      // What goes into this layer and those before it does not depend on the entry.
      if (layer <= this.#layer) continue;
      const from = this.#nudged && this.#takesPart(kinked) ? nudged : start;
      if (definition.crossesKink?.(from, this.pass.inputOf(layer))) return true;
    }
    return false;
  }

  nudge(distance: number, side: 1 | -1): number {
    this.#nudged = false;
    if (distance === 0) return 0;
    let exact = 0;
    this.#data[this.#index] = this.start;
    for (let layer = this.#layer; layer < this.pass.outputs.length; layer++) {
      const input = this.pass.inputOf(layer);
      const kinked = this.#kinkedAt(layer);
      if (kinked) {
        exact += kinked.place(input, distance, side);
        input.data.set(kinked.nudged.data);
      }
      this.pass.forward(layer);
    }
    this.#nudged = true;
    return exact;
  }

  #kinkedAt(layer: number): KinkedLayer | undefined {
    return this.kinked.find((kinked) => kinked.layer === layer && this.#takesPart(kinked));
  }

  /** Nudging needs to know the kinks element by element, so only layers that keep the shape take part. */
  #takesPart({ layer, start }: KinkedLayer): boolean {
    return layer > this.#layer && start.data.length === this.pass.outputs[layer].data.length;
  }
}
