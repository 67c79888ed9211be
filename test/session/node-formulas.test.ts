// Every tensor of a step has a formula, and its value is what the formula says, for every example.
import { beforeAll, describe, expect, it } from 'vitest';
import type { Equation } from '../../src/engine/formulas/ast';
import { evaluate, type Scope, type Value } from '../../src/engine/formulas/evaluate';
import { inputNames } from '../../src/engine/formulas/definition';
import { consumersOf, hasAuxiliaryLoss, NETWORK_INPUT } from '../../src/engine/network-graph';
import { parametersUsedBy } from '../../src/engine/network-model';
import { equationFor, formulasOfAuxiliaryLoss, formulasOfLayer, formulasOfLoss } from '../../src/session/node-formulas';
import { runQuery } from '../../src/session/queries';
import type { TrainingSession } from '../../src/session/session';
import '../support/allclose';
import { advanceToUpdate, names, openExample, textOf } from '../support/examples';

/** Examples whose custom code is wrong on purpose: the formulas say what would be right. */
const WRONG = [
  'custom-layer-with-a-bug',
  'custom-loss-with-a-bug',
  'wrong-bce-factor',
  'wrong-clipped-probabilities',
  'wrong-distance',
  'wrong-left-over-sum',
  'wrong-loss-scale',
  'wrong-probability-gradient',
];
/** Multiply-adds of a sample, and numbers, above which the slow evaluator takes long; golden cases hold such layers. */
const MAX_MACS = 2000;
const MAX_NUMBERS = 1000;
const SAMPLES = 3;

/** The first step with a few samples in float64, before its update. */
function firstStep(name: string): TrainingSession {
  const text = textOf(name)
    .replace(/"precision": *"float32"/, '"precision": "float64"')
    .replace(/"batch_size": *(?:\d+|"all"|"full")/, `"batch_size": ${SAMPLES}`);
  const precise = text.includes('"precision"') ? text : text.replace(/\}\s*$/, ', "precision": "float64" }');
  const small = precise.includes('"batch_size"') ? precise : precise.replace(/\}\s*$/, `, "batch_size": ${SAMPLES} }`);
  return advanceToUpdate(openExample(name, small).session);
}

const gradientOf = (session: TrainingSession, source: number): Value =>
  source === NETWORK_INPUT ? session.pass.inputGradient! : session.pass.outputGradients[source];

/** What the formulas of a layer say, by the tensor's key: `y`, `d(x)`, `d(weight)`. */
function scopeOf({ network, pass }: TrainingSession, layer: number): Scope | null {
  const formulas = formulasOfLayer(network.model.layers[layer]);
  if (!formulas) return null;
  const inputs = pass.layerInputs(layer);
  return {
    reading: formulas.reading ?? 'sample',
    tensors: {
      ...Object.fromEntries(inputNames(inputs.length).map((name, i) => [name, inputs[i]])),
      y: pass.outputs[layer],
      'd(y)': pass.outputGradients[layer],
      ...(pass.masks[layer] && { m: pass.masks[layer] }),
    },
    constants: {
      ...(formulas as { constants?: Record<string, Value> }).constants,
      ...Object.fromEntries(parametersUsedBy(network, layer).map(({ shortName, value }) => [shortName, value])),
      ...Object.fromEntries(
        network.buffers.filter((buffer) => buffer.layer === layer).map(({ shortName, value }) => [shortName, value]),
      ),
    },
  };
}

const sumOf = (all: readonly Float64Array[]): number[] =>
  Array.from(all[0], (_, i) => all.reduce((sum, each) => sum + each[i], 0));

const close = (actual: ArrayLike<number>, expected: ArrayLike<number>, what: string): void => {
  const wanted = Array.from(expected);
  expect({ shape: [wanted.length], data: Float64Array.from(actual) }, what).toBeAllclose(wanted, {
    rtol: 1e-7,
    atol: 1e-10 * Math.max(1e-6, ...wanted.map(Math.abs)),
  });
};

