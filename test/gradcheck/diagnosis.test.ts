// Diagnoses: planted faults of every kind must be named, in the right layer and tensor.
import { describe, expect, it } from 'vitest';
import type { LayerDefinition } from '../../src/engine/layers/layer';
import { losses } from '../../src/engine/losses';
import type { LossDefinition } from '../../src/engine/losses/loss';
import { GradientCheck } from '../../src/gradcheck';
import { checkNet, type LayerRecipe, layerOf, linear, makeNet, type NetRecipe, OPTIONS } from './nets';
import { injectFault, INJECTED_FAULTS } from './injected-faults';

/** 5-4-tanh-6-tanh-3, batch 32: no two sizes are equal. */
const LAYERS: readonly LayerRecipe[] = [linear(4), { kind: 'tanh' }, linear(6), { kind: 'tanh' }, linear(3)];
const RECIPE: NetRecipe = { inputs: 5, batch: 32, loss: 'cross_entropy', layers: LAYERS, seed: 3 };

/** The second linear layer, with its gradients corrupted after its own backward. */
const withFault = (corrupt: LayerDefinition['backward']): NetRecipe => {
  const definition: LayerDefinition = {
    ...layerOf('linear'),
    backward(context) {
      layerOf('linear').backward(context);
      corrupt(context);
    },
  };
  return { ...RECIPE, layers: LAYERS.map((layer, i) => (i === 2 ? { ...layer, definition } : layer)) };
};

const scale = (data: Float64Array | Float32Array | undefined, by: number): void =>
  data?.forEach((_, i) => (data[i] *= by));

describe('planted faults', () => {
  it('are of many kinds', () => {
    expect(new Set(INJECTED_FAULTS.flatMap(({ causes }) => causes)).size).toBeGreaterThanOrEqual(15);
    expect(new Set(INJECTED_FAULTS.map(({ name }) => name)).size).toBe(INJECTED_FAULTS.length);
  });

  it.each(INJECTED_FAULTS.map((planted) => [planted.name, planted] as const))(
    '%s: the cause is named',
    (_, planted) => {
      const outcomes = [0, 1, 2, 3]
        .map((seed) => injectFault(planted, 1000 + seed))
        .filter((outcome) => outcome !== null);
      // Some faults change nothing in some networks, such as the sign of a zero.
      expect(outcomes.length).toBeGreaterThan(0);
      for (const { diagnosis, layer } of outcomes) {
        expect(diagnosis).toMatchObject({ layer, tensor: planted.tensor });
        expect(planted.causes).toContain(diagnosis?.cause);
        expect(diagnosis?.sentence).toContain(layer ?? 'loss');
      }
    },
  );
});

