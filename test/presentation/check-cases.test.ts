// A check as test cases: which cases there are, and which ones fail for which fault.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inputTensorName, type LayerDefinition } from '../../src/engine/layers/layer';
import { ancestorsOf, inputsOf } from '../../src/engine/network-graph';
import { type CheckCase, listCaseTargets, buildCheckCases, type CaseLayer } from '../../src/presentation/check-cases';
import { checkNet, layerOf, linear, makeNet, type NetRecipe } from '../gradcheck/nets';

const RECIPE: NetRecipe = {
  inputs: 3,
  batch: 8,
  loss: 'cross_entropy',
  layers: [{ kind: 'flatten' }, linear(4), { kind: 'tanh' }, linear(3)],
};

function layersOf(recipe: NetRecipe): CaseLayer[] {
  const { network } = makeNet(recipe);
  return network.model.layers.map(({ name, definition }, i) => ({
    name,
    kind: definition.kind,
    inputs: inputsOf(network.model, i),
    parameters: network.parameters.filter(({ layer }) => layer === i),
  }));
}

const cases = (recipe: NetRecipe): CheckCase[] => buildCheckCases(checkNet(makeNet(recipe)), layersOf(recipe));

/** `failed 1.weight`, one per case. */
const outcomes = (recipe: NetRecipe): string[] =>
  cases(recipe).map(({ outcome, layer, tensor }) => `${outcome} ${layer ?? 'loss'}.${tensor}`);

function faulty(at: number, backward: LayerDefinition['backward']): NetRecipe {
  const layers = RECIPE.layers.map((layer, i) =>
    i === at ? { ...layer, definition: { ...layerOf(layer.kind), backward } } : layer,
  );
  return { ...RECIPE, layers };
}

const scale = (data: Float32Array | Float64Array | undefined, factor: number): void =>
  data?.forEach((value, i) => (data[i] = value * factor));

describe('the cases of a check', () => {
  it('are every parameter, every input gradient that a parameter before it depends on, and the loss', () => {
    expect(listCaseTargets(layersOf(RECIPE)).map(({ layer, tensor, parameter }) => [layer, tensor, parameter])).toEqual(
      [
        [1, 'weight', 'linear1.weight'],
        [1, 'bias', 'linear1.bias'],
        [2, 'input', null],
        [3, 'weight', 'linear2.weight'],
        [3, 'bias', 'linear2.bias'],
        [3, 'input', null],
        [null, 'prediction', null],
      ],
    );
  });

  it('include exactly the input gradients that a parameter before them depends on, in any network', () => {
    const network = fc.array(fc.record({ isTrained: fc.boolean(), inputs: fc.array(fc.nat(), { maxLength: 3 }) }), {
      minLength: 1,
      maxLength: 12,
    });
    fc.assert(
      fc.property(network, (recipe) => {
        const layers = recipe.map(({ isTrained, inputs }, i): CaseLayer => ({
          name: `layer${i}`,
          kind: 'any',
          // -1 is the input of the network.
          inputs: (inputs.length > 0 ? inputs : [0]).map((input) => (input % (i + 1)) - 1),
          parameters: isTrained ? [{ name: `layer${i}.weight`, shortName: 'weight' }] : [],
        }));
        const expected = layers.flatMap(({ inputs }, layer) =>
          inputs.flatMap((input, position) =>
            input >= 0 && [input, ...ancestorsOf({ layers }, input)].some((each) => recipe[each]!.isTrained)
              ? [[layer, inputTensorName(position)]]
              : [],
          ),
        );
        const found = listCaseTargets(layers).filter(({ layer, parameter }) => layer !== null && parameter === null);
        expect(found.map(({ layer, tensor }) => [layer, tensor])).toEqual(expected);
      }),
    );
  });

  it('pass if backprop is right', () => {
    expect(outcomes(RECIPE)).toEqual([
      'passed 1.weight',
      'passed 1.bias',
      'passed 2.input',
      'passed 3.weight',
      'passed 3.bias',
      'passed 3.input',
      'passed loss.prediction',
    ]);
  });

  it('fail at the wrong parameter, with its worst entry, and nowhere else', () => {
    const recipe = faulty(3, (context) => {
      layerOf('linear').backward(context);
      scale(context.gradParameters.weight.data as Float64Array, 2);
    });
    expect(outcomes(recipe)).toEqual([
      'passed 1.weight',
      'passed 1.bias',
      'passed 2.input',
      'failed 3.weight',
      'passed 3.bias',
      'passed 3.input',
      'skipped loss.prediction',
    ]);
    const failed = cases(recipe).find(({ outcome }) => outcome === 'failed');
    expect(failed?.worst?.analytic).toBeCloseTo(2 * (failed?.worst?.numeric ?? NaN), 6);
    expect(failed?.message).toMatch(
      /^Backprop is wrong at 12 of 12 entries of linear2\.weight\. The worst is \[\d, \d\]: .*\nWhy: The gradient of linear2\.weight is twice what it should be/,
    );
  });

  it('fail at a layer without parameters whose input gradient is wrong, and at those downstream', () => {
    const recipe = faulty(2, (context) => {
      layerOf('tanh').backward(context);
      scale(context.gradInput?.data as Float64Array, -1);
    });
    expect(outcomes(recipe)).toEqual([
      'failed 1.weight',
      'failed 1.bias',
      'failed 2.input',
      'passed 3.weight',
      'passed 3.bias',
      'skipped 3.input',
      'skipped loss.prediction',
    ]);
    const [, , signal, , , told] = cases(recipe);
    expect(signal.message).toContain('tanh1');
    expect(signal.worst?.analytic).toBeCloseTo(-(signal.worst?.numeric ?? NaN), 6);
    expect(told.message).toContain('linear1.weight, linear1.bias');
  });

  it('are skipped if inconclusive', () => {
    const still = { ...RECIPE, spread: 0, layers: [linear(3, { bias: false })] };
    expect(outcomes(still)).toEqual(['skipped 0.weight', 'skipped loss.prediction']);
    expect(cases(still)[0].message).toMatch(/linear1\.weight.*\b9\b/);
  });
});
