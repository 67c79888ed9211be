// A planted fault: wrong backward code that replaces that of a layer or a loss, and the causes of which a diagnosis
// must name one. Written independently of the explanations: a fault says what was done, not how it is found.
import type { Diagnosis } from '../../../src/protocol/check-report';
import type { Kernels } from '../../../src/engine/kernels/kernels';
import { MemoryPlan, type Tensor } from '../../../src/engine/kernels/tensor';
import type { LayerKind } from '../../../src/engine/layers';
import type { BackwardContext, LayerDefinition } from '../../../src/engine/layers/layer';
import type { LossKind } from '../../../src/engine/losses';
import type { LossDefinition } from '../../../src/engine/losses/loss';
import type { Penalty } from '../../../src/engine/penalty';
import type { Random } from '../../../src/engine/random';

export type Context = BackwardContext<unknown>;
export type Cause = Diagnosis['cause'];

/** A gradient that can be corrupted: of a parameter, `input`, or `prediction` for a loss. */
export interface Site {
  readonly kind: LayerKind | 'loss';
  readonly tensor: string;
  readonly options: unknown;
  /** Numbers per sample. */
  readonly inputs: number;
  readonly outputs: number;
  readonly batch: number;
  readonly penalty: Penalty | undefined;
  /** Of the network. */
  readonly loss: LossKind;
}

export interface Fault {
  /** What was done, for the table of results. */
  readonly kind: string;
  readonly causes: readonly Cause[];
  /** A layer that the network must contain. */
  readonly requiredLayer?: LayerKind;
  /** The kind of network that it requires: with images, or with normalization layers. */
  readonly networkKind?: 'images' | 'norms';
  readonly fits: (site: Site) => boolean;
  /** Created for each network, so that it can keep state. */
  readonly layer?: (inner: LayerDefinition, site: Site, random: Random) => LayerDefinition;
  readonly loss?: (inner: LossDefinition, site: Site, random: Random) => LossDefinition;
}

export type Values = Tensor['data'];

/** The gradient that the layer has written for one tensor. */
export const gradientOf = ({ gradInput, gradParameters }: Context, tensor: string): Tensor | null =>
  tensor === 'input' ? gradInput : (gradParameters[tensor] ?? null);

/** Changes the gradient of the site after the layer's own backward. */
export const afterBackward = (
  inner: LayerDefinition,
  tensor: string,
  change: (gradient: Tensor, context: Context) => void,
): LayerDefinition => ({
  ...inner,
  backward(context) {
    inner.backward(context);
    const gradient = gradientOf(context, tensor);
    if (gradient) change(gradient, context);
  },
});

/** Arguments for `backward` that replace its own. */
export interface BackwardOverrides {
  readonly input?: ArrayLike<number>;
  readonly output?: ArrayLike<number>;
  readonly gradOutput?: ArrayLike<number>;
}

/** The gradient of one tensor, computed by the layer's own backward from other arguments; the others are right. */
export function withBackwardOverrides(
  inner: LayerDefinition,
  tensor: string,
  overrides: (context: Context) => BackwardOverrides,
): LayerDefinition {
  return {
    ...inner,
    backward(context) {
      inner.backward(context);
      const gradient = gradientOf(context, tensor);
      if (!gradient) return;
      const all = [...Object.values(context.gradParameters), ...(context.gradInput ? [context.gradInput] : [])];
      const right = all.map(({ data }) => data.slice());
      for (const { data } of all) data.fill(0);
      const other = overrides(context);
      const names = (Object.keys(other) as (keyof BackwardOverrides)[]).filter((name) => other[name]);
      const before = names.map((name) => context[name].data.slice());
      names.forEach((name) => context[name].data.set(other[name] ?? []));
      inner.backward(context);
      names.forEach((name, i) => context[name].data.set(before[i]));
      const wrong = gradient.data.slice();
      all.forEach(({ data }, i) => data.set(right[i]));
      gradient.data.set(wrong);
    },
  };
}

/** Recomputes dL/dx, element by element. */
export const pointwiseBackward = (
  inner: LayerDefinition,
  by: (dy: number, x: number, y: number, i: number) => number,
): LayerDefinition => ({
  ...inner,
  backward({ gradInput, gradOutput, input, output }) {
    if (gradInput)
      for (let i = 0; i < gradInput.data.length; i++)
        gradInput.data[i] = by(gradOutput.data[i], input.data[i], output.data[i], i);
  },
});

/** A copy of a tensor with the same numbers. */
export function copyOf(kernels: Kernels, { shape, data }: Tensor): Tensor {
  const plan = new MemoryPlan(kernels.precision);
  plan.reserve(shape);
  const [copy] = kernels.allocate(plan);
  copy.data.set(data);
  return copy;
}

/** The first dimension as rows; all others are the columns. */
export const rowsOf = ({ shape, data }: Tensor): { readonly rows: number; readonly columns: number } => {
  const rows = shape.length > 1 ? shape[0] : 1;
  return { rows, columns: data.length / rows };
};

/** Changes the gradient of a loss after it was computed. */
export const afterLossGradient = (inner: LossDefinition, change: (gradient: Tensor) => void): LossDefinition => ({
  ...inner,
  gradient(context, out) {
    inner.gradient(context, out);
    change(out);
  },
});
