// Recurrent layers against numbers that were published: the checks of the notebook on RNNs and LSTMs of Stanford's
// course CS231n (assignment 3). Those begin from an initial state h₀; it is a further part of the first input here,
// with the weights of the hidden state.
import { describe, expect, it } from 'vitest';
import { ReferenceKernels } from '../../../src/engine/kernels/reference-kernels';
import type { LayerKind } from '../../../src/engine/layers';
import type { Shape2 } from '../../../src/engine/kernels/tensor';
import '../../support/allclose';
import { layerContext, layerOf } from '../../support/network-fixtures';

const KERNELS = new ReferenceKernels('float64');

/** As in NumPy. */
const linspace = (from: number, to: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => from + ((to - from) * i) / (count - 1));

const rowsOf = (values: readonly number[], columns: number): number[][] =>
  Array.from({ length: values.length / columns }, (_, i) => values.slice(i * columns, (i + 1) * columns));

const transpose = (rows: readonly (readonly number[])[]): number[][] =>
  rows[0].map((_, j) => rows.map((row) => row[j]));

interface Example {
  readonly kind: LayerKind;
  /** [samples, time, features] */
  readonly x: readonly (readonly (readonly number[])[])[];
  readonly h0: readonly (readonly number[])[];
  /** [features, gates · hidden] and [hidden, gates · hidden], as in the course. */
  readonly Wx: readonly (readonly number[])[];
  readonly Wh: readonly (readonly number[])[];
  readonly b: readonly number[];
  /** PyTorch's gates by their place in the course. */
  readonly gates: readonly number[];
}

function hiddenStates({ kind, x, h0, Wx, Wh, b, gates }: Example): number[] {
  const hidden = h0[0].length;
  const reorder = <T>(rows: readonly T[]): T[] =>
    gates.flatMap((gate) => rows.slice(gate * hidden, (gate + 1) * hidden));
  const weight_hh = reorder(transpose(Wh));
  const weight_ih = reorder(transpose(Wx)).map((row, i) => [...row, ...weight_hh[i]]);
  const none = h0[0].map(() => 0);
  const context = layerContext(KERNELS, {
    name: '',
    kind,
    options: { hidden_size: hidden, return: 'all' },
    input: x.map((sample, i) => sample.map((row, t) => [...row, ...(t === 0 ? h0[i] : none)])),
    parameters: {
      weight_ih_l0: weight_ih,
      weight_hh_l0: weight_hh,
      bias_ih_l0: reorder(b),
      bias_hh_l0: b.map(() => 0),
    },
    gradOutput: x.map((sample) => sample.map(() => none)),
    output: [],
    gradInput: [],
    gradParameters: {},
  });
  layerOf(kind).forward(context);
  return Array.from(context.output.data);
}

const sequences = (values: readonly number[], time: number, features: number) =>
  rowsOf(values, time * features).map((sample) => rowsOf(sample, features));

const PRINTED = { rtol: 0, atol: 6e-9 };

describe('the checks of CS231n', () => {
  it('rnn_step_forward', () => {
    const [N, D, H] = [3, 10, 4];
    const states = hiddenStates({
      kind: 'rnn',
      x: sequences(linspace(-0.4, 0.7, N * D), 1, D),
      h0: rowsOf(linspace(-0.2, 0.5, N * H), H),
      Wx: rowsOf(linspace(-0.1, 0.9, D * H), H),
      Wh: rowsOf(linspace(-0.3, 0.7, H * H), H),
      b: linspace(-0.2, 0.4, H),
      gates: [0],
    });
    const shape: Shape2 = [N, H];
    expect({ shape, data: Float64Array.from(states) }).toBeAllclose(
      [
        [-0.58172089, -0.50182032, -0.41232771, -0.31410098],
        [0.66854692, 0.79562378, 0.87755553, 0.92795967],
        [0.97934501, 0.99144213, 0.99646691, 0.99854353],
      ],
      PRINTED,
    );
  });

  it('rnn_forward', () => {
    const [N, T, D, H] = [2, 3, 4, 5];
    const states = hiddenStates({
      kind: 'rnn',
      x: sequences(linspace(-0.1, 0.3, N * T * D), T, D),
      h0: rowsOf(linspace(-0.3, 0.1, N * H), H),
      Wx: rowsOf(linspace(-0.2, 0.4, D * H), H),
      Wh: rowsOf(linspace(-0.4, 0.1, H * H), H),
      b: linspace(-0.7, 0.1, H),
      gates: [0],
    });
    expect({ shape: [N, T, H], data: Float64Array.from(states) }).toBeAllclose(
      [
        [
          [-0.42070749, -0.27279261, -0.11074945, 0.05740409, 0.22236251],
          [-0.39525808, -0.22554661, -0.0409454, 0.14649412, 0.32397316],
          [-0.42305111, -0.24223728, -0.04287027, 0.15997045, 0.35014525],
        ],
        [
          [-0.55857474, -0.39065825, -0.19198182, 0.02378408, 0.23735671],
          [-0.27150199, -0.07088804, 0.13562939, 0.33099728, 0.50158768],
          [-0.51014825, -0.30524429, -0.06755202, 0.17806392, 0.40333043],
        ],
      ],
      PRINTED,
    );
  });

  it('lstm_forward, whose gates are in the order input, forget, output, cell', () => {
    const [N, D, H, T] = [2, 5, 4, 3];
    const states = hiddenStates({
      kind: 'lstm',
      x: sequences(linspace(-0.4, 0.6, N * T * D), T, D),
      h0: rowsOf(linspace(-0.4, 0.8, N * H), H),
      Wx: rowsOf(linspace(-0.2, 0.9, 4 * D * H), 4 * H),
      Wh: rowsOf(linspace(-0.3, 0.6, 4 * H * H), 4 * H),
      b: linspace(0.2, 0.7, 4 * H),
      gates: [0, 1, 3, 2],
    });
    expect({ shape: [N, T, H], data: Float64Array.from(states) }).toBeAllclose(
      [
        [
          [0.01764008, 0.01823233, 0.01882671, 0.0194232],
          [0.11287491, 0.12146228, 0.13018446, 0.13902939],
          [0.31358768, 0.33338627, 0.35304453, 0.37250975],
        ],
        [
          [0.45767879, 0.4761092, 0.4936887, 0.51041945],
          [0.6704845, 0.69350089, 0.71486014, 0.7346449],
          [0.81733511, 0.83677871, 0.85403753, 0.86935314],
        ],
      ],
      PRINTED,
    );
  });
});

