// Losses of one prediction and one target, with their derivatives: the functions of the kernel `pointwiseLoss`.

interface PointwiseLoss {
  /** `a` is the function's only parameter: the margin of a hinge, delta of Huber. */
  readonly value: (x: number, t: number, a: number) => number;
  /** d value / dx. */
  readonly derivative: (x: number, t: number, a: number) => number;
}

/** How far x falls short of the margin; targets 0 and 1 mean signs -1 and 1. */
const hingeLoss = (x: number, t: number, margin: number): number => Math.max(0, margin - (2 * t - 1) * x);

/** The derivative of max(0, m): 1 above 0, 0 at 0; NaN stays NaN. */
export const reluDerivative = (m: number): number => (m > 0 ? 1 : m);

export const pointwiseLosses = {
  absolute_error: { value: (x, t) => Math.abs(x - t), derivative: (x, t) => Math.sign(x - t) },
  huber: {
    value(x, t, delta) {
      const d = Math.abs(x - t);
      return d <= delta ? 0.5 * d * d : delta * (d - 0.5 * delta);
    },
    derivative: (x, t, delta) => Math.min(Math.max(x - t, -delta), delta),
  },
  hinge: { value: hingeLoss, derivative: (x, t, margin) => reluDerivative(hingeLoss(x, t, margin)) * (1 - 2 * t) },
  squared_hinge: {
    value: (x, t, margin) => hingeLoss(x, t, margin) * hingeLoss(x, t, margin),
    derivative: (x, t, margin) => 2 * hingeLoss(x, t, margin) * (1 - 2 * t),
  },
} as const satisfies Readonly<Record<string, PointwiseLoss>>;

export type PointwiseLossKind = keyof typeof pointwiseLosses;

export const pointwiseLoss = (f: PointwiseLossKind): PointwiseLoss => pointwiseLosses[f];
