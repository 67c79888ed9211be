// Faults where gradients join: planted in the kernels that add them up, while every layer stays right in isolation.
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ReferenceKernels } from '../../src/engine/kernels/reference-kernels';
import type { Tensor } from '../../src/engine/kernels/tensor';
import { afterBackward } from './faults/fault';
import { checkNet, layerOf, linear, makeNet, type NetRecipe } from './nets';

/** tanh1 goes to linear2 and to the product; linear2 uses the weights of linear1. No join adds by `axpby`. */
const BRANCHES: NetRecipe = {
  inputs: 4,
  batch: 5,
  loss: 'mse',
  layers: [
    linear(4),
    { kind: 'tanh' },
    linear(4),
    { kind: 'sigmoid' },
    { kind: 'multiply', inputs: [3, 1] },
    linear(2),
  ],
};

const SHARED: NetRecipe = {
  ...BRANCHES,
  layers: [linear(4), { kind: 'tanh' }, { ...linear(4), shared: { weight: 0 } }, { kind: 'sigmoid' }, linear(2)],
};

const plantInSums = (add: (sum: Tensor, addend: Tensor) => void): void => {
  vi.spyOn(ReferenceKernels.prototype, 'axpby').mockImplementation(add);
};

const causeOf = (recipe: NetRecipe, penalty?: NetRecipe['penalty']) => {
  const { diagnosis, counts } = checkNet(makeNet({ ...recipe, penalty }), {}, 'reference');
  expect(counts.wrong).toBeGreaterThan(0);
  return diagnosis?.cause;
};

describe('a fault where gradients join is named', () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it('a gradient that is overwritten instead of added', () => {
    plantInSums((sum, addend) => sum.data.set(addend.data));
    expect(causeOf(BRANCHES)).toBe('overwritten');
  });

  it('a branch whose gradient is forgotten', () => {
    plantInSums(() => undefined);
    expect(causeOf(BRANCHES)).toBe('contribution_missing');
  });

  it('a branch whose gradient is added twice', () => {
    plantInSums((sum, addend) => sum.data.forEach((value, i) => (sum.data[i] = value + 2 * addend.data[i])));
    expect(causeOf(BRANCHES)).toBe('contribution_twice');
  });

  it('a shared weight that gets the gradient of one use, also with a penalty on biases', () => {
    const { matmulTransposedA } = ReferenceKernels.prototype;
    vi.spyOn(ReferenceKernels.prototype, 'matmulTransposedA').mockImplementation(function (
      this: ReferenceKernels,
      out,
      a,
      b,
    ) {
      matmulTransposedA.call(this, out, a, b, false);
    });
    expect(causeOf(SHARED)).toBe('one_use');
    expect(causeOf(SHARED, { l1: 0, l2: 0.1, biases: true })).toBe('one_use');
  });

  it('a layer whose gradient of a shared weight is wrong: no other gradient is to blame', () => {
    const wrong = afterBackward(layerOf('linear'), 'weight', ({ data }) =>
      data.forEach((value, i) => (data[i] = 3 * value)),
    );
    // The first backward pass of the weight, which overwrites what the other use then adds to.
    const layers = SHARED.layers.map((each) => (each.shared ? { ...each, definition: wrong } : each));
    const { diagnosis } = checkNet(makeNet({ ...SHARED, layers }), {}, 'reference');
    expect(diagnosis).toMatchObject({ layer: 'linear2', tensor: 'weight', cause: 'factor', misled: [] });
    expect(diagnosis?.factor).toBeCloseTo(3, 9);
  });

  it('and none in a network without', () => {
    for (const recipe of [BRANCHES, SHARED]) expect(checkNet(makeNet(recipe), {}, 'reference').diagnosis).toBeNull();
  });
});
