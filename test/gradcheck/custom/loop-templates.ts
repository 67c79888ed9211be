// Compositions written by hand in loops, so that autograd knows nothing of their forward pass.
import type { ForwardCall, Gradients, Tensor } from '../../../src/engine/custom/contract';
import { features, mistake, normal, size, type Template } from './layer-templates';

type Numbers = Float64Array;
const sigmoid = (z: number): number => 1 / (1 + Math.exp(-z));
const zeros = (n: number): Numbers => new Float64Array(n);
const gradients = (
  { ops, x, parameters }: ForwardCall,
  dx: ArrayLike<number>,
  own: Readonly<Record<string, ArrayLike<number>>> = {},
): Gradients => ({
  dx: ops.tensor(x.shape, dx),
  parameters: Object.fromEntries(
    Object.entries(own).map(([name, values]) => [name, ops.tensor(parameters[name].shape, values)]),
  ),
});

/** y = tanh(scale · (x - mean) / std + shift), over the features. */
const normalizedTanh: Template = {
  name: 'loops: layer norm and tanh',
  isComposition: true,
  input: features,
  mistakes: {
    'mean term missing': mistake(['contribution_missing', 'statistics_constant'], 'input'),
    'variance term missing': mistake(['contribution_missing', 'statistics_constant'], 'input'),
    'variance term negated': mistake(['contribution_sign', 'term_sign'], 'input'),
    'derivative of tanh missing': mistake(['derivative_missing'], 'input', 'scale', 'shift'),
    'derivative of tanh at its argument': mistake(
      ['derivative_of_output_at_input', 'wrong_place', 'derivative_at_output'],
      'input',
      'scale',
      'shift',
    ),
    'scale missing in dx': mistake(['scale_missing'], 'input'),
    'scale made of x': mistake(['not_normalized', 'wrong_operand'], 'scale'),
    'shift averaged over the batch': mistake(['factor'], 'shift'),
  },
  make(_random, [n], fault) {
    const statistics = (x: Tensor, s: number): { mean: number; std: number } => {
      let mean = 0;
      for (let i = 0; i < n; i++) mean += x.data[s * n + i] / n;
      let variance = 0;
      for (let i = 0; i < n; i++) variance += (x.data[s * n + i] - mean) ** 2 / n;
      return { mean, std: Math.sqrt(variance + 1e-5) };
    };
    return {
      parameters: () => ({
        scale: { shape: [n], init: { type: 'normal', mean: 1, std: 0.4 } },
        shift: { shape: [n], init: { type: 'normal', std: 0.3 } },
      }),
      forward({ x, parameters: { scale, shift }, ops }) {
        const y = zeros(x.data.length);
        for (let s = 0; s < x.shape[0]; s++) {
          const { mean, std } = statistics(x, s);
          for (let i = 0; i < n; i++)
            y[s * n + i] = Math.tanh((scale.data[i] * (x.data[s * n + i] - mean)) / std + shift.data[i]);
        }
        return ops.tensor(x.shape, y);
      },
      backward(call) {
        const { x, y, dy, parameters } = call;
        const { scale, shift } = parameters;
        const [dx, dScale, dShift] = [zeros(x.data.length), zeros(n), zeros(n)];
        for (let s = 0; s < x.shape[0]; s++) {
          const { mean, std } = statistics(x, s);
          const hat = (i: number): number => (x.data[s * n + i] - mean) / std;
          const g = zeros(n);
          for (let i = 0; i < n; i++) {
            const at = s * n + i;
            const z = scale.data[i] * hat(i) + shift.data[i];
            let d = dy.data[at] * (1 - y.data[at] ** 2);
            if (fault === 'derivative of tanh missing') d = dy.data[at];
            if (fault === 'derivative of tanh at its argument') d = dy.data[at] * (1 - z ** 2);
            dShift[i] += fault === 'shift averaged over the batch' ? d / x.shape[0] : d;
            dScale[i] += d * (fault === 'scale made of x' ? x.data[at] : hat(i));
            g[i] = fault === 'scale missing in dx' ? d : d * scale.data[i];
          }
          let [a, b] = [0, 0];
          for (let i = 0; i < n; i++) {
            a += g[i] / n;
            b += (g[i] * hat(i)) / n;
          }
          if (fault === 'mean term missing') a = 0;
          if (fault === 'variance term missing') b = 0;
          if (fault === 'variance term negated') b = -b;
          for (let i = 0; i < n; i++) dx[s * n + i] = (g[i] - a - hat(i) * b) / std;
        }
        return gradients(call, dx, { scale: dScale, shift: dShift });
      },
    };
  },
};

