// Layers in many styles of code: flat loops, typed arrays, lists made with `[...x]` and `push`, helper functions,
// classes, closures, destructuring, `map` and `reduce`, recursions in local variables.
import type { ForwardCall, Gradients, Tensor } from '../../../src/engine/custom/contract';
import type { Cause } from '../../../src/protocol/check-report';
import { mistake, normal, size, type Template } from './layer-templates';

const sigma = (z: number): number => 1 / (1 + Math.exp(-z));
const zeros = (n: number): number[] => Array.from({ length: n }, () => 0);
const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
const rows = ({ shape, data }: Tensor): number[][] =>
  Array.from({ length: shape[0] }, (_, r) =>
    [...data].slice((r * data.length) / shape[0], ((r + 1) * data.length) / shape[0]),
  );
const give = (
  { ops, x, parameters }: ForwardCall,
  dx: ArrayLike<number>,
  own: Readonly<Record<string, ArrayLike<number>>> = {},
): Gradients => ({
  dx: ops.tensor(x.shape, Array.from(dx)),
  parameters: Object.fromEntries(
    Object.entries(own).map(([name, values]) => [name, ops.tensor(parameters[name].shape, Array.from(values))]),
  ),
});
const oneOf =
  (...causes: Cause[]) =>
  (...tensors: string[]) =>
    mistake(causes, ...tensors);

const eps = oneOf('wrong_place', 'options_ignored', 'wrong_operand');
const missing = oneOf(
  'contribution_missing',
  'turns_missing',
  'share_missing',
  'statistics_constant',
  'one_use',
  'time_step_missing',
);
const constant = oneOf('statistics_constant', 'contribution_missing');
const axis = oneOf('axes_wrong', 'wrong_sum', 'options_ignored');
const stride = oneOf('stride_wrong', 'options_ignored');
const group = oneOf('channel_missing', 'wrong_operand', 'permuted', 'swapped', 'shifted', 'wrong_place');
const swap = oneOf('swapped', 'wrong_operand', 'permuted');
const inner = oneOf(
  'derivative_missing',
  'wrong_derivative',
  'wrong_operand',
  'scale_missing',
  'derivative_of_another',
  'wrong_place',
  'derivative_of_output_at_input',
  'contribution_missing',
);
const over = oneOf('overwritten');

/** Layer norm in flat loops. */
const normLoops: Template = {
  name: 'styles: layer norm, flat loops',
  isComposition: true,
  input: (random) => [size(random, 4, 7)],
  mistakes: {
    'eps outside of the root in backward': eps('input', 'g'),
    'eps missing in backward': eps('input', 'g'),
  },
  make(_random, [n], fault) {
    const E = 0.02;
    return {
      parameters: () => ({ g: { shape: [n], init: { type: 'normal', mean: 1, std: 0.3 } }, b: { shape: [n] } }),
      forward({ x, parameters: { g, b }, ops }) {
        const y = ops.tensor(x.shape);
        for (let s = 0; s < x.shape[0]; s++) {
          let m = 0;
          for (let i = 0; i < n; i++) m += x.data[s * n + i] / n;
          let v = 0;
          for (let i = 0; i < n; i++) v += (x.data[s * n + i] - m) ** 2 / n;
          const inv = 1 / Math.sqrt(v + E);
          for (let i = 0; i < n; i++) y.data[s * n + i] = (x.data[s * n + i] - m) * inv * g.data[i] + b.data[i];
        }
        return y;
      },
      backward(call) {
        const {
          x,
          dy,
          parameters: { g },
        } = call;
        const dx = new Float64Array(x.data.length);
        const [dg, db] = [new Float64Array(n), new Float64Array(n)];
        for (let s = 0; s < x.shape[0]; s++) {
          let m = 0;
          for (let i = 0; i < n; i++) m += x.data[s * n + i] / n;
          let v = 0;
          for (let i = 0; i < n; i++) v += (x.data[s * n + i] - m) ** 2 / n;
          const inv =
            fault === 'eps outside of the root in backward'
              ? 1 / (Math.sqrt(v) + E)
              : fault === 'eps missing in backward'
                ? 1 / Math.sqrt(v)
                : 1 / Math.sqrt(v + E);
          let [a, c] = [0, 0];
          for (let i = 0; i < n; i++) {
            const hat = (x.data[s * n + i] - m) * inv;
            const d = dy.data[s * n + i];
            dg[i] += d * hat;
            db[i] += d;
            a += (d * g.data[i]) / n;
            c += (d * g.data[i] * hat) / n;
          }
          for (let i = 0; i < n; i++) {
            const hat = (x.data[s * n + i] - m) * inv;
            dx[s * n + i] = inv * (dy.data[s * n + i] * g.data[i] - a - hat * c);
          }
        }
        return give(call, dx, { g: dg, b: db });
      },
    };
  },
};

/** RMS norm with map and reduce; eps is added after the root. */
const rms: Template = {
  name: 'styles: RMS norm, map and reduce',
  isComposition: true,
  input: (random) => [size(random, 4, 7)],
  mistakes: {
    'eps inside of the root in backward': eps('input', 'g'),
    'eps missing in the outer factor': eps('input'),
    'root taken as constant': constant('input'),
  },
  make(_random, [n], fault) {
    const E = 0.1;
    const root = (r: readonly number[]): number => Math.sqrt(r.map((v) => v * v).reduce((a, b) => a + b, 0) / n);
    return {
      parameters: () => normal({ g: [n] }),
      forward: ({ x, parameters: { g }, ops }) =>
        ops.tensor(
          x.shape,
          rows(x).flatMap((r) => r.map((v, i) => (v / (root(r) + E)) * g.data[i])),
        ),
      backward(call) {
        const g = [...call.parameters.g.data];
        const dg = zeros(n);
        const d = rows(call.dy);
        const dx = rows(call.x).flatMap((r, s) => {
          const q = root(r);
          const den = fault === 'eps inside of the root in backward' ? Math.sqrt(q * q + E) : q + E;
          d[s].forEach((v, i) => (dg[i] += (v * r[i]) / den));
          const dot = d[s].reduce((a, v, i) => a + v * g[i] * r[i], 0);
          const out = fault === 'eps missing in the outer factor' ? q : den;
          return r.map(
            (v, i) =>
              (d[s][i] * g[i]) / out -
              (fault === 'root taken as constant'
                ? 0
                : (dot * v) / (n * (fault === 'eps inside of the root in backward' ? den : q) * den ** 2)),
          );
        });
        return give(call, dx, { g: dg });
      },
    };
  },
};

/** L2 normalization with a closure, eps within the root. */
const unit: Template = {
  name: 'styles: unit vectors, closure',
  isComposition: true,
  input: (random) => [size(random, 4, 7)],
  mistakes: {
    'eps outside of the root in backward': eps('input'),
    'norm taken as constant': constant('input'),
    'inner derivative without the value': inner('input'),
  },
  make(_random, _input, fault) {
    const E = 0.05;
    const withNorm = <T>(r: readonly number[], use: (norm: number) => T): T =>
      use(Math.sqrt(sum(r.map((v) => v ** 2)) + E));
    return {
      forward({ x, ops }) {
        const out: number[] = [];
        for (const r of rows(x)) withNorm(r, (norm) => out.push(...r.map((v) => v / norm)));
        return ops.tensor(x.shape, out);
      },
      backward(call) {
        const d = rows(call.dy);
        const dx = rows(call.x).flatMap((r, s) => {
          const norm =
            fault === 'eps outside of the root in backward'
              ? Math.sqrt(sum(r.map((v) => v ** 2))) + E
              : withNorm(r, (v) => v);
          const dot = sum(r.map((v, i) => v * d[s][i]));
          return r.map((v, i) => {
            if (fault === 'norm taken as constant') return d[s][i] / norm;
            return d[s][i] / norm - (fault === 'inner derivative without the value' ? dot : dot * v) / norm ** 3;
          });
        });
        return give(call, dx);
      },
    };
  },
};

