// Faults of one term: an index, an operand, a path or a statistic, in layers over flat arrays with local numbers and in
// layers of `ops` with a backward pass of their own.
import type { Layer, Ops, Tensor } from '../../../src/engine/custom/contract';
import type { Random } from '../../../src/engine/random';
import type { Cause } from '../../../src/protocol/check-report';
import { features, mistake, type Mistake, normal, size, type Template } from './layer-templates';

const zeros = (n: number): Float64Array => new Float64Array(n);
const sigma = (z: number): number => 1 / (1 + Math.exp(-z));

const MISSING: readonly Cause[] = ['contribution_missing', 'statistics_constant', 'share_missing', 'turns_missing'];
const ORDER: readonly Cause[] = ['shifted', 'permuted', 'mirrored', 'reversed', 'wrong_turn', 'axes_wrong'];
const OPERAND: readonly Cause[] = ['wrong_operand', 'wrong_place', 'not_normalized', 'wrong_turn'];

interface Spec {
  readonly input?: (random: Random) => readonly number[];
  readonly isSingle?: boolean;
  readonly mistakes: Readonly<Record<string, Mistake>>;
  make(random: Random, input: readonly number[], mistake: string | null): Layer;
}

const template = (name: string, { input = features, isSingle = false, ...rest }: Spec): Template => ({
  name: `terms: ${name}`,
  isComposition: !isSingle,
  input,
  ...rest,
});

/** Channels by time, flat; causal, with holes. */
const dilated = template('dilated causal convolution', {
  input: () => [2 * 7],
  mistakes: {
    'dilation missing in dx': mistake(['stride_wrong', 'shifted', 'wrong_turn'], 'input'),
    'dilation missing in dk': mistake(['stride_wrong', 'shifted', 'wrong_turn', ...OPERAND], 'k'),
    'padding missing in dx': mistake(['shifted', 'stride_wrong', 'wrong_turn'], 'input'),
    'padding missing in dk': mistake(['shifted', 'stride_wrong', 'wrong_turn'], 'k'),
    'kernel turned in dx': mistake(['mirrored', 'permuted'], 'input'),
    'channels of the kernel swapped in dx': mistake(['not_transposed', 'transposed'], 'input'),
    'last tap left out in dk': mistake(['place_missing', 'contribution_missing', 'single_entries', 'missing'], 'k'),
  },
  make(_random, [n], fault) {
    const [C, K, D] = [2, 3, 2];
    const T = n / C;
    return {
      parameters: () => normal({ k: [C, C, K], b: [C] }),
      forward({ x, parameters: { k, b }, ops }) {
        const y = zeros(x.data.length);
        for (let s = 0; s < x.shape[0]; s++)
          for (let o = 0; o < C; o++)
            for (let t = 0; t < T; t++) {
              let sum = b.data[o];
              for (let c = 0; c < C; c++)
                for (let j = 0; j < K; j++) {
                  const from = t - (K - 1 - j) * D;
                  if (from >= 0) sum += k.data[(o * C + c) * K + j] * x.data[s * n + c * T + from];
                }
              y[s * n + o * T + t] = sum;
            }
        return ops.tensor(x.shape, y);
      },
      backward({ x, dy, parameters: { k, b }, ops }) {
        const [dx, dk, db] = [zeros(x.data.length), zeros(k.data.length), zeros(C)];
        for (let s = 0; s < x.shape[0]; s++)
          for (let o = 0; o < C; o++)
            for (let t = 0; t < T; t++) {
              const g = dy.data[s * n + o * T + t];
              db[o] += g;
              for (let c = 0; c < C; c++)
                for (let j = 0; j < K; j++) {
                  const place = (hole: number, pad: number): number => t - pad + j * hole;
                  const right = place(D, (K - 1) * D);
                  const forX =
                    fault === 'dilation missing in dx'
                      ? place(1, K - 1)
                      : fault === 'padding missing in dx'
                        ? place(D, 0)
                        : right;
                  const forK =
                    fault === 'dilation missing in dk'
                      ? place(1, K - 1)
                      : fault === 'padding missing in dk'
                        ? place(D, 0)
                        : right;
                  let w = k.data[(o * C + c) * K + j];
                  if (fault === 'kernel turned in dx') w = k.data[(o * C + c) * K + K - 1 - j];
                  if (fault === 'channels of the kernel swapped in dx') w = k.data[(c * C + o) * K + j];
                  if (forX >= 0 && forX < T) dx[s * n + c * T + forX] += g * w;
                  if (forK >= 0 && forK < T && !(fault === 'last tap left out in dk' && j === K - 1))
                    dk[(o * C + c) * K + j] += g * x.data[s * n + c * T + forK];
                }
            }
        return {
          dx: ops.tensor(x.shape, dx),
          parameters: { k: ops.tensor(k.shape, dk), b: ops.tensor(b.shape, db) },
        };
      },
    };
  },
});

/** h = tanh(x U + h V + b) in flat arrays; all states are the output. */
const elman = template('recurrent, flat', {
  input: (random) => [2 * size(random, 4, 5)],
  mistakes: {
    'time runs forward in backward': mistake([...ORDER, ...MISSING, 'wrong_turn', 'reversed'], 'u', 'v', 'b', 'input'),
    'state of the same step in dV': mistake([...OPERAND, ...ORDER], 'v'),
    'input of the step before in dU': mistake([...OPERAND, ...ORDER], 'u'),
    'carried without the derivative': mistake(['derivative_missing'], 'u', 'v', 'b', 'input'),
    'V not transposed': mistake(['not_transposed', 'transposed'], 'u', 'v', 'b', 'input'),
    'derivative from the argument': mistake(
      ['derivative_of_output_at_input', 'wrong_place', 'wrong_operand'],
      ...['u', 'v', 'b', 'input'],
    ),
    'derivative of the next step': mistake(['wrong_turn', 'wrong_operand'], 'u', 'v', 'b', 'input'),
  },
  make(_random, [n], fault) {
    const [d, H] = [2, 3];
    const T = n / d;
    const states = (x: Tensor, u: Tensor, v: Tensor, b: Tensor): { h: Float64Array; z: Float64Array } => {
      const h = zeros(x.shape[0] * T * H);
      const z = zeros(x.shape[0] * T * H);
      for (let s = 0; s < x.shape[0]; s++)
        for (let t = 0; t < T; t++)
          for (let i = 0; i < H; i++) {
            let a = b.data[i];
            for (let j = 0; j < d; j++) a += x.data[s * n + t * d + j] * u.data[j * H + i];
            if (t > 0) for (let j = 0; j < H; j++) a += h[(s * T + t - 1) * H + j] * v.data[j * H + i];
            z[(s * T + t) * H + i] = a;
            h[(s * T + t) * H + i] = Math.tanh(a);
          }
      return { h, z };
    };
    return {
      parameters: () => normal({ u: [d, H], v: [H, H], b: [H] }),
      outputShape: () => [T * H],
      forward: ({ x, parameters: { u, v, b }, ops }) => ops.tensor([x.shape[0], T * H], states(x, u, v, b).h),
      backward({ x, dy, parameters: { u, v, b }, ops }) {
        const { h, z } = states(x, u, v, b);
        const [dx, du, dv, db] = [x, u, v, b].map(({ data }) => zeros(data.length));
        for (let s = 0; s < x.shape[0]; s++) {
          let carried = zeros(H);
          for (let step = 0; step < T; step++) {
            const t = fault === 'time runs forward in backward' ? step : T - 1 - step;
            const da = zeros(H);
            for (let i = 0; i < H; i++) {
              const at = (s * T + t) * H + i;
              let value = h[at];
              if (fault === 'derivative from the argument') value = z[at];
              if (fault === 'derivative of the next step') value = t + 1 < T ? h[at + H] : 0;
              const by = 1 - value * value;
              da[i] =
                fault === 'carried without the derivative'
                  ? dy.data[at] * by + carried[i]
                  : (dy.data[at] + carried[i]) * by;
            }
            const next = zeros(H);
            for (let i = 0; i < H; i++) {
              db[i] += da[i];
              for (let j = 0; j < d; j++) {
                const from = fault === 'input of the step before in dU' ? t - 1 : t;
                if (from >= 0) du[j * H + i] += x.data[s * n + from * d + j] * da[i];
                dx[s * n + t * d + j] += u.data[j * H + i] * da[i];
              }
              for (let j = 0; j < H; j++) {
                const from = fault === 'state of the same step in dV' ? t : t - 1;
                if (from >= 0) dv[j * H + i] += h[(s * T + from) * H + j] * da[i];
                next[j] += (fault === 'V not transposed' ? v.data[i * H + j] : v.data[j * H + i]) * da[i];
              }
            }
            carried = next;
          }
        }
        return {
          dx: ops.tensor(x.shape, dx),
          parameters: { u: ops.tensor(u.shape, du), v: ops.tensor(v.shape, dv), b: ops.tensor(b.shape, db) },
        };
      },
    };
  },
});

/** All gates in one matrix. */
const lstm = template('LSTM, one matrix', {
  input: (random) => [2 * size(random, 3, 4)],
  mistakes: {
    'new cell in the forget gate': mistake(OPERAND, 'w', 'r', 'b', 'input'),
    'input and candidate swapped': mistake(['swapped', 'wrong_operand', 'permuted'], 'w', 'r', 'b', 'input'),
    'cell instead of its tanh in the output gate': mistake([...OPERAND, 'derivative_missing'], 'w', 'r', 'b', 'input'),
    'derivative of tanh of the cell missing': mistake(['derivative_missing'], 'w', 'r', 'b', 'input'),
    'forget gate of the step before': mistake(['wrong_turn', ...OPERAND], 'w', 'r', 'b', 'input'),
    'new state in dR': mistake([...ORDER, ...OPERAND], 'r'),
  },
  make(_random, [n], fault) {
    const [d, H] = [2, 2];
    const T = n / d;
    const run = (x: Tensor, w: Tensor, r: Tensor, b: Tensor) => {
      const N = x.shape[0];
      const [gates, cells, hidden] = [zeros(N * T * 4 * H), zeros(N * T * H), zeros(N * T * H)];
      for (let s = 0; s < N; s++)
        for (let t = 0; t < T; t++) {
          const row = s * T + t;
          for (let q = 0; q < 4 * H; q++) {
            let a = b.data[q];
            for (let j = 0; j < d; j++) a += x.data[s * n + t * d + j] * w.data[j * 4 * H + q];
            if (t > 0) for (let j = 0; j < H; j++) a += hidden[(row - 1) * H + j] * r.data[j * 4 * H + q];
            gates[row * 4 * H + q] = q >= 2 * H && q < 3 * H ? Math.tanh(a) : sigma(a);
          }
          for (let i = 0; i < H; i++) {
            const before = t > 0 ? cells[(row - 1) * H + i] : 0;
            const g = row * 4 * H + i;
            cells[row * H + i] = gates[g + H] * before + gates[g] * gates[g + 2 * H];
            hidden[row * H + i] = gates[g + 3 * H] * Math.tanh(cells[row * H + i]);
          }
        }
      return { gates, cells, hidden };
    };
    return {
      parameters: () => normal({ w: [d, 4 * H], r: [H, 4 * H], b: [4 * H] }, 0.8),
      outputShape: () => [T * H],
      forward: ({ x, parameters: { w, r, b }, ops }) => ops.tensor([x.shape[0], T * H], run(x, w, r, b).hidden),
      backward({ x, dy, parameters: { w, r, b }, ops }) {
        const { gates, cells, hidden } = run(x, w, r, b);
        const [dx, dw, dr, db] = [x, w, r, b].map(({ data }) => zeros(data.length));
        for (let s = 0; s < x.shape[0]; s++) {
          let [dh, dc] = [zeros(H), zeros(H)];
          for (let t = T - 1; t >= 0; t--) {
            const row = s * T + t;
            const da = zeros(4 * H);
            const nextC = zeros(H);
            for (let i = 0; i < H; i++) {
              const g = row * 4 * H + i;
              const [I, Fg, G, O] = [gates[g], gates[g + H], gates[g + 2 * H], gates[g + 3 * H]];
              const c = cells[row * H + i];
              const before = t > 0 ? cells[(row - 1) * H + i] : 0;
              const own = dy.data[row * H + i] + dh[i];
              const tanh = Math.tanh(c);
              const slope = fault === 'derivative of tanh of the cell missing' ? 1 : 1 - tanh * tanh;
              const cell = dc[i] + own * O * slope;
              da[i] = cell * (fault === 'input and candidate swapped' ? I : G) * I * (1 - I);
              da[i + H] = cell * (fault === 'new cell in the forget gate' ? c : before) * Fg * (1 - Fg);
              da[i + 2 * H] = cell * (fault === 'input and candidate swapped' ? G : I) * (1 - G * G);
              da[i + 3 * H] = own * (fault === 'cell instead of its tanh in the output gate' ? c : tanh) * O * (1 - O);
              const earlier = t > 0 ? gates[g + H - 4 * H] : 0;
              nextC[i] = cell * (fault === 'forget gate of the step before' ? earlier : Fg);
            }
            const nextH = zeros(H);
            for (let q = 0; q < 4 * H; q++) {
              db[q] += da[q];
              for (let j = 0; j < d; j++) {
                dw[j * 4 * H + q] += x.data[s * n + t * d + j] * da[q];
                dx[s * n + t * d + j] += w.data[j * 4 * H + q] * da[q];
              }
              for (let j = 0; j < H; j++) {
                if (fault === 'new state in dR') dr[j * 4 * H + q] += hidden[row * H + j] * da[q];
                else if (t > 0) dr[j * 4 * H + q] += hidden[(row - 1) * H + j] * da[q];
                nextH[j] += r.data[j * 4 * H + q] * da[q];
              }
            }
            [dh, dc] = [nextH, nextC];
          }
        }
        return {
          dx: ops.tensor(x.shape, dx),
          parameters: { w: ops.tensor(w.shape, dw), r: ops.tensor(r.shape, dr), b: ops.tensor(b.shape, db) },
        };
      },
    };
  },
});