/** Batch normalization with a scale and a shift. */
const batchNorm: Template = {
  name: 'loops: batch norm',
  isComposition: true,
  input: features,
  mistakes: {
    'statistics constant': mistake(['statistics_constant', 'contribution_missing'], 'input'),
    'mean term missing': mistake(['statistics_constant', 'contribution_missing'], 'input'),
    'variance term twice': mistake(['contribution_twice', 'term_twice'], 'input'),
    'scale and shift swapped': mistake(['swapped'], 'scale', 'shift'),
    'sum instead of mean': mistake(['wrong_count', 'factor', 'term_wrong'], 'input'),
  },
  make: (_random, [n], fault) => ({
    parameters: () => ({
      scale: { shape: [n], init: { type: 'normal', mean: 1, std: 0.4 } },
      shift: { shape: [n], init: { type: 'normal', std: 0.3 } },
    }),
    forward({ x, parameters: { scale, shift }, ops }) {
      const samples = x.shape[0];
      const y = zeros(x.data.length);
      for (let j = 0; j < n; j++) {
        let [mean, variance] = [0, 0];
        for (let s = 0; s < samples; s++) mean += x.data[s * n + j];
        mean /= samples;
        for (let s = 0; s < samples; s++) variance += (x.data[s * n + j] - mean) * (x.data[s * n + j] - mean);
        const inverse = 1 / Math.sqrt(variance / samples + 1e-5);
        for (let s = 0; s < samples; s++)
          y[s * n + j] = (x.data[s * n + j] - mean) * inverse * scale.data[j] + shift.data[j];
      }
      return ops.tensor(x.shape, y);
    },
    backward(call) {
      const { x, dy, parameters } = call;
      const samples = x.shape[0];
      const [dx, dScale, dShift] = [zeros(x.data.length), zeros(n), zeros(n)];
      for (let j = 0; j < n; j++) {
        let [mean, variance] = [0, 0];
        for (let s = 0; s < samples; s++) mean += x.data[s * n + j] / samples;
        for (let s = 0; s < samples; s++) variance += (x.data[s * n + j] - mean) ** 2 / samples;
        const inverse = 1 / Math.sqrt(variance + 1e-5);
        for (let s = 0; s < samples; s++) {
          dScale[j] += dy.data[s * n + j] * (x.data[s * n + j] - mean) * inverse;
          dShift[j] += dy.data[s * n + j];
        }
        const by = fault === 'sum instead of mean' ? 1 : samples;
        let [a, b] = [dShift[j] / by, dScale[j] / by];
        if (fault === 'mean term missing' || fault === 'statistics constant') a = 0;
        if (fault === 'statistics constant') b = 0;
        if (fault === 'variance term twice') b *= 2;
        for (let s = 0; s < samples; s++)
          dx[s * n + j] =
            parameters.scale.data[j] * inverse * (dy.data[s * n + j] - a - (x.data[s * n + j] - mean) * inverse * b);
      }
      return fault === 'scale and shift swapped'
        ? gradients(call, dx, { scale: dShift, shift: dScale })
        : gradients(call, dx, { scale: dScale, shift: dShift });
    },
  }),
};

