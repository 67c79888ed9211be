// Element-wise activations and their derivatives: the functions of the kernel `unary`. Their order defines their codes
// in assembly/opcodes.ts.
import { erfc } from './erfc';

interface UnaryFunction {
  /** y = f(x); `a` is the function's only parameter, which most ignore. NaN stays NaN. */
  readonly value: (x: number, a: number) => number;
  /** dy/dx at x. */
  readonly derivative: (x: number, a: number) => number;
}

/** 1 / (1 + exp(-x)), computed where exp cannot overflow. */
export function sigmoid(x: number): number {
  if (x >= 0) return 1 / (1 + Math.exp(-x));
  const e = Math.exp(x);
  return e / (1 + e);
}

/** The cumulative distribution function of the standard normal distribution. */
const normalCdf = (x: number): number => 0.5 * erfc(-x * Math.SQRT1_2);
const normalPdf = (x: number): number => Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);

const CUBIC = 0.044715;
/** ½ (1 + tanh u) is the sigmoid of 2u, which keeps its digits where tanh is near -1. */
const twiceTanhArgument = (x: number): number => 2 * Math.sqrt(2 / Math.PI) * (x + CUBIC * x ** 3);

export const unaryFunctions = {
  /** x above 0, a x below. The derivative at 0 is a, as in PyTorch. */
  leaky_relu: { value: (x, a) => (x > 0 ? x : a * x), derivative: (x, a) => (x > 0 ? 1 : a) },
  /** x above 0, a (exp(x) - 1) below. The derivative at 0 is a, as in PyTorch. */
  elu: { value: (x, a) => (x > 0 ? x : a * Math.expm1(x)), derivative: (x, a) => (x > 0 ? 1 : a * Math.exp(x)) },
  /** x Φ(x). */
  gelu: { value: (x) => x * normalCdf(x), derivative: (x) => normalCdf(x) + x * normalPdf(x) },
  /** x/2 (1 + tanh(√(2/π) (x + 0.044715 x³))). */
  gelu_tanh: {
    value: (x) => x * sigmoid(twiceTanhArgument(x)),
    derivative(x) {
      const u = twiceTanhArgument(x);
      const share = sigmoid(u);
      return share + x * share * sigmoid(-u) * 2 * Math.sqrt(2 / Math.PI) * (1 + 3 * CUBIC * x * x);
    },
  },
  /** x σ(x). */
  silu: { value: (x) => x * sigmoid(x), derivative: (x) => sigmoid(x) * (1 + x * sigmoid(-x)) },
  /** log(1 + exp(a x)) / a, without PyTorch's switch to x at a x = 20. */
  softplus: {
    value: (x, a) => (Math.max(a * x, 0) + Math.log1p(Math.exp(-Math.abs(a * x)))) / a,
    derivative: (x, a) => sigmoid(a * x),
  },
} as const satisfies Readonly<Record<string, UnaryFunction>>;

export type UnaryKind = keyof typeof unaryFunctions;

export const unaryFunction = (f: UnaryKind): UnaryFunction => unaryFunctions[f];
