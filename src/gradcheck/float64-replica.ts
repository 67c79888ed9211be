// A float64 copy of the checked network: its gradients by backprop, and its loss as a function of any single entry.
// Never touches the original network.
import { createKernels } from '../engine/kernels/create-kernels';
import type { Tensor } from '../engine/kernels/tensor';
import { Network } from '../engine/network';
import {
  hasCustomCode,
  maskShapeOf,
  type NetworkModel,
  type Parameter,
  parametersUsedBy,
} from '../engine/network-model';
import type { Pass } from '../engine/pass';
import { PerturbationBatch } from './perturbation-batch';
import type { BatchedLosses } from './batched-losses';
import { GraphBatch } from './graph-batch';
import { IncrementalForward } from './incremental-forward';
import { EntryLossSlice } from './entry-loss-slice';
import { InnerKinks } from './inner-kinks';
import { KinkedLayer, layerKinks, lossKinks } from './kinks';
import { estimateRoundOff } from './round-off';
import { type ForwardPrecision, measureForwardPrecision } from './forward-precision';
import type { CheckRequest } from './options';
import { FullForward } from './full-forward';
import { cacheActivations, type LayerActivations } from './cached-activations';
import { guardCustomLoss, guardCustomPenalty } from './guard-custom-function';
import { guardCustomLayer } from './guard-custom-layer';

/**
 * Whether shortcuts are valid for a network. They do not support layers with masks that declare a structure. Layers
 * without a declared structure are computed in full, with their masks, and are never a problem.
 */
const supportsFastPath = ({ layers }: NetworkModel): boolean =>
  !layers.some((layer) => maskShapeOf(layer) && layer.definition.jacobianStructure);

export class Float64Replica {
  readonly network: Network;
  /** The pass over the batch, in the mode that is checked. */
  readonly pass: Pass;
  /** The loss of the batch. */
  readonly loss: number;
  /** A bound of its round-off; infinite if the loss is not reproducible. */
  readonly noise: number;
  /** The precision of the layers' forward passes; that of a custom layer may be single. */
  readonly precisions: readonly ForwardPrecision[];
  /** The same of a custom loss and a custom penalty. */
  readonly functionPrecisions: { readonly loss: ForwardPrecision; readonly penalty: ForwardPrecision };
  /** From backprop, one array per parameter in the network's order. */
  readonly gradients: readonly Float64Array[];
  readonly slice: EntryLossSlice;
  /** By parameter; null where entries are evaluated one by one. */
  readonly #batches: readonly (BatchedLosses | null)[];

