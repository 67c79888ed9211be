// The gradient check on networks with recurrent layers.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BACKENDS } from '../support/backends';
import { checkNet, type LayerRecipe, linear, makeNet, type NetRecipe, setParameter } from './nets';

const variant = fc.record({
  cell: fc.constantFrom<LayerRecipe>(
    { kind: 'rnn' },
    { kind: 'rnn', options: { nonlinearity: 'relu' } },
    { kind: 'gru' },
    { kind: 'lstm' },
  ),
  hidden_size: fc.integer({ min: 1, max: 4 }),
  bias: fc.boolean(),
});

/** One to three recurrent layers on top of each other, all but the last with all states. */
const stacks: fc.Arbitrary<NetRecipe> = fc
  .record({
    cells: fc.array(variant, { minLength: 1, maxLength: 3 }),
    all: fc.boolean(),
    time: fc.integer({ min: 1, max: 6 }),
    features: fc.integer({ min: 1, max: 3 }),
    batch: fc.integer({ min: 1, max: 4 }),
    seed: fc.nat(),
  })
  .map(({ cells, all, time, features, batch, seed }) => ({
    inputs: [time, features],
    batch,
    seed,
    loss: 'mse',
    layers: [
      ...cells.map(({ cell: { kind, options }, hidden_size, bias }, i) => ({
        kind,
        options: { ...options, hidden_size, bias, return: all || i < cells.length - 1 ? 'all' : 'last' },
      })),
      { kind: 'flatten' },
      linear(2),
    ],
  }));

describe('random stacks of recurrent layers', () => {
  it('have gradients that agree with differences of their loss', () => {
    let passed = 0;
    fc.assert(
      fc.property(stacks, (recipe) => {
        const report = checkNet(makeNet(recipe), {}, undefined, false);
        expect(report.counts.wrong).toBe(0);
        expect(report.compared.agreed).toBe(true);
        passed += report.counts.pass;
      }),
      { numRuns: 60 },
    );
    expect(passed).toBeGreaterThan(2000);
  });
});

describe.each(BACKENDS)('a network with a cell that is used twice on %s', (backend) => {
  it('passes every entry, in the network and each layer in isolation', () => {
    const cell = (inputs: readonly number[], shared?: LayerRecipe['shared']): LayerRecipe => ({
      kind: 'gru',
      options: { hidden_size: 3, return: 'all' },
      inputs,
      ...(shared && { shared }),
    });
    const owned = { weight_ih_l0: 0, weight_hh_l0: 0, bias_ih_l0: 0, bias_hh_l0: 0 };
    const net = makeNet(
      {
        inputs: [4, 3],
        batch: 3,
        loss: 'mse',
        layers: [
          cell([-1]),
          cell([0], owned),
          { kind: 'add', inputs: [0, 1] },
          { kind: 'lstm', options: { hidden_size: 2 } },
          linear(2),
        ],
      },
      backend,
    );
    const report = checkNet(net, {}, backend);
    expect(report.counts.wrong).toBe(0);
    expect(report.passed).toBe(true);
    expect(report.counts.pass).toBeGreaterThan(80);
    expect(report.diagnosis).toBeNull();
  });
});

describe('a kink inside a recurrent layer', () => {
  it('is reported, not taken for an error', () => {
    // The sum of the first time step is exactly 0 for every sample.
    const net = makeNet({
      inputs: [2, 1],
      batch: 2,
      loss: 'mse',
      layers: [{ kind: 'rnn', options: { hidden_size: 2, nonlinearity: 'relu' } }, linear(1)],
    });
    for (const name of ['weight_ih_l0', 'bias_ih_l0', 'bias_hh_l0']) setParameter(net, `rnn1.${name}`, [0, 0.5]);
    const report = checkNet(net, {}, undefined, false);
    expect(report.counts.wrong).toBe(0);
    expect(report.counts.kink).toBeGreaterThan(0);
  });
});
