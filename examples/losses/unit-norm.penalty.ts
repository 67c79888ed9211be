// Draws the norm of each row of every weight toward 1: strength · Σ (|row|² - 1)², with a manual backward.
import type { Penalty, Tensor } from './nablascope.d.ts';

/** The weights, without biases. */
const weightsOf = (parameters: Readonly<Record<string, Tensor>>): [string, Tensor][] =>
  Object.entries(parameters).filter(([, { shape }]) => shape.length > 1);

export default {
  forward({ parameters, options, ops }) {
    const terms = weightsOf(parameters).map(([, weight]) => {
      const excess = ops.subtract(ops.sum(ops.multiply(weight, weight), 1), 1);
      return ops.sum(ops.multiply(excess, excess));
    });
    return ops.multiply(options.strength, ops.sum(ops.stack(terms)));
  },

  backward({ parameters, options, ops }) {
    const gradients = weightsOf(parameters).map(([name, weight]) => {
      const excess = ops.subtract(ops.sum(ops.multiply(weight, weight), 1, true), 1);
      return [name, ops.multiply(4 * options.strength, ops.multiply(excess, weight))] as const;
    });
    return { parameters: Object.fromEntries(gradients) };
  },
} satisfies Penalty<{ strength: number }>;