describe('options', () => {
  const { options } = layerOf('lstm');
  const rows = (count: number, columns: number): number[][] =>
    Array.from({ length: count }, () => Array<number>(columns).fill(0));

  it('hold exact initial values in the layout of PyTorch', () => {
    const layer = options.parse({
      hidden_size: 1,
      weight_ih: rows(4, 2),
      weight_hh: rows(4, 1),
      bias_ih: [1, 2, 3, 4],
    });
    const declared = layerOf('lstm').parameters?.([3, 2], layer) ?? [];
    expect(declared.map(({ name, shape }) => [name, shape])).toEqual([
      ['weight_ih_l0', [4, 2]],
      ['weight_hh_l0', [4, 1]],
      ['bias_ih_l0', [4]],
      ['bias_hh_l0', [4]],
    ]);
    expect(declared[2]?.init).toEqual({ values: [1, 2, 3, 4] });
    expect(declared[3]?.init).toEqual({ initializer: { type: 'uniform', a: -1, b: 1 } });
  });

  it.each([
    ['no size', {}],
    ['rows of weights for other gates', { hidden_size: 2, weight_ih: rows(6, 3) }],
    ['ragged weights', { hidden_size: 1, weight_hh: [[0], [0], [0], [0, 0]] }],
    ['weights for another number of inputs', { hidden_size: 1, input_size: 3, weight_ih: rows(4, 2) }],
    ['biases for other gates', { hidden_size: 2, bias_hh: [0, 0] }],
    ['biases of a layer without biases', { hidden_size: 1, bias: false, bias_ih: [0, 0, 0, 0] }],
    ['weights of one pass for two layers', { hidden_size: 1, num_layers: 2, weight_hh: rows(4, 1) }],
    [
      'weights of a second layer for other inputs',
      { hidden_size: 1, num_layers: 2, weight_ih: [rows(4, 3), rows(4, 3)] },
    ],
    [
      'weights of another width for the other direction',
      { hidden_size: 1, bidirectional: true, weight_ih: [rows(4, 3), rows(4, 2)] },
    ],
    ['dropout between layers of a single one', { hidden_size: 2, dropout: 0.5 }],
    ['no layers', { hidden_size: 2, num_layers: 0 }],
    ['another output', { hidden_size: 1, return: 'first' }],
  ])('refuse %s', (_what, given) => {
    expect(options.safeParse(given).success).toBe(false);
  });

  it('say which inputs fit', () => {
    const { checkInput } = layerOf('gru');
    expect(checkInput?.([4, 3], { hidden_size: 2, input_size: 3 })).toBeUndefined();
    expect(checkInput?.([4, 3], { hidden_size: 2, input_size: 4 })?.option).toBe('input_size');
    expect(checkInput?.([4, 3], { hidden_size: 2, weight_ih: rows(6, 2) })?.option).toBe('weight_ih');
    expect(checkInput?.([4], { hidden_size: 2 })?.requirement).toContain('sequences');
  });

  it('hold exact values of each stacked layer and direction in the order of PyTorch', () => {
    const layer = options.parse({
      hidden_size: 1,
      num_layers: 2,
      bidirectional: true,
      weight_ih: [rows(4, 3), rows(4, 3), rows(4, 2), rows(4, 2)],
      bias_hh: [1, 2, 3, 4].map((value) => Array<number>(4).fill(value)),
    });
    const declared = layerOf('lstm').parameters?.([3, 3], layer) ?? [];
    expect(declared.map(({ name, shape }) => [name, shape])).toEqual(
      (['_l0', '_l0_reverse', '_l1', '_l1_reverse'] as const).flatMap((suffix, pass) => [
        [`weight_ih${suffix}`, [4, pass < 2 ? 3 : 2]],
        [`weight_hh${suffix}`, [4, 1]],
        [`bias_ih${suffix}`, [4]],
        [`bias_hh${suffix}`, [4]],
      ]),
    );
    expect(declared.find(({ name }) => name === 'bias_hh_l1')?.init).toEqual({ values: [3, 3, 3, 3] });
    expect(layerOf('lstm').outputShape([3, 3], layer)).toEqual([2]);
    expect(layerOf('lstm').outputShape([3, 3], { ...(layer as object), return: 'all' })).toEqual([3, 2]);
  });
});
