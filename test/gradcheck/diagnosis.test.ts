// Why a gradient is wrong: planted faults of every kind must be named, in the right layer and tensor, in words.
import { describe, expect, it } from 'vitest';
import type { LayerDefinition } from '../../src/engine/layers/layer';
import { losses } from '../../src/engine/losses';
import type { LossDefinition } from '../../src/engine/losses/loss';
import { GradientCheck } from '../../src/gradcheck';
import { checkNet, type LayerRecipe, layerOf, linear, makeNet, type NetRecipe, OPTIONS } from './nets';
import { plant, PLANTED } from './planted';

/** 5-4-tanh-6-tanh-3, batch 32: no two sizes are equal. */
const LAYERS: readonly LayerRecipe[] = [linear(4), { kind: 'tanh' }, linear(6), { kind: 'tanh' }, linear(3)];
const RECIPE: NetRecipe = { inputs: 5, batch: 32, loss: 'cross_entropy', layers: LAYERS, seed: 3 };

/** The second linear layer with something done after its own backward. */
const spoiled = (spoil: LayerDefinition['backward']): NetRecipe => {
  const definition: LayerDefinition = {
    ...layerOf('linear'),
    backward(context) {
      layerOf('linear').backward(context);
      spoil(context);
    },
  };
  return { ...RECIPE, layers: LAYERS.map((layer, i) => (i === 2 ? { ...layer, definition } : layer)) };
};

const scale = (data: Float64Array | Float32Array | undefined, by: number): void => data?.forEach((_, i) => (data[i] *= by));

describe('planted faults', () => {
  it('are of many kinds', () => {
    expect(new Set(PLANTED.flatMap(({ causes }) => causes)).size).toBeGreaterThanOrEqual(15);
    expect(new Set(PLANTED.map(({ name }) => name)).size).toBe(PLANTED.length);
  });

  it.each(PLANTED.map((planted) => [planted.name, planted] as const))('%s: the cause is named', (_, planted) => {
    const outcomes = [0, 1, 2, 3].map((seed) => plant(planted, 1000 + seed)).filter((outcome) => outcome !== null);
    // Some faults change nothing in some networks, such as the sign of a zero.
    expect(outcomes.length).toBeGreaterThan(0);
    for (const { diagnosis, layer } of outcomes) {
      expect(diagnosis).toMatchObject({ layer, tensor: planted.tensor });
      expect(planted.causes).toContain(diagnosis?.cause);
      expect(diagnosis?.sentence).toContain(layer ?? 'loss');
    }
  });
});