/** Two heads over flat arrays, queries, keys and values from one matrix each. */
const heads = template('attention with heads, flat', {
  input: () => [3 * 4],
  mistakes: {
    'heads mixed in dV': mistake([...ORDER, ...OPERAND, 'not_transposed'], 'wv', 'input'),
    'keys of the other head in dQ': mistake([...ORDER, ...OPERAND], 'wq', 'input'),
    'positions swapped in dV': mistake(['not_transposed', 'transposed', ...OPERAND, ...ORDER], 'wv', 'input'),
    'positions swapped in dK': mistake(
      ['not_transposed', 'transposed', ...OPERAND, ...ORDER, 'swapped'],
      'wk',
      'input',
    ),
    'sum of the softmax over queries': mistake(['axes_wrong', 'wrong_operand', 'wrong_sum'], 'wq', 'wk', 'input'),
    'term of the softmax missing': mistake(['contribution_missing', 'diagonal_only'], 'wq', 'wk', 'input'),
    'scale missing in dK': mistake(['factor', 'scale_missing'], 'wk', 'input'),
    'input instead of values': mistake([...OPERAND], 'wq', 'wk', 'input'),
    'keys and queries swapped': mistake(['swapped', 'wrong_operand'], 'wq', 'wk', 'input'),
  },
  make(_random, [n], fault) {
    const [T, D, M] = [3, 4, 2];
    const E = D / M;
    const scale = 1 / Math.sqrt(E);
    const project = (x: Float64Array | Float32Array, s: number, w: Tensor): Float64Array => {
      const out = zeros(T * D);
      for (let t = 0; t < T; t++)
        for (let e = 0; e < D; e++)
          for (let j = 0; j < D; j++) out[t * D + e] += x[s * n + t * D + j] * w.data[j * D + e];
      return out;
    };
    const weights = (q: Float64Array, k: Float64Array): Float64Array => {
      const p = zeros(M * T * T);
      for (let m = 0; m < M; m++)
        for (let i = 0; i < T; i++) {
          let sum = 0;
          for (let j = 0; j < T; j++) {
            let score = 0;
            for (let e = 0; e < E; e++) score += q[i * D + m * E + e] * k[j * D + m * E + e];
            p[(m * T + i) * T + j] = Math.exp(score * scale);
            sum += p[(m * T + i) * T + j];
          }
          for (let j = 0; j < T; j++) p[(m * T + i) * T + j] /= sum;
        }
      return p;
    };
    return {
      parameters: () => normal({ wq: [D, D], wk: [D, D], wv: [D, D] }, 0.6),
      forward({ x, parameters: { wq, wk, wv }, ops }) {
        const y = zeros(x.data.length);
        for (let s = 0; s < x.shape[0]; s++) {
          const [q, k, v] = [wq, wk, wv].map((w) => project(x.data, s, w));
          const p = weights(q, k);
          for (let m = 0; m < M; m++)
            for (let i = 0; i < T; i++)
              for (let e = 0; e < E; e++)
                for (let j = 0; j < T; j++)
                  y[s * n + i * D + m * E + e] += p[(m * T + i) * T + j] * v[j * D + m * E + e];
        }
        return ops.tensor(x.shape, y);
      },
      backward({ x, dy, parameters: { wq, wk, wv }, ops }) {
        const [dx, dwq, dwk, dwv] = [x, wq, wk, wv].map(({ data }) => zeros(data.length));
        for (let s = 0; s < x.shape[0]; s++) {
          const [q, k, v] = [wq, wk, wv].map((w) => project(x.data, s, w));
          const p = weights(q, k);
          const [dq, dk, dv] = [zeros(T * D), zeros(T * D), zeros(T * D)];
          const dp = zeros(M * T * T);
          for (let m = 0; m < M; m++)
            for (let i = 0; i < T; i++)
              for (let j = 0; j < T; j++)
                for (let e = 0; e < E; e++) {
                  const g = dy.data[s * n + i * D + m * E + e];
                  const other = fault === 'heads mixed in dV' ? M - 1 - m : m;
                  const weight =
                    fault === 'positions swapped in dV' ? p[(m * T + j) * T + i] : p[(other * T + i) * T + j];
                  dv[j * D + m * E + e] += weight * g;
                  dp[(m * T + i) * T + j] +=
                    g *
                    (fault === 'input instead of values' ? x.data[s * n + j * D + m * E + e] : v[j * D + m * E + e]);
                }
          for (let m = 0; m < M; m++)
            for (let i = 0; i < T; i++)
              for (let j = 0; j < T; j++) {
                const at = (m * T + i) * T + j;
                let sum = 0;
                for (let l = 0; l < T; l++) {
                  const with_ = fault === 'sum of the softmax over queries' ? (m * T + l) * T + j : (m * T + i) * T + l;
                  sum += p[with_] * dp[with_];
                }
                if (fault === 'term of the softmax missing') sum = 0;
                const ds = p[at] * (dp[at] - sum) * scale;
                for (let e = 0; e < E; e++) {
                  const head = fault === 'keys of the other head in dQ' ? M - 1 - m : m;
                  let toQ = k[j * D + head * E + e];
                  let toK = q[i * D + m * E + e];
                  if (fault === 'keys and queries swapped') [toQ, toK] = [q[j * D + m * E + e], k[i * D + m * E + e]];
                  if (fault === 'scale missing in dK') toK /= scale;
                  dq[i * D + m * E + e] += ds * toQ;
                  if (fault === 'positions swapped in dK') dk[i * D + m * E + e] += ds * q[j * D + m * E + e];
                  else dk[j * D + m * E + e] += ds * toK;
                }
              }
          for (let t = 0; t < T; t++)
            for (let j = 0; j < D; j++)
              for (let e = 0; e < D; e++) {
                const input = x.data[s * n + t * D + j];
                dwq[j * D + e] += input * dq[t * D + e];
                dwk[j * D + e] += input * dk[t * D + e];
                dwv[j * D + e] += input * dv[t * D + e];
                dx[s * n + t * D + j] +=
                  wq.data[j * D + e] * dq[t * D + e] +
                  wk.data[j * D + e] * dk[t * D + e] +
                  wv.data[j * D + e] * dv[t * D + e];
              }
        }
        return {
          dx: ops.tensor(x.shape, dx),
          parameters: {
            wq: ops.tensor(wq.shape, dwq),
            wk: ops.tensor(wk.shape, dwk),
            wv: ops.tensor(wv.shape, dwv),
          },
        };
      },
    };
  },
});

/** An input times the entropy of all inputs' softmax. */
const entropy = template('entropy', {
  mistakes: {
    'log-probabilities for probabilities': mistake(OPERAND, 'input'),
    'product rule: first term missing': mistake(MISSING, 'input'),
    'product rule: second term missing': mistake([...MISSING, 'diagonal_only'], 'input'),
    'mean of the log-probabilities missing': mistake(MISSING, 'input'),
    'entropy has the wrong sign': mistake(['contribution_sign', 'term_sign'], 'input'),
  },
  make: (_random, [n], fault) => ({
    parameters: () => ({ a: { shape: [1], init: { type: 'constant', val: 0.8 } } }),
    forward({ x, parameters: { a }, ops }) {
      const y = zeros(x.data.length);
      for (let s = 0; s < x.shape[0]; s++) {
        let total = 0;
        for (let i = 0; i < n; i++) total += Math.exp(x.data[s * n + i]);
        let h = 0;
        for (let i = 0; i < n; i++) {
          const p = Math.exp(x.data[s * n + i]) / total;
          h -= p * Math.log(p);
        }
        for (let i = 0; i < n; i++) y[s * n + i] = a.data[0] * x.data[s * n + i] * h;
      }
      return ops.tensor(x.shape, y);
    },
    backward({ x, dy, parameters: { a }, ops }) {
      const dx = zeros(x.data.length);
      let da = 0;
      for (let s = 0; s < x.shape[0]; s++) {
        let total = 0;
        for (let i = 0; i < n; i++) total += Math.exp(x.data[s * n + i]);
        const p = Array.from({ length: n }, (_, i) => Math.exp(x.data[s * n + i]) / total);
        const logs = p.map((each) => Math.log(each));
        let [h, dot] = [0, 0];
        for (let i = 0; i < n; i++) {
          h -= p[i] * logs[i];
          dot += dy.data[s * n + i] * x.data[s * n + i];
        }
        da += dot * h;
        for (let i = 0; i < n; i++) {
          const own = fault === 'product rule: first term missing' ? 0 : dy.data[s * n + i] * h;
          const by = fault === 'log-probabilities for probabilities' ? logs[i] : p[i];
          let dh = -by * (logs[i] + (fault === 'mean of the log-probabilities missing' ? 0 : h));
          if (fault === 'product rule: second term missing') dh = 0;
          if (fault === 'entropy has the wrong sign') dh = -dh;
          dx[s * n + i] = a.data[0] * (own + dot * dh);
        }
      }
      return { dx: ops.tensor(x.shape, dx), parameters: { a: ops.tensor([1], [da]) } };
    },
  }),
});

