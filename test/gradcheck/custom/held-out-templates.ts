// Layers and mistakes that were written after all explanations, and that none of them was written for. Only the
// benchmark uses them: a mistake that gets its own explanation belongs into the other templates.
import type { ForwardCall, Ops, Tensor } from '../../../src/engine/custom/contract';
import { features, mistake, normal, size, square, type Template } from './layer-templates';

const sigmoidSlope = (ops: Ops, y: Tensor): Tensor => ops.multiply(y, ops.subtract(1, y));
const tanhSlope = (ops: Ops, y: Tensor): Tensor => ops.subtract(1, square(ops, y));

const rmsNorm: Template = {
  name: 'RMS norm',
  isComposition: true,
  input: features,
  mistakes: {
    'root mean square constant': mistake(['contribution_missing', 'statistics_constant'], 'input'),
    'gain made of x': mistake(['not_normalized', 'wrong_operand'], 'gain'),
    'divided by the mean square': mistake(
      ['scale_missing', 'contribution_missing', 'wrong_operand', 'factor_by_place'],
      'input',
    ),
  },
  make(_random, [n], fault) {
    const rmsOf = ({ x, ops }: ForwardCall): Tensor => ops.sqrt(ops.add(ops.mean(square(ops, x), -1, true), 1e-6));
    return {
      parameters: () => ({ gain: { shape: [n], init: { type: 'normal', mean: 1, std: 0.4 } } }),
      forward: (call) => call.ops.multiply(call.ops.divide(call.x, rmsOf(call)), call.parameters.gain),
      backward(call) {
        const { x, dy, ops, parameters } = call;
        const rms = rmsOf(call);
        const hat = ops.divide(x, rms);
        const g = ops.multiply(dy, parameters.gain);
        const through = ops.multiply(hat, ops.mean(ops.multiply(g, hat), -1, true));
        const inner = fault === 'root mean square constant' ? g : ops.subtract(g, through);
        const dx = ops.divide(inner, fault === 'divided by the mean square' ? square(ops, rms) : rms);
        return { dx, parameters: { gain: ops.sum(ops.multiply(dy, fault === 'gain made of x' ? x : hat), 0) } };
      },
    };
  },
};

const gatedLinear: Template = {
  name: 'gated linear unit with SiLU',
  isComposition: true,
  input: features,
  mistakes: {
    'SiLU without its second term': mistake(['contribution_missing'], 'v', 'input'),
    'gradients of both matrices swapped': mistake(['swapped'], 'u', 'v'),
    'second matrix missing in dx': mistake(['contribution_missing'], 'input'),
  },
  make(_random, [n], fault) {
    return {
      parameters: () => normal({ u: [n, n], v: [n, n] }),
      forward({ x, parameters: { u, v }, ops }) {
        const b = ops.matmul(x, v);
        return ops.multiply(ops.matmul(x, u), ops.multiply(b, ops.sigmoid(b)));
      },
      backward({ x, dy, parameters: { u, v }, ops }) {
        const [a, b] = [ops.matmul(x, u), ops.matmul(x, v)];
        const s = ops.sigmoid(b);
        const da = ops.multiply(dy, ops.multiply(b, s));
        const second = fault === 'SiLU without its second term' ? 0 : ops.multiply(b, sigmoidSlope(ops, s));
        const db = ops.multiply(ops.multiply(dy, a), ops.add(s, second));
        const [du, dv] = [ops.matmul(ops.transpose(x), da), ops.matmul(ops.transpose(x), db)];
        const left = ops.matmul(da, ops.transpose(u));
        const dx = fault === 'second matrix missing in dx' ? left : ops.add(left, ops.matmul(db, ops.transpose(v)));
        const isSwapped = fault === 'gradients of both matrices swapped';
        return { dx, parameters: { u: isSwapped ? dv : du, v: isSwapped ? du : dv } };
      },
    };
  },
};

