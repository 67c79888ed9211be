// Networks with branches, joins and shared parameters.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createBackend } from '../../src/engine/kernels/create-kernels';
import type { Kernels } from '../../src/engine/kernels/kernels';
import { type Network } from '../../src/engine/network';
import { consumersOf, dependentsOf, isChainFrom, NETWORK_INPUT } from '../../src/engine/network-graph';
import '../support/allclose';
import { BACKENDS } from '../support/backends';
import { golden, type GoldenGraph } from '../support/golden';
import { flat, shapeOf } from '../support/nested-lists';
import {
  createModel,
  createNetwork,
  forwardAndBackward,
  loadedPass,
  optimizerOf,
  update,
} from '../support/network-fixtures';

const graphs = (
  [
    'graphs.json',
    'graphs-attention.json',
    'graphs-recurrent.json',
    'graphs-stacked.json',
    'graphs-padding.json',
    'graphs-losses.json',
  ] as const
).flatMap((file) => golden(file));
const FLOAT64 = createBackend('reference', 'float64');

function networkOf(kernels: Kernels, graph: GoldenGraph): Network {
  const definition = optimizerOf(graph.kind);
  const options = definition.options.parse(graph.options) as { readonly lr: number };
  return createNetwork(kernels, graph, shapeOf(graph.values[0]).slice(1), {
    batchSize: 6,
    optimizerStateTensors: definition.state(options).length,
  });
}

describe.each(BACKENDS)('graphs agree with PyTorch on %s', (backend) => {
  const kernels = createBackend(backend, 'float64');

  it.each(graphs)('$name: every output and gradient of a step, within 1e-10', (graph) => {
    const network = networkOf(kernels, graph);
    const pass = loadedPass(network, graph.values[0], graph.target);
    expect(forwardAndBackward(network, pass)).toBeAllclose(graph.losses[0], { rtol: 1e-10 });
    [pass.input, ...pass.outputs].forEach((value, i) => expect(value).toBeAllclose(graph.values[i], { rtol: 1e-10 }));
    // With the penalty's part, gradients of parameters alone differ from those of the data's loss.
    const gradients = [pass.inputGradient ?? [], ...pass.outputGradients];
    gradients.forEach((gradient, i) => expect(gradient).toBeAllclose(graph.gradients[i], { rtol: 1e-10, atol: 1e-14 }));
    const expected = graph.gradParameters.flatMap((layer) => Object.values(layer));
    expect(network.parameters.length).toBe(expected.length);
    network.parameters.forEach(({ gradient }, i) =>
      expect(gradient).toBeAllclose(expected[i], { rtol: 1e-10, atol: graph.atol ?? 0 }),
    );
  });

  it.each(graphs)('$name: 20 steps of training, within 1e-10', (graph) => {
    const network = networkOf(kernels, graph);
    const definition = optimizerOf(graph.kind);
    const options = definition.options.parse(graph.options) as { readonly lr: number };
    graph.losses.forEach((expected, step) => {
      const pass = loadedPass(network, graph.values[0], graph.target);
      expect(forwardAndBackward(network, pass)).toBeAllclose(expected, { rtol: 1e-10 });
      update(network, definition, options, step + 1, { clip: graph.clip });
    });
    const gradients = graph.gradParameters.flatMap((layer) => Object.values(layer));
    network.parameters.forEach(({ value }, i) => {
      // Adam turns the rounding error of a gradient that cancels out to 0, as of keys' biases, into steps of its own.
      const atol = flat(gradients[i]).map((gradient) => (Math.abs(gradient) <= (graph.atol ?? 0) ? 1e-9 : 1e-13));
      expect(value).toBeAllclose(graph.final[i], { rtol: 1e-10, atol });
    });
  });
});

describe('a chain written as a graph', () => {
  const layers = [
    { type: 'linear', out_features: 5 },
    { type: 'tanh' },
    { type: 'dropout', p: 0.3 },
    { type: 'linear', out_features: 2 },
  ] as const;
  const stack = { name: 'chain', layers, parameters: [{}, {}, {}, {}], lossKind: 'mse', lossOptions: {} } as const;

  it.each(BACKENDS)('gives the same bits, and needs the same memory, on %s', (backend) => {
    fc.assert(
      fc.property(fc.nat(1000), fc.constantFrom('float32' as const, 'float64' as const), (seed, precision) => {
        const results = [stack, { ...stack, sources: layers.map((_, i) => [i - 1]) }].map((each) => {
          const network = createNetwork(createBackend(backend, precision), each, [3], { batchSize: 4 });
          network.initialize(seed);
          const pass = loadedPass(
            network,
            [
              [1, 2, 3],
              [0.5, -1, 0.25],
            ],
            [
              [1, 0],
              [0, 1],
            ],
          );
          pass.sampleMasks(seed, 0);
          const loss = forwardAndBackward(network, pass);
          const tensors = [...pass.outputs, ...pass.outputGradients, ...network.parameters.map((own) => own.gradient)];
          return [network.memoryBytes, loss, ...tensors.flatMap(({ data }) => [...data])];
        });
        expect(results[1]).toEqual(results[0]);
      }),
      { numRuns: 5 },
    );
  });
});

describe('the edges of a network', () => {
  const { layers } = createModel(graphs[0], [3]);

  it('are known from both ends', () => {
    expect(consumersOf({ layers }, NETWORK_INPUT)).toEqual([{ layer: 0, position: 0 }]);
    expect(consumersOf({ layers }, 0)).toEqual([
      { layer: 1, position: 0 },
      { layer: 3, position: 1 },
    ]);
    expect(dependentsOf({ layers }, [2])).toEqual([2, 3, 4, 5, 6, 7, 8]);
    expect(dependentsOf({ layers }, [6])).toEqual([6, 7, 8]);
  });

  it('make a chain where each layer takes the one before alone', () => {
    expect(isChainFrom({ layers }, 7)).toBe(false);
    expect(isChainFrom({ layers }, 8)).toBe(true);
    const chain = Array.from({ length: 3 }, (): { readonly inputs?: readonly number[] } => ({}));
    expect(isChainFrom({ layers: chain }, 0)).toBe(true);
  });
});

describe('a shared parameter', () => {
  const tied = graphs.find(({ name }) => name.startsWith('one layer used twice'));
  if (!tied) throw new Error('no network with a shared layer');

  it('is one parameter, with all its users, updated once', () => {
    const network = networkOf(FLOAT64, tied);
    expect(network.parameters.map(({ layer, users }) => [layer, users])).toEqual([
      [0, [0, 2]],
      [0, [0, 2]],
      [4, [4]],
      [4, [4]],
    ]);
    expect(new Set(network.state).size).toBe(network.state.length);
  });
});