/** One head of attention over three tokens. */
const attention: Template = {
  name: 'loops: attention',
  isComposition: true,
  input: (random) => [3 * size(random, 3, 4)],
  mistakes: {
    'sum term of softmax missing': mistake(
      ['contribution_missing', 'value_for_derivative', 'sum_missing', 'diagonal_only'],
      'wq',
      'wk',
      'input',
    ),
    'derivative of softmax missing': mistake(['derivative_missing'], 'wq', 'wk', 'input'),
    'scale missing': mistake(['factor', 'scale_missing', 'contribution_twice'], 'wq', 'wk', 'input'),
    'queries missing in dx': mistake(['contribution_missing', 'share_missing'], 'input'),
    'keys missing in dx': mistake(['contribution_missing', 'share_missing'], 'input'),
    'values missing in dx': mistake(['contribution_missing', 'share_missing'], 'input'),
    'keys negated in dx': mistake(['contribution_sign', 'part_sign'], 'input'),
    'queries and keys swapped': mistake(['swapped'], 'wq', 'wk', 'input'),
    'values not transposed in dx': mistake(['not_transposed', 'transposed'], 'input'),
    'wv transposed': mistake(['transposed'], 'wv'),
    'keys of the last token alone': mistake(['turns_missing', 'share_missing', 'contribution_missing'], 'wk'),
    'weights not transposed': mistake(['not_transposed', 'transposed', 'swapped'], 'wv', 'input'),
  },
  make(_random, [n], fault) {
    const [T, d] = [3, n / 3];
    const product = (x: Tensor, s: number, w: Tensor): Numbers => {
      const out = zeros(n);
      for (let t = 0; t < T; t++)
        for (let j = 0; j < d; j++)
          for (let i = 0; i < d; i++) out[t * d + j] += x.data[s * n + t * d + i] * w.data[i * d + j];
      return out;
    };
    const run = ({ x, parameters: { wq, wk, wv } }: ForwardCall, s: number) => {
      const [q, k, v] = [product(x, s, wq), product(x, s, wk), product(x, s, wv)];
      const a = zeros(T * T);
      for (let t = 0; t < T; t++) {
        let max = -Infinity;
        for (let u = 0; u < T; u++) {
          for (let j = 0; j < d; j++) a[t * T + u] += q[t * d + j] * k[u * d + j];
          a[t * T + u] /= Math.sqrt(d);
          max = Math.max(max, a[t * T + u]);
        }
        let sum = 0;
        for (let u = 0; u < T; u++) sum += a[t * T + u] = Math.exp(a[t * T + u] - max);
        for (let u = 0; u < T; u++) a[t * T + u] /= sum;
      }
      return { q, k, v, a };
    };
    return {
      parameters: () => normal({ wq: [d, d], wk: [d, d], wv: [d, d] }),
      forward(call) {
        const { x, ops } = call;
        const y = zeros(x.data.length);
        for (let s = 0; s < x.shape[0]; s++) {
          const { a, v } = run(call, s);
          for (let t = 0; t < T; t++)
            for (let u = 0; u < T; u++) for (let j = 0; j < d; j++) y[s * n + t * d + j] += a[t * T + u] * v[u * d + j];
        }
        return ops.tensor(x.shape, y);
      },
      backward(call) {
        const {
          x,
          dy,
          parameters: { wq, wk, wv },
        } = call;
        const dx = zeros(x.data.length);
        const [dwq, dwk, dwv] = [zeros(d * d), zeros(d * d), zeros(d * d)];
        for (let s = 0; s < x.shape[0]; s++) {
          const { q, k, v, a } = run(call, s);
          let [dq, dk] = [zeros(n), zeros(n)];
          const dv = zeros(n);
          for (let t = 0; t < T; t++) {
            const da = zeros(T);
            let mean = 0;
            for (let u = 0; u < T; u++) {
              for (let j = 0; j < d; j++) {
                da[u] += dy.data[s * n + t * d + j] * v[u * d + j];
                dv[u * d + j] +=
                  (fault === 'weights not transposed' ? a[u * T + t] : a[t * T + u]) * dy.data[s * n + t * d + j];
              }
              mean += da[u] * a[t * T + u];
            }
            if (fault === 'sum term of softmax missing') mean = 0;
            for (let u = 0; u < T; u++) {
              let ds = a[t * T + u] * (da[u] - mean);
              if (fault === 'derivative of softmax missing') ds = da[u];
              if (fault !== 'scale missing') ds /= Math.sqrt(d);
              for (let j = 0; j < d; j++) {
                dq[t * d + j] += ds * k[u * d + j];
                dk[u * d + j] += ds * q[t * d + j];
              }
            }
          }
          if (fault === 'queries and keys swapped') [dq, dk] = [dk, dq];
          for (let t = 0; t < T; t++)
            for (let i = 0; i < d; i++)
              for (let j = 0; j < d; j++) {
                const xi = x.data[s * n + t * d + i];
                dwq[i * d + j] += xi * dq[t * d + j];
                if (fault !== 'keys of the last token alone' || t === T - 1) dwk[i * d + j] += xi * dk[t * d + j];
                dwv[fault === 'wv transposed' ? j * d + i : i * d + j] += xi * dv[t * d + j];
                const at = s * n + t * d + i;
                if (fault !== 'queries missing in dx') dx[at] += dq[t * d + j] * wq.data[i * d + j];
                if (fault !== 'keys missing in dx')
                  dx[at] += (fault === 'keys negated in dx' ? -1 : 1) * dk[t * d + j] * wk.data[i * d + j];
                if (fault !== 'values missing in dx')
                  dx[at] += dv[t * d + j] * wv.data[fault === 'values not transposed in dx' ? j * d + i : i * d + j];
              }
        }
        return gradients(call, dx, { wq: dwq, wk: dwk, wv: dwv });
      },
    };
  },
};

