// Custom layers as people write them, each right or with one mistake in its manual backward pass. The mistakes are
// taken from public bug reports of frameworks and courses.
import type {
  BackwardCall,
  ForwardCall,
  Gradients,
  Layer,
  Ops,
  Parameter,
  Tensor,
} from '../../../src/engine/custom/contract';
import type { Random } from '../../../src/engine/random';
import type { Cause } from '../../../src/protocol/check-report';

/** A mistake: the causes that describe it, and the tensors of which one must be named. */
export interface Mistake {
  readonly causes: readonly Cause[];
  readonly tensors: readonly string[];
}

export interface Template {
  readonly name: string;
  /** Whether it consists of several operations. */
  readonly isComposition: boolean;
  /** Number of input features, or [channels, height, width]. */
  readonly input: (random: Random) => readonly number[];
  readonly mistakes: Readonly<Record<string, Mistake>>;
  /** The layer with one of its mistakes, or without. */
  make(random: Random, input: readonly number[], mistake: string | null): Layer;
}

type Shapes = Readonly<Record<string, readonly number[]>>;

export const normal = (shapes: Shapes, std = 0.7): Record<string, Parameter> =>
  Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, { shape, init: { type: 'normal', std } }]));

export const mistake = (causes: readonly Cause[], ...tensors: readonly string[]): Mistake => ({ causes, tensors });
export const size = (random: Random, from = 3, to = 7): number => from + random.integerBelow(to - from + 1);
export const features = (random: Random): readonly number[] => [size(random, 4, 8)];

export const square = (ops: Ops, x: Tensor): Tensor => ops.multiply(x, x);

const linear: Template = {
  name: 'linear',
  isComposition: false,
  input: features,
  mistakes: {
    'weight sign': mistake(['sign'], 'w'),
    'weight averaged over the batch': mistake(['factor'], 'w'),
    'weight twice': mistake(['factor'], 'w'),
    'bias of the first sample': mistake(['one_sample'], 'b'),
    'bias ignores dy': mistake(['upstream_ignored'], 'b'),
    'weight decay in the layer': mistake(['weights_added'], 'w'),
    'input gradient not transposed': mistake(['not_transposed', 'transposed'], 'input'),
    'weight gradient transposed': mistake(['transposed'], 'w'),
    'weight gradient missing': mistake(['missing'], 'w'),
    'samples shifted': mistake(['samples_mixed'], 'w'),
    'weight gradient accumulated': mistake(['accumulated'], 'w'),
  },
  make(_random, [n], fault) {
    let total: number[] = [];
    return {
      parameters: () => normal({ w: [n, n], b: [n] }),
      forward: ({ x, parameters: { w, b }, ops }) => ops.add(ops.matmul(x, w), b),
      backward({ x, dy, parameters: { w }, ops }) {
        const samples = x.shape[0];
        const roll = ops.take(
          dy,
          0,
          Array.from({ length: samples }, (_, i) => (i + 1) % samples),
        );
        let dw = ops.matmul(ops.transpose(x), fault === 'samples shifted' ? roll : dy);
        if (fault === 'weight sign') dw = ops.negate(dw);
        if (fault === 'weight averaged over the batch') dw = ops.divide(dw, samples);
        if (fault === 'weight twice') dw = ops.multiply(dw, 2);
        if (fault === 'weight decay in the layer') dw = ops.add(dw, ops.multiply(0.1, w));
        if (fault === 'weight gradient transposed') dw = ops.transpose(dw);
        if (fault === 'weight gradient missing') dw = ops.tensor(w.shape);
        if (fault === 'weight gradient accumulated') {
          total = Array.from(dw.data, (value, i) => value + (total[i] ?? 0));
          dw = ops.tensor(w.shape, total);
        }
        let db = ops.sum(dy, 0);
        if (fault === 'bias of the first sample') db = ops.reshape(ops.slice(dy, 0, 0, 1), [n]);
        if (fault === 'bias ignores dy') db = ops.tensor([n], samples);
        const dx = ops.matmul(dy, fault === 'input gradient not transposed' ? w : ops.transpose(w));
        return { dx, parameters: { w: dw, b: db } };
      },
    };
  },
};

