// Backward passes that are not the transpose of anything: not linear in the output gradient, in the direction of the
// forward pass, of another tensor.
import { describe, expect, it } from 'vitest';
import type { ForwardCall, Gradients, Layer } from '../../../src/engine/custom/contract';
import type { Cause } from '../../../src/protocol/check-report';
import { checkTemplate } from './check-template';
import { mistake, normal, type Template } from './layer-templates';

type Backward = (call: ForwardCall & { readonly dy: ForwardCall['x'] }) => Gradients;

const templateOf = (make: Pick<Layer, 'forward' | 'parameters'>, backward: Backward): Template => ({
  name: 'layer',
  isComposition: false,
  input: () => [6],
  mistakes: { it: mistake([], 'input') },
  make: () => ({ ...make, backward }) as Layer,
});

const causeOf = (template: Template): { readonly cause: Cause | undefined; readonly tensor: string | undefined } => {
  const { report } = checkTemplate(template, 'it', 51, { renames: false, hidesOperations: false, rounds: false });
  return { cause: report.diagnosis?.cause, tensor: report.diagnosis?.tensor };
};

const scale: Pick<Layer, 'forward' | 'parameters'> = {
  parameters: () => normal({ low: [1], high: [1] }),
  forward: ({ x, parameters: { low, high }, ops }) =>
    ops.add(ops.multiply(ops.tanh(x), low), ops.multiply(ops.sigmoid(x), high)),
};

/** The right gradients of `scale`. */
const gradients = ({ x, dy, parameters: { low, high }, ops }: Parameters<Backward>[0]) => {
  const [t, s] = [ops.tanh(x), ops.sigmoid(x)];
  const slope = ops.add(
    ops.multiply(ops.subtract(1, ops.multiply(t, t)), low),
    ops.multiply(ops.multiply(s, ops.subtract(1, s)), high),
  );
  const sum = (v: typeof x): typeof x => ops.reshape(ops.sum(v), [1]);
  return { slope, low: sum(ops.multiply(dy, t)), high: sum(ops.multiply(dy, s)) };
};

describe('the backward pass', () => {
  it('has a part that ignores the output gradient', () => {
    const template = templateOf(scale, (call) => {
      const { slope, low, high } = gradients(call);
      const { dy, ops } = call;
      return { dx: ops.add(ops.multiply(dy, slope), ops.tanh(call.x)), parameters: { low, high } };
    });
    expect(causeOf(template)).toEqual({ cause: 'upstream_ignored', tensor: 'input' });
  });

  it('makes a mask from the output gradient', () => {
    const template = templateOf(scale, (call) => {
      const { slope, low, high } = gradients(call);
      const { dy, ops, x } = call;
      const masked = ops.tensor(
        [1],
        Float64Array.of(
          Array.from(dy.data).reduce((sum, value, i) => sum + (value < 0 ? value * Math.tanh(x.data[i]!) : 0), 0),
        ),
      );
      return { dx: ops.multiply(dy, slope), parameters: { low: low.data[0] === 0 ? low : masked, high } };
    });
    expect(causeOf(template)).toEqual({ cause: 'masked_by_gradient', tensor: 'low' });
  });

  it('clips the output gradient, which is odd but not linear', () => {
    let limit: number | undefined;
    const template = templateOf(scale, (call) => {
      const { slope, low, high } = gradients(call);
      const { dy, ops } = call;
      limit ??= 0.5 * Math.max(...Array.from(dy.data, Math.abs));
      const clipped = dy.data.map((value) => Math.max(-limit!, Math.min(limit!, value)));
      return { dx: ops.multiply(ops.tensor(dy.shape, clipped), slope), parameters: { low, high } };
    });
    expect(causeOf(template).cause).toBe('masked_by_gradient');
  });

  it('normalizes the output gradient, of which a multiple gives the multiple', () => {
    const template = templateOf(scale, (call) => {
      const { slope, low, high } = gradients(call);
      const { dy, ops } = call;
      const most = Math.max(...Array.from(dy.data, Math.abs));
      const sharpened = dy.data.map((value) => (value * Math.abs(value)) / most);
      return { dx: ops.multiply(ops.tensor(dy.shape, sharpened), slope), parameters: { low, high } };
    });
    expect(causeOf(template).cause).toBe('masked_by_gradient');
  });

  it('returns the gradient of another parameter', () => {
    const template = templateOf(scale, (call) => {
      const { slope, high } = gradients(call);
      return { dx: call.ops.multiply(call.dy, slope), parameters: { low: high, high } };
    });
    expect(causeOf(template)).toEqual({ cause: 'wrong_operand', tensor: 'low' });
  });

  it('runs a sum in the direction of the forward pass', () => {
    const sums = (data: ArrayLike<number>, factor: (i: number) => number, shape: readonly number[]): Float64Array =>
      Float64Array.from({ length: data.length }, (_, i) => {
        let sum = 0;
        for (let k = i - (i % shape[1]!); k <= i; k++) sum += data[k]! * factor(k % shape[1]!);
        return sum;
      });
    const template = templateOf(
      {
        forward: ({ x, ops }) =>
          ops.tensor(
            x.shape,
            sums(x.data, () => 1, x.shape),
          ),
      },
      ({ dy, ops }) => ({
        dx: ops.tensor(
          dy.shape,
          sums(dy.data, () => 1, dy.shape),
        ),
      }),
    );
    expect(causeOf(template)).toEqual({ cause: 'not_transposed', tensor: 'input' });
  });

  it('uses the output gradient of the last step alone', () => {
    const template = templateOf(
      { forward: ({ x, ops }) => ops.multiply(ops.exp(x), ops.sum(x, 1, true)) },
      ({ x, dy, ops }) => {
        const last = ops.multiply(dy, ops.tensor([1, 6], Float64Array.of(0, 0, 0, 0, 0, 1)));
        const total = ops.sum(ops.multiply(last, ops.exp(x)), 1, true);
        return { dx: ops.add(ops.multiply(last, ops.multiply(ops.exp(x), ops.sum(x, 1, true))), total) };
      },
    );
    expect(causeOf(template)).toEqual({ cause: 'share_missing', tensor: 'input' });
  });
});