/** Tokens, normalized each, in rows of lists. */
const tokenNorm: Template = {
  name: 'styles: norm of tokens, lists',
  isComposition: true,
  input: (random) => [4 * size(random, 2, 3)],
  mistakes: {
    'means along the other axis': axis('input'),
    'first mean along the other axis': axis('input'),
    'softmax along the other axis': axis('input'),
  },
  make(_random, [n], fault) {
    const [T, D] = [n / 4, 4];
    const soft = fault === 'softmax along the other axis';
    const forwardRow = (r: readonly number[]): number[] => {
      const mean = sum([...r]) / D;
      const centered = [...r].map((v) => v - mean);
      const std = Math.sqrt(sum(centered.map((v) => v * v)) / D + 1e-3);
      return centered.map((v) => v / std);
    };
    const softRow = (r: readonly number[]): number[] => {
      const e = r.map((v) => Math.exp(v));
      const total = sum(e);
      return e.map((v) => v / total);
    };
    return {
      forward: ({ x, ops }) =>
        ops.tensor(
          x.shape,
          rows(x).flatMap((r) =>
            Array.from({ length: T }, (_, t) => (soft ? softRow : forwardRow)(r.slice(t * D, t * D + D))).flat(),
          ),
        ),
      backward(call) {
        const up = rows(call.dy);
        const dx = rows(call.x).flatMap((r, s) => {
          const tokens = Array.from({ length: T }, (_, t) => r.slice(t * D, t * D + D));
          const d = Array.from({ length: T }, (_, t) => up[s].slice(t * D, t * D + D));
          if (soft) {
            const p = tokens.map(softRow);
            const dots = Array.from({ length: D }, (_, j) => sum(p.map((row, t) => row[j] * d[t][j])));
            return p.flatMap((row, t) => row.map((v, j) => v * (d[t][j] - dots[j])));
          }
          const hat = tokens.map(forwardRow);
          const std = tokens.map((row) => {
            const mean = sum(row) / D;
            return Math.sqrt(sum(row.map((v) => (v - mean) ** 2)) / D + 1e-3);
          });
          const all = fault === 'means along the other axis';
          const first = all || fault === 'first mean along the other axis';
          return d.flatMap((row, t) =>
            row.map((v, j) => {
              const m1 = first ? sum(d.map((each) => each[j])) / T : sum(row) / D;
              const m2 = all
                ? sum(d.map((each, k) => each[j] * hat[k][j])) / T
                : sum(row.map((each, k) => each * hat[t][k])) / D;
              return (v - m1 - hat[t][j] * m2) / std[t];
            }),
          );
        });
        return give(call, dx);
      },
    };
  },
};

/** A convolution along a row with a stride, in loops with helper functions. */
const strided: Template = {
  name: 'styles: strided convolution, helpers',
  isComposition: true,
  input: (random) => [2 * size(random, 4, 6) + 1],
  mistakes: {
    'stride ignored in dx': stride('input'),
    'stride ignored in dw': stride('k'),
    'stride ignored in both': stride('k', 'input'),
    'bias from the first place': oneOf('place_missing', 'share_missing', 'turns_missing')('b'),
  },
  make(_random, [n], fault) {
    const [K, S] = [3, 2];
    const O = (n - K) / S + 1;
    const each = (samples: number, visit: (s: number, o: number, k: number) => void): void => {
      for (let s = 0; s < samples; s++) for (let o = 0; o < O; o++) for (let k = 0; k < K; k++) visit(s, o, k);
    };
    return {
      parameters: () => normal({ k: [K], b: [1] }),
      outputShape: () => [O],
      forward({ x, parameters: { k, b }, ops }) {
        const y = ops.tensor([x.shape[0], O]);
        y.data.fill(b.data[0]);
        each(x.shape[0], (s, o, j) => (y.data[s * O + o] += k.data[j] * x.data[s * n + o * S + j]));
        return y;
      },
      backward(call) {
        const {
          x,
          dy,
          parameters: { k },
        } = call;
        const [dx, dk, db] = [new Float64Array(x.data.length), new Float64Array(K), new Float64Array(1)];
        const inX = fault === 'stride ignored in dx' || fault === 'stride ignored in both' ? 1 : S;
        const inK = fault === 'stride ignored in dw' || fault === 'stride ignored in both' ? 1 : S;
        each(x.shape[0], (s, o, j) => {
          dx[s * n + o * inX + j] += dy.data[s * O + o] * k.data[j];
          dk[j] += dy.data[s * O + o] * x.data[s * n + o * inK + j];
        });
        dy.data.forEach((v, i) => {
          if (fault !== 'bias from the first place' || i % O === 0) db[0] += v;
        });
        return give(call, dx, { k: dk, b: db });
      },
    };
  },
};

/** A convolution of images with a stride, in a class. */
const stridedImage: Template = {
  name: 'styles: strided convolution of images, class',
  isComposition: true,
  input: () => [2, 7, 7],
  mistakes: {
    'stride ignored in dx': stride('input'),
    'stride ignored in dw': stride('k'),
    'stride of the rows ignored': stride('k', 'input'),
  },
  make(_random, [C, H, W], fault) {
    const [K, S, O] = [3, 2, 3];
    class Windows {
      constructor(readonly stride: readonly [number, number]) {}
      *all(samples: number): Iterable<readonly [x: number, y: number, k: number]> {
        for (let s = 0; s < samples; s++)
          for (let c = 0; c < C; c++)
            for (let r = 0; r < O; r++)
              for (let q = 0; q < O; q++)
                for (let i = 0; i < K; i++)
                  for (let j = 0; j < K; j++)
                    yield [
                      ((s * C + c) * H + r * this.stride[0] + i) * W + q * this.stride[1] + j,
                      ((s * C + c) * O + r) * O + q,
                      (c * K + i) * K + j,
                    ];
      }
    }
    const right = new Windows([S, S]);
    return {
      parameters: () => normal({ k: [C, K, K] }),
      outputShape: () => [C, O, O],
      forward({ x, parameters: { k }, ops }) {
        const y = ops.tensor([x.shape[0], C, O, O]);
        for (const [from, to, at] of right.all(x.shape[0])) y.data[to] += x.data[from] * k.data[at];
        return y;
      },
      backward(call) {
        const {
          x,
          dy,
          parameters: { k },
        } = call;
        const [dx, dk] = [zeros(x.data.length), zeros(C * K * K)];
        const both = fault === 'stride of the rows ignored';
        for (const [from, to, at] of new Windows(
          fault === 'stride ignored in dx' ? [1, 1] : both ? [1, S] : [S, S],
        ).all(x.shape[0]))
          dx[from] += dy.data[to] * k.data[at];
        for (const [from, to, at] of new Windows(
          fault === 'stride ignored in dw' ? [1, 1] : both ? [1, S] : [S, S],
        ).all(x.shape[0]))
          dk[at] += dy.data[to] * x.data[from];
        return give(call, dx, { k: dk });
      },
    };
  },
};

/** A convolution in two groups of channels. */
const grouped: Template = {
  name: 'styles: grouped convolution',
  isComposition: true,
  input: () => [4, 5, 5],
  mistakes: {
    'offset of the group missing in dx': group('input'),
    'offset of the group missing in dw': group('k'),
    'offset of the group missing in both': group('input', 'k'),
    'offset of the weights missing': group('input', 'k'),
  },
  make(_random, [C, H, W], fault) {
    const [G, K, O] = [2, 2, 4];
    const [per, outPer] = [C / G, 2];
    const M = G * outPer;
    const each = (
      samples: number,
      visit: (g: number, to: number, from: (g: number) => number, k: (g: number) => number) => void,
    ): void => {
      for (let s = 0; s < samples; s++)
        for (let g = 0; g < G; g++)
          for (let m = 0; m < outPer; m++)
            for (let r = 0; r < O; r++)
              for (let q = 0; q < O; q++)
                for (let c = 0; c < per; c++)
                  for (let i = 0; i < K; i++)
                    for (let j = 0; j < K; j++)
                      visit(
                        g,
                        ((s * M + g * outPer + m) * O + r) * O + q,
                        (of) => ((s * C + of * per + c) * H + r + i) * W + q + j,
                        (of) => (((of * outPer + m) * per + c) * K + i) * K + j,
                      );
    };
    return {
      parameters: () => normal({ k: [M, per, K, K] }),
      outputShape: () => [M, O, O],
      forward({ x, parameters: { k }, ops }) {
        const y = ops.tensor([x.shape[0], M, O, O]);
        each(x.shape[0], (g, to, from, at) => (y.data[to] += x.data[from(g)] * k.data[at(g)]));
        return y;
      },
      backward(call) {
        const {
          x,
          dy,
          parameters: { k },
        } = call;
        const [dx, dk] = [new Float64Array(x.data.length), new Float64Array(k.data.length)];
        const both = fault === 'offset of the group missing in both';
        const lost = fault === 'offset of the weights missing';
        each(x.shape[0], (g, to, from, at) => {
          dx[from(fault === 'offset of the group missing in dx' || both ? 0 : g)] +=
            dy.data[to] * k.data[at(lost ? 0 : g)];
          dk[at(lost ? 0 : g)] +=
            dy.data[to] * x.data[from(fault === 'offset of the group missing in dw' || both ? 0 : g)];
        });
        return give(call, dx, { k: dk });
      },
    };
  },
};

