// Queries about a finished check: the errors of a parameter in its own shape, and the details of one entry.
import { VERDICTS } from '../../src/protocol/check-report';
import { describe, expect, it } from 'vitest';
import type { LayerDefinition } from '../../src/engine/layers/layer';
import { GradientCheck } from '../../src/gradcheck';
import { layerOf, linear, makeNet, type NetRecipe, OPTIONS, setParameter } from './nets';

const RECIPE: NetRecipe = {
  inputs: 5,
  batch: 6,
  loss: 'cross_entropy',
  layers: [linear(7), { kind: 'tanh' }, linear(3)],
  seed: 4,
};

function finishedCheck(recipe: NetRecipe, prepare: (net: ReturnType<typeof makeNet>) => void = () => undefined) {
  const net = makeNet(recipe);
  prepare(net);
  const check = new GradientCheck({ ...net, step: 0, options: OPTIONS });
  while (check.advance(100));
  return { net, check, report: check.report() };
}

/** Row 2 of the first weights is wrong. */
const ROW_WRONG: NetRecipe = {
  ...RECIPE,
  layers: RECIPE.layers.map((layer, i) => {
    if (i > 0) return layer;
    const definition: LayerDefinition = {
      ...layerOf('linear'),
      backward(context) {
        layerOf('linear').backward(context);
        const { data } = context.gradParameters.weight;
        for (let j = 10; j < 15; j++) data[j] *= 3;
      },
    };
    return { ...layer, definition };
  }),
};

describe('the error map of a parameter', () => {
  it('shows a wrong row at its position', () => {
    const map = finishedCheck(ROW_WRONG).check.errorMap('linear1.weight', 64);
    expect(map).toMatchObject({
      name: 'linear1.weight',
      shape: [7, 5],
      rows: 7,
      columns: 5,
      rowStride: 1,
      columnStride: 1,
    });
    expect([...(map?.index ?? [])]).toEqual([...Array(35).keys()]);
    const wrong = Array.from(map?.verdict ?? [], (verdict, i) => (VERDICTS[verdict] === 'wrong' ? i : -1)).filter(
      (i) => i >= 0,
    );
    expect(wrong).toEqual([10, 11, 12, 13, 14]);
    for (const i of wrong) {
      expect(map?.analytic[i]).toBeCloseTo(3 * (map?.numeric[i] ?? NaN), 7);
      expect(map?.error[i]).toBeCloseTo(2 / 3, 6);
    }
  });

  it('shows the most severe verdict and largest error of the entries in a cell', () => {
    const map = finishedCheck(ROW_WRONG).check.errorMap('linear1.weight', 3);
    expect(map).toMatchObject({ rows: 3, columns: 3, rowStride: 3, columnStride: 2 });
    // Rows 0 to 2 share one row of cells.
    const first = Array.from(map?.index.subarray(0, 3) ?? []);
    expect(first.map((i) => Math.floor(i / 5))).toEqual([2, 2, 2]);
    expect(Array.from(map?.verdict ?? [], (verdict) => VERDICTS[verdict])).toEqual([
      'wrong',
      'wrong',
      'wrong',
      'pass',
      'pass',
      'pass',
      'pass',
      'pass',
      'pass',
    ]);
  });

  it('is null for a parameter that does not exist', () => {
    expect(finishedCheck(RECIPE).check.errorMap('linear9.weight', 64)).toBeNull();
  });
});