const attentionPooling: Template = {
  name: 'attention pooling',
  isComposition: true,
  input: (random) => [3 * size(random, 2, 4)],
  mistakes: {
    'weights constant': mistake(['contribution_missing', 'statistics_constant'], 'input', 'query'),
    'tokens as values missing': mistake(['contribution_missing'], 'input'),
    'query of the last token alone': mistake(['turns_missing', 'contribution_missing', 'share_missing'], 'query'),
    'shift of softmax missing': mistake(['diagonal_only', 'contribution_missing', 'wrong_place'], 'query', 'input'),
  },
  make(_random, [n], fault) {
    const width = n / 3;
    const parts = ({ x, parameters: { query }, ops }: ForwardCall) => {
      const tokens = ops.reshape(x, [x.shape[0], 3, width]);
      const scores = ops.matmul(tokens, query);
      return { tokens, weights: ops.softmax(scores, 1) };
    };
    return {
      parameters: () => normal({ query: [width, 1] }),
      outputShape: () => [width],
      forward(call) {
        const { tokens, weights } = parts(call);
        return call.ops.sum(call.ops.multiply(tokens, weights), 1);
      },
      backward(call) {
        const { x, dy, parameters, ops } = call;
        const { tokens, weights } = parts(call);
        const up = ops.reshape(dy, [x.shape[0], 1, width]);
        const dWeights = ops.sum(ops.multiply(tokens, up), -1, true);
        const mean = ops.sum(ops.multiply(dWeights, weights), 1, true);
        const isDiagonal = fault === 'shift of softmax missing';
        let dScores: Tensor = ops.multiply(
          weights,
          isDiagonal ? ops.multiply(dWeights, ops.subtract(1, weights)) : ops.subtract(dWeights, mean),
        );
        if (fault === 'weights constant') dScores = ops.multiply(dScores, 0);
        const direct = ops.multiply(weights, up);
        const indirect = ops.multiply(dScores, ops.transpose(parameters.query));
        const dTokens = fault === 'tokens as values missing' ? indirect : ops.add(direct, indirect);
        let terms = ops.multiply(tokens, dScores);
        if (fault === 'query of the last token alone') terms = ops.slice(terms, 1, 2);
        const dQuery = ops.reshape(ops.sum(terms, [0, 1]), [width, 1]);
        return { dx: ops.reshape(dTokens, x.shape), parameters: { query: dQuery } };
      },
    };
  },
};

const highway: Template = {
  name: 'highway',
  isComposition: true,
  input: features,
  mistakes: {
    'carry has the wrong sign in the gate': mistake(['contribution_sign'], 'w', 'b', 'input'),
    'carry missing in dx': mistake(['contribution_missing', 'skip_missing'], 'input'),
    'gate bias negated': mistake(['sign'], 'b'),
    'bias averaged over the batch': mistake(['factor'], 'b'),
  },
  make(_random, [n], fault) {
    return {
      parameters: () => normal({ h: [n, n], w: [n, n], b: [n] }),
      forward({ x, parameters: { h, w, b }, ops }) {
        const gate = ops.sigmoid(ops.add(ops.matmul(x, w), b));
        return ops.add(ops.multiply(gate, ops.tanh(ops.matmul(x, h))), ops.multiply(ops.subtract(1, gate), x));
      },
      backward({ x, dy, parameters: { h, w, b }, ops }) {
        const gate = ops.sigmoid(ops.add(ops.matmul(x, w), b));
        const value = ops.tanh(ops.matmul(x, h));
        const isSign = fault === 'carry has the wrong sign in the gate';
        const difference = isSign ? ops.add(value, x) : ops.subtract(value, x);
        const dGate = ops.multiply(ops.multiply(dy, difference), sigmoidSlope(ops, gate));
        const dValue = ops.multiply(ops.multiply(dy, gate), tanhSlope(ops, value));
        const xt = ops.transpose(x);
        let dx = ops.add(ops.matmul(dGate, ops.transpose(w)), ops.matmul(dValue, ops.transpose(h)));
        if (fault !== 'carry missing in dx') dx = ops.add(dx, ops.multiply(dy, ops.subtract(1, gate)));
        let db = ops.sum(dGate, 0);
        if (fault === 'gate bias negated') db = ops.negate(db);
        if (fault === 'bias averaged over the batch') db = ops.divide(db, x.shape[0]);
        return { dx, parameters: { h: ops.matmul(xt, dValue), w: ops.matmul(xt, dGate), b: db } };
      },
    };
  },
};