const activation = (kind: 'tanh' | 'sigmoid'): Template => ({
  name: kind,
  isComposition: false,
  input: features,
  mistakes: {
    'derivative missing': mistake(['derivative_missing'], 'input'),
    'derivative of the input': mistake(['derivative_of_output_at_input', 'wrong_place'], 'input'),
    'derivative squared': mistake(['derivative_twice'], 'input'),
    'dy ignored': mistake(['upstream_ignored'], 'input'),
    'value in place of the derivative': mistake(['value_for_derivative'], 'input'),
    'made of dy alone': mistake(['input_ignored', 'derivative_missing'], 'input'),
    'half a derivative': mistake(['factor'], 'input'),
    'derivative of the other': mistake(['derivative_of_another', 'wrong_place'], 'input'),
  },
  make: (_random, _input, fault) => ({
    forward: ({ x, ops }) => ops[kind](x),
    backward({ x, y, dy, ops }) {
      const by = (name: string, t: Tensor): Tensor =>
        name === 'tanh' ? ops.subtract(1, square(ops, t)) : ops.multiply(t, ops.subtract(1, t));
      const slope = by(kind, y);
      switch (fault) {
        case 'derivative missing':
          return { dx: ops.multiply(dy, 1) };
        case 'derivative of the input':
          return { dx: ops.multiply(dy, by(kind, x)) };
        case 'derivative squared':
          return { dx: ops.multiply(dy, square(ops, slope)) };
        case 'dy ignored':
          return { dx: slope };
        case 'value in place of the derivative':
          return { dx: ops.multiply(dy, y) };
        case 'made of dy alone':
          return { dx: ops.multiply(dy, ops.sigmoid(dy)) };
        case 'half a derivative':
          return { dx: ops.multiply(ops.multiply(dy, slope), 0.5) };
        case 'derivative of the other':
          return { dx: ops.multiply(dy, by(kind === 'tanh' ? 'sigmoid' : 'tanh', y)) };
        case null:
        default:
          return { dx: ops.multiply(dy, slope) };
      }
    },
  }),
});

/** Layer normalization over the last axis, or batch normalization over the batch. */
const normalization = (name: 'layer norm' | 'batch norm'): Template => {
  const axis = name === 'layer norm' ? -1 : 0;
  return {
    name,
    isComposition: true,
    input: features,
    mistakes: {
      'mean term twice': mistake(['contribution_twice', 'term_twice'], 'input'),
      'mean constant': mistake(['contribution_missing', 'statistics_constant'], 'input'),
      'variance constant': mistake(['contribution_missing', 'statistics_constant'], 'input'),
      'statistics constant': mistake(['statistics_constant', 'contribution_missing'], 'input'),
      'scale and shift swapped': mistake(['swapped'], 'scale', 'shift'),
      'scale made of x': mistake(['not_normalized', 'wrong_operand'], 'scale'),
      'scale missing in dx': mistake(['scale_missing'], 'input'),
      'variance term sign': mistake(['contribution_sign', 'term_sign'], 'input'),
      'deviation missing': mistake(['scale_missing'], 'input'),
    },
    make(_random, [n], fault) {
      const parts = ({ x, ops }: ForwardCall) => {
        const centered = ops.subtract(x, ops.mean(x, axis, true));
        const std = ops.sqrt(ops.add(ops.mean(square(ops, centered), axis, true), 1e-5));
        return { std, hat: ops.divide(centered, std) };
      };
      return {
        parameters: () => ({
          scale: { shape: [n], init: { type: 'normal', mean: 1, std: 0.4 } },
          shift: { shape: [n], init: { type: 'normal', std: 0.3 } },
        }),
        forward: (call) =>
          call.ops.add(call.ops.multiply(parts(call).hat, call.parameters.scale), call.parameters.shift),
        backward(call) {
          const {
            x,
            dy,
            parameters: { scale },
            ops,
          } = call;
          const { std, hat } = parts(call);
          const g = fault === 'scale missing in dx' ? dy : ops.multiply(dy, scale);
          let a = ops.mean(g, axis, true);
          let b = ops.multiply(hat, ops.mean(ops.multiply(g, hat), axis, true));
          if (fault === 'mean term twice') a = ops.multiply(a, 2);
          if (fault === 'mean constant' || fault === 'statistics constant') a = ops.multiply(a, 0);
          if (fault === 'variance constant' || fault === 'statistics constant') b = ops.multiply(b, 0);
          if (fault === 'variance term sign') b = ops.negate(b);
          let dx = ops.subtract(ops.subtract(g, a), b);
          if (fault !== 'deviation missing') dx = ops.divide(dx, std);
          const dScale = ops.sum(ops.multiply(dy, fault === 'scale made of x' ? x : hat), 0);
          const dShift = ops.sum(dy, 0);
          const [first, second] = fault === 'scale and shift swapped' ? [dShift, dScale] : [dScale, dShift];
          return { dx, parameters: { scale: first, shift: second } };
        },
      };
    },
  };
};

