// Losses of one prediction and one target, each beside its derivative: the table that `pointwiseLoss` is named by.

interface PointwiseFunction {
  /** `a` is the function's one parameter: the margin of a hinge, delta of Huber. */
  readonly value: (x: number, t: number, a: number) => number;
  /** d value / dx. */
  readonly slope: (x: number, t: number, a: number) => number;
}

/** What is missing to the margin; targets 0 and 1 are the signs -1 and 1. */
const missing = (x: number, t: number, margin: number): number => Math.max(0, margin - (2 * t - 1) * x);

/** The slope of max(0, m): 1 above 0, 0 at 0; NaN stays. */
export const onward = (m: number): number => (m > 0 ? 1 : m);

export const pointwiseFunctions = {
  absolute_error: { value: (x, t) => Math.abs(x - t), slope: (x, t) => Math.sign(x - t) },
  huber: {
    value(x, t, delta) {
      const d = Math.abs(x - t);
      return d <= delta ? 0.5 * d * d : delta * (d - 0.5 * delta);
    },
    slope: (x, t, delta) => Math.min(Math.max(x - t, -delta), delta),
  },
  hinge: { value: missing, slope: (x, t, margin) => onward(missing(x, t, margin)) * (1 - 2 * t) },
  squared_hinge: {
    value: (x, t, margin) => missing(x, t, margin) * missing(x, t, margin),
    slope: (x, t, margin) => 2 * missing(x, t, margin) * (1 - 2 * t),
  },
} as const satisfies Readonly<Record<string, PointwiseFunction>>;

export type Pointwise = keyof typeof pointwiseFunctions;

export const pointwiseFunction = (f: Pointwise): PointwiseFunction => pointwiseFunctions[f];