/** Tokens minus the mean of the valid ones, which come first. */
const masked = template('mean of valid tokens', {
  input: () => [5 * 2],
  mistakes: {
    'divided by all in backward': mistake(['wrong_count', 'factor', 'factor_by_place', 'contribution_halved'], 'input'),
    'mean taken as constant': mistake(MISSING, 'input'),
    'also subtracted from padding': mistake(
      [...ORDER, 'mask_missing', 'contribution_missing', 'place_missing'],
      'input',
    ),
    'only valid ones counted': mistake([...MISSING, 'place_missing', 'mask_missing'], 'input'),
  },
  make: (_random, [n], fault) => ({
    parameters: () => normal({ g: [2] }),
    forward({ x, parameters: { g }, ops }) {
      const [T, D, valid] = [n / 2, 2, 3];
      const y = zeros(x.data.length);
      for (let s = 0; s < x.shape[0]; s++)
        for (let d = 0; d < D; d++) {
          let mean = 0;
          for (let t = 0; t < valid; t++) mean += x.data[s * n + t * D + d] / valid;
          for (let t = 0; t < T; t++)
            y[s * n + t * D + d] = Math.tanh(x.data[s * n + t * D + d]) - g.data[d] * Math.exp(mean);
        }
      return ops.tensor(x.shape, y);
    },
    backward({ x, dy, parameters: { g }, ops }) {
      const [T, D, valid] = [n / 2, 2, 3];
      const [dx, dg] = [zeros(x.data.length), zeros(D)];
      for (let s = 0; s < x.shape[0]; s++)
        for (let d = 0; d < D; d++) {
          let [mean, sum] = [0, 0];
          for (let t = 0; t < valid; t++) mean += x.data[s * n + t * D + d] / valid;
          for (let t = 0; t < (fault === 'only valid ones counted' ? valid : T); t++) sum += dy.data[s * n + t * D + d];
          let all = 0;
          for (let t = 0; t < T; t++) all += dy.data[s * n + t * D + d];
          dg[d] -= all * Math.exp(mean);
          for (let t = 0; t < T; t++) {
            const at = s * n + t * D + d;
            dx[at] = dy.data[at] * (1 - Math.tanh(x.data[at]) ** 2);
            if (t < valid || fault === 'also subtracted from padding')
              if (fault !== 'mean taken as constant')
                dx[at] -= (g.data[d] * Math.exp(mean) * sum) / (fault === 'divided by all in backward' ? T : valid);
          }
        }
      return { dx: ops.tensor(x.shape, dx), parameters: { g: ops.tensor(g.shape, dg) } };
    },
  }),
});

/** Distances of queries from the mean of the support set. */
const prototypes = template('prototypes', {
  input: () => [6 * 2],
  mistakes: {
    'support: divided by all': mistake(['wrong_count', 'factor', 'factor_by_place', 'contribution_halved'], 'input'),
    'support: constant': mistake([...MISSING, 'place_missing'], 'input'),
    'distance not halved': mistake(['factor', 'wrong_derivative', 'scale_missing'], 'input'),
  },
  make: (_random, [n], fault) => {
    const [S, Q, D] = [4, 2, 2];
    return {
      parameters: () => ({ t: { shape: [1], init: { type: 'constant', val: 0.6 } } }),
      outputShape: () => [Q],
      forward({ x, parameters: { t }, ops }) {
        const y = zeros(x.shape[0] * Q);
        for (let s = 0; s < x.shape[0]; s++) {
          const center = zeros(D);
          for (let k = 0; k < S; k++) for (let d = 0; d < D; d++) center[d] += x.data[s * n + k * D + d] / S;
          for (let q = 0; q < Q; q++) {
            let distance = 0;
            for (let d = 0; d < D; d++) distance += (x.data[s * n + (S + q) * D + d] - center[d]) ** 2;
            y[s * Q + q] = Math.exp(-t.data[0] * distance);
          }
        }
        return ops.tensor([x.shape[0], Q], y);
      },
      backward({ x, y, dy, parameters: { t }, ops }) {
        const dx = zeros(x.data.length);
        let dt = 0;
        for (let s = 0; s < x.shape[0]; s++) {
          const center = zeros(D);
          for (let k = 0; k < S; k++) for (let d = 0; d < D; d++) center[d] += x.data[s * n + k * D + d] / S;
          for (let q = 0; q < Q; q++) {
            const g = dy.data[s * Q + q] * y.data[s * Q + q];
            for (let d = 0; d < D; d++) {
              const difference = x.data[s * n + (S + q) * D + d] - center[d];
              dt -= g * difference ** 2;
              const by = -g * t.data[0] * (fault === 'distance not halved' ? 1 : 2) * difference;
              dx[s * n + (S + q) * D + d] += by;
              if (fault !== 'support: constant')
                for (let k = 0; k < S; k++)
                  dx[s * n + k * D + d] -= by / (fault === 'support: divided by all' ? S + Q : S);
            }
          }
        }
        return { dx: ops.tensor(x.shape, dx), parameters: { t: ops.tensor([1], [dt]) } };
      },
    };
  },
});

/** A matrix divided by its norm along a fixed direction, as spectral normalization estimates it. */
const spectral = template('spectral norm', {
  mistakes: {
    'norm taken as constant': mistake([...MISSING, 'term_wrong'], 'w'),
    'divided by the norm once': mistake(['factor', 'scale_missing', 'wrong_operand', 'wrong_derivative'], 'w'),
    'norm missing in dx': mistake(['factor', 'scale_missing'], 'input'),
    'direction not normalized': mistake(['factor', 'scale_missing', 'wrong_operand', 'not_normalized'], 'w'),
  },
  make: (_random, [n], fault) => {
    const M = 3;
    const direction = Float64Array.from({ length: M }, (_, i) => Math.cos(i + 0.3));
    const normOf = (w: Tensor): { sigma: number; u: Float64Array } => {
      const u = zeros(n);
      let squares = 0;
      for (let i = 0; i < n; i++) {
        for (let j = 0; j < M; j++) u[i] += w.data[i * M + j] * direction[j];
        squares += u[i] * u[i];
      }
      return { sigma: Math.sqrt(squares), u };
    };
    return {
      parameters: () => normal({ w: [n, M], b: [M] }),
      outputShape: () => [M],
      forward({ x, parameters: { w, b }, ops }) {
        const y = zeros(x.shape[0] * M);
        const { sigma: norm } = normOf(w);
        for (let s = 0; s < x.shape[0]; s++)
          for (let j = 0; j < M; j++) {
            let sum = 0;
            for (let i = 0; i < n; i++) sum += (x.data[s * n + i] * w.data[i * M + j]) / norm;
            y[s * M + j] = sum + b.data[j];
          }
        return ops.tensor([x.shape[0], M], y);
      },
      backward({ x, dy, parameters: { w, b }, ops }) {
        const { sigma: norm, u } = normOf(w);
        const [dx, dw, db] = [x, w, b].map(({ data }) => zeros(data.length));
        let inner = 0;
        for (let s = 0; s < x.shape[0]; s++)
          for (let j = 0; j < M; j++) {
            const g = dy.data[s * M + j];
            db[j] += g;
            for (let i = 0; i < n; i++) {
              dw[i * M + j] += (x.data[s * n + i] * g) / norm;
              inner += x.data[s * n + i] * g * w.data[i * M + j];
              dx[s * n + i] += fault === 'norm missing in dx' ? g * w.data[i * M + j] : (g * w.data[i * M + j]) / norm;
            }
          }
        if (fault !== 'norm taken as constant')
          for (let i = 0; i < n; i++)
            for (let j = 0; j < M; j++)
              dw[i * M + j] -=
                (inner / (fault === 'divided by the norm once' ? norm : norm * norm)) *
                (fault === 'direction not normalized' ? u[i] : u[i] / norm) *
                direction[j];
        return {
          dx: ops.tensor(x.shape, dx),
          parameters: { w: ops.tensor(w.shape, dw), b: ops.tensor(b.shape, db) },
        };
      },
    };
  },
});

/** The approximation of GELU with tanh. */
const gelu = template('GELU of a cubic', {
  isSingle: true,
  mistakes: {
    'inner derivative of the cubic missing': mistake(
      ['wrong_derivative', 'contribution_missing', 'scale_missing', 'derivative_missing', 'factor'],
      'input',
    ),
    'inner derivative without its 3': mistake(
      ['factor', 'wrong_derivative', 'scale_missing', 'contribution_missing'],
      'input',
    ),
    'first term missing': mistake(['contribution_missing'], 'input', 'a'),
    'second term missing': mistake(['contribution_missing'], 'input', 'a'),
    'derivative at the output': mistake(['wrong_place', 'wrong_operand', 'derivative_at_output'], 'input', 'a'),
  },
  make: (_random, _input, fault) => {
    const C = Math.sqrt(2 / Math.PI);
    return {
      parameters: ([n]) => normal({ a: [n] }, 0.4),
      forward({ x, parameters: { a }, ops }) {
        const n = a.data.length;
        const y = zeros(x.data.length);
        for (let i = 0; i < y.length; i++) {
          const v = x.data[i] + a.data[i % n];
          y[i] = 0.5 * v * (1 + Math.tanh(C * (v + 0.044715 * v * v * v)));
        }
        return ops.tensor(x.shape, y);
      },
      backward({ x, y, dy, parameters: { a }, ops }) {
        const n = a.data.length;
        const [dx, da] = [zeros(x.data.length), zeros(n)];
        for (let i = 0; i < dx.length; i++) {
          const v = x.data[i] + a.data[i % n];
          const t = Math.tanh(C * (v + 0.044715 * v * v * v));
          const cubic =
            fault === 'inner derivative of the cubic missing' ? 0 : fault === 'inner derivative without its 3' ? 1 : 3;
          const at = fault === 'derivative at the output' ? y.data[i] : t;
          const second = 0.5 * v * (1 - at * at) * C * (1 + cubic * 0.044715 * v * v);
          dx[i] =
            dy.data[i] *
            ((fault === 'first term missing' ? 0 : 0.5 * (1 + t)) + (fault === 'second term missing' ? 0 : second));
          da[i % n] += dx[i];
        }
        return { dx: ops.tensor(x.shape, dx), parameters: { a: ops.tensor(a.shape, da) } };
      },
    };
  },
});

/** tanh of a cubic with parameters, without further functions. */
const cubic = template('tanh of a cubic', {
  isSingle: true,
  mistakes: {
    'inner derivative missing': mistake(
      ['derivative_missing', 'scale_missing', 'factor', 'contribution_missing'],
      'input',
    ),
    'inner derivative without its square': mistake(['scale_missing', 'wrong_derivative', ...OPERAND], 'input'),
    'linear term missing': mistake(['contribution_missing'], 'input'),
    'argument instead of value': mistake(
      ['derivative_of_output_at_input', 'wrong_place', 'wrong_operand'],
      'input',
      'a',
      'b',
    ),
    'input instead of its cube in da': mistake([...OPERAND, 'scale_missing'], 'a'),
  },
  make: (_random, [n], fault) => ({
    parameters: () => normal({ a: [n], b: [n] }, 0.6),
    forward({ x, parameters: { a, b }, ops }) {
      const y = zeros(x.data.length);
      for (let i = 0; i < y.length; i++) y[i] = Math.tanh(a.data[i % n] * x.data[i] ** 3 + b.data[i % n] * x.data[i]);
      return ops.tensor(x.shape, y);
    },
    backward({ x, y, dy, parameters: { a, b }, ops }) {
      const [dx, da, db] = [x, a, b].map(({ data }) => zeros(data.length));
      for (let i = 0; i < dx.length; i++) {
        const [p, q, v] = [a.data[i % n], b.data[i % n], x.data[i]];
        const z = p * v ** 3 + q * v;
        const g = dy.data[i] * (1 - (fault === 'argument instead of value' ? z * z : y.data[i] ** 2));
        let inner = 3 * p * v * v + q;
        if (fault === 'inner derivative missing') inner = 1;
        if (fault === 'inner derivative without its square') inner = 3 * p * v + q;
        if (fault === 'linear term missing') inner = 3 * p * v * v;
        dx[i] = g * inner;
        da[i % n] += g * (fault === 'input instead of its cube in da' ? v : v ** 3);
        db[i % n] += g * v;
      }
      return {
        dx: ops.tensor(x.shape, dx),
        parameters: { a: ops.tensor(a.shape, da), b: ops.tensor(b.shape, db) },
      };
    },
  }),
});