const attention: Template = {
  name: 'attention',
  isComposition: true,
  input: (random) => [3 * size(random, 3, 5)],
  mistakes: {
    'queries and keys swapped': mistake(['swapped'], 'wq', 'wk', 'input'),
    'scale missing': mistake(['factor', 'contribution_twice', 'scale_missing'], 'wq', 'wk', 'input'),
    'softmax diagonal only': mistake(['diagonal_only'], 'wq', 'wk', 'input'),
    'softmax passes unchanged': mistake(['derivative_missing'], 'wq', 'wk', 'input'),
    'values missing in dx': mistake(['contribution_missing'], 'input'),
    'keys not summed over the batch': mistake(['one_sample'], 'wk'),
    'value weights negated': mistake(['sign'], 'wv'),
  },
  make(_random, [n], fault) {
    const tokens = 3;
    const width = n / tokens;
    return {
      parameters: () => normal({ wq: [width, width], wk: [width, width], wv: [width, width] }),
      forward({ x, parameters: { wq, wk, wv }, ops }) {
        const t = ops.reshape(x, [-1, tokens, width]);
        const scores = ops.divide(ops.matmul(ops.matmul(t, wq), ops.transpose(ops.matmul(t, wk))), Math.sqrt(width));
        return ops.reshape(ops.matmul(ops.softmax(scores), ops.matmul(t, wv)), [-1, n]);
      },
      backward({ x, dy, parameters: { wq, wk, wv }, ops }) {
        const t = ops.reshape(x, [-1, tokens, width]);
        const g = ops.reshape(dy, [-1, tokens, width]);
        const [q, k, v] = [ops.matmul(t, wq), ops.matmul(t, wk), ops.matmul(t, wv)];
        const a = ops.softmax(ops.divide(ops.matmul(q, ops.transpose(k)), Math.sqrt(width)));
        const dv = ops.matmul(ops.transpose(a), g);
        const da = ops.matmul(g, ops.transpose(v));
        let ds = ops.multiply(a, ops.subtract(da, ops.sum(ops.multiply(da, a), -1, true)));
        if (fault === 'softmax diagonal only') ds = ops.multiply(da, ops.multiply(a, ops.subtract(1, a)));
        if (fault === 'softmax passes unchanged') ds = da;
        const scale = fault === 'scale missing' ? 1 : 1 / Math.sqrt(width);
        let dq = ops.multiply(ops.matmul(ds, k), scale);
        let dk = ops.multiply(ops.matmul(ops.transpose(ds), q), scale);
        if (fault === 'queries and keys swapped') [dq, dk] = [dk, dq];
        const tt = ops.transpose(t);
        let dt = ops.add(ops.matmul(dq, ops.transpose(wq)), ops.matmul(dk, ops.transpose(wk)));
        if (fault !== 'values missing in dx') dt = ops.add(dt, ops.matmul(dv, ops.transpose(wv)));
        const dwk = ops.matmul(tt, dk);
        const dwv = ops.sum(ops.matmul(tt, dv), 0);
        return {
          dx: ops.reshape(dt, x.shape),
          parameters: {
            wq: ops.sum(ops.matmul(tt, dq), 0),
            wk:
              fault === 'keys not summed over the batch'
                ? ops.reshape(ops.slice(dwk, 0, 0, 1), wk.shape)
                : ops.sum(dwk, 0),
            wv: fault === 'value weights negated' ? ops.negate(dwv) : dwv,
          },
        };
      },
    };
  },
};