describe('a diagnosis', () => {
  it('is null where nothing is wrong', () => {
    expect(checkNet(makeNet(RECIPE)).diagnosis).toBeNull();
  });

  it('names the dimension that a factor equals, in the batch that was checked', () => {
    const { diagnosis, parameters } = checkNet(makeNet(spoiled(({ gradParameters, input }) => scale(gradParameters.weight.data, 1 / input.shape[0]))));
    expect(diagnosis).toMatchObject({
      layer: 'linear2', kind: 'linear', tensor: 'weight', cause: 'factor', factor: 1 / 32, dimension: { name: 'samples in the batch', size: 32 }, misled: [],
    });
    expect(diagnosis?.residual).toBeLessThan(1e-6);
    expect(diagnosis?.sentence).toMatch(/^The gradient of linear2\.weight is divided by 32 once too often: 32 is the number of samples in the batch \(at \[\d, \d\] /);
    // The values told are those of the whole network, as in the table.
    expect(diagnosis?.analytic).toBeCloseTo((diagnosis?.numeric ?? NaN) / 32, 8);
    expect(parameters.filter(({ verdict }) => verdict === 'wrong').map(({ name }) => name)).toEqual(['linear2.weight']);
  });

  it('tells the classes from the batch in a loss', () => {
    const definition = losses.cross_entropy as LossDefinition;
    const loss: LossDefinition = { ...definition, value: (context) => definition.value(context) / 3 };
    const { diagnosis } = checkNet(makeNet({ ...RECIPE, loss: { definition: loss } }));
    expect(diagnosis).toMatchObject({ layer: null, kind: 'cross_entropy', tensor: 'prediction', cause: 'factor', factor: 3, dimension: { name: 'classes', size: 3 } });
    expect(diagnosis?.misled).toHaveLength(6);
  });

  it('keeps what a layer makes of its signal apart from the signal: others are misled, not wrong', () => {
    const { diagnosis } = checkNet(makeNet(spoiled(({ gradInput }) => scale(gradInput?.data, -1))));
    expect(diagnosis).toMatchObject({ layer: 'linear2', tensor: 'input', cause: 'sign', factor: expect.closeTo(-1, 6), misled: ['linear1.weight', 'linear1.bias'] });
    expect(diagnosis?.sentence).toContain('The gradient that linear2 hands back has its sign flipped');
    expect(diagnosis?.sentence).toContain('linear1.weight and linear1.bias are wrong only because of that.');
  });

  it('starts with the fault nearest to the loss, and names the others', () => {
    const twoFaults = spoiled(({ gradInput, gradParameters }) => {
      scale(gradParameters.bias.data, 2);
      scale(gradInput?.data, -1);
    });
    const { diagnosis } = checkNet(makeNet(twoFaults));
    expect(diagnosis).toMatchObject({ layer: 'linear2', tensor: 'input', cause: 'sign' });
    expect(diagnosis?.sentence).toContain('Wrong as well: gradient of linear2.bias.');
    expect(diagnosis?.sentence).toContain('wrong only because wrong gradients arrive there.');
  });

  it('of a single entry among many names that entry', () => {
    const { diagnosis } = checkNet(makeNet(spoiled(({ gradParameters }) => (gradParameters.weight.data[13] *= -1))));
    expect(diagnosis).toMatchObject({ cause: 'single_entries', index: [3, 1] });
    expect(diagnosis?.sentence).toContain('is wrong at [3, 1] alone: it has its sign flipped there');
  });

  it('does not pretend: what no explanation fits is called unexplained', () => {
    const { diagnosis } = checkNet(makeNet(spoiled(({ gradParameters }) => gradParameters.weight.data.forEach((value, i, data) => (data[i] = Math.sin(40 * i) + value * value)))));
    expect(diagnosis).toMatchObject({ layer: 'linear2', tensor: 'weight', cause: 'unexplained', residual: 1 });
    expect(diagnosis?.sentence).toContain('wrong in a way that no simple explanation fits');
  });

  it('says so where every layer alone is right', () => {
    // Wrong only for 32 samples: alone the layer gets another number.
    const { diagnosis } = checkNet(makeNet(spoiled(({ gradParameters, input }) => scale(gradParameters.weight.data, input.shape[0] === 32 ? 2 : 1))));
    expect(diagnosis).toMatchObject({ layer: 'linear2', tensor: 'weight', cause: 'factor', factor: expect.closeTo(2, 4) });
    expect(diagnosis?.sentence).toContain('Alone, with random gradients from above, every layer is right.');
  });

  it('on the way changes nothing for the entries that follow', () => {
    const make = () => new GradientCheck({ ...makeNet(spoiled(({ gradInput }) => scale(gradInput?.data, 2))), step: 0, options: OPTIONS });
    const [asked, unasked] = [make(), make()];
    while (asked.advance(10)) {
      while (asked.explain());
      asked.report();
    }
    while (unasked.advance(10));
    expect(asked.report()).toEqual(unasked.report());
    expect(asked.report().diagnosis).not.toBeNull();
  });

  it('is looked for in slices, with every verdict told before, and can be given up', () => {
    const check = new GradientCheck({ ...makeNet(spoiled(({ gradInput }) => scale(gradInput?.data, -1.01))), step: 0, options: OPTIONS });
    while (check.checked < check.entries) check.advance(1);
    expect(check.progress()).toEqual({ checked: 75, entries: 75, counts: { pass: 51, wrong: 24, kink: 0, below_noise: 0 }, explaining: true });
    let slices = 0;
    while (check.explain()) {
      slices++;
      expect(check.report()).toMatchObject({ complete: true, passed: false, diagnosis: null, layers: [] });
    }
    expect(slices).toBeGreaterThan(10);
    expect(check.report()).toMatchObject({ diagnosis: { layer: 'linear2', tensor: 'input', cause: 'factor' } });
  });

  it('tries a dropout with the mask that was drawn', () => {
    const definition: LayerDefinition = {
      ...layerOf('dropout'),
      backward: ({ kernels, gradOutput, gradInput }) => {
        if (gradInput) kernels.copy(gradInput, gradOutput);
      },
    };
    const withDropout = (layer: LayerRecipe): NetRecipe => ({ ...RECIPE, layers: [linear(4), layer, linear(3)] });
    expect(checkNet(makeNet(withDropout({ kind: 'dropout' }))).diagnosis).toBeNull();
    const { diagnosis } = checkNet(makeNet(withDropout({ kind: 'dropout', definition })));
    expect(diagnosis).toMatchObject({ layer: 'dropout1', tensor: 'input', cause: 'derivative_missing' });
  });

  it('of a guarded loss blames the loss', () => {
    const net = makeNet({ inputs: 1, batch: 1, loss: 'bce', layers: [linear(1, { weight: [[0]], bias: [-30] }), { kind: 'sigmoid' }] });
    net.pass.input.data[0] = 1;
    net.pass.target.data[0] = 1;
    expect(checkNet(net).diagnosis).toMatchObject({ layer: null, kind: 'bce', tensor: 'prediction' });
  });
});
