// Faults of single paths: through time, through tied weights, through one factor of a product, through a statistic.
// Written with lists of numbers, closures and records, as in a notebook.
import type { ForwardCall, Gradients, Tensor } from '../../../src/engine/custom/contract';
import type { Cause } from '../../../src/protocol/check-report';
import { features, mistake, normal, size, square, type Template } from './layer-templates';

const sigma = (z: number): number => 1 / (1 + Math.exp(-z));
const list = (n: number): number[] => new Array<number>(n).fill(0);
const rowsOf = ({ shape, data }: Tensor): number[][] =>
  Array.from({ length: shape[0] }, (_, r) => [
    ...data.slice((r * data.length) / shape[0], ((r + 1) * data.length) / shape[0]),
  ]);
const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, value, i) => sum + value * b[i], 0);
/** v · M for a matrix as a list of rows. */
const through = (v: readonly number[], m: readonly (readonly number[])[]): number[] =>
  m[0].map((_, j) => v.reduce((sum, value, i) => sum + value * m[i][j], 0));
/** M · v. */
const back = (m: readonly (readonly number[])[], v: readonly number[]): number[] => m.map((row) => dot(row, v));
const plus = (...all: readonly (readonly number[])[]): number[] =>
  all[0].map((_, i) => all.reduce((sum, each) => sum + each[i], 0));
const addOuter = (m: number[][], a: readonly number[], b: readonly number[]): void => {
  a.forEach((u, i) => {
    b.forEach((v, j) => {
      m[i][j] += u * v;
    });
  });
};
const grid = (rows: number, columns: number): number[][] => Array.from({ length: rows }, () => list(columns));
const give = (
  { ops, x, parameters }: ForwardCall,
  dx: readonly (readonly number[])[],
  own: Readonly<Record<string, readonly number[] | readonly (readonly number[])[]>> = {},
): Gradients => ({
  dx: ops.tensor(x.shape, dx.flat()),
  parameters: Object.fromEntries(
    Object.entries(own).map(([name, values]) => [name, ops.tensor(parameters[name].shape, values.flat() as number[])]),
  ),
});

const PATH_MISSING: readonly Cause[] = [
  'contribution_missing',
  'turns_missing',
  'share_missing',
  'statistics_constant',
];