/** A grouped linear map of a row. */
const groupedLinear: Template = {
  name: 'styles: grouped linear, map',
  isComposition: true,
  input: (random) => [2 * size(random, 2, 4)],
  mistakes: {
    'offset of the group missing in dx': group('input'),
    'offset of the group missing in dw': group('w'),
  },
  make(_random, [n], fault) {
    const h = n / 2;
    return {
      parameters: () => normal({ w: [2, h, h] }),
      forward: ({ x, parameters: { w }, ops }) =>
        ops.tensor(
          x.shape,
          rows(x).flatMap((r) =>
            [0, 1].flatMap((g) =>
              zeros(h).map((_, o) => sum(zeros(h).map((__, i) => w.data[(g * h + o) * h + i] * r[g * h + i]))),
            ),
          ),
        ),
      backward(call) {
        const {
          x,
          dy,
          parameters: { w },
        } = call;
        const dw = zeros(2 * h * h);
        const d = rows(dy);
        const dx = rows(x).map((r, s) => {
          const own = zeros(n);
          for (const g of [0, 1])
            for (let o = 0; o < h; o++)
              for (let i = 0; i < h; i++) {
                own[(fault === 'offset of the group missing in dx' ? 0 : g) * h + i] +=
                  w.data[(g * h + o) * h + i] * d[s][g * h + o];
                dw[(g * h + o) * h + i] +=
                  d[s][g * h + o] * r[(fault === 'offset of the group missing in dw' ? 0 : g) * h + i];
              }
          return own;
        });
        return give(call, dx.flat(), { w: dw });
      },
    };
  },
};

/** An LSTM with typed arrays; the last state is the output. */
const lstm: Template = {
  name: 'styles: LSTM, typed arrays',
  isComposition: true,
  input: (random) => [2 * size(random, 2, 3)],
  mistakes: {
    'gradients of input and forget gate swapped': swap('w', 'u', 'b', 'input'),
    'carried by the input gate': swap('w', 'u', 'b', 'input'),
    'candidate gets the forget gate': swap('w', 'u', 'b', 'input'),
    'output gate in place of the forget gate': swap('w', 'u', 'b', 'input'),
  },
  make(random, [n], fault) {
    const [d, T, H] = [2, n / 2, size(random, 2, 3)];
    const run = (x: Float64Array | Float32Array, w: ArrayLike<number>, u: ArrayLike<number>, b: ArrayLike<number>) => {
      const [h, c] = [new Float64Array((T + 1) * H), new Float64Array((T + 1) * H)];
      const a = new Float64Array(T * 4 * H);
      for (let t = 0; t < T; t++) {
        for (let k = 0; k < 4 * H; k++) {
          let z = b[k];
          for (let i = 0; i < d; i++) z += x[t * d + i] * w[i * 4 * H + k];
          for (let i = 0; i < H; i++) z += h[t * H + i] * u[i * 4 * H + k];
          a[t * 4 * H + k] = k < 3 * H ? sigma(z) : Math.tanh(z);
        }
        for (let j = 0; j < H; j++) {
          const at = t * 4 * H + j;
          c[(t + 1) * H + j] = a[at + H] * c[t * H + j] + a[at] * a[at + 3 * H];
          h[(t + 1) * H + j] = a[at + 2 * H] * Math.tanh(c[(t + 1) * H + j]);
        }
      }
      return { h, c, a };
    };
    return {
      parameters: () => normal({ w: [d, 4 * H], u: [H, 4 * H], b: [4 * H] }, 0.8),
      outputShape: () => [H],
      forward({ x, parameters: { w, u, b }, ops }) {
        const y = ops.tensor([x.shape[0], H]);
        for (let s = 0; s < x.shape[0]; s++)
          y.data.set(run(x.data.subarray(s * n, s * n + n), w.data, u.data, b.data).h.subarray(T * H), s * H);
        return y;
      },
      backward(call) {
        const {
          x,
          dy,
          parameters: { w, u, b },
        } = call;
        const dx = new Float64Array(x.data.length);
        const [dw, du, db] = [w, u, b].map(({ data }) => new Float64Array(data.length));
        for (let s = 0; s < x.shape[0]; s++) {
          const { h, c, a } = run(x.data.subarray(s * n, s * n + n), w.data, u.data, b.data);
          let dh = Float64Array.from(dy.data.subarray(s * H, s * H + H));
          let dc = new Float64Array(H);
          for (let t = T - 1; t >= 0; t--) {
            const dz = new Float64Array(4 * H);
            const nextC = new Float64Array(H);
            for (let j = 0; j < H; j++) {
              const [gi, gf, go, gg] = [0, 1, 2, 3].map((k) => a[t * 4 * H + k * H + j]);
              const tc = Math.tanh(c[(t + 1) * H + j]);
              const cell = dc[j] + dh[j] * go * (1 - tc * tc);
              const [di, df] = [cell * gg * gi * (1 - gi), cell * c[t * H + j] * gf * (1 - gf)];
              const swapped = fault === 'gradients of input and forget gate swapped';
              dz[j] = swapped ? df : di;
              dz[H + j] = swapped ? di : df;
              dz[2 * H + j] = dh[j] * tc * go * (1 - go);
              dz[3 * H + j] = cell * (fault === 'candidate gets the forget gate' ? gf : gi) * (1 - gg * gg);
              nextC[j] =
                cell *
                (fault === 'carried by the input gate'
                  ? gi
                  : fault === 'output gate in place of the forget gate'
                    ? go
                    : gf);
            }
            const nextH = new Float64Array(H);
            for (let k = 0; k < 4 * H; k++) {
              db[k] += dz[k];
              for (let i = 0; i < d; i++) {
                dw[i * 4 * H + k] += x.data[s * n + t * d + i] * dz[k];
                dx[s * n + t * d + i] += w.data[i * 4 * H + k] * dz[k];
              }
              for (let i = 0; i < H; i++) {
                du[i * 4 * H + k] += h[t * H + i] * dz[k];
                nextH[i] += u.data[i * 4 * H + k] * dz[k];
              }
            }
            [dh, dc] = [nextH, nextC];
          }
        }
        return give(call, dx, { w: dw, u: du, b: db });
      },
    };
  },
};

/** A GRU with one unit in local variables; all states are the output. */
const scalarGru: Template = {
  name: 'styles: GRU, local variables',
  isComposition: true,
  input: (random) => [size(random, 3, 5)],
  mistakes: {
    'update gate swapped': swap('z', 'r', 'c', 'input'),
    'gradients of update and reset gate swapped': swap('z', 'r', 'c', 'input'),
    'state not carried': missing('z', 'r', 'c', 'input'),
    'reset gate path missing': missing('z', 'r', 'c', 'input'),
  },
  make(_random, [n], fault) {
    const gates = (x: number, h: number, p: Readonly<Record<string, Tensor>>) => {
      const z = sigma(p.z.data[0] * x + p.z.data[1] * h + p.z.data[2]);
      const r = sigma(p.r.data[0] * x + p.r.data[1] * h + p.r.data[2]);
      const c = Math.tanh(p.c.data[0] * x + p.c.data[1] * r * h + p.c.data[2]);
      return { z, r, c };
    };
    return {
      parameters: () => normal({ z: [3], r: [3], c: [3] }),
      forward({ x, parameters, ops }) {
        const y = ops.tensor(x.shape);
        for (let s = 0; s < x.shape[0]; s++) {
          let h = 0;
          for (let t = 0; t < n; t++) {
            const { z, c } = gates(x.data[s * n + t], h, parameters);
            h = (1 - z) * h + z * c;
            y.data[s * n + t] = h;
          }
        }
        return y;
      },
      backward(call) {
        const { x, dy, y, parameters: p } = call;
        const dx = zeros(x.data.length);
        const g = { z: zeros(3), r: zeros(3), c: zeros(3) };
        for (let s = 0; s < x.shape[0]; s++) {
          let carried = 0;
          for (let t = n - 1; t >= 0; t--) {
            const at = s * n + t;
            const h = t > 0 ? y.data[at - 1] : 0;
            const u = x.data[at];
            const { z, r, c } = gates(u, h, p);
            const dh = dy.data[at] + carried;
            const dc = dh * (fault === 'update gate swapped' ? 1 - z : z) * (1 - c * c);
            let dz = dh * (c - h) * z * (1 - z);
            let dr = dc * p.c.data[1] * h * r * (1 - r);
            if (fault === 'gradients of update and reset gate swapped') [dz, dr] = [dr, dz];
            if (fault === 'reset gate path missing') dr = 0;
            for (const [own, value, h1] of [
              [g.z, dz, h],
              [g.r, dr, h],
              [g.c, dc, r * h],
            ] as const) {
              own[0] += value * u;
              own[1] += value * h1;
              own[2] += value;
            }
            dx[at] = dz * p.z.data[0] + dr * p.r.data[0] + dc * p.c.data[0];
            carried =
              dh * (fault === 'update gate swapped' ? z : 1 - z) +
              dz * p.z.data[1] +
              dr * p.r.data[1] +
              dc * p.c.data[1] * r;
            if (fault === 'state not carried') carried = 0;
          }
        }
        return give(call, dx, g);
      },
    };
  },
};

