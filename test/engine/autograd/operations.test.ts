// Every operation against PyTorch's float64 values, and against differences of itself for random shapes and numbers.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { operations, type OperationName } from '../../../src/engine/autograd/operations';
import { OperationError, Tape } from '../../../src/engine/autograd/tape';
import { type Shape, sizeOf, type Tensor } from '../../../src/engine/kernels/tensor';
import '../../support/allclose';
import { flat, type Nested, shapeOf } from '../../support/nested';

interface Case {
  readonly name: string;
  readonly operation: OperationName;
  readonly tensors: readonly Nested[];
  readonly rest: readonly unknown[];
  /** Whether the tensors are one argument, a list. */
  readonly list?: boolean;
  readonly output: Nested;
  readonly shape: Shape;
  readonly gradOutput: Nested;
  readonly gradients: readonly Nested[];
}

const { cases } = JSON.parse(readFileSync(join(__dirname, '../../golden/operations.json'), 'utf8')) as { cases: Case[] };

const make = (nested: Nested): Tensor => ({ shape: shapeOf(nested), data: Float64Array.from(flat(nested)) });

const call = (tape: Tape, name: OperationName, ...operands: readonly unknown[]): Tensor =>
  (operations[name] as (tape: Tape, ...all: readonly unknown[]) => Tensor)(tape, ...operands);

const watched = (tensors: readonly Tensor[]): Tape => {
  const tape = new Tape(new Float64Array(0));
  tensors.forEach((each) => tape.watch(each));
  return tape;
};

describe('operations against PyTorch', () => {
  it('has a case of each', () => {
    expect(new Set(cases.map(({ operation }) => operation))).toEqual(new Set(Object.keys(operations)));
  });

  it.each(cases)('$name', ({ operation, tensors, rest, list, output, shape, gradOutput, gradients }) => {
    const operands = tensors.map(make);
    const tape = watched(operands);
    const y = call(tape, operation, ...(list ? [operands] : operands), ...rest);
    expect(y.shape).toEqual(shape);
    // Sums of a few numbers may cancel: one last place of their size.
    expect(y).toBeAllclose(output, { atol: 1e-15 });
    const found = tape.gradients(y, Float64Array.from(flat(gradOutput)), operands);
    found.forEach((gradient, i) => expect(gradient).toBeAllclose(gradients[i], { atol: 1e-15 }));
  });
});

/** Away from kinks and poles: between 0.3 and 2, no two alike by chance. */
const numbers = (shape: Shape) =>
  fc.array(fc.double({ min: 0.3, max: 2, noNaN: true }), { minLength: sizeOf(shape), maxLength: sizeOf(shape) });

const someShape = fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 3 });

/** A shape that broadcasts with another: leading axes dropped, some sizes 1. */
const partner = (shape: Shape) =>
  fc.tuple(fc.integer({ min: 0, max: shape.length }), fc.array(fc.boolean(), { minLength: shape.length, maxLength: shape.length })).map(
    ([drop, ones]) => shape.map((n, i) => (ones[i] ? 1 : n)).slice(drop),
  );

/** Compares the gradient of Σ w f(…) with central differences of it, entry by entry. */
function agrees(operands: readonly Tensor[], f: (tape: Tape) => Tensor): void {
  const tape = watched(operands);
  const y = f(tape);
  const weights = Float64Array.from(y.data, (_, i) => Math.cos(i + 1));
  const total = (): number => Array.from(f(new Tape(new Float64Array(0))).data).reduce((sum, value, i) => sum + value * weights[i], 0);
  const gradients = tape.gradients(y, weights, operands);
  operands.forEach(({ data }, k) => {
    for (let i = 0; i < data.length; i++) {
      const start = data[i];
      data[i] = start + 1e-5;
      const up = total();
      data[i] = start - 1e-5;
      const down = total();
      data[i] = start;
      const numeric = (up - down) / 2e-5;
      expect(Math.abs(gradients[k][i] - numeric)).toBeLessThan(1e-6 * Math.max(1, Math.abs(numeric)));
    }
  });
}

const UNARY: readonly OperationName[] = ['negate', 'exp', 'log', 'sqrt', 'tanh', 'sigmoid', 'relu', 'abs', 'sum', 'mean', 'softmax', 'logSoftmax'];
const BINARY: readonly OperationName[] = ['add', 'subtract', 'multiply', 'divide', 'pow'];