/** A gated recurrent unit with reset and update gates; all states are the output. */
const gru: Template = {
  name: 'paths: GRU',
  isComposition: true,
  input: (random) => [2 * size(random, 3, 4)],
  mistakes: {
    'reset gate path missing': mistake(PATH_MISSING, 'wr', 'ur', 'input', 'wz', 'uz', 'wc', 'uc'),
    'reset gate path to the state missing': mistake(PATH_MISSING, 'wr', 'ur', 'input', 'wz', 'uz', 'wc', 'uc'),
    'update gate path to the state missing': mistake(PATH_MISSING, 'wr', 'ur', 'input', 'wz', 'uz', 'wc', 'uc'),
    'candidate path to the state missing': mistake(PATH_MISSING, 'wr', 'ur', 'input', 'wz', 'uz', 'wc', 'uc'),
    'direct path to the state missing': mistake(PATH_MISSING, 'wr', 'ur', 'input', 'wz', 'uz', 'wc', 'uc'),
    'first step left out': mistake(
      ['turns_missing', 'share_missing', 'place_missing', 'time_step_missing', 'contribution_missing'],
      ...['wr', 'ur', 'input', 'wz', 'uz', 'wc', 'uc'],
    ),
    'state gradient not carried': mistake(PATH_MISSING, 'wr', 'ur', 'input', 'wz', 'uz', 'wc', 'uc'),
    'carried gradient replaces that of the output': mistake(
      [...PATH_MISSING, 'overwritten'],
      ...['wr', 'ur', 'input', 'wz', 'uz', 'wc', 'uc'],
    ),
    'state not reset in duc': mistake(['scale_missing', 'wrong_operand'], 'uc'),
  },
  make(random, [n], fault) {
    const d = 2;
    const T = n / d;
    const H = size(random, 2, 3);
    const unroll = ({ x, parameters: p }: ForwardCall, s: number) => {
      const [wz, uz, wr, ur, wc, uc] = ['wz', 'uz', 'wr', 'ur', 'wc', 'uc'].map((name) => rowsOf(p[name]));
      const sequence = rowsOf(x)[s];
      const steps: { u: number[]; h: number[]; z: number[]; r: number[]; c: number[]; after: number[] }[] = [];
      let h = list(H);
      for (let t = 0; t < T; t++) {
        const u = sequence.slice(t * d, t * d + d);
        const z = plus(through(u, wz), through(h, uz)).map(sigma);
        const r = plus(through(u, wr), through(h, ur)).map(sigma);
        const c = plus(
          through(u, wc),
          through(
            h.map((value, i) => value * r[i]),
            uc,
          ),
        ).map((value) => Math.tanh(value));
        const after = h.map((value, i) => (1 - z[i]) * value + z[i] * c[i]);
        steps.push({ u, h, z, r, c, after });
        h = after;
      }
      return { steps, wz, uz, wr, ur, wc, uc };
    };
    return {
      parameters: () => normal({ wz: [d, H], uz: [H, H], wr: [d, H], ur: [H, H], wc: [d, H], uc: [H, H] }, 0.8),
      outputShape: () => [T * H],
      forward: (call) =>
        call.ops.tensor(
          [call.x.shape[0], T * H],
          Array.from({ length: call.x.shape[0] }, (_, s) => unroll(call, s).steps.map(({ after }) => after)).flat(2),
        ),
      backward(call) {
        const dx = grid(call.x.shape[0], n);
        const g = { wz: grid(d, H), uz: grid(H, H), wr: grid(d, H), ur: grid(H, H), wc: grid(d, H), uc: grid(H, H) };
        rowsOf(call.dy).forEach((row, s) => {
          const { steps, wz, uz, wr, ur, wc, uc } = unroll(call, s);
          let carried = list(H);
          for (let t = T - 1; t >= (fault === 'first step left out' ? 1 : 0); t--) {
            const { u, h, z, r, c } = steps[t];
            let dh = plus(row.slice(t * H, t * H + H), carried);
            if (fault === 'carried gradient replaces that of the output' && t < T - 1) dh = carried;
            const dc = dh.map((value, i) => value * z[i] * (1 - c[i] * c[i]));
            const dz = dh.map((value, i) => value * (c[i] - h[i]) * z[i] * (1 - z[i]));
            const drh = back(uc, dc);
            let dr = drh.map((value, i) => value * h[i] * r[i] * (1 - r[i]));
            if (fault === 'reset gate path missing') dr = list(H);
            addOuter(g.wz, u, dz);
            addOuter(g.uz, h, dz);
            addOuter(g.wr, u, dr);
            addOuter(g.ur, h, dr);
            addOuter(g.wc, u, dc);
            addOuter(g.uc, fault === 'state not reset in duc' ? h : h.map((value, i) => value * r[i]), dc);
            const du = plus(back(wz, dz), back(wr, dr), back(wc, dc));
            du.forEach((value, i) => (dx[s][t * d + i] += value));
            const nothing = list(H);
            carried = plus(
              fault === 'direct path to the state missing' ? nothing : dh.map((value, i) => value * (1 - z[i])),
              fault === 'update gate path to the state missing' ? nothing : back(uz, dz),
              fault === 'reset gate path to the state missing' ? nothing : back(ur, dr),
              fault === 'candidate path to the state missing' ? nothing : drh.map((value, i) => value * r[i]),
            );
            if (fault === 'state gradient not carried') carried = nothing;
          }
        });
        return give(call, dx, g);
      },
    };
  },
};