/** A filter with one state in a local variable: h = a h + b x. */
const filter: Template = {
  name: 'styles: recursive filter, local variables',
  isComposition: true,
  input: (random) => [size(random, 4, 7)],
  mistakes: {
    'state not carried': missing('a', 'b', 'input'),
    'carried, not added': oneOf(
      'overwritten',
      'contribution_missing',
      'turns_missing',
      'share_missing',
    )('a', 'b', 'input'),
    'carried without the factor': oneOf('scale_missing', 'factor', 'contribution_missing')('a', 'b', 'input'),
    'new state in da': oneOf('wrong_turn', 'wrong_operand')('a'),
    'first step left out': oneOf(
      'turns_missing',
      'share_missing',
      'place_missing',
      'time_step_missing',
    )('a', 'b', 'input'),
    'carried only one step': missing('a', 'b', 'input'),
  },
  make(_random, [n], fault) {
    return {
      parameters: () => ({
        a: { shape: [1], init: { type: 'normal', mean: 0.7, std: 0.1 } },
        b: { shape: [1], init: { type: 'normal', mean: 1.3, std: 0.3 } },
      }),
      forward({ x, parameters, ops }) {
        const [a] = parameters.a.data;
        const [b] = parameters.b.data;
        return ops.tensor(
          x.shape,
          rows(x).flatMap((r) => {
            let h = 0;
            return r.map((v) => (h = a * h + b * v));
          }),
        );
      },
      backward(call) {
        const { x, dy, y, parameters } = call;
        const [a] = parameters.a.data;
        const [b] = parameters.b.data;
        let [da, db] = [0, 0];
        const [d, ys] = [rows(dy), rows(y)];
        const dx = rows(x).flatMap((r, s) => {
          const own = zeros(n);
          let carried = 0;
          for (let t = n - 1; t >= (fault === 'first step left out' ? 1 : 0); t--) {
            let dh = d[s][t] + carried;
            if (fault === 'carried, not added' && t < n - 1) dh = carried;
            const before = t > 0 ? ys[s][t - 1] : 0;
            da += dh * (fault === 'new state in da' ? ys[s][t] : before);
            db += dh * r[t];
            own[t] = dh * b;
            carried = fault === 'carried without the factor' ? dh : a * dh;
            if (fault === 'state not carried') carried = 0;
            if (fault === 'carried only one step') carried = a * d[s][t];
          }
          return own;
        });
        return give(call, dx, { a: [da], b: [db] });
      },
    };
  },
};

/** A polynomial by Horner's rule in a local variable, and a running product. */
const horner: Template = {
  name: 'styles: polynomial and running product',
  isComposition: true,
  input: (random) => [size(random, 3, 5)],
  mistakes: {
    'inner derivative missing': inner('input'),
    'last coefficient missing in dx': missing('input'),
    'running product without earlier factors': missing('input'),
    'powers one off in dc': oneOf('shifted', 'wrong_operand', 'scale_missing', 'wrong_place')('c'),
  },
  make(_random, [n], fault) {
    const K = 4;
    const p = (v: number, c: ArrayLike<number>, top = K): number => {
      let value = 0;
      for (let k = top - 1; k >= 0; k--) value = value * v + c[k];
      return value;
    };
    const slope = (v: number, c: ArrayLike<number>, top = K): number => {
      let value = 0;
      for (let k = top - 1; k >= 1; k--) value = value * v + k * c[k];
      return value;
    };
    return {
      parameters: () => normal({ c: [K] }),
      forward: ({ x, parameters: { c }, ops }) =>
        ops.tensor(
          x.shape,
          rows(x).flatMap((r) => {
            const out: number[] = [];
            let product = 1;
            for (const v of r) {
              product *= Math.tanh(v) + 1.5;
              out.push(p(v * v, c.data) * product);
            }
            return out;
          }),
        ),
      backward(call) {
        const { x, dy, parameters } = call;
        const c = [...parameters.c.data];
        const dc = zeros(K);
        const d = rows(dy);
        const dx = rows(x).flatMap((r, s) => {
          const f = r.map((v) => Math.tanh(v) + 1.5);
          const products = f.map((_, i) => f.slice(0, i + 1).reduce((a, b) => a * b, 1));
          const own = zeros(n);
          for (let i = 0; i < n; i++) {
            const v = r[i];
            for (let k = 0; k < K; k++)
              dc[k] += d[s][i] * products[i] * (v * v) ** (fault === 'powers one off in dc' ? k + 1 : k);
            const chain = fault === 'inner derivative missing' ? 1 : 2 * v;
            own[i] +=
              d[s][i] * products[i] * slope(v * v, c, fault === 'last coefficient missing in dx' ? K - 1 : K) * chain;
            for (let j = fault === 'running product without earlier factors' ? i : 0; j <= i; j++)
              own[j] += (d[s][i] * p(v * v, c) * products[i] * (1 - Math.tanh(r[j]) ** 2)) / f[j];
          }
          return own;
        });
        return give(call, dx, { c: dc });
      },
    };
  },
};

/** Compositions of functions of one number. */
const composition: Template = {
  name: 'styles: composition',
  isComposition: true,
  input: (random) => [size(random, 3, 6)],
  mistakes: {
    'sine: inner derivative missing': inner('input'),
    'sine: inner derivative x': inner('input'),
    'sine: cosine of the wrong number': inner('input', 'w'),
    'gauss: inner derivative without sign': oneOf(
      'sign',
      'part_sign',
      'contribution_sign',
      'wrong_derivative',
      'derivative_of_another',
    )('input'),
    'gauss: width missing': inner('input'),
    'softplus: inner weight missing': inner('input'),
    'root: inner derivative missing': inner('input'),
    'root: inner derivative doubled': oneOf('factor', 'contribution_twice', 'wrong_derivative', 'term_wrong')('input'),
    'cube: power not lowered': inner('input'),
  },
  make(_random, [n], fault) {
    const which = (fault ?? 'sine:').split(':')[0];
    const f = (v: number, w: number): number =>
      which === 'sine'
        ? Math.sin(w * v * v)
        : which === 'gauss'
          ? Math.exp(-(((v - 0.3) / w) ** 2))
          : which === 'softplus'
            ? v * Math.log(1 + Math.exp(w * v))
            : which === 'root'
              ? w * v + Math.sqrt(1 + v * v)
              : Math.tanh(w * v ** 3) + v;
    const slopes = (v: number, w: number): readonly [dv: number, dw: number] => {
      switch (which) {
        case 'sine': {
          const c = Math.cos(fault === 'sine: cosine of the wrong number' ? w * v : w * v * v);
          return [
            c * w * (fault === 'sine: inner derivative missing' ? 1 : fault === 'sine: inner derivative x' ? v : 2 * v),
            c * v * v,
          ];
        }
        case 'gauss': {
          const u = (v - 0.3) / w;
          const e = Math.exp(-u * u);
          return [
            ((fault === 'gauss: inner derivative without sign' ? 2 : -2) * u * e) /
              (fault === 'gauss: width missing' ? 1 : w),
            (2 * u * u * e) / w,
          ];
        }
        case 'softplus': {
          const z = w * v;
          return [
            Math.log(1 + Math.exp(z)) + v * sigma(z) * (fault === 'softplus: inner weight missing' ? 1 : w),
            v * v * sigma(z),
          ];
        }
        case 'root': {
          const r = Math.sqrt(1 + v * v);
          return [
            w +
              (fault === 'root: inner derivative missing'
                ? 1 / r
                : fault === 'root: inner derivative doubled'
                  ? (2 * v) / r
                  : v / r),
            v,
          ];
        }
        default: {
          const t = 1 - Math.tanh(w * v ** 3) ** 2;
          return [t * w * 3 * (fault === 'cube: power not lowered' ? v ** 3 : v ** 2) + 1, t * v ** 3];
        }
      }
    };
    return {
      parameters: () => ({ w: { shape: [n], init: { type: 'normal', mean: 1.2, std: 0.2 } } }),
      forward: ({ x, parameters: { w }, ops }) =>
        ops.tensor(
          x.shape,
          x.data.map((v, i) => f(v, w.data[i % n])),
        ),
      backward(call) {
        const {
          x,
          dy,
          parameters: { w },
        } = call;
        const dw = zeros(n);
        const dx = Array.from(x.data, (v, i) => {
          const [dv, own] = slopes(v, w.data[i % n]);
          dw[i % n] += dy.data[i] * own;
          return dy.data[i] * dv;
        });
        return give(call, dx, { w: dw });
      },
    };
  },
};

