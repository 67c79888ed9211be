// A float64 copy of the network that is checked, its gradients by backprop, and its loss as a function of
// any one entry. Never touches the network it was copied from.
import { createKernels } from '../engine/kernels/create';
import type { Tensor } from '../engine/kernels/tensor';
import { type LayerModel, Network, type NetworkModel, type Pass } from '../engine/network';
import type { LossLine } from './line';
import { roundOff } from './noise';
import type { CheckRequest } from './options';

const scratch = (): Tensor => ({ shape: [1], data: new Float64Array(1) });

/** Where the kinks of a layer, or of the loss, lie. */
interface Kinks {
  /** Whether any lies between two inputs. */
  crossed(a: Tensor, b: Tensor): boolean;
  /** Whether one lies between two values of element `index`, the others as they are at the start. */
  between(index: number, a: number, b: number): boolean;
}

function layerKinks({ definition, options }: LayerModel): Kinks {
  const [one, other] = [scratch(), scratch()];
  const crossed = (a: Tensor, b: Tensor): boolean => definition.crossesKink?.(a, b, options) ?? false;
  return {
    crossed,
    between(_index, a, b) {
      one.data[0] = a;
      other.data[0] = b;
      return crossed(one, other);
    },
  };
}

function lossKinks({ definition, options }: NetworkModel['loss'], start: Tensor, target: Tensor): Kinks {
  const side = (data: Tensor['data'], index: number): number => Math.sign(definition.seam?.(data, target, index, options) ?? 1);
  const data = start.data.slice();
  const moved = (index: number, value: number): number => {
    data[index] = value;
    const found = side(data, index);
    data[index] = start.data[index];
    return found;
  };
  return {
    crossed: (a, b) => a.data.some((_, index) => side(a.data, index) !== side(b.data, index)),
    between: (index, a, b) => moved(index, a) !== moved(index, b),
  };
}

/** A layer with kinks, and what goes into it when nothing is moved; after the last layer the loss. */
class KinkedLayer {
  readonly offsets: Float64Array;
  /** The input that the last nudge gave. */
  readonly nudged: Tensor;

  constructor(
    readonly layer: number,
    readonly kinks: Kinks,
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
      const up = this.kinks.between(i, at, at + distance);
      const down = this.kinks.between(i, at, at - distance);
      if (up && down) exact++;
      // What a layer ahead was nudged by must not add up: the place is relative to the input as it was.
      this.offsets[i] = up || down ? at + (up && down ? side : up ? -1 : 1) * distance - input.data[i] : 0;
      this.nudged.data[i] = input.data[i] + this.offsets[i];
    }
    return exact;
  }
}

/** One entry at a time: `select` it, evaluate, `release` it. */
class EntryLine implements LossLine {
  start = 0;
  #layer = 0;
  #data: Tensor['data'] = new Float64Array(0);
  #index = 0;
  #nudged = false;

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

  /** Nudging needs to know the kinks element by element, so only layers that keep the shape take part. */
  #takesPart({ layer, start }: KinkedLayer): boolean {
    const { outputs } = this.pass;
    return layer > this.#layer && (layer === outputs.length || start.data.length === outputs[layer].data.length);
  }
}

export class Shadow {
  readonly network: Network;
  /** The loss of the batch. */
  readonly loss: number;
  /** Bound of the round-off in it. */
  readonly noise: number;
  /** By backprop, one array a parameter in the network's order. */
  readonly gradients: readonly Float64Array[];
  readonly line: EntryLine;

  constructor({ network: original, pass: { batch, input, target, drawn }, kernels: wanted }: CheckRequest) {
    const kernels = createKernels('float64', wanted);
    this.network = new Network(original.model, kernels, { batch, evaluationBatch: 0, optimizerTensors: 0 });
    const pass = this.network.pass(batch);
    const load = (): void => {
      this.network.parameters.forEach(({ value }, i) => value.data.set(original.parameters[i].value.data));
      pass.input.data.set(input.data);
      pass.target.data.set(target.data);
      pass.drawn.forEach((own, i) => own?.data.set(drawn[i]?.data ?? []));
    };
    load();
    this.network.zeroGradients();
    pass.evaluate();
    pass.lossBackward();
    for (let layer = pass.outputs.length - 1; layer >= 0; layer--) pass.backward(layer);
    this.gradients = this.network.parameters.map(({ gradient }) => Float64Array.from(gradient.data));
    // Once more from the start: a faulty backward may have written where it must not.
    load();
    this.loss = pass.evaluate();
    this.noise = roundOff(pass, this.loss);
    const { layers, loss } = original.model;
    const startOf = (layer: number): Tensor => {
      const { shape, data } = pass.inputOf(layer);
      return { shape, data: Float64Array.from(data) };
    };
    const kinked = layers.flatMap((layer, i) =>
      layer.definition.crossesKink ? new KinkedLayer(i, layerKinks(layer), startOf(i)) : [],
    );
    if (loss.definition.seam) {
      const prediction = startOf(layers.length);
      kinked.push(new KinkedLayer(layers.length, lossKinks(loss, prediction, pass.target), prediction));
    }
    this.line = new EntryLine(pass, kinked);
  }

  /**
   * The loss along one entry, until the next call. Entries are taken from the last layer to the first: then what
   * lies ahead of a layer is never disturbed, and only the layer and what follows is computed anew.
   */
  along(parameter: number, index: number): EntryLine {
    const { layer, value } = this.network.parameters[parameter];
    this.line.select(layer, value, index);
    return this.line;
  }
}