/** A cell with input, forget and output gates, whose last state is the output. */
const lstm: Template = {
  name: 'paths: LSTM',
  isComposition: true,
  input: (random) => [2 * size(random, 3, 4)],
  mistakes: {
    'cell gradient not carried': mistake(PATH_MISSING, 'w', 'u', 'b', 'input'),
    'cell carried without the gate': mistake([...PATH_MISSING, 'scale_missing', 'factor'], 'w', 'u', 'b', 'input'),
    'forget gate missing': mistake([...PATH_MISSING, 'missing', 'place_missing'], 'w', 'u', 'b', 'input'),
    'output gate path to the state missing': mistake(PATH_MISSING, 'w', 'u', 'b', 'input'),
    'new cell in place of the old one': mistake(['wrong_turn', 'wrong_operand'], 'w', 'u', 'b', 'input'),
    'output taken for tanh of the cell': mistake(
      ['wrong_operand', 'derivative_of_another', 'wrong_derivative', 'wrong_place', 'derivative_of_output_at_input'],
      'w',
      'u',
      'b',
      'input',
    ),
    'state path through the gates missing': mistake(PATH_MISSING, 'w', 'u', 'b', 'input'),
  },
  make(random, [n], fault) {
    const d = 2;
    const T = n / d;
    const H = size(random, 2, 3);
    class Cell {
      readonly steps: { u: number[]; h: number[]; c: number[]; a: number[]; next: number[]; tc: number[] }[] = [];
      h = list(H);
      c = list(H);
      constructor(
        readonly w: number[][],
        readonly u: number[][],
        readonly b: number[],
      ) {}
      step(u: number[]): void {
        const pre = plus(through(u, this.w), through(this.h, this.u), this.b);
        const a = pre.map((value, k) => (k < 3 * H ? sigma(value) : Math.tanh(value)));
        const next = this.c.map((value, i) => a[H + i] * value + a[i] * a[3 * H + i]);
        const tc = next.map(Math.tanh);
        this.steps.push({ u, h: this.h, c: this.c, a, next, tc });
        this.c = next;
        this.h = tc.map((value, i) => value * a[2 * H + i]);
      }
    }
    const run = ({ x, parameters: p }: ForwardCall, s: number): Cell => {
      const cell = new Cell(rowsOf(p.w), rowsOf(p.u), [...p.b.data]);
      const sequence = rowsOf(x)[s];
      for (let t = 0; t < T; t++) cell.step(sequence.slice(t * d, t * d + d));
      return cell;
    };
    return {
      parameters: () => normal({ w: [d, 4 * H], u: [H, 4 * H], b: [4 * H] }, 0.8),
      outputShape: () => [H],
      forward: (call) =>
        call.ops.tensor(
          [call.x.shape[0], H],
          rowsOf(call.x).flatMap((_, s) => run(call, s).h),
        ),
      backward(call) {
        const dx = grid(call.x.shape[0], n);
        const g = { w: grid(d, 4 * H), u: grid(H, 4 * H), b: list(4 * H) };
        rowsOf(call.dy).forEach((row, s) => {
          const { steps, w, u: wu } = run(call, s);
          let dh = row;
          let dcell = list(H);
          for (let t = T - 1; t >= 0; t--) {
            const { u, h, c, a, next, tc } = steps[t];
            const dz = list(4 * H);
            const cellAfter = list(H);
            for (let i = 0; i < H; i++) {
              const [gi, gf, go, gg] = [a[i], a[H + i], a[2 * H + i], a[3 * H + i]];
              const slope = fault === 'output taken for tanh of the cell' ? 1 - (tc[i] * go) ** 2 : 1 - tc[i] ** 2;
              const dc = dcell[i] + dh[i] * go * slope;
              dz[i] = dc * gg * gi * (1 - gi);
              const old = fault === 'new cell in place of the old one' ? next[i] : c[i];
              dz[H + i] = fault === 'forget gate missing' ? 0 : dc * old * gf * (1 - gf);
              dz[2 * H + i] = dh[i] * tc[i] * go * (1 - go);
              dz[3 * H + i] = dc * gi * (1 - gg * gg);
              cellAfter[i] = fault === 'cell carried without the gate' ? dc : dc * gf;
            }
            addOuter(g.w, u, dz);
            addOuter(g.u, h, dz);
            dz.forEach((value, k) => (g.b[k] += value));
            back(w, dz).forEach((value, i) => (dx[s][t * d + i] += value));
            const state =
              fault === 'output gate path to the state missing'
                ? dz.map((v, k) => (k >= 2 * H && k < 3 * H ? 0 : v))
                : dz;
            dh = fault === 'state path through the gates missing' ? list(H) : back(wu, state);
            dcell = fault === 'cell gradient not carried' ? list(H) : cellAfter;
          }
        });
        return give(call, dx, g);
      },
    };
  },
};