const recurrent: Template = {
  name: 'recurrent',
  isComposition: true,
  input: (random) => [2 * size(random, 3, 4)],
  mistakes: {
    'hidden state of the same step': mistake(['wrong_turn', 'wrong_operand'], 'wh'),
    'input weights of the last step alone': mistake(['turns_missing'], 'wx'),
    'steps cut off from each other': mistake(['contribution_missing'], 'wx', 'wh', 'b', 'input'),
    'derivative of tanh missing': mistake(['derivative_missing'], 'wx', 'wh', 'b', 'input'),
    'hidden weights without the first steps': mistake(['turns_missing', 'contribution_missing'], 'wh'),
    'bias overwritten': mistake(['turns_missing', 'overwritten'], 'b'),
    'hidden weights not transposed': mistake(['not_transposed'], 'wx', 'wh', 'b', 'input'),
  },
  make(random, [n], fault) {
    const inputs = 2;
    const steps = n / inputs;
    const hidden = size(random, 3, 4);
    const run = ({ x, parameters: { wx, wh, b }, ops }: ForwardCall): Tensor[] => {
      const states = [ops.tensor([x.shape[0], hidden])];
      for (let t = 0; t < steps; t++) {
        const xt = ops.slice(x, 1, t * inputs, (t + 1) * inputs);
        states.push(ops.tanh(ops.add(ops.add(ops.matmul(xt, wx), ops.matmul(states[t], wh)), b)));
      }
      return states;
    };
    return {
      parameters: () => normal({ wx: [inputs, hidden], wh: [hidden, hidden], b: [hidden] }),
      outputShape: () => [steps * hidden],
      forward: (call) => call.ops.concatenate(run(call).slice(1), 1),
      backward(call) {
        const {
          x,
          dy,
          parameters: { wx, wh, b },
          ops,
        } = call;
        const states = run(call);
        let [dwx, dwh, db] = [ops.tensor(wx.shape), ops.tensor(wh.shape), ops.tensor(b.shape)];
        let next = ops.tensor([x.shape[0], hidden]);
        const dxs: Tensor[] = [];
        for (let t = steps - 1; t >= 0; t--) {
          const h = states[t + 1];
          const arriving = ops.add(ops.slice(dy, 1, t * hidden, (t + 1) * hidden), next);
          const dz =
            fault === 'derivative of tanh missing' ? arriving : ops.multiply(arriving, ops.subtract(1, square(ops, h)));
          const xt = ops.slice(x, 1, t * inputs, (t + 1) * inputs);
          if (fault !== 'input weights of the last step alone' || t === steps - 1)
            dwx = ops.add(dwx, ops.matmul(ops.transpose(xt), dz));
          const before = fault === 'hidden state of the same step' ? h : states[t];
          if (fault !== 'hidden weights without the first steps' || t === steps - 1)
            dwh = ops.add(dwh, ops.matmul(ops.transpose(before), dz));
          db = fault === 'bias overwritten' ? ops.sum(dz, 0) : ops.add(db, ops.sum(dz, 0));
          dxs.unshift(ops.matmul(dz, ops.transpose(wx)));
          if (fault !== 'steps cut off from each other')
            next = ops.matmul(dz, fault === 'hidden weights not transposed' ? wh : ops.transpose(wh));
        }
        return { dx: ops.concatenate(dxs, 1), parameters: { wx: dwx, wh: dwh, b: db } };
      },
    };
  },
};

