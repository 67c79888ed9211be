// Each layer in isolation, and the loss with and without its penalty: what they show that the whole network does not.
import type { CheckReport } from '../../src/protocol/check-report';
import { describe, expect, it } from 'vitest';
import type { LayerDefinition } from '../../src/engine/layers/layer';
import { losses } from '../../src/engine/losses';
import type { LossDefinition } from '../../src/engine/losses/loss';
import { checkNet, type LayerRecipe, layerOf, linear, makeNet, type NetRecipe } from './nets';

const LAYERS: readonly LayerRecipe[] = [linear(4), { kind: 'tanh' }, linear(6), { kind: 'tanh' }, linear(3)];
const RECIPE: NetRecipe = { inputs: 5, batch: 8, loss: 'cross_entropy', layers: LAYERS, seed: 3 };

const withLayer = (at: number, corrupt: LayerDefinition['backward'], recipe = RECIPE): NetRecipe => {
  const inner = layerOf(LAYERS[at].kind);
  const definition: LayerDefinition = {
    ...inner,
    backward(context) {
      inner.backward(context);
      corrupt(context);
    },
  };
  return { ...recipe, layers: recipe.layers.map((layer, i) => (i === at ? { ...layer, definition } : layer)) };
};

/** `linear1: weight pass, bias pass, input pass`, and which layer makes its output gradient wrong. */
const describeLayers = ({ layers }: CheckReport): string[] =>
  layers.map(
    ({ name, arriving, tensors }) =>
      `${name ?? 'loss'}: ${tensors.map((each) => `${each.name} ${each.verdict}`).join(', ')}${arriving ? `; ${arriving}` : ''}`,
  );

const doubleAll = (data: Float64Array | Float32Array | undefined): void =>
  data?.forEach((value, i) => (data[i] = 2 * value));

describe('layers in isolation', () => {
  it('are all right in a right network, including the gradient of the batch itself', () => {
    expect(describeLayers(checkNet(makeNet(RECIPE)))).toEqual([
      'linear1: weight pass, bias pass, input pass',
      'tanh1: input pass',
      'linear2: weight pass, bias pass, input pass',
      'tanh2: input pass',
      'linear3: weight pass, bias pass, input pass',
      'loss: prediction pass',
    ]);
  });

  it('separate a wrong output gradient from a wrong use of a right one', () => {
    const report = checkNet(
      makeNet(
        withLayer(
          2,
          ({ gradInput, gradParameters }) => (doubleAll(gradInput?.data), doubleAll(gradParameters.bias.data)),
        ),
      ),
    );
    // In the whole network linear1 is wrong too; in isolation it is not.
    expect(report.parameters.filter(({ verdict }) => verdict === 'wrong').map(({ name }) => name)).toEqual([
      'linear1.weight',
      'linear1.bias',
      'linear2.bias',
    ]);
    expect(describeLayers(report)).toEqual([
      'linear1: weight pass, bias pass, input pass; linear2',
      'tanh1: input pass; linear2',
      'linear2: weight pass, bias wrong, input wrong',
      'tanh2: input pass',
      'linear3: weight pass, bias pass, input pass',
      'loss: prediction pass',
    ]);
  });

  it('show a fault in the input gradient of the first layer, which no parameter shows', () => {
    const report = checkNet(makeNet(withLayer(0, ({ gradInput }) => doubleAll(gradInput?.data))));
    expect(report.counts.wrong).toBe(0);
    expect(describeLayers(report)[0]).toBe('linear1: weight pass, bias pass, input wrong');
  });

  it('name the loss as the source of all wrong gradients', () => {
    const inner = losses.cross_entropy as LossDefinition;
    const loss: LossDefinition = {
      ...inner,
      gradient(context, out) {
        inner.gradient(context, out);
        doubleAll(out.data);
      },
    };
    const lines = describeLayers(checkNet(makeNet({ ...RECIPE, loss: { definition: loss } })));
    expect(lines.slice(0, -1).every((line) => line.endsWith('; the loss'))).toBe(true);
    expect(lines.at(-1)).toBe('loss: prediction wrong');
  });

  it('name arguments that are overwritten', () => {
    const { layers } = checkNet(makeNet(withLayer(2, ({ input }) => doubleAll(input.data))));
    expect(layers.filter(({ overwrites }) => overwrites.length > 0)).toMatchObject([
      { name: 'linear2', overwrites: ['input'] },
    ]);
  });

  it('rely on measurements if a layer declares less reach than it has', () => {
    const liar: LayerRecipe = {
      kind: 'softmax',
      definition: { ...layerOf('softmax'), jacobianStructure: 'columnwise' },
    };
    const { compared, layers } = checkNet(makeNet({ ...RECIPE, layers: [linear(4), liar, linear(3)] }));
    expect(compared.agreed).toBe(false);
    expect(layers.flatMap(({ tensors }) => tensors.map(({ verdict }) => verdict))).not.toContain('wrong');
  });
});