/** Elman's recurrent cell; the last state is the output. */
const recurrent: Template = {
  name: 'loops: recurrent cell',
  isComposition: true,
  input: (random) => [2 * size(random, 3, 4)],
  mistakes: {
    'steps cut off': mistake(['contribution_missing', 'turns_missing', 'share_missing'], 'wx', 'wh', 'b', 'input'),
    'state of the same step': mistake(['wrong_turn', 'wrong_operand'], 'wh'),
    'bias of the last step': mistake(['turns_missing', 'overwritten', 'share_missing'], 'b'),
    'wx overwritten': mistake(['turns_missing', 'overwritten', 'share_missing'], 'wx'),
    'derivative missing': mistake(['derivative_missing'], 'wx', 'wh', 'b', 'input'),
    'derivative of sigmoid': mistake(['derivative_of_another', 'wrong_place'], 'wx', 'wh', 'b', 'input'),
    'wh not transposed': mistake(['not_transposed', 'transposed'], 'wx', 'wh', 'b', 'input'),
    'dx one step late': mistake(['shifted', 'wrong_turn'], 'input'),
    'wh transposed': mistake(['transposed'], 'wh'),
  },
  make(random, [n], fault) {
    const inputs = 2;
    const T = n / inputs;
    const hidden = size(random, 3, 4);
    const run = ({ x, parameters: { wx, wh, b } }: ForwardCall, s: number): Numbers[] => {
      const states = [zeros(hidden)];
      for (let t = 0; t < T; t++) {
        const h = zeros(hidden);
        for (let j = 0; j < hidden; j++) {
          let z = b.data[j];
          for (let i = 0; i < inputs; i++) z += x.data[s * n + t * inputs + i] * wx.data[i * hidden + j];
          for (let i = 0; i < hidden; i++) z += states[t][i] * wh.data[i * hidden + j];
          h[j] = Math.tanh(z);
        }
        states.push(h);
      }
      return states;
    };
    return {
      parameters: () => normal({ wx: [inputs, hidden], wh: [hidden, hidden], b: [hidden] }),
      outputShape: () => [hidden],
      forward(call) {
        const y = Array.from({ length: call.x.shape[0] }, (_, s) => [...run(call, s)[T]]).flat();
        return call.ops.tensor([call.x.shape[0], hidden], y);
      },
      backward(call) {
        const {
          x,
          dy,
          parameters: { wx, wh },
        } = call;
        const dx = zeros(x.data.length);
        const [dwx, dwh, db] = [zeros(inputs * hidden), zeros(hidden * hidden), zeros(hidden)];
        for (let s = 0; s < x.shape[0]; s++) {
          const states = run(call, s);
          let dh = dy.data.slice(s * hidden, (s + 1) * hidden) as Numbers;
          for (let t = T - 1; t >= 0; t--) {
            const next = zeros(hidden);
            for (let j = 0; j < hidden; j++) {
              const h = states[t + 1][j];
              let dz = dh[j] * (1 - h * h);
              if (fault === 'derivative missing') dz = dh[j];
              if (fault === 'derivative of sigmoid') dz = dh[j] * h * (1 - h);
              if (fault === 'bias of the last step') {
                if (t === T - 1) db[j] += dz;
              } else db[j] += dz;
              for (let i = 0; i < inputs; i++) {
                const xi = x.data[s * n + t * inputs + i];
                if (fault === 'wx overwritten') dwx[i * hidden + j] = dz * xi;
                else dwx[i * hidden + j] += dz * xi;
                const to = fault === 'dx one step late' ? t + 1 : t;
                if (to < T) dx[s * n + to * inputs + i] += dz * wx.data[i * hidden + j];
              }
              for (let i = 0; i < hidden; i++) {
                const before = fault === 'state of the same step' ? states[t + 1][i] : states[t][i];
                dwh[fault === 'wh transposed' ? j * hidden + i : i * hidden + j] += dz * before;
                if (fault !== 'steps cut off')
                  next[i] += dz * wh.data[fault === 'wh not transposed' ? j * hidden + i : i * hidden + j];
              }
            }
            dh = next;
          }
        }
        return gradients(call, dx, { wx: dwx, wh: dwh, b: db });
      },
    };
  },
};

