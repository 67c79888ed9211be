// A fully connected layer, y = x Wᵀ + b, with a manual backward pass:
//   dx = dy W, dW = dyᵀ x, db = the sum of dy over the batch.
import type { Layer } from './nablascope.d.ts';

interface Options {
  readonly out_features: number;
}

export default {
  parameters: ([inputs], { out_features }) => ({ weight: [out_features, inputs], bias: [out_features] }),

  outputShape: (_input, { out_features }) => [out_features],

  forward({ x, parameters: { weight, bias }, ops }) {
    return ops.add(ops.matmul(x, ops.transpose(weight)), bias);
  },

  backward({ x, dy, parameters: { weight, bias }, ops }) {
    const [samples, inputs] = x.shape;
    const [outputs] = bias.shape;
    const dx = ops.tensor(x.shape);
    const dWeight = ops.tensor(weight.shape);
    const dBias = ops.tensor(bias.shape);
    for (let sample = 0; sample < samples; sample++) {
      for (let unit = 0; unit < outputs; unit++) {
        const up = dy.data[sample * outputs + unit];
        dBias.data[unit] += up;
        for (let i = 0; i < inputs; i++) {
          dWeight.data[unit * inputs + i] += up * x.data[sample * inputs + i];
          dx.data[sample * inputs + i] += up * weight.data[unit * inputs + i];
        }
      }
    }
    return { dx, parameters: { weight: dWeight, bias: dBias } };
  },
} satisfies Layer<Options>;