/** Places taken by a list of indices, some of them twice, in three styles. */
const repeated: Template = {
  name: 'styles: repeated indices',
  isComposition: false,
  input: (random) => [size(random, 4, 6)],
  mistakes: {
    'gather: overwritten': over('input'),
    'table: overwritten': over('t'),
    'table: overwritten in a sample': over('t'),
    'scatter: counted once': oneOf('overwritten', 'contribution_missing', 'share_missing')('t'),
  },
  make(_random, [n], fault) {
    const index = [0, 2, 1, 2, 3, 0];
    const M = index.length;
    const which = (fault ?? 'gather:').split(':')[0];
    return {
      parameters: () => normal({ t: [which === 'gather' ? M : 4] }),
      outputShape: () => [M],
      forward({ x, parameters: { t }, ops }) {
        const out: number[] = [];
        for (const r of rows(x))
          index.forEach((from, k) => out.push(which === 'gather' ? r[from] * t.data[k] : r[k % n] * t.data[from]));
        return ops.tensor([x.shape[0], M], out);
      },
      backward(call) {
        const {
          x,
          dy,
          parameters: { t },
        } = call;
        const dt = zeros(t.data.length);
        const d = rows(dy);
        const dx = rows(x).flatMap((r, s) => {
          const own = zeros(n);
          const sample = zeros(t.data.length);
          index.forEach((from, k) => {
            if (which === 'gather') {
              dt[k] += d[s][k] * r[from];
              if (fault === 'gather: overwritten') own[from] = d[s][k] * t.data[k];
              else own[from] += d[s][k] * t.data[k];
              return;
            }
            own[k % n] += d[s][k] * t.data[from];
            const share = d[s][k] * r[k % n];
            if (fault === 'table: overwritten') dt[from] = share;
            else if (fault === 'table: overwritten in a sample') sample[from] = share;
            else if (fault === 'scatter: counted once') {
              if (index.indexOf(from) === k) sample[from] += share;
            } else dt[from] += share;
          });
          sample.forEach((v, k) => (dt[k] += v));
          return own;
        });
        return give(call, dx, { t: dt });
      },
    };
  },
};

/** One kernel along a row with two dilations. */
const dilations: Template = {
  name: 'styles: one kernel, two dilations',
  isComposition: true,
  input: (random) => [size(random, 6, 9)],
  mistakes: {
    'second use missing in dk': missing('k'),
    'first use missing in dk': missing('k'),
    'second use missing in dx': missing('input'),
    'both uses with the same dilation': oneOf(
      'stride_wrong',
      'contribution_twice',
      'options_ignored',
      'wrong_operand',
    )('k', 'input'),
  },
  make(_random, [n], fault) {
    const K = 3;
    const line = (r: ArrayLike<number>, k: ArrayLike<number>, by: number): number[] =>
      Array.from({ length: n }, (_, t) => {
        let value = 0;
        for (let j = 0; j < K; j++) if (t - j * by >= 0) value += k[j] * r[t - j * by];
        return value;
      });
    return {
      parameters: () => normal({ k: [K] }),
      forward: ({ x, parameters: { k }, ops }) =>
        ops.tensor(
          x.shape,
          rows(x).flatMap((r) => {
            const [a, b] = [line(r, k.data, 1), line(r, k.data, 2)];
            return a.map((v, i) => v + b[i]);
          }),
        ),
      backward(call) {
        const { x, dy, parameters } = call;
        const k = [...parameters.k.data];
        const dk = zeros(K);
        const d = rows(dy);
        const dx = rows(x).flatMap((r, s) => {
          const own = zeros(n);
          for (const by of [1, 2])
            for (let t = 0; t < n; t++)
              for (let j = 0; j < K; j++) {
                const from = t - j * (fault === 'both uses with the same dilation' ? 1 : by);
                if (from < 0) continue;
                if (
                  !(fault === 'second use missing in dk' && by === 2) &&
                  !(fault === 'first use missing in dk' && by === 1)
                )
                  dk[j] += d[s][t] * r[from];
                if (!(fault === 'second use missing in dx' && by === 2)) own[from] += d[s][t] * k[j];
              }
          return own;
        });
        return give(call, dx, { k: dk });
      },
    };
  },
};

/** Weights divided by their norm. */
const weightNorm: Template = {
  name: 'styles: weight norm',
  isComposition: true,
  input: (random) => [size(random, 3, 6)],
  mistakes: {
    'norm taken as constant': constant('v'),
    'norm of rows taken as constant': constant('v'),
    'sum of magnitudes taken as constant': constant('v'),
    'gain forgotten in dv': oneOf('scale_missing')('v'),
    'norm squared in the projection': inner('v'),
  },
  make(_random, [n], fault) {
    const M = 3;
    const kind =
      fault === 'norm of rows taken as constant'
        ? 'rows'
        : fault === 'sum of magnitudes taken as constant'
          ? 'sum'
          : 'all';
    const norms = (v: readonly number[]): number[] => {
      const each = Array.from({ length: M }, (_, m) => v.slice(m * n, m * n + n));
      if (kind === 'rows') return each.map((r) => Math.sqrt(sum(r.map((a) => a * a))));
      if (kind === 'sum') return each.map((r) => sum(r.map((a) => Math.abs(a))));
      const whole = Math.hypot(...v);
      return each.map(() => whole);
    };
    return {
      parameters: () => normal({ v: [M, n], g: [M] }),
      outputShape: () => [M],
      forward({ x, parameters: { v, g }, ops }) {
        const flat = [...v.data];
        const norm = norms(flat);
        return ops.tensor(
          [x.shape[0], M],
          rows(x).flatMap((r) => norm.map((q, m) => (g.data[m] * sum(r.map((a, i) => a * flat[m * n + i]))) / q)),
        );
      },
      backward(call) {
        const { x, dy, parameters } = call;
        const [v, g] = [[...parameters.v.data], [...parameters.g.data]];
        const norm = norms(v);
        const dw = zeros(M * n);
        const d = rows(dy);
        const dx = rows(x).flatMap((r, s) =>
          r.map((a, i) =>
            sum(
              norm.map((q, m) => {
                dw[m * n + i] += d[s][m] * a;
                return (d[s][m] * g[m] * v[m * n + i]) / q;
              }),
            ),
          ),
        );
        const dg = norm.map((q, m) => sum(dw.slice(m * n, m * n + n).map((a, i) => a * v[m * n + i])) / q);
        const gv = dw.map((a, i) => a * (fault === 'gain forgotten in dv' ? 1 : g[Math.floor(i / n)]));
        const dots = norm.map((_, m) => sum(gv.slice(m * n, m * n + n).map((a, i) => a * v[m * n + i])));
        const total = sum(dots);
        const isConstant = fault?.endsWith('constant') ?? false;
        const dv = gv.map((a, i) => {
          const m = Math.floor(i / n);
          const q = norm[m];
          if (isConstant) return a / q;
          if (kind === 'rows') return a / q - (dots[m] * v[i]) / q ** 3;
          if (kind === 'sum') return a / q - (dots[m] * Math.sign(v[i])) / q ** 2;
          return a / q - (total * v[i]) / q ** (fault === 'norm squared in the projection' ? 2 : 3);
        });
        return give(call, dx, { v: dv, g: dg });
      },
    };
  },
};

