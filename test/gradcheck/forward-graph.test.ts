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
    const uses = graph?.trace?.repeatedUses.map(({ entry, count }) => [entry, count]);
    expect(uses).toEqual([[1, 2]]);
  });

  it('has the gradients of a function that keeps its numbers in lists', () => {
    // h = x w0 + 1, y = h² w1, where h is used in two places.
    const graph = graphOf(
      (x, w) => {
        const h = new Array<number>(2).fill(0);
        for (let i = 0; i < 2; i++) h[i] = x[i]! * w[0]! + 1;
        const left = h.map((value) => value * w[1]!);
        return left.map((value, i) => value * h[i]!);
      },
      [0.3, -0.7],
      [0.5, -0.4],
      2,
      2,
    );
    const gradients = graph?.gradients(Float64Array.of(1, 2));
    const h = [0.3, -0.7].map((value) => value * 0.5 + 1);
    h.forEach((value, i) => {
      expect(gradients?.get('input')?.[i]).toBeCloseTo((i + 1) * 2 * value * -0.4 * 0.5, 8);
    });
    expect(gradients?.get('w')?.[1]).toBeCloseTo(h[0]! ** 2 + 2 * h[1]! ** 2, 8);
    // The two uses of h have edges of their own.
    expect(new Set(graph?.placeOfEdge).size).toBeGreaterThan(2);
  });

  it('tells the uses of a number apart by their places in the code', () => {
    const graph = graphOf(
      (x, w) => {
        const y = [0, 0];
        for (let i = 0; i < 2; i++) {
          const once = x[i]! * w[0]!;
          y[i] = once * x[i]!;
        }
        return y;
      },
      [3, -2],
      [0.5],
      2,
      2,
    );
    const { edgesOf, derivatives } = graph ?? { edgesOf: [], derivatives: { weights: [] } };
    const leaf = graph?.leaves.find(({ name }) => name === 'input')?.first ?? NaN;
    const weights = [...derivatives.weights.slice(edgesOf[leaf], edgesOf[leaf + 1])];
    expect(weights.map((weight) => Number(weight.toFixed(8)))).toEqual([1.5, 1.5]);
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

  it('leaves Math and arrays as they were, whatever the layer does', () => {
    const before = [Math.tanh, Math.max, Float64Array, Error.stackTraceLimit, Array];
    const describeMethods = () =>
      Object.entries(Object.getOwnPropertyDescriptors(Array.prototype)).map(([name, { value, ...rest }]) => ({
        name,
        value: value as unknown,
        ...rest,
      }));
    const methods = describeMethods();
    expect(() =>
      ForwardTrace.record(
        () => {
          throw new RangeError('mine');
        },
        { nodes: 10, events: 10 },
        true,
      ),
    ).toThrow(RangeError);
    expect([Math.tanh, Math.max, Float64Array, Error.stackTraceLimit, Array]).toEqual(before);
    for (const [i, method] of describeMethods().entries()) expect(method).toEqual(methods[i]);
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
    // The error of a layer may be made with the functions that are observed.
    const handled = (): void => {
      try {
        new Float64Array(1000).fill(1);
      } catch {
        throw Math.max(1, 2) === 2 ? thrown : new Error();
      }
    };
    expect(ForwardTrace.record(handled, limits, true)).toBeNull();
    const swallowed = (): void => {
      try {
        new Float64Array(1000).fill(1);
      } catch {
        // As some layers do.
      }
    };
    expect(ForwardTrace.record(swallowed, limits, true)).toBeNull();
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

describe('lists in an observed forward pass', () => {
  it('behave as lists', () => {
    const seen: unknown[] = [];
    const run = (): void => {
      const made = new Array<number>(3).fill(1.5);
      made.push(2.5);
      seen.push(Array.isArray(made), made instanceof Array, made.length, [...made], JSON.stringify(made));
      const doubled = made.map((value) => 2 * value);
      seen.push(doubled.slice(1, -1), doubled.concat([0.5]), doubled.indexOf(5), doubled.at(-1), doubled.pop());
      seen.push(
        Array.from({ length: 2 }, (_, i) => i + 0.5),
        Array.from('ab'),
        Array.of(1),
      );
      seen.push(
        [[0.5], [1.5]].flat(),
        [3.5, 1.5].toSorted(),
        ['b', 'a'].toSorted(),
        [0.25, 0.5].reduce((a, b) => a + b),
      );
      seen.push(
        [1, 2, 4, 8].map(Math.log2),
        [0.1, 0.2].filter((value) => value > 0.15),
      );
    };
    run();
    const expected = [...seen];
    seen.length = 0;
    ForwardTrace.record(run, { nodes: 100, events: 1000 }, true);
    expect(JSON.parse(JSON.stringify(seen))).toEqual(JSON.parse(JSON.stringify(expected)));
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