describe('a smooth layer in isolation', () => {
  const IMAGES: readonly LayerRecipe[] = [
    { kind: 'conv2d', options: { out_channels: 3, kernel_size: 3 } },
    { kind: 'batch_norm2d' },
    { kind: 'avg_pool2d', options: { kernel_size: 2 } },
    { kind: 'flatten' },
    linear(4),
    { kind: 'layer_norm' },
    { kind: 'gelu' },
    linear(3),
    { kind: 'batch_norm1d' },
    { kind: 'silu' },
    linear(3),
    { kind: 'log_softmax' },
  ];

  // A standard deviation of 0.02 makes the derivatives of a normalization large; its second derivatives are not
  // mistaken for kinks.
  it.each([
    [1, 1],
    [2, 1],
    [3, 0.02],
    [4, 30],
  ])('has no kink anywhere (seed %d, spread %d)', (seed, spread) => {
    const report = checkNet(makeNet({ inputs: [2, 8, 8], batch: 6, loss: 'mse', layers: IMAGES, seed, spread }));
    expect(report.counts).toMatchObject({ kink: 0, wrong: 0 });
    expect(
      report.layers.flatMap(({ name, tensors }) =>
        tensors.map(
          ({ name: tensor, counts }) => `${name ?? 'loss'} ${tensor}: ${counts.kink} kinks, ${counts.wrong} wrong`,
        ),
      ),
    ).toEqual(
      report.layers.flatMap(({ name, tensors }) =>
        tensors.map(({ name: tensor }) => `${name ?? 'loss'} ${tensor}: 0 kinks, 0 wrong`),
      ),
    );
  });

  it('is right if all samples are equal, so that mixing of samples does not show', () => {
    const net = makeNet({ inputs: 1, batch: 1, loss: 'mse', layers: [{ kind: 'batch_norm1d' }, linear(1)] });
    net.pass.input.data.set([0]);
    expect(checkNet(net).layers.flatMap(({ tensors }) => tensors.map(({ verdict }) => verdict))).not.toContain('wrong');
  });

  it('with a kink shows it, on it and next to it', () => {
    for (const beside of [0, 1e-9, 1e-7, 1e-6, 3e-6]) {
      const net = makeNet({ inputs: 6, batch: 5, loss: 'mse', layers: [{ kind: 'relu' }, linear(2)] });
      net.pass.input.data.set([beside, -beside, 0.7], 0);
      const [relu] = checkNet(net).layers;
      expect(relu.tensors[0].counts).toMatchObject({ kink: 2, wrong: 0 });
    }
  });
});

describe('a penalty', () => {
  const penalty = { l1: 0.01, l2: 0.1, biases: false };
  const ENTRIES = 4 * 6 + 6 * 5 + 3 * 7;

  it('is checked with and without it', () => {
    const report = checkNet(makeNet({ ...RECIPE, penalty }));
    expect(report).toMatchObject({ passed: true, entries: ENTRIES, counts: { pass: ENTRIES } });
    expect(report.withoutPenalty).toMatchObject({ passed: true, counts: { pass: ENTRIES, wrong: 0 } });
    expect(checkNet(makeNet(RECIPE)).withoutPenalty).toBeNull();
    // Without it, the derivatives differ.
    const [whole] = report.parameters;
    const [data] = report.withoutPenalty?.parameters ?? [];
    expect(data.name).toBe(whole.name);
    expect(data.worst?.index && data.worst.numeric).not.toBe(whole.worst?.numeric);
  });

  it('that a layer subtracts from its gradient is missing in the whole network only', () => {
    const wrong = withLayer(
      2,
      ({ gradParameters, parameters }) =>
        gradParameters.weight.data.forEach(
          (value, i, data) =>
            (data[i] = value - 0.1 * parameters.weight.data[i] - 0.01 * Math.sign(parameters.weight.data[i])),
        ),
      { ...RECIPE, penalty },
    );
    const { diagnosis, passed } = checkNet(makeNet(wrong));
    expect(passed).toBe(false);
    expect(diagnosis).toMatchObject({ layer: 'linear2', tensor: 'weight', cause: 'penalty_missing' });
  });

  it('is mentioned with the values of an entry, if the explanation is without it', () => {
    const wrong = withLayer(2, ({ gradParameters }) => doubleAll(gradParameters.weight.data), { ...RECIPE, penalty });
    const { diagnosis } = checkNet(makeNet(wrong));
    expect(diagnosis).toMatchObject({
      layer: 'linear2',
      tensor: 'weight',
      cause: 'factor',
      factor: expect.closeTo(2, 5),
    });
    expect(diagnosis?.sentence).toMatch(/\(with the penalty, at \[\d, \d\] /);
    expect(
      checkNet(makeNet(withLayer(2, ({ gradParameters }) => doubleAll(gradParameters.weight.data)))).diagnosis
        ?.sentence,
    ).not.toContain('penalty');
  });

  it('that hides a fault does not pass: wrong without it is wrong', () => {
    // An extra decay only for the data's loss: with a penalty of the same size it would look right.
    let calls = 0;
    const wrong = withLayer(
      0,
      ({ gradParameters }) => (calls++ === 1 ? doubleAll(gradParameters.weight.data) : undefined),
      { ...RECIPE, penalty },
    );
    const report = checkNet(makeNet(wrong));
    expect(report.counts.wrong).toBe(0);
    expect(report.withoutPenalty?.passed).toBe(false);
    expect(report.passed).toBe(false);
  });
});