/** Attention of one query with lists made by `[...x]` and `push`. */
const pooled: Template = {
  name: 'styles: attention pooling, spread lists',
  isComposition: true,
  input: (random) => [3 * size(random, 2, 3)],
  mistakes: {
    'weights taken as constant': constant('q', 'input'),
    'sum term of the softmax missing': oneOf('contribution_missing', 'diagonal_only')('q', 'input'),
    'path through the scores missing in dx': missing('input'),
    'path through the values missing in dx': missing('input'),
    'temperature applied twice': oneOf('factor', 'scale_missing', 'contribution_twice')('q', 'input'),
  },
  make(_random, [n], fault) {
    const [D, T] = [3, n / 3];
    const tau = 0.6;
    const attend = (r: readonly number[], q: readonly number[]) => {
      const scores: number[] = [];
      for (let t = 0; t < T; t++) {
        let dot = 0;
        for (let j = 0; j < D; j++) dot += r[t * D + j] * q[j];
        scores.push(dot * tau);
      }
      const top = Math.max(...scores);
      const e = [...scores].map((v) => Math.exp(v - top));
      const total = sum(e);
      const p = e.map((v) => v / total);
      const y = [...q].map((_, j) => p.reduce((a, v, t) => a + v * r[t * D + j], 0));
      return { p, y };
    };
    return {
      parameters: () => normal({ q: [D] }),
      outputShape: () => [D],
      forward: ({ x, parameters: { q }, ops }) =>
        ops.tensor(
          [x.shape[0], D],
          rows(x).flatMap((r) => attend(r, [...q.data]).y),
        ),
      backward(call) {
        const { x, dy, parameters } = call;
        const q = [...parameters.q.data];
        const dq = zeros(D);
        const d = rows(dy);
        const dx = rows(x).flatMap((r, s) => {
          const { p } = attend(r, q);
          const own = zeros(n);
          const dp = p.map((_, t) => sum(d[s].map((v, j) => v * r[t * D + j])));
          const mean = fault === 'sum term of the softmax missing' ? 0 : sum(dp.map((v, t) => v * p[t]));
          const ds = p.map((v, t) =>
            fault === 'weights taken as constant'
              ? 0
              : v * (dp[t] - mean) * (fault === 'temperature applied twice' ? tau * tau : tau),
          );
          for (let t = 0; t < T; t++)
            for (let j = 0; j < D; j++) {
              if (fault !== 'path through the values missing in dx') own[t * D + j] += p[t] * d[s][j];
              if (fault !== 'path through the scores missing in dx') own[t * D + j] += ds[t] * q[j];
              dq[j] += ds[t] * r[t * D + j];
            }
          return own;
        });
        return give(call, dx, { q: dq });
      },
    };
  },
};

export const STYLE_TEMPLATES: readonly Template[] = [
  normLoops,
  rms,
  unit,
  tokenNorm,
  strided,
  stridedImage,
  grouped,
  groupedLinear,
  lstm,
  scalarGru,
  filter,
  horner,
  composition,
  repeated,
  dilations,
  weightNorm,
  pooled,
];

/** Group norm of images with typed arrays. */
const groupNorm: Template = {
  name: 'styles 2: group norm, typed arrays',
  isComposition: true,
  input: () => [4, 4, 4],
  mistakes: {
    'eps outside of the root in backward': eps('input', 'g'),
    'sums over channels of the other groups': axis('input'),
    'deviation taken as constant': constant('input'),
    'gain of the first group for all': group('input'),
  },
  make(_random, [C, H, W], fault) {
    const [G, E, P] = [2, 0.03, H * W];
    const M = (C / G) * P;
    const stats = (data: ArrayLike<number>, from: number) => {
      const part = Float64Array.from({ length: M }, (_, i) => data[from + i]);
      const mean = part.reduce((a, b) => a + b, 0) / M;
      const variance = part.reduce((a, b) => a + (b - mean) ** 2, 0) / M;
      return { mean, variance };
    };
    return {
      parameters: () => ({ g: { shape: [C], init: { type: 'normal', mean: 1, std: 0.3 } }, b: { shape: [C] } }),
      forward({ x, parameters: { g, b }, ops }) {
        const y = ops.tensor(x.shape);
        for (let from = 0; from < x.data.length; from += M) {
          const { mean, variance } = stats(x.data, from);
          const scale = (variance + E) ** -0.5;
          for (let i = 0; i < M; i++) {
            const c = Math.floor((from + i) / P) % C;
            y.data[from + i] = (x.data[from + i] - mean) * scale * g.data[c] + b.data[c];
          }
        }
        return y;
      },
      backward(call) {
        const {
          x,
          dy,
          parameters: { g },
        } = call;
        const [dx, dg, db] = [new Float64Array(x.data.length), new Float64Array(C), new Float64Array(C)];
        const gainOf = (i: number): number =>
          g.data[(Math.floor(i / P) % C) % (fault === 'gain of the first group for all' ? C / G : C)];
        for (let from = 0; from < x.data.length; from += M) {
          const { mean, variance } = stats(x.data, from);
          const scale =
            fault === 'eps outside of the root in backward'
              ? 1 / (Math.sqrt(variance) + E)
              : 1 / Math.sqrt(variance + E);
          const start =
            fault === 'sums over channels of the other groups'
              ? Math.floor(from / (C * P)) * C * P + ((from + M) % (C * P))
              : from;
          let [a, c] = [0, 0];
          for (let i = 0; i < M; i++) {
            const hat = (x.data[from + i] - mean) * scale;
            const ch = Math.floor((from + i) / P) % C;
            dg[ch] += dy.data[from + i] * hat;
            db[ch] += dy.data[from + i];
            a += (dy.data[start + i] * gainOf(start + i)) / M;
            c += (dy.data[start + i] * gainOf(start + i) * hat) / M;
          }
          if (fault === 'deviation taken as constant') c = 0;
          for (let i = 0; i < M; i++)
            dx[from + i] = scale * (dy.data[from + i] * gainOf(from + i) - a - (x.data[from + i] - mean) * scale * c);
        }
        return give(call, dx, { g: dg, b: db });
      },
    };
  },
};

/** Batch norm with a class for statistics. */
const batchNorm: Template = {
  name: 'styles 2: batch norm, class',
  isComposition: true,
  input: (random) => [size(random, 3, 5)],
  mistakes: {
    'eps missing in backward': eps('input', 'g'),
    'eps outside of the root in backward': eps('input', 'g'),
    'mean over the features': oneOf('axes_wrong', 'samples_mixed', 'options_ignored', 'statistics_constant')('input'),
    'mean taken as constant': constant('input'),
  },
  make(_random, [n], fault) {
    class Column {
      readonly values: number[];
      constructor(data: ArrayLike<number>, j: number) {
        this.values = Array.from({ length: data.length / n }, (_, s) => data[s * n + j]);
      }
      get mean(): number {
        return sum(this.values) / this.values.length;
      }
      get variance(): number {
        const { mean } = this;
        return sum(this.values.map((v) => (v - mean) ** 2)) / this.values.length;
      }
    }
    const columns = (data: ArrayLike<number>): Column[] => zeros(n).map((_, j) => new Column(data, j));
    return {
      parameters: () => ({ g: { shape: [n], init: { type: 'normal', mean: 1, std: 0.3 } } }),
      forward({ x, parameters: { g }, ops }) {
        const y = ops.tensor(x.shape);
        columns(x.data).forEach((column, j) => {
          const [mean, std] = [column.mean, Math.sqrt(column.variance + 0.05)];
          column.values.forEach((v, s) => (y.data[s * n + j] = ((v - mean) / std) * g.data[j]));
        });
        return y;
      },
      backward(call) {
        const {
          x,
          dy,
          parameters: { g },
        } = call;
        const [dx, dg] = [zeros(x.data.length), zeros(n)];
        const B = x.shape[0];
        columns(x.data).forEach((column, j) => {
          const { mean, variance } = column;
          const std =
            fault === 'eps missing in backward'
              ? Math.sqrt(variance)
              : fault === 'eps outside of the root in backward'
                ? Math.sqrt(variance) + 0.05
                : Math.sqrt(variance + 0.05);
          const d = new Column(dy.data, j).values;
          const hat = column.values.map((v) => (v - mean) / std);
          dg[j] = sum(d.map((v, s) => v * hat[s]));
          const m1 = fault === 'mean taken as constant' ? 0 : sum(d) / B;
          const m2 = dg[j] / B;
          d.forEach((v, s) => {
            const own = fault === 'mean over the features' ? sum(Array.from(dy.data).slice(s * n, s * n + n)) / n : m1;
            dx[s * n + j] = (g.data[j] * (v - own - hat[s] * m2)) / std;
          });
        });
        return give(call, dx, { g: dg });
      },
    };
  },
};