  constructor({
    network: original,
    pass: { batchSize, input, target, masks },
    options,
    kernels: wanted,
  }: CheckRequest) {
    const kernels = createKernels('float64', wanted);
    let isPerturbing = false;
    const model = {
      ...original.model,
      layers: original.model.layers.map((layer) => guardCustomLayer(layer, () => isPerturbing)),
      loss: guardCustomLoss(original.model.loss, () => isPerturbing),
      penalty: guardCustomPenalty(original.model.penalty, () => isPerturbing),
    };
    this.network = new Network(model, kernels, { batchSize, evaluationBatchSize: 0, optimizerStateTensors: 0 });
    const pass =
      options.mode === 'evaluation'
        ? this.network.gradientPassInEvaluation(batchSize)
        : this.network.trainingPass(batchSize);
    this.pass = pass;
    const load = (): void => {
      this.network.parameters.forEach(({ value }, i) => value.data.set(original.parameters[i]!.value.data));
      // Buffers keep their values: no forward pass writes to them, in any mode.
      this.network.buffers.forEach(({ value }, i) => value.data.set(original.buffers[i]!.value.data));
      pass.input.data.set(input.data);
      pass.target.data.set(target.data);
      pass.masks.forEach((own, i) => own?.data.set(masks[i]?.data ?? []));
    };
    load();
    this.network.zeroGradients();
    pass.evaluate();
    pass.lossBackward();
    for (let layer = pass.outputs.length - 1; layer >= 0; layer--) pass.backward(layer);
    this.gradients = this.network.parameters.map(({ gradient }) => Float64Array.from(gradient.data));
    // Loaded again, because a faulty backward may have overwritten something.
    load();
    this.loss = pass.evaluate();
    isPerturbing = true;
    this.precisions = model.layers.map((_, layer) => this.#measurePrecision(layer));
    this.functionPrecisions = this.#measureFunctionPrecisions();
    const isSingle = Object.values(this.functionPrecisions).includes('single');
    this.noise = this.#isRepeatable()
      ? estimateRoundOff(pass, this.loss, this.precisions, isSingle ? 'single' : 'double')
      : Infinity;
    const { layers } = model;
    const startOf = (layer: number): Tensor => {
      const { shape, data } = pass.layerInput(layer);
      return { shape, data: Float64Array.from(data) };
    };
    const kinked = layers.flatMap((layer, i) =>
      layer.definition.crossesKink ? new KinkedLayer(i, layerKinks(layer), startOf(i)) : [],
    );
    const kinkedLosses = pass.losses.flatMap((loss, i) => {
      if (!loss.definition.breakpoint) return [];
      const prediction = startOf(layers.length + i);
      return new KinkedLayer(layers.length + i, lossKinks(loss, prediction), prediction);
    });
    const stages = supportsFastPath(model) ? cacheActivations(pass) : null;
    this.slice = new EntryLossSlice(
      new FullForward(pass, [...kinked, ...kinkedLosses]),
      stages && new IncrementalForward(pass, stages, kinkedLosses),
      new InnerKinks(pass),
    );
    this.#batches = this.#createBatches(stages);
  }

  #createBatches(stages: readonly LayerActivations[] | null): (BatchedLosses | null)[] {
    const { parameters } = this.network;
    if (!stages || !Number.isFinite(this.loss)) return parameters.map(() => null);
    const chain = new PerturbationBatch(this.pass, stages);
    const isChained = ({ layer, users }: Parameter): boolean => users.length === 1 && chain.supports(layer);
    const graph = new GraphBatch(
      this.pass,
      stages,
      parameters.filter((parameter) => !isChained(parameter)),
    );
    return parameters.map((parameter) => (isChained(parameter) ? chain : graph.batchFor(parameter)));
  }

  /** Built-in layers compute in float64; custom layers are measured. */
  #measurePrecision(layer: number): ForwardPrecision {
    const { network, pass } = this;
    if (!network.model.layers[layer]!.definition.sourceLocations) return 'double';
    const own = parametersUsedBy(network, layer).map(({ value }) => value);
    const precision = measureForwardPrecision([...pass.layerInputs(layer), ...own], () => {
      pass.forward(layer);
      return pass.outputs[layer]!.data;
    });
    pass.evaluate();
    return precision;
  }

  #measureFunctionPrecisions(): Float64Replica['functionPrecisions'] {
    const { network, pass } = this;
    const { loss, penalty } = network.model;
    const measure = (isCustom: boolean, inputs: readonly Tensor[], value: () => number): ForwardPrecision =>
      isCustom ? measureForwardPrecision(inputs, () => Float64Array.of(value())) : 'double';
    return {
      loss: measure(loss.definition.sourceLocations !== undefined, [pass.prediction], () => pass.lossValue()),
      penalty: measure(
        penalty?.custom !== undefined,
        network.parameters.map(({ value }) => value),
        () => pass.customPenalty(),
      ),
    };
  }

  #isRepeatable(): boolean {
    return !hasCustomCode(this.network.model) || Object.is(this.pass.evaluate(), this.loss);
  }

  /**
   * The loss along one entry, valid until the next call. Entries are selected from the last layer to the first, so the
   * layers before the current one are never perturbed, and only the layer and those after it are recomputed.
   */
  selectEntry(parameter: number, index: number): EntryLossSlice {
    this.slice.select(this.network.parameters[parameter]!, index);
    return this.slice;
  }

  /** The losses of many entries of a parameter; null if they must be evaluated one by one. */
  perturbationBatchFor(parameter: number): BatchedLosses | null {
    return this.slice.trustsStructure ? this.#batches[parameter]! : null;
  }

  /** Restores the unperturbed state. */
  reset(): void {
    this.slice.full.pass.evaluate();
  }

  /** Disables shortcuts from now on, and starts again at the last layer. */
  disableFastPath(): void {
    this.slice.disableFastPath();
    this.reset();
  }
}