/** A gated recurrent cell with an update gate alone; the last state is the output. */
const minimalGated: Template = {
  name: 'loops: gated recurrent cell',
  isComposition: true,
  input: (random) => [2 * size(random, 3, 4)],
  mistakes: {
    'gate without its own path': mistake(['contribution_missing', 'missing'], 'wz', 'w', 'u', 'input', 'uz'),
    'carry without the gate': mistake(
      ['scale_missing', 'contribution_missing', 'wrong_operand'],
      'wz',
      'w',
      'u',
      'uz',
      'input',
    ),
    'value of the gate for its derivative': mistake(['value_for_derivative'], 'wz', 'uz', 'w', 'u', 'input'),
    'derivative of the candidate missing': mistake(['derivative_missing'], 'wz', 'uz', 'w', 'u', 'input'),
    'sign of the gate': mistake(['contribution_sign', 'sign', 'part_sign'], 'wz', 'uz', 'w', 'u', 'input'),
    'carry missing': mistake(['contribution_missing', 'turns_missing', 'share_missing'], 'wz', 'uz', 'w', 'u', 'input'),
    'candidate weights of the last step': mistake(['turns_missing', 'contribution_missing'], 'w'),
    'w and wz swapped': mistake(['swapped'], 'w', 'wz'),
  },
  make(random, [n], fault) {
    const inputs = 2;
    const T = n / inputs;
    const hidden = size(random, 2, 3);
    const run = ({ x, parameters: { wz, uz, w, u } }: ForwardCall, s: number) => {
      let h = zeros(hidden).fill(0.2);
      const steps: { before: Numbers; z: Numbers; c: Numbers }[] = [];
      for (let t = 0; t < T; t++) {
        const [z, c, next] = [zeros(hidden), zeros(hidden), zeros(hidden)];
        for (let j = 0; j < hidden; j++) {
          let [a, b] = [0, 0];
          for (let i = 0; i < inputs; i++) {
            a += x.data[s * n + t * inputs + i] * wz.data[i * hidden + j];
            b += x.data[s * n + t * inputs + i] * w.data[i * hidden + j];
          }
          for (let i = 0; i < hidden; i++) {
            a += h[i] * uz.data[i * hidden + j];
            b += h[i] * u.data[i * hidden + j];
          }
          z[j] = sigmoid(a);
          c[j] = Math.tanh(b);
          next[j] = (1 - z[j]) * h[j] + z[j] * c[j];
        }
        steps.push({ before: h, z, c });
        h = next;
      }
      return { h, steps };
    };
    return {
      parameters: () =>
        normal({ wz: [inputs, hidden], uz: [hidden, hidden], w: [inputs, hidden], u: [hidden, hidden] }),
      outputShape: () => [hidden],
      forward(call) {
        const y = zeros(call.x.shape[0] * hidden);
        for (let s = 0; s < call.x.shape[0]; s++) y.set(run(call, s).h, s * hidden);
        return call.ops.tensor([call.x.shape[0], hidden], y);
      },
      backward(call) {
        const {
          x,
          dy,
          parameters: { wz, uz, w, u },
        } = call;
        const dx = zeros(x.data.length);
        const [dwz, duz, dw, du] = [wz, uz, w, u].map(({ data }) => zeros(data.length));
        for (let s = 0; s < x.shape[0]; s++) {
          const { steps } = run(call, s);
          let dh = dy.data.slice(s * hidden, (s + 1) * hidden) as Numbers;
          for (let t = T - 1; t >= 0; t--) {
            const { before, z, c } = steps[t];
            const next = zeros(hidden);
            for (let j = 0; j < hidden; j++) {
              let da = dh[j] * (c[j] - before[j]) * z[j] * (1 - z[j]);
              if (fault === 'gate without its own path') da = 0;
              if (fault === 'value of the gate for its derivative') da = dh[j] * (c[j] - before[j]) * z[j];
              if (fault === 'sign of the gate') da = -da;
              let db = dh[j] * z[j] * (1 - c[j] * c[j]);
              if (fault === 'derivative of the candidate missing') db = dh[j] * z[j];
              if (fault !== 'carry missing') next[j] += dh[j] * (fault === 'carry without the gate' ? 1 : 1 - z[j]);
              for (let i = 0; i < inputs; i++) {
                const at = s * n + t * inputs + i;
                dwz[i * hidden + j] += da * x.data[at];
                if (fault !== 'candidate weights of the last step' || t === T - 1)
                  dw[i * hidden + j] += db * x.data[at];
                dx[at] += da * wz.data[i * hidden + j] + db * w.data[i * hidden + j];
              }
              for (let i = 0; i < hidden; i++) {
                duz[i * hidden + j] += da * before[i];
                du[i * hidden + j] += db * before[i];
                next[i] += da * uz.data[i * hidden + j] + db * u.data[i * hidden + j];
              }
            }
            dh = next;
          }
        }
        return fault === 'w and wz swapped'
          ? gradients(call, dx, { wz: dw, uz: duz, w: dwz, u: du })
          : gradients(call, dx, { wz: dwz, uz: duz, w: dw, u: du });
      },
    };
  },
};