/** A grouped convolution along a row with a stride, channels first, with closures. */
const groupedRow: Template = {
  name: 'styles 2: grouped strided row convolution',
  isComposition: true,
  input: (random) => [4 * (2 * size(random, 2, 3) + 1)],
  mistakes: {
    'offset of the group missing in dx': group('input'),
    'offset of the group missing in dk': group('k'),
    'stride ignored in dk': stride('k'),
    'stride ignored in dx': stride('input'),
  },
  make(_random, [n], fault) {
    const [C, G, K, S] = [4, 2, 3, 2];
    const L = n / C;
    const O = (L - K) / S + 1;
    const at = (s: number, c: number, i: number): number => (s * C + c) * L + i;
    return {
      parameters: () => normal({ k: [C, C / G, K] }),
      outputShape: () => [C * O],
      forward({ x, parameters: { k }, ops }) {
        const rowOf = (s: number, m: number): number[] => {
          const first = Math.floor(m / (C / G)) * (C / G);
          const out: number[] = [];
          for (let o = 0; o < O; o++) {
            let total = 0;
            for (let c = 0; c < C / G; c++)
              for (let j = 0; j < K; j++)
                total += k.data[(m * (C / G) + c) * K + j] * x.data[at(s, first + c, o * S + j)];
            out.push(total);
          }
          return out;
        };
        return ops.tensor(
          [x.shape[0], C * O],
          Array.from({ length: x.shape[0] }, (_, s) => zeros(C).flatMap((__, m) => rowOf(s, m))).flat(),
        );
      },
      backward(call) {
        const {
          x,
          dy,
          parameters: { k },
        } = call;
        const [dx, dk] = [zeros(x.data.length), zeros(k.data.length)];
        for (let s = 0; s < x.shape[0]; s++)
          for (let m = 0; m < C; m++) {
            const first = Math.floor(m / (C / G)) * (C / G);
            for (let o = 0; o < O; o++)
              for (let c = 0; c < C / G; c++)
                for (let j = 0; j < K; j++) {
                  const w = (m * (C / G) + c) * K + j;
                  const g = dy.data[(s * C + m) * O + o];
                  dx[
                    at(
                      s,
                      (fault === 'offset of the group missing in dx' ? 0 : first) + c,
                      o * (fault === 'stride ignored in dx' ? 1 : S) + j,
                    )
                  ] += g * k.data[w];
                  dk[w] +=
                    g *
                    x.data[
                      at(
                        s,
                        (fault === 'offset of the group missing in dk' ? 0 : first) + c,
                        o * (fault === 'stride ignored in dk' ? 1 : S) + j,
                      )
                    ];
                }
          }
        return give(call, dx, { k: dk });
      },
    };
  },
};

/** A minimal gated unit with lists and closures; all states are the output. */
const minimalGate: Template = {
  name: 'styles 2: minimal gated unit, closures',
  isComposition: true,
  input: (random) => [2 * size(random, 2, 4)],
  mistakes: {
    'gate swapped with its complement': swap('wf', 'uf', 'wh', 'uh', 'input'),
    'gradients of gate and candidate swapped': swap('wf', 'uf', 'wh', 'uh', 'input'),
    'gate missing in the candidate': oneOf('scale_missing', 'contribution_missing', 'wrong_operand')(
      'wf',
      'uf',
      'wh',
      'uh',
      'input',
    ),
    'direct path to the state missing': missing('wf', 'uf', 'wh', 'uh', 'input'),
  },
  make(random, [n], fault) {
    const [d, T, H] = [2, n / 2, size(random, 2, 3)];
    const times = (v: readonly number[], m: ArrayLike<number>): number[] =>
      zeros(H).map((_, j) => v.reduce((a, value, i) => a + value * m[i * H + j], 0));
    const back = (v: readonly number[], m: ArrayLike<number>, count: number): number[] =>
      zeros(count).map((_, i) => v.reduce((a, value, j) => a + value * m[i * H + j], 0));
    const stepOf = (p: Readonly<Record<string, Tensor>>) => (u: readonly number[], h: readonly number[]) => {
      const [wf, uf, wh, uh] = ['wf', 'uf', 'wh', 'uh'].map((name) => p[name].data);
      const [a, b] = [times(u, wf), times(h, uf)];
      const f = a.map((v, i) => sigma(v + b[i]));
      const fh = f.map((v, i) => v * h[i]);
      const [e, g] = [times(u, wh), times(fh, uh)];
      const c = e.map((v, i) => Math.tanh(v + g[i]));
      return { f, fh, c, next: f.map((v, i) => (1 - v) * h[i] + v * c[i]) };
    };
    return {
      parameters: () => normal({ wf: [d, H], uf: [H, H], wh: [d, H], uh: [H, H] }, 0.8),
      outputShape: () => [T * H],
      forward({ x, parameters, ops }) {
        const step = stepOf(parameters);
        const out = rows(x).flatMap((r) => {
          const all: number[] = [];
          let h = zeros(H);
          for (let t = 0; t < T; t++) {
            h = step(r.slice(t * d, t * d + d), h).next;
            all.push(...h);
          }
          return all;
        });
        return ops.tensor([x.shape[0], T * H], out);
      },
      backward(call) {
        const { x, dy, y, parameters: p } = call;
        const step = stepOf(p);
        const grads = { wf: zeros(d * H), uf: zeros(H * H), wh: zeros(d * H), uh: zeros(H * H) };
        const outer = (to: number[], a: readonly number[], b: readonly number[]): void =>
          a.forEach((v, i) => b.forEach((w, j) => (to[i * H + j] += v * w)));
        const [up, ys] = [rows(dy), rows(y)];
        const dx = rows(x).flatMap((r, s) => {
          const own = zeros(n);
          let carried = zeros(H);
          for (let t = T - 1; t >= 0; t--) {
            const u = r.slice(t * d, t * d + d);
            const h = t > 0 ? ys[s].slice((t - 1) * H, t * H) : zeros(H);
            const { f, fh, c } = step(u, h);
            const dh = carried.map((v, i) => v + up[s][t * H + i]);
            const dc = dh.map(
              (v, i) => v * (fault === 'gate swapped with its complement' ? 1 - f[i] : f[i]) * (1 - c[i] ** 2),
            );
            const dfh = back(dc, p.uh.data, H);
            const df = dh.map((v, i) => (v * (c[i] - h[i]) + dfh[i] * h[i]) * f[i] * (1 - f[i]));
            const [ofGate, ofCandidate] = fault === 'gradients of gate and candidate swapped' ? [dc, df] : [df, dc];
            outer(grads.wf, u, ofGate);
            outer(grads.uf, h, ofGate);
            outer(grads.wh, u, ofCandidate);
            outer(grads.uh, fh, ofCandidate);
            const [a, b] = [back(ofGate, p.wf.data, d), back(ofCandidate, p.wh.data, d)];
            a.forEach((v, i) => (own[t * d + i] = v + b[i]));
            const through = back(ofGate, p.uf.data, H);
            const candidate = back(ofCandidate, p.uh.data, H);
            carried = dh.map((v, i) => {
              const keep = fault === 'gate swapped with its complement' ? f[i] : 1 - f[i];
              const direct = fault === 'direct path to the state missing' ? 0 : v * keep;
              return direct + through[i] + candidate[i] * (fault === 'gate missing in the candidate' ? 1 : f[i]);
            });
          }
          return own;
        });
        return give(call, dx, grads);
      },
    };
  },
};

/** Cosines between the input and rows of weights, with destructuring. */
const cosine: Template = {
  name: 'styles 2: cosine, destructuring',
  isComposition: true,
  input: (random) => [size(random, 3, 5)],
  mistakes: {
    'norm of the weights taken as constant': constant('w'),
    'norm of the input taken as constant': constant('input'),
    'projection with the wrong sign': oneOf('contribution_sign', 'part_sign', 'term_sign')('w', 'input'),
    'norm not squared in the projection': inner('w'),
  },
  make(_random, [n], fault) {
    const M = 2;
    const length = (v: readonly number[]): number => Math.sqrt(v.reduce((a, b) => a + b * b, 0));
    return {
      parameters: () => normal({ w: [M, n] }),
      outputShape: () => [M],
      forward({ x, parameters: { w }, ops }) {
        const weights = rows(w);
        return ops.tensor(
          [x.shape[0], M],
          rows(x).flatMap((r) => weights.map((v) => sum(r.map((a, i) => a * v[i])) / (length(r) * length(v)))),
        );
      },
      backward(call) {
        const weights = rows(call.parameters.w);
        const dw = weights.map(() => zeros(n));
        const d = rows(call.dy);
        const dx = rows(call.x).flatMap((r, s) => {
          const own = zeros(n);
          const a = length(r);
          weights.forEach((v, m) => {
            const b = length(v);
            const cos = sum(r.map((value, i) => value * v[i])) / (a * b);
            const sign = fault === 'projection with the wrong sign' ? -1 : 1;
            for (let i = 0; i < n; i++) {
              own[i] +=
                d[s][m] *
                (v[i] / (a * b) - (fault === 'norm of the input taken as constant' ? 0 : (cos * r[i]) / a ** 2));
              dw[m][i] +=
                d[s][m] *
                (r[i] / (a * b) -
                  (fault === 'norm of the weights taken as constant'
                    ? 0
                    : (sign * cos * v[i]) / (fault === 'norm not squared in the projection' ? b : b ** 2)));
            }
          });
          return own;
        });
        return give(call, dx, { w: dw.flat() });
      },
    };
  },
};

