// The formulas of layers and losses against PyTorch's values, by the slow evaluator.
import { describe, expect, it } from 'vitest';
import { inputNames } from '../../src/engine/formulas/definition';
import { evaluate, type Value } from '../../src/engine/formulas/evaluate';
import { parseFormula } from '../../src/engine/formulas/parse';
import { createBackend } from '../../src/engine/kernels/create-kernels';
import { losses } from '../../src/engine/losses';
import type { LossDefinition } from '../../src/engine/losses/loss';
import '../support/allclose';
import { golden, goldenLayers, type GoldenLayer, type GoldenLoss } from '../support/golden';
import { layerKinds } from '../support/layers';
import { layerContext, layerOf } from '../support/network-fixtures';
import { flat, shapeOf } from '../support/nested-lists';

const kernels = createBackend('reference', 'float64');

/** Evaluates every equation of a layer in the place of its own numbers. */
function layerValues(testCase: GoldenLayer): Map<string, Float64Array> {
  const definition = layerOf(testCase.kind);
  const context = layerContext(kernels, testCase);
  definition.forward(context);
  const names = inputNames(1 + context.otherInputs.length);
  const inputs = [context.input, ...context.otherInputs];
  const { equations, reading = 'sample' } = definition.formulas!({
    options: context.options,
    inputs: names,
    shapes: inputs.map(({ shape }) => shape.slice(1)),
  })!;
  const scope = {
    reading,
    tensors: {
      ...Object.fromEntries(names.map((name, i) => [name, inputs[i]!])),
      y: context.output,
      'd(y)': context.gradOutput,
      ...(context.mask && { m: context.mask }),
    },
    constants: { ...context.parameters, ...context.buffers } as Record<string, Value>,
  };
  const shapes: Record<string, readonly number[]> = {
    y: context.output.shape,
    ...Object.fromEntries(names.map((name, i) => [`d(${name})`, inputs[i]!.shape])),
    ...Object.fromEntries(Object.entries(context.parameters).map(([name, { shape }]) => [`d(${name})`, shape])),
  };
  return new Map(
    equations.map(parseFormula).flatMap((equation): [string, Float64Array][] => {
      const { name, isGradient } = equation.target;
      const key = isGradient ? `d(${name})` : name;
      const shape = shapes[key];
      return shape ? [[key, evaluate(equation, scope, shape, !(name in context.parameters))]] : [];
    }),
  );
}

/** They draw nothing unless an option says so. */
const LAYERS_WITH_OWN_DROPOUT: readonly string[] = ['rnn', 'gru', 'lstm'];

// In evaluation, some layers compute something else; at extremes, formulas overflow where layers do not.
const comparable = goldenLayers().filter(
  ({ name, training, kind, drawn }) =>
    !/extremes|1e4/.test(name) &&
    (training !== false || layerOf(kind).normalizesOver !== 'batch') &&
    (drawn !== undefined || !layerOf(kind).sampleMask || LAYERS_WITH_OWN_DROPOUT.includes(kind)),
);

describe('formulas of layers give the values of PyTorch', () => {
  it.each(layerKinds)('%s has cases', (kind) => {
    expect(comparable.filter((testCase) => testCase.kind === kind).length).toBeGreaterThan(0);
  });

  it.each(comparable)('$name', (testCase) => {
    const values = layerValues(testCase);
    const expected: Record<string, unknown> = {
      y: testCase.output,
      'd(x)': testCase.gradInput,
      ...Object.fromEntries((testCase.gradOtherInputs ?? []).map((gradient, i) => [`d(x${i + 2})`, gradient])),
      ...Object.fromEntries(
        Object.entries(testCase.gradParameters).map(([name, gradient]) => [`d(${name})`, gradient]),
      ),
    };
    expect([...values.keys()].sort()).toEqual(Object.keys(expected).sort());
    for (const [name, value] of Object.entries(expected)) {
      const wanted = flat(value as never);
      expect({ shape: [wanted.length], data: values.get(name)! }, name).toBeAllclose(wanted, {
        rtol: 1e-9,
        atol: (testCase.atol ?? 0) + 1e-12 * Math.max(1, ...wanted.map(Math.abs)),
      });
    }
  });
});

function lossValues({ kind, options, prediction, target }: GoldenLoss) {
  const definition = losses[kind] as unknown as LossDefinition;
  const parsed = definition.options.parse(options);
  const shape = shapeOf(prediction);
  const [columns, rows] = [shape.at(-1)!, flat(prediction).length / shape.at(-1)!];
  const { equations, constants = {} } = definition.formulas!(parsed, columns)!;
  const yhat = { shape, data: flat(prediction) };
  const y = { shape, data: flat(target) };
  const value = (name: string, given: { yhat: Value; y: Value }): Float64Array => {
    const equation = parseFormula(
      equations.find((text) => text.startsWith(`${name} =`) || text.startsWith(`${name}[`))!,
    );
    const known = { ...constants, N: rows, K: columns };
    const l = name === 'l' ? {} : { l: value('l', given)[0]! };
    return evaluate(
      equation,
      { reading: 'rows', tensors: { ...given }, constants: { ...known, ...l } },
      name === 'l' ? [] : shape,
      name !== 'l',
    );
  };
  return { value, yhat, y };
}

const lossCases = [...golden('losses.json'), ...golden('losses-attention.json')].filter(
  // The targets of classes sum to 1. At 0 and 1, and on a kink, there is no derivative.
  ({ name }) => !/extremes|1e4|do not sum|exactly 0 and 1|at the margin/.test(name),
);

describe('formulas of losses give the values of PyTorch', () => {
  it.each(Object.keys(losses))('%s has cases', (kind) => {
    expect(lossCases.filter((testCase) => testCase.kind === kind).length).toBeGreaterThan(0);
  });

  it.each(lossCases)('$name', (testCase) => {
    const { value, yhat, y } = lossValues(testCase);
    expect(value('l', { yhat, y })[0]).toBeCloseTo(testCase.value, 9);
    expect({ shape: yhat.shape, data: value('d(yhat)', { yhat, y }) }).toBeAllclose(testCase.gradPrediction, {
      rtol: 1e-9,
      atol: 1e-12,
    });
  });

  it.each(lossCases)('$name: the gradient of the target is the derivative of the value', (testCase) => {
    const { value, yhat, y } = lossValues(testCase);
    const gradient = value('d(y)', { yhat, y });
    for (let i = 0; i < Math.min(6, y.data.length); i++) {
      const at = (by: number): number =>
        value('l', { yhat, y: { ...y, data: y.data.map((entry, j) => (i === j ? entry + by : entry)) } })[0]!;
      const numeric = (at(1e-6) - at(-1e-6)) / 2e-6;
      expect(gradient[i]).toBeCloseTo(numeric, 5);
    }
  });
});