describe('the details of an entry', () => {
  it('include the loss along it, equal to that of the network, and both one-sided derivatives', () => {
    const { net, check, report } = finishedCheck(RECIPE);
    const detail = check.entryDetail('linear1.weight', 13, 0.1);
    const { data } = net.network.parameters[0].value;
    expect(detail).toMatchObject({
      name: 'linear1.weight',
      flat: 13,
      index: [2, 3],
      verdict: 'pass',
      value: data[13],
      loss: report.loss,
      kinks: new Float64Array(0),
    });
    expect(detail?.curveValues.length).toBe(129);
    const start = data[13];
    [0, 40, 64, 128].forEach((i) => {
      data[13] = detail?.curveValues[i] ?? NaN;
      expect(detail?.curveLosses[i]).toBeCloseTo(net.pass.evaluate(), 12);
    });
    data[13] = start;
    expect(detail?.curveValues[64]).toBe(start);
    expect(detail?.curveLosses[64]).toBe(report.loss);
    for (const slope of [detail?.leftDerivative, detail?.rightDerivative])
      expect(slope).toBeCloseTo(detail?.numeric ?? NaN, 4);
    expect(Math.abs((detail?.analytic ?? NaN) - (detail?.numeric ?? NaN))).toBeLessThan(10 * (detail?.errorBar ?? 0));
    expect(detail?.errorBar).toBeLessThan(1e-7);
  });

  it('do not depend on earlier queries, and change nothing', () => {
    const { check, report } = finishedCheck(ROW_WRONG);
    const first = check.entryDetail('linear1.weight', 13, 0.1);
    check.entryDetail('linear2.bias', 0, 1);
    check.entryDetail('linear1.bias', 3, 0.01);
    expect(check.entryDetail('linear1.weight', 13, 0.1)).toEqual(first);
    expect(first?.verdict).toBe('wrong');
    expect(check.report()).toEqual(report);
  });

  it('include the positions of kinks, and an error bar that spans both derivatives on one', () => {
    // y = max(0, w x + b) with x = 1 and b = -0.25: the kink is at w = 0.25, the value of the entry.
    const kinked: NetRecipe = { inputs: 1, batch: 1, loss: 'sum_squared_error', layers: [linear(1), { kind: 'relu' }] };
    const { check } = finishedCheck(kinked, (net) => {
      setParameter(net, 'linear1.weight', [0.25]);
      setParameter(net, 'linear1.bias', [-0.25]);
      net.pass.input.data[0] = 1;
      net.pass.target.data[0] = 1;
    });
    const detail = check.entryDetail('linear1.weight', 0, 0.1);
    expect(detail).toMatchObject({ verdict: 'kink', leftDerivative: 0 });
    expect(detail?.rightDerivative).toBeLessThan(-0.5);
    expect((detail?.numeric ?? NaN) + (detail?.errorBar ?? NaN)).toBeCloseTo(0, 3);
    expect((detail?.numeric ?? NaN) - (detail?.errorBar ?? NaN)).toBeCloseTo(detail?.rightDerivative ?? NaN, 3);
    expect(detail?.kinks.length).toBeGreaterThan(0);
    for (const kink of detail?.kinks ?? []) expect(Math.abs(kink - 0.25)).toBeLessThan(0.2 / 128 + 1e-12);
  });

  it('include the positions of kinks inside a layer', () => {
    // One time step of a recurrent layer with relu, which computes the same.
    const inner: NetRecipe = {
      inputs: [1, 1],
      batch: 1,
      loss: 'sum_squared_error',
      layers: [{ kind: 'rnn', options: { hidden_size: 1, nonlinearity: 'relu' } }],
    };
    const { check } = finishedCheck(inner, (net) => {
      setParameter(net, 'rnn1.weight_ih_l0', [0.25]);
      setParameter(net, 'rnn1.bias_ih_l0', [-0.25]);
      setParameter(net, 'rnn1.bias_hh_l0', [0]);
      net.pass.input.data[0] = 1;
      net.pass.target.data[0] = 1;
    });
    const detail = check.entryDetail('rnn1.weight_ih_l0', 0, 0.1);
    expect(detail).toMatchObject({ verdict: 'kink', leftDerivative: 0 });
    expect(detail?.kinks.length).toBeGreaterThan(0);
    for (const kink of detail?.kinks ?? []) expect(Math.abs(kink - 0.25)).toBeLessThan(0.2 / 128 + 1e-12);
  });

  it('are null if nothing was checked', () => {
    const check = new GradientCheck({ ...makeNet(RECIPE), step: 0, options: OPTIONS });
    check.advance(3);
    expect(check.entryDetail('linear1.weight', 0, 0.1)).toBeNull();
    expect(check.entryDetail('linear1.weight', 99, 0.1)).toBeNull();
    expect(check.entryDetail('nothing', 0, 0.1)).toBeNull();
  });
});