describe.each(names)('%s', (name) => {
  let session: TrainingSession;
  beforeAll(() => {
    session = firstStep(name);
  });
  const isSmall = (layer: number): boolean =>
    session.model.layers[layer].figures.macs <= MAX_MACS &&
    session.pass.outputs[layer].data.length + session.pass.layerInput(layer).data.length <= MAX_NUMBERS;

  it('has a formula at every node that is computed', () => {
    const { nodes } = runQuery(session, { type: 'step_graph', sample: session.batch.order[session.batch.from] }).value!;
    const without = nodes.filter(
      ({ id, formula }) => !formula && !['input', 'target', 'parameter', 'update', 'updated'].includes(id.of),
    );
    expect(without.map(({ id }) => id)).toEqual([]);
    for (const { formula } of nodes) if (formula) expect(formula.latex).not.toContain('undefined');
  });

  if (WRONG.includes(name) || name === 'large-logits-separate') return;

  it('outputs are what their formulas say', () => {
    const {
      pass,
      network: { model },
    } = session;
    for (const [layer, { name: own }] of model.layers.entries()) {
      if (!isSmall(layer)) continue;
      const equation = equationFor(formulasOfLayer(model.layers[layer]), 'y', false)!;
      const { shape, data } = pass.outputs[layer];
      close(evaluate(equation, scopeOf(session, layer)!, shape, true), data, own);
    }
  });

  it('gradients are what their formulas say', () => {
    const {
      network,
      network: { model },
    } = session;
    const evaluated = (layer: number, tensor: string, shape: readonly number[], perSample: boolean) => {
      const equation: Equation = equationFor(formulasOfLayer(model.layers[layer]), tensor, true)!;
      return evaluate(equation, scopeOf(session, layer)!, shape, perSample);
    };
    for (const source of [NETWORK_INPUT, ...model.layers.keys()]) {
      const consumers = consumersOf(model, source);
      // That of an output with a loss contains its part as well.
      if (hasAuxiliaryLoss(model, source)) continue;
      if (consumers.length === 0 || consumers.some(({ layer }) => !isSmall(layer))) continue;
      const { shape, data } = gradientOf(session, source);
      const shares = consumers.map(({ layer, position }) =>
        evaluated(layer, position === 0 ? 'x' : `x${position + 1}`, shape, true),
      );
      close(sumOf(shares), data, source < 0 ? 'input' : model.layers[source].name);
    }
    if (model.penalty) return;
    for (const { name: own, shortName, users, gradient } of network.parameters) {
      if (users.some((layer) => !isSmall(layer))) continue;
      close(sumOf(users.map((layer) => evaluated(layer, shortName, gradient.shape, false))), gradient.data, own);
    }
  });

  it('losses and their gradients are what their formulas say', () => {
    const {
      pass,
      network: { model },
    } = session;
    const all = [
      formulasOfLoss(model)!,
      ...(model.auxiliaryLosses ?? []).map((loss) => formulasOfAuxiliaryLoss(loss, model)!),
    ];
    let total = 0;
    for (const [i, loss] of pass.losses.entries()) {
      const formulas = all[i];
      const { prediction, target } = loss.context;
      const columns = target.shape.at(-1)!;
      const value = pass.lossValue(loss);
      const scope: Scope = {
        reading: 'rows',
        tensors: { yhat: prediction, y: target },
        constants: { ...formulas.constants, N: target.data.length / columns, K: columns, l: value },
      };
      close(evaluate(equationFor(formulas, 'l', false)!, scope, [], false), [value], 'loss');
      total += loss.weight * value;
      if (consumersOf(model, loss.layer).length > 0) continue;
      const gradient = pass.outputGradients[loss.layer];
      const own = evaluate(equationFor(formulas, 'yhat', true)!, scope, gradient.shape, true);
      close(
        own.map((each) => loss.weight * each),
        gradient.data,
        'dL/dŷ',
      );
    }
    expect(pass.dataLoss()).toBeCloseTo(total, 12);
  });
});

describe('why a parameter of a custom layer has its gradient', () => {
  it.each([
    ['custom-layer', 'beta'],
    ['four-levels-by-hand', 'weight'],
    ['four-levels-by-autograd', 'bias'],
    ['node-by-node', 'W2'],
  ])('%s: the terms of %s add up to it', (name, parameter) => {
    const session = openExample(name).session;
    session.step(true);
    const found = session.network.parameters.find(({ shortName }) => shortName === parameter)!;
    for (const index of [0, found.gradient.data.length - 1]) {
      const { value } = runQuery(session, {
        type: 'attribution',
        node: { of: 'parameter_gradient', layer: found.layer, parameter },
        index,
        sample: null,
      });
      expect(value!.kind).toBe('sum');
      expect(value!.formula).not.toBeNull();
      expect(value!.terms.length).toBeGreaterThan(0);
      const sum = value!.terms.reduce((total, term) => total + term.value, value!.remainder);
      expect(sum).toBeCloseTo(found.gradient.data[index], 5);
      for (const { value: term, factors } of value!.terms)
        expect(factors.reduce((product, factor) => product * factor.value, 1)).toBeCloseTo(term, 9);
    }
  });
});

it('adds a penalty to the loss and to the gradients that it concerns, before what the formula uses', () => {
  const { session } = openExample('svm');
  session.step(true);
  const { nodes } = runQuery(session, { type: 'step_graph', sample: null }).value!;
  const textOfNode = (of: string, parameter?: string) =>
    nodes.find(
      ({ id }) => id.of === of && (parameter === undefined || ('parameter' in id && id.parameter === parameter)),
    )!.formula!.text;
  expect(textOfNode('loss')).toBe('l = Σ max(0, 1 - s ⊙ decision) / (N K) + penalty, where s = 2 y - 1');
  expect(textOfNode('parameter_gradient', 'weight')).toBe(
    '∂l/∂weight = (∂l/∂decision)ᵀ kernel1 + gradient of the penalty',
  );
  expect(textOfNode('parameter_gradient', 'bias')).toBe('∂l/∂bias = Σ_{samples} ∂l/∂decision');
});