/** A leaky integrator with a learned decay of each channel: m = a · m + (1 - a) · x; all values are the output. */
const leaky: Template = {
  name: 'paths: leaky integrator',
  isComposition: true,
  input: (random) => [2 * size(random, 3, 5)],
  mistakes: {
    'decay lacks the carried state': mistake([...PATH_MISSING, 'wrong_operand'], 'a'),
    'state gradient not carried': mistake(PATH_MISSING, 'a', 'input'),
    'carried without the decay': mistake([...PATH_MISSING, 'scale_missing', 'factor'], 'a', 'input'),
    'carried, not added': mistake([...PATH_MISSING, 'overwritten'], 'a', 'input'),
    'last step left out': mistake([...PATH_MISSING, 'place_missing', 'time_step_missing'], 'a', 'input'),
    'new state in place of the old one': mistake(['wrong_turn', 'wrong_operand'], 'a'),
    'input share without 1 - a': mistake(['scale_missing', 'factor', 'factor_by_place', 'wrong_operand'], 'input'),
  },
  make(_random, [n], fault) {
    const d = 2;
    const T = n / d;
    return {
      parameters: () => ({ a: { shape: [d], init: { type: 'normal', mean: 0.6, std: 0.1 } } }),
      forward({ x, parameters: { a }, ops }) {
        const y = ops.tensor(x.shape);
        for (let s = 0; s < x.shape[0]; s++)
          for (let k = 0; k < d; k++) {
            let m = 0;
            for (let t = 0; t < T; t++) {
              m = a.data[k] * m + (1 - a.data[k]) * x.data[s * n + t * d + k];
              y.data[s * n + t * d + k] = m;
            }
          }
        return y;
      },
      backward(call) {
        const { x, dy, parameters } = call;
        const a = [...parameters.a.data];
        const da = list(d);
        const dx = grid(x.shape[0], n);
        for (let s = 0; s < x.shape[0]; s++)
          for (let k = 0; k < d; k++) {
            const m = [0];
            for (let t = 0; t < T; t++) m.push(a[k] * m[t] + (1 - a[k]) * x.data[s * n + t * d + k]);
            let carried = 0;
            for (let t = fault === 'last step left out' ? T - 2 : T - 1; t >= 0; t--) {
              const own = dy.data[s * n + t * d + k];
              let dm = own + carried;
              if (fault === 'carried, not added' && t < T - 1) dm = carried;
              const before = fault === 'new state in place of the old one' ? m[t + 1] : m[t];
              da[k] += dm * ((fault === 'decay lacks the carried state' ? 0 : before) - x.data[s * n + t * d + k]);
              dx[s][t * d + k] += dm * (fault === 'input share without 1 - a' ? 1 : 1 - a[k]);
              carried = dm * (fault === 'carried without the decay' ? 1 : a[k]);
              if (fault === 'state gradient not carried') carried = 0;
            }
          }
        return give(call, dx, { a: da });
      },
    };
  },
};

/** A linear state space: h = A h + B u, y = C h + D u for scalar u. */
const stateSpace: Template = {
  name: 'paths: state space',
  isComposition: true,
  input: (random) => [size(random, 4, 6)],
  mistakes: {
    'A applied the wrong way': mistake(['not_transposed', 'transposed'], 'A', 'B', 'input'),
    'state of the same step': mistake(['wrong_turn', 'wrong_operand'], 'A'),
    'truncated after one step': mistake([...PATH_MISSING], 'A', 'B', 'input'),
    'states not carried': mistake(PATH_MISSING, 'A', 'B', 'input'),
    'direct path missing in dx': mistake([...PATH_MISSING, 'skip_missing'], 'input'),
    'C of the last step': mistake(['turns_missing', 'share_missing', 'overwritten'], 'C'),
    'gradient of A not summed over time': mistake(['turns_missing', 'share_missing', 'overwritten'], 'A'),
  },
  make(_random, [n], fault) {
    const H = 3;
    const states = (A: number[][], B: number[], u: readonly number[]): number[][] => {
      const all = [list(H)];
      for (const value of u)
        all.push(
          plus(
            back(A, all[all.length - 1]),
            B.map((b) => b * value),
          ),
        );
      return all;
    };
    return {
      parameters: () => normal({ A: [H, H], B: [H], C: [H], D: [1] }, 0.5),
      forward(call) {
        const { x, parameters: p, ops } = call;
        const y = rowsOf(x).map((u) => {
          const hs = states(rowsOf(p.A), [...p.B.data], u);
          return u.map((value, t) => dot([...p.C.data], hs[t + 1]) + p.D.data[0] * value);
        });
        return ops.tensor(x.shape, y.flat());
      },
      backward(call) {
        const { x, dy, parameters: p } = call;
        const [A, B, C] = [rowsOf(p.A), [...p.B.data], [...p.C.data]];
        const g = { A: grid(H, H), B: list(H), C: list(H), D: list(1) };
        const up = rowsOf(dy);
        const dx = rowsOf(x).map((u, s) => {
          const hs = states(A, B, u);
          const du = list(n);
          let carried = list(H);
          for (let t = n - 1; t >= 0; t--) {
            const own = C.map((c) => c * up[s][t]);
            const dh = plus(own, carried);
            const before = hs[fault === 'state of the same step' ? t + 1 : t];
            if (fault === 'gradient of A not summed over time') {
              if (t === n - 1) addOuter(g.A, dh, before);
            } else addOuter(g.A, dh, before);
            dh.forEach((value, i) => {
              g.B[i] += value * u[t];
              if (fault !== 'C of the last step' || t === n - 1) g.C[i] += up[s][t] * hs[t + 1][i];
            });
            g.D[0] += up[s][t] * u[t];
            du[t] = dot(dh, B) + (fault === 'direct path missing in dx' ? 0 : up[s][t] * p.D.data[0]);
            const passed = fault === 'truncated after one step' ? own : dh;
            carried = fault === 'A applied the wrong way' ? back(A, passed) : through(passed, A);
            if (fault === 'states not carried') carried = list(H);
          }
          return du;
        });
        return give(call, dx, g);
      },
    };
  },
};