const gated: Template = {
  name: 'gated unit',
  isComposition: true,
  input: (random) => [2 * size(random, 3, 5)],
  mistakes: {
    'gate not in the value': mistake(['scale_missing'], 'input'),
    'value of the gate in place of its derivative': mistake(['value_for_derivative'], 'input'),
    'gate dropped': mistake(['contribution_missing'], 'input'),
    'halves swapped': mistake(['swapped'], 'input'),
  },
  make: (_random, [n], fault) => ({
    outputShape: () => [n / 2],
    forward: ({ x, ops }) => ops.multiply(ops.slice(x, 1, 0, n / 2), ops.sigmoid(ops.slice(x, 1, n / 2))),
    backward({ x, dy, ops }) {
      const a = ops.slice(x, 1, 0, n / 2);
      const s = ops.sigmoid(ops.slice(x, 1, n / 2));
      const da = fault === 'gate not in the value' ? ops.multiply(dy, 1) : ops.multiply(dy, s);
      const slope = fault === 'value of the gate in place of its derivative' ? s : ops.multiply(s, ops.subtract(1, s));
      let db = ops.multiply(ops.multiply(dy, a), slope);
      if (fault === 'gate dropped') db = ops.multiply(db, 0);
      return { dx: ops.concatenate(fault === 'halves swapped' ? [db, da] : [da, db], 1) };
    },
  }),
};

const residual: Template = {
  name: 'residual block',
  isComposition: true,
  input: features,
  mistakes: {
    'skip missing': mistake(['contribution_missing', 'skip_missing'], 'input'),
    'branch missing': mistake(['contribution_missing', 'derivative_missing'], 'input'),
    'branch twice': mistake(['contribution_twice'], 'input'),
    'inner weight without the derivative': mistake(['derivative_missing'], 'w', 'input'),
  },
  make: (_random, [n], fault) => ({
    parameters: () => normal({ w: [n, n] }),
    forward: ({ x, parameters: { w }, ops }) => ops.add(x, ops.tanh(ops.matmul(x, w))),
    backward({ x, dy, parameters: { w }, ops }) {
      const h = ops.tanh(ops.matmul(x, w));
      const dz =
        fault === 'inner weight without the derivative' ? dy : ops.multiply(dy, ops.subtract(1, square(ops, h)));
      let branch = ops.matmul(dz, ops.transpose(w));
      if (fault === 'branch twice') branch = ops.multiply(branch, 2);
      const dx =
        fault === 'skip missing' ? branch : fault === 'branch missing' ? ops.multiply(dy, 1) : ops.add(dy, branch);
      return { dx, parameters: { w: ops.matmul(ops.transpose(x), dz) } };
    },
  }),
};

const tied: Template = {
  name: 'tied weights',
  isComposition: true,
  input: features,
  mistakes: {
    'first use missing': mistake(['contribution_missing'], 'w'),
    'second use missing': mistake(['contribution_missing'], 'w'),
    'first use twice': mistake(['contribution_twice'], 'w'),
  },
  make(random, [n], fault) {
    const hidden = size(random, 2, 4);
    return {
      parameters: () => normal({ w: [n, hidden] }),
      forward: ({ x, parameters: { w }, ops }) => ops.matmul(ops.tanh(ops.matmul(x, w)), ops.transpose(w)),
      backward({ x, dy, parameters: { w }, ops }) {
        const h = ops.tanh(ops.matmul(x, w));
        const dz = ops.multiply(ops.matmul(dy, w), ops.subtract(1, square(ops, h)));
        let encoder = ops.matmul(ops.transpose(x), dz);
        let decoder = ops.matmul(ops.transpose(dy), h);
        if (fault === 'first use missing') encoder = ops.multiply(encoder, 0);
        if (fault === 'first use twice') encoder = ops.multiply(encoder, 2);
        if (fault === 'second use missing') decoder = ops.multiply(decoder, 0);
        return { dx: ops.matmul(dz, ops.transpose(w)), parameters: { w: ops.add(encoder, decoder) } };
      },
    };
  },
};