describe('operations against differences', () => {
  it.each(UNARY)('%s, of any shape', (name) => {
    const cases = someShape.chain((shape) => fc.tuple(fc.constant(shape), numbers(shape)));
    fc.assert(
      fc.property(cases, ([shape, values]) => {
        const x: Tensor = { shape, data: Float64Array.from(values) };
        agrees([x], (tape) => call(tape, name, x));
      }),
      { numRuns: 30 },
    );
  });

  it.each(BINARY)('%s, broadcast both ways', (name) => {
    const cases = someShape.chain((shape) =>
      partner(shape).chain((other) => fc.tuple(fc.constant(shape), fc.constant(other), numbers(shape), numbers(other), fc.boolean())),
    );
    fc.assert(
      fc.property(cases, ([shape, other, values, more, swap]) => {
        const a: Tensor = { shape, data: Float64Array.from(values) };
        const b: Tensor = { shape: other, data: Float64Array.from(more) };
        const operands = swap ? [b, a] : [a, b];
        agrees(operands, (tape) => call(tape, name, ...operands));
      }),
      { numRuns: 30 },
    );
  });

  it('a chain that uses a tensor several times', () => {
    fc.assert(
      fc.property(numbers([2, 3]), numbers([3, 2]), (first, second) => {
        const a: Tensor = { shape: [2, 3], data: Float64Array.from(first) };
        const b: Tensor = { shape: [3, 2], data: Float64Array.from(second) };
        agrees([a, b], (tape) => {
          const product = call(tape, 'matmul', a, b);
          const back = call(tape, 'matmul', b, call(tape, 'tanh', product));
          const both = call(tape, 'concatenate', [call(tape, 'transpose', back), a], 0);
          return call(tape, 'multiply', both, call(tape, 'mean', call(tape, 'slice', both, 0, 1, 3), 0, true));
        });
      }),
      { numRuns: 20 },
    );
  });
});

describe('the tape', () => {
  it('gives what micrograd prints for the expression of its README', () => {
    const a: Tensor = { shape: [], data: Float64Array.of(-4) };
    const b: Tensor = { shape: [], data: Float64Array.of(2) };
    const tape = watched([a, b]);
    const op = (name: OperationName, ...operands: readonly unknown[]): Tensor => call(tape, name, ...operands);
    let c = op('add', a, b);
    let d = op('add', op('multiply', a, b), op('pow', b, 3));
    c = op('add', c, op('add', c, 1));
    c = op('add', c, op('add', op('add', 1, c), op('negate', a)));
    d = op('add', d, op('add', op('multiply', d, 2), op('relu', op('add', b, a))));
    d = op('add', d, op('add', op('multiply', 3, d), op('relu', op('subtract', b, a))));
    const e = op('subtract', c, d);
    const f = op('pow', e, 2);
    const g = op('add', op('divide', f, 2), op('divide', 10, f));
    const [da, db] = tape.gradients(g, Float64Array.of(1), [a, b]);
    expect(g.data[0].toFixed(4)).toBe('24.7041');
    expect(da[0].toFixed(4)).toBe('138.8338');
    expect(db[0].toFixed(4)).toBe('645.5773');
  });

  it('computes in the precision that it was made for', () => {
    const tape = new Tape(new Float32Array(0));
    const x: Tensor = { shape: [1], data: Float32Array.of(0.1) };
    const y = call(tape, 'multiply', x, 3);
    expect(y.data).toBeInstanceOf(Float32Array);
    expect(y.data[0]).toBe(Math.fround(Math.fround(0.1) * 3));
  });

  it('notes the sides of kinks, of what the result depends on only', () => {
    const x: Tensor = { shape: [3], data: Float64Array.of(-1, 0, 2) };
    const tape = watched([x]);
    call(tape, 'relu', x);
    call(tape, 'maximum', x, 1);
    call(tape, 'abs', -5);
    expect([...tape.sides()]).toEqual([-1, 0, 1, -1, -1, 1]);
  });

  it('gives zeros for what the result does not depend on', () => {
    const x: Tensor = { shape: [2], data: Float64Array.of(1, 2) };
    const y: Tensor = { shape: [2], data: Float64Array.of(3, 4) };
    const tape = watched([x, y]);
    const out = call(tape, 'exp', x);
    expect([...tape.gradients(out, Float64Array.of(1, 1), [y])[0]]).toEqual([0, 0]);
  });

  it.each([
    ['shapes that do not go together', 'add', [[1, 2], [1, 2, 3]], 'add: the shapes 2 and 3 do not go together.'],
    ['matrices that do not fit', 'matmul', [[[1, 2]], [[1, 2]]], 'matmul: a matrix of 1×2 cannot be multiplied with one of 1×2.'],
    ['a shape of another size', 'reshape', [[1, 2, 3]], 'reshape: 3 cannot become 2×2.'],
  ] as const)('says what is wrong with %s', (_, name, operands, message) => {
    const tape = new Tape(new Float64Array(0));
    const rest = name === 'reshape' ? [[2, 2]] : [];
    expect(() => call(tape, name, ...operands.map((nested) => make(nested as Nested)), ...rest)).toThrow(new OperationError(message));
  });

  it('says what an operation takes', () => {
    const tape = new Tape(new Float64Array(0));
    expect(() => call(tape, 'exp', null)).toThrow('exp takes tensors and numbers, not null.');
    expect(() => call(tape, 'sum', 3)).toThrow('sum takes a tensor, not number.');
    expect(() => call(tape, 'sum', make([1]), 2)).toThrow('sum: a tensor of shape 1 has no axis 2.');
  });
});
