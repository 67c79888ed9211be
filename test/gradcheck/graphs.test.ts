// The gradient check on networks with branches, joins and shared parameters.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BACKENDS } from '../support/backends';
import { Float64Replica } from '../../src/gradcheck/float64-replica';
import { checkNet, linear, makeNet, type NetRecipe, OPTIONS } from './nets';
import { randomGraphs, randomSequenceGraphs } from './random-graphs';

const RESIDUAL: NetRecipe = {
  inputs: 3,
  batch: 5,
  loss: 'cross_entropy',
  layers: [
    linear(4),
    { kind: 'relu' },
    linear(4),
    { kind: 'add', inputs: [2, 0] },
    { kind: 'tanh' },
    { ...linear(4), shared: { weight: 2 } },
    { kind: 'multiply', inputs: [5, 3] },
    linear(3),
  ],
};

describe.each(BACKENDS)('a network with branches on %s', (backend) => {
  it('passes every entry of every parameter, a shared one once', () => {
    const report = checkNet(makeNet(RESIDUAL, backend), {}, backend);
    expect(report.parameters.map(({ name, entries }) => [name, entries])).toEqual([
      ['linear1.weight', 12],
      ['linear1.bias', 4],
      ['linear2.weight', 16],
      ['linear2.bias', 4],
      ['linear3.bias', 4],
      ['linear4.weight', 12],
      ['linear4.bias', 3],
    ]);
    expect(report.counts.wrong).toBe(0);
    expect(report.counts.pass).toBeGreaterThan(40);
    expect(report.compared.agreed).toBe(true);
    expect(report.compared.entries).toBeGreaterThan(20);
    expect(report.diagnosis).toBeNull();
  });
});

describe.each([
  ['rows of numbers', randomGraphs],
  ['sequences', randomSequenceGraphs],
])('random graphs on %s', (_name, graphs) => {
  it('have gradients that agree with differences of their loss', () => {
    let passed = 0;
    fc.assert(
      fc.property(graphs, (recipe) => {
        const report = checkNet(makeNet(recipe), {}, undefined, false);
        expect(report.counts.wrong).toBe(0);
        expect(report.compared.agreed).toBe(true);
        passed += report.counts.pass;
      }),
      { numRuns: 120 },
    );
    expect(passed).toBeGreaterThan(2000);
  });

  it('have the same losses by shortcuts as in full, in any order of parameters', () => {
    let compared = 0;
    fc.assert(
      fc.property(graphs, fc.infiniteStream(fc.nat()), (recipe, numbers) => {
        const { network, pass } = makeNet(recipe);
        const replica = new Float64Replica({ network, pass, step: 0, options: OPTIONS });
        if (!Number.isFinite(replica.loss)) return;
        for (let i = 0; i < 12; i++) {
          const parameter = numbers.next().value! % network.parameters.length;
          const { value } = network.parameters[parameter];
          const slice = replica.selectEntry(parameter, numbers.next().value! % value.data.length);
          for (const by of [1e-3, -0.5]) {
            const short = slice.lossAt(slice.start + by);
            if (!slice.usesFastPath) break;
            // Kinks inside of layers do not depend on the way.
            const crossed = slice.incremental?.crossedKink();
            expect(short).toBeCloseTo(slice.full.lossAt(slice.start + by), 10);
            expect(slice.full.crossedKink()).toBe(crossed);
            compared++;
          }
          slice.release();
          // In full, later layers are computed from the outputs of earlier ones, which must be those of the start.
          replica.reset();
        }
      }),
      { numRuns: 100 },
    );
    expect(compared).toBeGreaterThan(500);
  });
});
