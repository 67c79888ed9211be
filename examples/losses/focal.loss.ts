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
} satisfies Loss<{ gamma?: number }>;
