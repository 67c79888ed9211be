// Activations of one number, each beside its derivative: the table that the kernel `unary` is named by. Their places in
// it are the numbers that assembly/unary.ts knows them by.
import { erfc } from './erfc';

interface UnaryFunction {
  /** y = f(x); `a` is the function's one parameter, which most do without. NaN stays NaN. */
  readonly value: (x: number, a: number) => number;
  /** dy/dx at x. */
  readonly slope: (x: number, a: number) => number;
}

/** 1 / (1 + exp(-x)), from the side where exp cannot overflow. */
export function logistic(x: number): number {
  if (x >= 0) return 1 / (1 + Math.exp(-x));
  const e = Math.exp(x);
  return e / (1 + e);
}

/** Share of the standard normal distribution below x. */
const normalBelow = (x: number): number => 0.5 * erfc(-x * Math.SQRT1_2);
const normalDensity = (x: number): number => Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);

const CUBIC = 0.044715;
/** ½ (1 + tanh u) is the logistic of 2u, which keeps its digits where tanh is near -1. */
const twiceInner = (x: number): number => 2 * Math.sqrt(2 / Math.PI) * (x + CUBIC * x ** 3);

export const unaryFunctions = {
  /** x above 0, a x below. At 0 the slope is a, as in PyTorch. */
  leaky_relu: { value: (x, a) => (x > 0 ? x : a * x), slope: (x, a) => (x > 0 ? 1 : a) },
  /** x above 0, a (exp(x) - 1) below. At 0 the slope is a, as in PyTorch. */
  elu: { value: (x, a) => (x > 0 ? x : a * Math.expm1(x)), slope: (x, a) => (x > 0 ? 1 : a * Math.exp(x)) },
  /** x Φ(x). */
  gelu: { value: (x) => x * normalBelow(x), slope: (x) => normalBelow(x) + x * normalDensity(x) },
  /** x/2 (1 + tanh(√(2/π) (x + 0.044715 x³))). */
  gelu_tanh: {
    value: (x) => x * logistic(twiceInner(x)),
    slope(x) {
      const u = twiceInner(x);
      const share = logistic(u);
      return share + x * share * logistic(-u) * 2 * Math.sqrt(2 / Math.PI) * (1 + 3 * CUBIC * x * x);
    },
  },
  /** x σ(x). */
  silu: { value: (x) => x * logistic(x), slope: (x) => logistic(x) * (1 + x * logistic(-x)) },
  /** log(1 + exp(a x)) / a, without the switch to x that PyTorch makes at a x = 20. */
  softplus: {
    value: (x, a) => (Math.max(a * x, 0) + Math.log1p(Math.exp(-Math.abs(a * x)))) / a,
    slope: (x, a) => logistic(a * x),
  },
} as const satisfies Readonly<Record<string, UnaryFunction>>;

export type Unary = keyof typeof unaryFunctions;

export const unaryFunction = (f: Unary): UnaryFunction => unaryFunctions[f];
