// A float64 copy of the network that is checked, its gradients by backprop, and its loss as a function of
// any one entry. Never touches the network it was copied from.
import { createKernels } from '../engine/kernels/create';
import type { Tensor } from '../engine/kernels/tensor';
import { Network, type NetworkModel, type Pass } from '../engine/network';
import { Bunch } from './bunch';
import { Carrier } from './carrier';
import { EntryLine } from './entry-line';
import { InnerKinks } from './inner-kinks';
import { KinkedLayer, layerKinks, lossKinks } from './kinks';
import { roundOff } from './noise';
import type { CheckRequest } from './options';
import { PlainLine } from './plain-line';
import { stagesOf } from './stages';
import { tolerant } from './tolerant';

/**
 * Whether shortcuts are right for a network. They know nothing of what a layer draws for its columns. One that declares
 * no reach is computed whole, with what it drew, and stands in nobody's way.
 */
const canCarry = ({ layers }: NetworkModel): boolean => !layers.some(({ definition }) => definition.draw && definition.reach);

export class Shadow {
  readonly network: Network;
  /** Over the batch, in the mode that is checked. */
  readonly pass: Pass;
  /** The loss of the batch. */
  readonly loss: number;
  /** Bound of the round-off in it. */
  readonly noise: number;
  /** By backprop, one array a parameter in the network's order. */
  readonly gradients: readonly Float64Array[];
  readonly line: EntryLine;
  readonly #bunch: Bunch | null;

  constructor({ network: original, pass: { batch, input, target, drawn }, options, kernels: wanted }: CheckRequest) {
    const kernels = createKernels('float64', wanted);
    let trying = false;
    const model = { ...original.model, layers: original.model.layers.map((layer) => tolerant(layer, () => trying)) };
    this.network = new Network(model, kernels, { batch, evaluationBatch: 0, optimizerTensors: 0 });
    const pass = options.mode === 'evaluation' ? this.network.passInEvaluation(batch) : this.network.pass(batch);
    this.pass = pass;
    const load = (): void => {
      this.network.parameters.forEach(({ value }, i) => value.data.set(original.parameters[i].value.data));
      // As they are: no forward pass writes to them, whatever the mode.
      this.network.buffers.forEach(({ value }, i) => value.data.set(original.buffers[i].value.data));
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
    trying = true;
    this.noise = roundOff(pass, this.loss);
    const { layers, loss } = model;
    const startOf = (layer: number): Tensor => {
      const { shape, data } = pass.inputOf(layer);
      return { shape, data: Float64Array.from(data) };
    };
    const kinked = layers.flatMap((layer, i) =>
      layer.definition.crossesKink ? new KinkedLayer(i, layerKinks(layer), startOf(i)) : [],
    );
    const prediction = startOf(layers.length);
    const seams = loss.definition.seam ? new KinkedLayer(layers.length, lossKinks(loss, prediction, pass.target), prediction) : null;
    if (seams) kinked.push(seams);
    const stages = canCarry(model) ? stagesOf(pass) : null;
    this.line = new EntryLine(new PlainLine(pass, kinked), stages && new Carrier(pass, stages, seams), new InnerKinks(pass));
    this.#bunch = stages && new Bunch(pass, stages);
  }

  /**
   * The loss along one entry, until the next call. Entries are taken from the last layer to the first: then what
   * lies ahead of a layer is never disturbed, and only the layer and what follows is computed anew.
   */
  along(parameter: number, index: number): EntryLine {
    this.line.select(this.network.parameters[parameter], index);
    return this.line;
  }

  /** The losses of many entries of a parameter; null where they have to go one by one. */
  bunchOf(parameter: number): Bunch | null {
    const { layer } = this.network.parameters[parameter];
    return this.line.trusted && Number.isFinite(this.loss) && this.#bunch?.takes(layer) ? this.#bunch : null;
  }

  /** Everything as it is with nothing moved. */
  rest(): void {
    this.line.plain.pass.evaluate();
  }

  /** From now on without shortcuts, and again from the last layer. */
  goPlainly(): void {
    this.line.distrust();
    this.rest();
  }
}
