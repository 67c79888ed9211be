// What a planted fault is: wrong backward code in place of a layer's or a loss's own, and the causes of which a
// diagnosis must name one. Written apart from the explanations: a fault says what somebody did, not how it is found.
import type { Kernels } from '../../../src/engine/kernels/kernels';
import { MemoryPlan, type Tensor } from '../../../src/engine/kernels/tensor';
import type { LayerKind } from '../../../src/engine/layers';
import type { BackwardContext, LayerDefinition } from '../../../src/engine/layers/layer';
import type { LossKind } from '../../../src/engine/losses';
import type { LossDefinition } from '../../../src/engine/losses/loss';
import type { Penalty } from '../../../src/engine/penalty';
import type { Random } from '../../../src/engine/random';
import type { Diagnosis } from '../../../src/gradcheck';

export type Context = BackwardContext<unknown>;
export type Cause = Diagnosis['cause'];

/** A gradient that can be made wrong: of a parameter, `input`, or of a loss `prediction`. */
export interface Site {
  readonly kind: LayerKind | 'loss';
  readonly tensor: string;
  readonly options: unknown;
  /** Numbers of one sample. */
  readonly inputs: number;
  readonly outputs: number;
  readonly batch: number;
  readonly penalty: Penalty | undefined;
  /** Of the network. */
  readonly loss: LossKind;
}

export interface Fault {
  /** What was done, for the table. */
  readonly kind: string;
  readonly causes: readonly Cause[];
  /** A layer that the network must have for it. */
  readonly needs?: LayerKind;
  /** What kind of network it needs: of images, or with layers that normalize. */
  readonly within?: 'images' | 'norms';
  readonly fits: (site: Site) => boolean;
  /** Made anew for each network, so that it can keep something. */
  readonly layer?: (inner: LayerDefinition, site: Site, random: Random) => LayerDefinition;
  readonly loss?: (inner: LossDefinition, site: Site, random: Random) => LossDefinition;
}

export type Values = Tensor['data'];

/** The gradient of one tensor, where the layer has written it. */
export const gradientOf = ({ gradInput, gradParameters }: Context, tensor: string): Tensor | null =>
  tensor === 'input' ? gradInput : (gradParameters[tensor] ?? null);

/** Changes the gradient of the site after the layer's own backward. */
export const after = (inner: LayerDefinition, tensor: string, change: (gradient: Tensor, context: Context) => void): LayerDefinition => ({
  ...inner,
  backward(context) {
    inner.backward(context);
    const gradient = gradientOf(context, tensor);
    if (gradient) change(gradient, context);
  },
});

/** What `backward` is given in place of its own arguments. */
export interface Given {
  readonly input?: ArrayLike<number>;
  readonly output?: ArrayLike<number>;
  readonly gradOutput?: ArrayLike<number>;
}

/** The gradient of one tensor, made by the layer's own backward from other arguments; all else as it should be. */
export function madeFrom(inner: LayerDefinition, tensor: string, given: (context: Context) => Given): LayerDefinition {
  return {
    ...inner,
    backward(context) {
      inner.backward(context);
      const gradient = gradientOf(context, tensor);
      if (!gradient) return;
      const all = [...Object.values(context.gradParameters), ...(context.gradInput ? [context.gradInput] : [])];
      const right = all.map(({ data }) => data.slice());
      for (const { data } of all) data.fill(0);
      const other = given(context);
      const names = (Object.keys(other) as (keyof Given)[]).filter((name) => other[name]);
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

/** dL/dx written anew, number by number. */
export const slope = (inner: LayerDefinition, by: (dy: number, x: number, y: number, i: number) => number): LayerDefinition => ({
  ...inner,
  backward({ gradInput, gradOutput, input, output }) {
    if (gradInput) for (let i = 0; i < gradInput.data.length; i++) gradInput.data[i] = by(gradOutput.data[i], input.data[i], output.data[i], i);
  },
});

/** A tensor beside another, with the same numbers. */
export function copyOf(kernels: Kernels, { shape, data }: Tensor): Tensor {
  const plan = new MemoryPlan(kernels.precision);
  plan.reserve(shape);
  const [copy] = kernels.allocate(plan);
  copy.data.set(data);
  return copy;
}

/** Of the first dimension; all after it are the columns. */
export const rowsOf = ({ shape, data }: Tensor): { readonly rows: number; readonly columns: number } => {
  const rows = shape.length > 1 ? shape[0] : 1;
  return { rows, columns: data.length / rows };
};

/** The gradient of a loss, changed after it was made. */
export const afterLoss = (inner: LossDefinition, change: (gradient: Tensor) => void): LossDefinition => ({
  ...inner,
  gradient(context, out) {
    inner.gradient(context, out);
    change(out);
  },
});