const gatedRecurrent: Template = {
  name: 'GRU',
  isComposition: true,
  input: (random) => [2 * size(random, 2, 4)],
  mistakes: {
    'reset gate missing in the weights': mistake(['scale_missing', 'wrong_operand', 'contribution_missing'], 'u'),
    'state carried without the gate': mistake(
      ['scale_missing', 'contribution_missing', 'wrong_operand'],
      'wz',
      'w',
      'input',
      'wr',
      'u',
    ),
    'derivative of the candidate missing': mistake(['derivative_missing'], 'w', 'u', 'input', 'wr', 'wz'),
  },
  make(_random, [n], fault) {
    const [inputs, hidden] = [n / 2, 3];
    const run = ({ x, parameters: { wz, wr, w, u }, ops }: ForwardCall) => {
      let h: Tensor = ops.tensor([x.shape[0], hidden], 0.3);
      const steps = [];
      for (let t = 0; t < 2; t++) {
        const xt = ops.slice(x, 1, t * inputs, (t + 1) * inputs);
        const z = ops.sigmoid(ops.matmul(xt, wz));
        const r = ops.sigmoid(ops.matmul(xt, wr));
        const before = h;
        const c = ops.tanh(ops.add(ops.matmul(xt, w), ops.matmul(ops.multiply(r, before), u)));
        h = ops.add(ops.multiply(ops.subtract(1, z), before), ops.multiply(z, c));
        steps.push({ xt, z, r, before, c });
      }
      return { h, steps };
    };
    return {
      parameters: () =>
        normal({ wz: [inputs, hidden], wr: [inputs, hidden], w: [inputs, hidden], u: [hidden, hidden] }),
      outputShape: () => [hidden],
      forward: (call) => run(call).h,
      backward(call) {
        const { dy, parameters, ops } = call;
        const sums: Record<string, Tensor> = Object.fromEntries(
          Object.entries(parameters).map(([name, { shape }]) => [name, ops.tensor(shape)]),
        );
        const dx: Tensor[] = [];
        let dh: Tensor = dy;
        for (const { xt, z, r, before, c } of [...run(call).steps].reverse()) {
          const isBare = fault === 'derivative of the candidate missing';
          const dc = ops.multiply(ops.multiply(dh, z), isBare ? 1 : tanhSlope(ops, c));
          const dz = ops.multiply(ops.multiply(dh, ops.subtract(c, before)), sigmoidSlope(ops, z));
          const dReset = ops.matmul(dc, ops.transpose(parameters.u));
          const dr = ops.multiply(ops.multiply(dReset, before), sigmoidSlope(ops, r));
          const state = fault === 'reset gate missing in the weights' ? before : ops.multiply(r, before);
          const xT = ops.transpose(xt);
          sums.wz = ops.add(sums.wz, ops.matmul(xT, dz));
          sums.wr = ops.add(sums.wr, ops.matmul(xT, dr));
          sums.w = ops.add(sums.w, ops.matmul(xT, dc));
          sums.u = ops.add(sums.u, ops.matmul(ops.transpose(state), dc));
          dx.unshift(
            ops.add(
              ops.matmul(dz, ops.transpose(parameters.wz)),
              ops.add(ops.matmul(dr, ops.transpose(parameters.wr)), ops.matmul(dc, ops.transpose(parameters.w))),
            ),
          );
          const carried = fault === 'state carried without the gate' ? dh : ops.multiply(dh, ops.subtract(1, z));
          dh = ops.add(carried, ops.multiply(dReset, r));
        }
        return { dx: ops.concatenate(dx, 1), parameters: sums };
      },
    };
  },
};