/** One matrix in three uses: two layers and, transposed, a decoder. */
const tied: Template = {
  name: 'paths: tied weights',
  isComposition: true,
  input: (random) => [size(random, 3, 5)],
  mistakes: {
    'first use missing': mistake(['contribution_missing', 'one_use', 'share_missing'], 'w'),
    'second use missing': mistake(['contribution_missing', 'one_use', 'share_missing'], 'w'),
    'transposed use missing': mistake(['contribution_missing', 'one_use', 'share_missing'], 'w'),
    'transposed use not transposed': mistake(['transposed', 'not_transposed'], 'w'),
    'first use counted twice': mistake(['contribution_twice'], 'w'),
    'decoder applied the wrong way in dx': mistake(['not_transposed', 'transposed'], 'w', 'input'),
    'divided by the number of uses': mistake(['factor'], 'w'),
  },
  make(_random, [n], fault) {
    const pass = (x: readonly number[], w: number[][]) => {
      const a = through(x, w).map((value) => Math.tanh(value));
      const b = through(a, w).map((value) => Math.sin(value));
      return { a, b, inner: through(a, w), y: back(w, b) };
    };
    return {
      parameters: () => normal({ w: [n, n] }, 0.6),
      forward: ({ x, parameters: { w }, ops }) =>
        ops.tensor(
          x.shape,
          rowsOf(x).flatMap((row) => pass(row, rowsOf(w)).y),
        ),
      backward(call) {
        const w = rowsOf(call.parameters.w);
        const dw = grid(n, n);
        const up = rowsOf(call.dy);
        const dx = rowsOf(call.x).map((row, s) => {
          const { a, b, inner } = pass(row, w);
          const dyRow = up[s];
          if (fault === 'transposed use not transposed') addOuter(dw, b, dyRow);
          else if (fault !== 'transposed use missing') addOuter(dw, dyRow, b);
          const db = (fault === 'decoder applied the wrong way in dx' ? back(w, dyRow) : through(dyRow, w)).map(
            (value, i) => value * Math.cos(inner[i]),
          );
          if (fault !== 'second use missing') addOuter(dw, a, db);
          const da = back(w, db).map((value, i) => value * (1 - a[i] ** 2));
          if (fault !== 'first use missing') addOuter(dw, row, da);
          if (fault === 'first use counted twice') addOuter(dw, row, da);
          return back(w, da);
        });
        return give(call, dx, {
          w: fault === 'divided by the number of uses' ? dw.map((r) => r.map((v) => v / 3)) : dw,
        });
      },
    };
  },
};

/** y = x W xᵀ for each sample, and a product of three factors: y = (x·W·x) · u_j · tanh(x_j) · x_j. */
const products: Template = {
  name: 'paths: products',
  isComposition: true,
  input: (random) => [size(random, 3, 5)],
  mistakes: {
    'left half of the quadratic form missing': mistake(PATH_MISSING, 'input'),
    'right half of the quadratic form missing': mistake(PATH_MISSING, 'input'),
    'quadratic form taken as constant': mistake(PATH_MISSING, 'input'),
    'tanh taken as constant': mistake(PATH_MISSING, 'input'),
    'direct factor taken as constant': mistake(PATH_MISSING, 'input'),
    'symmetric where it is not': mistake(
      ['not_transposed', 'transposed', 'contribution_twice', 'wrong_operand'],
      'input',
    ),
    'tanh missing in dW': mistake(['scale_missing', 'wrong_operand'], 'W'),
    'factor u missing in dW': mistake(['scale_missing'], 'W'),
  },
  make(_random, [n], fault) {
    return {
      parameters: () => normal({ W: [n, n], u: [n] }),
      forward({ x, parameters: { W, u }, ops }) {
        const y = rowsOf(x).map((row) => {
          const q = dot(row, back(rowsOf(W), row));
          return row.map((value, j) => q * u.data[j] * Math.tanh(value) * value);
        });
        return ops.tensor(x.shape, y.flat());
      },
      backward(call) {
        const W = rowsOf(call.parameters.W);
        const u = [...call.parameters.u.data];
        const up = rowsOf(call.dy);
        const g = { W: grid(n, n), u: list(n) };
        const dx = rowsOf(call.x).map((row, s) => {
          const q = dot(row, back(W, row));
          const h = row.map((value) => Math.tanh(value));
          const of = (factor: (j: number) => number): number =>
            dot(
              up[s],
              row.map((_, j) => factor(j)),
            );
          const dq = of((j) => u[j] * h[j] * row[j]);
          const dqW =
            fault === 'tanh missing in dW'
              ? of((j) => u[j] * row[j])
              : fault === 'factor u missing in dW'
                ? of((j) => h[j] * row[j])
                : dq;
          addOuter(
            g.W,
            row.map((value) => value * dqW),
            row,
          );
          row.forEach((_, j) => (g.u[j] += up[s][j] * q * h[j] * row[j]));
          const left = back(W, row);
          const right = through(row, W);
          return row.map((_, i) => {
            let form =
              (fault === 'left half of the quadratic form missing' ? 0 : left[i]) +
              (fault === 'right half of the quadratic form missing' ? 0 : right[i]);
            if (fault === 'symmetric where it is not') form = 2 * left[i];
            if (fault === 'quadratic form taken as constant') form = 0;
            const slope = fault === 'tanh taken as constant' ? 0 : (1 - h[i] ** 2) * row[i];
            const direct = fault === 'direct factor taken as constant' ? 0 : h[i];
            return dq * form + up[s][i] * q * u[i] * (slope + direct);
          });
        });
        return give(call, dx, g);
      },
    };
  },
};