/** Convolution, ReLU and max pooling in 2×2 windows. */
const convolutionAndPooling: Template = {
  name: 'loops: convolution and pooling',
  isComposition: true,
  input: (random) => [1 + random.integerBelow(2), 6, 6],
  mistakes: {
    'dx overwritten': mistake(['overwritten'], 'input'),
    'weights overwritten': mistake(['overwritten', 'one_sample', 'share_missing'], 'w'),
    'mask of ReLU missing': mistake(['mask_missing', 'derivative_missing', 'winners_ignored'], 'w', 'b', 'input'),
    'mask from the pooled input': mistake(
      ['mask_missing', 'wrong_operand', 'wrong_place', 'derivative_missing'],
      'w',
      'b',
      'input',
    ),
    'all of a window': mistake(['winners_ignored', 'near_ties', 'mask_missing'], 'w', 'b', 'input'),
    'dx one column off': mistake(['shifted', 'stride_wrong'], 'input'),
    'kernel turned in dx': mistake(['mirrored', 'reversed'], 'input'),
    'padding ignored in dw': mistake(['shifted', 'stride_wrong', 'options_ignored'], 'w'),
    'filters swapped in dx': mistake(['swapped', 'permuted', 'channel_missing'], 'input'),
    'bias averaged over places': mistake(['factor'], 'b'),
  },
  make(_random, [channels, height, width], fault) {
    const [F, k, pad] = [2, 3, 1];
    const [H, W] = [height / 2, width / 2];
    const each = (
      s: number,
      visit: (f: number, i: number, j: number, x: number, w: number) => void,
      shift = 0,
      p = pad,
    ): void => {
      for (let f = 0; f < F; f++)
        for (let i = 0; i < height; i++)
          for (let j = 0; j < width; j++)
            for (let c = 0; c < channels; c++)
              for (let a = 0; a < k; a++)
                for (let b = 0; b < k; b++) {
                  const [r, q] = [i + a - p, j + b - p + shift];
                  if (r < 0 || r >= height || q < 0 || q >= width) continue;
                  visit(f, i, j, ((s * channels + c) * height + r) * width + q, ((f * channels + c) * k + a) * k + b);
                }
    };
    const convolve = ({ x, parameters: { w, b } }: ForwardCall, s: number): Numbers => {
      const z = zeros(F * height * width);
      z.forEach((_, at) => (z[at] = b.data[Math.floor(at / height / width)]));
      each(s, (f, i, j, xi, wi) => (z[(f * height + i) * width + j] += x.data[xi] * w.data[wi]));
      return z;
    };
    const winner = (z: Numbers, f: number, i: number, j: number): number => {
      let best = (f * height + 2 * i) * width + 2 * j;
      for (const by of [1, width, width + 1])
        if (z[(f * height + 2 * i) * width + 2 * j + by] > z[best]) best = (f * height + 2 * i) * width + 2 * j + by;
      return best;
    };
    return {
      parameters: () => normal({ w: [F, channels, k, k], b: [F] }, 0.4),
      outputShape: () => [F, H, W],
      forward(call) {
        const { x, ops } = call;
        const y = zeros(x.shape[0] * F * H * W);
        for (let s = 0; s < x.shape[0]; s++) {
          const z = convolve(call, s);
          for (let f = 0; f < F; f++)
            for (let i = 0; i < H; i++)
              for (let j = 0; j < W; j++) y[((s * F + f) * H + i) * W + j] = Math.max(0, z[winner(z, f, i, j)]);
        }
        return ops.tensor([x.shape[0], F, H, W], y);
      },
      backward(call) {
        const {
          x,
          dy,
          parameters: { w },
        } = call;
        const [dx, dw, db] = [zeros(x.data.length), zeros(w.data.length), zeros(F)];
        for (let s = 0; s < x.shape[0]; s++) {
          const z = convolve(call, s);
          const dz = zeros(z.length);
          for (let f = 0; f < F; f++)
            for (let i = 0; i < H; i++)
              for (let j = 0; j < W; j++) {
                const g = dy.data[((s * F + f) * H + i) * W + j];
                const best = winner(z, f, i, j);
                const isOn =
                  fault === 'mask of ReLU missing' ||
                  (fault === 'mask from the pooled input'
                    ? x.data[s * channels * height * width + (best % (height * width))] > 0
                    : z[best] > 0);
                if (!isOn) continue;
                if (fault === 'all of a window')
                  for (const by of [0, 1, width, width + 1]) dz[(f * height + 2 * i) * width + 2 * j + by] += g;
                else dz[best] += g;
              }
          dz.forEach(
            (g, at) => (db[Math.floor(at / height / width)] += fault === 'bias averaged over places' ? g / (H * W) : g),
          );
          each(
            s,
            (f, i, j, xi, wi) => {
              const value = dz[(f * height + i) * width + j] * x.data[xi];
              if (fault === 'weights overwritten') dw[wi] = value;
              else dw[wi] += value;
            },
            0,
            fault === 'padding ignored in dw' ? 0 : pad,
          );
          each(
            s,
            (f, i, j, xi, wi) => {
              let at = wi;
              if (fault === 'kernel turned in dx') at = wi - (wi % 9) + 8 - (wi % 9);
              if (fault === 'filters swapped in dx') at = (wi + 9 * channels) % w.data.length;
              const value = dz[(f * height + i) * width + j] * w.data[at];
              if (fault === 'dx overwritten') dx[xi] = value;
              else dx[xi] += value;
            },
            fault === 'dx one column off' ? 1 : 0,
          );
        }
        return gradients(call, dx, { w: dw, b: db });
      },
    };
  },
};