/** x / (c + sum of squares), in plain arithmetic. */
const quotient = template('quotient', {
  mistakes: {
    'term of the denominator missing': mistake([...MISSING, 'diagonal_only'], 'input'),
    'denominator not squared': mistake(
      ['factor', 'scale_missing', 'wrong_operand', 'wrong_derivative', 'term_wrong'],
      'input',
      'c',
    ),
    'numerator term missing': mistake([...MISSING], 'input'),
    'sum instead of difference': mistake(['contribution_sign', 'term_sign'], 'input'),
    'two missing': mistake(['contribution_halved', 'factor', 'term_wrong'], 'input'),
  },
  make: (_random, [n], fault) => ({
    parameters: () => ({ c: { shape: [1], init: { type: 'constant', val: 1.3 } } }),
    forward({ x, parameters: { c }, ops }) {
      const y = zeros(x.data.length);
      for (let s = 0; s < x.shape[0]; s++) {
        let below = c.data[0];
        for (let i = 0; i < n; i++) below += x.data[s * n + i] ** 2;
        for (let i = 0; i < n; i++) y[s * n + i] = x.data[s * n + i] / below;
      }
      return ops.tensor(x.shape, y);
    },
    backward({ x, dy, parameters: { c }, ops }) {
      const dx = zeros(x.data.length);
      let dc = 0;
      for (let s = 0; s < x.shape[0]; s++) {
        let [below, inner] = [c.data[0], 0];
        for (let i = 0; i < n; i++) {
          below += x.data[s * n + i] ** 2;
          inner += dy.data[s * n + i] * x.data[s * n + i];
        }
        const squared = fault === 'denominator not squared' ? below : below * below;
        dc -= inner / squared;
        for (let i = 0; i < n; i++) {
          const at = s * n + i;
          const first = fault === 'numerator term missing' ? 0 : dy.data[at] / below;
          let second = (-(fault === 'two missing' ? 1 : 2) * x.data[at] * inner) / squared;
          if (fault === 'term of the denominator missing') second = 0;
          if (fault === 'sum instead of difference') second = -second;
          dx[at] = first + second;
        }
      }
      return { dx: ops.tensor(x.shape, dx), parameters: { c: ops.tensor([1], [dc]) } };
    },
  }),
});

/** Normalization across neighboring channels. */
const response = template('local response', {
  mistakes: {
    'term of the neighbors missing': mistake([...MISSING, 'diagonal_only'], 'input'),
    'exponent not lowered': mistake(
      ['wrong_derivative', 'scale_missing', 'wrong_place', 'wrong_operand', 'value_for_derivative'],
      'input',
    ),
    'factor of the exponent missing': mistake(
      ['factor', 'scale_missing', 'wrong_derivative', 'contribution_missing', 'term_wrong'],
      'input',
    ),
    'output for input': mistake([...OPERAND, 'scale_missing'], 'input'),
  },
  make: (_random, [n], fault) => {
    const [alpha, beta] = [0.7, 0.75];
    const normOf = (x: Tensor, s: number, i: number): number => {
      let sum = 1;
      for (let j = Math.max(0, i - 1); j <= Math.min(n - 1, i + 1); j++) sum += alpha * x.data[s * n + j] ** 2;
      return sum;
    };
    return {
      forward({ x, ops }) {
        const y = zeros(x.data.length);
        for (let s = 0; s < x.shape[0]; s++)
          for (let i = 0; i < n; i++) y[s * n + i] = x.data[s * n + i] * Math.pow(normOf(x, s, i), -beta);
        return ops.tensor(x.shape, y);
      },
      backward({ x, y, dy, ops }) {
        const dx = zeros(x.data.length);
        for (let s = 0; s < x.shape[0]; s++)
          for (let i = 0; i < n; i++) {
            const own = normOf(x, s, i);
            dx[s * n + i] += dy.data[s * n + i] * Math.pow(own, -beta);
            if (fault === 'term of the neighbors missing') continue;
            for (let j = Math.max(0, i - 1); j <= Math.min(n - 1, i + 1); j++)
              dx[s * n + j] -=
                dy.data[s * n + i] *
                (fault === 'output for input' ? y.data[s * n + i] : x.data[s * n + i]) *
                (fault === 'factor of the exponent missing' ? 1 : beta) *
                Math.pow(own, fault === 'exponent not lowered' ? -beta : -beta - 1) *
                2 *
                alpha *
                x.data[s * n + j];
          }
        return { dx: ops.tensor(x.shape, dx) };
      },
    };
  },
});

/** Two groups of channels, each normalized, with gains and shifts. */
const groups = template('group norm', {
  input: () => [8],
  mistakes: {
    'offset of the group missing in dgain': mistake(
      [...OPERAND, ...ORDER, 'place_missing', 'overwritten', 'share_missing', 'factor_by_place'],
      'gain',
    ),
    'gain of the first group in dx': mistake([...OPERAND, ...ORDER, 'overwritten'], 'input'),
    'divided by all channels': mistake(['wrong_count', 'factor', 'contribution_halved', 'term_wrong'], 'input'),
    'eps outside of the root': mistake(['wrong_place', 'wrong_operand', 'wrong_derivative'], 'input'),
    'mean term missing': mistake(MISSING, 'input'),
    'variance term missing': mistake(MISSING, 'input'),
    'input in place of the normalized one': mistake(['not_normalized', 'wrong_operand'], 'input', 'gain'),
    'unbiased in backward': mistake(['unbiased', 'wrong_count', 'wrong_place'], 'input'),
  },
  make: (_random, [n], fault) => {
    const G = 2;
    const L = n / G;
    const eps = 0.2;
    const statistics = (x: Tensor, s: number, g: number): { mean: number; root: number } => {
      let [mean, variance] = [0, 0];
      for (let i = 0; i < L; i++) mean += x.data[s * n + g * L + i] / L;
      for (let i = 0; i < L; i++) variance += (x.data[s * n + g * L + i] - mean) ** 2 / L;
      return { mean, root: Math.sqrt(variance + eps) };
    };
    return {
      parameters: () => normal({ gain: [n], shift: [n] }),
      forward({ x, parameters: { gain, shift }, ops }) {
        const y = zeros(x.data.length);
        for (let s = 0; s < x.shape[0]; s++)
          for (let g = 0; g < G; g++) {
            const { mean, root } = statistics(x, s, g);
            for (let i = 0; i < L; i++) {
              const c = g * L + i;
              y[s * n + c] = ((x.data[s * n + c] - mean) / root) * gain.data[c] + shift.data[c];
            }
          }
        return ops.tensor(x.shape, y);
      },
      backward({ x, dy, parameters: { gain, shift }, ops }) {
        const [dx, dgain, dshift] = [x, gain, shift].map(({ data }) => zeros(data.length));
        for (let s = 0; s < x.shape[0]; s++)
          for (let g = 0; g < G; g++) {
            const { mean, root: right } = statistics(x, s, g);
            let root = right;
            if (fault === 'eps outside of the root') root = Math.sqrt(right * right - eps) + eps;
            if (fault === 'unbiased in backward') root = Math.sqrt(((right * right - eps) * L) / (L - 1) + eps);
            let [sum, product] = [0, 0];
            const normalized = zeros(L);
            for (let i = 0; i < L; i++) {
              const c = g * L + i;
              normalized[i] = (x.data[s * n + c] - mean) / root;
              const shown =
                fault === 'input in place of the normalized one'
                  ? x.data[s * n + c]
                  : (x.data[s * n + c] - mean) / right;
              dgain[fault === 'offset of the group missing in dgain' ? i : c] += dy.data[s * n + c] * shown;
              dshift[c] += dy.data[s * n + c];
              const own = dy.data[s * n + c] * gain.data[fault === 'gain of the first group in dx' ? i : c];
              sum += own;
              product += own * normalized[i];
            }
            const count = fault === 'divided by all channels' ? n : L;
            for (let i = 0; i < L; i++) {
              const c = g * L + i;
              const own = dy.data[s * n + c] * gain.data[fault === 'gain of the first group in dx' ? i : c];
              dx[s * n + c] =
                (own -
                  (fault === 'mean term missing' ? 0 : sum / count) -
                  (fault === 'variance term missing' ? 0 : (normalized[i] * product) / count)) /
                root;
            }
          }
        return {
          dx: ops.tensor(x.shape, dx),
          parameters: { gain: ops.tensor(gain.shape, dgain), shift: ops.tensor(shift.shape, dshift) },
        };
      },
    };
  },
});

/** Gates and noise drawn in two calls. */
const draws = template('dropout and noise', {
  mistakes: {
    'draws in another order': mistake(
      ['not_repeatable', 'mask_missing', 'wrong_operand', 'wrong_turn', 'masked_by_gradient', 'permuted', 'swapped'],
      'input',
      'w',
    ),
    'new draws in backward': mistake(['not_repeatable', 'wrong_operand', 'mask_missing'], 'input', 'w'),
    'not scaled': mistake(['factor', 'scale_missing'], 'input', 'w'),
  },
  make: (_random, [n], fault) => ({
    random: true,
    parameters: () => normal({ w: [n] }),
    forward({ x, parameters: { w }, random, ops }) {
      const kept = random.uniform(x.shape).data;
      const noise = random.uniform(x.shape).data;
      const y = zeros(x.data.length);
      for (let i = 0; i < y.length; i++)
        y[i] = (kept[i] < 0.6 ? x.data[i] / 0.6 : 0) * w.data[i % n] * (1 + 0.5 * noise[i]);
      return ops.tensor(x.shape, y);
    },
    backward({ x, dy, parameters: { w }, random, ops }) {
      const first = random.uniform(x.shape).data;
      const second = random.uniform(x.shape).data;
      const third = random.uniform(x.shape).data;
      let [kept, noise] = [first, second];
      if (fault === 'draws in another order') [kept, noise] = [second, first];
      if (fault === 'new draws in backward') [kept, noise] = [first, third];
      const [dx, dw] = [zeros(x.data.length), zeros(n)];
      for (let i = 0; i < dx.length; i++) {
        const by = (kept[i] < 0.6 ? (fault === 'not scaled' ? 1 : 1 / 0.6) : 0) * (1 + 0.5 * noise[i]);
        dx[i] = dy.data[i] * w.data[i % n] * by;
        dw[i % n] += dy.data[i] * x.data[i] * by;
      }
      return { dx: ops.tensor(x.shape, dx), parameters: { w: ops.tensor(w.shape, dw) } };
    },
  }),
});

/** Numbers of a call that are kept for the next one. */
const cached = template('cache in a closure', {
  mistakes: {
    'input of the last call': mistake(['from_earlier_call'], 'w', 'input'),
    'bias accumulated': mistake(['accumulated'], 'b'),
    'weights accumulated in a kept array': mistake(['accumulated'], 'w'),
    'dx accumulated': mistake(['accumulated'], 'input'),
    'mask of the first call': mistake(['from_earlier_call', 'not_repeatable'], 'input', 'w', 'b'),
    'all accumulated, cleared every third call': mistake(['accumulated', 'not_repeatable'], 'w', 'b'),
  },
  make: (_random, [n], fault) => {
    let kept: Float64Array | null = null;
    let [sumW, sumB, sumX] = [zeros(n), zeros(n), zeros(0)];
    let values: Float64Array | null = null;
    let calls = 0;
    return {
      parameters: () => normal({ w: [n], b: [n] }),
      forward({ x, parameters: { w, b }, ops }) {
        const y = zeros(x.data.length);
        for (let i = 0; i < y.length; i++) y[i] = Math.tanh(x.data[i] * w.data[i % n] + b.data[i % n]);
        return ops.tensor(x.shape, y);
      },
      backward({ x, y, dy, parameters: { w, b }, ops }) {
        if (fault !== 'weights accumulated in a kept array' && fault !== 'all accumulated, cleared every third call')
          sumW = zeros(n);
        if (fault !== 'bias accumulated' && fault !== 'all accumulated, cleared every third call') sumB = zeros(n);
        if (fault !== 'dx accumulated' || sumX.length !== x.data.length) sumX = zeros(x.data.length);
        if (fault === 'all accumulated, cleared every third call' && calls++ % 3 === 0)
          [sumW, sumB] = [zeros(n), zeros(n)];
        const input = Float64Array.from(x.data);
        const used = fault === 'input of the last call' && values?.length === input.length ? values : input;
        values = input;
        const slopes = y.data.map((v) => 1 - v * v);
        if (kept?.length !== slopes.length) kept = Float64Array.from(slopes);
        for (let i = 0; i < sumX.length; i++) {
          const g = dy.data[i] * (fault === 'mask of the first call' ? kept[i] : slopes[i]);
          sumX[i] += g * w.data[i % n];
          sumW[i % n] += g * used[i];
          sumB[i % n] += g;
        }
        return {
          dx: ops.tensor(x.shape, sumX.slice()),
          parameters: { w: ops.tensor(w.shape, sumW.slice()), b: ops.tensor(b.shape, sumB.slice()) },
        };
      },
    };
  },
});