/** Layer norm with its own eps inside or outside of the root; y = gain · hat + bias. */
const epsilon: Template = {
  name: 'paths: eps',
  isComposition: true,
  input: features,
  mistakes: {
    'eps outside of the root in backward': mistake(
      ['options_ignored', 'wrong_operand', 'wrong_place', 'scale_missing', 'statistics_constant'],
      'input',
      'gain',
    ),
    'eps missing in backward': mistake(
      ['options_ignored', 'wrong_operand', 'wrong_place', 'scale_missing'],
      'input',
      'gain',
    ),
    'mean taken as constant': mistake(PATH_MISSING, 'input'),
    'standard deviation taken as constant': mistake(PATH_MISSING, 'input'),
    'unbiased variance in backward': mistake(['unbiased', 'wrong_count', 'factor', 'term_wrong'], 'input', 'gain'),
    'gain applied twice': mistake(['scale_missing', 'contribution_twice'], 'input'),
    'gain forgotten in dx': mistake(['scale_missing'], 'input'),
    'normalized over the batch': mistake(['axes_wrong', 'options_ignored', 'samples_mixed'], 'input'),
  },
  make(_random, [n], fault) {
    const eps = 0.01;
    const stats = (row: readonly number[], mode: string | null) => {
      const mean = row.reduce((a, b) => a + b, 0) / n;
      const variance =
        row.reduce((sum, value) => sum + (value - mean) ** 2, 0) /
        (mode === 'unbiased variance in backward' ? n - 1 : n);
      const std =
        mode === 'eps outside of the root in backward'
          ? Math.sqrt(variance) + eps
          : mode === 'eps missing in backward'
            ? Math.sqrt(variance)
            : Math.sqrt(variance + eps);
      return { mean, std, hat: row.map((value) => (value - mean) / std) };
    };
    return {
      parameters: () => ({ gain: { shape: [n], init: { type: 'normal', mean: 1, std: 0.3 } }, bias: { shape: [n] } }),
      forward: ({ x, parameters: { gain, bias }, ops }) =>
        ops.tensor(
          x.shape,
          rowsOf(x).flatMap((row) => stats(row, null).hat.map((value, j) => value * gain.data[j] + bias.data[j])),
        ),
      backward(call) {
        const { x, dy, parameters } = call;
        const gain = [...parameters.gain.data];
        const g = { gain: list(n), bias: list(n) };
        const up = rowsOf(dy);
        const rows = rowsOf(x);
        if (fault === 'normalized over the batch') {
          const own = rows.map((row) => stats(row, null));
          const B = rows.length;
          const t = rows.map((_, s) => up[s].map((value, j) => value * gain[j]));
          rows.forEach((_, s) =>
            up[s].forEach((value, j) => {
              g.gain[j] += value * own[s].hat[j];
              g.bias[j] += value;
            }),
          );
          const dx = rows.map((_, s) =>
            t[s].map((value, j) => {
              const m1 = t.reduce((sum, each) => sum + each[j], 0) / B;
              const m2 = t.reduce((sum, each, k) => sum + each[j] * own[k].hat[j], 0) / B;
              return (value - m1 - own[s].hat[j] * m2) / own[s].std;
            }),
          );
          return give(call, dx, g);
        }
        const dx = rows.map((row, s) => {
          const { std, hat } = stats(row, fault);
          up[s].forEach((value, j) => {
            g.gain[j] += value * hat[j];
            g.bias[j] += value;
          });
          const t = up[s].map(
            (value, j) =>
              value * (fault === 'gain applied twice' ? gain[j] ** 2 : fault === 'gain forgotten in dx' ? 1 : gain[j]),
          );
          const m1 = fault === 'mean taken as constant' ? 0 : t.reduce((a, b) => a + b, 0) / n;
          const m2 = fault === 'standard deviation taken as constant' ? 0 : dot(t, hat) / n;
          return t.map((value, j) => (value - m1 - hat[j] * m2) / std);
        });
        return give(call, dx, g);
      },
    };
  },
};

