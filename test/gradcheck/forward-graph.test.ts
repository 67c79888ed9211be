// The graph of a forward pass that is written as loops: its gradients are right, and observing changes nothing.
import { describe, expect, it } from 'vitest';
import { CustomLayerError } from '../../src/engine/custom/custom-layer-error';
import { runToCompletion } from '../../src/engine/cooperative-task';
import type { ForwardContext, ForwardObserver, LayerDefinition } from '../../src/engine/layers/layer';
import type { Tensor } from '../../src/engine/kernels/tensor';
import { buildForwardGraph } from '../../src/gradcheck/diagnosis/forward-graph';
import { ForwardTrace } from '../../src/gradcheck/diagnosis/forward-trace';
import { solveLeastSquares } from '../../src/gradcheck/diagnosis/least-squares';

type Forward = (x: Float64Array, w: Float64Array) => ArrayLike<number>;

const graphOf = (forward: Forward, x: number[], w: number[], samples: number, outputs: number) => {
  const tensor = (values: number[], shape: number[]): Tensor => ({ shape, data: Float64Array.from(values) });
  const [input, weight] = [tensor(x, [samples, x.length / samples]), tensor(w, [w.length])];
  const output = tensor(Array<number>(outputs).fill(0), [samples, outputs / samples]);
  const observedForward = (_: unknown, observer: ForwardObserver): void => {
    const y = forward(observer.start(input).data as Float64Array, observer.start(weight).data as Float64Array);
    observer.finish();
    output.data.set(y);
  };
  const definition = {
    observedForward,
    forward: () => void output.data.set(forward(input.data as Float64Array, weight.data as Float64Array)),
  } as unknown as LayerDefinition;
  const context = { input, otherInputs: [], output } as unknown as ForwardContext<unknown>;
  const tensors = new Map([
    ['w', weight],
    ['input', input],
  ]);
  return runToCompletion(buildForwardGraph({ context, definition, tensors }));
};