/** The mean of embedded words, then a linear layer. */
const embeddingMean: Template = {
  name: 'loops: embedding and mean',
  isComposition: true,
  input: features,
  mistakes: {
    'repeated words overwritten': mistake(['overwritten', 'turns_missing'], 'table'),
    'sum instead of mean': mistake(['factor'], 'table'),
    'next word': mistake(['shifted', 'permuted'], 'table'),
    'first word alone': mistake(['share_missing', 'turns_missing', 'place_missing'], 'table'),
    'projection transposed': mistake(['transposed'], 'v'),
    'projection not transposed in the table': mistake(['not_transposed', 'transposed'], 'table'),
    'projection of one sample': mistake(['one_sample'], 'v'),
  },
  make(_random, [n], fault) {
    const [words, width] = [5, 3];
    const wordOf = (value: number): number => Math.min(words - 1, Math.floor(2.5 * Math.abs(value)));
    const pooled = ({ x, parameters: { table } }: ForwardCall, s: number): Numbers => {
      const h = zeros(width);
      for (let i = 0; i < n; i++)
        for (let k = 0; k < width; k++) h[k] += table.data[wordOf(x.data[s * n + i]) * width + k] / n;
      return h;
    };
    return {
      parameters: () => normal({ table: [words, width], v: [width, width] }),
      outputShape: () => [width],
      forward(call) {
        const {
          x,
          parameters: { v },
          ops,
        } = call;
        const y = zeros(x.shape[0] * width);
        for (let s = 0; s < x.shape[0]; s++) {
          const h = pooled(call, s);
          for (let j = 0; j < width; j++)
            for (let k = 0; k < width; k++) y[s * width + j] += h[k] * v.data[k * width + j];
        }
        return ops.tensor([x.shape[0], width], y);
      },
      backward(call) {
        const {
          x,
          dy,
          parameters: { v },
        } = call;
        const [dTable, dv] = [zeros(words * width), zeros(width * width)];
        for (let s = 0; s < x.shape[0]; s++) {
          const h = pooled(call, s);
          const dh = zeros(width);
          for (let k = 0; k < width; k++)
            for (let j = 0; j < width; j++) {
              const g = dy.data[s * width + j];
              dh[k] += g * v.data[fault === 'projection not transposed in the table' ? j * width + k : k * width + j];
              const at = fault === 'projection transposed' ? j * width + k : k * width + j;
              if (fault === 'projection of one sample') dv[at] = g * h[k];
              else dv[at] += g * h[k];
            }
          for (let i = 0; i < n; i++) {
            if (fault === 'first word alone' && i > 0) continue;
            const word = (wordOf(x.data[s * n + i]) + (fault === 'next word' ? 1 : 0)) % words;
            for (let k = 0; k < width; k++) {
              const g = fault === 'sum instead of mean' ? dh[k] : dh[k] / n;
              if (fault === 'repeated words overwritten') dTable[word * width + k] = g;
              else dTable[word * width + k] += g;
            }
          }
        }
        return gradients(call, zeros(x.data.length), { table: dTable, v: dv });
      },
    };
  },
};

/** An autoencoder whose decoder is the transpose of its encoder. */
const tied: Template = {
  name: 'loops: tied weights',
  isComposition: true,
  input: features,
  mistakes: {
    'encoder missing': mistake(['contribution_missing', 'one_use', 'share_missing'], 'w'),
    'decoder missing': mistake(['contribution_missing', 'one_use', 'share_missing'], 'w'),
    'encoder negated': mistake(['contribution_sign', 'part_sign'], 'w'),
    'derivative missing': mistake(['derivative_missing'], 'w', 'b', 'input'),
    'derivative at the output': mistake(['wrong_place', 'derivative_at_output'], 'w', 'b', 'input'),
    'bias ignores the derivative': mistake(['derivative_missing'], 'b'),
  },
  make(random, [n], fault) {
    const m = size(random, 2, 3);
    const encode = ({ x, parameters: { w, b } }: ForwardCall, s: number): Numbers => {
      const h = zeros(m);
      for (let j = 0; j < m; j++) {
        let sum = b.data[j];
        for (let i = 0; i < n; i++) sum += x.data[s * n + i] * w.data[i * m + j];
        h[j] = Math.tanh(sum);
      }
      return h;
    };
    return {
      parameters: () => normal({ w: [n, m], b: [m] }),
      forward(call) {
        const {
          x,
          parameters: { w },
          ops,
        } = call;
        const y = zeros(x.data.length);
        for (let s = 0; s < x.shape[0]; s++) {
          const h = encode(call, s);
          for (let i = 0; i < n; i++) for (let j = 0; j < m; j++) y[s * n + i] += h[j] * w.data[i * m + j];
        }
        return ops.tensor(x.shape, y);
      },
      backward(call) {
        const {
          x,
          dy,
          parameters: { w },
        } = call;
        const [dx, dw, db] = [zeros(x.data.length), zeros(n * m), zeros(m)];
        for (let s = 0; s < x.shape[0]; s++) {
          const h = encode(call, s);
          for (let j = 0; j < m; j++) {
            let dh = 0;
            for (let i = 0; i < n; i++) dh += dy.data[s * n + i] * w.data[i * m + j];
            let dz = dh * (1 - h[j] ** 2);
            if (fault === 'derivative missing') dz = dh;
            if (fault === 'derivative at the output') dz = dh * (1 - Math.tanh(h[j]) ** 2);
            db[j] += fault === 'bias ignores the derivative' ? dh : dz;
            for (let i = 0; i < n; i++) {
              if (fault !== 'decoder missing') dw[i * m + j] += dy.data[s * n + i] * h[j];
              if (fault !== 'encoder missing')
                dw[i * m + j] += (fault === 'encoder negated' ? -1 : 1) * x.data[s * n + i] * dz;
              dx[s * n + i] += w.data[i * m + j] * dz;
            }
          }
        }
        return gradients(call, dx, { w: dw, b: db });
      },
    };
  },
};