/** Causal attention over tokens with ops; the mask is added to the scores. */
const causal: Template = {
  name: 'paths: causal attention',
  isComposition: true,
  input: (random) => [4 * size(random, 2, 3)],
  mistakes: {
    'mask dropped in backward': mistake(
      ['mask_missing', 'wrong_operand', 'options_ignored', 'contribution_missing'],
      'wq',
      'wk',
      'input',
      'wv',
    ),
    'softmax over the wrong axis in backward': mistake(['axes_wrong', 'options_ignored'], 'wq', 'wk', 'input'),
    'scale applied twice': mistake(['factor', 'scale_missing', 'contribution_twice'], 'wq', 'wk', 'input'),
    'scale not applied': mistake(['factor', 'scale_missing', 'contribution_twice'], 'wq', 'wk', 'input'),
    'weights taken as constant': mistake([...PATH_MISSING, 'missing'], 'wq', 'wk', 'input'),
    'scores transposed for the keys': mistake(['not_transposed', 'transposed', 'swapped'], 'wk', 'input'),
  },
  make(_random, [n], fault) {
    const T = 4;
    const d = n / T;
    const parts = ({ x, parameters: { wq, wk, wv }, ops }: ForwardCall, masked = true) => {
      const tokens = ops.reshape(x, [x.shape[0], T, d]);
      const [q, k, v] = [wq, wk, wv].map((w) => ops.matmul(tokens, w));
      const mask = ops.tensor(
        [T, T],
        Array.from({ length: T * T }, (_, i) => (i % T > Math.floor(i / T) && masked ? -1e9 : 0)),
      );
      const scores = ops.add(ops.divide(ops.matmul(q, ops.transpose(k)), Math.sqrt(d)), mask);
      return { tokens, q, k, v, p: ops.softmax(scores, -1) };
    };
    return {
      parameters: () => normal({ wq: [d, d], wk: [d, d], wv: [d, d] }),
      forward(call) {
        const { p, v } = parts(call);
        return call.ops.reshape(call.ops.matmul(p, v), call.x.shape);
      },
      backward(call) {
        const {
          x,
          dy,
          parameters: { wq, wk, wv },
          ops,
        } = call;
        const { tokens, q, k, v, p } = parts(call, fault !== 'mask dropped in backward');
        const up = ops.reshape(dy, [x.shape[0], T, d]);
        const dp = ops.matmul(up, ops.transpose(v));
        const axis = fault === 'softmax over the wrong axis in backward' ? 1 : -1;
        let ds = ops.multiply(p, ops.subtract(dp, ops.sum(ops.multiply(dp, p), axis, true)));
        if (fault === 'weights taken as constant') ds = ops.multiply(ds, 0);
        const scale = Math.sqrt(d);
        if (fault !== 'scale not applied') ds = ops.divide(ds, scale);
        if (fault === 'scale applied twice') ds = ops.divide(ds, scale);
        const dq = ops.matmul(ds, k);
        const dk = ops.matmul(fault === 'scores transposed for the keys' ? ds : ops.transpose(ds), q);
        const dv = ops.matmul(ops.transpose(p), up);
        const weight = (g: Tensor): Tensor => ops.sum(ops.matmul(ops.transpose(tokens), g), 0);
        const into = (g: Tensor, w: Tensor): Tensor => ops.matmul(g, ops.transpose(w));
        return {
          dx: ops.reshape(ops.add(ops.add(into(dq, wq), into(dk, wk)), into(dv, wv)), x.shape),
          parameters: { wq: weight(dq), wk: weight(dk), wv: weight(dv) },
        };
      },
    };
  },
};