describe('the graph of a forward pass', () => {
  it('has the gradients of a function with stored numbers and calls', () => {
    // y = tanh(w0 x0 + w1 x1) · sigmoid(w1 x0), for two samples.
    const graph = graphOf(
      (x, w) => {
        const h = new Float64Array(2);
        for (let s = 0; s < 2; s++) for (let i = 0; i < 2; i++) h[s]! += x[2 * s + i]! * w[i]!;
        return [0, 1].map((s) => Math.tanh(h[s]!) / (1 + Math.exp(-w[1]! * x[2 * s]!)));
      },
      [0.3, -0.7, 1.1, 0.2],
      [0.5, -0.4],
      2,
      2,
    );
    const upstream = [0.9, -1.3];
    const gradients = graph?.gradients(Float64Array.from(upstream));
    const [x, w] = [
      [0.3, -0.7, 1.1, 0.2],
      [0.5, -0.4],
    ] as const;
    const expected = { w: [0, 0], x: [0, 0, 0, 0] };
    for (const s of [0, 1]) {
      const [a, b] = [x[2 * s]!, x[2 * s + 1]!];
      const t = Math.tanh(w[0] * a + w[1] * b);
      const g = 1 / (1 + Math.exp(-w[1] * a));
      const [dt, dg] = [upstream[s]! * g * (1 - t * t), upstream[s]! * t * g * (1 - g)];
      expected.w[0]! += dt * a;
      expected.w[1]! += dt * b + dg * a;
      expected.x[2 * s] = dt * w[0] + dg * w[1];
      expected.x[2 * s + 1] = dt * w[1];
    }
    for (const [name, values] of [
      ['w', expected.w],
      ['input', expected.x],
    ] as const)
      values.forEach((value, i) => expect(gradients?.get(name)?.[i]).toBeCloseTo(value, 8));
    // An exponential that is only used in a sigmoid is one.
    expect(graph?.nodes.map(({ name }) => name).filter((name) => name !== 'stored')).toEqual([
      'tanh',
      'sigmoid',
      'tanh',
      'sigmoid',
    ]);
  });

  it('separates uses that arithmetic alone connects with an output', () => {
    const graph = graphOf(
      (x, w) => {
        const h = x.map((value) => value * w[0]!);
        const part = h.slice(0, 2);
        part.set(h.subarray(2, 4).map((value, i) => value + part[i]!));
        return Float64Array.from(part, (value) => value * w[1]!);
      },
      [1, 2, 3, 4],
      [0.5, -2],
      2,
      2,
    );
    const gradients = graph?.gradients(Float64Array.from([1, 1]));
    expect([...(gradients?.get('input') ?? [])].map((value) => Number(value.toFixed(8)))).toEqual([-1, -1, -1, -1]);
    expect(gradients?.get('w')?.[0]).toBeCloseTo(-20, 6);
    expect(gradients?.get('w')?.[1]).toBeCloseTo(5, 6);
  });

  it('counts entries that are read several times for one number', () => {
    const graph = graphOf(
      (x, w) => {
        const sums = new Float64Array(2);
        for (let s = 0; s < 2; s++) for (let i = 0; i < 2; i++) sums[s]! += w[x[2 * s + i]! > 0 ? 1 : 0]!;
        return sums.map((sum) => sum * 3);
      },
      [1, 1, -1, 1],
      [0.5, 0.7],
      2,
      2,
    );
    const uses = graph?.trace.repeatedUses.map(({ entry, count }) => [entry, count]);
    expect(uses).toEqual([[1, 2]]);
  });

  it('is none for a forward pass that branches on a stored number', () => {
    const calls = { count: 0 };
    const graph = graphOf(
      (x) => (calls.count++ % 2 === 0 ? x.map(Math.tanh) : x.map((value) => Math.sin(Math.tanh(value)))),
      [1, 2],
      [1],
      2,
      2,
    );
    expect(graph).toBeNull();
  });

  it('leaves Math and Float64Array as they were, whatever the layer does', () => {
    const before = [Math.tanh, Math.max, Float64Array, Error.stackTraceLimit];
    expect(() =>
      ForwardTrace.record(
        () => {
          throw new RangeError('mine');
        },
        { nodes: 10, events: 10 },
        true,
      ),
    ).toThrow(RangeError);
    expect([Math.tanh, Math.max, Float64Array, Error.stackTraceLimit]).toEqual(before);
  });

  it('is none for a layer that throws, or that does too much to observe', () => {
    const limits = { nodes: 100, events: 100 };
    const failing = (error: Error) => () => {
      throw error;
    };
    const thrown = new CustomLayerError({
      layer: 'mine',
      call: 'forward',
      message: 'The forward pass of mine threw.',
      remedy: '',
      place: { file: 'mine.ts', line: 1, column: 1 },
      stack: null,
    });
    expect(ForwardTrace.record(failing(thrown), limits, true)).toBeNull();
    // As the layer's definition does with whatever its code throws.
    const long = (): void => {
      try {
        new Float64Array(1000).fill(1);
      } catch {
        throw thrown;
      }
    };
    expect(ForwardTrace.record(long, limits, true)).toBeNull();
    expect(ForwardTrace.record(long, limits, false)).not.toBeNull();
  });

  it('gives the layer arrays that behave as typed arrays', () => {
    const seen: unknown[] = [];
    ForwardTrace.record(
      (observer) => {
        const { data } = observer.start({ shape: [3], data: Float64Array.of(3, 1, 2) });
        const made = new Float64Array(data);
        seen.push(made.length, [...made], Math.max(...made), made.indexOf(2), made instanceof Float64Array);
        seen.push(
          made.reduce((a, b) => a + b),
          Array.from(made.subarray(1)),
          made.slice(-2)[0],
          made[7],
        );
        seen.push(Float64Array.from({ length: 2 }, (_, i) => i + 1)[1], [...new Float64Array(2).fill(4)]);
        observer.finish();
      },
      { nodes: 100, events: 1000 },
      true,
    );
    expect(seen).toEqual([3, [3, 1, 2], 3, 2, true, 6, [1, 2], 1, undefined, 2, [4, 4]]);
  });
});

describe('least squares', () => {
  it('finds the factors of independent columns and leaves out dependent ones', () => {
    const columns = [
      [1, 0, 2, 1],
      [0, 1, 1, 1],
      [1, 1, 3, 2],
    ];
    const factors = solveLeastSquares(columns, [2, -3, 1, -1]);
    expect([...factors].map((value) => Number(value.toFixed(9)))).toEqual([2, -3, 0]);
  });
});