describe('a diagnosis', () => {
  it('is null if nothing is wrong', () => {
    expect(checkNet(makeNet(RECIPE)).diagnosis).toBeNull();
  });

  it('names the dimension that a factor equals, in the batch that was checked', () => {
    const { diagnosis, parameters } = checkNet(
      makeNet(withFault(({ gradParameters, input }) => scale(gradParameters.weight.data, 1 / input.shape[0]))),
    );
    expect(diagnosis).toMatchObject({
      layer: 'linear2',
      kind: 'linear',
      tensor: 'weight',
      cause: 'factor',
      factor: 1 / 32,
      dimension: { name: 'samples in the batch', size: 32 },
      misled: [],
    });
    expect(diagnosis?.residual).toBeLessThan(1e-6);
    expect(diagnosis?.sentence).toMatch(
      /^The gradient of linear2\.weight is divided by 32 .*: 32 is the number of samples in the batch \(at \[\d, \d\] /,
    );
    // The reported values are those of the whole network, as in the table.
    expect(diagnosis?.analytic).toBeCloseTo((diagnosis?.numeric ?? NaN) / 32, 8);
    expect(parameters.filter(({ verdict }) => verdict === 'wrong').map(({ name }) => name)).toEqual(['linear2.weight']);
  });

  it('distinguishes classes from the batch in a loss', () => {
    const definition = losses.cross_entropy as LossDefinition;
    const loss: LossDefinition = { ...definition, value: (context) => definition.value(context) / 3 };
    const { diagnosis } = checkNet(makeNet({ ...RECIPE, loss: { definition: loss } }));
    expect(diagnosis).toMatchObject({
      layer: null,
      kind: 'cross_entropy',
      tensor: 'prediction',
      cause: 'factor',
      factor: 3,
      dimension: { name: 'classes', size: 3 },
    });
    expect(diagnosis?.misled).toHaveLength(6);
  });

  it('separates a wrong layer from layers that receive a wrong gradient', () => {
    const { diagnosis } = checkNet(makeNet(withFault(({ gradInput }) => scale(gradInput?.data, -1))));
    expect(diagnosis).toMatchObject({
      layer: 'linear2',
      tensor: 'input',
      cause: 'sign',
      factor: expect.closeTo(-1, 6),
      misled: ['linear1.weight', 'linear1.bias'],
    });
    expect(diagnosis?.sentence).toContain('linear2');
    expect(diagnosis?.sentence).toContain('linear1.weight and linear1.bias');
  });

  it('starts with the fault closest to the loss, and names the others', () => {
    const twoFaults = withFault(({ gradInput, gradParameters }) => {
      scale(gradParameters.bias.data, 2);
      scale(gradInput?.data, -1);
    });
    const { diagnosis } = checkNet(makeNet(twoFaults));
    expect(diagnosis).toMatchObject({ layer: 'linear2', tensor: 'input', cause: 'sign' });
    expect(diagnosis?.sentence).toContain('linear2.bias');
  });

  it('names the single wrong entry among many', () => {
    const { diagnosis } = checkNet(makeNet(withFault(({ gradParameters }) => (gradParameters.weight.data[13] *= -1))));
    expect(diagnosis).toMatchObject({ cause: 'single_entries', index: [3, 1] });
    expect(diagnosis?.sentence).toContain('is wrong at [3, 1] alone: it has its sign flipped there');
  });

  it('calls a fault unexplained if no explanation fits', () => {
    const { diagnosis } = checkNet(
      makeNet(
        withFault(({ gradParameters }) =>
          gradParameters.weight.data.forEach((value, i, data) => (data[i] = Math.sin(40 * i) + value * value)),
        ),
      ),
    );
    expect(diagnosis).toMatchObject({ layer: 'linear2', tensor: 'weight', cause: 'unexplained', residual: 1 });
    expect(diagnosis?.sentence).toContain('wrong in a way that no simple explanation fits');
  });

  it('says so if every layer is right in isolation', () => {
    // Wrong only for 32 samples; in isolation, the layer gets another number.
    const { diagnosis } = checkNet(
      makeNet(
        withFault(({ gradParameters, input }) => scale(gradParameters.weight.data, input.shape[0] === 32 ? 2 : 1)),
      ),
    );
    expect(diagnosis).toMatchObject({
      layer: 'linear2',
      tensor: 'weight',
      cause: 'factor',
      factor: expect.closeTo(2, 4),
      misled: [],
    });
  });

  it('during a check does not change the entries that follow', () => {
    const make = () =>
      new GradientCheck({
        ...makeNet(withFault(({ gradInput }) => scale(gradInput?.data, 2))),
        step: 0,
        options: OPTIONS,
      });
    const [asked, unasked] = [make(), make()];
    while (asked.advance(10)) {
      while (asked.advanceDiagnosis());
      asked.report();
    }
    while (unasked.advance(10));
    expect(asked.report()).toEqual(unasked.report());
    expect(asked.report().diagnosis).not.toBeNull();
  });

  it('runs in slices after all verdicts, and can be cancelled', () => {
    const check = new GradientCheck({
      ...makeNet(withFault(({ gradInput }) => scale(gradInput?.data, -1.01))),
      step: 0,
      options: OPTIONS,
    });
    while (check.checked < check.entries) check.advance(1);
    expect(check.progress()).toEqual({
      checked: 75,
      entries: 75,
      counts: { pass: 51, wrong: 24, kink: 0, below_noise: 0 },
      diagnosing: true,
    });
    let slices = 0;
    while (check.advanceDiagnosis()) {
      slices++;
      expect(check.report()).toMatchObject({ complete: false, passed: false, diagnosis: null, layers: [] });
    }
    expect(slices).toBeGreaterThan(10);
    expect(check.report()).toMatchObject({ diagnosis: { layer: 'linear2', tensor: 'input', cause: 'factor' } });
  });

  it('tests a dropout with the mask that was drawn', () => {
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
    const net = makeNet({
      inputs: 1,
      batch: 1,
      loss: 'bce',
      layers: [linear(1, { weight: [[0]], bias: [-30] }), { kind: 'sigmoid' }],
    });
    net.pass.input.data[0] = 1;
    net.pass.target.data[0] = 1;
    expect(checkNet(net).diagnosis).toMatchObject({ layer: null, kind: 'bce', tensor: 'prediction' });
  });
});
