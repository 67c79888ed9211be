// The focal loss, -Σ y (1 - p)^γ log p with p = softmax(z): cross-entropy that counts samples less the better they are
// classified. With γ = 0 it is cross-entropy. Autograd derives its gradient.
// Source: Lin, Goyal, Girshick, He, Dollár, "Focal Loss for Dense Object Detection", 2017.
import type { Loss } from './nablascope.d.ts';

export default {
  forward({ outputs, targets, options, ops }) {
    const logs = ops.logSoftmax(outputs);
    const weights = ops.pow(ops.subtract(1, ops.exp(logs)), options.gamma ?? 2);
    const samples = ops.sum(ops.multiply(targets, ops.multiply(weights, logs)), 1);
    return ops.negate(ops.mean(samples));
  },

  // p_k stands for exp(z_k) = softmax(ŷ)_k.
  formulas: ({ gamma = 2 }) => {
    const where = 'where z[n, k] = log_softmax(yhat)[n, k]';
    const slope = `w[n, k] = y[n, k] * (${gamma} * exp(z[n, k]) * (1 - exp(z[n, k]))^${gamma - 1} * z[n, k] - (1 - exp(z[n, k]))^${gamma})`;
    return [
      `l = -sum(n, k: y[n, k] * (1 - exp(z[n, k]))^${gamma} * z[n, k]) / N ${where}`,
      `d(yhat)[n, k] = (w[n, k] - exp(z[n, k]) * sum(j: w[n, j])) / N ${where}; ${slope}`,
      `d(y)[n, k] = -(1 - exp(z[n, k]))^${gamma} * z[n, k] / N ${where}`,
    ];
  },
} satisfies Loss<{ gamma?: number }>;