/** y = g · tanh(x W) + (1 - g) · x with g = sigmoid(x V + b). */
const highway: Template = {
  name: 'loops: highway',
  isComposition: true,
  input: features,
  mistakes: {
    'gate without its own path': mistake(['contribution_missing', 'share_missing'], 'input'),
    'carry missing': mistake(['contribution_missing', 'skip_missing', 'share_missing'], 'input'),
    'gate ignores the carry': mistake(['contribution_missing', 'wrong_operand', 'wrong_derivative'], 'v', 'b', 'input'),
    'gate counts the carry with the wrong sign': mistake(['contribution_sign', 'wrong_operand'], 'v', 'b', 'input'),
    'derivative of the gate from its argument': mistake(
      ['derivative_of_output_at_input', 'wrong_place'],
      'v',
      'b',
      'input',
    ),
    'gate missing before tanh': mistake(['scale_missing'], 'w', 'input'),
    'v not transposed': mistake(['not_transposed', 'transposed'], 'input'),
    'w and v swapped': mistake(['swapped'], 'w', 'v'),
    'output gradient ignored in the bias': mistake(['upstream_ignored'], 'b'),
  },
  make: (_random, [n], fault) => ({
    parameters: () => normal({ w: [n, n], v: [n, n], b: [n] }),
    forward({ x, parameters: { w, v, b }, ops }) {
      const y = zeros(x.data.length);
      for (let s = 0; s < x.shape[0]; s++)
        for (let j = 0; j < n; j++) {
          let [z, a] = [0, b.data[j]];
          for (let i = 0; i < n; i++) {
            z += x.data[s * n + i] * w.data[i * n + j];
            a += x.data[s * n + i] * v.data[i * n + j];
          }
          const g = sigmoid(a);
          y[s * n + j] = g * Math.tanh(z) + (1 - g) * x.data[s * n + j];
        }
      return ops.tensor(x.shape, y);
    },
    backward(call) {
      const {
        x,
        dy,
        parameters: { w, v, b },
      } = call;
      const [dx, dw, dv, db] = [zeros(x.data.length), zeros(n * n), zeros(n * n), zeros(n)];
      for (let s = 0; s < x.shape[0]; s++)
        for (let j = 0; j < n; j++) {
          let [z, a] = [0, b.data[j]];
          for (let i = 0; i < n; i++) {
            z += x.data[s * n + i] * w.data[i * n + j];
            a += x.data[s * n + i] * v.data[i * n + j];
          }
          const [g, h, d] = [sigmoid(a), Math.tanh(z), dy.data[s * n + j]];
          const carried = x.data[s * n + j];
          let difference = h - carried;
          if (fault === 'gate ignores the carry') difference = h;
          if (fault === 'gate counts the carry with the wrong sign') difference = h + carried;
          const slope = fault === 'derivative of the gate from its argument' ? a * (1 - a) : g * (1 - g);
          const da = d * difference * slope;
          const dz = d * (fault === 'gate missing before tanh' ? 1 : g) * (1 - h * h);
          if (fault !== 'carry missing') dx[s * n + j] += d * (1 - g);
          db[j] += fault === 'output gradient ignored in the bias' ? difference * slope : da;
          for (let i = 0; i < n; i++) {
            dw[i * n + j] += x.data[s * n + i] * dz;
            dv[i * n + j] += x.data[s * n + i] * da;
            dx[s * n + i] += dz * w.data[i * n + j];
            if (fault !== 'gate without its own path')
              dx[s * n + i] += da * v.data[fault === 'v not transposed' ? j * n + i : i * n + j];
          }
        }
      return fault === 'w and v swapped'
        ? gradients(call, dx, { w: dv, v: dw, b: db })
        : gradients(call, dx, { w: dw, v: dv, b: db });
    },
  }),
};

export const LOOP_TEMPLATES: readonly Template[] = [
  normalizedTanh,
  batchNorm,
  attention,
  recurrent,
  minimalGated,
  convolutionAndPooling,
  embeddingMean,
  tied,
  highway,
];