/** Convolution as loops. */
const convolution: Template = {
  name: 'convolution',
  isComposition: true,
  input: (random) => [1 + random.integerBelow(2), ...Array<number>(2).fill(6 + random.integerBelow(2))],
  mistakes: {
    'stride ignored': mistake(['stride_wrong'], 'w', 'input'),
    'columns shifted': mistake(['shifted', 'stride_wrong'], 'input'),
    'kernel turned': mistake(['mirrored', 'reversed'], 'input'),
    'bias averaged over places': mistake(['factor'], 'b'),
    'weights overwritten': mistake(['overwritten', 'one_sample'], 'w'),
    'input overwritten': mistake(['overwritten'], 'input'),
    'last column of places left out': mistake(['place_missing', 'share_missing', 'factor_by_place'], 'w', 'input'),
  },
  make(random, [channels, height, width], fault) {
    const [filters, k] = [2, 3];
    const stride = fault === 'stride ignored' ? 2 : 1 + random.integerBelow(2);
    const pad = random.integerBelow(2);
    const places = (n: number): number => Math.floor((n + 2 * pad - k) / stride) + 1;
    const [rows, columns] = [places(height), places(width)];
    type Visit = (
      o: number,
      w: number,
      x: number,
      f: number,
      at: { i: number; j: number; a: number; b: number },
    ) => void;
    const visit = (samples: number, step: number, shift: number, each: Visit): void => {
      for (let s = 0; s < samples; s++)
        for (let f = 0; f < filters; f++)
          for (let i = 0; i < rows; i++)
            for (let j = 0; j < columns; j++)
              for (let c = 0; c < channels; c++)
                for (let a = 0; a < k; a++)
                  for (let b = 0; b < k; b++) {
                    const [r, q] = [i * step + a - pad, j * step + b - pad + shift];
                    if (r < 0 || r >= height || q < 0 || q >= width) continue;
                    const o = ((s * filters + f) * rows + i) * columns + j;
                    each(o, ((f * channels + c) * k + a) * k + b, ((s * channels + c) * height + r) * width + q, f, {
                      i,
                      j,
                      a,
                      b,
                    });
                  }
    };
    return {
      parameters: () => normal({ w: [filters, channels, k, k], b: [filters] }, 0.4),
      outputShape: () => [filters, rows, columns],
      forward({ x, parameters: { w, b }, ops }) {
        const samples = x.shape[0];
        const y = Float64Array.from(
          { length: samples * filters * rows * columns },
          (_, o) => b.data[Math.floor(o / rows / columns) % filters],
        );
        visit(samples, stride, 0, (o, wi, xi) => (y[o] += w.data[wi] * x.data[xi]));
        return ops.tensor([samples, filters, rows, columns], y);
      },
      backward({ x, dy, parameters: { w, b }, ops }) {
        const samples = x.shape[0];
        const [dx, dw, db] = [
          new Float64Array(x.data.length),
          new Float64Array(w.data.length),
          new Float64Array(filters),
        ];
        const step = fault === 'stride ignored' ? 1 : stride;
        const skips = (j: number): boolean => fault === 'last column of places left out' && j === columns - 1;
        visit(samples, step, 0, (o, wi, xi, _f, { j }) => {
          if (skips(j)) return;
          if (fault === 'weights overwritten') dw[wi] = dy.data[o] * x.data[xi];
          else dw[wi] += dy.data[o] * x.data[xi];
        });
        visit(samples, step, fault === 'columns shifted' ? 1 : 0, (o, wi, xi, _f, { j, a, b: column }) => {
          if (skips(j)) return;
          const turned = wi - a * k - column + (k - 1 - a) * k + (k - 1 - column);
          const value = dy.data[o] * w.data[fault === 'kernel turned' ? turned : wi];
          if (fault === 'input overwritten') dx[xi] = value;
          else dx[xi] += value;
        });
        dy.data.forEach((g, o) => (db[Math.floor(o / rows / columns) % filters] += g));
        if (fault === 'bias averaged over places') db.forEach((value, f) => (db[f] = value / (rows * columns)));
        return {
          dx: ops.tensor(x.shape, dx),
          parameters: { w: ops.tensor(w.shape, dw), b: ops.tensor(b.shape, db) },
        };
      },
    };
  },
};

