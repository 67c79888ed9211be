// The functions of formulas. To add one, add a line here and one to docs/custom-layers.md.
import { erfc } from '../kernels/erfc';

export interface ScalarFunction {
  /** In LaTeX, and in plain text where that differs from the name. */
  readonly latex: string;
  readonly text?: string;
  apply(...values: readonly number[]): number;
}

const SQRT_2PI = Math.sqrt(2 * Math.PI);
const operator = (name: string): string => String.raw`\operatorname{${name}}`;

/** Entry by entry. */
export const scalarFunctions: Readonly<Record<string, ScalarFunction>> = {
  exp: { latex: String.raw`\exp`, apply: (x) => Math.exp(x) },
  log: { latex: String.raw`\log`, apply: (x) => Math.log(x) },
  sqrt: { latex: String.raw`\sqrt`, text: '√', apply: (x) => Math.sqrt(x) },
  tanh: { latex: String.raw`\tanh`, apply: (x) => Math.tanh(x) },
  sin: { latex: String.raw`\sin`, apply: (x) => Math.sin(x) },
  cos: { latex: String.raw`\cos`, apply: (x) => Math.cos(x) },
  sigmoid: { latex: String.raw`\sigma`, text: 'σ', apply: (x) => 1 / (1 + Math.exp(-x)) },
  abs: { latex: operator('abs'), text: 'abs', apply: (x) => Math.abs(x) },
  sign: { latex: operator('sign'), apply: (x) => Math.sign(x) },
  floor: { latex: operator('floor'), apply: (x) => Math.floor(x) },
  ceil: { latex: operator('ceil'), apply: (x) => Math.ceil(x) },
  /** The standard normal distribution function, and its density. */
  Phi: { latex: String.raw`\Phi`, text: 'Φ', apply: (x) => erfc(-x / Math.SQRT2) / 2 },
  phi: { latex: String.raw`\varphi`, text: 'φ', apply: (x) => Math.exp((-x * x) / 2) / SQRT_2PI },
  min: { latex: String.raw`\min`, apply: (a, b) => Math.min(a, b) },
  max: { latex: String.raw`\max`, apply: (a, b) => Math.max(a, b) },
  mod: { latex: operator('mod'), apply: (a, b) => a - b * Math.floor(a / b) },
  /** a log b, and 0 where a is 0. */
  xlogy: { latex: '', apply: (a, b) => (a === 0 ? 0 : a * Math.log(b)) },
  /** 1 where the condition holds, else 0. */
  when: { latex: '', apply: (x) => x },
};

/** Functions of whole tensors. */
export const tensorFunctions = [
  'T',
  'outer',
  'concat',
  'softmax',
  'log_softmax',
  'vec',
  'reshape',
  'total',
  'jacobian',
] as const;
export type TensorFunction = (typeof tensorFunctions)[number];

export const isTensorFunction = (name: string): name is TensorFunction =>
  (tensorFunctions as readonly string[]).includes(name);