/** One dilated, causal filter a channel, in loops. */
const causalConvolution: Template = {
  name: 'causal convolution',
  isComposition: true,
  input: () => [2, 6, 6],
  mistakes: {
    'dilation ignored': mistake(['stride_wrong', 'shifted', 'options_ignored'], 'w', 'input'),
    'one step into the future': mistake(['shifted'], 'w', 'input'),
    'bias of the last step': mistake(['place_missing', 'share_missing', 'turns_missing'], 'b'),
    'filters of the channels swapped': mistake(['permuted', 'swapped', 'channel_missing'], 'w', 'input'),
  },
  make(_random, [channels, rows, steps], fault) {
    const [k, dilation] = [2, 2];
    const visit = (
      samples: number,
      by: number,
      shift: number,
      each: (at: number, from: number, w: number, c: number) => void,
    ): void => {
      for (let s = 0; s < samples; s++)
        for (let c = 0; c < channels; c++)
          for (let r = 0; r < rows; r++)
            for (let t = 0; t < steps; t++)
              for (let j = 0; j < k; j++) {
                const from = t - j * by + shift;
                const row = ((s * channels + c) * rows + r) * steps;
                if (from >= 0 && from < steps) each(row + t, row + from, c * k + j, c);
              }
    };
    return {
      parameters: () => normal({ w: [channels, k], b: [channels] }),
      forward({ x, parameters: { w, b }, ops }) {
        const y = Float64Array.from(x.data, (_, i) => b.data[Math.floor(i / rows / steps) % channels]);
        visit(x.shape[0], dilation, 0, (at, from, wi) => (y[at] += w.data[wi] * x.data[from]));
        return ops.tensor(x.shape, y);
      },
      backward({ x, dy, parameters: { w, b }, ops }) {
        const [dx, dw, db] = [x, w, b].map(({ data }) => new Float64Array(data.length));
        const by = fault === 'dilation ignored' ? 1 : dilation;
        visit(x.shape[0], by, fault === 'one step into the future' ? 1 : 0, (at, from, wi, c) => {
          const index = fault === 'filters of the channels swapped' ? ((c + 1) % channels) * k + (wi % k) : wi;
          dx[from] += dy.data[at] * w.data[index];
          dw[index] += dy.data[at] * x.data[from];
        });
        dy.data.forEach((g, i) => {
          if (fault === 'bias of the last step' && i % steps !== steps - 1) return;
          db[Math.floor(i / rows / steps) % channels] += g;
        });
        return {
          dx: ops.tensor(x.shape, dx),
          parameters: { w: ops.tensor(w.shape, dw), b: ops.tensor(b.shape, db) },
        };
      },
    };
  },
};

/** A slope for negative values, one a feature, in loops. */
const parametricRelu: Template = {
  name: 'PReLU',
  isComposition: false,
  input: features,
  mistakes: {
    'slope counts positive values': mistake(
      ['mask_missing', 'input_ignored', 'input_squared', 'wrong_sum', 'mask_inverted', 'not_normalized'],
      'slope',
    ),
    'slope negated': mistake(['sign'], 'slope'),
    'slope missing in dx': mistake(
      ['scale_missing', 'derivative_missing', 'derivative_of_another', 'options_ignored'],
      'input',
    ),
  },
  make: (_random, [n], fault) => ({
    parameters: () => ({ slope: { shape: [n], init: { type: 'normal', mean: 0.3, std: 0.2 } } }),
    forward: ({ x, parameters: { slope }, ops }) =>
      ops.tensor(
        x.shape,
        x.data.map((value, i) => (value > 0 ? value : slope.data[i % n] * value)),
      ),
    backward({ x, dy, parameters: { slope }, ops }) {
      const d = new Float64Array(n);
      x.data.forEach((value, i) => {
        if (value <= 0 || fault === 'slope counts positive values')
          d[i % n] += (fault === 'slope negated' ? -1 : 1) * dy.data[i] * value;
      });
      const factor = (i: number): number => (fault === 'slope missing in dx' ? 1 : slope.data[i % n]);
      return {
        dx: ops.tensor(
          x.shape,
          dy.data.map((g, i) => (x.data[i] > 0 ? g : factor(i) * g)),
        ),
        parameters: { slope: ops.tensor([n], d) },
      };
    },
  }),
};