/** One kernel at two distances, summed. */
const twoHoles = template('one kernel, two distances', {
  input: () => [9],
  mistakes: {
    'second use missing in dk': mistake([...MISSING, 'one_use', 'not_normalized'], 'k'),
    'first distance for both in dx': mistake(['stride_wrong', ...ORDER, ...OPERAND, 'contribution_missing'], 'input'),
    'first distance for both in dk': mistake(
      ['stride_wrong', ...ORDER, ...OPERAND, 'contribution_twice', 'contribution_missing'],
      'k',
    ),
    'second use turned in dx': mistake(['mirrored', 'permuted'], 'input'),
  },
  make: (_random, [n], fault) => ({
    parameters: () => normal({ k: [3], m: [2] }),
    forward({ x, parameters: { k, m }, ops }) {
      const y = zeros(x.data.length);
      for (let s = 0; s < x.shape[0]; s++)
        for (let t = 0; t < n; t++) {
          let sum = 0;
          for (let u = 0; u < 2; u++)
            for (let j = 0; j < 3; j++) {
              const from = t + (j - 1) * (1 + u);
              if (from >= 0 && from < n) sum += m.data[u] * k.data[j] * x.data[s * n + from];
            }
          y[s * n + t] = sum;
        }
      return ops.tensor(x.shape, y);
    },
    backward({ x, dy, parameters: { k, m }, ops }) {
      const [dx, dk, dm] = [x, k, m].map(({ data }) => zeros(data.length));
      for (let s = 0; s < x.shape[0]; s++)
        for (let t = 0; t < n; t++)
          for (let u = 0; u < 2; u++)
            for (let j = 0; j < 3; j++) {
              const g = dy.data[s * n + t];
              const from = t + (j - 1) * (1 + u);
              const forX = fault === 'first distance for both in dx' ? t + j - 1 : from;
              const forK = fault === 'first distance for both in dk' ? t + j - 1 : from;
              const tap = fault === 'second use turned in dx' && u === 1 ? 2 - j : j;
              if (forX >= 0 && forX < n) dx[s * n + forX] += g * m.data[u] * k.data[tap];
              if (forK >= 0 && forK < n && !(fault === 'second use missing in dk' && u === 1))
                dk[j] += g * m.data[u] * x.data[s * n + forK];
              if (from >= 0 && from < n) dm[u] += g * k.data[j] * x.data[s * n + from];
            }
      return {
        dx: ops.tensor(x.shape, dx),
        parameters: { k: ops.tensor(k.shape, dk), m: ops.tensor(m.shape, dm) },
      };
    },
  }),
});

/** A convolution that makes its input longer. */
const transposed = template('transposed convolution', {
  input: () => [2 * 4],
  mistakes: {
    'stride missing in dx': mistake(['stride_wrong', ...ORDER], 'input'),
    'stride missing in dk': mistake(['stride_wrong', ...ORDER, ...OPERAND], 'k'),
    'kernel turned in dx': mistake(['mirrored', 'permuted'], 'input'),
    'channels: always the first': mistake([...OPERAND, ...ORDER, 'channel_missing'], 'input'),
  },
  make: (_random, [n], fault) => {
    const [C, K, S] = [2, 3, 2];
    const T = n / C;
    const long = (T - 1) * S + K;
    return {
      parameters: () => normal({ k: [C, K] }),
      outputShape: () => [long],
      forward({ x, parameters: { k }, ops }) {
        const y = zeros(x.shape[0] * long);
        for (let s = 0; s < x.shape[0]; s++)
          for (let c = 0; c < C; c++)
            for (let t = 0; t < T; t++)
              for (let j = 0; j < K; j++) y[s * long + t * S + j] += x.data[s * n + c * T + t] * k.data[c * K + j];
        return ops.tensor([x.shape[0], long], y);
      },
      backward({ x, dy, parameters: { k }, ops }) {
        const [dx, dk] = [zeros(x.data.length), zeros(k.data.length)];
        for (let s = 0; s < x.shape[0]; s++)
          for (let c = 0; c < C; c++)
            for (let t = 0; t < T; t++)
              for (let j = 0; j < K; j++) {
                const g = dy.data[s * long + t * (fault === 'stride missing in dx' ? 1 : S) + j];
                const forK = dy.data[s * long + t * (fault === 'stride missing in dk' ? 1 : S) + j];
                const channel = fault === 'channels: always the first' ? 0 : c;
                dx[s * n + c * T + t] += g * k.data[channel * K + (fault === 'kernel turned in dx' ? K - 1 - j : j)];
                dk[c * K + j] += forK * x.data[s * n + c * T + t];
              }
        return { dx: ops.tensor(x.shape, dx), parameters: { k: ops.tensor(k.shape, dk) } };
      },
    };
  },
});

/** A moving average with a learned rate, in one local number. */
const average = template('moving average', {
  mistakes: {
    'runs forward': mistake(['not_transposed', ...ORDER, ...MISSING], 'input', 'a'),
    'new value in da': mistake(OPERAND, 'a'),
    'rate not 1 minus': mistake([...OPERAND, 'scale_missing', 'factor'], 'input', 'a'),
    'not carried': mistake([...MISSING, 'diagonal_only'], 'input', 'a'),
  },
  make: (_random, [n], fault) => ({
    parameters: () => ({ a: { shape: [1], init: { type: 'constant', val: 0.7 } } }),
    forward({ x, parameters: { a }, ops }) {
      const y = zeros(x.data.length);
      const rate = sigma(a.data[0]);
      for (let s = 0; s < x.shape[0]; s++) {
        let m = 0;
        for (let t = 0; t < n; t++) {
          m = rate * m + (1 - rate) * x.data[s * n + t];
          y[s * n + t] = m;
        }
      }
      return ops.tensor(x.shape, y);
    },
    backward({ x, y, dy, parameters: { a }, ops }) {
      const dx = zeros(x.data.length);
      const rate = sigma(a.data[0]);
      let dr = 0;
      for (let s = 0; s < x.shape[0]; s++) {
        let carried = 0;
        for (let step = 0; step < n; step++) {
          const t = fault === 'runs forward' ? step : n - 1 - step;
          const g = dy.data[s * n + t] + (fault === 'not carried' ? 0 : carried);
          dx[s * n + t] = g * (fault === 'rate not 1 minus' ? rate : 1 - rate);
          const before = fault === 'new value in da' ? y.data[s * n + t] : t > 0 ? y.data[s * n + t - 1] : 0;
          dr += g * (before - x.data[s * n + t]);
          carried = g * rate;
        }
      }
      return { dx: ops.tensor(x.shape, dx), parameters: { a: ops.tensor([1], [dr * rate * (1 - rate)]) } };
    },
  }),
});

/** Distances from centers. */
const radial = template('radial basis', {
  mistakes: {
    'distance not squared in dgamma': mistake(
      [...OPERAND, 'wrong_derivative', 'scale_missing', 'derivative_missing'],
      'gamma',
    ),
    'centers: sign': mistake(['sign'], 'c'),
    'gamma missing in dx': mistake(['scale_missing', 'factor', 'factor_by_place'], 'input'),
    'exponential missing': mistake(['derivative_missing'], 'input', 'c', 'gamma'),
    'center of the next unit in dx': mistake([...OPERAND, ...ORDER], 'input'),
  },
  make: (_random, [n], fault) => {
    const M = 3;
    return {
      parameters: () => ({
        c: { shape: [M, n], init: { type: 'normal', std: 0.6 } },
        gamma: { shape: [M], init: { type: 'uniform', a: 0.2, b: 0.6 } },
      }),
      outputShape: () => [M],
      forward({ x, parameters: { c, gamma }, ops }) {
        const y = zeros(x.shape[0] * M);
        for (let s = 0; s < x.shape[0]; s++)
          for (let m = 0; m < M; m++) {
            let distance = 0;
            for (let i = 0; i < n; i++) distance += (x.data[s * n + i] - c.data[m * n + i]) ** 2;
            y[s * M + m] = Math.exp(-gamma.data[m] * distance);
          }
        return ops.tensor([x.shape[0], M], y);
      },
      backward({ x, y, dy, parameters: { c, gamma }, ops }) {
        const [dx, dc, dgamma] = [x, c, gamma].map(({ data }) => zeros(data.length));
        for (let s = 0; s < x.shape[0]; s++)
          for (let m = 0; m < M; m++) {
            const g = dy.data[s * M + m] * (fault === 'exponential missing' ? 1 : y.data[s * M + m]);
            let distance = 0;
            for (let i = 0; i < n; i++) {
              const difference = x.data[s * n + i] - c.data[m * n + i];
              const other = x.data[s * n + i] - c.data[((m + 1) % M) * n + i];
              distance += difference ** 2;
              dx[s * n + i] -=
                2 *
                g *
                (fault === 'gamma missing in dx' ? 1 : gamma.data[m]) *
                (fault === 'center of the next unit in dx' ? other : difference);
              dc[m * n + i] += (fault === 'centers: sign' ? -2 : 2) * g * gamma.data[m] * difference;
            }
            dgamma[m] -= g * (fault === 'distance not squared in dgamma' ? Math.sqrt(distance) : distance);
          }
        return {
          dx: ops.tensor(x.shape, dx),
          parameters: { c: ops.tensor(c.shape, dc), gamma: ops.tensor(gamma.shape, dgamma) },
        };
      },
    };
  },
});