/** GELU by tanh, Mish, and a Gaussian of a distance. */
const smooth: Template = {
  name: 'styles 2: smooth activations',
  isComposition: true,
  input: (random) => [size(random, 3, 6)],
  mistakes: {
    'gelu: inner derivative without the cube': inner('input'),
    'gelu: inner derivative missing': inner('input'),
    'mish: derivative of softplus missing': inner('input'),
    'mish: tanh not squared': inner('input'),
    'distance: derivative of the square missing': inner('input', 'c'),
    'distance: inner sign missing in dc': oneOf('sign', 'contribution_sign')('c'),
  },
  make(_random, [n], fault) {
    const which = (fault ?? 'gelu').split(':')[0];
    const [A, B] = [0.7978845608, 0.044715];
    return {
      parameters: () => normal({ c: [n] }, 0.5),
      forward: ({ x, parameters: { c }, ops }) =>
        ops.tensor(
          x.shape,
          Array.from(x.data, (v, i) => {
            const q = c.data[i % n];
            if (which === 'gelu') return 0.5 * v * (1 + Math.tanh(A * (v + B * v ** 3))) + q;
            if (which === 'mish') return v * Math.tanh(Math.log(1 + Math.exp(v))) + q;
            return Math.exp(-0.5 * (v - q) ** 2);
          }),
        ),
      backward(call) {
        const {
          x,
          dy,
          parameters: { c },
        } = call;
        const dc = zeros(n);
        const dx = Array.from(x.data, (v, i) => {
          const q = c.data[i % n];
          const g = dy.data[i];
          if (which !== 'distance') dc[i % n] += g;
          if (which === 'gelu') {
            const t = Math.tanh(A * (v + B * v ** 3));
            const chain =
              fault === 'gelu: inner derivative missing'
                ? 1
                : A * (fault === 'gelu: inner derivative without the cube' ? 1 : 1 + 3 * B * v * v);
            return g * (0.5 * (1 + t) + 0.5 * v * (1 - t * t) * chain);
          }
          if (which === 'mish') {
            const t = Math.tanh(Math.log(1 + Math.exp(v)));
            return (
              g *
              (t +
                v *
                  (fault === 'mish: tanh not squared' ? 1 - t : 1 - t * t) *
                  (fault === 'mish: derivative of softplus missing' ? 1 : sigma(v)))
            );
          }
          const e = Math.exp(-0.5 * (v - q) ** 2);
          const factor = fault === 'distance: derivative of the square missing' ? 1 : v - q;
          dc[i % n] += g * e * (fault === 'distance: inner sign missing in dc' ? -factor : factor);
          return -g * e * factor;
        });
        return give(call, dx, { c: dc });
      },
    };
  },
};

/** A table whose rows are chosen by rounding the input. */
const bag: Template = {
  name: 'styles 2: bag of rows, rounding',
  isComposition: true,
  input: (random) => [size(random, 4, 6)],
  mistakes: {
    'overwritten in a sample': over('t'),
    'overwritten in the batch': over('t'),
    'counted once': oneOf('overwritten', 'contribution_missing', 'share_missing')('t'),
    'sum instead of mean': oneOf('factor', 'wrong_count')('t'),
  },
  make(_random, [n], fault) {
    const [V, D] = [3, 2];
    const wordOf = (v: number): number => Math.abs(Math.round(2 * v)) % V;
    return {
      parameters: () => normal({ t: [V, D] }),
      outputShape: () => [D],
      forward({ x, parameters: { t }, ops }) {
        const y = ops.tensor([x.shape[0], D]);
        rows(x).forEach((r, s) => {
          for (const v of r) for (let j = 0; j < D; j++) y.data[s * D + j] += t.data[wordOf(v) * D + j] / n;
        });
        return y;
      },
      backward(call) {
        const { x, dy } = call;
        const dt = zeros(V * D);
        rows(x).forEach((r, s) => {
          const own = new Map<number, number>();
          const seen = new Set<number>();
          for (const v of r)
            for (let j = 0; j < D; j++) {
              const at = wordOf(v) * D + j;
              const share = dy.data[s * D + j] / (fault === 'sum instead of mean' ? 1 : n);
              if (fault === 'overwritten in the batch') dt[at] = share;
              else if (fault === 'overwritten in a sample') own.set(at, share);
              else if (fault === 'counted once' && seen.has(at)) continue;
              else dt[at] += share;
              seen.add(at);
            }
          for (const [at, share] of own) dt[at] += share;
        });
        return give(call, zeros(x.data.length), { t: dt });
      },
    };
  },
};

/** A leaky sum whose last value is the output, and a filter of second order. */
const filters: Template = {
  name: 'styles 2: filters, local variables',
  isComposition: true,
  input: (random) => [size(random, 4, 6)],
  mistakes: {
    'last: carried without the decay': oneOf(
      'scale_missing',
      'factor',
      'factor_by_place',
      'contribution_missing',
    )('a', 'input'),
    'last: decay lacks the earlier steps': missing('a'),
    'second: second lag missing': missing('a', 'b', 'input'),
    'second: lags swapped': oneOf('swapped', 'wrong_operand', 'wrong_turn')('a', 'b', 'input'),
    'second: gradients of the lags swapped': swap('a', 'b'),
  },
  make(_random, [n], fault) {
    const isLast = (fault ?? 'second').startsWith('last');
    const start = (mean: number) => ({ shape: [1], init: { type: 'normal', mean, std: 0.05 } }) as const;
    return {
      parameters: () => ({ a: start(0.6), b: start(-0.3) }),
      outputShape: () => [isLast ? 1 : n],
      forward({ x, parameters, ops }) {
        const [a, b] = [parameters.a.data[0], parameters.b.data[0]];
        const y = ops.tensor([x.shape[0], isLast ? 1 : n]);
        for (let s = 0; s < x.shape[0]; s++) {
          let [h, before] = [0, 0];
          for (let t = 0; t < n; t++) {
            [h, before] = [a * h + (isLast ? 0 : b * before) + Math.sin(x.data[s * n + t]), h];
            if (!isLast) y.data[s * n + t] = h;
          }
          if (isLast) y.data[s] = h + b;
        }
        return y;
      },
      backward(call) {
        const { x, dy, parameters } = call;
        const [a, b] = [parameters.a.data[0], parameters.b.data[0]];
        let [da, db] = [0, 0];
        const dx = zeros(x.data.length);
        for (let s = 0; s < x.shape[0]; s++) {
          const h = [0, 0];
          for (let t = 0; t < n; t++) h.push(a * h[t + 1] + (isLast ? 0 : b * h[t]) + Math.sin(x.data[s * n + t]));
          const g = zeros(n + 2);
          if (isLast) {
            g[n - 1] = dy.data[s];
            db += dy.data[s];
          }
          for (let t = n - 1; t >= 0; t--) {
            if (!isLast) g[t] += dy.data[s * n + t];
            const [first, second] =
              fault === 'second: gradients of the lags swapped' ? [h[t], h[t + 1]] : [h[t + 1], h[t]];
            if (fault !== 'last: decay lacks the earlier steps' || t === n - 1) da += g[t] * first;
            if (!isLast) db += g[t] * second;
            dx[s * n + t] = g[t] * Math.cos(x.data[s * n + t]);
            const isSwapped = fault === 'second: lags swapped';
            if (t > 0) g[t - 1] += (fault === 'last: carried without the decay' ? 1 : isSwapped ? b : a) * g[t];
            if (t > 1 && !isLast && fault !== 'second: second lag missing') g[t - 2] += (isSwapped ? a : b) * g[t];
          }
        }
        return give(call, dx, { a: [da], b: [db] });
      },
    };
  },
};

/** Written after the explanations for the templates above. */
export const SECOND_STYLE_TEMPLATES: readonly Template[] = [
  groupNorm,
  batchNorm,
  groupedRow,
  minimalGate,
  cosine,
  smooth,
  bag,
  filters,
];