/** Pooling as loops, with windows that overlap or extend over the border. */
const pooling = (kind: 'max' | 'average'): Template => ({
  name: `${kind} pooling`,
  isComposition: false,
  input: (random) => [1 + random.integerBelow(2), ...Array<number>(2).fill(kind === 'max' ? 6 : 7)],
  mistakes:
    kind === 'max'
      ? {
          'shares overwritten': mistake(['overwritten'], 'input'),
          'every value of a window': mistake(['winners_ignored', 'near_ties', 'input_ignored'], 'input'),
        }
      : {
          'border divided by the whole window': mistake(['factor_by_place'], 'input'),
          'not divided': mistake(['factor', 'factor_by_place'], 'input'),
        },
  make(_random, [channels, height, width], fault) {
    const [size, stride] = kind === 'max' ? [3, 1] : [2, 2];
    const count = (n: number): number => (kind === 'max' ? n - size + 1 : Math.ceil(n / size));
    const [rows, columns] = [count(height), count(width)];
    const windows = (samples: number, each: (o: number, inside: number[]) => void): void => {
      for (let p = 0; p < samples * channels; p++)
        for (let i = 0; i < rows; i++)
          for (let j = 0; j < columns; j++) {
            const inside: number[] = [];
            for (let a = i * stride; a < Math.min(height, i * stride + size); a++)
              for (let b = j * stride; b < Math.min(width, j * stride + size); b++)
                inside.push((p * height + a) * width + b);
            each((p * rows + i) * columns + j, inside);
          }
    };
    return {
      outputShape: () => [channels, rows, columns],
      forward({ x, ops }) {
        const y = new Float64Array(x.shape[0] * channels * rows * columns);
        windows(x.shape[0], (o, inside) => {
          const values = inside.map((i) => x.data[i]);
          y[o] = kind === 'max' ? Math.max(...values) : values.reduce((a, b) => a + b, 0) / values.length;
        });
        return ops.tensor([x.shape[0], channels, rows, columns], y);
      },
      backward({ x, dy, ops }) {
        const dx = new Float64Array(x.data.length);
        windows(x.shape[0], (o, inside) => {
          if (kind === 'average') {
            const by = fault === 'not divided' ? 1 : fault === null ? inside.length : size * size;
            for (const i of inside) dx[i] += dy.data[o] / by;
          } else if (fault === 'every value of a window') for (const i of inside) dx[i] += dy.data[o];
          else {
            const winner = inside.reduce((a, b) => (x.data[b] > x.data[a] ? b : a));
            dx[winner] = fault === null ? dx[winner] + dy.data[o] : dy.data[o];
          }
        });
        return { dx: ops.tensor(x.shape, dx) };
      },
    };
  },
});