/** Channels times a gate made from their means. */
const excite = template('squeeze and excite', {
  input: () => [3 * 3],
  mistakes: {
    'path through the gate missing': mistake(MISSING, 'input'),
    'not divided by the places': mistake(['wrong_count', 'factor', 'term_wrong', 'contribution_twice'], 'input'),
    'gate of the next channel': mistake([...OPERAND, ...ORDER], 'input'),
    'sum of the input missing in the gate': mistake(
      [...OPERAND, 'scale_missing', 'derivative_missing', 'one_sample', 'share_missing'],
      'w',
      'input',
    ),
  },
  make: (_random, [n], fault) => {
    const C = 3;
    const T = n / C;
    return {
      parameters: () => normal({ w: [C, C], b: [C] }),
      forward({ x, parameters: { w, b }, ops }) {
        const y = zeros(x.data.length);
        for (let s = 0; s < x.shape[0]; s++) {
          const means = zeros(C);
          for (let c = 0; c < C; c++) for (let t = 0; t < T; t++) means[c] += x.data[s * n + c * T + t] / T;
          for (let c = 0; c < C; c++) {
            let z = b.data[c];
            for (let j = 0; j < C; j++) z += means[j] * w.data[j * C + c];
            const gate = 1 / (1 + Math.exp(-z));
            for (let t = 0; t < T; t++) y[s * n + c * T + t] = x.data[s * n + c * T + t] * gate;
          }
        }
        return ops.tensor(x.shape, y);
      },
      backward({ x, dy, parameters: { w, b }, ops }) {
        const [dx, dw, db] = [x, w, b].map(({ data }) => zeros(data.length));
        for (let s = 0; s < x.shape[0]; s++) {
          const means = zeros(C);
          for (let c = 0; c < C; c++) for (let t = 0; t < T; t++) means[c] += x.data[s * n + c * T + t] / T;
          const gates = zeros(C);
          for (let c = 0; c < C; c++) {
            let z = b.data[c];
            for (let j = 0; j < C; j++) z += means[j] * w.data[j * C + c];
            gates[c] = 1 / (1 + Math.exp(-z));
          }
          const dm = zeros(C);
          for (let c = 0; c < C; c++) {
            let sum = 0;
            for (let t = 0; t < T; t++) {
              const at = s * n + c * T + t;
              sum += dy.data[at] * (fault === 'sum of the input missing in the gate' ? 1 : x.data[at]);
              dx[at] += dy.data[at] * gates[fault === 'gate of the next channel' ? (c + 1) % C : c];
            }
            const dz = sum * gates[c] * (1 - gates[c]);
            db[c] += dz;
            for (let j = 0; j < C; j++) {
              dw[j * C + c] += means[j] * dz;
              dm[j] += w.data[j * C + c] * dz;
            }
          }
          if (fault !== 'path through the gate missing')
            for (let c = 0; c < C; c++)
              for (let t = 0; t < T; t++)
                dx[s * n + c * T + t] += fault === 'not divided by the places' ? dm[c] : dm[c] / T;
        }
        return {
          dx: ops.tensor(x.shape, dx),
          parameters: { w: ops.tensor(w.shape, dw), b: ops.tensor(b.shape, db) },
        };
      },
    };
  },
});

/** Similarity of the input with the rows of a matrix. */
const cosine = template('cosine similarity', {
  mistakes: {
    'norm of the input constant': mistake(MISSING, 'input'),
    'norm of the rows constant': mistake(MISSING, 'w'),
    'projection on the row': mistake([...OPERAND, 'term_wrong'], 'input'),
    'norm of the rows missing in dx': mistake(
      ['scale_missing', 'factor', 'factor_by_place', 'not_normalized'],
      'input',
    ),
  },
  make: (_random, [n], fault) => {
    const M = 3;
    return {
      parameters: () => normal({ w: [M, n] }),
      outputShape: () => [M],
      forward({ x, parameters: { w }, ops }) {
        const y = zeros(x.shape[0] * M);
        for (let s = 0; s < x.shape[0]; s++) {
          let own = 0;
          for (let i = 0; i < n; i++) own += x.data[s * n + i] ** 2;
          for (let m = 0; m < M; m++) {
            let [dot, other] = [0, 0];
            for (let i = 0; i < n; i++) {
              dot += x.data[s * n + i] * w.data[m * n + i];
              other += w.data[m * n + i] ** 2;
            }
            y[s * M + m] = dot / (Math.sqrt(own) * Math.sqrt(other));
          }
        }
        return ops.tensor([x.shape[0], M], y);
      },
      backward({ x, y, dy, parameters: { w }, ops }) {
        const [dx, dw] = [zeros(x.data.length), zeros(w.data.length)];
        for (let s = 0; s < x.shape[0]; s++) {
          let own = 0;
          for (let i = 0; i < n; i++) own += x.data[s * n + i] ** 2;
          for (let m = 0; m < M; m++) {
            let other = 0;
            for (let i = 0; i < n; i++) other += w.data[m * n + i] ** 2;
            const [a, b, c, g] = [Math.sqrt(own), Math.sqrt(other), y.data[s * M + m], dy.data[s * M + m]];
            for (let i = 0; i < n; i++) {
              const [u, v] = [x.data[s * n + i], w.data[m * n + i]];
              const part =
                fault === 'norm of the input constant'
                  ? 0
                  : (c * (fault === 'projection on the row' ? v : u)) / (a * a);
              dx[s * n + i] += g * (v / (a * (fault === 'norm of the rows missing in dx' ? 1 : b)) - part);
              dw[m * n + i] += g * (u / (a * b) - (fault === 'norm of the rows constant' ? 0 : (c * v) / (b * b)));
            }
          }
        }
        return { dx: ops.tensor(x.shape, dx), parameters: { w: ops.tensor(w.shape, dw) } };
      },
    };
  },
});

/** Pairs of numbers turned by an angle of their position. */
const rotary = template('rotary positions', {
  input: () => [4 * 4],
  mistakes: {
    'turned the same way back': mistake(['not_transposed', 'contribution_sign', 'sign', 'part_sign'], 'input'),
    'position one off': mistake([...ORDER, ...OPERAND], 'input'),
    'halves instead of pairs': mistake([...ORDER, 'not_transposed', ...OPERAND], 'input'),
    'sine missing': mistake(['contribution_missing', 'diagonal_only'], 'input'),
  },
  make: (_random, [n], fault) => {
    const [T, D] = [4, 4];
    const angle = (t: number, k: number): number => (t + 1) / (1 + 2 * k);
    return {
      forward({ x, ops }) {
        const y = zeros(x.data.length);
        for (let s = 0; s < x.shape[0]; s++)
          for (let t = 0; t < T; t++)
            for (let k = 0; k < D / 2; k++) {
              const [a, b] = [s * n + t * D + 2 * k, s * n + t * D + 2 * k + 1];
              const [c, z] = [Math.cos(angle(t, k)), Math.sin(angle(t, k))];
              y[a] = c * x.data[a] - z * x.data[b];
              y[b] = z * x.data[a] + c * x.data[b];
            }
        return ops.tensor(x.shape, y);
      },
      backward({ x, dy, ops }) {
        const dx = zeros(x.data.length);
        for (let s = 0; s < x.shape[0]; s++)
          for (let t = 0; t < T; t++)
            for (let k = 0; k < D / 2; k++) {
              let [a, b] = [s * n + t * D + 2 * k, s * n + t * D + 2 * k + 1];
              if (fault === 'halves instead of pairs') [a, b] = [s * n + t * D + k, s * n + t * D + k + D / 2];
              const at = angle(fault === 'position one off' ? t + 1 : t, k);
              const c = Math.cos(at);
              let z = Math.sin(at);
              if (fault === 'turned the same way back') z = -z;
              if (fault === 'sine missing') z = 0;
              dx[a] = c * dy.data[a] + z * dy.data[b];
              dx[b] = -z * dy.data[a] + c * dy.data[b];
            }
        return { dx: ops.tensor(x.shape, dx) };
      },
    };
  },
});

/** Rows of a table at fixed places, some of them twice. */
const lookup = template('repeated rows', {
  input: () => [4],
  mistakes: {
    'counted once': mistake(['overwritten', 'contribution_missing', 'share_missing', 'place_missing'], 'table'),
    'rows of the output mixed': mistake([...ORDER, ...OPERAND], 'table'),
  },
  make: (_random, [n], fault) => {
    const rows = [2, 0, 2, 1];
    const D = 2;
    return {
      parameters: () => normal({ table: [3, D] }),
      outputShape: () => [n * D],
      forward({ x, parameters: { table }, ops }) {
        const y = zeros(x.shape[0] * n * D);
        for (let s = 0; s < x.shape[0]; s++)
          for (let i = 0; i < n; i++)
            for (let d = 0; d < D; d++) y[(s * n + i) * D + d] = x.data[s * n + i] * table.data[rows[i] * D + d];
        return ops.tensor([x.shape[0], n * D], y);
      },
      backward({ x, dy, parameters: { table }, ops }) {
        const [dx, dt] = [zeros(x.data.length), zeros(table.data.length)];
        for (let s = 0; s < x.shape[0]; s++) {
          const own = zeros(dt.length);
          for (let i = 0; i < n; i++)
            for (let d = 0; d < D; d++) {
              const g = dy.data[(s * n + i) * D + d];
              dx[s * n + i] += g * table.data[rows[i] * D + d];
              const row = fault === 'rows of the output mixed' ? rows[(i + 1) % n] : rows[i];
              if (fault === 'counted once') own[row * D + d] = g * x.data[s * n + i];
              else own[row * D + d] += g * x.data[s * n + i];
            }
          for (let k = 0; k < dt.length; k++) dt[k] += own[k];
        }
        return { dx: ops.tensor(x.shape, dx), parameters: { table: ops.tensor(table.shape, dt) } };
      },
    };
  },
});

/** Linear attention: a state of outer products. */
const linearAttention = template('linear attention, state', {
  input: () => [4 * 2],
  mistakes: {
    'state not kept backward': mistake(MISSING, 'wk', 'wv', 'input'),
    'runs forward': mistake([...ORDER, ...MISSING, 'not_transposed'], 'wk', 'wv', 'input'),
    'values and keys swapped': mistake(['swapped', ...OPERAND, 'not_transposed'], 'wk', 'wv', 'input'),
    'state before instead of after in dq': mistake([...OPERAND, ...ORDER, 'contribution_missing'], 'input', 'wq'),
  },
  make: (_random, [n], fault) => {
    const [T, D] = [n / 2, 2];
    const project = (x: Tensor, s: number, t: number, w: Tensor): number[] =>
      Array.from(
        { length: D },
        (_, e) => x.data[s * n + t * D] * w.data[e] + x.data[s * n + t * D + 1] * w.data[D + e],
      );
    return {
      parameters: () => normal({ wq: [D, D], wk: [D, D], wv: [D, D] }),
      forward({ x, parameters: { wq, wk, wv }, ops }) {
        const y = zeros(x.data.length);
        for (let s = 0; s < x.shape[0]; s++) {
          const state = zeros(D * D);
          for (let t = 0; t < T; t++) {
            const [q, k, v] = [wq, wk, wv].map((w) => project(x, s, t, w));
            for (let a = 0; a < D; a++) for (let b = 0; b < D; b++) state[a * D + b] += Math.exp(0.3 * k[a]) * v[b];
            for (let b = 0; b < D; b++) for (let a = 0; a < D; a++) y[s * n + t * D + b] += q[a] * state[a * D + b];
          }
        }
        return ops.tensor(x.shape, y);
      },
      backward({ x, dy, parameters: { wq, wk, wv }, ops }) {
        const [dx, dwq, dwk, dwv] = [x, wq, wk, wv].map(({ data }) => zeros(data.length));
        for (let s = 0; s < x.shape[0]; s++) {
          const states: Float64Array[] = [];
          let state = zeros(D * D);
          for (let t = 0; t < T; t++) {
            const [, k, v] = [wq, wk, wv].map((w) => project(x, s, t, w));
            if (fault === 'state before instead of after in dq') states.push(state.slice());
            state = state.map((value, at) => value + Math.exp(0.3 * k[Math.floor(at / D)]) * v[at % D]);
            if (fault !== 'state before instead of after in dq') states.push(state.slice());
          }
          const ds = zeros(D * D);
          for (let step = 0; step < T; step++) {
            const t = fault === 'runs forward' ? step : T - 1 - step;
            const [q, k, v] = [wq, wk, wv].map((w) => project(x, s, t, w));
            const [dq, dk, dv] = [zeros(D), zeros(D), zeros(D)];
            if (fault === 'state not kept backward') ds.fill(0);
            for (let a = 0; a < D; a++)
              for (let b = 0; b < D; b++) {
                const g = dy.data[s * n + t * D + b];
                dq[a] += g * states[t][a * D + b];
                ds[a * D + b] += g * q[a];
              }
            for (let a = 0; a < D; a++)
              for (let b = 0; b < D; b++) {
                const d = fault === 'values and keys swapped' ? ds[b * D + a] : ds[a * D + b];
                dk[a] += d * v[b] * 0.3 * Math.exp(0.3 * k[a]);
                dv[b] += d * Math.exp(0.3 * k[a]);
              }
            for (let j = 0; j < D; j++)
              for (let e = 0; e < D; e++) {
                const u = x.data[s * n + t * D + j];
                dwq[j * D + e] += u * dq[e];
                dwk[j * D + e] += u * dk[e];
                dwv[j * D + e] += u * dv[e];
                dx[s * n + t * D + j] +=
                  wq.data[j * D + e] * dq[e] + wk.data[j * D + e] * dk[e] + wv.data[j * D + e] * dv[e];
              }
          }
        }
        return {
          dx: ops.tensor(x.shape, dx),
          parameters: { wq: ops.tensor(wq.shape, dwq), wk: ops.tensor(wk.shape, dwk), wv: ops.tensor(wv.shape, dwv) },
        };
      },
    };
  },
});

