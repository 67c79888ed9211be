// The loss along one entry by full forward passes of its layer and all that follow. Also keeps the inputs of layers
// with kinks away from them, which no shortcut supports.
import type { Tensor } from '../engine/kernels/tensor';
import type { Parameter } from '../engine/network-model';
import type { Pass } from '../engine/pass';
import { dependentsOf, inputsOf } from '../engine/network-graph';
import type { KinkedLayer } from './kinks';
import type { LossSlice } from './loss-slice';

/** For one entry at a time: `select` it, evaluate, `release` it. */
export class FullForward implements LossSlice {
  start = 0;
  #parameter: Parameter | null = null;
  #layer = 0;
  /** The layers that depend on the entry. */
  #dependents: ReadonlySet<number> = new Set();
  #data: Tensor['data'] = new Float64Array(0);
  #index = 0;
  #isNudged = false;

  /** @param kinkedLayers layers with kinks, from first to last, then the losses that have any */
  constructor(
    readonly pass: Pass,
    readonly kinkedLayers: readonly KinkedLayer[],
  ) {}

  select(parameter: Parameter, index: number): void {
    const { layer, users, value } = parameter;
    if (this.#parameter !== parameter) this.#dependents = new Set(dependentsOf(this.pass.network.model, users));
    this.#parameter = parameter;
    this.#layer = layer;
    this.#data = value.data;
    this.#index = index;
    this.start = value.data[index]!;
  }

  release(): void {
    this.#data[this.#index] = this.start;
  }

  /** Whether inputs are kept away from their kinks. */
  get isNudged(): boolean {
    return this.#isNudged;
  }

  lossAt(value: number): number {
    this.#data[this.#index] = value;
    if (!this.#isNudged) return this.pass.evaluate(this.#layer);
    for (let layer = this.#layer; layer < this.#end; layer++) {
      const kinked = this.#kinkedLayerAt(layer);
      if (kinked) {
        const { data } = this.pass.layerInput(layer);
        for (let i = 0; i < data.length; i++) data[i]! += kinked.offsets[i]!;
      }
      if (layer < this.pass.outputs.length) this.pass.forward(layer);
    }
    return this.pass.loss();
  }

  crossedKink(): boolean {
    for (const kinked of this.kinkedLayers) {
      const { layer, kinks, startInput, nudgedInput } = kinked;
      // The inputs of this layer and those before it do not depend on the entry.
      if (layer <= this.#layer) continue;
      const before = this.#isNudged && this.#canBeNudged(kinked) ? nudgedInput : startInput;
      if (kinks.isCrossed(before, this.pass.layerInput(layer))) return true;
    }
    return false;
  }

  nudgeOffKinks(distance: number, side: 1 | -1): number {
    this.#isNudged = false;
    if (distance === 0) return 0;
    let exactCount = 0;
    this.#data[this.#index] = this.start;
    for (let layer = this.#layer; layer < this.#end; layer++) {
      const input = this.pass.layerInput(layer);
      const kinked = this.#kinkedLayerAt(layer);
      if (kinked) {
        exactCount += kinked.computeOffsets(input, distance, side);
        input.data.set(kinked.nudgedInput.data);
      }
      if (layer < this.pass.outputs.length) this.pass.forward(layer);
    }
    this.#isNudged = true;
    return exactCount;
  }

  /** After the layers and the losses. */
  get #end(): number {
    return this.pass.outputs.length + this.pass.losses.length;
  }

  #kinkedLayerAt(layer: number): KinkedLayer | undefined {
    return this.kinkedLayers.find((kinked) => kinked.layer === layer && this.#canBeNudged(kinked));
  }

  /**
   * Nudging needs the position of the kinks: the layer provides it, or its kinks are element-wise and its shape stays
   * the same.
   */
  #canBeNudged({ layer, kinks, startInput }: KinkedLayer): boolean {
    const { outputs, network } = this.pass;
    // The other inputs are not computed anew, and nothing moves there.
    if (!this.#dependents.has(inputsOf(network.model, layer)[0]!)) return false;
    return (
      kinks.avoidKinks !== undefined ||
      layer >= outputs.length ||
      startInput.data.length === outputs[layer]!.data.length
    );
  }
}