/** Rows of a table, looked up by the magnitudes of the inputs. */
const embedding: Template = {
  name: 'embedding',
  isComposition: true,
  input: features,
  mistakes: {
    'repeated rows overwritten': mistake(['overwritten'], 'table'),
    'next row': mistake(['shifted', 'permuted'], 'table'),
    'averaged over places': mistake(['factor'], 'table'),
  },
  make(random, [n], fault) {
    const [words, width] = [4, size(random, 2, 3)];
    const rowOf = (value: number): number => Math.min(words - 1, Math.floor(2 * Math.abs(value)));
    return {
      parameters: () => normal({ table: [words, width] }),
      outputShape: () => [n * width],
      forward: ({ x, parameters: { table }, ops }) =>
        ops.tensor(
          [x.shape[0], n * width],
          Array.from(x.data).flatMap((value) =>
            Array.from({ length: width }, (_, k) => table.data[rowOf(value) * width + k]),
          ),
        ),
      backward({ x, dy, parameters: { table }, ops }) {
        const d = new Float64Array(table.data.length);
        x.data.forEach((value, i) => {
          const row = fault === 'next row' ? (rowOf(value) + 1) % words : rowOf(value);
          for (let k = 0; k < width; k++) {
            const at = row * width + k;
            if (fault === 'repeated rows overwritten') d[at] = dy.data[i * width + k];
            else d[at] += dy.data[i * width + k] / (fault === 'averaged over places' ? n : 1);
          }
        });
        return { dx: ops.tensor(x.shape), parameters: { table: ops.tensor(table.shape, d) } };
      },
    };
  },
};

export const TEMPLATES: readonly Template[] = [
  linear,
  activation('tanh'),
  activation('sigmoid'),
  normalization('layer norm'),
  normalization('batch norm'),
  attention,
  recurrent,
  gated,
  residual,
  tied,
  convolution,
  pooling('max'),
  pooling('average'),
  embedding,
];

/** Disguises of a layer that change neither its results nor a verdict. */
export interface Disguise {
  /** Whether parameters get random names. */
  readonly renames: boolean;
  /**
   * Whether its forward pass is copied out of `ops`, as if written as loops, so that autograd cannot differentiate it.
   */
  readonly hidesOperations: boolean;
  /** Whether its results are rounded to float32. */
  readonly rounds: boolean;
}

export interface DisguisedLayer {
  readonly layer: Layer;
  /** The new name of a parameter, or of `input`. */
  nameOf(tensor: string): string;
}

export function disguise(layer: Layer, { renames, hidesOperations, rounds }: Disguise, random: Random): DisguisedLayer {
  const newNames = new Map<string, string>();
  const nameOf = (name: string): string => {
    if (!renames || name === 'input') return name;
    const letters = Array.from({ length: 6 }, () => String.fromCharCode(97 + random.integerBelow(26))).join('');
    const found = newNames.get(name) ?? letters;
    newNames.set(name, found);
    return found;
  };
  const renamed = <Value>(values: Readonly<Record<string, Value>>): Record<string, Value> =>
    Object.fromEntries(Object.entries(values).map(([name, value]) => [nameOf(name), value]));
  const original = <Value>(values: Readonly<Record<string, Value>>): Record<string, Value> =>
    Object.fromEntries(
      Object.entries(values).map(([name, value]) => [[...newNames].find(([, n]) => n === name)?.[0] ?? name, value]),
    );
  const finish = ({ shape, data }: Tensor, { ops }: ForwardCall): Tensor =>
    ops.tensor(shape, rounds ? Float32Array.from(data) : data);
  const { parameters, outputShape, backward } = layer;
  return {
    nameOf,
    layer: {
      ...(layer.random === true && { random: true }),
      ...(outputShape && { outputShape: (shape) => outputShape(shape, {}, [shape]) }),
      ...(parameters && { parameters: (shape) => renamed(parameters(shape, {}, [shape])) }),
      forward(call) {
        const y = layer.forward({ ...call, parameters: original(call.parameters) });
        return hidesOperations || rounds ? finish(y, call) : y;
      },
      ...(backward && {
        backward(call: BackwardCall): Gradients {
          const { dx, parameters: own } = backward({
            ...call,
            parameters: original(call.parameters),
          }) as Gradients;
          return {
            dx: rounds ? finish(dx, call) : dx,
            ...(own && {
              parameters: renamed(
                Object.fromEntries(Object.entries(own).map(([name, d]) => [name, rounds ? finish(d, call) : d])),
              ),
            }),
          };
        },
      }),
    },
  };
}