const cosine: Template = {
  name: 'cosine similarity',
  isComposition: true,
  input: features,
  mistakes: {
    'length of x constant': mistake(['contribution_missing', 'statistics_constant'], 'input'),
    'length of the prototypes constant': mistake(['contribution_missing', 'statistics_constant'], 'p'),
    'projection has the wrong sign': mistake(['contribution_sign', 'term_sign'], 'input'),
  },
  make(_random, [n], fault) {
    const unit = (ops: Ops, t: Tensor): { readonly length: Tensor; readonly unit: Tensor } => {
      const length = ops.sqrt(ops.add(ops.sum(square(ops, t), -1, true), 1e-6));
      return { length, unit: ops.divide(t, length) };
    };
    const through = (ops: Ops, g: Tensor, of: ReturnType<typeof unit>, sign: number): Tensor => {
      const projection = ops.multiply(of.unit, ops.sum(ops.multiply(g, of.unit), -1, true));
      return ops.divide(ops.subtract(g, ops.multiply(projection, sign)), of.length);
    };
    return {
      parameters: () => normal({ p: [4, n] }),
      outputShape: () => [4],
      forward: ({ x, parameters: { p }, ops }) => ops.matmul(unit(ops, x).unit, ops.transpose(unit(ops, p).unit)),
      backward({ x, dy, parameters: { p }, ops }) {
        const [ux, up] = [unit(ops, x), unit(ops, p)];
        const signX = fault === 'length of x constant' ? 0 : fault === 'projection has the wrong sign' ? -1 : 1;
        return {
          dx: through(ops, ops.matmul(dy, up.unit), ux, signX),
          parameters: {
            p: through(
              ops,
              ops.matmul(ops.transpose(dy), ux.unit),
              up,
              fault === 'length of the prototypes constant' ? 0 : 1,
            ),
          },
        };
      },
    };
  },
};

const cumulativeSum: Template = {
  name: 'cumulative sum',
  isComposition: false,
  input: features,
  mistakes: {
    'not reversed': mistake(['not_transposed', 'transposed'], 'input'),
    'own entry left out': mistake(['skip_missing', 'share_missing', 'diagonal_only'], 'input'),
  },
  make: (_random, [n], fault) => ({
    forward({ x, ops }) {
      const y = Float64Array.from(x.data);
      for (let i = 0; i < y.length; i++) if (i % n > 0) y[i] += y[i - 1];
      return ops.tensor(x.shape, y);
    },
    backward({ x, dy, ops }) {
      const dx = new Float64Array(x.data.length);
      for (let i = 0; i < dx.length; i++)
        for (let j = 0; j < n; j++) {
          const isAfter = fault === 'not reversed' ? j <= i % n : j >= i % n;
          if (isAfter && !(fault === 'own entry left out' && j === i % n)) dx[i] += dy.data[i - (i % n) + j];
        }
      return { dx: ops.tensor(x.shape, dx) };
    },
  }),
};

/** Every value four times, in loops. */
const upsampling: Template = {
  name: 'upsampling',
  isComposition: false,
  input: (random) => [1 + random.integerBelow(2), 4, 4],
  mistakes: {
    'one of four values': mistake(['place_missing', 'share_missing', 'overwritten'], 'input'),
    'averaged over four values': mistake(['factor'], 'input'),
  },
  make(_random, [channels, height, width], fault) {
    const source = (at: number): number => {
      const [row, column] = [Math.floor(at / (2 * width)) % (2 * height), at % (2 * width)];
      const plane = Math.floor(at / (4 * width * height));
      return (plane * height + Math.floor(row / 2)) * width + Math.floor(column / 2);
    };
    return {
      outputShape: () => [channels, 2 * height, 2 * width],
      forward: ({ x, ops }) =>
        ops.tensor(
          [x.shape[0], channels, 2 * height, 2 * width],
          Array.from({ length: 4 * x.data.length }, (_, at) => x.data[source(at)]),
        ),
      backward({ x, dy, ops }) {
        const dx = new Float64Array(x.data.length);
        dy.data.forEach((g, at) => {
          if (fault === 'one of four values') dx[source(at)] = g;
          else dx[source(at)] += fault === 'averaged over four values' ? g / 4 : g;
        });
        return { dx: ops.tensor(x.shape, dx) };
      },
    };
  },
};

export const HELD_OUT_TEMPLATES: readonly Template[] = [
  rmsNorm,
  gatedLinear,
  attentionPooling,
  highway,
  gatedRecurrent,
  causalConvolution,
  parametricRelu,
  cosine,
  cumulativeSum,
  upsampling,
];