// Forward passes of `ops`.

const sumTo = (ops: Ops, t: Tensor, axis: number, keep = false): Tensor => ops.sum(t, axis, keep);

const opsEntropy = template('ops: log-probabilities', {
  mistakes: {
    'log-probabilities for probabilities': mistake([...OPERAND, 'value_for_derivative'], 'input', 'w'),
    'sum over the wrong axis': mistake(['axes_wrong', 'wrong_sum'], 'input', 'w'),
    'sum of the gradient missing': mistake(['contribution_missing', 'derivative_missing'], 'input', 'w'),
    'mean for sum': mistake(['wrong_count', 'factor', 'term_wrong'], 'input', 'w'),
  },
  make: (_random, [n], fault) => ({
    parameters: () => normal({ w: [n, n] }),
    forward: ({ x, parameters: { w }, ops }) => ops.multiply(ops.logSoftmax(ops.matmul(x, w)), 0.5),
    backward({ x, dy, parameters: { w }, ops }) {
      const z = ops.matmul(x, w);
      const g = ops.multiply(dy, 0.5);
      const p = fault === 'log-probabilities for probabilities' ? ops.logSoftmax(z) : ops.softmax(z);
      let total = sumTo(ops, g, fault === 'sum over the wrong axis' ? 0 : 1, true);
      if (fault === 'mean for sum') total = ops.divide(total, n);
      const dz = fault === 'sum of the gradient missing' ? g : ops.subtract(g, ops.multiply(p, total));
      return { dx: ops.matmul(dz, ops.transpose(w)), parameters: { w: ops.matmul(ops.transpose(x), dz) } };
    },
  }),
});

const opsGelu = template('ops: x times sigmoid of a cubic', {
  isSingle: true,
  mistakes: {
    'inner derivative missing': mistake(['derivative_missing', 'scale_missing', 'contribution_missing'], 'input'),
    'first term missing': mistake(['contribution_missing'], 'input'),
    'second term missing': mistake(['contribution_missing'], 'input'),
    'cubic without its 3': mistake(['factor', 'scale_missing', 'contribution_missing', 'term_wrong'], 'input'),
    'output in place of the sigmoid': mistake(OPERAND, 'input', 'a'),
  },
  make: (_random, [n], fault) => ({
    parameters: () => normal({ a: [n] }, 0.5),
    forward({ x, parameters: { a }, ops }) {
      const z = ops.add(x, ops.multiply(a, ops.multiply(x, ops.multiply(x, x))));
      return ops.multiply(x, ops.sigmoid(z));
    },
    backward({ x, y, dy, parameters: { a }, ops }) {
      const square = ops.multiply(x, x);
      const s = ops.sigmoid(ops.add(x, ops.multiply(a, ops.multiply(x, square))));
      const at = fault === 'output in place of the sigmoid' ? y : s;
      const slope = ops.multiply(at, ops.subtract(1, at));
      const inner = ops.add(1, ops.multiply(ops.multiply(a, square), fault === 'cubic without its 3' ? 1 : 3));
      const dz = ops.multiply(ops.multiply(dy, x), slope);
      const second = fault === 'inner derivative missing' ? dz : ops.multiply(dz, inner);
      let dx = ops.add(ops.multiply(dy, s), second);
      if (fault === 'first term missing') dx = second;
      if (fault === 'second term missing') dx = ops.multiply(dy, s);
      return { dx, parameters: { a: ops.sum(ops.multiply(dz, ops.multiply(x, square)), 0) } };
    },
  }),
});

const opsNorm = template('ops: normalization with eps', {
  mistakes: {
    'eps outside of the root': mistake(['wrong_place', 'wrong_operand', 'wrong_derivative'], 'input', 'gain'),
    'mean along the batch': mistake(['axes_wrong', 'wrong_sum'], 'input'),
    'statistics constant': mistake(MISSING, 'input'),
    'mean term missing': mistake(MISSING, 'input'),
    'variance term missing': mistake(MISSING, 'input'),
    'not normalized in dgain': mistake(['not_normalized', 'wrong_operand'], 'gain'),
    unbiased: mistake(['unbiased', 'wrong_count', 'wrong_place'], 'input', 'gain'),
    'gain missing': mistake(['scale_missing'], 'input'),
  },
  make: (_random, [n], fault) => ({
    parameters: () => normal({ gain: [n], shift: [n] }),
    forward({ x, parameters: { gain, shift }, ops }) {
      const centered = ops.subtract(x, ops.mean(x, 1, true));
      const root = ops.sqrt(ops.add(ops.mean(ops.multiply(centered, centered), 1, true), 0.1));
      return ops.add(ops.multiply(ops.divide(centered, root), gain), shift);
    },
    backward({ x, dy, parameters: { gain }, ops }) {
      const centered = ops.subtract(x, ops.mean(x, 1, true));
      const variance = ops.mean(ops.multiply(centered, centered), 1, true);
      let root = ops.sqrt(ops.add(variance, 0.1));
      if (fault === 'eps outside of the root') root = ops.add(ops.sqrt(variance), 0.1);
      if (fault === 'unbiased') root = ops.sqrt(ops.add(ops.multiply(variance, n / (n - 1)), 0.1));
      const normalized = ops.divide(centered, root);
      const g = fault === 'gain missing' ? dy : ops.multiply(dy, gain);
      const axis = fault === 'mean along the batch' ? 0 : 1;
      let total = g;
      if (fault !== 'mean term missing' && fault !== 'statistics constant')
        total = ops.subtract(total, ops.mean(g, axis, true));
      if (fault !== 'variance term missing' && fault !== 'statistics constant')
        total = ops.subtract(total, ops.multiply(normalized, ops.mean(ops.multiply(g, normalized), axis, true)));
      return {
        dx: ops.divide(total, root),
        parameters: {
          gain: ops.sum(ops.multiply(dy, fault === 'not normalized in dgain' ? x : normalized), 0),
          shift: ops.sum(dy, 0),
        },
      };
    },
  }),
});

const opsHighway = template('ops: highway', {
  mistakes: {
    'gates swapped': mistake([...OPERAND, 'swapped'], 'wh', 'input', 'wt'),
    'carry path missing': mistake(MISSING, 'input'),
    'gate sees only the transformed': mistake([...MISSING, ...OPERAND], 'wt', 'input'),
    'difference turned around': mistake(['sign', 'contribution_sign'], 'wt', 'input'),
    'derivative from the argument': mistake(
      ['derivative_of_output_at_input', 'wrong_place', 'wrong_operand'],
      'wh',
      'input',
    ),
  },
  make: (_random, [n], fault) => ({
    parameters: () => normal({ wt: [n, n], wh: [n, n], b: [n] }, 0.5),
    forward({ x, parameters: { wt, wh, b }, ops }) {
      const t = ops.sigmoid(ops.add(ops.matmul(x, wt), b));
      const h = ops.tanh(ops.matmul(x, wh));
      return ops.add(ops.multiply(t, h), ops.multiply(ops.subtract(1, t), x));
    },
    backward({ x, dy, parameters: { wt, wh, b }, ops }) {
      const t = ops.sigmoid(ops.add(ops.matmul(x, wt), b));
      const z = ops.matmul(x, wh);
      const h = ops.tanh(z);
      const carry = ops.subtract(1, t);
      const dh = ops.multiply(dy, fault === 'gates swapped' ? carry : t);
      const at = fault === 'derivative from the argument' ? z : h;
      const da = ops.multiply(dh, ops.subtract(1, ops.multiply(at, at)));
      let by = ops.subtract(h, x);
      if (fault === 'gate sees only the transformed') by = h;
      if (fault === 'difference turned around') by = ops.subtract(x, h);
      const dt = ops.multiply(ops.multiply(dy, by), ops.multiply(t, carry));
      let dx = ops.add(ops.matmul(da, ops.transpose(wh)), ops.matmul(dt, ops.transpose(wt)));
      if (fault !== 'carry path missing') dx = ops.add(dx, ops.multiply(dy, fault === 'gates swapped' ? t : carry));
      const xt = ops.transpose(x);
      return { dx, parameters: { wt: ops.matmul(xt, dt), wh: ops.matmul(xt, da), b: ops.sum(dt, 0) } };
    },
  }),
});

const opsAttention = template('ops: attention with heads', {
  input: () => [3 * 4],
  mistakes: {
    'heads not moved back': mistake(
      [...ORDER, 'not_transposed', 'transposed', 'axes_wrong', ...OPERAND],
      'input',
      'wv',
      'wq',
      'wk',
    ),
    'heads in reverse order in dv': mistake([...ORDER, ...OPERAND], 'input', 'wv'),
    'scores not transposed in dk': mistake(['not_transposed', 'transposed'], 'input', 'wk'),
    'softmax term missing': mistake(['contribution_missing', 'diagonal_only'], 'input', 'wq', 'wk'),
    'probabilities from log': mistake(OPERAND, 'input', 'wq', 'wk', 'wv'),
    'keys in place of values': mistake(OPERAND, 'input', 'wq', 'wk'),
    'scale missing': mistake(['factor', 'scale_missing'], 'input', 'wq', 'wk'),
    'sum over queries': mistake(['axes_wrong'], 'input', 'wq', 'wk'),
  },
  make: (_random, _input, fault) => {
    const [T, D, M] = [3, 4, 2];
    const E = D / M;
    const split = (ops: Ops, t: Tensor): Tensor => ops.transpose(ops.reshape(t, [t.shape[0], T, M, E]), [0, 2, 1, 3]);
    const join = (ops: Ops, t: Tensor): Tensor => ops.reshape(ops.transpose(t, [0, 2, 1, 3]), [t.shape[0], T, D]);
    const turn = (ops: Ops, t: Tensor): Tensor => ops.transpose(t, [0, 1, 3, 2]);
    return {
      parameters: () => normal({ wq: [D, D], wk: [D, D], wv: [D, D] }, 0.6),
      forward({ x, parameters: { wq, wk, wv }, ops }) {
        const rows = ops.reshape(x, [x.shape[0], T, D]);
        const [q, k, v] = [wq, wk, wv].map((w) => split(ops, ops.matmul(rows, w)));
        const p = ops.softmax(ops.divide(ops.matmul(q, turn(ops, k)), Math.sqrt(E)));
        return ops.reshape(join(ops, ops.matmul(p, v)), x.shape);
      },
      backward({ x, dy, parameters: { wq, wk, wv }, ops }) {
        const N = x.shape[0];
        const rows = ops.reshape(x, [N, T, D]);
        const [q, k, v] = [wq, wk, wv].map((w) => split(ops, ops.matmul(rows, w)));
        const scores = ops.divide(ops.matmul(q, turn(ops, k)), Math.sqrt(E));
        const p = ops.softmax(scores);
        const g =
          fault === 'heads not moved back' ? ops.reshape(dy, [N, M, T, E]) : split(ops, ops.reshape(dy, [N, T, D]));
        let dv = ops.matmul(turn(ops, p), g);
        if (fault === 'heads in reverse order in dv') dv = ops.take(dv, 1, [1, 0]);
        const dp = ops.matmul(g, turn(ops, fault === 'keys in place of values' ? k : v));
        const sum = ops.sum(ops.multiply(p, dp), fault === 'sum over queries' ? 2 : 3, true);
        const used = fault === 'probabilities from log' ? ops.logSoftmax(scores) : p;
        let ds = ops.multiply(used, fault === 'softmax term missing' ? dp : ops.subtract(dp, sum));
        if (fault !== 'scale missing') ds = ops.divide(ds, Math.sqrt(E));
        const dq = ops.matmul(ds, k);
        const dk = ops.matmul(fault === 'scores not transposed in dk' ? ds : turn(ops, ds), q);
        const flat = [dq, dk, dv].map((each) => join(ops, each));
        const grads = flat.map((each) => ops.sum(ops.matmul(ops.transpose(rows, [0, 2, 1]), each), 0));
        const parts = flat.map((each, i) => ops.matmul(each, ops.transpose([wq, wk, wv][i])));
        const dx = ops.reshape(ops.add(ops.add(parts[0], parts[1]), parts[2]), x.shape);
        return { dx, parameters: { wq: grads[0], wk: grads[1], wv: grads[2] } };
      },
    };
  },
});

