// What a custom loss or penalty returns or throws is read once, into plain values, as for layers.
import { describe, expect, it } from 'vitest';
import { CustomLayerError } from '../../../src/engine/custom/custom-layer-error';
import { createBackend } from '../../../src/engine/kernels/create-kernels';
import type { Tensor } from '../../../src/engine/kernels/tensor';
import type { LossContext } from '../../../src/engine/losses/loss';
import { customLoss, customPenalty } from '../../support/custom-losses';

const tensor = (shape: number[], data: Float64Array): Tensor => ({ shape, data });
const context: LossContext<unknown> = {
  kernels: createBackend('reference', 'float64'),
  options: { module: 'mine.loss.ts', options: {} },
  prediction: tensor([2, 1], Float64Array.of(1, 2)),
  target: tensor([2, 1], Float64Array.of(0, 1)),
};
const call = { variables: { 'linear1.weight': tensor([1, 2], Float64Array.of(1, 2)) }, constants: {}, options: {} };
const hostile = { toString: () => 'hostile' };

function errorOf(work: () => unknown): CustomLayerError {
  try {
    work();
  } catch (error) {
    if (error instanceof CustomLayerError) return error;
    throw error;
  }
  throw new Error('did not throw');
}

const throwing = (name: string): object =>
  Object.defineProperty({}, name, {
    enumerable: true,
    get: () => {
      throw new TypeError('not today');
    },
  });

describe.each([
  ['loss', (exported: unknown) => customLoss(exported).value(context)],
  ['penalty', (exported: unknown) => customPenalty(exported).value(call)],
])('a custom %s', (_, valueOf) => {
  it.each([
    ['an export whose forward cannot be read', throwing('forward'), 'load'],
    ['an error without a readable message', { forward: () => throwUnreadable() }, 'forward'],
    ['something else than an error', { forward: () => throwAny(hostile) }, 'forward'],
    ['a result whose shape cannot be read', { forward: () => throwingTensor('shape') }, 'forward'],
    ['a result that is a revoked proxy', { forward: () => revoked() }, 'forward'],
  ])('with %s fails with an error of its own', (_name, exported, where) => {
    const error = errorOf(() => valueOf(exported));
    expect(error.details.call).toBe(where);
    expect(error.message.length).toBeLessThan(2000);
  });

  it('is called on its export', () => {
    const exported = {
      scale: 3,
      forward(this: { scale: number }) {
        return this.scale;
      },
      backward: () => ({}),
    };
    expect(valueOf(exported)).toBe(3);
  });

  it('whose forward changes with each reading is read once', () => {
    let reads = 0;
    const exported = {
      get forward() {
        return reads++ === 0 ? () => 1 : 'no function';
      },
      backward: () => ({}),
    };
    expect(valueOf(exported)).toBe(1);
  });
});

describe('the gradients of a custom loss', () => {
  const gradientOf = (dOutputs: unknown): Float64Array => {
    const out = tensor([2, 1], new Float64Array(2));
    const loss = customLoss({ forward: () => 1, backward: () => ({ dOutputs }) });
    loss.gradient(context, out);
    return out.data as Float64Array;
  };

  it('are read once', () => {
    let reads = 0;
    const answers = [Float64Array.of(3, 4), 'not numbers', null];
    const changing = {
      shape: [2, 1],
      get data() {
        return answers[Math.min(reads++, 2)];
      },
    };
    expect([...gradientOf(changing)]).toEqual([3, 4]);
  });

  it('may not throw while they are read', () => {
    expect(errorOf(() => gradientOf(throwingTensor('data'))).details.call).toBe('backward');
  });
});

function throwingTensor(name: 'shape' | 'data'): object {
  return Object.defineProperty({ shape: [2, 1], data: new Float64Array(2) }, name, {
    enumerable: true,
    get: () => {
      throw new TypeError('not today');
    },
  });
}

function throwUnreadable(): never {
  const error = new Error('x'.repeat(100_000));
  Object.defineProperty(error, 'stack', {
    get: () => {
      throw new TypeError('no stack');
    },
  });
  throw error;
}

function throwAny(value: unknown): never {
  throw value;
}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}
