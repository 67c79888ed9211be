// Every operation compared with PyTorch's float64 values, and with its own central differences for random shapes and
// numbers.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { operations, type OperationName } from '../../../src/engine/autograd/operations';
import { OperationError, Tape } from '../../../src/engine/autograd/tape';
import { type Shape, numel, type Tensor } from '../../../src/engine/kernels/tensor';
import '../../support/allclose';
import { flat, type Nested, shapeOf } from '../../support/nested-lists';

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

const { cases } = JSON.parse(readFileSync(join(__dirname, '../../golden/operations.json'), 'utf8')) as {
  cases: Case[];
};

const make = (nested: Nested): Tensor => ({ shape: shapeOf(nested), data: Float64Array.from(flat(nested)) });

/** An operand without a gradient, among the other arguments. */
const isNestedTensor = (value: unknown): value is { readonly tensor: Nested } =>
  typeof value === 'object' && value !== null && 'tensor' in value;

const call = (tape: Tape, name: OperationName, ...operands: readonly unknown[]): Tensor =>
  (operations[name] as (tape: Tape, ...all: readonly unknown[]) => Tensor)(tape, ...operands);

const tapeWatching = (tensors: readonly Tensor[]): Tape => {
  const tape = new Tape(new Float64Array(0));
  tensors.forEach((each) => tape.watch(each));
  return tape;
};

describe('operations against PyTorch', () => {
  it('has a case for each', () => {
    expect(new Set(cases.map(({ operation }) => operation))).toEqual(new Set(Object.keys(operations)));
  });

  it.each(cases)('$name', ({ operation, tensors, rest, list, output, shape, gradOutput, gradients }) => {
    const operands = tensors.map(make);
    const tape = tapeWatching(operands);
    const others = rest.map((each) => (isNestedTensor(each) ? make(each.tensor) : each));
    const y = call(tape, operation, ...(list ? [operands] : operands), ...others);
    expect(y.shape).toEqual(shape);
    // Sums of a few numbers may cancel: tolerates one ulp of their magnitude.
    expect(y).toBeAllclose(output, { atol: 1e-15 });
    const found = tape.gradients(y, Float64Array.from(flat(gradOutput)), operands);
    found.forEach((gradient, i) => expect(gradient).toBeAllclose(gradients[i], { atol: 1e-15 }));
  });
});

/** Away from kinks and poles: between 0.3 and 2, and distinct. */
const numbers = (shape: Shape) =>
  fc.array(fc.double({ min: 0.3, max: 2, noNaN: true }), { minLength: numel(shape), maxLength: numel(shape) });

const someShape = fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 3 });

/** A shape that broadcasts with another: leading axes dropped, some sizes 1. */
const broadcastableShape = (shape: Shape) =>
  fc
    .tuple(
      fc.integer({ min: 0, max: shape.length }),
      fc.array(fc.boolean(), { minLength: shape.length, maxLength: shape.length }),
    )
    .map(([drop, ones]) => shape.map((n, i) => (ones[i] ? 1 : n)).slice(drop));