const opsRecurrent = template('ops: recurrent', {
  input: (random) => [2 * size(random, 4, 5)],
  mistakes: {
    'time runs forward': mistake([...ORDER, ...MISSING], 'u', 'v', 'input'),
    'not carried': mistake(MISSING, 'u', 'v', 'input'),
    'state of the same step in dv': mistake(['wrong_turn', 'wrong_operand'], 'v'),
    'carried without the derivative': mistake(['derivative_missing'], 'u', 'v', 'input'),
    'input of the first step in du': mistake(['wrong_turn', 'wrong_operand', 'overwritten'], 'u'),
  },
  make: (_random, [n], fault) => {
    const [d, H] = [2, 3];
    const T = n / d;
    const run = (ops: Ops, x: Tensor, u: Tensor, v: Tensor): { inputs: Tensor[]; states: Tensor[] } => {
      const [inputs, states]: [Tensor[], Tensor[]] = [[], []];
      let h = ops.tensor([x.shape[0], H]);
      for (let t = 0; t < T; t++) {
        inputs.push(ops.slice(x, 1, t * d, t * d + d));
        h = ops.tanh(ops.add(ops.matmul(inputs[t], u), ops.matmul(h, v)));
        states.push(h);
      }
      return { inputs, states };
    };
    return {
      parameters: () => normal({ u: [d, H], v: [H, H] }),
      outputShape: () => [T * H],
      forward: ({ x, parameters: { u, v }, ops }) => ops.concatenate(run(ops, x, u, v).states, 1),
      backward({ x, dy, parameters: { u, v }, ops }) {
        const { inputs, states } = run(ops, x, u, v);
        let [du, dv] = [ops.tensor(u.shape), ops.tensor(v.shape)];
        let carried = ops.tensor([x.shape[0], H]);
        const parts: Tensor[] = [];
        for (let step = 0; step < T; step++) {
          const t = fault === 'time runs forward' ? step : T - 1 - step;
          const slope = ops.subtract(1, ops.multiply(states[t], states[t]));
          const own = ops.slice(dy, 1, t * H, t * H + H);
          const da =
            fault === 'carried without the derivative'
              ? ops.add(ops.multiply(own, slope), carried)
              : ops.multiply(ops.add(own, carried), slope);
          du = ops.add(du, ops.matmul(ops.transpose(inputs[fault === 'input of the first step in du' ? 0 : t]), da));
          const before = fault === 'state of the same step in dv' ? states[t] : states[t - 1];
          if (before) dv = ops.add(dv, ops.matmul(ops.transpose(before), da));
          parts[t] = ops.matmul(da, ops.transpose(u));
          carried = fault === 'not carried' ? carried : ops.matmul(da, ops.transpose(v));
        }
        return { dx: ops.concatenate(parts, 1), parameters: { u: du, v: dv } };
      },
    };
  },
});

const opsQuotient = template('ops: quotient of sums', {
  mistakes: {
    'term of the denominator missing': mistake(MISSING, 'input', 'w'),
    'denominator not squared': mistake(
      ['scale_missing', 'factor', 'wrong_operand', 'wrong_derivative', 'term_wrong'],
      'input',
      'w',
    ),
    'sign of the second term': mistake(['contribution_sign', 'term_sign'], 'input', 'w'),
    'numerator for the input': mistake([...OPERAND], 'w'),
  },
  make: (_random, [n], fault) => ({
    parameters: () => normal({ w: [n] }),
    forward({ x, parameters: { w }, ops }) {
      const e = ops.exp(ops.multiply(x, w));
      return ops.divide(ops.multiply(e, x), ops.add(ops.sum(e, 1, true), 1));
    },
    backward({ x, dy, parameters: { w }, ops }) {
      const e = ops.exp(ops.multiply(x, w));
      const below = ops.add(ops.sum(e, 1, true), 1);
      const above = ops.multiply(e, x);
      const da = ops.divide(dy, below);
      const squared = fault === 'denominator not squared' ? below : ops.multiply(below, below);
      let db = ops.negate(ops.divide(ops.sum(ops.multiply(dy, above), 1, true), squared));
      if (fault === 'sign of the second term') db = ops.negate(db);
      let de = ops.multiply(da, x);
      if (fault !== 'term of the denominator missing') de = ops.add(de, db);
      const dz = ops.multiply(de, e);
      const dx = ops.add(ops.multiply(da, e), ops.multiply(dz, w));
      return { dx, parameters: { w: ops.sum(ops.multiply(dz, fault === 'numerator for the input' ? above : x), 0) } };
    },
  }),
});

const opsWeightNorm = template('ops: weight norm', {
  mistakes: {
    'norm constant': mistake(MISSING, 'v'),
    'norm over the other axis': mistake(['axes_wrong', ...OPERAND], 'v', 'g'),
    'gain missing in dv': mistake(['scale_missing'], 'v'),
    'direction not normalized in dg': mistake(
      ['not_normalized', 'wrong_operand', 'scale_missing', 'factor_by_place'],
      'g',
    ),
  },
  make: (_random, [n], fault) => ({
    parameters: () => normal({ v: [n, n], g: [n] }),
    forward({ x, parameters: { v, g }, ops }) {
      const norm = ops.sqrt(ops.sum(ops.multiply(v, v), 0, true));
      return ops.matmul(x, ops.multiply(ops.divide(v, norm), g));
    },
    backward({ x, dy, parameters: { v, g }, ops }) {
      const norm = ops.sqrt(ops.sum(ops.multiply(v, v), 0, true));
      const unit = ops.divide(v, norm);
      const dw = ops.matmul(ops.transpose(x), dy);
      const gained = fault === 'gain missing in dv' ? dw : ops.multiply(dw, g);
      const axis = fault === 'norm over the other axis' ? 1 : 0;
      const projection = ops.multiply(unit, ops.sum(ops.multiply(gained, unit), axis, true));
      const dv = ops.divide(fault === 'norm constant' ? gained : ops.subtract(gained, projection), norm);
      return {
        dx: ops.matmul(dy, ops.transpose(ops.multiply(unit, g))),
        parameters: { v: dv, g: ops.sum(ops.multiply(dw, fault === 'direction not normalized in dg' ? v : unit), 0) },
      };
    },
  }),
});

const opsMasked = template('ops: mean of valid places', {
  input: () => [6],
  mistakes: {
    'divided by all': mistake(['wrong_count', 'factor', 'term_wrong'], 'input', 'w'),
    'mask missing in backward': mistake(
      ['mask_missing', 'wrong_operand', 'scale_missing', 'weights_ignored', 'place_missing'],
      'input',
      'w',
    ),
    'mean constant': mistake(MISSING, 'input', 'w'),
    'mask of the other places': mistake(['mask_inverted', 'wrong_operand', 'place_missing'], 'input', 'w'),
  },
  make: (_random, [n], fault) => ({
    parameters: () => normal({ w: [n] }),
    forward({ x, parameters: { w }, ops }) {
      const mask = ops.tensor([1, n], [1, 1, 0, 1, 0, 1]);
      const h = ops.tanh(ops.multiply(x, w));
      const mean = ops.divide(ops.sum(ops.multiply(h, mask), 1, true), 4);
      return ops.multiply(h, ops.exp(mean));
    },
    backward({ x, dy, parameters: { w }, ops }) {
      const mask = ops.tensor([1, n], [1, 1, 0, 1, 0, 1]);
      const h = ops.tanh(ops.multiply(x, w));
      const mean = ops.divide(ops.sum(ops.multiply(h, mask), 1, true), 4);
      const e = ops.exp(mean);
      const dm = ops.multiply(ops.sum(ops.multiply(dy, h), 1, true), e);
      let share = ops.divide(dm, fault === 'divided by all' ? n : 4);
      if (fault === 'mask of the other places') share = ops.multiply(share, ops.subtract(1, mask));
      else if (fault !== 'mask missing in backward') share = ops.multiply(share, mask);
      let dh = ops.multiply(dy, e);
      if (fault !== 'mean constant') dh = ops.add(dh, share);
      const dz = ops.multiply(dh, ops.subtract(1, ops.multiply(h, h)));
      return { dx: ops.multiply(dz, w), parameters: { w: ops.sum(ops.multiply(dz, x), 0) } };
    },
  }),
});

const opsCarriers = template('ops: state between calls', {
  mistakes: {
    'weights accumulated': mistake(['accumulated'], 'w'),
    'activations of the last call': mistake(['from_earlier_call'], 'w', 'input', 'b'),
    'input of the last call in dw': mistake(['from_earlier_call'], 'w'),
  },
  make: (_random, [n], fault) => {
    let total: number[] | null = null;
    let [hidden, seen]: [Tensor | null, Tensor | null] = [null, null];
    return {
      parameters: () => normal({ w: [n, n], b: [n] }),
      forward: ({ x, parameters: { w, b }, ops }) => ops.tanh(ops.add(ops.matmul(x, w), b)),
      backward({ x, y, dy, parameters: { w }, ops }) {
        const at = fault === 'activations of the last call' && hidden?.data.length === y.data.length ? hidden : y;
        const input = fault === 'input of the last call in dw' && seen?.data.length === x.data.length ? seen : x;
        [hidden, seen] = [ops.tensor(y.shape, Array.from(y.data)), ops.tensor(x.shape, Array.from(x.data))];
        const da = ops.multiply(dy, ops.subtract(1, ops.multiply(at, at)));
        const dw = ops.matmul(ops.transpose(input), da);
        if (fault === 'weights accumulated') {
          total = Array.from(dw.data, (value, i) => value + (total?.[i] ?? 0));
          return {
            dx: ops.matmul(da, ops.transpose(w)),
            parameters: { w: ops.tensor(w.shape, total), b: ops.sum(da, 0) },
          };
        }
        return { dx: ops.matmul(da, ops.transpose(w)), parameters: { w: dw, b: ops.sum(da, 0) } };
      },
    };
  },
});

export const TERM_TEMPLATES: readonly Template[] = [
  dilated,
  elman,
  lstm,
  heads,
  entropy,
  masked,
  prototypes,
  spectral,
  gelu,
  cubic,
  quotient,
  response,
  groups,
  draws,
  cached,
  twoHoles,
  transposed,
  average,
  radial,
  excite,
  cosine,
  rotary,
  lookup,
  linearAttention,
  opsEntropy,
  opsGelu,
  opsNorm,
  opsHighway,
  opsAttention,
  opsRecurrent,
  opsQuotient,
  opsWeightNorm,
  opsMasked,
  opsCarriers,
];