/** Weighted softmax pooling of places, in loops with lists; places below 0 are masked. */
const pooled: Template = {
  name: 'paths: masked pooling',
  isComposition: true,
  input: (random) => [2 * size(random, 4, 5)],
  mistakes: {
    'mask dropped in backward': mistake(
      ['mask_missing', 'wrong_operand', 'contribution_missing', 'options_ignored', 'winners_ignored'],
      'q',
      'input',
    ),
    'weights taken as constant': mistake(PATH_MISSING, 'q', 'input'),
    'values taken as constant': mistake(PATH_MISSING, 'input'),
    'temperature not applied': mistake(['factor', 'scale_missing'], 'q', 'input'),
    'temperature applied twice': mistake(['factor', 'scale_missing'], 'q', 'input'),
    'sum term of softmax missing': mistake(
      ['contribution_missing', 'diagonal_only', 'statistics_constant'],
      'q',
      'input',
    ),
  },
  make(_random, [n], fault) {
    const d = 2;
    const P = n / d;
    const tau = 0.7;
    const score = (x: readonly number[], q: readonly number[], masked = true) => {
      const tokens = Array.from({ length: P }, (_, t) => x.slice(t * d, t * d + d));
      const keep = tokens.map((_, t) => !masked || t % 3 !== 2);
      const e = tokens.map((token, t) => (keep[t] ? Math.exp(dot(token, q) / tau) : 0));
      const total = e.reduce((a, b) => a + b, 0);
      return { tokens, keep, p: e.map((value) => value / total) };
    };
    return {
      parameters: () => normal({ q: [d] }),
      outputShape: () => [d],
      forward: ({ x, parameters: { q }, ops }) =>
        ops.tensor(
          [x.shape[0], d],
          rowsOf(x).flatMap((row) => {
            const { tokens, p } = score(row, [...q.data]);
            return through(p, tokens);
          }),
        ),
      backward(call) {
        const q = [...call.parameters.q.data];
        const dq = list(d);
        const up = rowsOf(call.dy);
        const dx = rowsOf(call.x).map((row, s) => {
          const { tokens, p } = score(row, q, fault !== 'mask dropped in backward');
          const dp = tokens.map((token) => dot(token, up[s]));
          const mean = fault === 'sum term of softmax missing' ? 0 : dot(dp, p);
          const scale =
            fault === 'temperature not applied' ? 1 : fault === 'temperature applied twice' ? tau * tau : tau;
          const ds = p.map((value, t) =>
            fault === 'weights taken as constant' ? 0 : (value * (dp[t] - mean)) / scale,
          );
          ds.forEach((value, t) => {
            for (let k = 0; k < d; k++) dq[k] += value * tokens[t][k];
          });
          return tokens.flatMap((_, t) =>
            q.map((value, k) => ds[t] * value + (fault === 'values taken as constant' ? 0 : p[t] * up[s][k])),
          );
        });
        return give(call, dx, { q: dq });
      },
    };
  },
};

/** y = a(x) / (c + b(x)²): a quotient, with ops. */
const quotient: Template = {
  name: 'paths: quotient',
  isComposition: true,
  input: features,
  mistakes: {
    'denominator taken as constant': mistake(PATH_MISSING, 'input', 'v'),
    'numerator taken as constant': mistake(PATH_MISSING, 'input', 'u'),
    'denominator not squared': mistake(
      ['wrong_operand', 'scale_missing', 'wrong_place', 'wrong_derivative'],
      'input',
      'v',
    ),
    'sign of the second term': mistake(['contribution_sign', 'sign'], 'input', 'v'),
    'square without its two': mistake(['factor', 'contribution_halved'], 'input', 'v'),
  },
  make(_random, [n], fault) {
    return {
      parameters: () => normal({ u: [n, n], v: [n, n] }),
      forward({ x, parameters: { u, v }, ops }) {
        return ops.divide(ops.matmul(x, u), ops.add(square(ops, ops.matmul(x, v)), 0.5));
      },
      backward({ x, dy, parameters: { u, v }, ops }) {
        const [a, b] = [ops.matmul(x, u), ops.matmul(x, v)];
        const bottom = ops.add(square(ops, b), 0.5);
        let da = ops.divide(dy, bottom);
        if (fault === 'numerator taken as constant') da = ops.multiply(da, 0);
        let db = ops.divide(
          ops.multiply(ops.multiply(dy, a), ops.multiply(b, fault === 'square without its two' ? -1 : -2)),
          fault === 'denominator not squared' ? bottom : square(ops, bottom),
        );
        if (fault === 'denominator taken as constant') db = ops.multiply(db, 0);
        if (fault === 'sign of the second term') db = ops.negate(db);
        const t = ops.transpose(x);
        return {
          dx: ops.add(ops.matmul(da, ops.transpose(u)), ops.matmul(db, ops.transpose(v))),
          parameters: { u: ops.matmul(t, da), v: ops.matmul(t, db) },
        };
      },
    };
  },
};

export const PATH_TEMPLATES: readonly Template[] = [
  gru,
  lstm,
  leaky,
  stateSpace,
  tied,
  products,
  epsilon,
  causal,
  pooled,
  quotient,
];