/** Compares the gradient of Σ w f(…) with central differences of it, entry by entry. */
function expectGradientsToAgree(operands: readonly Tensor[], f: (tape: Tape) => Tensor): void {
  const tape = tapeWatching(operands);
  const y = f(tape);
  const weights = Float64Array.from(y.data, (_, i) => Math.cos(i + 1));
  const total = (): number =>
    Array.from(f(new Tape(new Float64Array(0))).data).reduce((sum, value, i) => sum + value * weights[i], 0);
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

const UNARY: readonly OperationName[] = [
  'negate',
  'exp',
  'log',
  'sqrt',
  'tanh',
  'sigmoid',
  'relu',
  'abs',
  'sum',
  'mean',
  'softmax',
  'logSoftmax',
];
const BINARY: readonly OperationName[] = ['add', 'subtract', 'multiply', 'divide', 'pow'];

describe('operations against numeric derivatives', () => {
  it.each(UNARY)('%s, for any shape', (name) => {
    const cases = someShape.chain((shape) => fc.tuple(fc.constant(shape), numbers(shape)));
    fc.assert(
      fc.property(cases, ([shape, values]) => {
        const x: Tensor = { shape, data: Float64Array.from(values) };
        expectGradientsToAgree([x], (tape) => call(tape, name, x));
      }),
      { numRuns: 30 },
    );
  });

  it.each(BINARY)('%s, broadcast in both directions', (name) => {
    const cases = someShape.chain((shape) =>
      broadcastableShape(shape).chain((other) =>
        fc.tuple(fc.constant(shape), fc.constant(other), numbers(shape), numbers(other), fc.boolean()),
      ),
    );
    fc.assert(
      fc.property(cases, ([shape, other, values, more, swap]) => {
        const a: Tensor = { shape, data: Float64Array.from(values) };
        const b: Tensor = { shape: other, data: Float64Array.from(more) };
        const operands = swap ? [b, a] : [a, b];
        expectGradientsToAgree(operands, (tape) => call(tape, name, ...operands));
      }),
      { numRuns: 30 },
    );
  });

  it('differentiates a chain that uses a tensor several times', () => {
    fc.assert(
      fc.property(numbers([2, 3]), numbers([3, 2]), (first, second) => {
        const a: Tensor = { shape: [2, 3], data: Float64Array.from(first) };
        const b: Tensor = { shape: [3, 2], data: Float64Array.from(second) };
        expectGradientsToAgree([a, b], (tape) => {
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
  it("reproduces the example of micrograd's README", () => {
    const a: Tensor = { shape: [], data: Float64Array.of(-4) };
    const b: Tensor = { shape: [], data: Float64Array.of(2) };
    const tape = tapeWatching([a, b]);
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

  it('computes in its precision', () => {
    const tape = new Tape(new Float32Array(0));
    const x: Tensor = { shape: [1], data: Float32Array.of(0.1) };
    const y = call(tape, 'multiply', x, 3);
    expect(y.data).toBeInstanceOf(Float32Array);
    expect(y.data[0]).toBe(Math.fround(Math.fround(0.1) * 3));
  });

  it('records the sides of kinks that the result depends on', () => {
    const x: Tensor = { shape: [3], data: Float64Array.of(-1, 0, 2) };
    const tape = tapeWatching([x]);
    call(tape, 'relu', x);
    call(tape, 'maximum', x, 1);
    call(tape, 'abs', -5);
    expect([...tape.kinkSides()]).toEqual([-1, 0, 1, -1, -1, 1]);
  });

  it('returns zeros for tensors that the result does not depend on', () => {
    const x: Tensor = { shape: [2], data: Float64Array.of(1, 2) };
    const y: Tensor = { shape: [2], data: Float64Array.of(3, 4) };
    const tape = tapeWatching([x, y]);
    const out = call(tape, 'exp', x);
    expect([...tape.gradients(out, Float64Array.of(1, 1), [y])[0]]).toEqual([0, 0]);
  });

  it.each([
    [
      'shapes that do not go together',
      'add',
      [
        [1, 2],
        [1, 2, 3],
      ],
      /^add: .*\b2\b.*\b3\b/,
    ],
    ['matrices that do not fit', 'matmul', [[[1, 2]], [[1, 2]]], /^matmul: .*1×2.*1×2/],
    ['a shape of another size', 'reshape', [[1, 2, 3]], /^reshape: .*\b3\b.*2×2/],
  ] as const)('says what is wrong with %s', (_, name, operands, message) => {
    const tape = new Tape(new Float64Array(0));
    const rest = name === 'reshape' ? [[2, 2]] : [];
    const run = (): unknown => call(tape, name, ...operands.map((nested) => make(nested as Nested)), ...rest);
    expect(run).toThrow(OperationError);
    expect(run).toThrow(message);
  });

  it('names the expected operands of an operation', () => {
    const tape = new Tape(new Float64Array(0));
    expect(() => call(tape, 'exp', null)).toThrow('exp takes tensors and numbers, not null.');
    expect(() => call(tape, 'sum', 3)).toThrow('sum takes a tensor, not number.');
    expect(() => call(tape, 'sum', make([1]), 2)).toThrow('sum: a tensor of shape 1 has no axis 2.');
  });
});
